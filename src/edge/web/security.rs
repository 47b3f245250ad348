//! One's password, and the browsers that are logged in.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};

use super::frame::Member;
use super::pages::{SecurityPage, SessionView, render_as};
use super::timelines::id;
use super::view::{Faults, Notice, When, span};
use super::{go, show};
use crate::base::Problem;
use crate::base::limits::PASSWORD_BYTES_MIN;
use crate::domain::mail::{self, AskError};
use crate::domain::user::{self, UserError};
use crate::domain::{password, session};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::edge::auth::{ClientIp, LoginFailure, check_login, hash_password};
use crate::store::StoreError;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/settings/security", get(page))
        .route("/settings/password", post(change_password).get(async || Redirect::to("/settings/security")))
        .route("/settings/email", post(change_email).get(async || Redirect::to("/settings/security")))
        .route("/settings/sessions/{id}/end", post(end_session))
}

async fn page(member: Member) -> Result<Response, Problem> {
    let view = view(&member, Faults::none()).await?;
    show(&member.visit, &view)
}

async fn view(member: &Member, faults: Faults) -> Result<SecurityPage, Problem> {
    let (me, this, now) = (member.login.account.id, member.login.session.id, member.visit.state.now());
    let read = member.visit.read(move |tx, _| session::list(tx, me));
    let (facts, sessions) = read.await.map_err(|error: StoreError| Problem::from(error))?;
    let session = |session: &crate::model::Session| SessionView {
        id: session.id.to_string(),
        browser: browser(&session.user_agent),
        created: When::new(session.created_at, now),
        seen: When::new(session.seen_at, now),
        is_this: session.id == this,
    };
    let user = &member.login.user;
    Ok(SecurityPage {
        shell: member.visit.shell("Password and sessions", &facts),
        email: user.email.clone().unwrap_or_default(),
        new_email: user.new_email.clone(),
        sessions: sessions.iter().map(|(_, kept)| session(kept)).collect(),
        faults,
    })
}

/// A browser's name in words, as far as its header says. The order matters:
/// most browsers also claim to be others.
fn browser(agent: &str) -> String {
    let known = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    let program = known(&[
        ("Firefox", "Firefox"),
        ("Edg", "Edge"),
        ("OPR", "Opera"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ]);
    let system = known(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS X", "macOS"),
        ("Windows", "Windows"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) if agent.is_empty() => "Unknown browser".to_owned(),
        (None, None) => agent.chars().take(40).collect(),
    }
}

/// `POST /settings/password`. Attempts count as log-ins do, so that a stolen
/// session cannot guess the password.
async fn change_password(member: Member, ip: ClientIp, params: Params) -> Result<Response, Problem> {
    let Member { visit, login } = &member;
    visit.browser.check(params.text("csrf").as_deref())?;
    let text = |name: &str| params.text(name).unwrap_or_default();
    let (current, new) = (text("current"), text("new"));
    let fault = match check_login(&visit.state, ip, &login.account.username, &current).await {
        Ok(_) if password::check_choice(&new).is_err() => {
            Some(("new", format!("It needs at least {PASSWORD_BYTES_MIN} characters.")))
        }
        Ok(_) => None,
        Err(LoginFailure::Wrong) => Some(("current", "That is not your present password.".to_owned())),
        Err(other) => return Err(other.into()),
    };
    if let Some((field, sentence)) = fault {
        let view = view(&member, Faults::one(field, sentence)).await?;
        return render_as(StatusCode::UNPROCESSABLE_ENTITY, &view);
    }
    let (hash, me, keep) = (hash_password(&visit.state, &new).await?, login.account.id, login.digest);
    let (moment, site) = (visit.state.moment(), visit.state.site.clone());
    let write = visit
        .state
        .store
        .write(move |tx| user::set_password(tx, &mut moment.clone(), &site, me, &hash, Some(keep)));
    write.await.map_err(|error| match error {
        UserError::Missing => Problem::not_found(),
        UserError::Store(error) => error.into(),
    })?;
    Ok(go::saying(&visit.state.site, Notice::PasswordChanged, go::to("/settings/security")))
}

/// `POST /settings/email`. Attempts count as log-ins do, and mails as mails.
async fn change_email(member: Member, ip: ClientIp, params: Params) -> Result<Response, Problem> {
    let Member { visit, login } = &member;
    let state = &visit.state;
    visit.browser.check(params.text("csrf").as_deref())?;
    let text = |name: &str| params.text(name).unwrap_or_default();
    let (password, email) = (text("password"), text("email"));
    let refused = async |field: &'static str, sentence: String| {
        let view = view(&member, Faults::one(field, sentence)).await?;
        render_as(StatusCode::UNPROCESSABLE_ENTITY, &view)
    };
    match check_login(state, ip, &login.account.username, &password).await {
        Ok(_) => {}
        Err(LoginFailure::Wrong) => {
            return refused("password", "That is not your present password.".to_owned()).await;
        }
        Err(other) => return Err(other.into()),
    }
    if let Err(wait) = state.gates().may_mail(state.clock.monotonic(), ip.source(), &email) {
        return refused("email", format!("Too many mails. Try again in {}.", span(wait))).await;
    }
    let (moment, site, me) = (state.moment_with(2), state.site.clone(), login.account.id);
    let write = state.store.write(move |tx| mail::change_address(tx, &mut moment.clone(), &site, me, &email));
    let notice = match write.await {
        Ok(true) => Notice::AddressChanged,
        Ok(false) => Notice::AddressAsked,
        Err(AskError::Store(error)) => return Err(error.into()),
        // Whether somebody else has it is nobody's business but theirs.
        Err(_) => return refused("email", "This address cannot be used.".to_owned()).await,
    };
    Ok(go::saying(&state.site, notice, go::to("/settings/security")))
}

/// `POST /settings/sessions/id/end`.
async fn end_session(
    member: Member,
    Path(session): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    let Member { visit, login } = member;
    visit.browser.check(params.text("csrf").as_deref())?;
    let (session, me) = (id(&session)?, login.account.id);
    let write = visit.state.store.write(move |tx| session::delete_by_id(tx, me, session));
    write.await.map_err(|error: StoreError| Problem::from(error))?;
    Ok(go::saying(&visit.state.site, Notice::SessionEnded, go::to("/settings/security")))
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_have_names() {
        for (agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Safari/604",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140 Safari/537 Edg/140",
                "Edge on Windows",
            ),
            ("", "Unknown browser"),
            ("curl/8", "curl/8"),
        ] {
            assert_eq!(browser(agent), name);
        }
    }
}
