//! Decisions about whole servers: blocked, limited, or explicitly welcome.
//! What is decided about a name holds for all names below it; of several
//! decisions the one about the longest name holds.

use super::audit::{Entry, log};
use super::{ModerationError, Staff};
use crate::base::{Id, Moment, Timestamp};
use crate::domain::delivery::{Task, authority_of, enqueue};
use crate::domain::page::{Page, Paged, fill};
use crate::domain::portrait;
use crate::model::queue::{Job, Lane};
use crate::model::tables::{ACCOUNT, DOMAIN_ALLOW, DOMAIN_ALLOW_BY_ID, DOMAIN_BLOCK, DOMAIN_BLOCK_BY_ID};
use crate::model::{Account, DomainAllow, DomainBlock, Permission, Severity, Site};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Bytes of a server's name (RFC 1035), with a port.
const NAME_MAX_BYTES: usize = 260;
/// Parts of a name that are looked up.
const LABELS_MAX: usize = 10;
/// Characters of a comment that are kept.
const COMMENT_MAX_CHARACTERS: usize = 2000;
/// Accounts that one step of settling reads, and changes.
const SETTLE_ROWS: usize = 500;
const SETTLE_CHANGES_MAX: usize = 25;

/// A server's name as it is compared: lower case, punycode, without dots at
/// its ends; `None` for what cannot be one.
pub fn clean_name(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches("*.").trim_matches('.').to_lowercase();
    if text.is_empty() || text.len() > NAME_MAX_BYTES || text.contains(['/', '@', '?', '#', ' ', '*']) {
        return None;
    }
    authority_of(&format!("https://{text}/"))
}

/// The names under which something may be decided about a host (with or
/// without its port), the longest first.
fn names(host: &str) -> Vec<String> {
    let host = host.to_lowercase();
    let bare = match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|b| b.is_ascii_digit()) => bare,
        _ => &host,
    };
    let mut all = vec![host.clone()];
    let mut rest = Some(bare);
    while let Some(name) = rest.filter(|_| all.len() < LABELS_MAX) {
        if all.last().is_some_and(|last| last != name) {
            all.push(name.to_owned());
        }
        rest = name.split_once('.').map(|(_, parent)| parent);
    }
    all
}

/// What is decided about a host; one round trip.
///
/// # Errors
/// Only the store's.
pub fn rule_for(tx: &ReadTx<'_>, host: &str) -> Result<Option<DomainBlock>, StoreError> {
    Ok(tx.get_many(DOMAIN_BLOCK, &names(host))?.into_iter().flatten().next())
}

/// What is decided about the server of a remote account: by its handle, or
/// by the host of its actor, whichever is harder; one round trip.
///
/// # Errors
/// Only the store's.
pub fn rule_for_account(tx: &ReadTx<'_>, account: &Account) -> Result<Option<DomainBlock>, StoreError> {
    let Some(domain) = &account.domain else { return Ok(None) };
    let by_handle = names(domain);
    let by_uri = authority_of(&account.uri).map(|host| names(&host)).unwrap_or_default();
    let split = by_handle.len();
    let mut found = tx.get_many(DOMAIN_BLOCK, &[by_handle, by_uri].concat())?;
    let by_uri = found.split_off(split).into_iter().flatten().next();
    let by_handle = found.into_iter().flatten().next();
    Ok([by_handle, by_uri].into_iter().flatten().max_by_key(|rule| rule.severity))
}

/// Whether nothing is taken from a host and nothing sent to it: it is
/// blocked, or not welcome where only the welcome are federated with. The
/// one question at every way in and out.
///
/// # Errors
/// Only the store's.
pub fn is_shut_out(tx: &ReadTx<'_>, site: &Site, host: &str) -> Result<bool, StoreError> {
    Ok(is_blocked(tx, host)? || !is_welcome(tx, site, host)?)
}

/// Whether a host is blocked. For what is no federation, such as the pages
/// behind links.
///
/// # Errors
/// Only the store's.
pub fn is_blocked(tx: &ReadTx<'_>, host: &str) -> Result<bool, StoreError> {
    Ok(rule_for(tx, host)?.is_some_and(|rule| rule.severity == Severity::Suspend))
}

/// Whether a host, or a name above it, is welcome. Everybody is, where that
/// is not asked for.
fn is_welcome(tx: &ReadTx<'_>, site: &Site, host: &str) -> Result<bool, StoreError> {
    if !site.is_by_allowlist || authority_of(&site.origin).as_deref() == Some(host) {
        return Ok(true);
    }
    Ok(tx.get_many(DOMAIN_ALLOW, &names(host))?.iter().any(Option::is_some))
}

/// Whether pictures, films and sounds of a host are not shown or fetched.
///
/// # Errors
/// Only the store's.
pub fn rejects_media(tx: &ReadTx<'_>, site: &Site, host: &str) -> Result<bool, StoreError> {
    let is_rejected = rule_for(tx, host)?.is_some_and(|rule| rule.reject_media);
    Ok(is_rejected || is_shut_out(tx, site, host)?)
}

/// A remote account as it may be kept under what is decided about its server.
/// `was` is the time of a decision that no longer holds.
pub fn ruled(account: &Account, rule: Option<&DomainBlock>, was: Option<Timestamp>) -> Account {
    let mut new = account.clone();
    let ended = |at: &Timestamp| Some(*at) != was;
    new.suspended_at = new.suspended_at.filter(ended);
    new.silenced_at = new.silenced_at.filter(ended);
    let Some(rule) = rule else { return new };
    match rule.severity {
        Severity::Suspend => new.suspended_at = new.suspended_at.or(Some(rule.created_at)),
        Severity::Silence => new.silenced_at = new.silenced_at.or(Some(rule.created_at)),
        Severity::Noop => {}
    }
    if rule.reject_media {
        (new.avatar, new.header, new.emojis) = (None, None, None);
    }
    new
}

/// What is to be decided about a server; `None` stays as it is, or is the
/// default of a new decision.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// How far it is shut out.
    pub severity: Option<Severity>,
    /// Its media are not shown.
    pub reject_media: Option<bool>,
    /// Its reports are not taken.
    pub reject_reports: Option<bool>,
    /// Why, for moderators.
    pub private_comment: Option<String>,
    /// Why, for everybody.
    pub public_comment: Option<String>,
    /// The public list shows its name in part.
    pub obfuscate: Option<bool>,
}

impl Wish {
    fn apply(&self, block: &mut DomainBlock) {
        let cut = |text: &String| text.chars().take(COMMENT_MAX_CHARACTERS).collect::<String>();
        block.severity = self.severity.unwrap_or(block.severity);
        block.reject_media = self.reject_media.unwrap_or(block.reject_media);
        block.reject_reports = self.reject_reports.unwrap_or(block.reject_reports);
        block.obfuscate = self.obfuscate.unwrap_or(block.obfuscate);
        if let Some(text) = &self.private_comment {
            block.private_comment = cut(text);
        }
        if let Some(text) = &self.public_comment {
            block.public_comment = cut(text);
        }
    }
}

/// What became of a new decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// It holds.
    New(DomainBlock),
    /// Another about the same name holds; nothing was changed.
    Known(DomainBlock),
}

/// Decides about a server. `domain` is a [`clean_name`]. Takes three ids.
///
/// # Errors
/// When `by` may not.
pub fn block(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    domain: &str,
    wish: &Wish,
) -> Result<Decided, ModerationError> {
    by.may(Permission::ManageFederation)?;
    if let Some(known) = tx.get(DOMAIN_BLOCK, &domain.to_owned())? {
        return Ok(Decided::Known(known));
    }
    let id = moment.id();
    let mut block =
        DomainBlock { id, domain: domain.to_owned(), created_at: moment.now, ..DomainBlock::default() };
    wish.apply(&mut block);
    DomainBlock::save(tx, &block);
    settled_later(tx, moment, by, "create", &block)?;
    Ok(Decided::New(block))
}

/// Changes a decision. Takes two ids.
///
/// # Errors
/// When there is no such decision, or `by` may not.
pub fn change(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    id: Id,
    wish: &Wish,
) -> Result<DomainBlock, ModerationError> {
    by.may(Permission::ManageFederation)?;
    let mut block = get(tx, id)?.ok_or(ModerationError::Missing)?;
    wish.apply(&mut block);
    DomainBlock::save(tx, &block);
    settled_later(tx, moment, by, "update", &block)?;
    Ok(block)
}

/// Ends a decision: accounts that it limited or suspended are as before.
/// Follows that it ended do not come back. Takes two ids.
///
/// # Errors
/// When there is no such decision, or `by` may not.
pub fn unblock(tx: &mut WriteTx<'_>, moment: &mut Moment, by: Staff, id: Id) -> Result<(), ModerationError> {
    by.may(Permission::ManageFederation)?;
    let block = get(tx, id)?.ok_or(ModerationError::Missing)?;
    DomainBlock::delete(tx, &block);
    settled_later(tx, moment, by, "destroy", &block)
}

fn settled_later(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    action: &str,
    block: &DomainBlock,
) -> Result<(), ModerationError> {
    let job = Job::SettleServer { domain: block.domain.clone(), was: Some(block.created_at) };
    enqueue(tx, moment, &Task::local(job, Id::ZERO).lane(Lane::Fresh))?;
    let note = block.severity.word();
    log(tx, moment, by, Entry { action, kind: "domain_block", target: block.id, name: &block.domain, note });
    Ok(())
}

/// One step of bringing the accounts of a server in line with what is now
/// decided about it, after the account `after`. Gives where the next step
/// begins. Takes up to 60 ids.
///
/// # Errors
/// Only the store's.
pub fn settle_step(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    domain: &str,
    was: Option<Timestamp>,
    after: Id,
) -> Result<Option<Id>, StoreError> {
    let rows = tx.scan(ACCOUNT, Scan::all().after(&after).limit(SETTLE_ROWS))?;
    let mut next = rows.last().filter(|_| rows.len() == SETTLE_ROWS).map(|(id, _)| *id);
    let mut changes = 0;
    for (id, old) in rows.iter().filter(|(_, account)| is_below(account, domain)) {
        if changes == SETTLE_CHANGES_MAX {
            next = Some(Id(id.0 - 1));
            break;
        }
        let rule = rule_for_account(tx, old)?;
        let new = ruled(old, rule.as_ref(), was);
        if new == *old {
            continue;
        }
        changes += 1;
        Account::save(tx, Some(old), &new);
        if new.suspended_at.is_some() && old.suspended_at.is_none() {
            portrait::let_go(tx, moment, old)?;
            let job = Job::SeverFollows { account: *id, both: true, domain: Some(domain.to_owned()) };
            enqueue(tx, moment, &Task::local(job, Id::ZERO).lane(Lane::Bulk))?;
        }
    }
    Ok(next)
}

fn is_below(account: &Account, domain: &str) -> bool {
    let is_named = |host: &str| names(host).iter().any(|name| name == domain);
    let Some(host) = &account.domain else { return false };
    account.deleted_at.is_none()
        && (is_named(host) || authority_of(&account.uri).is_some_and(|host| is_named(&host)))
}

/// The decision with this id.
///
/// # Errors
/// Only the store's.
pub fn get(tx: &ReadTx<'_>, id: Id) -> Result<Option<DomainBlock>, StoreError> {
    let name = tx.get(DOMAIN_BLOCK_BY_ID, &id)?;
    Ok(name.map(|name| tx.get(DOMAIN_BLOCK, &name)).transpose()?.flatten())
}

/// A page of decisions, newest first.
///
/// # Errors
/// Only the store's.
pub fn list(tx: &ReadTx<'_>, page: &Page) -> Result<Paged<DomainBlock>, StoreError> {
    fill(
        page,
        |span| tx.scan(DOMAIN_BLOCK_BY_ID, span.scan(Scan::all(), |id| id)),
        |rows| {
            let names: Vec<String> = rows.iter().map(|(_, name)| name.clone()).collect();
            tx.get_many(DOMAIN_BLOCK, &names)
        },
    )
}

/// Every decision that people here can feel, hardest first, then by name.
///
/// # Errors
/// Only the store's.
pub fn public_list(tx: &ReadTx<'_>) -> Result<Vec<DomainBlock>, StoreError> {
    let rows = tx.scan(DOMAIN_BLOCK, Scan::all())?;
    let mut all: Vec<DomainBlock> =
        rows.into_iter().map(|(_, block)| block).filter(|block| block.severity != Severity::Noop).collect();
    all.sort_by_key(|block| std::cmp::Reverse(block.severity));
    Ok(all)
}

/// Welcomes a server; one that is welcome stays so. Takes two ids.
///
/// # Errors
/// When `by` may not.
pub fn allow(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    domain: &str,
) -> Result<DomainAllow, ModerationError> {
    by.may(Permission::ManageFederation)?;
    if let Some(known) = tx.get(DOMAIN_ALLOW, &domain.to_owned())? {
        return Ok(known);
    }
    let allow = DomainAllow { id: moment.id(), domain: domain.to_owned(), created_at: moment.now };
    DomainAllow::save(tx, &allow);
    let entry =
        Entry { action: "create", kind: "domain_allow", target: allow.id, name: &allow.domain, note: "" };
    log(tx, moment, by, entry);
    Ok(allow)
}

/// Takes a welcome back. Takes one id.
///
/// # Errors
/// When there is none, or `by` may not.
pub fn disallow(tx: &mut WriteTx<'_>, moment: &mut Moment, by: Staff, id: Id) -> Result<(), ModerationError> {
    by.may(Permission::ManageFederation)?;
    let allow = get_allow(tx, id)?.ok_or(ModerationError::Missing)?;
    DomainAllow::delete(tx, &allow);
    let entry = Entry { action: "destroy", kind: "domain_allow", target: id, name: &allow.domain, note: "" };
    log(tx, moment, by, entry);
    Ok(())
}

/// The welcome with this id.
///
/// # Errors
/// Only the store's.
pub fn get_allow(tx: &ReadTx<'_>, id: Id) -> Result<Option<DomainAllow>, StoreError> {
    let name = tx.get(DOMAIN_ALLOW_BY_ID, &id)?;
    Ok(name.map(|name| tx.get(DOMAIN_ALLOW, &name)).transpose()?.flatten())
}

/// A page of welcome servers, newest first.
///
/// # Errors
/// Only the store's.
pub fn allows(tx: &ReadTx<'_>, page: &Page) -> Result<Paged<DomainAllow>, StoreError> {
    fill(
        page,
        |span| tx.scan(DOMAIN_ALLOW_BY_ID, span.scan(Scan::all(), |id| id)),
        |rows| {
            let names: Vec<String> = rows.iter().map(|(_, name)| name.clone()).collect();
            tx.get_many(DOMAIN_ALLOW, &names)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned() {
        let cases = [
            ("Evil.Example", Some("evil.example")),
            (" *.evil.example. ", Some("evil.example")),
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("127.0.0.1:4000", Some("127.0.0.1:4000")),
            ("https://evil.example", None),
            ("a b", None),
            ("*", None),
            ("ev*l.example", None),
            ("@ana@evil.example", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(clean_name(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_decision_holds_for_names_below() {
        assert_eq!(names("a.b.example"), ["a.b.example", "b.example", "example"]);
        assert_eq!(names("b.example:8443"), ["b.example:8443", "b.example", "example"]);
        assert_eq!(names("localhost"), ["localhost"]);
        assert!(names(&"a.".repeat(400)).len() <= LABELS_MAX);
    }
}
