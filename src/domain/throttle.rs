//! Slows down whoever guesses: attempts are counted for each source address
//! and for each account, in bounded memory. Pure: time is an argument.
//!
//! Each key has a generic cell rate (GCRA): one moment that says how much of
//! its allowance is used. Kept in memory only; a restart forgives.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

/// How many attempts in how long.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// Attempts.
    pub count: u32,
    /// In this time.
    pub window: Duration,
}

/// Mastodon's figures (config/initializers/rack_attack.rb): 25 log-ins in
/// five minutes from an address, and in an hour to an account.
const LOGIN_BY_SOURCE: Allowance = Allowance { count: 25, window: Duration::from_secs(300) };
const LOGIN_BY_ACCOUNT: Allowance = Allowance { count: 25, window: Duration::from_secs(3600) };
/// Five new accounts or apps from an address in half an hour.
pub const SIGN_UP_BY_SOURCE: Allowance = Allowance { count: 5, window: Duration::from_secs(1800) };
/// Registered apps from an address.
pub const APPS_BY_SOURCE: Allowance = Allowance { count: 25, window: Duration::from_secs(600) };
/// Keys one limiter remembers.
const KEYS_MAX: usize = 50_000;

/// A source address as it is counted: IPv6 by its /64, which is what one
/// customer gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source([u8; 8]);

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Source {
        let mut key = [0; 8];
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                // No /64 begins with these two bytes: ff02::/16 is multicast.
                key[..2].copy_from_slice(&[0xff, 0x02]);
                key[4..].copy_from_slice(&v4.octets());
            }
            IpAddr::V6(v6) => key.copy_from_slice(&v6.octets()[..8]),
        }
        Source(key)
    }
}

/// Counts attempts by key.
pub struct Limiter<K> {
    allowance: Allowance,
    /// Until when each key's allowance is spoken for.
    spent: HashMap<K, Duration>,
}

impl<K: Hash + Eq> Limiter<K> {
    /// Nobody has tried anything yet.
    pub fn new(allowance: Allowance) -> Limiter<K> {
        Limiter { allowance, spent: HashMap::new() }
    }

    fn cost(&self) -> Duration {
        self.allowance.window / self.allowance.count
    }

    /// Counts one attempt at `now` (any monotonic time).
    ///
    /// # Errors
    /// How long to wait when the allowance is used up; then it is not counted.
    pub fn take(&mut self, now: Duration, key: K) -> Result<(), Duration> {
        let spent = self.spent.get(&key).copied().unwrap_or_default().max(now) + self.cost();
        let allowed = now + self.allowance.window;
        if spent > allowed {
            return Err(spent - allowed);
        }
        if self.spent.len() >= KEYS_MAX {
            self.shrink(now);
        }
        self.spent.insert(key, spent);
        Ok(())
    }

    /// Takes one attempt back.
    pub fn refund(&mut self, key: &K) {
        let cost = self.cost();
        if let Some(spent) = self.spent.get_mut(key) {
            *spent = spent.saturating_sub(cost);
        }
    }

    /// Forgets idle keys, and if those are too few, the less guilty half.
    fn shrink(&mut self, now: Duration) {
        self.spent.retain(|_, spent| *spent > now);
        if self.spent.len() >= KEYS_MAX {
            let mut all: Vec<Duration> = self.spent.values().copied().collect();
            let (_, median, _) = all.select_nth_unstable(KEYS_MAX / 2);
            let median = *median;
            self.spent.retain(|_, spent| *spent > median);
        }
    }
}

/// Log-ins, counted for the source and for the account.
pub struct LoginThrottle {
    by_source: Limiter<Source>,
    by_account: Limiter<[u8; 32]>,
}

impl Default for LoginThrottle {
    fn default() -> Self {
        LoginThrottle { by_source: Limiter::new(LOGIN_BY_SOURCE), by_account: Limiter::new(LOGIN_BY_ACCOUNT) }
    }
}

impl LoginThrottle {
    /// Counts an attempt before the password is looked at, so that many at
    /// once cannot slip through. The name is counted whether or not it exists.
    ///
    /// # Errors
    /// How long to wait.
    pub fn attempt(&mut self, now: Duration, source: Source, login: &str) -> Result<(), Duration> {
        self.by_source.take(now, source)?;
        self.by_account.take(now, account_key(login))
    }

    /// The password was right: takes the attempt back.
    pub fn succeeded(&mut self, source: Source, login: &str) {
        self.by_source.refund(&source);
        self.by_account.refund(&account_key(login));
    }
}

/// A key of fixed size, whatever was typed.
fn account_key(login: &str) -> [u8; 32] {
    super::secret::digest(&login.trim().trim_start_matches('@').to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        text.parse::<IpAddr>().expect("an address").into()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn guessing_from_one_network_is_slowed() {
        let mut throttle = LoginThrottle::default();
        let now = 100 * SECOND;
        for i in 0..25 {
            let from = source(&format!("2001:db8:1:2::{i:x}"));
            assert_eq!(throttle.attempt(now, from, &format!("user{i}")), Ok(()), "{i}");
        }
        let wait = throttle.attempt(now, source("2001:db8:1:2:ffff::1"), "x").expect_err("the 26th waits");
        assert_eq!(wait, 12 * SECOND);
        assert_eq!(throttle.attempt(now, source("2001:db8:1:3::1"), "x"), Ok(()));
        assert_eq!(throttle.attempt(now + wait, source("2001:db8:1:2::1"), "y"), Ok(()));
    }

    #[test]
    fn guessing_at_one_account_from_everywhere_is_slowed() {
        let mut throttle = LoginThrottle::default();
        for i in 0..25 {
            assert!(throttle.attempt(SECOND, source(&format!("192.0.2.{i}")), "Ana ").is_ok());
        }
        assert!(throttle.attempt(SECOND, source("192.0.2.99"), "@ana").is_err());
        assert!(throttle.attempt(SECOND, source("192.0.2.99"), "bea").is_ok());
    }

    #[test]
    fn right_passwords_do_not_count() {
        let mut throttle = LoginThrottle::default();
        for _ in 0..1000 {
            assert!(throttle.attempt(SECOND, source("192.0.2.1"), "ana").is_ok());
            throttle.succeeded(source("192.0.2.1"), "ana");
        }
    }

    #[test]
    fn memory_is_bounded_and_the_guilty_are_remembered() {
        let mut limiter = Limiter::new(Allowance { count: 2, window: SECOND * 1000 });
        assert!(limiter.take(SECOND, u32::MAX).is_ok());
        assert!(limiter.take(SECOND, u32::MAX).is_ok());
        for key in 0..200_000u32 {
            assert!(limiter.take(SECOND, key).is_ok());
            assert!(limiter.spent.len() <= KEYS_MAX);
        }
        assert!(limiter.take(SECOND, u32::MAX).is_err());
    }

    #[test]
    fn an_ipv4_address_is_the_same_in_either_form() {
        assert_eq!(source("192.0.2.1"), source("::ffff:192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }
}
