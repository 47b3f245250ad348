//! Looking at accounts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::base::{Id, Problem, limits};
use crate::domain::page::{Page, Paged};
use crate::domain::timeline::{Person, load_people};
use crate::domain::visibility::Viewer;
use crate::domain::{account as domain_account, relation, search as domain_search};
use crate::edge::AppState;
use crate::edge::api::page::{OffsetParams, PageParams, limit, offset, page, paged};
use crate::edge::api::params::{GivenId, Input, Params, one_or_more};
use crate::edge::api::people::{IdPath, account, accounts, known_person, person, standing};
use crate::edge::auth::Auth;
use crate::edge::{federation, find};
use crate::store::{ReadTx, StoreError};
use crate::wire::mastodon::{Account, FamiliarFollowers, Relationship};

/// Accounts in one request (Mastodon: 40).
const SEVERAL_MAX: usize = 40;
/// Rows of a search that may be skipped.
const OFFSET_MAX: usize = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Several {
    /// At most 40.
    #[serde(default, deserialize_with = "one_or_more")]
    #[param(rename = "id[]", value_type = Vec<String>)]
    id: Vec<GivenId>,
}

impl Several {
    fn ids(&self) -> Vec<Id> {
        self.id.iter().map(|id| id.0).collect()
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Lookup {
    /// `user` or `user@domain`.
    acct: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AccountQuery {
    /// The beginning of a name, or a whole `user@domain`.
    q: Option<String>,
    /// Whether somebody of another server may be looked up there.
    resolve: Option<bool>,
    /// Whether only accounts that the person follows are wanted.
    following: Option<bool>,
}

/// An account.
#[utoipa::path(get, path = "/api/v1/accounts/{id}", tag = "Accounts", params(("id" = String, Path)),
    security((), ("oauth" = ["read:accounts"])), responses((status = 200, body = Account)))]
pub(super) async fn one(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(id): IdPath,
) -> Result<Json<Account>, Problem> {
    auth.viewer("read:accounts")?;
    let person = known_person(&state, id).await?;
    Ok(Json(account(&state.site, &person)))
}

/// Accounts by their ids, at most 40.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "Accounts", params(Several),
    security((), ("oauth" = ["read:accounts"])), responses((status = 200, body = Vec<Account>)))]
pub(super) async fn several(
    State(state): State<AppState>,
    auth: Auth,
    several: Input<Several>,
) -> Result<Json<Vec<Account>>, Problem> {
    auth.viewer("read:accounts")?;
    let ids = several.ids();
    if ids.len() > SEVERAL_MAX {
        return Err(Problem::invalid("Too many accounts at once"));
    }
    let people = state.store.read(move |tx| load_people(tx, &ids)).await;
    let people = people.map_err(|error: StoreError| Problem::from(error))?;
    let people: Vec<Arc<Person>> = people.into_iter().flatten().collect();
    Ok(Json(accounts(&state.site, &people)))
}

/// The account with a name, as far as it is known here.
#[utoipa::path(get, path = "/api/v1/accounts/lookup", tag = "Accounts", params(Lookup),
    security((), ("oauth" = ["read:accounts"])), responses((status = 200, body = Account)))]
pub(super) async fn lookup(
    State(state): State<AppState>,
    auth: Auth,
    lookup: Input<Lookup>,
) -> Result<Json<Account>, Problem> {
    auth.viewer("read:accounts")?;
    let acct = lookup.acct.clone().ok_or_else(Problem::not_found)?;
    let site = state.site.clone();
    let found = state.store.read(move |tx| {
        let (name, domain) = domain_account::split_handle(&site, &acct);
        domain_account::id_by_handle(tx, name, domain)
    });
    let found = found.await.map_err(|error: StoreError| Problem::from(error))?;
    let id = found.ok_or_else(Problem::not_found)?;
    Ok(Json(account(&state.site, &*known_person(&state, id).await?)))
}

/// Accounts whose name begins so; those who are followed first.
#[utoipa::path(get, path = "/api/v1/accounts/search", tag = "Accounts", params(AccountQuery, OffsetParams),
    security(("oauth" = ["read:accounts"])), responses((status = 200, body = Vec<Account>)))]
pub(super) async fn search(
    State(state): State<AppState>,
    auth: Auth,
    query: Input<AccountQuery>,
) -> Result<Json<Vec<Account>>, Problem> {
    let me = auth.me("read:accounts")?;
    let text = query.q.clone().unwrap_or_default().trim().to_owned();
    let only_following = query.following.unwrap_or(false);
    let (default, most) = limits::PAGE_ACCOUNTS;
    let range = (offset(&query.params)?.min(OFFSET_MAX), limit(&query.params, default, most)?);
    let is_foreign = domain_account::split_handle(&state.site, &text).1.is_some();
    if query.resolve.unwrap_or(false) && range.0 == 0 && is_foreign {
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

/// How the person stands to others, at most 40.
#[utoipa::path(get, path = "/api/v1/accounts/relationships", tag = "Accounts", params(Several),
    security(("oauth" = ["read:follows"])), responses((status = 200, body = Vec<Relationship>)))]
pub(super) async fn relationships(
    State(state): State<AppState>,
    auth: Auth,
    several: Input<Several>,
) -> Result<Json<Vec<Relationship>>, Problem> {
    let me = auth.me("read:follows")?.id;
    let ids: Vec<Id> = several.ids().into_iter().take(SEVERAL_MAX).collect();
    let wanted = ids.clone();
    let known = state.store.read(move |tx| load_people(tx, &wanted)).await;
    let known = known.map_err(|error: StoreError| Problem::from(error))?;
    let ids = ids.into_iter().zip(known).filter_map(|(id, person)| person.map(|_| id)).collect();
    Ok(Json(standing(&state, me, ids).await?))
}

/// Whom of the person's follows follow these accounts, at most 40.
#[utoipa::path(get, path = "/api/v1/accounts/familiar_followers", tag = "Accounts", params(Several),
    security(("oauth" = ["read:follows"])), responses((status = 200, body = Vec<FamiliarFollowers>)))]
pub(super) async fn familiar_followers(
    State(state): State<AppState>,
    auth: Auth,
    several: Input<Several>,
) -> Result<Json<Vec<FamiliarFollowers>>, Problem> {
    let me = auth.me("read:follows")?.id;
    let ids: Vec<Id> = several.ids().into_iter().take(SEVERAL_MAX).collect();
    let found = state.store.read(move |tx| {
        let known = load_people(tx, &ids)?.into_iter().flatten();
        let (shown, hidden): (Vec<_>, Vec<_>) =
            known.partition(|person| person.account.shows_follows_to(Some(me)));
        let shown: Vec<Id> = shown.iter().map(|person| person.account.id).collect();
        let mut found = relation::familiar(tx, me, &shown)?;
        found.extend(hidden.iter().map(|person| (person.account.id, Vec::new())));
        Ok(found)
    });
    let found = found.await.map_err(|error: StoreError| Problem::from(error))?;
    let entity = |(id, people): &(Id, Vec<Arc<Person>>)| FamiliarFollowers {
        id: id.to_string(),
        accounts: accounts(&state.site, people),
    };
    Ok(Json(found.iter().map(entity).collect()))
}

/// Who follows an account, latest first.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/followers", tag = "Accounts",
    params(("id" = String, Path), PageParams),
    security((), ("oauth" = ["read:accounts"])), responses((status = 200, body = Vec<Account>)))]
pub(super) async fn followers(
    state: State<AppState>,
    uri: Uri,
    auth: Auth,
    id: IdPath,
    params: Params,
) -> Result<Response, Problem> {
    list(state, uri, auth, id, params, relation::followers).await
}

/// Whom an account follows, latest first.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/following", tag = "Accounts",
    params(("id" = String, Path), PageParams),
    security((), ("oauth" = ["read:accounts"])), responses((status = 200, body = Vec<Account>)))]
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
    let viewer = auth.viewer("read:accounts")?;
    let owner = person(&state, id).await?;
    let page = page(&params, limits::PAGE_ACCOUNTS)?;
    if !owner.account.shows_follows_to(viewer) {
        return Ok(Json(Vec::<Account>::new()).into_response());
    }
    let people = state.store.read(move |tx| lister(tx, id, &page)).await;
    let people = people.map_err(|error: StoreError| Problem::from(error))?;
    Ok(paged(&state.site, &uri, people.map(|person| account(&state.site, &person))))
}
