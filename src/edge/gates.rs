//! What holds floods back: counters of attempts, and permits for heavy work.
//! In memory, one of each per process.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::domain::throttle::{APPS_BY_SOURCE, Limiter, LoginThrottle, SIGN_UP_BY_SOURCE, Source};

/// Password hashes and key generations at once.
const HASHING_MAX: usize = 2;
/// Pictures decoded at once: each may take 160 MB.
const PICTURES_MAX: usize = 1;
/// Uploads held in memory at once: each may take 56 MB. More wait their turn.
const UPLOADS_MAX: usize = 6;

/// The gates of one process.
pub(crate) struct Gates {
    /// Log-ins.
    pub(crate) login: Mutex<LoginThrottle>,
    /// New accounts.
    pub(crate) sign_up: Mutex<Limiter<Source>>,
    /// New apps.
    pub(crate) apps: Mutex<Limiter<Source>>,
    /// For password hashes and keys.
    pub(crate) hashing: Arc<Semaphore>,
    /// For uploads that are held in memory.
    pub(crate) uploads: Arc<Semaphore>,
    /// For pictures.
    pub(crate) pictures: Arc<Semaphore>,
}

impl Default for Gates {
    fn default() -> Self {
        Gates {
            login: Mutex::default(),
            sign_up: Mutex::new(Limiter::new(SIGN_UP_BY_SOURCE)),
            apps: Mutex::new(Limiter::new(APPS_BY_SOURCE)),
            hashing: Arc::new(Semaphore::new(HASHING_MAX)),
            uploads: Arc::new(Semaphore::new(UPLOADS_MAX)),
            pictures: Arc::new(Semaphore::new(PICTURES_MAX)),
        }
    }
}
