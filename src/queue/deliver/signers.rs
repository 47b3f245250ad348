//! Threads that do nothing but sign.
//!
//! A wave of deliveries keeps them busy without a pause: the next signature
//! waits in line when one is done. Handing each to the runtime's blocking
//! threads left a third of the signing time unused.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

type Work = Box<dyn FnOnce() + Send>;

/// Work for a few threads, which end when this is dropped.
///
/// What waits is bounded by the attempts that are under way.
pub(super) struct Signers {
    line: Arc<Line>,
}

#[derive(Default)]
struct Line {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The oldest is first.
    waiting: VecDeque<Work>,
    is_over: bool,
}

impl Signers {
    /// With so many threads; the log says if the machine refuses one.
    pub(super) fn start(threads: usize) -> Signers {
        let line = Arc::new(Line::default());
        for number in 0..threads {
            let line = line.clone();
            let started = thread::Builder::new().name(format!("signer-{number}")).spawn(move || line.serve());
            if let Err(error) = started {
                tracing::error!(%error, "a thread for signatures cannot be started");
                break;
            }
        }
        Signers { line }
    }

    /// What this work gives once a thread has done it; nothing if it panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (done, result) = oneshot::channel();
        self.line.put(Box::new(move || {
            // Who asked may have given up meanwhile.
            if !done.is_closed() {
                let _ = done.send(work());
            }
        }));
        result.await.ok()
    }
}

impl Drop for Signers {
    fn drop(&mut self) {
        self.line.state.lock().is_over = true;
        self.line.changed.notify_all();
    }
}

impl Line {
    fn put(&self, work: Work) {
        self.state.lock().waiting.push_back(work);
        self.changed.notify_one();
    }

    fn serve(&self) {
        while let Some(work) = self.next() {
            // A panic is that signature's alone: its asker hears of it.
            let _ = catch_unwind(AssertUnwindSafe(work));
        }
    }

    /// The work that waits longest; nothing once there will be no more.
    fn next(&self) -> Option<Work> {
        let mut state = self.state.lock();
        loop {
            if let Some(work) = state.waiting.pop_front() {
                return Some(work);
            }
            if state.is_over {
                return None;
            }
            self.changed.wait(&mut state);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn work_is_done_and_a_panic_is_only_its_own() {
        let signers = Signers::start(1);
        assert_eq!(signers.run(|| 6 * 7).await, Some(42));
        assert_eq!(signers.run(|| -> u8 { panic!("no key") }).await, None);
        assert_eq!(signers.run(|| "again").await, Some("again"));
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_not_done() {
        let signers = Signers::start(1);
        let (go, gate) = std::sync::mpsc::channel::<()>();
        let held = signers.run(move || gate.recv().is_ok());
        let mut held = Box::pin(held);
        assert!(held.as_mut().now_or_never().is_none());
        let count = Arc::new(AtomicUsize::new(0));
        let mine = count.clone();
        let mut given_up = Box::pin(signers.run(move || mine.fetch_add(1, Ordering::SeqCst)));
        assert!(given_up.as_mut().now_or_never().is_none());
        drop(given_up);
        go.send(()).unwrap();
        assert_eq!(held.await, Some(true));
        assert_eq!(signers.run(|| ()).await, Some(()));
        assert_eq!(count.load(Ordering::SeqCst), 0);
    }
}
