//! Password hashes (argon2id). Slow on purpose: call from a thread that may
//! block, never inside a transaction.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::base::limits::{PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN};

/// OWASP password storage cheat sheet: argon2id, 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash of no password, checked when the user is unknown, so that the
/// answer takes as long as for a known one. Same parameters as real ones.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password cannot be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordError {
    /// Shorter than [`PASSWORD_BYTES_MIN`].
    TooShort,
    /// Longer than [`PASSWORD_BYTES_MAX`].
    TooLong,
}

/// Whether a password may be chosen.
///
/// # Errors
/// When it is too short or too long.
pub fn check_choice(password: &str) -> Result<(), PasswordError> {
    match password.len() {
        n if n < PASSWORD_BYTES_MIN => Err(PasswordError::TooShort),
        n if n > PASSWORD_BYTES_MAX => Err(PasswordError::TooLong),
        _ => Ok(()),
    }
}

fn argon2id() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the constants are in argon2's ranges");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The hash to keep, as a PHC string. The salt must be fresh and random.
pub fn hash(password: &str, salt: [u8; 16]) -> String {
    let hash: PasswordHash = argon2id()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .expect("16 bytes of salt and any password are valid input");
    hash.to_string()
}

/// Whether the password belongs to the hash. `None` stands for an unknown
/// user: the same work is done and the answer is no.
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    if password.len() > PASSWORD_BYTES_MAX {
        return false;
    }
    let matches = PasswordHash::new(hash.unwrap_or(NOBODY))
        .is_ok_and(|parsed| argon2id().verify_password(password.as_bytes(), &parsed).is_ok());
    matches && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_fits() {
        let kept = hash("correct horse", [7; 16]);
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify("correct horse", Some(&kept)));
        assert!(!verify("correct horse ", Some(&kept)));
        assert!(!verify("", Some("")));
        assert!(!verify("x", None));
    }

    #[test]
    fn unknown_users_cost_the_same_work() {
        let nobody = PasswordHash::new(NOBODY).expect("the constant is a PHC string");
        let real = hash("x", [1; 16]);
        let real = PasswordHash::new(&real).expect("we made it");
        assert_eq!(Params::try_from(&nobody).expect("params"), Params::try_from(&real).expect("params"));
    }

    #[test]
    fn length_is_bounded_both_ways() {
        assert_eq!(check_choice("1234567"), Err(PasswordError::TooShort));
        assert_eq!(check_choice("12345678"), Ok(()));
        assert_eq!(check_choice(&"x".repeat(257)), Err(PasswordError::TooLong));
        assert!(!verify(&"x".repeat(100_000), None));
    }
}
