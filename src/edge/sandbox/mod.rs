//! What a sandbox would have sent: a page to look at, and addresses for tests
//! to assert on it and to clear it. Only there when the server is a sandbox
//! (`waxwing sandbox`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::AppState;
use super::api::params::Input;
use super::web::CONTENT_POLICY;
use super::web::pages::render;
use crate::base::{Problem, ProblemKind};
use crate::net::client::outbox::{Outbox, Sent, Sort};

/// Longest wait of one assertion.
const WAIT_MAX_S: u64 = 25;

/// The routes; none unless this is a sandbox.
pub(super) fn routes(state: &AppState) -> Router<AppState> {
    if state.client.outbox().is_none() {
        return Router::new();
    }
    Router::new()
        .route("/sandbox", get(page))
        .route("/sandbox/people", get(people))
        .route("/sandbox/outbox", get(list).delete(clear))
        .route("/sandbox/outbox/clear", post(clear_and_show))
        .route("/sandbox/assert", get(assert))
}

/// Somebody of the sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SamplePerson {
    /// The name before the @; also how they log in.
    pub username: String,
    /// Their password.
    pub password: String,
    /// A token with every scope that their role may use.
    pub token: String,
    /// `user` or `admin`.
    pub role: &'static str,
}

/// The sample people, set once after they were made.
pub type SamplePeople = std::sync::OnceLock<Vec<SamplePerson>>;

fn outbox(state: &AppState) -> Result<&Outbox, Problem> {
    state.client.outbox().ok_or_else(Problem::not_found)
}

/// Which messages are meant. What is left out is any.
#[derive(Debug, Clone, Default, Deserialize)]
struct Wanted {
    /// `delivery`, `push`, `webhook`, `mail`, `fetch` or `other`.
    kind: Option<String>,
    /// The host it goes to.
    host: Option<String>,
    /// The type of the activity, such as `Create`.
    r#type: Option<String>,
    /// Text anywhere in the body.
    contains: Option<String>,
    /// Of an assertion: how many there must be at least; 1 unless told.
    count: Option<usize>,
    /// Of an assertion: how long to wait for them; 5 s unless told.
    wait_s: Option<u64>,
}

impl Wanted {
    fn check(&self) -> Result<(), Problem> {
        match &self.kind {
            Some(word) if Sort::from_word(word).is_none() => Err(Problem::invalid(format!(
                "`kind` is `delivery`, `push`, `webhook`, `mail`, `fetch` or `other`, not `{word}`"
            ))),
            _ => Ok(()),
        }
    }

    fn takes(&self, sent: &Sent) -> bool {
        let is = |wanted: &Option<String>, found: &dyn Fn() -> Option<String>| {
            wanted.as_ref().is_none_or(|wanted| found().as_ref() == Some(wanted))
        };
        let contains = |text: &String| String::from_utf8_lossy(&sent.body).contains(text.as_str());
        self.kind.as_ref().is_none_or(|word| Sort::from_word(word) == Some(sent.sort))
            && is(&self.host, &|| host(sent))
            && is(&self.r#type, &|| activity_type(sent))
            && self.contains.as_ref().is_none_or(contains)
    }
}

/// With its port, where it is not the usual one.
fn host(sent: &Sent) -> Option<String> {
    let host = sent.url.host_str()?;
    Some(sent.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn parsed(sent: &Sent) -> Option<Value> {
    serde_json::from_slice(&sent.body).ok()
}

fn activity_type(sent: &Sent) -> Option<String> {
    Some(parsed(sent)?.get("type")?.as_str()?.to_owned())
}

/// What a mail is about.
fn subject(sent: &Sent) -> Option<String> {
    (sent.sort == Sort::Mail).then(|| parsed(sent)?.get("subject")?.as_str().map(str::to_owned)).flatten()
}

/// A message as JSON: its body as JSON where it is some, else as base64.
#[derive(Debug, Serialize)]
struct SentView {
    number: u64,
    at: String,
    kind: Sort,
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    json: Option<Value>,
    body_base64: String,
}

impl From<&Arc<Sent>> for SentView {
    fn from(sent: &Arc<Sent>) -> SentView {
        SentView {
            number: sent.number,
            at: sent.at.rfc3339(),
            kind: sent.sort,
            method: sent.method.to_string(),
            url: sent.url.to_string(),
            headers: sent.headers.clone(),
            json: parsed(sent),
            body_base64: STANDARD.encode(&sent.body),
        }
    }
}

fn views(sent: &[Arc<Sent>]) -> Vec<SentView> {
    sent.iter().map(SentView::from).collect()
}

/// `GET /sandbox/people`: who is there, and tokens to act for them.
async fn people(State(state): State<AppState>) -> Json<Value> {
    Json(json!({ "people": state.sample_people() }))
}

/// `GET /sandbox/outbox`: the messages, oldest first, filtered.
async fn list(State(state): State<AppState>, wanted: Input<Wanted>) -> Result<Json<Vec<SentView>>, Problem> {
    wanted.check()?;
    let mut sent = outbox(&state)?.all();
    sent.retain(|sent| wanted.takes(sent));
    Ok(Json(views(&sent)))
}

/// `DELETE /sandbox/outbox`.
async fn clear(State(state): State<AppState>) -> Result<Json<Value>, Problem> {
    outbox(&state)?.clear();
    Ok(Json(json!({})))
}

async fn clear_and_show(State(state): State<AppState>) -> Result<Redirect, Problem> {
    outbox(&state)?.clear();
    Ok(Redirect::to("/sandbox"))
}

/// `GET /sandbox/assert`: 200 with the messages once there are enough of
/// them, 404 that says what there was instead when time is up.
async fn assert(
    State(state): State<AppState>,
    wanted: Input<Wanted>,
) -> Result<Json<Vec<SentView>>, Problem> {
    wanted.check()?;
    let enough = wanted.count.unwrap_or(1);
    let wait = Duration::from_secs(wanted.wait_s.unwrap_or(5).min(WAIT_MAX_S));
    let outbox = outbox(&state)?;
    let found = outbox.wait(enough, wait, |sent| wanted.takes(sent)).await;
    if found.len() >= enough {
        return Ok(Json(views(&found)));
    }
    let (got, all) = (found.len(), outbox.all().len());
    Err(Problem::new(
        ProblemKind::NotFound,
        format!("{got} messages like that, wanted {enough}; {all} messages of any kind are in the outbox"),
    ))
}

#[derive(Template)]
#[template(path = "sandbox.html")]
struct Page {
    messages: Vec<Line>,
    people: Vec<SamplePerson>,
    origin: String,
}

/// A message as the page shows it.
struct Line {
    at: String,
    kind: String,
    url: String,
    what: String,
    body: String,
}

impl From<&Arc<Sent>> for Line {
    fn from(sent: &Arc<Sent>) -> Line {
        let json = parsed(sent);
        let body = match &json {
            Some(mail) if sent.sort == Sort::Mail => mail["text"].as_str().unwrap_or_default().to_owned(),
            Some(value) => serde_json::to_string_pretty(value).unwrap_or_default(),
            None => format!("{} bytes", sent.body.len()),
        };
        Line {
            at: sent.at.rfc3339(),
            kind: format!("{:?}", sent.sort).to_lowercase(),
            url: sent.url.to_string(),
            what: activity_type(sent).or_else(|| subject(sent)).unwrap_or_else(|| sent.method.to_string()),
            body,
        }
    }
}

/// `GET /sandbox`: newest first.
async fn page(State(state): State<AppState>) -> Result<Response, Problem> {
    let sent = outbox(&state)?.all();
    let mut page = render(&Page {
        messages: sent.iter().rev().map(Line::from).collect(),
        people: state.sample_people().to_vec(),
        origin: state.site.origin.clone(),
    })?;
    page.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    Ok(page)
}
