//! What is on record: decisions of those who run the server, and follows that
//! somebody lost to one.

use super::When;
use super::words::follows;
use crate::base::Id;
use crate::model::{Audit, Severance, SeveranceKind};

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionView {
    /// Who decided: a handle, or words.
    pub by: String,
    /// What they did, up to the name of what it was done to.
    pub deed: String,
    /// The name of what it was done to.
    pub name: String,
    /// What they noted.
    pub note: String,
    /// When.
    pub at: When,
}

impl DecisionView {
    /// `by` is the handle of the one who decided, if that is known.
    pub fn new(row: &Audit, by: Option<String>, at: When) -> DecisionView {
        let keeper = if row.by == Id::ZERO { "Whoever holds the machine" } else { "Somebody who is gone" };
        DecisionView {
            by: by.map_or_else(|| keeper.to_owned(), |acct| format!("@{acct}")),
            deed: deed(&row.action, &row.kind),
            name: row.name.clone(),
            note: row.note.clone(),
            at,
        }
    }
}

/// What was done, as one reads it before a name.
fn deed(action: &str, kind: &str) -> String {
    let words = match (kind, action) {
        ("account", "none") => "warned",
        ("account", "sensitive") => "covered the media of",
        ("account", "unsensitive") => "uncovered the media of",
        ("account", "disable") => "disabled the login of",
        ("account", "enable") => "enabled the login of",
        ("account", "silence") => "limited",
        ("account", "unsilence") => "no longer limits",
        ("account", "suspend") => "suspended",
        ("account", "unsuspend") => "no longer suspends",
        ("account", "approve") => "let in",
        ("account", "reject") => "turned away",
        ("account", "destroy") => "deleted the account",
        ("report", "assigned_to_self") => "took the report about",
        ("report", "unassigned") => "gave back the report about",
        ("report", "resolve") => "closed the report about",
        ("report", "reopen") => "opened again the report about",
        ("report", "update") => "changed the report about",
        _ => return format!("{} {}", verb(action), thing(kind)),
    };
    words.to_owned()
}

fn verb(action: &str) -> &str {
    match action {
        "create" => "made",
        "save" => "set",
        "update" => "changed",
        "destroy" => "removed",
        other => other,
    }
}

fn thing(kind: &str) -> &str {
    match kind {
        "domain_block" => "the block of the server",
        "domain_allow" => "the welcome of the server",
        "ip_block" => "the rule for addresses in",
        "email_domain_block" => "the block of mail from",
        "canonical_email_block" => "the block of a mail address",
        "announcement" => "the announcement",
        "custom_emoji" => "the emoji",
        other => other,
    }
}

/// Follows that the reader lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeveredView {
    /// Its id.
    pub id: String,
    /// What ended them.
    pub cause: &'static str,
    /// The server or account that it was about.
    pub target: String,
    /// What was lost, in words.
    pub loss: String,
    /// There are followers to list.
    pub has_followers: bool,
    /// There are followed accounts to list.
    pub has_following: bool,
    /// When.
    pub at: When,
}

impl SeveredView {
    /// As its owner reads it.
    pub fn new(row: &Severance, at: When) -> SeveredView {
        SeveredView {
            id: row.id.to_string(),
            cause: match row.kind {
                SeveranceKind::DomainBlock => "This server blocked",
                SeveranceKind::UserDomainBlock => "You blocked",
                SeveranceKind::AccountSuspension => "A moderator suspended",
            },
            target: row.target.clone(),
            loss: follows(u64::from(row.followers), u64::from(row.following)),
            has_followers: row.followers > 0,
            has_following: row.following > 0,
            at,
        }
    }

    /// Where one side of it is listed: `followers` or `following`.
    pub fn list(&self, side: &str) -> String {
        format!("/severed_relationships/{}/{side}.csv", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decision_has_words() {
        let cases = [
            ("suspend", "account", "suspended"),
            ("resolve", "report", "closed the report about"),
            ("create", "domain_block", "made the block of the server"),
            ("destroy", "custom_emoji", "removed the emoji"),
            // Of a later version.
            ("juggle", "teapot", "juggle teapot"),
        ];
        for (action, kind, expected) in cases {
            assert_eq!(deed(action, kind), expected);
        }
    }
}
