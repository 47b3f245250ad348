//! Every bomb a peer can answer with, on loopback.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use http::header::{AUTHORIZATION, LOCATION};
use hyper::body::Frame;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

type Reply = http::Response<http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>>;
type Handler = dyn Fn(http::Request<Incoming>) -> Reply + Send + Sync;

/// A server that answers by a closure; counts its connections.
struct Peer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Peer {
    async fn start(handler: impl Fn(http::Request<Incoming>) -> Reply + Send + Sync + 'static) -> Peer {
        Peer::serve(None, Arc::new(handler)).await
    }

    async fn serve(tls: Option<tokio_rustls::TlsAcceptor>, handler: Arc<Handler>) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                let (handler, tls) = (handler.clone(), tls.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let reply = handler(request);
                        async move { Ok::<_, Infallible>(reply) }
                    });
                    let http = hyper::server::conn::http1::Builder::new();
                    match tls {
                        None => drop(http.serve_connection(TokioIo::new(stream), service).await),
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            drop(http.serve_connection(TokioIo::new(stream), service).await);
                        }
                    }
                });
            }
        });
        Peer { address, connections }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Answers raw bytes to whoever connects, then keeps the connection open.
async fn raw_peer(bytes: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            drop(stream.read(&mut request).await);
            drop(stream.write_all(&bytes).await);
            open.push(stream);
        }
    });
    address
}

fn reply(status: u16, body: impl Into<Bytes>) -> Reply {
    let body = Full::new(body.into()).boxed_unsync();
    http::Response::builder().status(status).body(body).unwrap()
}

fn redirect(status: u16, to: &str) -> Reply {
    let mut reply = reply(status, "");
    reply.headers_mut().insert(LOCATION, to.parse().unwrap());
    reply
}

fn stream(frames: impl futures_util::Stream<Item = Bytes> + Send + 'static) -> Reply {
    use futures_util::StreamExt;
    let body = http_body_util::StreamBody::new(frames.map(|piece| Ok(Frame::data(piece))));
    http::Response::new(body.boxed_unsync())
}

struct Names(Mutex<Vec<Vec<IpAddr>>>);

/// Answers each look-up with the next of its lists, the last for ever.
#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        let mut lists = self.0.lock().unwrap();
        Ok(if lists.len() > 1 { lists.remove(0) } else { lists[0].clone() })
    }
}

fn names(lists: &[&[&str]]) -> Arc<Names> {
    let parse = |list: &&[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
    Arc::new(Names(Mutex::new(lists.iter().map(parse).collect())))
}

fn quick() -> Times {
    Times {
        dns: Duration::from_millis(300),
        connect: Duration::from_millis(600),
        headers: Duration::from_millis(300),
        read: Duration::from_millis(300),
        total: Duration::from_millis(1500),
    }
}

fn settings() -> ClientSettings {
    let mut settings = ClientSettings::new("here.example");
    settings.allow = Allow::parse(["127.0.0.1"]).unwrap();
    settings.times = quick();
    settings
}

fn client() -> Client {
    Client::new(settings()).unwrap()
}

async fn refusal(url: &str) -> FetchError {
    let client =
        Client::new(ClientSettings { times: quick(), ..ClientSettings::new("here.example") }).unwrap();
    client.send(Outgoing::get(url)).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_is_read_and_the_connection_reused() {
    let peer = Peer::start(|request| {
        let agent = request.headers()[USER_AGENT].to_str().unwrap().to_owned();
        reply(200, agent)
    })
    .await;
    let client = client();
    for _ in 0..3 {
        let answer = client.send(Outgoing::get(peer.url("/x"))).await.unwrap();
        let agent = concat!("Waxwing/", env!("CARGO_PKG_VERSION"), " (+https://here.example/)");
        assert_eq!(answer.body, agent);
        assert_eq!(answer.url.path(), "/x");
    }
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn private_addresses_are_refused_in_every_spelling() {
    let peer = Peer::start(|_| reply(200, "secret")).await;
    let port = peer.address.port();
    let hosts = [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[::]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2001::1]",
        "0.0.0.0",
        "localhost",
        "localhost.",
        "10.0.0.1",
        "169.254.169.254",
    ];
    for host in hosts {
        let error = refusal(&format!("https://{host}:{port}/")).await;
        // Some resolvers know no `localhost.`, which is as good.
        let is_unknown = host.ends_with('.') && matches!(error, FetchError::Dns(_));
        assert!(matches!(error, FetchError::Refused(_)) || is_unknown, "{host}: {error:?}");
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn plain_http_is_only_for_allowed_hosts() {
    assert!(matches!(refusal("http://1.1.1.1/").await, FetchError::Url(_)));
}

#[tokio::test]
async fn names_are_resolved_once_and_private_answers_dropped() {
    let peer = Peer::start(|_| reply(200, "here")).await;
    // Only 127.0.0.1 is allowed; 127.0.0.2 would answer "connection refused".
    let resolver = names(&[&["127.0.0.2", "10.0.0.1", "127.0.0.1"], &["127.0.0.3"]]);
    let client = Client::new(ClientSettings { resolver, ..settings() }).unwrap();
    let url = format!("http://rebind.example:{}/", peer.address.port());
    assert_eq!(client.send(Outgoing::get(url)).await.unwrap().body, "here");
    let next = client.send(Outgoing::get("http://other.example:1/")).await.unwrap_err();
    assert!(matches!(next, FetchError::Refused(address) if address.to_string() == "127.0.0.3"));
}

#[tokio::test]
async fn a_private_answer_is_refused_before_the_connection() {
    let peer = Peer::start(|_| reply(200, "secret")).await;
    let resolver = names(&[&["127.0.0.1", "::1", "10.1.1.1"]]);
    let settings = ClientSettings { resolver, ..ClientSettings::new("here.example") };
    let url = format!("https://evil.example:{}/", peer.address.port());
    let error = Client::new(settings).unwrap().send(Outgoing::get(url)).await.unwrap_err();
    assert!(matches!(error, FetchError::Refused(_)), "{error:?}");
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn our_own_host_is_never_asked() {
    for url in ["https://here.example/x", "https://HERE.example./x", "https://here.example:8443/"] {
        assert!(matches!(refusal(url).await, FetchError::OwnHost), "{url}");
    }
}

#[tokio::test]
async fn a_resolver_that_hangs_is_given_up() {
    struct Hang;
    #[async_trait]
    impl Resolver for Hang {
        async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
            std::future::pending().await
        }
    }
    let client = Client::new(ClientSettings { resolver: Arc::new(Hang), ..settings() }).unwrap();
    let error = client.send(Outgoing::get("https://slow.example/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Timeout(Step::Dns)), "{error:?}");
}

#[tokio::test]
async fn redirects_are_few_and_checked() {
    let peer = Peer::start(|request| match request.uri().path() {
        "/a" => redirect(301, "/b"),
        "/b" => redirect(307, "/c?d=1"),
        "/c" => reply(200, "end"),
        "/private" => redirect(302, "http://10.0.0.1/"),
        "/file" => redirect(302, "file:///etc/passwd"),
        "/data" => redirect(302, "data:text/plain,x"),
        "/user" => redirect(302, "http://a@127.0.0.1/"),
        "/nowhere" => reply(302, ""),
        _ => redirect(302, "/loop"),
    })
    .await;
    let client = client();
    let get = |path| client.send(Outgoing::get(peer.url(path)));
    let end = get("/a").await.unwrap();
    assert_eq!((end.body.as_ref(), end.url.as_str()), (&b"end"[..], peer.url("/c?d=1").as_str()));
    assert!(matches!(get("/loop").await, Err(FetchError::TooManyRedirects)));
    assert!(matches!(get("/private").await, Err(FetchError::Refused(_))));
    for path in ["/file", "/data", "/user", "/nowhere"] {
        assert!(matches!(get(path).await, Err(FetchError::BadRedirect(_))), "{path}");
    }
    let posted = client.send(Outgoing::post(peer.url("/a"), "x")).await;
    assert!(matches!(posted, Err(FetchError::Redirected(status)) if status == 301));
}

#[tokio::test]
async fn a_signature_is_made_anew_for_each_hop_and_secrets_stay() {
    let second = Peer::start(|request| {
        let headers = request.headers();
        let signed_for = headers["x-signed-for"].to_str().unwrap();
        reply(200, format!("{signed_for} {}", headers.contains_key(AUTHORIZATION)))
    })
    .await;
    let to = second.url("/b");
    let first = Peer::start(move |_| redirect(302, &to)).await;
    let sign: Sign = Arc::new(|_, url, headers| {
        assert!(headers.contains_key(HOST));
        headers.insert("x-signed-for", url.as_str().parse()?);
        Ok(())
    });
    let request =
        Outgoing::get(first.url("/a")).header(AUTHORIZATION, HeaderValue::from_static("secret")).sign(sign);
    let answer = client().send(request).await.unwrap();
    assert_eq!(answer.body, format!("{} false", second.url("/b")));
}

#[tokio::test]
async fn bodies_end_at_their_limit() {
    let peer = Peer::start(|request| match request.uri().path() {
        "/exact" => reply(200, vec![b'x'; 1000]),
        "/over" => reply(200, vec![b'x'; 1001]),
        "/endless" => stream(futures_util::stream::repeat(Bytes::from(vec![0; 8192]))),
        "/error" => reply(500, vec![b'x'; 100_000]),
        _ => {
            let mut gzip = reply(200, "x");
            gzip.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            gzip
        }
    })
    .await;
    let client = client();
    let get = |path| client.send(Outgoing::get(peer.url(path)).answer_max_bytes(1000));
    assert_eq!(get("/exact").await.unwrap().body.len(), 1000);
    assert!(matches!(get("/over").await, Err(FetchError::TooLarge(1000))));
    assert!(matches!(get("/endless").await, Err(FetchError::TooLarge(1000))));
    assert!(matches!(get("/gzip").await, Err(FetchError::Encoded)));
    let Err(FetchError::Status(answer)) = get("/error").await else { panic!("not a status") };
    assert_eq!(answer.body.len(), ERROR_BODY_MAX_BYTES);
}

#[tokio::test]
async fn slow_peers_are_given_up() {
    let drip = Peer::start(|request| match request.uri().path() {
        "/stop" => stream(futures_util::stream::once(async { Bytes::from("x") }).chain(pending())),
        _ => stream(futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Some((Bytes::from("x"), ()))
        })),
    })
    .await;
    use futures_util::StreamExt;
    fn pending() -> futures_util::stream::Pending<Bytes> {
        futures_util::stream::pending()
    }
    let client = client();
    let stop = client.send(Outgoing::get(drip.url("/stop"))).await;
    assert!(matches!(stop, Err(FetchError::Timeout(Step::Body))), "{stop:?}");
    let total = client.send(Outgoing::get(drip.url("/drip"))).await;
    assert!(matches!(total, Err(FetchError::Timeout(Step::Total))), "{total:?}");
    let silent = raw_peer(Vec::new()).await;
    let headers = client.send(Outgoing::get(format!("http://{silent}/"))).await;
    assert!(matches!(headers, Err(FetchError::Timeout(Step::Headers))), "{headers:?}");
}

#[tokio::test]
async fn huge_heads_and_rubbish_are_refused() {
    let mut long = b"HTTP/1.1 200 OK\r\n".to_vec();
    long.extend(format!("x: {}\r\n", "y".repeat(200_000)).bytes());
    let mut many = b"HTTP/1.1 200 OK\r\n".to_vec();
    (0..1000).for_each(|n| many.extend(format!("h{n}: 1\r\n").bytes()));
    for (bytes, label) in
        [(long, "too_large"), (many, "too_large"), (b"SSH-2.0-x\r\n\r\n".to_vec(), "protocol")]
    {
        let peer = raw_peer(bytes).await;
        let error = client().send(Outgoing::get(format!("http://{peer}/"))).await.unwrap_err();
        assert_eq!(error.label(), label, "{error:?}");
    }
}

#[tokio::test]
async fn statuses_say_who_is_to_blame() {
    let peer = Peer::start(|request| {
        let status: u16 = request.uri().path()[1..].parse().unwrap();
        let mut reply = reply(status, "no");
        reply.headers_mut().insert("retry-after", HeaderValue::from_static("7"));
        reply
    })
    .await;
    let client = client();
    for (status, blame) in [
        (400, Blame::Answer),
        (404, Blame::Answer),
        (410, Blame::Answer),
        (408, Blame::Peer),
        (429, Blame::Peer),
        (500, Blame::Peer),
        (503, Blame::Peer),
        (304, Blame::Answer),
    ] {
        let error = client.send(Outgoing::get(peer.url(&format!("/{status}")))).await.unwrap_err();
        assert_eq!((error.status().unwrap().as_u16(), error.blame()), (status, blame));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = client.send(Outgoing::get(format!("http://{closed}/"))).await.unwrap_err();
    assert!(matches!(error, FetchError::Connect(_)), "{error:?}");
}

/// A peer with a certificate of its own authority; gives that in PEM.
async fn tls_peer(to: String) -> (Peer, String) {
    let key = rcgen::generate_simple_self_signed(["secure.example".to_owned()]).unwrap();
    let der = rustls::pki_types::PrivateKeyDer::Pkcs8(key.key_pair.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], der)
        .unwrap();
    let handler = move |request: http::Request<Incoming>| match request.uri().path() {
        "/down" => redirect(302, &to),
        _ => reply(200, "secure"),
    };
    let peer = Peer::serve(Some(Arc::new(config).into()), Arc::new(handler)).await;
    (peer, key.cert.pem())
}

#[tokio::test]
async fn tls_is_checked_and_never_left() {
    let plain = Peer::start(|_| reply(200, "plain")).await;
    let (peer, pem) = tls_peer(plain.url("/")).await;
    let with = |pem: &str| {
        let resolver = names(&[&["127.0.0.1"]]);
        Client::new(ClientSettings { resolver, extra_roots_pem: pem.into(), ..settings() }).unwrap()
    };
    let url = |host: &str, path: &str| Outgoing::get(format!("https://{host}:{}{path}", peer.address.port()));
    let trusting = with(&pem);
    assert_eq!(trusting.send(url("secure.example", "/")).await.unwrap().body, "secure");
    for error in [
        with("").send(url("secure.example", "/")).await.unwrap_err(),
        trusting.send(url("wrong.example", "/")).await.unwrap_err(),
    ] {
        assert!(matches!(error, FetchError::Tls(_)), "{error:?}");
    }
    let down = trusting.send(url("secure.example", "/down")).await.unwrap_err();
    assert!(matches!(down, FetchError::BadRedirect(_)), "{down:?}");
    assert_eq!(plain.connections(), 0);
}

#[test]
fn bad_extra_roots_are_explained() {
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let settings = ClientSettings { extra_roots_pem: pem.into(), ..settings() };
    assert!(Client::new(settings).err().unwrap().hint.is_some());
}

/// Every outbound connection goes through the guarded client, or this fails.
#[test]
fn only_net_opens_outbound_connections() {
    const OPENERS: [&str; 6] =
        ["TcpStream::connect", "TcpSocket", "UdpSocket", "hyper_util::client", "reqwest", "hyper::client"];
    // Who calls only whom the operator named, and one who asks the system for
    // its own address without sending anything.
    const EXCEPTIONS: [&str; 3] = ["proxy/forward", "bench", "app/node.rs"];
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.starts_with(source.join("net"))
                && !EXCEPTIONS.iter().any(|exception| path.starts_with(source.join(exception)))
                && !path.ends_with("tests.rs")
            {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                found.extend(OPENERS.iter().filter(|o| code.contains(**o)).map(|o| format!("{path:?}: {o}")));
            }
        }
    }
    assert!(found.is_empty(), "use net::client instead: {found:#?}");
}
