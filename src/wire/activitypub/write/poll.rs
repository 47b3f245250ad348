//! Polls: a Note with answers is a Question (as Mastodon writes it).

use serde_json::{Map, Value, json};

use super::set;
use crate::base::Timestamp;
use crate::model::{Poll, PollOption};

/// Makes a Question of the Note that is built in `map`.
pub(super) fn add(map: &mut Map<String, Value>, poll: &Poll) {
    let is_over = poll.ended.is_some();
    // Mastodon leaves the number out; others need one.
    let votes = |option: &PollOption| if poll.hide_totals && !is_over { 0 } else { option.votes };
    let answer = |option: &PollOption| {
        json!({
            "type": "Note",
            "name": option.title,
            "replies": { "type": "Collection", "totalItems": votes(option) },
        })
    };
    map.insert("type".into(), "Question".into());
    let name = if poll.multiple { "anyOf" } else { "oneOf" };
    map.insert(name.into(), poll.options.iter().map(answer).collect());
    let end = poll.expires_at.map(Timestamp::rfc3339);
    set(map, "endTime", end.clone());
    set(map, "closed", end.filter(|_| is_over));
    set(map, "votersCount", poll.voters);
}
