//! Lists (docs: entities/List).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{self, RepliesPolicy};

/// Which answers of its members a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RepliesPolicyWord {
    /// To anybody who is followed.
    Followed,
    /// To other members.
    List,
    /// None.
    None,
}

impl From<RepliesPolicy> for RepliesPolicyWord {
    fn from(policy: RepliesPolicy) -> RepliesPolicyWord {
        match policy {
            RepliesPolicy::Followed => RepliesPolicyWord::Followed,
            RepliesPolicy::List => RepliesPolicyWord::List,
            RepliesPolicy::None => RepliesPolicyWord::None,
        }
    }
}

impl From<RepliesPolicyWord> for RepliesPolicy {
    fn from(word: RepliesPolicyWord) -> RepliesPolicy {
        match word {
            RepliesPolicyWord::Followed => RepliesPolicy::Followed,
            RepliesPolicyWord::List => RepliesPolicy::List,
            RepliesPolicyWord::None => RepliesPolicy::None,
        }
    }
}

/// A list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct List {
    id: String,
    title: String,
    replies_policy: RepliesPolicyWord,
    exclusive: bool,
}

impl From<&model::List> for List {
    fn from(list: &model::List) -> List {
        List {
            id: list.id.to_string(),
            title: list.title.clone(),
            replies_policy: list.replies.into(),
            exclusive: list.is_exclusive,
        }
    }
}
