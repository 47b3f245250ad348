//! Apps and what people allow them (RFC 6749, RFC 7636, RFC 7009).

mod app;
mod grant;
pub mod scopes;
#[cfg(test)]
mod tests;

pub use app::{NewApp, OUT_OF_BAND, RegisterError, authenticate, find, register};
pub use grant::{
    AuthorizeError, AuthorizeRequest, GrantError, Trade, allow, app_of, check_authorize, client_token, trade,
};

use std::time::Duration;

use crate::base::{Id, Moment};
use crate::model::tables::{ACCOUNT, TOKEN, TOKEN_BY_ACCOUNT, USER};
use crate::model::{Account, App, Event, Scopes, Token, User};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// How long a code may be traded for a token (RFC 6749 §4.1.2 says at most
/// ten minutes).
pub const CODE_LIFETIME: Duration = Duration::from_secs(600);

/// Tokens of one account, and of one app for itself; they do not expire, so
/// the oldest give way.
pub const TOKENS_MAX: usize = 200;

/// Who is behind a token.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The token.
    pub token: Token,
    /// Its digest, which is its key.
    pub digest: [u8; 32],
    /// Its person; `None` for the app itself.
    pub person: Option<(User, Account)>,
}

/// Who holds this token; `None` when it is unknown or its person is gone.
/// Whether the person may act is for the caller: see
/// [`crate::model::UserState`].
///
/// # Errors
/// Only the store's.
pub fn lookup(tx: &ReadTx<'_>, digest: [u8; 32]) -> Result<Option<Bearer>, StoreError> {
    let Some(token) = tx.get(TOKEN, &digest)? else { return Ok(None) };
    let Some(id) = token.account else { return Ok(Some(Bearer { token, digest, person: None })) };
    let mut batch = tx.batch();
    let account = batch.get_many(ACCOUNT, &[id]);
    let user = batch.get_many(USER, &[id]);
    let found = batch.fetch()?;
    let (account, user) = (found.take(account)?.pop().flatten(), found.take(user)?.pop().flatten());
    Ok(user.zip(account).map(|person| Bearer { token, digest, person: Some(person) }))
}

/// Gives out a token. The caller made its secret and holds it alone.
pub fn issue(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    digest: [u8; 32],
    app: &App,
    account: Option<Id>,
    scopes: Scopes,
) -> Token {
    let token = Token {
        id: moment.id(),
        app: app.id,
        account,
        scopes,
        created_at: moment.now,
        app_name: app.name.clone(),
        app_website: app.website.clone(),
    };
    Token::save(tx, digest, &token);
    token
}

/// Revokes a token, if it is this app's (RFC 7009). Gives whether there was
/// nothing to refuse: an unknown token is as good as revoked.
///
/// # Errors
/// Only the store's.
pub fn revoke(tx: &mut WriteTx<'_>, app: Id, digest: [u8; 32]) -> Result<bool, StoreError> {
    let Some(token) = tx.get(TOKEN, &digest)? else { return Ok(true) };
    if token.app != app {
        return Ok(false);
    }
    remove(tx, digest, &token);
    Ok(true)
}

/// The tokens of an account, or of an app for itself, with their digests,
/// newest first.
///
/// # Errors
/// Only the store's.
pub fn tokens(tx: &ReadTx<'_>, holder: Id) -> Result<Vec<([u8; 32], Token)>, StoreError> {
    let rows = tx.scan(TOKEN_BY_ACCOUNT, Scan::prefix(&(holder,)))?;
    let digests: Vec<[u8; 32]> = rows.into_iter().map(|((_, digest), ())| digest).collect();
    let found = tx.get_many(TOKEN, &digests)?;
    let mut all: Vec<_> = digests.into_iter().zip(found).filter_map(|(d, t)| Some((d, t?))).collect();
    all.sort_by_key(|(_, token)| std::cmp::Reverse(token.id));
    Ok(all)
}

/// Revokes one token of an account by its id; gives whether there was one.
///
/// # Errors
/// Only the store's.
pub fn revoke_by_id(tx: &mut WriteTx<'_>, account: Id, id: Id) -> Result<bool, StoreError> {
    let found = tokens(tx, account)?.into_iter().find(|(_, token)| token.id == id);
    if let Some((digest, token)) = &found {
        remove(tx, *digest, token);
    }
    Ok(found.is_some())
}

/// Revokes every token of an account.
///
/// # Errors
/// Only the store's.
pub fn revoke_all(tx: &mut WriteTx<'_>, account: Id) -> Result<(), StoreError> {
    for (digest, token) in tokens(tx, account)? {
        remove(tx, digest, &token);
    }
    Ok(())
}

/// Revokes the oldest tokens of an account or app that has as many as it may.
fn make_room(tx: &mut WriteTx<'_>, holder: Id) -> Result<(), StoreError> {
    let all = tokens(tx, holder)?;
    for (digest, token) in all.iter().skip(TOKENS_MAX - 1) {
        remove(tx, *digest, token);
    }
    Ok(())
}

fn remove(tx: &mut WriteTx<'_>, digest: [u8; 32], token: &Token) {
    Token::delete(tx, digest, token);
    Event::Revoked { credential: token.id }.emit(tx);
}
