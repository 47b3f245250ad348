//! Requests that come as `http` has them: over HTTP/2, or from a server that
//! read them itself.

use std::any::Any;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::header::{CONTENT_LENGTH, COOKIE, HOST, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

use super::answer::AnswerBody;
use super::switch::switch;
use crate::proxy::forward::buffer::Buffer;
use crate::proxy::forward::client::{Client, push_data};
use crate::proxy::forward::exchange::{Nothing, Order, Waiting, exchange};
use crate::proxy::forward::field::Kind;
use crate::proxy::forward::field::kind;
use crate::proxy::forward::head::{Framing, RequestHead};
use crate::proxy::forward::link::Asks;
use crate::proxy::forward::outgoing::{Origin, push_field, push_request};
use crate::proxy::forward::patience::Patience;
use crate::proxy::forward::refusal::Refusal;
use crate::proxy::forward::serve::{ask_of, refusal_of};
use crate::proxy::forward::settings::{KEPT_BODY_MAX_BYTES, STALL_MAX};
use crate::proxy::forward::timer::Timer;
use crate::proxy::forward::upload::{self, Failed, Source, Upload};
use crate::proxy::forward::worker::Worker;

/// Requests under way on one connection.
const STREAMS_MAX: u32 = 128;
/// Bytes of a request's head.
const HEAD_MAX_BYTES: u32 = 64 * 1024;

/// Who asks.
pub struct Caller {
    pub(super) address: IpAddr,
    pub(super) origin: Origin,
    pub(super) held: Option<Held>,
}

/// What a connection that changed its protocol keeps to its end.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) _guard: Arc<dyn Any + Send + Sync>,
    pub(super) cut: CancellationToken,
}

impl Caller {
    /// A client at this address. If it is trusted, what it says of others
    /// (`Forwarded`, `X-Forwarded-*`) is believed.
    pub fn new(address: IpAddr, is_https: bool, is_trusted: bool) -> Caller {
        Caller { address, origin: Origin::new(address, is_https, is_trusted), held: None }
    }

    /// With something to be kept for as long as its connection carries another
    /// protocol, which ends with `cut`.
    #[must_use]
    pub fn holding(mut self, guard: Arc<dyn Any + Send + Sync>, cut: CancellationToken) -> Caller {
        self.held = Some(Held { _guard: guard, cut });
        self
    }
}

/// Serves a client that speaks HTTP/2.
pub(in crate::proxy::forward) async fn serve(client: Client, worker: Arc<Worker>) {
    let Client { io, inbound, origin, peer, stop, .. } = client;
    let caller = Arc::new(Caller { address: peer.ip(), origin, held: None });
    let service = service_fn(move |request: Request<Incoming>| {
        let (worker, caller) = (worker.clone(), caller.clone());
        async move {
            let answer = forward(&worker, &caller, request).await;
            Ok::<_, Infallible>(answer.unwrap_or_else(refuse))
        }
    });
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_MAX_BYTES)
        .keep_alive_interval(STALL_MAX)
        .serve_connection(TokioIo::new(Begun { io, inbound }), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    // A broken connection is the client's affair.
    let _ = connection.await;
}

/// A connection of which the beginning was read already.
struct Begun<I> {
    io: I,
    inbound: Buffer,
}

impl<I: AsyncRead + Unpin> AsyncRead for Begun<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.inbound.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, into);
        }
        let count = into.remaining().min(self.inbound.len());
        into.put_slice(self.inbound.filled().get(..count).unwrap_or_default());
        self.inbound.consume(count);
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Begun<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

fn refuse<B>(refusal: Refusal) -> Response<AnswerBody<B>> {
    let mut response = Response::new(AnswerBody::of_text(refusal.reason));
    *response.status_mut() = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_GATEWAY);
    if let Some(seconds) = refusal.retry_after_s() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Sends a request to one of the upstreams; gives its answer. Where the
/// connection may change its protocol (HTTP/1.1 read by hyper), it is carried
/// on in a task of its own.
///
/// # Errors
/// Why there is no answer of an upstream.
pub async fn forward<B>(
    worker: &Arc<Worker>,
    caller: &Caller,
    mut request: Request<B>,
) -> Result<Response<AnswerBody<B>>, Refusal>
where
    B: Body<Data = Bytes> + Unpin + Send + 'static,
{
    worker.shared.requests.fetch_add(1, Relaxed);
    let may_switch = request.extensions().get::<OnUpgrade>().is_some();
    let text = text_of(&request, may_switch)?;
    let mut head = RequestHead::default();
    let end = head.lines.find_end(text.filled())?.ok_or(Refusal::bad("the head is not one"))?;
    if end != text.len() {
        return Err(Refusal::bad("the head has an empty line in it"));
    }
    head.parse(text.filled())?;
    if head.framing == Framing::None && !request.body().is_end_stream() {
        head.framing = Framing::Chunked;
    }
    let mut sent = Buffer::default();
    push_request(&mut sent, &head, text.filled(), &caller.origin, b"localhost");
    let mut ask = ask_of(worker, &head, text.filled(), &caller.origin, caller.address);
    let upgrades = head.upgrade.is_some();
    let to_head = head.method.of(text.filled()) == b"HEAD";
    // Whoever reads the body tells the client to send it.
    let asks = Asks { to_head, upgrades, expects_continue: false };
    let switching = upgrades.then(|| hyper::upgrade::on(&mut request));
    let body_max_bytes = worker.shared.settings.body_max_bytes;
    let mut source = Streamed::new(request.into_body(), head.framing, body_max_bytes)?;
    let mut timer = Timer::default();
    let is_complete = source.keep(worker, &mut sent, &mut timer).await?;
    let order = Order { bytes: sent.filled(), asks, is_idempotent: ask.is_idempotent, interim: None };
    let (won, upload) = if is_complete {
        let won = exchange(worker, &mut ask, &order, &mut timer, &mut source).await;
        (won.map_err(refusal)?, Upload::DONE)
    } else {
        match upload::send(worker, &mut ask, &order, &mut timer, &mut source).await {
            Ok(answered) => answered,
            Err(Failed::Nothing(nothing)) => return Err(refusal(nothing)),
            Err(Failed::Body(refusal)) => return Err(refusal),
        }
    };
    match switching {
        Some(switching) if won.link.head.status == 101 => switch(worker, caller, won, switching),
        _ => AnswerBody::answer(worker, &ask, won, upload, source, timer, caller.origin.is_https()),
    }
}

fn refusal(nothing: Nothing) -> Refusal {
    refusal_of(nothing).unwrap_or(Refusal::new(502, "the client left"))
}

/// A request as the text of HTTP/1.1, which is then read as strictly as any.
fn text_of<B>(request: &Request<B>, may_switch: bool) -> Result<Buffer, Refusal> {
    let mut text = Buffer::default();
    let uri = request.uri();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    for part in [request.method().as_str(), " ", path, " HTTP/1.1\r\n"] {
        text.push(part.as_bytes());
    }
    let named = request.headers().get(HOST);
    // RFC 9113 §8.3.1: where both are there, they must be the same.
    if let (Some(authority), Some(host)) = (uri.authority(), named)
        && !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes())
    {
        return Err(Refusal::bad("`:authority` and Host differ"));
    }
    if let (Some(authority), None) = (uri.authority(), named) {
        push_field(&mut text, b"host", authority.as_str().as_bytes());
    }
    for (name, value) in request.headers() {
        let kind = kind(name.as_str().as_bytes());
        // Framing was the affair of who read it, and a change of protocol is
        // one where that is no more.
        let stays = matches!(kind, Kind::TransferEncoding | Kind::Expect);
        if !stays && kind != Kind::Cookie && (may_switch || kind != Kind::Upgrade) {
            push_field(&mut text, name.as_str().as_bytes(), value.as_bytes());
        }
    }
    push_cookies(&mut text, request.headers());
    text.push(b"\r\n");
    let is_double = request.headers().get_all(CONTENT_LENGTH).iter().count() > 1;
    if is_double { Err(Refusal::bad("there are two Content-Lengths")) } else { Ok(text) }
}

/// HTTP/2 lets a client send its cookies in crumbs, HTTP/1.1 knows one line
/// only (RFC 9113 §8.2.3).
fn push_cookies(text: &mut Buffer, headers: &HeaderMap) {
    let mut begins: &[u8] = b"cookie: ";
    for crumb in headers.get_all(COOKIE) {
        text.push(begins);
        text.push(crumb.as_bytes());
        begins = b"; ";
    }
    if headers.contains_key(COOKIE) {
        text.push(b"\r\n");
    }
}

/// A body that somebody else reads.
pub(super) struct Streamed<B> {
    body: B,
    framing: Framing,
    /// Bytes that may still come.
    left: u64,
    /// Bytes so far.
    came: u64,
}

impl<B: Body<Data = Bytes> + Unpin> Streamed<B> {
    fn new(body: B, framing: Framing, max_bytes: u64) -> Result<Streamed<B>, Refusal> {
        match framing {
            Framing::Length(length) if length > max_bytes => Err(Refusal::new(413, "the body is too long")),
            _ => Ok(Streamed { body, framing, left: max_bytes, came: 0 }),
        }
    }

    /// Appends the body as far as it is here or, where it is short, all of
    /// it. Whether that was the end.
    async fn keep(&mut self, worker: &Worker, out: &mut Buffer, timer: &mut Timer) -> Result<bool, Refusal> {
        let is_awaited = match self.framing {
            Framing::None => return Ok(true),
            Framing::Length(length) => length <= KEPT_BODY_MAX_BYTES,
            _ => false,
        };
        let mut patience = Patience::new(worker.shared.settings.stall_timeout, worker.now());
        poll_fn(|cx| {
            while out.len() < 2 * KEPT_BODY_MAX_BYTES as usize {
                match self.poll_body(cx, out) {
                    Poll::Ready(Ok(true)) => return Poll::Ready(Ok(true)),
                    Poll::Ready(Ok(false)) => {}
                    Poll::Ready(Err(refusal)) => return Poll::Ready(Err(refusal)),
                    Poll::Pending if is_awaited => {
                        let late = Err(Refusal::new(408, "the body did not come in time"));
                        let patience = patience.poll(timer, self.came, || worker.now(), cx);
                        return patience.map(|()| late);
                    }
                    Poll::Pending => break,
                }
            }
            Poll::Ready(Ok(false))
        })
        .await
    }

    fn take(&mut self, count: usize) -> Result<(), Refusal> {
        let left = self.left.checked_sub(count as u64);
        self.left = left.ok_or(Refusal::new(413, "the body is too long"))?;
        self.came += count as u64;
        match self.framing {
            Framing::Length(length) if self.came > length => {
                Err(Refusal::bad("the body is longer than it says"))
            }
            _ => Ok(()),
        }
    }

    fn end(&self, out: &mut Buffer) -> Result<bool, Refusal> {
        match self.framing {
            Framing::Length(length) if self.came < length => Err(Refusal::bad("the body is not complete")),
            Framing::Chunked => {
                out.push(b"0\r\n\r\n");
                Ok(true)
            }
            _ => Ok(true),
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Source for Streamed<B> {
    fn poll_body(&mut self, cx: &mut Context<'_>, out: &mut Buffer) -> Poll<Result<bool, Refusal>> {
        loop {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(_)) => return Poll::Ready(Err(Refusal::bad("the body is not complete"))),
                None => return Poll::Ready(self.end(out)),
            };
            let is_chunked = self.framing == Framing::Chunked;
            match frame.into_data() {
                Ok(data) if data.has_remaining() => {
                    self.take(data.len())?;
                    push_data(out, &data, is_chunked);
                    return Poll::Ready(Ok(false));
                }
                Ok(_) => {}
                Err(frame) => {
                    if let (Ok(trailers), true) = (frame.into_trailers(), is_chunked) {
                        out.push(b"0\r\n");
                        for (name, value) in &trailers {
                            let name = name.as_str().as_bytes();
                            if crate::proxy::forward::field::may_trail(name, kind(name)) {
                                push_field(out, name, value.as_bytes());
                            }
                        }
                        out.push(b"\r\n");
                    }
                    return Poll::Ready(if is_chunked { Ok(true) } else { self.end(out) });
                }
            }
        }
    }
}

impl<B> Waiting for Streamed<B> {
    /// Whoever reads the body drops the exchange when the client leaves.
    fn poll_gone(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn poll_tell(&mut self, _: &mut Context<'_>, interim: &Mutex<Buffer>) {
        interim.lock().clear();
    }
}
