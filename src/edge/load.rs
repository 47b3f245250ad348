//! What this server says of its load to a balancer that asks, and refusing at
//! once what is over its limit if it came through one: a quick refusal that
//! goes to another server is better than a wait that ends in a timeout.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;

use super::awaited::Awaited;
use crate::base::Clock;
use crate::proxy::{
    CpuMeter, CpuTimes, LOAD_HEADER, LOAD_WANTED_HEADER, Limiter, LoadReport, Pressure, SHED_HEADER, Tick,
    utilisation,
};

/// So many requests at a time are never too many. The limiter knows one
/// latency for all; a handful of slow logins must not close the door.
const IN_FLIGHT_MIN: u32 = 64;
/// How often the processors are looked at, at most.
const CPU_EVERY: Duration = Duration::from_millis(250);
/// What a refused one is told to wait, in seconds.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("1");

/// How full this server is.
#[derive(Clone)]
pub(crate) struct Load(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    began: Duration,
    limiter: Limiter,
    cpu: Mutex<Cpu>,
    /// Two `f32`: how late the runtime is in seconds, smoothed, and how full
    /// the store's lane of writes is.
    wake_up: AtomicU32,
    writer_queue: AtomicU32,
    is_draining: AtomicBool,
}

#[derive(Default)]
struct Cpu {
    meter: CpuMeter,
    looked: Option<Duration>,
    busy: f32,
}

impl Load {
    /// Counts from now on.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Load {
        let began = clock.monotonic();
        Load(Arc::new(Inner {
            clock,
            began,
            limiter: Limiter::default(),
            cpu: Mutex::default(),
            wake_up: AtomicU32::new(0),
            writer_queue: AtomicU32::new(0),
            is_draining: AtomicBool::new(false),
        }))
    }

    fn now(&self) -> Tick {
        tick(self.0.clock.monotonic())
    }

    fn limit(&self) -> u32 {
        self.0.limiter.limit().max(IN_FLIGHT_MIN)
    }

    fn is_full(&self) -> bool {
        self.0.limiter.in_flight() >= self.limit()
    }

    /// Takes in how late a sleeper was just woken, and how full the store's
    /// lane of writes is (1 is full).
    pub(super) fn press(&self, late: Duration, writer_queue: f32) {
        /// What a new measurement counts for.
        const NEW: f32 = 0.2;
        let before = f32::from_bits(self.0.wake_up.load(Relaxed));
        self.0.wake_up.store((before + NEW * (late.as_secs_f32() - before)).to_bits(), Relaxed);
        self.0.writer_queue.store(writer_queue.to_bits(), Relaxed);
    }

    /// From now on it says that it wants nothing new.
    pub(super) fn drain(&self) {
        self.0.is_draining.store(true, Relaxed);
    }

    /// Whether it says that.
    pub(super) fn is_draining(&self) -> bool {
        self.0.is_draining.load(Relaxed)
    }

    /// What it says of itself.
    pub(super) fn report(&self) -> LoadReport {
        let in_flight = self.0.limiter.in_flight();
        let pressure = Pressure {
            cpu: self.cpu(),
            in_flight,
            limit: self.limit(),
            wake_up_s: f32::from_bits(self.0.wake_up.load(Relaxed)),
            writer_queue: f32::from_bits(self.0.writer_queue.load(Relaxed)),
            ..Pressure::default()
        };
        LoadReport {
            utilisation: utilisation(&pressure),
            cpu: pressure.cpu,
            rif: Some(u16::try_from(in_flight).unwrap_or(u16::MAX)),
            limit: Some(u16::try_from(self.limit()).unwrap_or(u16::MAX)),
            uptime_s: Some(u32::try_from(self.age().as_secs()).unwrap_or(u32::MAX)),
            is_draining: self.is_draining(),
        }
    }

    /// For how long this server has been up.
    pub(super) fn age(&self) -> Duration {
        self.0.clock.monotonic().saturating_sub(self.0.began)
    }

    /// How busy the processors are; 0 where the system does not say.
    fn cpu(&self) -> f32 {
        // Whoever finds another one looking need not look.
        let Some(mut cpu) = self.0.cpu.try_lock() else { return 0.0 };
        let now = self.0.clock.monotonic();
        if cpu.looked.is_none_or(|looked| now.saturating_sub(looked) >= CPU_EVERY) {
            cpu.looked = Some(now);
            let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
            if let Some(times) = CpuTimes::parse(&stat) {
                cpu.busy = cpu.meter.add(tick(now), times);
            }
        }
        cpu.busy
    }
}

fn tick(since: Duration) -> Tick {
    Tick::default().plus(since)
}

/// Middleware: counts requests until their answer begins, except while a
/// client has not sent what is wanted of it, for that is no work here; tells
/// and refuses whoever asked for the report.
pub(super) async fn tell(State(load): State<Load>, request: Request, next: Next) -> Response {
    let is_asked = request.headers().contains_key(LOAD_WANTED_HEADER);
    let mut response = if is_asked && load.is_full() {
        metrics::counter!("waxwing_requests_shed_total").increment(1);
        refuse()
    } else {
        count(&load, request, next).await
    };
    if is_asked && let Ok(report) = HeaderValue::from_str(&load.report().to_string()) {
        response.headers_mut().insert(HeaderName::from_static(LOAD_HEADER), report);
    }
    response
}

async fn count(load: &Load, request: Request, next: Next) -> Response {
    let limiter = &load.0.limiter;
    let (request, awaited) = Awaited::of(request);
    let mut answering = pin!(next.run(request));
    let mut permit = Some(limiter.enter(load.now()));
    let response = poll_fn(|cx| {
        let polled = answering.as_mut().poll(cx);
        if awaited.is_client() {
            permit = None;
        } else if polled.is_pending() && permit.is_none() {
            permit = Some(limiter.enter(load.now()));
        }
        polled
    })
    .await;
    if let Some(permit) = permit {
        permit.finish(load.now());
    }
    response
}

fn refuse() -> Response {
    let shed = HeaderName::from_static(SHED_HEADER);
    let headers = [(RETRY_AFTER, RETRY_AFTER_S), (shed, HeaderValue::from_static("1"))];
    (StatusCode::SERVICE_UNAVAILABLE, headers, "busy; ask again in a second\n").into_response()
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::{get, post};
    use futures_util::{StreamExt, stream};
    use tower::ServiceExt;

    use super::*;
    use crate::base::Timestamp;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(7)
        }
    }

    async fn ask(load: &Load, is_asked: bool) -> Response {
        let router = Router::new().route("/", get(|| async { "hello" }));
        let router = router.layer(from_fn_with_state(load.clone(), tell));
        let mut request = Request::new(Body::empty());
        if is_asked {
            request.headers_mut().insert(LOAD_WANTED_HEADER, HeaderValue::from_static("TEXT"));
        }
        router.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn only_who_asks_is_told() {
        let load = Load::new(Arc::new(Still));
        assert!(!ask(&load, false).await.headers().contains_key(LOAD_HEADER));
        let told = ask(&load, true).await;
        let report = told.headers()[LOAD_HEADER].to_str().unwrap();
        let report = LoadReport::parse(report).unwrap();
        assert_eq!((report.rif, report.limit, report.uptime_s), (Some(0), Some(64), Some(0)));
    }

    #[tokio::test]
    async fn over_the_limit_only_who_has_another_way_is_refused() {
        let load = Load::new(Arc::new(Still));
        let inside: Vec<_> = (0..IN_FLIGHT_MIN).map(|_| load.0.limiter.enter(load.now())).collect();
        assert_eq!(ask(&load, false).await.status(), StatusCode::OK);
        let refused = ask(&load, true).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            (&refused.headers()[SHED_HEADER], &refused.headers()[RETRY_AFTER]),
            (&HeaderValue::from_static("1"), &RETRY_AFTER_S)
        );
        assert!(refused.headers().contains_key(LOAD_HEADER));
        drop(inside);
        assert_eq!(ask(&load, true).await.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn a_client_that_sends_slowly_is_no_load() {
        let load = Load::new(Arc::new(Still));
        let (send, mut coming) = tokio::sync::mpsc::channel::<&'static str>(1);
        let pieces = stream::poll_fn(move |cx| coming.poll_recv(cx)).map(Ok::<_, std::io::Error>);
        let works = post(async |_: String| {
            // Longer than anybody looks.
            std::future::pending::<()>().await;
        });
        let router = Router::new().route("/", works).layer(from_fn_with_state(load.clone(), tell));
        let request = Request::post("/").body(Body::from_stream(pieces)).unwrap();
        let mut answering = pin!(router.oneshot(request));
        let in_flight = || load.0.limiter.in_flight();
        let mut look = async || {
            let is_done = poll_fn(|cx| Poll::Ready(answering.as_mut().poll(cx).is_ready())).await;
            assert!(!is_done);
            in_flight()
        };
        assert_eq!(look().await, 0, "nothing has come yet");
        send.send("half").await.unwrap();
        assert_eq!(look().await, 0, "half has come");
        drop(send);
        assert_eq!(look().await, 1, "all has come, and is worked on");
    }
}
