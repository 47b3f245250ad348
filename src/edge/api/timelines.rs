//! Timelines (docs: methods/timelines).

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{PageParams, page, paged};
use super::params::{Input, Params, one_or_more};
use super::people::IdPath;
use super::render;
use crate::base::{Id, Problem, limits};
use crate::domain::page::Paged;
use crate::domain::timeline::{self, Listing, Loaded, Only, Tags};
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::wire::mastodon::Status;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(home))
        .routes(routes!(public))
        .routes(routes!(tag))
        .routes(routes!(account))
}

fn answer(state: &AppState, uri: &Uri, viewer: Option<Id>, found: Paged<Loaded>) -> Response {
    paged(&state.site, uri, found.map(|loaded| render::status(&state.site, viewer, &loaded)))
}

/// Posts of those whom the person follows, and with hashtags that they follow.
#[utoipa::path(get, path = "/api/v1/timelines/home", tag = "Timelines", params(PageParams),
    security(("oauth" = ["read:statuses"])), responses((status = 200, body = Vec<Status>)))]
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

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Narrowed {
    /// Only posts from here.
    local: Option<bool>,
    /// Only posts from elsewhere.
    remote: Option<bool>,
    /// Only posts with media.
    only_media: Option<bool>,
}

impl Narrowed {
    fn listing(&self) -> Listing {
        let is = |flag: Option<bool>| flag.unwrap_or(false);
        Listing { local: is(self.local), remote: is(self.remote), only_media: is(self.only_media) }
    }
}

/// Public posts.
#[utoipa::path(get, path = "/api/v1/timelines/public", tag = "Timelines", params(Narrowed, PageParams),
    security((), ("oauth" = ["read:statuses"])), responses((status = 200, body = Vec<Status>)))]
async fn public(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    narrowed: Input<Narrowed>,
) -> Result<Response, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let (listing, page) = (narrowed.listing(), page(&narrowed.params, limits::PAGE_STATUSES)?);
    let found = state.store.read(move |tx| timeline::public(tx, viewer, listing, &page)).await?;
    Ok(answer(&state, &uri, viewer.id, found))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Tagged {
    /// Posts with one of these as well; at most 4 are read.
    #[serde(default, deserialize_with = "one_or_more")]
    #[param(rename = "any[]")]
    any: Vec<String>,
    /// Only posts with all of these.
    #[serde(default, deserialize_with = "one_or_more")]
    #[param(rename = "all[]")]
    all: Vec<String>,
    /// Only posts with none of these.
    #[serde(default, deserialize_with = "one_or_more")]
    #[param(rename = "none[]")]
    none: Vec<String>,
    /// Only posts from here.
    local: Option<bool>,
    /// Only posts from elsewhere.
    remote: Option<bool>,
    /// Only posts with media.
    only_media: Option<bool>,
}

/// Public posts with a hashtag.
#[utoipa::path(get, path = "/api/v1/timelines/tag/{hashtag}", tag = "Timelines",
    params(("hashtag" = String, Path, description = "Its name, without `#`."), Tagged, PageParams),
    security((), ("oauth" = ["read:statuses"])), responses((status = 200, body = Vec<Status>)))]
async fn tag(
    State(state): State<AppState>,
    Path(tag): Path<String>,
    uri: Uri,
    auth: Auth,
    asked: Input<Tagged>,
) -> Result<Response, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let mut any = asked.any.clone();
    any.insert(0, tag);
    let tags = Tags { any, all: asked.all.clone(), none: asked.none.clone() };
    let page = page(&asked.params, limits::PAGE_STATUSES)?;
    let (local, remote, only_media) = (asked.local, asked.remote, asked.only_media);
    let listing = Narrowed { local, remote, only_media }.listing();
    let found = state.store.read(move |tx| timeline::tagged(tx, viewer, &tags, listing, &page)).await?;
    Ok(answer(&state, &uri, viewer.id, found))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those pinned to the profile.
    pinned: Option<bool>,
    /// No answers to others.
    exclude_replies: Option<bool>,
    /// No boosts.
    exclude_reblogs: Option<bool>,
    /// Only posts with media.
    only_media: Option<bool>,
    /// Only posts with this hashtag.
    tagged: Option<String>,
}

/// The posts of an account.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/statuses", tag = "Accounts",
    params(("id" = String, Path), Which, PageParams),
    security((), ("oauth" = ["read:statuses"])), responses((status = 200, body = Vec<Status>)))]
async fn account(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    uri: Uri,
    auth: Auth,
    which: Input<Which>,
) -> Result<Response, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let page = page(&which.params, limits::PAGE_STATUSES)?;
    super::people::person(&state, id).await?;
    let is = |flag: Option<bool>| flag.unwrap_or(false);
    if is(which.pinned) {
        let found = state.store.read(move |tx| timeline::pinned(tx, viewer, id, page.limit)).await?;
        let found = Paged { items: found, newest: None, oldest: None, has_older: false };
        return Ok(answer(&state, &uri, viewer.id, found));
    }
    let only = Only {
        exclude_replies: is(which.exclude_replies),
        exclude_reblogs: is(which.exclude_reblogs),
        only_media: is(which.only_media),
        tagged: which.tagged.clone(),
    };
    let found = state.store.read(move |tx| timeline::account_statuses(tx, viewer, id, &only, &page)).await?;
    Ok(answer(&state, &uri, viewer.id, found))
}
