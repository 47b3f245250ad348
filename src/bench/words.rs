//! What was found, in plain words. Pure.

use super::compare;
use super::metric::{median, short, whole};
use super::report::data::{Limit, Machine, Measured, Report, Round};
use super::scenario::store::{READS, WRITES};

/// Requests a second of one person who reads: one every five seconds.
pub const READER_PER_S: f64 = 0.2;

/// A machine that is so busy shows how it fares when there is too much to do.
const BUSY: f64 = 0.9;
/// Other programs that take more than this share of the processors are named.
const OTHERS: f64 = 0.2;
/// A world that is compressed to less than this share of its time is another one.
const COMPRESSED_MIN: f64 = 0.5;
/// The generator is to be able to ask so many times as much as a server can
/// answer on as many processors.
const ABLE: f64 = 2.0;
/// Of fewer requests the cost of one cannot be told.
const COUNTED_MIN: u64 = 50;

/// The summary: one sentence after the other.
pub fn summary(report: &Report) -> Vec<String> {
    let mut lines = vec![machine(&report.machine)];
    lines.extend(report.scenarios.iter().flat_map(measured));
    lines.extend(busy(report));
    lines.extend(generator(report));
    if !report.machine.is_optimised {
        lines.push("This program was not built for speed (`--release`): the figures say little.".into());
    }
    lines.extend(report.caveats.iter().cloned());
    let (worse, rest): (Vec<_>, Vec<_>) = report.comparison.iter().partition(|one| one.verdict == "worse");
    lines.extend(worse.into_iter().chain(rest).map(compare::sentence));
    lines.extend(report.expectations.iter().map(|one| {
        let verdict = if one.held { "holds" } else { "DOES NOT HOLD" };
        format!("expected {}: {verdict}, found {}", one.text, one.found)
    }));
    lines
}

/// What it was measured on.
pub fn machine(machine: &Machine) -> String {
    let gib = machine.memory_bytes as f64 / f64::from(1 << 30);
    let cores = if machine.cores == 1 { "1 core".to_owned() } else { format!("{} cores", machine.cores) };
    format!(
        "Measured on {cores} ({}), {} GiB of memory, {} (a durable write takes {} ms), {}; server and clients share it.",
        machine.cpu,
        short(gib),
        machine.disk,
        short(machine.fsync_ms),
        machine.kernel
    )
}

fn measured(measured: &Measured) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(limit) = &measured.limit {
        lines.push(limit_in_words(&measured.scenario, limit));
    }
    match measured.scenario.as_str() {
        "proxy" => lines.extend(proxy(measured)),
        "store" => lines.push(store(measured)),
        _ if !measured.rounds.is_empty() => lines.push(rounds(measured)),
        _ => {}
    }
    lines
}

fn limit_in_words(scenario: &str, limit: &Limit) -> String {
    let held = short(limit.held_per_s);
    if limit.held_per_s <= 0.0 {
        return format!(
            "{scenario}: the objective ({}) did not hold at any rate that was tried; {} gives way first ({}).",
            limit.objective, limit.culprit, limit.evidence
        );
    }
    let what = match scenario {
        "browse" => format!(
            "This machine holds about {} people reading at once ({held} requests/s, one every five seconds each)",
            round_down(limit.held_per_s / READER_PER_S)
        ),
        "post" => format!("It takes {held} durable posts a second"),
        "inbox" => format!("It takes {held} signed activities of other servers a second"),
        "login" => format!("It takes {held} logins a second"),
        "media" => format!("It serves {held} pictures a second, one of five an upload"),
        other => format!("{other}: {held}/s are held"),
    };
    match limit.broke_per_s {
        None => format!("{what}, and more was not tried ({}).", limit.objective),
        Some(_) => {
            format!("{what} with {}; {} gives way first: {}.", limit.objective, limit.culprit, limit.evidence)
        }
    }
}

/// A time that is only roughly known.
pub fn time(seconds: f64) -> String {
    if seconds < 90.0 {
        format!("{} seconds", whole(seconds.ceil().max(1.0)))
    } else {
        format!("{} minutes", whole((seconds / 60.0).ceil()))
    }
}

/// Two digits, so that nobody takes it for exact.
fn round_down(value: f64) -> String {
    let unit = 10f64.powf((value.max(1.0).log10().floor() - 1.0).max(0.0));
    whole((value / unit).floor() * unit)
}

fn rounds(measured: &Measured) -> String {
    let of = |figure: fn(&Round) -> f64| {
        median(&measured.rounds.iter().map(figure).collect::<Vec<_>>()).unwrap_or_default()
    };
    let (rate, p50, p99) = (of(|r| r.rate_per_s), of(|r| r.latency.p50), of(|r| r.latency.p99));
    let times = format!("half within {} ms, 99 of 100 within {} ms", short(p50), short(p99));
    let failed = of(Round::error_share);
    let errors = if failed > 0.0 { format!("; {} % failed", short(failed * 100.0)) } else { String::new() };
    match measured.scenario.as_str() {
        "stream" => {
            let open = measured.figures.first().map_or(0.0, |figure| figure.value);
            format!("stream: a post reaches {} open pages {times}{errors}.", whole(open))
        }
        "deliver" => {
            let unwell = measured.destinations.iter().filter(|one| one.nature != "well").count();
            let well = measured.destinations.len() - unwell;
            let others =
                if unwell > 0 { format!(", while {unwell} others are slow or dead") } else { String::new() };
            format!("deliver: a post reaches {well} healthy servers {times}{errors}{others}.")
        }
        "mixed" => {
            format!("mixed: a day with a spike, {}/s on average: {times}{errors}.", short(rate))
        }
        name => format!("{name}: at {}/s {times}{errors}.", short(rate)),
    }
}

/// Writes first, then reads, each by how many do it at once.
fn store(measured: &Measured) -> String {
    let part = |what: &str| {
        let of = measured.figures.iter().filter_map(|one| Some((one, one.name.strip_prefix(what)?)));
        of.map(|(one, who)| format!("{} {}", short(one.value), who.trim())).collect::<Vec<_>>().join(", ")
    };
    format!("store, without a server, a second: durable writes {}; {READS} {}.", part(WRITES), part(READS))
}

fn proxy(measured: &Measured) -> Vec<String> {
    let worlds = [
        ("netflix", "round_robin (original)", "simulated in Netflix's world"),
        ("live", "round_robin", "over real sockets, servers cold, slow and stalling"),
    ];
    let said = worlds.iter().filter_map(|(world, plain, what)| {
        let of =
            |policy: &str| measured.policies.iter().find(|row| row.world == *world && row.policy == policy);
        let (plain, ours) = (of(plain)?, of("p2c (default)")?);
        if ours.compressed_to.is_some_and(|share| share < COMPRESSED_MIN) {
            return None;
        }
        Some(format!(
            "proxy, {what}: of {} requests round robin loses {}, the default policy {}; p99 {} and {} ms.",
            whole(ours.requests as f64),
            whole(plain.failed as f64),
            whole(ours.failed as f64),
            short(plain.p99),
            short(ours.p99)
        ))
    });
    said.collect()
}

/// Whether there was more to do than the machine could, and who else was at it.
fn busy(report: &Report) -> Option<String> {
    let cores = report.machine.cores.max(1) as f64;
    let rounds = || report.scenarios.iter().flat_map(|one| one.rounds.iter().map(move |round| (one, round)));
    let seen: Vec<&Round> =
        rounds().map(|(_, round)| round).filter(|round| round.used.machine > 0.0).collect();
    let others = median(&seen.iter().map(|round| round.others(cores)).collect::<Vec<_>>())?;
    let mut busy: Vec<_> = rounds()
        .filter(|(_, round)| round.used.machine >= BUSY)
        .map(|(one, _)| one.scenario.as_str())
        .collect();
    busy.dedup();
    if others > OTHERS * cores {
        return Some(format!(
            "Other programs took {} of {} cores meanwhile: without them it holds more.",
            short(others),
            whole(cores)
        ));
    }
    (!busy.is_empty()).then(|| {
        format!(
            "In {} all processors were busy: latencies are those of a server with too much to do.",
            busy.join(", ")
        )
    })
}

/// What the generator cost, beside what the server did, and whether it was
/// the limit.
fn generator(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let rounds = || report.scenarios.iter().flat_map(|one| one.rounds.iter().map(move |round| (one, round)));
    let counted = || {
        rounds().filter(|(_, round)| round.generator.us_per_request > 0.0 && round.requests >= COUNTED_MIN)
    };
    let all: f64 = counted().map(|(_, round)| round.requests as f64).sum();
    if all > 0.0 {
        let mean = |of: fn(&Round) -> f64| {
            counted().map(|(_, round)| of(round) * round.requests as f64).sum::<f64>() / all
        };
        let (ours, theirs) = (
            mean(|round| round.generator.us_per_request),
            mean(|round| round.generator.server_us_per_request),
        );
        let beside = if theirs > 0.0 {
            format!(", the server {} µs: {} times as much", whole(theirs), short(theirs / ours))
        } else {
            String::new()
        };
        lines.push(format!(
            "The generator itself took {} µs of a processor for each request{beside}.",
            whole(ours)
        ));
    }
    let mut dear: Vec<_> = counted()
        .filter(|(_, round)| {
            let theirs = round.generator.server_us_per_request;
            theirs > 0.0 && theirs < ABLE * round.generator.us_per_request
        })
        .map(|(one, _)| one.scenario.as_str())
        .collect();
    dear.dedup();
    if !dear.is_empty() {
        lines.push(format!(
            "In {} the generator took more than half as much as the server: with clients elsewhere it holds more.",
            dear.join(", ")
        ));
    }
    let limited = report.scenarios.iter().filter(|one| one.rounds.iter().any(|r| r.generator.was_limit));
    let limited: Vec<_> = limited.map(|one| one.scenario.as_str()).collect();
    if !limited.is_empty() {
        lines.push(format!("In {} the generator itself was the limit, not the server.", limited.join(", ")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::latency::Percentiles;
    use crate::bench::report::data::{Figure, Generator, PolicyRow, Used};

    fn limit(held_per_s: f64) -> Limit {
        Limit {
            objective: "p99 ≤ 250 ms".into(),
            held_per_s,
            broke_per_s: Some(held_per_s * 1.05 + 1.0),
            culprit: "fsync".into(),
            evidence: "it was committing 97 % of the time".into(),
            steps: Vec::new(),
        }
    }

    #[test]
    fn a_limit_is_said_in_people() {
        let text = limit_in_words("browse", &limit(187.0));
        assert!(
            text.starts_with("This machine holds about 930 people reading at once (187 requests/s"),
            "{text}"
        );
        let text = limit_in_words("post", &limit(540.0));
        assert!(
            text.contains("540 durable posts a second") && text.contains("fsync gives way first"),
            "{text}"
        );
        assert!(limit_in_words("post", &limit(0.0)).contains("did not hold at any rate"));
        let all = Limit { broke_per_s: None, ..limit(50_000.0) };
        assert!(limit_in_words("post", &all).contains("more was not tried"));
    }

    #[test]
    fn a_run_without_a_limit_says_what_it_saw() {
        let latency = Percentiles { count: 1, p50: 2.1, p99: 11.0, ..Percentiles::default() };
        let round = Round { latency, rate_per_s: 199.0, requests: 1000, errors: 5, ..Round::default() };
        let one = Measured { scenario: "browse".into(), rounds: vec![round], ..Measured::default() };
        assert_eq!(
            measured(&one),
            ["browse: at 199/s half within 2.10 ms, 99 of 100 within 11.0 ms; 0.50 % failed."]
        );
    }

    #[test]
    fn numbers_of_people_are_not_exact() {
        for (value, text) in [(937.0, "930"), (12_345.0, "12,000"), (7.9, "7"), (0.0, "0")] {
            assert_eq!(round_down(value), text);
        }
    }

    fn report(rounds: Vec<Round>) -> Report {
        let machine = Machine { cores: 2, is_optimised: true, ..Machine::default() };
        let scenarios = vec![Measured { scenario: "browse".into(), rounds, ..Measured::default() }];
        Report { machine, scenarios, ..Report::default() }
    }

    fn costs(us_per_request: f64, server_us_per_request: f64, was_limit: bool) -> Round {
        let generator =
            Generator { us_per_request, server_us_per_request, was_limit, ..Generator::default() };
        Round { requests: 1000, generator, ..Round::default() }
    }

    #[test]
    fn what_the_generator_cost_is_said() {
        for (round, wanted) in [
            (
                costs(100.0, 350.0, false),
                vec![
                    "The generator itself took 100 µs of a processor for each request, the server 350 µs: 3.50 times as much.",
                ],
            ),
            (
                costs(100.0, 120.0, false),
                vec![
                    "The generator itself took 100 µs of a processor for each request, the server 120 µs: 1.20 times as much.",
                    "In browse the generator took more than half as much as the server: with clients elsewhere it holds more.",
                ],
            ),
            (
                costs(100.0, 0.0, true),
                vec![
                    "The generator itself took 100 µs of a processor for each request.",
                    "In browse the generator itself was the limit, not the server.",
                ],
            ),
            (Round { requests: 3, ..costs(900.0, 100.0, false) }, vec![]),
        ] {
            assert_eq!(generator(&report(vec![round])), wanted);
        }
    }

    #[test]
    fn who_else_was_busy_is_said() {
        let said = |machine, cpu| {
            let used = Used { machine, cpu, ..Used::default() };
            busy(&report(vec![Round { used, ..Round::default() }])).unwrap_or_default()
        };
        assert_eq!(said(0.5, 0.9), "");
        assert!(said(0.98, 1.9).starts_with("In browse all processors were busy"));
        assert!(said(0.98, 0.5).starts_with("Other programs took 1.46 of 2 cores"));
    }

    #[test]
    fn the_store_is_said_in_a_sentence() {
        let figure = |name: String, value| Figure { name, value, unit: "/s".into() };
        let figures = vec![
            figure(format!("{WRITES} by one"), 330.0),
            figure(format!("{WRITES} by 64 at once"), 11_040.0),
            figure(format!("{READS} by one"), 5030.0),
        ];
        let measured = Measured { scenario: "store".into(), figures, ..Measured::default() };
        assert_eq!(
            store(&measured),
            "store, without a server, a second: durable writes 330 by one, 11,040 by 64 at once; reads of 20 rows 5,030 by one."
        );
    }

    #[test]
    fn a_world_that_was_pressed_together_is_not_told_of() {
        let row = |policy: &str, compressed_to| PolicyRow {
            world: "netflix".into(),
            policy: policy.into(),
            compressed_to,
            ..PolicyRow::default()
        };
        let said = |share| {
            let policies = vec![row("round_robin (original)", share), row("p2c (default)", share)];
            proxy(&Measured { policies, ..Measured::default() }).len()
        };
        assert_eq!((said(None), said(Some(0.8)), said(Some(0.02))), (1, 1, 0));
    }
}
