//! OAuth (docs: methods/oauth; RFC 6749, 7009, 7636, 8414). Refusals have
//! Doorkeeper's exact words: clients compare them.

use axum::Json;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::params::{Input, Params, Tree};
use crate::base::Problem;
use crate::domain::oauth::{self, AuthorizeError, AuthorizeRequest, GrantError, OUT_OF_BAND, Trade, scopes};
use crate::domain::secret;
use crate::domain::session::Login;
use crate::edge::AppState;
use crate::edge::auth::{Auth, CSRF_FIELD, LoggedIn};
use crate::model::{App, Token};
use crate::store::StoreError;
use crate::wire::mastodon::Empty;
use crate::wire::mastodon::oauth::{Metadata, OauthError, TokenAnswer, UserInfo};

/// Random bytes of codes and tokens.
const SECRET_BYTES: usize = 32;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(authorize))
        .routes(routes!(token))
        .routes(routes!(revoke))
        .routes(routes!(userinfo))
        .routes(routes!(metadata))
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

/// A person's answer to the page that asks whether an app may act for them,
/// with the fields of the request as they came.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // read by `authorize_request`, which the page's query shares
#[schema(as = AuthorizeDecision)]
struct Decision {
    /// `allow` or `deny`.
    decision: Option<String>,
    /// Against forged forms: the value that the page has.
    csrf: String,
    /// `code`.
    response_type: String,
    client_id: String,
    redirect_uri: String,
    /// With spaces between; `read` if nothing is said.
    scope: Option<String>,
    /// Sent back as it is.
    state: Option<String>,
    code_challenge: Option<String>,
    /// `S256`.
    code_challenge_method: Option<String>,
}

/// The person's answer to the page that asks. Apps without an address of
/// their own get a page that shows the code. Takes the browser's session, not
/// a token.
#[utoipa::path(post, path = "/oauth/authorize", tag = "OAuth", request_body = Decision, responses(
    (status = 303, description = "To the app's address with `code`, or with `error` where it was denied; to the login page."),
    (status = 403, description = "The form is not ours.")))]
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

/// What an app gives for a token (RFC 6749 §4.1.3, §4.4.2). Its name and
/// secret may be in a `Basic` header instead.
#[derive(Debug, Deserialize, ToSchema)]
struct TokenRequest {
    /// `authorization_code` or `client_credentials`.
    grant_type: Option<String>,
    #[allow(dead_code)] // read by `credentials`, which revoking shares
    client_id: Option<String>,
    #[allow(dead_code)]
    client_secret: Option<String>,
    /// For `authorization_code`.
    code: Option<String>,
    /// For `authorization_code`: the same as when the code was asked for.
    redirect_uri: Option<String>,
    /// For `authorization_code`, where a challenge was sent (RFC 7636).
    code_verifier: Option<String>,
    /// For `client_credentials`: with spaces between; `read` if nothing is said.
    scope: Option<String>,
}

/// Gives a token for a code, or for the app alone.
#[utoipa::path(post, path = "/oauth/token", tag = "OAuth", request_body = TokenRequest, responses(
    (status = 200, body = TokenAnswer),
    (status = 400, body = OauthError, description = "The request, its code or its scope is not right."),
    (status = 401, body = OauthError, description = "The app is not known by this name and secret.")))]
async fn token(State(state): State<AppState>, headers: HeaderMap, sent: Input<TokenRequest>) -> Response {
    let params = &sent.params;
    let (client_id, client_secret) = credentials(&headers, params);
    let secret = state.chance.secret(SECRET_BYTES);
    let issued = match sent.grant_type.as_deref() {
        Some("authorization_code") => {
            let (Some(code), Some(redirect_uri)) = (&sent.code, &sent.redirect_uri) else {
                return Refusal(StatusCode::BAD_REQUEST, INVALID_REQUEST).into_response();
            };
            let offer = Trade {
                client_id,
                client_secret,
                code_digest: secret::digest(code),
                redirect_uri: redirect_uri.clone(),
                code_verifier: sent.code_verifier.clone(),
            };
            trade(&state, offer, &secret).await
        }
        Some("client_credentials") => {
            let scope = sent.scope.clone().unwrap_or_default();
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

/// Which token ends (RFC 7009). The app's name and secret may be in a `Basic`
/// header instead.
#[derive(Debug, Deserialize, ToSchema)]
struct Revocation {
    #[allow(dead_code)] // read by `credentials`, which the token request shares
    client_id: Option<String>,
    #[allow(dead_code)]
    client_secret: Option<String>,
    token: Option<String>,
}

/// Ends a token.
#[utoipa::path(post, path = "/oauth/revoke", tag = "OAuth", request_body = Revocation, responses(
    (status = 200, body = Empty),
    (status = 403, body = OauthError, description = "The token is not one of this app's.")))]
async fn revoke(State(state): State<AppState>, headers: HeaderMap, sent: Input<Revocation>) -> Response {
    match try_revoke(&state, &headers, &sent).await {
        Ok(true) => Json(Empty {}).into_response(),
        Ok(false) => Refusal(StatusCode::FORBIDDEN, UNAUTHORIZED_REVOKE).into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

async fn try_revoke(
    state: &AppState,
    headers: &HeaderMap,
    sent: &Input<Revocation>,
) -> Result<bool, StoreError> {
    let (client_id, client_secret) = credentials(headers, &sent.params);
    let digest = secret::digest(sent.token.as_deref().unwrap_or_default());
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

/// Who is logged in.
#[utoipa::path(method(get, post), path = "/oauth/userinfo", tag = "OAuth",
    security(("oauth" = ["profile"])), responses((status = 200, body = UserInfo)))]
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

/// What this authorization server can do (RFC 8414).
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "OAuth",
    responses((status = 200, body = Metadata)))]
async fn metadata(State(state): State<AppState>) -> Json<Metadata> {
    Json(Metadata::new(&state.site, &scopes::ALL))
}
