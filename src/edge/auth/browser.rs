//! Browser sessions: the cookie, and what keeps other sites from using it.
//!
//! A form is believed only if it carries the session's own secret. Besides,
//! every request that changes something is refused when the browser says that
//! it comes from another site (Fetch Metadata; Origin for older browsers), so
//! that forms without a session, such as the one to log in, are covered too.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::{COOKIE, HeaderValue, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::{Cookie, SameSite};

use crate::base::Problem;
use crate::domain::secret;
use crate::domain::session::{self, Login};
use crate::edge::AppState;
use crate::model::Site;

/// Name of the form field that carries the session's secret.
pub(crate) const CSRF_FIELD: &str = "csrf";
/// Days a browser keeps the cookie; the session itself ends when it is idle.
const COOKIE_DAYS: i64 = 365;

/// The cookie's name. With HTTPS the browser itself guarantees by the prefix
/// that this host alone set it (RFC 6265bis §4.1.3.2).
fn cookie_name(site: &Site) -> &'static str {
    if site.is_https() { "__Host-waxwing" } else { "waxwing" }
}

/// The `Set-Cookie` header that logs a browser in.
pub(crate) fn session_cookie(site: &Site, secret: &str) -> HeaderValue {
    let age = time::Duration::days(COOKIE_DAYS);
    header(site, secret.to_owned(), age)
}

/// The `Set-Cookie` header that makes a browser forget.
pub(crate) fn clear_session_cookie(site: &Site) -> HeaderValue {
    header(site, String::new(), time::Duration::ZERO)
}

fn header(site: &Site, secret: String, age: time::Duration) -> HeaderValue {
    let cookie = Cookie::build((cookie_name(site), secret))
        .path("/")
        .http_only(true)
        .secure(site.is_https())
        .same_site(SameSite::Lax)
        .max_age(age)
        .build();
    HeaderValue::from_str(&cookie.to_string()).expect("names and secrets are plain letters")
}

/// A request from a browser, logged in or not, that may do what it asks as
/// far as its origin is concerned.
#[derive(Debug, Clone)]
pub(crate) struct Browser(pub(crate) Option<Login>);

impl Browser {
    /// Whether a form that was sent is one of ours: it must carry the
    /// session's secret, where there is a session.
    ///
    /// # Errors
    /// 403 when it does not.
    pub(crate) fn check(&self, sent: Option<&str>) -> Result<(), Problem> {
        let Some(login) = &self.0 else { return Ok(()) };
        let sent = secret::digest(sent.unwrap_or_default());
        if secret::same(&sent, &secret::digest(&login.session.csrf)) {
            Ok(())
        } else {
            Err(Problem::forbidden("This form is no longer valid")
                .hint("Go back, reload the page and send it again."))
        }
    }
}

impl FromRequestParts<AppState> for Browser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Browser, Problem> {
        if !parts.method.is_safe() && is_cross_site(&parts.headers, &state.site) {
            return Err(Problem::forbidden("This request comes from another site"));
        }
        let Some(cookie) = sent_cookie(&parts.headers, cookie_name(&state.site)) else {
            return Ok(Browser(None));
        };
        let (digest, now) = (secret::digest(&cookie), state.now());
        let login = state.store.read(move |tx| session::lookup(tx, digest, now)).await?;
        if let Some(login) = &login {
            state.note_visit(login.account.id).await;
        }
        if login.as_ref().is_some_and(|login| login.is_stale) {
            // Only a note of use: a full lane must not fail the page.
            let _ = state.store.write(move |tx| session::touch(tx, digest, now)).await;
        }
        Ok(Browser(login))
    }
}

fn sent_cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(Cookie::split_parse).flatten().find_map(|cookie| {
        (cookie.name() == name && !cookie.value().is_empty()).then(|| cookie.value().to_owned())
    })
}

fn is_cross_site(headers: &HeaderMap, site: &Site) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-site") {
        Some(from) => !matches!(from, "same-origin" | "none"),
        None => text(ORIGIN.as_str()).is_some_and(|origin| origin != site.origin),
    }
}

/// A page for people who are logged in; others are sent to log in and come
/// back to where they were.
#[derive(Debug, Clone)]
pub(crate) struct LoggedIn(pub(crate) Login);

impl FromRequestParts<AppState> for LoggedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<LoggedIn, Response> {
        let browser = <Browser as FromRequestParts<AppState>>::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
        browser.0.map(LoggedIn).ok_or_else(|| to_login(parts))
    }
}

impl OptionalFromRequestParts<AppState> for LoggedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Option<LoggedIn>, Problem> {
        let browser = <Browser as FromRequestParts<AppState>>::from_request_parts(parts, state).await?;
        Ok(browser.0.map(LoggedIn))
    }
}

fn to_login(parts: &Parts) -> Response {
    let next = match (&parts.method, parts.uri.path_and_query()) {
        (&Method::GET, Some(path)) => path.as_str(),
        _ => "/",
    };
    let next = percent_encoding::utf8_percent_encode(next, percent_encoding::NON_ALPHANUMERIC);
    Redirect::to(&format!("/login?next={next}")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_sites_are_recognised() {
        let site = Site::new("https", "social.example");
        let cases: [(&[(&str, &str)], bool); 8] = [
            (&[], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("origin", "https://social.example")], false),
            (&[("origin", "https://evil.example")], true),
            (&[("origin", "null")], true),
        ];
        for (lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(is_cross_site(&headers, &site), expected, "{lines:?}");
        }
    }

    #[test]
    fn the_cookie_is_for_this_host_and_no_script() {
        let secure = session_cookie(&Site::new("https", "a.example"), "abc");
        let text = secure.to_str().unwrap();
        for part in ["__Host-waxwing=abc", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("Domain"));
        let plain = session_cookie(&Site::new("http", "127.0.0.1"), "abc");
        assert!(!plain.to_str().unwrap().contains("Secure"));
    }
}
