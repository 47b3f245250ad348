//! What those who run the server see (docs: entities/Admin_Account,
//! Admin_Report, Admin_DomainBlock, Admin_DomainAllow; entities/DomainBlock).

use serde::Serialize;
use utoipa::ToSchema;

use super::account::{Account, OwnRole};
use super::instance::Rule;
use super::status::Status;
use crate::base::Timestamp;
use crate::model::{self, Severity, UserState};

/// An address somebody used. None is kept here, so there are none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdminIp {
    ip: String,
    #[schema(format = DateTime)]
    used_at: String,
}

/// An account with its login.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AdminAccount {
    id: String,
    username: String,
    #[schema(required)]
    domain: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required)]
    email: Option<String>,
    #[schema(required)]
    ip: Option<String>,
    ips: Vec<AdminIp>,
    #[schema(required)]
    locale: Option<String>,
    #[schema(required)]
    invite_request: Option<String>,
    #[schema(required)]
    role: Option<OwnRole>,
    #[schema(required)]
    confirmed: Option<bool>,
    #[schema(required)]
    approved: Option<bool>,
    #[schema(required)]
    disabled: Option<bool>,
    silenced: bool,
    suspended: bool,
    sensitized: bool,
    account: Account,
    /// Only where an app signed them up.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by_application_id: Option<String>,
    /// Only where somebody invited them.
    #[serde(skip_serializing_if = "Option::is_none")]
    invited_by_account_id: Option<String>,
}

impl AdminAccount {
    /// The account as moderators see it. `user` is its login, of a local one.
    pub fn new(record: &model::Account, user: Option<&model::User>, account: Account) -> AdminAccount {
        AdminAccount {
            id: record.id.to_string(),
            username: record.username.clone(),
            domain: record.domain.clone(),
            created_at: record.created_at.rfc3339(),
            email: user.map(|user| user.email.clone().unwrap_or_default()),
            ip: None,
            ips: Vec::new(),
            locale: user.and_then(|user| user.locale.clone()),
            invite_request: user.and_then(|user| user.reason.clone()),
            role: user.map(|user| user.role.into()),
            confirmed: user.map(|user| !user.awaits_confirmation),
            approved: user.map(|user| user.state != UserState::Pending),
            disabled: user.map(|user| user.state == UserState::Disabled),
            silenced: record.silenced_at.is_some(),
            suspended: record.suspended_at.is_some(),
            sensitized: record.sensitized_at.is_some(),
            account,
            created_by_application_id: user.and_then(|user| user.app).map(|id| id.to_string()),
            invited_by_account_id: user.and_then(|user| user.invited_by).map(|id| id.to_string()),
        }
    }
}

/// Those whom a report concerns.
#[derive(Debug, Clone)]
pub struct Concerned {
    /// Who reports.
    pub account: AdminAccount,
    /// Who is reported.
    pub target: AdminAccount,
    /// Who looks into it.
    pub assigned: Option<AdminAccount>,
    /// Who resolved it.
    pub resolved_by: Option<AdminAccount>,
}

/// A report as moderators see it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AdminReport {
    id: String,
    action_taken: bool,
    #[schema(required, format = DateTime)]
    action_taken_at: Option<String>,
    #[schema(example = "spam")]
    category: &'static str,
    comment: String,
    forwarded: bool,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    account: AdminAccount,
    target_account: AdminAccount,
    #[schema(required)]
    assigned_account: Option<AdminAccount>,
    #[schema(required)]
    action_taken_by_account: Option<AdminAccount>,
    statuses: Vec<Status>,
    rules: Vec<Rule>,
}

impl AdminReport {
    /// The report with everything it is about.
    pub fn new(
        row: &model::Report,
        concerned: Concerned,
        statuses: Vec<Status>,
        rules: Vec<Rule>,
    ) -> AdminReport {
        AdminReport {
            id: row.id.to_string(),
            action_taken: row.resolved_at.is_some(),
            action_taken_at: row.resolved_at.map(Timestamp::rfc3339),
            category: row.category.word(),
            comment: row.comment.clone(),
            forwarded: row.is_forwarded,
            created_at: row.created_at.rfc3339(),
            updated_at: row.updated_at.rfc3339(),
            account: concerned.account,
            target_account: concerned.target,
            assigned_account: concerned.assigned,
            action_taken_by_account: concerned.resolved_by,
            statuses,
            rules,
        }
    }
}

/// What is decided about a server, as those see it who decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdminDomainBlock {
    id: String,
    domain: String,
    /// SHA-256 of the name, in hexadecimal.
    digest: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(example = "silence")]
    severity: &'static str,
    reject_media: bool,
    reject_reports: bool,
    #[schema(required)]
    private_comment: Option<String>,
    #[schema(required)]
    public_comment: Option<String>,
    obfuscate: bool,
}

fn filled(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

impl AdminDomainBlock {
    /// The decision. `digest` is the SHA-256 of its name.
    pub fn new(row: &model::DomainBlock, digest: &[u8]) -> AdminDomainBlock {
        AdminDomainBlock {
            id: row.id.to_string(),
            domain: row.domain.clone(),
            digest: hex(digest),
            created_at: row.created_at.rfc3339(),
            severity: row.severity.word(),
            reject_media: row.reject_media,
            reject_reports: row.reject_reports,
            private_comment: filled(&row.private_comment),
            public_comment: filled(&row.public_comment),
            obfuscate: row.obfuscate,
        }
    }
}

/// A decision about a name about which another holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExistingDomainBlock {
    /// What is wrong.
    pub error: String,
    /// What holds; missing where the name itself is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_domain_block: Option<AdminDomainBlock>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is decided about a server, as everybody sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DomainBlock {
    /// May be shown in part, with stars.
    domain: String,
    /// SHA-256 of the whole name, in hexadecimal.
    digest: String,
    #[schema(example = "silence")]
    severity: &'static str,
    #[schema(required)]
    comment: Option<String>,
}

impl DomainBlock {
    /// The decision. `digest` is the SHA-256 of its name.
    pub fn new(row: &model::DomainBlock, digest: &[u8]) -> DomainBlock {
        DomainBlock {
            domain: if row.obfuscate { obfuscated(&row.domain) } else { row.domain.clone() },
            digest: hex(digest),
            severity: if row.severity == Severity::Suspend { "suspend" } else { "silence" },
            comment: filled(&row.public_comment),
        }
    }
}

/// The first and last quarter and the dots; stars for the rest.
fn obfuscated(domain: &str) -> String {
    let length = domain.chars().count();
    let shown = length / 4;
    let star = |(place, c): (usize, char)| {
        let is_shown = c == '.' || place < shown || place + shown >= length;
        if is_shown { c } else { '*' }
    };
    domain.chars().enumerate().map(star).collect()
}

/// A server that is explicitly welcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdminDomainAllow {
    id: String,
    domain: String,
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<&model::DomainAllow> for AdminDomainAllow {
    fn from(row: &model::DomainAllow) -> AdminDomainAllow {
        AdminDomainAllow {
            id: row.id.to_string(),
            domain: row.domain.clone(),
            created_at: row.created_at.rfc3339(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_obfuscated_name_keeps_its_ends_and_dots() {
        assert_eq!(obfuscated("evil.example"), "evi*.****ple");
        assert_eq!(obfuscated("a.b"), "*.*");
    }
}
