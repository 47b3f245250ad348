//! Reading foreign quotes, policies and stamps (FEP-044f and what came
//! before it).

use serde_json::Value;

use super::is_public;
use super::value::{addresses, get, id, kind, list, one_id, reference};
use crate::model::{QuoteGroup, QuotePolicy};

/// The post that a post quotes: the name of FEP-044f first, then those of
/// older kinds, then a link (FEP-e232).
pub(super) fn quoted(document: &Value) -> Option<String> {
    let named = ["quote", "_misskey_quote", "quoteUrl", "quoteUri"];
    named.iter().find_map(|name| one_id(document, name)).or_else(|| linked(document))
}

fn linked(document: &Value) -> Option<String> {
    let is_document = |t: &str| t.contains("activitystreams") || t.contains("activity+json");
    let is_object = |tag: &&Value| {
        kind(tag) == "Link" && get(tag, "mediaType").and_then(Value::as_str).is_some_and(is_document)
    };
    list(document, "tag").into_iter().find(is_object).and_then(reference).map(str::to_owned)
}

/// Who may quote a post; `None` where it does not say.
pub(super) fn policy(document: &Value, author: &str) -> Option<Policy> {
    let can_quote = get(get(document, "interactionPolicy")?, "canQuote")?;
    let either = |names: [&str; 2]| {
        let found = names.iter().find(|name| get(can_quote, name).is_some());
        found.map(|name| addresses(can_quote, name)).unwrap_or_default()
    };
    let not_author = |all: Vec<String>| all.into_iter().filter(|uri| uri != author).collect();
    Some(Policy {
        automatic: not_author(either(["automaticApproval", "always"])),
        manual: not_author(either(["manualApproval", "approvalRequired"])),
    })
}

/// A policy as it is written: who may quote, by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Without being asked for.
    pub automatic: Vec<String>,
    /// After the author has looked.
    pub manual: Vec<String>,
}

impl Policy {
    /// The policy as it is kept; `followers` is the author's collection.
    pub fn known(&self, followers: &str) -> QuotePolicy {
        let group = |uri: &String| match uri.as_str() {
            uri if is_public(uri) => QuoteGroup::Public,
            uri if !followers.is_empty() && uri == followers => QuoteGroup::Followers,
            _ => QuoteGroup::Unsupported,
        };
        let groups = |all: &[String]| {
            let mut found: Vec<QuoteGroup> = Vec::new();
            for group in all.iter().map(group) {
                if !found.contains(&group) {
                    found.push(group);
                }
            }
            found
        };
        QuotePolicy { automatic: groups(&self.automatic), manual: groups(&self.manual) }
    }
}

/// A leave to quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Its id.
    pub id: String,
    /// Who gives it.
    pub author: String,
    /// The quoting post.
    pub quoting: String,
    /// The quoted post.
    pub quoted: String,
}

impl Stamp {
    /// Reads a stamp; `None` if it is none.
    pub fn read(document: &Value) -> Option<Stamp> {
        if kind(document) != "QuoteAuthorization" {
            return None;
        }
        Some(Stamp {
            id: id(document)?.to_owned(),
            author: one_id(document, "attributedTo")?,
            quoting: one_id(document, "interactingObject")?,
            quoted: one_id(document, "interactionTarget")?,
        })
    }
}
