//! Digests of bodies: `Digest` (RFC 3230) and `Content-Digest` (RFC 9530).

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sfv::{BareItem, Dictionary, ListEntry, Parser};

use super::Refusal;

/// `SHA-256=…`
pub(super) fn digest_header(body: &[u8]) -> String {
    format!("SHA-256={}", STANDARD.encode(digest(&SHA256, body)))
}

/// `sha-256=:…:`
pub(super) fn content_digest_header(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, body)))
}

/// Compares a `Digest` header with the body. Every known algorithm in it has
/// to match, and there has to be one.
pub(super) fn check_digest(header: &str, body: &[u8]) -> Result<(), Refusal> {
    let mut known = 0;
    for part in header.split(',') {
        let (name, base64) = part.trim().split_once('=').ok_or(Refusal::Malformed("digest"))?;
        let expected = match name.to_ascii_lowercase().as_str() {
            "sha-256" => digest(&SHA256, body),
            "sha-512" => digest(&SHA512, body),
            _ => continue,
        };
        known += 1;
        let given = STANDARD.decode(base64).map_err(|_| Refusal::Malformed("digest"))?;
        if given != expected.as_ref() {
            return Err(Refusal::WrongBody);
        }
    }
    if known > 0 { Ok(()) } else { Err(Refusal::Malformed("digest")) }
}

/// Compares a `Content-Digest` header with the body, by the same rule.
pub(super) fn check_content_digest(header: &str, body: &[u8]) -> Result<(), Refusal> {
    let malformed = Refusal::Malformed("content-digest");
    let parts: Dictionary = Parser::new(header).parse().map_err(|_| malformed.clone())?;
    let mut known = 0;
    for (name, entry) in &parts {
        let expected = match name.as_str() {
            "sha-256" => digest(&SHA256, body),
            "sha-512" => digest(&SHA512, body),
            _ => continue,
        };
        known += 1;
        let ListEntry::Item(item) = entry else { return Err(malformed) };
        let BareItem::ByteSequence(given) = &item.bare_item else { return Err(malformed) };
        if given.as_slice() != expected.as_ref() {
            return Err(Refusal::WrongBody);
        }
    }
    if known > 0 { Ok(()) } else { Err(malformed) }
}
