//! What several handlers answer about people, and how refusals read.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::base::{Id, Problem};
use crate::domain::relation::{RelationError, relationships};
use crate::domain::timeline::{Person, load_everybody, load_people};
use crate::edge::AppState;
use crate::model::{self, Site};
use crate::store::StoreError;
use crate::wire::mastodon::{self, Account, Relationship};

/// The id in a path with one `{id}`. What cannot be an id is not found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IdPath(pub(crate) Id);

impl FromRequestParts<AppState> for IdPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<IdPath, Problem> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        text.parse().map(IdPath).map_err(|_| Problem::not_found())
    }
}

/// An account as clients see it.
pub(crate) fn account(site: &Site, person: &Person) -> Account {
    let entity = Account::new(site, &borrowed(person));
    match &person.moved {
        Some(target) => entity.moved_to(Account::new(site, &borrowed(target))),
        None => entity,
    }
}

/// The counted account in the form that entities are made from.
pub(crate) fn borrowed(person: &Person) -> mastodon::Person<'_> {
    mastodon::Person {
        account: &person.account,
        statuses: person.statuses,
        followers: person.followers,
        following: person.following,
        role: person.role,
    }
}

/// Accounts in this order; those that may not be shown are left out.
///
/// # Errors
/// Only the store's.
pub(crate) fn accounts(site: &Site, people: &[Arc<Person>]) -> Vec<Account> {
    people.iter().map(|person| account(site, person)).collect()
}

/// One account that may be shown.
///
/// # Errors
/// 404 when it may not.
pub(crate) async fn person(state: &AppState, id: Id) -> Result<Arc<Person>, Problem> {
    let found = state.store.read(move |tx| load_people(tx, &[id])).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    found.into_iter().flatten().next().ok_or_else(Problem::not_found)
}

/// One account that may be shown, or of which it is said that it is
/// suspended.
///
/// # Errors
/// 404 when it is not there.
pub(crate) async fn known_person(state: &AppState, id: Id) -> Result<Arc<Person>, Problem> {
    let found = state.store.read(move |tx| load_everybody(tx, &[id])).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    let is_known = |account: &model::Account| account.deleted_at.is_none() && !account.waits();
    let known = found.into_iter().flatten().next().filter(|person| is_known(&person.account));
    known.ok_or_else(Problem::not_found)
}

/// How the viewer stands to another now, which is what every change of a
/// relation answers.
///
/// # Errors
/// When the store fails.
pub(crate) async fn relationship(
    state: &AppState,
    viewer: Id,
    other: Id,
) -> Result<Json<Relationship>, Problem> {
    let mut all = standing(state, viewer, vec![other]).await?;
    all.pop().map(Json).ok_or_else(Problem::not_found)
}

/// How the viewer stands to others, in their order.
///
/// # Errors
/// When the store fails.
pub(crate) async fn standing(
    state: &AppState,
    viewer: Id,
    others: Vec<Id>,
) -> Result<Vec<Relationship>, Problem> {
    let now = state.now();
    let all = state.store.read(move |tx| relationships(tx, viewer, &others, now)).await;
    let all = all.map_err(|error: StoreError| Problem::from(error))?;
    Ok(all
        .iter()
        .map(|r| Relationship::new(r.id, (&r.there, &r.back), r.mute.as_ref(), r.is_domain_blocked))
        .collect())
}

impl From<RelationError> for Problem {
    fn from(error: RelationError) -> Problem {
        match error {
            RelationError::Missing => Problem::not_found(),
            RelationError::Oneself | RelationError::Blocked => {
                Problem::forbidden("This action is not allowed")
            }
            RelationError::TooMany => {
                Problem::invalid("Validation failed: You cannot follow more than 7500 people")
            }
            RelationError::NotFollowed => {
                Problem::invalid("Validation failed: You must follow somebody to feature them")
            }
            RelationError::Store(error) => error.into(),
        }
    }
}
