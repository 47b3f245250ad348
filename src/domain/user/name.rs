//! Which usernames may be chosen here.

use crate::base::limits::USERNAME_CHARACTERS_MAX;

/// Names that belong to the server, to its paths, or that pass for staff.
const RESERVED: [&str; 46] = [
    "about",
    "abuse",
    "actor",
    "admin",
    "administrator",
    "ap",
    "api",
    "assets",
    "auth",
    "autoconfig",
    "avatars",
    "contact",
    "everyone",
    "explore",
    "favicon",
    "help",
    "home",
    "hostmaster",
    "inbox",
    "info",
    "instance",
    "instance.actor",
    "internal",
    "local",
    "login",
    "logout",
    "mail",
    "media",
    "moderator",
    "nodeinfo",
    "noreply",
    "oauth",
    "owner",
    "postmaster",
    "public",
    "relay",
    "root",
    "search",
    "security",
    "settings",
    "signup",
    "staff",
    "support",
    "system",
    "waxwing",
    "webmaster",
];

/// Why a username cannot be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// Nothing is left of it.
    Blank,
    /// More than [`USERNAME_CHARACTERS_MAX`] characters.
    TooLong,
    /// Not only letters a-z, digits and underscores.
    Letters,
    /// Belongs to the server.
    Reserved,
}

/// Whether a username may be chosen: `[A-Za-z0-9_]`, at most 30 characters.
/// That is Mastodon's rule for its own people (app/models/account.rs); its
/// wider pattern with `.` and `-` is for those of other servers.
///
/// # Errors
/// What is wrong with it.
pub fn check(username: &str) -> Result<(), NameError> {
    if username.is_empty() {
        return Err(NameError::Blank);
    }
    if username.len() > USERNAME_CHARACTERS_MAX {
        return Err(NameError::TooLong);
    }
    if !username.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(NameError::Letters);
    }
    if RESERVED.contains(&username.to_ascii_lowercase().as_str()) {
        return Err(NameError::Reserved);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_mastodons_rule() {
        for good in ["a", "_", "ana", "Ana_1", "x9", &"a".repeat(30)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        let cases = [
            ("", NameError::Blank),
            (&"a".repeat(31), NameError::TooLong),
            (".a", NameError::Letters),
            ("a.", NameError::Letters),
            ("a-b", NameError::Letters),
            ("a.b", NameError::Letters),
            ("a b", NameError::Letters),
            ("a@b", NameError::Letters),
            ("ана", NameError::Letters),
            ("a\n", NameError::Letters),
            ("a/b", NameError::Letters),
            ("Admin", NameError::Reserved),
            ("root", NameError::Reserved),
        ];
        for (bad, why) in cases {
            assert_eq!(check(bad), Err(why), "{bad:?}");
        }
    }
}
