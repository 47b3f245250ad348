//! The head of a request, read strictly (RFC 9112 §2, §3, §6): whatever two
//! servers could understand differently is refused, for that is how requests
//! are smuggled. Pure; offsets into the bytes it was read from.

use super::field::{self, Field, Kind, Span, is_token, list};
use super::refusal::Refusal;

/// Bytes of a head.
pub const HEAD_MAX_BYTES: usize = 64 * 1024;
/// Header lines of a message.
pub const HEADERS_MAX: usize = 100;
/// What a client accepts that waits for events.
const EVENTS: &[u8] = b"text/event-stream";
/// Names in `Connection`.
const OPTIONS_MAX: usize = 16;

/// How a body's end is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    #[default]
    None,
    /// It has so many bytes.
    Length(u64),
    /// It comes in chunks.
    Chunked,
    /// It ends with the connection (answers only).
    Close,
}

/// Finds the empty line after a head, line by line, and remembers how far it
/// looked.
#[derive(Debug, Default)]
pub(super) struct Lines {
    looked: usize,
    line: usize,
    /// Where each line begins and, without its CR LF, ends.
    ends: Vec<(u32, u32)>,
}

impl Lines {
    pub(super) fn clear(&mut self) {
        (self.looked, self.line) = (0, 0);
        self.ends.clear();
    }

    /// The length of the head, if it is complete. A line that ends with LF
    /// alone is refused, not taken for a line.
    pub(super) fn find_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        while let Some(at) = memchr::memchr(b'\n', bytes.get(self.looked..).unwrap_or_default()) {
            let lf = self.looked + at;
            self.looked = lf + 1;
            if lf == 0 || bytes.get(lf - 1) != Some(&b'\r') {
                return Err(Refusal::bad("a line does not end with CR LF"));
            }
            if lf >= HEAD_MAX_BYTES {
                break;
            }
            let line = self.line;
            self.line = lf + 1;
            if lf - 1 <= line {
                return Ok(Some(lf + 1));
            }
            if self.ends.len() > HEADERS_MAX {
                return Err(Refusal::new(431, "there are too many header lines"));
            }
            self.ends.push((line as u32, lf as u32 - 1));
        }
        self.looked = self.looked.max(bytes.len());
        if bytes.len() >= HEAD_MAX_BYTES {
            return Err(Refusal::new(431, "the head is too long"));
        }
        Ok(None)
    }

    /// The lines before the empty one.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, usize)> {
        self.ends.iter().map(|(start, end)| (*start as usize, *end as usize))
    }
}

/// What requests and answers have in common.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) all: Vec<Field>,
    /// Names that `Connection` lists, other than those below.
    pub(super) listed: Vec<Span>,
    pub(super) says_close: bool,
    pub(super) says_keep_alive: bool,
    pub(super) says_upgrade: bool,
    pub(super) length: Option<u64>,
    pub(super) is_chunked: bool,
}

impl Fields {
    fn clear(&mut self) {
        self.all.clear();
        self.listed.clear();
        (self.says_close, self.says_keep_alive, self.says_upgrade) = (false, false, false);
        (self.length, self.is_chunked) = (None, false);
    }

    /// Reads all lines after the first.
    pub(super) fn read(&mut self, head: &[u8], lines: &Lines) -> Result<(), Refusal> {
        self.clear();
        for (start, end) in lines.all().skip(1) {
            let field = field::parse(head, start, end)?;
            match field.kind {
                Kind::Connection => self.read_options(head, field)?,
                Kind::ContentLength => self.read_length(field.value.of(head))?,
                Kind::TransferEncoding => self.read_coding(field.value.of(head))?,
                _ => {}
            }
            self.all.push(field);
        }
        if self.is_chunked && self.length.is_some() {
            return Err(Refusal::bad("there are both Content-Length and Transfer-Encoding"));
        }
        Ok(())
    }

    fn read_options(&mut self, head: &[u8], field: Field) -> Result<(), Refusal> {
        for option in list(field.value.of(head)) {
            match option {
                _ if option.eq_ignore_ascii_case(b"close") => self.says_close = true,
                _ if option.eq_ignore_ascii_case(b"keep-alive") => self.says_keep_alive = true,
                _ if option.eq_ignore_ascii_case(b"upgrade") => self.says_upgrade = true,
                _ if self.listed.len() >= OPTIONS_MAX || !is_token(option) => {
                    return Err(Refusal::bad("Connection lists what it may not"));
                }
                _ => {
                    let at = option.as_ptr() as usize - head.as_ptr() as usize;
                    self.listed.push(Span::new(at, at + option.len()));
                }
            }
        }
        Ok(())
    }

    /// One field of digits only. A second one, even an equal one, or a list,
    /// is read differently by different servers.
    fn read_length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        let is_number = !value.is_empty() && value.len() <= 18 && value.iter().all(u8::is_ascii_digit);
        if self.length.is_some() || !is_number {
            return Err(Refusal::bad("Content-Length is not one number"));
        }
        self.length = Some(value.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')));
        Ok(())
    }

    fn read_coding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.is_chunked {
            return Err(Refusal::bad("there are two Transfer-Encodings"));
        }
        if !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Refusal::new(501, "the Transfer-Encoding is not `chunked`"));
        }
        self.is_chunked = true;
        Ok(())
    }

    /// The first value of a kind, and whether it is the only one.
    pub(super) fn find(&self, kind: Kind) -> Option<(Span, bool)> {
        let mut found = self.all.iter().filter(|field| field.kind == kind);
        let first = found.next()?;
        Some((first.value, found.next().is_none()))
    }

    /// Whether `Connection` makes this field one for a single connection.
    pub(super) fn lists(&self, head: &[u8], name: &[u8]) -> bool {
        self.listed.iter().any(|listed| listed.of(head).eq_ignore_ascii_case(name))
    }
}

/// The head of a request. Reused from one request to the next.
#[derive(Debug, Default)]
pub(super) struct RequestHead {
    pub(super) lines: Lines,
    pub(super) fields: Fields,
    pub(super) method: Span,
    /// In origin form, or `*`.
    pub(super) target: Span,
    /// The authority of an absolute target, else `Host`; empty if HTTP/1.0
    /// named none.
    pub(super) host: Span,
    pub(super) is_http_10: bool,
    pub(super) framing: Framing,
    pub(super) expects_continue: bool,
    /// The protocol that the client would change to.
    pub(super) upgrade: Option<Span>,
    pub(super) takes_trailers: bool,
    pub(super) max_forwards: Option<u64>,
    /// An answer without end may come.
    pub(super) wants_events: bool,
    pub(super) has_idempotency_key: bool,
    pub(super) is_activity: bool,
}

impl RequestHead {
    /// Makes ready for the next request.
    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.fields.clear();
    }

    /// Reads a head that [`Lines::find_end`] found complete.
    pub(super) fn parse(&mut self, head: &[u8]) -> Result<(), Refusal> {
        self.read_line(head)?;
        self.fields.read(head, &self.lines)?;
        self.read_facts(head)?;
        self.read_framing()?;
        if self.host.is_empty() && !self.is_http_10 {
            return Err(Refusal::bad("the request names no host"));
        }
        if !is_host(self.host.of(head)) {
            return Err(Refusal::bad("the request's host is not a name"));
        }
        Ok(())
    }

    /// `METHOD SP target SP HTTP/1.1`, with single spaces.
    fn read_line(&mut self, head: &[u8]) -> Result<(), Refusal> {
        let (start, end) = self.lines.all().next().unwrap_or_default();
        let line = head.get(start..end).unwrap_or_default();
        let mut parts = line.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::bad("the request line has not three parts"));
        };
        self.is_http_10 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            _ if version.starts_with(b"HTTP/") => {
                return Err(Refusal::new(505, "only HTTP/1.1 and HTTP/2 are spoken here"));
            }
            _ => return Err(Refusal::bad("the request line names no version")),
        };
        if !is_token(method) {
            return Err(Refusal::bad("the method is not a token"));
        }
        self.method = Span::new(start, start + method.len());
        let at = start + method.len() + 1;
        self.read_target(head, at, at + target.len())
    }

    fn read_target(&mut self, head: &[u8], at: usize, end: usize) -> Result<(), Refusal> {
        let method = self.method.of(head);
        if method == b"CONNECT" {
            return Err(Refusal::new(405, "no tunnels are opened here"));
        }
        let target = head.get(at..end).unwrap_or_default();
        if target.is_empty() || !target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#') {
            return Err(Refusal::bad("the target has characters that no URL has"));
        }
        (self.host, self.target) = (Span::default(), Span::new(at, end));
        match target {
            [b'/', ..] => Ok(()),
            b"*" if method == b"OPTIONS" => Ok(()),
            _ => self.read_absolute(target, at),
        }
    }

    /// `http://host/path`: its host counts, not the field (RFC 9112 §3.2.2).
    fn read_absolute(&mut self, target: &[u8], at: usize) -> Result<(), Refusal> {
        let scheme = [&b"http://"[..], b"https://"].into_iter().find(|scheme| {
            target.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
        });
        let Some(scheme) = scheme else {
            return Err(Refusal::bad("the target is neither a path nor a URL"));
        };
        let rest = &target[scheme.len()..];
        let slash = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
        let path = at + scheme.len() + slash;
        if rest.get(slash) != Some(&b'/') {
            return Err(Refusal::bad("the target's path is missing"));
        }
        self.host = Span::new(at + scheme.len(), path);
        self.target = Span::new(path, at + target.len());
        if self.host.is_empty() {
            return Err(Refusal::bad("the target names no host"));
        }
        Ok(())
    }

    fn read_facts(&mut self, head: &[u8]) -> Result<(), Refusal> {
        self.expects_continue = false;
        (self.upgrade, self.takes_trailers, self.max_forwards) = (None, false, None);
        (self.wants_events, self.has_idempotency_key, self.is_activity) = (false, false, false);
        let mut has_host = false;
        for field in &self.fields.all {
            let value = field.value.of(head);
            match field.kind {
                Kind::Host if has_host => return Err(Refusal::bad("there are two Hosts")),
                Kind::Host => {
                    has_host = true;
                    if self.host.is_empty() {
                        self.host = field.value;
                    } else if !is_host(value) {
                        return Err(Refusal::bad("the request's host is not a name"));
                    }
                }
                Kind::Expect if value.eq_ignore_ascii_case(b"100-continue") => self.expects_continue = true,
                Kind::Expect => return Err(Refusal::new(417, "only `100-continue` may be expected")),
                Kind::Upgrade => self.upgrade = Some(field.value),
                Kind::Te => {
                    self.takes_trailers |= list(value).any(|t| t.eq_ignore_ascii_case(b"trailers"));
                }
                Kind::MaxForwards => {
                    let text = std::str::from_utf8(value).ok();
                    self.max_forwards = text.and_then(|text| text.parse().ok());
                }
                Kind::Accept => self.wants_events |= value.windows(EVENTS.len()).any(|w| w == EVENTS),
                Kind::IdempotencyKey => self.has_idempotency_key = true,
                Kind::ContentType => self.is_activity = is_activity(value),
                _ => {}
            }
        }
        // HTTP/1.1 demands the field even beside an absolute target.
        if !has_host && !self.is_http_10 {
            return Err(Refusal::bad("the request names no host"));
        }
        self.settle_upgrade(head)
    }

    /// An upgrade must be asked for in `Connection`, too, and HTTP/2 inside
    /// it would carry requests past whoever looks at them (h2c smuggling).
    fn settle_upgrade(&mut self, head: &[u8]) -> Result<(), Refusal> {
        let is_meant = self.fields.says_upgrade && !self.is_http_10;
        self.upgrade = self.upgrade.filter(|value| {
            is_meant
                && list(value.of(head))
                    .all(|name| !name.get(..2).is_some_and(|h| h.eq_ignore_ascii_case(b"h2")))
        });
        if self.upgrade.is_some() && self.fields.find(Kind::Upgrade).is_some_and(|(_, is_only)| !is_only) {
            return Err(Refusal::bad("there are two Upgrades"));
        }
        Ok(())
    }

    fn read_framing(&mut self) -> Result<(), Refusal> {
        self.framing = match self.fields.length {
            _ if self.fields.is_chunked && self.is_http_10 => {
                return Err(Refusal::bad("HTTP/1.0 has no Transfer-Encoding"));
            }
            _ if self.fields.is_chunked => Framing::Chunked,
            Some(length) => Framing::Length(length),
            None => Framing::None,
        };
        // HTTP/1.0 knows no word of ours before the body.
        self.expects_continue &= !self.is_http_10 && self.has_body();
        if self.upgrade.is_some() && self.has_body() {
            return Err(Refusal::bad("an upgrade with a body is ambiguous"));
        }
        Ok(())
    }

    pub(super) fn has_body(&self) -> bool {
        !matches!(self.framing, Framing::None | Framing::Length(0))
    }

    /// Whether the client wants the connection to stay.
    pub(super) fn keeps_alive(&self) -> bool {
        !self.fields.says_close && (!self.is_http_10 || self.fields.says_keep_alive)
    }

    /// Whether doing it twice is as good as once (RFC 9110 §9.2.2). An inbox
    /// knows an activity that it had by its id; who keeps keys, by the path,
    /// says `keeps_key`.
    pub(super) fn is_idempotent(&self, head: &[u8], keeps_key: fn(&[u8]) -> bool) -> bool {
        match self.method.of(head) {
            b"GET" | b"HEAD" | b"OPTIONS" | b"PUT" | b"DELETE" | b"TRACE" => true,
            b"POST" => {
                let target = self.target.of(head);
                let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
                (self.has_idempotency_key && keeps_key(path))
                    || (self.is_activity && target.ends_with(b"/inbox"))
            }
            _ => false,
        }
    }
}

fn is_activity(content_type: &[u8]) -> bool {
    [&b"application/activity+json"[..], b"application/ld+json"]
        .into_iter()
        .any(|known| content_type.get(..known.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(known)))
}

/// Whether a host with an optional port could be one: nothing in it may end
/// it early for another reader (`@`, `/`, `,`, spaces).
fn is_host(host: &[u8]) -> bool {
    host.iter().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']' | b'%' | b'~')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RequestHead, u16> {
        let mut head = RequestHead::default();
        let end = head.lines.find_end(text.as_bytes()).map_err(|refusal| refusal.status)?;
        let end = end.expect("the head is complete");
        head.parse(&text.as_bytes()[..end]).map_err(|refusal| refusal.status)?;
        Ok(head)
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        let cases = [
            (400, "GET / HTTP/1.1\nHost: a\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"),
            (400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "GET http://a@b/x HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "GET / http/1.1\r\nHost: a\r\n\r\n"),
            (505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
            (505, "GET / HTTP/3\r\nHost: a\r\n\r\n"),
            (405, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"),
            (501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
            (501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"),
            (501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"),
            (501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"),
            (501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n"),
            (400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n"),
            (400, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
            (417, "POST / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: a\r\nConnection: a b\r\n\r\n"),
            (400, "GET / HTTP/1.1\r\nHost: a\r\nA\x00: b\r\n\r\n"),
        ];
        for (status, text) in cases {
            assert_eq!(read(text).err(), Some(status), "{text:?}");
        }
        let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(HEADERS_MAX));
        assert_eq!(read(&many).err(), Some(431));
        let long = format!("GET / HTTP/1.1\r\nHost: a\r\nA: {}\r\n\r\n", "b".repeat(HEAD_MAX_BYTES));
        assert_eq!(read(&long).err(), Some(431));
    }

    #[test]
    fn what_is_clear_is_read() {
        let text = "POST http://b.example/x?y HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: Chunked\r\n\
                    Connection: TE, X-One\r\nExpect: 100-Continue\r\nMax-Forwards: 3\r\n\r\nrest";
        let head = read(text).unwrap();
        let part = |span: Span| std::str::from_utf8(span.of(text.as_bytes())).unwrap().to_owned();
        assert_eq!(
            (part(head.method), part(head.target), part(head.host)),
            ("POST".into(), "/x?y".into(), "b.example".into())
        );
        assert_eq!((head.framing, head.max_forwards), (Framing::Chunked, Some(3)));
        assert!(head.expects_continue && head.takes_trailers && head.keeps_alive());
        assert!(head.fields.lists(text.as_bytes(), b"x-one") && !head.fields.lists(text.as_bytes(), b"x"));
        let old = read("GET / HTTP/1.0\r\n\r\n").unwrap();
        assert!(!old.keeps_alive() && old.host.is_empty());
    }

    #[test]
    fn upgrades_to_http_2_are_not_passed_on() {
        let upgrade = |protocol: &str, connection: &str| {
            let text = format!(
                "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: {protocol}\r\nConnection: {connection}\r\n\r\n"
            );
            read(&text).unwrap().upgrade.is_some()
        };
        assert!(upgrade("websocket", "Upgrade"));
        assert!(upgrade("websocket", "keep-alive, upgrade"));
        assert!(!upgrade("websocket", "keep-alive"));
        assert!(!upgrade("h2c", "Upgrade, HTTP2-Settings"));
        assert!(!upgrade("websocket, H2C", "Upgrade"));
    }

    #[test]
    fn a_head_may_come_byte_by_byte() {
        let text = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nX";
        let mut lines = Lines::default();
        for end in 0..text.len() - 1 {
            let expected = (end == text.len() - 1).then_some(end);
            assert_eq!(lines.find_end(&text[..end]).unwrap(), expected, "{end}");
        }
        assert_eq!(lines.find_end(text).unwrap(), Some(text.len() - 1));
    }

    #[test]
    fn inboxes_may_be_posted_to_twice() {
        let posts = |path: &str, kind: &str, rest: &str| {
            let text = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\n{rest}\r\n");
            read(&text).unwrap().is_idempotent(text.as_bytes(), |path| path == b"/kept")
        };
        let post = |path: &str, kind: &str| posts(path, kind, "");
        assert!(post("/users/ana/inbox", "application/activity+json"));
        assert!(post("/inbox", "application/ld+json; profile=x"));
        assert!(!post("/inbox", "text/plain") && !post("/x", "application/activity+json"));
        let keyed = |path: &str| posts(path, "text/plain", "Idempotency-Key: k\r\n");
        assert!(keyed("/kept") && keyed("/kept?a=/b"));
        assert!(!keyed("/other") && !keyed("/other?/kept") && !post("/kept", "text/plain"));
    }
}
