//! A queue on a bench: a store, a clock, and a peer that answers by script.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Desk, Handlers, Worker};
use crate::base::{Clock, FixedChance, Id, IdGenerator, ManualClock, Moment, Timestamp};
use crate::domain::delivery::{Delivery, Overview, Targets, deliver, overview};
use crate::model::queue::tables::{DEAD, DESTINATION, JOB};
use crate::model::queue::{ActivityKind, Body, DeadRow, Destination, DestinationId, JobKey, OrderKey, Wake};
use crate::store::{Scan, Store, StoreError, WriteTx};

pub(super) const START: Timestamp = Timestamp::from_secs(1_800_000_000);
/// Bounds every wait of a test.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bounds every loop of a test.
const STEPS_MAX: usize = 600;

/// The real time, for tests about waiting.
pub(super) struct RealClock(Instant);

impl RealClock {
    #[allow(clippy::disallowed_methods)] // Tests may ask the machine.
    pub(super) fn start() -> Arc<RealClock> {
        Arc::new(RealClock(Instant::now()))
    }
}

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        START.plus(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A store with jobs, and workers that come and go.
pub(super) struct Bench {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    manual: ManualClock,
    ids: IdGenerator,
}

pub(super) struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
    pub(super) desk: Desk,
}

impl Bench {
    /// Time moves only by [`Bench::step`].
    pub(super) fn new() -> Bench {
        Bench::over(Store::memory())
    }

    pub(super) fn over(store: Store) -> Bench {
        let manual = ManualClock::at(START);
        Bench { store, clock: Arc::new(manual.clone()), manual, ids: IdGenerator::new(1) }
    }

    pub(super) fn in_real_time() -> Bench {
        Bench { clock: RealClock::start(), ..Bench::new() }
    }

    pub(super) fn start(&self, handlers: Handlers) -> Running {
        Bench::run(self.worker(handlers))
    }

    /// A worker that does not run yet.
    pub(super) fn worker(&self, handlers: Handlers) -> Worker {
        Worker::new(self.store.clone(), handlers, self.clock.clone(), Arc::new(FixedChance::new(5)))
    }

    pub(super) fn run(worker: Worker) -> Running {
        let stop = CancellationToken::new();
        Running { desk: worker.desk.clone(), stop: stop.clone(), task: tokio::spawn(worker.run(stop)) }
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        mut change: impl FnMut(&mut WriteTx<'_>, &mut Moment) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        let now = self.clock.now();
        let moment = Moment { now, ids: self.ids.reserve(now, 8) };
        self.store.write(move |tx| change(tx, &mut moment.clone())).await.unwrap()
    }

    /// Enqueues a delivery of `text` to these inboxes.
    pub(super) async fn send(&self, kind: ActivityKind, order: u64, text: &str, inboxes: &[String]) -> Id {
        let mut targets = Targets::new();
        inboxes.iter().for_each(|inbox| targets.add(inbox, None));
        let body = Body::new(text.as_bytes().to_vec()).unwrap();
        let delivery = Delivery { actor: Id(1), kind, order: OrderKey(order), lane: None, body };
        self.write(move |tx, moment| Ok(deliver(tx, moment, &delivery, &targets)?.unwrap())).await
    }

    /// Lets time pass and the worker notice.
    pub(super) async fn step(&self, span: Duration) {
        self.manual.advance(span);
        self.write(|tx, _| {
            Wake::default().emit(tx);
            Ok(())
        })
        .await;
        // The worker runs on this thread, too.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    /// Steps until something holds, or fails the test.
    pub(super) async fn step_until(&self, span: Duration, mut holds: impl AsyncFnMut(&Bench) -> bool) {
        for _ in 0..STEPS_MAX {
            if holds(self).await {
                return;
            }
            self.step(span).await;
        }
        panic!("it never comes true");
    }

    pub(super) async fn jobs(&self) -> Vec<JobKey> {
        let rows: Result<Vec<_>, StoreError> = self.store.read(|tx| tx.scan(JOB, Scan::all())).await;
        rows.unwrap().into_iter().map(|(key, _)| key).collect()
    }

    pub(super) async fn dead(&self) -> Vec<DeadRow> {
        let rows: Result<Vec<_>, StoreError> = self.store.read(|tx| tx.scan(DEAD, Scan::all())).await;
        rows.unwrap().into_iter().map(|(_, row)| row).collect()
    }

    pub(super) async fn overview(&self) -> Overview {
        let read: Result<Overview, StoreError> = self.store.read(overview).await;
        read.unwrap()
    }

    pub(super) async fn destination(&self, id: u32) -> Destination {
        let read: Result<_, StoreError> =
            self.store.read(move |tx| tx.get(DESTINATION, &DestinationId(id))).await;
        read.unwrap().unwrap()
    }
}

impl Running {
    /// Stops as at the end of the program.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("stops in time").unwrap();
    }

    /// Stops as a crash does: nothing more is written.
    pub(super) async fn kill(self) {
        self.task.abort();
        drop(self.task.await);
    }
}

/// A request as a peer saw it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What a peer answers.
#[derive(Debug, Clone, Default)]
pub(super) enum Reply {
    /// A status.
    Status(u16),
    /// A status with a Retry-After header.
    RetryAfter(u16, &'static str),
    /// Never.
    #[default]
    Hang,
}

/// A server of somebody else.
pub(super) struct Peer {
    address: SocketAddr,
    seen: mpsc::UnboundedReceiver<Seen>,
    script: Arc<Mutex<VecDeque<Reply>>>,
}

impl Peer {
    /// Answers these one after another, the last one for ever.
    pub(super) async fn answering(replies: impl IntoIterator<Item = Reply>) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, seen) = mpsc::unbounded_channel();
        let script = Arc::new(Mutex::new(replies.into_iter().collect::<VecDeque<_>>()));
        let shared = script.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tell, script) = (tell.clone(), shared.clone());
                let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                    let (tell, script) = (tell.clone(), script.clone());
                    async move { Ok::<_, Infallible>(answer(request, &tell, &script).await) }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(async move { http.serve_connection(TokioIo::new(stream), service).await });
            }
        });
        Peer { address, seen, script }
    }

    pub(super) fn inbox(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// From now on answers these.
    pub(super) fn answer_now(&self, replies: impl IntoIterator<Item = Reply>) {
        *self.script.lock() = replies.into_iter().collect();
    }

    /// The next request, or a failed test.
    pub(super) async fn next(&mut self) -> Seen {
        tokio::time::timeout(PATIENCE, self.seen.recv()).await.expect("a request in time").unwrap()
    }

    /// A request that is there already.
    pub(super) fn try_next(&mut self) -> Option<Seen> {
        self.seen.try_recv().ok()
    }
}

async fn answer(
    request: http::Request<hyper::body::Incoming>,
    tell: &mpsc::UnboundedSender<Seen>,
    script: &Mutex<VecDeque<Reply>>,
) -> http::Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let reply = {
        let mut script = script.lock();
        if script.len() > 1 { script.pop_front() } else { script.front().cloned() }.unwrap_or_default()
    };
    drop(tell.send(Seen { path: head.uri.path().to_owned(), headers: head.headers, body }));
    let mut response = http::Response::new(Full::default());
    match reply {
        Reply::Status(status) => *response.status_mut() = status.try_into().unwrap(),
        Reply::RetryAfter(status, after) => {
            *response.status_mut() = status.try_into().unwrap();
            response.headers_mut().insert(http::header::RETRY_AFTER, after.parse().unwrap());
        }
        Reply::Hang => std::future::pending().await,
    }
    response
}
