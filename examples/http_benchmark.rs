//! How many home timelines and durable posts per second, over HTTP on
//! loopback, with server and clients on this one machine.
//!
//! `cargo run --release --example http_benchmark [SECONDS]`
//!
//! Each post is on disk (redb, fsync) before it is answered. The clients are
//! closed loops on kept connections: they wait for an answer before they ask
//! again, so the figures are what the server can hold, not what it refuses.

#![allow(clippy::disallowed_methods)] // a benchmark measures real time and asks the environment

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use waxwing::app::server::Server;
use waxwing::base::Id;
use waxwing::config::{self, Environment, Overrides};
use waxwing::domain::{oauth, password, secret, user};
use waxwing::model::{KeyPair, Role};
use waxwing::store::StoreError;
use waxwing::wire::http_signature::PrivateKey;

type Failure = Box<dyn Error + Send + Sync>;

/// Clients at once.
const CLIENTS: usize = 32;
/// Posts that fill the timeline before it is read.
const POSTS_BEFORE: usize = 200;
const SECONDS_DEFAULT: u64 = 5;
const SECONDS_MAX: u64 = 60;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let seconds = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(SECONDS_DEFAULT);
    let span = Duration::from_secs(seconds.clamp(1, SECONDS_MAX));
    let folder = tempfile::tempdir()?;
    let server = Server::start(settings(folder.path())?).await?;
    let authority = server.origin.trim_start_matches("http://").to_owned();
    let token: Arc<str> = person(&server).await?.into();

    let warm = Work { authority: authority.clone(), token: token.clone(), call: Call::Post };
    let mut connection = warm.connect().await?;
    for n in 0..POSTS_BEFORE {
        warm.once(&mut connection, n).await?;
    }
    println!("{CLIENTS} clients on kept connections, {} s each, {} cores", span.as_secs(), cores());
    for (name, call) in [("home timelines read", Call::Home), ("durable posts written", Call::Post)] {
        let work = Arc::new(Work { authority: authority.clone(), token: token.clone(), call });
        let took = measure(work, span).await?;
        println!("{name:>22}: {}", summary(took, span));
    }
    server.stop().await;
    Ok(())
}

/// What a client does again and again.
#[derive(Clone, Copy)]
enum Call {
    Home,
    Post,
}

struct Work {
    authority: String,
    token: Arc<str>,
    call: Call,
}

impl Work {
    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Failure> {
        let stream = TcpStream::connect(&self.authority).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn once(&self, connection: &mut SendRequest<Full<Bytes>>, n: usize) -> Result<(), Failure> {
        let request = Request::builder()
            .header("host", &self.authority)
            .header("authorization", format!("Bearer {}", self.token));
        let request = match self.call {
            Call::Home => request.uri("/api/v1/timelines/home").body(Full::default())?,
            Call::Post => request
                .method("POST")
                .uri("/api/v1/statuses")
                .header("content-type", "application/json")
                .body(Full::from(format!("{{\"status\":\"berry number {n} #benchmark\"}}")))?,
        };
        connection.ready().await?;
        let answer = connection.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
        }
        Ok(())
    }
}

async fn measure(work: Arc<Work>, span: Duration) -> Result<Vec<Duration>, Failure> {
    let end = Instant::now() + span;
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let work = work.clone();
        clients.spawn(async move {
            let mut connection = work.connect().await?;
            let mut took = Vec::new();
            while Instant::now() < end {
                let start = Instant::now();
                work.once(&mut connection, client).await?;
                took.push(start.elapsed());
            }
            Ok::<_, Failure>(took)
        });
    }
    let mut all = Vec::new();
    while let Some(done) = clients.join_next().await {
        all.extend(done??);
    }
    Ok(all)
}

fn summary(mut took: Vec<Duration>, span: Duration) -> String {
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    let rate = took.len() as f64 / span.as_secs_f64();
    format!("{rate:>7.0} per second, p50 {:.1} ms, p99 {:.1} ms", at(0.5), at(0.99))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn settings(folder: &Path) -> Result<config::Config, Failure> {
    let text = "http://127.0.0.1:0\nlisten 127.0.0.1:0\nadmin off\nlog_level error\nrate_limit off\n";
    let environment = Environment { current_dir: folder.to_owned(), data_dir: Some(folder.to_owned()) };
    let file = folder.join("benchmark.conf");
    config::parse(&file, text.as_bytes(), &environment, &Overrides::default())
        .map_err(|c| c.to_string().into())
}

/// Makes an account and gives a token for it.
async fn person(server: &Server) -> Result<String, Failure> {
    let key = PrivateKey::generate()?;
    let new = user::NewUser {
        username: "wren".into(),
        email: None,
        password_hash: password::hash("cedar and juniper", [7; 16]),
        keys: KeyPair { private_der: key.to_pkcs8()?, public_pem: key.public_pem()? },
        reason: None,
        invite: None,
        app: None,
        locale: None,
    };
    let state = &server.state;
    let token = state.chance.secret(24);
    let digest = secret::digest(&token);
    let (site, moment) = (state.site.clone(), state.moment());
    let app = oauth::NewApp {
        name: "benchmark".into(),
        website: None,
        redirect_uris: vec![oauth::OUT_OF_BAND.into()],
        scopes: vec!["read".into(), "write".into()],
        client_id: "benchmark".into(),
        secret_digest: [0; 32],
    };
    let refused = |what: &dyn std::fmt::Debug| StoreError::Engine(format!("{what:?}"));
    state
        .store
        .write(move |tx| {
            let mut moment = moment.clone();
            let entry = user::Entry::Given(Role::User);
            let account: Id = user::sign_up(tx, &mut moment, &site, entry, &new).map_err(|e| refused(&e))?.id;
            let app = oauth::register(tx, &mut moment, &app).map_err(|e| refused(&e))?;
            oauth::issue(tx, &mut moment, digest, &app, Some(account), app.scopes.clone());
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(token)
}
