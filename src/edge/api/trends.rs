//! Trends (docs: methods/trends).

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::http::header::LINK;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{OffsetParams, PageParams, limit, offset, page, paged};
use super::params::{Input, Params};
use super::render;
use super::tags::entity as tag_entity;
use crate::base::{Problem, limits};
use crate::domain::timeline::{self, Loaded, load};
use crate::domain::{card, tag};
use crate::edge::auth::Auth;
use crate::edge::{AppState, trends};
use crate::model::tables::PREVIEW_CARD;
use crate::model::{PreviewCard as Card, Site};
use crate::wire::mastodon::tag::history;
use crate::wire::mastodon::{PreviewCard, Status, Tag};

/// Hashtags and links of a page: default and most (Mastodon's).
const PAGE: (usize, usize) = (10, 20);

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(tags))
        .routes(routes!(tags_by_old_name))
        .routes(routes!(links))
        .routes(routes!(statuses))
        .routes(routes!(link_timeline))
}

/// Which part of a list is asked for.
struct Part {
    offset: usize,
    limit: usize,
}

impl Part {
    fn read(params: &Params, (default, most): (usize, usize)) -> Result<Part, Problem> {
        Ok(Part { offset: offset(params)?, limit: limit(params, default, most)? })
    }

    fn of<'t, T>(&self, all: &'t [T]) -> &'t [T] {
        let start = self.offset.min(all.len());
        &all[start..(start + self.limit).min(all.len())]
    }

    /// The answer, and where the next part is.
    fn answer<T: Serialize>(&self, site: &Site, uri: &Uri, shown: &[T], of: usize) -> Response {
        let mut response = Json(shown).into_response();
        let next = self.offset.saturating_add(self.limit);
        if self.limit > 0 && next < of {
            let address = format!("{}{}?limit={}&offset={next}", site.origin, uri.path(), self.limit);
            if let Ok(link) = format!("<{address}>; rel=\"next\"").parse() {
                response.headers_mut().insert(LINK, link);
            }
        }
        response
    }
}

/// Hashtags that more people use than usual.
#[utoipa::path(get, path = "/api/v1/trends/tags", tag = "Trends", params(OffsetParams),
    security((), ("oauth" = [])), responses((status = 200, body = Vec<Tag>)))]
async fn tags(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let part = Part::read(&params, PAGE)?;
    let found = trends::now(&state).await?;
    // Whether they follow it is told to those who may ask.
    let viewer = auth.viewer("read:follows").ok().flatten();
    let names = part.of(&found.tags).to_vec();
    let views = state.store.read(move |tx| tag::views(tx, viewer, &names)).await?;
    let shown: Vec<Tag> = views.iter().map(|view| tag_entity(&state, view)).collect();
    Ok(part.answer(&state.site, &uri, &shown, found.tags.len()))
}

/// The same under its first name.
#[utoipa::path(get, path = "/api/v1/trends", tag = "Trends", params(OffsetParams),
    security((), ("oauth" = [])), responses((status = 200, body = Vec<Tag>)))]
async fn tags_by_old_name(
    state: State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    tags(state, uri, auth, params).await
}

/// Pages that more people link to than usual.
#[utoipa::path(get, path = "/api/v1/trends/links", tag = "Trends", params(OffsetParams),
    security((), ("oauth" = [])), responses((status = 200, body = Vec<PreviewCard>)))]
async fn links(State(state): State<AppState>, uri: Uri, params: Params) -> Result<Response, Problem> {
    let part = Part::read(&params, PAGE)?;
    let found = trends::now(&state).await?;
    let shown: Vec<PreviewCard> = part
        .of(&found.links)
        .iter()
        .map(|(card, days)| {
            PreviewCard::new(&state.site, card, None).with_history(history(state.now(), days))
        })
        .collect();
    Ok(part.answer(&state.site, &uri, &shown, found.links.len()))
}

/// Posts that people like and boost. Those of people one has blocked or
/// muted are left out.
#[utoipa::path(get, path = "/api/v1/trends/statuses", tag = "Trends", params(OffsetParams),
    security((), ("oauth" = ["read:statuses"])), responses((status = 200, body = Vec<Status>)))]
async fn statuses(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let part = Part::read(&params, limits::PAGE_STATUSES)?;
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let found = trends::now(&state).await?;
    let (ids, of) = (part.of(&found.statuses).to_vec(), found.statuses.len());
    let loaded = state.store.read(move |tx| load(tx, viewer, &ids)).await?;
    let shown: Vec<Loaded> = loaded
        .into_iter()
        .flatten()
        .filter(|loaded| !loaded.is_silenced && !loaded.status.sensitive)
        .collect();
    Ok(part.answer(&state.site, &uri, &render::statuses(&state, viewer.id, &shown), of))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfLink {
    /// The page, as a preview card names it.
    #[serde(default)]
    url: String,
}

/// Public posts that link to a page of which there is a preview card.
#[utoipa::path(get, path = "/api/v1/timelines/link", tag = "Timelines", params(OfLink, PageParams),
    security((), ("oauth" = ["read:statuses"])), responses((status = 200, body = Vec<Status>)))]
async fn link_timeline(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    asked: Input<OfLink>,
) -> Result<Response, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let page = page(&asked.params, limits::PAGE_STATUSES)?;
    let link = card::normal(&asked.url).ok_or_else(Problem::not_found)?;
    let found = state.store.read(move |tx| {
        let is_known = tx.get(PREVIEW_CARD, &link)?.is_some_and(|card: Card| card.is_ready());
        let found = is_known.then(|| timeline::linked(tx, viewer, &link, &page));
        found.transpose()
    });
    let found = found.await?.ok_or_else(Problem::not_found)?;
    Ok(paged(&state.site, &uri, found.map(|loaded| render::status(&state.site, viewer.id, &loaded))))
}
