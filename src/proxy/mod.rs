//! The balancer: which upstream answers a request, and what its answer
//! teaches. Pure: time ([`Tick`]), chance ([`Dice`]) and outcomes come in as
//! arguments, so every choice can be replayed. Knows no socket, no HTTP
//! library and no handler; whoever forwards calls it.
//!
//! One exchange, as the forwarder sees it:
//!
//! 1. [`Balancer::pick`] gives a [`Pick`]; the request goes to its upstream.
//! 2. While it waits, [`Balancer::hedge`] says when to send a second copy, and
//!    [`Balancer::is_hopeless`] whether to wait at all.
//! 3. When the headers of the answer are there, or it failed,
//!    [`Balancer::report`] hears what the upstream said of itself and
//!    [`Balancer::done`] how it ended.
//! 4. After a failure, [`Balancer::may_retry`] says whether to go to 1.
//!
//! Beside that, [`Balancer::tend`] wants to be called once a second.
//!
//! Sources: Netflix, "Rethinking Netflix's Edge Load Balancing" (2018);
//! Mitzenmacher, "The power of two choices in randomized load balancing"
//! (2001); the constants were measured in the [`simulation`].

mod ask;
mod balance;
mod budget;
mod check;
mod cpu;
mod despair;
mod dice;
pub mod forward;
mod hedge;
mod limiter;
mod load;
mod outcome;
pub mod policy;
mod pool;
mod recent;
pub mod simulation;
mod statistic;
mod sticky;
mod tick;
mod upstream;
mod utilisation;
mod view;

#[cfg(test)]
mod tests;

pub use ask::{Ask, Avoid, TRIES_MAX};
pub use balance::{Balancer, Pick};
pub use budget::Budget;
pub use check::Checked;
pub use cpu::{CpuMeter, CpuTimes};
pub use dice::Dice;
pub use hedge::Hedge;
pub use limiter::{Admission, Limiter, Permit};
pub use load::{LOAD_HEADER, LOAD_WANTED_HEADER, LoadReport, SHED_HEADER};
pub use outcome::Outcome;
pub use policy::{Features, Policy};
pub use pool::{UPSTREAMS_MAX, WEIGHT_MAX};
pub use sticky::{STICKY_COOKIE, StickyKey, sticky_cookie, sticky_token};
pub use tick::Tick;
pub use upstream::{Place, Streaming, Upstream};
pub use utilisation::{Pressure, utilisation};
pub use view::{Health, UpstreamView};
