//! Quotes (docs: entities/Quote, ShallowQuote, QuoteApproval).

use serde::Serialize;
use utoipa::ToSchema;

use super::Status;
use crate::model::{QuotePermission, QuotePolicy};

/// A quote with the post, or in a quoted post with its id alone.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Quote {
    /// `accepted` shows it; `pending`, `rejected`, `revoked`, `deleted`,
    /// `unauthorized`, `blocked_account`, `blocked_domain` and
    /// `muted_account` do not.
    state: &'static str,
    /// Null where it is not to be seen.
    #[schema(required, no_recursion)]
    quoted_status: Option<Box<Status>>,
}

impl Quote {
    /// A quote in this state.
    pub fn new(state: &'static str, quoted: Option<Status>) -> Quote {
        Quote { state, quoted_status: quoted.map(Box::new) }
    }
}

/// A quote in a quoted post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShallowQuote {
    state: &'static str,
    #[schema(required)]
    quoted_status_id: Option<String>,
}

impl ShallowQuote {
    /// A quote in this state.
    pub fn new(state: &'static str, quoted: Option<String>) -> ShallowQuote {
        ShallowQuote { state, quoted_status_id: quoted }
    }
}

/// Either kind.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AnyQuote {
    /// With the post.
    Whole(Quote),
    /// With its id.
    Shallow(ShallowQuote),
}

/// Who may quote a post, and whether the user may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QuoteApproval {
    /// `public`, `followers`, `unsupported_policy`.
    automatic: Vec<&'static str>,
    manual: Vec<&'static str>,
    /// `automatic`, `manual`, `denied`, `unknown`. Nobody's is `denied`, as in
    /// Mastodon: strict decoders do without a reader but not without the word.
    current_user: &'static str,
}

impl QuoteApproval {
    /// The policy, and what it says of the user.
    pub fn new(policy: &QuotePolicy, user: Option<QuotePermission>) -> QuoteApproval {
        QuoteApproval {
            automatic: policy.automatic.iter().map(|group| group.word()).collect(),
            manual: policy.manual.iter().map(|group| group.word()).collect(),
            current_user: user.unwrap_or(QuotePermission::Denied).word(),
        }
    }
}
