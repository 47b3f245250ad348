//! Where a form leads: back to where its sender was, with a word on what was
//! done.

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::{Cookie, SameSite};

use super::frame::{NOTICE_COOKIE, THEME_COOKIE};
use super::view::{Notice, Theme};
use crate::edge::api::params::Params;
use crate::model::Site;

/// Sent by our script when it can put one post in place of the old one.
const PARTIAL: HeaderName = HeaderName::from_static("x-waxwing-partial");
/// A notice is for the very next page.
const NOTICE_SECONDS: i64 = 20;
const THEME_DAYS: i64 = 400;
/// Longest path that a form may lead back to.
const PATH_MAX_BYTES: usize = 4096;

/// A path on this server, or `/`. Never another server: browsers read `//`,
/// `/\` and control characters in ways of their own.
pub(super) fn local_path(path: &str) -> &str {
    let is_ours = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && path.len() <= PATH_MAX_BYTES
        && path.bytes().all(|byte| byte.is_ascii_graphic());
    if is_ours { path } else { "/" }
}

/// 303 to a path.
pub(super) fn to(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// 303 to where the form's sender was.
pub(super) fn back(form: &Params) -> Response {
    let path = form.text("back").unwrap_or_default();
    let path = local_path(&path).split('#').next().unwrap_or("/").to_owned();
    match form.text("entry").filter(|entry| entry.bytes().all(|b| b.is_ascii_digit())) {
        Some(entry) => to(&format!("{path}#p-{entry}")),
        None => to(&path),
    }
}

/// The same with a word on what was done.
pub(super) fn saying(site: &Site, notice: Notice, mut response: Response) -> Response {
    let cookie = cookie(site, NOTICE_COOKIE, notice.code(), time::Duration::seconds(NOTICE_SECONDS));
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

/// The header that keeps the choice of colours.
pub(super) fn theme_cookie(site: &Site, theme: Theme) -> HeaderValue {
    cookie(site, THEME_COOKIE, theme.value(), time::Duration::days(THEME_DAYS))
}

/// The header that ends a notice once it was shown.
pub(super) fn forget_notice(site: &Site) -> AppendHeaders<[(HeaderName, HeaderValue); 1]> {
    AppendHeaders([(SET_COOKIE, cookie(site, NOTICE_COOKIE, "", time::Duration::ZERO))])
}

fn cookie(site: &Site, name: &'static str, value: &str, age: time::Duration) -> HeaderValue {
    let cookie = Cookie::build((name, value.to_owned()))
        .path("/")
        .http_only(true)
        .secure(site.is_https())
        .same_site(SameSite::Lax)
        .max_age(age)
        .build();
    HeaderValue::from_str(&cookie.to_string()).expect("names and values are constants of plain letters")
}

/// Whether our script asks for one post instead of a page.
pub(super) fn wants_partial(headers: &HeaderMap) -> bool {
    headers.contains_key(PARTIAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_lead_only_to_this_server() {
        for path in ["/", "/@ana?max_id=1", "/search?q=%2F%2Fx"] {
            assert_eq!(local_path(path), path);
        }
        let long = format!("/{}", "x".repeat(PATH_MAX_BYTES));
        for path in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "x",
            "/a\r\nb",
            "/\t/evil",
            &long,
        ] {
            assert_eq!(local_path(path), "/", "{path:?}");
        }
    }
}
