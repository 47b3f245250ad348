//! What runs a job: one handler for each kind, given at the start.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::outcome::Report;
use crate::base::Timestamp;
use crate::model::queue::{Act, JobKey, JobKind, SignatureProfile};

/// One try of one job.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Its key, for [`crate::domain::delivery::finish`].
    pub key: JobKey,
    /// What is to be done.
    pub act: Arc<Act>,
    /// Where to, for deliveries: the inbox's URL.
    pub inbox: Option<String>,
    /// The destination's host; empty for our own work.
    pub authority: String,
    /// The signature the destination is known to accept.
    pub profile: SignatureProfile,
    /// Earlier attempts that the job was blamed for.
    pub attempts: u8,
    /// When the attempt began.
    pub now: Timestamp,
    /// How long the destination may take to begin its answer. The worker
    /// ends the whole attempt after [`super::ATTEMPT_MAX`].
    pub answer_within: Duration,
    /// For handlers that turn to our own store before they ask anybody.
    pub ours: Ours,
}

/// Whether an attempt waits for ourselves: what then takes long, or is ended
/// early, is held against nobody.
#[derive(Debug, Clone, Default)]
pub struct Ours(Arc<AtomicBool>);

impl Ours {
    /// From now on it does, or does not.
    pub fn set(&self, is_so: bool) {
        self.0.store(is_so, Ordering::Relaxed);
    }

    /// Whether it does.
    pub fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs jobs of one kind. It may run twice for a job (after a crash), so what
/// it does must be repeatable, or done in one transaction together with
/// [`crate::domain::delivery::finish`].
pub trait Handler: Send + Sync + 'static {
    /// Runs a job.
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, Report>;
}

impl<F, R> Handler for F
where
    F: Fn(Attempt) -> R + Send + Sync + 'static,
    R: Future<Output = Report> + Send + 'static,
{
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, Report> {
        Box::pin(self(attempt))
    }
}

/// The handlers by the kind of job.
#[derive(Clone, Default)]
pub struct Handlers {
    by_kind: HashMap<JobKind, Arc<dyn Handler>>,
}

impl Handlers {
    /// None yet.
    pub fn new() -> Handlers {
        Handlers::default()
    }

    /// With a handler for a kind.
    #[must_use]
    pub fn on(mut self, kind: JobKind, handler: impl Handler) -> Handlers {
        self.by_kind.insert(kind, Arc::new(handler));
        self
    }

    /// The handler of a kind, if there is one.
    pub fn get(&self, kind: JobKind) -> Option<Arc<dyn Handler>> {
        self.by_kind.get(&kind).cloned()
    }
}
