//! The cookie of the policy `sticky_cookie`: says which upstream a browser
//! had, without naming it.

use aws_lc_rs::hmac;

/// Its name.
pub const STICKY_COOKIE: &str = "waxwing-upstream";

/// The value of the cookie in a `Cookie` header: sixteen hexadecimal digits.
pub fn sticky_token(cookies: &str) -> Option<u64> {
    /// More cookies than this are not looked through.
    const COOKIES_MAX: usize = 100;
    let mut pairs = cookies.split(';').take(COOKIES_MAX).filter_map(|pair| pair.trim().split_once('='));
    let value = pairs.find(|(name, _)| *name == STICKY_COOKIE)?.1;
    let is_token = value.len() == 16 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_token { u64::from_str_radix(value, 16).ok() } else { None }
}

/// The value of a `Set-Cookie` header for an upstream's
/// [`sticky`](super::Place::sticky) number. That number should be a keyed
/// hash of its address, the same at all balancers, so that a cookie neither
/// tells addresses nor can be made up for one.
pub fn sticky_cookie(token: u64, is_https: bool) -> String {
    let secure = if is_https { "; Secure" } else { "" };
    format!("{STICKY_COOKIE}={token:016x}; Path=/; HttpOnly; SameSite=Lax{secure}")
}

/// Makes the [`sticky`](super::Place::sticky) numbers of addresses.
pub struct StickyKey(hmac::Key);

impl StickyKey {
    /// Of a secret that all balancers have, and nobody else.
    pub fn new(secret: &[u8]) -> StickyKey {
        StickyKey(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The first eight bytes of its HMAC-SHA-256.
    pub fn number(&self, address: &str) -> u64 {
        let tag = hmac::sign(&self.0, address.as_bytes());
        tag.as_ref().iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_that_is_set_is_read() {
        let set = sticky_cookie(0x1f, true);
        assert_eq!(set, "waxwing-upstream=000000000000001f; Path=/; HttpOnly; SameSite=Lax; Secure");
        let sent = set.split(';').next().unwrap();
        assert_eq!(sticky_token(&format!("a=b; {sent}; c=d")), Some(0x1f));
    }

    #[test]
    fn other_values_are_nothing() {
        for cookies in
            ["", "waxwing-upstream=", "waxwing-upstream=1f", "waxwing-upstream=+00000000000001f", "x=y; =;;"]
        {
            assert_eq!(sticky_token(cookies), None, "{cookies}");
        }
    }
}
