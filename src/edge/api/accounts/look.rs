//! Looking at accounts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde_json::{Value, json};

use crate::base::{Id, Problem, limits};
use crate::domain::page::{Page, Paged};
use crate::domain::timeline::{Person, load_people};
use crate::domain::visibility::Viewer;
use crate::domain::{account as domain_account, relation, search as domain_search};
use crate::edge::AppState;
use crate::edge::api::page::{limit, offset, page, paged};
use crate::edge::api::params::Params;
use crate::edge::api::people::{IdPath, account, accounts, known_person, person, standing};
use crate::edge::auth::Auth;
use crate::edge::{federation, find};
use crate::store::{ReadTx, StoreError};
use crate::wire::mastodon::{Account, Relationship};

/// Accounts in one request (Mastodon: 40).
const SEVERAL_MAX: usize = 40;

pub(super) async fn one(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(id): IdPath,
) -> Result<Json<Account>, Problem> {
    auth.viewer("read:accounts")?;
    let person = known_person(&state, id).await?;
    Ok(Json(account(&state.site, &person)))
}

pub(super) async fn several(
    State(state): State<AppState>,
    auth: Auth,
    params: Params,
) -> Result<Json<Vec<Account>>, Problem> {
    auth.viewer("read:accounts")?;
    let ids = params.ids("id");
    if ids.len() > SEVERAL_MAX {
        return Err(Problem::invalid("Too many accounts at once"));
    }
    let people = state.store.read(move |tx| load_people(tx, &ids)).await;
    let people = people.map_err(|error: StoreError| Problem::from(error))?;
    let people: Vec<Arc<Person>> = people.into_iter().flatten().collect();
    Ok(Json(accounts(&state.site, &people)))
}

pub(super) async fn lookup(
    State(state): State<AppState>,
    auth: Auth,
    params: Params,
) -> Result<Json<Account>, Problem> {
    auth.viewer("read:accounts")?;
    let acct = params.filled("acct").ok_or_else(Problem::not_found)?;
    let site = state.site.clone();
    let found = state.store.read(move |tx| {
        let (name, domain) = domain_account::split_handle(&site, &acct);
        domain_account::id_by_handle(tx, name, domain)
    });
    let found = found.await.map_err(|error: StoreError| Problem::from(error))?;
    let id = found.ok_or_else(Problem::not_found)?;
    Ok(Json(account(&state.site, &*known_person(&state, id).await?)))
}

pub(super) async fn search(
    State(state): State<AppState>,
    auth: Auth,
    params: Params,
) -> Result<Json<Vec<Account>>, Problem> {
    let me = auth.me("read:accounts")?;
    let text = params.filled("q").unwrap_or_default();
    let only_following = params.flag("following").unwrap_or(false);
    let range = (offset(&params)?, limit(&params, limits::PAGE_ACCOUNTS.0, limits::PAGE_ACCOUNTS.1)?);
    let is_foreign = domain_account::split_handle(&state.site, &text).1.is_some();
    if params.flag("resolve").unwrap_or(false) && range.0 == 0 && is_foreign {
        // Whatever it finds is in the store afterwards.
        federation::resolve::bring(&state, &text).await;
    }
    let indexed = find::people(&state, &text).await?;
    let (site, viewer) = (state.site.clone(), Viewer::account(me.id, state.now()));
    let people = state
        .store
        .read(move |tx| domain_search::accounts(tx, viewer, &site, &text, &indexed, only_following, range))
        .await;
    let people = people.map_err(|error: StoreError| Problem::from(error))?;
    Ok(Json(accounts(&state.site, &people)))
}

pub(super) async fn relationships(
    State(state): State<AppState>,
    auth: Auth,
    params: Params,
) -> Result<Json<Vec<Relationship>>, Problem> {
    let me = auth.me("read:follows")?.id;
    let ids: Vec<Id> = params.ids("id").into_iter().take(SEVERAL_MAX).collect();
    let wanted = ids.clone();
    let known = state.store.read(move |tx| load_people(tx, &wanted)).await;
    let known = known.map_err(|error: StoreError| Problem::from(error))?;
    let ids = ids.into_iter().zip(known).filter_map(|(id, person)| person.map(|_| id)).collect();
    Ok(Json(standing(&state, me, ids).await?))
}

pub(super) async fn familiar_followers(auth: Auth, params: Params) -> Result<Json<Value>, Problem> {
    auth.me("read:follows")?;
    let none = |id: Id| json!({ "id": id.to_string(), "accounts": [] });
    Ok(Json(params.ids("id").into_iter().take(SEVERAL_MAX).map(none).collect()))
}

pub(super) async fn followers(
    state: State<AppState>,
    uri: Uri,
    auth: Auth,
    id: IdPath,
    params: Params,
) -> Result<Response, Problem> {
    list(state, uri, auth, id, params, relation::followers).await
}

pub(super) async fn following(
    state: State<AppState>,
    uri: Uri,
    auth: Auth,
    id: IdPath,
    params: Params,
) -> Result<Response, Problem> {
    list(state, uri, auth, id, params, relation::following).await
}

type Lister = fn(&ReadTx<'_>, Id, &Page) -> Result<Paged<Arc<Person>>, StoreError>;

async fn list(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    IdPath(id): IdPath,
    params: Params,
    lister: Lister,
) -> Result<Response, Problem> {
    auth.viewer("read:accounts")?;
    person(&state, id).await?;
    let page = page(&params, limits::PAGE_ACCOUNTS)?;
    let people = state.store.read(move |tx| lister(tx, id, &page)).await;
    let people = people.map_err(|error: StoreError| Problem::from(error))?;
    Ok(paged(&state.site, &uri, people.map(|person| account(&state.site, &person))))
}
