//! HTTP/2 on both sides, and what must not pass between the two versions.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use waxwing::proxy::forward::{Settings, Speech};

use super::kit::*;

type Body = BoxBody<Bytes, Infallible>;

/// A client that speaks HTTP/2 without asking.
async fn client(address: SocketAddr) -> SendRequest<Body> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn full(text: &str) -> Body {
    Full::new(Bytes::from(text.to_owned())).boxed()
}

fn frames(frames: Vec<Frame<Bytes>>) -> Body {
    let frames = futures_util::stream::iter(frames).map(Ok);
    BodyExt::boxed(StreamBody::new(frames))
}

fn request(method: &str, path: &str, body: Body) -> Request<Body> {
    let uri = format!("http://site.example{path}");
    Request::builder().method(method).uri(uri).version(Version::HTTP_2).body(body).unwrap()
}

async fn read(answer: Response<Incoming>) -> (StatusCode, HeaderMap, String, Option<HeaderMap>) {
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned();
    let text = String::from_utf8(body.to_bytes().to_vec()).unwrap();
    (parts.status, parts.headers, text, trailers)
}

/// A server of HTTP/2 in the clear: gives back the body, with the headers it
/// saw under `saw`, and a trailer.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(|request: Request<Incoming>| async move {
                let saw = format!("{:?} {} {:?}", request.version(), request.uri(), request.headers());
                let status = if request.uri().path() == "/missing" { 404 } else { 200 };
                let body = request.into_body().collect().await.unwrap();
                let sum = body.trailers().and_then(|t| t.get("x-sum")).cloned();
                let mut trailers = HeaderMap::new();
                trailers.insert("x-back", sum.unwrap_or_else(|| "none".parse().unwrap()));
                let body = frames(vec![Frame::data(body.to_bytes()), Frame::trailers(trailers)]);
                let saw = saw.replace(|c: char| !c.is_ascii_graphic(), "_");
                Ok::<_, Infallible>(Response::builder().status(status).header("saw", saw).body(body).unwrap())
            });
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

#[tokio::test]
async fn http_2_comes_in_and_http_1_goes_out() {
    let upstream = Upstream::replying(|head| {
        format!(
            "HTTP/1.1 201 Made\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 3\r\nX: {}\r\n\r\nfin",
            head.len()
        )
    })
    .await;
    let front = Front::before(&[&upstream]).await;
    let mut sender = client(front.address).await;
    let post = request("POST", "/a?b", full("hello"));
    let (status, headers, text, _) =
        read(within("the answer", sender.send_request(post)).await.unwrap()).await;
    assert_eq!((status.as_u16(), text.as_str()), (201, "fin"));
    assert!(
        headers["via"] == "1.1 waxwing"
            && !headers.contains_key("x-hop")
            && !headers.contains_key("connection")
    );
    let sent = upstream.last_head();
    assert!(sent.starts_with("POST /a?b HTTP/1.1\r\nHost: site.example\r\n"), "{sent}");
    assert!(sent.contains("Content-Length: 5\r\n") && sent.ends_with("hello"), "{sent}");
    // Many at once share the client's connection.
    let many = (0..50).map(|_| {
        let mut sender = sender.clone();
        async move { read(sender.send_request(request("GET", "/", full(""))).await.unwrap()).await.2 }
    });
    let all = within("fifty answers", futures_util::future::join_all(many)).await;
    assert!(all.iter().all(|text| text == "fin"));
}

/// HTTP/2 lets cookies come in crumbs; HTTP/1.1 knows one line of them.
#[tokio::test]
async fn cookies_in_crumbs_become_one_line() {
    let upstream = Upstream::answering("HTTP/1.1 204 Done\r\nContent-Length: 5\r\n\r\n").await;
    let front = Front::before(&[&upstream]).await;
    let mut sender = client(front.address).await;
    let mut get = request("GET", "/", full(""));
    for crumb in ["a=1", "b=2; c=3", "d=4"] {
        get.headers_mut().append("cookie", crumb.parse().unwrap());
    }
    let (status, headers, ..) = read(within("the answer", sender.send_request(get)).await.unwrap()).await;
    assert_eq!(status.as_u16(), 204);
    assert!(!headers.contains_key("content-length"), "{headers:?}");
    let sent = upstream.last_head();
    assert!(sent.contains("cookie: a=1; b=2; c=3; d=4\r\n"), "{sent}");
    assert_eq!(sent.to_lowercase().matches("cookie").count(), 1, "{sent}");
}

#[tokio::test]
async fn http_2_goes_out_whatever_comes_in() {
    let route = route(echo().await, Speech::PlainHttp2);
    let front = Front::over(Settings::default(), vec![route]).await;
    // HTTP/1.1 in, with everything that it has.
    let mut wire = Wire::connect(front.address).await;
    for _ in 0..3 {
        wire.send("POST /p?q HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\nX-Mine: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n").await;
        let head = wire.head().await.unwrap();
        assert!(
            head.contains("HTTP/2.0_http://a/p?q")
                && head.contains("x-mine")
                && !head.contains("transfer-encoding\""),
            "{head}"
        );
        assert_eq!(
            wire.until("\r\n\r\n").await.unwrap().to_lowercase(),
            "5\r\nhello\r\n0\r\nx-back: 7\r\n\r\n"
        );
    }
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n").await;
    assert_eq!(status(&wire.head().await.unwrap()), 100);
    wire.send("hello").await;
    assert!(wire.until("0\r\n").await.unwrap().contains("hello"));
    assert_eq!(status(&front.get("/missing").await), 404);
    // HTTP/2 in as well, with a long body.
    let mut sender = client(front.address).await;
    let long = "x".repeat(300_000);
    let sum: HeaderMap = [("x-sum".parse().unwrap(), "9".parse().unwrap())].into_iter().collect();
    let body = frames(vec![Frame::data(long.clone().into()), Frame::trailers(sum)]);
    let (status, _, text, trailers) =
        read(within("the echo", sender.send_request(request("PUT", "/", body))).await.unwrap()).await;
    assert!(status == 200 && text == long);
    assert_eq!(trailers.unwrap()["x-back"], "9");
}

/// What HTTP/2 may say and HTTP/1.1 would read as something else.
#[tokio::test]
async fn nothing_is_smuggled_on_the_way_down() {
    let upstream = Upstream::answering(ok("seen")).await;
    let front = Front::before(&[&upstream]).await;
    let frames_of = |headers: &[(&str, &str)]| raw_headers(headers);
    let plain = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")];
    let with = |more: &[(&'static str, &'static str)]| {
        let kept = plain.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
        kept.chain(more).copied().collect::<Vec<_>>()
    };
    let cases = [
        with(&[("transfer-encoding", "chunked")]),
        with(&[("connection", "close")]),
        with(&[("x", "a\r\nTransfer-Encoding: chunked")]),
        with(&[("x", "a\nb")]),
        with(&[("x\r\nhost", "b")]),
        with(&[("x: y\r\nz", "b")]),
        with(&[("X-Upper", "b")]),
        with(&[("host", "other")]),
        with(&[("content-length", "5"), ("content-length", "6")]),
        with(&[(":path", "/ HTTP/1.1\r\nHost: b\r\n\r\nGET /x")]),
        with(&[(":path", "/a b")]),
        with(&[(":path", "")]),
        with(&[(":method", "GET / HTTP/1.1\r\nX: y")]),
        with(&[(":authority", "a\r\nX: y")]),
        with(&[(":authority", "u@a")]),
        with(&[(":authority", "")]),
    ];
    for headers in cases {
        let mut wire = Wire::connect(front.address).await;
        wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
        wire.send(frames_of(&headers)).await;
        // A stream that is refused, a connection that is closed, or a 400:
        // all that counts is that nothing went on.
        wire.send(b"\0\0\x08\x06\0\0\0\0\0pingpong").await;
        wire.until("pingpong").await;
    }
    assert_eq!(upstream.seen(), 0, "{:?}", upstream.heads.lock().unwrap());
    let mut wire = Wire::connect(front.address).await;
    wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    wire.send(frames_of(&with(&[]))).await;
    wire.until("seen").await;
    assert_eq!(upstream.seen(), 1, "the same frame passes when nothing is wrong");
}

/// A HEADERS frame that ends its stream, with literal fields (RFC 7541 §6.2.2).
fn raw_headers(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    let length = u32::try_from(block.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], 1, 5, 0, 0, 0, 1];
    frame.extend_from_slice(&block);
    frame
}

#[tokio::test]
async fn tls_speaks_http_2_on_both_sides() {
    use rustls::pki_types::{PrivateKeyDer, ServerName};
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = key.cert.der().clone();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.clone()],
            PrivateKeyDer::try_from(key.key_pair.serialize_der()).unwrap(),
        )
        .unwrap();
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tls = Arc::new(tls);
    let name = ServerName::try_from("localhost").unwrap();
    // A proxy over TLS before a plain upstream, and one before that proxy.
    let upstream = Upstream::replying(|head| ok(&head.replace('\r', "").replace('\n', "|"))).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let inner = waxwing::proxy::forward::shared(
        Settings::default(),
        vec![route(upstream.address, Speech::Plain)],
        Watch::start(),
    );
    let chance = waxwing::base::FixedChance::new(3);
    let _inner =
        waxwing::proxy::forward::Proxy::start(inner, vec![listener], Some(Arc::new(server)), &chance)
            .unwrap();
    let front = Front::over(Settings::default(), vec![route(address, Speech::Tls(tls, name))]).await;
    let got = front.get("/secure").await;
    assert_eq!(status(&got), 200, "{got}");
    assert!(got.contains("X-Forwarded-Proto: https|") && got.contains("GET /secure HTTP/1.1|"), "{got}");
    assert_eq!(got.matches("1.1 waxwing").count(), 4, "both proxies are named, both ways: {got}");
}
