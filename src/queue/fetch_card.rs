//! The handler of [`Job::FetchCard`]: reads the page behind a link for its
//! preview card. The host is a destination like any other, so a slow one
//! delays nobody else.

use std::time::Duration;

use super::deliver::outcome_of;
use super::handler::{Attempt, Handler};
use super::outcome::{Outcome, Report};
use super::workshop::Workshop;
use crate::domain::card;
use crate::domain::delivery::authority_of;
use crate::domain::moderation::server::is_blocked;
use crate::model::PreviewCard;
use crate::model::queue::Job;
use crate::net::client::{Answer, Client, Outgoing, Times};
use crate::store::StoreError;
use crate::wire::oembed;
use crate::wire::page::{self, PAGE_MAX_BYTES};

/// Longest time an oEmbed document may take, and its bytes.
const OEMBED_MAX: Duration = Duration::from_secs(4);
const OEMBED_MAX_BYTES: usize = 128 * 1024;
/// Longest time one page may take.
const FETCH_MAX: Duration = Duration::from_secs(10);
/// Attempts at a host that does not answer. A preview is not worth more.
const ATTEMPTS_MAX: u8 = 3;

/// The handler, with what it works on.
pub fn handler(workshop: Workshop, client: Client) -> impl Handler {
    move |attempt: Attempt| {
        let (workshop, client) = (workshop.clone(), client.clone());
        async move {
            Report::from(match fetch(&workshop, &client, &attempt).await {
                Ok(outcome) => outcome,
                Err(error) => Outcome::TryLater { detail: error.to_string() },
            })
        }
    }
}

async fn fetch(workshop: &Workshop, client: &Client, attempt: &Attempt) -> Result<Outcome, StoreError> {
    let Job::FetchCard { url } = &attempt.act.job else {
        return Ok(Outcome::Broken { detail: "not a card".into() });
    };
    let (asked, host, now) = (url.clone(), attempt.authority.clone(), attempt.now);
    let is_wanted = workshop
        .store
        .read(move |tx| Ok::<_, StoreError>(card::is_wanted(tx, &asked, now)? && !is_blocked(tx, &host)?));
    if !is_wanted.await? || workshop.site.owns(url) {
        return Ok(Outcome::Done);
    }
    let request = Outgoing::get(url.clone())
        .accept("text/html, application/xhtml+xml;q=0.9")
        .answer_max_bytes(PAGE_MAX_BYTES)
        .cut()
        .times(Times { total: FETCH_MAX, headers: attempt.answer_within, ..Times::default() });
    let (found, outcome) = match client.send(request).await {
        Ok(answer) => (read(client, answer).await, Outcome::Done),
        Err(error) => match outcome_of(Err(error), now) {
            // About the host, not about the page.
            outcome @ (Outcome::Failed { .. }
            | Outcome::TooMany { .. }
            | Outcome::Unavailable { .. }
            | Outcome::TryLater { .. })
                if attempt.attempts + 1 < ATTEMPTS_MAX =>
            {
                return Ok(outcome);
            }
            outcome => (None, outcome),
        },
    };
    let (key, url, site) = (attempt.key, url.clone(), workshop.site.clone());
    let keep = workshop.store.write(move |tx| {
        let mut card = None;
        if let Some(Found { card: found, creator }) = &found {
            let creator = match creator {
                Some((handle, host)) => card::creator(tx, &site, handle, host)?,
                None => None,
            };
            card = Some(PreviewCard { creator, ..found.clone() });
        }
        card::keep(tx, &key, now, &url, card.as_ref())
    });
    keep.await?;
    // The job has ended; what is left to say is about the host.
    Ok(outcome)
}

/// What a page says: its card, and who wrote it with the host that says so.
struct Found {
    card: PreviewCard,
    creator: Option<(String, String)>,
}

/// The card of a page, read where it holds up nobody.
async fn read(client: &Client, answer: Answer) -> Option<Found> {
    if !matches!(answer.media_type()?.as_str(), "text/html" | "application/xhtml+xml") {
        return None;
    }
    let (charset, base) = (answer.charset(), answer.url.clone());
    let read = tokio::task::spawn_blocking(move || page::page(&answer.body, charset.as_deref(), &answer.url));
    let page = read.await.ok()?;
    let mut card = page.card;
    // Another host would be another lane's to ask.
    let is_own = |url: &&String| authority_of(url) == authority_of(base.as_str());
    if let Some(document) = embedded(client, page.oembed.as_ref().filter(is_own)).await {
        card = oembed::card(&document, &base, card);
    }
    let host = base.host_str().unwrap_or_default().to_owned();
    Some(Found { card: card?, creator: page.creator.map(|handle| (handle, host)) })
}

/// The page's oEmbed document; without one it is a link like others.
async fn embedded(client: &Client, url: Option<&String>) -> Option<Vec<u8>> {
    let request = Outgoing::get(url?.clone())
        .accept("application/json")
        .answer_max_bytes(OEMBED_MAX_BYTES)
        .times(Times { total: OEMBED_MAX, ..Times::default() });
    let answer = client.send(request).await.ok()?;
    Some(answer.body.to_vec())
}
