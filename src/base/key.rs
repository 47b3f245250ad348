//! Keys that are made of a secret.

use aws_lc_rs::hmac;

/// The key of one purpose that belongs to a secret (HMAC-SHA-256, RFC 2104).
/// Other purposes have other keys, and none of them tells the secret.
pub fn derived_key(secret: &[u8], purpose: &[u8]) -> [u8; 32] {
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), purpose);
    mac.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_and_purpose_has_a_key_of_its_own() {
        // RFC 4231, test case 2.
        let key = derived_key(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(key[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_ne!(key, derived_key(b"Jefe", b"another"));
        assert_ne!(key, derived_key(b"jefe", b"what do ya want for nothing?"));
    }
}
