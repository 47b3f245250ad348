//! What one process remembers of other servers, in memory: fetched keys, and
//! who made us look for keys in vain.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use moka::sync::Cache;

use crate::base::{Id, Problem};
use crate::domain::throttle::Source;
use crate::edge::AppState;
use crate::wire::http_signature::{PrivateKey, PublicKey};

/// Keys kept ready for use.
const KEYS_MAX: u64 = 10_000;
/// How long a key is used without another look.
const KEYS_FOR: Duration = Duration::from_secs(24 * 3600);
/// How long a key is not looked for again.
const KEY_PAUSE: Duration = Duration::from_secs(5 * 60);
/// How long answers to a post are not looked for again (Mastodon: the same).
const REPLIES_PAUSE: Duration = Duration::from_secs(15 * 60);
/// Answers that are fetched of one thread within [`REPLIES_PAUSE`] (Mastodon:
/// the same). Their servers name the addresses, so without this, one thread
/// could send us to somebody else's server tens of thousands of times.
const ANSWERS_PER_THREAD: u32 = 1000;
/// Sources and keys that are remembered.
const MARKS_MAX: u64 = 50_000;
/// Keys of strangers fetched for one address within [`KEY_PAUSE`].
const LOOKUPS_PER_SOURCE: u32 = 60;

/// A key with the account it belongs to.
#[derive(Clone)]
pub(crate) struct KnownKey {
    /// Whose it is.
    pub(crate) owner: Id,
    /// The key.
    pub(crate) key: PublicKey,
}

/// See the module.
pub(crate) struct Shared {
    keys: Cache<String, KnownKey>,
    looked_for: Cache<String, ()>,
    sources: Cache<Source, u32>,
    looked_below: Cache<Id, ()>,
    answers: Cache<Id, u32>,
    instance_key: OnceLock<Arc<PrivateKey>>,
}

impl Default for Shared {
    fn default() -> Self {
        let cache = || Cache::builder().max_capacity(MARKS_MAX).time_to_live(KEY_PAUSE);
        Shared {
            keys: Cache::builder().max_capacity(KEYS_MAX).time_to_live(KEYS_FOR).build(),
            looked_for: cache().build(),
            sources: Cache::builder().max_capacity(MARKS_MAX).time_to_live(KEY_PAUSE).build(),
            looked_below: Cache::builder().max_capacity(MARKS_MAX).time_to_live(REPLIES_PAUSE).build(),
            answers: Cache::builder().max_capacity(MARKS_MAX).time_to_live(REPLIES_PAUSE).build(),
            instance_key: OnceLock::new(),
        }
    }
}

impl Shared {
    /// A key that was fetched lately.
    pub(super) fn key(&self, key_id: &str) -> Option<KnownKey> {
        self.keys.get(key_id)
    }

    /// Remembers a key.
    pub(super) fn remember(&self, key_id: &str, key: KnownKey) {
        self.keys.insert(key_id.to_owned(), key);
    }

    /// Forgets a key, so that it is read again.
    pub(crate) fn forget(&self, key_id: &str) {
        self.keys.invalidate(key_id);
    }

    /// Forgets all keys.
    pub(crate) fn forget_all(&self) {
        self.keys.invalidate_all();
    }

    /// Whether a key may be looked for now: once in five minutes.
    pub(super) fn may_look_for(&self, key_id: &str) -> bool {
        let entry = self.looked_for.entry(key_id.to_owned()).or_insert(());
        entry.is_fresh()
    }

    /// Whether answers to a post may be looked for now: once in a quarter of
    /// an hour.
    pub(super) fn may_look_below(&self, post: Id) -> bool {
        self.looked_below.entry(post).or_insert(()).is_fresh()
    }

    /// How many of so many answers in a thread may be fetched now. Costs the
    /// thread as many.
    pub(super) fn take_answers(&self, thread: Id, wanted: usize) -> usize {
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
        let entry = self.answers.entry(thread);
        let taken =
            entry.and_upsert_with(|old| old.map_or(wanted, |old| old.into_value().saturating_add(wanted)));
        let before = taken.into_value().saturating_sub(wanted);
        ANSWERS_PER_THREAD.saturating_sub(before).min(wanted) as usize
    }

    /// Whether this address may make us look for another key. Costs it one.
    pub(super) fn may_ask(&self, source: IpAddr) -> bool {
        let entry = self.sources.entry(source.into());
        let count = entry.and_upsert_with(|old| old.map_or(1, |old| old.into_value().saturating_add(1)));
        count.into_value() <= LOOKUPS_PER_SOURCE
    }

    /// The key of the server's own actor, ready to sign.
    pub(super) fn instance_key(&self, state: &AppState) -> Result<Arc<PrivateKey>, Problem> {
        if let Some(key) = self.instance_key.get() {
            return Ok(key.clone());
        }
        let key = PrivateKey::from_pkcs8(&state.instance_key.private_der).map_err(Problem::internal)?;
        Ok(self.instance_key.get_or_init(|| Arc::new(key)).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_sends_us_no_further_than_a_thousand_times() {
        let shared = Shared::default();
        let taken = [600, 600, 100].map(|wanted| shared.take_answers(Id(1), wanted));
        assert_eq!(taken, [600, 400, 0]);
        assert_eq!(shared.take_answers(Id(2), 100), 100, "another thread");
    }
}
