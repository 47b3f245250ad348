//! Serving on loopback: protocols, refusals, the redirect, the stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use axum::routing::{delete, get};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::serve::Waits;
use super::*;
use crate::base::Timestamp;
use crate::net::tls::{LocalAuthority, Served, server_config};

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn start(transport: Transport, router: Router, grace: Duration) -> Running {
    let bound = bind(&["127.0.0.1:0".parse().unwrap()], None).await.unwrap();
    let (address, stop) = (bound.addresses()[0], CancellationToken::new());
    let task = tokio::spawn(serve(bound, transport, router, stop.clone(), grace));
    Running { address, stop, task }
}

/// A TLS transport for `localhost`, and a client configuration that trusts it.
fn tls(alpn: &[u8]) -> (Transport, rustls::ClientConfig) {
    let data = tempfile::tempdir().unwrap();
    // Clients check against the real date, so certificates are made for it.
    let now = Timestamp::from_millis(::time::OffsetDateTime::now_utc().unix_timestamp() * 1000);
    let authority = LocalAuthority::open(data.path(), now).unwrap();
    let served = Arc::new(Served::default());
    served.set(authority.certificate(&[], now).unwrap());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.file()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut client = client.unwrap().with_root_certificates(roots).with_no_client_auth();
    client.alpn_protocols = vec![alpn.to_vec()];
    (Transport::Tls(server_config(served)), client)
}

async fn connect(
    address: SocketAddr,
    client: rustls::ClientConfig,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(client)).connect(name, stream).await
}

fn endless() -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
    futures_util::stream::pending()
}

fn who() -> Router {
    Router::new().route(
        "/",
        get(|ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request<Body>| async move {
            format!("{} {:?}", peer.ip(), request.version())
        }),
    )
}

#[tokio::test]
async fn both_http_versions_are_served_over_tls() {
    let (transport, config) = tls(b"h2");
    let server = start(transport.clone(), who(), Duration::from_secs(1)).await;
    let stream = connect(server.address, config).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://localhost/").body(Empty::<Bytes>::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.headers()["content-length"], "18");
    let body = answer.into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), "127.0.0.1 HTTP/2.0");

    let (transport, config) = tls(b"http/1.1");
    let server = start(transport, who(), Duration::from_secs(1)).await;
    let mut stream = connect(server.address, config).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.contains("content-length: 18") && text.ends_with("127.0.0.1 HTTP/1.1"), "{text}");
}

#[tokio::test]
async fn validation_is_refused_while_no_challenge_is_open() {
    let (transport, config) = tls(b"acme-tls/1");
    let server = start(transport, who(), Duration::from_secs(1)).await;
    assert!(connect(server.address, config).await.is_err());
}

async fn start_impatient(transport: Transport, router: Router) -> Running {
    let bound = bind(&["127.0.0.1:0".parse().unwrap()], None).await.unwrap();
    let (address, stop) = (bound.addresses()[0], CancellationToken::new());
    let wait = Duration::from_millis(50);
    let waits =
        Waits { handshake: wait, head: wait, idle: wait, stall: wait, grace: wait, ..Waits::default() };
    let task = tokio::spawn(serve::serve_with(bound, transport, router, stop.clone(), waits));
    Running { address, stop, task }
}

async fn ends(mut stream: impl tokio::io::AsyncRead + Unpin) -> bool {
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test]
async fn clients_that_say_nothing_are_let_go() {
    let (transport, config) = tls(b"h2");
    let plain = start_impatient(Transport::Plain, who()).await;
    assert!(ends(TcpStream::connect(plain.address).await.unwrap()).await, "no head");
    let secure = start_impatient(transport, who()).await;
    assert!(ends(TcpStream::connect(secure.address).await.unwrap()).await, "no handshake");
    assert!(ends(connect(secure.address, config).await.unwrap()).await, "no HTTP/2 preface");
}

#[tokio::test]
async fn clients_that_stop_reading_are_let_go() {
    /// Says so when the body it lies in is dropped.
    struct Told(Arc<Notify>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let ended = Arc::new(Notify::new());
    let told = ended.clone();
    let flood = move || {
        let told = Told(told.clone());
        let pieces = futures_util::stream::repeat_with(move || {
            let _held = &told;
            Ok::<_, std::io::Error>(Bytes::from_static(&[0; 64 * 1024]))
        });
        async { Body::from_stream(pieces) }
    };
    let server = start_impatient(Transport::Plain, Router::new().route("/", get(flood))).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), ended.notified()).await.expect("still sending");
}

#[tokio::test]
async fn a_stop_lets_requests_finish_and_cuts_the_endless() {
    let (began, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begin, wait) = (began.clone(), go_on.clone());
    let router = Router::new()
        .route(
            "/slow",
            get(move || async move {
                begin.notify_one();
                wait.notified().await;
                "done"
            }),
        )
        .route("/endless", get(|| async { Body::from_stream(endless()) }));
    let server = start(Transport::Plain, router, Duration::from_millis(500)).await;
    let ask = |path: &'static str| async move {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        stream
    };
    let mut cut = ask("/endless").await;
    let mut slow = ask("/slow").await;
    began.notified().await;
    server.stop.cancel();
    go_on.notify_one();
    let mut text = String::new();
    slow.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("done"), "{text}");
    tokio::time::timeout(Duration::from_secs(5), server.task).await.unwrap().unwrap();
    let mut rest = Vec::new();
    drop(cut.read_to_end(&mut rest).await);
    assert!(TcpStream::connect(server.address).await.is_err());
}

/// Sends a request whose body comes only when the handler, who does not want
/// it, has begun; then another one on the same connection.
async fn is_open_after(head: &str, body: &[u8]) -> bool {
    let (called, begun) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let begin = begun.clone();
    let router = who().route("/deaf", delete(move || async move { begin.notify_one() }));
    let server = start(Transport::Plain, router, Duration::from_secs(1)).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    let send = async {
        to.write_all(format!("DELETE /deaf HTTP/1.1\r\nhost: x\r\n{head}\r\n").as_bytes()).await.unwrap();
        begun.notified().await;
        // A connection that is closed already says so below.
        let _ = to.write_all(body).await;
        called.notified().await;
        let _ = to.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    };
    let read = async {
        let mut text = vec![0; 4096];
        let n = from.read(&mut text).await.unwrap_or(0);
        let text = String::from_utf8_lossy(&text[..n]).to_lowercase();
        assert!(text.starts_with("http/1.1 200"), "{text}");
        called.notify_one();
        let mut rest = Vec::new();
        let _ = from.read_to_end(&mut rest).await;
        let is_open = rest.ends_with(b"127.0.0.1 HTTP/1.1");
        assert_eq!(is_open, !text.contains("connection: close"), "it says so: {text}");
        is_open
    };
    let both = async { tokio::join!(send, read).1 };
    tokio::time::timeout(Duration::from_secs(10), both).await.unwrap()
}

#[tokio::test]
async fn a_body_nobody_reads_does_not_cost_the_connection() {
    assert!(is_open_after("content-length: 7\r\n", b"lang=en").await);
    assert!(is_open_after("transfer-encoding: chunked\r\n", b"7\r\nlang=en\r\n0\r\n\r\n").await);
    let much = vec![b'x'; LEFTOVER_MAX as usize + 1];
    assert!(!is_open_after(&format!("content-length: {}\r\n", much.len()), &much).await, "unless it is long");
}

#[tokio::test]
async fn refused_ports_are_explained_or_replaced() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let problem = bind(&[address], None).await.unwrap_err();
    assert_eq!(problem.detail, format!("port {} is in use by another program", address.port()));
    assert!(problem.hint.is_some());
    let problem = bind(&[address], Some(address.port())).await.unwrap_err();
    assert!(problem.detail.contains("in use"), "{problem}");
    let free = bind(&["127.0.0.1:0".parse().unwrap()], None).await.unwrap();
    let port = free.port();
    drop(free);
    assert_eq!(bind(&[address], Some(port)).await.unwrap().port(), port);
    let problem = bind(&["192.0.2.1:0".parse().unwrap()], None).await.unwrap_err();
    assert!(problem.detail.contains("192.0.2.1"), "{problem}");
}

#[tokio::test]
async fn one_missing_address_family_is_skipped() {
    let addresses = ["192.0.2.1:0", "127.0.0.1:0"].map(|text| text.parse().unwrap());
    let bound = bind(&addresses, None).await.unwrap();
    assert_eq!(bound.addresses().len(), 1);
}

#[tokio::test]
async fn every_address_of_the_machine_includes_ipv4() {
    let bound = bind(&["[::]:0".parse().unwrap()], None).await.unwrap();
    assert!(TcpStream::connect(("127.0.0.1", bound.port())).await.is_ok());
}

#[tokio::test]
async fn port_80_leads_to_our_own_name_only() {
    let challenges = Challenges::default();
    challenges.insert("token1".into(), "token1.thumb".into());
    let router = |port| redirect_router(OwnName { host: "own.example".into(), port }, challenges.clone());
    let ask = |port, host: Option<&'static str>, uri: &'static str| {
        let router = router(port);
        async move {
            let mut request = Request::post(uri);
            if let Some(host) = host {
                request = request.header("host", host);
            }
            let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
            (answer.status().as_u16(), to.unwrap_or_default())
        }
    };
    for (host, uri, status, to) in [
        (Some("own.example"), "/a?b=c", 308, "https://own.example/a?b=c"),
        (Some("OWN.example.:80"), "/", 308, "https://own.example/"),
        (Some("own.example"), "//evil.example/", 308, "https://own.example//evil.example/"),
        (Some("evil.example"), "/", 421, ""),
        (Some("own.example.evil.example"), "/", 421, ""),
        (Some("own.example"), "http://evil.example/", 421, ""),
        (None, "/", 400, ""),
    ] {
        assert_eq!(ask(443, host, uri).await, (status, to.to_owned()), "{host:?} {uri}");
    }
    assert_eq!(ask(8443, Some("own.example"), "/x").await.1, "https://own.example:8443/x");

    let token = |token: &str| {
        let uri = format!("/.well-known/acme-challenge/{token}");
        router(443).oneshot(Request::get(uri).body(Body::empty()).unwrap())
    };
    let answer = token("token1").await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "token1.thumb");
    assert_eq!(token("other").await.unwrap().status(), StatusCode::NOT_FOUND);
    challenges.remove("token1");
    assert_eq!(token("token1").await.unwrap().status(), StatusCode::NOT_FOUND);
}
