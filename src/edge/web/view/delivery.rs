//! The delivery queue as its pages show it, from what the API would answer.

use std::time::Duration;

use super::chart::{Bar, ChartView, area, bars, logarithmic, seconds};
use super::{When, short_count};
use crate::base::{Id, Timestamp};
use crate::domain::delivery::{Failure, Reached};
use crate::edge::deliveries::entities::{
    DeliveryDeadLetter, DeliveryDestination, DeliveryDestinationDetails, DeliveryHistory, DeliveryJob,
    DeliveryOverview,
};

/// Pixels, or so, of the bar beside the fullest lane.
const LANE_BAR: u64 = 100;

/// A state of a destination: the name of its look, and a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateView {
    /// The name of its look in the styles.
    pub look: &'static str,
    /// What people read.
    pub label: &'static str,
    /// What it means, in a sentence.
    pub meaning: &'static str,
}

impl StateView {
    /// Of a state as entities name it.
    pub fn of(state: &str, is_paused: bool) -> StateView {
        let (look, label, meaning) = match (is_paused, state) {
            (true, _) => ("paused", "Paused", "An admin holds it: nothing is sent until it is resumed."),
            (_, "closed") => ("well", "Well", "Deliveries go there as they come."),
            (_, "open") => {
                ("open", "Left alone", "It failed too often, so it is given time before it is tried again.")
            }
            (_, "half_open") => {
                ("trying", "Trying", "It is tried with one delivery at a time, to see whether it is back.")
            }
            (_, "dormant") => {
                ("dormant", "Dormant", "Nothing got through for two days; it is tried every six hours.")
            }
            _ => ("dead", "Dead", "Nothing got through for a week; it is tried once a week."),
        };
        StateView { look, label, meaning }
    }
}

/// A lane, with its share of the fullest.
#[derive(Debug, Clone, PartialEq)]
pub struct LaneView {
    /// What people read.
    pub label: &'static str,
    /// What is in it.
    pub holds: &'static str,
    /// Jobs that may be sent now.
    pub ready: u64,
    /// The length of its bar, of 100.
    pub bar: u64,
    /// When the oldest was written.
    pub oldest: Option<When>,
}

/// What changes while one looks: sums and charts.
#[derive(Debug, Clone)]
pub struct BoardView {
    /// The queue runs.
    pub is_running: bool,
    /// What is wrong with the queue as a whole.
    pub alerts: Vec<String>,
    /// Jobs that wait.
    pub waiting: u64,
    /// When the oldest was written.
    pub oldest: Option<When>,
    /// Jobs that wait for their retry.
    pub deferred: u64,
    /// Jobs that were given up.
    pub dead: u64,
    /// Attempts under way.
    pub in_flight: u64,
    /// Attempts at once, at most.
    pub slots: u64,
    /// Nodes that send; 0 where there is only this one.
    pub nodes: usize,
    /// Destinations that are well, and those that are not.
    pub well: u64,
    /// Destinations that are left alone, tried, dormant or dead.
    pub unwell: u64,
    /// Destinations that an admin holds.
    pub paused: u64,
    /// Ready jobs.
    pub lanes: Vec<LaneView>,
    /// The last hour.
    pub charts: Vec<ChartView>,
}

/// A time that an entity holds.
fn when(text: Option<&String>, now: Timestamp) -> Option<When> {
    Some(When::new(Timestamp::parse_rfc3339(text?)?, now))
}

/// A time to come, in words: `in 12 min`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// `in 12 min`, or `now`.
    pub short: String,
    /// In full.
    pub full: String,
}

fn ahead(text: Option<&String>, now: Timestamp) -> Option<Ahead> {
    let at = Timestamp::parse_rfc3339(text?)?;
    let left = at.since(now);
    let short = if left.is_zero() {
        "now".to_owned()
    } else {
        format!("in {}", seconds(left.as_secs_f64().max(1.0)))
    };
    Some(Ahead { short, full: When::new(at, now).full })
}

impl BoardView {
    /// The queue as it is now, and its last hour in minutes.
    pub fn new(now: &DeliveryOverview, hour: &DeliveryHistory, at: Timestamp) -> BoardView {
        let fullest = now.lanes.iter().map(|lane| lane.ready).max().unwrap_or(0).max(1);
        let words = |name: &str| match name {
            "interactive" => ("Interactive", "follows, replies to people, what they wait for"),
            "fresh" => ("Fresh", "new posts, boosts and likes"),
            _ => ("Bulk", "retries, profiles, backlog"),
        };
        let lane = |lane: &crate::edge::deliveries::entities::DeliveryLane| LaneView {
            label: words(&lane.name).0,
            holds: words(&lane.name).1,
            ready: lane.ready,
            bar: (lane.ready * LANE_BAR).div_ceil(fullest),
            oldest: when(lane.oldest_at.as_ref(), at),
        };
        let states = &now.destinations;
        BoardView {
            is_running: now.is_running,
            alerts: now.alerts.clone(),
            waiting: now.waiting,
            oldest: when(now.oldest_at.as_ref(), at),
            deferred: now.deferred,
            dead: now.dead_letters,
            in_flight: now.in_flight,
            slots: now.slots,
            nodes: now.nodes.len(),
            well: states.closed,
            unwell: states.open + states.half_open + states.dormant + states.dead,
            paused: states.paused,
            lanes: now.lanes.iter().map(lane).collect(),
            charts: vec![throughput(hour, at), latency(hour), backlog(hour, now.waiting)],
        }
    }
}

fn throughput(hour: &DeliveryHistory, now: Timestamp) -> ChartView {
    let all: Vec<Bar> = hour
        .stretches
        .iter()
        .map(|stretch| {
            let from = Timestamp::parse_rfc3339(&stretch.from).unwrap_or(now);
            let (good, bad) = (stretch.delivered, stretch.failed);
            Bar {
                good,
                bad,
                title: format!("{}: {good} delivered, {bad} failed", &When::new(from, now).full),
            }
        })
        .collect();
    let (good, bad) = all.iter().fold((0, 0), |(good, bad), bar| (good + bar.good, bad + bar.bad));
    let summary = format!("{good} deliveries accepted in the last hour, {bad} attempts failed.");
    let (y, svg) = bars(&all, &summary);
    ChartView {
        title: "Deliveries a minute",
        summary,
        latest: short_count(good),
        legend: &[("good", "accepted"), ("bad", "failed")],
        y,
        svg,
    }
}

fn latency(hour: &DeliveryHistory) -> ChartView {
    let p50: Vec<Option<f64>> = hour.stretches.iter().map(|stretch| stretch.p50_s).collect();
    let p95: Vec<Option<f64>> = hour.stretches.iter().map(|stretch| stretch.p95_s).collect();
    let latest = p50.iter().rev().flatten().next().copied();
    let slow = p95.iter().rev().flatten().next().copied();
    let summary = match (latest, slow) {
        (Some(p50), Some(p95)) => {
            format!(
                "Of the latest deliveries half took at most {}, 95 of 100 at most {}.",
                seconds(p50),
                seconds(p95)
            )
        }
        _ => "Nothing was delivered in the last hour.".to_owned(),
    };
    let (y, svg) = logarithmic(&[("p95", p95), ("p50", p50)], &summary);
    ChartView {
        title: "From writing to delivery",
        summary,
        latest: latest.map_or_else(|| "–".to_owned(), seconds),
        legend: &[("p50", "half of them"), ("p95", "95 of 100")],
        y,
        svg,
    }
}

fn backlog(hour: &DeliveryHistory, waiting: u64) -> ChartView {
    let mut values: Vec<Option<u64>> = hour.stretches.iter().map(|stretch| stretch.waiting).collect();
    if let Some(last) = values.last_mut() {
        *last = Some(waiting);
    }
    let most = values.iter().flatten().copied().max().unwrap_or(0);
    let summary = format!("{waiting} jobs wait now, {most} at most in the last hour.");
    let (y, svg) = area(&values, &summary);
    ChartView { title: "Waiting", summary, latest: short_count(waiting), legend: &[("line", "jobs")], y, svg }
}

/// A destination as a row.
#[derive(Debug, Clone, PartialEq)]
pub struct DestinationRow {
    /// Its page.
    pub path: String,
    /// Its host.
    pub host: String,
    /// Of what sort it is, where that is not "another server".
    pub sort: &'static str,
    /// How it is.
    pub state: StateView,
    /// What the last failure was; empty where it is well.
    pub cause: String,
    /// Jobs that wait.
    pub waiting: u64,
    /// Jobs that were given up.
    pub dead: u64,
    /// Failures in a row.
    pub failures: u32,
    /// When the oldest job was written.
    pub oldest: Option<When>,
    /// The last success.
    pub last_ok: Option<When>,
}

impl DestinationRow {
    /// Of a destination.
    pub fn new(one: &DeliveryDestination, now: Timestamp) -> DestinationRow {
        DestinationRow {
            path: format!("/settings/deliveries/{}", one.id),
            host: one.host.clone(),
            sort: sort_word(&one.class),
            state: StateView::of(&one.state, one.is_paused),
            cause: if one.state == "closed" { String::new() } else { one.cause.clone() },
            waiting: one.waiting,
            dead: one.dead_letters,
            failures: one.failures,
            oldest: when(one.oldest_at.as_ref(), now),
            last_ok: when(one.last_ok_at.as_ref(), now),
        }
    }
}

fn sort_word(class: &str) -> &'static str {
    match class {
        "push" => "push service",
        "webhook" => "webhook",
        "mail" => "mail server",
        "web" => "pages and files",
        "ingress" => "incoming",
        "local" => "this server",
        _ => "",
    }
}

/// A turn of the breaker.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnView {
    /// When.
    pub at: When,
    /// What it became.
    pub to: StateView,
    /// Why; empty where it got well.
    pub cause: String,
}

/// An error.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorView {
    /// When.
    pub at: When,
    /// In a few words.
    pub words: String,
}

/// A job that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct JobView {
    /// What it is.
    pub kind: String,
    /// Where it goes; its host is the page's.
    pub inbox: String,
    /// Its lane.
    pub lane: String,
    /// When it was written.
    pub created: When,
    /// Attempts that failed.
    pub attempts: u8,
    /// When it is tried again; `None`: as soon as its turn comes.
    pub next: Option<Ahead>,
    /// The address that says why it waits.
    pub why: String,
    /// Why it waits, where that was asked.
    pub reason: Option<String>,
}

/// A job that was given up.
#[derive(Debug, Clone, PartialEq)]
pub struct LetterView {
    /// What it was.
    pub kind: String,
    /// When it was given up.
    pub died: When,
    /// Why, in words.
    pub reason: &'static str,
    /// What went wrong.
    pub error: String,
    /// Attempts that failed.
    pub attempts: u8,
}

/// A destination with everything that is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct DestinationView {
    /// As in the list.
    pub row: DestinationRow,
    /// Its number.
    pub id: String,
    /// Another server or a push service: one that can be limited and probed.
    pub is_remote: bool,
    /// An admin holds it.
    pub is_paused: bool,
    /// Requests under way; `None` where another node sends there.
    pub in_flight: Option<u32>,
    /// Which of several nodes sends there.
    pub node: Option<u8>,
    /// How many may be.
    pub cap: String,
    /// Requests a second.
    pub rate: String,
    /// Round-trip time.
    pub rtt: String,
    /// When it is tried again.
    pub next_probe: Option<Ahead>,
    /// It asked for quiet until then.
    pub quiet: Option<Ahead>,
    /// Ready jobs of the three lanes, then those that wait for a retry.
    pub waiting: [u64; 4],
    /// The limits, as typed.
    pub limits: (String, String),
    /// Turns of the breaker, the newest first.
    pub turns: Vec<TurnView>,
    /// Errors, the newest first.
    pub errors: Vec<ErrorView>,
}

impl DestinationView {
    /// Of a destination.
    pub fn new(details: &DeliveryDestinationDetails, now: Timestamp) -> DestinationView {
        let (one, limits) = (&details.destination, &details.limits);
        let at = |text: &str| When::new(Timestamp::parse_rfc3339(text).unwrap_or(now), now);
        let ready = |lane: usize| one.ready.get(lane).copied().unwrap_or_default();
        let is_remote = !matches!(one.class.as_str(), "local" | "ingress");
        let cap = if is_remote { one.cap.floor().max(1.0) } else { one.cap };
        DestinationView {
            row: DestinationRow::new(one, now),
            id: one.id.clone(),
            is_remote,
            is_paused: one.is_paused,
            in_flight: one.in_flight,
            node: one.node,
            cap: number(cap),
            rate: number(one.rate),
            rtt: one.rtt_ms.map_or_else(|| "–".to_owned(), |ms| seconds(f64::from(ms) / 1000.0)),
            next_probe: ahead(one.next_probe_at.as_ref(), now).filter(|_| one.state != "closed"),
            quiet: ahead(one.quiet_until.as_ref(), now).filter(|quiet| quiet.short != "now"),
            waiting: [ready(0), ready(1), ready(2), one.deferred],
            limits: (
                limits.rate_max.map(number).unwrap_or_default(),
                limits.cap_max.map(|cap| cap.to_string()).unwrap_or_default(),
            ),
            turns: details
                .turns
                .iter()
                .map(|turn| TurnView {
                    at: at(&turn.at),
                    to: StateView::of(&turn.to, false),
                    cause: turn.cause.clone(),
                })
                .collect(),
            errors: details
                .errors
                .iter()
                .map(|error| ErrorView { at: at(&error.at), words: error.words.clone() })
                .collect(),
        }
    }
}

/// A number without digits that say nothing.
fn number(value: f32) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What an activity says, for people.
fn kind_words(kind: &str) -> String {
    let known = match kind {
        "create" => "New post",
        "update" => "Edited post",
        "update_actor" => "Changed profile",
        "update_tally" => "Votes of a poll",
        "delete" => "Deletion",
        "undo" => "Taking back",
        "follow" => "Follow",
        "accept" => "Accepted follow",
        "reject" => "Rejected follow",
        "block" => "Block",
        "announce" => "Boost",
        "like" => "Like",
        "move" => "Move of an account",
        "flag" => "Report",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let mut words = kind.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

impl JobView {
    /// Of a job of the destination with this page. `reason` is why it waits.
    pub fn new(job: &DeliveryJob, page: &str, reason: Option<String>, now: Timestamp) -> JobView {
        let at = Timestamp::parse_rfc3339(&job.created_at).unwrap_or(now);
        JobView {
            kind: kind_words(&job.kind),
            inbox: path_of(job.inbox_url.as_deref().unwrap_or_default()),
            lane: job.lane.clone(),
            created: When::new(at, now),
            attempts: job.attempts,
            next: ahead(job.next_try_at.as_ref(), now),
            why: format!("{page}?act={}&inbox={}#why", job.act, job.inbox),
            reason,
        }
    }
}

/// An address without its host.
fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or(String::new(), |at| rest[at..].to_owned())
}

impl LetterView {
    /// Of a dead letter.
    pub fn new(letter: &DeliveryDeadLetter, now: Timestamp) -> LetterView {
        let died = Timestamp::parse_rfc3339(&letter.died_at).unwrap_or(now);
        LetterView {
            kind: kind_words(&letter.kind),
            died: When::new(died, now),
            reason: reason_words(&letter.reason),
            error: letter.error.clone(),
            attempts: letter.attempts,
        }
    }
}

/// A host that did not get a post.
#[derive(Debug, Clone, PartialEq)]
pub struct FailureView {
    /// The host.
    pub host: String,
    /// Why, in words.
    pub reason: &'static str,
    /// When it was given up.
    pub at: When,
}

/// A post that is younger than this may not be on its way yet.
const NEW_FOR: Duration = Duration::from_secs(60);

/// Where a post has got to.
#[derive(Debug, Clone, PartialEq)]
pub struct ReachView {
    /// Where to ask anew.
    pub path: String,
    /// Whether it may still change by itself.
    pub is_moving: bool,
    /// What is counted: `server` or `inbox`, and the same of several.
    pub unit: (&'static str, &'static str),
    /// Those that have it.
    pub delivered: u64,
    /// Those that are still tried.
    pub pending: u64,
    /// Those that were given up.
    pub failed: u64,
    /// The hosts of some of those.
    pub failures: Vec<FailureView>,
}

impl ReachView {
    /// Of what the queue knows of a post; nothing of one that went nowhere.
    pub fn new(post: Id, written: Timestamp, reached: Option<&Reached>, now: Timestamp) -> Option<ReachView> {
        let is_new = now.since(written) < NEW_FOR;
        let nothing = Reached::default();
        let reached = reached.or(is_new.then_some(&nothing))?;
        let failure = |failure: &Failure| FailureView {
            host: failure.host.clone(),
            reason: reason_words(failure.reason.name()),
            at: When::new(failure.at, now),
        };
        Some(ReachView {
            path: format!("/posts/{post}/reach"),
            is_moving: reached.pending > 0 || (is_new && reached.total == 0),
            // Nearly always each server has one inbox for all.
            unit: if reached.total == reached.servers { ("server", "servers") } else { ("inbox", "inboxes") },
            delivered: reached.delivered,
            pending: reached.pending,
            failed: reached.failed,
            failures: reached.failures.iter().map(failure).collect(),
        })
    }

    /// What is counted, of so many.
    pub fn units(&self, count: &u64) -> &'static str {
        if *count == 1 { self.unit.0 } else { self.unit.1 }
    }
}

/// Why something was given up, for people.
fn reason_words(reason: &str) -> &'static str {
    match reason {
        "refused" => "They refused it",
        "exhausted" => "Every retry failed",
        "expired" => "It got too old",
        "poison" => "We stumbled over it twice",
        "gone" => "The inbox is gone",
        _ => "Given up",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::deliveries::entities::{DeliveryLane, DeliveryStates, DeliveryStretch};

    const NOW: Timestamp = Timestamp::from_secs(1_764_000_000);

    #[test]
    fn every_state_has_words_and_a_hold_wins() {
        for (state, label) in [
            ("closed", "Well"),
            ("open", "Left alone"),
            ("half_open", "Trying"),
            ("dormant", "Dormant"),
            ("dead", "Dead"),
        ] {
            assert_eq!(StateView::of(state, false).label, label);
            assert_eq!(StateView::of(state, true).label, "Paused");
        }
    }

    #[test]
    fn times_to_come_are_told_from_now() {
        for (wait_s, words) in [(0, "now"), (30, "in 30 s"), (720, "in 12 min"), (90_000, "in 25 h")] {
            let at = NOW.plus(std::time::Duration::from_secs(wait_s)).rfc3339();
            assert_eq!(ahead(Some(&at), NOW).unwrap().short, words);
        }
    }

    #[test]
    fn a_board_shows_sums_shares_and_three_charts() {
        let lane =
            |name: &str, ready| DeliveryLane { name: name.into(), ready, oldest_at: Some(NOW.rfc3339()) };
        let overview = DeliveryOverview {
            is_running: true,
            alerts: vec!["There is no network.".into()],
            waiting: 60,
            deferred: 5,
            dead_letters: 2,
            oldest_at: None,
            lanes: vec![lane("interactive", 5), lane("fresh", 50), lane("bulk", 0)],
            in_flight: 3,
            slots: 256,
            nodes: Vec::new(),
            destinations: DeliveryStates { closed: 8, open: 1, dormant: 1, ..DeliveryStates::default() },
        };
        let stretch = DeliveryStretch {
            from: NOW.rfc3339(),
            delivered: 7,
            failed: 1,
            p50_s: Some(0.2),
            p95_s: Some(1.0),
            waiting: None,
        };
        let hour = DeliveryHistory { step_s: 60, stretches: vec![stretch] };
        let board = BoardView::new(&overview, &hour, NOW);
        assert_eq!((board.well, board.unwell), (8, 2));
        assert_eq!(board.lanes.iter().map(|lane| lane.bar).collect::<Vec<_>>(), [10, 100, 0]);
        assert_eq!(board.charts[0].summary, "7 deliveries accepted in the last hour, 1 attempts failed.");
        assert_eq!(board.charts[1].latest, "200 ms");
        assert_eq!(board.charts[2].latest, "60");
    }

    #[test]
    fn addresses_lose_their_host() {
        assert_eq!(path_of("https://a.example/users/b/inbox"), "/users/b/inbox");
        assert_eq!(path_of("https://a.example"), "");
    }
}
