//! Writing posts.

mod files;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use super::frame::Member;
use super::pages::{ComposePage, render_as};
use super::timelines::eyes;
use super::view::{ComposeForm, Faults, Notice};
use super::{go, load, show};
use crate::base::limits::STATUS_CHARACTERS_MAX;
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::secret;
use crate::domain::session::Login;
use crate::domain::timeline::{self, Loaded};
use crate::edge::api::params::Params;
use crate::edge::compose::{Written, draft, publish};
use crate::edge::{AppState, MEDIA_MAX_BYTES};
use crate::model::{Account, Visibility};

/// Bytes of the secret that makes sending a form twice post once.
const KEY_BYTES: usize = 12;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/compose", get(form).post(send)).layer(DefaultBodyLimit::max(MEDIA_MAX_BYTES))
}

/// The form for a new post.
pub(super) fn blank(state: &AppState, login: &Login) -> ComposeForm {
    ComposeForm {
        text: String::new(),
        spoiler: String::new(),
        visibility: login.user.defaults.visibility,
        language: login.user.defaults.language.clone().unwrap_or_default(),
        reply_to: String::new(),
        key: state.chance.secret(KEY_BYTES),
        is_sensitive: login.user.defaults.sensitive,
        attached: Vec::new(),
        faults: Faults::none(),
        characters_max: STATUS_CHARACTERS_MAX,
    }
}

/// The form for an answer: names those who should see it, no wider than what
/// it answers.
pub(super) fn reply(state: &AppState, login: &Login, answered: &Loaded) -> ComposeForm {
    let shown = answered.shown();
    let mut form = blank(state, login);
    form.reply_to = shown.status.id.to_string();
    form.text = named_in_reply(&login.account, shown);
    form.spoiler.clone_from(&shown.status.spoiler_text);
    form.visibility = narrower(form.visibility, shown.status.visibility);
    if let Some(language) = &shown.status.language {
        form.language.clone_from(language);
    }
    form
}

fn named_in_reply(me: &Account, answered: &Loaded) -> String {
    let author = &answered.author.account;
    let others =
        answered.status.mentions.iter().filter(|m| !m.is_silent).map(|m| (m.account, m.acct.clone()));
    let mut seen = vec![me.id];
    let mut text = String::new();
    for (id, acct) in std::iter::once((author.id, author.acct())).chain(others) {
        if !seen.contains(&id) {
            seen.push(id);
            text += &format!("@{acct} ");
        }
    }
    text
}

fn narrower(a: Visibility, b: Visibility) -> Visibility {
    let width = |v: Visibility| match v {
        Visibility::Public => 3,
        Visibility::Unlisted => 2,
        Visibility::Private => 1,
        Visibility::Direct => 0,
    };
    if width(a) <= width(b) { a } else { b }
}

/// `GET /compose`: on a page of its own; `reply_to` is the post it answers,
/// `text` what it begins with.
async fn form(member: Member, params: Params) -> Result<Response, Problem> {
    let Member { visit, login } = member;
    let reply_to = params.id("reply_to");
    let (facts, answered) = answered(&visit, reply_to).await?;
    let mut form = match &answered {
        Some(answered) => reply(&visit.state, &login, answered),
        None => blank(&visit.state, &login),
    };
    if let Some(text) = params.text("text").filter(|_| answered.is_none()) {
        form.text = text.chars().take(STATUS_CHARACTERS_MAX).collect();
    }
    let view = ComposePage {
        shell: visit.shell(title(answered.as_ref()), &facts),
        answered: answered.map(|answered| load::post(&eyes(&visit), &answered)),
        form,
    };
    show(&visit, &view)
}

fn title(answered: Option<&Loaded>) -> &'static str {
    if answered.is_some() { "Write a reply" } else { "Write a post" }
}

async fn answered(
    visit: &super::frame::Visit,
    reply_to: Option<Id>,
) -> Result<(super::frame::Facts, Option<Loaded>), Problem> {
    let found = visit.read(move |tx, viewer| match reply_to {
        Some(id) => timeline::load_one(tx, viewer, id),
        None => Ok(None),
    });
    let (facts, answered) = found.await?;
    if reply_to.is_some() && answered.is_none() {
        return Err(Problem::not_found());
    }
    Ok((facts, answered))
}

/// `POST /compose`.
async fn send(member: Member, request: Request) -> Result<Response, Problem> {
    let Member { visit, login } = member;
    // Before the body is read: so many bodies are in memory at once.
    let _slot = visit.state.gates().upload(request.headers()).await?;
    let params = Params::from_request(request, &visit.state).await?;
    visit.browser.check(params.text("csrf").as_deref())?;
    let attached = files::take(&visit.state, login.account.id, &params).await?;
    let written = Written { media: attached.ids(), ..written(&params) };
    let in_reply_to = written.in_reply_to;
    let result = match &attached.fault {
        Some(fault) => Err(Problem::invalid(fault.clone())),
        None => match draft(&visit.state, &login.user, written.clone()).await {
            Ok(draft) => publish(&visit.state, draft).await,
            Err(problem) => Err(problem),
        },
    };
    match result {
        Ok(_) => Ok(go::saying(&visit.state.site, Notice::Posted, after(&params))),
        Err(problem) if problem.kind == ProblemKind::Invalid => {
            let (facts, answered) = answered(&visit, in_reply_to).await?;
            let fault = problem.detail.trim_start_matches("Validation failed: ").to_owned();
            let view = ComposePage {
                shell: visit.shell(title(answered.as_ref()), &facts),
                answered: answered.map(|answered| load::post(&eyes(&visit), &answered)),
                form: ComposeForm {
                    attached: attached.views(&visit.state.site),
                    ..again(&visit.state, &login, &written, fault)
                },
            };
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &view)
        }
        Err(problem) => Err(problem),
    }
}

/// Back to the list or thread it was written on; the page for writing
/// itself is no place to come back to.
fn after(params: &Params) -> Response {
    match params.text("back") {
        Some(back) if !back.starts_with("/compose") => go::back(params),
        _ => go::to("/"),
    }
}

/// The form with what was typed and what is wrong with it.
fn again(state: &AppState, login: &Login, written: &Written, fault: String) -> ComposeForm {
    let blank = blank(state, login);
    ComposeForm {
        text: written.text.clone(),
        spoiler: written.spoiler.clone(),
        visibility: written.visibility.unwrap_or(blank.visibility),
        language: written.language.clone().unwrap_or_default(),
        reply_to: written.in_reply_to.map(|id| id.to_string()).unwrap_or_default(),
        is_sensitive: written.sensitive.unwrap_or(false),
        faults: Faults::one("", fault),
        ..blank
    }
}

fn written(params: &Params) -> Written {
    // Browsers send line ends as CRLF.
    let text = params.text("text").unwrap_or_default().replace("\r\n", "\n");
    let idempotency_key = params.filled("key").map(|key| idempotency_key(&key, &text));
    Written {
        spoiler: params.text("spoiler").unwrap_or_default(),
        visibility: params.text("visibility").and_then(|word| Visibility::from_word(&word)),
        // A box that is not ticked is not sent.
        sensitive: Some(params.flag("sensitive").unwrap_or(false)),
        language: params.filled("language"),
        in_reply_to: params.id("reply_to"),
        media: Vec::new(),
        application: None,
        text,
        idempotency_key,
        poll: None,
        quote: None,
        quote_policy: None,
        shown_quote: None,
    }
}

/// The form's key together with its text: a browser that goes back shows the
/// form again with the same key, and what is then written is another post.
fn idempotency_key(key: &str, text: &str) -> String {
    let digest = secret::digest(text);
    let short: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("web-{key}-{short}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_no_wider_than_what_it_answers() {
        use Visibility::{Direct, Private, Public, Unlisted};
        for (mine, theirs, expected) in [
            (Public, Public, Public),
            (Public, Direct, Direct),
            (Unlisted, Public, Unlisted),
            (Private, Unlisted, Private),
            (Direct, Public, Direct),
        ] {
            assert_eq!(narrower(mine, theirs), expected);
        }
    }
}
