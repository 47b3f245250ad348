//! Coming in and going out: the owner's link, signing up, logging in and out.

use axum::Router;
use axum::extract::Path;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};

use super::frame::Visit;
use super::pages::{LogInPage, MessagePage, SetupPage, SignUpPage, render_as};
use super::view::{Faults, Notice, SignUpForm, Theme};
use super::{go, show};
use crate::base::limits::PASSWORD_BYTES_MIN;
use crate::base::{Id, Problem, ProblemKind, Registration};
use crate::domain::session::{self, NewSession};
use crate::domain::user::{self, Entry, NewUser, OwnerLink, SIGN_UP_IDS, SignUpError};
use crate::domain::{password, secret};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::edge::auth::bars::registration;
use crate::edge::auth::{
    ClientIp, LoginFailure, check_login, clear_session_cookie, fresh_keys, hash_password, session_cookie,
};
use crate::model::Account;
use crate::store::StoreError;

/// Bytes of a session's secret and of what its forms carry.
const SECRET_BYTES: usize = 32;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/login", get(login_form).post(log_in))
        .route("/logout", post(log_out))
        .route("/signup", get(sign_up_form).post(sign_up))
        .route("/auth/sign_up", get(sign_up_form))
        .route("/auth/sign_in", get(login_form))
        .route("/invite/{code}", get(invited))
        .route("/setup/{secret}", get(setup_form).post(set_up))
        .route("/theme", post(theme))
}

/// Logs a browser in and sends it on.
async fn open_session(
    state: &AppState,
    headers: &HeaderMap,
    account: Id,
    mut response: Response,
) -> Result<Response, Problem> {
    let cookie = state.chance.secret(SECRET_BYTES);
    let csrf = state.chance.secret(SECRET_BYTES);
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let (digest, moment) = (secret::digest(&cookie), state.moment());
    let write = state.store.write(move |tx| {
        let new = NewSession { digest, csrf: &csrf, user_agent: &agent };
        session::create(tx, &mut moment.clone(), account, &new)
    });
    write.await.map_err(|error: StoreError| Problem::from(error))?;
    response.headers_mut().append(SET_COOKIE, session_cookie(&state.site, &cookie));
    Ok(response)
}

/// Where to go after logging in.
fn next(params: &Params) -> String {
    let path = params.text("next").or_else(|| params.text("back")).unwrap_or_default();
    go::local_path(&path).to_owned()
}

async fn login_form(visit: Visit, params: Params) -> Result<Response, Problem> {
    if visit.me().is_some() {
        return Ok(go::to(&next(&params)));
    }
    let shell = visit.shell("Log in", &visit.facts().await?);
    let (has_reset, next) = (visit.state.site.mail.is_some(), next(&params));
    show(&visit, &LogInPage { shell, name: String::new(), next, has_reset, faults: Faults::none() })
}

async fn log_in(visit: Visit, ip: ClientIp, headers: HeaderMap, params: Params) -> Result<Response, Problem> {
    let name = params.filled("name").unwrap_or_default();
    let password = params.text("password").unwrap_or_default();
    let (status, fault) = match check_login(&visit.state, ip, &name, &password).await {
        Ok((_, account)) => {
            // A browser that was logged in as somebody else forgets them.
            end_session(&visit).await?;
            return open_session(&visit.state, &headers, account.id, go::to(&next(&params))).await;
        }
        Err(LoginFailure::Problem(problem)) => return Err(problem),
        Err(LoginFailure::Wrong) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "The name or the password is not right.".to_owned())
        }
        Err(LoginFailure::Pending) => {
            (StatusCode::FORBIDDEN, "Your request for an account is still waiting for an answer.".to_owned())
        }
        Err(LoginFailure::Unconfirmed) => (
            StatusCode::FORBIDDEN,
            "Your mail address is not confirmed yet. We have sent you a link; look into your mails."
                .to_owned(),
        ),
        Err(LoginFailure::Disabled) => (StatusCode::FORBIDDEN, "This account is disabled.".to_owned()),
        Err(LoginFailure::TooMany(seconds)) => {
            let wait = super::view::span(std::time::Duration::from_secs(u64::from(seconds)));
            (StatusCode::TOO_MANY_REQUESTS, format!("Too many attempts. Try again in {wait}."))
        }
    };
    let shell = visit.shell("Log in", &visit.facts().await?);
    let (has_reset, next) = (visit.state.site.mail.is_some(), next(&params));
    render_as(status, &LogInPage { shell, name, next, has_reset, faults: Faults::one("", fault) })
}

/// `POST /logout`.
async fn log_out(visit: Visit, params: Params) -> Result<Response, Problem> {
    visit.browser.check(params.text("csrf").as_deref())?;
    end_session(&visit).await?;
    let mut response = go::saying(&visit.state.site, Notice::LoggedOut, go::to("/"));
    response.headers_mut().append(SET_COOKIE, clear_session_cookie(&visit.state.site));
    Ok(response)
}

async fn end_session(visit: &Visit) -> Result<(), Problem> {
    let Some(digest) = visit.login().map(|login| login.digest) else { return Ok(()) };
    Ok(visit.state.store.write(move |tx| session::delete(tx, digest)).await?)
}

async fn invited(Path(code): Path<String>) -> Response {
    go::to(&format!("/signup?invite={}", super::encode(&code)))
}

async fn sign_up_form(visit: Visit, params: Params) -> Result<Response, Problem> {
    if visit.me().is_some() {
        return Ok(go::to("/"));
    }
    let invite = params.filled("invite").unwrap_or_default();
    let form = SignUpForm { invite, ..SignUpForm::default() };
    show(&visit, &sign_up_page(&visit, form).await?)
}

async fn sign_up_page(visit: &Visit, mut form: SignUpForm) -> Result<SignUpPage, Problem> {
    let code = form.invite.clone();
    let read = visit.read(move |tx, viewer| user::usable_invite(tx, &code, viewer.now));
    let (facts, invite) = read.await.map_err(|error: StoreError| Problem::from(error))?;
    let is_invited = invite.is_some() && visit.state.config.registration != Registration::Closed;
    if !form.invite.is_empty() && !is_invited && form.faults.is_empty() {
        form.faults.add("invite", "This invitation is used up, too old, or mistyped.");
    }
    Ok(SignUpPage {
        shell: visit.shell("Sign up", &facts),
        form,
        is_invited,
        password_min: PASSWORD_BYTES_MIN,
    })
}

/// What a form for a new account says, with its password apart.
fn typed(params: &Params) -> (SignUpForm, String) {
    let text = |name: &str| params.filled(name).unwrap_or_default();
    let form = SignUpForm {
        username: text("username").trim_start_matches('@').to_owned(),
        email: text("email"),
        reason: text("reason"),
        invite: text("invite"),
        faults: Faults::none(),
    };
    (form, params.text("password").unwrap_or_default())
}

/// `POST /signup`.
async fn sign_up(
    visit: Visit,
    ip: ClientIp,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    visit.browser.check(params.text("csrf").as_deref())?;
    let (mut form, password) = typed(&params);
    let mode = registration(&visit.state, ip).await?;
    let made = make(&visit.state, Some(ip), &form, &password, Door::Public(mode)).await?;
    match made {
        Ok(_) if visit.state.site.mail.as_ref().is_some_and(|route| route.confirms) => {
            let text = format!("We have sent a link to {}. Open it to go on.", form.email);
            thanks(&visit, text).await
        }
        Ok(_) if mode == Registration::Approval && form.invite.is_empty() => {
            let text = "Your request is on its way. You can log in as soon as somebody has said yes.";
            thanks(&visit, text.to_owned()).await
        }
        Ok(account) => open_session(&visit.state, &headers, account.id, go::to("/")).await,
        Err((field, sentence)) => {
            form.faults = Faults::one(field, sentence);
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &sign_up_page(&visit, form).await?)
        }
    }
}

async fn thanks(visit: &Visit, text: String) -> Result<Response, Problem> {
    let shell = visit.shell("Thank you", &visit.facts().await?);
    show(visit, &MessagePage { shell, text, next: ("/".into(), "Back".into()) })
}

async fn setup_form(visit: Visit, Path(secret): Path<String>) -> Result<Response, Problem> {
    let link = secret.clone();
    let read = visit.read(move |tx, _| user::check_owner_link(tx, &OwnerLink(&link)));
    let (facts, works) = read.await.map_err(|error: StoreError| Problem::from(error))?;
    if !works {
        return Err(bad_link());
    }
    let shell = visit.shell("Welcome", &facts);
    let form = SignUpForm::default();
    show(&visit, &SetupPage { shell, form, secret, password_min: PASSWORD_BYTES_MIN })
}

fn bad_link() -> Problem {
    Problem::new(ProblemKind::NotFound, "This link does not work, or no longer")
        .hint("It works once. A new one is printed when the server starts, as long as nobody owns it.")
}

/// `POST /setup/secret`.
async fn set_up(
    visit: Visit,
    headers: HeaderMap,
    Path(secret): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    let (mut form, password) = typed(&params);
    let made = make(&visit.state, None, &form, &password, Door::Owner(secret.clone())).await?;
    match made {
        Ok(account) => open_session(&visit.state, &headers, account.id, go::to("/")).await,
        Err(("link", _)) => Err(bad_link()),
        Err((field, sentence)) => {
            form.faults = Faults::one(field, sentence);
            let shell = visit.shell("Welcome", &visit.facts().await?);
            let view = SetupPage { shell, form, secret, password_min: PASSWORD_BYTES_MIN };
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &view)
        }
    }
}

/// By which form somebody comes in.
enum Door {
    Public(Registration),
    Owner(String),
}

/// A form's field and what is wrong with it.
type Fault = (&'static str, String);

/// Makes an account. Cheap checks come first: a key and a hash take a while.
async fn make(
    state: &AppState,
    ip: Option<ClientIp>,
    form: &SignUpForm,
    typed: &str,
    door: Door,
) -> Result<Result<Account, Fault>, Problem> {
    if let Err(error) = user::name::check(&form.username) {
        return Ok(Err(("username", fault_of_name(error))));
    }
    if password::check_choice(typed).is_err() {
        return Ok(Err(("password", format!("It needs at least {PASSWORD_BYTES_MIN} characters."))));
    }
    if let Some(ip) = ip {
        let attempt = state.gates().sign_up.lock().take(state.clock.monotonic(), ip.source());
        if let Err(wait) = attempt {
            let wait = super::view::span(wait);
            return Ok(Err(("", format!("Too many new accounts from your network. Try again in {wait}."))));
        }
    }
    let new = NewUser {
        username: form.username.clone(),
        email: Some(form.email.clone()).filter(|email| !email.is_empty()),
        password_hash: hash_password(state, typed).await?,
        keys: fresh_keys(state).await?,
        reason: Some(form.reason.clone()).filter(|reason| !reason.is_empty()),
        invite: Some(form.invite.clone()).filter(|invite| !invite.is_empty()),
        app: None,
        locale: None,
    };
    let (moment, site) = (state.moment_with(SIGN_UP_IDS), state.site.clone());
    let made = state.store.write(move |tx| match &door {
        Door::Public(mode) => user::sign_up(tx, &mut moment.clone(), &site, Entry::Public(*mode), &new),
        Door::Owner(link) => user::create_owner(tx, &mut moment.clone(), &site, &OwnerLink(link), &new),
    });
    match made.await {
        Ok(account) => Ok(Ok(account)),
        Err(SignUpError::Store(error)) => Err(error.into()),
        Err(error) => Ok(Err(fault(&error))),
    }
}

fn fault(error: &SignUpError) -> Fault {
    match error {
        SignUpError::Closed => ("invite", "This server does not take new accounts.".into()),
        SignUpError::InviteNeeded => ("invite", "New accounts need an invitation.".into()),
        SignUpError::InviteInvalid => ("invite", "This invitation is used up, too old, or mistyped.".into()),
        SignUpError::ReasonBlank => ("reason", "Please say a few words.".into()),
        SignUpError::Username(error) => ("username", fault_of_name(*error)),
        SignUpError::UsernameTaken => ("username", "This name is taken, or was once.".into()),
        SignUpError::EmailBlank => ("email", "A mail goes there, so please give one.".into()),
        SignUpError::EmailInvalid => ("email", "This is not a mail address.".into()),
        SignUpError::EmailTaken => ("email", "Somebody has signed up with this address.".into()),
        SignUpError::EmailBarred => ("email", "This address cannot be used here.".into()),
        SignUpError::BadLink => ("link", String::new()),
        SignUpError::Store(_) => ("", String::new()),
    }
}

/// `POST /theme`: light, dark, or as the device says.
async fn theme(visit: Visit, params: Params) -> Response {
    let theme = Theme::from_value(&params.text("theme").unwrap_or_default());
    let mut response = go::back(&params);
    response.headers_mut().append(SET_COOKIE, go::theme_cookie(&visit.state.site, theme));
    response
}

fn fault_of_name(error: user::name::NameError) -> String {
    use user::name::NameError;
    match error {
        NameError::Blank => "Choose a name.".to_owned(),
        NameError::TooLong => "This name is too long.".to_owned(),
        NameError::Letters => "Only the letters a to z, digits and underscores, please.".to_owned(),
        NameError::Reserved => "This name belongs to the server.".to_owned(),
    }
}
