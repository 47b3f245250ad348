//! ActivityPub documents: foreign ones read with tolerance, ours written so
//! that every known server reads them.
//!
//! Plain JSON processing: contexts are known and never fetched. Must not know
//! whether a document may say what it says; that is decided by whoever knows
//! where it came from.

pub mod activity;
mod actor;
pub mod collection;
mod object;
mod poll;
mod quote;
mod tag;
#[cfg(test)]
mod tests;
pub mod uri;
mod value;
pub mod write;

pub use actor::{Actor, ActorError, ActorKey, actor_kind, read_key};
pub use object::{Object, is_post};
pub use quote::{Policy, Stamp};
pub use tag::{TagMention, Tags};

/// The collection that means everybody, as we write it. Lemmy drops posts
/// with the short spellings (lemmy#6465).
pub const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
/// The media type that we send and answer.
pub const CONTENT_TYPE: &str = "application/activity+json";
/// The other media type that means the same.
pub const CONTENT_TYPE_LD: &str = r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;
/// What we ask for when we fetch.
pub const ACCEPT: &str =
    r#"application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;
/// The ActivityStreams namespace.
pub const ACTIVITY_STREAMS: &str = "https://www.w3.org/ns/activitystreams";

/// Whether an address means everybody, in any of its spellings.
pub fn is_public(address: &str) -> bool {
    matches!(address, PUBLIC | "as:Public" | "Public")
}
