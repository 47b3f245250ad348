//! Signed activities arrive from many other servers: posts that name people
//! here, and likes of posts here. They are signed before the run begins, so
//! that the generator's signing is not measured.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::{HeaderMap, Method};
use parking_lot::Mutex;
use serde_json::{Value, json};
use url::Url;

use super::Play;
use crate::base::{Problem, Timestamp};
use crate::bench::client::Ask;
use crate::bench::load::{Call, Course, Work};
use crate::bench::order::Sender;
use crate::bench::stage::Stage;
use crate::bench::tally::{Flaw, Kind};
use crate::wire::http_signature::{self, Outgoing, PrivateKey, Signer};

pub(super) const KINDS: &[Kind] = &[Kind::main("create"), Kind::main("like")];
/// One of so many activities is a like.
const LIKE_EVERY: u64 = 4;
/// Servers that send.
pub const SENDERS: usize = 200;
/// Keys of all of them together: making one takes tenths of a second.
const KEYS: usize = 4;
/// Activities of one run.
const ACTIVITIES_MAX: usize = 100_000;
/// More than are expected on average, since arrivals are a matter of chance.
const SPARE: f64 = 1.2;

/// The fake servers that send, with their keys.
#[derive(Clone)]
pub struct Senders {
    /// What the instance is told of them.
    pub known: Vec<Sender>,
    keys: Vec<Arc<PrivateKey>>,
}

impl Senders {
    /// Makes keys. Blocks for some tenths of a second.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new() -> Result<Senders, Problem> {
        let keys: Result<Vec<_>, _> = (0..KEYS).map(|_| PrivateKey::generate().map(Arc::new)).collect();
        let keys = keys.map_err(Problem::internal)?;
        let pems: Result<Vec<_>, _> = keys.iter().map(|key| key.public_pem()).collect();
        let pems = pems.map_err(Problem::internal)?;
        let known = (0..SENDERS).map(|number| Sender {
            actor: format!("https://peer{number}.bench.example/users/robin"),
            public_key_pem: pems[number % KEYS].clone(),
        });
        Ok(Senders { known: known.collect(), keys })
    }
}

/// Sends to the shared inbox.
pub struct Inbox {
    stage: Stage,
    senders: Senders,
    /// Ready to be sent, by kind.
    ready: Mutex<[Vec<Ask>; 2]>,
    /// Activities made so far: each has an id of its own.
    made: Mutex<u64>,
}

impl Inbox {
    /// With nothing signed yet.
    pub fn new(stage: Stage, senders: Senders) -> Inbox {
        Inbox { stage, senders, ready: Mutex::default(), made: Mutex::default() }
    }

    async fn sign_all(&self, count: usize) -> Result<(), Problem> {
        let first = {
            let mut made = self.made.lock();
            let first = *made;
            *made += count as u64;
            first
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut tasks = Vec::new();
        for thread in 0..threads {
            let (stage, senders) = (self.stage.clone(), self.senders.clone());
            tasks.push(tokio::task::spawn_blocking(move || {
                let numbers = (first..first + count as u64).skip(thread).step_by(threads);
                numbers.map(|number| signed(&stage, &senders, number)).collect::<Result<Vec<_>, _>>()
            }));
        }
        let mut ready = [Vec::new(), Vec::new()];
        for task in tasks {
            let signed = task.await.map_err(Problem::internal)??;
            signed.into_iter().for_each(|(kind, ask)| ready[kind].push(ask));
        }
        *self.ready.lock() = ready;
        Ok(())
    }
}

/// An activity, ready to be sent.
fn signed(stage: &Stage, senders: &Senders, number: u64) -> Result<(usize, Ask), Problem> {
    let nth = number as usize % senders.known.len();
    let sender = &senders.known[nth];
    let kind = usize::from(number.is_multiple_of(LIKE_EVERY));
    let now = stage.tools.clock.now();
    let body = activity(stage, sender, number, kind, now).to_string().into_bytes();
    let url = Url::parse(&format!("{}/inbox", stage.origin)).map_err(Problem::internal)?;
    let mut headers = HeaderMap::new();
    let outgoing = Outgoing { method: &Method::POST, url: &url, body: Some(&body), now };
    let key_id = sender.key_id();
    let signer = Signer { key_id: &key_id, key: &senders.keys[nth % senders.keys.len()] };
    http_signature::sign(http_signature::Kind::Cavage, &outgoing, &signer, &mut headers)
        .map_err(Problem::internal)?;
    let mut ask = Ask::post("/inbox", "application/activity+json", body);
    ask.headers.extend(headers);
    Ok((kind, ask))
}

fn activity(stage: &Stage, sender: &Sender, number: u64, kind: usize, now: Timestamp) -> Value {
    let run = now.as_millis();
    let id = format!("{}/activities/{run}-{number}", sender.actor);
    let nth = |len: usize| (number as usize).wrapping_mul(7919) % len.max(1);
    let person = stage.people.get(nth(stage.people.len()));
    let actor = person.map(|person| person.actor.clone()).unwrap_or_default();
    let context = "https://www.w3.org/ns/activitystreams";
    if kind == 1
        && let Some(post) = stage.statuses.get(nth(stage.statuses.len()))
    {
        return json!({ "@context": context, "id": id, "type": "Like", "actor": sender.actor, "object": post.uri });
    }
    let public = "https://www.w3.org/ns/activitystreams#Public";
    let name = person.map(|person| person.name.clone()).unwrap_or_default();
    json!({
        "@context": context, "id": id, "type": "Create", "actor": sender.actor, "published": now.rfc3339(),
        "to": [public], "cc": [actor],
        "object": {
            "id": format!("{}/notes/{run}-{number}", sender.actor), "type": "Note",
            "attributedTo": sender.actor, "to": [public], "cc": [actor], "published": now.rfc3339(),
            "content": format!("<p>@{name} berry number {number}, seen from the other side of the valley</p>"),
            "tag": [{ "type": "Mention", "href": actor, "name": format!("@{name}") }],
        },
    })
}

impl Work for Inbox {
    fn kinds(&self) -> &'static [Kind] {
        KINDS
    }

    fn choose(&self, dice: u64) -> usize {
        usize::from(dice.is_multiple_of(LIKE_EVERY))
    }

    fn act(self: Arc<Self>, call: Call) -> BoxFuture<'static, Result<(), Flaw>> {
        Box::pin(async move {
            let ask = self.ready.lock()[call.kind].pop();
            let ask = ask.ok_or(Flaw::Spent)?;
            self.stage.client.send(&ask).await?.good().map(drop)
        })
    }
}

impl Play for Inbox {
    fn prepare<'a>(&'a self, course: &'a Course) -> BoxFuture<'a, Result<(), Problem>> {
        let seconds = (course.warm + course.span).as_secs_f64();
        let count = (course.shape.peak_per_s() * seconds * SPARE) as usize + 100;
        Box::pin(self.sign_all(count.min(ACTIVITIES_MAX)))
    }

    fn work(self: Arc<Self>) -> Arc<dyn Work> {
        self
    }
}
