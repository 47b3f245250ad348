//! The ground everything stands on: ids, time, chance, problems, limits.
//!
//! Knows only the standard library and its value crates; must not know
//! storage, HTTP handlers, protocols or the network.

mod chance;
mod id;
mod key;
pub mod limits;
mod problem;
mod rate;
mod registration;
mod time;

pub use chance::{Chance, FixedChance};
pub use id::{Id, IdGenerator, Ids, Moment, NODE_MAX, ParseIdError};
pub use key::derived_key;
pub use problem::{Problem, ProblemKind};
pub use rate::{Limited, Rate, RateLimits};
pub use registration::Registration;
pub use time::{Clock, ManualClock, Timestamp};
