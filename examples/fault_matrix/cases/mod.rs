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

use futures_util::StreamExt as _;
use tokio::task::JoinSet;

use crate::Failure;
use crate::scale::Scale;
use crate::table::{Checks, Row};

type Run = Pin<Box<dyn Future<Output = Result<Checks, Failure>> + Send>>;

/// What else may run meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// It needs the processor: a few at once, before anybody's speed is measured.
    Busy,
    /// It waits most of the time: beside everything but those that are alone.
    Quiet,
    /// It holds speed against what it was before in the same case: a few at
    /// once, when the busy ones are through.
    Timed,
    /// It measures what all of the process does, or the limit of it: nothing else runs.
    Alone,
}

/// Busy ones at once, and timed ones.
const BUSY_MAX: usize = 4;
const TIMED_MAX: usize = 3;

/// One fault.
pub(crate) struct Case {
    number: &'static str,
    fault: &'static str,
    slot: Slot,
    run: fn(Scale) -> Run,
}

/// A case from an async function.
macro_rules! case {
    ($number:literal, $fault:literal, $slot:ident, $run:path) => {
        Case { number: $number, fault: $fault, slot: Slot::$slot, run: |scale| Box::pin($run(scale)) }
    };
}

const CASES: &[Case] = &[
    case!("F1", "nothing fails", Timed, hanging::none),
    case!("F2", "one peer hangs", Timed, hanging::one),
    case!("F3", "a tenth of the peers hang", Timed, hanging::a_tenth),
    case!("F4", "3 of 10 peers hang from a cold start", Timed, hanging::from_the_start),
    case!("F5", "3 of 10 peers answer 500 at once", Alone, failing::fast),
    case!("F6", "429 with Retry-After from a fifth of the peers", Timed, failing::asked_to_wait),
    case!("F7", "429 without Retry-After from one big peer", Timed, failing::too_fast),
    case!("F8", "a peer that comes and goes", Quiet, failing::flapping),
    case!("F9", "an hour of outage with 50 000 rows, virtual time", Busy, outage::an_hour),
    case!("F10", "names unknown; the resolver down", Quiet, outage::names),
    case!("F11", "a burst of posts to everybody", Alone, crowd::burst),
    case!("F12", "one person floods", Timed, crowd::flood),
    case!("F13", "a million rows for dead peers", Timed, bounds::a_million_rows),
    case!("F14", "kill -9 at random during bursts", Busy, crash::at_random),
    case!("F15", "kill -9 between 2xx and its acknowledgement", Busy, crash::before_the_acknowledgement),
    case!("F16", "disk full, fsync fails, fsync stalls", Busy, disk::trouble),
    case!("F17", "a payload that panics the handler", Quiet, poison::panics),
    case!("F18", "slow answer, endless body, huge head", Quiet, wire::bad_answers),
    case!("F19", "expired certificate, handshake hangs", Quiet, wire::bad_handshakes),
    case!("F20", "the clock jumps by two hours", Quiet, protocol::clock_jumps),
    case!("F21", "Delete after an unsent Create; Follow, Undo, Follow", Quiet, protocol::second_thoughts),
    case!("F22", "401 to one kind of signature", Quiet, protocol::one_kind_of_signature),
    case!("F23", "202, but RFC 9421 is dropped", Quiet, protocol::silent_drop),
    case!("F24", "three nodes on PostgreSQL, one is killed", Busy, cluster::killed_node),
    case!("F25", "a stale owner wakes", Busy, cluster::stale_owner),
    case!("F26", "PostgreSQL is down for a minute", Busy, cluster::store_down),
    case!("F27", "a flood of Deletes by unknown actors", Alone, inbound::flood),
    case!("F28", "a hundred thousand hosts that fail", Busy, bounds::many_hosts),
];

/// The long form has peers and rows enough that each speed is measured by itself.
fn at_once(scale: &Scale, slot: Slot) -> usize {
    match slot {
        Slot::Busy => BUSY_MAX,
        Slot::Quiet => CASES.len(),
        Slot::Timed => scale.pick(1, TIMED_MAX),
        Slot::Alone => 1,
    }
}

/// Runs the wanted cases, all if none are named, each beside those that it
/// can bear.
pub(crate) async fn run(scale: Scale, wanted: &[&str]) -> Vec<Row> {
    let quiet = tokio::spawn(slot(scale, Slot::Quiet, chosen(wanted, Slot::Quiet)));
    let mut rows = slot(scale, Slot::Busy, chosen(wanted, Slot::Busy)).await;
    let timed = chosen(wanted, Slot::Timed);
    if !scale.is_long {
        rows.extend(slot(scale, Slot::Timed, timed).await);
        rows.extend(quiet.await.unwrap_or_default());
    } else {
        rows.extend(quiet.await.unwrap_or_default());
        rows.extend(slot(scale, Slot::Timed, timed).await);
    }
    rows.extend(slot(scale, Slot::Alone, chosen(wanted, Slot::Alone)).await);
    rows.sort_by_key(|(place, _)| *place);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The wanted cases of a slot with their places.
fn chosen(wanted: &[&str], slot: Slot) -> Vec<usize> {
    let is_wanted = |case: &Case| wanted.is_empty() || wanted.contains(&case.number);
    (0..CASES.len()).filter(|place| CASES[*place].slot == slot && is_wanted(&CASES[*place])).collect()
}

/// Runs cases of a slot, as many at once as it allows.
async fn slot(scale: Scale, slot: Slot, places: Vec<usize>) -> Vec<(usize, Row)> {
    let limit = scale.pick(Duration::from_secs(1200), Duration::from_secs(120));
    let cases = futures_util::stream::iter(places)
        .map(|place| async move { (place, one(&CASES[place], scale, limit).await) });
    cases.buffer_unordered(at_once(&scale, slot)).collect().await
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
