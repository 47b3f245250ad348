//! Slows down whoever guesses: attempts are counted for each source address
//! and for each account, in bounded memory. Pure: time is an argument.
//!
//! Each key has a generic cell rate (GCRA): one moment that says how much of
//! its allowance is used. Kept in memory only; a restart forgives.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::{Limited, Rate, RateLimits};
use crate::store::Key;

/// Keys one limiter remembers.
const KEYS_MAX: usize = 50_000;
/// Keys of which others are told at a time.
const NEWS_MAX: usize = 4096;

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

impl Key for Source {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        Key::read(input).map(Source)
    }
}

/// Counts attempts by key.
pub struct Limiter<K> {
    /// `None` where nothing is limited.
    rate: Option<Rate>,
    /// Until when each key's allowance is spoken for.
    spent: HashMap<K, Duration>,
    /// What was counted since others were told; `None` where there are none.
    news: Option<HashMap<K, u32>>,
}

/// How a key stands after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Attempts in a window.
    pub limit: u32,
    /// Attempts that are left at this moment.
    pub remaining: u32,
    /// Until the whole allowance is there again.
    pub whole_in: Duration,
    /// How long to wait, where this attempt was one too many; then it was
    /// not counted.
    pub wait: Option<Duration>,
}

impl<K: Hash + Eq + Copy> Limiter<K> {
    /// Nobody has tried anything yet.
    pub fn new(rate: Option<Rate>) -> Limiter<K> {
        Limiter { rate, spent: HashMap::new(), news: None }
    }

    /// The keys that tried most since this was asked last, with how often;
    /// no more than `most`. From the first time on, it is kept for this.
    pub fn news(&mut self, most: usize) -> Vec<(K, u32)> {
        let mut news: Vec<(K, u32)> =
            self.news.replace(HashMap::new()).unwrap_or_default().into_iter().collect();
        if news.len() > most {
            news.select_nth_unstable_by_key(most, |(_, count)| std::cmp::Reverse(*count));
            news.truncate(most);
        }
        news
    }

    /// Counts attempts that were made elsewhere; nobody is refused by it who
    /// would not have been refused there.
    pub fn charge(&mut self, now: Duration, key: K, attempts: u32) {
        let Some(rate) = self.rate else { return };
        if self.spent.len() >= KEYS_MAX {
            self.shrink(now);
        }
        let spent = self.spent.entry(key).or_default();
        let attempts = attempts.min(rate.count);
        *spent = ((*spent).max(now) + Self::cost(rate) * attempts).min(now + rate.window);
    }

    fn cost(rate: Rate) -> Duration {
        rate.window / rate.count
    }

    /// Counts one attempt at `now` (any monotonic time).
    ///
    /// # Errors
    /// How long to wait when the allowance is used up; then it is not counted.
    pub fn take(&mut self, now: Duration, key: K) -> Result<(), Duration> {
        match self.count(now, key).and_then(|standing| standing.wait) {
            Some(wait) => Err(wait),
            None => Ok(()),
        }
    }

    /// Counts one attempt at `now`; `None` where nothing is limited.
    pub fn count(&mut self, now: Duration, key: K) -> Option<Standing> {
        let rate = self.rate?;
        let (cost, allowed) = (Self::cost(rate), now + rate.window);
        let before = self.spent.get(&key).copied().unwrap_or_default().max(now);
        let standing = |spent: Duration| Standing {
            limit: rate.count,
            remaining: u32::try_from((allowed.saturating_sub(spent)).as_nanos() / cost.as_nanos().max(1))
                .unwrap_or(u32::MAX),
            whole_in: spent - now,
            wait: None,
        };
        let spent = before + cost;
        if spent > allowed {
            return Some(Standing { wait: Some(spent - allowed), ..standing(before) });
        }
        if self.spent.len() >= KEYS_MAX {
            self.shrink(now);
        }
        self.spent.insert(key, spent);
        if let Some(news) = &mut self.news
            && (news.len() < NEWS_MAX || news.contains_key(&key))
        {
            *news.entry(key).or_default() += 1;
        }
        Some(standing(spent))
    }

    /// Takes one attempt back.
    pub fn refund(&mut self, key: &K) {
        let Some(cost) = self.rate.map(Self::cost) else { return };
        if let Some(spent) = self.spent.get_mut(key) {
            *spent = spent.saturating_sub(cost);
        }
        if let Some(count) = self.news.as_mut().and_then(|news| news.get_mut(key)) {
            *count = count.saturating_sub(1);
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

impl LoginThrottle {
    /// Nobody has tried to log in yet.
    pub fn new(limits: &RateLimits) -> LoginThrottle {
        LoginThrottle {
            by_source: Limiter::new(limits.of(Limited::Login)),
            by_account: Limiter::new(limits.of(Limited::LoginName)),
        }
    }

    /// Counts an attempt before the password is looked at, so that many at
    /// once cannot slip through. The name is counted whether or not it exists.
    ///
    /// # Errors
    /// How long to wait.
    pub fn attempt(&mut self, now: Duration, source: Source, login: &str) -> Result<(), Duration> {
        self.by_source.take(now, source)?;
        self.by_account.take(now, account_key(login))
    }

    /// Its two limiters: by source and by account.
    pub fn parts(&mut self) -> (&mut Limiter<Source>, &mut Limiter<[u8; 32]>) {
        (&mut self.by_source, &mut self.by_account)
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
        let mut throttle = LoginThrottle::new(&RateLimits::default());
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
        let mut throttle = LoginThrottle::new(&RateLimits::default());
        for i in 0..25 {
            assert!(throttle.attempt(SECOND, source(&format!("192.0.2.{i}")), "Ana ").is_ok());
        }
        assert!(throttle.attempt(SECOND, source("192.0.2.99"), "@ana").is_err());
        assert!(throttle.attempt(SECOND, source("192.0.2.99"), "bea").is_ok());
    }

    #[test]
    fn right_passwords_do_not_count() {
        let mut throttle = LoginThrottle::new(&RateLimits::default());
        for _ in 0..1000 {
            assert!(throttle.attempt(SECOND, source("192.0.2.1"), "ana").is_ok());
            throttle.succeeded(source("192.0.2.1"), "ana");
        }
    }

    #[test]
    fn a_standing_tells_what_is_left_and_when_it_is_whole() {
        let mut limiter = Limiter::new(Some(Rate { count: 4, window: 8 * SECOND }));
        let standing = |remaining, whole_s: u32, wait_s: Option<u32>| {
            let (whole_in, wait) = (SECOND * whole_s, wait_s.map(|s| SECOND * s));
            Some(Standing { limit: 4, remaining, whole_in, wait })
        };
        let cases = [
            (100, standing(3, 2, None)),
            (100, standing(2, 4, None)),
            (100, standing(1, 6, None)),
            (100, standing(0, 8, None)),
            (100, standing(0, 8, Some(2))),
            (101, standing(0, 7, Some(1))),
            (102, standing(0, 8, None)),
            (200, standing(3, 2, None)),
        ];
        for (at_s, expected) in cases {
            assert_eq!(limiter.count(SECOND * at_s, 'k'), expected, "at {at_s}");
        }
        assert_eq!(Limiter::new(None).count(SECOND, 'k'), None);
    }

    #[test]
    fn memory_is_bounded_and_the_guilty_are_remembered() {
        let mut limiter = Limiter::new(Some(Rate { count: 2, window: SECOND * 1000 }));
        assert!(limiter.take(SECOND, u32::MAX).is_ok());
        assert!(limiter.take(SECOND, u32::MAX).is_ok());
        for key in 0..200_000u32 {
            assert!(limiter.take(SECOND, key).is_ok());
            assert!(limiter.spent.len() <= KEYS_MAX);
        }
        assert!(limiter.take(SECOND, u32::MAX).is_err());
    }

    #[test]
    fn what_is_counted_elsewhere_counts_here() {
        let rate = Some(Rate { count: 10, window: 10 * SECOND });
        let (mut here, mut there) = (Limiter::new(rate), Limiter::new(rate));
        assert_eq!((here.news(9), there.news(9)), (Vec::new(), Vec::new()));
        for _ in 0..7 {
            assert!(there.take(SECOND, 'a').is_ok());
        }
        assert!(there.take(SECOND, 'b').is_ok());
        assert!(there.take(SECOND, 'c').is_ok());
        there.refund(&'c');
        let told = there.news(1);
        assert_eq!(told, [('a', 7)], "who asks most comes first");
        assert_eq!(there.news(9), Vec::new(), "told once");
        told.into_iter().for_each(|(key, count)| here.charge(SECOND, key, count));
        for _ in 0..3 {
            assert!(here.take(SECOND, 'a').is_ok());
        }
        assert!(here.take(SECOND, 'a').is_err());
        assert_eq!(here.news(9), [('a', 3)], "what others told is not told again");
        here.charge(SECOND, 'a', u32::MAX);
        assert_eq!(here.take(SECOND, 'a'), Err(SECOND), "no more than the whole allowance");
    }

    #[test]
    fn an_ipv4_address_is_the_same_in_either_form() {
        assert_eq!(source("192.0.2.1"), source("::ffff:192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }
}
