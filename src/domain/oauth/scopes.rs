//! Scope names: which exist, and which contain which
//! (docs.joinmastodon.org, OAuth scopes).

use crate::model::Scopes;

/// Asked for when an app names none.
pub const DEFAULT: &str = "read";
/// Scopes in one request.
const SCOPES_MAX: usize = 64;

/// Every scope an app may ask for.
pub const ALL: [&str; 48] = [
    "read",
    "read:accounts",
    "read:blocks",
    "read:bookmarks",
    "read:collections",
    "read:favourites",
    "read:filters",
    "read:follows",
    "read:lists",
    "read:me",
    "read:mutes",
    "read:notifications",
    "read:search",
    "read:statuses",
    "write",
    "write:accounts",
    "write:blocks",
    "write:bookmarks",
    "write:collections",
    "write:conversations",
    "write:favourites",
    "write:filters",
    "write:follows",
    "write:lists",
    "write:media",
    "write:mutes",
    "write:notifications",
    "write:reports",
    "write:statuses",
    "follow",
    "push",
    "profile",
    "admin:read",
    "admin:read:accounts",
    "admin:read:canonical_email_blocks",
    "admin:read:domain_allows",
    "admin:read:domain_blocks",
    "admin:read:email_domain_blocks",
    "admin:read:ip_blocks",
    "admin:read:reports",
    "admin:write",
    "admin:write:accounts",
    "admin:write:canonical_email_blocks",
    "admin:write:domain_allows",
    "admin:write:domain_blocks",
    "admin:write:email_domain_blocks",
    "admin:write:ip_blocks",
    "admin:write:reports",
];

/// What the old scope `follow` stands for.
const FOLLOW: [&str; 6] =
    ["read:follows", "write:follows", "read:blocks", "write:blocks", "read:mutes", "write:mutes"];

/// Reads a list separated by blanks; `None` when a scope does not exist or
/// there are too many. Blank means [`DEFAULT`].
pub fn parse(text: &str) -> Option<Scopes> {
    let mut scopes = Scopes::new();
    for word in text.split_whitespace() {
        if !ALL.contains(&word) || scopes.len() == SCOPES_MAX {
            return None;
        }
        if !scopes.iter().any(|s| s == word) {
            scopes.push(word.to_owned());
        }
    }
    if scopes.is_empty() {
        scopes.push(DEFAULT.to_owned());
    }
    Some(scopes)
}

/// Whether what was allowed covers what is needed: `read` covers
/// `read:accounts`, `admin:read` covers `admin:read:reports`.
pub fn covers(allowed: &[String], needed: &str) -> bool {
    allowed.iter().any(|scope| {
        needed == scope
            || needed.strip_prefix(scope.as_str()).is_some_and(|rest| rest.starts_with(':'))
            || (scope == "follow" && FOLLOW.contains(&needed))
            || (needed == "profile" && scope == "read")
    })
}

/// Whether all of `wanted` lies within `allowed`.
pub fn within(wanted: &[String], allowed: &[String]) -> bool {
    wanted.iter().all(|scope| covers(allowed, scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_scopes_contain_narrow_ones_only() {
        let cases = [
            ("read", "read", true),
            ("read", "read:accounts", true),
            ("read:accounts", "read", false),
            ("read:accounts", "read:statuses", false),
            ("write", "read", false),
            ("read", "write:statuses", false),
            ("admin:read", "admin:read:reports", true),
            ("admin:read", "admin:write", false),
            ("read", "admin:read", false),
            ("follow", "write:follows", true),
            ("follow", "write:statuses", false),
            ("read", "readx", false),
        ];
        for (allowed, needed, expected) in cases {
            assert_eq!(covers(&[allowed.to_owned()], needed), expected, "{allowed} covers {needed}");
        }
    }

    #[test]
    fn unknown_scopes_are_refused_and_none_means_read() {
        assert_eq!(parse(""), Some(vec!["read".to_owned()]));
        assert_eq!(parse("read  write read"), Some(vec!["read".to_owned(), "write".to_owned()]));
        assert_eq!(parse("read everything"), None);
        assert_eq!(parse(&"read ".repeat(1000)), Some(vec!["read".to_owned()]));
    }
}
