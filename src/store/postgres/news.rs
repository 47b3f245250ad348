//! Signals to and from the other nodes, by NOTIFY and LISTEN.
//!
//! They go out on a connection of their own, after the commit: a NOTIFY
//! inside the batch would make all nodes commit one after the other, and
//! engines without it would refuse the batch. A signal is a hint; whoever
//! misses one (while the connection is away, say) reads the store.
//!
//! The connection leads to the server that the writers use, and follows them
//! to another one: a frozen primary that was left passes nothing on.

use std::collections::HashSet;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_postgres::{AsyncMessage, Client};

use super::address::Place;
use super::fault::Trouble;
use super::link::{self, ANSWER_MAX, within};
use super::pool::Dialer;
use super::roll::Roll;
use crate::store::backend::{Hear, MISSED};
use crate::store::overlay::Signal;

const CHANNEL: &str = "waxwing";
/// PostgreSQL takes payloads of less than 8000 bytes; base64 makes three bytes four.
const PACKET_MAX_BYTES: usize = 5900;
/// Signals that wait to be sent while the connection is away; more are dropped.
const WAITING_MAX: usize = 4096;
/// Different topics that other nodes may send.
const TOPICS_MAX: usize = 64;
/// Pause before dialling again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked whether the store has gone to another server.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
/// After so many of these looks the server is asked whether it is still there.
const ASK_EVERY: u32 = 10;
/// How long a stop waits for the last signals to go out.
const LAST_MAX: Duration = Duration::from_secs(3);

/// The way out for signals.
pub(super) struct News {
    /// `None` when it is closed.
    sender: Mutex<Option<mpsc::Sender<Vec<u8>>>>,
    /// Signals that were announced, also those that were dropped.
    announced: AtomicU64,
    ear: Arc<Ear>,
    /// Sends and listens; `None` after its end was waited for.
    reporter: Mutex<Option<JoinHandle<()>>>,
}

/// What signals of others come to.
#[derive(Default)]
struct Ear {
    hear: Mutex<Option<Hear>>,
    roll: Mutex<Roll>,
}

impl Ear {
    fn hear(&self, signal: Signal) {
        if let Some(hear) = &*self.hear.lock() {
            hear(signal);
        }
    }

    /// Some did not arrive.
    fn missed(&self) {
        metrics::counter!("waxwing_store_signals_missed_total").increment(1);
        self.hear(Signal { topic: MISSED, payload: Vec::new() });
    }
}

impl News {
    /// Starts the task that sends and listens; call it within the runtime.
    pub(super) fn start(dialer: Arc<Dialer>, lane: String) -> News {
        let (sender, queue) = mpsc::channel(WAITING_MAX);
        let ear = Arc::new(Ear::default());
        let reporter = Reporter { dialer, lane, ear: ear.clone(), topics: HashSet::new() };
        let reporter = Mutex::new(Some(tokio::spawn(reporter.run(queue))));
        News { sender: Mutex::new(Some(sender)), announced: AtomicU64::new(0), ear, reporter }
    }

    pub(super) fn hear(&self, hear: Hear) {
        *self.ear.hear.lock() = Some(hear);
    }

    /// Hears nothing any more, and resolves when what was announced has gone
    /// out: other nodes would else show what is not so until they look again.
    /// A database that is away is not waited for.
    pub(super) async fn close(&self) {
        self.ear.hear.lock().take();
        // Its task ends when all is sent and nobody is left who could announce.
        self.sender.lock().take();
        let reporter = self.reporter.lock().take();
        if let Some(reporter) = reporter
            && tokio::time::timeout(LAST_MAX, reporter).await.is_err()
        {
            tracing::warn!("the other nodes could not be told the last news; they look by themselves");
        }
    }

    pub(super) fn announced(&self) -> u64 {
        self.announced.load(Ordering::Relaxed)
    }

    /// Compares what arrived with what others say they announced.
    pub(super) fn expect(&self, now: Duration, others: &[(String, u64)]) {
        let is_missing = self.ear.roll.lock().expect(now, others);
        if is_missing {
            self.ear.missed();
        }
    }

    pub(super) fn announce(&self, signals: &[Signal]) {
        // Held, so that numbers follow one another whichever lane announces.
        let sender = self.sender.lock();
        let Some(sender) = &*sender else { return };
        for signal in signals {
            let number = self.announced.fetch_add(1, Ordering::Relaxed) + 1;
            let bytes = packed(number, signal);
            if bytes.len() > PACKET_MAX_BYTES || sender.try_send(bytes).is_err() {
                metrics::counter!("waxwing_store_signals_dropped_total").increment(1);
            }
        }
    }
}

/// Number, length and topic, length and payload.
fn packed(number: u64, signal: &Signal) -> Vec<u8> {
    let mut out = Vec::with_capacity(signal.topic.len() + signal.payload.len() + 11);
    out.extend(number.to_be_bytes());
    out.push(u8::try_from(signal.topic.len()).unwrap_or(u8::MAX));
    out.extend(signal.topic.bytes().take(usize::from(u8::MAX)));
    out.extend(u16::try_from(signal.payload.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(&signal.payload);
    out
}

/// The number of the first signal of a packet.
fn numbered(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*number), rest))
}

/// That signal, and what comes after it.
fn unpacked(bytes: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    let (topic, rest) = rest.split_at_checked(length.into())?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (payload, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    Some((std::str::from_utf8(topic).ok()?, payload, rest))
}

struct Reporter {
    dialer: Arc<Dialer>,
    /// Who we are, so that our own signals are known when they come back.
    lane: String,
    ear: Arc<Ear>,
    topics: HashSet<&'static str>,
}

impl Reporter {
    async fn run(mut self, mut queue: mpsc::Receiver<Vec<u8>>) {
        let mut was_connected = false;
        while !(queue.is_closed() && queue.is_empty()) {
            let Some(place) = self.dialer.place() else { return };
            if let Ok((client, mut connection)) = link::connect(&self.dialer.target, place, ANSWER_MAX).await
            {
                let (heard, mut news) = mpsc::channel(WAITING_MAX);
                let listening = tokio::spawn(async move {
                    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                        if let AsyncMessage::Notification(note) = message {
                            // When nobody keeps up, signals are lost, not memory.
                            let _ = heard.try_send(note.payload().to_owned());
                        }
                    }
                });
                let is_over = self.serve(&client, place, &mut queue, &mut news, was_connected).await;
                was_connected = true;
                listening.abort();
                if is_over {
                    return;
                }
            }
            if self.dialer.closed.load(Ordering::Acquire) {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Sends and listens until the connection ends; whether all is over.
    async fn serve(
        &mut self,
        client: &Client,
        place: Place,
        queue: &mut mpsc::Receiver<Vec<u8>>,
        news: &mut mpsc::Receiver<String>,
        was_connected: bool,
    ) -> bool {
        // A hint need not survive a crash, so its commit need not wait for the disk.
        let _ = within(client.batch_execute("set synchronous_commit = off")).await;
        match within(client.batch_execute(&format!("listen {CHANNEL}"))).await {
            // What was announced before this does not arrive here: it is no
            // gap in what comes from now on, and who listened already is told.
            Ok(()) => {
                let before = std::mem::take(&mut *self.ear.roll.lock());
                if was_connected || before.knows_somebody() {
                    self.ear.missed();
                }
            }
            Err(Trouble::Lost(_)) => return false,
            Err(error) => tracing::debug!(?error, "the database does not pass signals between nodes"),
        }
        let (mut look, mut looks) = (interval(FOLLOW_EVERY), 0_u32);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                note = news.recv() => match note {
                    Some(note) => self.take(&note),
                    None => return false,
                },
                first = queue.recv() => {
                    let Some(first) = first else { return true };
                    for payload in self.packets(first, queue) {
                        let sql = "select pg_notify($1, $2)";
                        let sent = within(client.execute(sql, &[&CHANNEL, &payload])).await;
                        if matches!(sent, Err(Trouble::Lost(_))) {
                            return false;
                        }
                    }
                }
                _ = look.tick() => {
                    looks += 1;
                    let is_left = self.dialer.place() != Some(place);
                    if is_left || (looks % ASK_EVERY == 0 && within(client.batch_execute("")).await.is_err()) {
                        return false;
                    }
                }
            }
        }
    }

    /// All that waits, in as few payloads as it fits in.
    fn packets(&self, first: Vec<u8>, queue: &mut mpsc::Receiver<Vec<u8>>) -> Vec<String> {
        let mut packets = vec![first];
        while let Ok(next) = queue.try_recv() {
            match packets.last_mut() {
                Some(last) if last.len() + next.len() <= PACKET_MAX_BYTES => last.extend(next),
                _ => packets.push(next),
            }
        }
        packets.iter().map(|packet| format!("{} {}", self.lane, BASE64.encode(packet))).collect()
    }

    fn take(&mut self, note: &str) {
        let Some((lane, text)) = note.split_once(' ') else { return };
        if lane == self.lane {
            return;
        }
        let Ok(bytes) = BASE64.decode(text) else { return };
        let mut rest = &bytes[..];
        while let Some((number, signal)) = numbered(rest)
            && let Some((topic, payload, after)) = unpacked(signal)
        {
            rest = after;
            if self.ear.roll.lock().arrived(lane, number) {
                self.ear.missed();
            }
            let Some(topic) = self.topic(topic) else { continue };
            self.ear.hear(Signal { topic, payload: payload.to_vec() });
        }
    }

    /// Topics are few and for ever, so each is kept once for the whole life
    /// of the process.
    fn topic(&mut self, name: &str) -> Option<&'static str> {
        if let Some(known) = self.topics.get(name) {
            return Some(known);
        }
        if self.topics.len() >= TOPICS_MAX {
            return None;
        }
        let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
        self.topics.insert(kept);
        Some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_unpacked_as_they_were_packed() {
        let mut bytes = packed(7, &Signal { topic: "event", payload: vec![1, 2, 3] });
        bytes.extend(packed(8, &Signal { topic: "due", payload: Vec::new() }));
        let (number, signal) = numbered(&bytes).unwrap();
        let (topic, payload, rest) = unpacked(signal).unwrap();
        assert_eq!((number, topic, payload), (7, "event", &[1, 2, 3][..]));
        let (number, signal) = numbered(rest).unwrap();
        let (topic, payload, rest) = unpacked(signal).unwrap();
        assert_eq!((number, topic, payload, rest), (8, "due", &[][..], &[][..]));
        for cut in 0..17 {
            assert!(numbered(&bytes[..cut]).and_then(|(_, signal)| unpacked(signal)).is_none(), "{cut}");
        }
    }
}
