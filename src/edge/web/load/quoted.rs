//! Quoted posts and link previews, as pages show them.

use super::{Eyes, picture_of_others, post, web_url};
use crate::domain::timeline::{Loaded, QuoteView};
use crate::edge::api::render;
use crate::edge::web::view::{CardView, QuoteLeave, QuotedView};
use crate::model::{FilterAction, PreviewCard, QuotePermission};

/// What is shown of the post that a post quotes.
pub(super) fn quoted(eyes: &Eyes<'_>, loaded: &Loaded) -> Option<QuotedView> {
    loaded.status.quote.as_ref()?;
    // A quote within a quote is not looked for.
    let view = loaded.quote.as_ref()?;
    Some(quoted_view(eyes, view))
}

fn quoted_view(eyes: &Eyes<'_>, view: &QuoteView) -> QuotedView {
    let words = words(view.state);
    let Some(quoted) = view.quoted.as_deref() else {
        return QuotedView { why: words.unwrap_or(HIDDEN).to_owned(), post: None };
    };
    if let Some(found) = eyes.filters(quoted, FilterAction::Hide).next() {
        return QuotedView {
            why: format!("Hidden by your filter “{}”.", found.filter.title), post: None
        };
    }
    QuotedView {
        why: words.unwrap_or_default().to_owned(),
        post: is_there(view.state).then(|| Box::new(post(eyes, quoted))),
    }
}

const HIDDEN: &str = "The quoted post is not shown.";

/// States in which the post may be shown, at least when asked for.
fn is_there(state: &str) -> bool {
    matches!(state, "accepted" | "blocked_account" | "blocked_domain" | "muted_account")
}

/// Why a quoted post is not simply shown.
fn words(state: &str) -> Option<&'static str> {
    Some(match state {
        "accepted" => return None,
        "pending" => "The quoted post is shown when its author agrees.",
        "rejected" => "The author of the quoted post does not want to be quoted here.",
        "revoked" => "The author of the quoted post took it back from here.",
        "deleted" => "The quoted post is gone.",
        "unauthorized" => "The quoted post is not for you to see.",
        "blocked_account" => "This quotes somebody you block.",
        "blocked_domain" => "This quotes somebody of a server you block.",
        "muted_account" => "This quotes somebody you mute.",
        _ => HIDDEN,
    })
}

/// Whether the reader may quote what is shown.
pub(super) fn leave(eyes: &Eyes<'_>, loaded: &Loaded) -> QuoteLeave {
    match eyes.me.map(|me| render::quote_permission(me, loaded)) {
        Some(QuotePermission::Automatic) => QuoteLeave::Yes,
        Some(QuotePermission::Manual) => QuoteLeave::Asks,
        _ => QuoteLeave::No,
    }
}

/// The preview of a post's link. A post that quotes shows that instead.
pub(super) fn card(eyes: &Eyes<'_>, loaded: &Loaded) -> Option<CardView> {
    let card: &PreviewCard = loaded.card.as_deref().filter(|_| loaded.status.quote.is_none())?;
    let url = web_url(Some(&card.url))?;
    let host = url.split('/').nth(2).unwrap_or_default().trim_start_matches("www.").to_owned();
    let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    let picture = card.image.as_deref().filter(|_| !loaded.status.sensitive);
    Some(CardView {
        title: or(&card.title, &host),
        description: card.description.clone(),
        provider: or(&card.provider_name, &host),
        author: card.author_name.clone(),
        picture: picture.and_then(|url| picture_of_others(eyes.site, url)),
        picture_alt: card.image_description.clone(),
        is_wide: card.width > card.height,
        url,
    })
}
