//! What links in mails lead to: confirming an address, choosing a new
//! password; and the page that asks for such a mail.
//!
//! Nothing here says whether somebody has an account.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use tracing::warn;

use super::frame::Visit;
use super::pages::{ConfirmPage, ForgotPage, MessagePage, ResetPage, render_as};
use super::view::{Faults, Notice};
use super::{go, show};
use crate::base::limits::PASSWORD_BYTES_MIN;
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::mail::{self, Digest, STAFF_MAILS_MAX};
use crate::domain::{password, secret};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::edge::auth::{ClientIp, hash_password};
use crate::store::StoreError;

/// Bytes of a link's token: an id, a dot, a secret.
const TOKEN_MAX_BYTES: usize = 128;
/// Ids that confirming may take.
const IDS: u16 = STAFF_MAILS_MAX as u16 + 4;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/password/forgot", get(forgot_form).post(forgot))
        .route("/auth/password/new", get(forgot_form))
        .route("/password/reset", get(reset_form).post(reset))
        .route("/confirm", get(confirm_form).post(confirm))
}

/// The account and the digest of the secret in a link.
fn link(params: &Params) -> Option<(Id, Digest)> {
    let token = params.text("token").filter(|token| token.len() <= TOKEN_MAX_BYTES)?;
    let (id, secret) = token.split_once('.')?;
    Some((id.parse().ok()?, secret::digest(secret)))
}

fn bad_link() -> Problem {
    Problem::new(ProblemKind::NotFound, "This link does not work, or no longer")
        .hint("It works once and for a while only. Ask for a new mail.")
}

/// Where no mail is sent, these pages do not exist.
fn only_with_mail(visit: &Visit) -> Result<(), Problem> {
    if visit.state.site.mail.is_some() { Ok(()) } else { Err(Problem::not_found()) }
}

async fn forgot_form(visit: Visit) -> Result<Response, Problem> {
    only_with_mail(&visit)?;
    let shell = visit.shell("A new password", &visit.facts().await?);
    show(&visit, &ForgotPage { shell, email: String::new(), faults: Faults::none() })
}

/// `POST /password/forgot`: says the same whether anybody has the address.
async fn forgot(visit: Visit, ip: ClientIp, params: Params) -> Result<Response, Problem> {
    visit.browser.check(params.text("csrf").as_deref())?;
    only_with_mail(&visit)?;
    let email = params.filled("email").unwrap_or_default();
    if !email.contains('@') {
        let shell = visit.shell("A new password", &visit.facts().await?);
        let faults = Faults::one("email", "This is not a mail address.");
        return render_as(StatusCode::UNPROCESSABLE_ENTITY, &ForgotPage { shell, email, faults });
    }
    if let Err(wait) = visit.state.gates().may_mail(visit.state.clock.monotonic(), ip.source(), &email) {
        let shell = visit.shell("A new password", &visit.facts().await?);
        let wait = super::view::span(wait);
        let faults = Faults::one("", format!("Too many attempts. Try again in {wait}."));
        return render_as(StatusCode::TOO_MANY_REQUESTS, &ForgotPage { shell, email, faults });
    }
    ask(&visit.state, email);
    let shell = visit.shell("Look into your mails", &visit.facts().await?);
    let text = "If somebody here has this address, a link to choose a new password is on its way to it.";
    show(&visit, &MessagePage { shell, text: text.to_owned(), next: ("/login".into(), "Log in".into()) })
}

/// Nobody waits for it: how long it takes would tell whether anybody has the
/// address.
fn ask(state: &AppState, email: String) {
    let (state, moment) = (state.clone(), state.moment());
    tokio::spawn(async move {
        let site = state.site.clone();
        let write = state.store.write(move |tx| mail::ask_reset(tx, &mut moment.clone(), &site, &email));
        if let Err(error) = write.await {
            let error: StoreError = error;
            warn!(%error, "a mail for a new password could not be written");
        }
    });
}

async fn reset_form(visit: Visit, params: Params) -> Result<Response, Problem> {
    let (id, digest) = link(&params).ok_or_else(bad_link)?;
    let now = visit.state.now();
    if !visit.state.store.read(move |tx| mail::can_reset(tx, now, id, &digest)).await? {
        return Err(bad_link());
    }
    reset_page(&visit, &params, StatusCode::OK, Faults::none()).await
}

async fn reset_page(
    visit: &Visit,
    params: &Params,
    status: StatusCode,
    faults: Faults,
) -> Result<Response, Problem> {
    let shell = visit.shell("A new password", &visit.facts().await?);
    let token = params.text("token").unwrap_or_default();
    render_as(status, &ResetPage { shell, token, password_min: PASSWORD_BYTES_MIN, faults })
}

/// `POST /password/reset`.
async fn reset(visit: Visit, ip: ClientIp, params: Params) -> Result<Response, Problem> {
    visit.browser.check(params.text("csrf").as_deref())?;
    let (id, digest) = link(&params).ok_or_else(bad_link)?;
    let chosen = params.text("password").unwrap_or_default();
    if password::check_choice(&chosen).is_err() {
        let faults = Faults::one("password", format!("It needs at least {PASSWORD_BYTES_MIN} characters."));
        return reset_page(&visit, &params, StatusCode::UNPROCESSABLE_ENTITY, faults).await;
    }
    // Hashing is slow, so a guessed link is turned away before it, and counted.
    let state = &visit.state;
    let counted = state.gates().login.lock().attempt(state.clock.monotonic(), ip.source(), &id.to_string());
    if let Err(wait) = counted {
        let wait = super::view::span(wait);
        let faults = Faults::one("", format!("Too many attempts. Try again in {wait}."));
        return reset_page(&visit, &params, StatusCode::TOO_MANY_REQUESTS, faults).await;
    }
    let now = state.now();
    if !state.store.read(move |tx| mail::can_reset(tx, now, id, &digest)).await? {
        return Err(bad_link());
    }
    let hash = hash_password(state, &chosen).await?;
    let (moment, site) = (state.moment_with(IDS), state.site.clone());
    let write =
        state.store.write(move |tx| mail::reset(tx, &mut moment.clone(), &site, (id, &digest), &hash));
    if !write.await? {
        return Err(bad_link());
    }
    Ok(go::saying(&state.site, Notice::PasswordChanged, go::to("/login")))
}

/// A button and not the link itself confirms: programs that look into mails
/// open every link.
async fn confirm_form(visit: Visit, params: Params) -> Result<Response, Problem> {
    link(&params).ok_or_else(bad_link)?;
    let shell = visit.shell("Your mail address", &visit.facts().await?);
    show(&visit, &ConfirmPage { shell, token: params.text("token").unwrap_or_default() })
}

/// `POST /confirm`.
async fn confirm(visit: Visit, params: Params) -> Result<Response, Problem> {
    visit.browser.check(params.text("csrf").as_deref())?;
    let (id, digest) = link(&params).ok_or_else(bad_link)?;
    let (moment, site) = (visit.state.moment_with(IDS), visit.state.site.clone());
    let write =
        visit.state.store.write(move |tx| mail::confirm(tx, &mut moment.clone(), &site, (id, &digest)));
    if !write.await? {
        return Err(bad_link());
    }
    Ok(go::saying(&visit.state.site, Notice::Confirmed, go::to("/login")))
}
