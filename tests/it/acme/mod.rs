//! Certificates from Pebble: validated for real, kept, explained when refused.

mod binary;
mod dns;
mod pebble;

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use axum::Router;
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use waxwing::base::{Clock, FixedChance, Timestamp};
use waxwing::cluster::{Duty, ShardSet};
use waxwing::config::Challenge;
use waxwing::net::acme::{AcmeSettings, Renewal, Shared};
use waxwing::net::address::Allow;
use waxwing::net::client::{Client, ClientSettings, FetchError, Outgoing, Resolver};
use waxwing::net::listener::{Challenges, OwnName, Transport, bind, redirect_router, serve};
use waxwing::net::tls::{Served, server_config};
use waxwing::store::Store;

use dns::Dns;
use pebble::{Pebble, Ports};

const NAME: &str = "social.example";
/// Longest wait for a thing to happen: one failed order, its pause of a minute, and another.
const PATIENCE: Duration = Duration::from_secs(150);

struct RealClock(Instant);

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp::from_millis(since.as_millis() as i64)
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Our side: the listeners on 443 and 80, so to speak.
struct Site {
    served: Arc<Served>,
    challenges: Challenges,
    ports: Ports,
    _stop: DropGuard,
}

impl Site {
    async fn start() -> Site {
        let (served, challenges) = (Arc::new(Served::default()), Challenges::default());
        let stop = CancellationToken::new();
        let everywhere = ["127.0.0.1:0".parse().unwrap()];
        let (tls, http) = (bind(&everywhere, None).await.unwrap(), bind(&everywhere, None).await.unwrap());
        let ports = Ports { tls: tls.port(), http: http.port() };
        let hello = Router::new().route("/", axum::routing::get(|| async { "hello" }));
        let transport = Transport::Tls(server_config(served.clone()));
        let redirect = redirect_router(OwnName { host: NAME.into(), port: ports.tls }, challenges.clone());
        tokio::spawn(serve(tls, transport, hello, stop.clone(), Duration::ZERO));
        tokio::spawn(serve(http, Transport::Plain, redirect, stop.clone(), Duration::ZERO));
        Site { served, challenges, ports, _stop: stop.drop_guard() }
    }

    async fn renewal(&self, settings: AcmeSettings) -> Renewal {
        let clock = Arc::new(RealClock(Instant::now()));
        let chance = Arc::new(FixedChance::new(1));
        Renewal::open(settings, self.served.clone(), self.challenges.clone(), clock, chance).await.unwrap()
    }

    /// Orders until a certificate is served.
    async fn obtain(&self, settings: AcmeSettings) -> Arc<CertifiedKey> {
        let stop = CancellationToken::new();
        let _guard = stop.clone().drop_guard();
        tokio::spawn(self.renewal(settings).await.run(stop));
        self.certificate().await
    }

    async fn certificate(&self) -> Arc<CertifiedKey> {
        let served = async {
            loop {
                match self.served.certificate() {
                    Some(certificate) => return certificate,
                    None => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, served).await.expect("no certificate in time")
    }

    async fn get(&self, root: &str) -> Result<String, FetchError> {
        get(self.ports.tls, root).await
    }
}

/// What a client that trusts `root` reads on the site at `port`.
async fn get(port: u16, root: &str) -> Result<String, FetchError> {
    let mut settings = ClientSettings::new("elsewhere.example");
    settings.allow = Allow::parse(["127.0.0.1"]).unwrap();
    settings.extra_roots_pem = root.into();
    settings.resolver = Arc::new(Loopback);
    let client = Client::new(settings).unwrap();
    let answer = client.send(Outgoing::get(format!("https://{NAME}:{port}/"))).await?;
    Ok(String::from_utf8(answer.body.to_vec()).unwrap())
}

/// The head of what plain HTTP answers on `port`.
async fn plain(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {NAME}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

struct Loopback;

#[async_trait]
impl Resolver for Loopback {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

fn settings(directory: &str, root: &str, challenge: Challenge, data: &Path) -> AcmeSettings {
    AcmeSettings {
        directory: directory.to_owned(),
        extra_roots_pem: root.into(),
        names: vec![NAME.to_owned()],
        email: Some("ana@social.example".to_owned()),
        challenges: vec![challenge],
        data: data.to_owned(),
        shared: None,
        retry_first: Duration::from_millis(300),
    }
}

/// The log of this test's thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let format = tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone());
        tracing::subscriber::set_default(format.finish())
    }

    fn warnings(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains(" WARN ")).map(str::to_owned).collect()
    }

    async fn first_warning(&self) -> String {
        let warned = async {
            while self.warnings().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, warned).await.expect("no warning in time");
        self.warnings().remove(0)
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn is_obtained_and_kept(challenge: Challenge) {
    let (dns, data) = (Dns::start(), tempfile::tempdir().unwrap());
    dns.add(NAME);
    let site = Site::start().await;
    let pebble = Pebble::start(site.ports, dns.address).await;
    let settings = settings(&pebble.directory, &pebble.directory_root, challenge, data.path());
    let first = site.obtain(settings.clone()).await;
    let root = pebble.root().await;
    assert_eq!(site.get(&root).await.unwrap(), "hello");

    // Without the authority there can be no new order.
    drop(pebble);
    let again = Site::start().await;
    assert!(matches!(again.get(&root).await, Err(FetchError::Tls(_))), "nothing to serve yet");
    let renewal = again.renewal(settings).await;
    assert!(renewal.renew_at().is_some());
    assert_eq!(again.served.certificate().unwrap().cert, first.cert);
    assert_eq!(again.get(&root).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_certificate_by_tls_alpn_is_trusted_and_survives_a_restart() {
    is_obtained_and_kept(Challenge::TlsAlpn).await;
}

#[tokio::test]
async fn a_certificate_by_http_is_trusted_and_survives_a_restart() {
    is_obtained_and_kept(Challenge::Http).await;
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_explained_and_retried() {
    let (dns, data, log) = (Dns::start(), tempfile::tempdir().unwrap(), Log::default());
    let _listening = log.listen();
    let site = Site::start().await;
    let pebble = Pebble::start(site.ports, dns.address).await;
    let settings = settings(&pebble.directory, &pebble.directory_root, Challenge::TlsAlpn, data.path());
    let stop = CancellationToken::new();
    let running = tokio::spawn(site.renewal(settings).await.run(stop.clone()));
    let warning = log.first_warning().await;
    for part in [
        "certificate for social.example not obtained",
        "`social.example`",
        "A and AAAA records",
        "Trying again in",
    ] {
        assert!(warning.contains(part), "{warning}");
    }
    dns.add(NAME);
    site.certificate().await;
    assert_eq!(site.get(&pebble.root().await).await.unwrap(), "hello");
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_closed_port_is_explained() {
    let (dns, data, log) = (Dns::start(), tempfile::tempdir().unwrap(), Log::default());
    let _listening = log.listen();
    dns.add(NAME);
    let site = Site::start().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let pebble = Pebble::start(Ports { tls: closed, http: closed }, dns.address).await;
    let settings = settings(&pebble.directory, &pebble.directory_root, Challenge::TlsAlpn, data.path());
    tokio::spawn(site.renewal(settings).await.run(CancellationToken::new()));
    let warning = log.first_warning().await;
    assert!(warning.contains("port 443 of `social.example`") && warning.contains("firewall"), "{warning}");
}

#[tokio::test]
async fn an_untrusted_or_absent_authority_is_explained() {
    let (dns, data) = (Dns::start(), tempfile::tempdir().unwrap());
    let site = Site::start().await;
    let pebble = Pebble::start(site.ports, dns.address).await;
    for (directory, fix) in
        [(pebble.directory.as_str(), "acme_root"), ("https://127.0.0.1:9/dir", "acme_directory")]
    {
        let log = Log::default();
        let _listening = log.listen();
        let stop = CancellationToken::new();
        let running = tokio::spawn(
            site.renewal(settings(directory, "", Challenge::TlsAlpn, data.path())).await.run(stop.clone()),
        );
        let warning = log.first_warning().await;
        assert!(warning.contains(fix), "{warning}");
        stop.cancel();
        running.await.unwrap();
    }
}

#[tokio::test]
async fn one_node_orders_and_another_answers_and_serves() {
    for challenge in [Challenge::TlsAlpn, Challenge::Http] {
        let (dns, data, store) = (Dns::start(), tempfile::tempdir().unwrap(), Store::memory());
        dns.add(NAME);
        let (orders, serves) = (Site::start().await, Site::start().await);
        // The authority reaches only the one that does not order.
        let pebble = Pebble::start(serves.ports, dns.address).await;
        let settings = settings(&pebble.directory, &pebble.directory_root, challenge, data.path());
        let (has, has_not) = (Duty::ALONE, Duty { mine: ShardSet::NONE, ..Duty::ALONE });
        let stop = CancellationToken::new();
        let duties = [has_not, has].map(watch::Sender::new);
        for (site, duty) in [&serves, &orders].into_iter().zip(&duties) {
            let shared = Some(Shared { store: store.clone(), duty: duty.subscribe() });
            let renewal = site.renewal(AcmeSettings { shared, ..settings.clone() }).await;
            tokio::spawn(renewal.run(stop.clone()));
        }
        let first = orders.certificate().await;
        assert_eq!(serves.certificate().await.cert, first.cert);
        assert_eq!(serves.get(&pebble.root().await).await.unwrap(), "hello");
        stop.cancel();
    }
}
