//! Preview cards: what the page behind a link says of itself.

use minicbor::{Decode, Encode};

use crate::base::{Id, Timestamp};
use crate::store::Record;

/// How far a card is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum CardState {
    /// A job is to fetch the page.
    #[n(0)]
    #[default]
    Asked,
    /// It is there to be shown.
    #[n(1)]
    Ready,
    /// The page could not be had, or is none.
    #[n(2)]
    Failed,
}

/// The preview of one page, shared by all posts that link to it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct PreviewCard {
    /// The link, as posts have it in [`super::Status::link`].
    #[n(0)]
    pub url: String,
    /// How far it is.
    #[n(1)]
    pub state: CardState,
    /// Since when.
    #[n(2)]
    pub since: Timestamp,
    /// Its title.
    #[n(3)]
    pub title: String,
    /// What it is about; may be empty.
    #[n(4)]
    pub description: String,
    /// Who wrote it; may be empty.
    #[n(5)]
    pub author_name: String,
    /// Their page.
    #[n(6)]
    pub author_url: Option<String>,
    /// Of which site; may be empty.
    #[n(7)]
    pub provider_name: String,
    /// Its picture, on its own server.
    #[n(8)]
    pub image: Option<String>,
    /// What the picture shows; may be empty.
    #[n(9)]
    pub image_description: String,
    /// Pixels of the picture; 0 if not known.
    #[n(10)]
    pub width: u32,
    /// Pixels of the picture; 0 if not known.
    #[n(11)]
    pub height: u32,
    /// When it was published.
    #[n(12)]
    pub published_at: Option<Timestamp>,
    /// ISO 639 code.
    #[n(13)]
    pub language: Option<String>,
    /// How it is played or shown in place; `None` of a mere link.
    #[n(14)]
    pub player: Option<Player>,
    /// The account that wrote it and lets the page say so.
    #[n(15)]
    pub creator: Option<Id>,
    /// The page of its site.
    #[n(16)]
    pub provider_url: Option<String>,
}

/// What is more than a link (oEmbed).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Player {
    /// A frame with a film.
    #[n(0)]
    Video(#[n(0)] Frame),
    /// A frame with anything else.
    #[n(1)]
    Rich(#[n(0)] Frame),
    /// A picture.
    #[n(2)]
    Photo {
        /// Its address.
        #[n(0)]
        url: String,
    },
}

/// A page of another site in a page. All that is kept of its HTML.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Frame {
    /// Its address, always https.
    #[n(0)]
    pub url: String,
    /// Pixels; 0 if not known.
    #[n(1)]
    pub width: u32,
    /// Pixels; 0 if not known.
    #[n(2)]
    pub height: u32,
}

impl Record for PreviewCard {}

impl PreviewCard {
    /// Whether it can be shown.
    pub fn is_ready(&self) -> bool {
        self.state == CardState::Ready
    }
}
