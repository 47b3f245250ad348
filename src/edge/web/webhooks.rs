//! Webhooks, for those who run the server: which there are, of what they are
//! told, and new ones. A secret is shown once, when it is made.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::frame::Member;
use super::pages::{WebhooksPage, render_as};
use super::timelines::id;
use super::view::{Faults, WebhookForm, WebhookSecret, WebhookView};
use super::{go, show};
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::moderation::Staff;
use crate::domain::webhook::{self, Change, Wish};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::edge::webhooks::{address, events, new_secret};
use crate::model::{Permission, Webhook};
use crate::store::WriteTx;

const PAGE: &str = "/settings/webhooks";

pub(super) fn routes() -> Router<AppState> {
    Router::new().route(PAGE, get(page).post(create)).route("/settings/webhooks/{id}/{act}", post(act))
}

/// To everybody else these pages do not exist.
fn admin(member: &Member) -> Result<Staff, Problem> {
    let by = Staff { id: member.login.account.id, role: member.login.user.role };
    if by.role.permits(Permission::ManageWebhooks) { Ok(by) } else { Err(Problem::not_found()) }
}

async fn page(member: Member) -> Result<Response, Problem> {
    admin(&member)?;
    let view = view(&member, WebhookForm::default(), None).await?;
    show(&member.visit, &view)
}

async fn view(
    member: &Member,
    form: WebhookForm,
    secret: Option<WebhookSecret>,
) -> Result<WebhooksPage, Problem> {
    let visit = &member.visit;
    let (facts, webhooks) = visit.read(|tx, _| webhook::list(tx)).await?;
    let now = visit.state.now();
    let webhooks = webhooks.iter().map(|webhook| WebhookView::new(webhook, now)).collect();
    Ok(WebhooksPage { shell: visit.shell("Webhooks", &facts), webhooks, form, secret })
}

fn wish(state: &AppState, params: &Params) -> Result<Wish, Problem> {
    let words = params.list("events").unwrap_or_default();
    Ok(Wish { url: address(state, &params.text("url").unwrap_or_default())?, events: events(&words)? })
}

/// `POST /settings/webhooks`.
async fn create(member: Member, params: Params) -> Result<Response, Problem> {
    let by = admin(&member)?;
    let state = &member.visit.state;
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let made = async {
        let (wish, secret, moment) = (wish(state, &params)?, new_secret(state), state.moment());
        let write = move |tx: &mut WriteTx<'_>| webhook::create(tx, &mut moment.clone(), by, &wish, &secret);
        Ok::<Webhook, Problem>(state.store.write(write).await?)
    };
    match made.await {
        Ok(webhook) => show_secret(&member, &webhook).await,
        Err(problem) => refused(&member, &params, problem).await,
    }
}

/// The page with what was typed and what is wrong with it.
async fn refused(member: &Member, params: &Params, problem: Problem) -> Result<Response, Problem> {
    if problem.kind != ProblemKind::Invalid {
        return Err(problem);
    }
    let form = WebhookForm {
        url: params.text("url").unwrap_or_default(),
        events: params.list("events").unwrap_or_default(),
        faults: Faults::one("", problem.detail),
    };
    render_as(StatusCode::UNPROCESSABLE_ENTITY, &view(member, form, None).await?)
}

/// The page with a secret that is never shown again; no browser keeps it.
async fn show_secret(member: &Member, webhook: &Webhook) -> Result<Response, Problem> {
    let secret = WebhookSecret { url: webhook.url.clone(), secret: webhook.secret.clone() };
    let page = show(&member.visit, &view(member, WebhookForm::default(), Some(secret)).await?)?;
    Ok(([(CACHE_CONTROL, "no-store")], page).into_response())
}

/// `POST /settings/webhooks/id/act`.
async fn act(
    member: Member,
    Path((hook, act)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    let by = admin(&member)?;
    let state = &member.visit.state;
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let id = id(&hook)?;
    let change = match act.as_str() {
        "change" => match wish(state, &params) {
            Ok(wish) => Change::Wish(wish),
            Err(problem) => return refused(&member, &params, problem).await,
        },
        "enable" => Change::Enabled(true),
        "disable" => Change::Enabled(false),
        "secret" => Change::Secret(new_secret(state)),
        "remove" => return remove(state, by, id).await,
        _ => return Err(Problem::not_found()),
    };
    let (is_secret, moment) = (matches!(change, Change::Secret(_)), state.moment());
    let write = move |tx: &mut WriteTx<'_>| webhook::change(tx, &mut moment.clone(), by, id, &change);
    match state.store.write(write).await.map_err(Problem::from) {
        Ok(changed) if is_secret => show_secret(&member, &changed).await,
        Ok(_) => Ok(go::to(PAGE)),
        Err(problem) => refused(&member, &params, problem).await,
    }
}

async fn remove(state: &AppState, by: Staff, id: Id) -> Result<Response, Problem> {
    let moment = state.moment();
    state.store.write(move |tx| webhook::remove(tx, &mut moment.clone(), by, id)).await?;
    Ok(go::to(PAGE))
}
