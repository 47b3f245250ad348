//! Addresses under which this server passes on files of others. Each carries
//! a signature, so that nobody can make the server fetch what it was never
//! told of: it is no open proxy.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::derived_key;

/// Bytes of a signature: 128 bits cannot be guessed.
const MAC_BYTES: usize = 16;
/// What the key is for; another use of the same secret gives another key.
const PURPOSE: &[u8] = b"waxwing media proxy 1";

/// What the addresses are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyKey([u8; 32]);

/// Without the key.
impl std::fmt::Debug for ProxyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProxyKey")
    }
}

impl ProxyKey {
    /// The key that belongs to a secret of this server.
    pub fn derive(secret: &[u8]) -> ProxyKey {
        ProxyKey(derived_key(secret, PURPOSE))
    }

    /// The two segments of a path that stand for an address.
    pub fn sign(&self, address: &str) -> (String, String) {
        (URL_SAFE_NO_PAD.encode(self.mac(address)), URL_SAFE_NO_PAD.encode(address))
    }

    /// The address that two segments stand for, if this server signed it.
    pub fn open(&self, mac: &str, address: &str) -> Option<String> {
        let given = URL_SAFE_NO_PAD.decode(mac).ok()?;
        let address = String::from_utf8(URL_SAFE_NO_PAD.decode(address).ok()?).ok()?;
        aws_lc_rs::constant_time::verify_slices_are_equal(&given, &self.mac(&address)).ok()?;
        Some(address)
    }

    fn mac(&self, address: &str) -> [u8; MAC_BYTES] {
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), address.as_bytes());
        mac.as_ref()[..MAC_BYTES].try_into().expect("HMAC-SHA-256 has more bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_opens() {
        let key = ProxyKey::derive(b"secret");
        let address = "https://b.example/cat.png?a=1";
        let (mac, name) = key.sign(address);
        assert_eq!(key.open(&mac, &name).as_deref(), Some(address));
        let (_, other) = key.sign("https://169.254.169.254/");
        for (mac, name) in [(&*mac, &*other), ("", &*name), (&mac[1..], &*name), (&*mac, ""), ("é", "é")] {
            assert_eq!(key.open(mac, name), None);
        }
        assert_eq!(ProxyKey::derive(b"other").open(&mac, &name), None);
    }
}
