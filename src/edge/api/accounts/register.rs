//! Signing up through an app (docs: methods/accounts, "Register an account").

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::base::{Problem, ProblemKind};
use crate::domain::oauth;
use crate::domain::password::{self, PasswordError};
use crate::domain::secret;
use crate::domain::user::name::NameError;
use crate::domain::user::{Entry, NewUser, SIGN_UP_IDS, SignUpError, sign_up};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::edge::auth::bars::registration;
use crate::edge::auth::{Auth, ClientIp, fresh_keys, hash_password, seconds};
use crate::model::Registration;
use crate::wire::mastodon::oauth::TokenAnswer;

/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;

/// Who wants to join. All faults are told at once, so nothing is needed to be read.
#[derive(Debug, ToSchema)]
#[allow(dead_code)] // a description only
pub(super) struct SignUp {
    username: String,
    email: String,
    password: String,
    /// Whether the rules are agreed to.
    agreement: bool,
    /// Language of the confirmation and the pages.
    locale: Option<String>,
    /// Why they want to join, where that is asked.
    reason: Option<String>,
    invite_code: Option<String>,
}

/// What is wrong with one field: its name here and for people, Mastodon's
/// code, and the words after the name.
struct Fault(&'static str, &'static str, &'static str, String);

fn fault(field: &'static str, label: &'static str, code: &'static str, words: &str) -> Fault {
    Fault(field, label, code, words.to_owned())
}

/// 422 with all faults: `{"error": …, "details": {field: [{error, description}]}}`.
fn faulty(faults: &[Fault]) -> Response {
    let mut details = Map::new();
    for Fault(field, _, code, words) in faults {
        let list = details.entry(*field).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(json!({ "error": code, "description": words }));
        }
    }
    let all: Vec<String> =
        faults.iter().map(|Fault(_, label, _, words)| format!("{label} {words}")).collect();
    let error = format!("Validation failed: {}", all.join(", "));
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": error, "details": details }))).into_response()
}

fn faults_of(params: &Params) -> Vec<Fault> {
    let mut faults = Vec::new();
    if params.filled("username").is_none() {
        faults.push(fault("username", "Username", "ERR_BLANK", "can't be blank"));
    }
    if params.filled("email").is_none() {
        faults.push(fault("email", "Email", "ERR_BLANK", "can't be blank"));
    }
    match params.text("password").as_deref() {
        None | Some("") => faults.push(fault("password", "Password", "ERR_BLANK", "can't be blank")),
        Some(text) => faults.extend(password::check_choice(text).err().map(|why| match why {
            PasswordError::TooShort => {
                fault("password", "Password", "ERR_TOO_SHORT", "is too short (minimum is 8 characters)")
            }
            PasswordError::TooLong => {
                fault("password", "Password", "ERR_TOO_LONG", "is too long (maximum is 256 characters)")
            }
        })),
    }
    if params.flag("agreement") != Some(true) {
        faults.push(fault("agreement", "Service agreement", "ERR_ACCEPTED", "must be accepted"));
    }
    faults
}

fn refused(error: SignUpError) -> Response {
    let one = |field, label, code, words| faulty(&[fault(field, label, code, words)]);
    match error {
        SignUpError::Closed | SignUpError::InviteNeeded | SignUpError::BadLink => {
            Problem::forbidden("This action is not allowed").into_response()
        }
        SignUpError::InviteInvalid => one("invite_code", "Invite code", "ERR_INVALID", "is not valid"),
        SignUpError::ReasonBlank => one("reason", "Reason", "ERR_BLANK", "can't be blank"),
        SignUpError::Username(why) => {
            let (code, words) = match why {
                NameError::Blank => ("ERR_BLANK", "can't be blank"),
                NameError::TooLong => ("ERR_TOO_LONG", "is too long (maximum is 30 characters)"),
                NameError::Letters => ("ERR_INVALID", "must contain only letters, numbers and underscores"),
                NameError::Reserved => ("ERR_RESERVED", "is reserved"),
            };
            one("username", "Username", code, words)
        }
        SignUpError::UsernameTaken => one("username", "Username", "ERR_TAKEN", "has already been taken"),
        SignUpError::EmailBlank => one("email", "Email", "ERR_BLANK", "can't be blank"),
        SignUpError::EmailInvalid => one("email", "Email", "ERR_INVALID", "is not a valid address"),
        SignUpError::EmailTaken => one("email", "Email", "ERR_TAKEN", "has already been taken"),
        SignUpError::EmailBarred => one("email", "Email", "ERR_BLOCKED", "uses a disallowed e-mail provider"),
        SignUpError::Store(error) => Problem::from(error).into_response(),
    }
}

/// Signs somebody up, with the token of an app.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "Accounts", request_body = SignUp,
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = TokenAnswer)))]
pub(super) async fn register(
    State(state): State<AppState>,
    ip: ClientIp,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let bearer = auth.allowed("write:accounts")?;
    if bearer.token.account.is_some() || state.config.registration == Registration::Closed {
        return Err(Problem::forbidden("This action is not allowed"));
    }
    let registration = registration(&state, ip).await?;
    let faults = faults_of(&params);
    if !faults.is_empty() {
        return Ok(faulty(&faults));
    }
    let allowed = state.gates().sign_up.lock().take(state.clock.monotonic(), ip.source());
    allowed
        .map_err(|wait| Problem::new(ProblemKind::TooMany, "Too many requests").retry_after(seconds(wait)))?;
    let new = NewUser {
        username: params.filled("username").unwrap_or_default(),
        email: params.filled("email"),
        password_hash: hash_password(&state, &params.text("password").unwrap_or_default()).await?,
        keys: fresh_keys(&state).await?,
        reason: params.filled("reason"),
        invite: params.filled("invite_code"),
        app: Some(bearer.token.app),
        locale: params.filled("locale"),
    };
    let scopes = bearer.token.scopes.clone();
    let token = bearer.token.clone();
    let (site, moment, entry) =
        (state.site.clone(), state.moment_with(SIGN_UP_IDS), Entry::Public(registration));
    let secret_text = state.chance.secret(TOKEN_BYTES);
    let digest = secret::digest(&secret_text);
    let issued = state
        .store
        .write(move |tx| {
            let mut moment = moment.clone();
            let account = sign_up(tx, &mut moment, &site, entry, &new)?;
            let app = oauth::app_of(tx, &token)?.ok_or(SignUpError::Closed)?;
            Ok(oauth::issue(tx, &mut moment, digest, &app, Some(account.id), scopes.clone()))
        })
        .await;
    Ok(match issued {
        Ok(token) => Json(TokenAnswer::new(&token, secret_text)).into_response(),
        Err(error) => refused(error),
    })
}
