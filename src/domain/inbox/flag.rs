//! Flag: another server reports somebody here.

use super::{Outcome, Sender};
use crate::base::{Id, Moment};
use crate::domain::moderation::ModerationError;
use crate::domain::moderation::report::{self, COMMENT_MAX_CHARACTERS, NewReport};
use crate::domain::moderation::server::rule_for_account;
use crate::domain::remote::accounts_by_uri;
use crate::model::tables::{STATUS, STATUS_BY_URI};
use crate::model::{Site, Status};
use crate::store::{StoreError, WriteTx};

/// What another server says.
#[derive(Debug, Clone, Copy)]
pub struct Flagged<'a> {
    /// ActivityPub id of the report.
    pub uri: &'a str,
    /// ActivityPub ids of accounts and posts.
    pub objects: &'a [String],
    /// Why, as plain text.
    pub comment: &'a str,
}

/// The sender reports somebody here. Of several accounts the first counts;
/// without any, the author of the first post. Takes two ids for each moderator
/// and five more.
///
/// # Errors
/// Only the store's.
pub fn flag(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    sender: Sender<'_>,
    flagged: Flagged<'_>,
) -> Result<Outcome, StoreError> {
    if rule_for_account(tx, sender.0)?.is_some_and(|rule| rule.reject_reports) {
        return Ok(Outcome::Ignored("reports of this server are not taken"));
    }
    let ours: Vec<String> = flagged.objects.iter().filter(|uri| site.owns(uri)).cloned().collect();
    let account = accounts_by_uri(tx, site, &ours)?.into_iter().flatten().next();
    let ids: Vec<Id> = tx.get_many(STATUS_BY_URI, &ours)?.into_iter().flatten().collect();
    let posts: Vec<Status> = tx.get_many(STATUS, &ids)?.into_iter().flatten().collect();
    let Some(target) = account.or(posts.first().map(|post| post.account)) else {
        return Ok(Outcome::Ignored("it is about nobody here"));
    };
    let new = NewReport {
        account: sender.id(),
        target,
        statuses: posts.into_iter().filter(|post| post.account == target).map(|post| post.id).collect(),
        comment: flagged.comment.chars().take(COMMENT_MAX_CHARACTERS).collect(),
        uri: Some(flagged.uri.to_owned()),
        ..NewReport::default()
    };
    match report::create(tx, moment, site, &new) {
        Ok(_) => Ok(Outcome::Done),
        Err(ModerationError::Store(cause)) => Err(cause),
        Err(_) => Ok(Outcome::Ignored("it is about nobody here")),
    }
}
