//! Activities of local accounts.

use serde_json::{Value, json};

use super::{audience, with_context};
use crate::base::Timestamp;
use crate::model::queue::{FollowRef, Outgoing};
use crate::model::{Account, Status};
use crate::wire::activitypub::PUBLIC;

/// Create of a [`super::note`]; addressed as the note is.
pub fn create(note: &Value) -> Value {
    with_context(json!({
        "id": format!("{}/activity", note["id"].as_str().unwrap_or_default()),
        "type": "Create",
        "actor": note["attributedTo"],
        "published": note["published"],
        "to": note["to"],
        "cc": note["cc"],
        "object": note,
    }))
}

/// Update of a [`super::note`]. `at` tells one edit from the next.
pub fn update_note(note: &Value, at: Timestamp) -> Value {
    update(note, "updates", at)
}

/// Update that tells of new votes in a poll. Not an edit: `updated` is that
/// of the last one.
pub fn update_poll(question: &Value, at: Timestamp) -> Value {
    update(question, "tallies", at)
}

fn update(note: &Value, of: &str, at: Timestamp) -> Value {
    with_context(json!({
        "id": format!("{}#{of}/{}", note["id"].as_str().unwrap_or_default(), at.as_millis()),
        "type": "Update",
        "actor": note["attributedTo"],
        "published": at.rfc3339(),
        "to": note["to"],
        "cc": note["cc"],
        "object": note,
    }))
}

/// Update of an [`super::actor`] document.
pub fn update_actor(actor: &Value, at: Timestamp) -> Value {
    let mut object = actor.clone();
    let context = object.as_object_mut().and_then(|map| map.remove("@context"));
    let mut update = json!({
        "id": format!("{}#updates/{}", actor["id"].as_str().unwrap_or_default(), at.as_millis()),
        "type": "Update",
        "actor": actor["id"],
        "published": at.rfc3339(),
        "to": [PUBLIC],
        "cc": [actor["followers"]],
        "object": object,
    });
    if let (Some(map), Some(context)) = (update.as_object_mut(), context) {
        map.insert("@context".into(), context);
    }
    with_context(update)
}

/// Delete of a whole account.
pub fn delete_actor(id: &str, actor: &str) -> Value {
    with_context(json!({ "id": id, "type": "Delete", "actor": actor, "to": [PUBLIC], "object": actor }))
}

/// Announce: a local boost of the post `original`, by `original_author`.
pub fn announce(boost: &Status, booster: &Account, original: &str, original_author: &str) -> Value {
    let mut addressed = audience(boost, &booster.followers_uri);
    if !original_author.is_empty() && !addressed.cc.iter().any(|uri| uri == original_author) {
        addressed.cc.push(original_author.to_owned());
    }
    with_context(json!({
        "id": boost.uri,
        "type": "Announce",
        "actor": booster.uri,
        "published": boost.created_at.rfc3339(),
        "to": addressed.to,
        "cc": addressed.cc,
        "object": original,
    }))
}

/// The small activities that rules leave in the queue.
pub fn outgoing(said: &Outgoing) -> Value {
    with_context(match said {
        Outgoing::Follow(follow) => self::follow(follow),
        Outgoing::Accept { id, actor, follow } => answer("Accept", id, actor, follow),
        Outgoing::Reject { id, actor, follow } => answer("Reject", id, actor, follow),
        Outgoing::UndoFollow { id, follow } => undo(id, &follow.actor, self::follow(follow)),
        Outgoing::Block { id, actor, object } => simple("Block", id, actor, object),
        Outgoing::UndoBlock { id, actor, block, object } => {
            undo(id, actor, simple("Block", block, actor, object))
        }
        Outgoing::Like { id, actor, object } => simple("Like", id, actor, object),
        Outgoing::UndoLike { id, actor, like, object } => {
            undo(id, actor, simple("Like", like, actor, object))
        }
        Outgoing::DeleteStatus { id, actor, object, to, cc } => json!({
            "id": id,
            "type": "Delete",
            "actor": actor,
            "to": to,
            "cc": cc,
            "object": { "id": object, "type": "Tombstone" },
        }),
        Outgoing::UndoAnnounce { id, actor, announce, object, to, cc } => {
            let mut undone = undo(id, actor, simple("Announce", announce, actor, object));
            undone["to"] = to.clone().into();
            undone["cc"] = cc.clone().into();
            undone
        }
        Outgoing::DeleteActor { id, actor } => delete_actor(id, actor),
        Outgoing::QuoteRequest { id, actor, object, instrument } => {
            quote_request(id, actor, (object, instrument))
        }
        Outgoing::AcceptQuote { id, actor, to, request, object, instrument, result } => json!({
            "id": id,
            "type": "Accept",
            "actor": actor,
            "to": [to],
            "object": quote_request(request, to, (object, instrument)),
            "result": result,
        }),
        Outgoing::RejectQuote { id, actor, to, request, object, instrument } => json!({
            "id": id,
            "type": "Reject",
            "actor": actor,
            "to": [to],
            "object": quote_request(request, to, (object, instrument)),
        }),
        Outgoing::DeleteStamp { id, actor, stamp, to } => {
            json!({ "id": id, "type": "Delete", "actor": actor, "to": [PUBLIC, to], "object": stamp })
        }
        Outgoing::Vote { id, actor, question, to, choice } => json!({
            "id": format!("{id}/activity"),
            "type": "Create",
            "actor": actor,
            "to": [to],
            "object": {
                "id": id,
                "type": "Note",
                "name": choice,
                "attributedTo": actor,
                "to": [to],
                "inReplyTo": question,
            },
        }),
        Outgoing::Flag { id, actor, objects, content } => json!({
            "id": id,
            "type": "Flag",
            "actor": actor,
            "content": content,
            "object": objects,
        }),
    })
}

fn quote_request(id: &str, actor: &str, (object, instrument): (&str, &str)) -> Value {
    json!({ "id": id, "type": "QuoteRequest", "actor": actor, "object": object, "instrument": instrument })
}

fn simple(verb: &str, id: &str, actor: &str, object: &str) -> Value {
    json!({ "id": id, "type": verb, "actor": actor, "object": object })
}

fn follow(follow: &FollowRef) -> Value {
    simple("Follow", &follow.id, &follow.actor, &follow.object)
}

/// With the whole Follow inside: its id is how the other side knows it.
fn answer(verb: &str, id: &str, actor: &str, about: &FollowRef) -> Value {
    json!({ "id": id, "type": verb, "actor": actor, "to": [about.actor], "object": follow(about) })
}

fn undo(id: &str, actor: &str, undone: Value) -> Value {
    json!({ "id": id, "type": "Undo", "actor": actor, "object": undone })
}
