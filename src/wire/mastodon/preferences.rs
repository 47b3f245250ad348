//! What a person has set (docs: entities/Preferences).

use serde::Serialize;
use utoipa::ToSchema;

use super::words::{QuotePolicyWord, VisibilityWord};
use crate::model::{PostingDefaults, QuotePolicy};

/// When media are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExpandMedia {
    /// Unless they are sensitive.
    Default,
    /// Always.
    ShowAll,
    /// Never.
    HideAll,
}

/// How a person likes to post and read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Preferences {
    #[serde(rename = "posting:default:visibility")]
    #[schema(value_type = VisibilityWord)]
    visibility: &'static str,
    #[serde(rename = "posting:default:sensitive")]
    sensitive: bool,
    #[serde(rename = "posting:default:language")]
    #[schema(required)]
    language: Option<String>,
    #[serde(rename = "posting:default:quote_policy")]
    #[schema(value_type = QuotePolicyWord)]
    quote_policy: &'static str,
    #[serde(rename = "reading:expand:media")]
    media: ExpandMedia,
    #[serde(rename = "reading:expand:spoilers")]
    spoilers: bool,
    #[serde(rename = "reading:autoplay:gifs")]
    gifs: bool,
}

impl From<&PostingDefaults> for Preferences {
    fn from(defaults: &PostingDefaults) -> Preferences {
        Preferences {
            visibility: defaults.visibility.word(),
            sensitive: defaults.sensitive,
            language: defaults.language.clone(),
            quote_policy: defaults.quote_policy.as_ref().map_or("public", QuotePolicy::word),
            media: ExpandMedia::Default,
            spoilers: false,
            gifs: false,
        }
    }
}
