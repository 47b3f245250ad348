//! Writing posts.

pub(super) mod files;
mod form;
pub(super) mod later;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

pub(super) use self::form::{blank, policy_word, reply};

use super::frame::{Facts, Member, Visit};
use super::pages::{ComposePage, render_as};
use super::timelines::eyes;
use super::view::{ComposeForm, Notice, PollForm};
use super::{go, load, show};
use crate::base::limits::STATUS_CHARACTERS_MAX;
use crate::base::{Id, Problem, ProblemKind, Timestamp};
use crate::domain::secret;
use crate::domain::timeline::{self, Loaded};
use crate::edge::api::params::Params;
use crate::edge::api::render::quote_permission;
use crate::edge::compose::{Written, draft, publish, schedule};
use crate::edge::{AppState, MEDIA_MAX_BYTES};
use crate::model::{QuotePermission, QuotePolicy, Visibility};
use crate::store::StoreError;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/compose", get(page).post(send)).layer(DefaultBodyLimit::max(MEDIA_MAX_BYTES))
}

/// `GET /compose`: on a page of its own; `reply_to` is the post it answers,
/// `quote` the one it quotes, `text` what it begins with.
async fn page(member: Member, params: Params) -> Result<Response, Problem> {
    let Member { visit, login } = member;
    let (reply_to, quote) = (params.id("reply_to"), params.id("quote"));
    let (facts, (answered, quoted)) = about(&visit, reply_to, quote).await?;
    if reply_to.is_some() && answered.is_none() || quote.is_some() && quoted.is_none() {
        return Err(Problem::not_found());
    }
    let mut form = match &answered {
        Some(answered) => reply(&visit.state, &login, answered),
        None => blank(&visit.state, &login),
    };
    form.quoted = quoted.map(|quoted| Box::new(load::post(&eyes(&visit), &quoted)));
    if let Some(text) = params.text("text").filter(|_| answered.is_none()) {
        form.text = text.chars().take(STATUS_CHARACTERS_MAX).collect();
    }
    let view = ComposePage {
        shell: visit.shell(title(&form), &facts),
        answered: answered.map(|answered| load::post(&eyes(&visit), &answered)),
        form,
    };
    show(&visit, &view)
}

fn title(form: &ComposeForm) -> &'static str {
    match (&form.quoted, form.reply_to.as_str()) {
        (Some(_), _) => "Write a quote",
        (None, "") => "Write a post",
        (None, _) => "Write a reply",
    }
}

/// The post that is answered and the one that is quoted, if they are there
/// for the writer, and may be quoted.
type About = (Option<Loaded>, Option<Loaded>);

async fn about(visit: &Visit, reply_to: Option<Id>, quote: Option<Id>) -> Result<(Facts, About), Problem> {
    let read = visit.read(move |tx, viewer| {
        let one = |id: Option<Id>| id.map_or(Ok(None), |id| timeline::load_one(tx, viewer, id));
        Ok::<_, StoreError>((one(reply_to)?, one(quote)?))
    });
    let (facts, (answered, quoted)) = read.await?;
    let may = |quoted: &Loaded| {
        let leave = visit.me().map(|me| quote_permission(me, quoted));
        matches!(leave, Some(QuotePermission::Automatic | QuotePermission::Manual))
    };
    Ok((facts, (answered, quoted.filter(may))))
}

/// `POST /compose`.
async fn send(member: Member, request: Request) -> Result<Response, Problem> {
    // Before the body is read: so many bodies are in memory at once.
    let uploads = &member.visit.state.gates().uploads;
    let (request, _place) = uploads.admit(member.login.account.id, request).await?;
    let params = Params::from_request(request, &member.visit.state).await?;
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let state = &member.visit.state;
    let attached = files::take(state, member.login.account.id, &params).await?;
    let poll = typed_poll(&params);
    let written = Written { media: attached.ids(), poll: poll.asked(), ..written(&params) };
    let result = match (fault(&attached, &written), later::time(&params, state.now())) {
        (Some(fault), _) => Err(Problem::invalid(fault)),
        (None, Err(fault)) => Err(Problem::invalid(fault)),
        (None, Ok(at)) => out(&member, written.clone(), at).await,
    };
    match result {
        Ok(Notice::Scheduled) => Ok(go::saying(&state.site, Notice::Scheduled, go::to("/scheduled"))),
        Ok(notice) => Ok(go::saying(&state.site, notice, after(&params))),
        Err(problem) if matches!(problem.kind, ProblemKind::Invalid | ProblemKind::NotFound) => {
            let later = params.text("later").unwrap_or_default();
            refused(&member, &attached, (written, poll, later), &problem).await
        }
        Err(problem) => Err(problem),
    }
}

/// Publishes a post, or keeps it for its time.
async fn out(member: &Member, written: Written, at: Option<Timestamp>) -> Result<Notice, Problem> {
    let state = &member.visit.state;
    let draft = draft(state, &member.login.user, written.clone()).await?;
    match at {
        None => publish(state, draft).await.map(|_| Notice::Posted),
        Some(at) => schedule(state, &written, draft, at).await.map(|_| Notice::Scheduled),
    }
}

/// What is wrong that the page can say better than the rules behind it.
fn fault(attached: &files::Attached, written: &Written) -> Option<String> {
    let has_both = written.poll.is_some() && !written.media.is_empty();
    attached.fault.clone().or_else(|| has_both.then(|| BOTH.to_owned()))
}

/// Said of a post with files and a poll.
pub(super) const BOTH: &str = "A post has a poll or files, not both. Take one of them out.";

/// The form again, with everything that was typed. An answer to a post that
/// is gone in the meantime becomes a post of its own, if they still want it.
async fn refused(
    member: &Member,
    attached: &files::Attached,
    (mut written, poll, later): (Written, PollForm, String),
    problem: &Problem,
) -> Result<Response, Problem> {
    let Member { visit, login } = member;
    let (facts, (answered, quoted)) = about(visit, written.in_reply_to, written.quote).await?;
    let mut fault = problem.detail.trim_start_matches("Validation failed: ").to_owned();
    if written.in_reply_to.is_some() && answered.is_none() {
        written.in_reply_to = None;
        fault = "The post you answer is gone. This would be a post of its own now.".to_owned();
    }
    if written.quote.is_some() && quoted.is_none() {
        fault = "That post cannot be quoted any more. This would be a post without it.".to_owned();
    }
    let form = ComposeForm {
        attached: attached.views(&visit.state.site),
        later,
        quoted: quoted.map(|quoted| Box::new(load::post(&eyes(visit), &quoted))),
        ..form::again(&visit.state, login, (&written, poll), fault)
    };
    let view = ComposePage {
        shell: visit.shell(title(&form), &facts),
        answered: answered.map(|answered| load::post(&eyes(visit), &answered)),
        form,
    };
    render_as(StatusCode::UNPROCESSABLE_ENTITY, &view)
}

/// Back to the list or thread it was written on; the page for writing
/// itself is no place to come back to.
fn after(params: &Params) -> Response {
    match params.text("back") {
        Some(back) if !back.starts_with("/compose") => go::back(params),
        _ => go::to("/"),
    }
}

/// What was typed, without files and poll.
pub(super) fn written(params: &Params) -> Written {
    // Browsers send line ends as CRLF.
    let text = params.text("text").unwrap_or_default().replace("\r\n", "\n");
    let idempotency_key = params.filled("key").map(|key| idempotency_key(&key, &text, &typed_poll(params)));
    Written {
        spoiler: params.text("spoiler").unwrap_or_default(),
        visibility: params.text("visibility").and_then(|word| Visibility::from_word(&word)),
        // A box that is not ticked is not sent.
        sensitive: Some(params.flag("sensitive").unwrap_or(false)),
        language: params.filled("language"),
        in_reply_to: params.id("reply_to"),
        quote: params.id("quote"),
        quote_policy: params.filled("quote_policy").and_then(|word| QuotePolicy::from_word(&word)),
        text,
        idempotency_key,
        ..Written::default()
    }
}

/// The poll that was typed; one without answers is none.
pub(super) fn typed_poll(params: &Params) -> PollForm {
    let blank = PollForm::default();
    let given = params.child("poll").unwrap_or_default();
    let mut options = given.list_or_one("options");
    options.resize(options.len().max(blank.options.len()), String::new());
    let runs_s = given.filled("expires_in").map_or(Some(blank.runs_s), |text| text.parse().ok());
    PollForm {
        options,
        // What is no number is too short, which is found out later.
        runs_s: runs_s.unwrap_or(0),
        is_multiple: given.flag("multiple").unwrap_or(false),
        hides_totals: given.flag("hide_totals").unwrap_or(false),
    }
}

/// The form's key together with what it says: a browser that goes back shows
/// the form again with the same key, and what is then written is another post.
fn idempotency_key(key: &str, text: &str, poll: &PollForm) -> String {
    let digest = secret::digest(&format!("{text}\0{}", poll.options.join("\0")));
    let short: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("web-{key}-{short}")
}
