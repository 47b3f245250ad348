//! A connection that carries another protocol, such as WebSocket: bytes in
//! both directions until both have ended.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncWrite};

use super::buffer::Buffer;
use super::client::Client;
use super::link::Link;
use super::relay::poll_move;
use super::settings::STREAM_STALL_MAX;
use super::timer::Timer;
use super::worker::Worker;

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
    let (mut up_ended, mut down_ended) = (false, false);
    let (mut is_up_done, mut is_down_done) = (false, false);
    // The head of the answer waits in `out`; what follows it comes behind.
    out.push(link.inbound.filled());
    let mut timer = Timer::default();
    // A failure of one side is the end of both; there is nobody to tell.
    let _: io::Result<()> = poll_fn(|cx| {
        timer.set(worker.now().plus(STREAM_STALL_MAX));
        if !is_up_done && let Poll::Ready(moved) = poll_move(io, inbound, &mut link.io, &mut up_ended, cx) {
            moved?;
            is_up_done = true;
        }
        if !is_down_done && let Poll::Ready(moved) = poll_move(&mut link.io, out, io, &mut down_ended, cx) {
            moved?;
            is_down_done = true;
        }
        if is_up_done && is_down_done {
            return Poll::Ready(Ok(()));
        }
        timer.poll(|| worker.now(), cx).map(Ok)
    })
    .await;
}
