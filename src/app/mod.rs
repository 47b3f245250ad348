//! Wiring: the command line, building the server from its parts, starting and stopping it.

pub mod cli;
pub mod logging;
mod run;
pub mod serve;
pub mod system;

pub use run::{load, run};
