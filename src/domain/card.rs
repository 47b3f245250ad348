//! Preview cards of links: which link of a post has one, when its page is
//! fetched, and what is kept of it.

use std::time::Duration;

use url::Url;

use crate::base::{Id, Moment, Timestamp};
use crate::domain::delivery::{Place, Task, authority_of, enqueue, finish};
use crate::domain::{account, attribution};
use crate::model::queue::{Job, JobKey, Lane};
use crate::model::tables::PREVIEW_CARD;
use crate::model::{Account, CardState, PreviewCard, Site, Status};
use crate::store::{ReadTx, StoreError, WriteTx};

/// Bytes of a link that has a card.
const LINK_MAX_BYTES: usize = 1024;
/// Links of a post that are looked at.
const LINKS_MAX: usize = 20;
/// After so long a page is read again when somebody links to it.
const FRESH_FOR: Duration = Duration::from_secs(14 * 24 * 3600);
/// A page that failed is left alone for so long.
const FAILED_FOR: Duration = Duration::from_secs(24 * 3600);
/// A job that was to fetch a page must have ended by then.
const ASKED_FOR: Duration = Duration::from_secs(2 * 3600);

/// The first link of clean HTML that is neither a mention nor a hashtag.
pub fn first_link(html: &str) -> Option<String> {
    let tags = html.split("<a ").skip(1).take(LINKS_MAX);
    tags.filter_map(link).next()
}

/// The link of a tag; `html` begins after its name.
fn link(html: &str) -> Option<String> {
    let (attributes, inside) = html.split_once('>')?;
    let is_class =
        |name: &str| value(attributes, "class").is_some_and(|all| all.split(' ').any(|one| one == name));
    // Not every server has classes on its hashtags.
    if is_class("mention") || is_class("hashtag") || inside.trim_start().starts_with(['#', '@']) {
        return None;
    }
    normal(&value(attributes, "href")?.replace("&amp;", "&"))
}

fn value<'h>(attributes: &'h str, name: &str) -> Option<&'h str> {
    let start = attributes.find(&format!("{name}=\""))? + name.len() + 2;
    attributes[start..].split('"').next()
}

/// A link as cards are kept under it; `None` where it can have none.
pub fn normal(link: &str) -> Option<String> {
    let mut url = Url::parse(link).ok()?;
    let is_web =
        matches!(url.scheme(), "https" | "http") && url.username().is_empty() && url.password().is_none();
    url.set_fragment(None);
    let text = String::from(url);
    (is_web && text.len() <= LINK_MAX_BYTES).then_some(text)
}

/// Has the page fetched that a post links to, unless it is known. Takes one
/// id.
///
/// # Errors
/// Only the store's.
pub fn ask(tx: &mut WriteTx<'_>, moment: &mut Moment, status: &Status) -> Result<(), StoreError> {
    let is_shown = status.visibility.is_open() && !status.is_reblog() && status.attachments.is_empty();
    let Some(link) = status.link.as_ref().filter(|_| is_shown) else { return Ok(()) };
    let (Some(host), kept) = (authority_of(link), tx.get(PREVIEW_CARD, link)?) else { return Ok(()) };
    if kept.as_ref().is_some_and(|card| is_fresh(card, moment.now)) {
        return Ok(());
    }
    if kept.is_none_or(|card| !card.is_ready()) {
        let asked = PreviewCard { url: link.clone(), since: moment.now, ..PreviewCard::default() };
        tx.put(PREVIEW_CARD, link, &asked);
    }
    let job = Job::FetchCard { url: link.clone() };
    let task = Task { place: Place::Web(host), ..Task::local(job, Id::ZERO).lane(Lane::Bulk) };
    enqueue(tx, moment, &task)?;
    Ok(())
}

/// Whether nothing is to be done about a card now.
fn is_fresh(card: &PreviewCard, now: Timestamp) -> bool {
    let fresh_for = match card.state {
        CardState::Asked => ASKED_FOR,
        CardState::Ready => FRESH_FOR,
        CardState::Failed => FAILED_FOR,
    };
    now.since(card.since) < fresh_for
}

/// Whether a page has still to be fetched when its job's turn comes.
///
/// # Errors
/// Only the store's.
pub fn is_wanted(tx: &ReadTx<'_>, url: &str, now: Timestamp) -> Result<bool, StoreError> {
    let kept = tx.get(PREVIEW_CARD, &url.to_owned())?;
    Ok(kept.is_none_or(|card| card.state == CardState::Asked || !is_fresh(&card, now)))
}

/// The account that a page of this host says wrote it, if it is known here and
/// lets this host say so.
///
/// # Errors
/// Only the store's.
pub fn creator(tx: &ReadTx<'_>, site: &Site, handle: &str, host: &str) -> Result<Option<Id>, StoreError> {
    let found = account::by_handle(tx, site, handle.trim_start_matches('@'))?;
    let lets = |account: &Account| {
        attribution::allows(account.attribution_domains.as_deref().unwrap_or_default(), host)
    };
    Ok(found.filter(lets).map(|account| account.id))
}

/// Keeps what a page said, or that it could not be had (`None`); an old card
/// is better than none. Ends the job.
///
/// # Errors
/// Only the store's.
pub fn keep(
    tx: &mut WriteTx<'_>,
    job: &JobKey,
    now: Timestamp,
    url: &str,
    found: Option<&PreviewCard>,
) -> Result<(), StoreError> {
    if !finish(tx, job)? {
        return Ok(());
    }
    let url = url.to_owned();
    let new = match (found, tx.get(PREVIEW_CARD, &url)?.filter(PreviewCard::is_ready)) {
        (Some(found), _) => {
            PreviewCard { url: url.clone(), state: CardState::Ready, since: now, ..found.clone() }
        }
        (None, Some(old)) => PreviewCard { since: now, ..old },
        (None, None) => {
            PreviewCard { url: url.clone(), state: CardState::Failed, since: now, ..PreviewCard::default() }
        }
    };
    tx.put(PREVIEW_CARD, &url, &new);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_real_link_counts() {
        let cases = [
            ("", None),
            ("<p>no link</p>", None),
            (
                "<a href=\"https://a.example/x?a=1&amp;b=2#c\" rel=\"x\">y</a>",
                Some("https://a.example/x?a=1&b=2"),
            ),
            ("<a class=\"u-url mention\" href=\"https://a.example/@ana\">@<span>ana</span></a>", None),
            (
                "<a href=\"https://m.example/tags/x\">#x</a> <a href=\"https://b.example\">b</a>",
                Some("https://b.example/"),
            ),
            ("<a href=\"https://a.example/t/x\" class=\"hashtag\">x</a>", None),
            (
                "<a href=\"mailto:a@b.example\">a</a><a href=\"http://c.example/\">c</a>",
                Some("http://c.example/"),
            ),
            ("<a href=\"https://user:pw@a.example/\">x</a>", None),
            ("<a title=x>y</a>", None),
            ("<a href=\"https://a.example/", None),
        ];
        for (html, expected) in cases {
            assert_eq!(first_link(html).as_deref(), expected, "{html}");
        }
        assert_eq!(normal(&format!("https://a.example/{}", "x".repeat(LINK_MAX_BYTES))), None);
    }
}
