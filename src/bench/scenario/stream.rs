//! Many have the page open; somebody posts. Measured is how long it takes
//! until each of them hears of it, by WebSocket and by server-sent events.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Play, post};
use crate::base::Problem;
use crate::bench::client::Wire;
use crate::bench::load::{Call, Course, Work};
use crate::bench::report::data::Figure;
use crate::bench::stage::{Awaited, Stage, marks};
use crate::bench::tally::{Done, Flaw, Kind};

pub(super) const KINDS: &[Kind] = &[Kind::main("event"), Kind::side("post")];
const EVENT: usize = 0;
const POST: usize = 1;
/// Handshakes at once.
const OPENING_MAX: usize = 32;
/// Bytes of the head of an answer.
const HEAD_MAX_BYTES: usize = 16 * 1024;
/// Bytes of one event that a listener keeps to look for its mark.
const EVENT_MAX_BYTES: usize = 64 * 1024;
/// Events that a listener remembers to have heard of.
const SEEN_MAX: usize = 32;
/// How long an event may take to the last of them.
const HEAR_MAX: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Opens streams and posts.
pub struct Stream {
    stage: Stage,
    listeners: usize,
    heard: Arc<Heard>,
    /// Closed when a round has settled, or when this is dropped.
    open: Mutex<JoinSet<()>>,
}

struct Heard {
    stage: Stage,
    awaited: Awaited,
    /// Streams that were opened for this round, and those of them that still are.
    opened: AtomicUsize,
    open: AtomicUsize,
}

impl Stream {
    /// With nobody listening yet.
    pub fn new(stage: Stage, listeners: usize) -> Stream {
        let heard = Heard {
            stage: stage.clone(),
            awaited: Awaited::default(),
            opened: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        };
        Stream { stage, listeners, heard: Arc::new(heard), open: Mutex::default() }
    }

    async fn close(&self) {
        let mut open = std::mem::take(&mut *self.open.lock());
        open.shutdown().await;
    }

    async fn open_all(&self) -> Result<(), Problem> {
        let gate = Arc::new(Semaphore::new(OPENING_MAX));
        let mut opening = JoinSet::new();
        self.heard.open.store(0, Ordering::Relaxed);
        for number in 0..self.listeners {
            let (stage, gate) = (self.stage.clone(), gate.clone());
            opening.spawn(async move {
                let _turn = gate.acquire().await.map_err(|_| Flaw::Dropped)?;
                open(&stage, number).await
            });
        }
        while let Some(opened) = opening.join_next().await {
            let opened = opened.map_err(Problem::internal)?;
            let wire =
                opened.map_err(|flaw| Problem::invalid(format!("a stream cannot be opened: {flaw}")))?;
            self.heard.open.fetch_add(1, Ordering::Relaxed);
            self.open.lock().spawn(listen(wire, self.heard.clone()));
        }
        self.heard.opened.store(self.listeners, Ordering::Relaxed);
        Ok(())
    }
}

/// One of two is a WebSocket, the others are server-sent events.
async fn open(stage: &Stage, number: usize) -> Result<Box<dyn Wire>, Flaw> {
    let reader = &stage.people[number % stage.people.len()];
    let mut wire = stage.client.target().connect().await?;
    let is_socket = number.is_multiple_of(2);
    let (path, upgrade, wanted) = if is_socket {
        let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        ("/api/v1/streaming?stream=public:local", upgrade, "HTTP/1.1 101")
    } else {
        ("/api/v1/streaming/public/local", "accept: text/event-stream\r\n", "HTTP/1.1 200")
    };
    let authority = &stage.client.target().authority;
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: {authority}\r\n{upgrade}authorization: Bearer {}\r\n\r\n",
        reader.token
    );
    wire.write_all(head.as_bytes()).await.map_err(|_| Flaw::Broken)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") && answer.len() < HEAD_MAX_BYTES {
        answer.push(wire.read_u8().await.map_err(|_| Flaw::Broken)?);
    }
    if answer.starts_with(wanted.as_bytes()) { Ok(wire) } else { Err(Flaw::Wrong("no stream")) }
}

/// Hears of events until the stream ends. Frames need not be understood: a
/// server's are plain text, and the marks in them cannot be mistaken.
async fn listen(mut wire: Box<dyn Wire>, heard: Arc<Heard>) {
    let (mut buffer, mut kept) = (vec![0; 16 * 1024], Vec::new());
    let mut seen = VecDeque::new();
    while let Ok(read) = wire.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        let now = heard.stage.tools.clock.monotonic();
        kept.extend_from_slice(&buffer[..read]);
        // The mark stands in an event more than once; each counts once.
        for number in marks(&kept) {
            if seen.contains(&number) {
                continue;
            }
            seen.push_back(number);
            if seen.len() > SEEN_MAX {
                seen.pop_front();
            }
            if let Some(due) = heard.awaited.heard(number) {
                heard.stage.slate.note(&Done { kind: EVENT, due, sent: due, ended: now, outcome: Ok(()) });
            }
        }
        // What is left may hold the beginning of a mark.
        let from = kept.len().saturating_sub(if kept.len() > EVENT_MAX_BYTES { 32 } else { 256 });
        kept.drain(..from);
    }
    heard.open.fetch_sub(1, Ordering::Relaxed);
}

impl Work for Stream {
    fn kinds(&self) -> &'static [Kind] {
        KINDS
    }

    fn choose(&self, _dice: u64) -> usize {
        POST
    }

    fn act(self: Arc<Self>, call: Call) -> BoxFuture<'static, Result<(), Flaw>> {
        Box::pin(async move {
            let author = self.stage.people.first().ok_or(Flaw::Wrong("nobody to write"))?;
            // One that was lost hears nothing, which is a failure.
            let wanted = self.heard.opened.load(Ordering::Relaxed) as u32;
            let (number, mark) = self.heard.awaited.begin(call.due, wanted);
            let text = format!("{mark} The waxwings are back!");
            let posted = post::publish(&self.stage, author, &text).await;
            if posted.is_err() {
                self.heard.awaited.forget(number);
            }
            posted
        })
    }
}

impl Play for Stream {
    fn prepare<'a>(&'a self, _course: &'a Course) -> BoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let opened = self.open_all().await;
            if opened.is_err() {
                self.close().await;
            }
            opened
        })
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let clock = &self.stage.tools.clock;
            let end = clock.monotonic() + HEAR_MAX;
            while !self.heard.awaited.is_over() && clock.monotonic() < end {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            for done in self.heard.awaited.missed(EVENT, clock.monotonic()) {
                self.stage.slate.note(&done);
            }
            // What comes next has the server for itself.
            self.close().await;
        })
    }

    fn figures(&self) -> Vec<Figure> {
        let opened = self.heard.opened.load(Ordering::Relaxed);
        let lost = opened.saturating_sub(self.heard.open.load(Ordering::Relaxed));
        let figure = |name: &str, value: usize| Figure {
            name: name.into(),
            value: value as f64,
            unit: "streams".into(),
        };
        let mut all = vec![figure("open streams", opened)];
        if lost > 0 {
            all.push(figure("of them lost", lost));
        }
        all
    }

    fn work(self: Arc<Self>) -> Arc<dyn Work> {
        self
    }
}
