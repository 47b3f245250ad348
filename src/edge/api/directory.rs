//! Accounts that want to be found (docs: methods/directory).

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{OffsetParams, limit, offset};
use super::params::Input;
use super::people::accounts;
use crate::base::{Problem, limits};
use crate::domain::directory;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::store::StoreError;
use crate::wire::mastodon::Account;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum DirectoryOrder {
    Active,
    New,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// By the last post, which is the default, or by when they came here.
    #[param(inline)]
    order: Option<DirectoryOrder>,
    /// Only people of this server.
    local: Option<bool>,
}

/// Accounts that want to be found.
#[utoipa::path(get, path = "/api/v1/directory", tag = "Directory", params(Asked, OffsetParams),
    security((), ("oauth" = ["read:accounts"])), responses((status = 200, body = Vec<Account>)))]
async fn list(
    State(state): State<AppState>,
    auth: Auth,
    asked: Input<Asked>,
) -> Result<Json<Vec<Account>>, Problem> {
    let viewer = auth.viewer_at("read:accounts", &state)?;
    let (default, most) = limits::PAGE_ACCOUNTS;
    let range = (offset(&asked.params)?, limit(&asked.params, default, most)?);
    let order = match asked.order {
        None | Some(DirectoryOrder::Active) => directory::Order::Active,
        Some(DirectoryOrder::New) => directory::Order::New,
    };
    let part = (order, asked.local.unwrap_or(false));
    let people = state.store.read(move |tx| directory::list(tx, viewer, part, range)).await;
    let people = people.map_err(|error: StoreError| Problem::from(error))?;
    Ok(Json(accounts(&state.site, &people)))
}
