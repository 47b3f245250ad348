//! Who visits a page, and the frame around what they see.

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};

use super::load;
use super::view::{Head, Notice, Shell, Site, Theme, Viewer};
use crate::base::{Id, Problem};
use crate::domain::census::{self, Census};
use crate::domain::notification::{self, Wanted};
use crate::domain::session::Login;
use crate::domain::visibility;
use crate::edge::AppState;
use crate::edge::auth::Browser;
use crate::model::{Permission, Role};
use crate::store::{ReadTx, StoreError};

/// Unseen notifications are counted no further.
pub(super) const UNREAD_MAX: usize = 20;
/// Cookie with the choice of colours.
pub(super) const THEME_COOKIE: &str = "theme";
/// Cookie with the code of what was just done.
pub(super) const NOTICE_COOKIE: &str = "notice";

/// A request for a page, by anybody.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) state: AppState,
    pub(super) browser: Browser,
    here: String,
    theme: Theme,
    notice: Option<Notice>,
}

/// What the frame shows that is kept in the store.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts {
    census: Census,
    unread: usize,
}

impl Visit {
    /// Who is logged in.
    pub(super) fn login(&self) -> Option<&Login> {
        self.browser.0.as_ref()
    }

    /// The reader's account id.
    pub(super) fn me(&self) -> Option<Id> {
        self.login().map(|login| login.account.id)
    }

    /// As the rules know whoever looks.
    pub(super) fn viewer(&self) -> visibility::Viewer {
        visibility::Viewer { id: self.me(), now: self.state.now() }
    }

    /// Path and query of this page.
    pub(super) fn here(&self) -> &str {
        &self.here
    }

    /// Whether the page shows what was just done.
    pub(super) fn has_notice(&self) -> bool {
        self.notice.is_some()
    }

    /// Reads what the page shows together with what its frame shows.
    ///
    /// # Errors
    /// What the closure gives.
    pub(super) async fn read<T, E>(
        &self,
        closure: impl FnOnce(&ReadTx<'_>, visibility::Viewer) -> Result<T, E> + Send + 'static,
    ) -> Result<(Facts, T), E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let viewer = self.viewer();
        self.state.store.read(move |tx| Ok((facts(tx, viewer)?, closure(tx, viewer)?))).await
    }

    /// Reads only what the frame shows.
    ///
    /// # Errors
    /// Only the store's.
    pub(super) async fn facts(&self) -> Result<Facts, Problem> {
        Ok(self.read(|_, _| Ok::<(), StoreError>(())).await?.0)
    }

    /// The frame of a page with this title. Pages that only their reader
    /// can see are kept out of search engines.
    pub(super) fn shell(&self, title: impl Into<String>, facts: &Facts) -> Shell {
        let viewer = self.login().map(|login| Viewer {
            person: load::person(&self.state.site, &login.account),
            unread: facts.unread as u32,
            follow_requests: u32::try_from(facts.census.follow_requests).unwrap_or(u32::MAX),
            is_owner: login.user.role >= Role::Admin,
            is_moderator: login.user.role.permits(Permission::ViewAuditLog),
        });
        Shell {
            title: title.into(),
            site: site(&self.state, facts.census),
            viewer,
            here: self.here.clone(),
            csrf: self.login().map(|login| login.session.csrf.clone()).unwrap_or_default(),
            theme: self.theme,
            notice: self.notice,
            head: Head { is_private: true, ..Head::default() },
        }
    }
}

/// The server as it presents itself.
pub(super) fn site(state: &AppState, census: Census) -> Site {
    Site {
        title: state.config.title.clone(),
        host: state.site.domain.clone(),
        origin: state.site.origin.clone(),
        description: state.config.description.clone(),
        sign_ups: state.config.registration,
        users: census.users,
        posts: census.statuses,
    }
}

fn facts(tx: &ReadTx<'_>, viewer: visibility::Viewer) -> Result<Facts, StoreError> {
    let census = census::take(tx, viewer.id)?;
    let unread = match viewer.id {
        Some(_) => notification::unread_count(tx, viewer, &Wanted::default(), UNREAD_MAX)?,
        None => 0,
    };
    Ok(Facts { census, unread })
}

impl FromRequestParts<AppState> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Visit, Problem> {
        let browser = <Browser as FromRequestParts<AppState>>::from_request_parts(parts, state).await?;
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        Ok(Visit {
            state: state.clone(),
            browser,
            here: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            theme: theme(&parts.headers),
            notice: cookie(&parts.headers, NOTICE_COOKIE).and_then(|code| Notice::from_code(&code)),
        })
    }
}

/// The choice of colours that a request carries.
pub(in crate::edge) fn theme(headers: &HeaderMap) -> Theme {
    cookie(headers, THEME_COOKIE).map_or(Theme::Auto, |value| Theme::from_value(&value))
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    axum_extra::extract::CookieJar::from_headers(headers).get(name).map(|cookie| cookie.value().to_owned())
}

/// A request for a page that only makes sense logged in. Others are sent to
/// log in and come back.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) visit: Visit,
    pub(super) login: Login,
}

impl FromRequestParts<AppState> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Member, Response> {
        let visit = Visit::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        match visit.login().cloned() {
            Some(login) => Ok(Member { visit, login }),
            None => {
                let next = if parts.method.is_safe() { visit.here() } else { "/" };
                let next = percent_encoding::utf8_percent_encode(next, percent_encoding::NON_ALPHANUMERIC);
                Err(Redirect::to(&format!("/login?next={next}")).into_response())
            }
        }
    }
}
