//! Mail addresses (docs: methods/emails). Where no mails are sent they are
//! taken as they are, so that nobody has to confirm one.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::params::Input;
use crate::base::{Problem, ProblemKind};
use crate::domain::mail::{self, AskError};
use crate::edge::AppState;
use crate::edge::auth::{Auth, ClientIp, seconds};
use crate::wire::mastodon::Empty;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(confirm)).routes(routes!(check))
}

/// Where the mail goes.
#[derive(Debug, Default, Deserialize, ToSchema)]
struct Confirmation {
    /// Another address than the one that was given at first.
    email: Option<String>,
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Problem {
        match error {
            AskError::Confirmed => awaited(),
            AskError::Invalid => Problem::invalid("Validation failed: Email is invalid"),
            AskError::Taken => Problem::invalid("Validation failed: Email has already been taken"),
            AskError::Store(error) => error.into(),
        }
    }
}

fn awaited() -> Problem {
    Problem::forbidden("This method is only available while the e-mail is awaiting confirmation")
}

/// Sends the link that confirms the address again, to another address if one
/// is given. For the app through which the login was made, while it waits.
#[utoipa::path(post, path = "/api/v1/emails/confirmations", tag = "Accounts", request_body = Confirmation,
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = Empty)))]
async fn confirm(
    State(state): State<AppState>,
    ip: ClientIp,
    auth: Auth,
    sent: Input<Confirmation>,
) -> Result<Json<Empty>, Problem> {
    auth.allowed("write:accounts")?;
    let me = auth.known()?;
    if !me.user.awaits_confirmation {
        return Err(awaited());
    }
    if me.user.app != Some(me.token.app) {
        let why = "This method is only available to the application the user originally signed-up with";
        return Err(Problem::forbidden(why));
    }
    let email = sent.email.clone().filter(|email| !email.trim().is_empty());
    let to = email.clone().or(me.user.email).unwrap_or_default();
    let counted = state.gates().may_mail(state.clock.monotonic(), ip.source(), &to);
    counted
        .map_err(|wait| Problem::new(ProblemKind::TooMany, "Too many requests").retry_after(seconds(wait)))?;
    let (moment, site, id) = (state.moment(), state.site.clone(), me.id);
    state
        .store
        .write(move |tx| mail::ask_confirmation(tx, &mut moment.clone(), &site, id, email.as_deref()))
        .await?;
    Ok(Json(Empty {}))
}

/// Whether the address is confirmed.
#[utoipa::path(get, path = "/api/v1/emails/check_confirmation", tag = "Accounts",
    security(("oauth" = ["read:accounts"])), responses((status = 200, body = bool, content_type = "application/json")))]
async fn check(auth: Auth) -> Result<Json<bool>, Problem> {
    auth.allowed("read:accounts")?;
    Ok(Json(!auth.known()?.user.awaits_confirmation))
}
