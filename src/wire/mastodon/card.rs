//! Preview cards (docs: entities/PreviewCard, Trends::Link).

use serde::Serialize;
use utoipa::ToSchema;

use super::TagHistory;
use crate::base::Timestamp;
use crate::model::{self, Site};

/// Who wrote a page.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CardAuthor {
    name: String,
    url: String,
    /// Their account; not known here.
    #[schema(required, value_type = Option<Object>)]
    account: Option<()>,
}

/// What the page behind a link says of itself. Text that is not known is
/// empty, addresses of pictures and times are null.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PreviewCard {
    #[schema(format = "uri")]
    url: String,
    title: String,
    description: String,
    /// `link`: what needs a player is not read.
    #[serde(rename = "type")]
    kind: &'static str,
    authors: Vec<CardAuthor>,
    author_name: String,
    author_url: String,
    provider_name: String,
    provider_url: String,
    html: String,
    width: u32,
    height: u32,
    #[schema(required, format = "uri")]
    image: Option<String>,
    image_description: String,
    embed_url: String,
    #[schema(required)]
    blurhash: Option<String>,
    #[schema(required)]
    language: Option<String>,
    #[schema(required, format = DateTime)]
    published_at: Option<String>,
    /// Only of trends: its use by day.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<TagHistory>>,
}

impl PreviewCard {
    /// The same with its use by day.
    #[must_use]
    pub fn with_history(mut self, history: Vec<TagHistory>) -> PreviewCard {
        self.history = Some(history);
        self
    }
}

impl PreviewCard {
    /// The card as clients see it: its picture is passed on by this server.
    pub fn new(site: &Site, card: &model::PreviewCard) -> PreviewCard {
        let author_url = card.author_url.clone().unwrap_or_default();
        let author = CardAuthor { name: card.author_name.clone(), url: author_url.clone(), account: None };
        PreviewCard {
            url: card.url.clone(),
            title: card.title.clone(),
            description: card.description.clone(),
            kind: "link",
            authors: if author.name.is_empty() { Vec::new() } else { vec![author] },
            author_name: card.author_name.clone(),
            author_url,
            provider_name: card.provider_name.clone(),
            provider_url: String::new(),
            html: String::new(),
            width: card.width,
            height: card.height,
            image: card.image.as_deref().map(|url| site.passed_on(url)),
            image_description: card.image_description.clone(),
            embed_url: String::new(),
            blurhash: None,
            language: card.language.clone(),
            published_at: card.published_at.map(Timestamp::rfc3339),
            history: None,
        }
    }
}
