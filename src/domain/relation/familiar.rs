//! Familiar followers: whom of one's own follows another account knows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::FOLLOWING_MAX;
use crate::base::Id;
use crate::domain::timeline::{Person, load_people};
use crate::model::tables::{FOLLOWERS, FOLLOWING, RELATION};
use crate::store::{ReadTx, Scan, StoreError};

/// Accounts that one question may be about.
pub const FAMILIAR_AT_ONCE: usize = 40;
/// Latest followers of each that are looked at.
const FOLLOWERS_LOOKED_AT: usize = 1000;
/// Relations that are read for accounts with more followers than that.
const RELATIONS_MAX: usize = 20_000;
/// People given for each.
const FAMILIAR_MAX: usize = 40;

/// An account, and those who follow it of whom one follows.
pub(super) type Familiar = (Id, Vec<Arc<Person>>);

/// For each of these accounts, who of those that `me` follows follows it.
/// Work is bounded: of very many followers, not all are found.
///
/// # Errors
/// Only the store's.
pub fn familiar(tx: &ReadTx<'_>, me: Id, accounts: &[Id]) -> Result<Vec<Familiar>, StoreError> {
    let most = usize::try_from(FOLLOWING_MAX).unwrap_or(usize::MAX);
    let mine = tx.scan(FOLLOWING, Scan::prefix(&(me,)).reverse().limit(most))?;
    let mine: Vec<Id> = mine.into_iter().map(|(_, followed)| followed).collect();
    let known: HashSet<Id> = mine.iter().copied().collect();
    let mut budget = RELATIONS_MAX;
    let mut found: Vec<(Id, Vec<Id>)> = Vec::new();
    for account in accounts.iter().take(FAMILIAR_AT_ONCE) {
        let latest = Scan::prefix(&(*account,)).reverse().limit(FOLLOWERS_LOOKED_AT);
        let rows = tx.scan(FOLLOWERS, latest)?;
        let mut familiar: Vec<Id> = Vec::new();
        if rows.len() == FOLLOWERS_LOOKED_AT && mine.len() <= budget {
            budget -= mine.len();
            familiar.extend(following(tx, &mine, *account)?);
        } else {
            familiar.extend(rows.into_iter().map(|(_, follower)| follower).filter(|id| known.contains(id)));
        }
        familiar.truncate(FAMILIAR_MAX);
        found.push((*account, familiar));
    }
    load(tx, found)
}

/// Those of these who follow an account.
fn following(tx: &ReadTx<'_>, these: &[Id], account: Id) -> Result<Vec<Id>, StoreError> {
    let keys: Vec<(Id, Id)> = these.iter().map(|id| (*id, account)).collect();
    let rows = these.iter().zip(tx.get_many(RELATION, &keys)?);
    Ok(rows.filter(|(_, row)| row.as_ref().is_some_and(|r| r.follow.is_some())).map(|(id, _)| *id).collect())
}

fn load(tx: &ReadTx<'_>, found: Vec<(Id, Vec<Id>)>) -> Result<Vec<Familiar>, StoreError> {
    let mut ids: Vec<Id> = found.iter().flat_map(|(_, ids)| ids).copied().collect();
    ids.sort();
    ids.dedup();
    let people = load_people(tx, &ids)?.into_iter().flatten();
    let people: HashMap<Id, Arc<Person>> = people.map(|person| (person.account.id, person)).collect();
    let with = |ids: Vec<Id>| ids.iter().filter_map(|id| people.get(id).cloned()).collect();
    Ok(found.into_iter().map(|(account, ids)| (account, with(ids))).collect())
}
