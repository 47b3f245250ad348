//! OAuth (docs: methods/oauth; RFC 6749, 7009, 7636, 8414). Refusals have
//! Doorkeeper's exact words: clients compare them.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine;
use serde_json::json;

use super::params::{Params, Tree};
use crate::base::Problem;
use crate::domain::oauth::{self, AuthorizeError, AuthorizeRequest, GrantError, OUT_OF_BAND, Trade, scopes};
use crate::domain::secret;
use crate::domain::session::Login;
use crate::edge::AppState;
use crate::edge::auth::{Auth, CSRF_FIELD, LoggedIn};
use crate::model::{App, Token};
use crate::store::StoreError;
use crate::wire::mastodon::oauth::{Metadata, OauthError, TokenAnswer, UserInfo};

/// Random bytes of codes and tokens.
const SECRET_BYTES: usize = 32;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/oauth/authorize", post(authorize))
        .route("/oauth/token", post(token))
        .route("/oauth/revoke", post(revoke))
        .route("/oauth/userinfo", get(userinfo).post(userinfo))
        .route("/.well-known/oauth-authorization-server", get(metadata))
}

const INVALID_REQUEST: OauthError = OauthError {
    error: "invalid_request",
    error_description: "The request is missing a required parameter, includes an unsupported parameter value, or is otherwise malformed.",
};
const INVALID_CLIENT: OauthError = OauthError {
    error: "invalid_client",
    error_description: "Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method.",
};
const INVALID_GRANT: OauthError = OauthError {
    error: "invalid_grant",
    error_description: "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client.",
};
const INVALID_SCOPE: OauthError = OauthError {
    error: "invalid_scope",
    error_description: "The requested scope is invalid, unknown, or malformed.",
};
const UNSUPPORTED_GRANT: OauthError = OauthError {
    error: "unsupported_grant_type",
    error_description: "The authorization grant type is not supported by the authorization server.",
};
const UNAUTHORIZED_REVOKE: OauthError = OauthError {
    error: "unauthorized_client",
    error_description: "You are not authorized to revoke this token",
};

/// A refusal on its way out.
struct Refusal(StatusCode, OauthError);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.0, [(CACHE_CONTROL, "no-store")], Json(self.1)).into_response();
        if self.0 == StatusCode::UNAUTHORIZED {
            let realm = axum::http::HeaderValue::from_static("Basic realm=\"Waxwing\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, realm);
        }
        response
    }
}

impl From<GrantError> for Response {
    fn from(error: GrantError) -> Response {
        match error {
            GrantError::Client => Refusal(StatusCode::UNAUTHORIZED, INVALID_CLIENT).into_response(),
            GrantError::Grant => Refusal(StatusCode::BAD_REQUEST, INVALID_GRANT).into_response(),
            GrantError::Scope => Refusal(StatusCode::BAD_REQUEST, INVALID_SCOPE).into_response(),
            GrantError::Store(error) => Problem::from(error).into_response(),
        }
    }
}

/// Reads what an app sends a person's browser with, from the query of the
/// page or the fields of its form.
pub(crate) fn authorize_request(params: &Tree) -> AuthorizeRequest {
    AuthorizeRequest {
        response_type: params.text("response_type").unwrap_or_default(),
        client_id: params.text("client_id").unwrap_or_default(),
        redirect_uri: params.text("redirect_uri").unwrap_or_default(),
        scope: params.text("scope").unwrap_or_default(),
        code_challenge: params.filled("code_challenge"),
        code_challenge_method: params.filled("code_challenge_method"),
    }
}

impl From<AuthorizeError> for Problem {
    fn from(error: AuthorizeError) -> Problem {
        let words = match error {
            AuthorizeError::ClientUnknown => INVALID_CLIENT.error_description,
            AuthorizeError::RedirectMismatch => "The redirect URI included is not valid.",
            AuthorizeError::ResponseType => "The authorization server does not support this response type.",
            AuthorizeError::Scope => INVALID_SCOPE.error_description,
            AuthorizeError::Challenge => "The code_challenge_method must be S256.",
            AuthorizeError::Store(error) => return error.into(),
        };
        Problem::malformed(words)
    }
}

/// The person's answer to the page that asks. Apps without an address of
/// their own get a page that shows the code.
async fn authorize(
    State(state): State<AppState>,
    LoggedIn(login): LoggedIn,
    params: Params,
) -> Result<Response, Problem> {
    crate::edge::auth::Browser(Some(login.clone())).check(params.text(CSRF_FIELD).as_deref())?;
    let request = authorize_request(&params);
    let (redirect_uri, state_echo) = (request.redirect_uri.clone(), params.text("state"));
    let echo = state_echo.as_deref();
    if params.text("decision").as_deref() == Some("deny") {
        let check = request.clone();
        state.store.read(move |tx| oauth::check_authorize(tx, &check)).await?;
        let words = "The resource owner or authorization server denied the request.";
        let pairs = [("error", "access_denied"), ("error_description", words)];
        return Ok(send_back(&redirect_uri, &pairs, echo));
    }
    let code = allow(&state, &login, request).await?;
    Ok(send_back(&redirect_uri, &[("code", &code)], echo))
}

async fn allow(state: &AppState, login: &Login, request: AuthorizeRequest) -> Result<String, Problem> {
    let code = state.chance.secret(SECRET_BYTES);
    let (digest, account, moment) = (secret::digest(&code), login.account.id, state.moment());
    state.store.write(move |tx| oauth::allow(tx, &moment, account, digest, &request)).await?;
    Ok(code)
}

/// Sends the browser to the app, or to our page that shows the code.
fn send_back(redirect_uri: &str, pairs: &[(&str, &str)], state: Option<&str>) -> Response {
    let target = if redirect_uri == OUT_OF_BAND { "/oauth/authorize/native" } else { redirect_uri };
    let mut target = target.to_owned();
    // Appended by hand: the app compares its URI byte for byte, so it must
    // not be normalised by a parser.
    for (name, value) in pairs.iter().copied().chain(state.map(|state| ("state", state))) {
        target.push(if target.contains('?') { '&' } else { '?' });
        target.push_str(name);
        target.push('=');
        target.extend(percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC));
    }
    Redirect::to(&target).into_response()
}

/// The app's name and secret: in the header (RFC 6749 §2.3.1) or the body.
fn credentials(headers: &HeaderMap, params: &Tree) -> (String, Option<String>) {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(basic) = header.and_then(|header| header.strip_prefix("Basic "))
        && let Ok(raw) = base64::engine::general_purpose::STANDARD.decode(basic.trim())
        && let Some((id, secret)) = String::from_utf8(raw).ok().as_deref().and_then(|raw| raw.split_once(':'))
    {
        return (id.to_owned(), Some(secret.to_owned()));
    }
    (params.text("client_id").unwrap_or_default(), params.filled("client_secret"))
}

async fn token(State(state): State<AppState>, headers: HeaderMap, params: Params) -> Response {
    let (client_id, client_secret) = credentials(&headers, &params);
    let secret = state.chance.secret(SECRET_BYTES);
    let issued = match params.text("grant_type").as_deref() {
        Some("authorization_code") => {
            if !params.has("code") || !params.has("redirect_uri") {
                return Refusal(StatusCode::BAD_REQUEST, INVALID_REQUEST).into_response();
            }
            let offer = Trade {
                client_id,
                client_secret,
                code_digest: secret::digest(&params.text("code").unwrap_or_default()),
                redirect_uri: params.text("redirect_uri").unwrap_or_default(),
                code_verifier: params.filled("code_verifier"),
            };
            trade(&state, offer, &secret).await
        }
        Some("client_credentials") => {
            let scope = params.text("scope").unwrap_or_default();
            client_token(&state, client_id, client_secret.unwrap_or_default(), scope, &secret).await
        }
        Some(_) => return Refusal(StatusCode::BAD_REQUEST, UNSUPPORTED_GRANT).into_response(),
        None => return Refusal(StatusCode::BAD_REQUEST, INVALID_REQUEST).into_response(),
    };
    match issued {
        Ok(token) => ([(CACHE_CONTROL, "no-store")], Json(TokenAnswer::new(&token, secret))).into_response(),
        Err(error) => error.into(),
    }
}

async fn trade(state: &AppState, offer: Trade, token: &str) -> Result<Token, GrantError> {
    let (digest, moment) = (secret::digest(token), state.moment());
    state.store.write(move |tx| oauth::trade(tx, &mut moment.clone(), &offer, digest)).await?
}

async fn client_token(
    state: &AppState,
    client_id: String,
    client_secret: String,
    scope: String,
    token: &str,
) -> Result<Token, GrantError> {
    let (digest, moment) = (secret::digest(token), state.moment());
    let issue = move |tx: &mut crate::store::WriteTx<'_>| {
        oauth::client_token(tx, &mut moment.clone(), &client_id, &client_secret, &scope, digest)
    };
    Ok(state.store.write(issue).await?.1)
}

async fn revoke(State(state): State<AppState>, headers: HeaderMap, params: Params) -> Response {
    match try_revoke(&state, &headers, &params).await {
        Ok(true) => Json(json!({})).into_response(),
        Ok(false) => Refusal(StatusCode::FORBIDDEN, UNAUTHORIZED_REVOKE).into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

async fn try_revoke(state: &AppState, headers: &HeaderMap, params: &Params) -> Result<bool, StoreError> {
    let (client_id, client_secret) = credentials(headers, params);
    let digest = secret::digest(&params.text("token").unwrap_or_default());
    let client_secret = client_secret.unwrap_or_default();
    state
        .store
        .write(move |tx| {
            let app: Option<App> = oauth::authenticate(tx, &client_id, &client_secret)?;
            match app {
                Some(app) => oauth::revoke(tx, app.id, digest),
                None => Ok(false),
            }
        })
        .await
}

async fn userinfo(State(state): State<AppState>, auth: Auth) -> Result<Json<UserInfo>, Problem> {
    let me = auth.me("profile")?;
    Ok(Json(UserInfo {
        iss: format!("{}/", state.site.origin),
        sub: me.account.uri.clone(),
        name: me.account.name().to_owned(),
        preferred_username: me.account.username.clone(),
        profile: me.account.url.clone(),
        picture: state.site.avatar(&me.account),
    }))
}

async fn metadata(State(state): State<AppState>) -> Json<Metadata> {
    Json(Metadata::new(&state.site, &scopes::ALL))
}
