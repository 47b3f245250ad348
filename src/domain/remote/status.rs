//! Posts of other servers.

use super::accounts_by_uri;
use crate::base::{Id, Moment, Timestamp};
use crate::domain::moderation::server::rule_for_account;
use crate::domain::poll;
use crate::domain::status::{self, News, StatusError, id_for, insert, replace};
use crate::domain::tombstone;
use crate::domain::visibility::Viewer;
use crate::model::tables::{ACCOUNT, FOLLOWERS, STATUS, STATUS_BY_THREAD, STATUS_BY_URI, TombstoneRow};
use crate::model::{
    Account, Attachment, CustomEmoji, Mention, Poll, Quote, QuotePolicy, QuoteState, Site, Status, Visibility,
};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// A post as its server describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arrived {
    /// Its ActivityPub id.
    pub uri: String,
    /// Its author, who is known here.
    pub author: Id,
    /// Its page.
    pub url: Option<String>,
    /// Clean HTML.
    pub content_html: String,
    /// Content warning.
    pub spoiler_text: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Media are hidden behind a warning.
    pub sensitive: bool,
    /// ISO 639 code.
    pub language: Option<String>,
    /// ActivityPub id of the post it answers.
    pub in_reply_to: Option<String>,
    /// When it was written, if it says so.
    pub published: Option<Timestamp>,
    /// When it was changed.
    pub updated: Option<Timestamp>,
    /// Actor ids of those it names and is addressed to.
    pub mentions: Vec<String>,
    /// Actor ids of those it is addressed to without naming them.
    pub silent: Vec<String>,
    /// Hashtags without `#`.
    pub tags: Vec<String>,
    /// Pictures, films, sounds, without ids.
    pub attachments: Vec<Attachment>,
    /// Custom emojis.
    pub emojis: Vec<CustomEmoji>,
    /// Its poll.
    pub poll: Option<Poll>,
    /// ActivityPub id of the post it quotes, and of the leave to do so.
    pub quote: Option<(String, Option<String>)>,
    /// Who may quote it.
    pub quote_policy: Option<QuotePolicy>,
}

impl Arrived {
    /// Ids that keeping it may take.
    pub fn ids_needed(&self) -> u16 {
        let all = self.mentions.len() + self.silent.len() + self.attachments.len();
        u16::try_from(all).unwrap_or(u16::MAX).saturating_add(8)
    }
}

/// What became of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is new here.
    New(Id),
    /// It was known.
    Known(Id),
    /// It was deleted before, or its id is somebody else's.
    Refused,
}

impl Kept {
    /// Its id here.
    pub fn id(self) -> Option<Id> {
        match self {
            Kept::New(id) | Kept::Known(id) => Some(id),
            Kept::Refused => None,
        }
    }
}

/// Whether anybody here has to do with a post: follows its author, is named
/// in it, or is answered by it. Everything else would be other people's mail.
///
/// # Errors
/// Only the store's.
pub fn is_wanted(tx: &ReadTx<'_>, site: &Site, arrived: &Arrived) -> Result<bool, StoreError> {
    if !tx.scan(FOLLOWERS, Scan::prefix(&(arrived.author,)).limit(1))?.is_empty() {
        return Ok(true);
    }
    let named = arrived.mentions.iter().chain(&arrived.silent).any(|uri| site.owns(uri));
    Ok(named
        || parent(tx, arrived.author, arrived.in_reply_to.as_deref())?.is_some_and(|parent| parent.is_local))
}

/// Keeps a post of another server, once. Takes [`Arrived::ids_needed`] ids.
///
/// # Errors
/// Only the store's.
pub fn keep_status(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    arrived: &Arrived,
    news: News,
) -> Result<Kept, StoreError> {
    if let Some(id) = tx.get(STATUS_BY_URI, &arrived.uri)? {
        return Ok(Kept::Known(id));
    }
    let author = tx.get(ACCOUNT, &arrived.author)?;
    let Some(author) = author.filter(|author| !author.is_local() && author.is_visible()) else {
        return Ok(Kept::Refused);
    };
    if tombstone::is_known(tx, moment.now, &arrived.uri, &author.uri)? {
        return Ok(Kept::Refused);
    }
    // A post from the future would stay on top of every timeline.
    let created_at = arrived.published.unwrap_or(moment.now).min(moment.now);
    let parent = parent(tx, arrived.author, arrived.in_reply_to.as_deref())?;
    let mut new = content(tx, moment, site, arrived)?;
    new.id = id_for(tx, moment, created_at)?;
    new.created_at = created_at;
    new.visibility = arrived.visibility;
    new.in_reply_to = parent.as_ref().map(|parent| parent.id);
    new.in_reply_to_account = parent.map(|parent| parent.account);
    new.in_reply_to_uri = arrived.in_reply_to.clone();
    new.quote = quote(tx, arrived)?;
    insert(tx, moment, &new, news)?;
    Ok(Kept::New(new.id))
}

/// What it answers, as far as it is known. A post of ours that its author may
/// not see is not there: whoever guesses its id cannot hang anything under it.
fn parent(tx: &ReadTx<'_>, author: Id, uri: Option<&str>) -> Result<Option<Status>, StoreError> {
    let found = uri.map(|uri| status::by_uri(tx, uri)).transpose()?.flatten();
    let Some(found) = found.filter(|parent| !parent.is_reblog()) else { return Ok(None) };
    if !found.is_local {
        return Ok(Some(found));
    }
    // Who may see a post does not depend on when they look.
    match status::seen(tx, Viewer::account(author, Timestamp::default()), found.id) {
        Ok((post, _)) => Ok(Some(post)),
        Err(StatusError::Store(cause)) => Err(cause),
        Err(_) => Ok(None),
    }
}

/// What it quotes, unproven.
fn quote(tx: &ReadTx<'_>, arrived: &Arrived) -> Result<Option<Quote>, StoreError> {
    let Some((uri, approval)) = arrived.quote.clone() else { return Ok(None) };
    let known = status::by_uri(tx, &uri)?.filter(|quoted| !quoted.is_reblog());
    let (status, account) = known.map_or((None, None), |quoted| (Some(quoted.id), Some(quoted.account)));
    Ok(Some(Quote { uri, status, account, approval, ..Quote::default() }))
}

/// Of what it quotes only the leave to do so may change with an Update.
fn requote(tx: &mut WriteTx<'_>, old: Status, arrived: &Arrived) -> Status {
    let Some(quote) = old.quote.clone() else { return old };
    let stamp =
        arrived.quote.as_ref().filter(|(uri, _)| *uri == quote.uri).and_then(|(_, stamp)| stamp.clone());
    if quote.state != QuoteState::Pending || stamp.is_none() || stamp == quote.approval {
        return old;
    }
    Status::save_quote(tx, &old, Quote { approval: stamp, ..quote })
}

/// Who may quote it is no edit either.
fn repolicy(tx: &mut WriteTx<'_>, old: Status, arrived: &Arrived) -> Status {
    if old.quote_policy == arrived.quote_policy {
        return old;
    }
    let new = Status { quote_policy: arrived.quote_policy.clone(), ..old };
    tx.put(STATUS, &new.id, &new);
    new
}

/// The part of a record that an edit may change.
fn content(
    tx: &ReadTx<'_>,
    moment: &mut Moment,
    site: &Site,
    arrived: &Arrived,
) -> Result<Status, StoreError> {
    let author = tx.get(ACCOUNT, &arrived.author)?.unwrap_or_default();
    let is_bare = rule_for_account(tx, &author)?.is_some_and(|rule| rule.reject_media);
    let (mut attachments, mut emojis) = (arrived.attachments.clone(), arrived.emojis.clone());
    if is_bare {
        attachments.clear();
        emojis.clear();
    }
    for attachment in &mut attachments {
        attachment.id = moment.id();
    }
    Ok(Status {
        account: arrived.author,
        uri: arrived.uri.clone(),
        url: arrived.url.clone(),
        content_html: arrived.content_html.clone(),
        spoiler_text: arrived.spoiler_text.clone(),
        sensitive: arrived.sensitive || !arrived.spoiler_text.is_empty(),
        language: arrived.language.clone(),
        mentions: mentions(tx, site, arrived)?,
        tags: arrived.tags.clone(),
        attachments,
        emojis,
        poll: arrived.poll.clone(),
        quote_policy: arrived.quote_policy.clone(),
        ..Status::default()
    })
}

/// Those named, as far as they are known here.
fn mentions(tx: &ReadTx<'_>, site: &Site, arrived: &Arrived) -> Result<Vec<Mention>, StoreError> {
    let uris: Vec<String> = arrived.mentions.iter().chain(&arrived.silent).cloned().collect();
    let ids = accounts_by_uri(tx, site, &uris)?;
    let known: Vec<Id> = ids.iter().flatten().copied().collect();
    let accounts = tx.get_many(ACCOUNT, &known)?;
    let silent_from = ids[..arrived.mentions.len().min(ids.len())].iter().flatten().count();
    let mut all: Vec<Mention> = Vec::new();
    for (place, account) in accounts.into_iter().enumerate() {
        let Some(account) = account.filter(Account::is_visible) else { continue };
        if all.iter().all(|m| m.account != account.id) {
            all.push(mention(account, place >= silent_from));
        }
    }
    Ok(all)
}

fn mention(account: Account, is_silent: bool) -> Mention {
    Mention {
        account: account.id,
        acct: account.acct(),
        username: account.username,
        url: account.url,
        uri: account.uri,
        is_silent,
    }
}

/// Keeps a new version of a post that its author changed. Gives whether
/// there was something to change. Takes [`Arrived::ids_needed`] ids.
///
/// # Errors
/// Only the store's.
pub fn update_status(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    arrived: &Arrived,
) -> Result<bool, StoreError> {
    let old = status::by_uri(tx, &arrived.uri)?.filter(|old| old.account == arrived.author && !old.is_local);
    let Some(old) = old else { return Ok(false) };
    let (old, is_counted) = recount(tx, moment, old, arrived)?;
    let old = requote(tx, old, arrived);
    let old = repolicy(tx, old, arrived);
    let is_older = arrived.updated.zip(old.edited_at).is_some_and(|(this, kept)| this <= kept);
    if is_older {
        return Ok(is_counted);
    }
    let mut new = content(tx, moment, site, arrived)?;
    new.poll = arrived.poll.clone().map(|poll| poll::refreshed(old.poll.as_ref(), poll));
    if is_same(&old, &new) {
        return Ok(is_counted);
    }
    new.id = old.id;
    new.quote = old.quote.clone();
    new.edited_at = Some(arrived.updated.unwrap_or(moment.now).min(moment.now));
    replace(tx, moment, &old, &new)?;
    Ok(true)
}

/// New votes are no edit: they are taken over from every Update, also from
/// one that says it is no newer than what is kept.
fn recount(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    old: Status,
    arrived: &Arrived,
) -> Result<(Status, bool), StoreError> {
    let polls = old.poll.as_ref().zip(arrived.poll.clone());
    let Some((known, new)) = polls.filter(|(known, new)| known.asks_the_same(new)) else {
        return Ok((old, false));
    };
    let was_watched = known.is_watched;
    let mut poll = poll::refreshed(Some(known), new);
    if was_watched && !poll.is_watched {
        poll::watch(tx, moment, &old, &mut poll)?;
    }
    let is_changed = *known != poll;
    Status::save_poll(tx, &old, poll.clone());
    Ok((Status { poll: Some(poll), ..old }, is_changed))
}

fn is_same(old: &Status, new: &Status) -> bool {
    let urls = |s: &Status| -> Vec<_> {
        s.attachments.iter().map(|a| (a.remote_url.clone(), a.description.clone())).collect()
    };
    old.content_html == new.content_html
        && old.spoiler_text == new.spoiler_text
        && old.sensitive == new.sensitive
        && old.tags == new.tags
        && urls(old) == urls(new)
        && match (&old.poll, &new.poll) {
            (Some(old), Some(new)) => old.asks_the_same(new),
            (old, new) => old.is_none() && new.is_none(),
        }
}

/// Deletes a post or boost of `author`, and remembers that it is gone, also
/// when it never came: the Delete may be faster than the Create.
///
/// # Errors
/// Only the store's.
pub fn delete_status(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    author: &Account,
    uri: &str,
) -> Result<bool, StoreError> {
    match status::by_uri(tx, uri)? {
        Some(known) if known.account == author.id && !known.is_local => {
            status::remove(tx, moment, &known)?;
            Ok(true)
        }
        Some(_) => Ok(false),
        // The first grave stays: a post has one author, and others may lie.
        None if tombstone::of(tx, moment.now, uri)?.is_some() => Ok(false),
        None => {
            let row = TombstoneRow {
                deleted_at: moment.now,
                former_type: String::new(),
                actor_uri: author.uri.clone(),
            };
            tombstone::put(tx, uri, &row);
            Ok(false)
        }
    }
}

/// Posts of a thread that move with its first one.
const THREAD_MAX_ROWS: usize = 1000;

/// Hangs a post, with what hangs under it, under its parent that came later
/// than it. One that is [`News::Fresh`] is brought to its author's followers,
/// who did not get it as an answer to nothing known. Takes one id.
///
/// # Errors
/// Only the store's.
pub fn link_parent(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    child: Id,
    news: News,
) -> Result<bool, StoreError> {
    let Some(old) = tx.get(STATUS, &child)?.filter(|child| child.in_reply_to.is_none()) else {
        return Ok(false);
    };
    let parent = parent(tx, old.account, old.in_reply_to_uri.as_deref())?;
    // One that is below it says that the thread bites its tail.
    let Some(parent) = parent.filter(|parent| parent.id != child && parent.thread != old.thread) else {
        return Ok(false);
    };
    move_answers(tx, &old, parent.thread)?;
    let new = Status {
        in_reply_to: Some(parent.id),
        in_reply_to_account: Some(parent.account),
        thread: parent.thread,
        ..old.clone()
    };
    Status::save(tx, Some(&old), &new);
    if new.visibility.is_open() {
        let replies = (crate::model::tables::count::REPLIES, parent.id);
        tx.add(crate::model::tables::COUNT, &replies, 1);
    }
    if news == News::Fresh {
        status::tell_followers(tx, moment, &new)?;
    }
    Ok(true)
}

/// The answers below the first post of a thread come with it to another one.
fn move_answers(tx: &mut WriteTx<'_>, first: &Status, thread: Id) -> Result<(), StoreError> {
    let rows = tx.scan(STATUS_BY_THREAD, Scan::prefix(&(first.thread,)).limit(THREAD_MAX_ROWS))?;
    let ids: Vec<Id> = rows.into_iter().map(|((_, id), _)| id).filter(|id| *id != first.id).collect();
    for answer in tx.get_many(STATUS, &ids)?.into_iter().flatten() {
        Status::save(tx, Some(&answer), &Status { thread, ..answer.clone() });
    }
    Ok(())
}
