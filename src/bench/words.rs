//! What was found, in plain words. Pure.

use super::compare;
use super::culprit::OTHER_PROGRAMS;
use super::metric::{median, short, whole};
use super::report::data::{Limit, Machine, Measured, PolicyRow, Report, Round};
use super::scenario::Scenario;
use super::scenario::store::{READS, WRITES};

/// Requests a second of one person who reads: one every five seconds.
pub const READER_PER_S: f64 = 0.2;

/// A machine that is so busy shows how it fares when there is too much to do.
const BUSY: f64 = 0.9;
/// Other programs that take more than this share of the processors are named.
const OTHERS: f64 = 0.2;
/// A world that is compressed to less than this share of its time is another one.
pub const COMPRESSED_MIN: f64 = 0.5;
/// The generator is to be able to ask so many times as much as a server can
/// answer on as many processors.
const ABLE: f64 = 2.0;
/// Failures of one scenario that are named.
const FAILURES_SAID: usize = 2;
/// What held and what did not are usually less far apart.
const FAR: f64 = 1.2;
/// Of fewer requests the cost of one cannot be told.
const COUNTED_MIN: u64 = 50;

/// The summary: one sentence after the other.
pub fn summary(report: &Report) -> Vec<String> {
    let is_remote = report.is_remote();
    let mut lines = vec![machine(&report.machine, is_remote)];
    lines.extend(volatile(&report.machine, is_remote));
    for one in &report.scenarios {
        lines.extend(measured(one, is_remote));
        lines.extend(one.failed.iter().map(|why| format!("{} could not be measured: {why}.", one.scenario)));
    }
    lines.extend(rate_limit(report));
    lines.extend(not_asked(report));
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

/// What it was measured on, or from.
pub fn machine(machine: &Machine, is_remote: bool) -> String {
    let (cores, gib) = (machine.cores_in_words(), machine.memory_in_words());
    let cores = if cores == "1" { "1 core".to_owned() } else { format!("{cores} cores") };
    if is_remote {
        return format!(
            "The clients ran on {cores} ({}), {} GiB of memory, {}.",
            machine.cpu, gib, machine.kernel
        );
    }
    format!(
        "Measured on {cores} ({}), {} GiB of memory, {} (a durable write takes {} ms), {}; server and clients share it.",
        machine.cpu,
        gib,
        machine.disk,
        short(machine.fsync_ms),
        machine.kernel
    )
}

/// Whether what is called durable is in memory.
fn volatile(machine: &Machine, is_remote: bool) -> Option<String> {
    let is_memory = ["tmpfs", "ramfs"].iter().any(|kind| machine.disk.starts_with(kind));
    (is_memory && !is_remote).then(|| {
        "Its folder is in memory, so what is called durable is not: `TMPDIR=DIR` puts it on a disk."
            .to_owned()
    })
}

/// Why nothing is known of a scenario that was played: nothing of it went well.
pub fn nothing_good(measured: &Measured) -> Option<String> {
    let rounds = &measured.rounds;
    if rounds.is_empty() || rounds.iter().any(|round| round.latency.count > 0) {
        return None;
    }
    let asked: u64 = rounds.iter().map(|round| round.requests).sum();
    if asked == 0 {
        return Some("nothing was asked in so short a time".to_owned());
    }
    let why = rounds.last().map(failures).unwrap_or_default();
    Some(format!("none of {} requests had a good answer{why}", whole(asked as f64)))
}

/// The most frequent failures of a round, behind what was said before.
fn failures(round: &Round) -> String {
    let top: Vec<_> = round
        .top_failures(FAILURES_SAID)
        .into_iter()
        .map(|(name, count)| format!("{name} × {}", whole(count as f64)))
        .collect();
    if top.is_empty() { String::new() } else { format!(" ({})", top.join(", ")) }
}

/// A server that refuses what is too much for one of its people says nothing
/// of what it could do.
fn rate_limit(report: &Report) -> Option<String> {
    let rounds = || report.scenarios.iter().flat_map(|one| &one.rounds);
    let refused: u64 = rounds().map(|round| round.failed_with("status 429")).sum();
    let asked: u64 = rounds().map(|round| round.requests).sum();
    (refused > 0).then(|| {
        format!(
            "The server's own rate limit refused {} of {} requests (status 429): the figures say little. \
             `rate_limit off` in its configuration lifts it while it is measured.",
            whole(refused as f64),
            whole(asked as f64)
        )
    })
}

/// How to learn what everybody asks first.
fn not_asked(report: &Report) -> Option<String> {
    let browse = report.scenarios.iter().find(|one| one.scenario == "browse")?;
    (browse.limit.is_none() && browse.failed.is_none() && !report.settings.is_closed_loop)
        .then(|| "These are answers at one rate; how many people it holds, `--find-limit` tells.".to_owned())
}

fn measured(measured: &Measured, is_remote: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(limit) = &measured.limit {
        lines.push(limit_in_words(&measured.scenario, limit, is_remote));
    }
    if measured.rounds.iter().any(|round| round.requests > 0) && nothing_good(measured).is_some() {
        return lines;
    }
    match measured.scenario.as_str() {
        "proxy" => lines.extend(proxy(measured)),
        "store" => lines.push(store(measured)),
        _ if !measured.rounds.is_empty() => lines.push(rounds(measured)),
        _ => {}
    }
    lines
}

fn limit_in_words(scenario: &str, limit: &Limit, is_remote: bool) -> String {
    let held = short(limit.held_per_s);
    let culprit = gave_way(limit);
    if limit.held_per_s <= 0.0 {
        return format!(
            "{scenario}: the objective ({}) did not hold at any rate that was tried; {culprit}.",
            limit.objective
        );
    }
    let what = match scenario {
        "browse" => format!(
            "{} holds about {} people reading at once ({held} requests/s, one every five seconds each)",
            if is_remote { "The server" } else { "This machine" },
            round_down(limit.held_per_s / READER_PER_S)
        ),
        // What it does later cannot be seen from outside.
        "post" if is_remote => format!("It takes {held} durable posts a second"),
        "post" => {
            format!("It takes {held} durable posts a second, and brings them home to their readers as fast,")
        }
        "inbox" => {
            format!("It takes {held} signed activities of other servers a second, and acts on them as fast,")
        }
        "login" => format!("It takes {held} logins a second"),
        "media" => format!("It serves {held} pictures a second, one of five an upload"),
        other => format!("{other}: {held}/s are held"),
    };
    match limit.broke_per_s {
        None => format!("{}; more was not tried ({}).", what.trim_end_matches(','), limit.objective),
        Some(broke) if broke > limit.held_per_s * FAR => format!(
            "{what} with {}; {}/s did not hold, and nothing between was found to; {culprit}.",
            limit.objective,
            short(broke)
        ),
        Some(_) => format!("{what} with {}; {culprit}.", limit.objective),
    }
}

/// What gave way, as far as it can be told.
pub fn gave_way(limit: &Limit) -> String {
    if limit.culprit.is_empty() {
        return "what gives way first cannot be told from outside".to_owned();
    }
    if limit.culprit == OTHER_PROGRAMS {
        return format!("{OTHER_PROGRAMS} are in its way: {}", limit.evidence);
    }
    format!("{} gives way first: {}", limit.culprit, limit.evidence)
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
    let times = if measured.rounds.iter().all(|round| round.latency.supports(0.99)) {
        format!("half within {} ms, 99 of 100 within {} ms", short(p50), short(p99))
    } else {
        let count = of(|r| r.latency.count as f64);
        format!(
            "half within {} ms, all {} within {} ms",
            short(p50),
            whole(count),
            short(of(|r| r.latency.max))
        )
    };
    let failed = of(Round::error_share);
    let errors = if failed > 0.0 {
        let why = measured.rounds.last().map(failures).unwrap_or_default();
        format!("; {} % failed{why}", short(failed * 100.0))
    } else {
        String::new()
    };
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
        name => format!("{name}: at {}/s {times}{errors}.{}", short(rate), behind(measured)),
    }
}

/// What became of the jobs of a scenario whose answers were quick.
fn behind(measured: &Measured) -> String {
    let scenario = Scenario::named(&measured.scenario).filter(|one| one.leaves_jobs());
    let last = measured.rounds.last().filter(|round| !round.keeps_up());
    let (Some(scenario), Some(round)) = (scenario, last) else { return String::new() };
    format!(
        " But {}: of {} jobs a second {} are done.",
        scenario.behind(),
        whole(round.jobs_per_s()),
        whole(round.used.jobs_per_s)
    )
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
        if let Some(share) = ours.compressed_to.filter(|share| *share < COMPRESSED_MIN) {
            return Some(format!(
                "proxy, {what}: compressed to {:.0} % of its time, in which no policy shows what it can; a longer \
                 `--seconds` gives it more.",
                share * 100.0
            ));
        }
        let lost = |row: &PolicyRow| whole(row.failed as f64);
        let theirs = match (of("netflix, no utilisation"), of("netflix")) {
            (Some(blind), Some(all)) => format!(
                "Netflix's choice {} without what servers say of themselves and {} with all its features \
                 (of its own site it published 14,700, 123 and 5), ",
                lost(blind),
                lost(all)
            ),
            _ => String::new(),
        };
        Some(format!(
            "proxy, {what}: of {} requests round robin loses {}, {}the default policy {}; p99 {} and {} ms.",
            whole(ours.requests as f64),
            lost(plain),
            if *world == "netflix" { theirs } else { String::new() },
            lost(ours),
            short(plain.p99),
            short(ours.p99)
        ))
    });
    said.collect()
}

/// Whether there was more to do than the machine could, and who else was at it.
fn busy(report: &Report) -> Option<String> {
    let cores = report.machine.usable();
    // Where the server is not seen, it is among the others.
    let rounds = || {
        let all = report.scenarios.iter().flat_map(|one| one.rounds.iter().map(move |round| (one, round)));
        all.filter(|(_, round)| round.is_watched())
    };
    let others = median(&rounds().map(|(_, round)| round.others(cores)).collect::<Vec<_>>())?;
    let mut busy: Vec<_> = rounds()
        .filter(|(_, round)| round.used.machine >= BUSY)
        .map(|(one, _)| one.scenario.as_str())
        .collect();
    busy.dedup();
    if others > OTHERS * cores {
        return Some(format!(
            "Other programs took {} of {} cores meanwhile: without them it holds more.",
            short(others),
            report.machine.usable_in_words()
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
    use crate::bench::report::data::{Figure, Generator, Used};

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
        let text = limit_in_words("browse", &limit(187.0), false);
        assert!(
            text.starts_with("This machine holds about 930 people reading at once (187 requests/s"),
            "{text}"
        );
        let unseen = Limit { culprit: String::new(), ..limit(187.0) };
        let text = limit_in_words("browse", &unseen, true);
        assert!(
            text.starts_with("The server holds about 930 people") && text.ends_with("from outside."),
            "{text}"
        );
        let text = limit_in_words("post", &limit(540.0), false);
        assert!(
            text.contains("540 durable posts a second") && text.contains("fsync gives way first"),
            "{text}"
        );
        assert!(limit_in_words("post", &limit(0.0), false).contains("did not hold at any rate"));
        let all = Limit { broke_per_s: None, ..limit(50_000.0) };
        assert!(limit_in_words("post", &all, false).contains("more was not tried"));
    }

    #[test]
    fn a_run_without_a_limit_says_what_it_saw() {
        let latency = Percentiles { count: 1000, p50: 2.1, p99: 11.0, max: 12.0, ..Percentiles::default() };
        let mut round = Round { latency, rate_per_s: 199.0, requests: 1000, errors: 5, ..Round::default() };
        let said = |round: &Round| {
            let rounds = vec![round.clone()];
            let one = Measured { scenario: "browse".into(), rounds, ..Measured::default() };
            (measured(&one, false), nothing_good(&one))
        };
        let (lines, failed) = said(&round);
        assert_eq!(lines, ["browse: at 199/s half within 2.10 ms, 99 of 100 within 11.0 ms; 0.50 % failed."]);
        assert_eq!(failed, None);
        round.latency.count = 16;
        round.failures.insert("home: status 500".into(), 5);
        assert_eq!(
            said(&round).0,
            [
                "browse: at 199/s half within 2.10 ms, all 16 within 12.0 ms; 0.50 % failed (home: status 500 × 5)."
            ]
        );
        round.latency = Percentiles::default();
        let (lines, failed) = said(&round);
        assert!(lines.is_empty(), "{lines:?}");
        assert_eq!(
            failed.as_deref(),
            Some("none of 1,000 requests had a good answer (home: status 500 × 5)")
        );
    }

    #[test]
    fn quick_answers_do_not_hide_what_piles_up() {
        let used = Used { jobs_per_s: 90.0, jobs_behind_per_s: 310.0, ..Used::default() };
        let latency = Percentiles { count: 1000, p50: 2.0, p99: 9.0, ..Percentiles::default() };
        let round = Round { used, latency, seconds: 5.0, rate_per_s: 400.0, ..Round::default() };
        let post = Measured { scenario: "post".into(), rounds: vec![round], ..Measured::default() };
        assert_eq!(
            measured(&post, false),
            [
                "post: at 400/s half within 2.00 ms, 99 of 100 within 9.00 ms. But the home timelines fall behind: of \
                 400 jobs a second 90 are done."
            ]
        );
    }

    #[test]
    fn of_a_server_elsewhere_nothing_is_said_that_was_not_seen() {
        let used = Used { machine: 1.0, ..Used::default() };
        let mut round = Round { used, requests: 100, errors: 88, ..Round::default() };
        round.latency.count = 12;
        round.failures.insert("home: status 429".into(), 88);
        let report = Report { target: "https://localhost:8443".into(), ..report(vec![round]) };
        let text = summary(&report).join("\n");
        for part in [
            "The clients ran on 2 cores",
            "rate limit refused 88 of 100 requests (status 429)",
            "`rate_limit off`",
        ] {
            assert!(text.contains(part), "{part} is missing: {text}");
        }
        for foreign in ["Other programs", "the limit, not", "durable", "share it"] {
            assert!(!text.contains(foreign), "{foreign}: {text}");
        }
    }

    #[test]
    fn a_disk_in_memory_is_told_from_one() {
        let on = |disk: &str| volatile(&Machine { disk: disk.into(), ..Machine::default() }, false);
        assert!(on("tmpfs on tmpfs").is_some_and(|text| text.contains("TMPDIR")));
        assert_eq!(on("ext4 on /dev/sda1"), None);
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
            let used = Used { machine, cpu, rss_mib: 80.0, ..Used::default() };
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
            proxy(&Measured { policies, ..Measured::default() }).join("")
        };
        assert!(
            said(None).contains("round robin loses 0") && said(Some(0.8)).contains("round robin loses 0")
        );
        let pressed = said(Some(0.02));
        assert!(pressed.contains("compressed to 2 % of its time") && !pressed.contains("loses"), "{pressed}");
    }

    #[test]
    fn what_netflix_published_stands_beside_what_was_found() {
        let row = |policy: &str, failed| PolicyRow {
            world: "netflix".into(),
            policy: policy.into(),
            requests: 150_000,
            failed,
            ..PolicyRow::default()
        };
        let policies = vec![
            row("round_robin (original)", 14_100),
            row("netflix, no utilisation", 400),
            row("netflix", 9),
            row("p2c (default)", 3),
        ];
        let text = proxy(&Measured { policies, ..Measured::default() }).join("");
        assert!(
            text.contains(
                "loses 14,100, Netflix's choice 400 without what servers say of themselves and 9 with all its \
                 features (of its own site it published 14,700, 123 and 5), the default policy 3"
            ),
            "{text}"
        );
    }
}
