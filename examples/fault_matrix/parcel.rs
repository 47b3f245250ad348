//! What is sent: an activity that says when, by whom and in which lane.

use serde_json::{Value, json};
use waxwing::model::queue::ActivityKind;

use crate::measure::micros;

/// What a peer reads of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parcel {
    /// The activity's number; its id is made of it.
    pub(crate) number: u64,
    /// When it was handed to the queue.
    pub(crate) sent_us: u64,
    /// Whose it is: a place in the list of people.
    pub(crate) sender: u64,
    pub(crate) lane: u64,
}

const ID: &str = "https://social.example/activities/";

/// The activity as JSON, about as long as a short post of Mastodon's.
pub(crate) fn write(number: u64, sender: usize, kind: ActivityKind) -> Vec<u8> {
    let (us, lane) = (micros(), kind.lane() as u8);
    let activity = json!({
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": format!("{ID}{number}"),
        "type": format!("{kind:?}"),
        "actor": format!("https://social.example/people/{sender}"),
        "to": ["https://www.w3.org/ns/activitystreams#Public"],
        "x": { "us": us, "sender": sender, "lane": lane },
        "object": { "type": "Note", "content": "berries ".repeat(80) },
    });
    activity.to_string().into_bytes()
}

/// What it says; `None` if it is none of ours.
pub(crate) fn read(body: &[u8]) -> Option<Parcel> {
    let activity: Value = serde_json::from_slice(body).ok()?;
    let number = activity["id"].as_str()?.strip_prefix(ID)?.parse().ok()?;
    let x = &activity["x"];
    Some(Parcel {
        number,
        sent_us: x["us"].as_u64()?,
        sender: x["sender"].as_u64()?,
        lane: x["lane"].as_u64()?,
    })
}
