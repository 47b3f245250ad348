//! Activities in any order, and any number of times: which are news, and
//! what was taken back before it came. All there is about that is here; the
//! verbs ask.

use super::Sender;
use crate::base::Timestamp;
use crate::domain::delivery::authority_of;
use crate::domain::{secret, tombstone};
use crate::model::queue::tables::{SEEN, SEEN_BY_DAY, SeenOn};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// How long an activity's name is remembered. Senders give up retrying earlier.
pub const SEEN_DAYS: u32 = 7;

/// What an activity is called by its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    /// It has an id.
    Id(&'a str),
    /// It takes back the activity of this id.
    UndoOf(&'a str),
    /// It has none: the same bytes are the same activity.
    Bytes(&'a [u8]),
}

/// By what an activity is known when it comes again, and what it makes news
/// once more. An Undo lets what it undoes come again, and that lets the Undo:
/// Misskey gives every Follow of a pair one id, and every Undo of it another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    own: [u8; 16],
    opposite: Option<[u8; 16]>,
}

impl Sight {
    /// Of an activity that was sent by the actor of this id. The same name by
    /// another is another activity.
    pub fn of(sender: &str, name: Name<'_>) -> Sight {
        let half = |name: &str| {
            let digest = secret::digest(&format!("{sender} {name}"));
            let mut half = [0; 16];
            half.copy_from_slice(&digest[..16]);
            half
        };
        match name {
            Name::UndoOf(undone) => {
                Sight { own: half(&format!("undo {undone}")), opposite: Some(half(undone)) }
            }
            Name::Id(id) => Sight { own: half(id), opposite: Some(half(&format!("undo {id}"))) },
            Name::Bytes(body) => Sight { own: half(&String::from_utf8_lossy(body)), opposite: None },
        }
    }
}

fn day_of(now: Timestamp) -> u32 {
    (now.as_secs().max(0) / 86_400) as u32
}

/// Whether an activity was not seen before; from now on it was.
///
/// # Errors
/// Only the store's.
pub fn is_news(tx: &mut WriteTx<'_>, sight: &Sight, now: Timestamp) -> Result<bool, StoreError> {
    if tx.get(SEEN, &sight.own)?.is_some() {
        return Ok(false);
    }
    let day = day_of(now);
    tx.put(SEEN, &sight.own, &SeenOn { day });
    tx.put(SEEN_BY_DAY, &(day, sight.own), &());
    if let Some(opposite) = sight.opposite
        && let Some(seen) = tx.get(SEEN, &opposite)?
    {
        tx.delete(SEEN, &opposite);
        tx.delete(SEEN_BY_DAY, &(seen.day, opposite));
    }
    Ok(true)
}

/// Forgets up to `limit` activities that were seen more than [`SEEN_DAYS`]
/// ago; gives how many.
///
/// # Errors
/// Only the store's.
pub fn forget_seen(tx: &mut WriteTx<'_>, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let oldest_kept = day_of(now).saturating_sub(SEEN_DAYS);
    let old = tx.scan(SEEN_BY_DAY, Scan::all().before(&(oldest_kept, [0; 16])).limit(limit))?;
    for (key, ()) in &old {
        tx.delete(SEEN, &key.1);
        tx.delete(SEEN_BY_DAY, key);
    }
    Ok(old.len())
}

/// Remembers that an activity was taken back before it came. Only one of the
/// sender's own host: nobody digs graves for others.
pub(super) fn bury(tx: &mut WriteTx<'_>, now: Timestamp, sender: Sender<'_>, activity: &str) {
    let host = authority_of(activity);
    if host.is_some() && host == authority_of(&sender.0.uri) {
        tombstone::put_activity(tx, now, activity, &sender.0.uri);
    }
}

/// Whether the sender took this activity back before it came.
pub(super) fn is_buried(
    tx: &ReadTx<'_>,
    now: Timestamp,
    sender: Sender<'_>,
    activity: &str,
) -> Result<bool, StoreError> {
    Ok(tombstone::of(tx, now, activity)?.is_some_and(|row| row.actor_uri == sender.0.uri))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::Account;
    use crate::store::Store;

    const NOW: Timestamp = Timestamp::from_secs(100 * 86_400);
    const ANA: &str = "https://a.example/u/ana";
    const FOLLOW: &str = "https://a.example/f/1";

    async fn news(store: &Store, sender: &str, name: Name<'static>) -> bool {
        let sight = Sight::of(sender, name);
        store.write(move |tx| is_news(tx, &sight, NOW)).await.unwrap()
    }

    #[tokio::test]
    async fn an_activity_is_news_once_until_it_is_undone() {
        let store = Store::memory();
        let (follow, undo) = (Name::Id(FOLLOW), Name::UndoOf(FOLLOW));
        for expected in [true, false] {
            assert_eq!(news(&store, ANA, follow).await, expected);
        }
        assert!(news(&store, "https://b.example/u/eve", undo).await);
        assert!(!news(&store, ANA, follow).await, "nobody undoes it for another");
        for expected in [true, false] {
            assert_eq!(news(&store, ANA, undo).await, expected);
        }
        assert!(news(&store, ANA, follow).await && news(&store, ANA, undo).await, "over and over");
        for expected in [true, false] {
            assert_eq!(news(&store, ANA, Name::Bytes(b"{}")).await, expected);
        }
    }

    #[tokio::test]
    async fn what_was_seen_is_forgotten_after_a_week() {
        let store = Store::memory();
        assert!(news(&store, ANA, Name::Id(FOLLOW)).await);
        let days = |days: u64| NOW.plus(Duration::from_secs(days * 86_400));
        for (day, forgotten) in [(0, 0), (7, 0), (9, 1), (9, 0)] {
            let found = store.write(move |tx| forget_seen(tx, days(day), 10)).await.unwrap();
            assert_eq!(found, forgotten, "day {day}");
        }
        assert!(news(&store, ANA, Name::Id(FOLLOW)).await);
    }

    #[tokio::test]
    async fn what_was_taken_back_first_stays_away_for_a_while() {
        let store = Store::memory();
        let account = |uri: &str| Account { uri: uri.into(), ..Account::default() };
        let (ana, bob, eve) =
            (account(ANA), account("https://a.example/u/bob"), account("https://b.example/u/eve"));
        let dig = store.write({
            let (ana, eve) = (ana.clone(), eve.clone());
            move |tx| {
                bury(tx, NOW, Sender(&ana), FOLLOW);
                bury(tx, NOW, Sender(&eve), "https://a.example/f/2");
                Ok::<_, StoreError>(())
            }
        });
        dig.await.unwrap();
        let later = NOW.plus(tombstone::ACTIVITY_KEPT_FOR);
        let cases = [
            (&ana, FOLLOW, NOW, true),
            (&ana, FOLLOW, later, false),
            (&bob, FOLLOW, NOW, false),
            (&eve, "https://a.example/f/2", NOW, false),
        ];
        for (who, activity, at, expected) in cases {
            let sender = who.clone();
            let found = store.read(move |tx| is_buried(tx, at, Sender(&sender), activity)).await.unwrap();
            assert_eq!(found, expected, "{} {activity}", who.uri);
        }
    }
}
