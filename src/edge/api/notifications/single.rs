//! Notifications one by one.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{CountLimit, Which, count_limit};
use crate::base::{Id, Problem, limits};
use crate::domain::notification;
use crate::domain::page::Paged;
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::api::page::{PageParams, page, paged};
use crate::edge::api::params::{GivenId, Input, one_or_more};
use crate::edge::api::people::IdPath;
use crate::edge::api::render;
use crate::edge::auth::Auth;
use crate::wire::mastodon::{Empty, Notification, UnreadCount};

/// Notifications that one request may remove (Mastodon's longest page is 80).
const SEVERAL_MAX: usize = 200;

/// What the person was told, newest first.
#[utoipa::path(get, path = "/api/v1/notifications", tag = "Notifications", params(Which, PageParams),
    security(("oauth" = ["read:notifications"])), responses((status = 200, body = Vec<Notification>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    which: Input<Which>,
) -> Result<Response, Problem> {
    let me = auth.me("read:notifications")?.id;
    let page = page(&which.params, limits::PAGE_ACCOUNTS)?;
    let viewer = Viewer::account(me, state.now());
    let found = match which.wanted() {
        Some(wanted) => state.store.read(move |tx| notification::list(tx, viewer, &wanted, &page)).await?,
        None => Paged { items: Vec::new(), newest: None, oldest: None, has_older: false },
    };
    Ok(paged(&state.site, &uri, found.map(|alert| render::notification(&state.site, me, &alert))))
}

/// One notification.
#[utoipa::path(get, path = "/api/v1/notifications/{id}", tag = "Notifications", params(("id" = String, Path)),
    security(("oauth" = ["read:notifications"])), responses((status = 200, body = Notification)))]
pub(super) async fn one(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Notification>, Problem> {
    let me = auth.me("read:notifications")?.id;
    let viewer = Viewer::account(me, state.now());
    let found = state.store.read(move |tx| notification::get(tx, viewer, id)).await?;
    let alert = found.ok_or_else(Problem::not_found)?;
    Ok(Json(render::notification(&state.site, me, &alert)))
}

async fn remove(state: &AppState, me: Id, id: Id) -> Result<Json<Empty>, Problem> {
    let is_there = state.store.write(move |tx| notification::dismiss(tx, me, id)).await?;
    if is_there { Ok(Json(Empty {})) } else { Err(Problem::not_found()) }
}

/// Removes one notification.
#[utoipa::path(post, path = "/api/v1/notifications/{id}/dismiss", tag = "Notifications",
    params(("id" = String, Path)),
    security(("oauth" = ["write:notifications"])), responses((status = 200, body = Empty)))]
pub(super) async fn dismiss(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    remove(&state, auth.me("write:notifications")?.id, id).await
}

/// Removes one notification.
#[utoipa::path(delete, path = "/api/v1/notifications/{id}", tag = "Notifications",
    params(("id" = String, Path)),
    security(("oauth" = ["write:notifications"])), responses((status = 200, body = Empty)))]
pub(super) async fn delete(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    remove(&state, auth.me("write:notifications")?.id, id).await
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Named {
    id: GivenId,
}

/// Removes one notification, as Mastodon had it before version 1.3.
#[utoipa::path(post, path = "/api/v1/notifications/dismiss", tag = "Notifications", request_body = Named,
    security(("oauth" = ["write:notifications"])), responses((status = 200, body = Empty)))]
pub(super) async fn dismiss_named(
    State(state): State<AppState>,
    auth: Auth,
    named: Input<Named>,
) -> Result<Json<Empty>, Problem> {
    remove(&state, auth.me("write:notifications")?.id, named.id.0).await
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Several {
    #[serde(default, deserialize_with = "one_or_more")]
    #[param(rename = "ids[]", value_type = Vec<String>)]
    ids: Vec<GivenId>,
}

/// Removes several notifications; those that are missing do not matter.
#[utoipa::path(delete, path = "/api/v1/notifications/destroy_multiple", tag = "Notifications",
    params(Several),
    security(("oauth" = ["write:notifications"])), responses((status = 200, body = Empty)))]
pub(super) async fn delete_several(
    State(state): State<AppState>,
    auth: Auth,
    several: Input<Several>,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:notifications")?.id;
    if several.ids.len() > SEVERAL_MAX {
        return Err(Problem::invalid(format!("At most {SEVERAL_MAX} notifications can be removed at once")));
    }
    let ids: Vec<Id> = several.ids.iter().map(|id| id.0).collect();
    state.store.write(move |tx| notification::dismiss_all(tx, me, &ids)).await?;
    Ok(Json(Empty {}))
}

/// Removes all notifications.
#[utoipa::path(post, path = "/api/v1/notifications/clear", tag = "Notifications",
    security(("oauth" = ["write:notifications"])), responses((status = 200, body = Empty)))]
pub(super) async fn clear(State(state): State<AppState>, auth: Auth) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:notifications")?.id;
    state.store.write(move |tx| notification::clear(tx, me)).await?;
    Ok(Json(Empty {}))
}

/// How many are newer than the marker.
#[utoipa::path(get, path = "/api/v1/notifications/unread_count", tag = "Notifications",
    params(Which, CountLimit),
    security(("oauth" = ["read:notifications"])), responses((status = 200, body = UnreadCount)))]
pub(super) async fn unread_count(
    State(state): State<AppState>,
    auth: Auth,
    which: Input<Which>,
) -> Result<Json<UnreadCount>, Problem> {
    let viewer = Viewer::account(auth.me("read:notifications")?.id, state.now());
    let most = count_limit(&which.params)?;
    let Some(wanted) = which.wanted() else { return Ok(Json(UnreadCount { count: 0 })) };
    let count = state.store.read(move |tx| notification::unread_count(tx, viewer, &wanted, most)).await?;
    Ok(Json(UnreadCount { count }))
}
