//! A poll that somebody wants to ask.

use std::time::Duration;

use crate::base::Timestamp;
use crate::base::limits::{POLL_OPTION_CHARACTERS_MAX, POLL_OPTIONS, POLL_RUNS_S};
use crate::model::{NewPoll, Poll, PollOption};

/// What is wrong with a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollFault {
    /// There is nothing to choose from.
    TooFew,
    /// More answers than may be.
    TooMany,
    /// An answer is too long.
    TooLong,
    /// Two answers are the same.
    Twice,
    /// It ends too soon.
    TooShort,
    /// It ends too late.
    TooFar,
}

impl NewPoll {
    /// Looks whether it can be asked. `characters` counts those of an answer.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, characters: impl Fn(&str) -> usize) -> Result<(), PollFault> {
        let ((fewest, most), (shortest_s, longest_s)) = (POLL_OPTIONS, POLL_RUNS_S);
        let is_long = |option: &String| characters(option) > POLL_OPTION_CHARACTERS_MAX;
        let is_twice = self.options.iter().enumerate().any(|(n, option)| self.options[..n].contains(option));
        match () {
            () if self.options.len() < fewest => Err(PollFault::TooFew),
            () if self.options.len() > most => Err(PollFault::TooMany),
            () if self.options.iter().any(is_long) => Err(PollFault::TooLong),
            () if is_twice => Err(PollFault::Twice),
            () if self.expires_in_s > longest_s => Err(PollFault::TooFar),
            () if self.expires_in_s < shortest_s => Err(PollFault::TooShort),
            () => Ok(()),
        }
    }

    /// The poll, asked now.
    pub fn asked(&self, now: Timestamp) -> Poll {
        let option = |title: &String| PollOption { title: title.clone(), votes: 0 };
        Poll {
            options: self.options.iter().map(option).collect(),
            multiple: self.multiple,
            hide_totals: self.hide_totals,
            expires_at: Some(now.plus(Duration::from_secs(self.expires_in_s))),
            voters: Some(0),
            ..Poll::default()
        }
    }
}
