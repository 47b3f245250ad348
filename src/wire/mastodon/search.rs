//! Search results (docs: entities/Search).

use serde::Serialize;
use utoipa::ToSchema;

use super::{Account, Status, Tag};

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Default, ToSchema)]
pub struct Search {
    /// Accounts.
    pub accounts: Vec<Account>,
    /// Posts.
    pub statuses: Vec<Status>,
    /// Hashtags.
    pub hashtags: Vec<Tag>,
}
