//! Conversations (docs: entities/Conversation).

use serde::Serialize;
use utoipa::ToSchema;

use super::{Account, Status};

/// A conversation of direct posts.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Conversation {
    /// Its id.
    pub id: String,
    /// Whether something in it was not read.
    pub unread: bool,
    /// The others.
    pub accounts: Vec<Account>,
    /// Its latest post.
    #[schema(required)]
    pub last_status: Option<Status>,
}
