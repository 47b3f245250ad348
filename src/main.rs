//! Starts things and prints why they did not start; nothing else.

use std::process::ExitCode;

use clap::Parser;
use waxwing::app::{cli::Cli, run};

fn main() -> ExitCode {
    run(Cli::parse()).map_or_else(
        |problem| {
            eprintln!("{problem}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
