//! Preview cards (docs: entities/PreviewCard, Trends::Link).

use serde::Serialize;
use utoipa::ToSchema;

use super::{Account, TagHistory};
use crate::base::Timestamp;
use crate::model::{self, Frame, Player, Site};
use crate::wire::text;

/// What a player may do (as Mastodon has it).
const SANDBOX: &str =
    "allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-forms";

/// Who wrote a page.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CardAuthor {
    name: String,
    url: String,
    /// Their account, if it lets the page say so.
    #[schema(required)]
    account: Option<Account>,
}

/// What the page behind a link says of itself. Text that is not known is
/// empty, addresses of pictures and times are null.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PreviewCard {
    #[schema(format = "uri")]
    url: String,
    title: String,
    description: String,
    /// `link`, `photo`, `video` or `rich`.
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
    /// `account` is that of who wrote the page.
    pub fn new(site: &Site, card: &model::PreviewCard, account: Option<Account>) -> PreviewCard {
        let author_url = card.author_url.clone().unwrap_or_default();
        let named = !card.author_name.is_empty() || account.is_some();
        let author = CardAuthor { name: card.author_name.clone(), url: author_url.clone(), account };
        let (kind, frame, embed_url) = match &card.player {
            None => ("link", None, ""),
            Some(Player::Photo { url }) => ("photo", None, url.as_str()),
            Some(Player::Video(frame)) => ("video", Some(frame), ""),
            Some(Player::Rich(frame)) => ("rich", Some(frame), ""),
        };
        let (width, height) = frame.map_or((card.width, card.height), |frame| (frame.width, frame.height));
        PreviewCard {
            url: card.url.clone(),
            title: card.title.clone(),
            description: card.description.clone(),
            kind,
            authors: if named { vec![author] } else { Vec::new() },
            author_name: card.author_name.clone(),
            author_url,
            provider_name: card.provider_name.clone(),
            provider_url: card.provider_url.clone().unwrap_or_default(),
            html: frame.map(player).unwrap_or_default(),
            width,
            height,
            image: card.image.as_deref().map(|url| site.passed_on(url)),
            image_description: card.image_description.clone(),
            embed_url: embed_url.to_owned(),
            blurhash: None,
            language: card.language.clone(),
            published_at: card.published_at.map(Timestamp::rfc3339),
            history: None,
        }
    }
}

/// The frame around a player, which may do nothing to the page it is on.
fn player(frame: &Frame) -> String {
    let url = text::escape(&frame.url);
    let side =
        |name: &str, pixels: u32| if pixels > 0 { format!(" {name}=\"{pixels}\"") } else { String::new() };
    let sides = side("width", frame.width) + &side("height", frame.height);
    format!("<iframe src=\"{url}\"{sides} allowfullscreen=\"true\" sandbox=\"{SANDBOX}\"></iframe>")
}
