//! What other servers ask for and send: actors, objects, inboxes, and what we
//! fetch from them.
//!
//! Translates between documents and the rules in `domain`, and decides what
//! may be believed: who signed, and which server something comes from. Every
//! document of another server comes in through `fetch`, every activity
//! through `inbox` and then `ingest`.

mod access;
pub(crate) mod actors;
mod answer;
mod collections;
pub(crate) mod fetch;
mod inbox;
mod ingest;
mod keys;
mod objects;
pub(crate) mod posts;
mod quotes;
mod replies;
pub(crate) mod resolve;
mod shared;
mod thread;
mod verify;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::AppState;
use crate::model::queue::JobKind;
use crate::queue::Handlers;
pub use ingest::act_on;
pub(crate) use replies::look_below;
pub(crate) use shared::Shared;

/// Every route of federation.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/inbox", post(inbox::shared))
        .route("/actor", get(objects::instance_actor))
        .route("/actor/inbox", post(inbox::of_instance))
        .route("/actor/outbox", get(collections::of_instance))
        .route("/ap/users/{id}", get(objects::actor))
        .route("/ap/users/{id}/inbox", post(inbox::personal))
        .route("/ap/users/{id}/outbox", get(collections::outbox))
        .route("/ap/users/{id}/followers", get(collections::followers))
        .route("/ap/users/{id}/following", get(collections::following))
        .route("/ap/users/{id}/collections/featured", get(collections::featured))
        .route("/ap/users/{id}/quote_authorizations/{quoting}", get(quotes::stamp))
        .route("/ap/users/{id}/statuses/{status}", get(objects::post))
        .route("/ap/users/{id}/statuses/{status}/activity", get(objects::post_activity))
}

/// With the handlers of federation's jobs.
pub fn jobs(handlers: Handlers, state: &AppState) -> Handlers {
    handlers
        .on(JobKind::Ingest, ingest::handler(state.clone()))
        .on(JobKind::IngestThere, ingest::handler_there(state.clone()))
        .on(JobKind::FetchAccount, thread::handler(state.clone()))
        .on(JobKind::FetchThread, thread::handler(state.clone()))
        .on(JobKind::SettleQuote, thread::handler(state.clone()))
        .on(JobKind::FetchReplies, thread::handler(state.clone()))
}

/// Middleware: pages of people and posts answer with their document when that
/// is asked for.
pub(super) async fn negotiate(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let is_page = request.method() == http::Method::GET && request.uri().path().starts_with("/@");
    if !is_page || !answer::wants_document(request.headers()) {
        return next.run(request).await;
    }
    match objects::behind_page(&state, request).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}
