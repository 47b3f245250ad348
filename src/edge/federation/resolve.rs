//! What people type or paste: handles and addresses of other servers' people
//! and posts.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;
use tracing::debug;

use super::fetch::{self, FetchFailure};
use super::{actors, posts, quotes};
use crate::edge::AppState;
use crate::wire::activitypub::{Object, actor_kind, uri};

/// How long somebody who searches or writes waits for other servers.
const PATIENCE: Duration = Duration::from_secs(8);
/// Unknown people that one text makes us look for.
const STRANGERS_MAX: usize = 5;

/// Looks up what somebody typed, as far as it can be had soon. What was found
/// is in the store afterwards; gives its ActivityPub id.
pub(crate) async fn bring(state: &AppState, text: &str) -> Option<String> {
    match timeout(PATIENCE, resolve(state, text)).await {
        Ok(Ok(found)) => Some(found),
        Ok(Err(failure)) => {
            debug!("nothing was found elsewhere: {failure}");
            None
        }
        Err(_) => None,
    }
}

/// Looks up people of other servers that a text names and who are not known
/// here, all at once.
pub(crate) async fn bring_people(state: &AppState, handles: &[String]) {
    let lookups = handles.iter().take(STRANGERS_MAX).map(|handle| actors::by_handle(state, handle));
    let _ = timeout(PATIENCE, join_all(lookups)).await;
}

/// Looks up `@user@host`, `user@host`, or the address of a profile or post,
/// on its own server where it is not known or old. What is local is found in
/// the store, not here. Gives the ActivityPub id.
///
/// # Errors
/// Why nothing was found; see [`FetchFailure`].
pub(crate) async fn resolve(state: &AppState, text: &str) -> Result<String, FetchFailure> {
    let text = text.trim();
    if !text.starts_with("https://") && !text.starts_with("http://") {
        return actors::by_handle(state, text).await.map(|account| account.uri);
    }
    if state.site.owns(text) || !uri::is_id(text) {
        return Err(FetchFailure::Bad("it is not an address of another server"));
    }
    if posts::known(state, text).await?.is_some() {
        quotes::settle_soon(state, text).await;
        return Ok(text.to_owned());
    }
    if let Some(account) = actors::known(state, text).await?.filter(|account| account.is_visible()) {
        return actors::by_uri(state, &account.uri).await.map(|account| account.uri);
    }
    // A page leads to its document, which names its own id; that is the one
    // that counts.
    let (document, _) = fetch::get(state, text).await?;
    let id = document["id"].as_str().unwrap_or_default().to_owned();
    if state.site.owns(&id) {
        return Err(FetchFailure::Own);
    }
    if actor_kind(document["type"].as_str().unwrap_or_default()).is_some() {
        return actors::by_uri(state, &id).await.map(|account| account.uri);
    }
    if Object::read(&document).is_none() {
        return Err(FetchFailure::Bad("it is neither a profile nor a post"));
    }
    posts::with_company(state, &id).await?;
    // As the inbox does: what it quotes is shown if its author's stamp holds.
    quotes::settle_soon(state, &id).await;
    Ok(id)
}
