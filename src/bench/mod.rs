//! `--bench`: measures what a server holds, and says what gives way first.
//!
//! Two halves. The pure one: when requests are due ([`schedule`]), what came
//! of them ([`latency`], [`tally`]), thresholds ([`expect`]), comparisons that
//! know noise ([`compare`]), the search for the limit ([`limit`]) and for what
//! gave way ([`culprit`]), the report in words and pictures ([`report`]). And
//! the one that acts: the instance as a child process ([`instance`]), the
//! client and the generator ([`client`], [`load`]), what is looked at
//! meanwhile ([`watch`]), the scenarios ([`scenario`]) and the order of it all
//! ([`session`]).
//!
//! Load is open: requests are due at moments that do not depend on any
//! answer, and latency counts from when a request was due, so that a stall is
//! not hidden (Tene's "coordinated omission").
//!
//! Must not know handlers or the domain; the instance is a server like any
//! other, reached over its ports.

pub mod allowance;
pub mod client;
pub mod compare;
pub mod culprit;
pub mod expect;
pub mod exposition;
pub mod fleet;
pub mod instance;
pub mod latency;
pub mod limit;
pub mod load;
pub mod machine;
pub mod metric;
pub mod order;
pub mod proc;
pub mod remote;
pub mod report;
pub mod scenario;
pub mod schedule;
pub mod session;
pub mod stage;
pub mod tally;
#[cfg(test)]
mod testing;
pub mod view;
pub mod watch;
pub mod words;
