//! Addresses that are shut out (docs: entities/Admin_IpBlock,
//! Admin_EmailDomainBlock, Admin_CanonicalEmailBlock).

use serde::Serialize;
use utoipa::ToSchema;

use crate::base::Timestamp;
use crate::model::{EmailBlock, EmailRule, IpBlock};

/// A range of network addresses that is shut out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdminIpBlock {
    id: String,
    ip: String,
    #[schema(example = "no_access")]
    severity: &'static str,
    comment: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
}

impl From<&IpBlock> for AdminIpBlock {
    fn from(block: &IpBlock) -> AdminIpBlock {
        AdminIpBlock {
            id: block.id.to_string(),
            ip: block.range.clone(),
            severity: block.severity.word(),
            comment: block.comment.clone(),
            created_at: block.created_at.rfc3339(),
            expires_at: block.expires_at.map(Timestamp::rfc3339),
        }
    }
}

/// How often somebody tried to sign up; not counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AttemptsOfDay {
    day: String,
    accounts: String,
    uses: String,
}

/// A domain of mail addresses with which nobody signs up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdminEmailDomainBlock {
    id: String,
    domain: String,
    #[schema(format = DateTime)]
    created_at: String,
    history: Vec<AttemptsOfDay>,
}

impl AdminEmailDomainBlock {
    /// The rule, if it is about a domain.
    pub fn new(block: &EmailBlock) -> Option<AdminEmailDomainBlock> {
        let EmailRule::Domain(domain) = &block.rule else { return None };
        Some(AdminEmailDomainBlock {
            id: block.id.to_string(),
            domain: domain.clone(),
            created_at: block.created_at.rfc3339(),
            history: Vec::new(),
        })
    }
}

/// A mail address with which nobody signs up, by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdminCanonicalEmailBlock {
    id: String,
    canonical_email_hash: String,
}

impl AdminCanonicalEmailBlock {
    /// The rule, if it is about one address.
    pub fn new(block: &EmailBlock) -> Option<AdminCanonicalEmailBlock> {
        let EmailRule::Canonical(hash) = &block.rule else { return None };
        Some(AdminCanonicalEmailBlock { id: block.id.to_string(), canonical_email_hash: hash.clone() })
    }
}
