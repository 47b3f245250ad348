//! What the buttons of a destination's page do.

use axum::extract::Path;
use axum::response::Response;

use super::super::frame::Member;
use super::super::go;
use super::super::view::Notice;
use super::{number, only_admins};
use crate::base::Problem;
use crate::domain::delivery::admin::{CAP_LIMITS, Letters, RATE_LIMITS, Selection};
use crate::edge::api::params::Params;
use crate::queue::Action;

/// `POST /settings/deliveries/id/act`.
pub(super) async fn act(
    member: Member,
    Path((id, act)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    only_admins(&member)?;
    let visit = member.visit;
    visit.browser.check(params.text("csrf").as_deref())?;
    let id = number(&id)?;
    let (action, notice) = match act.as_str() {
        "pause" => (Action::Pause, Notice::DestinationPaused),
        "resume" => (Action::Resume, Notice::DestinationResumed),
        "probe" => (Action::Probe, Notice::DestinationProbed),
        "limits" => (limits(&params)?, Notice::LimitsSaved),
        "purge" => (Action::Purge(Selection::default()), Notice::JobsPurged),
        "replay" => (Action::Replay(Letters::default()), Notice::LettersReplayed),
        "forget" => (Action::Forget(Letters::default()), Notice::LettersForgotten),
        _ => return Err(Problem::not_found()),
    };
    visit.state.desk().act(id, action).await?.ok_or_else(Problem::not_found)?;
    Ok(go::saying(&visit.state.site, notice, go::to(&format!("/settings/deliveries/{}", id.0))))
}

/// An empty field leaves it to the queue.
fn limits(params: &Params) -> Result<Action, Problem> {
    let wrong = |what: &str, least: &str, most: &str| {
        Problem::invalid(format!("{what} is a number from {least} to {most}, or empty"))
    };
    let rate = params.filled("rate").map(|text| text.trim().parse::<f32>());
    let cap = params.filled("cap").map(|text| text.trim().parse::<u32>());
    let is_rate = |rate: &f32| (RATE_LIMITS.0..=RATE_LIMITS.1).contains(rate);
    let is_cap = |cap: &u32| (CAP_LIMITS.0..=CAP_LIMITS.1).contains(cap);
    let rate_max = match rate {
        None => None,
        Some(rate) => Some(rate.ok().filter(is_rate).ok_or_else(|| {
            wrong("Requests a second", &RATE_LIMITS.0.to_string(), &RATE_LIMITS.1.to_string())
        })?),
    };
    let cap_max = match cap {
        None => None,
        Some(cap) => Some(cap.ok().filter(is_cap).ok_or_else(|| {
            wrong("Requests at once", &CAP_LIMITS.0.to_string(), &CAP_LIMITS.1.to_string())
        })?),
    };
    Ok(Action::Limit { rate_max, cap_max })
}
