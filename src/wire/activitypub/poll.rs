//! Reading foreign polls.

use serde_json::Value;

use super::value::{cut, flag, get, list, text_or_map, time};
use crate::base::Timestamp;
use crate::base::limits::{REMOTE_POLL_OPTION_MAX_BYTES, REMOTE_POLL_OPTIONS_MAX};
use crate::model::{Poll, PollOption};

/// The largest count that is believed: what JavaScript still counts exactly.
const VOTES_MAX: u64 = 1 << 53;

/// The poll of a Question; `None` if it has no answers.
pub(super) fn read(document: &Value) -> Option<Poll> {
    let (one, any) = (list(document, "oneOf"), list(document, "anyOf"));
    let multiple = !any.is_empty();
    let answers = if multiple { any } else { one };
    let options: Vec<PollOption> =
        answers.into_iter().filter_map(option).take(REMOTE_POLL_OPTIONS_MAX).collect();
    if options.is_empty() {
        return None;
    }
    let voters = get(document, "votersCount").and_then(Value::as_u64).map(|count| count.min(VOTES_MAX));
    Some(Poll { options, multiple, expires_at: end(document), voters, ..Poll::default() })
}

fn option(answer: &Value) -> Option<PollOption> {
    let title = cut(text_or_map(answer, "name")?, REMOTE_POLL_OPTION_MAX_BYTES).trim().to_owned();
    let votes = get(answer, "replies").and_then(|replies| get(replies, "totalItems")).and_then(Value::as_u64);
    (!title.is_empty()).then(|| PollOption { title, votes: votes.unwrap_or_default().min(VOTES_MAX) })
}

/// `closed` may be a time or a plain yes; then it was closed when it was
/// last changed.
fn end(document: &Value) -> Option<Timestamp> {
    let is_closed = flag(document, "closed");
    let changed = || time(document, "updated").or_else(|| time(document, "published"));
    time(document, "closed")
        .or_else(|| if is_closed { changed() } else { None })
        .or_else(|| time(document, "endTime"))
}
