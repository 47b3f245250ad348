//! Webhooks. Mastodon has pages for them and no API; this one is Waxwing's
//! own, in the same style.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::{Id, Problem};
use crate::domain::webhook::{self, Change, Wish};
use crate::edge::AppState;
use crate::edge::api::params::Input;
use crate::edge::api::people::IdPath;
use crate::edge::auth::Auth;
use crate::edge::webhooks::{address, events, new_secret};
use crate::model::Permission;
use crate::store::StoreError;
use crate::wire::mastodon::Empty;
use crate::wire::mastodon::webhook::Webhook;

const READ: &str = "admin:read";
const WRITE: &str = "admin:write";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, update, destroy))
        .routes(routes!(enable))
        .routes(routes!(disable))
        .routes(routes!(rotate))
}

/// All webhooks, oldest first. Their secrets are not shown.
#[utoipa::path(get, path = "/api/waxwing/v1/admin/webhooks", tag = "Admin",
    security(("oauth" = ["admin:read"])), responses((status = 200, body = [Webhook])))]
async fn list(State(state): State<AppState>, auth: Auth) -> Result<Json<Vec<Webhook>>, Problem> {
    auth.staff(READ, Permission::ManageWebhooks)?;
    let found = state.store.read(webhook::list).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    Ok(Json(found.iter().map(Webhook::from).collect()))
}

/// One webhook. Its secret is not shown.
#[utoipa::path(get, path = "/api/waxwing/v1/admin/webhooks/{id}", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:read"])),
    responses((status = 200, body = Webhook)))]
async fn show(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Webhook>, Problem> {
    auth.staff(READ, Permission::ManageWebhooks)?;
    let found = state.store.read(move |tx| webhook::get(tx, id)).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    found.map(|webhook| Json((&webhook).into())).ok_or_else(Problem::not_found)
}

/// A webhook that is to be.
#[derive(Debug, Deserialize, ToSchema)]
struct NewWebhook {
    /// Where to post; https, and no private address.
    url: String,
    /// `account.approved`, `account.created`, `account.updated`, `report.created`, `report.updated`,
    /// `status.created`, `status.updated`.
    #[serde(default)]
    events: Vec<String>,
    /// The key of the signatures; a random one unless it is given.
    secret: Option<String>,
}

/// What is changed of a webhook; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
struct WebhookChange {
    url: Option<String>,
    events: Option<Vec<String>>,
}

/// Makes a webhook. Answers its secret, once.
#[utoipa::path(post, path = "/api/waxwing/v1/admin/webhooks", tag = "Admin", request_body = NewWebhook,
    security(("oauth" = ["admin:write"])), responses((status = 200, body = Webhook)))]
async fn create(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<NewWebhook>,
) -> Result<Json<Webhook>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageWebhooks)?;
    let wish = Wish { url: address(&state, &sent.url)?, events: events(&sent.events)? };
    let given = sent.secret.clone().filter(|secret| !secret.is_empty());
    let secret = given.unwrap_or_else(|| new_secret(&state));
    let moment = state.moment();
    let made =
        state.store.write(move |tx| webhook::create(tx, &mut moment.clone(), by, &wish, &secret)).await?;
    Ok(Json(Webhook::with_secret(&made)))
}

async fn changed(
    state: &AppState,
    auth: &Auth,
    id: Id,
    change: Change,
) -> Result<crate::model::Webhook, Problem> {
    let by = auth.staff(WRITE, Permission::ManageWebhooks)?;
    let moment = state.moment();
    Ok(state.store.write(move |tx| webhook::change(tx, &mut moment.clone(), by, id, &change)).await?)
}

/// Changes where a webhook is, or of what it is told.
#[utoipa::path(method(put, patch), path = "/api/waxwing/v1/admin/webhooks/{id}", tag = "Admin",
    params(("id" = String, Path)), request_body = WebhookChange,
    security(("oauth" = ["admin:write"])), responses((status = 200, body = Webhook)))]
async fn update(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    sent: Input<WebhookChange>,
) -> Result<Json<Webhook>, Problem> {
    auth.staff(WRITE, Permission::ManageWebhooks)?;
    let old = state.store.read(move |tx| webhook::get(tx, id)).await;
    let old = old.map_err(|error: StoreError| Problem::from(error))?.ok_or_else(Problem::not_found)?;
    let wish = Wish {
        url: sent.url.as_deref().map(|url| address(&state, url)).transpose()?.unwrap_or(old.url),
        events: sent.events.as_deref().map(events).transpose()?.unwrap_or(old.events),
    };
    Ok(Json((&changed(&state, &auth, id, Change::Wish(wish)).await?).into()))
}

/// Tells a webhook of events again.
#[utoipa::path(post, path = "/api/waxwing/v1/admin/webhooks/{id}/enable", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write"])),
    responses((status = 200, body = Webhook)))]
async fn enable(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Webhook>, Problem> {
    Ok(Json((&changed(&state, &auth, id, Change::Enabled(true)).await?).into()))
}

/// Tells a webhook of nothing; what waits for it falls away.
#[utoipa::path(post, path = "/api/waxwing/v1/admin/webhooks/{id}/disable", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write"])),
    responses((status = 200, body = Webhook)))]
async fn disable(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Webhook>, Problem> {
    Ok(Json((&changed(&state, &auth, id, Change::Enabled(false)).await?).into()))
}

/// Gives a webhook a new secret. Answers it, once.
#[utoipa::path(post, path = "/api/waxwing/v1/admin/webhooks/{id}/rotate_secret", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write"])),
    responses((status = 200, body = Webhook)))]
async fn rotate(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Webhook>, Problem> {
    let secret = new_secret(&state);
    Ok(Json(Webhook::with_secret(&changed(&state, &auth, id, Change::Secret(secret)).await?)))
}

/// Removes a webhook; what waits for it falls away.
#[utoipa::path(delete, path = "/api/waxwing/v1/admin/webhooks/{id}", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write"])),
    responses((status = 200, body = Empty)))]
async fn destroy(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageWebhooks)?;
    let moment = state.moment();
    state.store.write(move |tx| webhook::remove(tx, &mut moment.clone(), by, id)).await?;
    Ok(Json(Empty {}))
}
