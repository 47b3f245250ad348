//! Web Push as bytes: the encryption that only the app can undo (RFC 8291,
//! and the draft before it that older apps still ask for), and the proof of
//! who sends it (VAPID, RFC 8292).
//!
//! Knows no subscription, no clock and no chance: those are arguments.

mod encrypt;
mod vapid;

pub use encrypt::{Encrypted, Fresh, PAYLOAD_MAX_BYTES, aes128gcm, aesgcm};
pub use vapid::ServerKey;

use aws_lc_rs::agreement::{ECDH_P256, ParsedPublicKey, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Bytes of a public key: an uncompressed point of P-256.
pub const PUBLIC_KEY_BYTES: usize = 65;
/// Bytes of the secret that app and server share (RFC 8291 §3.2).
pub const AUTH_BYTES: usize = 16;

/// What a browser or app made for one subscription.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    /// Its public key (`p256dh`).
    pub public: &'a [u8],
    /// The shared secret (`auth`).
    pub auth: &'a [u8],
}

/// The bytes of a key that a client sent: base64url as the standard has it,
/// plain base64 as some libraries write it, padded or not.
pub fn decode_key(text: &str) -> Option<Vec<u8>> {
    let text = text.trim().trim_end_matches('=');
    URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()
}

/// Whether these bytes are a point of P-256 that can be encrypted to.
pub fn is_public_key(bytes: &[u8]) -> bool {
    let key: Result<ParsedPublicKey, _> = UnparsedPublicKey::new(&ECDH_P256, bytes).try_into();
    bytes.len() == PUBLIC_KEY_BYTES && bytes[0] == 4 && key.is_ok()
}

/// Something cannot be encrypted or signed: a key is none, or the payload is
/// too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPush;
