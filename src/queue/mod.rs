//! Background work: durable jobs, one lane for each destination.
//!
//! `plan` decides what runs next and `destination` how much a host can take;
//! both are pure. `worker` connects them with the store and the handlers.
//! Knows jobs and outcomes; must not know what a job means for the social
//! network (its handler does) or who wrote it.

pub mod catch_up;
mod deliver;
mod desk;
mod destination;
pub mod fan_out;
pub mod fetch_card;
mod forget;
mod handler;
mod hour;
pub mod mail;
pub mod moderate;
mod outcome;
mod plan;
pub mod push;
pub mod sever_domain;
pub mod share_profile;
pub mod simulation;
pub mod tend_poll;
#[cfg(test)]
mod testing;
pub mod webhook;
mod worker;
mod workshop;

use std::time::Duration;

pub use crate::domain::delivery::{Overview, overview};
pub use deliver::{Deliver, outcome_of};
pub use desk::{Action, Ask, Desk, DestinationView, FREE_MIN_BYTES, Listing, Pulse, ROWS_MAX, Sort, Totals};
pub use destination::{Gate, Group, Health, Hurdle, Transition};
pub use forget::forget_destinations;
pub use handler::{Attempt, Handler, Handlers, Ours};
pub use hour::{Hour, STEP, STEPS, Stretch};
pub use outcome::{FailureKind, Outcome, Report, fate, retry_wait};
pub use plan::{
    Gauges, Input, Live, LiveDestination, Load, Output, Plan, SLOTS, Start, Ticket, WINDOW_ROWS_MAX, Why,
    Window,
};
pub use worker::{DRAIN_MAX, FreeBytes, Worker};
pub use workshop::Workshop;

/// Longest attempt at another server, whatever it waits for.
pub const ATTEMPT_MAX: Duration = Duration::from_secs(15);
/// Longest run of our own work.
pub const LOCAL_ATTEMPT_MAX: Duration = Duration::from_secs(60);
