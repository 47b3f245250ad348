//! An answer on its way from the upstream to a client of HTTP/1, and what is
//! left of the request's body on its way to the upstream.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use super::body::{Decoder, Part};
use super::client::{Client, push_data};
use super::head::Framing;
use super::link::Link;
use super::outgoing::{Reply, push_answer};
use super::patience::Patience;
use super::upload::Upload;
use super::worker::Worker;
use crate::proxy::{Streaming, Upstream};

/// Bytes that wait for a client before more are taken from the upstream.
const AHEAD_MAX_BYTES: usize = 64 * 1024;
/// Data shorter than this is copied behind the head, longer is written from
/// where it lies.
const COPIED_MAX_BYTES: usize = 8 * 1024;
/// Room for a read at first, and once an answer turns out to be long.
const READ_BYTES: usize = 4 * 1024;
const READ_LONG_BYTES: usize = 64 * 1024;

/// What becomes of a client's connection.
pub(super) enum After {
    /// The next request may come.
    Keep,
    /// It ends in good order.
    Close,
    /// It ends at once, so that an incomplete answer shows.
    Cut,
    /// It carries another protocol from now on.
    Tunnel(Box<Link>, Streaming),
}

/// What the client's request asked for beside the answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wants {
    pub(super) is_http_10: bool,
    pub(super) keeps_alive: bool,
    pub(super) counts_forwards: bool,
    pub(super) is_trace: bool,
    pub(super) is_https: bool,
}

/// Passes an answer on, its head first.
pub(super) async fn relay(
    client: &mut Client,
    worker: &Worker,
    mut link: Box<Link>,
    upstream: &Arc<Upstream>,
    upload: Upload,
    wants: Wants,
    cookie: Option<&str>,
) -> After {
    let framing = match link.head.framing {
        Framing::Chunked | Framing::Close if wants.is_http_10 => Framing::Close,
        Framing::Close => Framing::Chunked,
        same => same,
    };
    let closes = !wants.keeps_alive || framing == Framing::Close || !upload.is_read;
    let reply =
        Reply { framing, announced: link.head.announced(), is_http_10: wants.is_http_10, closes, cookie };
    let bytes = link.inbound.filled().get(..link.head.len).unwrap_or_default();
    push_answer(&mut client.out, &link.head, bytes, &reply);
    link.inbound.consume(link.head.len);
    let mut body = Decoder::default();
    body.start(link.head.framing);
    let _streaming = link.head.is_events.then(|| upstream.stream());
    let mut relay =
        Relay { client, link: &mut link, body, framing, is_over: false, direct: 0, moved: 0, upload };
    let relayed = relay.run(worker).await;
    let is_sent = relay.upload.is_over && !relay.upload.is_cut;
    if relayed.is_err() {
        return After::Cut;
    }
    if is_sent {
        worker.give_back(upstream.id, link);
    }
    if closes { After::Close } else { After::Keep }
}

struct Relay<'a> {
    client: &'a mut Client,
    link: &'a mut Link,
    body: Decoder,
    /// How the client knows the end.
    framing: Framing,
    is_over: bool,
    /// Bytes in front of the link's buffer that go to the client as they are.
    direct: usize,
    /// Bytes read from the upstream and written to the client so far.
    moved: u64,
    upload: Upload,
}

impl Relay<'_> {
    async fn run(&mut self, worker: &Worker) -> io::Result<()> {
        let settings = &worker.shared.settings;
        let span =
            if self.link.head.is_events { settings.stream_stall_timeout } else { settings.stall_timeout };
        let mut patience = Patience::new(span, worker.now());
        let mut timer = std::mem::take(&mut self.client.timer);
        let done = poll_fn(|cx| {
            if let Poll::Ready(done) = self.step(cx) {
                return Poll::Ready(done);
            }
            let moved = self.moved + self.upload.moved;
            let late = patience.poll(&mut timer, moved, || worker.now(), cx);
            late.map(|()| Err(io::ErrorKind::TimedOut.into()))
        })
        .await;
        self.client.timer = timer;
        done
    }

    fn step(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.upload.is_over {
            // A body that breaks now cuts the exchange: an answer is under way.
            if let Poll::Ready(Err(refusal)) = self.upload.poll(self.link, self.client, cx) {
                return Poll::Ready(Err(io::Error::other(refusal.reason)));
            }
        }
        loop {
            let wants_more = self.decode()?;
            let is_written = self.poll_write(cx)?.is_ready();
            if self.is_over && is_written {
                return Poll::Ready(Ok(()));
            }
            if !is_written && (self.client.out.len() >= AHEAD_MAX_BYTES || self.direct > 0) {
                return Poll::Pending;
            }
            // What is here and did not fit goes before what is read.
            if is_written && !wants_more {
                continue;
            }
            if self.is_over || !self.read(cx)? {
                return self.watch(cx);
            }
        }
    }

    /// Nothing moves: is the client still there? One that has ended its half
    /// waits for the rest, but events have none.
    fn watch(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.upload.is_read {
            self.client.read_ahead(cx);
            if self.client.is_gone || (self.link.head.is_events && self.client.has_ended) {
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
        }
        Poll::Pending
    }

    /// Reads from the upstream once; whether something came.
    fn read(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let is_long = self.body.data > READ_BYTES as u64;
        let room = if is_long { READ_LONG_BYTES } else { READ_BYTES };
        match self.link.inbound.poll_read(&mut self.link.io, cx, room) {
            Poll::Ready(Ok(count @ 1..)) => {
                self.moved += count as u64;
                Ok(true)
            }
            Poll::Ready(Ok(0)) if self.body.finish() => Ok(true),
            Poll::Ready(Ok(_)) => Err(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Ok(false),
        }
    }

    /// Moves what came from the upstream towards the client, as far as there
    /// is room; whether all of it was moved and the end is still to come.
    fn decode(&mut self) -> io::Result<bool> {
        let chunks = self.framing == Framing::Chunked;
        while !self.is_over && self.direct == 0 && self.client.out.len() < AHEAD_MAX_BYTES {
            let front = self.link.inbound.filled();
            match self.body.next(front).map_err(|refusal| io::Error::other(refusal.reason))? {
                Part::Skip(count) => self.link.inbound.consume(count),
                Part::Data(count) if count >= COPIED_MAX_BYTES && !chunks => self.direct = count,
                Part::Data(count) => {
                    push_data(&mut self.client.out, front.get(..count).unwrap_or_default(), chunks);
                    self.link.inbound.consume(count);
                }
                Part::Trailers(count) => {
                    if chunks {
                        self.client.out.push(b"0\r\n");
                        let section = front.get(..count).unwrap_or_default();
                        let copied = self.body.copy_trailers(section, &mut self.client.out);
                        copied.map_err(|refusal| io::Error::other(refusal.reason))?;
                        self.client.out.push(b"\r\n");
                    }
                    self.link.inbound.consume(count);
                    self.is_over = true;
                }
                Part::More => return Ok(true),
                Part::End => {
                    if chunks && self.link.head.framing != Framing::Chunked {
                        self.client.out.push(b"0\r\n\r\n");
                    }
                    self.is_over = true;
                }
            }
        }
        Ok(false)
    }

    /// Writes what waits for the client, copied or not, in one call.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        while self.direct > 0 {
            let data = self.link.inbound.filled().get(..self.direct).unwrap_or_default();
            let slices = [IoSlice::new(self.client.out.filled()), IoSlice::new(data)];
            let slices = if self.client.out.is_empty() { &slices[1..] } else { &slices[..] };
            let written = match Pin::new(&mut self.client.io).poll_write_vectored(cx, slices) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(written) => written?,
                Poll::Pending => return Ok(Poll::Pending),
            };
            self.moved += written as u64;
            let copied = written.min(self.client.out.len());
            self.client.out.consume(copied);
            self.link.inbound.consume(written - copied);
            self.direct -= written - copied;
        }
        let before = self.client.out.len();
        let written = self.client.out.poll_write(&mut self.client.io, cx);
        self.moved += (before - self.client.out.len()) as u64;
        match written {
            Poll::Ready(written) => written.map(Poll::Ready),
            Poll::Pending => Ok(Poll::Pending),
        }
    }
}
