//! Which signals of other processes did not arrive. Pure.

use std::collections::HashMap;
use std::time::Duration;

/// A signal that is not here so long after its sender told of it was lost.
const GRACE: Duration = Duration::from_secs(1);
/// Senders known at once.
const SENDERS_MAX: usize = 256;

/// What arrived from whom.
#[derive(Debug, Default)]
pub(super) struct Roll {
    senders: HashMap<String, Sender>,
}

#[derive(Debug)]
struct Sender {
    /// Number of the last one that arrived, or was found missing.
    last: u64,
    /// The last number that the sender told of, and when that was heard.
    told: Option<(u64, Duration)>,
}

impl Roll {
    /// Whether anything was heard of anybody.
    pub(super) fn knows_somebody(&self) -> bool {
        !self.senders.is_empty()
    }

    /// A signal arrived; whether some before it did not.
    pub(super) fn arrived(&mut self, from: &str, number: u64) -> bool {
        if let Some(sender) = self.senders.get_mut(from) {
            let is_gap = number > sender.last + 1;
            sender.last = sender.last.max(number);
            return is_gap;
        }
        // Whoever begins to listen has read the store.
        if self.senders.len() < SENDERS_MAX {
            self.senders.insert(from.to_owned(), Sender { last: number, told: None });
        }
        false
    }

    /// Senders told how many they sent; whether some of what they told of
    /// before should be here and is not. Who is not named is forgotten.
    pub(super) fn expect(&mut self, now: Duration, others: &[(String, u64)]) -> bool {
        self.senders.retain(|name, _| others.iter().any(|(other, _)| other == name));
        let mut is_missing = false;
        for (name, sent) in others.iter().filter(|(name, _)| !name.is_empty()).take(SENDERS_MAX) {
            let sender = self.senders.entry(name.clone()).or_insert(Sender { last: *sent, told: None });
            if let Some((told, at)) = sender.told
                && sender.last < told
                && now.saturating_sub(at) >= GRACE
            {
                is_missing = true;
                sender.last = told;
            }
            if sender.told.is_none_or(|(told, _)| sender.last >= told) {
                sender.told = Some((*sent, now));
            }
        }
        is_missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn told(sent: u64) -> Vec<(String, u64)> {
        vec![("a".to_owned(), sent)]
    }

    #[test]
    fn what_arrives_late_is_not_missed() {
        let mut roll = Roll::default();
        assert!(!roll.expect(SECOND, &told(5)), "what was before we came");
        assert!(!roll.expect(2 * SECOND, &told(6)));
        assert!(!roll.arrived("a", 6));
        assert!(!roll.expect(9 * SECOND, &told(6)));
        assert!(!roll.arrived("b", 40), "a sender that was never heard of");
        assert!(!roll.arrived("b", 41));
    }

    #[test]
    fn a_gap_is_noticed_by_what_comes_after_it() {
        let mut roll = Roll::default();
        assert!(!roll.arrived("a", 1));
        assert!(roll.arrived("a", 3));
        assert!(!roll.arrived("a", 4));
    }

    #[test]
    fn the_last_one_is_missed_too_but_only_once() {
        let mut roll = Roll::default();
        assert!(!roll.expect(SECOND, &told(5)));
        assert!(!roll.expect(2 * SECOND, &told(7)));
        assert!(!roll.expect(2 * SECOND + SECOND / 2, &told(7)), "it may be on its way");
        assert!(roll.expect(3 * SECOND, &told(7)));
        assert!(!roll.expect(4 * SECOND, &told(7)));
        assert!(!roll.expect(9 * SECOND, &told(7)));
    }

    #[test]
    fn who_never_passes_signals_on_is_read_again_and_again() {
        let mut roll = Roll::default();
        let missed =
            (0..10).filter(|second| roll.expect(*second * SECOND, &told(u64::from(*second)))).count();
        assert!(missed >= 8, "{missed}");
    }
}
