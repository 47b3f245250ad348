//! Encryption to an app's key.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

use super::{AUTH_BYTES, BadPush, Keys, PUBLIC_KEY_BYTES};

/// Bytes of a record; a message is one of them (RFC 8291 §4).
const RECORD_BYTES: u32 = 4096;
/// Bytes of a payload: what is left of 4096 beside the header of `aes128gcm`,
/// the delimiter and the tag. Push services need not take more (RFC 8030 §7.2).
pub const PAYLOAD_MAX_BYTES: usize = 4096 - (16 + 4 + 1 + PUBLIC_KEY_BYTES) - 1 - 16;

/// Randomness for one message; never used twice.
#[derive(Clone, Copy)]
pub struct Fresh {
    /// A private key of P-256. Not every number is one; take others then.
    pub private: [u8; 32],
    /// The salt.
    pub salt: [u8; 16],
}

/// An encrypted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// The body.
    pub body: Vec<u8>,
    /// The one-time public key: in the body already for `aes128gcm`.
    pub public: Vec<u8>,
}

/// Encrypts as RFC 8291 says, in the encoding `aes128gcm` (RFC 8188).
///
/// # Errors
/// When a key is none, or the payload is longer than [`PAYLOAD_MAX_BYTES`].
pub fn aes128gcm(payload: &[u8], keys: Keys<'_>, fresh: &Fresh) -> Result<Encrypted, BadPush> {
    let secrets =
        Secrets::agree(keys, fresh, |public| [b"WebPush: info\0".as_slice(), keys.public, public].concat())?;
    let mut sealed = payload.to_vec();
    // The delimiter of the last record; no padding.
    sealed.push(2);
    secrets.seal(
        &mut sealed,
        payload.len(),
        b"Content-Encoding: aes128gcm\0",
        b"Content-Encoding: nonce\0",
    )?;
    let mut body = Vec::with_capacity(4096);
    body.extend_from_slice(&fresh.salt);
    body.extend_from_slice(&RECORD_BYTES.to_be_bytes());
    body.push(PUBLIC_KEY_BYTES as u8);
    body.extend_from_slice(&secrets.public);
    body.extend_from_slice(&sealed);
    Ok(Encrypted { body, public: secrets.public })
}

/// Encrypts as draft-ietf-webpush-encryption-04 says, in the encoding
/// `aesgcm`: what Mastodon's apps get unless they ask for the standard.
///
/// # Errors
/// As [`aes128gcm`].
pub fn aesgcm(payload: &[u8], keys: Keys<'_>, fresh: &Fresh) -> Result<Encrypted, BadPush> {
    let secrets = Secrets::agree(keys, fresh, |_| b"Content-Encoding: auth\0".to_vec())?;
    let context = [
        b"P-256\0".as_slice(),
        &(PUBLIC_KEY_BYTES as u16).to_be_bytes(),
        keys.public,
        &(PUBLIC_KEY_BYTES as u16).to_be_bytes(),
        &secrets.public,
    ]
    .concat();
    // The length of the padding, of which there is none.
    let mut sealed = vec![0, 0];
    sealed.extend_from_slice(payload);
    let cek = [b"Content-Encoding: aesgcm\0".as_slice(), &context].concat();
    let nonce = [b"Content-Encoding: nonce\0".as_slice(), &context].concat();
    secrets.seal(&mut sealed, payload.len(), &cek, &nonce)?;
    Ok(Encrypted { body: sealed, public: secrets.public })
}

/// What both sides can work out, and nobody else.
struct Secrets {
    prk: Prk,
    public: Vec<u8>,
}

impl Secrets {
    /// `info` binds the first of two derivations; it gets our public key.
    fn agree(keys: Keys<'_>, fresh: &Fresh, info: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<Secrets, BadPush> {
        if keys.public.len() != PUBLIC_KEY_BYTES || keys.auth.len() != AUTH_BYTES {
            return Err(BadPush);
        }
        let private = PrivateKey::from_private_key(&ECDH_P256, &fresh.private).map_err(|_| BadPush)?;
        let public = private.compute_public_key().map_err(|_| BadPush)?.as_ref().to_vec();
        let theirs = UnparsedPublicKey::new(&ECDH_P256, keys.public);
        let info = info(&public);
        let ikm = agree(&private, theirs, BadPush, |shared| {
            let prk = Salt::new(HKDF_SHA256, keys.auth).extract(shared);
            expand::<32>(&prk, &info)
        })?;
        Ok(Secrets { prk: Salt::new(HKDF_SHA256, &fresh.salt).extract(&ikm), public })
    }

    fn seal(&self, bytes: &mut Vec<u8>, payload: usize, cek: &[u8], nonce: &[u8]) -> Result<(), BadPush> {
        if payload > PAYLOAD_MAX_BYTES {
            return Err(BadPush);
        }
        let key = UnboundKey::new(&AES_128_GCM, &expand::<16>(&self.prk, cek)?).map_err(|_| BadPush)?;
        let nonce = Nonce::assume_unique_for_key(expand::<NONCE_LEN>(&self.prk, nonce)?);
        LessSafeKey::new(key).seal_in_place_append_tag(nonce, Aad::empty(), bytes).map_err(|_| BadPush)
    }
}

/// How many bytes are derived.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const N: usize>(prk: &Prk, info: &[u8]) -> Result<[u8; N], BadPush> {
    let mut out = [0; N];
    let parts = [info];
    let okm = prk.expand(&parts, Length(N)).map_err(|_| BadPush)?;
    okm.fill(&mut out).map_err(|_| BadPush)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::web_push::decode_key;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn bytes(text: &str) -> Vec<u8> {
        decode_key(text).unwrap()
    }

    /// RFC 8291, section 5 and appendix A.
    #[test]
    fn the_example_of_the_standard_comes_out() {
        let public =
            bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let auth = bytes("BTBZMqHH6r4Tts7J_aSIgg");
        let fresh = Fresh {
            private: bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw").try_into().unwrap(),
            salt: bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap(),
        };
        let keys = Keys { public: &public, auth: &auth };
        let sent = aes128gcm(b"When I grow up, I want to be a watermelon", keys, &fresh).unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(&sent.body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz\
             AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
        assert_eq!(
            URL_SAFE_NO_PAD.encode(&sent.public),
            "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
        );
    }

    #[test]
    fn a_message_fits_one_record_and_bad_keys_are_refused() {
        let public =
            bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let fresh = Fresh { private: [7; 32], salt: [7; 16] };
        let keys = Keys { public: &public, auth: &[1; 16] };
        let longest = vec![b'x'; PAYLOAD_MAX_BYTES];
        assert_eq!(aes128gcm(&longest, keys, &fresh).unwrap().body.len(), 4096);
        assert_eq!(aes128gcm(&vec![b'x'; PAYLOAD_MAX_BYTES + 1], keys, &fresh), Err(BadPush));
        let mut off_curve = public.clone();
        off_curve[64] ^= 1;
        for (public, auth) in
            [(&off_curve[..], &[1; 16][..]), (&public[..], &[1; 15]), (&public[..64], &[1; 16])]
        {
            assert_eq!(aesgcm(b"x", Keys { public, auth }, &fresh), Err(BadPush));
        }
        assert!(!super::super::is_public_key(&off_curve) && super::super::is_public_key(&public));
        assert_eq!(aes128gcm(b"x", keys, &Fresh { private: [0; 32], salt: [0; 16] }), Err(BadPush));
    }
}
