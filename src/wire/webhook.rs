//! What a webhook is told, and how that is signed, as Mastodon does
//! (docs: admin/webhooks).

use std::fmt::Write;

use aws_lc_rs::hmac;
use serde::Serialize;

use crate::base::Timestamp;
use crate::model::WebhookEvent;

/// The header of the signature.
pub const SIGNATURE: &str = "x-hub-signature";

#[derive(Serialize)]
struct Payload<'a, T> {
    event: &'static str,
    created_at: String,
    object: &'a T,
}

/// The message as JSON: what happened, when, and to what.
pub fn payload<T: Serialize>(event: WebhookEvent, at: Timestamp, object: &T) -> Vec<u8> {
    let payload = Payload { event: event.word(), created_at: at.rfc3339(), object };
    serde_json::to_vec(&payload).expect("text and numbers can always be written")
}

/// The value of [`SIGNATURE`]: HMAC-SHA256 of the body, in hex.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut text = String::from("sha256=");
    for byte in hmac::sign(&key, body).as_ref() {
        write!(text, "{byte:02x}").expect("a string takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn the_signature_is_that_of_the_standard() {
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature("Jefe", b"what do ya want for nothing?"), expected);
    }

    #[test]
    fn the_message_has_mastodons_shape() {
        let at = Timestamp::from_secs(1_764_000_000);
        let text = payload(WebhookEvent::StatusCreated, at, &serde_json::json!({ "id": "1" }));
        let read: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(read["event"], "status.created");
        assert_eq!(read["created_at"], "2025-11-24T16:00:00.000Z");
        assert_eq!(read["object"]["id"], "1");
    }
}
