//! What clients ask for at start-up and this server does not have: the honest
//! answer is an empty list. A 404 makes several of them show an error.

use axum::Json;
use axum::routing::{MethodRouter, get};
use utoipa::openapi::path::PathItem;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathsBuilder};
use utoipa::openapi::schema::{ArrayBuilder, Object, Type};
use utoipa::openapi::{ContentBuilder, OpenApiBuilder, Required, ResponseBuilder, SecurityRequirement};
use utoipa_axum::router::OpenApiRouter;

use super::openapi::OAUTH;

use crate::base::Problem;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::wire::mastodon::Empty;

/// Empty for everybody.
const PUBLIC: [&str; 1] = ["/api/v1/accounts/{id}/identity_proofs"];

/// Empty for people, with the scope it takes.
const PERSONAL: [(&str, &str); 1] = [("/api/v1/tags/suggestions", "read:follows")];

pub(super) fn routes() -> OpenApiRouter<AppState> {
    let router = OpenApiRouter::new();
    let router = PUBLIC.into_iter().fold(router, |router, path| add(router, path, None, get(nothing)));
    PERSONAL.into_iter().fold(router, |router, (path, scope)| {
        add(router, path, Some(scope), get(async move |auth: Auth| nothing_for(&auth, scope)))
    })
}

/// Adds a route that answers an empty list, with its description.
fn add(
    router: OpenApiRouter<AppState>,
    path: &str,
    scope: Option<&str>,
    answer: MethodRouter<AppState>,
) -> OpenApiRouter<AppState> {
    let nothing = ArrayBuilder::new().items(Object::with_type(Type::Object)).max_items(Some(0));
    let answered = ResponseBuilder::new()
        .description("An empty list: this server has none of these.")
        .content("application/json", ContentBuilder::new().schema(Some(nothing)).build());
    let id = path.contains("{id}").then(|| {
        let id = ParameterBuilder::new().name("id").parameter_in(ParameterIn::Path).required(Required::True);
        id.schema(Some(Object::with_type(Type::String))).build()
    });
    let operation = OperationBuilder::new()
        .tag("Not on this server")
        .parameters(Some(id))
        .securities(scope.map(|scope| [SecurityRequirement::new(OAUTH, [scope])]))
        .response("200", answered);
    let described = PathsBuilder::new().path(path, PathItem::new(HttpMethod::Get, operation));
    let document = OpenApiBuilder::new().paths(described).build();
    router.merge(OpenApiRouter::with_openapi(document).route(path, answer))
}

async fn nothing() -> Json<[Empty; 0]> {
    Json([])
}

fn nothing_for(auth: &Auth, scope: &'static str) -> Result<Json<[Empty; 0]>, Problem> {
    auth.me(scope)?;
    Ok(Json([]))
}
