//! Telling people here that a decision ended follows of theirs.
//!
//! Follows end one by one in jobs that may run again, so what is told is one
//! row for each person and decision, which grows while the jobs run.

use std::time::Duration;

use crate::base::{Id, Moment};
use crate::domain::notification::{News, notify_about};
use crate::model::tables::{SEVERANCE, SEVERANCE_BY_CAUSE, USER};
use crate::model::{NotificationKind, Severance, SeveranceKind};
use crate::store::{StoreError, WriteTx};

/// How long what ends for the same cause is told as one.
const ONE_FOR: Duration = Duration::from_secs(24 * 3600);

/// Why follows end.
#[derive(Debug, Clone, Copy)]
pub struct Cause<'a> {
    /// Whose decision.
    pub kind: SeveranceKind,
    /// The domain, or the handle of an account.
    pub target: &'a str,
}

/// What somebody lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// People who followed them.
    pub followers: u32,
    /// People whom they followed.
    pub following: u32,
}

/// Adds to what somebody here lost for a cause; tells them the first time.
/// Takes two ids.
///
/// # Errors
/// Only the store's.
pub fn note(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    who: Id,
    cause: Cause<'_>,
    lost: Lost,
) -> Result<(), StoreError> {
    if lost == Lost::default() || tx.get(USER, &who)?.is_none() {
        return Ok(());
    }
    let key = (who, cause.kind as u8, cause.target.to_owned());
    let known = tx.get(SEVERANCE_BY_CAUSE, &key)?.map(|id| tx.get(SEVERANCE, &id)).transpose()?.flatten();
    if let Some(old) = known.filter(|old| moment.now.since(old.created_at) < ONE_FOR) {
        let followers = old.followers.saturating_add(lost.followers);
        let following = old.following.saturating_add(lost.following);
        tx.put(SEVERANCE, &old.id, &Severance { followers, following, ..old });
        return Ok(());
    }
    let new = Severance {
        id: moment.id(),
        account: who,
        kind: cause.kind,
        target: cause.target.to_owned(),
        followers: lost.followers,
        following: lost.following,
        created_at: moment.now,
    };
    tx.put(SEVERANCE, &new.id, &new);
    tx.put(SEVERANCE_BY_CAUSE, &key, &new.id);
    let news = News { kind: NotificationKind::SeveredRelationships, from: who, status: None };
    notify_about(tx, moment, &[who], news, new.id)?;
    Ok(())
}
