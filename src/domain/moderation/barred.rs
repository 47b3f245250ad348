//! Network addresses and mail addresses that are shut out.

use super::audit::{Entry, log};
use super::{ModerationError, Staff};
use crate::base::{Id, Moment, Timestamp};
use crate::domain::page::{Page, Paged, search};
use crate::domain::secret;
use crate::model::tables::{EMAIL_BLOCK, IP_BLOCK};
use crate::model::{EmailBlock, EmailRule, IpBlock, IpSeverity, Permission};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Rules that are looked at when somebody signs up.
const RULES_MAX: usize = 10_000;
/// Rows read at once, and how often, when a list is filtered.
const SEARCH_ROWS: usize = 500;
const SEARCH_SCANS_MAX: usize = 20;

/// Keeps a block of network addresses, new or changed. Takes one id.
///
/// # Errors
/// When `by` may not.
pub fn save_ip(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    block: &IpBlock,
) -> Result<(), ModerationError> {
    by.may(Permission::ManageBlocks)?;
    tx.put(IP_BLOCK, &block.id, block);
    let note = block.severity.word();
    log(
        tx,
        moment,
        by,
        Entry { action: "save", kind: "ip_block", target: block.id, name: &block.range, note },
    );
    Ok(())
}

/// Removes a block of network addresses. Takes one id.
///
/// # Errors
/// When there is none, or `by` may not.
pub fn remove_ip(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    id: Id,
) -> Result<(), ModerationError> {
    by.may(Permission::ManageBlocks)?;
    let block = tx.get(IP_BLOCK, &id)?.ok_or(ModerationError::Missing)?;
    tx.delete(IP_BLOCK, &id);
    let entry = Entry { action: "destroy", kind: "ip_block", target: id, name: &block.range, note: "" };
    log(tx, moment, by, entry);
    Ok(())
}

/// One block of network addresses.
///
/// # Errors
/// Only the store's.
pub fn get_ip(tx: &ReadTx<'_>, id: Id) -> Result<Option<IpBlock>, StoreError> {
    tx.get(IP_BLOCK, &id)
}

/// A page of blocks of network addresses, newest first.
///
/// # Errors
/// Only the store's.
pub fn list_ip(tx: &ReadTx<'_>, page: &Page) -> Result<Paged<IpBlock>, StoreError> {
    search(
        page,
        (page.limit + 1, 1),
        |span| tx.scan(IP_BLOCK, span.scan(Scan::all(), |id| id)),
        |rows| Ok(rows.iter().map(|(_, block)| Some(block.clone())).collect()),
    )
}

/// Every block of network addresses that holds now.
///
/// # Errors
/// Only the store's.
pub fn current_ip(tx: &ReadTx<'_>, now: Timestamp) -> Result<Vec<(String, IpSeverity)>, StoreError> {
    let rows = tx.scan(IP_BLOCK, Scan::all().limit(RULES_MAX))?;
    let holds = |block: &IpBlock| block.expires_at.is_none_or(|end| now < end);
    let current = rows.into_iter().map(|(_, block)| block).filter(holds);
    Ok(current.map(|block| (block.range, block.severity)).collect())
}

/// The rule about a whole domain for an address, or for its canonical form.
pub fn canonical_rule(email: &str) -> EmailRule {
    let email = email.trim().to_lowercase();
    let (name, domain) = email.split_once('@').unwrap_or((&email, ""));
    // What many providers take for the same box: no dots, nothing after +.
    let name = name.split('+').next().unwrap_or_default().replace('.', "");
    let digest = secret::digest(&format!("{name}@{domain}"));
    EmailRule::Canonical(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether nobody may sign up with this address.
///
/// # Errors
/// Only the store's.
pub fn is_email_barred(tx: &ReadTx<'_>, email: &str) -> Result<bool, StoreError> {
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase();
    let canonical = canonical_rule(email);
    let rows = tx.scan(EMAIL_BLOCK, Scan::all().limit(RULES_MAX))?;
    let is_below =
        |parent: &str| domain.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    Ok(rows.iter().any(|(_, block)| match &block.rule {
        EmailRule::Domain(parent) => is_below(parent),
        rule => *rule == canonical,
    }))
}

/// Adds a rule about mail addresses; one that is there stays. Takes two ids.
///
/// # Errors
/// When `by` may not.
pub fn bar_email(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    rule: &EmailRule,
) -> Result<EmailBlock, ModerationError> {
    by.may(Permission::ManageBlocks)?;
    if let Some(known) = with_rule(tx, rule)? {
        return Ok(known);
    }
    let block = EmailBlock { id: moment.id(), rule: rule.clone(), created_at: moment.now };
    tx.put(EMAIL_BLOCK, &block.id, &block);
    logged(tx, moment, by, "create", &block);
    Ok(block)
}

/// The rule that says just this.
///
/// # Errors
/// Only the store's.
pub fn with_rule(tx: &ReadTx<'_>, rule: &EmailRule) -> Result<Option<EmailBlock>, StoreError> {
    let rows = tx.scan(EMAIL_BLOCK, Scan::all().limit(RULES_MAX))?;
    Ok(rows.into_iter().map(|(_, block)| block).find(|block| block.rule == *rule))
}

/// Removes a rule about mail addresses of a kind. Takes one id.
///
/// # Errors
/// When there is none, or `by` may not.
pub fn unbar_email(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    id: Id,
    is_kind: fn(&EmailRule) -> bool,
) -> Result<(), ModerationError> {
    by.may(Permission::ManageBlocks)?;
    let block = tx.get(EMAIL_BLOCK, &id)?.filter(|block| is_kind(&block.rule));
    let block = block.ok_or(ModerationError::Missing)?;
    tx.delete(EMAIL_BLOCK, &id);
    logged(tx, moment, by, "destroy", &block);
    Ok(())
}

fn logged(tx: &mut WriteTx<'_>, moment: &mut Moment, by: Staff, action: &str, block: &EmailBlock) {
    let (kind, name) = match &block.rule {
        EmailRule::Domain(domain) => ("email_domain_block", domain),
        EmailRule::Canonical(hash) => ("canonical_email_block", hash),
    };
    log(tx, moment, by, Entry { action, kind, target: block.id, name, note: "" });
}

/// One rule about mail addresses of a kind.
///
/// # Errors
/// Only the store's.
pub fn get_email(
    tx: &ReadTx<'_>,
    id: Id,
    is_kind: fn(&EmailRule) -> bool,
) -> Result<Option<EmailBlock>, StoreError> {
    Ok(tx.get(EMAIL_BLOCK, &id)?.filter(|block| is_kind(&block.rule)))
}

/// A page of rules about mail addresses of a kind, newest first.
///
/// # Errors
/// Only the store's.
pub fn list_email(
    tx: &ReadTx<'_>,
    is_kind: fn(&EmailRule) -> bool,
    page: &Page,
) -> Result<Paged<EmailBlock>, StoreError> {
    search(
        page,
        (SEARCH_ROWS, SEARCH_SCANS_MAX),
        |span| tx.scan(EMAIL_BLOCK, span.scan(Scan::all(), |id| id)),
        |rows| Ok(rows.iter().map(|(_, block)| is_kind(&block.rule).then(|| block.clone())).collect()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_box_has_one_canonical_form() {
        let same = canonical_rule("Ana.Maria+news@Mail.example");
        assert_eq!(same, canonical_rule("anamaria@mail.example"));
        assert_ne!(same, canonical_rule("anamaria@other.example"));
    }
}
