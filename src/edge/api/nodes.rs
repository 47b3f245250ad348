//! The nodes of this server, for those who run it. Waxwing's own.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::deliveries::READ;
use crate::base::Problem;
use crate::edge::auth::Auth;
use crate::edge::roster::entities::Nodes;
use crate::edge::{AppState, roster};
use crate::model::Permission;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(nodes))
}

/// Who is there, what each says of itself, and how the front door of the node
/// that is asked shares requests out among them. It is never passed on to
/// another node.
#[utoipa::path(get, path = "/api/waxwing/v1/nodes", tag = "Nodes",
    security(("oauth" = ["admin:read"])), responses((status = 200, body = Nodes)))]
async fn nodes(State(state): State<AppState>, auth: Auth) -> Result<Json<Nodes>, Problem> {
    auth.staff(READ, Permission::ManageFederation)?;
    Ok(Json(roster::nodes(&state)))
}
