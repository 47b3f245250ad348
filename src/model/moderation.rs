//! What keeps the place civil: reports, blocked servers, and the log of who
//! decided what.

use minicbor::{Decode, Encode};

use super::tables::{DOMAIN_ALLOW, DOMAIN_ALLOW_BY_ID, DOMAIN_BLOCK, DOMAIN_BLOCK_BY_ID};
use crate::base::{Id, Timestamp};
use crate::store::{Record, WriteTx};

/// Why somebody is reported (Mastodon API: Report categories).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum ReportCategory {
    /// Anything else.
    #[n(0)]
    #[default]
    Other,
    /// Malicious links, fake engagement, repetitive answers.
    #[n(1)]
    Spam,
    /// Against the law of either country.
    #[n(2)]
    Legal,
    /// Breaks rules of this server.
    #[n(3)]
    Violation,
}

impl ReportCategory {
    /// Every category.
    pub const ALL: [ReportCategory; 4] =
        [ReportCategory::Other, ReportCategory::Spam, ReportCategory::Legal, ReportCategory::Violation];

    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            ReportCategory::Other => "other",
            ReportCategory::Spam => "spam",
            ReportCategory::Legal => "legal",
            ReportCategory::Violation => "violation",
        }
    }
}

/// Somebody tells the moderators about somebody.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Report {
    /// Our id; sorts by time.
    #[n(0)]
    pub id: Id,
    /// Who reports; of a report from elsewhere the other server's actor.
    #[n(1)]
    pub account: Id,
    /// Who is reported.
    #[n(2)]
    pub target: Id,
    /// Posts that show why.
    #[n(3)]
    pub statuses: Vec<Id>,
    /// Why, in words.
    #[n(4)]
    pub comment: String,
    /// Why, in a word.
    #[n(5)]
    pub category: ReportCategory,
    /// Numbers of the rules that are broken.
    #[n(6)]
    pub rules: Vec<u32>,
    /// Whether the reported account's server was told.
    #[n(7)]
    pub is_forwarded: bool,
    /// Which moderator looks into it.
    #[n(8)]
    pub assigned: Option<Id>,
    /// When it was resolved.
    #[n(9)]
    pub resolved_at: Option<Timestamp>,
    /// Who resolved it.
    #[n(10)]
    pub resolved_by: Option<Id>,
    /// When it was made.
    #[n(11)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[n(12)]
    pub updated_at: Timestamp,
    /// ActivityPub id of the Flag: ours, or the other server's.
    #[n(13)]
    pub uri: String,
}

impl Record for Report {}

/// How far a server is shut out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum Severity {
    /// Not; its media or reports may be.
    #[n(0)]
    Noop,
    /// Its people are limited.
    #[n(1)]
    #[default]
    Silence,
    /// Nothing of it comes in or goes out.
    #[n(2)]
    Suspend,
}

impl Severity {
    /// Every severity.
    pub const ALL: [Severity; 3] = [Severity::Noop, Severity::Silence, Severity::Suspend];

    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Noop => "noop",
            Severity::Silence => "silence",
            Severity::Suspend => "suspend",
        }
    }
}

/// What holds for a server and all names below it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct DomainBlock {
    /// Our id.
    #[n(0)]
    pub id: Id,
    /// Its name, lower case, punycode.
    #[n(1)]
    pub domain: String,
    /// How far it is shut out.
    #[n(2)]
    pub severity: Severity,
    /// Its pictures and films are not shown.
    #[n(3)]
    pub reject_media: bool,
    /// Its reports are not taken.
    #[n(4)]
    pub reject_reports: bool,
    /// Why, for moderators.
    #[n(5)]
    pub private_comment: String,
    /// Why, for everybody.
    #[n(6)]
    pub public_comment: String,
    /// The public list shows its name in part.
    #[n(7)]
    pub obfuscate: bool,
    /// When it was made. Accounts that it changed carry this time, so that
    /// its end undoes no other decision.
    #[n(8)]
    pub created_at: Timestamp,
}

impl Record for DomainBlock {}

impl DomainBlock {
    /// Keeps the record and its index row.
    pub fn save(tx: &mut WriteTx<'_>, block: &DomainBlock) {
        tx.put(DOMAIN_BLOCK_BY_ID, &block.id, &block.domain);
        tx.put(DOMAIN_BLOCK, &block.domain, block);
    }

    /// Removes both.
    pub fn delete(tx: &mut WriteTx<'_>, block: &DomainBlock) {
        tx.delete(DOMAIN_BLOCK_BY_ID, &block.id);
        tx.delete(DOMAIN_BLOCK, &block.domain);
    }
}

/// A server that is explicitly welcome.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DomainAllow {
    /// Our id.
    #[n(0)]
    pub id: Id,
    /// Its name, lower case, punycode.
    #[n(1)]
    pub domain: String,
    /// Since when.
    #[n(2)]
    pub created_at: Timestamp,
}

impl Record for DomainAllow {}

impl DomainAllow {
    /// Keeps the record and its index row.
    pub fn save(tx: &mut WriteTx<'_>, allow: &DomainAllow) {
        tx.put(DOMAIN_ALLOW_BY_ID, &allow.id, &allow.domain);
        tx.put(DOMAIN_ALLOW, &allow.domain, allow);
    }

    /// Removes both.
    pub fn delete(tx: &mut WriteTx<'_>, allow: &DomainAllow) {
        tx.delete(DOMAIN_ALLOW_BY_ID, &allow.id);
        tx.delete(DOMAIN_ALLOW, &allow.domain);
    }
}

/// A decision of somebody who runs the server.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Audit {
    /// Our id; sorts by time.
    #[n(0)]
    pub id: Id,
    /// Who decided; [`Id::ZERO`] for whoever holds the machine.
    #[n(1)]
    pub by: Id,
    /// What was done: `suspend`, `resolve`, `create`, …
    #[n(2)]
    pub action: String,
    /// To what kind of thing: `account`, `report`, `domain_block`, …
    #[n(3)]
    pub kind: String,
    /// To which one.
    #[n(4)]
    pub target: Id,
    /// Its name at that time, such as `ana@a.example`.
    #[n(5)]
    pub name: String,
    /// What the one who decided noted.
    #[n(6)]
    pub note: String,
    /// When.
    #[n(7)]
    pub at: Timestamp,
}

impl Record for Audit {}

/// How far a network address is shut out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum IpSeverity {
    /// Who signs up from there waits for approval.
    #[n(0)]
    SignUpNeedsApproval,
    /// Nobody signs up from there.
    #[n(1)]
    NoSignUp,
    /// Nobody gets in from there.
    #[n(2)]
    NoAccess,
}

impl IpSeverity {
    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            IpSeverity::SignUpNeedsApproval => "sign_up_requires_approval",
            IpSeverity::NoSignUp => "sign_up_block",
            IpSeverity::NoAccess => "no_access",
        }
    }
}

/// A range of network addresses that is shut out.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct IpBlock {
    /// Our id.
    #[n(0)]
    pub id: Id,
    /// The range, as `10.0.0.0/8`.
    #[n(1)]
    pub range: String,
    /// How far.
    #[n(2)]
    pub severity: IpSeverity,
    /// Why.
    #[n(3)]
    pub comment: String,
    /// When it was made.
    #[n(4)]
    pub created_at: Timestamp,
    /// When it ends.
    #[n(5)]
    pub expires_at: Option<Timestamp>,
}

impl Record for IpBlock {}

/// Mail addresses with which nobody signs up.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum EmailRule {
    /// All of a domain and those below it.
    #[n(0)]
    Domain(#[n(0)] String),
    /// One, by the SHA-256 of its canonical form in hexadecimal: the address
    /// itself need not be kept.
    #[n(1)]
    Canonical(#[n(0)] String),
}

/// A rule about mail addresses.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EmailBlock {
    /// Our id.
    #[n(0)]
    pub id: Id,
    /// Which addresses.
    #[n(1)]
    pub rule: EmailRule,
    /// When it was made.
    #[n(2)]
    pub created_at: Timestamp,
}

impl Record for EmailBlock {}
