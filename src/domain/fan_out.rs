//! Bringing a post to everybody: rows in the home timelines of local
//! followers, deliveries to the servers of remote ones.
//!
//! The job that does it reads a [`Plan`], takes [`step`]s of a bounded number
//! of followers, and in a last transaction enqueues one delivery for each
//! server and is done. All of it may run again after a crash: rows are keyed
//! by the post, and the deliveries come into being together with the end of
//! the job. Must not know how a post is written as JSON; that is handed in.

use super::delivery::{Delivery, Targets, deliver, deliver_post, say};
use super::domain_block::turned_away;
use super::notification::{News, notify_as};
use super::timeline::{insert_home, insert_list, insert_tagged, list_wants, wants};
use super::visibility::{Between, Viewer, can_see};
use crate::base::{Id, Moment, Timestamp};
use crate::domain::status::Departed;
use crate::model::queue::{ActivityKind, Body, OrderKey, Outgoing, Verb};
use crate::model::tables::{
    ACCOUNT, FOLLOWERS, HOME_TIMELINE, LIST, POLL_VOTERS, RELATION, STATUS, STATUS_FAVOURITES,
    STATUS_REBLOGS, TAG_FOLLOWERS,
};
use crate::model::{Account, Event, List, NotificationKind, Relation, Status, Visibility};
use crate::store::{ReadTx, Scan, StoreError, Value, WriteTx};

/// Followers that one transaction takes.
pub const STEP_MAX: usize = 500;
/// People who liked or boosted a post and are told of its edit.
const REACHED_MAX: usize = 500;
/// Hashtags of one post whose followers get it.
const TAGS_MAX: usize = 32;
/// ActivityStreams' name for everybody.
const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// What is to be told of a post, and whom besides the author's followers.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The post or boost; of a deleted one its last version.
    pub status: Status,
    /// Its author or booster.
    pub author: Account,
    /// Of a boost: the boosted post.
    pub original: Option<Status>,
    /// What happened to it.
    pub verb: Verb,
    /// Others whom it concerns: mentioned, boosted, or holding a copy.
    pub concerned: Vec<Account>,
}

/// Reads what a fan-out job is about; `None` when there is nothing left to
/// tell. `body` is the job's.
///
/// # Errors
/// Only the store's.
pub fn plan(tx: &ReadTx<'_>, status: Id, verb: Verb, body: &Body) -> Result<Option<Plan>, StoreError> {
    let (status, mut concerned) = match verb {
        Verb::Create => (tx.get(STATUS, &status)?, Vec::new()),
        Verb::Update | Verb::Tally => (tx.get(STATUS, &status)?, copies(tx, status, verb)?),
        Verb::Delete => match body.unpack().ok().and_then(|bytes| Departed::from_bytes(&bytes).ok()) {
            Some(departed) => (Some(departed.status), departed.reached),
            None => (None, Vec::new()),
        },
    };
    let Some(mut status) = status else { return Ok(None) };
    let Some(author) = tx.get(ACCOUNT, &status.account)? else { return Ok(None) };
    status.sensitive |= author.is_local() && author.sensitized_at.is_some();
    if verb != Verb::Delete {
        concerned = still_seen_by(tx, &status, &author, &concerned)?;
    }
    // Suspended in the meantime: only what takes back may still go out.
    if author.suspended_at.is_some() && verb != Verb::Delete {
        return Ok(None);
    }
    let original = status.reblog_of.map(|id| tx.get(STATUS, &id)).transpose()?.flatten();
    if status.is_reblog() && original.is_none() && verb == Verb::Create {
        return Ok(None);
    }
    concerned.extend(status.mentions.iter().map(|mention| mention.account));
    concerned.extend(status.reblog_of_account);
    concerned.extend(status.in_reply_to_account.filter(|_| status.visibility.is_open()));
    concerned.sort();
    concerned.dedup();
    let concerned = tx.get_many(ACCOUNT, &concerned)?.into_iter().flatten().collect();
    Ok(Some(Plan { status, author, original, verb, concerned }))
}

/// Those who liked or boosted a post, or voted in its poll where the votes
/// are told: their servers hold a copy.
fn copies(tx: &ReadTx<'_>, status: Id, verb: Verb) -> Result<Vec<Id>, StoreError> {
    let mut all = Vec::new();
    for table in [STATUS_REBLOGS, STATUS_FAVOURITES] {
        let rows = tx.scan(table, Scan::prefix(&(status,)).limit(REACHED_MAX))?;
        all.extend(rows.into_iter().map(|(_, account)| account));
    }
    if verb == Verb::Tally {
        let voters = tx.scan(POLL_VOTERS, Scan::prefix(&(status,)).limit(REACHED_MAX))?;
        all.extend(voters.into_iter().map(|((_, voter), ())| voter));
    }
    Ok(all)
}

/// Those of these who may see a post now: whoever liked it as a follower and
/// is none any more is not sent what it was changed to.
fn still_seen_by(
    tx: &ReadTx<'_>,
    status: &Status,
    author: &Account,
    all: &[Id],
) -> Result<Vec<Id>, StoreError> {
    if status.visibility.is_open() {
        return Ok(all.to_vec());
    }
    let relations = between(tx.get_many(RELATION, &pairs(all, Some(author.id)))?);
    // Who may see a post does not depend on when they look.
    let sees = |who: Id, between: &Between| {
        can_see(Viewer::account(who, Timestamp::default()), status, author, between)
    };
    let seen = all.iter().zip(&relations).filter(|(who, between)| sees(**who, between));
    Ok(seen.map(|(who, _)| *who).collect())
}

/// What one step found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// Inbox and shared inbox of remote followers.
    pub inboxes: Vec<(String, Option<String>)>,
    /// Where the next step begins; `None` after the last.
    pub next: Option<Id>,
}

/// Brings a post to the next [`STEP_MAX`] followers, beginning after `after`
/// (first [`Id::ZERO`]).
///
/// # Errors
/// Only the store's.
pub fn step(tx: &mut WriteTx<'_>, moment: &Moment, plan: &Plan, after: Id) -> Result<Step, StoreError> {
    if plan.status.visibility == Visibility::Direct {
        let mentioned: Vec<Id> = plan.status.mentions.iter().map(|mention| mention.account).collect();
        bring_home(tx, moment, plan, &mentioned)?;
        return Ok(Step::default());
    }
    let range = Scan::prefix(&(plan.author.id,)).after(&(plan.author.id, after)).limit(STEP_MAX);
    let rows = tx.scan(FOLLOWERS, range)?;
    let next = rows.last().filter(|_| rows.len() == STEP_MAX).map(|((_, follow), _)| *follow);
    let followers: Vec<Id> = rows.into_iter().map(|(_, follower)| follower).collect();
    let accounts: Vec<Account> = tx.get_many(ACCOUNT, &followers)?.into_iter().flatten().collect();
    let (local, remote): (Vec<Account>, Vec<Account>) = accounts.into_iter().partition(Account::is_local);
    let mut readers: Vec<Id> = local.iter().map(|account| account.id).collect();
    if after == Id::ZERO && plan.author.is_local() {
        // One may be on a list of one's own.
        readers.push(plan.author.id);
    }
    bring_home(tx, moment, plan, &readers)?;
    let inboxes = if plan.author.is_local() {
        remote.into_iter().map(|account| (account.inbox, account.shared_inbox)).collect()
    } else {
        Vec::new()
    };
    Ok(Step { inboxes, next })
}

/// Rows for those of these accounts who follow the author and want the post,
/// and for their lists.
fn bring_home(tx: &mut WriteTx<'_>, moment: &Moment, plan: &Plan, accounts: &[Id]) -> Result<(), StoreError> {
    if plan.verb != Verb::Create || accounts.is_empty() {
        return Ok(());
    }
    let (status, entry) = (&plan.status, plan.status.entry());
    let mut told = Vec::new();
    for reader in readers(tx, moment, plan, accounts)? {
        if !reader.is_open(status, moment.now) {
            continue;
        }
        let account = reader.viewer.id.unwrap_or_default();
        if reader.wants(status) {
            if !reader.lists.iter().any(|list| list.is_exclusive) {
                insert_home(tx, account, status.id, &entry)?;
                Event::Home { account, status: status.id }.emit(tx);
            }
            if reader.wants_news(status) {
                told.push(account);
            }
        }
        for list in reader.lists.iter().filter(|list| reader.wants_on(list, status)) {
            insert_list(tx, list.id, status.id, &entry)?;
            Event::Listed { list: list.id, status: status.id }.emit(tx);
        }
    }
    let news = News { kind: NotificationKind::Status, from: status.account, status: Some(status.id) };
    notify_as(tx, moment, &told, status.id, news)
}

/// Somebody whom a post may reach, and what decides whether it does.
struct Reader {
    viewer: Viewer,
    /// To the author.
    to: Relation,
    answered: Between,
    boosted: Between,
    /// Their lists on which the author is.
    lists: Vec<List>,
}

/// Two round trips, one where nobody has the author on a list.
fn readers(
    tx: &ReadTx<'_>,
    moment: &Moment,
    plan: &Plan,
    accounts: &[Id],
) -> Result<Vec<Reader>, StoreError> {
    let status = &plan.status;
    let mut batch = tx.batch();
    let to_author: Vec<(Id, Id)> = accounts.iter().map(|account| (*account, status.account)).collect();
    let to_author = batch.get_many(RELATION, &to_author);
    let answered = batch.get_many(RELATION, &pairs(accounts, status.in_reply_to_account));
    let boosted = batch.get_many(RELATION, &pairs(accounts, status.reblog_of_account));
    let fetched = batch.fetch()?;
    let to_author = fetched.take(to_author)?;
    let mut answered = between(fetched.take(answered)?).into_iter();
    let mut boosted = between(fetched.take(boosted)?).into_iter();
    let mut readers: Vec<Reader> = Vec::new();
    for (account, to) in accounts.iter().zip(to_author) {
        readers.push(Reader {
            viewer: Viewer::account(*account, moment.now),
            to: to.unwrap_or_default(),
            answered: answered.next().unwrap_or_default(),
            boosted: boosted.next().unwrap_or_default(),
            lists: Vec::new(),
        });
    }
    let places = |reader: &Reader| {
        let owner = reader.viewer.id.unwrap_or_default();
        reader.to.lists.iter().map(|place| (owner, place.list)).collect::<Vec<(Id, Id)>>()
    };
    let keys: Vec<(Id, Id)> = readers.iter().flat_map(places).collect();
    let mut rows = tx.get_many(LIST, &keys)?.into_iter();
    for reader in &mut readers {
        reader.lists = rows.by_ref().take(reader.to.lists.len()).flatten().collect();
    }
    Ok(readers)
}

impl Reader {
    /// Whether posts of this author, in this language, are read at all.
    fn is_open(&self, status: &Status, now: Timestamp) -> bool {
        let is_muted = self.to.mute.as_ref().is_some_and(|mute| mute.holds(now));
        let languages = self.to.follow.as_ref().map(|follow| &follow.languages).filter(|all| !all.is_empty());
        let speaks = languages
            .is_none_or(|known| status.language.as_ref().is_none_or(|language| known.contains(language)));
        self.to.block.is_none() && !is_muted && speaks
    }

    /// Whether it is for their home timeline.
    fn wants(&self, status: &Status) -> bool {
        let Some(follow) = &self.to.follow else { return false };
        let is_named = self.viewer.id.is_some_and(|me| status.mentions(me));
        is_named
            || !is_lost(status) && wants(self.viewer, follow, &status.entry(), &self.answered, &self.boosted)
    }

    /// Whether they are notified of it. Whoever is named is told of that.
    fn wants_news(&self, status: &Status) -> bool {
        let is_named = self.viewer.id.is_some_and(|me| status.mentions(me));
        self.to.follow.as_ref().is_some_and(|follow| follow.notify) && !status.is_reblog() && !is_named
    }

    /// Whether it is for one of their lists.
    fn wants_on(&self, list: &List, status: &Status) -> bool {
        status.visibility != Visibility::Direct
            && !is_lost(status)
            && list_wants(self.viewer, list, &self.to, &status.entry(), (&self.answered, &self.boosted))
    }
}

/// An answer to a post that is not known here is one to a stranger.
fn is_lost(status: &Status) -> bool {
    status.in_reply_to.is_none() && status.in_reply_to_uri.is_some()
}

/// Where the walk along the followers of a post's hashtags is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TagPlace {
    tag: usize,
    after: Id,
}

/// Brings a public post to the next [`STEP_MAX`] followers of its hashtags,
/// after all [`step`]s; gives where to go on.
///
/// # Errors
/// Only the store's.
pub fn step_tags(
    tx: &mut WriteTx<'_>,
    moment: &Moment,
    plan: &Plan,
    at: TagPlace,
) -> Result<Option<TagPlace>, StoreError> {
    let tags = plan.listed_tags();
    let Some(tag) = tags.get(at.tag) else { return Ok(None) };
    let range = Scan::prefix(&(tag.clone(),)).after(&(tag.clone(), at.after)).limit(STEP_MAX);
    let readers: Vec<Id> =
        tx.scan(TAG_FOLLOWERS, range)?.into_iter().map(|((_, reader), ())| reader).collect();
    bring_tagged(tx, moment, plan, tag, &readers)?;
    let next = match readers.last().filter(|_| readers.len() == STEP_MAX) {
        Some(last) => TagPlace { after: *last, ..at },
        None => TagPlace { tag: at.tag + 1, after: Id::ZERO },
    };
    Ok((next.tag < tags.len()).then_some(next))
}

/// Rows for those of these followers of a hashtag who do not have the post
/// already and have not turned away from its author.
fn bring_tagged(
    tx: &mut WriteTx<'_>,
    moment: &Moment,
    plan: &Plan,
    tag: &str,
    readers: &[Id],
) -> Result<(), StoreError> {
    let status = &plan.status;
    let readers: Vec<Id> = readers.iter().copied().filter(|reader| *reader != status.account).collect();
    let rows: Vec<(Id, Id)> = readers.iter().map(|reader| (*reader, status.id)).collect();
    let mut batch = tx.batch();
    let relations = batch.get_many(RELATION, &pairs(&readers, Some(status.account)));
    let rows = batch.get_many(HOME_TIMELINE, &rows);
    let found = batch.fetch()?;
    let relations = between(found.take(relations)?);
    let away = turned_away(tx, &readers, status.account)?;
    let entry = status.entry();
    for ((reader, row), relation) in readers.iter().zip(found.take(rows)?).zip(relations) {
        if relation.is_silenced(moment.now) || away.contains(reader) {
            continue;
        }
        if insert_tagged(tx, *reader, status.id, &entry, (tag, row))? {
            Event::Home { account: *reader, status: status.id }.emit(tx);
        }
    }
    Ok(())
}

/// Both directions between each account and another; nothing without another.
fn pairs(accounts: &[Id], other: Option<Id>) -> Vec<(Id, Id)> {
    let Some(other) = other else { return Vec::new() };
    accounts.iter().flat_map(|account| [(*account, other), (other, *account)]).collect()
}

fn between(rows: Vec<Option<Relation>>) -> Vec<Between> {
    let mut rows = rows.into_iter().map(Option::unwrap_or_default);
    let mut all = Vec::new();
    while let (Some(to), Some(from)) = (rows.next(), rows.next()) {
        all.push(Between { to, from, ..Between::default() });
    }
    all
}

impl Plan {
    /// The hashtags whose followers get the post; none where it is not new,
    /// not public, or by somebody who is limited.
    fn listed_tags(&self) -> Vec<String> {
        let is_listed = self.verb == Verb::Create
            && self.status.visibility == Visibility::Public
            && !self.status.is_reblog()
            && !self.author.is_limited();
        let mut tags = if is_listed { self.status.tag_keys() } else { Vec::new() };
        tags.truncate(TAGS_MAX);
        tags
    }

    /// Where [`step_tags`] begins; `None` where there is nothing to do.
    pub fn first_tag(&self) -> Option<TagPlace> {
        (!self.listed_tags().is_empty()).then(TagPlace::default)
    }

    /// Whether other servers are told at all.
    pub fn is_told(&self) -> bool {
        self.author.is_local()
    }

    /// The inboxes of those whom it concerns; add those of each [`Step`].
    pub fn targets(&self) -> Targets {
        let mut targets = Targets::new();
        for account in self.concerned.iter().filter(|account| !account.is_local()) {
            // A server's shared inbox would show a direct post to more people
            // there than it is for.
            let is_direct = self.status.visibility == Visibility::Direct;
            let shared = account.shared_inbox.as_deref().filter(|_| !is_direct);
            targets.add(&account.inbox, shared);
        }
        targets
    }

    /// What it says when it is sent.
    pub fn kind(&self) -> ActivityKind {
        match (self.verb, self.status.is_reblog()) {
            (Verb::Create, false) => ActivityKind::Create,
            (Verb::Create, true) => ActivityKind::Announce,
            (Verb::Update, _) => ActivityKind::Update,
            (Verb::Tally, _) => ActivityKind::UpdateTally,
            (Verb::Delete, false) => ActivityKind::Delete,
            (Verb::Delete, true) => ActivityKind::Undo,
        }
    }

    /// Addressees, `to` then `cc`, as actor and collection ids.
    pub fn audience(&self) -> (Vec<String>, Vec<String>) {
        let everybody = || PUBLIC.to_owned();
        let followers = || self.author.followers_uri.clone();
        let mut named: Vec<String> = self.status.mentions.iter().map(|mention| mention.uri.clone()).collect();
        let boosted = self.concerned.iter().find(|account| Some(account.id) == self.status.reblog_of_account);
        named.extend(boosted.map(|account| account.uri.clone()));
        let with = |first: String| std::iter::once(first).chain(named.clone()).collect();
        match self.status.visibility {
            Visibility::Public => (vec![everybody()], with(followers())),
            Visibility::Unlisted => (vec![followers()], with(everybody())),
            Visibility::Private => (vec![followers()], named),
            Visibility::Direct => (named, Vec::new()),
        }
    }

    /// Of a deletion: what is said. Of anything else: `None`, because it
    /// carries the whole post.
    fn farewell(&self) -> Option<Outgoing> {
        if self.verb != Verb::Delete {
            return None;
        }
        let (to, cc) = self.audience();
        let (actor, object) = (self.author.uri.clone(), self.status.uri.clone());
        if !self.status.is_reblog() {
            return Some(Outgoing::DeleteStatus { id: format!("{object}#delete"), actor, object, to, cc });
        }
        let boosted = self.original.as_ref().map(|original| original.uri.clone()).unwrap_or_default();
        Some(Outgoing::UndoAnnounce {
            id: format!("{object}#undo"),
            actor,
            announce: object,
            object: boosted,
            to,
            cc,
        })
    }
}

/// Enqueues one delivery for each target. `body` is the Create, Update or
/// Announce as JSON; a deletion needs none. Call it in the transaction that
/// ends the job. Takes one id.
///
/// # Errors
/// Only the store's.
pub fn send(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    plan: &Plan,
    body: Option<&Body>,
    targets: &Targets,
) -> Result<(), StoreError> {
    if !plan.is_told() {
        return Ok(());
    }
    let (actor, order) = (plan.author.id, OrderKey::of(plan.status.id));
    if let Some(farewell) = plan.farewell() {
        say(tx, moment, actor, farewell, order, targets)?;
    } else if let Some(body) = body {
        let delivery = Delivery { actor, kind: plan.kind(), order, lane: None, body: body.clone() };
        if plan.kind() == ActivityKind::Create {
            deliver_post(tx, moment, plan.status.id, &delivery, targets)?;
        } else {
            deliver(tx, moment, &delivery, targets)?;
        }
    }
    Ok(())
}
