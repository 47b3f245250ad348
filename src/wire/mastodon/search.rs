//! Search results and hashtags (docs: entities/Search, Tag).

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Account, Status};
use crate::model::{self, Site};

/// A hashtag.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Tag {
    id: String,
    /// Lower case, without `#`.
    pub name: String,
    #[schema(format = "uri")]
    url: String,
    /// Its use by day; not counted.
    #[schema(value_type = Vec<Object>)]
    history: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    following: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    featuring: Option<bool>,
}

impl Tag {
    /// A hashtag; whether the viewer follows it is told to those who can.
    pub fn new(site: &Site, name: &str, is_logged_in: bool) -> Tag {
        let name = model::Status::tag_key(name);
        let no = is_logged_in.then_some(false);
        Tag {
            id: name.clone(),
            url: site.tag_page(&name),
            name,
            history: Vec::new(),
            following: no,
            featuring: no,
        }
    }
}

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
