//! People who want to see nothing of a whole domain: its posts, its people's
//! notifications, and no follows either way.
//!
//! What the whole server thinks of a domain is not decided here.

use crate::base::{Id, Moment};
use crate::domain::delivery::{Task, enqueue};
use crate::domain::page::{Page, Paged, fill};
use crate::model::queue::{Job, OrderKey};
use crate::model::tables::{ACCOUNT, BLOCKED_DOMAIN, BLOCKED_DOMAINS, FOLLOWERS, FOLLOWING};
use crate::model::{BlockedDomain, Site};
use crate::store::{ReadTx, Scan, StoreError, Table, WriteTx};

/// Domains that one account may block.
pub const DOMAIN_BLOCKS_MAX: usize = 1000;
/// Bytes of a domain's name (RFC 1035 §2.3.4).
const DOMAIN_MAX_BYTES: usize = 253;
/// Follows in one direction that a preview looks at.
const PREVIEW_ROWS_MAX: usize = 5000;

/// Why a domain is not blocked.
#[derive(Debug)]
pub enum DomainBlockError {
    /// It is no domain, or our own.
    BadDomain,
    /// There are [`DOMAIN_BLOCKS_MAX`].
    TooMany,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for DomainBlockError {
    fn from(cause: StoreError) -> Self {
        DomainBlockError::Store(cause)
    }
}

/// A domain as accounts have it.
///
/// # Errors
/// [`DomainBlockError::BadDomain`] when it is none.
pub fn key(text: &str) -> Result<String, DomainBlockError> {
    let domain = text.trim().trim_start_matches('@').trim_end_matches('.').to_lowercase();
    let is_domain = !domain.is_empty()
        && domain.len() <= DOMAIN_MAX_BYTES
        && domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | ':' | '[' | ']'));
    if is_domain { Ok(domain) } else { Err(DomainBlockError::BadDomain) }
}

/// Blocks a domain, and writes the job that ends follows in both directions.
/// Nothing happens if it was blocked. Takes two ids.
///
/// # Errors
/// When it is our own, or there are too many.
pub fn block(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    me: Id,
    domain: &str,
) -> Result<(), DomainBlockError> {
    if domain == site.domain {
        return Err(DomainBlockError::BadDomain);
    }
    let mut blocks = tx.get(BLOCKED_DOMAINS, &me)?.unwrap_or_default();
    if blocks.has(Some(domain)) {
        return Ok(());
    }
    if blocks.all.len() >= DOMAIN_BLOCKS_MAX {
        return Err(DomainBlockError::TooMany);
    }
    blocks.all.push(BlockedDomain { id: moment.id(), domain: domain.to_owned() });
    tx.put(BLOCKED_DOMAINS, &me, &blocks);
    tx.put(BLOCKED_DOMAIN, &(me, domain.to_owned()), &());
    let job = Job::SeverDomain { account: me, domain: domain.to_owned() };
    enqueue(tx, moment, &Task::local(job, me).order(OrderKey::of(me)))?;
    Ok(())
}

/// Blocks a domain no longer. Nothing happens if it was not.
///
/// # Errors
/// Only the store's.
pub fn unblock(tx: &mut WriteTx<'_>, me: Id, domain: &str) -> Result<(), StoreError> {
    let Some(mut blocks) = tx.get(BLOCKED_DOMAINS, &me)? else { return Ok(()) };
    blocks.all.retain(|block| block.domain != domain);
    tx.put(BLOCKED_DOMAINS, &me, &blocks);
    tx.delete(BLOCKED_DOMAIN, &(me, domain.to_owned()));
    Ok(())
}

/// Whether somebody blocks a domain.
///
/// # Errors
/// Only the store's.
pub fn is_blocked(tx: &ReadTx<'_>, me: Id, domain: Option<&str>) -> Result<bool, StoreError> {
    let Some(domain) = domain else { return Ok(false) };
    Ok(tx.get(BLOCKED_DOMAIN, &(me, domain.to_owned()))?.is_some())
}

/// Those of these who block the domain of `author`.
///
/// # Errors
/// Only the store's.
pub(super) fn turned_away(tx: &ReadTx<'_>, all: &[Id], author: Id) -> Result<Vec<Id>, StoreError> {
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let domain = tx.get(ACCOUNT, &author)?.and_then(|account| account.domain);
    turned_away_from(tx, all, domain.as_deref())
}

/// Those of these who block a domain; one round trip, none for our own.
///
/// # Errors
/// Only the store's.
pub(super) fn turned_away_from(
    tx: &ReadTx<'_>,
    all: &[Id],
    domain: Option<&str>,
) -> Result<Vec<Id>, StoreError> {
    let Some(domain) = domain else { return Ok(Vec::new()) };
    let keys: Vec<(Id, String)> = all.iter().map(|id| (*id, domain.to_owned())).collect();
    let rows = tx.get_many(BLOCKED_DOMAIN, &keys)?;
    Ok(all.iter().zip(rows).filter_map(|(id, row)| row.map(|()| *id)).collect())
}

/// A page of the domains that somebody blocks, latest first.
///
/// # Errors
/// Only the store's.
pub fn list(tx: &ReadTx<'_>, me: Id, page: &Page) -> Result<Paged<String>, StoreError> {
    let blocks = tx.get(BLOCKED_DOMAINS, &me)?.unwrap_or_default();
    fill(
        page,
        |span| {
            let mut rows: Vec<(Id, String)> =
                blocks.all.iter().map(|block| (block.id, block.domain.clone())).collect();
            rows.retain(|(id, _)| span.holds(*id));
            span.merge(&mut rows);
            Ok(rows)
        },
        |rows| Ok(rows.iter().map(|(_, domain)| Some(domain.clone())).collect()),
    )
}

/// What blocking a domain would end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preview {
    /// People of the domain whom the account follows.
    pub following: usize,
    /// People of the domain who follow it.
    pub followers: usize,
}

/// What blocking a domain would end, as far as the latest
/// [`PREVIEW_ROWS_MAX`] follows tell.
///
/// # Errors
/// Only the store's.
pub fn preview(tx: &ReadTx<'_>, me: Id, domain: &str) -> Result<Preview, StoreError> {
    let count = |table: Table<(Id, Id), Id>| -> Result<usize, StoreError> {
        let rows = tx.scan(table, Scan::prefix(&(me,)).reverse().limit(PREVIEW_ROWS_MAX))?;
        let ids: Vec<Id> = rows.into_iter().map(|(_, other)| other).collect();
        let accounts = tx.get_many(ACCOUNT, &ids)?;
        Ok(accounts.into_iter().flatten().filter(|account| account.domain.as_deref() == Some(domain)).count())
    };
    Ok(Preview { following: count(FOLLOWING)?, followers: count(FOLLOWERS)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relation::{SeverPlace, sever};
    use crate::domain::testing::World;
    use crate::domain::timeline::{self, Listing};
    use crate::model::Visibility;
    use crate::model::tables::RELATION;

    #[test]
    fn domains_are_told_from_other_text() {
        for (text, expected) in
            [(" B.Example. ", Some("b.example")), ("b.example:444", Some("b.example:444"))]
        {
            assert_eq!(key(text).ok().as_deref(), expected);
        }
        for text in ["", " ", "https://b.example/", "a b", "a/b"] {
            assert!(key(text).is_err(), "{text}");
        }
    }

    async fn begin(world: &World, me: Id, domain: &'static str) -> Result<(), DomainBlockError> {
        let site = world.site.clone();
        world.write(move |tx, moment| block(tx, moment, &site, me, domain)).await
    }

    #[tokio::test]
    async fn a_blocked_domain_is_not_seen_and_its_follows_end() {
        let world = World::new();
        let ana = world.account(None).await;
        let (bad, good) =
            (world.account(Some("bad.example")).await, world.account(Some("good.example")).await);
        for (from, to) in [(ana, bad), (bad, ana), (ana, good), (good, ana)] {
            world.follow(from, to).await;
        }
        let posts = (world.post(bad, Visibility::Public).await, world.post(good, Visibility::Public).await);
        assert_eq!(world.home(ana).await, [posts.1, posts.0]);
        assert!(matches!(begin(&world, ana, "here.example").await, Err(DomainBlockError::BadDomain)));
        begin(&world, ana, "bad.example").await.unwrap();
        begin(&world, ana, "bad.example").await.unwrap();
        assert_eq!(world.home(ana).await, [posts.1]);
        let viewer = world.sees(ana);
        let public =
            world.read(move |tx| timeline::public(tx, viewer, Listing::default(), &Page::first(9))).await;
        assert_eq!(public.items.len(), 1);
        let counts = world.read(move |tx| preview(tx, ana, "bad.example")).await;
        assert_eq!(counts, Preview { following: 1, followers: 1 });
        let mut place = Some(SeverPlace::default());
        while let Some(at) = place {
            let site = world.site.clone();
            let step = world.write(move |tx, moment| sever(tx, moment, &site, ana, "bad.example", at)).await;
            place = step.unwrap();
        }
        let counts = world.read(move |tx| preview(tx, ana, "bad.example")).await;
        assert_eq!(counts, Preview { following: 0, followers: 0 });
        let kept = world.read(move |tx| preview(tx, ana, "good.example")).await;
        assert_eq!(kept, Preview { following: 1, followers: 1 });
        let rows = world.read(move |tx| tx.get_many(RELATION, &[(ana, bad), (bad, ana)])).await;
        assert_eq!(rows, [None, None]);
        world.write(move |tx, _| unblock(tx, ana, "bad.example")).await.unwrap();
        assert!(!world.read(move |tx| is_blocked(tx, ana, Some("bad.example"))).await);
    }
}
