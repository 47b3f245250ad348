//! What a node's queue did lately, for the others on the same store.

use minicbor::{Decode, Encode};

use crate::store::Record;

/// One step of ten seconds at one node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct HourStep {
    /// Steps from 1970 to this one.
    #[n(0)]
    pub number: u64,
    /// Deliveries that were accepted.
    #[n(1)]
    pub delivered: u32,
    /// Attempts that were not.
    #[n(2)]
    pub failed: u32,
    /// Those accepted, by how long they took: bins of the queue's own; zeros
    /// at the end are left out.
    #[n(3)]
    pub bins: Vec<u32>,
    /// Jobs that waited in the store at its end, as far as it was counted.
    #[n(4)]
    pub waiting: Option<u64>,
}

impl Record for HourStep {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::golden::check;

    #[test]
    fn steps_of_an_hour_read_for_ever() {
        let step =
            HourStep { number: 176_400_000, delivered: 5, failed: 1, bins: vec![0, 5], waiting: Some(9) };
        check("queue-hour-step", &step).unwrap();
    }
}
