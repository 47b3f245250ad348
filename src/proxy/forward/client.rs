//! A client's connection that speaks HTTP/1.1: reading requests, and what is
//! answered without an upstream.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::AsyncWriteExt;
use tokio::time::{Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::body::{Decoder, Part, push_chunk_size};
use super::buffer::{Buffer, push_decimal};
use super::exchange::Waiting;
use super::head::{Framing, HEAD_MAX_BYTES, RequestHead};
use super::io::Io;
use super::outgoing::Origin;
use super::patience::Patience;
use super::refusal::{Refusal, phrase};
use super::settings::{HEAD_WAIT_MAX, KEPT_BODY_MAX_BYTES, REST_MAX};
use super::timer::Timer;
use super::upload::Source;
use super::worker::Worker;

/// Memory that a resting connection keeps.
const RESTING_MAX_BYTES: usize = 8 * 1024;
/// Room for each read.
const READ_BYTES: usize = 2 * 1024;
/// Bytes of an unwanted body that are read before the connection is closed,
/// so that the answer reaches the client.
const LINGER_MAX_BYTES: usize = 512 * 1024;
const LINGER_MAX: Duration = Duration::from_secs(2);
/// Who sends nothing more and waits for an answer is served for so long; most
/// of them have left.
const HALF_WAIT_MAX: Duration = Duration::from_secs(10);
/// How a connection of HTTP/2 begins (RFC 9113 §3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A client's connection.
pub(super) struct Client {
    pub(super) io: Io,
    pub(super) inbound: Buffer,
    pub(super) out: Buffer,
    pub(super) head: RequestHead,
    pub(super) upload: Decoder,
    /// The request as it goes to an upstream.
    pub(super) request: Buffer,
    pub(super) origin: Origin,
    pub(super) peer: SocketAddr,
    pub(super) timer: Timer,
    pub(super) stop: CancellationToken,
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Bytes that the current body may still have.
    pub(super) body_left: u64,
    /// It sends nothing more, but may wait for an answer.
    pub(super) has_ended: bool,
    ended: Option<Pin<Box<Sleep>>>,
    pub(super) is_gone: bool,
}

/// What came over a connection.
pub(super) enum Next {
    /// The head of a request is in `head`, its bytes in front of `inbound`.
    Request(usize),
    /// It is HTTP/2.
    Http2,
    /// Nothing more comes.
    End,
    Refused(Refusal),
}

impl Client {
    pub(super) fn new(io: Io, peer: SocketAddr, origin: Origin, stop: CancellationToken) -> Client {
        Client {
            io,
            inbound: Buffer::default(),
            out: Buffer::default(),
            head: RequestHead::default(),
            upload: Decoder::default(),
            request: Buffer::default(),
            origin,
            peer,
            timer: Timer::default(),
            stopping: Box::pin(stop.clone().cancelled_owned()),
            stop,
            body_left: 0,
            has_ended: false,
            ended: None,
            is_gone: false,
        }
    }

    /// Waits for the next request.
    pub(super) async fn next(&mut self, worker: &Worker) -> Next {
        self.head.clear();
        for buffer in [&mut self.inbound, &mut self.out, &mut self.request] {
            buffer.rest(RESTING_MAX_BYTES);
        }
        let began = worker.now();
        let mut has_begun = false;
        let mut waits = began.plus(REST_MAX);
        poll_fn(|cx| {
            loop {
                // An empty line before a request is left over from an old
                // client's body (RFC 9112 §2.2).
                if self.inbound.filled().starts_with(b"\r\n") {
                    self.inbound.consume(2);
                }
                let front = self.inbound.filled();
                if front.starts_with(HTTP2_PREFACE) {
                    return Poll::Ready(Next::Http2);
                }
                let may_be_http2 = front.len() >= 3 && HTTP2_PREFACE.starts_with(front);
                if front != b"\r" && !may_be_http2 {
                    match self.head.lines.find_end(front) {
                        Ok(Some(end)) => return Poll::Ready(Next::Request(end)),
                        Ok(None) => {}
                        Err(refusal) => return Poll::Ready(Next::Refused(refusal)),
                    }
                }
                if !self.inbound.is_empty() && !has_begun {
                    has_begun = true;
                    waits = worker.now().plus(HEAD_WAIT_MAX);
                }
                match self.inbound.poll_read(&mut self.io, cx, READ_BYTES) {
                    Poll::Ready(Ok(1..)) => continue,
                    Poll::Ready(_) => return Poll::Ready(Next::End),
                    Poll::Pending => {}
                }
                if !has_begun && self.stopping.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Next::End);
                }
                self.timer.set(waits);
                ready!(self.timer.poll(|| worker.now(), cx));
                return Poll::Ready(match has_begun {
                    true => Next::Refused(Refusal::new(408, "the request did not come in time")),
                    false => Next::End,
                });
            }
        })
        .await
    }

    /// Appends the body to the request as far as it is here, or, where it is
    /// short, waits for all of it. Whether that is all.
    pub(super) async fn keep_body(&mut self, worker: &Worker, framing: Framing) -> Result<bool, Refusal> {
        self.upload.start(framing);
        self.body_left = worker.shared.settings.body_max_bytes;
        let is_awaited = matches!(framing, Framing::Length(length) if length <= KEPT_BODY_MAX_BYTES);
        if matches!(framing, Framing::Length(length) if length > self.body_left) {
            return Err(Refusal::new(413, "the body is too long"));
        }
        // Made when there is something to wait for: mostly all of it is here.
        let mut patience = None;
        let mut came = 0;
        poll_fn(|cx| {
            loop {
                if self.move_body(None)? {
                    return Poll::Ready(Ok(true));
                }
                if !is_awaited {
                    return Poll::Ready(Ok(false));
                }
                match self.inbound.poll_read(&mut self.io, cx, READ_BYTES) {
                    Poll::Ready(Ok(count @ 1..)) => {
                        came += count as u64;
                        continue;
                    }
                    Poll::Ready(_) => return Poll::Ready(Err(Refusal::bad("the body is not complete"))),
                    Poll::Pending => {}
                }
                let span = worker.shared.settings.stall_timeout;
                let patience = patience.get_or_insert_with(|| Patience::new(span, worker.now()));
                ready!(patience.poll(&mut self.timer, came, || worker.now(), cx));
                return Poll::Ready(Err(Refusal::new(408, "the body did not come in time")));
            }
        })
        .await
    }

    /// Moves what is here of the body to the request, or to `out`. Whether
    /// that was the end.
    fn move_body(&mut self, out: Option<&mut Buffer>) -> Result<bool, Refusal> {
        let out = out.unwrap_or(&mut self.request);
        let is_chunked = self.upload.is_chunked();
        loop {
            let front = self.inbound.filled();
            match self.upload.next(front)? {
                Part::Skip(count) => self.inbound.consume(count),
                Part::Data(count) => {
                    let data = front.get(..count).unwrap_or_default();
                    let left = self.body_left.checked_sub(count as u64);
                    self.body_left = left.ok_or(Refusal::new(413, "the body is too long"))?;
                    push_data(out, data, is_chunked);
                    self.inbound.consume(count);
                }
                Part::Trailers(count) => {
                    out.push(b"0\r\n");
                    self.upload.copy_trailers(front.get(..count).unwrap_or_default(), out)?;
                    out.push(b"\r\n");
                    self.inbound.consume(count);
                }
                Part::More => return Ok(false),
                Part::End => return Ok(true),
            }
        }
    }

    /// Reads what comes next, which shows whether the client is still there.
    pub(super) fn read_ahead(&mut self, cx: &mut Context<'_>) {
        while !self.is_gone && !self.has_ended && self.inbound.len() < HEAD_MAX_BYTES {
            match self.inbound.poll_read(&mut self.io, cx, READ_BYTES) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0)) => self.has_ended = true,
                Poll::Ready(Err(_)) => self.is_gone = true,
                Poll::Pending => return,
            }
        }
    }

    /// Answers without an upstream.
    pub(super) async fn refuse(
        &mut self,
        worker: &Worker,
        refusal: Refusal,
        closes: bool,
    ) -> std::io::Result<()> {
        // A 1xx may wait there.
        let out = &mut self.out;
        out.push(b"HTTP/1.1 ");
        push_decimal(out, u64::from(refusal.status));
        for part in [" ", phrase(refusal.status), "\r\nContent-Type: text/plain; charset=utf-8\r\n"] {
            out.push(part.as_bytes());
        }
        if let Some(seconds) = refusal.retry_after_s() {
            out.push(b"Retry-After: ");
            push_decimal(out, u64::from(seconds));
            out.push(b"\r\n");
        }
        if refusal.status == 405 {
            out.push(b"Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
        }
        out.push(if closes { b"Connection: close\r\n" } else { b"" });
        out.push(b"Content-Length: ");
        push_decimal(out, refusal.reason.len() as u64 + 1);
        out.push(b"\r\n\r\n");
        out.push(refusal.reason.as_bytes());
        out.push(b"\n");
        self.flush(worker).await
    }

    /// Writes what waits, unless the client stopped reading.
    pub(super) async fn flush(&mut self, worker: &Worker) -> std::io::Result<()> {
        let mut patience = Patience::new(worker.shared.settings.stall_timeout, worker.now());
        let all = self.out.len();
        poll_fn(|cx| {
            if let Poll::Ready(written) = self.out.poll_write(&mut self.io, cx) {
                return Poll::Ready(written);
            }
            let written = (all - self.out.len()) as u64;
            let late = patience.poll(&mut self.timer, written, || worker.now(), cx);
            late.map(|()| Err(std::io::ErrorKind::TimedOut.into()))
        })
        .await
    }

    /// Closes, after reading a little of what the client still sends: closing
    /// with unread bytes would reset the connection, and with it the answer
    /// that is on its way.
    pub(super) async fn close(&mut self, worker: &Worker) {
        if self.is_gone || self.io.shutdown().await.is_err() {
            return;
        }
        self.timer.set(worker.now().plus(LINGER_MAX));
        let mut read = 0;
        poll_fn(|cx| {
            loop {
                self.inbound.clear();
                match self.inbound.poll_read(&mut self.io, cx, READ_BYTES) {
                    Poll::Ready(Ok(count @ 1..)) => read += count,
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => return self.timer.poll(|| worker.now(), cx),
                }
                if read > LINGER_MAX_BYTES {
                    return Poll::Ready(());
                }
            }
        })
        .await;
    }
}

/// Writes data of a body, as a chunk or as it is.
pub(super) fn push_data(out: &mut Buffer, data: &[u8], is_chunked: bool) {
    if is_chunked {
        push_chunk_size(out, data.len());
    }
    out.push(data);
    if is_chunked {
        out.push(b"\r\n");
    }
}

impl Waiting for Client {
    /// One that has ended its half may wait for the answer (RFC 9112 §9.6),
    /// and looks the same as one that has closed: it gets a while.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.read_ahead(cx);
        if self.has_ended {
            let wait = self.ended.get_or_insert_with(|| Box::pin(sleep(HALF_WAIT_MAX)));
            self.is_gone |= wait.as_mut().poll(cx).is_ready();
        }
        if self.is_gone { Poll::Ready(()) } else { Poll::Pending }
    }

    fn poll_tell(&mut self, cx: &mut Context<'_>, interim: &Mutex<Buffer>) {
        let mut interim = interim.lock();
        // HTTP/1.0 knows none of it (RFC 9110 §15.2).
        if self.head.is_http_10 {
            interim.clear();
        }
        // What is not written at once goes before the answer that follows.
        self.out.push(interim.filled());
        interim.clear();
        if !self.out.is_empty() && self.out.poll_write(&mut self.io, cx).map_err(drop) == Poll::Ready(Err(()))
        {
            self.is_gone = true;
        }
    }
}

impl Source for Client {
    fn poll_body(&mut self, cx: &mut Context<'_>, out: &mut Buffer) -> Poll<Result<bool, Refusal>> {
        loop {
            let before = out.len();
            if self.move_body(Some(out))? {
                return Poll::Ready(Ok(true));
            }
            if out.len() > before {
                return Poll::Ready(Ok(false));
            }
            match ready!(self.inbound.poll_read(&mut self.io, cx, READ_BYTES * 8)) {
                Ok(1..) => {}
                _ => {
                    self.is_gone = true;
                    return Poll::Ready(Err(Refusal::bad("the body is not complete")));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::io::AsyncReadExt;

    use super::*;

    /// The client reads slowly: what does not fit yet comes before what
    /// follows, whole.
    #[tokio::test]
    async fn an_interim_answer_is_never_torn() {
        let (near, mut far) = tokio::io::duplex(16);
        let origin = Origin::new([192, 0, 2, 1].into(), false, false);
        let peer = SocketAddr::from(([192, 0, 2, 1], 1));
        let mut client = Client::new(Io::Pipe(near), peer, origin, CancellationToken::new());
        let hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        let interim = Mutex::new(Buffer::default());
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..2 {
            interim.lock().push(hint.as_bytes());
            client.poll_tell(&mut cx, &interim);
            assert!(interim.lock().is_empty() && !client.is_gone);
        }
        client.out.push(b"HTTP/1.1 200 OK\r\n\r\n");
        let mut read = String::new();
        let writing = async {
            poll_fn(|cx| client.out.poll_write(&mut client.io, cx)).await.unwrap();
            drop(client);
        };
        let (_, read_bytes) = tokio::join!(writing, far.read_to_string(&mut read));
        read_bytes.unwrap();
        assert_eq!(read, format!("{hint}{hint}HTTP/1.1 200 OK\r\n\r\n"));
    }
}
