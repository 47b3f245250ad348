//! Our collections: outbox, followers, following, pinned posts.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::access::{self, Kind};
use super::answer;
use super::objects::{self, local_account};
use crate::base::{Id, Problem};
use crate::domain::delivery::authority_of;
use crate::domain::page::{Page, Paged};
use crate::domain::relation;
use crate::domain::timeline::{Only, Person, account_statuses, pinned};
use crate::edge::AppState;
use crate::model::Account;
use crate::model::tables::{COUNT, count};
use crate::store::{ReadTx, StoreError};
use crate::wire::activitypub::write::{self, Collection};

/// Items of a page.
const PAGE_ITEMS: usize = 40;
/// Activities of an outbox page: each is a whole post.
const OUTBOX_ITEMS: usize = 20;
/// Pinned posts that are shown.
const PINNED_MAX: usize = 5;

/// Which page of a collection; without `page` the collection itself.
#[derive(Debug, Deserialize)]
pub(super) struct Cursor {
    page: Option<String>,
    max_id: Option<String>,
}

impl Cursor {
    fn wanted(&self, limit: usize) -> Option<Page> {
        self.page.as_deref().filter(|page| *page == "true")?;
        let max_id = self.max_id.as_deref().and_then(|id| id.parse().ok());
        Some(Page { max_id, ..Page::first(limit) })
    }
}

/// The account and whoever asks, for collections that live below an actor.
async fn owner(
    state: &AppState,
    id: &str,
    request: Request,
    kind: Kind,
) -> Result<(Account, Option<Account>), Problem> {
    let account = local_account(state, id).await?;
    if account.deleted_at.is_some() {
        return Err(Problem::not_found());
    }
    let (mut parts, _) = request.into_parts();
    let asker = access::asker(state, &mut parts).await?;
    access::check(state, asker.as_ref(), kind)?;
    Ok((account, asker))
}

async fn total(state: &AppState, what: u8, of: Id) -> Result<u64, Problem> {
    let total = state.store.read(move |tx| tx.count(COUNT, &(what, of))).await?;
    Ok(u64::try_from(total).unwrap_or(0))
}

fn whole(id: &str, total: u64) -> Response {
    let first = format!("{id}?page=true");
    answer::document(&write::collection(Collection { id, total, first: Some(&first) }))
}

/// A collection of which only the size is told.
fn closed(id: &str, total: u64) -> Response {
    answer::document(&write::collection(Collection { id, total, first: None }))
}

fn page(id: &str, asked: &Page, oldest: Option<Id>, items: Vec<Value>) -> Response {
    let own = match asked.max_id {
        Some(max_id) => format!("{id}?max_id={max_id}&page=true"),
        None => format!("{id}?page=true"),
    };
    let next = oldest.map(|oldest| format!("{id}?max_id={oldest}&page=true"));
    answer::document(&write::page(write::Page {
        id: &own,
        part_of: id,
        next: next.as_deref(),
        prev: None,
        items,
    }))
}

/// `GET /ap/users/{id}/outbox`
pub(super) async fn outbox(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Query(cursor): Query<Cursor>,
    request: Request,
) -> Result<Response, Problem> {
    let (account, asker) = owner(&state, &id, request, Kind::Public).await?;
    let uri = account.outbox_uri.clone();
    let Some(asked) = cursor.wanted(OUTBOX_ITEMS) else {
        return Ok(whole(&uri, total(&state, count::STATUSES, account.id).await?));
    };
    let (viewer, author) = (access::viewer(&state, asker.as_ref()), account.id);
    let found =
        state.store.read(move |tx| account_statuses(tx, viewer, author, &Only::default(), &asked)).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for loaded in found.items.iter().filter(|loaded| loaded.status.visibility.is_open()) {
        let mut activity = objects::activity(&state, loaded).await?;
        if let Some(map) = activity.as_object_mut() {
            map.remove("@context");
        }
        items.push(activity);
    }
    Ok(page(&uri, &asked, found.oldest.filter(|_| found.has_older), items))
}

async fn people(
    state: &AppState,
    account: &Account,
    uri: &str,
    (cursor, what): (&Cursor, u8),
    list: impl Fn(&ReadTx<'_>, Id, &Page) -> Result<Paged<Arc<Person>>, StoreError> + Send + 'static,
) -> Result<Response, Problem> {
    let Some(asked) = cursor.wanted(PAGE_ITEMS) else {
        let total = total(state, what, account.id).await?;
        return Ok(if account.shows_follows_to(None) { whole(uri, total) } else { closed(uri, total) });
    };
    let of = account.id;
    let found = state.store.read(move |tx| list(tx, of, &asked)).await?;
    let items = found.items.iter().map(|person| person.account.uri.clone().into()).collect();
    Ok(page(uri, &asked, found.oldest.filter(|_| found.has_older), items))
}

/// `GET /ap/users/{id}/followers`: whoever signs sees the followers of its own
/// server, which it knows anyway (FEP-8fcf); who else follows somebody here is
/// none of its business.
pub(super) async fn followers(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Query(cursor): Query<Cursor>,
    request: Request,
) -> Result<Response, Problem> {
    let kind = if cursor.page.is_some() { Kind::Social } else { Kind::Public };
    let (account, asker) = owner(&state, &id, request, kind).await?;
    let uri = account.followers_uri.clone();
    if asker.is_none() && cursor.page.is_some() && !account.shows_follows_to(None) {
        return Err(Problem::not_found());
    }
    let host = asker.map(|asker| authority_of(&asker.uri).unwrap_or_default());
    let list = move |tx: &ReadTx<'_>, of: Id, page: &Page| match &host {
        Some(host) => relation::followers_of_host(tx, of, host, page),
        None => relation::followers(tx, of, page),
    };
    people(&state, &account, &uri, (&cursor, count::FOLLOWERS), list).await
}

/// `GET /ap/users/{id}/following`
pub(super) async fn following(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Query(cursor): Query<Cursor>,
    request: Request,
) -> Result<Response, Problem> {
    let kind = if cursor.page.is_some() { Kind::Social } else { Kind::Public };
    let (account, _) = owner(&state, &id, request, kind).await?;
    if cursor.page.is_some() && !account.shows_follows_to(None) {
        return Err(Problem::not_found());
    }
    let uri = account.following_uri.clone();
    people(&state, &account, &uri, (&cursor, count::FOLLOWING), relation::following).await
}

/// `GET /ap/users/{id}/collections/featured`
pub(super) async fn featured(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (account, asker) = owner(&state, &id, request, Kind::Public).await?;
    let (viewer, author) = (access::viewer(&state, asker.as_ref()), account.id);
    let pins = state.store.read(move |tx| pinned(tx, viewer, author, PINNED_MAX)).await?;
    let open = pins.into_iter().filter(|loaded| loaded.status.visibility.is_open());
    let items: Vec<Value> = open.map(|loaded| loaded.status.uri.into()).collect();
    let uri = account.featured_uri.clone();
    let mut document = write::collection(Collection { id: &uri, total: items.len() as u64, first: None });
    document["orderedItems"] = items.into();
    Ok(answer::document(&document))
}

/// `GET /actor/outbox`: the server itself says nothing.
pub(super) async fn of_instance(State(state): State<AppState>) -> Response {
    let id = format!("{}/outbox", state.site.instance_actor());
    answer::document(&write::collection(Collection { id: &id, total: 0, first: None }))
}
