//! What a sandbox's client was asked to send: kept to be looked at, sent
//! nowhere.
//!
//! Must not know why it is sent: it tells deliveries, pushes and fetches
//! apart by what they are on the wire.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Method};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::timeout;
use url::Url;

use crate::base::{Clock, Timestamp};

/// Messages that are kept; the oldest go first.
pub const KEPT_MAX: usize = 1000;
/// Bytes of all their bodies.
const KEPT_MAX_BYTES: usize = 32 * 1024 * 1024;

/// What sort of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// An activity for another server's inbox.
    Delivery,
    /// A notification for a push endpoint (RFC 8030).
    Push,
    /// An event for a webhook.
    Webhook,
    /// A mail; as JSON.
    Mail,
    /// Something that was looked up elsewhere; it was not found.
    Fetch,
    /// Anything else.
    Other,
}

impl Sort {
    /// From its word.
    pub fn from_word(word: &str) -> Option<Sort> {
        Some(match word {
            "delivery" => Sort::Delivery,
            "push" => Sort::Push,
            "webhook" => Sort::Webhook,
            "mail" => Sort::Mail,
            "fetch" => Sort::Fetch,
            "other" => Sort::Other,
            _ => return None,
        })
    }

    fn of(method: &Method, headers: &HeaderMap) -> Sort {
        let is = |name, start: &str| {
            headers.get(name).is_some_and(|value| value.as_bytes().starts_with(start.as_bytes()))
        };
        if *method == Method::GET {
            Sort::Fetch
        } else if is(CONTENT_TYPE, "application/activity+json") {
            Sort::Delivery
        } else if is(CONTENT_ENCODING, "aes") {
            Sort::Push
        } else if headers.contains_key("x-hub-signature") {
            Sort::Webhook
        } else {
            Sort::Other
        }
    }
}

/// One message that would have been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Counts up from 1, never again the same.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// What it is.
    pub sort: Sort,
    /// How.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: Bytes,
}

/// The messages of a sandbox; cheap to clone.
#[derive(Clone)]
pub struct Outbox(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
    count: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    all: VecDeque<Arc<Sent>>,
    bytes: usize,
    last: u64,
}

impl Outbox {
    /// An empty one.
    pub fn new(clock: Arc<dyn Clock>) -> Outbox {
        Outbox(Arc::new(Inner { clock, kept: Mutex::default(), count: watch::channel(0).0 }))
    }

    /// Keeps one message.
    pub(super) fn keep(&self, method: &Method, url: Url, headers: &HeaderMap, body: Bytes) {
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers_kept = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        self.put(Sort::of(method, headers), method.clone(), url, headers_kept, body);
    }

    /// Keeps one mail: `to` is an address, `body` what a person may read of it.
    pub(in crate::net) fn keep_mail(&self, to: &str, body: Bytes) {
        let mut url = Url::parse("mailto:nobody").expect("a constant that is an address");
        url.set_path(to);
        self.put(Sort::Mail, Method::POST, url, BTreeMap::new(), body);
    }

    fn put(&self, sort: Sort, method: Method, url: Url, headers: BTreeMap<String, String>, body: Bytes) {
        let mut kept = self.0.kept.lock();
        kept.last += 1;
        kept.bytes += body.len();
        let sent = Sent { number: kept.last, at: self.0.clock.now(), sort, method, url, headers, body };
        kept.all.push_back(Arc::new(sent));
        while kept.all.len() > KEPT_MAX || kept.bytes > KEPT_MAX_BYTES {
            let Some(oldest) = kept.all.pop_front() else { break };
            kept.bytes -= oldest.body.len();
        }
        self.0.count.send_replace(kept.last);
    }

    /// Every message that is kept, oldest first.
    pub fn all(&self) -> Vec<Arc<Sent>> {
        self.0.kept.lock().all.iter().cloned().collect()
    }

    /// Throws them away.
    pub fn clear(&self) {
        let mut kept = self.0.kept.lock();
        kept.all.clear();
        kept.bytes = 0;
    }

    /// Waits until `enough` of those that `wanted` takes are there, or `most`
    /// has passed; gives those that are.
    pub async fn wait(
        &self,
        enough: usize,
        most: Duration,
        wanted: impl Fn(&Sent) -> bool,
    ) -> Vec<Arc<Sent>> {
        let matching = || -> Vec<Arc<Sent>> { self.all().into_iter().filter(|sent| wanted(sent)).collect() };
        let mut news = self.0.count.subscribe();
        let arrive = async { while matching().len() < enough && news.changed().await.is_ok() {} };
        // Too late is no failure: the caller sees what there is.
        let _ = timeout(most, arrive).await;
        matching()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ManualClock;

    fn outbox() -> Outbox {
        Outbox::new(Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000))))
    }

    fn keep(outbox: &Outbox, method: Method, header: (http::HeaderName, &'static str), body: Vec<u8>) {
        let headers = HeaderMap::from_iter([(header.0, http::HeaderValue::from_static(header.1))]);
        outbox.keep(&method, Url::parse("https://b.example/inbox").unwrap(), &headers, body.into());
    }

    #[test]
    fn messages_are_told_apart_by_what_they_are() {
        let outbox = outbox();
        keep(&outbox, Method::POST, (CONTENT_TYPE, "application/activity+json"), vec![]);
        keep(&outbox, Method::POST, (CONTENT_ENCODING, "aes128gcm"), vec![]);
        keep(&outbox, Method::GET, (CONTENT_TYPE, "x/y"), vec![]);
        keep(&outbox, Method::POST, (CONTENT_TYPE, "text/plain"), vec![]);
        let sorts: Vec<(u64, Sort)> = outbox.all().iter().map(|sent| (sent.number, sent.sort)).collect();
        assert_eq!(sorts, [(1, Sort::Delivery), (2, Sort::Push), (3, Sort::Fetch), (4, Sort::Other)]);
    }

    #[test]
    fn old_ones_make_room_by_count_and_by_bytes() {
        let outbox = outbox();
        for _ in 0..KEPT_MAX + 3 {
            keep(&outbox, Method::GET, (CONTENT_TYPE, "x/y"), vec![]);
        }
        assert_eq!((outbox.all().len(), outbox.all()[0].number), (KEPT_MAX, 4));
        for _ in 0..3 {
            keep(&outbox, Method::POST, (CONTENT_TYPE, "x/y"), vec![0; KEPT_MAX_BYTES / 2]);
        }
        assert_eq!(outbox.all().len(), 2);
        outbox.clear();
        assert!(outbox.all().is_empty());
    }

    #[tokio::test]
    async fn waiting_ends_when_enough_arrived_or_time_is_up() {
        let outbox = outbox();
        let waiting = tokio::spawn({
            let outbox = outbox.clone();
            async move { outbox.wait(1, Duration::from_secs(5), |sent| sent.sort == Sort::Fetch).await.len() }
        });
        keep(&outbox, Method::POST, (CONTENT_TYPE, "x/y"), vec![]);
        tokio::task::yield_now().await;
        keep(&outbox, Method::GET, (CONTENT_TYPE, "x/y"), vec![]);
        assert_eq!(waiting.await.unwrap(), 1);
        assert!(outbox.wait(2, Duration::ZERO, |sent| sent.sort == Sort::Fetch).await.len() == 1);
    }
}
