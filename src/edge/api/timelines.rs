//! Timelines (docs: methods/timelines).

use axum::Router;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;

use super::page::{page, paged};
use super::params::Params;
use super::people::IdPath;
use super::render;
use crate::base::{Id, Problem, limits};
use crate::domain::page::Paged;
use crate::domain::timeline::{self, Listing, Loaded, Only, Tags};
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::auth::Auth;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/v1/timelines/home", get(home))
        .route("/api/v1/timelines/public", get(public))
        .route("/api/v1/timelines/tag/{tag}", get(tag))
        .route("/api/v1/accounts/{id}/statuses", get(account))
}

fn answer(state: &AppState, uri: &Uri, viewer: Option<Id>, found: Paged<Loaded>) -> Response {
    paged(&state.site, uri, found.map(|loaded| render::status(&state.site, viewer, &loaded)))
}

async fn home(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let viewer = Viewer::account(auth.me("read:statuses")?.id, state.now());
    let page = page(&params, limits::PAGE_STATUSES)?;
    let found = state.store.read(move |tx| timeline::home(tx, viewer, &page)).await?;
    Ok(answer(&state, &uri, viewer.id, found))
}

fn listing(params: &Params) -> Listing {
    let flag = |key| params.flag(key).unwrap_or(false);
    Listing { local: flag("local"), remote: flag("remote"), only_media: flag("only_media") }
}

async fn public(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let (listing, page) = (listing(&params), page(&params, limits::PAGE_STATUSES)?);
    let found = state.store.read(move |tx| timeline::public(tx, viewer, listing, &page)).await?;
    Ok(answer(&state, &uri, viewer.id, found))
}

async fn tag(
    State(state): State<AppState>,
    Path(tag): Path<String>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let mut any = params.list_or_one("any");
    any.insert(0, tag);
    let tags = Tags { any, all: params.list_or_one("all"), none: params.list_or_one("none") };
    let (listing, page) = (listing(&params), page(&params, limits::PAGE_STATUSES)?);
    let found = state.store.read(move |tx| timeline::tagged(tx, viewer, &tags, listing, &page)).await?;
    Ok(answer(&state, &uri, viewer.id, found))
}

async fn account(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let page = page(&params, limits::PAGE_STATUSES)?;
    super::people::person(&state, id).await?;
    let flag = |key| params.flag(key).unwrap_or(false);
    if flag("pinned") {
        let found = state.store.read(move |tx| timeline::pinned(tx, viewer, id, page.limit)).await?;
        let found = Paged { items: found, newest: None, oldest: None, has_older: false };
        return Ok(answer(&state, &uri, viewer.id, found));
    }
    let only = Only {
        exclude_replies: flag("exclude_replies"),
        exclude_reblogs: flag("exclude_reblogs"),
        only_media: flag("only_media"),
        tagged: params.filled("tagged"),
    };
    let found = state.store.read(move |tx| timeline::account_statuses(tx, viewer, id, &only, &page)).await?;
    Ok(answer(&state, &uri, viewer.id, found))
}
