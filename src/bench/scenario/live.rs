//! The balancing experiment over real sockets: the same proxy that stands
//! before the site's nodes, before small servers that are cold, slow, that
//! stall and fail, one policy after the other.
//!
//! Six servers work on two requests at a time for 40 ms each on average,
//! queue sixteen more and refuse the rest. All stall once, one is four times
//! as slow, two become cold, one fails fast for a while. Clients wait one
//! second.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::base::{Chance, Clock, FixedChance, Problem};
use crate::bench::client::{Ask, Client, Target};
use crate::bench::load::{self, Call, Course, Tools, Work};
use crate::bench::report::data::PolicyRow;
use crate::bench::schedule::Shape;
use crate::bench::tally::{Flaw, Kind, Tally};
use crate::proxy::forward::{self, Proxy, Route, Settings, Speech};
use crate::proxy::{Place, Policy};

/// The name of this world in the tables.
pub(super) const WORLD: &str = "live";
const POLICIES: [Policy; 6] = [
    Policy::RoundRobin,
    Policy::Random,
    Policy::LeastConnections,
    Policy::P2cInFlight,
    Policy::Netflix,
    Policy::P2c,
];
const KINDS: &[Kind] = &[Kind::main("ask")];
const SERVERS: usize = 6;
const SLOTS: usize = 2;
const QUEUE: usize = 16;
/// Work of one request: lognormal.
const MEAN_S: f64 = 0.040;
const SIGMA: f64 = 0.5;
/// The share of what all of them can do that is asked for.
const LOAD: f64 = 0.60;
/// How long clients wait.
const DEADLINE: Duration = Duration::from_secs(1);
/// Of each policy; a shorter world has no room for what happens in it.
const SPAN_S: std::ops::RangeInclusive<f64> = 1.0..=30.0;
/// Requests until a cold server is e times less slow.
const COLD_REQUESTS: f64 = 60.0;
const WARM: Duration = Duration::from_millis(200);

/// How long each policy has, of so many seconds for all.
pub(super) fn span(seconds: f64) -> Duration {
    Duration::from_secs_f64((seconds / POLICIES.len() as f64).clamp(*SPAN_S.start(), *SPAN_S.end()))
}

/// Runs all policies in about so many seconds together.
///
/// # Errors
/// When there is no room for the servers on this machine.
pub(super) async fn run(tools: &Tools, seconds: f64) -> Result<Vec<PolicyRow>, Problem> {
    let span = span(seconds).as_secs_f64();
    let mut rows = Vec::new();
    for policy in POLICIES {
        rows.push(one(tools, policy, Duration::from_secs_f64(span)).await?);
    }
    Ok(rows)
}

async fn one(tools: &Tools, policy: Policy, span: Duration) -> Result<PolicyRow, Problem> {
    let per_s = LOAD * (SERVERS * SLOTS) as f64 / MEAN_S;
    let begin = tools.clock.monotonic() + WARM;
    let course = Course { begin, shape: Shape::Steady { per_s }, warm: WARM, span, closed: None };
    let servers = Servers::start(tools, course).await.map_err(Problem::internal)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Problem::internal)?;
    let address = listener.local_addr().map_err(Problem::internal)?;
    let settings = Settings { policy, grace: DEADLINE, ..Settings::default() };
    let routes = servers.addresses.iter().map(|address| route(*address)).collect();
    let shared = forward::shared(settings, routes, tools.clock.clone());
    let chance = FixedChance::new(tools.seed);
    let proxy = Proxy::start(shared, vec![listener], None, &chance).map_err(Problem::internal)?;
    let client = Client::new(Target::plain(&address.to_string(), address));
    let tally = Arc::new(Mutex::new(Tally::new(KINDS, course.from(), course.until())));
    load::run(tools, Arc::new(Asking(client)), tally.clone(), course).await;
    proxy.stop().await;
    let round = tally.lock().round();
    let sent = servers.asked.load(Ordering::Relaxed) as f64;
    Ok(PolicyRow {
        world: WORLD.to_owned(),
        policy: policy.name().to_owned() + if policy == Policy::P2c { " (default)" } else { "" },
        requests: round.requests,
        failed: round.errors,
        mean: round.latency.mean,
        p50: round.latency.p50,
        p99: round.latency.p99,
        p999: round.latency.p999,
        extra: ((sent / round.requests.max(1) as f64 - 1.0) * 100.0).max(0.0),
        published: String::new(),
        compressed_to: None,
    })
}

fn route(address: SocketAddr) -> Route {
    let name = address.to_string();
    let place = Place { sticky: u64::from(address.port()), ..Place::new(&name) };
    Route { place, target: forward::Target::new(name, Speech::Plain) }
}

/// A client that waits no longer than a second.
struct Asking(Client);

impl Work for Asking {
    fn kinds(&self) -> &'static [Kind] {
        KINDS
    }

    fn act(self: Arc<Self>, _call: Call) -> BoxFuture<'static, Result<(), Flaw>> {
        Box::pin(async move {
            let ask = Ask::get("/");
            let asked = tokio::time::timeout(DEADLINE, self.0.send(&ask)).await;
            asked.unwrap_or(Err(Flaw::Late))?.good().map(drop)
        })
    }
}

/// The small servers; gone when dropped.
struct Servers {
    addresses: Vec<SocketAddr>,
    /// Requests that count and reached any of them, copies included.
    asked: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

struct Server {
    number: usize,
    course: Course,
    clock: Arc<dyn Clock>,
    chance: FixedChance,
    slots: Semaphore,
    inside: AtomicUsize,
    served: AtomicUsize,
    asked: Arc<AtomicUsize>,
}

impl Servers {
    async fn start(tools: &Tools, course: Course) -> std::io::Result<Servers> {
        let (mut addresses, mut tasks, asked) = (Vec::new(), JoinSet::new(), Arc::default());
        for number in 0..SERVERS {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            addresses.push(listener.local_addr()?);
            let server = Arc::new(Server {
                number,
                course,
                clock: tools.clock.clone(),
                chance: FixedChance::new(tools.seed + number as u64),
                slots: Semaphore::new(SLOTS),
                inside: AtomicUsize::new(0),
                served: AtomicUsize::new(0),
                asked: Arc::clone(&asked),
            });
            tasks.spawn(listen(listener, server));
        }
        Ok(Servers { addresses, asked, _tasks: tasks })
    }
}

async fn listen(listener: TcpListener, server: Arc<Server>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        let _ = stream.set_nodelay(true);
        let server = server.clone();
        connections.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let server = server.clone();
                async move { Ok::<_, std::convert::Infallible>(server.answer(request.uri().path()).await) }
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new());
            // Whoever called has gone; nothing is left to be told.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Counts a request for as long as it is inside, however it ends.
struct Inside<'a>(&'a AtomicUsize);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Server {
    async fn answer(&self, path: &str) -> Response<Full<Bytes>> {
        if path != "/" {
            return status(StatusCode::OK);
        }
        if self.share() >= 0.0 {
            self.asked.fetch_add(1, Ordering::Relaxed);
        }
        if self.fails_fast() {
            return status(StatusCode::INTERNAL_SERVER_ERROR);
        }
        let before = self.inside.fetch_add(1, Ordering::Relaxed);
        let _inside = Inside(&self.inside);
        if before >= SLOTS + QUEUE {
            return status(StatusCode::SERVICE_UNAVAILABLE);
        }
        let Ok(_turn) = self.slots.acquire().await else { return status(StatusCode::SERVICE_UNAVAILABLE) };
        tokio::time::sleep(self.stall_left() + self.work()).await;
        self.served.fetch_add(1, Ordering::Relaxed);
        status(StatusCode::OK)
    }

    /// How far the world has gone; less than nothing while it warms up.
    fn share(&self) -> f64 {
        let since = self.clock.monotonic().as_secs_f64() - self.course.from().as_secs_f64();
        since / self.course.span.as_secs_f64()
    }

    fn fails_fast(&self) -> bool {
        self.number == 3 && (0.66..0.80).contains(&self.share())
    }

    /// Each stalls once, one after the other, for a thirtieth of the time.
    fn stall_left(&self) -> Duration {
        let from = 0.08 + 0.13 * self.number as f64;
        let left = from + 1.0 / 30.0 - self.share();
        let is_now = self.share() >= from && left > 0.0;
        if is_now { self.course.span.mul_f64(left) } else { Duration::ZERO }
    }

    fn work(&self) -> Duration {
        // Box and Muller's way from two even numbers to a normal one.
        let (a, b) = (self.chance.unit().max(1e-12), self.chance.unit());
        let normal = (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        let mut seconds = MEAN_S * (SIGMA * normal - SIGMA * SIGMA / 2.0).exp();
        if self.number == 1 {
            seconds *= 4.0;
        }
        if self.number >= SERVERS - 2 && self.share() >= 0.27 {
            let since_cold = self.served.load(Ordering::Relaxed) as f64;
            seconds *= 1.0 + 5.0 * (-since_cold / (COLD_REQUESTS * 4.0)).exp();
        }
        Duration::from_secs_f64(seconds)
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::testing::TestClock;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_policy_is_tried_over_real_sockets() {
        let tools = Tools { clock: Arc::new(TestClock::start()), seed: 3 };
        let row = one(&tools, Policy::P2c, Duration::from_secs(2)).await.unwrap();
        assert!(row.requests > 200 && row.p50 > 1.0, "{row:?}");
        assert!(row.failed < row.requests / 2, "{row:?}");
    }
}
