//! From the name of a key to the key and its owner.

use std::net::IpAddr;

use super::actors;
use super::fetch::{self, FetchFailure};
use super::shared::KnownKey;
use crate::base::{Problem, ProblemKind};
use crate::edge::AppState;
use crate::model::Account;
use crate::wire::activitypub::{Actor, read_key, uri};
use crate::wire::http_signature::PublicKey;

/// Seconds after which a peer whose key cannot be fetched now tries again.
const RETRY_S: u32 = 60;

/// How hard to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// What is known is good.
    Cached,
    /// What is known did not fit: ask the owner's server.
    Again,
}

fn refused(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::Unauthenticated, detail)
}

/// The key of this name. `None` with [`Look::Again`] when it was asked for a
/// moment ago.
pub(super) async fn find(
    state: &AppState,
    key_id: &str,
    source: IpAddr,
    look: Look,
) -> Result<Option<KnownKey>, Problem> {
    if !uri::is_id(key_id) || state.site.owns(key_id) {
        return Err(refused("the key's name is not the address of another server's key"));
    }
    if look == Look::Cached {
        if let Some(key) = state.federation().key(key_id) {
            return Ok(Some(key));
        }
        if let Some(key) = of_known_account(state, key_id).await? {
            state.federation().remember(key_id, key.clone());
            return Ok(Some(key));
        }
    }
    if !state.federation().may_look_for(key_id) {
        return match look {
            Look::Again => Ok(None),
            Look::Cached => Err(refused("the key could not be had a moment ago")),
        };
    }
    if !state.federation().may_ask(source) {
        let detail = "too many unknown keys from this address";
        return Err(Problem::new(ProblemKind::Unavailable, detail).retry_after(RETRY_S));
    }
    let key = fetched(state, key_id).await.map_err(|failure| explain(&failure))?;
    state.federation().remember(key_id, key.clone());
    Ok(Some(key))
}

/// Without the network: the account's own id is what is before the fragment
/// (or the key's whole id, as PeerTube has it).
async fn of_known_account(state: &AppState, key_id: &str) -> Result<Option<KnownKey>, Problem> {
    let found = actors::known(state, uri::without_fragment(key_id)).await.map_err(|f| explain(&f))?;
    let account = found.filter(|account| !account.is_local() && !account.public_key_pem.is_empty());
    let Some(account) = account else { return Ok(None) };
    let is_named = account.key_id == key_id || account.uri == key_id;
    if !is_named {
        return Ok(None);
    }
    Ok(known_key(&account, &account.public_key_pem).ok())
}

fn known_key(account: &Account, pem: &str) -> Result<KnownKey, FetchFailure> {
    let key = PublicKey::from_pem(pem).map_err(|_| FetchFailure::Bad("the key is not usable"))?;
    Ok(KnownKey { owner: account.id, key })
}

/// From the owner's server: the key's own document names the owner, and the
/// owner has to list the key.
async fn fetched(state: &AppState, key_id: &str) -> Result<KnownKey, FetchFailure> {
    let (document, answered_by) = fetch::get(state, key_id).await?;
    if !uri::is_same_host(key_id, &answered_by) {
        return Err(FetchFailure::Bad("the key comes from another host"));
    }
    let is_whole_actor = document["id"].as_str() == Some(uri::without_fragment(key_id));
    let (owner, named) = match Actor::read(&document) {
        Ok(actor) if is_whole_actor => (actor.account.uri.clone(), actor),
        _ => {
            let key = read_key(&document, key_id).ok_or(FetchFailure::Bad("there is no such key"))?;
            if !uri::is_same_host(&key.owner, key_id) {
                return Err(FetchFailure::Bad("the key's owner is on another host"));
            }
            let owner = fetch::document(state, &key.owner).await?;
            let actor = Actor::read(&owner).map_err(|_| FetchFailure::Bad("the key's owner is no actor"))?;
            let account = actors::keep(state, &owner).await?;
            return listed(&account, &actor, key_id);
        }
    };
    debug_assert!(uri::is_same_host(&owner, key_id));
    let account = actors::keep(state, &document).await?;
    listed(&account, &named, key_id)
}

fn listed(account: &Account, actor: &Actor, key_id: &str) -> Result<KnownKey, FetchFailure> {
    let key = actor.keys.iter().find(|key| key.id == key_id || account.uri == key_id);
    known_key(account, &key.ok_or(FetchFailure::Bad("the owner does not list the key"))?.pem)
}

fn explain(failure: &FetchFailure) -> Problem {
    match failure {
        FetchFailure::Gone => refused("the key is gone"),
        FetchFailure::Bad(what) => refused(format!("the key cannot be had: {what}")),
        FetchFailure::Own => refused("the key is one of ours"),
        FetchFailure::Unreachable(what) => {
            Problem::new(ProblemKind::Unavailable, format!("the key's server cannot be reached: {what}"))
                .retry_after(RETRY_S)
        }
        FetchFailure::Ours(problem) => {
            let kind =
                if problem.kind == ProblemKind::Unavailable { problem.kind } else { ProblemKind::Internal };
            Problem::new(kind, "the key cannot be looked up now").because(problem.to_string())
        }
    }
}
