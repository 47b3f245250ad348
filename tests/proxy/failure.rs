//! What the proxy does when upstreams fail: which requests go elsewhere,
//! which may not, and what clients are told.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpListener;
use waxwing::proxy::forward::Settings;
use waxwing::proxy::{Health, Policy};

use super::kit::*;

/// An address that refuses connections.
async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

fn turns() -> Settings {
    Settings { policy: Policy::RoundRobin, ..Settings::default() }
}

const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello";

#[tokio::test]
async fn any_request_goes_elsewhere_if_it_was_not_begun() {
    let shed = "HTTP/1.1 503 Busy\r\nwaxwing-shed: 1\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
    let upstream =
        Upstream::replying(|head| ok(if head.starts_with("POST") { "posted" } else { "got" })).await;
    let busy = Upstream::answering(shed).await;
    for bad in [nobody().await, busy.address] {
        let front = Front::with(turns(), [bad, upstream.address]).await;
        for _ in 0..4 {
            assert!(front.ask(POST).await.ends_with("posted"));
            assert!(front.get("/").await.ends_with("got"));
        }
    }
    assert!(
        upstream.heads.lock().unwrap().iter().filter(|head| head.ends_with("hello")).count() == 8,
        "bodies, too"
    );
    // With nowhere to go the refusal is passed on, its mark for proxies is not.
    let front = Front::with(turns(), [busy.address]).await;
    let answer = front.get("/").await;
    assert!(
        status(&answer) == 503 && answer.contains("Retry-After: 1") && !answer.contains("waxwing-shed"),
        "{answer}"
    );
}

#[tokio::test]
async fn only_what_may_be_repeated_is_repeated() {
    let upstream = Upstream::answering(ok("fine")).await;
    let broken = Upstream::answering("HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno").await;
    let resetting = Upstream::new(|mut wire, _| async move {
        wire.head().await;
        wire.reset();
    })
    .await;
    let keyed = POST.replace("Content-Length", "Idempotency-Key: k\r\nContent-Length");
    let inbox = POST
        .replace("POST /", "POST /inbox")
        .replace("Content-Length", "Content-Type: application/activity+json\r\nContent-Length");
    let get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let keeps_none = Settings { keeps_key: |path| path == b"/posts", ..turns() };
    let kept = keyed.replace("POST /", "POST /posts?x");
    for (text, expected) in [(&keyed, 500), (&kept, 200)] {
        let front = Front::with(keeps_none.clone(), [broken.address, upstream.address]).await;
        let mut seen = [status(&front.ask(text).await), status(&front.ask(text).await)];
        seen.sort_unstable();
        assert_eq!(seen, [200, expected], "keys are kept for posts only: {text}");
    }
    for (bad, failure) in [(broken.address, 500), (resetting.address, 502)] {
        for (text, expected) in [(POST, failure), (&keyed, 200), (&inbox, 200), (get, 200)] {
            let front = Front::with(turns(), [bad, upstream.address]).await;
            // By turns: one of two begins at the bad one.
            let mut seen = [status(&front.ask(text).await), status(&front.ask(text).await)];
            seen.sort_unstable();
            assert_eq!(seen, [200, expected], "{failure}: {text}");
        }
    }
}

/// An upstream that closes a resting connection at the moment it is used
/// again: nothing is wrong with it.
#[tokio::test]
async fn a_connection_closed_at_rest_costs_no_request() {
    let upstream = Upstream::new(|mut wire, _| async move {
        wire.head().await;
        wire.send(ok("fine")).await;
        // The next request is read, and the connection closed without a word.
        wire.head().await;
    })
    .await;
    let front = Front::before(&[&upstream]).await;
    for _ in 0..5 {
        assert_eq!(status(&front.get("/").await), 200);
    }
    assert!(upstream.connections.load(SeqCst) >= 5);
    let view = front.shared().balancer.view(front.shared().now());
    assert_eq!((view[0].failures, view[0].health), (0, view[0].health));
}

/// What may not be repeated must not meet that race: it goes over a fresh
/// connection when the resting one is old.
#[tokio::test]
async fn a_post_does_not_ride_on_an_old_connection() {
    let upstream = Upstream::replying(|_| ok("fine")).await;
    let front = Front::before(&[&upstream]).await;
    front.get("/").await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(status(&front.ask(POST).await), 200);
    assert_eq!(upstream.connections.load(SeqCst), 2);
}

#[tokio::test]
async fn a_silent_upstream_is_hedged_and_the_other_wins() {
    let silent = Upstream::new(|mut wire, _| async move {
        wire.head().await;
        // It stays open, and says nothing, until the other side closes.
        wire.rest().await;
    })
    .await;
    let upstream = Upstream::answering(ok("fine")).await;
    let settings = Settings { policy: Policy::P2c, ..Settings::default() };
    let front = Front::with(settings, [silent.address, upstream.address]).await;
    for _ in 0..20 {
        let began = Instant::now();
        assert!(front.get("/").await.ends_with("fine"));
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
    let extra = front.shared().balancer.extra_requests();
    assert!((1..=20).contains(&extra), "{extra}");
}

/// Two were asked: one has failed, the other says nothing.
#[tokio::test]
async fn a_failure_is_told_if_the_other_copy_hangs() {
    let failing = Upstream::new(|mut wire, _| async move {
        wire.head().await;
        // Late enough to be hedged.
        tokio::time::sleep(Duration::from_millis(400)).await;
        wire.send("HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno").await;
        wire.rest().await;
    })
    .await;
    let silent = Upstream::new(|mut wire, _| async move { drop(wire.rest().await) }).await;
    let settings = Settings { policy: Policy::P2c, ..Settings::default() };
    let front = Front::with(settings, [failing.address, silent.address]).await;
    // Long before the 60 s that an answer may take.
    assert_eq!(status(&front.get("/").await), 500);
    assert_eq!(front.shared().balancer.extra_requests(), 1, "it was hedged");
}

#[tokio::test]
async fn retries_and_hedges_have_one_budget() {
    // A 503 ejects nobody, so there is always somewhere else to go.
    let busy = Upstream::answering("HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n").await;
    let other = Upstream::answering("HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n").await;
    let front = Front::before(&[&busy, &other]).await;
    let mut wire = Wire::connect(front.address).await;
    for _ in 0..200 {
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(status(&wire.head().await.unwrap()), 503);
    }
    let extra = front.shared().balancer.extra_requests();
    // Ten at the start, a tenth of the requests, and one for each second.
    assert!((10..=40).contains(&extra), "{extra}");
}

#[tokio::test]
async fn nobody_there_is_said_plainly() {
    let front = Front::with(turns(), [nobody().await]).await;
    assert_eq!(status(&front.get("/").await), 502);
    let front = Front::with(turns(), []).await;
    let answer = front.get("/").await;
    assert!(status(&answer) == 503 && answer.contains("Retry-After: 1\r\n"), "{answer}");
    let slow = Upstream::new(|mut wire, _| async move { drop(wire.rest().await) }).await;
    let settings = Settings { answer_timeout: Duration::from_millis(100), ..turns() };
    let front = Front::with(settings, [slow.address]).await;
    assert_eq!(status(&front.get("/").await), 504);
    assert_eq!(status(&front.ask(POST).await), 504);
}

/// One that restarts behind its name says first that it wants nothing new.
#[tokio::test]
async fn an_upstream_that_wanted_nothing_new_comes_back() {
    let drains = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let says = drains.clone();
    let one = Upstream::replying(move |_| {
        let drain = u8::from(says.load(std::sync::atomic::Ordering::SeqCst));
        format!(
            "HTTP/1.1 200 OK\r\nendpoint-load-metrics: TEXT named_metrics.drain={drain}\r\n\
             Content-Length: 0\r\n\r\n"
        )
    })
    .await;
    let two = Upstream::answering(ok("")).await;
    let front = Front::before(&[&one, &two]).await;
    let served = || one.heads.lock().unwrap().iter().filter(|head| head.starts_with("GET /work")).count();
    for _ in 0..10 {
        assert_eq!(status(&front.get("/work").await), 200);
    }
    assert_eq!(served(), 1, "it said so with its first answer");
    drains.store(false, std::sync::atomic::Ordering::SeqCst);
    within("a check that hears of it", async {
        while served() < 2 {
            assert_eq!(status(&front.get("/work").await), 200);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

/// A client that leaves takes its request with it: at once if its connection
/// breaks, and soon if it only sends nothing more.
#[tokio::test]
async fn a_client_that_leaves_frees_the_upstream() {
    let slow = Upstream::new(|mut wire, _| async move { drop(wire.rest().await) }).await;
    let front = Front::before(&[&slow]).await;
    for leave in [Wire::reset, drop] {
        let mut wire = Wire::connect(front.address).await;
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let shared = front.shared().clone();
        let in_flight = || shared.balancer.view(shared.now())[0].in_flight;
        eventually("the request to be under way", || in_flight() == 1).await;
        leave(wire);
        eventually("it to be given up", || in_flight() == 0).await;
    }
}

/// To say that nothing more comes is not to leave.
#[tokio::test]
async fn a_client_that_ends_its_half_gets_its_answer() {
    let upstream = Upstream::new(|mut wire, _| async move {
        while wire.until("hello").await.is_some() {
            // The end of the client's half is there before the answer.
            tokio::time::sleep(Duration::from_millis(200)).await;
            wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n").await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            wire.send("4\r\nmore\r\n0\r\n\r\n").await;
        }
    })
    .await;
    let front = Front::before(&[&upstream]).await;
    let asks = [
        "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ];
    for text in asks {
        let mut wire = Wire::connect(front.address).await;
        wire.send(text).await;
        wire.finish().await;
        let answer = wire.rest().await;
        assert!(answer.ends_with("some\r\n4\r\nmore\r\n0\r\n\r\n"), "{text}: {answer}");
    }
}

#[tokio::test]
async fn a_stop_lets_requests_finish() {
    let (begun, ready) =
        (std::sync::Arc::new(tokio::sync::Notify::new()), std::sync::Arc::new(tokio::sync::Notify::new()));
    let (tell, wait) = (begun.clone(), ready.clone());
    let upstream = Upstream::new(move |mut wire, _| {
        let (tell, wait) = (tell.clone(), wait.clone());
        async move {
            wire.head().await;
            tell.notify_one();
            wait.notified().await;
            wire.send(ok("late")).await;
        }
    })
    .await;
    let mut front = Front::before(&[&upstream]).await;
    let mut resting = Wire::connect(front.address).await;
    let mut wire = Wire::connect(front.address).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    begun.notified().await;
    let stopping = tokio::spawn(front.proxy.take().unwrap().stop());
    assert_eq!(resting.rest().await, "", "a resting connection is closed at once");
    ready.notify_one();
    let answer = wire.rest().await;
    assert!(answer.ends_with("late"), "{answer}");
    within("the stop", stopping).await.unwrap();
    assert!(tokio::net::TcpStream::connect(front.address).await.is_err());
}

/// A server in a process of its own, which can be killed and stopped.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// This test program again, as a server.
    fn start() -> Process {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "failure::a_server_in_a_process", "--nocapture"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.map_while(Result::ok).find(|line| line.contains("serving ")).unwrap();
        let address = line.split("serving ").nth(1).unwrap().parse().unwrap();
        Process { child, address }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
#[ignore = "a part of the tests below, which start it"]
async fn a_server_in_a_process() {
    let upstream = Upstream::answering(ok("fine")).await;
    println!("serving {}", upstream.address);
    // Ends by itself if nobody ends it.
    tokio::time::sleep(Duration::from_secs(60)).await;
}

async fn warm(front: &Front) {
    for _ in 0..50 {
        assert_eq!(status(&front.get("/").await), 200);
    }
}

#[tokio::test]
async fn a_killed_upstream_costs_nothing() {
    let (one, two) = (Process::start(), Process::start());
    let front = Front::with(Settings::default(), [one.address, two.address]).await;
    warm(&front).await;
    one.signal(Signal::KILL);
    for _ in 0..100 {
        assert_eq!(status(&front.get("/").await), 200);
    }
    let shared = front.shared().clone();
    let health = |address: SocketAddr| {
        let views = shared.balancer.view(shared.now());
        views.into_iter().find(|view| *view.name == *address.to_string()).unwrap().health
    };
    assert_eq!(health(two.address), Health::Healthy);
}

#[tokio::test]
async fn a_stopped_upstream_loses_its_traffic_within_two_seconds() {
    let (one, two) = (Process::start(), Process::start());
    let front = Front::with(Settings::default(), [one.address, two.address]).await;
    warm(&front).await;
    one.signal(Signal::STOP);
    let began = Instant::now();
    let mut slow = 0;
    for _ in 0..200 {
        let asked = Instant::now();
        assert_eq!(status(&front.get("/").await), 200);
        slow += u32::from(asked.elapsed() > Duration::from_millis(200));
    }
    assert!(slow <= 2, "{slow} of 200 waited");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let picks = |address: SocketAddr| {
        let views = front.shared().balancer.view(front.shared().now());
        views.into_iter().find(|view| *view.name == *address.to_string()).unwrap().picks
    };
    let before = picks(one.address);
    for _ in 0..100 {
        front.get("/").await;
    }
    assert!(picks(one.address) - before <= 5, "{} more went there", picks(one.address) - before);
    one.signal(Signal::CONT);
}
