//! What moderation does to people here (docs: entities/AccountWarning,
//! RelationshipSeveranceEvent).

use serde::Serialize;
use utoipa::ToSchema;

use super::{Account, Empty};
use crate::base::Id;
use crate::model;

/// A warning by a moderator.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AccountWarning {
    id: String,
    #[schema(example = "silence")]
    action: &'static str,
    /// Why, for the one who is warned.
    text: String,
    /// Posts that were the reason.
    #[schema(required)]
    status_ids: Option<Vec<String>>,
    target_account: Account,
    /// There are no appeals here.
    #[schema(required)]
    appeal: Option<Empty>,
    #[schema(format = DateTime)]
    created_at: String,
}

impl AccountWarning {
    /// The warning as the one who was warned sees it.
    pub fn new(row: &model::Warning, target_account: Account) -> AccountWarning {
        let status_ids: Vec<String> = row.statuses.iter().map(Id::to_string).collect();
        AccountWarning {
            id: row.id.to_string(),
            action: row.action.word(),
            text: row.text.clone(),
            status_ids: Some(status_ids).filter(|all| !all.is_empty()),
            target_account,
            appeal: None,
            created_at: row.created_at.rfc3339(),
        }
    }
}

/// Follows that a decision ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RelationshipSeveranceEvent {
    id: String,
    #[serde(rename = "type")]
    #[schema(example = "domain_block")]
    kind: &'static str,
    /// Never: who they were can be had as long as the account is there.
    purged: bool,
    /// The domain that was blocked, or the handle that was suspended.
    target_name: String,
    #[schema(required)]
    followers_count: Option<u32>,
    #[schema(required)]
    following_count: Option<u32>,
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<&model::Severance> for RelationshipSeveranceEvent {
    fn from(row: &model::Severance) -> RelationshipSeveranceEvent {
        RelationshipSeveranceEvent {
            id: row.id.to_string(),
            kind: row.kind.word(),
            purged: false,
            target_name: row.target.clone(),
            followers_count: Some(row.followers),
            following_count: Some(row.following),
            created_at: row.created_at.rfc3339(),
        }
    }
}
