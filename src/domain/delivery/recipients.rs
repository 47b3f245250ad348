//! Who gets it: recipients merged to inboxes, inboxes to destinations.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use url::Url;

use crate::base::{Id, Timestamp};
use crate::model::Account;
use crate::model::queue::tables::{
    DESTINATION, DESTINATION_BY_HOST, FOLLOWS_BY_HOST, INBOX, INBOX_BY_DESTINATION, INBOX_BY_URL, SEQUENCE,
    Sequence, sequence,
};
use crate::model::queue::{Class, Destination, DestinationId, Inbox, InboxId, InboxRef};
use crate::model::tables::{ACCOUNT, ACCOUNT_BY_URI};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Longest inbox URL that is kept.
const INBOX_MAX_BYTES: usize = 2048;

/// Accounts that are read again when their inbox moved.
pub const OWNERS_MAX: usize = 16;
/// Accounts of a server that are looked through for them.
const NEIGHBOURS_MAX: usize = 1024;

/// An inbox that said it is gone gets nothing for this long. Not for ever:
/// some servers say so by mistake.
const GONE_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// The inboxes an activity goes to, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targets {
    /// And whether it is the one for everybody there.
    inboxes: BTreeMap<String, bool>,
}

impl Targets {
    /// None yet.
    pub fn new() -> Targets {
        Targets::default()
    }

    /// Adds a recipient by its inbox, or by the shared inbox of its server
    /// where it has one: a thousand followers there are one delivery.
    pub fn add(&mut self, inbox: &str, shared_inbox: Option<&str>) {
        let shared = shared_inbox.filter(|url| !url.is_empty());
        let chosen = shared.unwrap_or(inbox);
        if !chosen.is_empty() && chosen.len() <= INBOX_MAX_BYTES {
            *self.inboxes.entry(chosen.to_owned()).or_default() |= shared.is_some();
        }
    }

    /// How many deliveries it makes.
    pub fn len(&self) -> usize {
        self.inboxes.len()
    }

    /// The inboxes, in order.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.inboxes.keys().map(String::as_str)
    }

    /// Whether nobody gets it.
    pub fn is_empty(&self) -> bool {
        self.inboxes.is_empty()
    }
}

/// Remembers that an inbox said it is gone.
pub(super) fn mark_gone(tx: &mut WriteTx<'_>, inboxes: &[InboxId], now: Timestamp) -> Result<(), StoreError> {
    let found: Vec<String> =
        tx.get_many(INBOX, inboxes)?.into_iter().flatten().map(|inbox| inbox.url).collect();
    for (url, known) in found.iter().zip(tx.get_many(INBOX_BY_URL, &found)?) {
        if let Some(known) = known {
            tx.put(INBOX_BY_URL, url, &InboxRef { gone_at: Some(now), ..known });
        }
    }
    Ok(())
}

/// Whose lane a piece of work takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Our own.
    Local,
    /// That of a remote host (with port, unless usual), whose health it
    /// depends on: fetches.
    Host(String),
    /// That of the activities from a host, so that one that floods delays
    /// only itself.
    Ingress(String),
    /// That of a push service's host.
    PushService(String),
    /// That of a webhook's host.
    Webhook(String),
    /// That of the mail server.
    Mail(String),
    /// That of a host whose pages and files are read.
    Web(String),
}

/// The host of an http(s) URL, with the port unless it is the usual one.
pub fn authority_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    if !matches!(url.scheme(), "https" | "http") {
        return None;
    }
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Counts a follow of somebody here by an account of another server, or that
/// it ended: servers with many take more at once.
///
/// # Errors
/// Only the store's.
pub fn count_follow(tx: &mut WriteTx<'_>, follower: Id, more: i64) -> Result<(), StoreError> {
    let Some(account) = tx.get(ACCOUNT, &follower)?.filter(|account| !account.is_local()) else {
        return Ok(());
    };
    let inbox = account.shared_inbox.as_deref().filter(|url| !url.is_empty()).unwrap_or(&account.inbox);
    if let Some(host) = authority_of(inbox) {
        tx.add(FOLLOWS_BY_HOST, &host, more);
    }
    Ok(())
}

/// The ActivityPub ids of up to [`OWNERS_MAX`] accounts that have this inbox,
/// as their own or as their server's.
///
/// # Errors
/// Only the store's.
pub fn owners_of(tx: &ReadTx<'_>, inbox: &str) -> Result<Vec<String>, StoreError> {
    let Some(origin) = Url::parse(inbox).ok().map(|url| format!("{}/", url.origin().ascii_serialization()))
    else {
        return Ok(Vec::new());
    };
    let there = tx.scan(ACCOUNT_BY_URI, Scan::all().after(&origin).limit(NEIGHBOURS_MAX))?;
    let ids: Vec<Id> =
        there.into_iter().take_while(|(uri, _)| uri.starts_with(&origin)).map(|(_, id)| id).collect();
    let has_it = |account: &Account| account.inbox == inbox || account.shared_inbox.as_deref() == Some(inbox);
    let owners = tx.get_many(ACCOUNT, &ids)?.into_iter().flatten().filter(has_it);
    Ok(owners.take(OWNERS_MAX).map(|account| account.uri).collect())
}

/// The destination and inbox numbers of targets; new ones are written down.
/// Inboxes that are no http(s) URL are left out.
pub(super) fn resolve(
    tx: &mut WriteTx<'_>,
    targets: &Targets,
    now: Timestamp,
) -> Result<Vec<(DestinationId, InboxId)>, StoreError> {
    let urls: Vec<String> = targets.inboxes.keys().cloned().collect();
    let mut places = Vec::with_capacity(urls.len());
    let mut unknown = Vec::new();
    for (url, known) in urls.iter().zip(tx.get_many(INBOX_BY_URL, &urls)?) {
        match known {
            Some(known) if known.gone_at.is_some_and(|at| now.since(at) < GONE_FOR) => {}
            Some(known) => places.push((known.destination, known.inbox)),
            None => unknown.extend(authority_of(url).map(|host| (url, host))),
        }
    }
    if unknown.is_empty() {
        return Ok(places);
    }
    let hosts: BTreeSet<String> = unknown.iter().map(|(_, host)| host.clone()).collect();
    let destinations = destinations(tx, Class::Remote, hosts, now)?;
    let mut numbers = Numbers::open(tx, sequence::INBOX)?;
    for (url, host) in unknown {
        let (destination, inbox) = (destinations[&host], InboxId(numbers.take()));
        let is_shared = targets.inboxes.get(url).copied().unwrap_or_default();
        tx.put(INBOX, &inbox, &Inbox { url: url.clone(), destination, is_shared });
        tx.put(INBOX_BY_URL, url, &InboxRef { inbox, destination, gone_at: None });
        tx.put(INBOX_BY_DESTINATION, &(destination, inbox), &());
        places.push((destination, inbox));
    }
    numbers.close(tx);
    Ok(places)
}

/// The destination of a place; a new one is written down.
pub(super) fn resolve_place(
    tx: &mut WriteTx<'_>,
    place: &Place,
    now: Timestamp,
) -> Result<DestinationId, StoreError> {
    let (class, host) = match place {
        Place::Local => return Ok(DestinationId::LOCAL),
        Place::Host(host) => (Class::Remote, host),
        Place::Ingress(host) => (Class::Ingress, host),
        Place::PushService(host) => (Class::Push, host),
        Place::Webhook(host) => (Class::Webhook, host),
        Place::Mail(host) => (Class::Mail, host),
        Place::Web(host) => (Class::Web, host),
    };
    let found = destinations(tx, class, BTreeSet::from([host.clone()]), now)?;
    Ok(found[host])
}

fn destinations(
    tx: &mut WriteTx<'_>,
    class: Class,
    hosts: BTreeSet<String>,
    now: Timestamp,
) -> Result<BTreeMap<String, DestinationId>, StoreError> {
    let keys: Vec<(u8, String)> = hosts.into_iter().map(|host| (class as u8, host)).collect();
    let known = tx.get_many(DESTINATION_BY_HOST, &keys)?;
    let mut numbers = Numbers::open(tx, sequence::DESTINATION)?;
    let mut found = BTreeMap::new();
    for (key, known) in keys.into_iter().zip(known) {
        let destination = known.unwrap_or_else(|| {
            let destination = DestinationId(numbers.take());
            tx.put(DESTINATION_BY_HOST, &key, &destination);
            let authority = key.1.clone();
            let record = Destination { authority, class, used_at: Some(now), ..Destination::default() };
            tx.put(DESTINATION, &destination, &record);
            destination
        });
        found.insert(key.1, destination);
    }
    numbers.close(tx);
    Ok(found)
}

/// Numbers given out one after another, from 1: 0 is reserved.
struct Numbers {
    of: u8,
    last: u32,
    is_used: bool,
}

impl Numbers {
    fn open(tx: &WriteTx<'_>, of: u8) -> Result<Numbers, StoreError> {
        let last = tx.get(SEQUENCE, &of)?.unwrap_or_default().last;
        Ok(Numbers { of, last, is_used: false })
    }

    fn take(&mut self) -> u32 {
        self.is_used = true;
        self.last = self.last.checked_add(1).expect("2^32 inboxes do not fit the disk");
        self.last
    }

    fn close(self, tx: &mut WriteTx<'_>) {
        if self.is_used {
            tx.put(SEQUENCE, &self.of, &Sequence { last: self.last });
        }
    }
}
