//! Who quotes a post, and who may (docs: client/quotes).

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::seen;
use crate::base::{Id, Problem, limits};
use crate::domain::quote;
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::api::page::{PageParams, page, paged};
use crate::edge::api::params::{Input, Params};
use crate::edge::api::people::IdPath;
use crate::edge::api::render;
use crate::edge::auth::Auth;
use crate::model::QuotePolicy;
use crate::wire::mastodon::Status;
use crate::wire::mastodon::words::QuotePolicyWord;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(revoke)).routes(routes!(set_policy))
}

/// Posts that quote a post.
#[utoipa::path(get, path = "/api/v1/statuses/{id}/quotes", tag = "Statuses",
    params(("id" = String, Path), PageParams), security(("oauth" = ["read:statuses"])),
    responses((status = 200, body = Vec<Status>)))]
async fn list(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let viewer = Viewer::account(auth.me("read:statuses")?.id, state.now());
    let page = page(&params, limits::PAGE_STATUSES)?;
    let shown = seen(&state, viewer, id).await?.shown().status.id;
    let found = state.store.read(move |tx| quote::quotes(tx, viewer, shown, &page)).await?;
    Ok(paged(&state.site, &uri, found.map(|loaded| render::status(&state.site, viewer.id, &loaded))))
}

/// Takes back the leave to quote one's own post.
#[utoipa::path(post, path = "/api/v1/statuses/{id}/quotes/{quoting_id}/revoke", tag = "Statuses",
    params(("id" = String, Path), ("quoting_id" = String, Path)), security(("oauth" = ["write:statuses"])),
    responses((status = 200, body = Status)))]
async fn revoke(
    State(state): State<AppState>,
    Path((quoted, quoting)): Path<(String, String)>,
    auth: Auth,
) -> Result<Json<Status>, Problem> {
    let me = auth.me("write:statuses")?.id;
    let id = |text: String| text.parse::<Id>().map_err(|_| Problem::not_found());
    let (quoted, quoting) = (id(quoted)?, id(quoting)?);
    let (moment, site) = (state.moment(), state.site.clone());
    let revoked =
        state.store.write(move |tx| quote::revoke(tx, &mut moment.clone(), &site, me, (quoted, quoting)));
    revoked.await?;
    answer(&state, me, quoting).await
}

/// Who may quote a post.
#[derive(Debug, Deserialize, ToSchema)]
struct NewPolicy {
    #[schema(value_type = QuotePolicyWord)]
    quote_approval_policy: String,
}

/// Sets who may quote one's own post.
#[utoipa::path(method(put, patch), path = "/api/v1/statuses/{id}/interaction_policy", tag = "Statuses",
    params(("id" = String, Path)), request_body = NewPolicy, security(("oauth" = ["write:statuses"])),
    responses((status = 200, body = Status)))]
async fn set_policy(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    sent: Input<NewPolicy>,
) -> Result<Json<Status>, Problem> {
    let me = auth.me("write:statuses")?.id;
    let (policy, moment) = (policy(&sent.quote_approval_policy)?, state.moment());
    state.store.write(move |tx| quote::set_policy(tx, &mut moment.clone(), me, id, &policy)).await?;
    answer(&state, me, id).await
}

/// Reads the word for a policy.
///
/// # Errors
/// 422 for another word.
pub(super) fn policy(word: &str) -> Result<QuotePolicy, Problem> {
    QuotePolicy::from_word(word.trim()).ok_or_else(|| {
        Problem::invalid("Validation failed: Quote approval policy is not included in the list")
    })
}

async fn answer(state: &AppState, me: Id, id: Id) -> Result<Json<Status>, Problem> {
    let loaded = seen(state, Viewer::account(me, state.now()), id).await?;
    Ok(Json(render::status(&state.site, Some(me), &loaded)))
}
