//! Who sends a push: a signed note for the push service (RFC 8292).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::json;

use super::BadPush;
use crate::base::Timestamp;

/// The server's key; apps tell the push service to take pushes from it alone.
pub struct ServerKey {
    pair: EcdsaKeyPair,
}

impl ServerKey {
    /// A new private key in PKCS#8, to be kept.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate() -> Result<Vec<u8>, BadPush> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Ok(document.map_err(|_| BadPush)?.as_ref().to_vec())
    }

    /// From a private key in PKCS#8.
    ///
    /// # Errors
    /// When it is none of P-256.
    pub fn from_pkcs8(der: &[u8]) -> Result<ServerKey, BadPush> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der);
        Ok(ServerKey { pair: pair.map_err(|_| BadPush)? })
    }

    /// The public key as clients get it: base64url with padding, as Mastodon
    /// writes it.
    pub fn public(&self) -> String {
        URL_SAFE.encode(self.pair.public_key().as_ref())
    }

    /// The public key in a header: base64url without padding.
    pub fn public_in_header(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref())
    }

    /// The signed note (a JWT) that `contact` (a `mailto:` or `https:` URI)
    /// sends to `audience` (the push service's origin), good until `expires`.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn token(&self, audience: &str, contact: &str, expires: Timestamp) -> Result<String, BadPush> {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = part(json!({ "typ": "JWT", "alg": "ES256" }));
        let claims = part(json!({ "aud": audience, "exp": expires.as_secs(), "sub": contact }));
        let signed = format!("{head}.{claims}");
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).map_err(|_| BadPush)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use serde_json::Value;

    #[test]
    fn the_note_is_signed_by_the_key_that_clients_know() {
        let key = ServerKey::from_pkcs8(&ServerKey::generate().unwrap()).unwrap();
        let token = key.token("https://push.example", "mailto:a@b.example", Timestamp::from_secs(9)).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let public = URL_SAFE.decode(key.public()).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &public)
            .verify(signed.as_bytes(), &signature)
            .unwrap();
        let claims = URL_SAFE_NO_PAD.decode(signed.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims, json!({ "aud": "https://push.example", "exp": 9, "sub": "mailto:a@b.example" }));
        assert!(ServerKey::from_pkcs8(b"x").is_err());
    }
}
