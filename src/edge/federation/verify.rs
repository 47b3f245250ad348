//! Who signed a request.

use std::net::IpAddr;

use http::request::Parts;
use tracing::debug;

use super::fetch::is_shut_out;
use super::keys::{self, Look};
use super::shared::KnownKey;
use crate::base::{Problem, ProblemKind};
use crate::domain::account;
use crate::edge::AppState;
use crate::model::Account;
use crate::wire::http_signature::{self, Incoming, PublicKey, Refusal};

/// The account that signed a request, after every rule of signatures held.
///
/// # Errors
/// 401 for everything that is wrong with the signature, 503 while the key's
/// server cannot be reached, 403 for suspended accounts.
pub(super) async fn signer(
    state: &AppState,
    parts: &Parts,
    body: &[u8],
    source: IpAddr,
) -> Result<Account, Problem> {
    let path_and_query = path_and_query(parts);
    let request = Incoming {
        method: &parts.method,
        path_and_query: &path_and_query,
        origin: &state.site.origin,
        headers: &parts.headers,
        body,
        now: state.now(),
    };
    let headers = with_host(parts);
    let request = match &headers {
        Some(headers) => Incoming { headers, ..request },
        None => request,
    };
    let claim = http_signature::read(&request).map_err(|refusal| refuse(&refusal))?;
    if is_shut_out(state, &claim.key_id).await.map_err(Problem::from)? {
        metrics::counter!("waxwing_federation_rejected_total", "reason" => "blocked").increment(1);
        return Err(Problem::forbidden("this server is blocked here"));
    }
    let known = keys::find(state, &claim.key_id, source, Look::Cached).await?;
    let known = known.ok_or_else(|| refuse(&Refusal::Forged))?;
    let owner = match claim.verify(&known.key) {
        Ok(()) => known,
        // The owner may have a new key.
        Err(refusal) => again(state, &claim, source, &known, refusal).await?,
    };
    let found = state.store.read(move |tx| account::get(tx, owner.owner)).await?;
    let account = found.ok_or_else(|| refuse(&Refusal::Forged))?;
    if account.suspended_at.is_some() {
        return Err(Problem::forbidden("this account is suspended here"));
    }
    Ok(account)
}

async fn again(
    state: &AppState,
    claim: &http_signature::Claim,
    source: IpAddr,
    known: &KnownKey,
    refusal: Refusal,
) -> Result<KnownKey, Problem> {
    if is_by_previous_key(state, claim, known).await? {
        return Ok(known.clone());
    }
    let fresh = keys::find(state, &claim.key_id, source, Look::Again).await?;
    match fresh {
        Some(fresh) if claim.verify(&fresh.key).is_ok() => Ok(fresh),
        _ => Err(refuse(&refusal)),
    }
}

/// Deliveries that were signed before a rotation we were told of are good for
/// a week.
async fn is_by_previous_key(
    state: &AppState,
    claim: &http_signature::Claim,
    known: &KnownKey,
) -> Result<bool, Problem> {
    let owner = known.owner;
    let account = state.store.read(move |tx| account::get(tx, owner)).await?;
    let Some((pem, until)) = account.and_then(|account| account.previous_key) else { return Ok(false) };
    let is_good = state.now() < until;
    Ok(is_good && PublicKey::from_pem(&pem).is_ok_and(|key| claim.verify(&key).is_ok()))
}

/// As it was before our own routing trimmed it.
fn path_and_query(parts: &Parts) -> String {
    let original = parts.extensions.get::<axum::extract::OriginalUri>().map(|original| &original.0);
    let uri = original.unwrap_or(&parts.uri);
    uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
}

/// HTTP/2 has `:authority` in the place of `Host`.
fn with_host(parts: &Parts) -> Option<http::HeaderMap> {
    if parts.headers.contains_key(http::header::HOST) {
        return None;
    }
    let original = parts.extensions.get::<axum::extract::OriginalUri>().map(|original| &original.0);
    let authority = original.unwrap_or(&parts.uri).authority()?;
    let mut headers = parts.headers.clone();
    headers.insert(http::header::HOST, authority.as_str().parse().ok()?);
    Some(headers)
}

/// 401, with the reason for the other side's developer.
fn refuse(refusal: &Refusal) -> Problem {
    metrics::counter!("waxwing_federation_rejected_total", "reason" => refusal.label()).increment(1);
    debug!("a signature is refused: {refusal}");
    Problem::new(ProblemKind::Unauthenticated, refusal.to_string())
}
