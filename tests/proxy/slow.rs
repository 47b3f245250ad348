//! Clients that take their time: what moves goes on, what stands still ends,
//! and no upstream is blamed for either.

use std::time::Duration;

use tokio::time::sleep;
use waxwing::proxy::forward::Settings;

use crate::kit::*;

/// Ten pieces at this pace take longer than anything may stand still, and each
/// may be six times as late.
const PACE: Duration = Duration::from_millis(500);
const STALL: Duration = Duration::from_secs(3);

fn settings(stall: Duration) -> Settings {
    Settings { stall_timeout: stall, stream_stall_timeout: stall, ..Settings::default() }
}

#[tokio::test]
async fn an_upload_that_moves_is_never_too_slow() {
    let upstream = Upstream::answering(ok("all")).await;
    let front = Front::with(settings(STALL), [upstream.address]).await;
    let mut wire = Wire::connect(front.address).await;
    wire.send("POST /media HTTP/1.1\r\nHost: a\r\nContent-Length: 80000\r\n\r\n").await;
    for _ in 0..10 {
        sleep(PACE).await;
        wire.send([b'x'; 8000]).await;
    }
    assert_eq!(status(&wire.head().await.unwrap()), 200);
    let shared = front.shared();
    let view = shared.balancer.view(shared.now()).remove(0);
    assert_eq!((view.uploads, view.in_flight, view.failures), (0, 0, 0), "{view:?}");
    let latency = view.latency_us.unwrap();
    assert!(latency < 4e6, "it is measured from the last byte: {latency} us");
}

#[tokio::test]
async fn an_upload_that_stands_still_is_its_clients_affair() {
    let upstream = Upstream::answering(ok("all")).await;
    let front = Front::with(settings(Duration::from_millis(300)), [upstream.address]).await;
    let mut wire = Wire::connect(front.address).await;
    wire.send("POST /media HTTP/1.1\r\nHost: a\r\nContent-Length: 80000\r\n\r\nbeginning").await;
    assert_eq!(status(&wire.head().await.unwrap()), 408);
    let shared = front.shared();
    let view = shared.balancer.view(shared.now()).remove(0);
    assert_eq!((view.uploads, view.in_flight, view.failures), (0, 0, 0), "{view:?}");
    assert_eq!((view.latency_us, view.error_share), (None, 0.0), "{view:?}");
}

/// An upstream that does not take what the client sends is to blame.
#[tokio::test]
async fn an_upload_that_is_not_taken_is_its_upstreams_affair() {
    let upstream = Upstream::new(|wire, _| async move {
        let _wire = wire;
        std::future::pending().await
    })
    .await;
    let front = Front::with(settings(Duration::from_secs(1)), [upstream.address]).await;
    let mut wire = Wire::connect(front.address).await;
    let whole = 64 << 20;
    wire.send(format!("POST /media HTTP/1.1\r\nHost: a\r\nContent-Length: {whole}\r\n\r\n")).await;
    // Ends when the proxy has refused and reads no more.
    within("the refusal", wire.send(vec![b'x'; whole])).await;
    let shared = front.shared();
    let view = shared.balancer.view(shared.now()).remove(0);
    assert_eq!((view.uploads, view.in_flight, view.failures), (0, 0, 1), "{view:?}");
}

/// A body that comes a little after its head has its own time, whatever the
/// connection waited for before.
#[tokio::test]
async fn a_short_body_may_come_after_its_head() {
    let upstream = Upstream::answering(ok("here")).await;
    let front = Front::before(&[&upstream]).await;
    let mut wire = Wire::connect(front.address).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
        .await;
    assert_eq!(status(&wire.until("here").await.unwrap()), 200);
    sleep(Duration::from_millis(700)).await;
    wire.send("body").await;
    assert_eq!(status(&wire.until("here").await.unwrap()), 200);
    assert!(upstream.last_head().ends_with("\r\n\r\nbody"));
}

#[tokio::test]
async fn a_tunnel_in_which_nothing_moves_ends() {
    let upstream = Upstream::new(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n").await;
        assert_eq!(wire.until("hello").await.as_deref(), Some("hello"));
        wire.send("hello back").await;
        wire.rest().await;
    })
    .await;
    let front = Front::with(settings(Duration::from_millis(400)), [upstream.address]).await;
    let mut wire = Wire::connect(front.address).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n").await;
    assert_eq!(status(&wire.head().await.unwrap()), 101);
    wire.send("hello").await;
    assert_eq!(wire.rest().await, "hello back");
    let shared = front.shared().clone();
    eventually("the stream to end", || shared.balancer.view(shared.now())[0].streams == 0).await;
}
