//! Which part of a file a request asks for (RFC 9110, section 14). One part
//! at most: several at once would let a small request cause a large answer.

use std::ops::Range;

use axum::http::HeaderMap;
use axum::http::header::{IF_RANGE, RANGE};

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes; they are within the file.
    Part(Range<u64>),
    /// Nothing of what was asked for is within the file.
    Nothing,
}

/// What these headers ask for of a file of `size` bytes, whose strong entity
/// tag is `etag`. What cannot be understood is not asked for (section 14.2).
pub(super) fn wanted(headers: &HeaderMap, etag: &str, size: u64) -> Wanted {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(asked) = text(RANGE) else { return Wanted::Whole };
    // A date in If-Range never matches: we give no Last-Modified.
    if headers.contains_key(IF_RANGE) && text(IF_RANGE) != Some(etag) {
        return Wanted::Whole;
    }
    let Some(part) = asked.strip_prefix("bytes=").and_then(|spec| spec.trim().split_once('-')) else {
        return Wanted::Whole;
    };
    match (number(part.0), number(part.1)) {
        (Some(None), Some(Some(last))) if last == 0 || size == 0 => Wanted::Nothing,
        (Some(None), Some(Some(last))) => Wanted::Part(size.saturating_sub(last)..size),
        (Some(Some(from)), Some(to)) if to.is_none_or(|to| from <= to) => {
            let end = to.map_or(size, |to| to.saturating_add(1).min(size));
            if from < size { Wanted::Part(from..end) } else { Wanted::Nothing }
        }
        _ => Wanted::Whole,
    }
}

/// `Some(None)` where there is none, `None` where there is something else.
fn number(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(None);
    }
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    // More digits than fit are beyond every file.
    is_number.then(|| Some(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: &str, if_range: Option<&str>, size: u64, expected: Wanted) {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range.parse().unwrap());
        if let Some(tag) = if_range {
            headers.insert(IF_RANGE, tag.parse().unwrap());
        }
        assert_eq!(wanted(&headers, "\"a\"", size), expected, "{range} of {size}");
    }

    #[test]
    fn one_part_is_found_and_anything_else_is_the_whole_or_nothing() {
        use Wanted::{Nothing, Part, Whole};
        for (range, expected) in [
            ("bytes=0-0", Part(0..1)),
            ("bytes=2-4", Part(2..5)),
            ("bytes=2-", Part(2..10)),
            ("bytes=2-99", Part(2..10)),
            ("bytes=-3", Part(7..10)),
            ("bytes=-99", Part(0..10)),
            ("bytes=9-99999999999999999999999", Part(9..10)),
            ("bytes=10-", Nothing),
            ("bytes=99999999999999999999999-", Nothing),
            ("bytes=-0", Nothing),
            ("bytes=4-2", Whole),
            ("bytes=0-1,3-4", Whole),
            ("bytes=-", Whole),
            ("bytes=a-b", Whole),
            ("bytes=+1-2", Whole),
            ("lines=1-2", Whole),
            ("", Whole),
        ] {
            check(range, None, 10, expected);
        }
        check("bytes=0-", None, 0, Nothing);
        check("bytes=2-4", Some("\"a\""), 10, Part(2..5));
        for other in ["\"b\"", "W/\"a\"", "Tue, 15 Nov 1994 12:45:26 GMT"] {
            check("bytes=2-4", Some(other), 10, Whole);
        }
    }
}
