//! Frames of a backup: a kind, a length, compressed bytes, and the first
//! bytes of the SHA-256 of everything up to there.

use std::io::{self, ErrorKind, Read, Write};

use aws_lc_rs::digest::{Context, SHA256};

use crate::store::backend::RawRow;

/// What every backup begins with; then comes the format's version.
pub(super) const MAGIC: &[u8; 15] = b"waxwing-backup\n";
const VERSION: u8 = 1;
/// Compression that costs less time than the disk saves.
const LEVEL: i32 = 3;
/// Most bytes of one frame, unpacked: far more than one row may have.
const FRAME_MAX_BYTES: usize = 256 << 20;
const DIGEST_BYTES: usize = 16;
const ROWS: u8 = 1;
const END: u8 = 2;

pub(super) enum Frame {
    Rows { table: String, rows: Vec<RawRow> },
    End { tables: u64, rows: u64 },
}

pub(super) enum FrameError {
    File(io::Error),
    Damaged(String),
    Newer(u8),
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> FrameError {
        if error.kind() == ErrorKind::UnexpectedEof {
            return FrameError::Damaged("it was cut short".into());
        }
        FrameError::File(error)
    }
}

fn damaged(what: &str) -> FrameError {
    FrameError::Damaged(what.to_owned())
}

/// Writes frames.
pub(super) struct Writer<W> {
    out: W,
    digest: Context,
}

impl<W: Write> Writer<W> {
    pub(super) fn begin(out: W) -> Result<Writer<W>, FrameError> {
        let mut writer = Writer { out, digest: Context::new(&SHA256) };
        writer.put(MAGIC)?;
        writer.put(&[VERSION])?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        self.digest.update(bytes);
        Ok(self.out.write_all(bytes)?)
    }

    pub(super) fn write(&mut self, frame: &Frame) -> Result<(), FrameError> {
        let (kind, plain) = encode(frame);
        if plain.len() > FRAME_MAX_BYTES {
            return Err(damaged("a row is too large for a backup"));
        }
        let packed = zstd::bulk::compress(&plain, LEVEL)?;
        self.put(&[kind])?;
        self.put(&(plain.len() as u32).to_be_bytes())?;
        self.put(&(packed.len() as u32).to_be_bytes())?;
        self.put(&packed)?;
        let digest = self.digest.clone().finish();
        Ok(self.out.write_all(&digest.as_ref()[..DIGEST_BYTES])?)
    }

    pub(super) fn finish(mut self) -> Result<W, FrameError> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Reads frames, and trusts nothing.
pub(super) struct Reader<R> {
    input: R,
    digest: Context,
}

impl<R: Read> Reader<R> {
    pub(super) fn begin(input: R) -> Result<Reader<R>, FrameError> {
        let mut reader = Reader { input, digest: Context::new(&SHA256) };
        let foreign = |error| match error {
            FrameError::Damaged(_) => damaged("it is no backup of Waxwing"),
            other => other,
        };
        let magic: [u8; MAGIC.len()] = reader.take().map_err(foreign)?;
        if magic != *MAGIC {
            return Err(damaged("it is no backup of Waxwing"));
        }
        match reader.take::<1>()?[0] {
            VERSION => Ok(reader),
            newer if newer > VERSION => Err(FrameError::Newer(newer)),
            _ => Err(damaged("its version never existed")),
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        self.digest.update(&bytes);
        Ok(bytes)
    }

    pub(super) fn read(&mut self) -> Result<Frame, FrameError> {
        let [kind] = self.take()?;
        let plain_bytes = u32::from_be_bytes(self.take()?) as usize;
        let packed_bytes = u32::from_be_bytes(self.take()?) as usize;
        // Compression may add a little to what is small.
        if plain_bytes > FRAME_MAX_BYTES || packed_bytes > FRAME_MAX_BYTES + 1024 {
            return Err(damaged("a length is out of bounds"));
        }
        // Grows as bytes come, so that a wrong length costs no memory.
        let mut packed = Vec::new();
        self.input.by_ref().take(packed_bytes as u64).read_to_end(&mut packed)?;
        if packed.len() < packed_bytes {
            return Err(damaged("it was cut short"));
        }
        self.digest.update(&packed);
        let mut digest = [0; DIGEST_BYTES];
        self.input.read_exact(&mut digest)?;
        if self.digest.clone().finish().as_ref()[..DIGEST_BYTES] != digest {
            return Err(damaged("a checksum is wrong"));
        }
        let plain =
            zstd::bulk::decompress(&packed, plain_bytes).map_err(|_| damaged("it does not unpack"))?;
        decode(kind, &plain).ok_or_else(|| damaged("a frame makes no sense"))
    }
}

fn encode(frame: &Frame) -> (u8, Vec<u8>) {
    let mut out = Vec::new();
    let mut part = |bytes: &[u8]| {
        out.extend((bytes.len() as u32).to_be_bytes());
        out.extend(bytes);
    };
    match frame {
        Frame::Rows { table, rows } => {
            part(table.as_bytes());
            for (key, value) in rows {
                part(key);
                part(value);
            }
            (ROWS, out)
        }
        Frame::End { tables, rows } => {
            part(&tables.to_be_bytes());
            part(&rows.to_be_bytes());
            (END, out)
        }
    }
}

fn decode(kind: u8, mut input: &[u8]) -> Option<Frame> {
    let mut part = || {
        let (length, rest) = input.split_first_chunk::<4>()?;
        let (part, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        input = rest;
        Some(part.to_vec())
    };
    let frame = match kind {
        ROWS => {
            let table = String::from_utf8(part()?).ok()?;
            let mut rows = Vec::new();
            while let Some(key) = part() {
                rows.push((key, part()?));
            }
            Frame::Rows { table, rows }
        }
        END => {
            let mut number = || Some(u64::from_be_bytes(part()?.try_into().ok()?));
            Frame::End { tables: number()?, rows: number()? }
        }
        _ => return None,
    };
    input.is_empty().then_some(frame)
}
