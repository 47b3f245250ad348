//! Heads as they go on: what concerns one connection is left out, and what a
//! proxy must add is added (RFC 9110 §7.6).

use std::net::IpAddr;

use super::answer::AnswerHead;
use super::buffer::{Buffer, push_decimal};
use super::field::Kind;
use super::head::{Framing, RequestHead};
use crate::proxy::LOAD_WANTED_HEADER;

/// Our name in `Via`.
const VIA: &[u8] = b"Via: 1.1 waxwing\r\n";

/// What is known of a connection's client; written once for all requests.
#[derive(Debug)]
pub(super) struct Origin {
    /// Whether what it says of others is believed.
    pub(super) is_trusted: bool,
    address: String,
    scheme: &'static str,
    /// The lines that are the same for each of its requests.
    lines: Vec<u8>,
}

impl Origin {
    pub(super) fn new(address: IpAddr, is_https: bool, is_trusted: bool) -> Origin {
        let scheme = if is_https { "https" } else { "http" };
        let address = address.to_canonical();
        let mut lines = VIA.to_vec();
        lines.extend_from_slice(format!("{LOAD_WANTED_HEADER}: TEXT\r\n").as_bytes());
        if !is_trusted {
            let own = format!("X-Forwarded-For: {address}\r\nX-Forwarded-Proto: {scheme}\r\n");
            lines.extend_from_slice(own.as_bytes());
        }
        let address = if address.is_ipv6() { format!("\"[{address}]\"") } else { address.to_string() };
        Origin { is_trusted, address, scheme, lines }
    }

    /// The lines of a request that say where it came from.
    fn push(&self, out: &mut Buffer, host: &[u8], has_forwarded: bool) {
        out.push(&self.lines);
        if self.is_trusted && has_forwarded {
            return;
        }
        if self.is_trusted {
            for (name, value) in [("X-Forwarded-For", self.bare()), ("X-Forwarded-Proto", self.scheme)] {
                push_field(out, name.as_bytes(), value.as_bytes());
            }
        }
        if !host.is_empty() {
            push_field(out, b"X-Forwarded-Host", host);
        }
        for part in ["Forwarded: for=", &self.address, ";proto=", self.scheme] {
            out.push(part.as_bytes());
        }
        if !host.is_empty() {
            for part in [&b";host=\""[..], host, b"\""] {
                out.push(part);
            }
        }
        out.push(b"\r\n");
    }

    pub(super) fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    fn bare(&self) -> &str {
        self.address.trim_start_matches("\"[").trim_end_matches("]\"")
    }
}

pub(super) fn push_field(out: &mut Buffer, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        out.push(part);
    }
}

/// Writes a request's head for an upstream. `fallback_host` is for HTTP/1.0
/// clients that name no host.
pub(super) fn push_request(
    out: &mut Buffer,
    head: &RequestHead,
    bytes: &[u8],
    origin: &Origin,
    fallback_host: &[u8],
) {
    for part in [head.method.of(bytes), b" ", head.target.of(bytes), b" HTTP/1.1\r\n"] {
        out.push(part);
    }
    let host = head.host.of(bytes);
    push_field(out, b"Host", if host.is_empty() { fallback_host } else { host });
    let has_forwarded = push_fields(out, head, bytes, origin.is_trusted);
    match head.framing {
        Framing::Length(length) => push_length(out, length),
        Framing::Chunked => out.push(b"Transfer-Encoding: chunked\r\n"),
        Framing::None | Framing::Close => {}
    }
    if head.expects_continue {
        out.push(b"Expect: 100-continue\r\n");
    }
    if let Some(protocol) = head.upgrade {
        out.push(b"Connection: upgrade\r\n");
        push_field(out, b"Upgrade", protocol.of(bytes));
    } else if head.takes_trailers {
        out.push(b"Connection: te\r\nTE: trailers\r\n");
    }
    if let Some(left) = head.max_forwards {
        out.push(b"Max-Forwards: ");
        push_decimal(out, left.saturating_sub(u64::from(head.counts_forwards(bytes))));
        out.push(b"\r\n");
    }
    origin.push(out, host, has_forwarded);
    out.push(b"\r\n");
}

/// The fields that go through; whether there was one of an earlier proxy
/// that is believed.
fn push_fields(out: &mut Buffer, head: &RequestHead, bytes: &[u8], is_trusted: bool) -> bool {
    let mut has_forwarded = false;
    for field in &head.fields.all {
        let name = field.name.of(bytes);
        let passes = match field.kind {
            Kind::Other
            | Kind::Accept
            | Kind::Cookie
            | Kind::ContentType
            | Kind::IdempotencyKey
            | Kind::Load
            | Kind::Shed => !head.fields.lists(bytes, name),
            Kind::Trailer => head.framing == Framing::Chunked,
            Kind::Forwarded => {
                has_forwarded |= is_trusted;
                is_trusted
            }
            _ => false,
        };
        if passes {
            push_field(out, name, field.value.of(bytes));
        }
    }
    has_forwarded
}

fn push_length(out: &mut Buffer, length: u64) {
    out.push(b"Content-Length: ");
    push_decimal(out, length);
    out.push(b"\r\n");
}

/// How an answer goes to a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reply<'a> {
    pub(super) framing: Framing,
    /// The field `Content-Length` of an answer without a body (HEAD, 304).
    pub(super) announced: Option<u64>,
    pub(super) is_http_10: bool,
    pub(super) closes: bool,
    pub(super) cookie: Option<&'a str>,
}

/// Writes an answer's head for a client of HTTP/1.
pub(super) fn push_answer(out: &mut Buffer, head: &AnswerHead, bytes: &[u8], reply: &Reply<'_>) {
    // Ours is HTTP/1.1, whatever the upstream speaks (RFC 9112 §2.3).
    out.push(b"HTTP/1.1 ");
    push_status_line(out, bytes);
    push_answer_fields(out, head, bytes);
    match (reply.framing, reply.announced) {
        (Framing::Length(length), _) | (Framing::None, Some(length)) => push_length(out, length),
        (Framing::Chunked, _) => out.push(b"Transfer-Encoding: chunked\r\n"),
        (Framing::None | Framing::Close, _) => {}
    }
    if let Some(cookie) = reply.cookie {
        push_field(out, b"Set-Cookie", cookie.as_bytes());
    }
    if reply.closes {
        out.push(b"Connection: close\r\n");
    } else if reply.is_http_10 {
        out.push(b"Connection: keep-alive\r\n");
    }
    out.push(VIA);
    out.push(b"\r\n");
}

/// The status and its phrase, as the upstream wrote them.
fn push_status_line(out: &mut Buffer, bytes: &[u8]) {
    let end = memchr::memchr(b'\r', bytes).unwrap_or(bytes.len());
    let line = bytes.get(9..end).unwrap_or_default();
    out.push(line);
    // Clients of HTTP/1.1 may insist on the space before an empty phrase.
    out.push(if line.len() == 3 { b" \r\n" } else { b"\r\n" });
}

fn push_answer_fields(out: &mut Buffer, head: &AnswerHead, bytes: &[u8]) {
    for field in &head.fields.all {
        let name = field.name.of(bytes);
        if passes_answer(field.kind) && !head.fields.lists(bytes, name) {
            push_field(out, name, field.value.of(bytes));
        }
    }
}

/// Whether a field of an answer is for the client.
pub(super) fn passes_answer(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Connection
            | Kind::KeepAlive
            | Kind::Hop
            | Kind::TransferEncoding
            | Kind::ContentLength
            | Kind::Upgrade
            | Kind::Te
            | Kind::Load
            | Kind::Shed
    )
}

/// Writes the head of a 1xx answer.
pub(super) fn push_interim(out: &mut Buffer, head: &AnswerHead, bytes: &[u8]) {
    out.push(b"HTTP/1.1 ");
    push_status_line(out, bytes);
    push_answer_fields(out, head, bytes);
    out.push(b"\r\n");
}

/// Writes the head of a 101 answer.
pub(super) fn push_switch(out: &mut Buffer, head: &AnswerHead, bytes: &[u8], protocol: &[u8]) {
    out.push(b"HTTP/1.1 ");
    push_status_line(out, bytes);
    push_answer_fields(out, head, bytes);
    out.push(b"Connection: upgrade\r\n");
    push_field(out, b"Upgrade", protocol);
    out.push(VIA);
    out.push(b"\r\n");
}

impl RequestHead {
    /// Whether `Max-Forwards` counts down: only for these two methods
    /// (RFC 9110 §7.6.2).
    pub(super) fn counts_forwards(&self, bytes: &[u8]) -> bool {
        matches!(self.method.of(bytes), b"TRACE" | b"OPTIONS")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward(text: &str, is_trusted: bool) -> String {
        let mut head = RequestHead::default();
        let end = head.lines.find_end(text.as_bytes()).unwrap().unwrap();
        head.parse(&text.as_bytes()[..end]).unwrap();
        let origin = Origin::new("203.0.113.9".parse().unwrap(), true, is_trusted);
        let mut out = Buffer::default();
        push_request(&mut out, &head, text.as_bytes(), &origin, b"up:1");
        String::from_utf8(out.filled().to_vec()).unwrap()
    }

    const OURS: &str = "Via: 1.1 waxwing\r\nendpoint-load-metrics-format: TEXT\r\n";

    #[test]
    fn what_concerns_one_connection_stays_behind() {
        let sent = forward(
            "GET /a?b HTTP/1.1\r\nHost: x.example\r\nAccept: */*\r\nConnection: close, X-Secret, TE\r\n\
             X-Secret: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\nTE: trailers, gzip\r\n\
             Upgrade: h2c\r\nHTTP2-Settings: x\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_Proto: x\r\n\
             Forwarded: for=6.6.6.6\r\nendpoint-load-metrics-format: BIN\r\nProxy: x\r\nVia: 1.0 a\r\n\r\n",
            false,
        );
        let expected = format!(
            "GET /a?b HTTP/1.1\r\nHost: x.example\r\nAccept: */*\r\nVia: 1.0 a\r\nConnection: te\r\nTE: trailers\r\n\
             {OURS}X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: x.example\r\n\
             Forwarded: for=203.0.113.9;proto=https;host=\"x.example\"\r\n\r\n"
        );
        assert_eq!(sent, expected);
    }

    #[test]
    fn one_proxy_before_us_is_believed_if_it_is_known() {
        let text = "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: http\r\n\r\n";
        let sent = forward(text, true);
        assert!(sent.contains("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: http\r\n"), "{sent}");
        assert!(!sent.contains("203.0.113.9"), "{sent}");
        let plain = forward("GET / HTTP/1.1\r\nHost: x\r\n\r\n", true);
        assert!(plain.contains("X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"), "{plain}");
    }

    #[test]
    fn framing_is_written_anew() {
        let sent =
            forward("POST / HTTP/1.0\r\nContent-Length: 005\r\nConnection: content-length\r\n\r\n", false);
        assert!(sent.starts_with("POST / HTTP/1.1\r\nHost: up:1\r\nContent-Length: 5\r\n"), "{sent}");
        let sent = forward("OPTIONS * HTTP/1.1\r\nHost: x\r\nMax-Forwards: 5\r\n\r\n", false);
        assert!(sent.contains("Max-Forwards: 4\r\n"), "{sent}");
        let sent =
            forward("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", false);
        assert!(sent.contains("Connection: upgrade\r\nUpgrade: websocket\r\n"), "{sent}");
    }

    #[test]
    fn answers_lose_what_is_for_the_proxy() {
        let text = "HTTP/1.1 200\r\nA: 1\r\nConnection: B\r\nB: 2\r\nendpoint-load-metrics: TEXT cpu_utilization=1\r\n\
                    waxwing-shed: 1\r\nKeep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\nSet-Cookie: c\r\n\r\n";
        let mut head = AnswerHead::default();
        let end = head.lines.find_end(text.as_bytes()).unwrap().unwrap();
        head.parse(&text.as_bytes()[..end], false).unwrap();
        let mut out = Buffer::default();
        let reply = Reply {
            framing: Framing::Chunked,
            announced: None,
            is_http_10: false,
            closes: true,
            cookie: Some("x=y"),
        };
        push_answer(&mut out, &head, text.as_bytes(), &reply);
        assert_eq!(
            String::from_utf8_lossy(out.filled()),
            "HTTP/1.1 200 \r\nA: 1\r\nSet-Cookie: c\r\nTransfer-Encoding: chunked\r\nSet-Cookie: x=y\r\n\
             Connection: close\r\nVia: 1.1 waxwing\r\n\r\n"
        );
    }
}
