//! Conversations of direct posts (docs: methods/conversations).

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{PageParams, page, paged};
use super::params::Params;
use super::people::{IdPath, accounts};
use super::render;
use crate::base::{Id, Problem, limits};
use crate::domain::conversation::{self, Exchange};
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::store::StoreError;
use crate::wire::mastodon::{Conversation, Empty, Status};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(remove))
        .routes(routes!(read))
        .routes(routes!(unread))
        .routes(routes!(direct))
}

/// A conversation as one of its people sees it.
pub(super) fn entity(state: &AppState, viewer: Option<Id>, exchange: &Exchange) -> Conversation {
    Conversation {
        id: exchange.conversation.id.to_string(),
        unread: exchange.conversation.is_unread,
        accounts: accounts(&state.site, &exchange.people),
        last_status: Some(render::status(&state.site, viewer, &exchange.last)),
    }
}

/// The person's conversations, latest first.
#[utoipa::path(get, path = "/api/v1/conversations", tag = "Conversations", params(PageParams),
    security(("oauth" = ["read:statuses"])), responses((status = 200, body = Vec<Conversation>)))]
async fn list(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let viewer = Viewer::account(auth.me("read:statuses")?.id, state.now());
    let page = page(&params, limits::PAGE_STATUSES)?;
    let found = state.store.read(move |tx| conversation::list(tx, viewer, &page)).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    Ok(paged(&state.site, &uri, found.map(|exchange| entity(&state, viewer.id, &exchange))))
}

/// Takes a conversation off the list; its posts stay.
#[utoipa::path(delete, path = "/api/v1/conversations/{id}", tag = "Conversations",
    params(("id" = String, Path)),
    security(("oauth" = ["write:conversations"])), responses((status = 200, body = Empty)))]
async fn remove(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(id): IdPath,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:conversations")?.id;
    let was_there = state.store.write(move |tx| conversation::remove(tx, me, id)).await;
    match was_there.map_err(|error: StoreError| Problem::from(error))? {
        true => Ok(Json(Empty {})),
        false => Err(Problem::not_found()),
    }
}

/// Marks a conversation as read.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/read", tag = "Conversations",
    params(("id" = String, Path)),
    security(("oauth" = ["write:conversations"])), responses((status = 200, body = Conversation)))]
async fn read(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(id): IdPath,
) -> Result<Json<Conversation>, Problem> {
    mark(&state, auth.me("write:conversations")?.id, id, false).await
}

/// Marks a conversation as unread.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/unread", tag = "Conversations",
    params(("id" = String, Path)),
    security(("oauth" = ["write:conversations"])), responses((status = 200, body = Conversation)))]
async fn unread(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(id): IdPath,
) -> Result<Json<Conversation>, Problem> {
    mark(&state, auth.me("write:conversations")?.id, id, true).await
}

async fn mark(state: &AppState, me: Id, id: Id, is_unread: bool) -> Result<Json<Conversation>, Problem> {
    let viewer = Viewer::account(me, state.now());
    let change = state.store.write(move |tx| {
        conversation::mark(tx, me, id, is_unread)?;
        conversation::get(tx, viewer, id)
    });
    let found = change.await.map_err(|error: StoreError| Problem::from(error))?;
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(Json(entity(state, viewer.id, &found)))
}

/// Direct posts that the person wrote or got.
#[utoipa::path(get, path = "/api/v1/timelines/direct", tag = "Timelines", params(PageParams),
    security(("oauth" = ["read:statuses"])), responses((status = 200, body = Vec<Status>)))]
async fn direct(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let viewer = Viewer::account(auth.me("read:statuses")?.id, state.now());
    let page = page(&params, limits::PAGE_STATUSES)?;
    let found = state.store.read(move |tx| conversation::direct(tx, viewer, &page)).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    Ok(paged(&state.site, &uri, found.map(|loaded| render::status(&state.site, viewer.id, &loaded))))
}
