//! Posts with everything a page or an API answer shows of them, read in
//! batches: a page of forty costs two round trips, or three where threads
//! may be muted.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::base::Id;
use crate::domain::filter::{Match, Matcher};
use crate::domain::visibility::{Between, Relations, Viewer, can_see, note_barred, note_domains, pair_up};
use crate::model::tables::{
    ACCOUNT, ACCOUNT_BY_URI, BLOCKED_DOMAINS, COUNT, FILTERS, INTERACTION, PREVIEW_CARD, RELATION, STATUS,
    USER, count,
};
use crate::model::{
    Account, FilterContext, Interaction, PreviewCard, QuoteState, Role, Status, TimelineEntry, User,
};
use crate::store::{ReadTx, StoreError};

/// An account with its counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The account.
    pub account: Account,
    /// Its posts and boosts.
    pub statuses: u64,
    /// Who follows it.
    pub followers: u64,
    /// Whom it follows.
    pub following: u64,
    /// The role of whoever runs this server; `None` for everybody else.
    pub role: Option<Role>,
    /// Where they moved, as far as that account is known. Only where people
    /// are loaded for themselves, not as authors.
    pub moved: Option<Arc<Person>>,
}

/// Counts of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Answers.
    pub replies: u64,
    /// Boosts.
    pub reblogs: u64,
    /// Likes.
    pub favourites: u64,
    /// Quotes.
    pub quotes: u64,
}

/// What the viewer did with a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// Liked it.
    pub favourited: bool,
    /// Boosted it.
    pub reblogged: bool,
    /// Bookmarked it.
    pub bookmarked: bool,
    /// Muted its thread.
    pub muted: bool,
    /// Pinned it to their profile.
    pub pinned: bool,
}

/// A poll as the viewer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PollMarks {
    /// Voting has ended.
    pub is_over: bool,
    /// What the viewer voted for; empty for nothing.
    pub choices: Vec<u8>,
    /// The viewer asks it.
    pub is_own: bool,
}

/// A quoted post as the viewer of the quote may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteView {
    /// The API's word for whether it is shown, and why not.
    pub state: &'static str,
    /// The quoted post; in some states it is there and better not shown.
    pub quoted: Option<Box<Loaded>>,
}

/// A post that the viewer may see, with all that is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The post or boost.
    pub status: Status,
    /// Who wrote or boosted it.
    pub author: Arc<Person>,
    /// For a boost: the boosted post.
    pub reblog: Option<Box<Loaded>>,
    /// Counts of the post that is shown; a boost has those of its original.
    pub counts: Counts,
    /// The viewer's marks on the post that is shown; `None` for nobody.
    pub marks: Option<Marks>,
    /// Of its own poll; `None` where it has none.
    pub poll: Option<PollMarks>,
    /// What it quotes; `None` where it quotes nothing, and in a quoted post.
    pub quote: Option<QuoteView>,
    /// What viewer and author have to do with each other.
    pub between: Between,
    /// The viewer has muted or blocked somebody in it, or is blocked: it
    /// stays out of timelines and can still be opened.
    pub is_silenced: bool,
    /// The preview of its link, if there is one to be shown.
    pub card: Option<Arc<PreviewCard>>,
    /// Who wrote the page behind it, if that is somebody we know.
    pub card_author: Option<Arc<Person>>,
    /// The viewer's filters that it matches; a boost those of its original.
    pub filtered: Vec<Match>,
}

impl Loaded {
    /// Whether a filter of the viewer keeps it out of lists of this kind.
    pub fn is_hidden(&self, context: FilterContext) -> bool {
        self.filtered.iter().any(|found| found.hides(context))
    }

    /// The post whose content is shown: itself, or the boosted one.
    pub fn shown(&self) -> &Loaded {
        self.reblog.as_deref().unwrap_or(self)
    }

    /// Whether a moderator keeps it from those who do not look for it: from
    /// everybody in public timelines, from those who do not follow its author
    /// elsewhere.
    pub fn is_limited_to(&self, viewer: Viewer) -> bool {
        self.author.account.is_limited() && !viewer.is(self.status.account)
    }
}

/// Loads posts by their ids, in that order; `None` for those that are
/// missing or that the viewer may not see.
///
/// # Errors
/// Only the store's.
pub fn load(tx: &ReadTx<'_>, viewer: Viewer, ids: &[Id]) -> Result<Vec<Option<Loaded>>, StoreError> {
    let found = tx.get_many(STATUS, ids)?;
    let known: Vec<Status> = found.into_iter().flatten().collect();
    let rows: Vec<(Id, TimelineEntry)> = known.iter().map(|status| (status.id, status.entry())).collect();
    let known: HashMap<Id, Status> = known.into_iter().map(|status| (status.id, status)).collect();
    let loaded = load_known(tx, viewer, &rows, known)?;
    let mut by_id: HashMap<Id, Loaded> =
        loaded.into_iter().flatten().map(|loaded| (loaded.status.id, loaded)).collect();
    // An id asked for twice is given once.
    Ok(ids.iter().map(|id| by_id.remove(id)).collect())
}

/// Loads one post.
///
/// # Errors
/// Only the store's.
pub fn load_one(tx: &ReadTx<'_>, viewer: Viewer, id: Id) -> Result<Option<Loaded>, StoreError> {
    Ok(load(tx, viewer, &[id])?.pop().flatten())
}

/// Loads the posts of timeline rows, in their order; `None` for those that
/// are missing or that the viewer may not see.
///
/// # Errors
/// Only the store's.
pub fn load_rows(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    rows: &[(Id, TimelineEntry)],
) -> Result<Vec<Option<Loaded>>, StoreError> {
    load_known(tx, viewer, rows, HashMap::new())
}

/// Loads accounts with their counts, in order; `None` for those that are
/// missing, suspended, deleted or not let in yet. One round trip, two more where some moved.
///
/// # Errors
/// Only the store's.
pub fn load_people(tx: &ReadTx<'_>, ids: &[Id]) -> Result<Vec<Option<Arc<Person>>>, StoreError> {
    let all = load_everybody(tx, ids)?;
    Ok(all.into_iter().map(|person| person.filter(|p| p.account.is_visible())).collect())
}

/// Like [`load_people`], with those who may not be shown: for moderators, and to say of somebody that they are suspended.
///
/// # Errors
/// Only the store's.
pub fn load_everybody(tx: &ReadTx<'_>, ids: &[Id]) -> Result<Vec<Option<Arc<Person>>>, StoreError> {
    let mut people = load_unmoved(tx, ids)?;
    let addresses: Vec<String> =
        people.iter().flatten().filter_map(|person| person.account.moved_to.clone()).collect();
    if addresses.is_empty() {
        return Ok(people);
    }
    let targets: Vec<Id> = tx.get_many(ACCOUNT_BY_URI, &addresses)?.into_iter().flatten().collect();
    let targets: Vec<Arc<Person>> = load_unmoved(tx, &targets)?.into_iter().flatten().collect();
    for person in people.iter_mut().flatten() {
        let to = person.account.moved_to.as_ref();
        let target = targets.iter().find(|target| to == Some(&target.account.uri));
        if let Some(target) = target.filter(|target| target.account.is_visible()) {
            *person = Arc::new(Person { moved: Some(target.clone()), ..Person::clone(person) });
        }
    }
    Ok(people)
}

fn load_unmoved(tx: &ReadTx<'_>, ids: &[Id]) -> Result<Vec<Option<Arc<Person>>>, StoreError> {
    let mut batch = tx.batch();
    let accounts = batch.get_many(ACCOUNT, ids);
    let users = batch.get_many(USER, ids);
    let counts = batch.count_many(COUNT, &person_counts(ids));
    let fetched = batch.fetch()?;
    let people = people(ids, fetched.take(accounts)?, &fetched.take(users)?, &fetched.counts(counts));
    Ok(ids.iter().map(|id| people.get(id).cloned()).collect())
}

/// Everything that one batch found.
struct Found {
    statuses: HashMap<Id, Status>,
    people: HashMap<Id, Arc<Person>>,
    counts: HashMap<Id, Counts>,
    interactions: HashMap<Id, Interaction>,
    relations: Relations,
    /// Threads that the viewer muted.
    muted: BTreeSet<Id>,
    /// By link.
    cards: HashMap<String, Arc<PreviewCard>>,
    /// Who wrote their pages.
    card_authors: HashMap<Id, Arc<Person>>,
    /// What the viewer does not want to read.
    filters: Matcher,
}

fn load_known(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    rows: &[(Id, TimelineEntry)],
    known: HashMap<Id, Status>,
) -> Result<Vec<Option<Loaded>>, StoreError> {
    let found = find(tx, viewer, rows, known)?;
    let mut all: Vec<Option<Loaded>> = rows.iter().map(|(id, _)| assemble(&found, viewer, *id)).collect();
    add_quotes(tx, viewer, all.iter_mut().flatten())?;
    Ok(all)
}

/// The posts that quote something: themselves, or what they boost.
fn quoting(loaded: &mut Loaded) -> &mut Loaded {
    if loaded.reblog.is_none() {
        return loaded;
    }
    loaded.reblog.as_mut().expect("it was looked at just now")
}

/// Adds what posts quote: two more round trips where any does, and none
/// where none does. What is quoted in a quoted post is not looked for.
fn add_quotes<'a>(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    all: impl Iterator<Item = &'a mut Loaded>,
) -> Result<(), StoreError> {
    let mut quoting: Vec<&mut Loaded> = all.map(quoting).filter(|l| l.status.quote.is_some()).collect();
    if quoting.is_empty() {
        return Ok(());
    }
    let accepted = |l: &Loaded| l.status.quote.as_ref().filter(|q| q.state == QuoteState::Accepted)?.status;
    let ids = distinct(quoting.iter().filter_map(|loaded| accepted(loaded)));
    let known: HashMap<Id, Status> =
        tx.get_many(STATUS, &ids)?.into_iter().flatten().map(|status| (status.id, status)).collect();
    let rows: Vec<(Id, TimelineEntry)> = known.values().map(|status| (status.id, status.entry())).collect();
    let there: BTreeSet<Id> = known.keys().copied().collect();
    let found = find(tx, viewer, &rows, known)?;
    for loaded in &mut quoting {
        let Some(quote) = &loaded.status.quote else { continue };
        loaded.quote = Some(match (quote.state, quote.status) {
            (QuoteState::Accepted, Some(id)) => accepted_quote(&found, viewer, id, there.contains(&id)),
            (QuoteState::Accepted, None) => QuoteView { state: "deleted", quoted: None },
            (state, _) => QuoteView { state: state.word(), quoted: None },
        });
    }
    Ok(())
}

fn accepted_quote(found: &Found, viewer: Viewer, id: Id, is_there: bool) -> QuoteView {
    let Some(quoted) = assemble(found, viewer, id) else {
        return QuoteView { state: if is_there { "unauthorized" } else { "deleted" }, quoted: None };
    };
    let is_muted = quoted.between.to.mute.as_ref().is_some_and(|mute| mute.holds(viewer.now));
    let state = match () {
        () if quoted.between.to.block.is_some() => "blocked_account",
        () if quoted.between.is_domain_blocked => "blocked_domain",
        () if is_muted => "muted_account",
        () => "accepted",
    };
    QuoteView { state, quoted: Some(Box::new(quoted)) }
}

fn find(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    rows: &[(Id, TimelineEntry)],
    mut known: HashMap<Id, Status>,
) -> Result<Found, StoreError> {
    let all: BTreeSet<Id> =
        rows.iter().flat_map(|(id, entry)| [Some(*id), entry.reblog_of]).flatten().collect();
    let missing: Vec<Id> = all.into_iter().filter(|id| !known.contains_key(id)).collect();
    let shown = distinct(rows.iter().map(|(id, entry)| entry.reblog_of.unwrap_or(*id)));
    let authors = distinct(rows.iter().flat_map(|(_, e)| [Some(e.account), e.reblog_of_account]).flatten());
    // Of those who are answered only the relation matters: answers to people
    // one has muted stay out of timelines.
    let others =
        distinct(authors.iter().copied().chain(rows.iter().filter_map(|(_, e)| e.in_reply_to_account)));
    let (pairs, marked) = match viewer.id {
        None => (Vec::new(), Vec::new()),
        Some(me) => (
            others.iter().flat_map(|other| [(me, *other), (*other, me)]).collect(),
            shown.iter().map(|id| (me, *id)).collect::<Vec<(Id, Id)>>(),
        ),
    };
    let mut batch = tx.batch();
    let statuses = batch.get_many(STATUS, &missing);
    let accounts = batch.get_many(ACCOUNT, &authors);
    let users = batch.get_many(USER, &authors);
    let person_counts = batch.count_many(COUNT, &person_counts(&authors));
    let status_counts = batch.count_many(COUNT, &status_counts(&shown));
    let interactions = batch.get_many(INTERACTION, &marked);
    let relations = batch.get_many(RELATION, &pairs);
    let filters = batch.get_many(FILTERS, viewer.id.as_slice());
    let blocks = batch.get_many(BLOCKED_DOMAINS, viewer.id.as_slice());
    let own = batch.get_many(ACCOUNT, viewer.id.as_slice());
    let fetched = batch.fetch()?;

    let filters = fetched.take(filters)?.pop().flatten();
    known.extend(fetched.take(statuses)?.into_iter().flatten().map(|status| (status.id, status)));
    let numbers = fetched.counts(status_counts);
    let rows = fetched.take(interactions)?;
    let (muted, cards) = muted_and_cards(tx, viewer, &known, &shown)?;
    let card_authors = card_authors(tx, &cards)?;
    let accounts = fetched.take(accounts)?;
    let mut relations = match viewer.id {
        Some(_) => pair_up(&others, fetched.take(relations)?),
        None => Relations::new(),
    };
    note_barred(tx, &mut relations, fetched.take(own)?.pop().flatten())?;
    if let Some(blocks) = fetched.take(blocks)?.pop().flatten() {
        note_domains(&mut relations, &blocks, accounts.iter().flatten());
    }
    Ok(Found {
        people: people(&authors, accounts, &fetched.take(users)?, &fetched.counts(person_counts)),
        counts: shown.iter().zip(numbers.chunks_exact(4)).map(|(id, n)| (*id, counts(n))).collect(),
        interactions: marked.iter().zip(rows).filter_map(|((_, id), row)| Some((*id, row?))).collect(),
        relations,
        statuses: known,
        muted,
        cards,
        card_authors,
        filters: filters.map(|filters| Matcher::new(filters, viewer.now)).unwrap_or_default(),
    })
}

fn assemble(found: &Found, viewer: Viewer, id: Id) -> Option<Loaded> {
    let status = found.statuses.get(&id)?;
    let author = found.people.get(&status.account)?;
    let between = found.relations.get(&status.account).cloned().unwrap_or_default();
    if !can_see(viewer, status, &author.account, &between) {
        return None;
    }
    let reblog = match status.reblog_of {
        // A boost of a boost does not exist, so this ends.
        Some(original) if original != id => Some(Box::new(assemble(found, viewer, original)?)),
        Some(_) => return None,
        None => None,
    };
    let mut status = status.clone();
    status.sensitive |= author.account.sensitized_at.is_some() && !viewer.is(status.account);
    let answered = status.in_reply_to_account.and_then(|id| found.relations.get(&id));
    let is_silenced = between.is_silenced(viewer.now)
        || answered.is_some_and(|between| between.is_silenced(viewer.now))
        || reblog.as_ref().is_some_and(|reblog| reblog.is_silenced);
    let card = card(found, &status);
    let creator = card.as_ref().and_then(|card| card.creator);
    Some(Loaded {
        card_author: creator.and_then(|id| found.card_authors.get(&id).cloned()),
        counts: found.counts.get(&status.shown()).copied().unwrap_or_default(),
        marks: viewer.id.map(|_| marks(found, &status)),
        author: author.clone(),
        filtered: filtered(found, viewer, &status, reblog.as_deref()),
        poll: poll_marks(found, viewer, &status),
        quote: None,
        card,
        status,
        reblog,
        between,
        is_silenced,
    })
}

/// The viewer's filters that a post matches: none for their own posts, those
/// of the boosted one for a boost.
fn filtered(found: &Found, viewer: Viewer, status: &Status, reblog: Option<&Loaded>) -> Vec<Match> {
    let filters = &found.filters;
    match reblog {
        None if viewer.is(status.account) => Vec::new(),
        None => filters.find(status, &[status.id]),
        Some(original) if filters.names(status.id) && !viewer.is(original.status.account) => {
            filters.find(&original.status, &[status.id, original.status.id])
        }
        Some(original) => original.filtered.clone(),
    }
}

fn marks(found: &Found, status: &Status) -> Marks {
    let shown = found.statuses.get(&status.shown()).unwrap_or(status);
    let row = found.interactions.get(&shown.id);
    Marks {
        favourited: row.is_some_and(|row| row.favourite.is_some()),
        reblogged: row.is_some_and(|row| row.reblog.is_some()),
        bookmarked: row.is_some_and(|row| row.bookmark.is_some()),
        muted: row.is_some_and(|row| row.muted) || found.muted.contains(&shown.thread),
        pinned: row.is_some_and(|row| row.pin.is_some()),
    }
}

/// Posts with media show those instead.
fn card(found: &Found, status: &Status) -> Option<Arc<PreviewCard>> {
    let link =
        status.link.as_ref().filter(|_| status.attachments.is_empty() && status.visibility.is_open())?;
    found.cards.get(link).cloned()
}

fn poll_marks(found: &Found, viewer: Viewer, status: &Status) -> Option<PollMarks> {
    let poll = status.poll.as_ref()?;
    let ballot = found.interactions.get(&status.id).and_then(|row| row.ballot_in(poll));
    Some(PollMarks {
        is_over: poll.is_over(viewer.now),
        choices: ballot.map(|ballot| ballot.choices.clone()).unwrap_or_default(),
        is_own: viewer.is(status.account),
    })
}

/// Previews by the address of their page.
type Cards = HashMap<String, Arc<PreviewCard>>;

/// What only the posts themselves tell to look for: muted threads, and
/// previews of links; one round trip. A mute of a thread is kept at its first
/// post, so it is asked only for threads that do not begin on this page.
fn muted_and_cards(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    statuses: &HashMap<Id, Status>,
    shown: &[Id],
) -> Result<(BTreeSet<Id>, Cards), StoreError> {
    let posts = || shown.iter().filter_map(|id| statuses.get(id));
    let threads = distinct(posts().map(|status| status.thread).filter(|thread| !shown.contains(thread)));
    let elsewhere: Vec<(Id, Id)> =
        viewer.id.into_iter().flat_map(|me| threads.iter().map(move |thread| (me, *thread))).collect();
    let links: BTreeSet<String> = posts().filter_map(|status| status.link.clone()).collect();
    let links: Vec<String> = links.into_iter().collect();
    let mut batch = tx.batch();
    let (marks, cards) = (batch.get_many(INTERACTION, &elsewhere), batch.get_many(PREVIEW_CARD, &links));
    let fetched = batch.fetch()?;
    let muted = elsewhere.iter().zip(fetched.take(marks)?);
    let muted =
        muted.filter(|(_, row)| row.as_ref().is_some_and(|r| r.muted)).map(|(key, _)| key.1).collect();
    let cards = fetched.take(cards)?.into_iter().flatten().filter(PreviewCard::is_ready);
    Ok((muted, cards.map(|card| (card.url.clone(), Arc::new(card))).collect()))
}

/// Who wrote the pages of these; asks nothing where none says so.
fn card_authors(tx: &ReadTx<'_>, cards: &Cards) -> Result<HashMap<Id, Arc<Person>>, StoreError> {
    let ids = distinct(cards.values().filter_map(|card| card.creator));
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let people = load_people(tx, &ids)?;
    Ok(ids.into_iter().zip(people).filter_map(|(id, person)| Some((id, person?))).collect())
}

fn distinct(ids: impl Iterator<Item = Id>) -> Vec<Id> {
    ids.collect::<BTreeSet<Id>>().into_iter().collect()
}

fn person_counts(ids: &[Id]) -> Vec<(u8, Id)> {
    let of = [count::STATUSES, count::FOLLOWERS, count::FOLLOWING];
    ids.iter().flat_map(|id| of.map(|what| (what, *id))).collect()
}

fn status_counts(ids: &[Id]) -> Vec<(u8, Id)> {
    let of = [count::REPLIES, count::REBLOGS, count::FAVOURITES, count::QUOTES];
    ids.iter().flat_map(|id| of.map(|what| (what, *id))).collect()
}

fn natural(count: i64) -> u64 {
    count.max(0) as u64
}

fn counts(numbers: &[i64]) -> Counts {
    let n = |place: usize| natural(numbers[place]);
    Counts { replies: n(0), reblogs: n(1), favourites: n(2), quotes: n(3) }
}

fn people(
    ids: &[Id],
    accounts: Vec<Option<Account>>,
    users: &[Option<User>],
    numbers: &[i64],
) -> HashMap<Id, Arc<Person>> {
    let rows = ids.iter().zip(accounts).zip(users).zip(numbers.chunks_exact(3));
    rows.filter_map(|(((id, account), user), n)| {
        let (statuses, followers, following) = (natural(n[0]), natural(n[1]), natural(n[2]));
        let role = user.as_ref().map(|user| user.role).filter(|role| *role != Role::User);
        Some((*id, Arc::new(Person { account: account?, statuses, followers, following, role, moved: None })))
    })
    .collect()
}
