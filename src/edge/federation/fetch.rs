//! Fetching documents of other servers: signed by the server's own actor,
//! and believed only where they come from.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::Value;

use crate::base::Problem;
use crate::domain::moderation::server;
use crate::edge::AppState;
use crate::net::client::{Answer, Blame, FetchError, Outgoing, Sign};
use crate::wire::activitypub::{ACCEPT, uri};
use crate::wire::http_signature::{self, Kind, Signer};
use crate::wire::json;
use crate::wire::webfinger::is_activity_type;

/// Why a document could not be had.
#[derive(Debug)]
pub(crate) enum FetchFailure {
    /// It is not there (any more): 404 or 410.
    Gone,
    /// Its server refuses, or what it gives is not the document.
    Bad(&'static str),
    /// Its server or the way to it fails; may pass.
    Unreachable(&'static str),
    /// It is one of ours, and ours are never fetched.
    Own,
    /// We failed.
    Ours(Problem),
}

impl fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FetchFailure::Gone => f.write_str("it is gone"),
            FetchFailure::Bad(what) | FetchFailure::Unreachable(what) => f.write_str(what),
            FetchFailure::Own => f.write_str("it is one of our own"),
            FetchFailure::Ours(problem) => write!(f, "{problem}"),
        }
    }
}

impl Error for FetchFailure {}

impl From<Problem> for FetchFailure {
    fn from(problem: Problem) -> FetchFailure {
        FetchFailure::Ours(problem)
    }
}

impl From<crate::store::StoreError> for FetchFailure {
    fn from(error: crate::store::StoreError) -> FetchFailure {
        FetchFailure::Ours(error.into())
    }
}

impl From<FetchError> for FetchFailure {
    fn from(error: FetchError) -> FetchFailure {
        match (&error, error.status()) {
            (FetchError::OwnHost, _) => FetchFailure::Own,
            (_, Some(StatusCode::GONE | StatusCode::NOT_FOUND)) => FetchFailure::Gone,
            _ => match error.blame() {
                Blame::Url | Blame::Answer => FetchFailure::Bad(error.label()),
                Blame::Peer => FetchFailure::Unreachable(error.label()),
                Blame::Us => FetchFailure::Ours(Problem::internal(error)),
            },
        }
    }
}

/// The document with this id, from the server that the id names. A document
/// that calls itself something else is asked for once more under that name,
/// on the same host; authority comes from the id alone, never from `url`.
pub(super) async fn document(state: &AppState, id: &str) -> Result<Value, FetchFailure> {
    let mut asked = id.to_owned();
    for _ in 0..2 {
        let (document, answered_by) = get(state, &asked).await?;
        let own_id = document["id"].as_str().unwrap_or_default().to_owned();
        if own_id == asked || own_id == answered_by {
            let is_from_there = uri::is_same_host(&own_id, &answered_by);
            return if is_from_there {
                Ok(document)
            } else {
                Err(FetchFailure::Bad("it comes from another host"))
            };
        }
        if !uri::is_same_host(&own_id, &answered_by) {
            return Err(FetchFailure::Bad("it says it is from another host"));
        }
        asked = own_id;
    }
    Err(FetchFailure::Bad("its id leads to another document"))
}

/// The document behind an address, whatever it calls itself: for keys, whose
/// id has a fragment or is served inside of another document.
pub(super) async fn get(state: &AppState, url: &str) -> Result<(Value, String), FetchFailure> {
    if !uri::is_id(url) {
        return Err(FetchFailure::Bad("it is not an address"));
    }
    if state.site.owns(url) {
        return Err(FetchFailure::Own);
    }
    if is_shut_out(state, url).await? {
        return Err(FetchFailure::Bad("its server is blocked here"));
    }
    let answer = knock(state, uri::without_fragment(url)).await?;
    let media_type = answer.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !is_activity_type(media_type) {
        return Err(FetchFailure::Bad("it is not an ActivityPub document"));
    }
    let document = json::parse(&answer.body).map_err(|_| FetchFailure::Bad("it is not acceptable JSON"))?;
    Ok((document, answer.url.to_string()))
}

/// Whether an address is of a server that is blocked here, or not welcome
/// where only the welcome are.
pub(super) async fn is_shut_out(state: &AppState, url: &str) -> Result<bool, FetchFailure> {
    let Some(host) = uri::host(url) else { return Ok(false) };
    let site = state.site.clone();
    Ok(state.store.read(move |tx| server::is_shut_out(tx, &site, &host)).await?)
}

/// Asks with one kind of signature, and with the other where that is refused.
async fn knock(state: &AppState, url: &str) -> Result<Answer, FetchFailure> {
    let first = state.client.send(request(state, url, Kind::Cavage)?).await;
    let is_refused = |error: &FetchError| {
        matches!(
            error.status(),
            Some(StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN)
        )
    };
    match first {
        Err(error) if is_refused(&error) => {
            Ok(state.client.send(request(state, url, Kind::Rfc9421)?).await?)
        }
        other => Ok(other?),
    }
}

fn request(state: &AppState, url: &str, kind: Kind) -> Result<Outgoing, Problem> {
    let key = state.federation().instance_key(state)?;
    let key_id = format!("{}#main-key", state.site.instance_actor());
    let clock = state.clock.clone();
    let sign: Sign = Arc::new(move |method, url, headers| {
        let request = http_signature::Outgoing { method, url, body: None, now: clock.now() };
        let signer = Signer { key_id: &key_id, key: &key };
        http_signature::sign(kind, &request, &signer, headers).map_err(Into::into)
    });
    Ok(Outgoing::get(url).accept(ACCEPT).sign(sign))
}
