//! Reading posts, their threads, and who did what with them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;

use super::seen;
use crate::base::{Id, Problem, limits};
use crate::domain::page::{Page, Paged};
use crate::domain::thread;
use crate::domain::timeline::{self, Loaded, Person, load};
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::api::page::{page, paged};
use crate::edge::api::params::Params;
use crate::edge::api::people::{IdPath, account};
use crate::edge::api::render;
use crate::edge::auth::Auth;
use crate::store::{ReadTx, StoreError};
use crate::wire::mastodon::{Context, Status, StatusEdit, StatusSource};

/// Posts that can be asked for at once (Mastodon: DEFAULT_STATUSES_LIMIT).
const SEVERAL_MAX: usize = 20;

pub(super) async fn one(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Status>, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let loaded = seen(&state, viewer, id).await?;
    Ok(Json(render::status(&state.site, viewer.id, &loaded)))
}

pub(super) async fn several(
    State(state): State<AppState>,
    auth: Auth,
    params: Params,
) -> Result<Json<Vec<Status>>, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let ids = params.ids("id");
    if ids.len() > SEVERAL_MAX {
        return Err(Problem::invalid(format!("At most {SEVERAL_MAX} posts can be asked for at once")));
    }
    let found: Vec<Loaded> =
        state.store.read(move |tx| load(tx, viewer, &ids)).await?.into_iter().flatten().collect();
    Ok(Json(render::statuses(&state, viewer.id, &found)))
}

pub(super) async fn context(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Context>, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let found = state.store.read(move |tx| thread::context(tx, viewer, id)).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(Json(Context {
        ancestors: render::statuses(&state, viewer.id, &found.ancestors),
        descendants: render::statuses(&state, viewer.id, &found.descendants),
    }))
}

/// Earlier versions are not kept; the current one always is there, because
/// clients wait for it.
pub(super) async fn history(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<[StatusEdit; 1]>, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let loaded = seen(&state, viewer, id).await?;
    let shown = loaded.shown();
    Ok(Json([StatusEdit::current(&state.site, &shown.status, account(&state.site, &shown.author))]))
}

pub(super) async fn source(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<StatusSource>, Problem> {
    let me = auth.me("read:statuses")?.id;
    let loaded = seen(&state, Viewer::account(me, state.now()), id).await?;
    if loaded.status.account != me {
        return Err(Problem::not_found());
    }
    Ok(Json(StatusSource::from(&loaded.status)))
}

pub(super) async fn favourited_by(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    people(&state, id, &uri, &auth, &params, timeline::favourited_by).await
}

pub(super) async fn reblogged_by(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    people(&state, id, &uri, &auth, &params, timeline::reblogged_by).await
}

type ListPeople = fn(&ReadTx<'_>, Viewer, Id, &Page) -> Result<Paged<Arc<Person>>, StoreError>;

async fn people(
    state: &AppState,
    id: Id,
    uri: &Uri,
    auth: &Auth,
    params: &Params,
    list: ListPeople,
) -> Result<Response, Problem> {
    let viewer = auth.viewer_at("read:accounts", state)?;
    let page = page(params, limits::PAGE_ACCOUNTS)?;
    let shown = seen(state, viewer, id).await?.shown().status.id;
    let people = state.store.read(move |tx| list(tx, viewer, shown, &page)).await?;
    Ok(paged(&state.site, uri, people.map(|person| account(&state.site, &person))))
}

/// Nothing here quotes posts.
pub(super) async fn quotes(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<[Status; 0]>, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    seen(&state, viewer, id).await?;
    Ok(Json([]))
}

pub(super) async fn favourites(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let me = auth.me("read:favourites")?.id;
    marked(&state, me, &uri, &params, timeline::favourites).await
}

pub(super) async fn bookmarks(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let me = auth.me("read:bookmarks")?.id;
    marked(&state, me, &uri, &params, timeline::bookmarks).await
}

type ListPosts = fn(&ReadTx<'_>, Viewer, &Page) -> Result<Paged<Loaded>, StoreError>;

async fn marked(
    state: &AppState,
    me: Id,
    uri: &Uri,
    params: &Params,
    list: ListPosts,
) -> Result<Response, Problem> {
    let (viewer, page) = (Viewer::account(me, state.now()), page(params, limits::PAGE_STATUSES)?);
    let found = state.store.read(move |tx| list(tx, viewer, &page)).await?;
    Ok(paged(&state.site, uri, found.map(|loaded| render::status(&state.site, Some(me), &loaded))))
}
