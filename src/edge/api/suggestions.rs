//! Whom to follow (docs: methods/suggestions).

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{OffsetParams, limit, offset};
use super::params::Params;
use super::people::{IdPath, account};
use crate::base::{Problem, limits};
use crate::domain::directory::{self, Reason};
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::store::StoreError;
use crate::wire::mastodon::{Account, Empty};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(second)).routes(routes!(first)).routes(routes!(dismiss))
}

/// Where suggestions come from, in the old words.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SuggestionSource {
    PastInteractions,
    Global,
}

/// Where suggestions come from.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SuggestionReason {
    FriendsOfFriends,
    MostFollowed,
}

/// Somebody to follow, and why.
#[derive(Debug, Serialize, ToSchema)]
struct Suggestion {
    source: SuggestionSource,
    sources: Vec<SuggestionReason>,
    account: Account,
}

async fn found(
    state: &AppState,
    auth: &Auth,
    params: &Params,
) -> Result<Vec<directory::Suggestion>, Problem> {
    let viewer = Viewer::account(auth.me("read:accounts")?.id, state.now());
    let range = (offset(params)?, limit(params, limits::PAGE_ACCOUNTS.0, limits::PAGE_ACCOUNTS.1)?);
    let found = state.store.read(move |tx| directory::suggestions(tx, viewer, range)).await;
    found.map_err(|error: StoreError| Problem::from(error))
}

/// Whom to follow, and why.
#[utoipa::path(get, path = "/api/v2/suggestions", tag = "Suggestions", params(OffsetParams),
    security(("oauth" = ["read:accounts"])), responses((status = 200, body = Vec<Suggestion>)))]
async fn second(
    State(state): State<AppState>,
    auth: Auth,
    params: Params,
) -> Result<Json<Vec<Suggestion>>, Problem> {
    let entity = |found: &directory::Suggestion| {
        let (source, reason) = match found.reason {
            Reason::FriendsOfFriends => {
                (SuggestionSource::PastInteractions, SuggestionReason::FriendsOfFriends)
            }
            Reason::MostFollowed => (SuggestionSource::Global, SuggestionReason::MostFollowed),
        };
        Suggestion { source, sources: vec![reason], account: account(&state.site, &found.person) }
    };
    Ok(Json(found(&state, &auth, &params).await?.iter().map(entity).collect()))
}

/// Whom to follow.
#[utoipa::path(get, path = "/api/v1/suggestions", tag = "Suggestions", params(OffsetParams),
    security(("oauth" = ["read:accounts"])), responses((status = 200, body = Vec<Account>)))]
async fn first(
    State(state): State<AppState>,
    auth: Auth,
    params: Params,
) -> Result<Json<Vec<Account>>, Problem> {
    let found = found(&state, &auth, &params).await?;
    Ok(Json(found.iter().map(|found| account(&state.site, &found.person)).collect()))
}

/// Does not suggest somebody again.
#[utoipa::path(delete, path = "/api/v1/suggestions/{id}", tag = "Suggestions", params(("id" = String, Path)),
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = Empty)))]
async fn dismiss(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(other): IdPath,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:accounts")?.id;
    let done = state.store.write(move |tx| directory::dismiss(tx, me, other)).await;
    done.map_err(|error: StoreError| Problem::from(error))?;
    Ok(Json(Empty {}))
}
