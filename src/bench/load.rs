//! The load generator. Open loop: a thread of its own begins each request at
//! the moment it is due, whatever became of the others. Closed loop, for
//! comparison: so many clients, each of which waits for its answer before it
//! asks again, and so asks less just when the server is slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use super::schedule::{Arrivals, Shape};
use super::tally::{Done, Flaw, Kind, Tally};
use crate::base::{Chance, Clock, FixedChance};

/// Requests under way at once; what is due beyond that is not sent and fails.
pub const UNDER_WAY_MAX: usize = 8192;
/// How long an answer may take.
pub const ANSWER_MAX: Duration = Duration::from_secs(15);
/// How long the pacing thread sleeps at most, so that it hears of the end.
const NAP_MAX: Duration = Duration::from_millis(50);

/// What is done again and again.
pub trait Work: Send + Sync + 'static {
    /// The kinds of requests.
    fn kinds(&self) -> &'static [Kind];

    /// Which kind is next, given a random number.
    fn choose(&self, _dice: u64) -> usize {
        0
    }

    /// Does one.
    fn act(self: Arc<Self>, call: Call) -> BoxFuture<'static, Result<(), Flaw>>;
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Its place in the run.
    pub number: u64,
    /// Which of the kinds.
    pub kind: usize,
    /// When it was due.
    pub due: Duration,
    /// A random number, for what else there is to choose.
    pub dice: u64,
}

impl Call {
    /// One of several, evenly.
    pub fn one_of<'a, T>(&self, all: &'a [T]) -> Option<&'a T> {
        let nth = (u128::from(self.dice) * all.len() as u128) >> 64;
        all.get(nth as usize)
    }
}

/// When, how much, for how long.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    /// When the warm-up begins, on the clock that never goes back.
    pub begin: Duration,
    /// How much.
    pub shape: Shape,
    /// Before anything counts.
    pub warm: Duration,
    /// What counts.
    pub span: Duration,
    /// So many clients that wait, in place of arrivals that do not.
    pub closed: Option<usize>,
}

impl Course {
    /// The first moment that counts.
    pub fn from(&self) -> Duration {
        self.begin + self.warm
    }

    /// The first moment that no longer does.
    pub fn until(&self) -> Duration {
        self.from() + self.span
    }
}

/// What a run needs of its surroundings.
#[derive(Clone)]
pub struct Tools {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance begins here.
    pub seed: u64,
}

/// Runs a course; when it returns, every request has ended or was given up.
pub async fn run(tools: &Tools, work: Arc<dyn Work>, tally: Arc<Mutex<Tally>>, course: Course) {
    let crew = Arc::new(Crew {
        work,
        tally,
        clock: tools.clock.clone(),
        under_way: AtomicUsize::new(0),
        tasks: TaskTracker::new(),
    });
    let is_over = Over(Arc::default());
    match course.closed {
        None => pace(tools, &crew, course, &is_over).await,
        Some(clients) => circle(tools, &crew, course, clients),
    }
    crew.tasks.close();
    let patience = course.until().saturating_sub(tools.clock.monotonic()) + ANSWER_MAX;
    // Each ends by itself within that time.
    let _ = tokio::time::timeout(patience + Duration::from_secs(1), crew.tasks.wait()).await;
}

/// Tells the pacing thread when nobody waits for it any more.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Crew {
    work: Arc<dyn Work>,
    tally: Arc<Mutex<Tally>>,
    clock: Arc<dyn Clock>,
    under_way: AtomicUsize,
    tasks: TaskTracker,
}

async fn pace(tools: &Tools, crew: &Arc<Crew>, course: Course, is_over: &Over) {
    let (crew, clock, seed) = (crew.clone(), tools.clock.clone(), tools.seed);
    let (runtime, is_over) = (Handle::current(), is_over.0.clone());
    // The timers of the runtime tick by the millisecond; sleeping threads wake
    // within a tenth of that.
    let paced = tokio::task::spawn_blocking(move || {
        let (chance, dice) = (FixedChance::new(seed), FixedChance::new(!seed));
        let arrivals = Arrivals::new(course.shape, course.warm, course.span, &chance);
        for (number, at) in arrivals.enumerate() {
            let due = course.begin + at;
            loop {
                let left = due.saturating_sub(clock.monotonic());
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                if left.is_zero() {
                    break;
                }
                std::thread::sleep(left.min(NAP_MAX));
            }
            let (kind, dice) = (crew.work.choose(dice.u64()), dice.u64());
            crew.begin(&runtime, Call { number: number as u64, kind, due, dice });
        }
    });
    // A panic in it was printed; what was collected until then is there.
    let _ = paced.await;
}

/// So many clients in a circle, each on its own.
fn circle(tools: &Tools, crew: &Arc<Crew>, course: Course, clients: usize) {
    for client in 0..clients {
        let (crew, dice) = (crew.clone(), FixedChance::new(tools.seed ^ (client as u64 + 1)));
        crew.clone().tasks.spawn(async move {
            let mut number = (client as u64) << 40;
            while crew.clock.monotonic() < course.until() {
                let (kind, due) = (crew.work.choose(dice.u64()), crew.clock.monotonic());
                crew.do_one(Call { number, kind, due, dice: dice.u64() }).await;
                number += 1;
            }
        });
    }
}

impl Crew {
    fn begin(self: &Arc<Crew>, runtime: &Handle, call: Call) {
        if self.under_way.load(Ordering::Relaxed) >= UNDER_WAY_MAX {
            let (sent, outcome) = (call.due, Err(Flaw::Dropped));
            let done = Done { kind: call.kind, due: call.due, sent, ended: call.due, outcome };
            return self.tally.lock().note(&done);
        }
        self.under_way.fetch_add(1, Ordering::Relaxed);
        let crew = self.clone();
        self.tasks.spawn_on(
            async move {
                crew.do_one(call).await;
                crew.under_way.fetch_sub(1, Ordering::Relaxed);
            },
            runtime,
        );
    }

    async fn do_one(&self, call: Call) {
        let sent = self.clock.monotonic();
        let act = self.work.clone().act(call);
        let outcome = tokio::time::timeout(ANSWER_MAX, act).await.unwrap_or(Err(Flaw::Late));
        let ended = self.clock.monotonic();
        self.tally.lock().note(&Done { kind: call.kind, due: call.due, sent, ended, outcome });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::testing::TestClock;

    /// A server with one worker that stands still now and then: what it is
    /// asked meanwhile waits until it goes on.
    struct Stalling {
        clock: Arc<dyn Clock>,
        begin: Duration,
        every: Duration,
        pause: Duration,
    }

    const KINDS: &[Kind] = &[Kind::main("ask")];

    impl Work for Stalling {
        fn kinds(&self) -> &'static [Kind] {
            KINDS
        }

        fn act(self: Arc<Self>, _call: Call) -> BoxFuture<'static, Result<(), Flaw>> {
            Box::pin(async move {
                let since = self.clock.monotonic().saturating_sub(self.begin).as_micros();
                let into = since % self.every.as_micros();
                if into < self.pause.as_micros() {
                    let left = self.pause.as_micros() - into;
                    tokio::time::sleep(Duration::from_micros(left as u64)).await;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
                Ok(())
            })
        }
    }

    async fn measure(closed: Option<usize>) -> crate::bench::report::data::Round {
        let clock: Arc<dyn Clock> = Arc::new(TestClock::start());
        let begin = clock.monotonic();
        let course = Course {
            begin,
            shape: Shape::Steady { per_s: 400.0 },
            warm: Duration::ZERO,
            span: Duration::from_millis(1500),
            closed,
        };
        let (every, pause) = (Duration::from_millis(500), Duration::from_millis(100));
        let work = Arc::new(Stalling { clock: clock.clone(), begin, every, pause });
        let tally = Tally::new(work.kinds(), course.from(), course.until());
        let tally = Arc::new(Mutex::new(tally));
        run(&Tools { clock, seed: 5 }, work, tally.clone(), course).await;
        tally.lock().round()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_stall_shows_where_arrivals_do_not_wait_and_hides_where_they_do() {
        let open = measure(None).await;
        let closed = measure(Some(1)).await;
        println!("open p95 {:.1} ms, closed p95 {:.1} ms", open.latency.p95, closed.latency.p95);
        // A fifth of all arrivals meets a stall; half of those wait 50 ms and more.
        assert!(open.latency.p95 > 50.0, "{:?}", open.latency);
        assert!(closed.latency.p95 < open.latency.p95 / 2.0, "{:?}", closed.latency);
        assert!(open.requests > 450 && open.errors == 0, "{open:?}");
    }
}
