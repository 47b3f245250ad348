//! A connection that carries another protocol, such as WebSocket: bytes in
//! both directions until both have ended.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};

use super::buffer::Buffer;
use super::client::Client;
use super::link::Link;
use super::patience::Patience;
use super::timer::Timer;
use super::worker::Worker;

/// Room for a read.
const READ_BYTES: usize = 4 * 1024;

/// Carries bytes between a client and its upstream. What was read beyond the
/// two heads goes first.
pub(super) async fn tunnel(client: &mut Client, link: Box<Link>, worker: &Worker) {
    let Client { io, inbound, out, .. } = client;
    carry(io, inbound, out, link, worker).await;
}

/// Carries bytes. `inbound` is for the upstream, `out` for the client.
pub(super) async fn carry(
    io: &mut (impl AsyncRead + AsyncWrite + Unpin),
    inbound: &mut Buffer,
    out: &mut Buffer,
    mut link: Box<Link>,
    worker: &Worker,
) {
    let (mut up, mut down) = (Way::default(), Way::default());
    // The head of the answer waits in `out`; what follows it comes behind.
    out.push(link.inbound.filled());
    let mut patience = Patience::new(worker.shared.settings.stream_stall_timeout, worker.now());
    let mut timer = Timer::default();
    // A failure of one side is the end of both; there is nobody to tell.
    let _: io::Result<()> = poll_fn(|cx| {
        let is_up_done = up.poll(io, inbound, &mut link.io, cx)?.is_ready();
        let is_down_done = down.poll(&mut link.io, out, io, cx)?.is_ready();
        if is_up_done && is_down_done {
            return Poll::Ready(Ok(()));
        }
        patience.poll(&mut timer, up.moved + down.moved, || worker.now(), cx).map(Ok)
    })
    .await;
}

/// One direction.
#[derive(Default)]
struct Way {
    /// Nothing more comes.
    has_ended: bool,
    /// The other side was told that.
    is_done: bool,
    /// Bytes read and written so far.
    moved: u64,
}

impl Way {
    /// Moves bytes through a buffer as far as they go; ready when one side
    /// has ended and the other was told.
    fn poll(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        buffer: &mut Buffer,
        to: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> io::Result<Poll<()>> {
        while !self.is_done {
            let before = buffer.len();
            let written = buffer.poll_write(to, cx)?;
            self.moved += (before - buffer.len()) as u64;
            if written.is_pending() {
                return Ok(Poll::Pending);
            }
            let step = match self.has_ended {
                true => Pin::new(&mut *to).poll_shutdown(cx)?.map(|()| self.is_done = true),
                false => buffer.poll_read(from, cx, READ_BYTES)?.map(|count| {
                    self.has_ended = count == 0;
                    self.moved += count as u64;
                }),
            };
            if step.is_pending() {
                return Ok(Poll::Pending);
            }
        }
        Ok(Poll::Ready(()))
    }
}
