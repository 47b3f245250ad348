//! Sending kept files. Their type is that of their name, which this program
//! chose after it looked at the bytes; nothing in them is run or followed.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::names;
use super::range::{Wanted, wanted};
use crate::base::Problem;
use crate::edge::AppState;
use crate::wire::media::Format;

/// A name is never used for another file, so an answer holds for ever.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// A file opened by itself may load and run nothing.
const SANDBOX: &str = "default-src 'none'; sandbox";

/// `GET /media/{name}`.
pub(super) async fn file(
    State(state): State<AppState>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = names::format(&name).ok_or_else(Problem::not_found)?;
    send(&state, Kept { name: &name, format, caching: FOR_EVER }, &headers).await
}

/// A kept file that is to be sent.
#[derive(Clone, Copy)]
pub(super) struct Kept<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// What it is.
    pub(super) format: Format,
    /// How long others may remember it.
    pub(super) caching: &'static str,
}

/// Sends a kept file, or the part of it that is asked for.
///
/// # Errors
/// 404 when it is not there.
pub(super) async fn send(state: &AppState, kept: Kept<'_>, asked: &HeaderMap) -> Result<Response, Problem> {
    let name = kept.name;
    let size = state.files.size(name).await?.ok_or_else(Problem::not_found)?;
    let shown = name.rsplit('/').next().unwrap_or(name);
    let etag = format!("\"{shown}\"");
    if knows(asked, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, head(kept, &etag, shown)).into_response());
    }
    let (status, range) = match wanted(asked, &etag, size) {
        Wanted::Whole => (StatusCode::OK, None),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, Some(range)),
        Wanted::Nothing => {
            let mut response = (StatusCode::RANGE_NOT_SATISFIABLE, head(kept, &etag, shown)).into_response();
            response.headers_mut().insert(CONTENT_RANGE, number(format!("bytes */{size}")));
            return Ok(response);
        }
    };
    let file = state.files.get(name, range.clone()).await?.ok_or_else(Problem::not_found)?;
    let mut response = (status, head(kept, &etag, shown), Body::from_stream(file.bytes)).into_response();
    let length = file.range.end - file.range.start;
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    if range.is_some() {
        let text = format!("bytes {}-{}/{size}", file.range.start, file.range.end.saturating_sub(1));
        response.headers_mut().insert(CONTENT_RANGE, number(text));
    }
    Ok(response)
}

/// Whether the asker has it already (RFC 9110, section 13.1.2).
fn knows(asked: &HeaderMap, etag: &str) -> bool {
    let tags = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|tags| tags.split(',')).any(|tag| tag.trim().trim_start_matches("W/") == etag)
}

fn head(kept: Kept<'_>, etag: &str, shown: &str) -> [(HeaderName, HeaderValue); 7] {
    let fixed = HeaderValue::from_static;
    [
        (CONTENT_TYPE, fixed(kept.format.media_type())),
        (X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (CONTENT_SECURITY_POLICY, fixed(SANDBOX)),
        (CONTENT_DISPOSITION, number(format!("inline; filename=\"{shown}\""))),
        (CACHE_CONTROL, fixed(kept.caching)),
        (ACCEPT_RANGES, fixed("bytes")),
        (ETAG, number(etag.to_owned())),
    ]
}

/// A header of our own making.
fn number(text: String) -> HeaderValue {
    HeaderValue::from_str(&text).expect("names and numbers of ours are plain ASCII")
}
