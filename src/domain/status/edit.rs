//! Changing a post. Its audience never changes.

use super::history::remember;
use super::insert::{job_order, sender, tell_mentioned};
use super::publish::mentions;
use super::{StatusError, own};
use crate::base::{Id, Moment};
use crate::domain::card;
use crate::domain::delivery::{Task, enqueue};
use crate::domain::media::{self, MediaEdit};
use crate::domain::notification::{self, notify_all};
use crate::domain::poll::{self, NewPoll};
use crate::domain::quote;
use crate::domain::tag;
use crate::domain::webhook;
use crate::model::queue::{Job, Verb};
use crate::model::tables::STATUS_REBLOGS;
use crate::model::{Audience, CustomEmoji, Event, NotificationKind, QuotePolicy, Status, WebhookEvent};
use crate::store::{Scan, StoreError, WriteTx};

/// Boosters that are told of an edit.
const TOLD_MAX: usize = 100;

/// The new content of a post, as a whole. See [`super::Draft`].
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// As typed.
    pub text: String,
    /// The same as clean HTML.
    pub content_html: String,
    /// Content warning.
    pub spoiler_text: String,
    /// Media are hidden behind a warning.
    pub sensitive: bool,
    /// ISO 639 code; `None` keeps the old one.
    pub language: Option<String>,
    /// Accounts named in the text.
    pub mentions: Vec<Id>,
    /// Hashtags in the text, without `#`.
    pub tags: Vec<String>,
    /// Custom emojis in the text and the warning.
    pub emojis: Vec<CustomEmoji>,
    /// What it shows from now on; `None` leaves that as it is.
    pub media: Option<MediaEdit>,
    /// The poll; `None` takes it away.
    pub poll: Option<NewPoll>,
    /// The poll stays exactly as it is; `poll` is not read.
    pub keeps_poll: bool,
    /// Who may quote it; `None` leaves that as it is.
    pub quote_policy: Option<QuotePolicy>,
}

/// Edits one's own post.
///
/// # Errors
/// When it is not theirs, would be blank, is to show uploads that it cannot,
/// or the store fails.
pub fn edit(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    author: Id,
    id: Id,
    edit: &Edit,
) -> Result<(), StatusError> {
    let old = own(tx, author, id)?;
    if old.is_reblog() {
        return Err(StatusError::NotFound);
    }
    let attachments = match &edit.media {
        Some(change) => media::rearrange(tx, moment.now, &old, change)?,
        None => old.attachments.clone(),
    };
    if edit.text.trim().is_empty() && old.quote.is_none() && attachments.is_empty() {
        return Err(StatusError::Blank);
    }
    let new = Status {
        text: edit.text.clone(),
        content_html: edit.content_html.clone(),
        spoiler_text: edit.spoiler_text.clone(),
        sensitive: edit.sensitive || !edit.spoiler_text.is_empty(),
        language: edit.language.clone().or_else(|| old.language.clone()),
        mentions: mentions(tx, &edit.mentions)?,
        tags: edit.tags.clone(),
        emojis: edit.emojis.clone(),
        attachments,
        edited_at: Some(moment.now),
        poll: match &edit.poll {
            _ if edit.keeps_poll => old.poll.clone(),
            new => new.as_ref().map(|poll| poll::revised(old.poll.as_ref(), poll.asked(moment.now))),
        },
        quote_policy: match &edit.quote_policy {
            Some(policy) => Some(quote::bounded(old.visibility, policy.clone())),
            None => old.quote_policy.clone(),
        },
        ..old.clone()
    };
    let is_same = Status { edited_at: old.edited_at, ..new.clone() } == old;
    if !is_same {
        replace(tx, moment, &old, &new)?;
    }
    Ok(())
}

/// Keeps the new version of a post from here or elsewhere, tells those who
/// are newly mentioned or boosted it, and writes the job that tells other
/// servers. Audience, date and place in its thread stay as they were.
///
/// # Errors
/// Only the store's.
pub fn replace(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    old: &Status,
    new: &Status,
) -> Result<(), StoreError> {
    let mut new = Status {
        visibility: old.visibility,
        created_at: old.created_at,
        thread: old.thread,
        in_reply_to: old.in_reply_to,
        in_reply_to_account: old.in_reply_to_account,
        in_reply_to_uri: old.in_reply_to_uri.clone(),
        ..new.clone()
    };
    if let Some(mut poll) = new.poll.clone().filter(|poll| new.is_local && !poll.is_watched) {
        poll::watch(tx, moment, &new, &mut poll)?;
        new.poll = Some(poll);
    }
    new.link = card::first_link(&new.content_html);
    remember(tx, moment, old)?;
    Status::save(tx, Some(old), &new);
    tag::retag(tx, old, &new)?;
    Event::Edited { status: new.id, audience: Audience::from(&new) }.emit(tx);
    if new.is_local {
        let job = Job::FanOut { status: new.id, verb: Verb::Update };
        enqueue(tx, moment, &Task::local(job, sender(&new)).order(job_order(&new)))?;
    }
    if new.is_local {
        webhook::announce(tx, moment, WebhookEvent::StatusUpdated, &[new.id])?;
    }
    quote::quoted_edited(tx, moment, &new)?;
    card::ask(tx, moment, &new)?;
    let known: Vec<Id> = old.mentions.iter().map(|mention| mention.account).collect();
    tell_mentioned(tx, moment, &new, &known)?;
    let boosts = tx.scan(STATUS_REBLOGS, Scan::prefix(&(new.id,)).limit(TOLD_MAX))?;
    let boosters: Vec<Id> = boosts.into_iter().map(|(_, booster)| booster).collect();
    let kind = NotificationKind::Update;
    notify_all(tx, moment, &boosters, notification::News { kind, from: new.account, status: Some(new.id) })?;
    Ok(())
}
