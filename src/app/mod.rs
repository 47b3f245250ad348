//! Wiring: the command line, building the server from its parts, starting and stopping it.

mod backup;
pub mod bench;
mod certificate;
pub mod cli;
pub mod deliveries;
pub mod files;
mod first_run;
pub mod jobs;
pub mod logging;
mod metrics;
mod node;
pub mod proxy;
mod run;
mod sandbox;
pub mod serve;
pub mod server;
mod stop;
pub mod system;
pub mod user;

pub use run::{load, run};
