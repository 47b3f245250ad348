//! Polls (docs: entities/Poll).

use serde::Serialize;
use utoipa::ToSchema;

use super::Emoji;
use crate::base::{Id, Timestamp};
use crate::model;

/// An answer of a poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PollOption {
    title: String,
    /// Null while the poll hides its counts.
    #[schema(required)]
    votes_count: Option<u64>,
}

/// A poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Poll {
    id: String,
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
    expired: bool,
    multiple: bool,
    votes_count: u64,
    /// How many people voted; null unless several answers may be chosen.
    #[schema(required)]
    voters_count: Option<u64>,
    options: Vec<PollOption>,
    emojis: Vec<Emoji>,
    /// Whether the user voted or asks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    voted: Option<bool>,
    /// Places of the answers that the user chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    own_votes: Option<Vec<u8>>,
}

/// What the viewer has to do with a poll.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PollFacts {
    /// Voting has ended.
    pub is_over: bool,
    /// The viewer asks it.
    pub is_own: bool,
    /// What the viewer voted for; `None` where nobody is logged in.
    pub choices: Option<Vec<u8>>,
}

impl Poll {
    /// The poll of a post as clients see it; `emojis` are those of the post.
    pub fn new(id: Id, poll: &model::Poll, emojis: Vec<Emoji>, facts: PollFacts) -> Poll {
        let PollFacts { is_over, is_own, choices } = facts;
        let is_shown = is_over || !poll.hide_totals;
        let option = |option: &model::PollOption| PollOption {
            title: option.title.clone(),
            votes_count: is_shown.then_some(option.votes),
        };
        Poll {
            id: id.to_string(),
            expires_at: poll.expires_at.map(Timestamp::rfc3339),
            expired: is_over,
            multiple: poll.multiple,
            votes_count: poll.votes(),
            voters_count: poll.voters.filter(|_| poll.multiple),
            options: poll.options.iter().map(option).collect(),
            emojis,
            voted: choices.as_ref().map(|choices| is_own || !choices.is_empty()),
            own_votes: choices,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn poll(hide_totals: bool, multiple: bool) -> model::Poll {
        let option = |title: &str, votes| model::PollOption { title: title.into(), votes };
        let options = vec![option("a", 2), option("b", 1)];
        model::Poll { options, hide_totals, multiple, voters: Some(2), ..model::Poll::default() }
    }

    fn shown(poll: &model::Poll, facts: PollFacts) -> Value {
        serde_json::to_value(Poll::new(Id(9), poll, Vec::new(), facts)).unwrap()
    }

    #[test]
    fn counts_are_hidden_until_the_end_where_that_is_asked_for() {
        let hidden = shown(&poll(true, true), PollFacts::default());
        assert_eq!((&hidden["options"][0]["votes_count"], &hidden["votes_count"]), (&Value::Null, &json!(3)));
        assert_eq!((&hidden["voters_count"], &hidden["expires_at"]), (&json!(2), &Value::Null));
        assert!(hidden.get("voted").is_none() && hidden.get("own_votes").is_none());
        let over = shown(&poll(true, false), PollFacts { is_over: true, ..PollFacts::default() });
        assert_eq!((&over["options"][0]["votes_count"], &over["voters_count"]), (&json!(2), &Value::Null));
    }

    #[test]
    fn who_asks_counts_as_having_voted() {
        let of = |is_own, choices: &[u8]| {
            let facts = PollFacts { is_own, choices: Some(choices.to_vec()), is_over: false };
            let entity = shown(&poll(false, true), facts);
            (entity["voted"].clone(), entity["own_votes"].clone())
        };
        assert_eq!(of(true, &[]), (json!(true), json!([])));
        assert_eq!(of(false, &[]), (json!(false), json!([])));
        assert_eq!(of(false, &[1, 0]), (json!(true), json!([1, 0])));
    }
}
