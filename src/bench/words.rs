//! What was found, in plain words. Pure.

use super::compare;
use super::metric::{median, short};
use super::report::data::{Limit, Machine, Measured, Report, Round};

/// Requests a second of one person who reads: one every five seconds.
pub const READER_PER_S: f64 = 0.2;

/// The summary: one sentence after the other.
pub fn summary(report: &Report) -> Vec<String> {
    let mut lines = vec![machine(&report.machine)];
    lines.extend(report.scenarios.iter().flat_map(measured));
    lines.extend(generator(report));
    if !report.machine.is_optimised {
        lines.push("This program was not built for speed (`--release`): the figures say little.".into());
    }
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

/// Two digits, so that nobody takes it for exact.
fn round_down(value: f64) -> String {
    let unit = 10f64.powf((value.max(1.0).log10().floor() - 1.0).max(0.0));
    format!("{:.0}", (value / unit).floor() * unit)
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
            format!("stream: a post reaches {open:.0} open pages, {times}{errors}.")
        }
        "deliver" => {
            let unwell = measured.destinations.iter().filter(|one| one.nature != "well").count();
            let all = measured.destinations.len();
            format!(
                "deliver: a post reaches healthy servers, {times}{errors}, while {unwell} of {all} are slow or dead."
            )
        }
        name => format!("{name}: at {}/s {times}{errors}.", short(rate)),
    }
}

fn store(measured: &Measured) -> String {
    let figures: Vec<_> =
        measured.figures.iter().map(|one| format!("{} {}{}", one.name, short(one.value), one.unit)).collect();
    format!("store, without a server: {}.", figures.join("; "))
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
        Some(format!(
            "proxy, {what}: of {} requests round robin loses {}, the default policy {}; p99 {} and {} ms.",
            ours.requests,
            plain.failed,
            ours.failed,
            short(plain.p99),
            short(ours.p99)
        ))
    });
    said.collect()
}

fn generator(report: &Report) -> Vec<String> {
    let rounds: Vec<&Round> = report
        .scenarios
        .iter()
        .flat_map(|one| &one.rounds)
        .filter(|round| round.generator.us_per_request > 0.0)
        .collect();
    let mut lines = Vec::new();
    let costs: Vec<f64> = rounds.iter().map(|round| round.generator.us_per_request).collect();
    if let Some(cost) = median(&costs) {
        lines.push(format!("The generator itself took {cost:.0} µs of a processor for each request."));
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
        for (value, text) in [(937.0, "930"), (12_345.0, "12000"), (7.9, "7"), (0.0, "0")] {
            assert_eq!(round_down(value), text);
        }
    }
}
