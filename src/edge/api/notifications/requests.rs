//! People whose notifications are held back (docs: entities/NotificationRequest).

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::base::{Id, Problem, limits};
use crate::domain::notification::{self, Asking};
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::api::page::{PageParams, page, paged};
use crate::edge::api::params::{GivenId, Input, Params, one_or_more};
use crate::edge::api::people::{IdPath, account};
use crate::edge::api::render;
use crate::edge::auth::Auth;
use crate::model::Site;
use crate::wire::mastodon::{Empty, Merged, NotificationRequest};

/// Requests that can be answered at once.
const SEVERAL_MAX: usize = 200;

fn entity(site: &Site, me: Id, asking: &Asking) -> NotificationRequest {
    let status = asking.status.as_ref().map(|loaded| render::status(site, Some(me), loaded));
    NotificationRequest::new(&asking.request, account(site, &asking.from), status)
}

/// Who is not heard but asks to be, newest first.
#[utoipa::path(get, path = "/api/v1/notifications/requests", tag = "Notifications", params(PageParams),
    security(("oauth" = ["read:notifications"])),
    responses((status = 200, body = Vec<NotificationRequest>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let me = auth.me("read:notifications")?.id;
    let (viewer, page) = (Viewer::account(me, state.now()), page(&params, limits::PAGE_ACCOUNTS)?);
    let found = state.store.read(move |tx| notification::requests(tx, viewer, &page)).await?;
    Ok(paged(&state.site, &uri, found.map(|asking| entity(&state.site, me, &asking))))
}

/// One request.
#[utoipa::path(get, path = "/api/v1/notifications/requests/{id}", tag = "Notifications",
    params(("id" = String, Path)),
    security(("oauth" = ["read:notifications"])), responses((status = 200, body = NotificationRequest)))]
pub(super) async fn one(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<NotificationRequest>, Problem> {
    let me = auth.me("read:notifications")?.id;
    let viewer = Viewer::account(me, state.now());
    let found = state.store.read(move |tx| notification::request(tx, viewer, id)).await?;
    Ok(Json(entity(&state.site, me, &found.ok_or_else(Problem::not_found)?)))
}

/// What is done about requests.
#[derive(Debug, Clone, Copy)]
enum Verdict {
    Accept,
    Dismiss,
}

/// Answers requests; gives how many of them there were.
async fn settle(state: &AppState, me: Id, ids: Vec<Id>, verdict: Verdict) -> Result<usize, Problem> {
    let written = state.store.write(move |tx| match verdict {
        Verdict::Accept => notification::accept(tx, me, &ids),
        Verdict::Dismiss => notification::dismiss_requests(tx, me, &ids),
    });
    Ok(written.await?)
}

async fn settle_one(state: &AppState, me: Id, id: Id, verdict: Verdict) -> Result<Json<Empty>, Problem> {
    match settle(state, me, vec![id], verdict).await? {
        0 => Err(Problem::not_found()),
        _ => Ok(Json(Empty {})),
    }
}

/// Hears somebody from now on, and what they said before, too.
#[utoipa::path(post, path = "/api/v1/notifications/requests/{id}/accept", tag = "Notifications",
    params(("id" = String, Path)),
    security(("oauth" = ["write:notifications"])), responses((status = 200, body = Empty)))]
pub(super) async fn accept(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    settle_one(&state, auth.me("write:notifications")?.id, id, Verdict::Accept).await
}

/// Drops what somebody said.
#[utoipa::path(post, path = "/api/v1/notifications/requests/{id}/dismiss", tag = "Notifications",
    params(("id" = String, Path)),
    security(("oauth" = ["write:notifications"])), responses((status = 200, body = Empty)))]
pub(super) async fn dismiss(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    settle_one(&state, auth.me("write:notifications")?.id, id, Verdict::Dismiss).await
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Several {
    /// At most 200.
    #[serde(default, deserialize_with = "one_or_more")]
    id: Vec<GivenId>,
}

impl Several {
    fn ids(&self) -> Result<Vec<Id>, Problem> {
        if self.id.len() > SEVERAL_MAX {
            return Err(Problem::invalid(format!("At most {SEVERAL_MAX} requests can be answered at once")));
        }
        Ok(self.id.iter().map(|id| id.0).collect())
    }
}

/// Hears several people; requests that are missing do not matter.
#[utoipa::path(post, path = "/api/v1/notifications/requests/accept", tag = "Notifications",
    request_body = Several,
    security(("oauth" = ["write:notifications"])), responses((status = 200, body = Empty)))]
pub(super) async fn accept_several(
    State(state): State<AppState>,
    auth: Auth,
    several: Input<Several>,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:notifications")?.id;
    settle(&state, me, several.ids()?, Verdict::Accept).await?;
    Ok(Json(Empty {}))
}

/// Drops what several people said; requests that are missing do not matter.
#[utoipa::path(post, path = "/api/v1/notifications/requests/dismiss", tag = "Notifications",
    request_body = Several,
    security(("oauth" = ["write:notifications"])), responses((status = 200, body = Empty)))]
pub(super) async fn dismiss_several(
    State(state): State<AppState>,
    auth: Auth,
    several: Input<Several>,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:notifications")?.id;
    settle(&state, me, several.ids()?, Verdict::Dismiss).await?;
    Ok(Json(Empty {}))
}

/// Whether everything that was accepted is among the notifications: always,
/// because accepting does it at once.
#[utoipa::path(get, path = "/api/v1/notifications/requests/merged", tag = "Notifications",
    security(("oauth" = ["read:notifications"])), responses((status = 200, body = Merged)))]
pub(super) async fn merged(auth: Auth) -> Result<Json<Merged>, Problem> {
    auth.me("read:notifications")?;
    Ok(Json(Merged { merged: true }))
}
