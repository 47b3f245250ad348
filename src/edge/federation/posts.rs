//! Other servers' posts: from documents to records, and fetching those that
//! are missing.

use std::time::Duration;

use serde_json::Value;

use super::actors;
use super::fetch::{self, FetchFailure};
use crate::base::Id;
use crate::base::limits::ANCESTORS_MAX;
use crate::domain::remote::{self, Arrived, Kept};
use crate::domain::status::{self, News};
use crate::edge::AppState;
use crate::model::{Account, Site, Visibility};
use crate::wire::activitypub::{Object, is_public, uri};

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

/// The post with this id here; it is fetched, with what it answers, if it is
/// not known.
pub(crate) async fn by_uri(state: &AppState, uri: &str) -> Result<Id, FetchFailure> {
    if let Some(id) = known(state, uri).await? {
        return Ok(id);
    }
    let found = fetched(state, uri).await?;
    if let Some(id) = known(state, &found.uri).await? {
        return Ok(id);
    }
    if let Some(parent) = &found.in_reply_to {
        // The post is worth keeping without what it answers.
        let _ = ancestors(state, parent, ANCESTORS_MAX).await;
    }
    keep(state, found, News::Backfill).await?.id().ok_or(FetchFailure::Gone)
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

/// Fetches a post that is answered and those that it answers, at most
/// `steps_max`, and keeps them from the oldest on, so that each finds its
/// parent. What cannot be had, or not soon, ends the climb.
///
/// # Errors
/// When not even the first can be had, which says something about its server.
pub(super) async fn ancestors(state: &AppState, parent: &str, steps_max: usize) -> Result<(), FetchFailure> {
    let mut chain: Vec<Arrived> = Vec::new();
    let mut next = Some(parent.to_owned());
    let began = state.clock.monotonic();
    while let Some(uri) = next.take() {
        let is_loop = chain.iter().any(|arrived| arrived.uri == uri);
        let is_late = state.clock.monotonic().saturating_sub(began) > CLIMB_MAX;
        if chain.len() >= steps_max || is_loop || is_late || !matches!(known(state, &uri).await, Ok(None)) {
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
    while let Some(oldest) = chain.pop() {
        if keep(state, oldest, News::Backfill).await.is_err() {
            break;
        }
    }
    Ok(())
}
