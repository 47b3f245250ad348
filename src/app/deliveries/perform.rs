//! What each command does, and what it says.

use serde::Serialize;

use super::print;
use crate::app::cli::{DeliveriesCommand, DeliveriesOrder, OrderName, StateName};
use crate::base::{Id, Problem, ProblemKind, Timestamp};
use crate::domain::delivery::admin::{CAP_LIMITS, Letters, RATE_LIMITS, Selection};
use crate::edge::deliveries::entities::DeliveryDestination;
use crate::edge::deliveries::{Office, letter_key, letter_name};
use crate::model::queue::{Breaker, DeadReason, DestinationId, InboxId, JobKind};
use crate::queue::{Action, Ask, Sort};

/// Dead letters that one step of an export looks at.
const EXPORT_ROWS: usize = 5_000;
/// Destinations of a list, at most.
const LIST_MAX: usize = 10_000;

/// Does what was asked and gives what to print.
///
/// # Errors
/// What stands in the way, and what to do about it.
pub async fn perform(office: &Office, order: DeliveriesOrder) -> Result<String, Problem> {
    let is_json = order.json;
    match order.command {
        DeliveriesCommand::List { order, state, paused, find, limit } => {
            let ask = Ask {
                sort: sort(order),
                class: None,
                state: state.map(breaker),
                only_stopped: paused,
                name: find.map(|name| name.to_lowercase()),
                offset: 0,
                limit: limit.min(LIST_MAX),
            };
            list(office, &ask, is_json).await
        }
        DeliveriesCommand::Show { host, jobs } => show(office, &host, jobs, is_json).await,
        DeliveriesCommand::Pause { host } => act(office, &host, Action::Pause, is_json, "is paused").await,
        DeliveriesCommand::Resume { host } => {
            act(office, &host, Action::Resume, is_json, "is sent to again, slowly at first").await
        }
        DeliveriesCommand::Probe { host } => probe(office, &host, is_json).await,
        DeliveriesCommand::Limits { host, rate, cap } => {
            let action = limits(rate, cap)?;
            act(office, &host, action, is_json, "has new limits").await
        }
        DeliveriesCommand::Purge { host, sender, kind, before } => {
            let chosen = Selection {
                destination: None,
                sender: sender.as_deref().map(id).transpose()?,
                kind: kind.as_deref().map(job_kind).transpose()?,
                before: before.as_deref().map(time).transpose()?,
            };
            act(office, &host, Action::Purge(chosen), is_json, "lost").await
        }
        DeliveriesCommand::Replay { host, reason, from, until } => {
            let chosen = letters(reason.as_deref(), from.as_deref(), until.as_deref())?;
            act(office, &host, Action::Replay(chosen), is_json, "gets again").await
        }
        DeliveriesCommand::Explain { host, act, inbox } => {
            let (number, act) = (find(office, &host).await?, id(&act)?);
            let why = office.explain(number, act, InboxId(inbox)).await?;
            if is_json { json(&why) } else { Ok(format!("{}\n", why.words)) }
        }
        DeliveriesCommand::Export { host, reason, after } => {
            let mut chosen = letters(reason.as_deref(), None, None)?;
            if let Some(host) = host {
                chosen.destination = Some(find(office, &host).await?);
            }
            export(office, chosen, after.as_deref()).await
        }
    }
}

fn json(value: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(Problem::internal)
}

async fn find(office: &Office, called: &str) -> Result<DestinationId, Problem> {
    office.find(called).await?.ok_or_else(|| {
        Problem::new(ProblemKind::NotFound, format!("nothing was ever sent to `{called}`"))
            .hint("`waxwing deliveries list` shows every destination")
    })
}

async fn list(office: &Office, ask: &Ask, is_json: bool) -> Result<String, Problem> {
    let (overview, listed) = (office.overview().await?, office.list(ask).await?);
    if is_json {
        return json(&listed.destinations);
    }
    Ok(print::list(&overview, &listed, office.clock.now()))
}

async fn show(office: &Office, host: &str, rows: usize, is_json: bool) -> Result<String, Problem> {
    let id = find(office, host).await?;
    let details = office.details(id).await?.ok_or_else(Problem::not_found)?;
    let jobs = office.jobs(id, rows.min(LIST_MAX)).await?;
    if is_json {
        return json(&serde_json::json!({ "details": details, "jobs": jobs }));
    }
    Ok(print::details(&details, &jobs, office.clock.now()))
}

async fn act(
    office: &Office,
    host: &str,
    action: Action,
    is_json: bool,
    done: &str,
) -> Result<String, Problem> {
    let id = find(office, host).await?;
    let jobs = office.desk.act(id, action).await?.ok_or_else(Problem::not_found)?;
    if is_json {
        return json(&serde_json::json!({ "jobs": jobs }));
    }
    Ok(match action {
        Action::Purge(_) | Action::Replay(_) | Action::Forget(_) => {
            format!("{host} {done} {jobs} {}\n", if jobs == 1 { "delivery" } else { "deliveries" })
        }
        _ => format!("{host} {done}\n"),
    })
}

/// A probe is nothing that is kept: it takes a queue that runs.
async fn probe(office: &Office, host: &str, is_json: bool) -> Result<String, Problem> {
    if office.desk.live().await.is_none() {
        return Err(Problem::new(ProblemKind::Unavailable, "no server runs that could try it")
            .hint("start the server; it looks at what waits by itself"));
    }
    act(office, host, Action::Probe, is_json, "is tried now").await
}

async fn export(office: &Office, chosen: Letters, after: Option<&str>) -> Result<String, Problem> {
    let page = office.letters(chosen, after.and_then(letter_key), EXPORT_ROWS).await?;
    let mut said = page.next.as_ref().map(letter_name).unwrap_or_default();
    said.push('\n');
    for letter in &page.letters {
        said.push_str(&serde_json::to_string(letter).map_err(Problem::internal)?);
        said.push('\n');
    }
    Ok(said)
}

fn limits(rate_max: Option<f32>, cap_max: Option<u32>) -> Result<Action, Problem> {
    if rate_max.is_some_and(|rate| !(RATE_LIMITS.0..=RATE_LIMITS.1).contains(&rate)) {
        let (least, most) = RATE_LIMITS;
        return Err(Problem::invalid(format!("`--rate` is from {least} to {most} requests a second")));
    }
    if cap_max.is_some_and(|cap| !(CAP_LIMITS.0..=CAP_LIMITS.1).contains(&cap)) {
        let (least, most) = CAP_LIMITS;
        return Err(Problem::invalid(format!("`--cap` is from {least} to {most} requests at once")));
    }
    Ok(Action::Limit { rate_max, cap_max })
}

fn letters(reason: Option<&str>, from: Option<&str>, until: Option<&str>) -> Result<Letters, Problem> {
    let known = || {
        let names = DeadReason::ALL.map(DeadReason::name).join("`, `");
        Problem::invalid(format!("a dead letter's reason is one of `{names}`"))
    };
    Ok(Letters {
        destination: None,
        act: None,
        reason: reason.map(|name| DeadReason::from_name(name).ok_or_else(known)).transpose()?,
        from: from.map(time).transpose()?,
        until: until.map(time).transpose()?,
    })
}

fn time(text: &str) -> Result<Timestamp, Problem> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    Timestamp::parse_rfc3339(&whole).ok_or_else(|| {
        Problem::invalid(format!("`{text}` is no time")).hint("write 2026-11-23 or 2026-11-23T10:00:00Z")
    })
}

fn id(text: &str) -> Result<Id, Problem> {
    text.parse().map_err(|_| Problem::invalid(format!("`{text}` is no id")))
}

fn job_kind(name: &str) -> Result<JobKind, Problem> {
    JobKind::from_name(name).ok_or_else(|| {
        let names = JobKind::ALL.map(JobKind::name).join("`, `");
        Problem::invalid(format!("`{name}` is no kind of work; there are `{names}`"))
    })
}

fn sort(order: OrderName) -> Sort {
    match order {
        OrderName::Backlog => Sort::Backlog,
        OrderName::Age => Sort::Age,
        OrderName::State => Sort::State,
        OrderName::Failures => Sort::Failures,
        OrderName::Dead => Sort::Dead,
        OrderName::Name => Sort::Name,
    }
}

fn breaker(state: StateName) -> Breaker {
    match state {
        StateName::Closed => Breaker::Closed,
        StateName::Open => Breaker::Open,
        StateName::HalfOpen => Breaker::HalfOpen,
        StateName::Dormant => Breaker::Dormant,
        StateName::Dead => Breaker::Dead,
    }
}

/// Whether a destination is as one wants it.
pub(super) fn standing(one: &DeliveryDestination) -> &str {
    if one.is_paused { "paused" } else { &one.state }
}
