//! One request and its answer's head: picking, sending, trying again, and the
//! second copy to another upstream while the first is silent.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;

use super::buffer::Buffer;
use super::link::{Asks, Broken, Link};
use super::outgoing::push_interim;
use super::timer::Timer;
use super::worker::{Worker, micros};
use crate::proxy::{Ask, Balancer, Hedge, Outcome, Pick, Tick, Upstream};

/// Who refuses (503) after so long had tried: what all upstreams wait for, such
/// as their database, does not answer, and the client has waited long enough.
const LATE_REFUSAL: Duration = Duration::from_secs(10);

/// A request that is complete and may be sent more than once.
pub(super) struct Order<'a> {
    /// Head and body.
    pub(super) bytes: &'a [u8],
    pub(super) asks: Asks,
    pub(super) is_idempotent: bool,
    /// Where 1xx answers are put for the client.
    pub(super) interim: Option<&'a Mutex<Buffer>>,
}

/// An answer's head came, over this connection.
pub(super) struct Won {
    pub(super) link: Box<Link>,
    pub(super) upstream: Arc<Upstream>,
    pub(super) outcome: Outcome,
}

/// What a try came to.
type Tried = Result<Box<Link>, Outcome>;

/// Somebody who may stop waiting: the client.
pub(super) trait Waiting {
    /// Ready once the client is gone.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Passes on what the client should hear before the answer.
    fn poll_tell(&mut self, cx: &mut Context<'_>, interim: &Mutex<Buffer>);
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nothing {
    /// No upstream could be picked.
    NoUpstream,
    /// The last try ended so.
    Failed(Outcome),
    /// The client does not wait any more.
    Gone,
}

/// Sends a request that may be repeated, until there is an answer or no
/// further try.
pub(super) async fn exchange(
    worker: &Worker,
    ask: &mut Ask,
    order: &Order<'_>,
    timer: &mut Timer,
    client: &mut impl Waiting,
) -> Result<Won, Nothing> {
    let mut nothing = Nothing::NoUpstream;
    loop {
        let Some(pick) = worker.pick(ask) else { return Err(nothing) };
        let sent = pick.sent();
        let race = Race { worker, ask, order, timer };
        let (outcome, won) = match race.run(pick, client).await {
            Ok(won) => (won.outcome, Some(won)),
            Err(Nothing::Failed(outcome)) => (outcome, None),
            Err(other) => return Err(other),
        };
        let is_late =
            outcome == Outcome::Unavailable && worker.now().micros_since(sent) > micros(LATE_REFUSAL);
        let retries =
            outcome.is_failure() && !is_late && worker.shared.balancer.may_retry(worker.now(), ask, outcome);
        match won {
            Some(won) if retries => discard(worker, won),
            Some(won) => return Ok(won),
            None if retries => {}
            None => return Err(Nothing::Failed(outcome)),
        }
        nothing = Nothing::Failed(outcome);
    }
}

/// Keeps the connection of an answer that nobody wants, if all of it is here.
fn discard(worker: &Worker, mut won: Won) {
    let body = won.link.inbound.len().saturating_sub(won.link.head.len) as u64;
    if won.link.head.framing == super::head::Framing::Length(body) {
        won.link.inbound.clear();
        worker.give_back(won.upstream.id, won.link);
    }
}

struct Race<'a, 'o> {
    worker: &'a Worker,
    ask: &'a mut Ask,
    order: &'a Order<'o>,
    timer: &'a mut Timer,
}

enum Event {
    First(Tried),
    Second(Tried),
    Rings,
    Gone,
}

impl Race<'_, '_> {
    /// One try, and perhaps a second one beside it.
    async fn run(self, pick: Pick, client: &mut impl Waiting) -> Result<Won, Nothing> {
        let Race { worker, ask, order, timer } = self;
        let balancer = &worker.shared.balancer;
        let mut look = balancer.first_look(&pick, ask);
        let mut doubt = balancer.first_doubt(pick.sent());
        let mut first = Some(pick);
        let mut second = None;
        let trying = attempt(worker, picked(&first), order);
        let mut copy = pin!(none_like(&trying));
        let mut trying = pin!(trying);
        let mut worse: Option<Won> = None;
        // When it is given, if the other try has not answered.
        let mut ends = ask.deadline;
        let mut failed = Outcome::Timeout;
        loop {
            timer.set(look.unwrap_or(ends).min(ends).min(doubt));
            let event = poll_fn(|cx| {
                if first.is_some()
                    && let Poll::Ready(tried) = trying.as_mut().poll(cx)
                {
                    return Poll::Ready(Event::First(tried));
                }
                if second.is_some()
                    && let Some(copy) = copy.as_mut().as_pin_mut()
                    && let Poll::Ready(tried) = copy.poll(cx)
                {
                    return Poll::Ready(Event::Second(tried));
                }
                if let Some(interim) = order.interim {
                    client.poll_tell(cx, interim);
                }
                if client.poll_gone(cx).is_ready() {
                    return Poll::Ready(Event::Gone);
                }
                timer.poll(|| worker.now(), cx).map(|()| Event::Rings)
            })
            .await;
            let (ended, tried) = match event {
                Event::First(tried) => (first.take(), tried),
                Event::Second(tried) => (second.take(), tried),
                Event::Gone => {
                    for pick in [first, second].into_iter().flatten() {
                        worker.done(pick, Outcome::Cancelled);
                    }
                    return Err(Nothing::Gone);
                }
                Event::Rings if worker.now() >= ends => {
                    for pick in [first, second].into_iter().flatten() {
                        worker
                            .done(pick, if worse.is_some() { Outcome::Cancelled } else { Outcome::Timeout });
                    }
                    return worse.ok_or(Nothing::Failed(Outcome::Timeout));
                }
                Event::Rings if worker.now() >= doubt => {
                    let now = worker.now();
                    doubt = balancer.next_doubt(now);
                    let is_hopeless = |pick: &Option<Pick>| {
                        pick.as_ref().is_some_and(|pick| balancer.is_hopeless(now, pick, pick.sent()))
                    };
                    // What was sent may have been done: it ends like any that
                    // was not answered in time.
                    match (is_hopeless(&first), is_hopeless(&second)) {
                        (true, _) => (first.take(), Err(Outcome::Timeout)),
                        (_, true) => (second.take(), Err(Outcome::Timeout)),
                        _ => continue,
                    }
                }
                Event::Rings => {
                    look = None;
                    let Some(pick) = &first else { continue };
                    match balancer.hedge(worker.now(), pick, ask) {
                        Hedge::Send => second = worker.pick(ask),
                        Hedge::LookAgain(at) => look = Some(at),
                        Hedge::Never => {}
                    }
                    if second.is_some() {
                        copy.set(Some(attempt(worker, picked(&second), order)));
                    }
                    continue;
                }
            };
            let Some(ended) = ended else { continue };
            match settle(worker, ended, tried) {
                Ok(won) if Balancer::wins_race(won.outcome) || (first.is_none() && second.is_none()) => {
                    for pick in [first, second].into_iter().flatten() {
                        worker.done(pick, Outcome::Cancelled);
                    }
                    return Ok(won);
                }
                Ok(won) => {
                    ends = balancer.end_of_race(worker.now()).min(ask.deadline);
                    worse = Some(won);
                }
                Err(outcome) => failed = outcome,
            }
            if first.is_none() && second.is_none() {
                return worse.ok_or(Nothing::Failed(failed));
            }
        }
    }
}

/// No future yet, of the same kind as this one.
fn none_like<F>(_: &F) -> Option<F> {
    None
}

fn picked(pick: &Option<Pick>) -> Option<Arc<Upstream>> {
    pick.as_ref().map(|pick| Arc::clone(pick.upstream()))
}

/// Tells the balancer how a try ended.
pub(super) fn settle(worker: &Worker, pick: Pick, tried: Tried) -> Result<Won, Outcome> {
    let upstream = Arc::clone(pick.upstream());
    match tried {
        Ok(link) => {
            let head = &link.head;
            let outcome = Outcome::of_status(head.status, head.is_shed);
            if let Some(load) = &head.load {
                worker.shared.balancer.report(worker.now(), &pick, load);
            }
            worker.done(pick, outcome);
            Ok(Won { link, upstream, outcome })
        }
        Err(outcome) => {
            worker.done(pick, outcome);
            Err(outcome)
        }
    }
}

/// Sends the request to one upstream and reads the head of the answer.
async fn attempt(worker: &Worker, upstream: Option<Arc<Upstream>>, order: &Order<'_>) -> Tried {
    let upstream = upstream.ok_or(Outcome::Connect)?;
    let linked = worker.link(&upstream, order.is_idempotent).await;
    let mut link = linked.map_err(|error| unconnected(&upstream, &error))?;
    let broken = match ask_over(&mut link, order).await {
        Ok(()) => return Ok(link),
        Err(broken) => broken,
    };
    // A connection that rested may be closed by the other side at the moment
    // we write: nothing is wrong with the upstream, so a new one is made.
    if link.is_reused && order.is_idempotent && matches!(broken, Broken::Silent) {
        let linked = worker.new_link(&upstream).await;
        link = linked.map_err(|error| unconnected(&upstream, &error))?;
        if ask_over(&mut link, order).await.is_ok() {
            return Ok(link);
        }
    }
    Err(Outcome::Reset)
}

pub(super) fn unconnected(upstream: &Upstream, error: &std::io::Error) -> Outcome {
    let name = upstream.name();
    tracing::debug!(upstream = name, %error, "no connection to {name}: {error}");
    Outcome::Connect
}

async fn ask_over(link: &mut Link, order: &Order<'_>) -> Result<(), Broken> {
    // An upstream may answer and close before it took all: then writing
    // fails, and the answer is there nevertheless.
    let _ = link.send(order.bytes).await;
    poll_fn(|cx| {
        link.poll_head(cx, order.asks, &mut |head, bytes| {
            if let Some(interim) = order.interim {
                push_interim(&mut interim.lock(), head, bytes);
            }
        })
    })
    .await
}

/// The time until which an answer is waited for.
pub(super) fn deadline(worker: &Worker) -> Tick {
    worker.now().plus(worker.shared.settings.answer_timeout)
}
