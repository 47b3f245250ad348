//! An upstream's connection of HTTP/2, spoken to as if it were HTTP/1.1: one
//! stream takes a request's text and gives the answer's.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri, Version};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

use crate::proxy::forward::body::{Decoder, Part};
use crate::proxy::forward::buffer::{Buffer, push_decimal};
use crate::proxy::forward::client::push_data;
use crate::proxy::forward::field::Kind;
use crate::proxy::forward::head::RequestHead;
use crate::proxy::forward::io::Io;
use crate::proxy::forward::outgoing::push_field;
use crate::proxy::forward::settings::STALL_MAX;

/// Pieces of a request's body under way inside.
const PIECES_MAX: usize = 4;
/// Bytes of text that wait to be translated.
const TEXT_MAX_BYTES: usize = 64 * 1024;
/// Bytes of a head from an upstream.
const HEAD_MAX_BYTES: u32 = 64 * 1024;

type Sender = SendRequest<Pieces>;
type Answering = Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>> + Send>>;

/// The connection that all requests to one upstream share.
#[derive(Default)]
pub(in crate::proxy::forward) struct Shared(Mutex<Option<Sender>>);

impl Shared {
    /// A stream of the connection, if there is one that takes requests.
    pub(in crate::proxy::forward) async fn stream(&self) -> Option<Spoken> {
        let mut sender = self.0.lock().clone()?;
        if sender.is_closed() || sender.ready().await.is_err() {
            let mut known = self.0.lock();
            if known.as_ref().is_some_and(SendRequest::is_closed) {
                *known = None;
            }
            return None;
        }
        Some(Spoken::new(sender))
    }

    /// Begins HTTP/2 on a new connection.
    pub(in crate::proxy::forward) async fn begin(&self, io: Io) -> io::Result<Io> {
        let (sender, connection) = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(HEAD_MAX_BYTES)
            .keep_alive_interval(STALL_MAX)
            .adaptive_window(true)
            .handshake(TokioIo::new(io))
            .await
            .map_err(io::Error::other)?;
        // Its end shows in the sender.
        tokio::spawn(async move { drop(connection.await) });
        *self.0.lock() = Some(sender.clone());
        Ok(Io::Http2(Box::new(Spoken::new(sender))))
    }
}

/// One stream.
pub(in crate::proxy::forward) struct Spoken {
    sender: Sender,
    /// The request's text.
    text: Buffer,
    head: RequestHead,
    decoder: Decoder,
    body: Option<PollSender<Frame<Bytes>>>,
    answering: Option<Answering>,
    answer: Option<Incoming>,
    is_chunked: bool,
    to_head: bool,
    /// The answer's text.
    out: Buffer,
}

impl Spoken {
    fn new(sender: Sender) -> Spoken {
        Spoken {
            sender,
            text: Buffer::default(),
            head: RequestHead::default(),
            decoder: Decoder::default(),
            body: None,
            answering: None,
            answer: None,
            is_chunked: false,
            to_head: false,
            out: Buffer::default(),
        }
    }

    /// Translates what there is of the request. Ready when all of it is on
    /// its way.
    fn poll_pump(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.body.is_none() && !self.text.is_empty() && !self.begin()? {
            return Poll::Ready(Ok(()));
        }
        while let Some(body) = &mut self.body {
            // Whoever answered without wanting the rest has closed the way.
            if ready!(body.poll_reserve(cx)).is_err() {
                self.text.clear();
                self.body = None;
                break;
            }
            let front = self.text.filled();
            let frame = match self.decoder.next(front).map_err(refused)? {
                Part::Skip(count) => {
                    self.text.consume(count);
                    continue;
                }
                Part::Data(count) => {
                    let data = Bytes::copy_from_slice(front.get(..count).unwrap_or_default());
                    self.text.consume(count);
                    Frame::data(data)
                }
                Part::Trailers(count) => {
                    let trailers = trailers(&self.decoder, front.get(..count).unwrap_or_default())?;
                    self.text.consume(count);
                    Frame::trailers(trailers)
                }
                Part::More => return Poll::Ready(Ok(())),
                Part::End => {
                    self.body = None;
                    break;
                }
            };
            // It was reserved.
            let _ = body.send_item(frame);
        }
        Poll::Ready(Ok(()))
    }

    /// Sends the head once it is complete; whether it was.
    fn begin(&mut self) -> io::Result<bool> {
        let Some(end) = self.head.lines.find_end(self.text.filled()).map_err(refused)? else {
            return Ok(false);
        };
        let bytes = self.text.filled().get(..end).unwrap_or_default();
        self.head.parse(bytes).map_err(refused)?;
        self.to_head = self.head.method.of(bytes) == b"HEAD";
        let (sender, receiver) = mpsc::channel(PIECES_MAX);
        let has_body = self.head.has_body();
        let pieces = Pieces { receiver: has_body.then_some(receiver) };
        let request = translate(&self.head, bytes, pieces)?;
        // Its 100 would come in a form that nothing here hears.
        if self.head.expects_continue {
            self.out.push(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        self.decoder.start(self.head.framing);
        self.body = has_body.then(|| PollSender::new(sender));
        self.text.consume(end);
        self.head.clear();
        self.answering = Some(Box::pin(self.sender.send_request(request)));
        Ok(true)
    }

    /// Translates what there is of the answer. Ready when there is text.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.out.is_empty() {
            if let Some(answering) = &mut self.answering {
                let answer = ready!(answering.as_mut().poll(cx)).map_err(io::Error::other)?;
                self.answering = None;
                self.push_head(&answer);
                self.answer = Some(answer.into_body());
                continue;
            }
            let Some(answer) = &mut self.answer else {
                // At rest: the end of the connection is the only news.
                return match self.sender.poll_ready(cx) {
                    Poll::Ready(Err(_)) => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                    _ => Poll::Pending,
                };
            };
            let frame = ready!(Pin::new(answer).poll_frame(cx));
            match frame.transpose().map_err(io::Error::other)?.map(Frame::into_data) {
                Some(Ok(data)) if data.is_empty() => {}
                Some(Ok(data)) => push_data(&mut self.out, &data, self.is_chunked),
                Some(Err(frame)) => {
                    self.answer = None;
                    self.push_end(frame.into_trailers().ok());
                }
                None => {
                    self.answer = None;
                    self.push_end(None);
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn push_head(&mut self, answer: &Response<Incoming>) {
        let out = &mut self.out;
        out.push(b"HTTP/1.1 ");
        push_decimal(out, u64::from(answer.status().as_u16()));
        out.push(b" ");
        out.push(answer.status().canonical_reason().unwrap_or_default().as_bytes());
        out.push(b"\r\n");
        for (name, value) in answer.headers() {
            push_field(out, name.as_str().as_bytes(), value.as_bytes());
        }
        let has_none = self.to_head || matches!(answer.status().as_u16(), 204 | 304);
        let has_length = answer.headers().contains_key(http::header::CONTENT_LENGTH);
        self.is_chunked = !has_none && !has_length;
        out.push(if self.is_chunked { b"transfer-encoding: chunked\r\n\r\n" } else { b"\r\n" });
    }

    fn push_end(&mut self, trailers: Option<HeaderMap>) {
        if !self.is_chunked {
            return;
        }
        self.out.push(b"0\r\n");
        for (name, value) in trailers.iter().flat_map(HeaderMap::iter) {
            push_field(&mut self.out, name.as_str().as_bytes(), value.as_bytes());
        }
        self.out.push(b"\r\n");
    }
}

fn refused(refusal: crate::proxy::forward::refusal::Refusal) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, refusal.reason)
}

/// A request's text as a request of HTTP/2.
fn translate(head: &RequestHead, bytes: &[u8], body: Pieces) -> io::Result<Request<Pieces>> {
    let target = [b"http://", head.host.of(bytes), head.target.of(bytes)].concat();
    let uri = Uri::try_from(target).map_err(io::Error::other)?;
    let mut request = Request::new(body);
    *request.method_mut() = http::Method::from_bytes(head.method.of(bytes)).map_err(io::Error::other)?;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_2;
    for field in &head.fields.all {
        let is_for_http_1 = matches!(
            field.kind,
            Kind::Host
                | Kind::Connection
                | Kind::TransferEncoding
                | Kind::Upgrade
                | Kind::Expect
                | Kind::KeepAlive
        );
        if !is_for_http_1 {
            let name = HeaderName::from_bytes(field.name.of(bytes)).map_err(io::Error::other)?;
            let value = HeaderValue::from_bytes(field.value.of(bytes)).map_err(io::Error::other)?;
            request.headers_mut().append(name, value);
        }
    }
    Ok(request)
}

pub(super) fn trailers(decoder: &Decoder, section: &[u8]) -> io::Result<HeaderMap> {
    let mut map = HeaderMap::new();
    let each = |name: crate::proxy::forward::field::Span, value: crate::proxy::forward::field::Span| {
        let name = HeaderName::from_bytes(name.of(section));
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.of(section))) {
            map.append(name, value);
        }
    };
    decoder.each_trailer(section, each).map_err(refused)?;
    Ok(map)
}

impl AsyncWrite for Spoken {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.text.len() >= TEXT_MAX_BYTES {
            ready!(self.poll_pump(cx))?;
        }
        let count = bytes.len().min(TEXT_MAX_BYTES);
        self.text.push(bytes.get(..count).unwrap_or_default());
        // What does not go on yet is tried again by the flush.
        if let Poll::Ready(pumped) = self.poll_pump(cx) {
            pumped?;
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_pump(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.body = None;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Spoken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(pumped) = self.poll_pump(cx) {
            pumped?;
        }
        ready!(self.poll_answer(cx))?;
        let count = into.remaining().min(self.out.len());
        into.put_slice(self.out.filled().get(..count).unwrap_or_default());
        self.out.consume(count);
        Poll::Ready(Ok(()))
    }
}

/// A request's body on its way into HTTP/2.
struct Pieces {
    receiver: Option<mpsc::Receiver<Frame<Bytes>>>,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut self.receiver {
            Some(receiver) => receiver.poll_recv(cx).map(|frame| frame.map(Ok)),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.receiver.is_none()
    }
}
