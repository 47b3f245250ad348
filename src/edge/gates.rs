//! What holds floods back: counters of attempts, and permits for heavy work.
//! In memory, one of each per process.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::auth::bars::Bars;
use super::rate_limit::Counters;
use super::uploads::Uploads;
use crate::base::{Id, Limited, RateLimits};
use crate::domain::secret;
use crate::domain::throttle::{Limiter, LoginThrottle, Source};

/// Password hashes and key generations at once.
const HASHING_MAX: usize = 2;
/// Pictures decoded at once: each may take 160 MB.
const PICTURES_MAX: usize = 1;

/// People whose visit is remembered.
const VISITS_MAX: u64 = 100_000;
/// A visit is noted about twice a day.
const VISIT_FOR: Duration = Duration::from_secs(12 * 3600);
/// How old the count of active people may be.
const COUNTED_FOR: Duration = Duration::from_secs(600);

/// How old the list of shut-out addresses may be.
const BARS_FOR: Duration = Duration::from_secs(30);

/// The gates of one process.
pub(crate) struct Gates {
    /// Requests to the API.
    pub(crate) requests: Counters,
    /// Log-ins.
    pub(crate) login: Mutex<LoginThrottle>,
    /// New accounts.
    pub(crate) sign_up: Mutex<Limiter<Source>>,
    /// New apps.
    pub(crate) apps: Mutex<Limiter<Source>>,
    /// Mails that anybody may ask for, by who asks and by who gets them.
    pub(super) mails: Mutex<Limiter<Source>>,
    pub(super) mails_to: Mutex<Limiter<[u8; 32]>>,
    /// For password hashes and keys.
    pub(crate) hashing: Arc<Semaphore>,
    /// For uploads that are held in memory.
    pub(crate) uploads: Uploads,
    /// For pictures.
    pub(crate) pictures: Arc<Semaphore>,
    /// People whose visit was noted lately.
    pub(crate) visits: Cache<Id, ()>,
    /// Network addresses that moderators shut out.
    pub(crate) bars: Cache<(), Bars>,
    /// How many people were here in the last month.
    pub(crate) active_month: Cache<(), u64>,
}

impl Gates {
    /// Counts a mail that is asked for; the address whether or not anybody
    /// has it.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn may_mail(&self, now: Duration, from: Source, email: &str) -> Result<(), Duration> {
        let to = secret::digest(&email.trim().to_lowercase());
        self.mails.lock().take(now, from)?;
        self.mails_to.lock().take(now, to)
    }

    /// All open.
    pub(crate) fn new(limits: &RateLimits) -> Gates {
        Gates {
            requests: Counters::new(limits),
            login: Mutex::new(LoginThrottle::new(limits)),
            sign_up: Mutex::new(Limiter::new(limits.of(Limited::SignUp))),
            apps: Mutex::new(Limiter::new(limits.of(Limited::Apps))),
            mails: Mutex::new(Limiter::new(limits.of(Limited::Mail))),
            mails_to: Mutex::new(Limiter::new(limits.of(Limited::MailTo))),
            hashing: Arc::new(Semaphore::new(HASHING_MAX)),
            uploads: Uploads::default(),
            pictures: Arc::new(Semaphore::new(PICTURES_MAX)),
            visits: Cache::builder().max_capacity(VISITS_MAX).time_to_live(VISIT_FOR).build(),
            bars: Cache::builder().max_capacity(1).time_to_live(BARS_FOR).build(),
            active_month: Cache::builder().max_capacity(1).time_to_live(COUNTED_FOR).build(),
        }
    }
}
