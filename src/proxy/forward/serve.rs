//! A client's connection from request to request.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use parking_lot::Mutex;

use super::buffer::Buffer;
use super::client::{Client, Next};
use super::exchange::{Nothing, Order, Won, deadline, exchange};
use super::field::Kind;
use super::head::{Framing, RequestHead};
use super::http2;
use super::link::Asks;
use super::outgoing::{Origin, push_request, push_switch};
use super::refusal::Refusal;
use super::relay::{self, After, Wants};
use super::tunnel::tunnel;
use super::upload::{self, Failed, Upload};
use super::worker::Worker;
use crate::proxy::dice::mix;
use crate::proxy::{Ask, Outcome, Policy, sticky_cookie, sticky_token};

/// The host for clients of HTTP/1.0 that name none.
const NO_HOST: &[u8] = b"localhost";

/// Serves a client until its connection ends.
pub(super) async fn serve(mut client: Client, worker: Arc<Worker>) {
    loop {
        let after = match client.next(&worker).await {
            Next::Request(end) => handle(&mut client, &worker, end).await,
            Next::Http2 => return http2::serve(client, worker).await,
            Next::Refused(refusal) => refuse(&mut client, &worker, refusal).await,
            Next::End => return,
        };
        match after {
            After::Keep => {}
            After::Close => return client.close(&worker).await,
            After::Cut => return,
            After::Tunnel(link, streaming) => {
                tunnel(&mut client, link, &worker).await;
                return drop(streaming);
            }
        }
    }
}

async fn refuse(client: &mut Client, worker: &Worker, refusal: Refusal) -> After {
    tracing::debug!(status = refusal.status, "a request was refused: {}", refusal.reason);
    match client.refuse(worker, refusal, true).await {
        Ok(()) => After::Close,
        Err(_) => After::Cut,
    }
}

async fn handle(client: &mut Client, worker: &Worker, end: usize) -> After {
    worker.shared.requests.fetch_add(1, Relaxed);
    let prepared = prepare(client, worker, end);
    let (mut ask, wants, asks) = match prepared {
        Ok(prepared) => prepared,
        Err(refusal) => return refuse(client, worker, refusal).await,
    };
    if client.head.max_forwards == Some(0) && wants.counts_forwards {
        return answer_ourselves(client, worker, &wants).await;
    }
    let framing = client.head.framing;
    let is_complete = if client.head.expects_continue {
        client.begin_upload(worker, framing)
    } else {
        client.keep_body(worker, framing).await
    };
    match is_complete {
        Ok(true) => whole(client, worker, &mut ask, wants, asks).await,
        Ok(false) => streamed(client, worker, &mut ask, wants, asks).await,
        Err(refusal) => refuse(client, worker, refusal).await,
    }
}

/// Reads the head, writes the one for the upstream, and notes what is needed
/// later; the head's bytes are gone then.
fn prepare(client: &mut Client, worker: &Worker, end: usize) -> Result<(Ask, Wants, Asks), Refusal> {
    let bytes = client.inbound.filled().get(..end).unwrap_or_default();
    client.head.parse(bytes)?;
    let head = &client.head;
    let method = head.method.of(bytes);
    if method == b"TRACE" && head.has_body() {
        return Err(Refusal::bad("TRACE has no body"));
    }
    let asks = Asks {
        to_head: method == b"HEAD",
        upgrades: head.upgrade.is_some(),
        expects_continue: head.expects_continue,
    };
    let wants = Wants {
        is_http_10: head.is_http_10,
        keeps_alive: head.keeps_alive() && !client.stop.is_cancelled(),
        counts_forwards: head.counts_forwards(bytes),
        is_trace: method == b"TRACE",
        is_https: client.origin.is_https(),
    };
    let ask = ask_of(worker, head, bytes, &client.origin, client.peer.ip());
    client.request.clear();
    push_request(&mut client.request, head, bytes, &client.origin, NO_HOST);
    client.inbound.consume(end);
    Ok((ask, wants, asks))
}

/// What the balancer must know of a request.
pub(super) fn ask_of(
    worker: &Worker,
    head: &RequestHead,
    bytes: &[u8],
    origin: &Origin,
    peer: IpAddr,
) -> Ask {
    let mut ask = Ask::new(deadline(worker));
    ask.is_idempotent = head.is_idempotent(bytes, worker.shared.settings.keeps_key) && head.upgrade.is_none();
    ask.is_streaming = head.wants_events || head.upgrade.is_some();
    match worker.shared.balancer.policy() {
        Policy::UrlHash => ask.url_hash = hash(head.target.of(bytes)),
        Policy::IpHash => ask.address_hash = address_hash(head, bytes, origin, peer),
        Policy::StickyCookie => ask.sticky = sticky_of(head, bytes),
        _ => {}
    }
    ask
}

/// The client behind a proxy that is believed, or the one before us.
fn address_hash(head: &RequestHead, bytes: &[u8], origin: &Origin, peer: IpAddr) -> u64 {
    let told = head
        .fields
        .all
        .iter()
        .find(|field| origin.is_trusted && field.name.of(bytes).eq_ignore_ascii_case(b"x-forwarded-for"));
    match (told, peer.to_canonical()) {
        (Some(field), _) => {
            let value = field.value.of(bytes);
            hash(value.split(|byte| *byte == b',').next().unwrap_or_default())
        }
        (None, IpAddr::V4(v4)) => hash(&v4.octets()),
        (None, IpAddr::V6(v6)) => hash(&v6.octets()),
    }
}

fn sticky_of(head: &RequestHead, bytes: &[u8]) -> Option<u64> {
    let cookies = head.fields.all.iter().filter(|field| field.kind == Kind::Cookie);
    cookies.filter_map(|field| std::str::from_utf8(field.value.of(bytes)).ok()).find_map(sticky_token)
}

/// FNV-1a, spread: the same at all balancers, and no secret.
fn hash(bytes: &[u8]) -> u64 {
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
}

/// The last hop that a request wanted is ours (RFC 9110 §7.6.2).
async fn answer_ourselves(client: &mut Client, worker: &Worker, wants: &Wants) -> After {
    let refusal = match wants.is_trace {
        true => Refusal::new(405, "TRACE is not answered here"),
        false => Refusal::new(200, "this is a proxy"),
    };
    refuse(client, worker, refusal).await
}

/// A request that is here from its first to its last byte.
async fn whole(client: &mut Client, worker: &Worker, ask: &mut Ask, wants: Wants, asks: Asks) -> After {
    let request = std::mem::take(&mut client.request);
    let mut timer = std::mem::take(&mut client.timer);
    let interim = Mutex::new(Buffer::default());
    let order =
        Order { bytes: request.filled(), asks, is_idempotent: ask.is_idempotent, interim: Some(&interim) };
    let answered = exchange(worker, ask, &order, &mut timer, client).await;
    (client.request, client.timer) = (request, timer);
    match answered {
        Ok(won) => pass_on(client, worker, ask, won, Upload::DONE, wants).await,
        Err(nothing) => give_up(client, worker, nothing, wants.keeps_alive).await,
    }
}

/// A request whose body still comes.
async fn streamed(client: &mut Client, worker: &Worker, ask: &mut Ask, wants: Wants, asks: Asks) -> After {
    let request = std::mem::take(&mut client.request);
    let mut timer = std::mem::take(&mut client.timer);
    let order = Order { bytes: request.filled(), asks, is_idempotent: ask.is_idempotent, interim: None };
    let answered = upload::send(worker, ask, &order, &mut timer, client).await;
    (client.request, client.timer) = (request, timer);
    match answered {
        Ok((won, upload)) => pass_on(client, worker, ask, won, upload, wants).await,
        Err(Failed::Nothing(nothing)) => give_up(client, worker, nothing, false).await,
        Err(Failed::Body(refusal)) => refuse(client, worker, refusal).await,
    }
}

async fn give_up(client: &mut Client, worker: &Worker, nothing: Nothing, keeps_alive: bool) -> After {
    let Some(refusal) = refusal_of(nothing) else { return After::Cut };
    match client.refuse(worker, refusal, !keeps_alive).await {
        Ok(()) if keeps_alive => After::Keep,
        Ok(()) => After::Close,
        Err(_) => After::Cut,
    }
}

/// What a client is told that gets no answer.
pub(super) fn refusal_of(nothing: Nothing) -> Option<Refusal> {
    match nothing {
        Nothing::NoUpstream => Some(Refusal::new(503, "no upstream takes requests now")),
        Nothing::Failed(Outcome::Timeout) => Some(Refusal::new(504, "the upstream did not answer in time")),
        Nothing::Failed(_) => Some(Refusal::new(502, "the upstream gave no answer")),
        Nothing::Gone => None,
    }
}

async fn pass_on(
    client: &mut Client,
    worker: &Worker,
    ask: &Ask,
    won: Won,
    upload: Upload,
    wants: Wants,
) -> After {
    let Won { mut link, upstream, .. } = won;
    if link.head.status == 101 {
        let bytes = link.inbound.filled().get(..link.head.len).unwrap_or_default();
        let protocol = link.head.fields.all.iter().find(|field| field.kind == Kind::Upgrade);
        let Some(protocol) = protocol else {
            return give_up(client, worker, Nothing::Failed(Outcome::Reset), false).await;
        };
        push_switch(&mut client.out, &link.head, bytes, protocol.value.of(bytes));
        link.inbound.consume(link.head.len);
        return After::Tunnel(link, upstream.stream());
    }
    let is_new =
        worker.shared.balancer.policy() == Policy::StickyCookie && ask.sticky != Some(upstream.sticky());
    let cookie = is_new.then(|| sticky_cookie(upstream.sticky(), wants.is_https));
    relay::relay(client, worker, link, &upstream, upload, wants, cookie.as_deref()).await
}

impl Client {
    /// Makes ready for a body that the client sends when it is told to.
    fn begin_upload(&mut self, worker: &Worker, framing: Framing) -> Result<bool, Refusal> {
        self.upload.start(framing);
        self.body_left = worker.shared.settings.body_max_bytes;
        match framing {
            Framing::Length(length) if length > self.body_left => {
                Err(Refusal::new(413, "the body is too long"))
            }
            _ => Ok(false),
        }
    }
}
