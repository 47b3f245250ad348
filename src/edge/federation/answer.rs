//! Which form of a thing is asked for, and documents as answers.

use axum::body::Body;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::wire::activitypub::CONTENT_TYPE as ACTIVITY_JSON;
use crate::wire::webfinger::is_activity_type;

/// Media types of one `Accept` header that are looked at.
const TYPES_MAX: usize = 32;

/// Whether the document rather than the page is asked for: any of the two
/// media types of ActivityPub, with any weight, anywhere in the list.
pub(crate) fn wants_document(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).take(TYPES_MAX).any(|entry| is_activity_type(entry.trim()))
}

/// Whether nothing that we could answer is asked for.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    accept.contains("text/html") || accept.contains("application/xhtml+xml")
}

/// A document. The media type is the bare one, because older Lemmy compares
/// the whole header.
pub(super) fn document(document: &Value) -> Response {
    with_type(StatusCode::OK, ACTIVITY_JSON, document)
}

/// What is left of a deleted object.
pub(super) fn tombstone(document: &Value) -> Response {
    with_type(StatusCode::GONE, ACTIVITY_JSON, document)
}

/// JSON of another type.
pub(crate) fn with_type(status: StatusCode, media_type: &'static str, document: &Value) -> Response {
    let mut response = (status, Body::from(document.to_string())).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(VARY, HeaderValue::from_static("Accept, Signature, Signature-Input"));
    // What is seen depends on who signs, so no shared cache may keep it.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=0, must-revalidate"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_given_to_who_asks_for_them() {
        let check = |accept: &str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(wants_document(&headers), expected, "{accept}");
        };
        check("application/activity+json", true);
        check("text/html;q=0.9, application/activity+json;q=0.1", true);
        check("application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"", true);
        check(crate::wire::activitypub::ACCEPT, true);
        check("text/html,application/xhtml+xml,*/*;q=0.8", false);
        check("application/json", false);
        check("*/*", false);
    }
}
