//! What nodes tell each other of what each has in memory: who asked how
//! often, so that limits hold for all together, about; what is to be forgotten
//! because it changed; and that a file of another server came, or will not,
//! for which somebody may wait on another node than it was fetched by.
//!
//! All of it goes as signals, which may be lost: a limit is then a little
//! too high, after lost ones everything is forgotten, and who waits for a file
//! looks for it when their time is up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::AppState;
use super::media::{Ending, Fetched};
use crate::domain::throttle::Limiter;
use crate::store::{Key, MISSED, Signal, StoreError, WriteTx};

/// The signal of attempts that were counted.
const COUNTED: &str = "counted";
/// The signal of what is to be forgotten.
const FORGET: &str = "forget";
/// The signal of a file of another server.
const FETCHED: &str = "fetched";
/// How often attempts are told of.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// Keys of one limiter told of at a time: those that ask most.
const KEYS_MAX: usize = 256;
/// Bytes of one signal.
const SIGNAL_BYTES: usize = 5000;

/// What a node remembers that may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Forget {
    /// Which network addresses are shut out.
    Bars,
    /// A key of somebody elsewhere, by its id.
    Key(String),
}

impl Forget {
    fn write(&self) -> Vec<u8> {
        match self {
            Forget::Bars => vec![0],
            Forget::Key(id) => [&[1], id.as_bytes()].concat(),
        }
    }

    fn read(payload: &[u8]) -> Option<Forget> {
        match payload.split_first()? {
            (0, _) => Some(Forget::Bars),
            (1, id) => Some(Forget::Key(String::from_utf8(id.to_vec()).ok()?)),
            _ => None,
        }
    }
}

impl Fetched {
    fn write(&self) -> Vec<u8> {
        let ending = match self.ending {
            Ending::Settled => 0,
            Ending::Film => 1,
            Ending::Failed => 2,
        };
        [&[ending, u8::from(self.is_last)], &self.key[..]].concat()
    }

    fn read(payload: &[u8]) -> Option<Fetched> {
        let ([ending, is_last], key) = payload.split_first_chunk()?;
        let ending = match ending {
            0 => Ending::Settled,
            1 => Ending::Film,
            2 => Ending::Failed,
            _ => return None,
        };
        Some(Fetched { key: key.try_into().ok()?, ending, is_last: *is_last != 0 })
    }
}

/// Tells all nodes how an attempt at a file ended, once it is written down.
pub(crate) fn tell_fetched(tx: &mut WriteTx<'_>, news: &Fetched) {
    tx.signal(FETCHED, news.write());
}

/// Forgets something here and on all other nodes.
pub(crate) fn forget(state: &AppState, what: Forget) {
    forget_here(state, &what);
    if state.cluster.is_shared() {
        let (store, payload) = (state.store.clone(), what.write());
        tokio::spawn(async move {
            let told = store.write(move |tx| {
                tx.signal(FORGET, payload.clone());
                Ok::<_, StoreError>(())
            });
            if let Err(error) = told.await {
                tracing::warn!(%error, "other nodes were not told of a change; they notice by themselves, but later");
            }
        });
    }
}

fn forget_here(state: &AppState, what: &Forget) {
    match what {
        Forget::Bars => state.gates().bars.invalidate(&()),
        Forget::Key(id) => state.federation().forget(id),
    }
}

/// Tells and listens until the server stops; does nothing on a store that is
/// ours alone.
pub async fn attend(state: AppState, stop: CancellationToken) {
    if !state.cluster.is_shared() {
        return;
    }
    let me = state.chance.u64();
    let mut signals = state.store.subscribe();
    let mut tell = tokio::time::interval(TELL_EVERY);
    tell.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tell.tick() => tell_counts(&state, me).await,
            signal = signals.recv() => match signal {
                Ok(signal) => hear(&state, me, &signal),
                Err(RecvError::Lagged(_)) => forget_all(&state),
                Err(RecvError::Closed) => return,
            },
        }
    }
}

fn hear(state: &AppState, me: u64, signal: &Arc<Signal>) {
    match signal.topic {
        FORGET => match Forget::read(&signal.payload) {
            Some(what) => forget_here(state, &what),
            None => forget_all(state),
        },
        MISSED => forget_all(state),
        COUNTED => charge(state, me, &signal.payload),
        FETCHED => {
            if let Some(news) = Fetched::read(&signal.payload) {
                state.fetches().hear(&news);
            }
        }
        _ => {}
    }
}

fn forget_all(state: &AppState) {
    state.gates().bars.invalidate_all();
    state.federation().forget_all();
}

/// Does something with each limiter, by a number of its own.
macro_rules! each_limiter {
    ($state:expr, |$number:ident, $limiter:ident| $work:expr) => {{
        let gates = $state.gates();
        for ($number, limiter) in (0u8..).zip(gates.requests.by_id()) {
            let $limiter = &mut *limiter.lock();
            $work;
        }
        for ($number, limiter) in
            (10u8..).zip([gates.requests.by_address(), &gates.sign_up, &gates.apps, &gates.mails])
        {
            let $limiter = &mut *limiter.lock();
            $work;
        }
        {
            let ($number, $limiter) = (20u8, &mut *gates.mails_to.lock());
            $work;
        }
        let mut login = gates.login.lock();
        let (by_source, by_account) = login.parts();
        {
            let ($number, $limiter) = (21u8, by_source);
            $work;
        }
        {
            let ($number, $limiter) = (22u8, by_account);
            $work;
        }
    }};
}

/// Tells how often what was tried here since the last time.
async fn tell_counts(state: &AppState, me: u64) {
    let mut entries: Vec<Vec<u8>> = Vec::new();
    each_limiter!(state, |number, limiter| entries.extend(written(number, limiter)));
    if entries.is_empty() {
        return;
    }
    let payloads = packed(me, &entries);
    // Nothing is written down for it.
    let told = state.store.write(move |tx| {
        payloads.iter().for_each(|payload| tx.signal(COUNTED, payload.clone()));
        Ok::<_, StoreError>(())
    });
    if let Err(error) = told.await {
        tracing::debug!(%error, "other nodes were not told what was counted here");
    }
}

fn written<K: Key + std::hash::Hash + Eq + Copy>(number: u8, limiter: &mut Limiter<K>) -> Vec<Vec<u8>> {
    let news = limiter.news(KEYS_MAX).into_iter().filter(|(_, count)| *count > 0);
    news.map(|(key, count)| {
        let mut out = Vec::new();
        number.write(&mut out);
        key.write(&mut out);
        count.write(&mut out);
        out
    })
    .collect()
}

/// In as many signals as it takes, each with the sender's name before it.
fn packed(me: u64, entries: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut payloads: Vec<Vec<u8>> = Vec::new();
    for entry in entries {
        match payloads.last_mut() {
            Some(last) if last.len() + entry.len() <= SIGNAL_BYTES => last.extend(entry),
            _ => payloads.push([&me.to_be_bytes(), &entry[..]].concat()),
        }
    }
    payloads
}

/// Counts what was tried elsewhere.
fn charge(state: &AppState, me: u64, payload: &[u8]) {
    let mut rest = payload;
    let Some(sender) = u64::read(&mut rest) else { return };
    if sender == me {
        return;
    }
    let now = state.clock.monotonic();
    while let Some(wanted) = u8::read(&mut rest) {
        let before = rest;
        each_limiter!(state, |number, limiter| {
            if number == wanted {
                read_one(&mut rest, limiter, now);
            }
        });
        // What nobody understands is from another version.
        if rest.len() == before.len() {
            return;
        }
    }
}

fn read_one<K: Key + std::hash::Hash + Eq + Copy>(rest: &mut &[u8], limiter: &mut Limiter<K>, now: Duration) {
    let Some(key) = K::read(rest) else { return };
    let Some(count) = u32::read(rest) else { return };
    limiter.charge(now, key, count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_forgotten_reads_back() {
        for what in [Forget::Bars, Forget::Key("https://b.example/users/ben#main-key".into())] {
            assert_eq!(Forget::read(&what.write()), Some(what));
        }
        assert_eq!((Forget::read(&[]), Forget::read(&[9]), Forget::read(&[1, 0xff])), (None, None, None));
    }

    #[test]
    fn news_of_files_read_back() {
        for ending in [Ending::Settled, Ending::Film, Ending::Failed] {
            for is_last in [false, true] {
                let news = Fetched { key: [7; 32], ending, is_last };
                assert_eq!(Fetched::read(&news.write()), Some(news));
            }
        }
        for wrong in [&[][..], &[0, 1, 2], &[9; 34]] {
            assert_eq!(Fetched::read(wrong), None);
        }
    }

    #[test]
    fn many_counts_are_several_signals() {
        let entries = vec![vec![7; 40]; 1000];
        let payloads = packed(1, &entries);
        assert!(payloads.len() > 8 && payloads.iter().all(|payload| payload.len() <= SIGNAL_BYTES));
        assert_eq!(payloads.iter().map(|payload| payload.len() - 8).sum::<usize>(), 40_000);
    }
}
