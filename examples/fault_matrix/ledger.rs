//! What arrived at the fleet: how often, when, in which order, signed how.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::measure::{micros, percentile};
use crate::parcel::Parcel;

/// A delivery that a peer said yes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) peer: u32,
    pub(crate) parcel: Parcel,
    /// From the hand-over to the queue until the answer was given.
    pub(crate) took_s: f64,
}

/// Books of a fleet.
#[derive(Default)]
pub(crate) struct Ledger {
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    arrivals: Vec<Arrival>,
    times: HashMap<(u32, u64), u32>,
    signatures: Signatures,
}

/// How requests were signed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Signatures {
    pub(crate) cavage: u64,
    pub(crate) rfc9421: u64,
    /// Of those that were looked at.
    pub(crate) good: u64,
    pub(crate) bad: u64,
}

impl Ledger {
    pub(crate) fn arrived(&self, peer: u32, parcel: Parcel) {
        let took_s = micros().saturating_sub(parcel.sent_us) as f64 / 1e6;
        let mut books = self.books.lock();
        books.arrivals.push(Arrival { peer, parcel, took_s });
        *books.times.entry((peer, parcel.number)).or_default() += 1;
    }

    pub(crate) fn signed(&self, note: impl FnOnce(&mut Signatures)) {
        note(&mut self.books.lock().signatures);
    }

    pub(crate) fn signatures(&self) -> Signatures {
        self.books.lock().signatures
    }

    /// How many deliveries were taken.
    pub(crate) fn count(&self) -> usize {
        self.books.lock().arrivals.len()
    }

    /// How many more than once: the sum of all surplus arrivals.
    pub(crate) fn duplicates(&self) -> u64 {
        self.books.lock().times.values().map(|times| u64::from(times - 1)).sum()
    }

    /// How many of these (peer, activity) have not arrived.
    pub(crate) fn missing(&self, wanted: &[(u32, u64)]) -> usize {
        let books = self.books.lock();
        wanted.iter().filter(|key| !books.times.contains_key(key)).count()
    }

    /// The activities that a peer took, in the order of arrival.
    pub(crate) fn order_at(&self, peer: u32) -> Vec<u64> {
        let books = self.books.lock();
        books
            .arrivals
            .iter()
            .filter(|arrival| arrival.peer == peer)
            .map(|arrival| arrival.parcel.number)
            .collect()
    }

    /// What was handed over from then on and suits.
    pub(crate) fn since(&self, from_us: u64, suits: impl Fn(&Arrival) -> bool) -> Vec<Arrival> {
        let books = self.books.lock();
        books
            .arrivals
            .iter()
            .filter(|arrival| arrival.parcel.sent_us >= from_us && suits(arrival))
            .copied()
            .collect()
    }

    /// Middle and 99th percentile of how long those took, in seconds, and the longest.
    pub(crate) fn waits(&self, from_us: u64, suits: impl Fn(&Arrival) -> bool) -> Waits {
        let mut waits: Vec<f64> = self.since(from_us, suits).iter().map(|arrival| arrival.took_s).collect();
        Waits {
            p50: percentile(&mut waits, 0.5),
            p99: percentile(&mut waits, 0.99),
            max: percentile(&mut waits, 1.0),
        }
    }
}

/// How long deliveries took, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waits {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}
