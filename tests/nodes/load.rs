//! People who use the site while nodes come and go.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::json;
use tokio::task::JoinSet;

use crate::client::Ask;

/// What a request was, by what may be done when its node is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It may be sent again.
    Idempotent,
    /// It may not.
    Once,
}

/// A request that has ended.
#[derive(Clone, Debug)]
pub struct Done {
    pub person: usize,
    pub kind: Kind,
    pub begun: Instant,
    /// 0 without an answer.
    pub status: u16,
}

impl Done {
    pub fn failed(&self) -> bool {
        self.status != 200
    }
}

/// Who asks, one request after the other each, until told to stop.
pub struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<Mutex<Vec<Done>>>,
    people: JoinSet<()>,
}

impl Load {
    /// By people with these tokens, who read and post in a way that may be
    /// repeated, but for so many whose posts may not.
    pub fn start(ports: Vec<u16>, tokens: &[String], careless: usize) -> Load {
        let (stop, done) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<Done>>>::default());
        let mut people = JoinSet::new();
        for (person, token) in tokens.iter().enumerate() {
            let kind = if person < careless { Kind::Once } else { Kind::Idempotent };
            people.spawn(ask_on(ports.clone(), token.clone(), (person, kind), stop.clone(), done.clone()));
        }
        Load { stop, done, people }
    }

    /// How many requests have ended.
    pub fn count(&self) -> usize {
        self.done.lock().unwrap().len()
    }

    /// How many requests that began after this have ended, of whom it is the
    /// fewest.
    pub fn each_since(&self, since: Instant) -> usize {
        let done = self.done.lock().unwrap();
        let ended = |person| done.iter().filter(|one| one.person == person && one.begun > since).count();
        (0..self.people.len()).map(ended).min().unwrap_or(0)
    }

    /// Waits for what is under way; gives everything that ended.
    pub async fn end(self) -> Vec<Done> {
        self.stop.store(true, Ordering::Relaxed);
        self.people.join_all().await;
        Arc::try_unwrap(self.done).unwrap().into_inner().unwrap()
    }
}

async fn ask_on(
    ports: Vec<u16>,
    token: String,
    (person, kind): (usize, Kind),
    stop: Arc<AtomicBool>,
    done: Arc<Mutex<Vec<Done>>>,
) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    while !stop.load(Ordering::Relaxed) {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let post = || {
            let text = json!({ "status": format!("number {number}"), "visibility": "unlisted" });
            Ask::post("/api/v1/statuses", &token, &text)
        };
        let ask = match (kind, number % 4) {
            (Kind::Once, _) => post(),
            (_, 0) => post().with("Idempotency-Key", &number.to_string()),
            _ => Ask::get("/api/v1/timelines/home?limit=5", &token),
        };
        let begun = Instant::now();
        let status = ask.send(&ports).await.map_or(0, |answer| answer.status);
        done.lock().unwrap().push(Done { person, kind, begun, status });
    }
}

/// How many of a kind failed, and what they got.
pub fn failures(done: &[Done], kind: Kind) -> Vec<Done> {
    done.iter().filter(|one| one.kind == kind && one.failed()).cloned().collect()
}
