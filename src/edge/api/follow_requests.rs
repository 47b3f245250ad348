//! Answering those who ask to follow (docs: methods/follow_requests).

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{PageParams, page, paged};
use super::params::Params;
use super::people::{IdPath, account, relationship};
use crate::base::{Id, Problem, limits};
use crate::domain::relation::{self, Followed, Follower};
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::store::StoreError;
use crate::wire::mastodon::{Account, Relationship};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(authorize)).routes(routes!(reject))
}

/// Who asks to follow the person, latest first.
#[utoipa::path(get, path = "/api/v1/follow_requests", tag = "Follow requests", params(PageParams),
    security(("oauth" = ["read:follows"])), responses((status = 200, body = Vec<Account>)))]
async fn list(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let me = auth.me("read:follows")?.id;
    let page = page(&params, limits::PAGE_ACCOUNTS)?;
    let people = state.store.read(move |tx| relation::follow_requests(tx, me, &page)).await;
    let people = people.map_err(|error: StoreError| Problem::from(error))?;
    Ok(paged(&state.site, &uri, people.map(|person| account(&state.site, &person))))
}

/// Lets somebody follow who asked.
#[utoipa::path(post, path = "/api/v1/follow_requests/{id}/authorize", tag = "Follow requests",
    params(("id" = String, Path)),
    security(("oauth" = ["write:follows"])), responses((status = 200, body = Relationship)))]
async fn authorize(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(follower): IdPath,
) -> Result<Json<Relationship>, Problem> {
    let me = auth.me("write:follows")?.id;
    accept(&state, follower, me).await?;
    relationship(&state, me, follower).await
}

/// Lets somebody follow who asked; for the API and the pages.
///
/// # Errors
/// 404 when nobody asked.
pub(crate) async fn accept(state: &AppState, follower: Id, me: Id) -> Result<(), Problem> {
    let (moment, site) = (state.moment(), state.site.clone());
    let pair = (Follower(follower), Followed(me));
    Ok(state.store.write(move |tx| relation::accept(tx, &mut moment.clone(), &site, pair)).await?)
}

/// Does not let somebody follow who asked.
#[utoipa::path(post, path = "/api/v1/follow_requests/{id}/reject", tag = "Follow requests",
    params(("id" = String, Path)),
    security(("oauth" = ["write:follows"])), responses((status = 200, body = Relationship)))]
async fn reject(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(follower): IdPath,
) -> Result<Json<Relationship>, Problem> {
    let me = auth.me("write:follows")?.id;
    let (moment, site) = (state.moment(), state.site.clone());
    let pair = (Follower(follower), Followed(me));
    state.store.write(move |tx| relation::reject(tx, &mut moment.clone(), &site, pair)).await?;
    relationship(&state, me, follower).await
}
