//! What is passed on, and how: byte by byte on both sides.

use std::time::Duration;

use waxwing::proxy::Policy;
use waxwing::proxy::forward::Settings;

use super::kit::*;

#[tokio::test]
async fn many_requests_share_connections_on_both_sides() {
    let upstream = Upstream::replying(|head| ok(head.split(' ').nth(1).unwrap())).await;
    let front = Front::before(&[&upstream]).await;
    let mut wire = Wire::connect(front.address).await;
    // Two at once (pipelined), then one after the other.
    wire.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    for number in 1..=20 {
        let head = wire.head().await.unwrap();
        let body = wire.exactly(length_of(&head)).await;
        assert_eq!(body, format!("/{number}"));
        if number >= 2 {
            wire.send(format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", number + 1)).await;
        }
    }
    assert_eq!(upstream.connections.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_concerns_one_connection_stays_behind() {
    let answer = "HTTP/1.1 200 Fine\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\n\
                  Proxy-Authenticate: x\r\nendpoint-load-metrics: TEXT cpu_utilization=0.25\r\nwaxwing-shed: 1\r\n\
                  X-End: 2\r\nContent-Length: 2\r\n\r\nhi";
    let upstream = Upstream::answering(answer).await;
    let front = Front::before(&[&upstream]).await;
    let got = front
        .ask(
            "GET http://b.example/p?q HTTP/1.1\r\nHost: a\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nTE: gzip\r\n\
             Proxy-Authorization: x\r\nVia: 1.0 first\r\nX-End: 3\r\n\r\n",
        )
        .await;
    assert_eq!(
        got,
        "HTTP/1.1 200 Fine\r\nX-End: 2\r\nContent-Length: 2\r\nConnection: close\r\nVia: 1.1 waxwing\r\n\r\nhi"
    );
    let sent = upstream.last_head();
    assert!(
        sent.starts_with("GET /p?q HTTP/1.1\r\nHost: b.example\r\nVia: 1.0 first\r\nX-End: 3\r\n"),
        "{sent}"
    );
    assert!(
        sent.contains("\r\nVia: 1.1 waxwing\r\n") && sent.contains("endpoint-load-metrics-format: TEXT\r\n")
    );
    for gone in ["X-Mine", "TE:", "Proxy-Auth", "Connection"] {
        assert!(!sent.contains(gone), "{gone}: {sent}");
    }
    let view = front.shared().balancer.view(front.shared().now());
    let heard = view[0].utilisation.unwrap();
    assert!((0.2..=0.25).contains(&heard), "the report is heard, not passed on: {heard}");
}

#[tokio::test]
async fn bodies_arrive_as_they_were() {
    let big: String = (0..300_000u32).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
    let chunked = |text: &str, size: usize| -> String {
        let chunks = text
            .as_bytes()
            .chunks(size)
            .map(|c| format!("{:x}\r\n{}\r\n", c.len(), String::from_utf8_lossy(c)));
        chunks.collect::<String>() + "0\r\n\r\n"
    };
    for length in [0, 1, 5000, 70_000, 300_000] {
        let body = big[..length].to_owned();
        let plain = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
        let chunks = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}", chunked(&body, 7001));
        for answer in [plain, chunks] {
            let upstream = Upstream::answering(answer.clone()).await;
            let front = Front::before(&[&upstream]).await;
            let got = front.get("/").await;
            let (head, rest) = got.split_once("\r\n\r\n").unwrap();
            let read = if head.contains("chunked") { unchunk(rest) } else { rest.to_owned() };
            assert!(read == body, "{length} of {}", read.len());
            let old = front.ask("GET / HTTP/1.0\r\n\r\n").await;
            let (head, rest) = old.split_once("\r\n\r\n").unwrap();
            assert!(rest == body && !head.contains("chunked"), "HTTP/1.0 knows no chunks: {head}");
        }
        let upstream = Upstream::new(move |mut wire, _| async move {
            while let Some(head) = wire.head().await {
                let body = match head.contains("chunked") {
                    true => unchunk(&wire.until("\r\n0\r\n\r\n").await.unwrap()),
                    false => wire.exactly(length_of(&head)).await,
                };
                wire.send(ok(&body)).await;
            }
        })
        .await;
        let front = Front::before(&[&upstream]).await;
        let plain = format!("Content-Length: {length}\r\n\r\n{body}");
        let chunks = format!("Transfer-Encoding: chunked\r\n\r\n{}", chunked(&body, 3001));
        for rest in [plain, chunks].iter().filter(|rest| length > 0 || !rest.contains("chunked")) {
            let got = front.ask(format!("PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{rest}")).await;
            assert!(got.ends_with(&format!("\r\n\r\n{body}")), "{length}: {}", &got[..got.len().min(200)]);
        }
    }
}

fn unchunk(mut text: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        body.push_str(&rest[..size]);
        text = rest[size..].trim_start_matches("\r\n");
        if size == 0 {
            break;
        }
    }
    body
}

/// An answer without length ends with its connection; a client of HTTP/1.1
/// must nevertheless see whether it got all.
#[tokio::test]
async fn an_answer_without_length_is_given_one() {
    let upstream = Upstream::new(|mut wire, number| async move {
        wire.head().await;
        wire.send("HTTP/1.1 200 OK\r\n\r\nhello").await;
        match number {
            0 => wire.finish().await,
            _ => wire.reset(),
        }
    })
    .await;
    let front = Front::before(&[&upstream]).await;
    let whole = front.get("/").await;
    assert!(whole.ends_with("5\r\nhello\r\n0\r\n\r\n"), "{whole}");
    let cut = front.get("/").await;
    assert!(!cut.ends_with("0\r\n\r\n"), "a broken answer must not look whole: {cut}");
}

#[tokio::test]
async fn trailers_travel_both_ways() {
    let upstream = Upstream::new(|mut wire, _| async move {
        while let Some(head) = wire.head().await {
            assert!(head.contains("Trailer: X-Sum\r\n") && head.contains("TE: trailers\r\n"), "{head}");
            let body = wire.until("X-Sum: 1\r\n\r\n").await.unwrap();
            assert!(body.starts_with("5\r\nhello\r\n0\r\n") && !body.contains("Host"), "{body}");
            wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Out\r\n\r\n2\r\nhi\r\n0\r\nX-Out: 2\r\nContent-Length: 9\r\n\r\n").await;
        }
    })
    .await;
    let front = Front::before(&[&upstream]).await;
    let mut wire = Wire::connect(front.address).await;
    for _ in 0..2 {
        wire.send("POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        wire.send("5\r\nhello\r\n0\r\nHost: evil\r\nX-Sum: 1\r\n\r\n").await;
        assert!(wire.head().await.unwrap().contains("Trailer: X-Out\r\n"));
        assert_eq!(wire.until("\r\n\r\n").await.unwrap(), "2\r\nhi\r\n0\r\nX-Out: 2\r\n\r\n");
    }
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_by_the_upstream() {
    let upstream = Upstream::new(|mut wire, _| async move {
        while let Some(head) = wire.head().await {
            assert!(head.contains("Expect: 100-continue\r\n"), "{head}");
            if head.starts_with("PUT") {
                wire.send("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n").await;
                continue;
            }
            wire.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n").await;
            let body = wire.exactly(length_of(&head)).await;
            wire.send(ok(&body)).await;
        }
    })
    .await;
    let front = Front::before(&[&upstream]).await;
    let mut wire = Wire::connect(front.address).await;
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n").await;
    assert_eq!(wire.head().await.unwrap(), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    assert_eq!(wire.head().await.unwrap(), "HTTP/1.1 100 Continue\r\n\r\n");
    wire.send("hello").await;
    assert!(wire.until("hello").await.unwrap().starts_with("HTTP/1.1 200 OK"));
    // Refused: the body never comes, so the connection cannot go on.
    let mut wire = Wire::connect(front.address).await;
    wire.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n").await;
    let answer = wire.head().await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 413 No\r\n") && answer.contains("Connection: close\r\n"),
        "{answer}"
    );
    wire.finish().await;
    assert_eq!(wire.rest().await, "");
}

#[tokio::test]
async fn web_sockets_and_other_upgrades_are_tunnels() {
    let upstream = Upstream::new(|mut wire, _| async move {
        let head = wire.head().await.unwrap();
        assert!(head.contains("Connection: upgrade\r\nUpgrade: chat\r\n"), "{head}");
        assert!(head.contains("Sec-WebSocket-Key: k\r\n"), "{head}");
        wire.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\nX: y\r\n\r\nhello",
        )
        .await;
        let word = wire.until("!").await.unwrap();
        wire.send(format!("you said {word}")).await;
        wire.rest().await;
        wire.send("bye").await;
    })
    .await;
    let front = Front::before(&[&upstream]).await;
    let mut wire = Wire::connect(front.address).await;
    wire.send(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: chat\r\nSec-WebSocket-Key: k\r\n\r\nea",
    )
    .await;
    let head = wire.head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\nX: y\r\n"), "{head}");
    assert!(head.contains("Connection: upgrade\r\nUpgrade: chat\r\n"), "{head}");
    assert_eq!(wire.exactly(5).await, "hello");
    wire.send("rly!").await;
    assert_eq!(wire.exactly(14).await, "you said early!".get(..14).unwrap());
    wire.finish().await;
    assert_eq!(wire.rest().await, "!bye", "each half ends by itself");
}

#[tokio::test]
async fn a_real_web_socket_works() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                socket.send(message).await.unwrap();
            }
        }
    });
    let front = Front::with(Settings::default(), [address]).await;
    let stream = tokio::net::TcpStream::connect(front.address).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async("ws://site.example/chat", stream).await.unwrap();
    for text in ["a", &"long ".repeat(50_000)] {
        within("sending", socket.send(Message::text(text.to_owned()))).await.unwrap();
        let back = within("the echo", socket.next()).await.unwrap().unwrap();
        assert!(back.into_text().unwrap() == text);
    }
    within("closing", socket.close(None)).await.unwrap();
}

#[tokio::test]
async fn events_arrive_one_by_one_and_are_counted_as_a_stream() {
    let upstream = Upstream::new(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").await;
        for number in 0..3 {
            wire.send(format!("data: {number}\n\n")).await;
            // The next is written when the last has gone through.
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        wire.rest().await;
    })
    .await;
    let front = Front::before(&[&upstream]).await;
    let mut wire = Wire::connect(front.address).await;
    wire.send("GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n").await;
    assert!(wire.head().await.unwrap().contains("Transfer-Encoding: chunked\r\n"));
    for number in 0..3 {
        assert_eq!(wire.until("\n\n\r\n").await.unwrap(), format!("9\r\ndata: {number}\n\n\r\n"));
    }
    let shared = front.shared().clone();
    let streams = || shared.balancer.view(shared.now())[0].streams;
    assert_eq!((streams(), shared.balancer.view(shared.now())[0].in_flight), (1, 0));
    drop(wire);
    eventually("the stream to end with its client", || streams() == 0).await;
}

#[tokio::test]
async fn an_upload_streams_while_it_comes() {
    let upstream = Upstream::new(|mut wire, _| async move {
        let head = wire.head().await.unwrap();
        assert!(head.contains("Transfer-Encoding: chunked\r\n"), "{head}");
        assert_eq!(wire.until("one\r\n").await.unwrap(), "3\r\none\r\n");
        wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ngot\r\n").await;
        assert_eq!(wire.until("0\r\n\r\n").await.unwrap(), "3\r\ntwo\r\n0\r\n\r\n");
        wire.send("3\r\nall\r\n0\r\n\r\n").await;
        wire.rest().await;
    })
    .await;
    let front = Front::before(&[&upstream]).await;
    let mut wire = Wire::connect(front.address).await;
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n").await;
    assert!(wire.until("3\r\ngot\r\n").await.is_some(), "the answer begins before the request ends");
    wire.send("3\r\ntwo\r\n0\r\n\r\n").await;
    assert_eq!(wire.until("0\r\n\r\n").await.unwrap(), "3\r\nall\r\n0\r\n\r\n");
}

#[tokio::test]
async fn the_last_hop_of_a_request_is_ours() {
    let upstream = Upstream::answering(ok("")).await;
    let front = Front::before(&[&upstream]).await;
    let ask = |method: &str, hops: u32| {
        front.ask(format!(
            "{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nMax-Forwards: {hops}\r\n\r\n"
        ))
    };
    assert_eq!(status(&ask("OPTIONS", 0).await), 200);
    assert_eq!(status(&ask("TRACE", 0).await), 405);
    assert_eq!(upstream.seen(), 0);
    ask("OPTIONS", 3).await;
    assert!(upstream.last_head().contains("Max-Forwards: 2\r\n"));
    ask("GET", 0).await;
    assert!(upstream.last_head().contains("Max-Forwards: 0\r\n"), "it counts for two methods only");
}

#[tokio::test]
async fn a_sticky_cookie_leads_back() {
    let names = ["a", "b", "c"];
    let upstreams = [
        Upstream::answering(ok("a")).await,
        Upstream::answering(ok("b")).await,
        Upstream::answering(ok("c")).await,
    ];
    let settings = Settings { policy: Policy::StickyCookie, ..Settings::default() };
    let front = Front::with(settings, upstreams.iter().map(|upstream| upstream.address)).await;
    let first = front.get("/").await;
    let cookie = first.split("Set-Cookie: ").nth(1).unwrap().split(';').next().unwrap().to_owned();
    for _ in 0..10 {
        let again = front
            .ask(format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: x=y; {cookie}\r\nConnection: close\r\n\r\n"))
            .await;
        assert_eq!(again.chars().last(), first.chars().last());
        assert!(!again.contains("Set-Cookie"), "{again}");
    }
    assert!(names.iter().any(|name| first.ends_with(name)));
}

#[tokio::test]
async fn a_head_answer_has_no_body_but_its_length() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n").await;
    let front = Front::before(&[&upstream]).await;
    let mut wire = Wire::connect(front.address).await;
    for _ in 0..2 {
        wire.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(wire.head().await.unwrap().contains("Content-Length: 1234\r\n"));
    }
}

/// Clients would wait for bytes that never come (RFC 9110 §8.6).
#[tokio::test]
async fn an_answer_without_content_names_no_length() {
    let upstream = Upstream::answering("HTTP/1.1 204 Done\r\nContent-Length: 5\r\nX: y\r\n\r\n").await;
    let front = Front::before(&[&upstream]).await;
    let mut wire = Wire::connect(front.address).await;
    for method in ["DELETE", "HEAD"] {
        wire.send(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        let head = wire.head().await.unwrap();
        assert!(head.contains("X: y\r\n") && !head.to_lowercase().contains("content-length"), "{head}");
    }
}
