//! A request whose body is not here yet: it is sent while it comes, so it is
//! sent once.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;

use super::buffer::Buffer;
use super::exchange::{Nothing, Order, Waiting, Won, settle, unconnected};
use super::link::{Broken, Link};
use super::outgoing::push_interim;
use super::patience::Patience;
use super::refusal::Refusal;
use super::timer::Timer;
use super::worker::Worker;
use crate::proxy::{Ask, Outcome, Pick};

/// Bytes that wait for an upstream before more are taken from the client.
pub(super) const AHEAD_MAX_BYTES: usize = 64 * 1024;

/// A body that comes piece by piece.
pub(super) trait Source: Waiting {
    /// Moves what there is of the body, framed for HTTP/1.1, into `out`.
    /// Whether that was the end. Pending only if nothing could be moved.
    fn poll_body(&mut self, cx: &mut Context<'_>, out: &mut Buffer) -> Poll<Result<bool, Refusal>>;
}

/// How far an upload is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Upload {
    /// All of it was read from the client.
    pub(super) is_read: bool,
    /// All of it was written, or the upstream takes no more.
    pub(super) is_over: bool,
    /// The upstream did not take all of it.
    pub(super) is_cut: bool,
    /// Something of it was read: it cannot be sent again.
    pub(super) has_begun: bool,
    /// Bytes taken from the client and bytes written to the upstream.
    pub(super) moved: u64,
}

impl Upload {
    /// Nothing more to send.
    pub(super) const DONE: Upload =
        Upload { is_read: true, is_over: true, is_cut: false, has_begun: true, moved: 0 };

    /// Moves on as far as it can. Ready when it is over.
    ///
    /// # Errors
    /// The client's body is broken.
    pub(super) fn poll(
        &mut self,
        link: &mut Link,
        source: &mut impl Source,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        loop {
            if self.is_over {
                return Poll::Ready(Ok(()));
            }
            let before = link.out.len();
            let written = link.out.poll_write(&mut link.io, cx);
            self.moved += (before - link.out.len()) as u64;
            match written {
                Poll::Ready(Ok(())) => self.is_over = self.is_read,
                Poll::Ready(Err(_)) => (self.is_over, self.is_cut) = (true, true),
                Poll::Pending if link.out.len() >= AHEAD_MAX_BYTES => return Poll::Pending,
                Poll::Pending => {}
            }
            if self.is_over {
                continue;
            }
            if self.is_read {
                return Poll::Pending;
            }
            let before = link.out.len();
            let taken = source.poll_body(cx, &mut link.out);
            self.moved += (link.out.len() - before) as u64;
            match taken {
                Poll::Ready(Ok(is_end)) => (self.is_read, self.has_begun) = (is_end, true),
                Poll::Ready(Err(refusal)) => return Poll::Ready(Err(refusal)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// Why an upload gave no answer.
pub(super) enum Failed {
    Nothing(Nothing),
    /// The client's body is broken or too long.
    Body(Refusal),
}

/// Sends a request with what there is of its body, and the rest while it
/// comes. Tried again only while nothing was taken from the client.
pub(super) async fn send(
    worker: &Worker,
    ask: &mut Ask,
    order: &Order<'_>,
    timer: &mut Timer,
    source: &mut impl Source,
) -> Result<(Won, Upload), Failed> {
    let mut nothing = Nothing::NoUpstream;
    loop {
        let Some(mut pick) = worker.pick(ask) else { return Err(Failed::Nothing(nothing)) };
        let mut upload = Upload::default();
        let outcome = match send_to(worker, &mut pick, order, timer, source, &mut upload).await {
            Ok(link) => match settle(worker, pick, Ok(link)) {
                Ok(won) => return Ok((won, upload)),
                Err(outcome) => outcome,
            },
            Err(Stopped::Outcome(outcome)) => {
                worker.done(pick, outcome);
                outcome
            }
            Err(Stopped::Body(refusal)) => {
                worker.done(pick, Outcome::Cancelled);
                return Err(Failed::Body(refusal));
            }
            Err(Stopped::Gone) => {
                worker.done(pick, Outcome::Cancelled);
                return Err(Failed::Nothing(Nothing::Gone));
            }
        };
        ask.is_replayable = !upload.has_begun;
        nothing = Nothing::Failed(outcome);
        if !worker.shared.balancer.may_retry(worker.now(), ask, outcome) {
            return Err(Failed::Nothing(nothing));
        }
    }
}

enum Stopped {
    Outcome(Outcome),
    Body(Refusal),
    Gone,
}

async fn send_to(
    worker: &Worker,
    pick: &mut Pick,
    order: &Order<'_>,
    timer: &mut Timer,
    source: &mut impl Source,
    upload: &mut Upload,
) -> Result<Box<Link>, Stopped> {
    let upstream = Arc::clone(pick.upstream());
    let linked = worker.link(&upstream, false).await;
    let mut link = linked.map_err(|error| Stopped::Outcome(unconnected(&upstream, &error)))?;
    link.out.push(order.bytes);
    let interim = Mutex::new(Buffer::default());
    // From here on it is the client that is waited for, until the last byte
    // of its body was written.
    pick.begin_upload();
    let settings = &worker.shared.settings;
    let mut patience = Patience::new(settings.stall_timeout, worker.now());
    let mut is_awaited = false;
    let balancer = &worker.shared.balancer;
    let mut doubt = balancer.first_doubt(patience.since());
    poll_fn(|cx| {
        let uploading = upload.poll(&mut link, source, cx);
        if let Poll::Ready(Err(refusal)) = uploading {
            return Poll::Ready(Err(Stopped::Body(refusal)));
        }
        if upload.is_over && !is_awaited {
            is_awaited = true;
            patience.restart(settings.answer_timeout, worker.now());
            pick.end_upload(patience.since());
        }
        let head = link.poll_head(cx, order.asks, &mut |head, bytes| {
            push_interim(&mut interim.lock(), head, bytes);
        });
        if let Poll::Ready(answered) = head {
            return Poll::Ready(answered.map_err(|_: Broken| Stopped::Outcome(Outcome::Reset)));
        }
        source.poll_tell(cx, &interim);
        if upload.is_read && source.poll_gone(cx).is_ready() {
            return Poll::Ready(Err(Stopped::Gone));
        }
        if !is_awaited {
            patience.note(upload.moved, || worker.now());
        }
        loop {
            timer.set(patience.until().min(doubt));
            if timer.poll(|| worker.now(), cx).is_pending() {
                return Poll::Pending;
            }
            let now = worker.now();
            let is_told = upload.has_begun || !order.asks.expects_continue;
            if patience.is_over(now) && !is_awaited && link.out.is_empty() && is_told {
                return Poll::Ready(Err(Stopped::Body(Refusal::new(408, "the body did not come in time"))));
            }
            if patience.is_over(now) || balancer.is_hopeless(now, pick, patience.since()) {
                // An upstream that takes nothing is as silent as one that
                // has all of it and does not answer.
                if !link.out.is_empty() {
                    pick.end_upload(patience.since());
                }
                return Poll::Ready(Err(Stopped::Outcome(Outcome::Timeout)));
            }
            doubt = balancer.next_doubt(now);
        }
    })
    .await?;
    Ok(link)
}
