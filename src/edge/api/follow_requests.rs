//! Answering those who ask to follow (docs: methods/follow_requests).

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};

use super::page::{page, paged};
use super::params::Params;
use super::people::{IdPath, account, relationship};
use crate::base::{Id, Problem, limits};
use crate::domain::relation::{self, Followed, Follower};
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::store::StoreError;
use crate::wire::mastodon::Relationship;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/v1/follow_requests", get(list))
        .route("/api/v1/follow_requests/{id}/authorize", post(authorize))
        .route("/api/v1/follow_requests/{id}/reject", post(reject))
}

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
