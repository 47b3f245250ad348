//! Finding accounts by the beginning of their name, hashtags by theirs, and
//! posts by their address. Texts are not searched.

use std::sync::Arc;

use super::timeline::{Loaded, Person, load_one, load_people};
use super::visibility::{Viewer, relations};
use crate::base::Id;
use crate::model::tables::{ACCOUNT_BY_HANDLE, ACCOUNT_BY_URI, RELATION, STATUS_BY_URI, TAG_TIMELINE};
use crate::model::{Account, Site, Status};
use crate::store::{ReadTx, Scan, StoreError};

/// Handles read to fill one page of accounts.
const HANDLES_MAX: usize = 200;
/// Larger than every character that a name may have.
const LAST: char = char::MAX;

/// Accounts whose handle begins with this text (`name`, `@name`,
/// `name@host`); those the viewer follows first.
///
/// # Errors
/// Only the store's.
pub fn accounts(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    site: &Site,
    text: &str,
    only_following: bool,
    (offset, limit): (usize, usize),
) -> Result<Vec<Arc<Person>>, StoreError> {
    let Some((name, host)) = split_handle(text, site) else { return Ok(Vec::new()) };
    let rows = match host {
        Some(host) => exact_name(tx, &name, &host)?,
        None => name_prefix(tx, &name)?,
    };
    let relations = relations(tx, viewer, &rows)?;
    let follows = |id: &Id| relations.get(id).is_some_and(|between| between.follows());
    let mut ids: Vec<Id> = rows
        .into_iter()
        .filter(|id| relations.get(id).is_none_or(|between| !between.is_blocked()))
        .filter(|id| !only_following || follows(id))
        .collect();
    ids.sort_by_key(|id| !follows(id));
    let people = load_people(tx, &ids)?;
    Ok(people.into_iter().flatten().skip(offset).take(limit).collect())
}

/// Lower-case name and host of what was typed; an empty host is ours.
fn split_handle(text: &str, site: &Site) -> Option<(String, Option<String>)> {
    let text = text.trim().trim_start_matches('@').to_lowercase();
    let (name, host) = match text.split_once('@') {
        Some((name, host)) => (name, Some(host)),
        None => (text.as_str(), None),
    };
    if name.is_empty() || name.contains(char::is_whitespace) {
        return None;
    }
    let host = host.map(|host| if host == site.domain { String::new() } else { host.to_owned() });
    Some((name.to_owned(), host))
}

fn name_prefix(tx: &ReadTx<'_>, name: &str) -> Result<Vec<Id>, StoreError> {
    let local = tx.get(ACCOUNT_BY_HANDLE, &(name.to_owned(), String::new()))?;
    let (from, to) = ((name.to_owned(), String::new()), (format!("{name}{LAST}"), String::new()));
    let rows = tx.scan(ACCOUNT_BY_HANDLE, Scan::all().after(&from).before(&to).limit(HANDLES_MAX))?;
    Ok(local.into_iter().chain(rows.into_iter().map(|(_, id)| id)).collect())
}

/// Hosts of people with exactly this name that begin with what was typed.
fn exact_name(tx: &ReadTx<'_>, name: &str, host: &str) -> Result<Vec<Id>, StoreError> {
    let exact = tx.get(ACCOUNT_BY_HANDLE, &(name.to_owned(), host.to_owned()))?;
    if host.is_empty() {
        return Ok(exact.into_iter().collect());
    }
    let (from, to) = ((name.to_owned(), host.to_owned()), (name.to_owned(), format!("{host}{LAST}")));
    let rows = tx.scan(ACCOUNT_BY_HANDLE, Scan::all().after(&from).before(&to).limit(HANDLES_MAX))?;
    Ok(exact.into_iter().chain(rows.into_iter().map(|(_, id)| id)).collect())
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
    // One row of each hashtag is read, however many posts it has.
    while found.len() < offset + limit {
        let range = Scan::all().after(&from).before(&end).limit(1);
        let Some(((tag, _), _)) = tx.scan(TAG_TIMELINE, range)?.pop() else { break };
        from = (tag.clone(), Id::MAX);
        found.push(tag);
    }
    Ok(found.into_iter().skip(offset).collect())
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
