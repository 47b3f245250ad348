//! Keys: RSA to sign and verify, Ed25519 to verify.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ED25519, KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Bytes of a PEM text; an RSA key of 8192 bits has 1.4 kB.
const PEM_MAX_BYTES: usize = 8 * 1024;
/// Modulus bits of an RSA key, least and most.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;
/// What stands before the 32 bytes of an Ed25519 key in SPKI (RFC 8410).
const ED25519_SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A key cannot be read or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// Not PEM, or not of a kind that holds public keys.
    NotPem,
    /// Neither RSA nor Ed25519.
    Kind,
    /// RSA with fewer than 2048 or more than 8192 bits.
    Size,
    /// Generating or signing failed.
    Crypto,
    /// Something that cannot stand in a header.
    NotAHeader,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyError::NotPem => "the public key is not PEM",
            KeyError::Kind => "the public key is neither RSA nor Ed25519",
            KeyError::Size => "an RSA key must have 2048 to 8192 bits",
            KeyError::Crypto => "the key cannot be used",
            KeyError::NotAHeader => "the key's name cannot stand in a header",
        })
    }
}

impl std::error::Error for KeyError {}

/// Somebody's public key.
#[derive(Clone)]
pub enum PublicKey {
    /// RSA, for PKCS#1 v1.5 with SHA-256.
    Rsa(Box<ParsedPublicKey>),
    /// Ed25519.
    Ed25519([u8; 32]),
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_rsa() { "PublicKey::Rsa" } else { "PublicKey::Ed25519" })
    }
}

impl PublicKey {
    /// Reads PEM: SPKI (`PUBLIC KEY`) or PKCS#1 (`RSA PUBLIC KEY`).
    ///
    /// # Errors
    /// When it is something else, or an RSA key of unacceptable size.
    pub fn from_pem(pem: &str) -> Result<PublicKey, KeyError> {
        let (label, der) = decode_pem(pem).ok_or(KeyError::NotPem)?;
        match (label, der.strip_prefix(&ED25519_SPKI_PREFIX)) {
            ("PUBLIC KEY", Some(raw)) => PublicKey::from_ed25519(raw),
            ("PUBLIC KEY" | "RSA PUBLIC KEY", _) => rsa_from_der(&der),
            _ => Err(KeyError::NotPem),
        }
    }

    /// An Ed25519 key from its 32 bytes.
    ///
    /// # Errors
    /// When there are not 32.
    pub fn from_ed25519(raw: &[u8]) -> Result<PublicKey, KeyError> {
        raw.try_into().map(PublicKey::Ed25519).map_err(|_| KeyError::Kind)
    }

    /// Whether it is RSA.
    pub fn is_rsa(&self) -> bool {
        matches!(self, PublicKey::Rsa(_))
    }

    /// Whether `signature` is this key's over `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            PublicKey::Rsa(key) => key.verify_sig(message, signature).is_ok(),
            PublicKey::Ed25519(raw) => {
                UnparsedPublicKey::new(&ED25519, raw).verify(message, signature).is_ok()
            }
        }
    }
}

fn rsa_from_der(der: &[u8]) -> Result<PublicKey, KeyError> {
    let parsed = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).map_err(|_| KeyError::Kind)?;
    let spki: PublicKeyX509Der<'_> = parsed.as_der().map_err(|_| KeyError::Kind)?;
    let bits = modulus_bits(spki.as_ref()).ok_or(KeyError::Kind)?;
    if RSA_BITS.contains(&bits) { Ok(PublicKey::Rsa(Box::new(parsed))) } else { Err(KeyError::Size) }
}

/// The size of an RSA key from its SPKI, as the library wrote it (RFC 8017,
/// A.1.1): sequence { algorithm, bits { sequence { modulus, exponent } } }.
fn modulus_bits(spki: &[u8]) -> Option<u32> {
    let (outer, _) = der_value(spki)?;
    let (_algorithm, rest) = der_value(outer)?;
    let (bits, _) = der_value(rest)?;
    let (key, _) = der_value(bits.get(1..)?)?;
    let (modulus, _) = der_value(key)?;
    let zeros = modulus.iter().take_while(|b| **b == 0).count();
    let first = modulus.get(zeros)?;
    Some((modulus.len() - zeros) as u32 * 8 - first.leading_zeros())
}

/// The content of the first DER value, and what follows it.
fn der_value(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = der.get(1..)?.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), rest.get(2..)?),
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// The label and bytes of the first block.
fn decode_pem(pem: &str) -> Option<(&str, Vec<u8>)> {
    if pem.len() > PEM_MAX_BYTES {
        return None;
    }
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (base64, _) = rest.split_once("-----END ")?;
    let compact: String = base64.split_ascii_whitespace().collect();
    Some((label, STANDARD.decode(compact).ok()?))
}

fn encode_pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in base64.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|b| char::from(*b)));
        pem.push('\n');
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

/// The private half of one of our RSA keys.
pub struct PrivateKey(RsaKeyPair);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

impl PrivateKey {
    /// Makes a new key of 2048 bits, the size that all peers take. Takes a
    /// good part of a second: not for the async threads.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn generate() -> Result<PrivateKey, KeyError> {
        RsaKeyPair::generate(KeySize::Rsa2048).map(PrivateKey).map_err(|_| KeyError::Crypto)
    }

    /// Reads PKCS#8 DER.
    ///
    /// # Errors
    /// When it is not an RSA key.
    pub fn from_pkcs8(der: &[u8]) -> Result<PrivateKey, KeyError> {
        RsaKeyPair::from_pkcs8(der).map(PrivateKey).map_err(|_| KeyError::Kind)
    }

    /// Writes PKCS#8 DER.
    ///
    /// # Errors
    /// When the library refuses; it does not for keys it made or read.
    pub fn to_pkcs8(&self) -> Result<Vec<u8>, KeyError> {
        let der: Pkcs8V1Der<'_> = self.0.as_der().map_err(|_| KeyError::Crypto)?;
        Ok(der.as_ref().to_vec())
    }

    /// The public half as SPKI PEM.
    ///
    /// # Errors
    /// When the library refuses; it does not for keys it made or read.
    pub fn public_pem(&self) -> Result<String, KeyError> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().map_err(|_| KeyError::Crypto)?;
        Ok(encode_pem("PUBLIC KEY", der.as_ref()))
    }

    /// Signs with PKCS#1 v1.5 and SHA-256.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| KeyError::Crypto)?;
        Ok(signature)
    }
}
