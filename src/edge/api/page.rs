//! Pagination as Mastodon's clients know it: which page is asked for, and
//! the `Link` header that leads on.

use axum::Json;
use axum::http::header::LINK;
use axum::http::{HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::IntoParams;

use super::params::Tree;
use crate::base::{Id, Problem};
use crate::domain::page::{Page, Paged};
use crate::model::Site;

/// The parameters that [`page`] reads, for the API's description.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // a description only
pub(crate) struct PageParams {
    /// Only what is older than this.
    #[param(example = "109372843234")]
    max_id: Option<String>,
    /// The newest that is newer than this.
    since_id: Option<String>,
    /// What comes right after this; wins over `since_id`.
    min_id: Option<String>,
    /// Rows; more than the endpoint's limit are cut down to it.
    #[param(minimum = 0)]
    limit: Option<u32>,
}

/// The parameters that [`limit`] and [`offset`] read, for the API's description.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // a description only
pub(crate) struct OffsetParams {
    /// Rows; more than the endpoint's limit are cut down to it.
    #[param(minimum = 0)]
    limit: Option<u32>,
    /// Rows to skip.
    #[param(minimum = 0)]
    offset: Option<u32>,
}

/// Reads `max_id`, `since_id`, `min_id` and `limit`; `limits` are default and
/// most rows (see [`crate::base::limits`]). A larger limit is cut down; an id
/// that cannot be ours is taken as 0, as the database of Mastodon does.
///
/// # Errors
/// 400 when the limit is negative.
pub(crate) fn page(params: &Tree, (default, most): (usize, usize)) -> Result<Page, Problem> {
    let bound = |key: &str| params.filled(key).map(|text| text.parse().unwrap_or(Id::ZERO));
    Ok(Page {
        max_id: bound("max_id"),
        since_id: bound("since_id"),
        min_id: bound("min_id"),
        limit: limit(params, default, most)?,
    })
}

/// Reads `limit` alone.
///
/// # Errors
/// 400 when it is negative.
pub(crate) fn limit(params: &Tree, default: usize, most: usize) -> Result<usize, Problem> {
    let Some(text) = params.filled("limit") else { return Ok(default) };
    match text.parse::<i64>() {
        Ok(limit) if limit < 0 => Err(Problem::malformed("`limit` is negative")),
        Ok(limit) => Ok(usize::try_from(limit).unwrap_or(most).min(most)),
        Err(_) => Ok(default),
    }
}

/// Reads `offset`.
///
/// # Errors
/// 400 when it is negative or no number.
pub(crate) fn offset(params: &Tree) -> Result<usize, Problem> {
    let offset = params.number("offset")?.unwrap_or(0);
    usize::try_from(offset).map_err(|_| Problem::malformed("`offset` is negative"))
}

/// The answer with a page: its items, and where the next ones are.
pub(crate) fn paged<T: Serialize>(site: &Site, uri: &Uri, page: Paged<T>) -> Response {
    with_link(site, uri, &page, &page.items)
}

/// The answer with a body that was made from a page.
pub(crate) fn with_link<T>(site: &Site, uri: &Uri, page: &Paged<T>, body: impl Serialize) -> Response {
    let link = link(site, uri, page);
    let mut response = Json(body).into_response();
    if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        response.headers_mut().insert(LINK, link);
    }
    response
}

/// The `Link` header of a page (RFC 8288); `None` where it is empty.
fn link<T>(site: &Site, uri: &Uri, page: &Paged<T>) -> Option<String> {
    if page.items.is_empty() && !page.has_older {
        return None;
    }
    let older = page.oldest.filter(|_| page.has_older);
    let next = older.map(|id| format!("<{}>; rel=\"next\"", address(site, uri, "max_id", id)));
    let prev = page.newest.map(|id| format!("<{}>; rel=\"prev\"", address(site, uri, "min_id", id)));
    let links: Vec<String> = next.into_iter().chain(prev).collect();
    (!links.is_empty()).then(|| links.join(", "))
}

/// The same address with another bound; every other parameter stays as it
/// was written, except a token, which has no business in a link.
fn address(site: &Site, uri: &Uri, bound: &str, id: Id) -> String {
    const DROPPED: [&str; 4] = ["max_id", "since_id", "min_id", "access_token"];
    let mut query = String::new();
    for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split('=').next().unwrap_or_default();
        // Only what cannot end the link or the header.
        let is_plain = pair.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"'));
        if !DROPPED.contains(&name) && is_plain {
            query.push_str(pair);
            query.push('&');
        }
    }
    format!("{}{}?{query}{bound}={id}", site.origin, uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::api::params::Params;

    fn read(query: &str) -> Result<Page, Problem> {
        let params = Params::from_query(query)?;
        page(&params, (20, 40))
    }

    #[test]
    fn limits_are_cut_down_and_negative_ones_refused() {
        let cases =
            [("", 20), ("limit=5", 5), ("limit=500", 40), ("limit=0", 0), ("limit=x", 20), ("limit=", 20)];
        for (query, expected) in cases {
            assert_eq!(read(query).unwrap().limit, expected, "{query}");
        }
        assert!(read("limit=-1").is_err());
    }

    #[test]
    fn bounds_are_read_and_odd_ones_are_zero() {
        let page = read("max_id=9&since_id=abc&min_id=").unwrap();
        assert_eq!((page.max_id, page.since_id, page.min_id), (Some(Id(9)), Some(Id::ZERO), None));
    }

    #[test]
    fn links_keep_the_other_parameters() {
        let site = Site::new("https", "social.example");
        let uri: Uri = "/api/v1/x?limit=2&types[]=a&max_id=9&access_token=s&local=true".parse().unwrap();
        let page =
            |items: Vec<u8>, has_older| Paged { newest: Some(Id(8)), oldest: Some(Id(7)), items, has_older };
        let base = "https://social.example/api/v1/x?limit=2&types[]=a&local=true";
        let next = format!("<{base}&max_id=7>; rel=\"next\"");
        let prev = format!("<{base}&min_id=8>; rel=\"prev\"");
        assert_eq!(link(&site, &uri, &page(vec![1], true)), Some(format!("{next}, {prev}")));
        assert_eq!(link(&site, &uri, &page(vec![1], false)), Some(prev));
        assert_eq!(link(&site, &uri, &page(vec![], false)), None);
    }
}
