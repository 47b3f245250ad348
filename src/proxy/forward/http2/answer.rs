//! An answer from an upstream as `http` has it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, SET_COOKIE, VIA};
use http::response::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};

use super::serve::Streamed;
use super::spoken::trailers;
use crate::proxy::forward::body::{Decoder, Part};
use crate::proxy::forward::exchange::Won;
use crate::proxy::forward::head::Framing;
use crate::proxy::forward::link::Link;
use crate::proxy::forward::outgoing::passes_answer;
use crate::proxy::forward::patience::Patience;
use crate::proxy::forward::refusal::Refusal;
use crate::proxy::forward::timer::Timer;
use crate::proxy::forward::upload::Upload;
use crate::proxy::forward::worker::Worker;
use crate::proxy::{Ask, Policy, Streaming, Upstream, sticky_cookie};

pub(super) const UNREADABLE: Refusal = Refusal::new(502, "the upstream's answer cannot be read");
/// Room for a read.
const READ_BYTES: usize = 16 * 1024;

/// The body of an answer; while it is read, the rest of the request's body
/// goes on, too.
pub struct AnswerBody<B>(Inner<B>);

enum Inner<B> {
    Text(Option<Bytes>),
    Passing(Box<Passing<B>>),
}

struct Passing<B> {
    worker: Arc<Worker>,
    upstream: Arc<Upstream>,
    /// Gone once it was given back.
    link: Option<Box<Link>>,
    body: Decoder,
    length: Option<u64>,
    upload: Upload,
    source: Streamed<B>,
    timer: Timer,
    patience: Patience,
    /// Bytes read from the upstream and pieces taken by whoever sends them.
    moved: u64,
    _streaming: Option<Streaming>,
}

impl<B> AnswerBody<B> {
    pub(super) fn empty() -> AnswerBody<B> {
        AnswerBody(Inner::Text(None))
    }

    pub(super) fn of_text(text: &'static str) -> AnswerBody<B> {
        AnswerBody(Inner::Text(Some(Bytes::from_static(text.as_bytes()))))
    }

    pub(super) fn answer(
        worker: &Arc<Worker>,
        ask: &Ask,
        won: Won,
        upload: Upload,
        source: Streamed<B>,
        timer: Timer,
        is_https: bool,
    ) -> Result<Response<AnswerBody<B>>, Refusal> {
        let Won { mut link, upstream, .. } = won;
        let mut parts = head_of(&link)?;
        if let Some(length) = link.head.announced() {
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        if worker.shared.balancer.policy() == Policy::StickyCookie && ask.sticky != Some(upstream.sticky()) {
            let cookie = HeaderValue::from_str(&sticky_cookie(upstream.sticky(), is_https));
            parts.headers.append(SET_COOKIE, cookie.map_err(|_| UNREADABLE)?);
        }
        link.inbound.consume(link.head.len);
        let mut body = Decoder::default();
        body.start(link.head.framing);
        let length = match link.head.framing {
            Framing::Length(length) => Some(length),
            Framing::None => Some(0),
            _ => None,
        };
        let streaming = link.head.is_events.then(|| upstream.stream());
        let settings = &worker.shared.settings;
        let span = if streaming.is_some() { settings.stream_stall_timeout } else { settings.stall_timeout };
        let mut passing = Passing {
            worker: worker.clone(),
            upstream,
            link: Some(link),
            body,
            length,
            upload,
            source,
            timer,
            patience: Patience::new(span, worker.now()),
            moved: 0,
            _streaming: streaming,
        };
        passing.give_back_if_done();
        Ok(Response::from_parts(parts, AnswerBody(Inner::Passing(Box::new(passing)))))
    }
}

/// The head of an answer as far as it is for the client.
pub(super) fn head_of(link: &Link) -> Result<Parts, Refusal> {
    let (mut parts, ()) = Response::new(()).into_parts();
    let bytes = link.inbound.filled().get(..link.head.len).unwrap_or_default();
    parts.status = StatusCode::from_u16(link.head.status).map_err(|_| UNREADABLE)?;
    for field in &link.head.fields.all {
        let name = field.name.of(bytes);
        if passes_answer(field.kind) && !link.head.fields.lists(bytes, name) {
            let name = HeaderName::from_bytes(name).map_err(|_| UNREADABLE)?;
            let value = HeaderValue::from_bytes(field.value.of(bytes)).map_err(|_| UNREADABLE)?;
            parts.headers.append(name, value);
        }
    }
    parts.headers.append(VIA, HeaderValue::from_static("1.1 waxwing"));
    Ok(parts)
}

impl<B> Passing<B> {
    fn give_back_if_done(&mut self) {
        if self.body.is_done()
            && self.upload.is_over
            && !self.upload.is_cut
            && let Some(link) = self.link.take()
        {
            self.worker.give_back(self.upstream.id, link);
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Passing<B> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(link) = &mut self.link else { return Poll::Ready(None) };
        if let Poll::Ready(Err(refusal)) = self.upload.poll(link, &mut self.source, cx) {
            return Poll::Ready(Some(Err(io::Error::other(refusal.reason))));
        }
        loop {
            let front = link.inbound.filled();
            let part = match self.body.next(front) {
                Ok(part) => part,
                Err(refusal) => return Poll::Ready(Some(Err(io::Error::other(refusal.reason)))),
            };
            let frame = match part {
                Part::Skip(count) => {
                    link.inbound.consume(count);
                    continue;
                }
                Part::Data(count) => {
                    let data = Bytes::copy_from_slice(front.get(..count).unwrap_or_default());
                    link.inbound.consume(count);
                    Frame::data(data)
                }
                Part::Trailers(count) => {
                    let found = trailers(&self.body, front.get(..count).unwrap_or_default())?;
                    link.inbound.consume(count);
                    if found.is_empty() {
                        continue;
                    }
                    Frame::trailers(found)
                }
                Part::End => {
                    self.give_back_if_done();
                    self.link = None;
                    return Poll::Ready(None);
                }
                Part::More => match link.inbound.poll_read(&mut link.io, cx, READ_BYTES) {
                    Poll::Ready(Ok(count @ 1..)) => {
                        self.moved += count as u64;
                        continue;
                    }
                    Poll::Ready(Ok(0)) if self.body.finish() => continue,
                    Poll::Ready(_) => {
                        return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
                    }
                    Poll::Pending => return self.wait(cx),
                },
            };
            self.moved += 1;
            self.give_back_if_done();
            return Poll::Ready(Some(Ok(frame)));
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let moved = self.moved + self.upload.moved;
        let late = self.patience.poll(&mut self.timer, moved, || self.worker.now(), cx);
        late.map(|()| Some(Err(io::ErrorKind::TimedOut.into())))
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for AnswerBody<B> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut self.0 {
            Inner::Text(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Inner::Passing(passing) => passing.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Text(text) => text.is_none(),
            Inner::Passing(passing) => {
                passing.link.is_none() || (passing.body.is_done() && passing.upload.is_over)
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Text(text) => SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64)),
            Inner::Passing(passing) => match passing.length {
                Some(length) => SizeHint::with_exact(length.saturating_sub(passing.body.data)),
                None => SizeHint::new(),
            },
        }
    }
}
