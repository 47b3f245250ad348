//! Reading foreign activities: one file for each verb.

mod announce;
mod answer;
mod block;
mod create;
mod delete;
mod flag;
mod follow;
mod like;
mod quote_request;
mod undo;
mod update;

use serde_json::Value;

pub use announce::Announce;
pub use answer::Answer;
pub use block::Block;
pub use create::Create;
pub use delete::Delete;
pub use flag::Flag;
pub use follow::Follow;
pub use like::Like;
pub use quote_request::QuoteRequest;
pub use undo::{Undo, Undone};
pub use update::Update;

use super::value::{addresses, id, kind, list, one_id, time};
use crate::base::Timestamp;

/// Something that an activity is about: an id, or the whole object. An
/// embedded object is only as good as the one who sent it.
#[derive(Debug, Clone, PartialEq)]
pub enum Thing {
    /// Its id.
    Id(String),
    /// Itself.
    Embedded(Value),
}

impl Thing {
    /// The first thing of a property.
    fn read(activity: &Value, name: &str) -> Option<Thing> {
        list(activity, name).into_iter().find_map(Thing::of)
    }

    fn of(value: &Value) -> Option<Thing> {
        match value {
            Value::Object(_) => Some(Thing::Embedded(value.clone())),
            _ => super::value::reference(value).map(|id| Thing::Id(id.to_owned())),
        }
    }

    /// Its id, if it has one.
    pub fn id(&self) -> Option<&str> {
        match self {
            Thing::Id(text) => Some(text),
            Thing::Embedded(object) => id(object),
        }
    }

    /// The object, if it is here.
    pub fn embedded(&self) -> Option<&Value> {
        match self {
            Thing::Id(_) => None,
            Thing::Embedded(object) => Some(object),
        }
    }

    /// Its type, if it is here.
    pub fn kind(&self) -> &str {
        self.embedded().map_or("", kind)
    }
}

/// A foreign activity.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Its id; some servers leave it out for small ones.
    pub id: Option<String>,
    /// Who acts.
    pub actor: String,
    /// Its type as written.
    pub kind: String,
    /// When it was done, if it says so.
    pub published: Option<Timestamp>,
    /// Addressees.
    pub to: Vec<String>,
    /// Further addressees.
    pub cc: Vec<String>,
    /// What is done.
    pub verb: Verb,
}

/// What an activity does.
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// Asks to follow.
    Follow(Follow),
    /// Grants a follow.
    Accept(Answer),
    /// Refuses or ends a follow.
    Reject(Answer),
    /// Takes something back.
    Undo(Undo),
    /// Publishes.
    Create(Create),
    /// Changes.
    Update(Update),
    /// Deletes.
    Delete(Delete),
    /// Likes.
    Like(Like),
    /// Boosts.
    Announce(Announce),
    /// Blocks.
    Block(Block),
    /// Asks to quote.
    QuoteRequest(QuoteRequest),
    /// Reports.
    Flag(Flag),
    /// Something that is taken without effect, or lacks what it is about.
    Other,
}

impl Activity {
    /// Reads an activity; `None` if it has no actor or type.
    pub fn read(document: &Value) -> Option<Activity> {
        let kind = kind(document);
        if kind.is_empty() {
            return None;
        }
        Some(Activity {
            id: id(document).map(str::to_owned),
            actor: one_id(document, "actor")?,
            kind: super::value::cut(kind, 100).to_owned(),
            published: time(document, "published"),
            to: addresses(document, "to"),
            cc: addresses(document, "cc"),
            verb: verb(kind, document).unwrap_or(Verb::Other),
        })
    }

    /// Whether it says that an actor deletes itself.
    pub fn is_self_delete(&self) -> bool {
        matches!(&self.verb, Verb::Delete(delete) if delete.object == self.actor)
    }
}

fn verb(kind: &str, document: &Value) -> Option<Verb> {
    Some(match kind {
        "Follow" => Verb::Follow(Follow::read(document)?),
        "Accept" => Verb::Accept(Answer::read(document)?),
        "Reject" => Verb::Reject(Answer::read(document)?),
        "Undo" => Verb::Undo(Undo::read(document)?),
        "Create" => Verb::Create(Create::read(document)?),
        "Update" => Verb::Update(Update::read(document)?),
        "Delete" => Verb::Delete(Delete::read(document)?),
        // A reaction is a like with a face; the face is not kept.
        "Like" | "EmojiReact" => Verb::Like(Like::read(document)?),
        "Announce" => Verb::Announce(Announce::read(document)?),
        "Block" => Verb::Block(Block::read(document)?),
        "QuoteRequest" => Verb::QuoteRequest(QuoteRequest::read(document)?),
        "Flag" => Verb::Flag(Flag::read(document)?),
        _ => return None,
    })
}
