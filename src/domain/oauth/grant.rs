//! The two ways to a token: a person's permission (authorization code with
//! PKCE) and the app's own credentials.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{CODE_LIFETIME, app, issue, make_room, revoke, scopes};
use crate::base::{Id, Moment};
use crate::domain::secret;
use crate::model::tables::{APP, AUTHORIZATION_CODE, USER};
use crate::model::{App, AuthorizationCode, Role, Scopes, Token, UserState};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Bytes of an S256 challenge: SHA-256 in base64url without padding.
const CHALLENGE_BYTES: usize = 43;

/// Codes looked at in one sweep.
const SWEEP_MAX: usize = 64;

/// What an app sends a person's browser with (RFC 6749 §4.1.1, RFC 7636).
#[derive(Debug, Clone, Default)]
pub struct AuthorizeRequest {
    /// Must be `code`.
    pub response_type: String,
    /// Which app.
    pub client_id: String,
    /// Where to send the browser back: one of the registered, byte for byte.
    pub redirect_uri: String,
    /// What is asked for; blank for `read`.
    pub scope: String,
    /// PKCE.
    pub code_challenge: Option<String>,
    /// Must be `S256` where there is a challenge.
    pub code_challenge_method: Option<String>,
}

/// Why a person cannot be asked. None of these may redirect: the redirect
/// URI is only trusted once all of them are ruled out.
#[derive(Debug)]
pub enum AuthorizeError {
    /// No such app.
    ClientUnknown,
    /// Not one of the app's redirect URIs.
    RedirectMismatch,
    /// Not `code`.
    ResponseType,
    /// A scope that does not exist or that the app did not register.
    Scope,
    /// A PKCE method other than S256, or a challenge that cannot be one.
    Challenge,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for AuthorizeError {
    fn from(cause: StoreError) -> Self {
        AuthorizeError::Store(cause)
    }
}

/// Checks an app's request; gives the app and the scopes to ask for.
///
/// # Errors
/// What is wrong with the request.
pub fn check_authorize(tx: &ReadTx<'_>, request: &AuthorizeRequest) -> Result<(App, Scopes), AuthorizeError> {
    let app = app::find(tx, &request.client_id)?.ok_or(AuthorizeError::ClientUnknown)?;
    if !app.redirect_uris.contains(&request.redirect_uri) {
        return Err(AuthorizeError::RedirectMismatch);
    }
    if request.response_type != "code" {
        return Err(AuthorizeError::ResponseType);
    }
    let wanted = scopes::parse(&request.scope).ok_or(AuthorizeError::Scope)?;
    if !scopes::within(&wanted, &app.scopes) {
        return Err(AuthorizeError::Scope);
    }
    match (&request.code_challenge, request.code_challenge_method.as_deref()) {
        (None, _) => {}
        (Some(challenge), Some("S256")) if challenge.len() == CHALLENGE_BYTES => {}
        _ => return Err(AuthorizeError::Challenge),
    }
    Ok((app, wanted))
}

/// The person says yes: keeps a code under its digest. Scopes for
/// administration are left out for those who have no such role.
///
/// # Errors
/// What is wrong with the request.
pub fn allow(
    tx: &mut WriteTx<'_>,
    moment: &Moment,
    account: Id,
    code_digest: [u8; 32],
    request: &AuthorizeRequest,
) -> Result<App, AuthorizeError> {
    let (app, mut scopes) = check_authorize(tx, request)?;
    let role = tx.get(USER, &account)?.map_or(Role::User, |user| user.role);
    if role < Role::Moderator {
        scopes.retain(|scope| !scope.starts_with("admin:"));
        if scopes.is_empty() {
            return Err(AuthorizeError::Scope);
        }
    }
    let code = AuthorizationCode {
        app: app.id,
        account,
        scopes,
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.code_challenge.clone(),
        expires_at: moment.now.plus(CODE_LIFETIME),
        traded_for: None,
    };
    sweep_codes(tx, moment)?;
    tx.put(AUTHORIZATION_CODE, &code_digest, &code);
    Ok(app)
}

/// Removes codes whose time is over, some with each new one, so that they
/// cannot pile up.
fn sweep_codes(tx: &mut WriteTx<'_>, moment: &Moment) -> Result<(), StoreError> {
    let some = tx.scan(AUTHORIZATION_CODE, Scan::all().limit(SWEEP_MAX))?;
    for (digest, code) in some {
        if code.expires_at <= moment.now {
            tx.delete(AUTHORIZATION_CODE, &digest);
        }
    }
    Ok(())
}

/// What an app offers for a token (RFC 6749 §4.1.3).
#[derive(Debug, Clone)]
pub struct Trade {
    /// Which app.
    pub client_id: String,
    /// Its secret; an app that used PKCE may do without one.
    pub client_secret: Option<String>,
    /// Digest of the code.
    pub code_digest: [u8; 32],
    /// The same as the code was sent to.
    pub redirect_uri: String,
    /// PKCE.
    pub code_verifier: Option<String>,
}

/// Why no token is given.
#[derive(Debug)]
pub enum GrantError {
    /// Unknown app or wrong secret: `invalid_client`.
    Client,
    /// Code unknown, used, too old, another app's, or the PKCE verifier or
    /// redirect URI does not fit: `invalid_grant`.
    Grant,
    /// A scope the app did not register: `invalid_scope`.
    Scope,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for GrantError {
    fn from(cause: StoreError) -> Self {
        GrantError::Store(cause)
    }
}

/// Trades a code for a token. A code that was ever shown is used up, whether
/// or not the trade succeeds, except by an app that is not its own: gives
/// `Ok(Err(..))` then, so that the transaction is kept. A code that is shown
/// again has leaked, so its token ends (RFC 6749 §4.1.2).
///
/// # Errors
/// Only the store's, and a wrong app.
pub fn trade(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    offer: &Trade,
    token_digest: [u8; 32],
) -> Result<Result<Token, GrantError>, GrantError> {
    let app = trader(tx, offer)?;
    let code = tx.get(AUTHORIZATION_CODE, &offer.code_digest)?;
    let Some(code) = code.filter(|code| code.app == app.id) else { return Err(GrantError::Grant) };
    tx.delete(AUTHORIZATION_CODE, &offer.code_digest);
    if let Some(token) = code.traded_for {
        revoke(tx, app.id, token)?;
        return Ok(Err(GrantError::Grant));
    }
    let fits = moment.now < code.expires_at
        && code.redirect_uri == offer.redirect_uri
        && fits_challenge(code.challenge.as_deref(), offer.code_verifier.as_deref())
        && (offer.client_secret.is_some() || code.challenge.is_some());
    let may_act = tx.get(USER, &code.account)?.is_some_and(|user| user.state != UserState::Disabled);
    if !fits || !may_act {
        return Ok(Err(GrantError::Grant));
    }
    make_room(tx, code.account)?;
    let token = issue(tx, moment, token_digest, &app, Some(code.account), code.scopes.clone());
    let code = AuthorizationCode { traded_for: Some(token_digest), ..code };
    tx.put(AUTHORIZATION_CODE, &offer.code_digest, &code);
    Ok(Ok(token))
}

/// The app that offers the trade. One that keeps no secret names itself and
/// proves by PKCE that it is the one that asked (RFC 7636 §1).
fn trader(tx: &ReadTx<'_>, offer: &Trade) -> Result<App, GrantError> {
    let app = match &offer.client_secret {
        Some(secret) => app::authenticate(tx, &offer.client_id, secret)?,
        None if offer.code_verifier.is_some() => app::find(tx, &offer.client_id)?,
        None => None,
    };
    app.ok_or(GrantError::Client)
}

/// RFC 7636 §4.6, method S256. A verifier without a challenge is an attempt
/// to downgrade (RFC 9700 §2.1.1).
fn fits_challenge(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            let expected = URL_SAFE_NO_PAD.encode(secret::digest(verifier));
            subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), challenge.as_bytes()).into()
        }
        _ => false,
    }
}

/// Gives an app a token of its own.
///
/// # Errors
/// When the app does not prove itself, or asks for more than it registered.
pub fn client_token(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    client_id: &str,
    client_secret: &str,
    scope: &str,
    token_digest: [u8; 32],
) -> Result<(App, Token), GrantError> {
    let app = app::authenticate(tx, client_id, client_secret)?.ok_or(GrantError::Client)?;
    let wanted = scopes::parse(scope).ok_or(GrantError::Scope)?;
    if !scopes::within(&wanted, &app.scopes) {
        return Err(GrantError::Scope);
    }
    make_room(tx, app.id)?;
    let token = issue(tx, moment, token_digest, &app, None, wanted);
    Ok((app, token))
}

/// The app a token belongs to.
///
/// # Errors
/// Only the store's.
pub fn app_of(tx: &ReadTx<'_>, token: &Token) -> Result<Option<App>, StoreError> {
    tx.get(APP, &token.app)
}
