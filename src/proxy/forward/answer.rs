//! The head of an answer from an upstream (RFC 9112 §4, §6.3). Pure, and as
//! strict as for requests: an answer that is read differently by the client
//! takes over the one after it.

use super::field::{Kind, is_value};
use super::head::{Fields, Framing, Lines};
use super::refusal::Refusal;
use crate::proxy::LoadReport;

/// The head of an answer. Reused.
#[derive(Debug, Default)]
pub(super) struct AnswerHead {
    pub(super) lines: Lines,
    pub(super) fields: Fields,
    pub(super) status: u16,
    /// Bytes of the head, the empty line included.
    pub(super) len: usize,
    pub(super) framing: Framing,
    pub(super) load: Option<LoadReport>,
    pub(super) is_shed: bool,
    /// Events without end.
    pub(super) is_events: bool,
    /// After so many seconds of rest the upstream closes the connection.
    pub(super) keep_alive_s: Option<u32>,
    keeps_alive: bool,
}

impl AnswerHead {
    pub(super) fn clear(&mut self) {
        self.lines.clear();
    }

    /// Reads a complete head; `to_head` is whether it answers a HEAD.
    pub(super) fn parse(&mut self, head: &[u8], to_head: bool) -> Result<(), Refusal> {
        self.len = head.len();
        let is_http_10 = self.read_line(head)?;
        self.fields.read(head, &self.lines)?;
        self.keeps_alive = !self.fields.says_close && (!is_http_10 || self.fields.says_keep_alive);
        self.read_facts(head);
        self.framing = match self.status {
            _ if to_head => Framing::None,
            100..200 | 204 | 304 => Framing::None,
            _ if self.fields.is_chunked && is_http_10 => {
                return Err(bad("HTTP/1.0 has no Transfer-Encoding"));
            }
            _ if self.fields.is_chunked => Framing::Chunked,
            _ => self.fields.length.map_or(Framing::Close, Framing::Length),
        };
        Ok(())
    }

    fn read_line(&mut self, head: &[u8]) -> Result<bool, Refusal> {
        let (start, end) = self.lines.all().next().unwrap_or_default();
        let line = head.get(start..end).unwrap_or_default();
        let (is_http_10, rest) = match line {
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1', b' ', rest @ ..] => (false, rest),
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0', b' ', rest @ ..] => (true, rest),
            _ => return Err(bad("the answer is not HTTP/1.1")),
        };
        let (code, phrase) = rest.split_at(rest.len().min(3));
        let is_code = matches!(code, [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9']);
        if !is_code || !(phrase.is_empty() || phrase.starts_with(b" ")) || !is_value(phrase) {
            return Err(bad("the answer has no status"));
        }
        self.status = code.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        Ok(is_http_10)
    }

    fn read_facts(&mut self, head: &[u8]) {
        (self.load, self.is_shed, self.is_events, self.keep_alive_s) = (None, false, false, None);
        for field in &self.fields.all {
            let value = field.value.of(head);
            match field.kind {
                Kind::Load => {
                    self.load = std::str::from_utf8(value).ok().and_then(LoadReport::parse);
                }
                Kind::Shed => self.is_shed = value == b"1",
                Kind::ContentType => {
                    const EVENTS: &[u8] = b"text/event-stream";
                    self.is_events =
                        value.get(..EVENTS.len()).is_some_and(|v| v.eq_ignore_ascii_case(EVENTS));
                }
                Kind::KeepAlive => self.keep_alive_s = timeout_of(value),
                _ => {}
            }
        }
    }

    /// The length that the head of an answer without a body names, to HEAD
    /// and with 304. With 204 it is wrong (RFC 9110 §8.6), and clients wait
    /// for the bytes.
    pub(super) fn announced(&self) -> Option<u64> {
        self.fields.length.filter(|_| self.status != 204)
    }

    /// Whether the connection may be used again after the body.
    pub(super) fn keeps_alive(&self) -> bool {
        self.keeps_alive && self.framing != Framing::Close
    }
}

/// The `timeout` of a `Keep-Alive` field.
fn timeout_of(value: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(value).ok()?;
    text.split(',').find_map(|part| part.trim().strip_prefix("timeout=")?.parse().ok())
}

const fn bad(reason: &'static str) -> Refusal {
    Refusal::new(502, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, to_head: bool) -> Result<AnswerHead, &'static str> {
        let mut head = AnswerHead::default();
        let end = head.lines.find_end(text.as_bytes()).map_err(|refusal| refusal.reason)?.unwrap();
        head.parse(&text.as_bytes()[..end], to_head).map_err(|refusal| refusal.reason)?;
        Ok(head)
    }

    #[test]
    fn the_end_of_a_body_is_known_from_the_head() {
        let cases = [
            ("HTTP/1.1 200 OK\r\n\r\n", false, Framing::Close, false),
            ("HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n", false, Framing::Length(5), true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, Framing::None, true),
            ("HTTP/1.1 204 No\r\n\r\n", false, Framing::None, true),
            ("HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", false, Framing::None, true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, Framing::Chunked, true),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n",
                false,
                Framing::Length(5),
                false,
            ),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", false, Framing::Length(5), false),
        ];
        for (text, to_head, framing, keeps_alive) in cases {
            let head = read(text, to_head).unwrap();
            assert_eq!((head.framing, head.keeps_alive()), (framing, keeps_alive), "{text:?}");
        }
    }

    #[test]
    fn answers_that_can_be_read_in_two_ways_are_refused() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 2000 OK\r\n\r\n",
            "HTTP/1.1 099 OK\r\n\r\n",
            "HTTP/2 200\r\n\r\n",
            "ICY 200 OK\r\n\r\n",
        ] {
            assert!(read(text, false).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_an_upstream_says_of_itself_is_read() {
        let head = read(
            "HTTP/1.1 503 No\r\nendpoint-load-metrics: TEXT cpu_utilization=0.5\r\nwaxwing-shed: 1\r\n\
             Keep-Alive: max=5, timeout=7\r\nContent-Type: text/event-stream;x\r\n\r\n",
            false,
        )
        .unwrap();
        assert_eq!(head.load.map(|load| load.utilisation), Some(0.5));
        assert!(head.is_shed && head.is_events);
        assert_eq!(head.keep_alive_s, Some(7));
    }
}
