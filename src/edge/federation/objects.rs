//! Our actors, posts and activities as documents.

use axum::extract::{Path, Request, State};
use axum::http::header::{HeaderValue, VARY};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;

use super::access::{self, Kind};
use super::answer;
use crate::base::{Id, Problem};
use crate::config::AuthorizedFetch;
use crate::domain::timeline::{Loaded, load_one};
use crate::domain::{account, tombstone, visibility::Viewer};
use crate::edge::AppState;
use crate::model::tables::{STATUS, TombstoneRow};
use crate::model::{Account, Site, Status};
use crate::store::{ReadTx, StoreError};
use crate::wire::activitypub::write::{self, InstanceActor, NoteParts};

/// A local account that is not suspended; perhaps a deleted one.
pub(super) async fn local_account(state: &AppState, id: &str) -> Result<Account, Problem> {
    let account = known_account(state, id).await?;
    if account.suspended_at.is_some() { Err(Problem::not_found()) } else { Ok(account) }
}

/// A local account, suspended or not: the document of a suspended one says
/// that it is, and nothing else.
async fn known_account(state: &AppState, id: &str) -> Result<Account, Problem> {
    let id: Id = id.parse().map_err(|_| Problem::not_found())?;
    let found = state.store.read(move |tx| account::get(tx, id)).await?;
    found.filter(|account| account.is_local() && !account.waits()).ok_or_else(Problem::not_found)
}

/// `GET /ap/users/{id}`
pub(super) async fn actor(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let account = known_account(&state, &id).await?;
    if is_page_asked(&request) {
        return Ok(redirect(&account.url));
    }
    actor_answer(&state, &account, request).await
}

/// Everything, or to the unsigned on a strict server what is needed to check
/// our signatures: without that nobody could learn the key to sign with.
pub(super) async fn actor_answer(
    state: &AppState,
    account: &Account,
    request: Request,
) -> Result<Response, Problem> {
    if account.deleted_at.is_some() {
        return Ok(answer::tombstone(&gone(&account.uri, "Person", account.deleted_at.unwrap_or_default())));
    }
    let (mut parts, _) = request.into_parts();
    let asker = access::asker(state, &mut parts).await?;
    let whole = actor_document(&state.site, account);
    if asker.is_none() && state.config.fetch_rule() == AuthorizedFetch::Strict {
        return Ok(answer::document(&bare(&whole)));
    }
    Ok(answer::document(&whole))
}

/// The document of a local account.
pub(super) fn actor_document(site: &Site, account: &Account) -> Value {
    write::actor(site, account, &|picture| site.picture_url(picture))
}

fn bare(whole: &Value) -> Value {
    const NAMES: [&str; 6] = ["@context", "id", "type", "preferredUsername", "inbox", "publicKey"];
    NAMES.iter().map(|name| ((*name).to_owned(), whole[*name].clone())).collect()
}

/// `GET /actor`: never asks for a signature.
pub(super) async fn instance_actor(State(state): State<AppState>) -> Response {
    let key_id = format!("{}#main-key", state.site.instance_actor());
    let public_key_pem = &state.instance_key.public_pem;
    answer::document(&write::instance_actor(InstanceActor {
        site: &state.site,
        key_id: &key_id,
        public_key_pem,
    }))
}

/// `GET /ap/users/{id}/statuses/{status}`
pub(super) async fn post(
    State(state): State<AppState>,
    Path((author, status)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    post_answer(&state, &author, &status, request).await
}

async fn post_answer(
    state: &AppState,
    author: &str,
    status: &str,
    request: Request,
) -> Result<Response, Problem> {
    let loaded = match seen(state, author, status, request).await? {
        Seen::Answer(response) => return Ok(response),
        Seen::Post(loaded) => loaded,
    };
    let document = match &loaded.reblog {
        Some(original) => boost(&loaded, original),
        None => write::with_context(note(state, &loaded).await?),
    };
    Ok(answer::document(&document))
}

/// `GET /ap/users/{id}/statuses/{status}/activity`
pub(super) async fn post_activity(
    State(state): State<AppState>,
    Path((author, status)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    match seen(&state, &author, &status, request).await? {
        Seen::Answer(response) => Ok(response),
        Seen::Post(loaded) => Ok(answer::document(&activity(&state, &loaded).await?)),
    }
}

/// A post as it is published: Create, or Announce for a boost.
pub(super) async fn activity(state: &AppState, loaded: &Loaded) -> Result<Value, Problem> {
    Ok(match &loaded.reblog {
        Some(original) => boost(loaded, original),
        None => write::create(&note(state, loaded).await?),
    })
}

fn boost(loaded: &Loaded, original: &Loaded) -> Value {
    write::announce(
        &loaded.status,
        &loaded.author.account,
        &original.status.uri,
        &original.author.account.uri,
    )
}

async fn note(state: &AppState, loaded: &Loaded) -> Result<Value, Problem> {
    let (status, author) = (&loaded.status, &loaded.author.account);
    let parent = status.in_reply_to;
    let known = state.store.read(move |tx| parent_of(tx, parent)).await?;
    let parent_uri = known.as_ref().map(|parent| parent.uri.as_str()).or(status.in_reply_to_uri.as_deref());
    Ok(write::note(NoteParts { site: &state.site, status, author, parent_uri }))
}

fn parent_of(tx: &ReadTx<'_>, parent: Option<Id>) -> Result<Option<Status>, StoreError> {
    parent.map(|id| tx.get(STATUS, &id)).transpose().map(Option::flatten)
}

enum Seen {
    Post(Box<Loaded>),
    Answer(Response),
}

/// A local post that the asker may see. Private and missing ones are alike;
/// deleted ones are known to be gone.
async fn seen(state: &AppState, author: &str, status: &str, request: Request) -> Result<Seen, Problem> {
    let (Ok(author), Ok(id)) = (author.parse::<Id>(), status.parse::<Id>()) else {
        return Err(Problem::not_found());
    };
    let wants_page = is_page_asked(&request);
    let (mut parts, _) = request.into_parts();
    let asker = access::asker(state, &mut parts).await?;
    let viewer = access::viewer(state, asker.as_ref());
    let uri = state.site.status(author, id);
    let (loaded, grave) = state.store.read(move |tx| look(tx, viewer, id, &uri)).await?;
    if let Some(grave) = grave.filter(|_| loaded.is_none()) {
        let uri = state.site.status(author, id);
        return Ok(Seen::Answer(answer::tombstone(&gone(&uri, &grave.former_type, grave.deleted_at))));
    }
    let loaded = loaded.filter(|loaded| loaded.status.is_local && loaded.status.account == author);
    let loaded = loaded.ok_or_else(Problem::not_found)?;
    if wants_page && let Some(url) = &loaded.shown().status.url {
        return Ok(Seen::Answer(redirect(url)));
    }
    access::check(state, asker.as_ref(), Kind::Public)?;
    Ok(Seen::Post(Box::new(loaded)))
}

fn look(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    id: Id,
    uri: &str,
) -> Result<(Option<Loaded>, Option<TombstoneRow>), StoreError> {
    Ok((load_one(tx, viewer, id)?, tombstone::of(tx, viewer.now, uri)?))
}

fn gone(uri: &str, former_type: &str, at: crate::base::Timestamp) -> Value {
    write::with_context(write::tombstone(uri, former_type, at))
}

/// The document behind `/@user` or `/@user/post`.
pub(super) async fn behind_page(state: &AppState, request: Request) -> Result<Response, Problem> {
    let path = request.uri().path().trim_start_matches("/@").trim_end_matches('/').to_owned();
    let (name, status) = match path.split_once('/') {
        Some((name, status)) => (name.to_owned(), Some(status.to_owned())),
        None => (path, None),
    };
    let found = state
        .store
        .read(move |tx| match account::id_by_handle(tx, &name, None)? {
            Some(id) => account::get(tx, id),
            None => Ok(None),
        })
        .await?;
    let found = found.filter(|account| account.suspended_at.is_none() && !account.waits());
    let account = found.ok_or_else(Problem::not_found)?;
    match status {
        None => actor_answer(state, &account, request).await,
        Some(status) => post_answer(state, &account.id.to_string(), &status, request).await,
    }
}

/// People who follow the address of a document are led to the page.
fn is_page_asked(request: &Request) -> bool {
    answer::wants_page(request.headers()) && !answer::wants_document(request.headers())
}

fn redirect(url: &str) -> Response {
    let mut response = Redirect::to(url).into_response();
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
    response
}
