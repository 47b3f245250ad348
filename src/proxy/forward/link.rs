//! One connection to an upstream, from exchange to exchange.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::answer::AnswerHead;
use super::buffer::Buffer;
use super::io::Io;
use super::refusal::Refusal;
use crate::proxy::Tick;

/// 1xx answers before the real one.
const INTERIM_MAX: usize = 16;
/// Memory that a resting connection keeps.
const RESTING_MAX_BYTES: usize = 64 * 1024;
/// Room for each read.
const READ_BYTES: usize = 4 * 1024;

/// A connection to an upstream.
pub(super) struct Link {
    pub(super) io: Io,
    pub(super) inbound: Buffer,
    pub(super) out: Buffer,
    pub(super) head: AnswerHead,
    /// It had an exchange before, so the upstream may just be closing it.
    pub(super) is_reused: bool,
    pub(super) rests_since: Tick,
    /// It may rest until then.
    pub(super) rests_until: Tick,
    interims: usize,
}

/// Why a link gave no answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Broken {
    /// It ended before the first byte of an answer.
    Silent,
    /// It ended later, or what came is not an answer.
    Midway,
}

impl Link {
    pub(super) fn new(io: Io) -> Link {
        Link {
            io,
            inbound: Buffer::default(),
            out: Buffer::default(),
            head: AnswerHead::default(),
            is_reused: false,
            rests_since: Tick::default(),
            rests_until: Tick::default(),
            interims: 0,
        }
    }

    /// Makes ready for the next exchange.
    pub(super) fn begin(&mut self) {
        self.head.clear();
        self.interims = 0;
    }

    /// Writes all of these bytes, past the buffer.
    pub(super) async fn send(&mut self, mut bytes: &[u8]) -> std::io::Result<()> {
        poll_fn(|cx| {
            while !bytes.is_empty() {
                let count = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
                bytes = bytes.get(count..).unwrap_or_default();
                if count == 0 {
                    return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
                }
            }
            Pin::new(&mut self.io).poll_flush(cx)
        })
        .await
    }

    /// Reads until there is the head of an answer in front of `inbound`. A
    /// 1xx is given to `interim`, and the next one is read.
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        asks: Asks,
        interim: &mut dyn FnMut(&AnswerHead, &[u8]),
    ) -> Poll<Result<(), Broken>> {
        loop {
            let found = self.head.lines.find_end(self.inbound.filled()).map_err(broken)?;
            let Some(end) = found else {
                let is_silent = self.inbound.is_empty() && self.interims == 0;
                match ready!(self.inbound.poll_read(&mut self.io, cx, READ_BYTES)) {
                    Ok(1..) => continue,
                    _ if is_silent => return Poll::Ready(Err(Broken::Silent)),
                    _ => return Poll::Ready(Err(Broken::Midway)),
                }
            };
            let bytes = self.inbound.filled().get(..end).unwrap_or_default();
            self.head.parse(bytes, asks.to_head).map_err(broken)?;
            let is_switch = self.head.status == 101;
            if self.head.status >= 200 || (is_switch && asks.upgrades) {
                return Poll::Ready(Ok(()));
            }
            self.interims += 1;
            if is_switch || self.interims > INTERIM_MAX {
                return Poll::Ready(Err(Broken::Midway));
            }
            interim(&self.head, bytes);
            self.inbound.consume(end);
            self.head.clear();
        }
    }

    /// Whether nothing came while it rested: neither its end nor bytes that
    /// nobody asked for, which would be taken for the next answer.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut byte = [0; 1];
        let mut cx = Context::from_waker(Waker::noop());
        self.inbound.is_empty()
            && Pin::new(&mut self.io).poll_read(&mut cx, &mut ReadBuf::new(&mut byte)).is_pending()
    }

    /// Makes ready for a rest; whether it can be used again.
    pub(super) fn may_rest(&mut self) -> bool {
        self.inbound.rest(RESTING_MAX_BYTES);
        self.out.rest(RESTING_MAX_BYTES);
        self.is_reused = true;
        self.head.keeps_alive() && self.inbound.is_empty() && self.out.is_empty()
    }
}

/// What of the request matters for reading its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asks {
    /// It is a HEAD.
    pub(super) to_head: bool,
    /// It would change the protocol.
    pub(super) upgrades: bool,
    /// Its client sends the body once the upstream has said that it wants it.
    pub(super) expects_continue: bool,
}

fn broken(refusal: Refusal) -> Broken {
    tracing::debug!(reason = refusal.reason, "an upstream's answer cannot be read: {}", refusal.reason);
    Broken::Midway
}
