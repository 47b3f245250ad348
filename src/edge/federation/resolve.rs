//! What people type or paste: handles and addresses of other servers' people
//! and posts.

use super::fetch::{self, FetchFailure};
use super::{actors, posts};
use crate::base::Id;
use crate::edge::AppState;
use crate::wire::activitypub::{Object, actor_kind, uri};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// An account.
    Account(Id),
    /// A post.
    Status(Id),
}

/// Looks up `@user@host`, `user@host`, or the address of a profile or post,
/// on its own server where it is not known or old. What is local is found in
/// the store, not here.
///
/// # Errors
/// Why nothing was found; see [`FetchFailure`].
pub(crate) async fn resolve(state: &AppState, text: &str) -> Result<Resolved, FetchFailure> {
    let text = text.trim();
    if !text.starts_with("https://") && !text.starts_with("http://") {
        return actors::by_handle(state, text).await.map(|account| Resolved::Account(account.id));
    }
    if state.site.owns(text) || !uri::is_id(text) {
        return Err(FetchFailure::Bad("it is not an address of another server"));
    }
    if let Some(id) = posts::known(state, text).await? {
        return Ok(Resolved::Status(id));
    }
    if let Some(account) = actors::known(state, text).await?.filter(|account| account.is_visible()) {
        return actors::by_uri(state, &account.uri).await.map(|account| Resolved::Account(account.id));
    }
    // A page leads to its document, which names its own id; that is the one
    // that counts.
    let (document, _) = fetch::get(state, text).await?;
    let id = document["id"].as_str().unwrap_or_default().to_owned();
    if state.site.owns(&id) {
        return Err(FetchFailure::Own);
    }
    if actor_kind(document["type"].as_str().unwrap_or_default()).is_some() {
        return actors::by_uri(state, &id).await.map(|account| Resolved::Account(account.id));
    }
    if Object::read(&document).is_none() {
        return Err(FetchFailure::Bad("it is neither a profile nor a post"));
    }
    posts::by_uri(state, &id).await.map(Resolved::Status)
}
