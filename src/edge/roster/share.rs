//! How requests were shared out lately. A balancer counts from its start;
//! a machine that broke an hour ago would hide behind what it did before.

use std::collections::VecDeque;
use std::time::Duration;

use crate::edge::front::FrontView;

/// How often it is noted what was sent.
pub(super) const NOTE_EVERY: Duration = Duration::from_secs(10);
/// Notes that are kept: five minutes.
const NOTES_MAX: usize = 30;

/// Requests sent to an address so far.
pub(super) type Sent = (Box<str>, u64);

/// What each note says.
#[derive(Debug, Default)]
pub(super) struct Shares(VecDeque<Vec<Sent>>);

/// What a front door has sent so far.
pub(super) fn counted(front: &FrontView) -> Vec<Sent> {
    let upstreams = front.peers.iter().filter_map(|peer| peer.upstream.as_ref());
    upstreams.map(|upstream| (upstream.name.clone(), upstream.picks)).collect()
}

impl Shares {
    /// Notes what was sent so far; to be called every [`NOTE_EVERY`].
    pub(super) fn note(&mut self, sent: Vec<Sent>) {
        if self.0.len() == NOTES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(sent);
    }

    /// What was sent since the oldest note. One that is new since then began
    /// at nothing, and so did one that left and came back.
    pub(super) fn lately(&self, sent: &[Sent]) -> Vec<Sent> {
        let before = self.0.front().map_or(&[][..], Vec::as_slice);
        let since = |(name, now): &Sent| {
            let then = before.iter().find(|(known, _)| known == name).map_or(0, |(_, then)| *then);
            (name.clone(), now.checked_sub(then).unwrap_or(*now))
        };
        sent.iter().map(since).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(counts: &[(&str, u64)]) -> Vec<Sent> {
        counts.iter().map(|(name, count)| ((*name).into(), *count)).collect()
    }

    #[test]
    fn only_what_was_sent_lately_counts() {
        let mut shares = Shares::default();
        assert_eq!(shares.lately(&sent(&[("a", 5)])), sent(&[("a", 5)]), "before the first note: all");
        shares.note(sent(&[("a", 1000), ("b", 1000)]));
        let now = sent(&[("a", 1090), ("b", 10), ("c", 7)]);
        assert_eq!(shares.lately(&now), sent(&[("a", 90), ("b", 10), ("c", 7)]), "b came back, c is new");
        for _ in 0..NOTES_MAX {
            shares.note(sent(&[("a", 1080)]));
        }
        assert_eq!(shares.lately(&sent(&[("a", 1090)])), sent(&[("a", 10)]));
        assert_eq!(shares.0.len(), NOTES_MAX);
    }
}
