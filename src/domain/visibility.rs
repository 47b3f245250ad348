//! Who may see a post. One rule for pages, API and federation alike.
//!
//! Whoever may not see a post is answered as if it did not exist, so that
//! nobody can find out that it does.

use std::collections::HashMap;

use crate::base::{Id, Timestamp};
use crate::model::tables::{ACCOUNT, BLOCKED_DOMAIN, BLOCKED_DOMAINS, RELATION};
use crate::model::{Account, BlockedDomains, Relation, Status, Visibility};
use crate::store::{ReadTx, StoreError};

/// Who looks, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    /// Their account; `None` for somebody who is not logged in.
    pub id: Option<Id>,
    /// The time, because mutes end.
    pub now: Timestamp,
}

impl Viewer {
    /// Somebody who is logged in.
    pub fn account(id: Id, now: Timestamp) -> Viewer {
        Viewer { id: Some(id), now }
    }

    /// Anybody.
    pub fn anonymous(now: Timestamp) -> Viewer {
        Viewer { id: None, now }
    }

    /// Whether the viewer is this account.
    pub fn is(&self, account: Id) -> bool {
        self.id == Some(account)
    }
}

/// What a viewer and another account have to do with each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Between {
    /// From the viewer to the other.
    pub to: Relation,
    /// From the other to the viewer.
    pub from: Relation,
    /// The viewer blocks the other's whole domain.
    pub is_domain_blocked: bool,
    /// The other blocks the viewer's whole domain.
    pub is_barred: bool,
}

impl Between {
    /// The viewer follows the other.
    pub fn follows(&self) -> bool {
        self.to.follow.is_some()
    }

    /// Either has blocked the other.
    pub fn is_blocked(&self) -> bool {
        self.to.block.is_some() || self.from.block.is_some()
    }

    /// The viewer does not want to see the other in timelines.
    pub fn is_silenced(&self, now: Timestamp) -> bool {
        self.is_blocked()
            || self.is_domain_blocked
            || self.to.mute.as_ref().is_some_and(|mute| mute.holds(now))
    }
}

/// Relations of one viewer to several accounts.
pub type Relations = HashMap<Id, Between>;

/// The rule. `between` is what viewer and author have to do with each other.
pub fn can_see(viewer: Viewer, status: &Status, author: &Account, between: &Between) -> bool {
    if !author.is_visible() {
        return false;
    }
    let Some(id) = viewer.id else { return status.visibility.is_open() };
    if id == author.id {
        return true;
    }
    if between.from.block.is_some() || between.is_barred {
        return false;
    }
    match status.visibility {
        Visibility::Public | Visibility::Unlisted => true,
        Visibility::Private => between.follows() || status.mentions(id),
        Visibility::Direct => status.mentions(id),
    }
}

/// Reads what the viewer and these accounts have to do with each other; one
/// round trip, a second where the viewer blocks domains, none for nobody.
///
/// # Errors
/// Only the store's.
pub fn relations(tx: &ReadTx<'_>, viewer: Viewer, others: &[Id]) -> Result<Relations, StoreError> {
    let Some(me) = viewer.id else { return Ok(Relations::new()) };
    let keys: Vec<(Id, Id)> = others.iter().flat_map(|other| [(me, *other), (*other, me)]).collect();
    let mut batch = tx.batch();
    let (rows, blocks) = (batch.get_many(RELATION, &keys), batch.get_many(BLOCKED_DOMAINS, &[me]));
    let own = batch.get_many(ACCOUNT, &[me]);
    let found = batch.fetch()?;
    let mut relations = pair_up(others, found.take(rows)?);
    note_barred(tx, &mut relations, found.take(own)?.pop().flatten())?;
    let blocks = found.take(blocks)?.pop().flatten().unwrap_or_default();
    if !blocks.all.is_empty() {
        let accounts = tx.get_many(ACCOUNT, others)?;
        note_domains(&mut relations, &blocks, accounts.iter().flatten());
    }
    Ok(relations)
}

/// Notes which of these accounts are of a domain that the viewer blocks.
pub(super) fn note_domains<'a>(
    relations: &mut Relations,
    blocks: &BlockedDomains,
    accounts: impl Iterator<Item = &'a Account>,
) {
    for account in accounts.filter(|account| blocks.has(account.domain.as_deref())) {
        relations.entry(account.id).or_default().is_domain_blocked = true;
    }
}

/// Notes which of these accounts block the domain of the viewer, who is of
/// another server; nothing is read for our own people.
pub(super) fn note_barred(
    tx: &ReadTx<'_>,
    relations: &mut Relations,
    viewer: Option<Account>,
) -> Result<(), StoreError> {
    let Some(domain) = viewer.and_then(|viewer| viewer.domain) else { return Ok(()) };
    let others: Vec<Id> = relations.keys().copied().collect();
    let keys: Vec<(Id, String)> = others.iter().map(|other| (*other, domain.clone())).collect();
    for (other, row) in others.iter().zip(tx.get_many(BLOCKED_DOMAIN, &keys)?) {
        relations.entry(*other).or_default().is_barred = row.is_some();
    }
    Ok(())
}

/// Pairs rows read in the order `(viewer, other), (other, viewer)` for each.
pub(super) fn pair_up(others: &[Id], rows: Vec<Option<Relation>>) -> Relations {
    let mut rows = rows.into_iter();
    let mut next = || rows.next().flatten().unwrap_or_default();
    others.iter().map(|other| (*other, Between { to: next(), from: next(), ..Between::default() })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Follow, Mention};

    const AUTHOR: Id = Id(1);
    const VIEWER: Id = Id(2);

    fn follow() -> Follow {
        Follow {
            id: Id(9),
            uri: String::new(),
            show_reblogs: true,
            notify: false,
            since: Timestamp::default(),
            languages: Vec::new(),
        }
    }

    fn mention(account: Id) -> Mention {
        let text = String::new;
        Mention { account, username: text(), acct: text(), url: text(), uri: text(), is_silent: false }
    }

    /// Columns: anybody, a stranger, a follower, one mentioned, the author, a
    /// follower whom the author blocked, one whose domain the author blocked.
    fn check(visibility: Visibility, expected: [bool; 7]) {
        let author = Account { id: AUTHOR, ..Account::default() };
        let status = Status { account: AUTHOR, visibility, ..Status::default() };
        let to_me = Status { mentions: vec![mention(VIEWER)], ..status.clone() };
        let (anybody, me) =
            (Viewer::anonymous(Timestamp::default()), Viewer::account(VIEWER, Timestamp::default()));
        let stranger = Between::default();
        let mut follower = Between::default();
        follower.to.follow = Some(follow());
        let mut blocked = follower.clone();
        blocked.from.block = Some(Id(7));
        let barred = Between { is_barred: true, ..follower.clone() };
        let seen = [
            can_see(anybody, &status, &author, &stranger),
            can_see(me, &status, &author, &stranger),
            can_see(me, &status, &author, &follower),
            can_see(me, &to_me, &author, &stranger),
            can_see(Viewer::account(AUTHOR, Timestamp::default()), &status, &author, &stranger),
            can_see(me, &to_me, &author, &blocked),
            can_see(me, &to_me, &author, &barred),
        ];
        assert_eq!(seen, expected, "{visibility:?}");
        let gone = Account { deleted_at: Some(Timestamp::default()), ..author };
        assert!(!can_see(me, &to_me, &gone, &follower), "{visibility:?} of a deleted account");
    }

    #[test]
    fn each_visibility_admits_its_audience_and_nobody_else() {
        check(Visibility::Public, [true, true, true, true, true, false, false]);
        check(Visibility::Unlisted, [true, true, true, true, true, false, false]);
        check(Visibility::Private, [false, false, true, true, true, false, false]);
        check(Visibility::Direct, [false, false, false, true, true, false, false]);
    }
}
