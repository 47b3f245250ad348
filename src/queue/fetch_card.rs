//! The handler of [`Job::FetchCard`]: reads the page behind a link for its
//! preview card. The host is a destination like any other, so a slow one
//! delays nobody else.

use std::time::Duration;

use super::deliver::outcome_of;
use super::handler::{Attempt, Handler};
use super::outcome::{Outcome, Report};
use super::workshop::Workshop;
use crate::domain::card;
use crate::domain::moderation::server::is_blocked;
use crate::model::PreviewCard;
use crate::model::queue::Job;
use crate::net::client::{Answer, Client, Outgoing, Times};
use crate::store::StoreError;
use crate::wire::page::{self, PAGE_MAX_BYTES};

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
        Ok(answer) => (read(answer).await, Outcome::Done),
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
    let (key, url) = (attempt.key, url.clone());
    workshop.store.write(move |tx| card::keep(tx, &key, now, &url, found.as_ref())).await?;
    // The job has ended; what is left to say is about the host.
    Ok(outcome)
}

/// The card of a page, read where it holds up nobody.
async fn read(answer: Answer) -> Option<PreviewCard> {
    if !matches!(answer.media_type()?.as_str(), "text/html" | "application/xhtml+xml") {
        return None;
    }
    let charset = answer.charset();
    let read = tokio::task::spawn_blocking(move || page::card(&answer.body, charset.as_deref(), &answer.url));
    read.await.ok().flatten()
}
