//! What is refused, seen from both ends: the client gets a refusal, and the
//! upstream not one byte.

use super::kit::*;

/// Whatever two servers could read differently.
const SMUGGLED: &[(u16, &str)] = &[
    (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n 6\r\n\r\nhello!"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\u{b}\r\n\r\nhello"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello"),
    (501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"),
    (501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    (501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n"),
    (501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
    (
        501,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: cow\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\n chunked\r\n\r\n0\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;\nX\r\nhello\r\n0\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"),
    (400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX : y\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    (400, "GET http://b/ HTTP/1.1\r\nHost: a\r\nHost: c\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n"),
    (400, "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
    (400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        400,
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 3\r\n\r\nabc",
    ),
    (505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    (405, "CONNECT a:22 HTTP/1.1\r\nHost: a:22\r\n\r\n"),
    (417, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\nx"),
];

#[tokio::test]
async fn smuggled_requests_end_at_the_proxy() {
    let upstream = Upstream::answering(ok("seen")).await;
    let front = Front::before(&[&upstream]).await;
    for (expected, text) in SMUGGLED {
        let answer = front.ask(text).await;
        assert_eq!(status(&answer), *expected, "{text:?}: {answer}");
        assert!(answer.contains("Connection: close\r\n"), "{text:?}: the rest must not be read as a request");
        assert_eq!(
            answer.matches("HTTP/1.1 4").count() + answer.matches("HTTP/1.1 5").count(),
            1,
            "{text:?}: {answer}"
        );
    }
    // Broken chunks behind a sound head may reach it in part, but never a
    // whole request.
    assert_eq!(upstream.heads.lock().unwrap().iter().filter(|head| !head.contains("chunked")).count(), 0);
    assert_eq!(status(&front.get("/").await), 200);
}

#[tokio::test]
async fn heads_and_bodies_have_limits() {
    use waxwing::proxy::forward::Settings;
    let upstream = Upstream::answering(ok("seen")).await;
    let settings = Settings { body_max_bytes: 1000, ..Settings::default() };
    let front = Front::with(settings, [upstream.address]).await;
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(70_000));
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: x\r\n".repeat(200));
    let big = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n".to_owned();
    let expecting =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n".to_owned();
    let chunks = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        format!("fa\r\n{}\r\n", "x".repeat(250)).repeat(5)
    );
    for (expected, text) in [(431, long), (431, many), (413, big), (413, expecting), (413, chunks)] {
        assert_eq!(status(&front.ask(&text).await), expected, "{}", &text[..60.min(text.len())]);
    }
    assert_eq!(upstream.seen(), 0);
    let fits = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n{}",
        "x".repeat(1000)
    );
    assert_eq!(status(&front.ask(fits).await), 200);
}

/// Answers that a client could read differently from the proxy.
#[tokio::test]
async fn answers_that_would_split_are_not_passed_on() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        let upstream = Upstream::answering(answer).await;
        let front = Front::before(&[&upstream]).await;
        let got = front.get("/").await;
        assert_eq!(status(&got), 502, "{answer:?}: {got}");
    }
}

/// Bytes behind an answer belong to nobody: the next client must not get them.
#[tokio::test]
async fn an_answer_too_many_is_never_given_to_the_next() {
    let first = format!("{}{}", ok("one"), ok("stolen"));
    let upstream = Upstream::new(move |mut wire, number| {
        let first = first.clone();
        async move {
            while wire.head().await.is_some() {
                wire.send(if number == 0 { first.clone() } else { ok("two") }).await;
            }
        }
    })
    .await;
    let front = Front::before(&[&upstream]).await;
    assert!(front.get("/").await.ends_with("one"));
    assert!(front.get("/").await.ends_with("two"));
}

#[tokio::test]
async fn strangers_are_not_believed_and_known_proxies_are() {
    use waxwing::proxy::forward::Settings;
    let upstream = Upstream::answering(ok("")).await;
    let text = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 7.7.7.7\r\n\
                Forwarded: for=8.8.8.8\r\nX-Forwarded-Proto: https\r\nConnection: close, X-Forwarded-For\r\n\r\n";
    let front = Front::before(&[&upstream]).await;
    front.ask(text).await;
    let head = upstream.last_head();
    assert!(head.contains("X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n"), "{head}");
    assert!(head.contains("Forwarded: for=127.0.0.1;proto=http;host=\"a\"\r\n"), "{head}");
    for forged in ["6.6.6.6", "7.7.7.7", "8.8.8.8"] {
        assert!(!head.contains(forged), "{head}");
    }
    let trusted = vec!["127.0.0.0/8".parse().unwrap()];
    let front = Front::with(Settings { trusted, ..Settings::default() }, [upstream.address]).await;
    front.ask(text).await;
    let head = upstream.last_head();
    assert!(head.contains("X-Forwarded-For: 6.6.6.6\r\n") && !head.contains("7.7.7.7"), "{head}");
}
