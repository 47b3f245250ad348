//! The balancer in a world of virtual time: servers that are cold, slow,
//! stalled, broken or busy with something else, many balancers that know
//! nothing of each other, and clients that wait a second. The same seed gives
//! the same world, the same work for every policy, and the same figures to
//! the last digit. `examples/balance_simulation.rs` prints its tables.
//!
//! The world: a server works on eight requests at a time, queues 64 more and
//! refuses the rest; work takes 40 ms on average, lognormal; the way there
//! and back 0.25 ms each. Requests come as a Poisson process.

mod contender;
mod scenario;
mod server;
mod tally;
mod work;
mod world;

#[cfg(test)]
mod tests;

pub use contender::{Chooser, Contender, ablations, contenders};
pub use scenario::{Scenario, ServerPlan, Span};
pub use tally::Tally;

/// Lets a contender serve a scenario; the same seed gives the same tally.
pub fn run(scenario: &Scenario, contender: &Contender, seed: u64) -> Tally {
    world::World::new(scenario, contender, seed).run()
}
