//! Whom people show on their profiles (docs: methods/endorsements,
//! methods/accounts#endorse).

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{PageParams, page, paged};
use super::params::Params;
use super::people::{IdPath, account, person, relationship};
use crate::base::{Id, Problem, limits};
use crate::domain::relation::{self, Actor, Target};
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::store::StoreError;
use crate::wire::mastodon::{Account, Relationship};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(own))
        .routes(routes!(of))
        .routes(routes!(endorse))
        .routes(routes!(unendorse))
        .routes(routes!(pin))
        .routes(routes!(unpin))
}

/// Whom the person shows on their profile.
#[utoipa::path(get, path = "/api/v1/endorsements", tag = "Endorsements", params(PageParams),
    security(("oauth" = ["read:accounts"])), responses((status = 200, body = Vec<Account>)))]
async fn own(state: State<AppState>, uri: Uri, auth: Auth, params: Params) -> Result<Response, Problem> {
    let me = auth.me("read:accounts")?.id;
    list(&state, &uri, me, &params).await
}

/// Whom an account shows on its profile.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/endorsements", tag = "Accounts",
    params(("id" = String, Path), PageParams),
    security((), ("oauth" = ["read:accounts"])), responses((status = 200, body = Vec<Account>)))]
async fn of(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    auth.viewer("read:accounts")?;
    person(&state, id).await?;
    list(&state, &uri, id, &params).await
}

async fn list(state: &AppState, uri: &Uri, of: Id, params: &Params) -> Result<Response, Problem> {
    let page = page(params, limits::PAGE_ACCOUNTS)?;
    let people = state.store.read(move |tx| relation::endorsed(tx, of, &page)).await;
    let people = people.map_err(|error: StoreError| Problem::from(error))?;
    Ok(paged(&state.site, uri, people.map(|person| account(&state.site, &person))))
}

/// Shows somebody on the profile, who must be followed.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/endorse", tag = "Accounts", params(("id" = String, Path)),
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = Relationship)))]
async fn endorse(state: State<AppState>, auth: Auth, id: IdPath) -> Result<Json<Relationship>, Problem> {
    show(&state, &auth, id.0).await
}

/// Shows somebody on the profile no longer.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/unendorse", tag = "Accounts",
    params(("id" = String, Path)),
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = Relationship)))]
async fn unendorse(state: State<AppState>, auth: Auth, id: IdPath) -> Result<Json<Relationship>, Problem> {
    hide(&state, &auth, id.0).await
}

/// The old name of `endorse`.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/pin", tag = "Accounts", params(("id" = String, Path)),
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = Relationship)))]
async fn pin(state: State<AppState>, auth: Auth, id: IdPath) -> Result<Json<Relationship>, Problem> {
    show(&state, &auth, id.0).await
}

/// The old name of `unendorse`.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/unpin", tag = "Accounts", params(("id" = String, Path)),
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = Relationship)))]
async fn unpin(state: State<AppState>, auth: Auth, id: IdPath) -> Result<Json<Relationship>, Problem> {
    hide(&state, &auth, id.0).await
}

async fn show(state: &AppState, auth: &Auth, other: Id) -> Result<Json<Relationship>, Problem> {
    let me = auth.me("write:accounts")?.id;
    let (moment, pair) = (state.moment(), (Actor(me), Target(other)));
    state.store.write(move |tx| relation::endorse(tx, &mut moment.clone(), pair)).await?;
    relationship(state, me, other).await
}

async fn hide(state: &AppState, auth: &Auth, other: Id) -> Result<Json<Relationship>, Problem> {
    let me = auth.me("write:accounts")?.id;
    let pair = (Actor(me), Target(other));
    state.store.write(move |tx| relation::unendorse(tx, pair)).await?;
    relationship(state, me, other).await
}
