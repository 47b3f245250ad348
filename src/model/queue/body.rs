//! The body of an activity, compressed where that pays.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::base::limits::ACTIVITY_MAX_BYTES;

/// Smaller bodies are kept as they are: a short JSON document gains nothing.
pub const BODY_PACK_MIN_BYTES: usize = 1024;
/// zstd's own default: fast, and good enough for JSON.
const PACK_LEVEL: i32 = 3;

/// Bytes that go with a job, usually an activity's JSON. Make it outside of
/// the transaction: compression is work.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Body {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    kept: Vec<u8>,
    #[n(1)]
    is_packed: bool,
    #[n(2)]
    size: u32,
}

/// A kept body cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyError;

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body of a queued job is damaged")
    }
}

impl std::error::Error for BodyError {}

impl Body {
    /// A body of these bytes.
    ///
    /// # Errors
    /// When they are more than [`ACTIVITY_MAX_BYTES`].
    pub fn new(bytes: Vec<u8>) -> Result<Body, BodyError> {
        if bytes.len() > ACTIVITY_MAX_BYTES {
            return Err(BodyError);
        }
        let size = bytes.len() as u32;
        if bytes.len() >= BODY_PACK_MIN_BYTES
            && let Ok(packed) = zstd::bulk::compress(&bytes, PACK_LEVEL)
            && packed.len() < bytes.len()
        {
            return Ok(Body { kept: packed, is_packed: true, size });
        }
        Ok(Body { kept: bytes, is_packed: false, size })
    }

    /// No body.
    pub fn empty() -> Body {
        Body::default()
    }

    /// The bytes it was made of.
    ///
    /// # Errors
    /// When the row is damaged.
    pub fn unpack(&self) -> Result<Vec<u8>, BodyError> {
        if !self.is_packed {
            return Ok(self.kept.clone());
        }
        let size = self.size as usize;
        if size > ACTIVITY_MAX_BYTES {
            return Err(BodyError);
        }
        zstd::bulk::decompress(&self.kept, size).map_err(|_| BodyError)
    }

    /// How many bytes it was made of.
    pub fn len(&self) -> u32 {
        self.size
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }
}

impl fmt::Debug for Body {
    /// The size alone: bodies hold private text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_come_back_as_they_went_in() {
        for size in [0, 1, 1023, 1024, 50_000, ACTIVITY_MAX_BYTES] {
            let bytes = b"{\"type\":\"Note\"}".iter().copied().cycle().take(size).collect::<Vec<u8>>();
            let body = Body::new(bytes.clone()).unwrap();
            assert_eq!(body.is_packed, size >= BODY_PACK_MIN_BYTES);
            assert_eq!(body.unpack(), Ok(bytes));
        }
        assert_eq!(Body::new(vec![0; ACTIVITY_MAX_BYTES + 1]), Err(BodyError));
    }

    #[test]
    fn a_damaged_body_is_an_error() {
        let bomb = Body { kept: vec![1, 2, 3], is_packed: true, size: u32::MAX };
        assert_eq!(bomb.unpack(), Err(BodyError));
        let noise = Body { kept: vec![1, 2, 3], is_packed: true, size: 10 };
        assert_eq!(noise.unpack(), Err(BodyError));
    }
}
