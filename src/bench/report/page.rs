//! The report as one page that needs nothing else: no script, no other file,
//! nothing from a network. Pure.

use std::fmt::Write as _;

use super::data::{Limit, Measured, PolicyRow, Report, Round, Settings};
use super::svg::{Bar, Cell, Line, Plot, bars, cells, escape, ms, plot};
use crate::bench::metric::{Metric, Quantity, short, whole};
use crate::bench::scenario::Scenario;

/// How a note of one world begins.
const WORLD: &str = "world ";
/// Kinds of failures that are named.
const FAILURES_MAX: usize = 12;
const STYLE: &str = include_str!("page.css");

/// The whole page.
pub fn page(report: &Report) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>What it holds: Waxwing {version}</title><style>{STYLE}</style></head><body>\
         <header><p class=\"brand\">Waxwing {version}</p><h1>What it holds</h1><p class=\"soft\">{target}, {when}</p></header><main>",
        version = escape(&report.version),
        target = escape(&report.target),
        when = escape(report.began.get(..16).unwrap_or_default()).replace('T', " ") + " UTC",
    );
    out.push_str(&summary(report));
    out.push_str(&expectations(report));
    out.push_str(&comparison(report));
    report.scenarios.iter().for_each(|measured| out.push_str(&scenario(measured, report.is_remote())));
    out.push_str(&how(report));
    out.push_str("</main></body></html>\n");
    out
}

fn summary(report: &Report) -> String {
    // What was expected and compared has a table of its own.
    let count = report.summary.len().saturating_sub(report.expectations.len() + report.comparison.len());
    let lines: String =
        report.summary.iter().take(count).map(|line| format!("<li>{}</li>", escape(line))).collect();
    format!("<section><h2>In words</h2><ul class=\"words\">{lines}</ul></section>")
}

fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head: String = heads.iter().map(|head| format!("<th scope=\"col\">{}</th>", escape(head))).collect();
    let body: String = rows
        .map(|row| {
            format!("<tr>{}</tr>", row.iter().map(|cell| format!("<td>{cell}</td>")).collect::<String>())
        })
        .collect();
    format!(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
}

fn expectations(report: &Report) -> String {
    if report.expectations.is_empty() {
        return String::new();
    }
    let rows = report.expectations.iter().map(|one| {
        let verdict =
            if one.held { "<b class=\"good\">holds</b>" } else { "<b class=\"bad\">does not hold</b>" };
        vec![escape(&one.text), verdict.to_owned(), escape(&one.found)]
    });
    format!("<section><h2>What was expected</h2>{}</section>", table(&["expected", "verdict", "found"], rows))
}

fn comparison(report: &Report) -> String {
    if report.comparison.is_empty() {
        return String::new();
    }
    let rows = report.comparison.iter().map(|one| {
        let quantity = Metric::parse(&one.metric).map_or(Quantity::Rate, |metric| metric.quantity);
        let class = match one.verdict.as_str() {
            "better" => "good",
            "worse" => "bad",
            _ => "soft",
        };
        vec![
            escape(&one.metric),
            format!("<b class=\"{class}\">{}</b>", escape(&one.verdict)),
            quantity.written(one.before),
            quantity.written(one.now),
            format!("{:+.0} %", one.change * 100.0),
            format!("{:.0} %", one.noise * 100.0),
        ]
    });
    let heads = ["figure", "verdict", "before", "now", "change", "noise"];
    format!("<section><h2>Beside the earlier run</h2>{}</section>", table(&heads, rows))
}

fn scenario(measured: &Measured, is_remote: bool) -> String {
    let about = Scenario::named(&measured.scenario).map_or("", Scenario::about);
    let mut out =
        format!("<section><h2>{}</h2><p class=\"soft\">{}</p>", escape(&measured.scenario), escape(about));
    if let Some(why) = &measured.failed {
        let _ = write!(out, "<p class=\"bad\">Could not be measured: {}.</p>", escape(why));
    }
    // Whoever reads the tables has to know what they are of; what is said of
    // a world stands by its table.
    for note in measured.notes.iter().filter(|note| !note.starts_with(WORLD)) {
        let _ = write!(out, "<p class=\"soft\">{}</p>", escape(note));
    }
    out.push_str(&figures(measured));
    out.push_str("<div class=\"plots\">");
    // The last round; the table has all of them.
    if let Some(round) = measured.rounds.last() {
        out.push_str(&over_time(round, is_of_events(&measured.scenario)));
        out.push_str(&machine_over_time(round));
    }
    if let Some(limit) = &measured.limit {
        out.push_str(&curve(limit));
    }
    out.push_str(&destinations(measured));
    out.push_str("</div>");
    out.push_str(&policies(&measured.policies, &measured.notes));
    if let Some(limit) = &measured.limit {
        out.push_str(&limit_table(limit, is_remote));
    }
    out + "</section>"
}

fn figure(title: &str, picture: &str) -> String {
    if picture.is_empty() {
        return String::new();
    }
    format!("<figure><figcaption>{}</figcaption>{picture}</figure>", escape(title))
}

fn figures(measured: &Measured) -> String {
    let mut out = String::new();
    // Of streams and deliveries events are counted, not answers.
    let is_of_events = is_of_events(&measured.scenario);
    if !measured.rounds.is_empty() {
        let mut rows = Vec::new();
        for (nth, round) in measured.rounds.iter().enumerate() {
            let name =
                if measured.rounds.len() > 1 { format!("round {}", nth + 1) } else { "all".to_owned() };
            let name = if is_of_events && name == "all" { of_events(&measured.scenario) } else { &name };
            rows.push(row(name, round.rate_per_s, round.errors, &round.latency));
            if measured.rounds.len() == 1 && round.kinds.len() > 1 {
                rows.extend(
                    round
                        .kinds
                        .iter()
                        // The scenario's own stand in the first row.
                        .filter(|kind| !(is_of_events && kind.counts))
                        .map(|kind| row(in_words(&kind.name), kind.rate_per_s, kind.errors, &kind.latency)),
                );
            }
        }
        let (good, each_s) =
            if is_of_events { ("arrived in time", "arrived/s") } else { ("good answers", "answers/s") };
        let heads = ["", each_s, good, "failed", "p50", "p95", "p99", "p99.9", "longest"];
        out.push_str(&table(&heads, rows.into_iter()));
    }
    if !measured.figures.is_empty() {
        let items: String = measured
            .figures
            .iter()
            .map(|one| {
                format!(
                    "<div><dt>{}</dt><dd>{} {}</dd></div>",
                    escape(&one.name),
                    if one.value.fract() == 0.0 { whole(one.value) } else { short(one.value) },
                    escape(&one.unit)
                )
            })
            .collect();
        let _ = write!(out, "<dl>{items}</dl>");
    }
    if let Some(round) = measured.rounds.last().filter(|round| round.is_watched()) {
        // What arrives is not begun by the generator.
        let (each, began) = if is_of_events {
            ("arrival", String::new())
        } else {
            (
                "request",
                format!(", and began 99 of 100 within {} of when they were due", ms(round.lag_p99_ms)),
            )
        };
        let _ = write!(
            out,
            "<p class=\"soft\">The instance used {} cores, {} µs for each {each}, and {} MiB at most; the generator {} cores, {} µs for each {each}{began}.</p>",
            short(round.used.cpu),
            whole(round.generator.server_us_per_request),
            whole(round.used.rss_mib),
            short(round.generator.cpu),
            whole(round.generator.us_per_request),
        );
    }
    if let Some(round) = measured.rounds.last().filter(|round| !round.failures.is_empty()) {
        let failures = round.top_failures(FAILURES_MAX);
        let failures: Vec<_> =
            failures.iter().map(|(name, count)| format!("{} × {count}", escape(name))).collect();
        let _ = write!(out, "<p class=\"bad\">Failed: {}</p>", failures.join(", "));
    }
    out
}

fn is_of_events(scenario: &str) -> bool {
    matches!(scenario, "stream" | "deliver")
}

/// What arrives in such a scenario, and where.
fn of_events(scenario: &str) -> &'static str {
    if scenario == "stream" { "posts at open pages" } else { "posts at healthy servers" }
}

/// A kind of requests as people say it; `--expect` has its own names.
fn in_words(kind: &str) -> &str {
    match kind {
        "arrived_slow" => "posts at slow servers",
        "post" => "the posts themselves",
        other => other,
    }
}

fn row(name: &str, rate: f64, errors: u64, latency: &crate::bench::latency::Percentiles) -> Vec<String> {
    let mut cells =
        vec![escape(name).replace('_', " "), short(rate), whole(latency.count as f64), whole(errors as f64)];
    let shares = [
        (0.5, latency.p50),
        (0.95, latency.p95),
        (0.99, latency.p99),
        (0.999, latency.p999),
        (0.0, latency.max),
    ];
    // Too few have no such percentile.
    cells.extend(
        shares.map(|(share, value)| if latency.supports(share) { ms(value) } else { "–".to_owned() }),
    );
    cells
}

fn over_time(round: &Round, is_of_events: bool) -> String {
    // One moment is no course of time.
    if round.slots.len() < 2 {
        return String::new();
    }
    let of = |pick: fn(&super::data::Slot) -> Option<f64>| {
        round.slots.iter().filter_map(|slot| Some((slot.at_s as f64, pick(slot)?))).collect::<Vec<_>>()
    };
    let line = |name, points| Line { name, points, has_dots: round.slots.len() < 30 };
    let lines = vec![
        line("p50", of(|slot| slot.p50)),
        line("p95", of(|slot| slot.p95)),
        line("p99", of(|slot| slot.p99)),
    ];
    let title =
        if is_of_events { "From post to arrival, second by second" } else { "Latency, second by second" };
    figure(title, &plot(&Plot { title, x: "seconds", y: "ms", lines, is_log: true, mark: None }))
        + &answered(round, is_of_events)
}

/// Only where the rate changes or something failed is there something to see.
fn answered(round: &Round, is_of_events: bool) -> String {
    let of = |pick: fn(&super::data::Slot) -> u64| {
        // A part of a second at the end would look like a collapse.
        let whole = round
            .slots
            .iter()
            .filter(|slot| round.seconds <= 0.0 || (slot.at_s + 1) as f64 <= round.seconds + 0.001);
        whole.map(|slot| (slot.at_s as f64, pick(slot) as f64)).collect::<Vec<_>>()
    };
    let line = |name, points| Line { name, points, has_dots: false };
    let (title, due, done, failed) = if is_of_events {
        ("Arrivals, second by second", "expected", "arrived", "missing")
    } else {
        ("Requests, second by second", "asked", "answered", "failed")
    };
    let mut lines = vec![line(due, of(|slot| slot.due)), line(done, of(|slot| slot.done))];
    if round.errors > 0 {
        lines.push(line(failed, of(|slot| slot.errors)));
    }
    figure(title, &plot(&Plot { title, x: "seconds", y: "/s", lines, is_log: false, mark: None }))
}

fn machine_over_time(round: &Round) -> String {
    let of = |pick: fn(&super::data::Sample) -> f64| {
        // As long as the other pictures: what comes later is no load.
        let counted = round
            .samples
            .iter()
            .filter(|sample| sample.at_s >= 0.0 && (round.seconds <= 0.0 || sample.at_s <= round.seconds));
        counted.map(|sample| (sample.at_s, pick(sample))).collect::<Vec<_>>()
    };
    let line = |name, points| Line { name, points, has_dots: false };
    let cpu = vec![line("instance", of(|one| one.cpu)), line("generator", of(|one| one.generator_cpu))];
    let memory = vec![line("instance", of(|one| one.rss_mib))];
    if memory[0].points.iter().all(|(_, value)| *value == 0.0) {
        return String::new();
    }
    let (processors, bytes) = ("Processors in use", "Memory of the instance");
    figure(
        processors,
        &plot(&Plot { title: processors, x: "seconds", y: "cores", lines: cpu, is_log: false, mark: None }),
    ) + &figure(
        bytes,
        &plot(&Plot { title: bytes, x: "seconds", y: "MiB", lines: memory, is_log: false, mark: None }),
    )
}

fn curve(limit: &Limit) -> String {
    let of = |pick: fn(&super::data::Step) -> f64| {
        // One without answers has no latency.
        let answered = limit.steps.iter().filter(|step| step.p50 > 0.0);
        answered.map(|step| (step.offered_per_s, pick(step))).collect::<Vec<_>>()
    };
    let line = |name, points| Line { name, points, has_dots: true };
    let lines = vec![line("p50", of(|step| step.p50)), line("p99", of(|step| step.p99))];
    let bound = limit.objective.split("p99 ≤ ").nth(1);
    let bound = bound.and_then(|rest| rest.split(' ').next()?.replace(',', "").parse().ok());
    let mark = bound.map(|bound: f64| (bound, "objective"));
    let title = "Rate and latency";
    figure(title, &plot(&Plot { title, x: "requests/s", y: "ms", lines, is_log: true, mark }))
}

fn limit_table(limit: &Limit, is_remote: bool) -> String {
    let has_notes = limit.steps.iter().any(|step| !step.held && !step.note.is_empty());
    let rows = limit.steps.iter().map(|step| {
        let verdict = if step.held { "<b class=\"good\">holds</b>" } else { "<b class=\"bad\">does not</b>" };
        let mut cells = vec![
            format!("{}/s", short(step.offered_per_s)),
            verdict.to_owned(),
            format!("{} s", short(step.seconds)),
            whole(step.requests as f64),
            format!("{}/s", short(step.rate_per_s)),
            ms(step.p50),
            ms(step.p99),
            format!("{} %", short(step.errors * 100.0)),
            if is_remote { "–".to_owned() } else { short(step.cpu) },
        ];
        if has_notes {
            cells.push(if step.held { String::new() } else { escape(&step.note) });
        }
        cells
    });
    let mut heads = vec!["asked", "verdict", "for", "requests", "answered", "p50", "p99", "failed", "cores"];
    if has_notes {
        heads.push("because");
    }
    let found = format!(
        "<p>Held with {}: <b>{}/s</b>; {}.</p>",
        escape(&limit.objective),
        short(limit.held_per_s),
        escape(&crate::bench::words::gave_way(limit))
    );
    format!("<h3>How the limit was found</h3>{found}{}", table(&heads, rows))
}

/// What each nature is called, and its colour; the first names are the fleet's.
const NATURES: [(&str, &str, usize); 3] = [("well", "healthy", 1), ("slow", "slow", 0), ("dead", "dead", 2)];

fn destinations(measured: &Measured) -> String {
    let all = &measured.destinations;
    let cell = |one: &super::data::Destination| {
        let (_, nature, colour) =
            NATURES.into_iter().find(|(name, ..)| *name == one.nature).unwrap_or(NATURES[0]);
        let times = if one.got > 0 {
            format!(", half within {}, 99 of 100 within {}", ms(one.p50), ms(one.p99))
        } else {
            String::new()
        };
        Cell {
            share: one.got as f64 / one.wanted.max(1) as f64,
            colour,
            text: format!("{} ({nature}): {} of {} posts{times}", one.name, one.got, one.wanted),
        }
    };
    let picture =
        cells("Destinations, filled as far as posts have arrived", &all.iter().map(cell).collect::<Vec<_>>());
    if picture.is_empty() {
        return String::new();
    }
    let legend: Vec<String> = NATURES
        .iter()
        .map(|(name, nature, colour)| {
            let of: Vec<_> = all.iter().filter(|one| one.nature == *name).collect();
            let (got, wanted) = of.iter().fold((0, 0), |sum, one| (sum.0 + one.got, sum.1 + one.wanted));
            format!(
                "<span><i class=\"c{colour}\"></i>{} {nature}: {} of {} posts arrived</span>",
                of.len(),
                whole(got as f64),
                whole(wanted as f64)
            )
        })
        .collect();
    figure(
        "Each destination, filled as far as posts have arrived (those of the warm-up, too)",
        &format!("{picture}<p class=\"legend\">{}</p>", legend.join(" ")),
    )
}

fn policies(rows: &[PolicyRow], notes: &[String]) -> String {
    let mut worlds: Vec<&str> = rows.iter().map(|row| row.world.as_str()).collect();
    worlds.dedup();
    let mut out = String::new();
    for world in worlds {
        let of: Vec<&PolicyRow> = rows.iter().filter(|row| row.world == world).collect();
        let has_published = of.iter().any(|row| !row.published.is_empty());
        let colour = |row: &PolicyRow| usize::from(row.policy.contains("default"));
        let failed: Vec<Bar<'_>> = of
            .iter()
            .map(|row| Bar {
                name: &row.policy,
                value: row.failed as f64,
                text: row.failed.to_string(),
                colour: colour(row),
            })
            .collect();
        let late: Vec<Bar<'_>> = of
            .iter()
            .map(|row| Bar { name: &row.policy, value: row.p99, text: ms(row.p99), colour: colour(row) })
            .collect();
        let requests = of.first().map_or(0, |row| row.requests);
        let _ = write!(out, "<h3>World: {}</h3>", escape(world));
        let start = format!("{WORLD}{world}: ");
        for note in notes.iter().filter_map(|note| note.strip_prefix(&start)) {
            let _ = write!(out, "<p class=\"soft\">{}</p>", escape(note));
        }
        out.push_str("<div class=\"plots\">");
        let title = format!("Lost requests, of {requests}");
        out.push_str(&figure(&title, &bars(&title, &failed)));
        out.push_str(&figure("p99 of those answered", &bars("p99 of those answered", &late)));
        out.push_str("</div>");
        let cells = of.iter().map(|row| {
            let mut cells = vec![escape(&row.policy), row.failed.to_string()];
            cells.extend([row.mean, row.p50, row.p99, row.p999].map(ms));
            cells.push(format!("{:.1} %", row.extra));
            // Netflix published figures of its own world only.
            if has_published {
                cells.push(escape(&row.published));
            }
            cells
        });
        let mut heads = vec!["policy", "lost", "mean", "p50", "p99", "p99.9", "extra requests"];
        if has_published {
            heads.push("Netflix: errors / latency");
        }
        out.push_str(&table(&heads, cells));
    }
    out
}

fn how(report: &Report) -> String {
    let (machine, settings) = (&report.machine, &report.settings);
    let load = if settings.is_closed_loop {
        format!(
            "closed loop: {} clients wait for their answers, so stalls of the server are partly hidden",
            settings.clients
        )
    } else {
        "open loop: requests are due at random moments (Poisson) that no answer changes, and latency counts from then"
            .to_owned()
    };
    let rate = settings
        .rate_per_s
        .map_or("what is usual for each scenario".to_owned(), |rate| format!("{}/s", short(rate)));
    let day = if settings.asked_seconds.is_none() { " (mixed: 120 s, proxy: 60 s)" } else { "" };
    let is_remote = report.is_remote();
    let mut fields = vec![
        ("load", load),
        ("rate", rate),
        (
            "rounds",
            format!(
                "{} of {} s after {} s of warm-up{day}",
                settings.rounds,
                short(settings.seconds),
                short(settings.warm_s)
            ),
        ),
        ("chance", format!("begins with {}", settings.seed)),
        ("processors", format!("{} × {}", machine.cores_in_words(), machine.cpu)),
        ("memory", format!("{} GiB", machine.memory_in_words())),
        ("kernel", machine.kernel.clone()),
        (
            "build",
            if machine.is_optimised {
                "for speed".to_owned()
            } else {
                "not for speed: the figures say little".to_owned()
            },
        ),
    ];
    if !settings.objective.is_empty() {
        fields.push(("objective", settings.objective.clone()));
    }
    if !is_remote {
        let disk = format!(
            "{}; a durable write takes {}, the longest of 60 {}",
            machine.disk,
            ms(machine.fsync_ms),
            ms(machine.fsync_p99_ms)
        );
        fields.extend([("instance", instance(settings)), ("disk", disk)]);
    }
    fields.push(("again", again(report)));
    let whose = if is_remote {
        "The machine is the one that the clients ran on; of the server's nothing is known."
    } else {
        "Server and clients share the machine."
    };
    let items: String = fields
        .iter()
        .map(|(name, text)| format!("<div><dt>{name}</dt><dd>{}</dd></div>", escape(text)))
        .collect();
    format!(
        "<section><h2>How and where it was measured</h2><dl>{items}</dl><p class=\"soft\">{whose}</p></section>"
    )
}

fn instance(settings: &Settings) -> String {
    let mut text = format!(
        "{} people, each of whom follows {}, and {} posts to begin with",
        whole(settings.people as f64),
        settings.follows,
        whole(settings.posts as f64)
    );
    if settings.listeners > 0 {
        let _ = write!(text, "; {} open streams", whole(settings.listeners as f64));
    }
    if settings.destinations > 0 {
        let _ = write!(text, "; {} fake destinations", whole(settings.destinations as f64));
    }
    text
}

/// The command that measures the same once more.
fn again(report: &Report) -> String {
    let settings = &report.settings;
    let names: Vec<_> = report.scenarios.iter().map(|one| one.scenario.as_str()).collect();
    let mut text = "waxwing --bench".to_owned();
    if report.is_remote() {
        let _ = write!(text, " {} --token-file FILE", report.target);
        if names.iter().any(|name| *name != "browse") {
            text.push_str(" --write");
        }
    }
    let _ = write!(text, " --only {} --rounds {} --seed {}", names.join(","), settings.rounds, settings.seed);
    if let Some(seconds) = settings.asked_seconds {
        let _ = write!(text, " --seconds {seconds}");
    }
    if let Some(rate) = settings.rate_per_s {
        let _ = write!(text, " --rate {rate}");
    }
    if settings.is_closed_loop {
        let _ = write!(text, " --closed {}", settings.clients);
    }
    if !settings.objective.is_empty() {
        let objective: String = settings.objective.replace('≤', "<=").split([' ']).collect();
        let _ = write!(text, " --find-limit '{}'", bound(&objective));
    }
    if !report.is_remote() {
        let _ = write!(
            text,
            " --people {} --posts {} --follows {}",
            settings.people, settings.posts, settings.follows
        );
        if settings.listeners > 0 {
            let _ = write!(text, " --listeners {}", settings.listeners);
        }
        if settings.destinations > 0 {
            let _ = write!(text, " --destinations {}", settings.destinations);
        }
    }
    text
}

/// An objective as it is written for `--find-limit`: its commas are between
/// its parts only.
fn bound(objective: &str) -> String {
    let parts: Vec<_> = objective.split(",errors").map(|part| part.replace(',', "")).collect();
    parts.join(",errors")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::latency::Percentiles;
    use crate::bench::report::data::{Destination, Slot, Step};

    fn report() -> Report {
        let slots = (0..5).map(|at_s| Slot {
            at_s,
            due: 9,
            done: 9,
            p50: Some(2.0),
            p95: Some(4.0),
            p99: Some(9.0),
            ..Slot::default()
        });
        let latency = Percentiles { count: 45, p50: 2.0, p99: 9.0, ..Percentiles::default() };
        let round = Round { slots: slots.collect(), latency, ..Round::default() };
        let step = Step { offered_per_s: 100.0, p50: 5.0, p99: 20.0, held: true, ..Step::default() };
        let limit = Limit {
            objective: "p99 ≤ 250 ms, errors ≤ 0.10 %".into(),
            held_per_s: 100.0,
            steps: vec![step],
            ..Limit::default()
        };
        let browse = Measured {
            scenario: "browse".into(),
            rounds: vec![round],
            limit: Some(limit),
            ..Measured::default()
        };
        let destination =
            Destination { name: "<one>".into(), nature: "dead".into(), wanted: 3, ..Destination::default() };
        let deliver =
            Measured { scenario: "deliver".into(), destinations: vec![destination], ..Measured::default() };
        let row = PolicyRow {
            world: "netflix".into(),
            policy: "p2c (default)".into(),
            failed: 7,
            ..PolicyRow::default()
        };
        let proxy = Measured { scenario: "proxy".into(), policies: vec![row], ..Measured::default() };
        Report { scenarios: vec![browse, deliver, proxy], summary: vec!["a < b".into()], ..Report::default() }
    }

    #[test]
    fn the_page_has_all_pictures_and_needs_nothing_else() {
        let page = page(&report());
        for part in [
            "Latency, second by second",
            "Rate and latency",
            "Each destination",
            "Lost requests",
            "objective",
            "a &lt; b",
        ] {
            assert!(page.contains(part), "{part} is missing");
        }
        for foreign in ["<script", "<link", "http://", "https://", "url(", "<one>"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn the_command_that_repeats_it_can_be_understood() {
        let settings = Settings {
            rounds: 1,
            rate_per_s: Some(8.0),
            objective: crate::bench::limit::Objective { p99_ms: 1500.0, errors: 0.01 }.to_string(),
            ..Settings::default()
        };
        let text = again(&Report { settings, ..report() });
        let objective = text.split('\'').nth(1).unwrap_or_default();
        let read = crate::bench::limit::Objective::parse(objective).expect(objective);
        assert_eq!((read.p99_ms, read.errors), (1500.0, 0.01));
        assert!(text.contains("--rate 8 "), "{text}");
    }

    #[test]
    fn few_answers_have_no_far_percentiles_and_tables_agree_with_limits() {
        let of = |count| {
            row("home", 1.0, 0, &Percentiles { count, p99: 9.0, p999: 9.0, ..Percentiles::default() })
        };
        assert_eq!(
            of(20)[2..],
            ["20", "0", "0.001 ms", "0.001 ms", "–", "–", "0.001 ms"]
                .map(|t| t.replace("0.001 ms", &ms(0.0)))
        );
        assert_eq!((of(1000)[6].clone(), of(1000)[7].clone()), (ms(9.0), ms(9.0)));
        let step = Step { offered_per_s: 200.0, note: "only for so long".into(), ..Step::default() };
        let table = limit_table(&Limit { steps: vec![step], ..Limit::default() }, false);
        assert!(table.contains("does not</b>") && table.contains("<td>only for so long</td>"), "{table}");
    }

    #[test]
    fn of_a_server_elsewhere_the_page_says_only_what_was_seen() {
        let page = page(&Report { target: "https://social.example".into(), ..report() });
        assert!(page.contains("of the server's nothing is known"));
        for foreign in ["durable write", "people, each", "share the machine"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn an_empty_report_is_a_page() {
        assert!(page(&Report::default()).ends_with("</html>\n"));
    }
}
