//! Delivers an activity: one signed POST to one inbox.
//!
//! The first knock is signed by draft-cavage unless the host is known to take
//! RFC 9421. That order is safe: several servers answer 202 to a signature
//! they cannot read and drop the activity later, but all of them read cavage.
//! A host that refuses the signature gets a second knock with the other one,
//! and what it accepts is remembered.

mod moved;
mod signers;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io::ErrorKind;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method};
use moka::sync::Cache;
use tokio::time::timeout;
use url::Url;

use self::signers::Signers;
use super::handler::{Attempt, Handler};
use super::outcome::{FailureKind, Outcome, Report};
use super::workshop::Workshop;
use crate::base::{Clock, Id, IdGenerator, Timestamp};
use crate::domain::delivery::authority_of;
use crate::domain::moderation::server::is_shut_out;
use crate::model::queue::{Act, ActivityKind, Job, SignatureProfile};
use crate::model::tables::{ACCOUNT, ACCOUNT_KEY};
use crate::model::{KeyPair, Site};
use crate::net::client::{Answer, Client, FetchError, Outgoing, Times, parse_url};
use crate::store::{Store, StoreError};
use crate::wire::activitypub::write;
use crate::wire::http_signature::{self, Kind, PrivateKey, Signer};

/// The media type of inbox posts. Some servers answer 406 to any other.
const ACTIVITY_JSON: &str = "application/activity+json";
/// A number of seconds from here on is a date.
const EPOCH_SECONDS_MIN: u32 = 1_000_000_000;
/// Bodies kept ready for sending.
const BODIES_MAX_BYTES: u64 = 64 << 20;
/// Keys kept ready for signing.
const KEYS_MAX: u64 = 1024;
/// How long a changed key may stay unnoticed.
const KEYS_FOR: Duration = Duration::from_secs(60);
/// Inboxes that moved or are gone are remembered so long, and so many.
const MOVED_FOR: Duration = Duration::from_secs(24 * 3600);
const MOVED_MAX: u64 = 10_000;
/// Steps of an attempt; the worker ends the whole after 15 s.
const DNS_MAX: Duration = Duration::from_secs(2);
const CONNECT_MAX: Duration = Duration::from_secs(5);
const READ_MAX: Duration = Duration::from_secs(5);
/// And of our own store: a database that is away is no failure of the other server.
const STORE_MAX: Duration = Duration::from_secs(5);
const TOTAL_MAX: Duration = Duration::from_secs(14);

/// The handler of [`crate::model::queue::JobKind::Deliver`]; cheap to clone.
#[derive(Clone)]
pub struct Deliver {
    store: Store,
    client: Client,
    site: Arc<Site>,
    clock: Arc<dyn Clock>,
    ids: Arc<IdGenerator>,
    /// Of the actor that stands for the server itself.
    instance_key: Arc<KeyPair>,
    attempt_max: Duration,
    keys: Cache<Id, Arc<Key>>,
    /// By act: one post goes to many servers.
    bodies: Cache<Id, Bytes>,
    /// Inboxes whose owners were looked for.
    moved: Cache<String, ()>,
    /// All processors but one sign, so that answering people is not starved
    /// by a wave of deliveries.
    signers: Arc<Signers>,
}

/// A key ready for use, with its public name.
struct Key {
    id: String,
    private: PrivateKey,
}

/// Our side cannot make the request.
#[derive(Debug)]
enum Obstacle {
    /// Never will.
    Broken(&'static str),
    /// Not now.
    Later(String),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Broken(why) => f.write_str(why),
            Obstacle::Later(why) => f.write_str(why),
        }
    }
}

impl Error for Obstacle {}

impl From<StoreError> for Obstacle {
    fn from(error: StoreError) -> Obstacle {
        Obstacle::Later(error.to_string())
    }
}

impl From<Obstacle> for Outcome {
    fn from(obstacle: Obstacle) -> Outcome {
        match obstacle {
            Obstacle::Broken(why) => Outcome::Broken { detail: why.into() },
            Obstacle::Later(why) => Outcome::TryLater { detail: why },
        }
    }
}

impl Handler for Deliver {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, Report> {
        let deliver = self.clone();
        Box::pin(async move {
            let inbox = attempt.inbox.clone();
            let report = deliver.attempt(attempt).await;
            deliver.look_for_owners(inbox, &report.outcome).await;
            report
        })
    }
}

impl Deliver {
    /// A handler that signs with the accounts' keys in the store, and with
    /// this one for the server itself.
    /// An attempt ends after `attempt_max`, and never later than the worker ends it.
    pub fn new(workshop: &Workshop, client: Client, instance_key: KeyPair, attempt_max: Duration) -> Deliver {
        let Workshop { store, site, clock, ids } = workshop.clone();
        let processors = available_parallelism().map_or(1, NonZero::get);
        Deliver {
            store,
            client,
            site: Arc::new(site),
            clock,
            ids,
            moved: Cache::builder().max_capacity(MOVED_MAX).time_to_live(MOVED_FOR).build(),
            instance_key: Arc::new(instance_key),
            attempt_max: attempt_max.min(TOTAL_MAX),
            bodies: Cache::builder()
                .max_capacity(BODIES_MAX_BYTES)
                .weigher(|_, body: &Bytes| u32::try_from(body.len()).unwrap_or(u32::MAX))
                .build(),
            keys: Cache::builder().max_capacity(KEYS_MAX).time_to_live(KEYS_FOR).build(),
            signers: Arc::new(Signers::start(processors.saturating_sub(1).max(1))),
        }
    }

    async fn attempt(&self, attempt: Attempt) -> Report {
        attempt.ours.set(true);
        match self.is_stopped(&attempt).await {
            Ok(false) => {}
            Ok(true) => return Outcome::Superseded.into(),
            Err(obstacle) => return Outcome::from(obstacle).into(),
        }
        let parcel = match self.parcel(&attempt).await {
            Ok(parcel) => parcel,
            Err(obstacle) => return Outcome::from(obstacle).into(),
        };
        attempt.ours.set(false);
        let first = self.knock(&parcel, attempt.profile, &attempt).await;
        if !is_about_signature(&first.outcome) {
            return first;
        }
        let other = other_profile(attempt.profile);
        let second = self.knock(&parcel, other, &attempt).await;
        // Some servers break over the signature they do not know, so the
        // first answer is the one to believe.
        if second.outcome == Outcome::Done { second } else { first }
    }

    /// Whether moderators decided in the meantime that this is not to be
    /// sent: its server is blocked, or its author suspended. What takes
    /// something back, and the news of the suspension, still goes out.
    async fn is_stopped(&self, attempt: &Attempt) -> Result<bool, Obstacle> {
        let (actor, kind) = (attempt.act.actor, attempt.act.kind);
        let host = attempt.inbox.as_deref().and_then(authority_of);
        let is_new = matches!(
            kind,
            ActivityKind::Create
                | ActivityKind::Update
                | ActivityKind::Announce
                | ActivityKind::Like
                | ActivityKind::Follow
        );
        let site = self.site.clone();
        let stopped = self.store.read(move |tx| {
            if host.map(|host| is_shut_out(tx, &site, &host)).transpose()? == Some(true) {
                return Ok(true);
            }
            let author = if is_new { tx.get(ACCOUNT, &actor)? } else { None };
            Ok(author.is_some_and(|author| author.suspended_at.is_some()))
        });
        in_time(stopped).await
    }

    async fn parcel(&self, attempt: &Attempt) -> Result<Parcel, Obstacle> {
        let inbox = attempt.inbox.as_deref().ok_or(Obstacle::Broken("no inbox"))?;
        let url = parse_url(inbox).map_err(|_| Obstacle::Broken("the inbox is no usable URL"))?;
        Ok(Parcel { url, body: self.body(attempt)?, key: self.key(attempt.act.actor).await? })
    }

    fn body(&self, attempt: &Attempt) -> Result<Bytes, Obstacle> {
        let act = attempt.key.act;
        if let Some(body) = self.bodies.get(&act) {
            return Ok(body);
        }
        let body = Bytes::from(body(&attempt.act)?);
        self.bodies.insert(act, body.clone());
        Ok(body)
    }

    async fn key(&self, actor: Id) -> Result<Arc<Key>, Obstacle> {
        if let Some(key) = self.keys.get(&actor) {
            return Ok(key);
        }
        let (owner, kept) = if actor == Id::ZERO {
            (self.site.instance_actor(), self.instance_key.as_ref().clone())
        } else {
            let kept = in_time(self.store.read(move |tx| tx.get(ACCOUNT_KEY, &actor))).await?;
            (self.site.actor(actor), kept.ok_or(Obstacle::Broken("the author has no key any more"))?)
        };
        let private = PrivateKey::from_pkcs8(&kept.private_der)
            .map_err(|_| Obstacle::Broken("the author's key is damaged"))?;
        let key = Arc::new(Key { id: format!("{owner}#main-key"), private });
        self.keys.insert(actor, key.clone());
        Ok(key)
    }

    /// One request.
    async fn knock(&self, parcel: &Parcel, profile: SignatureProfile, attempt: &Attempt) -> Report {
        let headers = match self.sign(parcel, profile).await {
            Ok(headers) => headers,
            Err(obstacle) => return Outcome::from(obstacle).into(),
        };
        let mut request = Outgoing::post(parcel.url.as_str(), parcel.body.clone()).times(Times {
            dns: DNS_MAX,
            connect: CONNECT_MAX,
            headers: attempt.answer_within,
            read: READ_MAX,
            total: self.attempt_max,
        });
        for (name, value) in headers {
            if let Some(name) = name {
                request = request.header(name, value);
            }
        }
        let (sent, now) = (self.client.send(request).await, self.clock.now());
        let quiet_for = sent.as_ref().ok().and_then(|answer| used_up_for(&answer.headers, now));
        let outcome = outcome_of(sent, now);
        let profile = (outcome == Outcome::Done).then_some(profile);
        Report { outcome, profile, quiet_for }
    }

    /// The headers of a signed request. RSA takes most of a millisecond, so
    /// it is done outside of the async threads.
    async fn sign(&self, parcel: &Parcel, profile: SignatureProfile) -> Result<HeaderMap, Obstacle> {
        let (parcel, now, asked) = (parcel.clone(), self.clock.now(), self.clock.monotonic());
        let signed = self.signers.run(move || sign(&parcel, profile, now)).await;
        let took_s = self.clock.monotonic().saturating_sub(asked).as_secs_f64();
        metrics::histogram!("waxwing_delivery_sign_seconds").record(took_s);
        signed.ok_or_else(|| Obstacle::Later("signing was cut short".into()))?
    }
}

/// What the store says, unless it takes so long that the attempt would end
/// for its sake.
async fn in_time<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, Obstacle> {
    let late = |_| Obstacle::Later("the store does not answer".into());
    Ok(timeout(STORE_MAX, asked).await.map_err(late)??)
}

/// What is sent, ready but for the signature.
#[derive(Clone)]
struct Parcel {
    url: Url,
    body: Bytes,
    key: Arc<Key>,
}

fn body(act: &Act) -> Result<Vec<u8>, Obstacle> {
    match &act.job {
        Job::Say(said) => Ok(write::to_bytes(&write::outgoing(said))),
        _ => act.body.unpack().map_err(|_| Obstacle::Broken("the activity is damaged")),
    }
}

fn sign(parcel: &Parcel, profile: SignatureProfile, now: Timestamp) -> Result<HeaderMap, Obstacle> {
    let mut headers = HeaderMap::new();
    let host = HeaderValue::from_str(&http_signature::host_header(&parcel.url))
        .map_err(|_| Obstacle::Broken("the inbox is no usable URL"))?;
    headers.insert(HOST, host);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(ACTIVITY_JSON));
    let request =
        http_signature::Outgoing { method: &Method::POST, url: &parcel.url, body: Some(&parcel.body), now };
    let kind = match profile {
        SignatureProfile::Cavage => Kind::Cavage,
        SignatureProfile::Rfc9421 => Kind::Rfc9421,
    };
    let signer = Signer { key_id: &parcel.key.id, key: &parcel.key.private };
    http_signature::sign(kind, &request, &signer, &mut headers)
        .map_err(|_| Obstacle::Broken("the request cannot be signed"))?;
    Ok(headers)
}

fn other_profile(profile: SignatureProfile) -> SignatureProfile {
    match profile {
        SignatureProfile::Cavage => SignatureProfile::Rfc9421,
        SignatureProfile::Rfc9421 => SignatureProfile::Cavage,
    }
}

/// Answers that another signature may change.
fn is_about_signature(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unauthorized | Outcome::Refused { status: 400 })
}

/// What the answer to a request, or its failure, means.
pub fn outcome_of(sent: Result<Answer, FetchError>, now: Timestamp) -> Outcome {
    let error = match sent {
        Ok(answer) => return Outcome::of_status(answer.status.as_u16(), None),
        Err(error) => error,
    };
    let failed = |kind| Outcome::failed(kind, 0, error.to_string());
    match &error {
        FetchError::Status(answer) => {
            let quiet = retry_after(&answer.headers, now).or_else(|| used_up_for(&answer.headers, now));
            Outcome::of_status(answer.status.as_u16(), quiet)
        }
        FetchError::Redirected(status) => Outcome::Refused { status: status.as_u16() },
        // Only a good answer is read to its end: it was accepted.
        FetchError::TooLarge(_) | FetchError::Encoded => Outcome::Done,
        FetchError::Timeout(_) => failed(FailureKind::Timeout),
        FetchError::Tls(_) => failed(FailureKind::Tls),
        // A name that is gone is not a resolver in trouble: taking the one for
        // the other would bury every host.
        FetchError::Dns(error) if error.kind() == ErrorKind::NotFound => failed(FailureKind::Unresolved),
        FetchError::Dns(_) => failed(FailureKind::Resolver),
        FetchError::Connect(_)
        | FetchError::Refused(_)
        | FetchError::Protocol(_)
        | FetchError::HeadTooLarge
        | FetchError::TooManyRedirects
        | FetchError::BadRedirect(_) => failed(FailureKind::Connection),
        FetchError::Busy => Outcome::TryLater { detail: error.label().into() },
        FetchError::Url(_) | FetchError::OwnHost | FetchError::Sign(_) => {
            Outcome::Broken { detail: error.label().into() }
        }
    }
}

/// How long until a host takes more, where it says that what it takes is used
/// up: `X-RateLimit-Remaining: 0` with `X-RateLimit-Reset`, as a date
/// (Mastodon), seconds since 1970 (GitHub) or seconds from now.
fn used_up_for(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    text("x-ratelimit-remaining").filter(|left| *left == "0")?;
    let reset = text("x-ratelimit-reset")?;
    let at = match reset.parse::<u32>() {
        Ok(seconds) if seconds < EPOCH_SECONDS_MIN => return Some(Duration::from_secs(seconds.into())),
        Ok(seconds) => Timestamp::from_secs(seconds.into()),
        Err(_) => Timestamp::parse_rfc3339(reset)?,
    };
    Some(at.since(now))
}

/// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(now.system_time()).unwrap_or(Duration::ZERO))
}
