//! The inboxes. An activity is checked as far as it can be without acting on
//! it, put into the durable queue, and answered with 202: what was accepted
//! is not lost, and the sender waits for nothing else.
//!
//! The order is from cheap to costly, so that floods are refused early: size,
//! media type, JSON, activities of nobody we know, signature, authority, and
//! whether it was seen before.

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::{RequestExt, extract::FromRequestParts};
use http::request::Parts;

use super::actors;
use super::verify;
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::account;
use crate::domain::delivery::{Place, Task, enqueue};
use crate::domain::inbox::order::{Name, Sight, is_news};
use crate::edge::AppState;
use crate::edge::auth::ClientIp;
use crate::model::Account;
use crate::model::queue::{Body, Job, Lane};
use crate::store::StoreError;
use crate::wire::activitypub::activity::{Activity, Undo, Verb};
use crate::wire::activitypub::uri;
use crate::wire::json::{self, JsonError};
use crate::wire::webfinger::is_activity_type;

/// `POST /inbox`
pub(super) async fn shared(State(state): State<AppState>, request: Request) -> Result<Response, Problem> {
    receive(&state, request).await
}

/// `POST /ap/users/{id}/inbox`
pub(super) async fn personal(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let id: Id = id.parse().map_err(|_| Problem::not_found())?;
    let owner = state.store.read(move |tx| account::get(tx, id)).await?.filter(Account::is_local);
    match owner {
        None => Err(Problem::not_found()),
        Some(owner) if owner.deleted_at.is_some() => {
            Err(Problem::new(ProblemKind::Gone, "the account is gone"))
        }
        Some(_) => receive(&state, request).await,
    }
}

/// `POST /actor/inbox`: the server's own actor follows and is followed by
/// nobody, but what reaches it is treated as at the shared inbox.
pub(super) async fn of_instance(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, Problem> {
    receive(&state, request).await
}

async fn receive(state: &AppState, request: Request) -> Result<Response, Problem> {
    let (mut parts, body) = split(request).await?;
    let media_type = parts.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !is_activity_type(media_type) {
        return Err(Problem::new(
            ProblemKind::UnsupportedMediaType,
            "inboxes take application/activity+json, or application/ld+json with the ActivityStreams profile",
        ));
    }
    let document = json::parse(&body).map_err(|error| refuse_json(&error))?;
    let activity = Activity::read(&document)
        .ok_or_else(|| Problem::malformed("an activity needs a type and an actor"))?;
    if concerns_nobody(state, &activity).await? {
        return Ok(StatusCode::ACCEPTED.into_response());
    }
    let ClientIp(source) =
        ClientIp::from_request_parts(&mut parts, state).await.unwrap_or_else(|e| match e {});
    let signer = verify::signer(state, &parts, &body, source).await?;
    check_authority(&activity, &signer)?;
    keep(state, &activity, &signer, body).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

/// The whole body, which has a limit, and everything else.
async fn split(request: Request) -> Result<(Parts, Bytes), Problem> {
    let (request, body) = (request.with_limited_body()).into_parts();
    let limit = crate::base::limits::ACTIVITY_MAX_BYTES;
    let body = axum::body::to_bytes(body, limit + 1).await.map_err(|_| too_large())?;
    if body.len() > limit { Err(too_large()) } else { Ok((request, body)) }
}

fn too_large() -> Problem {
    Problem::new(ProblemKind::TooLarge, JsonError::TooLarge.to_string())
}

fn refuse_json(error: &JsonError) -> Problem {
    match error {
        JsonError::TooLarge => too_large(),
        other => Problem::malformed(other.to_string()),
    }
}

/// Deletes and Updates by accounts that were never seen here: servers send
/// their deleted accounts to everybody, and to look for the keys of the
/// deleted is in vain.
async fn concerns_nobody(state: &AppState, activity: &Activity) -> Result<bool, Problem> {
    let is_sent_to_all =
        activity.is_self_delete() || matches!(activity.verb, Verb::Update(_) | Verb::Delete(_));
    if !is_sent_to_all {
        return Ok(false);
    }
    let known = actors::known(state, &activity.actor).await.map_err(Problem::internal)?;
    Ok(known.is_none_or(|account| account.deleted_at.is_some()))
}

/// An id belongs to the host of the actor, and the actor to a host other than
/// ours. An activity signed by another than its actor is only a hint, and
/// taken as such when it is acted on.
fn check_authority(activity: &Activity, signer: &Account) -> Result<(), Problem> {
    let is_id_good = activity.id.as_deref().is_none_or(|id| uri::is_same_host(id, &activity.actor));
    if !is_id_good {
        metrics::counter!("waxwing_federation_rejected_total", "reason" => "foreign_id").increment(1);
        return Err(Problem::forbidden("the activity's id is not of its actor's host"));
    }
    if activity.actor != signer.uri && !is_forwardable(&activity.verb) {
        metrics::counter!("waxwing_federation_rejected_total", "reason" => "foreign_actor").increment(1);
        return Err(Problem::new(
            ProblemKind::Unauthenticated,
            "the activity is signed by another than its actor",
        ));
    }
    Ok(())
}

/// What can be checked at its origin. The rest needs its actor's signature.
fn is_forwardable(verb: &Verb) -> bool {
    matches!(verb, Verb::Create(_) | Verb::Update(_) | Verb::Delete(_))
}

/// Puts it into the queue, once for each id, in the lane of the host that
/// sent it.
async fn keep(state: &AppState, activity: &Activity, signer: &Account, body: Bytes) -> Result<(), Problem> {
    let sight = Sight::of(&signer.uri, name(activity, &body));
    let host = uri::host(&signer.uri).unwrap_or_default();
    let task = Task {
        job: Job::Ingest { signer: signer.uri.clone() },
        place: Place::Ingress(host),
        lane: lane(&activity.verb),
        sender: Id::ZERO,
        order: crate::model::queue::OrderKey::NONE,
        body: Body::new(body.to_vec()).map_err(Problem::internal)?,
    };
    let moment = state.moment();
    let is_new = state
        .store
        .write(move |tx| {
            let mut moment = moment.clone();
            if !is_news(tx, &sight, moment.now)? {
                return Ok::<_, StoreError>(false);
            }
            enqueue(tx, &mut moment, &task)?;
            Ok(true)
        })
        .await?;
    let outcome = if is_new { "accepted" } else { "known" };
    metrics::counter!("waxwing_inbox_activities_total", "outcome" => outcome).increment(1);
    Ok(())
}

fn name<'a>(activity: &'a Activity, body: &'a [u8]) -> Name<'a> {
    match (&activity.verb, &activity.id) {
        (Verb::Undo(Undo { id: Some(undone), .. }), _) => Name::UndoOf(undone),
        (_, Some(id)) => Name::Id(id),
        (_, None) => Name::Bytes(body),
    }
}

fn lane(verb: &Verb) -> Lane {
    match verb {
        Verb::Follow(_)
        | Verb::Accept(_)
        | Verb::Reject(_)
        | Verb::Undo(_)
        | Verb::Block(_)
        | Verb::QuoteRequest(_) => Lane::Interactive,
        Verb::Create(_) | Verb::Like(_) | Verb::Announce(_) | Verb::Delete(_) | Verb::Flag(_) => Lane::Fresh,
        Verb::Update(_) | Verb::Other => Lane::Bulk,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undo_is_named_by_what_it_undoes() {
        let follow = r#"{"id":"https://a.example/f/1","type":"Follow","actor":"https://a.example/u/1","object":"https://b.example/u/2"}"#;
        let (start, id) =
            (r#"{"type":"Undo","actor":"https://a.example/u/1","object":"#, "https://a.example/f/1");
        let nameless = follow.replace(r#""id":"https://a.example/f/1","#, "");
        let cases = [
            (follow.to_owned(), Some(Name::Id(id))),
            (format!(r#"{start}"{id}"}}"#), Some(Name::UndoOf(id))),
            (format!("{start}{follow}}}"), Some(Name::UndoOf(id))),
            (nameless, None),
        ];
        for (text, expected) in cases {
            let activity = Activity::read(&json::parse(text.as_bytes()).unwrap()).unwrap();
            let expected = expected.unwrap_or(Name::Bytes(text.as_bytes()));
            assert_eq!(name(&activity, text.as_bytes()), expected, "{text}");
        }
    }
}
