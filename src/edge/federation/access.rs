//! Who asks for a document, and what they may have.

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::verify;
use crate::base::{Problem, ProblemKind};
use crate::config::AuthorizedFetch;
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::auth::ClientIp;
use crate::model::Account;

/// What a document shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Public posts and profiles.
    Public,
    /// Who follows whom.
    Social,
}

/// Whoever signed the request; `None` where nobody did.
///
/// # Errors
/// 401 for a signature that does not hold.
pub(super) async fn asker(state: &AppState, parts: &mut Parts) -> Result<Option<Account>, Problem> {
    if !parts.headers.contains_key("signature") {
        return Ok(None);
    }
    let ClientIp(source) = ClientIp::from_request_parts(parts, state).await.unwrap_or_else(|e| match e {});
    verify::signer(state, parts, b"", source).await.map(Some)
}

/// Whether a request has to be signed to get this, by the setting.
///
/// # Errors
/// 401 when it has to be, and is not.
pub(super) fn check(state: &AppState, asker: Option<&Account>, kind: Kind) -> Result<(), Problem> {
    let needs_signature = match state.config.fetch_rule() {
        AuthorizedFetch::Off => false,
        AuthorizedFetch::Public => kind == Kind::Social,
        AuthorizedFetch::Strict => true,
    };
    if needs_signature && asker.is_none() {
        return Err(Problem::new(
            ProblemKind::Unauthenticated,
            "this document is given to signed requests only",
        ));
    }
    Ok(())
}

/// The asker as one who looks at posts.
pub(super) fn viewer(state: &AppState, asker: Option<&Account>) -> Viewer {
    match asker {
        Some(account) => Viewer::account(account.id, state.now()),
        None => Viewer::anonymous(state.now()),
    }
}
