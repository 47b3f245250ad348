//! Apps and what they were allowed (RFC 6749, RFC 7636).

use minicbor::{Decode, Encode};

use super::tables::{PUSH_BY_ACCOUNT, PUSH_SUBSCRIPTION, TOKEN, TOKEN_BY_ACCOUNT};
use crate::base::{Id, Timestamp};
use crate::store::{Record, WriteTx};

/// Scope names in the order they were asked for.
pub type Scopes = Vec<String>;

/// A registered app.
#[derive(Debug, Clone, Encode, Decode)]
pub struct App {
    /// Our id.
    #[n(0)]
    pub id: Id,
    /// Its name, shown to people.
    #[n(1)]
    pub name: String,
    /// Its page.
    #[n(2)]
    pub website: Option<String>,
    /// Where the browser may be sent back; compared byte for byte.
    #[n(3)]
    pub redirect_uris: Vec<String>,
    /// What it may ask for at most.
    #[n(4)]
    pub scopes: Scopes,
    /// Public name of the app (OAuth `client_id`).
    #[n(5)]
    pub client_id: String,
    /// SHA-256 of the `client_secret`.
    #[n(6)]
    pub secret_digest: [u8; 32],
    /// When it registered.
    #[n(7)]
    pub created_at: Timestamp,
}

impl Record for App {}

/// A short-lived code that an app trades for a token.
#[derive(Debug, Clone, Encode, Decode)]
pub struct AuthorizationCode {
    /// Which app.
    #[n(0)]
    pub app: Id,
    /// Who allowed it.
    #[n(1)]
    pub account: Id,
    /// What was allowed.
    #[n(2)]
    pub scopes: Scopes,
    /// Where the code was sent; the trade must name the same.
    #[n(3)]
    pub redirect_uri: String,
    /// PKCE challenge, method S256.
    #[n(4)]
    pub challenge: Option<String>,
    /// When it stops working.
    #[n(5)]
    pub expires_at: Timestamp,
    /// Digest of the token that it was traded for. A code that was traded is
    /// kept until it expires, to know it again.
    #[n(6)]
    pub traded_for: Option<[u8; 32]>,
}

impl Record for AuthorizationCode {}

/// An access token. Its key is the SHA-256 of the secret.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Token {
    /// Names it in lists and in the streaming hub.
    #[n(0)]
    pub id: Id,
    /// Which app.
    #[n(1)]
    pub app: Id,
    /// For whom; `None` for the app itself (client credentials).
    #[n(2)]
    pub account: Option<Id>,
    /// What it may do.
    #[n(3)]
    pub scopes: Scopes,
    /// When it was given.
    #[n(4)]
    pub created_at: Timestamp,
    /// Name of the app, for what is posted with it.
    #[n(5)]
    pub app_name: String,
    /// Page of the app.
    #[n(6)]
    pub app_website: Option<String>,
}

impl Record for Token {}

impl Token {
    /// Whose it is: the person's, or the app's own.
    fn holder(&self) -> Id {
        self.account.unwrap_or(self.app)
    }

    /// Keeps the record and its index row.
    pub fn save(tx: &mut WriteTx<'_>, digest: [u8; 32], token: &Token) {
        tx.put(TOKEN_BY_ACCOUNT, &(token.holder(), digest), &());
        tx.put(TOKEN, &digest, token);
    }

    /// Revokes it, with the pushes that came with it.
    pub fn delete(tx: &mut WriteTx<'_>, digest: [u8; 32], token: &Token) {
        tx.delete(TOKEN_BY_ACCOUNT, &(token.holder(), digest));
        if let Some(account) = token.account {
            tx.delete(PUSH_SUBSCRIPTION, &digest);
            tx.delete(PUSH_BY_ACCOUNT, &(account, digest));
        }
        tx.delete(TOKEN, &digest);
    }
}
