//! What a post shows of other places: the post it quotes, the page it links to.

use super::PostView;

/// What is shown of a quoted post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotedView {
    /// Why it is covered or missing, for people; empty where it is simply shown.
    pub why: String,
    /// The post; with a reason, it is covered by that until asked for.
    pub post: Option<Box<PostView>>,
}

/// Whether the reader may quote a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteLeave {
    /// No.
    No,
    /// Its author has to agree first.
    Asks,
    /// Yes.
    Yes,
}

/// The preview of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardView {
    /// Where it leads.
    pub url: String,
    /// The page's title.
    pub title: String,
    /// What it says of itself; may be empty.
    pub description: String,
    /// The site's name, or its host.
    pub provider: String,
    /// Who wrote it; may be empty.
    pub author: String,
    /// Address of its picture.
    pub picture: Option<String>,
    /// What the picture shows; may be empty.
    pub picture_alt: String,
    /// The picture is wide, and goes above the words.
    pub is_wide: bool,
}
