//! All cases, and their order.

mod bounds;
mod cluster;
mod crash;
mod crowd;
mod disk;
mod failing;
mod hanging;
mod inbound;
mod outage;
mod poison;
mod protocol;
mod wire;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::Failure;
use crate::scale::Scale;
use crate::table::{Checks, Row};

type Run = Pin<Box<dyn Future<Output = Result<Checks, Failure>> + Send>>;

/// One fault.
pub(crate) struct Case {
    number: &'static str,
    fault: &'static str,
    /// It measures others' speed, so nothing else may run.
    is_alone: bool,
    run: fn(Scale) -> Run,
}

/// A case from an async function.
macro_rules! case {
    ($number:literal, $fault:literal, alone, $run:path) => {
        Case { number: $number, fault: $fault, is_alone: true, run: |scale| Box::pin($run(scale)) }
    };
    ($number:literal, $fault:literal, $run:path) => {
        Case { number: $number, fault: $fault, is_alone: false, run: |scale| Box::pin($run(scale)) }
    };
}

const CASES: &[Case] = &[
    case!("F1", "nothing fails", alone, hanging::none),
    case!("F2", "one peer hangs", alone, hanging::one),
    case!("F3", "a tenth of the peers hang", alone, hanging::a_tenth),
    case!("F4", "3 of 10 peers hang from a cold start", alone, hanging::from_the_start),
    case!("F5", "3 of 10 peers answer 500 at once", alone, failing::fast),
    case!("F6", "429 with Retry-After from a fifth of the peers", alone, failing::asked_to_wait),
    case!("F7", "429 without Retry-After from one big peer", alone, failing::too_fast),
    case!("F8", "a peer that comes and goes", failing::flapping),
    case!("F9", "an hour of outage with 50 000 rows, virtual time", outage::an_hour),
    case!("F10", "names unknown; the resolver down", outage::names),
    case!("F11", "a burst of posts to everybody", alone, crowd::burst),
    case!("F12", "one person floods", alone, crowd::flood),
    case!("F13", "a million rows for dead peers", alone, bounds::a_million_rows),
    case!("F14", "kill -9 at random during bursts", crash::at_random),
    case!("F15", "kill -9 between 2xx and its acknowledgement", crash::before_the_acknowledgement),
    case!("F16", "disk full, fsync fails, fsync stalls", disk::trouble),
    case!("F17", "a payload that panics the handler", poison::panics),
    case!("F18", "slow answer, endless body, huge head", wire::bad_answers),
    case!("F19", "expired certificate, handshake hangs", wire::bad_handshakes),
    case!("F20", "the clock jumps by two hours", protocol::clock_jumps),
    case!("F21", "Delete after an unsent Create; Follow, Undo, Follow", protocol::second_thoughts),
    case!("F22", "401 to one kind of signature", protocol::one_kind_of_signature),
    case!("F23", "202, but RFC 9421 is dropped", protocol::silent_drop),
    case!("F24", "three nodes on PostgreSQL, one is killed", cluster::killed_node),
    case!("F25", "a stale owner wakes", cluster::stale_owner),
    case!("F26", "PostgreSQL is down for a minute", cluster::store_down),
    case!("F27", "a flood of Deletes by unknown actors", alone, inbound::flood),
    case!("F28", "a hundred thousand hosts that fail", bounds::many_hosts),
];

/// Runs the wanted cases, all if none are named: first those that disturb
/// nobody, side by side, then the others one after another.
pub(crate) async fn run(scale: Scale, wanted: &[&str]) -> Vec<Row> {
    let limit = scale.pick(Duration::from_secs(1200), Duration::from_secs(100));
    let is_wanted = |case: &&Case| wanted.is_empty() || wanted.contains(&case.number);
    let mut calm = JoinSet::new();
    for (place, case) in CASES.iter().enumerate().filter(|(_, case)| is_wanted(case) && !case.is_alone) {
        calm.spawn(async move { (place, one(case, scale, limit).await) });
    }
    let mut rows: Vec<(usize, Row)> = Vec::new();
    while let Some(done) = calm.join_next().await {
        rows.extend(done);
    }
    for (place, case) in CASES.iter().enumerate().filter(|(_, case)| is_wanted(case) && case.is_alone) {
        rows.push((place, one(case, scale, limit).await));
    }
    rows.sort_by_key(|(place, _)| *place);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// One case in a task of its own, so that a panic is its own, too.
async fn one(case: &'static Case, scale: Scale, limit: Duration) -> Row {
    let begun = std::time::Instant::now();
    let mut task = JoinSet::new();
    task.spawn((case.run)(scale));
    let row = match tokio::time::timeout(limit, task.join_next()).await {
        Ok(Some(Ok(Ok(checks)))) => checks.row(case.number, case.fault),
        Ok(Some(Ok(Err(failure)))) => Row::broken(case.number, case.fault, &failure.to_string()),
        Ok(Some(Err(panic))) => Row::broken(case.number, case.fault, &panic.to_string()),
        Ok(None) => Row::broken(case.number, case.fault, "nothing ran"),
        Err(_) => Row::broken(case.number, case.fault, "it never ended"),
    };
    eprintln!("{} {:?} in {:.1} s: {}", row.number, row.verdict, begun.elapsed().as_secs_f64(), row.measured);
    row
}
