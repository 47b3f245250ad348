//! Who is addressed: visibility as `to` and `cc`.

use crate::model::{Status, Visibility};
use crate::wire::activitypub::PUBLIC;

/// Addressees of an object or activity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audience {
    /// Those it is for.
    pub to: Vec<String>,
    /// Those who may see it too.
    pub cc: Vec<String>,
}

/// The audience of a local post or boost (the map in FEDERATION, as
/// Mastodon has it). `followers` is its author's collection.
pub fn audience(status: &Status, followers: &str) -> Audience {
    let mut mentioned: Vec<String> = Vec::new();
    for mention in &status.mentions {
        if !mention.uri.is_empty() && !mentioned.contains(&mention.uri) {
            mentioned.push(mention.uri.clone());
        }
    }
    let with = |first: &str| [vec![first.to_owned()], mentioned.clone()].concat();
    match status.visibility {
        Visibility::Public => Audience { to: vec![PUBLIC.into()], cc: with(followers) },
        Visibility::Unlisted => Audience { to: vec![followers.into()], cc: with(PUBLIC) },
        Visibility::Private => Audience { to: vec![followers.into()], cc: mentioned },
        Visibility::Direct => Audience { to: mentioned, cc: Vec::new() },
    }
}
