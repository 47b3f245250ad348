//! What the durable queue keeps: jobs, their bodies, destinations, dead letters.
//!
//! A body is stored once for each activity; a job is one small row for each
//! (destination, inbox). There is no "running" mark: a row leaves its table
//! only on an outcome, so a crash loses nothing. The design and its numbers
//! are Waxwing's own (a per-destination view over one ordered table, after
//! Segment's Centrifuge and Lemmy's per-instance cursors).

mod body;
mod destination;
mod hour;
mod job;
mod keys;
mod letter;
mod log;
mod outgoing;
mod steering;
pub mod tables;
#[cfg(test)]
mod tests;
mod wake;

pub use body::{BODY_PACK_MIN_BYTES, Body, BodyError};
pub use destination::{Breaker, Class, Destination, Inbox, InboxRef, SignatureProfile};
pub use hour::HourStep;
pub use job::{
    Act, ActivityKind, DeadReason, DeadRow, DeferredRow, Held, HeldJob, Job, JobKind, JobRow, OrderedAct,
    PushTo, Reach, Verb,
};
pub use keys::{DeadKey, DeferKey, DestinationId, InboxId, JobKey, Lane, OrderKey};
pub use letter::Letter;
pub use log::{Asleep, Logged};
pub use outgoing::{FollowRef, Outgoing};
pub use steering::{History, Mishap, Steering, Turn};
pub use wake::{DUE_TOPIC, Due, HEARD_TOPIC, Heard, STEER_TOPIC, Steer, WAKE_TOPIC, Wake};
