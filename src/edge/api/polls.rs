//! Polls (docs: methods/polls). A poll's id is that of its post, and who may
//! see the post may vote.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::params::{Input, one_or_more};
use super::people::IdPath;
use super::render;
use crate::base::{Id, Problem};
use crate::domain::poll::{PollError, vote as cast};
use crate::domain::timeline::load_one;
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::wire::mastodon::Poll;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(read)).routes(routes!(vote))
}

impl From<PollError> for Problem {
    fn from(error: PollError) -> Problem {
        Problem::invalid(match error {
            PollError::NotFound => return Problem::not_found(),
            PollError::Blocked => return Problem::forbidden("This action is not allowed"),
            PollError::Store(error) => return error.into(),
            PollError::Ended => "Validation failed: The poll has already ended",
            PollError::Own => "Validation failed: You cannot vote in your own polls",
            PollError::Voted => "Validation failed: You have already voted on this poll",
            PollError::NoSuchChoice => "Validation failed: The chosen vote option does not exist",
        })
    }
}

/// The poll of a post that the viewer may see.
async fn poll(state: &AppState, viewer: Viewer, id: Id) -> Result<Json<Poll>, Problem> {
    let loaded = state.store.read(move |tx| load_one(tx, viewer, id)).await?;
    let poll = loaded.and_then(|loaded| render::poll(&state.site, viewer.id, &loaded));
    poll.map(Json).ok_or_else(Problem::not_found)
}

/// One poll.
#[utoipa::path(get, path = "/api/v1/polls/{id}", tag = "Polls", params(("id" = String, Path)),
    security((), ("oauth" = ["read:statuses"])), responses((status = 200, body = Poll)))]
async fn read(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Result<Json<Poll>, Problem> {
    poll(&state, auth.viewer_at("read:statuses", &state)?, id).await
}

/// What is voted for.
#[derive(Debug, Deserialize, ToSchema)]
struct Vote {
    /// Places of the chosen answers, from 0.
    #[serde(default, deserialize_with = "one_or_more")]
    choices: Vec<String>,
}

/// Votes in a poll.
#[utoipa::path(post, path = "/api/v1/polls/{id}/votes", tag = "Polls", params(("id" = String, Path)),
    request_body = Vote, security(("oauth" = ["write:statuses"])), responses((status = 200, body = Poll)))]
async fn vote(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    sent: Input<Vote>,
) -> Result<Json<Poll>, Problem> {
    let me = auth.me("write:statuses")?.id;
    // What is no number is the place of no answer.
    let choices: Vec<usize> =
        sent.choices.iter().map(|text| text.trim().parse().unwrap_or(usize::MAX)).collect();
    let (moment, site) = (state.moment_with(ids_needed(&choices)), state.site.clone());
    state.store.write(move |tx| cast(tx, &mut moment.clone(), &site, me, id, &choices)).await?;
    poll(&state, Viewer::account(me, state.now()), id).await
}

fn ids_needed(choices: &[usize]) -> u16 {
    u16::try_from(choices.len()).unwrap_or(u16::MAX).saturating_mul(2).saturating_add(4)
}
