//! Registering apps (docs: methods/apps).

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::params::{Input, one_or_more};
use crate::base::{Problem, ProblemKind};
use crate::domain::oauth::{self, NewApp, RegisterError, scopes};
use crate::domain::secret;
use crate::edge::AppState;
use crate::edge::auth::{Auth, ClientIp, seconds};
use crate::queue::push::server_key;
use crate::wire::mastodon::oauth::{Application, CredentialApplication};

/// Random bytes of client ids and secrets.
const SECRET_BYTES: usize = 32;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(register)).routes(routes!(verify_credentials))
}

/// What an app says of itself.
#[derive(Debug, Deserialize, ToSchema)]
struct AppRegistration {
    /// Its name, at most 60 characters.
    #[serde(default)]
    client_name: String,
    /// Where people are sent back to: a list, or one text with a URI on each line.
    #[serde(default, deserialize_with = "one_or_more")]
    redirect_uris: Vec<String>,
    /// What it may ask for, with spaces between; `read` if nothing is said.
    scopes: Option<String>,
    /// Its page.
    #[schema(format = "uri")]
    website: Option<String>,
}

/// Registers an app and tells its secret, once.
#[utoipa::path(post, path = "/api/v1/apps", tag = "Apps", request_body = AppRegistration,
    responses((status = 200, body = CredentialApplication)))]
async fn register(
    State(state): State<AppState>,
    ip: ClientIp,
    sent: Input<AppRegistration>,
) -> Result<Json<CredentialApplication>, Problem> {
    let allowed = state.gates().apps.lock().take(state.clock.monotonic(), ip.source());
    allowed
        .map_err(|wait| Problem::new(ProblemKind::TooMany, "Too many requests").retry_after(seconds(wait)))?;
    let client_secret = state.chance.secret(SECRET_BYTES);
    let scopes = scopes::parse(sent.scopes.as_deref().unwrap_or_default()).ok_or_else(|| {
        Problem::invalid("Validation failed: Scopes doesn't match configured on the server.")
    })?;
    let new = NewApp {
        name: sent.client_name.clone(),
        website: sent.website.clone(),
        redirect_uris: lines(&sent.redirect_uris),
        scopes,
        client_id: state.chance.secret(SECRET_BYTES),
        secret_digest: secret::digest(&client_secret),
    };
    let moment = state.moment();
    let app = state.store.write(move |tx| oauth::register(tx, &mut moment.clone(), &new)).await?;
    let vapid_key = server_key(&state.store).await?.public();
    Ok(Json(CredentialApplication::new(&app, client_secret, vapid_key)))
}

/// One URI each, also where a text has one on each line.
fn lines(given: &[String]) -> Vec<String> {
    given.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect()
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Problem {
        let detail = match error {
            RegisterError::NameBlank => "Application name can't be blank",
            RegisterError::NameTooLong => "Application name is too long (maximum is 60 characters)",
            RegisterError::RedirectBlank => "Redirect URI can't be blank",
            RegisterError::RedirectInvalid => "Redirect URI must be an absolute URI.",
            RegisterError::RedirectsTooMany => "Redirect URI has too many lines",
            RegisterError::WebsiteInvalid => "Application website is not a valid URL",
            RegisterError::Store(error) => return error.into(),
        };
        Problem::invalid(format!("Validation failed: {detail}"))
    }
}

/// The app whose token this is.
#[utoipa::path(get, path = "/api/v1/apps/verify_credentials", tag = "Apps",
    security(("oauth" = [])), responses((status = 200, body = Application)))]
async fn verify_credentials(State(state): State<AppState>, auth: Auth) -> Result<Json<Application>, Problem> {
    let token = auth.bearer()?.token.clone();
    let app = state.store.read(move |tx| oauth::app_of(tx, &token)).await;
    let app = app.map_err(|error: crate::store::StoreError| Problem::from(error))?;
    let app = app.ok_or_else(Problem::unauthenticated)?;
    Ok(Json(Application::new(&app, server_key(&state.store).await?.public())))
}
