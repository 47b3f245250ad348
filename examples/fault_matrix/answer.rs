//! What a peer does with a whole request.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::header::{CONNECTION, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use waxwing::base::Timestamp;
use waxwing::wire::http_signature::{self, Kind};

use crate::behaviour::Reply;
use crate::fleet::{Asked, Peer};
use crate::measure::micros;
use crate::parcel;

/// Longest body that a peer reads.
const BODY_MAX_BYTES: usize = 1 << 20;

pub(crate) async fn answer(peer: &Peer, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_MAX_BYTES).collect().await.map_err(io::Error::other)?.to_bytes();
    if peer.shared.is_lean() {
        return Ok(response(202, None));
    }
    let kind = kind_of(peer, &head, &body);
    let parcel = parcel::read(&body);
    let now = Instant::now();
    let reply = peer.behaviour.lock().reply(kind, now, &peer.shared.chance);
    let status = if let Reply::After { status, .. } = reply { status } else { 0 };
    let date = head.headers.get("date").and_then(|date| date.to_str().ok()).map(str::to_owned);
    peer.log.lock().push(Asked { at: now, status, date });
    let _waiting = Waiting::new(peer);
    let Reply::After { wait, status, retry_after, keeps } = reply else {
        return std::future::pending().await;
    };
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    if (200..300).contains(&status)
        && keeps
        && let Some(parcel) = parcel
    {
        peer.shared.ledger.arrived(peer.number, parcel);
    }
    let mut response = response(status, retry_after);
    if peer.shared.closes() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

fn response(status: u16, retry_after: Option<u64>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    // A peer that is to be turned into one below HTTP must be met anew.
    if status >= 500 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// How a request is signed; a sample is checked with the key it names.
fn kind_of(peer: &Peer, head: &Parts, body: &[u8]) -> Option<Kind> {
    let kind = if head.headers.contains_key("signature-input") {
        Kind::Rfc9421
    } else if head.headers.contains_key("signature") {
        Kind::Cavage
    } else {
        return None;
    };
    let good = peer.shared.is_sample().then(|| is_good(peer, head, body));
    peer.shared.ledger.signed(|signatures| {
        match kind {
            Kind::Cavage => signatures.cavage += 1,
            Kind::Rfc9421 => signatures.rfc9421 += 1,
        }
        match good {
            Some(true) => signatures.good += 1,
            Some(false) => signatures.bad += 1,
            None => {}
        }
    });
    Some(kind)
}

fn is_good(peer: &Peer, head: &Parts, body: &[u8]) -> bool {
    let origin = format!("{}://{}", peer.shared.scheme, peer.address);
    let incoming = http_signature::Incoming {
        method: &head.method,
        path_and_query: head.uri.path(),
        origin: &origin,
        headers: &head.headers,
        body,
        now: Timestamp::from_millis((micros() / 1000) as i64),
    };
    let Ok(claim) = http_signature::read(&incoming) else { return false };
    let key = peer.shared.keys.lock().get(&claim.key_id).cloned();
    key.is_some_and(|key| claim.verify(&key).is_ok())
}

/// Counts a request for as long as it waits, however it ends.
struct Waiting<'a>(&'a AtomicUsize);

impl Waiting<'_> {
    fn new(peer: &Peer) -> Waiting<'_> {
        let now = peer.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        peer.most_waiting.fetch_max(now, Ordering::Relaxed);
        Waiting(&peer.waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
