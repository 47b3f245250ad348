//! The queue as lines for a terminal.

use std::fmt::Write;

use super::perform::standing;
use crate::base::Timestamp;
use crate::edge::deliveries::Listed;
use crate::edge::deliveries::entities::{DeliveryDestinationDetails, DeliveryJob, DeliveryOverview};

/// How long ago, in the largest unit: `12s`, `5m`, `3h`, `2d`.
fn ago(text: Option<&String>, now: Timestamp) -> String {
    let at = text.and_then(|text| Timestamp::parse_rfc3339(text));
    at.map_or_else(|| "-".to_owned(), |at| short(now.since(at).as_secs()))
}

fn ahead(text: Option<&String>, now: Timestamp) -> Option<String> {
    let at = Timestamp::parse_rfc3339(text?)?;
    Some(short(at.since(now).as_secs()))
}

fn short(seconds: u64) -> String {
    match seconds {
        s if s < 60 => format!("{s}s"),
        s if s < 3600 => format!("{}m", s / 60),
        s if s < 86_400 => format!("{}h", s / 3600),
        s => format!("{}d", s / 86_400),
    }
}

/// Rows under headings, the columns as wide as they need to be.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    let heads: Vec<String> = head.iter().map(|word| (*word).to_owned()).collect();
    for row in std::iter::once(&heads).chain(rows) {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Sums, then destinations.
pub(super) fn list(overview: &DeliveryOverview, listed: &Listed, now: Timestamp) -> String {
    let lanes: Vec<String> =
        overview.lanes.iter().map(|lane| format!("{} {}", lane.ready, lane.name)).collect();
    let mut text = format!(
        "{} waiting ({}, {} to be retried), the oldest for {}; {} given up\n",
        overview.waiting,
        lanes.join(", "),
        overview.deferred,
        ago(overview.oldest_at.as_ref(), now),
        overview.dead_letters,
    );
    if overview.is_running {
        let _ = writeln!(text, "{} of {} slots are in use", overview.in_flight, overview.slots);
    } else {
        text.push_str("no server runs\n");
    }
    let row = |one: &crate::edge::deliveries::entities::DeliveryDestination| {
        vec![
            one.id.clone(),
            one.host.clone(),
            standing(one).to_owned(),
            one.waiting.to_string(),
            ago(one.oldest_at.as_ref(), now),
            one.failures.to_string(),
            one.dead_letters.to_string(),
            ago(one.last_ok_at.as_ref(), now),
        ]
    };
    let rows: Vec<Vec<String>> = listed.destinations.iter().map(row).collect();
    if rows.is_empty() {
        text.push_str("no destinations like that\n");
        return text;
    }
    text.push('\n');
    let head = ["ID", "HOST", "STATE", "WAITING", "OLDEST", "FAILURES", "DEAD", "LAST OK"];
    text.push_str(&table(&head, &rows));
    if listed.total > rows.len() {
        let _ = writeln!(text, "and {} more; `--limit` shows them", listed.total - rows.len());
    }
    text
}

/// One destination with its jobs.
pub(super) fn details(details: &DeliveryDestinationDetails, jobs: &[DeliveryJob], now: Timestamp) -> String {
    let one = &details.destination;
    let mut text = format!("{} ({}, {})\n", one.host, one.class, standing(one));
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<14}{value}");
    };
    if let Some(wait) = ahead(one.next_probe_at.as_ref(), now).filter(|_| one.state != "closed") {
        line("next try", format!("in {wait}"));
    }
    if !one.cause.is_empty() {
        line("last failure", one.cause.clone());
    }
    line("waiting", format!("{}, {} of them to be retried", one.waiting, one.deferred));
    line("dead letters", one.dead_letters.to_string());
    let under_way = match (one.in_flight, one.node) {
        (None, Some(node)) => format!("known to node {node}, which sends there; at most {:.0}", one.cap),
        (in_flight, _) => format!("{} of {:.0}", in_flight.unwrap_or_default(), one.cap),
    };
    line("under way", under_way);
    line("rate", format!("{:.1} a second", one.rate));
    if let Some(rtt_ms) = one.rtt_ms {
        line("answers in", format!("{rtt_ms:.0} ms"));
    }
    line("last success", ago(one.last_ok_at.as_ref(), now));
    let limits = &details.limits;
    if limits.rate_max.is_some() || limits.cap_max.is_some() {
        let unlimited = || "any".to_owned();
        let rate = limits.rate_max.map_or_else(unlimited, |rate| format!("{rate}"));
        let cap = limits.cap_max.map_or_else(unlimited, |cap| cap.to_string());
        line("limits", format!("{rate} a second, {cap} at once"));
    }
    if !details.turns.is_empty() {
        text.push_str("\nbreaker\n");
        for turn in &details.turns {
            let _ = writeln!(text, "  {}  {} to {}  {}", turn.at, turn.from, turn.to, turn.cause);
        }
    }
    if !details.errors.is_empty() {
        text.push_str("\nerrors\n");
        for error in &details.errors {
            let _ = writeln!(text, "  {}  {}", error.at, error.words);
        }
    }
    if !jobs.is_empty() {
        text.push('\n');
        let row = |job: &DeliveryJob| {
            vec![
                job.act.clone(),
                job.inbox.clone(),
                job.kind.clone(),
                job.lane.clone(),
                ago(Some(&job.created_at), now),
                job.attempts.to_string(),
                ahead(job.next_try_at.as_ref(), now).unwrap_or_else(|| "its turn".to_owned()),
            ]
        };
        let rows: Vec<Vec<String>> = jobs.iter().map(row).collect();
        text.push_str(&table(&["ACT", "INBOX", "KIND", "LANE", "AGE", "TRIED", "NEXT"], &rows));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_need_to_be() {
        let rows = vec![vec!["1".to_owned(), "a.example".to_owned(), "x".to_owned()]];
        assert_eq!(table(&["ID", "HOST", "S"], &rows), "ID  HOST       S\n1   a.example  x\n");
    }

    #[test]
    fn spans_are_short() {
        for (seconds, text) in [(0, "0s"), (61, "1m"), (7200, "2h"), (200_000, "2d")] {
            assert_eq!(short(seconds), text);
        }
    }
}
