//! Other servers' posts: from documents to records, and fetching those that
//! are missing.

use std::time::Duration;

use super::fetch::{self, FetchFailure};
use super::{actors, thread};
use crate::base::Id;
use crate::base::limits::ANCESTORS_MAX;
use crate::domain::delivery::authority_of;
use crate::domain::remote::{self, Arrived, Kept};
use crate::domain::status::{self, News};
use crate::edge::AppState;
use crate::model::{Account, Site, Visibility};
use crate::wire::activitypub::{Object, is_public, uri};
use serde_json::Value;

/// A post as the rules take it. The caller knows that `author` is its author.
pub(super) fn arrived(site: &Site, object: &Object, author: &Account) -> Arrived {
    let visibility = object.visibility(&author.followers_uri);
    let names_somebody_here = object.to.iter().chain(&object.cc).any(|to| site.actor_id(to).is_some());
    // Named and addressed. Some servers write the page of who is named.
    let page = format!("{}/@", site.origin);
    let is_addressed = |href: &str| object.addresses(href) || names_somebody_here && href.starts_with(&page);
    let mentions: Vec<String> =
        object.tags.mentions.iter().map(|m| m.href.clone()).filter(|href| is_addressed(href)).collect();
    // Addressed without being named, as in direct messages of some servers.
    let is_silent = |address: &&String| {
        !is_public(address) && site.actor_id(address).is_some() && !mentions.contains(address)
    };
    let silent = match visibility {
        Visibility::Public | Visibility::Unlisted => Vec::new(),
        Visibility::Private | Visibility::Direct => {
            object.to.iter().chain(&object.cc).filter(is_silent).cloned().collect()
        }
    };
    Arrived {
        uri: object.id.clone(),
        author: author.id,
        url: object.url.clone().or_else(|| Some(object.id.clone())),
        content_html: object.content_html.clone(),
        spoiler_text: object.spoiler_text.clone(),
        visibility,
        sensitive: object.sensitive,
        language: object.language.clone(),
        in_reply_to: object.in_reply_to.clone(),
        published: object.published,
        updated: object.updated,
        mentions,
        silent,
        tags: object.tags.hashtags.clone(),
        attachments: object.attachments.clone(),
        emojis: object.tags.emojis.clone(),
        poll: object.poll.clone(),
        quote: object.quote.clone().map(|uri| (uri, object.quote_approval.clone())),
        quote_policy: object.quote_policy.as_ref().map(|policy| policy.known(&author.followers_uri)),
    }
}

/// A document as a post by one who may say so: its author is of its own host.
pub(super) async fn read(state: &AppState, document: &Value) -> Result<Arrived, FetchFailure> {
    let object = Object::read(document).ok_or(FetchFailure::Bad("it is not a post"))?;
    if !uri::is_same_host(&object.id, &object.attributed_to) {
        return Err(FetchFailure::Bad("its author is of another host"));
    }
    let author = actors::by_uri(state, &object.attributed_to).await?;
    if !author.is_visible() || author.is_local() {
        return Err(FetchFailure::Gone);
    }
    Ok(arrived(&state.site, &object, &author))
}

/// The post with this id here; it is fetched if it is not known.
pub(crate) async fn by_uri(state: &AppState, uri: &str) -> Result<Id, FetchFailure> {
    if let Some(id) = known(state, uri).await? {
        return Ok(id);
    }
    let found = fetched(state, uri).await?;
    keep(state, found, News::Backfill).await?.id().ok_or(FetchFailure::Gone)
}

/// The same, with jobs that fetch what it answers and what it quotes.
pub(super) async fn with_company(state: &AppState, uri: &str) -> Result<Id, FetchFailure> {
    let id = by_uri(state, uri).await?;
    thread::complete_later(state, uri, News::Backfill).await?;
    thread::settle_later(state, uri).await?;
    Ok(id)
}

/// The id here of a post with this ActivityPub id.
pub(super) async fn known(state: &AppState, uri: &str) -> Result<Option<Id>, FetchFailure> {
    let uri = uri.to_owned();
    Ok(state.store.read(move |tx| status::by_uri(tx, &uri)).await?.map(|status| status.id))
}

/// A post from its own server, not yet kept.
pub(super) async fn fetched(state: &AppState, uri: &str) -> Result<Arrived, FetchFailure> {
    let document = fetch::document(state, uri).await?;
    read(state, &document).await
}

/// Keeps a post.
pub(super) async fn keep(state: &AppState, arrived: Arrived, news: News) -> Result<Kept, FetchFailure> {
    let (site, moment) = (state.site.clone(), state.moment_with(arrived.ids_needed()));
    Ok(state
        .store
        .write(move |tx| remote::keep_status(tx, &mut moment.clone(), &site, &arrived, news))
        .await?)
}

/// Longest climb up a thread; a job may take little longer.
const CLIMB_MAX: Duration = Duration::from_secs(8);

/// Fetches a post that is answered and those of the same server that it
/// answers, and keeps them from the oldest on, so that
/// each finds its parent. Where the thread goes on at another server, or
/// there is no more time, a job goes on, up to [`ANCESTORS_MAX`] from the
/// first post, of which `climbed` were fetched before.
///
/// # Errors
/// When not even the first can be had, which says something about its server.
pub(super) async fn ancestors(state: &AppState, parent: &str, climbed: usize) -> Result<(), FetchFailure> {
    let (host, began) = (authority_of(parent), state.clock.monotonic());
    let mut chain: Vec<Arrived> = Vec::new();
    let mut next = Some(parent.to_owned());
    while let Some(uri) = next.take() {
        let is_loop = chain.iter().any(|arrived| arrived.uri == uri);
        let is_late = state.clock.monotonic().saturating_sub(began) > CLIMB_MAX;
        let is_elsewhere = authority_of(&uri) != host;
        let is_far = climbed + chain.len() >= ANCESTORS_MAX;
        let stops = is_far || is_loop || is_late || is_elsewhere;
        if stops || !matches!(known(state, &uri).await, Ok(None)) {
            break;
        }
        let found = match fetched(state, &uri).await {
            Ok(found) => found,
            Err(failure) if chain.is_empty() => return Err(failure),
            Err(_) => break,
        };
        next.clone_from(&found.in_reply_to);
        chain.push(found);
    }
    let (climbed, topmost) = (climbed + chain.len(), chain.last().map(|arrived| arrived.uri.clone()));
    while let Some(oldest) = chain.pop() {
        let (uri, quotes) = (oldest.uri.clone(), oldest.quote.is_some());
        if keep(state, oldest, News::Backfill).await.is_err() {
            return Ok(());
        }
        if quotes {
            thread::settle_later(state, &uri).await?;
        }
    }
    if let Some(topmost) = topmost.filter(|_| climbed < ANCESTORS_MAX) {
        thread::climb_later(state, &topmost, climbed).await?;
    }
    Ok(())
}
