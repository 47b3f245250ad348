//! Ending all follows between somebody and a whole domain, step by step.

use super::follow;
use crate::base::{Id, Moment};
use crate::domain::severance::{self, Cause, Side};
use crate::model::tables::{ACCOUNT, FOLLOW_REQUESTS, FOLLOWERS, FOLLOWING};
use crate::model::{Account, SeveranceKind, Site};
use crate::store::{Scan, StoreError, Table, WriteTx};

/// Follows that one step looks at.
const STEP_ROWS: usize = 500;
/// Ids that ending one follow may take, and telling of them all.
const IDS_EACH: usize = 2;
const IDS_TO_TELL: usize = 2;

/// Which rows are looked at, in this order.
const TABLES: [Table<(Id, Id), Id>; 3] = [FOLLOWING, FOLLOWERS, FOLLOW_REQUESTS];

/// Where the next step begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeverPlace {
    table: usize,
    after: Id,
}

/// Takes one step; gives where the next begins, `None` after the last. Takes
/// as many ids as there are, and goes on in the next step when they run out.
///
/// # Errors
/// Only the store's.
pub fn sever(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    me: Id,
    domain: &str,
    place: SeverPlace,
) -> Result<Option<SeverPlace>, StoreError> {
    let Some(table) = TABLES.get(place.table) else { return Ok(None) };
    let Some(account) = tx.get(ACCOUNT, &me)? else { return Ok(None) };
    let range = Scan::prefix(&(me,)).after(&(me, place.after)).limit(STEP_ROWS);
    let rows = tx.scan(*table, range)?;
    let ids: Vec<Id> = rows.iter().map(|(_, other)| *other).collect();
    let (mut done, mut ended, mut is_cut) = (place.after, Vec::new(), false);
    for (((_, at), _), other) in rows.iter().zip(tx.get_many(ACCOUNT, &ids)?) {
        if let Some(other) = other.filter(|other| other.domain.as_deref() == Some(domain)) {
            is_cut = moment.ids.left() < IDS_EACH + IDS_TO_TELL;
            if is_cut {
                break;
            }
            end(tx, moment, site, place.table, &account, &other)?;
            ended.push(other.acct());
        }
        done = *at;
    }
    let cause = Cause { kind: SeveranceKind::UserDomainBlock, target: domain };
    // Requests that were never answered are no loss.
    if let Some(side) = [Side::Followed, Side::Follower].get(place.table) {
        severance::note(tx, moment, me, cause, (*side, &ended))?;
    }
    if is_cut || rows.len() == STEP_ROWS {
        return Ok(Some(SeverPlace { after: done, ..place }));
    }
    let table = place.table + 1;
    Ok((table < TABLES.len()).then_some(SeverPlace { table, after: Id::ZERO }))
}

fn end(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    table: usize,
    me: &Account,
    other: &Account,
) -> Result<(), StoreError> {
    if table == 0 {
        follow::stop(tx, moment, site, me, other)
    } else {
        follow::expel(tx, moment, site, other, me)
    }
}
