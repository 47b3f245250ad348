//! How much memory open streams take, with the server on this machine.
//!
//! `cargo run --release --example stream_benchmark [SOCKETS] [tls]`
//!
//! Opens that many WebSockets (10,000) from a second process, 32 for each
//! account, and reads this one's resident memory (Linux); then publishes one
//! post and measures how long it takes until every socket has it.

#![allow(clippy::disallowed_methods)] // a benchmark measures real time and asks the environment

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use waxwing::app::files;
use waxwing::app::server::Server;
use waxwing::base::Id;
use waxwing::config::{self, Environment, Overrides};
use waxwing::domain::{oauth, secret, status, user};
use waxwing::model::{KeyPair, Role, Visibility};
use waxwing::net::hub::LISTENERS_PER_ACCOUNT_MAX;
use waxwing::store::StoreError;
use waxwing::wire::http_signature::PrivateKey;

type Failure = Box<dyn Error + Send + Sync>;

/// Sockets where the command line does not say.
const SOCKETS: usize = 10_000;
/// Handshakes at once.
const OPENING_MAX: usize = 64;

fn main() -> Result<(), Failure> {
    files::allow_many();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["clients", address, count, root] => runtime.block_on(clients(address, count.parse()?, root)),
        _ => runtime.block_on(measure(&arguments)),
    }
}

async fn measure(arguments: &[String]) -> Result<(), Failure> {
    let is_tls = arguments.iter().any(|word| word == "tls");
    let count = arguments.iter().find_map(|word| word.parse().ok()).unwrap_or(SOCKETS);
    let folder = tempfile::tempdir()?;
    let server = Server::start(settings(folder.path(), is_tls)?).await?;
    let (author, tokens) = people(&server, count.div_ceil(LISTENERS_PER_ACCOUNT_MAX)).await?;
    let before = resident_mb();
    let root =
        if is_tls { folder.path().join("tls/authority.pem").display().to_string() } else { "-".into() };
    let start = Instant::now();
    let (mut child, mut lines) = spawn(&server.origin, count, &root, &tokens)?;
    expect(&mut lines, "open")?;
    let opened = start.elapsed();
    assert_eq!(server.state.hub.count(), count);
    let idle = resident_mb();
    let transport = if is_tls { "TLS" } else { "plain" };
    println!("{count} sockets, {transport}: opened in {:.1} s", opened.as_secs_f64());
    println!(
        "resident: {before:.0} MB before, {idle:.0} MB idle: {:.1} KB each",
        (idle - before) * 1000.0 / count as f64
    );
    let start = Instant::now();
    publish(&server, author).await?;
    expect(&mut lines, "heard")?;
    println!("one post to all of them: {:.2} s, then {:.0} MB", start.elapsed().as_secs_f64(), resident_mb());
    child.kill()?;
    child.wait()?;
    server.stop().await;
    Ok(())
}

fn spawn(
    origin: &str,
    count: usize,
    root: &str,
    tokens: &[String],
) -> Result<(Child, BufReader<ChildStdout>), Failure> {
    let address = origin.split("//").last().unwrap_or_default();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["clients", address, &count.to_string(), root])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut tell = child.stdin.take().ok_or("no standard input")?;
    tell.write_all(tokens.join("\n").as_bytes())?;
    drop(tell);
    let lines = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    Ok((child, lines))
}

fn expect(lines: &mut impl BufRead, wanted: &str) -> Result<(), Failure> {
    let mut line = String::new();
    lines.read_line(&mut line)?;
    if line.trim() == wanted {
        Ok(())
    } else {
        Err(format!("the clients said {line:?}, not {wanted}").into())
    }
}

/// The other process: opens the sockets, then waits until each has heard.
async fn clients(address: &str, count: usize, root: &str) -> Result<(), Failure> {
    let tokens: Vec<String> = std::io::stdin().lock().lines().collect::<Result<_, _>>()?;
    let tls = if root == "-" { None } else { Some(connector(root)?) };
    let gate = Arc::new(Semaphore::new(OPENING_MAX));
    let mut opening = JoinSet::new();
    for n in 0..count {
        let (gate, tls, address) = (gate.clone(), tls.clone(), address.to_owned());
        let token = tokens[n / LISTENERS_PER_ACCOUNT_MAX].clone();
        opening.spawn(async move {
            let _turn = gate.acquire().await?;
            open(&address, tls, &token).await
        });
    }
    let mut sockets = Vec::new();
    while let Some(opened) = opening.join_next().await {
        sockets.push(opened??);
    }
    println!("open");
    let mut hearing = JoinSet::new();
    for mut socket in sockets {
        hearing.spawn(async move {
            let mut some = [0; 16];
            // The second byte of a frame's head is not asked for: only a post can come.
            socket.read_exact(&mut some).await.map(|_| socket)
        });
    }
    let mut kept = Vec::new();
    while let Some(heard) = hearing.join_next().await {
        kept.push(heard??);
    }
    println!("heard");
    tokio::time::sleep(Duration::from_secs(60)).await;
    Ok(())
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

async fn open(address: &str, tls: Option<TlsConnector>, token: &str) -> Result<Box<dyn Wire>, Failure> {
    let stream = TcpStream::connect(address.replace("localhost", "127.0.0.1")).await?;
    let mut stream: Box<dyn Wire> = match tls {
        None => Box::new(stream),
        Some(tls) => Box::new(tls.connect(ServerName::try_from("localhost")?, stream).await?),
    };
    let head = format!(
        "GET /api/v1/streaming?stream=public HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await?);
    }
    if answer.starts_with(b"HTTP/1.1 101") {
        Ok(stream)
    } else {
        Err(String::from_utf8_lossy(&answer).into_owned().into())
    }
}

fn connector(root: &str) -> Result<TlsConnector, Failure> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(root)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}

/// Resident memory of this process in megabytes of 1000 × 1000 bytes.
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or_default();
    kib * 1024.0 / 1e6
}

fn settings(folder: &Path, is_tls: bool) -> Result<config::Config, Failure> {
    let site = if is_tls { "https://localhost:0\ntls internal" } else { "http://127.0.0.1:0" };
    let text = format!("{site}\nlisten 127.0.0.1:0\nadmin off\nlog_level error\n");
    let environment = Environment { current_dir: folder.to_owned(), data_dir: Some(folder.to_owned()) };
    let file = folder.join("benchmark.conf");
    config::parse(&file, text.as_bytes(), &environment, &Overrides::default())
        .map_err(|c| c.to_string().into())
}

/// Makes accounts; gives the first, and a token for each.
async fn people(server: &Server, count: usize) -> Result<(Id, Vec<String>), Failure> {
    let key = PrivateKey::generate()?;
    let keys = KeyPair { private_der: key.to_pkcs8()?, public_pem: key.public_pem()? };
    let (mut first, mut tokens) = (Id::ZERO, Vec::new());
    for n in 0..count {
        let (account, token) = person(server, &format!("wren{n}"), keys.clone()).await?;
        first = if n == 0 { account } else { first };
        tokens.push(token);
    }
    Ok((first, tokens))
}

async fn person(server: &Server, username: &str, keys: KeyPair) -> Result<(Id, String), Failure> {
    let new = user::NewUser {
        username: username.into(),
        email: None,
        password_hash: String::new(),
        keys,
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
        scopes: vec!["read".into()],
        client_id: username.into(),
        secret_digest: [0; 32],
    };
    let refused = |what: &dyn std::fmt::Debug| StoreError::Engine(format!("{what:?}"));
    let account = state
        .store
        .write(move |tx| {
            let mut moment = moment.clone();
            let entry = user::Entry::Given(Role::User);
            let account: Id = user::sign_up(tx, &mut moment, &site, entry, &new).map_err(|e| refused(&e))?.id;
            let app = oauth::register(tx, &mut moment, &app).map_err(|e| refused(&e))?;
            oauth::issue(tx, &mut moment, digest, &app, Some(account), app.scopes.clone());
            Ok::<_, StoreError>(account)
        })
        .await?;
    Ok((account, token))
}

async fn publish(server: &Server, author: Id) -> Result<(), Failure> {
    let state = &server.state;
    let (site, moment) = (state.site.clone(), state.moment());
    let draft = status::Draft {
        author,
        text: "a berry for everybody".into(),
        content_html: "<p>a berry for everybody</p>".into(),
        visibility: Visibility::Public,
        ..status::Draft::default()
    };
    state
        .store
        .write(move |tx| {
            status::publish(tx, &mut moment.clone(), &site, &draft)
                .map(|_| ())
                .map_err(|e| StoreError::Engine(format!("{e:?}")))
        })
        .await?;
    Ok(())
}
