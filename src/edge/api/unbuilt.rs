//! What this server does not have: identity proofs, suggested hashtags,
//! collections of accounts, posts by mail. The honest answer to a question for
//! a list is an empty one (a 404 makes several clients show an error), to
//! everything else that there is none.

use axum::Json;
use axum::extract::Path;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::people::IdPath;
use crate::base::Problem;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::wire::mastodon::Empty;

type Nothing = Json<[Empty; 0]>;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(identity_proofs))
        .routes(routes!(tag_suggestions))
        .routes(routes!(proofs))
        .routes(routes!(subscribe_by_mail))
        .routes(routes!(collections))
        .routes(routes!(in_collections))
        .routes(routes!(create_collection))
        .routes(routes!(collection))
        .routes(routes!(change_collection))
        .routes(routes!(delete_collection))
        .routes(routes!(add_to_collection))
        .routes(routes!(remove_from_collection))
        .routes(routes!(leave_collection))
}

/// An answer that never is.
type Never = Result<Json<Empty>, Problem>;

/// Collections of accounts (docs: entities/Collection); there are none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub(super) struct Collections {
    collections: Vec<Empty>,
}

/// Proofs of who somebody is elsewhere: none.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/identity_proofs", tag = "Not on this server",
    params(("id" = String, Path)), responses((status = 200, body = Vec<Empty>, description = "An empty list.")))]
async fn identity_proofs(_id: IdPath) -> Nothing {
    Json([])
}

/// Hashtags to follow: none.
#[utoipa::path(get, path = "/api/v1/tags/suggestions", tag = "Not on this server",
    security(("oauth" = ["read:follows"])),
    responses((status = 200, body = Vec<Empty>, description = "An empty list.")))]
async fn tag_suggestions(auth: Auth) -> Result<Nothing, Problem> {
    auth.me("read:follows")?;
    Ok(Json([]))
}

/// Proofs for a service that asks who somebody is here: none.
#[utoipa::path(get, path = "/api/proofs", tag = "Not on this server",
    responses((status = 404, description = "There is none on this server.")))]
async fn proofs() -> Never {
    Err(Problem::not_found())
}

/// Posts by mail: none are sent.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/email_subscriptions", tag = "Not on this server", params(("id" = String, Path)),
    responses((status = 404, description = "There is none on this server.")))]
async fn subscribe_by_mail(_id: IdPath) -> Never {
    Err(Problem::not_found())
}

/// Collections that somebody has made: none.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/collections", tag = "Not on this server",
    params(("id" = String, Path)), responses((status = 200, body = Collections)))]
async fn collections(_id: IdPath) -> Json<Collections> {
    Json(Collections::default())
}

/// Collections that somebody is in: none.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/in_collections", tag = "Not on this server",
    params(("id" = String, Path)), security(("oauth" = ["read:accounts"])),
    responses((status = 200, body = Collections)))]
async fn in_collections(_id: IdPath, auth: Auth) -> Result<Json<Collections>, Problem> {
    auth.me("read:accounts")?;
    Ok(Json(Collections::default()))
}

/// Makes a collection: none can be made.
#[utoipa::path(post, path = "/api/v1/collections", tag = "Not on this server",
    security(("oauth" = ["write:accounts"])),
    responses((status = 404, description = "There is none on this server.")))]
async fn create_collection(auth: Auth) -> Never {
    auth.me("write:accounts")?;
    Err(Problem::not_found())
}

/// One collection: there is none.
#[utoipa::path(get, path = "/api/v1/collections/{id}", tag = "Not on this server", params(("id" = String, Path)),
    responses((status = 404, description = "There is none on this server.")))]
async fn collection(_id: IdPath) -> Never {
    Err(Problem::not_found())
}

/// Changes a collection: there is none.
#[utoipa::path(method(put, patch), path = "/api/v1/collections/{id}", tag = "Not on this server", params(("id" = String, Path)),
    security(("oauth" = ["write:accounts"])),
    responses((status = 404, description = "There is none on this server.")))]
async fn change_collection(_id: IdPath, auth: Auth) -> Never {
    auth.me("write:accounts")?;
    Err(Problem::not_found())
}

/// Deletes a collection: there is none.
#[utoipa::path(delete, path = "/api/v1/collections/{id}", tag = "Not on this server", params(("id" = String, Path)),
    security(("oauth" = ["write:accounts"])),
    responses((status = 404, description = "There is none on this server.")))]
async fn delete_collection(_id: IdPath, auth: Auth) -> Never {
    auth.me("write:accounts")?;
    Err(Problem::not_found())
}

/// Adds somebody to a collection: there is none.
#[utoipa::path(post, path = "/api/v1/collections/{id}/items", tag = "Not on this server", params(("id" = String, Path)),
    security(("oauth" = ["write:accounts"])),
    responses((status = 404, description = "There is none on this server.")))]
async fn add_to_collection(_id: IdPath, auth: Auth) -> Never {
    auth.me("write:accounts")?;
    Err(Problem::not_found())
}

/// Takes somebody out of a collection: there is none.
#[utoipa::path(delete, path = "/api/v1/collections/{collection}/items/{id}", tag = "Not on this server", params(("collection" = String, Path), ("id" = String, Path)),
    security(("oauth" = ["write:accounts"])),
    responses((status = 404, description = "There is none on this server.")))]
async fn remove_from_collection(_ids: Path<(String, String)>, auth: Auth) -> Never {
    auth.me("write:accounts")?;
    Err(Problem::not_found())
}

/// Leaves a collection: there is none.
#[utoipa::path(post, path = "/api/v1/collections/{collection}/items/{id}/revoke", tag = "Not on this server", params(("collection" = String, Path), ("id" = String, Path)),
    security(("oauth" = ["write:accounts"])),
    responses((status = 404, description = "There is none on this server.")))]
async fn leave_collection(_ids: Path<(String, String)>, auth: Auth) -> Never {
    auth.me("write:accounts")?;
    Err(Problem::not_found())
}
