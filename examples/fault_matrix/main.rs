//! The live fault matrix: what every way of failing of other servers, of the
//! disk and of this process does to deliveries, as `expected | measured | verdict`.
//!
//! `cargo run --release --example fault_matrix [-- --long] [F3 F7 …]`
//!
//! The real worker, store, handler, signatures and client send to a fleet of
//! fake peers on loopback addresses. What takes hours drives the scheduler in
//! virtual time; what needs `kill -9` runs this program again as a child. The
//! short form takes less than three minutes in an unoptimised build, with
//! fewer peers and wider limits, which it prints; `--long` has the figures of
//! the matrix. The exit code is 1 if a case fails.

#![allow(clippy::disallowed_methods)] // it measures real time and reads its arguments
#![allow(clippy::unwrap_used)]

mod answer;
mod api;
mod behaviour;
mod cases;
mod child;
mod dns;
mod fleet;
mod ledger;
mod measure;
mod node;
mod parcel;
mod people;
#[allow(unreachable_pub)] // the tests have it, too
#[path = "../../tests/kit/postgres.rs"]
mod postgres;
mod raw;
mod rows;
mod scale;
mod sender;
mod table;
mod tls;
mod traffic;
mod virtual_time;
mod watch;
mod world;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use scale::Scale;
use table::Verdict;

/// What panics that a case causes say.
pub(crate) const ON_PURPOSE: &str = "as the case wants";

/// Why a case could not be carried through.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    quiet_panics_on_purpose();
    waxwing::app::files::allow_many();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, kind, folder, rest @ ..] = &arguments[..]
        && flag == child::FLAG
    {
        let ended = match kind.as_str() {
            "node" => node::run(Path::new(folder), rest).await,
            _ => sender::run(kind, Path::new(folder), rest).await,
        };
        return match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                eprintln!("a child failed: {failure}");
                ExitCode::FAILURE
            }
        };
    }
    let is_long = arguments.iter().any(|argument| argument == "--long");
    let wanted: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| argument.starts_with('F')).collect();
    let scale = if is_long { Scale::long() } else { Scale::short() };
    let begun = Instant::now();
    println!(
        "{} form: {} peers, {:.0} deliveries/s, {} s each, {} slots, attempts end after {} s; {} cores",
        scale.pick("long", "short"),
        scale.peers,
        scale.posts_per_s * scale.peers_per_post as f64,
        scale.span.as_secs(),
        scale.slots,
        scale.attempt_max.as_secs(),
        std::thread::available_parallelism().map_or(1, usize::from),
    );
    let rows = cases::run(scale, &wanted).await;
    let (text, [passed, failed, waiting]) = table::render(&rows);
    println!("\n{text}");
    println!(
        "fault matrix: {passed} passed, {failed} failed, {waiting} wait, in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    let is_good = rows.iter().all(|row| row.verdict != Verdict::Failed);
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Panics that belong to a case are no news.
fn quiet_panics_on_purpose() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_on_purpose = panic.payload_as_str().is_some_and(|text| text.contains(ON_PURPOSE));
        if !is_on_purpose {
            usual(panic);
        }
    }));
}
