//! How large the cases are: as in the matrix, or small enough for every day.

use std::time::Duration;

/// The figures of one form of the matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) is_long: bool,
    /// Servers that posts go to.
    pub(crate) peers: u32,
    /// Posts a second, and deliveries of each.
    pub(crate) posts_per_s: f64,
    pub(crate) peers_per_post: usize,
    /// Local people who write.
    pub(crate) people: usize,
    /// Before anything is measured, and while it is.
    pub(crate) warm: Duration,
    pub(crate) span: Duration,
    /// After which an attempt is given up.
    pub(crate) attempt_max: Duration,
    /// Attempts at once.
    pub(crate) slots: usize,
    /// How much slower others may become: a share, and seconds of noise.
    pub(crate) slack: (f64, f64),
}

impl Scale {
    /// As the matrix has it.
    pub(crate) fn long() -> Scale {
        Scale {
            is_long: true,
            peers: 1000,
            posts_per_s: 20.0,
            peers_per_post: 30,
            people: 40,
            warm: Duration::from_secs(30),
            span: Duration::from_secs(180),
            attempt_max: Duration::from_secs(15),
            slots: 256,
            slack: (1.10, 0.0),
        }
    }

    /// Fewer and slower, for an unoptimised program on a busy machine. Hangs
    /// are cut after 2 s, so that a breaker has time to open, and slots are as
    /// scarce as the peers are few.
    pub(crate) fn short() -> Scale {
        Scale {
            is_long: false,
            peers: 50,
            posts_per_s: 4.0,
            peers_per_post: 6,
            people: 4,
            warm: Duration::from_secs(3),
            span: Duration::from_secs(8),
            attempt_max: Duration::from_secs(2),
            slots: 32,
            slack: (1.5, 0.5),
        }
    }

    /// One of two values.
    pub(crate) fn pick<T>(&self, long: T, short: T) -> T {
        if self.is_long { long } else { short }
    }

    /// A share of all peers.
    pub(crate) fn share_of_peers(&self, share: f64) -> u32 {
        (f64::from(self.peers) * share) as u32
    }

    /// What others may take, given what they took alone.
    pub(crate) fn slower(&self, alone_s: f64) -> f64 {
        alone_s * self.slack.0 + self.slack.1
    }
}
