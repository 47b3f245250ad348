//! Where a body ends, and the data in it (RFC 9112 §6, §7.1). Pure.

use super::buffer::{Buffer, push_hex};
use super::field::{self, Span, is_value, may_trail};
use super::head::{Framing, Lines};
use super::refusal::Refusal;

/// Bytes of all chunk extensions of a body; nobody uses them.
const EXTENSIONS_MAX_BYTES: usize = 4 * 1024;
/// Bytes of a trailer section.
const TRAILERS_MAX_BYTES: usize = 8 * 1024;

/// Finds the data in a body that comes piece by piece.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    state: State,
    is_chunked: bool,
    /// Data so far.
    pub(super) data: u64,
    extensions: usize,
    trailers: Lines,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Done,
    Length(u64),
    Close,
    Size {
        size: u64,
        digits: u8,
    },
    Extension(u64),
    SizeLf(u64),
    Data(u64),
    DataCr,
    DataLf,
    Trailers,
}

/// What the front of the bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// So many bytes to be dropped.
    Skip(usize),
    /// So many bytes of data.
    Data(usize),
    /// So many bytes of trailer lines, the empty one included. It is the end.
    Trailers(usize),
    /// More bytes are needed.
    More,
    /// The body is over.
    End,
}

impl Decoder {
    pub(super) fn start(&mut self, framing: Framing) {
        self.state = match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size { size: 0, digits: 0 },
            Framing::Close => State::Close,
        };
        self.is_chunked = framing == Framing::Chunked;
        (self.data, self.extensions) = (0, 0);
        self.trailers.clear();
    }

    /// Whether it comes in chunks.
    pub(super) fn is_chunked(&self) -> bool {
        self.is_chunked
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// What the front of `bytes` is. Whoever asks takes it away then.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Part, Refusal> {
        if self.state == State::Done {
            return Ok(Part::End);
        }
        if bytes.is_empty() {
            return Ok(Part::More);
        }
        match self.state {
            State::Length(left) => {
                let count = (bytes.len() as u64).min(left);
                self.data += count;
                self.state = if count == left { State::Done } else { State::Length(left - count) };
                Ok(Part::Data(count as usize))
            }
            State::Close => {
                self.data += bytes.len() as u64;
                Ok(Part::Data(bytes.len()))
            }
            State::Data(left) => {
                let count = (bytes.len() as u64).min(left);
                self.data += count;
                self.state = if count == left { State::DataCr } else { State::Data(left - count) };
                Ok(Part::Data(count as usize))
            }
            State::Trailers => self.trailers(bytes),
            _ => self.between(bytes),
        }
    }

    /// The end of the connection: whether that is an end of the body, too.
    pub(super) fn finish(&mut self) -> bool {
        if self.state == State::Close {
            self.state = State::Done;
        }
        self.is_done()
    }

    /// The line between two chunks.
    fn between(&mut self, bytes: &[u8]) -> Result<Part, Refusal> {
        let mut taken = 0;
        for byte in bytes {
            taken += 1;
            self.state = self.step(*byte)?;
            if matches!(self.state, State::Data(_) | State::Trailers) {
                break;
            }
        }
        Ok(Part::Skip(taken))
    }

    fn step(&mut self, byte: u8) -> Result<State, Refusal> {
        const BAD: Refusal = Refusal::bad("the body's chunks are broken");
        match (self.state, byte) {
            (State::Size { size, digits }, _) if byte.is_ascii_hexdigit() => {
                if digits >= 15 {
                    return Err(BAD);
                }
                let digit = (byte as char).to_digit(16).unwrap_or_default();
                Ok(State::Size { size: size * 16 + u64::from(digit), digits: digits + 1 })
            }
            (State::Size { size, digits: 1.. }, b'\r') => Ok(State::SizeLf(size)),
            (State::Size { size, digits: 1.. }, b';') => Ok(State::Extension(size)),
            (State::Extension(size), b'\r') => Ok(State::SizeLf(size)),
            (State::Extension(size), _) if is_value(&[byte]) => {
                self.extensions += 1;
                if self.extensions > EXTENSIONS_MAX_BYTES {
                    return Err(Refusal::bad("the body's chunks have too long extensions"));
                }
                Ok(State::Extension(size))
            }
            (State::SizeLf(0), b'\n') => Ok(State::Trailers),
            (State::SizeLf(size), b'\n') => Ok(State::Data(size)),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Size { size: 0, digits: 0 }),
            _ => Err(BAD),
        }
    }

    fn trailers(&mut self, bytes: &[u8]) -> Result<Part, Refusal> {
        if let Some(end) = self.trailers.find_end(bytes)? {
            self.state = State::Done;
            return Ok(Part::Trailers(end));
        }
        if bytes.len() > TRAILERS_MAX_BYTES {
            return Err(Refusal::new(431, "the trailers are too long"));
        }
        Ok(Part::More)
    }

    /// The trailers that may go on, each with its line end.
    pub(super) fn copy_trailers(&self, section: &[u8], out: &mut Buffer) -> Result<(), Refusal> {
        self.each_trailer(section, |name, value| {
            out.push(name.of(section));
            out.push(b": ");
            out.push(value.of(section));
            out.push(b"\r\n");
        })
    }

    /// The trailers that may go on.
    pub(super) fn each_trailer(
        &self,
        section: &[u8],
        mut each: impl FnMut(Span, Span),
    ) -> Result<(), Refusal> {
        for (start, end) in self.trailers.all() {
            let field = field::parse(section, start, end)?;
            if may_trail(field.name.of(section), field.kind) {
                each(field.name, field.value);
            }
        }
        Ok(())
    }
}

/// Writes the line before a chunk of so many bytes (not 0).
pub(super) fn push_chunk_size(out: &mut Buffer, size: usize) {
    push_hex(out, size);
    out.push(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of a body that comes in pieces of this size, and what is left.
    fn decode(framing: Framing, bytes: &[u8], piece: usize) -> Result<(String, String, usize), &'static str> {
        let mut decoder = Decoder::default();
        decoder.start(framing);
        let (mut data, mut trailers) = (Vec::new(), Buffer::default());
        let mut at = 0;
        let mut end = 0;
        loop {
            let part = decoder.next(&bytes[at..end]).map_err(|refusal| refusal.reason)?;
            match part {
                Part::Skip(count) => at += count,
                Part::Data(count) => {
                    data.extend_from_slice(&bytes[at..at + count]);
                    at += count;
                }
                Part::Trailers(count) => {
                    decoder.copy_trailers(&bytes[at..at + count], &mut trailers).map_err(|r| r.reason)?;
                    at += count;
                }
                Part::More if end == bytes.len() => return Err("incomplete"),
                Part::More => end = (end + piece).min(bytes.len()),
                Part::End => break,
            }
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((text(&data), text(trailers.filled()), bytes.len() - at))
    }

    #[test]
    fn chunks_are_read_in_any_pieces() {
        let body =
            b"5\r\nhello\r\n01;a=\"b\"\r\n \r\n5\r\nworld\r\n0\r\nX-Sum: 7\r\nContent-Length: 9\r\n\r\nGET";
        for piece in 1..body.len() {
            let read = decode(Framing::Chunked, body, piece);
            assert_eq!(read, Ok(("hello world".into(), "X-Sum: 7\r\n".into(), 3)), "{piece}");
        }
        for piece in 1..8 {
            assert_eq!(
                decode(Framing::Length(5), b"helloGET", piece),
                Ok(("hello".into(), String::new(), 3))
            );
        }
    }

    #[test]
    fn broken_chunks_are_refused() {
        for body in [
            "5\nhello\r\n0\r\n\r\n",
            "5\r\nhello0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            " 5\r\nhello\r\n0\r\n\r\n",
            "\r\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            "-1\r\nhello\r\n0\r\n\r\n",
            "+5\r\nhello\r\n0\r\n\r\n",
            "5;\nx\r\nhello\r\n0\r\n\r\n",
            "5;a\x01\r\nhello\r\n0\r\n\r\n",
            "10000000000000000\r\nhello\r\n0\r\n\r\n",
            "5\rXhello\r\n0\r\n\r\n",
            "0\r\nX-Sum 7\r\n\r\n",
            "0\r\nX: 7\n\r\n",
        ] {
            let read = decode(Framing::Chunked, body.as_bytes(), 3);
            assert!(read.as_ref().is_err_and(|why| *why != "incomplete"), "{body:?}: {read:?}");
        }
        let endless = format!("5;{}\r\n", "x".repeat(EXTENSIONS_MAX_BYTES + 1));
        assert!(
            decode(Framing::Chunked, endless.as_bytes(), 100).is_err_and(|why| why.contains("extensions"))
        );
    }
}
