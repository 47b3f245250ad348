//! Quotes and who may quote (FEP-044f).

use serde_json::{Map, Value, json};

use super::{PUBLIC, set};
use crate::model::{Account, QuoteGroup, Status};

/// Adds to the Note that is built in `map` what it quotes and who may quote it.
pub(super) fn add(map: &mut Map<String, Value>, status: &Status, author: &Account) {
    if let Some(quote) = &status.quote {
        // Each family of servers reads another of these.
        for name in ["quote", "quoteUri", "quoteUrl", "_misskey_quote"] {
            map.insert(name.into(), quote.uri.clone().into());
        }
        set(map, "quoteAuthorization", quote.approval.as_deref());
    }
    let policy = status.quote_policy.clone().unwrap_or_default();
    let named = |groups: &[QuoteGroup]| -> Vec<String> {
        let name = |group: &QuoteGroup| match group {
            QuoteGroup::Public => Some(PUBLIC.to_owned()),
            QuoteGroup::Followers => Some(author.followers_uri.clone()),
            QuoteGroup::Unsupported => None,
        };
        groups.iter().filter_map(name).collect()
    };
    let automatic = Some(named(&policy.automatic)).filter(|all| !all.is_empty());
    let mut can_quote = json!({ "automaticApproval": automatic.unwrap_or_else(|| vec![author.uri.clone()]) });
    let manual = named(&policy.manual);
    if !manual.is_empty() {
        can_quote["manualApproval"] = manual.into();
    }
    map.insert("interactionPolicy".into(), json!({ "canQuote": can_quote }));
}

/// The document of a leave to quote: `quoting` may quote `quoted`, says the
/// author of that.
pub fn quote_stamp(id: &str, author: &str, quoting: &str, quoted: &str) -> Value {
    json!({
        "id": id,
        "type": "QuoteAuthorization",
        "attributedTo": author,
        "interactingObject": quoting,
        "interactionTarget": quoted,
    })
}
