//! What moderation does to people here: warnings they were given, and follows
//! they lost.

use minicbor::{Decode, Encode};

use crate::base::{Id, Timestamp};
use crate::store::Record;

/// What a moderator did when they warned (Mastodon API: AccountWarning
/// `action`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum WarningAction {
    /// Nothing but the warning.
    #[n(0)]
    None,
    /// The login was disabled.
    #[n(1)]
    Disable,
    /// All media are hidden behind a warning.
    #[n(2)]
    Sensitive,
    /// The account is shown only to those who look for it.
    #[n(3)]
    Silence,
    /// Nothing of the account is shown or sent.
    #[n(4)]
    Suspend,
}

impl WarningAction {
    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            WarningAction::None => "none",
            WarningAction::Disable => "disable",
            WarningAction::Sensitive => "sensitive",
            WarningAction::Silence => "silence",
            WarningAction::Suspend => "suspend",
        }
    }
}

/// A warning that a moderator gave to somebody here; Mastodon calls it a
/// strike. Who gave it is not told.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Warning {
    /// Our id; sorts by time.
    #[n(0)]
    pub id: Id,
    /// Who was warned.
    #[n(1)]
    pub target: Id,
    /// Who warned.
    #[n(2)]
    pub by: Id,
    /// What else was done.
    #[n(3)]
    pub action: WarningAction,
    /// Why, in words for the one who is warned.
    #[n(4)]
    pub text: String,
    /// Posts that were the reason.
    #[n(5)]
    pub statuses: Vec<Id>,
    /// The report that it answers.
    #[n(6)]
    pub report: Option<Id>,
    /// When.
    #[n(7)]
    pub created_at: Timestamp,
}

impl Record for Warning {}

/// Why follows ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum SeveranceKind {
    /// Those who run this server blocked another.
    #[n(0)]
    DomainBlock,
    /// The person blocked a domain.
    #[n(1)]
    UserDomainBlock,
    /// A moderator suspended an account.
    #[n(2)]
    AccountSuspension,
}

impl SeveranceKind {
    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            SeveranceKind::DomainBlock => "domain_block",
            SeveranceKind::UserDomainBlock => "user_domain_block",
            SeveranceKind::AccountSuspension => "account_suspension",
        }
    }
}

/// Follows that somebody here lost to one decision.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Severance {
    /// Our id; sorts by time.
    #[n(0)]
    pub id: Id,
    /// Who lost them.
    #[n(1)]
    pub account: Id,
    /// Why.
    #[n(2)]
    pub kind: SeveranceKind,
    /// The domain that was blocked, or the handle that was suspended.
    #[n(3)]
    pub target: String,
    /// People who followed them.
    #[n(4)]
    pub followers: u32,
    /// People whom they followed.
    #[n(5)]
    pub following: u32,
    /// When it began.
    #[n(6)]
    pub created_at: Timestamp,
}

impl Record for Severance {}
