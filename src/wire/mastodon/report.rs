//! Reports, as the one who made them sees them (docs: entities/Report).

use serde::Serialize;
use utoipa::ToSchema;

use super::Account;
use crate::base::{Id, Timestamp};
use crate::model;

/// A report.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Report {
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
    #[schema(required)]
    status_ids: Option<Vec<String>>,
    #[schema(required)]
    rule_ids: Option<Vec<String>>,
    target_account: Account,
}

impl Report {
    /// The report as its author sees it.
    pub fn new(row: &model::Report, target_account: Account) -> Report {
        let status_ids: Vec<String> = row.statuses.iter().map(Id::to_string).collect();
        let rule_ids: Vec<String> = row.rules.iter().map(u32::to_string).collect();
        Report {
            id: row.id.to_string(),
            action_taken: row.resolved_at.is_some(),
            action_taken_at: row.resolved_at.map(Timestamp::rfc3339),
            category: row.category.word(),
            comment: row.comment.clone(),
            forwarded: row.is_forwarded,
            created_at: row.created_at.rfc3339(),
            status_ids: Some(status_ids).filter(|all| !all.is_empty()),
            rule_ids: Some(rule_ids).filter(|all| !all.is_empty()),
            target_account,
        }
    }
}
