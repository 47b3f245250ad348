//! Finding accounts, hashtags and posts.
//!
//! The rules are here: how a question is understood (`grammar`), how texts
//! are cut into words (`words`), and who may find what (`found`). The full-text
//! index itself is the room `search`; whatever it says is only a hint, and
//! everything it names is loaded here for the one who asks.

mod found;
mod grammar;
pub mod words;

use std::collections::HashSet;
use std::sync::Arc;

pub use found::{LIBRARY_MAX, findable, library};
pub use grammar::{Ask, PARTS_MAX, Part, Scope, Trait};

use super::account;
use super::timeline::{Loaded, Person, load_one, load_people};
use super::visibility::{Viewer, relations};
use crate::base::Id;
use crate::model::tables::{ACCOUNT_BY_HANDLE, ACCOUNT_BY_URI, RELATION, STATUS_BY_URI, TAG_TIMELINE};
use crate::model::{Account, Site, Status};
use crate::store::{ReadTx, Scan, StoreError};

/// Accounts that one search looks at.
const HANDLES_MAX: usize = 200;
/// Posts read in one step of a search for hashtags.
const TAG_ROWS_MAX: usize = 100;
/// Larger than every character that a name may have.
const LAST: char = char::MAX;

/// Accounts whose handle begins with this text (`name`, `@name`,
/// `name@host`), then those that the index found by it; those the viewer
/// follows first.
///
/// # Errors
/// Only the store's.
pub fn accounts(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    site: &Site,
    text: &str,
    indexed: &[Id],
    only_following: bool,
    (offset, limit): (usize, usize),
) -> Result<Vec<Arc<Person>>, StoreError> {
    let found = account::search(tx, site, text, HANDLES_MAX)?;
    let limited: HashSet<Id> =
        found.iter().filter(|account| account.is_limited()).map(|account| account.id).collect();
    let named = account::by_handle(tx, site, text)?.map(|account| account.id);
    let mut ids: Vec<Id> = found.into_iter().map(|account| account.id).collect();
    let further: Vec<Id> = indexed.iter().copied().filter(|id| !ids.contains(id)).collect();
    ids.extend(further);
    let relations = relations(tx, viewer, &ids)?;
    let follows = |id: &Id| relations.get(id).is_some_and(|between| between.follows());
    // Those who are limited are found by those who follow them, or who name
    // them in full.
    ids.retain(|id| !limited.contains(id) || follows(id) || named == Some(*id) || viewer.is(*id));
    // Whom the viewer shut out is found by the full name, so that it can be
    // undone: apps such as toot look accounts up here. The other way round not.
    ids.retain(|id| {
        relations.get(id).is_none_or(|between| {
            let is_shut_out = between.to.block.is_some() || between.is_domain_blocked;
            between.from.block.is_none() && (!is_shut_out || named == Some(*id))
        })
    });
    ids.retain(|id| !only_following || follows(id));
    ids.sort_by_key(|id| !follows(id));
    let ids: Vec<Id> = ids.into_iter().skip(offset).take(limit).collect();
    Ok(load_people(tx, &ids)?.into_iter().flatten().collect())
}

/// Hashtags in use that begin with this text, in order.
///
/// # Errors
/// Only the store's.
pub fn hashtags(tx: &ReadTx<'_>, text: &str, offset: usize, limit: usize) -> Result<Vec<String>, StoreError> {
    let prefix = Status::tag_key(text.trim().trim_start_matches('#'));
    if prefix.is_empty() || prefix.contains(char::is_whitespace) {
        return Ok(Vec::new());
    }
    let end = (format!("{prefix}{LAST}"), Id::ZERO);
    let mut found: Vec<String> = Vec::new();
    let mut from = (prefix, Id::ZERO);
    // After each scan the rest of the last hashtag's posts is jumped over.
    while found.len() < offset + limit {
        let range = Scan::all().after(&from).before(&end).limit(TAG_ROWS_MAX);
        let rows = tx.scan(TAG_TIMELINE, range)?;
        found.extend(rows.into_iter().map(|((tag, _), _)| tag));
        found.dedup();
        match found.last() {
            Some(last) if *last > from.0 || from.1 == Id::ZERO => from = (last.clone(), Id::MAX),
            _ => break,
        }
    }
    Ok(found.into_iter().skip(offset).take(limit).collect())
}

/// What an address leads to.
#[derive(Debug, Clone)]
pub enum AtAddress {
    /// A post.
    Status(Box<Loaded>),
    /// An account.
    Account(Arc<Person>),
}

/// What is known at an address: an ActivityPub id, or one of our pages.
/// Posts that the viewer may not see are not found.
///
/// # Errors
/// Only the store's.
pub fn at_address(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    site: &Site,
    address: &str,
) -> Result<Option<AtAddress>, StoreError> {
    if let Some(id) = status_at(tx, site, address)? {
        return Ok(load_one(tx, viewer, id)?.map(|loaded| AtAddress::Status(Box::new(loaded))));
    }
    let Some(id) = account_at(tx, site, address)? else { return Ok(None) };
    let blocks_viewer = match viewer.id {
        Some(me) => tx.get(RELATION, &(id, me))?.is_some_and(|relation| relation.block.is_some()),
        None => false,
    };
    if blocks_viewer {
        return Ok(None);
    }
    Ok(load_people(tx, &[id])?.pop().flatten().map(AtAddress::Account))
}

/// The path of one of our pages after `/@`.
fn page<'a>(site: &Site, address: &'a str) -> Option<&'a str> {
    let rest = address.strip_prefix(&site.origin)?.strip_prefix("/@")?;
    rest.split(['?', '#']).next()
}

fn status_at(tx: &ReadTx<'_>, site: &Site, address: &str) -> Result<Option<Id>, StoreError> {
    if let Some((_, id)) = page(site, address).and_then(|path| path.split_once('/')) {
        return Ok(id.parse().ok());
    }
    if let Some((_, id)) = site.status_ids(address) {
        return Ok(Some(id));
    }
    tx.get(STATUS_BY_URI, &address.to_owned())
}

fn account_at(tx: &ReadTx<'_>, site: &Site, address: &str) -> Result<Option<Id>, StoreError> {
    if let Some(name) = page(site, address) {
        let (name, host) = name.split_once('@').map_or((name, None), |(name, host)| (name, Some(host)));
        return tx.get(ACCOUNT_BY_HANDLE, &Account::handle_key(name, host));
    }
    if let Some(id) = site.actor_id(address) {
        return Ok(Some(id));
    }
    tx.get(ACCOUNT_BY_URI, &address.to_owned())
}
