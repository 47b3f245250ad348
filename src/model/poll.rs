//! Polls of posts, and what people voted for.

use minicbor::{Decode, Encode};

use crate::base::{Id, Timestamp};
use crate::store::Record;

/// One answer that can be voted for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct PollOption {
    /// Its text.
    #[n(0)]
    pub title: String,
    /// Votes for it, as far as they are known.
    #[n(1)]
    pub votes: u64,
}

/// A poll, part of its post.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Poll {
    /// The answers.
    #[n(0)]
    pub options: Vec<PollOption>,
    /// Several answers may be chosen.
    #[n(1)]
    pub multiple: bool,
    /// Votes are not shown before the end.
    #[n(2)]
    pub hide_totals: bool,
    /// When voting ends; `None` for never.
    #[n(3)]
    pub expires_at: Option<Timestamp>,
    /// Accounts that voted, if that is known.
    #[n(4)]
    pub voters: Option<u64>,
    /// Counts how often the answers were changed: votes of earlier rounds no
    /// longer count.
    #[n(5)]
    pub round: u32,
    /// A job will tell other servers of new votes.
    #[n(6)]
    pub is_tally_due: bool,
    /// A job waits for its end.
    #[n(7)]
    pub is_watched: bool,
    /// Its end was noticed; the id of the notifications about that.
    #[n(8)]
    pub ended: Option<Id>,
    /// Everybody was told of the end.
    #[n(9)]
    pub is_told: bool,
}

impl Poll {
    /// Whether voting has ended.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// All votes.
    pub fn votes(&self) -> u64 {
        self.options.iter().fold(0, |sum, option| sum.saturating_add(option.votes))
    }

    /// Whether the same is asked, whatever was voted.
    pub fn asks_the_same(&self, other: &Poll) -> bool {
        let titles = |poll: &Poll| poll.options.iter().map(|o| o.title.clone()).collect::<Vec<_>>();
        self.multiple == other.multiple && titles(self) == titles(other)
    }
}

impl Record for Poll {}

/// What one account voted for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Ballot {
    /// The [`Poll::round`] it was cast in.
    #[n(0)]
    pub round: u32,
    /// Places of the chosen answers.
    #[n(1)]
    pub choices: Vec<u8>,
}

/// A poll as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct NewPoll {
    /// The answers, without blanks around them.
    #[n(0)]
    pub options: Vec<String>,
    /// How long it runs, in seconds.
    #[n(1)]
    pub expires_in_s: u64,
    /// Several answers may be chosen.
    #[n(2)]
    pub multiple: bool,
    /// Votes are not shown before the end.
    #[n(3)]
    pub hide_totals: bool,
}
