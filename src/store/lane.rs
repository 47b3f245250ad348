//! The writer lane: one thread that runs queued write closures in groups,
//! one backend commit (and one fsync) for each group.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::{broadcast, oneshot};

use super::StoreError;
use super::backend::{Backend, Snapshot};
use super::overlay::{Overlay, Signal};
use super::tx::WriteTx;

/// Most closures in one commit.
pub const GROUP_MAX: usize = 64;
/// Longest wait for more closures to join a group.
pub const GROUP_WAIT: Duration = Duration::from_millis(2);
/// Most closures that wait; one more is refused as busy.
pub const LANE_MAX: usize = 4096;
/// How often a group that lost a conflict is run again.
const CONFLICT_RETRIES: usize = 50;

/// A queued write closure with its type hidden.
pub(crate) trait Work: Send {
    /// Runs it over the group's state; its changes join the group if it
    /// succeeds. May be called again.
    fn run(&mut self, group: &Overlay<'_>);
    /// Tells the caller how it ended.
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
}

pub(crate) struct Typed<F, T, E> {
    pub(crate) closure: F,
    pub(crate) result: Option<Result<T, E>>,
    pub(crate) reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Work for Typed<F, T, E>
where
    F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, group: &Overlay<'_>) {
        let overlay = Overlay::new(group as &dyn Snapshot);
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.closure)(&mut WriteTx::new(&overlay))));
        self.result = Some(match outcome {
            Ok(Ok(value)) => {
                let (changes, signals) = overlay.into_parts();
                group.absorb(changes, signals);
                Ok(value)
            }
            Ok(Err(refusal)) => Err(refusal),
            Err(_) => Err(StoreError::Panicked.into()),
        });
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match committed {
            Ok(()) => self.result.unwrap_or_else(|| Err(StoreError::Closed.into())),
            Err(error) => Err(error.into()),
        };
        // The caller may have gone away; what it asked for is done all the same.
        let _ = self.reply.send(result);
    }
}

/// Runs until all senders are gone.
pub(crate) fn run(
    backend: &dyn Backend,
    queue: &mpsc::Receiver<Box<dyn Work>>,
    signals: &broadcast::Sender<Arc<Signal>>,
) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        while group.len() < GROUP_MAX {
            match queue.try_recv() {
                Ok(work) => group.push(work),
                Err(_) => break,
            }
        }
        let outcome = commit(backend, &mut group);
        let committed = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        for work in group {
            work.finish(committed.clone());
        }
        for signal in outcome.unwrap_or_default() {
            // No listener is no failure.
            let _ = signals.send(Arc::new(signal));
        }
    }
}

fn commit(backend: &dyn Backend, group: &mut [Box<dyn Work>]) -> Result<Vec<Signal>, StoreError> {
    for _ in 0..CONFLICT_RETRIES {
        let batch = backend.begin()?;
        let (changes, signals) = {
            let overlay = Overlay::new(as_snapshot(&*batch));
            for work in group.iter_mut() {
                work.run(&overlay);
            }
            overlay.into_parts()
        };
        if changes.is_empty() {
            return Ok(signals);
        }
        match batch.commit(&changes) {
            Err(StoreError::Conflict) => {}
            other => return other.map(|()| signals),
        }
    }
    Err(StoreError::Busy)
}

fn as_snapshot<'a>(batch: &'a (dyn super::backend::Batch + 'a)) -> &'a (dyn Snapshot + 'a) {
    batch
}
