//! Bytes on their way: read at the end, taken from the front. Kept for the
//! life of a connection, so that an exchange allocates nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Room at the first read; heads are mostly shorter.
const FIRST_BYTES: usize = 4 * 1024;

/// A queue of bytes in one piece of memory.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// All of it is initialised; what counts lies between the two marks.
    memory: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// What is in it.
    pub(super) fn filled(&self) -> &[u8] {
        self.memory.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(super) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// Takes bytes from the front.
    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.start == self.end {
            self.clear();
        }
    }

    /// Appends.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        let end = self.end + bytes.len();
        if let Some(room) = self.memory.get_mut(self.end..end) {
            room.copy_from_slice(bytes);
            self.end = end;
        }
    }

    /// Gives memory back, beyond so much, that a resting connection does not
    /// need.
    pub(super) fn rest(&mut self, max_bytes: usize) {
        if self.is_empty() && self.memory.len() > max_bytes {
            *self = Buffer::default();
        }
    }

    fn make_room(&mut self, count: usize) {
        if self.memory.len() - self.end >= count {
            return;
        }
        if self.start > 0 {
            self.memory.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let wanted = self.end + count;
        if self.memory.len() < wanted {
            self.memory.resize(wanted.next_power_of_two().max(FIRST_BYTES), 0);
        }
    }

    /// Reads once, with room for `room` bytes at least; 0 is the end.
    pub(super) fn poll_read<I: AsyncRead + Unpin>(
        &mut self,
        io: &mut I,
        cx: &mut Context<'_>,
        room: usize,
    ) -> Poll<io::Result<usize>> {
        self.make_room(room);
        let free = self.memory.get_mut(self.end..).unwrap_or_default();
        let mut into = ReadBuf::new(free);
        ready!(Pin::new(io).poll_read(cx, &mut into))?;
        let count = into.filled().len();
        self.end += count;
        Poll::Ready(Ok(count))
    }

    /// Writes all of it.
    pub(super) fn poll_write<I: AsyncWrite + Unpin>(
        &mut self,
        io: &mut I,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let count = ready!(Pin::new(&mut *io).poll_write(cx, self.filled()))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.consume(count);
        }
        // TLS may hold a record back; in the clear this costs nothing.
        Pin::new(io).poll_flush(cx)
    }
}

/// Numbers are written into heads and chunks for every answer; `format!`
/// would allocate.
pub(super) fn push_decimal(out: &mut Buffer, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.push(&digits[at..]);
}

/// The same in hexadecimal.
pub(super) fn push_hex(out: &mut Buffer, number: usize) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0u8; 16];
    let mut at = digits.len();
    let mut left = number;
    loop {
        at -= 1;
        digits[at] = DIGITS[left & 15];
        left >>= 4;
        if left == 0 {
            break;
        }
    }
    out.push(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let mut buffer = Buffer::default();
        let mut expected = Vec::new();
        for round in 0..2000u32 {
            let bytes = round.to_be_bytes();
            buffer.push(&bytes);
            expected.extend_from_slice(&bytes);
            if round % 3 == 0 {
                let count = buffer.len().min(5);
                assert_eq!(&buffer.filled()[..count], &expected[..count]);
                buffer.consume(count);
                expected.drain(..count);
            }
        }
        assert_eq!(buffer.filled(), expected);
        buffer.consume(usize::MAX >> 1);
        assert!(buffer.is_empty());
    }

    #[test]
    fn numbers_are_written() {
        let mut out = Buffer::default();
        for number in [0, 7, 10, 12345, u64::MAX] {
            out.clear();
            push_decimal(&mut out, number);
            assert_eq!(out.filled(), number.to_string().as_bytes());
            out.clear();
            push_hex(&mut out, number as usize);
            assert_eq!(out.filled(), format!("{number:x}").as_bytes());
        }
    }
}
