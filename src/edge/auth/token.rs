//! Bearer tokens and their scopes, with Mastodon's words for every refusal.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::base::{Id, Problem};
use crate::domain::moderation::Staff;
use crate::domain::oauth::{self, scopes};
use crate::domain::secret;
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::model::{Account, Permission, Token, User, UserState};

/// Bytes of a token that is looked up; ours have 43.
const TOKEN_MAX_BYTES: usize = 256;

/// A person who acts through an app.
#[derive(Debug, Clone)]
pub(crate) struct Me {
    /// The account's id.
    pub(crate) id: Id,
    /// Their account.
    pub(crate) account: Account,
    /// Their login.
    pub(crate) user: User,
    /// The app's token.
    pub(crate) token: Token,
}

/// What a request proves about who sends it. An unknown token proves as
/// little as none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Auth(Option<Arc<oauth::Bearer>>);

impl Auth {
    /// The person, if the token allows `scope`.
    ///
    /// # Errors
    /// 401 without a valid token, 403 outside its scopes or for a login that
    /// may not act, 422 for an app's own token.
    pub(crate) fn me(&self, scope: &str) -> Result<Me, Problem> {
        self.allowed(scope)?;
        self.anyone()
    }

    /// The person, whatever the token allows.
    ///
    /// # Errors
    /// 401 without a valid token, 403 for a login that may not act, 422 for an
    /// app's own token.
    pub(crate) fn anyone(&self) -> Result<Me, Problem> {
        let me = self.known()?;
        let refused = |why: &str| Err(Problem::forbidden(why));
        if me.user.awaits_confirmation {
            return refused("Your login is missing a confirmed e-mail address");
        }
        match me.user.state {
            UserState::Pending => refused("Your login is currently pending approval"),
            UserState::Disabled => refused("Your login is currently disabled"),
            UserState::Active if !me.account.is_visible() => refused("Your login is currently disabled"),
            UserState::Active => Ok(me),
        }
    }

    /// The person, whatever the token allows, even one who may not act yet.
    ///
    /// # Errors
    /// 401 without a valid token, 422 for an app's own token.
    pub(crate) fn known(&self) -> Result<Me, Problem> {
        let bearer = self.bearer()?;
        let Some((user, account)) = bearer.person.clone() else {
            return Err(Problem::invalid("This method requires an authenticated user"));
        };
        Ok(Me { id: account.id, account, user, token: bearer.token.clone() })
    }

    /// The person, if the token allows `scope` and their role permits this.
    ///
    /// # Errors
    /// Those of [`Auth::me`], and 403 where the role does not permit it.
    pub(crate) fn staff(&self, scope: &str, permission: Permission) -> Result<Staff, Problem> {
        let me = self.me(scope)?;
        if me.user.role.permits(permission) {
            Ok(Staff { id: me.id, role: me.user.role })
        } else {
            Err(Problem::forbidden("This action is not allowed"))
        }
    }

    /// The token, of a person or an app, if it allows `scope`.
    ///
    /// # Errors
    /// 401 without a valid token, 403 outside its scopes.
    pub(crate) fn allowed(&self, scope: &str) -> Result<&oauth::Bearer, Problem> {
        let bearer = self.bearer()?;
        if scopes::covers(&bearer.token.scopes, scope) {
            Ok(bearer)
        } else {
            Err(Problem::forbidden("This action is outside the authorized scopes"))
        }
    }

    /// The token, whatever it allows.
    ///
    /// # Errors
    /// 401 without a valid token.
    pub(crate) fn bearer(&self) -> Result<&oauth::Bearer, Problem> {
        self.0.as_deref().ok_or_else(Problem::unauthenticated)
    }

    /// Who looks at something that anybody may look at. A token is not
    /// needed; one that is there must allow `scope`.
    ///
    /// # Errors
    /// 403 outside the token's scopes.
    pub(crate) fn viewer(&self, scope: &str) -> Result<Option<Id>, Problem> {
        if self.0.is_none() {
            return Ok(None);
        }
        let bearer = self.allowed(scope)?;
        let active = bearer.person.as_ref().filter(|(user, _)| user.is_active());
        Ok(active.map(|(_, account)| account.id))
    }

    /// The same as a [`Viewer`] at this time.
    ///
    /// # Errors
    /// 403 outside the token's scopes.
    pub(crate) fn viewer_at(&self, scope: &str, state: &AppState) -> Result<Viewer, Problem> {
        Ok(match self.viewer(scope)? {
            Some(id) => Viewer::account(id, state.now()),
            None => Viewer::anonymous(state.now()),
        })
    }
}

impl Auth {
    /// What a token proves, however it was sent.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn by(state: &AppState, token: Option<String>) -> Result<Auth, Problem> {
        let token = token.filter(|token| !token.is_empty() && token.len() <= TOKEN_MAX_BYTES);
        let Some(token) = token else { return Ok(Auth(None)) };
        let digest = secret::digest(&token);
        let bearer = state.store.read(move |tx| oauth::lookup(tx, digest)).await?;
        if let Some((_, account)) = bearer.as_ref().and_then(|bearer| bearer.person.as_ref()) {
            state.note_visit(account.id).await;
        }
        Ok(Auth(bearer.map(Arc::new)))
    }

    /// What the same token proves now.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn again(&self, state: &AppState) -> Result<Auth, Problem> {
        let Some(digest) = self.0.as_ref().map(|bearer| bearer.digest) else { return Ok(Auth(None)) };
        let bearer = state.store.read(move |tx| oauth::lookup(tx, digest)).await?;
        Ok(Auth(bearer.map(Arc::new)))
    }
}

impl FromRequestParts<AppState> for Auth {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Auth, Problem> {
        if let Some(known) = parts.extensions.get::<Auth>() {
            return Ok(known.clone());
        }
        Auth::by(state, sent_token(parts)).await
    }
}

/// The token in the header, or in the query where a client cannot set
/// headers (RFC 6750 §2.1, §2.3).
pub(crate) fn sent_token(parts: &Parts) -> Option<String> {
    let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = match header {
        Some(header) => {
            let (scheme, token) = header.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())?
        }
        None => {
            let query = parts.uri.query()?;
            let pair = query.split('&').find_map(|pair| pair.strip_prefix("access_token="))?;
            percent_encoding::percent_decode_str(pair).decode_utf8().ok()?.into_owned()
        }
    };
    Some(token)
}
