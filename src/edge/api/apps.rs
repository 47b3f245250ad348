//! Registering apps (docs: methods/apps).

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};

use super::params::Params;
use crate::base::{Problem, ProblemKind};
use crate::domain::oauth::{self, NewApp, RegisterError, scopes};
use crate::domain::secret;
use crate::edge::AppState;
use crate::edge::auth::{Auth, ClientIp, seconds};
use crate::wire::mastodon::oauth::{Application, CredentialApplication};

/// Random bytes of client ids and secrets.
const SECRET_BYTES: usize = 32;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/v1/apps", post(register))
        .route("/api/v1/apps/verify_credentials", get(verify_credentials))
}

async fn register(
    State(state): State<AppState>,
    ip: ClientIp,
    params: Params,
) -> Result<Json<CredentialApplication>, Problem> {
    let allowed = state.gates().apps.lock().take(state.clock.monotonic(), ip.source());
    allowed
        .map_err(|wait| Problem::new(ProblemKind::TooMany, "Too many requests").retry_after(seconds(wait)))?;
    let client_secret = state.chance.secret(SECRET_BYTES);
    let scopes = scopes::parse(&params.text("scopes").unwrap_or_default()).ok_or_else(|| {
        Problem::invalid("Validation failed: Scopes doesn't match configured on the server.")
    })?;
    let new = NewApp {
        name: params.text("client_name").unwrap_or_default(),
        website: params.filled("website"),
        redirect_uris: redirect_uris(&params),
        scopes,
        client_id: state.chance.secret(SECRET_BYTES),
        secret_digest: secret::digest(&client_secret),
    };
    let moment = state.moment();
    let app = state.store.write(move |tx| oauth::register(tx, &mut moment.clone(), &new)).await?;
    Ok(Json(CredentialApplication::new(&app, client_secret)))
}

/// A list, or one text with a URI on each line.
fn redirect_uris(params: &Params) -> Vec<String> {
    let given = params.list_or_one("redirect_uris");
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

async fn verify_credentials(State(state): State<AppState>, auth: Auth) -> Result<Json<Application>, Problem> {
    let token = auth.bearer()?.token.clone();
    let app = state.store.read(move |tx| oauth::app_of(tx, &token)).await;
    let app = app.map_err(|error: crate::store::StoreError| Problem::from(error))?;
    app.map(|app| Json(Application::from(&app))).ok_or_else(Problem::unauthenticated)
}
