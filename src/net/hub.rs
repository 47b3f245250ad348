//! Live news: from committed changes to whoever listens now (SSE, WebSocket).
//!
//! Knows who listens to what; must not know what a client is shown, nor
//! whether it may see it: whoever writes to the client reads that from the
//! store. Nothing is kept for later: a listener that cannot follow is told so
//! and let go, because a queue that waits for it would grow for ever.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::Stream;
use parking_lot::Mutex;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use crate::base::Id;
use crate::model::Event;
use crate::store::Signal;

/// News that wait for one listener.
pub const NEWS_MAX: usize = 256;
/// Listeners at once.
pub const LISTENERS_MAX: usize = 8192;
/// Listeners of one account at once: its devices and open pages.
pub const LISTENERS_PER_ACCOUNT_MAX: usize = 32;

/// What one can listen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Posts that enter an account's home timeline.
    Home(Id),
    /// An account's notifications.
    Notifications(Id),
    /// Public posts of this server.
    Local,
    /// Public posts of everywhere.
    Public,
}

/// Who listens: for the limit, and to be sent away when the login ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who {
    /// The account, if logged in.
    pub account: Option<Id>,
    /// The token or session.
    pub credential: Option<Id>,
}

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Something happened.
    Event(Event),
    /// Some news did not reach this listener: read the timeline again. When it
    /// was too slow itself, this is the last it hears.
    Missed,
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
    by_account: HashMap<Id, usize>,
}

struct Entry {
    who: Who,
    topics: Vec<Topic>,
    news: mpsc::Sender<News>,
    was_slow: Arc<AtomicBool>,
}

impl Hub {
    /// Hears the news of these topics from now on, and of every edited or
    /// deleted post (those may be on the page already).
    ///
    /// # Errors
    /// [`TooMany`] when the hub or this account has its most.
    pub fn listen(&self, who: Who, topics: impl IntoIterator<Item = Topic>) -> Result<Listener, TooMany> {
        let (news, inbox) = mpsc::channel(NEWS_MAX);
        let was_slow = Arc::new(AtomicBool::new(false));
        let topics: Vec<Topic> = topics.into_iter().collect();
        let entry = Entry { who, topics, news, was_slow: was_slow.clone() };
        let number = self.0.lock().enter(entry)?;
        Ok(Listener { number, hub: self.clone(), inbox, was_slow })
    }

    /// How many listen.
    pub fn count(&self) -> usize {
        self.0.lock().all.len()
    }

    /// Passes on what the store commits, until `stop`; then lets everyone go.
    pub async fn run(self, mut signals: broadcast::Receiver<Arc<Signal>>, stop: CancellationToken) {
        loop {
            let signal = tokio::select! {
                () = stop.cancelled() => break,
                signal = signals.recv() => signal,
            };
            match signal {
                Ok(signal) => {
                    if let Some(event) = Event::from_signal(&signal) {
                        self.tell(&event);
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

    /// Tells whoever it concerns. Never waits.
    pub fn tell(&self, event: &Event) {
        let mut listeners = self.0.lock();
        let news = News::Event(event.clone());
        match event {
            Event::Home { account, .. } => listeners.tell_topics(&[Topic::Home(*account)], &news),
            Event::Notified { account, .. } => {
                listeners.tell_topics(&[Topic::Notifications(*account)], &news);
            }
            Event::Public { is_local: true, .. } => {
                listeners.tell_topics(&[Topic::Public, Topic::Local], &news);
            }
            Event::Public { is_local: false, .. } => listeners.tell_topics(&[Topic::Public], &news),
            Event::Edited { .. } | Event::Deleted { .. } => listeners.tell_all(&news),
            Event::Revoked { credential } => listeners.send_away(*credential),
        }
    }

    /// Ends every listener's stream; nobody can listen any more.
    pub fn close(&self) {
        let mut listeners = self.0.lock();
        *listeners = Listeners { is_closed: true, ..Listeners::default() };
    }
}

impl Listeners {
    fn enter(&mut self, entry: Entry) -> Result<u64, TooMany> {
        if self.is_closed || self.all.len() >= LISTENERS_MAX {
            return Err(TooMany);
        }
        if let Some(account) = entry.who.account {
            let count = self.by_account.entry(account).or_insert(0);
            if *count >= LISTENERS_PER_ACCOUNT_MAX {
                return Err(TooMany);
            }
            *count += 1;
        }
        let number = self.next;
        self.next += 1;
        for topic in &entry.topics {
            self.by_topic.entry(*topic).or_default().insert(number);
        }
        self.all.insert(number, entry);
        self.measure();
        Ok(number)
    }

    fn leave(&mut self, number: u64) {
        let Some(entry) = self.all.remove(&number) else { return };
        for topic in &entry.topics {
            if let Some(numbers) = self.by_topic.get_mut(topic) {
                numbers.remove(&number);
                if numbers.is_empty() {
                    self.by_topic.remove(topic);
                }
            }
        }
        if let Some(account) = entry.who.account
            && let Some(count) = self.by_account.get_mut(&account)
        {
            *count -= 1;
            if *count == 0 {
                self.by_account.remove(&account);
            }
        }
        self.measure();
    }

    fn measure(&self) {
        metrics::gauge!("waxwing_stream_listeners").set(self.all.len() as f64);
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
                entry.was_slow.store(true, Ordering::Relaxed);
                metrics::counter!("waxwing_stream_listeners_dropped_total").increment(1);
                self.leave(number);
            }
        }
    }

    fn send_away(&mut self, credential: Id) {
        let theirs = self.all.iter().filter(|(_, entry)| entry.who.credential == Some(credential));
        let theirs: Vec<u64> = theirs.map(|(number, _)| *number).collect();
        for number in theirs {
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
    was_slow: Arc<AtomicBool>,
}

impl Stream for Listener {
    type Item = News;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<News>> {
        match self.inbox.poll_recv(cx) {
            Poll::Ready(None) if self.was_slow.swap(false, Ordering::Relaxed) => {
                Poll::Ready(Some(News::Missed))
            }
            other => other,
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
    use crate::store::{Store, StoreError};

    const ANA: Id = Id(1);
    const BEN: Id = Id(2);

    fn who(account: Id, credential: u64) -> Who {
        Who { account: Some(account), credential: Some(Id(credential)) }
    }

    const NOBODY: Who = Who { account: None, credential: None };

    /// What has arrived so far.
    fn heard(listener: &mut Listener) -> Vec<News> {
        std::iter::from_fn(|| listener.next().now_or_never().flatten()).collect()
    }

    fn home(account: Id, status: u64) -> Event {
        Event::Home { account, status: Id(status) }
    }

    #[test]
    fn news_reach_those_they_concern_once() {
        let hub = Hub::default();
        let mut ana = hub.listen(who(ANA, 10), [Topic::Home(ANA), Topic::Notifications(ANA)]).unwrap();
        let mut ben = hub.listen(who(BEN, 20), [Topic::Home(BEN), Topic::Public, Topic::Local]).unwrap();
        let mut guest = hub.listen(NOBODY, [Topic::Local]).unwrap();
        let mine = [
            home(ANA, 1),
            Event::Notified { account: ANA, notification: Id(2) },
            Event::Deleted { status: Id(5) },
        ];
        let foreign = Event::Public { status: Id(3), is_local: false };
        let local = Event::Public { status: Id(4), is_local: true };
        for event in [&mine[0], &mine[1], &foreign, &local, &mine[2]] {
            hub.tell(event);
        }
        let news = |events: &[&Event]| -> Vec<News> {
            events.iter().map(|event| News::Event((*event).clone())).collect()
        };
        assert_eq!(heard(&mut ana), news(&[&mine[0], &mine[1], &mine[2]]));
        assert_eq!(heard(&mut ben), news(&[&foreign, &local, &mine[2]]));
        assert_eq!(heard(&mut guest), news(&[&local, &mine[2]]));
    }

    #[test]
    fn a_slow_listener_is_told_and_let_go() {
        let hub = Hub::default();
        let mut slow = hub.listen(who(ANA, 10), [Topic::Home(ANA)]).unwrap();
        for status in 0..=NEWS_MAX as u64 + 5 {
            hub.tell(&home(ANA, status));
        }
        assert_eq!(hub.count(), 0);
        let heard: Vec<News> = heard(&mut slow);
        assert_eq!((heard.len(), heard.last()), (NEWS_MAX + 1, Some(&News::Missed)));
        assert_eq!(slow.next().now_or_never(), Some(None), "and then the stream ends");
    }

    #[test]
    fn a_revoked_login_hears_nothing_more() {
        let hub = Hub::default();
        let mut one = hub.listen(who(ANA, 10), [Topic::Home(ANA)]).unwrap();
        let mut other = hub.listen(who(ANA, 11), [Topic::Home(ANA)]).unwrap();
        hub.tell(&Event::Revoked { credential: Id(10) });
        hub.tell(&home(ANA, 1));
        assert_eq!(one.next().now_or_never(), Some(None));
        assert_eq!(heard(&mut other).len(), 1);
    }

    #[test]
    fn listeners_are_limited_and_leave_nothing_behind() {
        let hub = Hub::default();
        let listen = || hub.listen(who(ANA, 10), [Topic::Home(ANA), Topic::Public]);
        let all: Vec<Listener> = (0..LISTENERS_PER_ACCOUNT_MAX).map(|_| listen().unwrap()).collect();
        assert_eq!(listen().err(), Some(TooMany));
        drop(all);
        assert!(listen().is_ok());
        let listeners = hub.0.lock();
        assert!(listeners.all.is_empty() && listeners.by_topic.is_empty() && listeners.by_account.is_empty());
    }

    #[tokio::test]
    async fn committed_changes_become_news_until_the_stop() {
        let (hub, store, stop) = (Hub::default(), Store::memory(), CancellationToken::new());
        let mut ana = hub.listen(who(ANA, 10), [Topic::Home(ANA)]).unwrap();
        let running = tokio::spawn(hub.clone().run(store.subscribe(), stop.clone()));
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
        assert_eq!(ana.next().await, Some(News::Event(home(ANA, 8))));
        stop.cancel();
        running.await.unwrap();
        assert_eq!(ana.next().await, None);
        assert_eq!(hub.listen(NOBODY, []).err(), Some(TooMany));
    }
}
