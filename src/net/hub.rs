//! Live news: from committed changes to whoever listens now (SSE, WebSocket).
//!
//! Knows who listens to what; must not know what a client is shown, nor
//! whether it may see it: whoever writes to the client reads that from the
//! store. Nothing is kept for later: a listener that cannot follow is told so
//! and let go, because a queue that waits for it would grow for ever.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll};

use futures_util::Stream;
use parking_lot::Mutex;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use crate::base::Id;
use crate::domain::throttle::Source;
use crate::model::tables::{HOME_TIMELINE, LIST_TIMELINE};
use crate::model::{Audience, Event, HomeEntry};
use crate::store::{MISSED, Signal, Store, StoreError, Table};

/// News that wait for one listener.
pub const NEWS_MAX: usize = 256;
/// Listeners at once. Measured with 10,000 idle WebSockets, unoptimised build
/// (`examples/stream_benchmark.rs`): 6.7 KB each in the clear, 109 MB for the
/// whole process; 14.5 KB each over TLS, 188 MB.
pub const LISTENERS_MAX: usize = 12_288;
/// Listeners of one account at once: its devices and open pages.
pub const LISTENERS_PER_ACCOUNT_MAX: usize = 32;
/// Listeners of one network at once (an IPv4 address, an IPv6 /64).
pub const LISTENERS_PER_SOURCE_MAX: usize = 128;
/// Home timelines or lists that one read looks into.
const ROWS_PER_READ: usize = 1024;

/// What one can listen to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Posts of an account's home timeline.
    Home(Id),
    /// An account's notifications.
    Notifications(Id),
    /// What an account changes about itself, such as its filters.
    Account(Id),
    /// An account's conversations.
    Conversations(Id),
    /// Posts of a list.
    List(Id),
    /// Public posts of this server.
    Local,
    /// Public posts of other servers.
    Remote,
    /// Public posts of everywhere.
    Public,
    /// Public posts with a hashtag, as [`crate::model::Status::tag_key`]
    /// writes it.
    Tag(Arc<str>),
    /// Deletions of posts that anybody may know, for pages that may show any.
    Deletions,
    /// What the server announces to everybody.
    Announcements,
}

/// Who listens: for the limits, and to be sent away when the login ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who {
    /// The account, if logged in.
    pub account: Option<Id>,
    /// The token or session.
    pub credential: Option<Id>,
    /// From where; `None` if that is not counted.
    pub source: Option<Source>,
}

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Something happened.
    Event(Arc<Event>),
    /// A post in the home timeline or a list that is listened to was changed.
    Changed(Held),
    /// A post in the home timeline or a list that is listened to is gone.
    Gone(Held),
    /// Some news did not reach this listener: read the timeline again. When it
    /// was too slow itself, this is the last it hears.
    Missed,
}

/// A post in somebody's own timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The post.
    pub status: Id,
    /// The list; `None` for the home timeline.
    pub list: Option<Id>,
}

/// Why a listener hears nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum End {
    /// The server stops.
    Stopped,
    /// It did not follow.
    Slow,
    /// Its login is not good any more.
    Revoked,
}

/// There are as many listeners as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

/// Everyone who listens; cheap to clone.
#[derive(Clone, Default)]
pub struct Hub(Arc<Mutex<Listeners>>);

#[derive(Default)]
struct Listeners {
    next: u64,
    is_closed: bool,
    all: HashMap<u64, Entry>,
    by_topic: HashMap<Topic, HashSet<u64>>,
    by_account: HashMap<Id, HashSet<u64>>,
    by_source: HashMap<Source, usize>,
}

struct Entry {
    who: Who,
    topics: Vec<Topic>,
    news: mpsc::Sender<News>,
    fate: Arc<Fate>,
}

/// What the hub tells its listener beside the news.
#[derive(Default)]
struct Fate {
    /// An [`End`]; only looked at once the news have ended.
    end: AtomicU8,
    /// Whether the listener still has to be told that it missed some.
    is_missing: AtomicBool,
}

impl Hub {
    /// Hears the news of these topics from now on.
    ///
    /// # Errors
    /// [`TooMany`] when the hub, this account or this network has its most.
    pub fn listen(&self, who: Who, topics: impl IntoIterator<Item = Topic>) -> Result<Listener, TooMany> {
        let (news, inbox) = mpsc::channel(NEWS_MAX);
        let fate = Arc::new(Fate::default());
        let entry = Entry { who, topics: topics.into_iter().collect(), news, fate: fate.clone() };
        let number = self.0.lock().enter(entry)?;
        Ok(Listener { number, hub: self.clone(), inbox, fate })
    }

    /// How many listen.
    pub fn count(&self) -> usize {
        self.0.lock().all.len()
    }

    /// Passes on what the store commits, until `stop`; then lets everyone go.
    pub fn run(self, store: Store, stop: CancellationToken) -> impl Future<Output = ()> + Send + 'static {
        // From the call on, not only once it is polled.
        let signals = store.subscribe();
        self.listen_to(signals, store, stop)
    }

    async fn listen_to(
        self,
        mut signals: broadcast::Receiver<Arc<Signal>>,
        store: Store,
        stop: CancellationToken,
    ) {
        loop {
            let signal = tokio::select! {
                () = stop.cancelled() => break,
                signal = signals.recv() => signal,
            };
            match signal {
                Ok(signal) if signal.topic == MISSED => self.0.lock().tell_all(&News::Missed),
                Ok(signal) => {
                    if let Some(event) = Event::from_signal(&signal) {
                        self.pass_on(&store, event).await;
                    }
                }
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "live news fell behind the store, {missed} were not sent");
                    self.0.lock().tell_all(&News::Missed);
                }
                Err(broadcast::error::RecvError::Closed) => break,
            }
        }
        self.close();
    }

    async fn pass_on(&self, store: &Store, event: Event) {
        if let Event::Edited { status, audience } | Event::Deleted { status, audience } = &event {
            let news: fn(Held) -> News =
                if matches!(event, Event::Edited { .. }) { News::Changed } else { News::Gone };
            self.tell_holders(store, *status, audience.author, news).await;
        }
        self.tell(event);
    }

    /// Tells those who have a post in their home timeline or on a list. Asking
    /// for each of those who listen is one read; keeping what each was shown
    /// would cost every listener memory all the time.
    async fn tell_holders(&self, store: &Store, status: Id, author: Id, news: fn(Held) -> News) {
        let (homes, lists) = self.0.lock().own_timelines();
        for some in homes.chunks(ROWS_PER_READ) {
            let Some(found) = holding(store, HOME_TIMELINE, some, status).await else { return };
            // The author's own row goes with the post.
            let holders = some.iter().zip(found).filter(|(account, has)| *has || **account == author);
            let topics: Vec<Topic> = holders.map(|(account, _)| Topic::Home(*account)).collect();
            self.0.lock().tell_topics(&topics, &news(Held { status, list: None }));
        }
        for some in lists.chunks(ROWS_PER_READ) {
            let Some(found) = holding(store, LIST_TIMELINE, some, status).await else { return };
            for (list, _) in some.iter().zip(found).filter(|(_, has)| *has) {
                let held = Held { status, list: Some(*list) };
                self.0.lock().tell_topics(&[Topic::List(*list)], &news(held));
            }
        }
    }

    /// Tells whoever it concerns, home timelines that hold a post apart. Never
    /// waits.
    pub fn tell(&self, event: Event) {
        let topics = topics(&event);
        let mut listeners = self.0.lock();
        match event {
            Event::Revoked { credential } => listeners.send_away(|who| who.credential == Some(credential)),
            Event::Barred { account } => listeners.send_away(|who| who.account == Some(account)),
            event => listeners.tell_topics(&topics, &News::Event(Arc::new(event))),
        }
    }

    /// Ends every listener's stream; nobody can listen any more.
    pub fn close(&self) {
        let mut listeners = self.0.lock();
        // As they are made, listeners end because the server stops.
        *listeners = Listeners { is_closed: true, ..Listeners::default() };
    }
}

/// Which of these timelines hold a post; nothing when the store fails.
async fn holding(
    store: &Store,
    table: Table<(Id, Id), HomeEntry>,
    owners: &[Id],
    status: Id,
) -> Option<Vec<bool>> {
    let keys: Vec<(Id, Id)> = owners.iter().map(|owner| (*owner, status)).collect();
    let found = store.read(move |tx| {
        let rows = tx.get_many(table, &keys)?;
        Ok::<_, StoreError>(rows.iter().map(Option::is_some).collect())
    });
    found.await.ok()
}

/// Who listens for this event.
fn topics(event: &Event) -> Vec<Topic> {
    match event {
        Event::Home { account, .. } => vec![Topic::Home(*account)],
        Event::Notified { account, .. } => vec![Topic::Notifications(*account)],
        Event::NotificationsMerged { account } => {
            vec![Topic::Account(*account), Topic::Notifications(*account)]
        }
        Event::FiltersChanged { account } => vec![Topic::Account(*account)],
        Event::Conversation { account, .. } => vec![Topic::Conversations(*account)],
        Event::Listed { list, .. } => vec![Topic::List(*list)],
        Event::Public { audience, .. } | Event::Edited { audience, .. } => public_topics(audience),
        Event::Deleted { audience, .. } => {
            let mut topics = public_topics(audience);
            topics.extend(audience.is_open.then_some(Topic::Deletions));
            topics
        }
        Event::Announcement { .. }
        | Event::AnnouncementReaction { .. }
        | Event::AnnouncementDeleted { .. } => vec![Topic::Announcements],
        Event::Revoked { .. } | Event::Barred { .. } => Vec::new(),
    }
}

fn public_topics(audience: &Audience) -> Vec<Topic> {
    if !audience.is_public {
        return Vec::new();
    }
    let mut topics: Vec<Topic> =
        audience.tags.iter().map(|tag| Topic::Tag(Arc::from(tag.as_str()))).collect();
    if !audience.is_answer {
        topics.push(Topic::Public);
        topics.push(if audience.is_local { Topic::Local } else { Topic::Remote });
    }
    topics
}

impl Listeners {
    fn enter(&mut self, entry: Entry) -> Result<u64, TooMany> {
        let of_account = entry.who.account.and_then(|account| self.by_account.get(&account));
        let of_source = entry.who.source.and_then(|source| self.by_source.get(&source));
        if self.is_closed
            || self.all.len() >= LISTENERS_MAX
            || of_account.is_some_and(|theirs| theirs.len() >= LISTENERS_PER_ACCOUNT_MAX)
            || of_source.is_some_and(|count| *count >= LISTENERS_PER_SOURCE_MAX)
        {
            return Err(TooMany);
        }
        let number = self.next;
        self.next += 1;
        if let Some(account) = entry.who.account {
            self.by_account.entry(account).or_default().insert(number);
        }
        if let Some(source) = entry.who.source {
            *self.by_source.entry(source).or_default() += 1;
        }
        self.enlist(number, &entry.topics);
        self.all.insert(number, entry);
        self.measure();
        Ok(number)
    }

    fn leave(&mut self, number: u64) {
        let Some(entry) = self.all.remove(&number) else { return };
        self.delist(number, &entry.topics);
        if let Some(account) = entry.who.account
            && let Some(theirs) = self.by_account.get_mut(&account)
        {
            theirs.remove(&number);
            if theirs.is_empty() {
                self.by_account.remove(&account);
            }
        }
        if let Some(source) = entry.who.source
            && let Some(count) = self.by_source.get_mut(&source)
        {
            *count -= 1;
            if *count == 0 {
                self.by_source.remove(&source);
            }
        }
        self.measure();
    }

    fn enlist(&mut self, number: u64, topics: &[Topic]) {
        for topic in topics {
            self.by_topic.entry(topic.clone()).or_default().insert(number);
        }
    }

    fn delist(&mut self, number: u64, topics: &[Topic]) {
        for topic in topics {
            if let Some(numbers) = self.by_topic.get_mut(topic) {
                numbers.remove(&number);
                if numbers.is_empty() {
                    self.by_topic.remove(topic);
                }
            }
        }
    }

    fn turn_to(&mut self, number: u64, topics: Vec<Topic>) {
        let Some(entry) = self.all.get_mut(&number) else { return };
        let before = std::mem::replace(&mut entry.topics, topics.clone());
        self.delist(number, &before);
        self.enlist(number, &topics);
    }

    fn measure(&self) {
        metrics::gauge!("waxwing_stream_listeners").set(self.all.len() as f64);
    }

    /// The accounts whose home timelines, and the lists, that are listened to.
    fn own_timelines(&self) -> (Vec<Id>, Vec<Id>) {
        let (mut homes, mut lists) = (Vec::new(), Vec::new());
        for topic in self.by_topic.keys() {
            match topic {
                Topic::Home(account) => homes.push(*account),
                Topic::List(list) => lists.push(*list),
                _ => {}
            }
        }
        (homes, lists)
    }

    /// Whoever listens to several of the topics hears it once.
    fn tell_topics(&mut self, topics: &[Topic], news: &News) {
        let concerned = topics.iter().filter_map(|topic| self.by_topic.get(topic)).flatten().copied();
        let concerned: HashSet<u64> = concerned.collect();
        self.send(concerned, news);
    }

    fn tell_all(&mut self, news: &News) {
        let everyone: Vec<u64> = self.all.keys().copied().collect();
        self.send(everyone, news);
    }

    fn send(&mut self, numbers: impl IntoIterator<Item = u64>, news: &News) {
        for number in numbers {
            let Some(entry) = self.all.get(&number) else { continue };
            if entry.news.try_send(news.clone()).is_err() {
                entry.fate.is_missing.store(true, Ordering::Relaxed);
                entry.fate.end.store(End::Slow as u8, Ordering::Relaxed);
                metrics::counter!("waxwing_stream_listeners_dropped_total").increment(1);
                self.leave(number);
            }
        }
    }

    fn send_away(&mut self, whom: impl Fn(&Who) -> bool) {
        let theirs: Vec<u64> =
            self.all.iter().filter(|(_, entry)| whom(&entry.who)).map(|(number, _)| *number).collect();
        for number in theirs {
            if let Some(entry) = self.all.get(&number) {
                entry.fate.end.store(End::Revoked as u8, Ordering::Relaxed);
            }
            self.leave(number);
        }
    }
}

/// One listener: a stream that ends when it was too slow (after
/// [`News::Missed`]), when its login was revoked, or when the server stops.
pub struct Listener {
    number: u64,
    hub: Hub,
    inbox: mpsc::Receiver<News>,
    fate: Arc<Fate>,
}

impl Listener {
    /// Hears these topics from now on, and no others.
    pub fn turn_to(&self, topics: impl IntoIterator<Item = Topic>) {
        self.hub.0.lock().turn_to(self.number, topics.into_iter().collect());
    }

    /// Why the stream has ended, once it has.
    pub fn end(&self) -> End {
        match self.fate.end.load(Ordering::Relaxed) {
            end if end == End::Slow as u8 => End::Slow,
            end if end == End::Revoked as u8 => End::Revoked,
            _ => End::Stopped,
        }
    }
}

impl Stream for Listener {
    type Item = News;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<News>> {
        // What still waits for one that was sent away is not for it any more;
        // and the hub no longer knows one that was too slow, so it would not
        // hear that its login is not good any more.
        match self.end() {
            End::Revoked => Poll::Ready(None),
            End::Slow if self.fate.is_missing.swap(false, Ordering::Relaxed) => {
                Poll::Ready(Some(News::Missed))
            }
            End::Slow => Poll::Ready(None),
            End::Stopped => self.inbox.poll_recv(cx),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.hub.0.lock().leave(self.number);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt};

    use super::*;
    use crate::model::Status;

    const ANA: Id = Id(1);
    const BEN: Id = Id(2);

    fn who(account: Id, credential: u64) -> Who {
        Who { account: Some(account), credential: Some(Id(credential)), source: None }
    }

    const NOBODY: Who = Who { account: None, credential: None, source: None };

    /// What has arrived so far.
    fn heard(listener: &mut Listener) -> Vec<News> {
        std::iter::from_fn(|| listener.next().now_or_never().flatten()).collect()
    }

    fn home(account: Id, status: u64) -> Event {
        Event::Home { account, status: Id(status) }
    }

    fn news(events: &[&Event]) -> Vec<News> {
        events.iter().map(|event| News::Event(Arc::new((*event).clone()))).collect()
    }

    fn public(status: u64, change: impl FnOnce(&mut Audience)) -> Event {
        let mut audience = Audience { is_public: true, is_open: true, is_local: true, ..Audience::default() };
        change(&mut audience);
        Event::Public { status: Id(status), audience }
    }

    #[test]
    fn news_reach_those_they_concern_once() {
        let hub = Hub::default();
        let tag = || Topic::Tag("rust".into());
        let mut ana = hub.listen(who(ANA, 10), [Topic::Home(ANA), Topic::Notifications(ANA)]).unwrap();
        let mut ben = hub.listen(who(BEN, 20), [Topic::Public, Topic::Local, tag()]).unwrap();
        let mut guest = hub.listen(NOBODY, [Topic::Remote]).unwrap();
        let mine = [home(ANA, 1), Event::Notified { account: ANA, notification: Id(2) }];
        let foreign = public(3, |post| post.is_local = false);
        let local = public(4, |post| post.tags = vec!["rust".into()]);
        let answer = public(5, |post| post.is_answer = true);
        let tagged = public(6, |post| (post.is_answer, post.tags) = (true, vec!["rust".into()]));
        let whispered = public(7, |post| post.is_public = false);
        for event in [&mine[0], &mine[1], &foreign, &local, &answer, &tagged, &whispered] {
            hub.tell(event.clone());
        }
        assert_eq!(heard(&mut ana), news(&[&mine[0], &mine[1]]));
        assert_eq!(heard(&mut ben), news(&[&foreign, &local, &tagged]));
        assert_eq!(heard(&mut guest), news(&[&foreign]));
    }

    #[test]
    fn a_listener_can_turn_to_other_topics() {
        let hub = Hub::default();
        let mut ana = hub.listen(who(ANA, 10), [Topic::Home(ANA)]).unwrap();
        ana.turn_to([Topic::List(Id(7))]);
        let listed = Event::Listed { list: Id(7), status: Id(1) };
        hub.tell(home(ANA, 1));
        hub.tell(listed.clone());
        assert_eq!(heard(&mut ana), news(&[&listed]));
    }

    #[test]
    fn a_slow_listener_is_told_and_let_go() {
        let hub = Hub::default();
        let mut slow = hub.listen(who(ANA, 10), [Topic::Home(ANA)]).unwrap();
        for status in 0..=NEWS_MAX as u64 + 5 {
            hub.tell(home(ANA, status));
        }
        assert_eq!(hub.count(), 0);
        assert_eq!(heard(&mut slow), [News::Missed], "what waited is read again anyway");
        assert_eq!(slow.next().now_or_never(), Some(None), "and then the stream ends");
        assert_eq!(slow.end(), End::Slow);
    }

    #[test]
    fn a_revoked_login_hears_nothing_more() {
        let hub = Hub::default();
        let mut one = hub.listen(who(ANA, 10), [Topic::Home(ANA)]).unwrap();
        let mut other = hub.listen(who(ANA, 11), [Topic::Home(ANA)]).unwrap();
        hub.tell(home(ANA, 1));
        hub.tell(Event::Revoked { credential: Id(10) });
        assert_eq!((one.next().now_or_never(), one.end()), (Some(None), End::Revoked));
        assert_eq!(heard(&mut other).len(), 1);
        hub.tell(Event::Barred { account: ANA });
        assert_eq!((other.next().now_or_never(), other.end()), (Some(None), End::Revoked));
    }

    #[test]
    fn listeners_are_limited_and_leave_nothing_behind() {
        let hub = Hub::default();
        let listen = || hub.listen(who(ANA, 10), [Topic::Home(ANA), Topic::Public]);
        let all: Vec<Listener> = (0..LISTENERS_PER_ACCOUNT_MAX).map(|_| listen().unwrap()).collect();
        assert_eq!(listen().err(), Some(TooMany));
        drop(all);
        assert!(listen().is_ok());
        let source = Source::from(std::net::IpAddr::from([203, 0, 113, 7]));
        let stranger = Who { source: Some(source), ..NOBODY };
        let all: Vec<_> = (0..LISTENERS_PER_SOURCE_MAX).map(|_| hub.listen(stranger, []).unwrap()).collect();
        assert_eq!(hub.listen(stranger, []).err(), Some(TooMany));
        drop(all);
        let listeners = hub.0.lock();
        assert!(listeners.all.is_empty() && listeners.by_topic.is_empty());
        assert!(listeners.by_account.is_empty() && listeners.by_source.is_empty());
    }

    #[tokio::test]
    async fn only_homes_that_hold_a_post_hear_that_it_is_gone() {
        let (hub, store, stop) = (Hub::default(), Store::memory(), CancellationToken::new());
        let mut ana = hub.listen(who(ANA, 10), [Topic::Home(ANA)]).unwrap();
        let mut ben = hub.listen(who(BEN, 20), [Topic::Home(BEN)]).unwrap();
        let running = tokio::spawn(hub.clone().run(store.clone(), stop.clone()));
        store
            .write(|tx| {
                tx.put(HOME_TIMELINE, &(ANA, Id(5)), &Status::default().entry());
                Event::Deleted { status: Id(5), audience: Audience::default() }.emit(tx);
                home(BEN, 6).emit(tx);
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        assert_eq!(ana.next().await, Some(News::Gone(Held { status: Id(5), list: None })));
        assert_eq!(vec![ben.next().await.unwrap()], news(&[&home(BEN, 6)]));
        stop.cancel();
        running.await.unwrap();
    }

    #[tokio::test]
    async fn committed_changes_become_news_until_the_stop() {
        let (hub, store, stop) = (Hub::default(), Store::memory(), CancellationToken::new());
        let mut ana = hub.listen(who(ANA, 10), [Topic::Home(ANA)]).unwrap();
        let running = tokio::spawn(hub.clone().run(store.clone(), stop.clone()));
        let refused: Result<(), StoreError> = store
            .write(|tx| {
                home(ANA, 7).emit(tx);
                Err(StoreError::Busy)
            })
            .await;
        assert!(refused.is_err());
        store
            .write(|tx| {
                home(ANA, 8).emit(tx);
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        assert_eq!(vec![ana.next().await.unwrap()], news(&[&home(ANA, 8)]));
        stop.cancel();
        running.await.unwrap();
        assert_eq!((ana.next().await, ana.end()), (None, End::Stopped));
        assert_eq!(hub.listen(NOBODY, []).err(), Some(TooMany));
    }
}
