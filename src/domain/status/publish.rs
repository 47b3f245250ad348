//! Posts that people here write.

use std::time::Duration;

use super::insert::{News, insert};
use super::{StatusError, seen};
use crate::base::{Id, Moment, Timestamp};
use crate::domain::census;
use crate::domain::media;
use crate::domain::poll::{self, NewPoll};
use crate::domain::quote;
use crate::domain::visibility::Viewer;
use crate::model::tables::count::WEEK_STATUSES;
use crate::model::tables::{ACCOUNT, IDEMPOTENCY, STATUS};
use crate::model::{Account, Application, CustomEmoji, Mention, QuotePolicy, Site, Status, Visibility};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// How long an `Idempotency-Key` gives the same post (Mastodon: one hour).
pub const IDEMPOTENCY_FOR: Duration = Duration::from_secs(3600);
/// Old keys of an account that are looked at when it uses a new one.
const OLD_KEYS_MAX: usize = 16;

/// A post to be published. Its text was counted, and made into HTML with the
/// mentions given here.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Who writes it.
    pub author: Id,
    /// As typed.
    pub text: String,
    /// The same as clean HTML.
    pub content_html: String,
    /// Content warning.
    pub spoiler_text: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Media are hidden behind a warning.
    pub sensitive: bool,
    /// ISO 639 code.
    pub language: Option<String>,
    /// The post it answers.
    pub in_reply_to: Option<Id>,
    /// Accounts named in the text.
    pub mentions: Vec<Id>,
    /// Hashtags in the text, without `#`.
    pub tags: Vec<String>,
    /// Custom emojis in the text and the warning.
    pub emojis: Vec<CustomEmoji>,
    /// Uploads that it shows, in their order.
    pub media: Vec<Id>,
    /// The app it was written with.
    pub application: Option<Application>,
    /// Makes the same request twice give one post.
    pub idempotency_key: Option<String>,
    /// A poll that was found good.
    pub poll: Option<NewPoll>,
    /// The post it quotes.
    pub quote: Option<Id>,
    /// Who may quote it.
    pub quote_policy: QuotePolicy,
}

impl Draft {
    /// Ids that publishing it may take: reserve so many.
    pub fn ids_needed(&self) -> u16 {
        u16::try_from(self.mentions.len()).unwrap_or(u16::MAX).saturating_add(9)
    }
}

/// What publishing gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The post.
    pub status: Id,
    /// `false` if the same request had made it before.
    pub is_new: bool,
}

/// Publishes a post.
///
/// # Errors
/// When it is blank, answers a post that its author may not see, shows
/// uploads that it cannot, or the store fails.
pub fn publish(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    draft: &Draft,
) -> Result<Published, StatusError> {
    if draft.text.trim().is_empty() && draft.media.is_empty() && draft.quote.is_none() {
        return Err(StatusError::Blank);
    }
    if let Some(status) = published_before(tx, moment.now, draft)? {
        return Ok(Published { status, is_new: false });
    }
    let viewer = Viewer::account(draft.author, moment.now);
    let parent = match draft.in_reply_to.map(|id| seen(tx, viewer, id)).transpose() {
        Err(StatusError::NotFound) => return Err(StatusError::ReplyNotFound),
        other => other?.map(|(parent, _)| parent),
    };
    let quoted = draft.quote.map(|id| quote::begin(tx, moment, draft.author, id)).transpose()?;
    let is_narrow = quoted.as_ref().is_some_and(|(_, quoted)| !quoted.visibility.is_open());
    let author = tx.get(ACCOUNT, &draft.author)?.ok_or(StatusError::NotFound)?;
    // A quote reaches no more people than what it quotes.
    let (id, visibility) = (moment.id(), allowed(draft.visibility, &author));
    let mut status = Status {
        id,
        account: author.id,
        uri: site.status(author.id, id),
        url: Some(site.status_page(&author.username, id)),
        content_html: draft.content_html.clone(),
        text: draft.text.clone(),
        spoiler_text: draft.spoiler_text.clone(),
        visibility: if is_narrow && visibility.is_open() { Visibility::Private } else { visibility },
        sensitive: draft.sensitive || !draft.spoiler_text.is_empty(),
        language: draft.language.clone(),
        in_reply_to: parent.as_ref().map(|parent| parent.id),
        in_reply_to_account: parent.as_ref().map(|parent| parent.account),
        in_reply_to_uri: parent.map(|parent| parent.uri),
        created_at: moment.now,
        mentions: mentions(tx, &draft.mentions)?,
        tags: draft.tags.clone(),
        emojis: draft.emojis.clone(),
        attachments: media::attach(tx, moment.now, draft.author, id, &draft.media)?,
        application: draft.application.clone(),
        is_local: true,
        poll: draft.poll.as_ref().map(|poll| poll.asked(moment.now)),
        quote: quoted.map(|(quote, _)| quote),
        ..Status::default()
    };
    if let Some(mut poll) = status.poll.clone() {
        poll::watch(tx, moment, &status, &mut poll)?;
        status.poll = Some(poll);
    }
    status.quote_policy = Some(quote::bounded(status.visibility, draft.quote_policy.clone()));
    insert(tx, moment, &status, News::Fresh)?;
    if status.quote.is_some() {
        // With its thread, which is found when it is kept.
        let kept = tx.get(STATUS, &id)?.unwrap_or(status);
        quote::published(tx, moment, site, &kept)?;
    }
    census::count_week(tx, moment.now, WEEK_STATUSES);
    if let Some(key) = &draft.idempotency_key {
        tx.put(IDEMPOTENCY, &(author.id, key.clone()), &id);
    }
    Ok(Published { status: id, is_new: true })
}

/// Those who are limited do not reach everybody.
fn allowed(wished: Visibility, author: &Account) -> Visibility {
    if author.is_limited() && wished == Visibility::Public { Visibility::Unlisted } else { wished }
}

/// The post that the same key made within the hour. Cleans up a few keys
/// that are older.
fn published_before(tx: &mut WriteTx<'_>, now: Timestamp, draft: &Draft) -> Result<Option<Id>, StoreError> {
    let Some(key) = &draft.idempotency_key else { return Ok(None) };
    let is_current = |status: &Id| now.since(status.timestamp()) < IDEMPOTENCY_FOR;
    let before = tx.get(IDEMPOTENCY, &(draft.author, key.clone()))?.filter(is_current);
    if let Some(status) = before
        && tx.get(STATUS, &status)?.is_some()
    {
        return Ok(Some(status));
    }
    for (key, status) in tx.scan(IDEMPOTENCY, Scan::prefix(&(draft.author,)).limit(OLD_KEYS_MAX))? {
        if !is_current(&status) {
            tx.delete(IDEMPOTENCY, &key);
        }
    }
    Ok(None)
}

/// What a post keeps of those it names; one round trip. Accounts that are
/// gone are left out.
pub(super) fn mentions(tx: &ReadTx<'_>, accounts: &[Id]) -> Result<Vec<Mention>, StoreError> {
    let found = tx.get_many(ACCOUNT, accounts)?;
    let mention = |account: crate::model::Account| Mention {
        account: account.id,
        acct: account.acct(),
        username: account.username,
        url: account.url,
        uri: account.uri,
        is_silent: false,
    };
    Ok(found.into_iter().flatten().filter(|account| account.is_visible()).map(mention).collect())
}
