//! Stands between the worker and a handler and writes down how attempts end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use waxwing::queue::{Attempt, Handler, Outcome, Report};

/// One attempt, ended.
#[derive(Debug, Clone)]
pub(crate) struct Tried {
    pub(crate) authority: String,
    pub(crate) took: Duration,
    pub(crate) outcome: Outcome,
}

/// What a handler did.
#[derive(Clone, Default)]
pub(crate) struct Watch {
    tried: Arc<Mutex<Vec<Tried>>>,
}

impl Watch {
    /// Attempts at a host.
    pub(crate) fn at(&self, authority: &str) -> Vec<Tried> {
        self.tried.lock().iter().filter(|tried| tried.authority == authority).cloned().collect()
    }

    /// Whether anything was taken yet.
    pub(crate) fn has_delivered(&self) -> bool {
        self.tried.lock().iter().any(|tried| tried.outcome == Outcome::Done)
    }

    /// A handler that is watched.
    pub(crate) fn over(&self, inner: Box<dyn Handler>) -> impl Handler + use<> {
        Watched { inner: inner.into(), watch: self.clone() }
    }
}

struct Watched {
    inner: Arc<dyn Handler>,
    watch: Watch,
}

impl Handler for Watched {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, Report> {
        let (inner, watch) = (self.inner.clone(), self.watch.clone());
        Box::pin(async move {
            let (authority, at) = (attempt.authority.clone(), Instant::now());
            let report = inner.run(attempt).await;
            let outcome = report.outcome.clone();
            watch.tried.lock().push(Tried { authority, took: at.elapsed(), outcome });
            report
        })
    }
}
