//! What is remembered of activities that destinations nobody can reach did
//! not get rows for.

use minicbor::{Decode, Encode};

use super::{DestinationId, InboxId};
use crate::base::{Id, Timestamp};
use crate::store::Record;

/// A destination that is dormant or dead: in place of a row for each activity
/// it gets one now and then, to probe with, and the rest once it is back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Asleep {
    /// Since when.
    #[n(0)]
    pub since: Timestamp,
    /// The first act that was left out.
    #[n(1)]
    pub resume_act: Option<Id>,
    /// Until then it has a row to probe with.
    #[n(2)]
    pub probe_until: Option<Timestamp>,
    /// Whatever its state, its queue is too long.
    #[n(3)]
    #[cbor(default)]
    pub is_crowded: bool,
}

impl Record for Asleep {}

/// An act that was left out at some destinations. It keeps the act's body.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Logged {
    /// When it stops being worth sending.
    #[n(0)]
    pub expires_at: Timestamp,
    /// Whose fair share it counts to.
    #[n(1)]
    pub sender: Id,
    /// Where it was left out: pairs of numbers, each the difference from the
    /// one before, seven bits to a byte. A few bytes for each.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    skipped: Vec<u8>,
}

impl Logged {
    /// An act that was left out at these places.
    pub fn new(expires_at: Timestamp, sender: Id, places: &[(DestinationId, InboxId)]) -> Logged {
        let mut places = places.to_vec();
        places.sort();
        let (mut skipped, mut before) = (Vec::new(), (0, 0));
        for (destination, inbox) in places {
            write_number(&mut skipped, destination.0.wrapping_sub(before.0));
            write_number(&mut skipped, zigzag(inbox.0.wrapping_sub(before.1)));
            before = (destination.0, inbox.0);
        }
        Logged { expires_at, sender, skipped }
    }

    /// Where it was left out, by destination.
    pub fn places(&self) -> Vec<(DestinationId, InboxId)> {
        let (mut places, mut before, mut rest) = (Vec::new(), (0u32, 0u32), &self.skipped[..]);
        while let (Some(destination), Some(inbox)) = (read_number(&mut rest), read_number(&mut rest)) {
            before = (before.0.wrapping_add(destination), before.1.wrapping_add(unzigzag(inbox)));
            places.push((DestinationId(before.0), InboxId(before.1)));
        }
        places
    }

    /// The inboxes of one destination that it was left out at.
    pub fn inboxes_at(&self, destination: DestinationId) -> Vec<InboxId> {
        let of = |(other, inbox)| (other == destination).then_some(inbox);
        self.places().into_iter().filter_map(of).collect()
    }
}

impl Record for Logged {}

/// Small differences to either side become small numbers.
fn zigzag(difference: u32) -> u32 {
    (difference << 1) ^ (((difference as i32) >> 31) as u32)
}

fn unzigzag(number: u32) -> u32 {
    (number >> 1) ^ (number & 1).wrapping_neg()
}

fn write_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_number(input: &mut &[u8]) -> Option<u32> {
    let mut number = 0u32;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = input.split_first()?;
        *input = rest;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::golden::check;

    const AT: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn place(destination: u32, inbox: u32) -> (DestinationId, InboxId) {
        (DestinationId(destination), InboxId(inbox))
    }

    #[test]
    fn records_keep_their_bytes() {
        let asleep = Asleep { since: AT, resume_act: Some(Id(5)), probe_until: Some(AT), is_crowded: false };
        check("queue-asleep", &asleep).unwrap();
        let logged = Logged::new(AT, Id(7), &[place(9, 300), place(2, 4)]);
        check("queue-logged", &logged).unwrap();
    }

    #[test]
    fn places_come_back_in_order_and_take_little_room() {
        let mut places = vec![place(u32::MAX, 0), place(3, u32::MAX), place(3, 1), place(1, 70_000)];
        let logged = Logged::new(AT, Id(7), &places);
        places.sort();
        assert_eq!(logged.places(), places);
        assert_eq!(logged.inboxes_at(DestinationId(3)), [InboxId(1), InboxId(u32::MAX)]);
        assert_eq!(logged.inboxes_at(DestinationId(2)), []);
        let many: Vec<_> = (0..5000).map(|number| place(number * 3 + 1, number * 4 + 9)).collect();
        assert!(Logged::new(AT, Id(7), &many).skipped.len() <= 10_000);
    }
}
