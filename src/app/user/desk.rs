//! How a command reaches a server that runs: over the admin listener, with a secret
//! that the server writes into its data folder at each start.
//!
//! The admin listener takes connections of this machine only, but of every user and
//! every web page on it; who can read the file is who may command.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::routing::post;
use axum::{Json, Router};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::app::cli::Errand;
use crate::base::{Chance, Problem, ProblemKind};
use crate::config::Config;
use crate::domain::secret;
use crate::net::address::Allow;
use crate::net::client::{Client, ClientSettings, FetchError, Outgoing};
use crate::net::tls::write_private;

/// The file with the admin listener's address and secret.
const FILE: &str = "admin.json";
const PATH: &str = "/command";
const SECRET_BYTES: usize = 32;
/// Bytes of a command.
const COMMAND_MAX_BYTES: usize = 16 * 1024;
/// Bytes of an answer: a list of a hundred thousand people fits.
const ANSWER_MAX_BYTES: usize = 16 * 1024 * 1024;
/// Hashing a password and making a key take a second on a slow machine.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The same, of what is done to the queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(600);
/// How long it may take to take a connection.
const REACH_TIMEOUT: Duration = Duration::from_secs(2);

/// What the server does with a command.
pub type Perform = Arc<dyn Fn(Errand) -> BoxFuture<'static, Result<String, Problem>> + Send + Sync>;

/// How to reach the server that runs.
#[derive(Serialize, Deserialize)]
struct Notice {
    address: SocketAddr,
    secret: String,
}

/// What came of a command.
#[derive(Serialize, Deserialize)]
enum Answer {
    Done(String),
    Refused { detail: String, hint: Option<String> },
}

/// The server's side. `address` is where the admin listener really is. Writes the file
/// and gives the route to merge into the admin listener's.
///
/// # Errors
/// When the file cannot be written.
pub fn open(data: &Path, address: SocketAddr, chance: &dyn Chance, perform: Perform) -> io::Result<Router> {
    let notice = Notice { address, secret: chance.secret(SECRET_BYTES) };
    write_private(&data.join(FILE), &serde_json::to_vec(&notice)?)?;
    let digest = secret::digest(&notice.secret);
    Ok(Router::new()
        .route(PATH, post(command))
        .layer(DefaultBodyLimit::max(COMMAND_MAX_BYTES))
        .with_state((perform, digest)))
}

async fn command(
    State((perform, digest)): State<(Perform, [u8; 32])>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Result<Json<Answer>, Problem> {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if !shown.is_some_and(|shown| secret::same(&secret::digest(shown), &digest)) {
        return Err(Problem::unauthenticated());
    }
    let command: Errand = serde_json::from_slice(&body)
        .map_err(|error| Problem::malformed(format!("not a command: {error}")))?;
    Ok(Json(match perform(command).await {
        Ok(text) => Answer::Done(text),
        Err(problem) if problem.source.is_some() => return Err(problem),
        Err(problem) => Answer::Refused { detail: problem.detail, hint: problem.hint },
    }))
}

/// Whether a server on this config's data folder takes connections. A database
/// is open to both, but only what the server does itself does it hear of.
pub(in crate::app) async fn is_there(config: &Config) -> bool {
    let read = fs::read(config.data.join(FILE)).ok();
    let notice: Option<Notice> = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let Some(notice) = notice else { return false };
    let Ok(client) = client(&notice, REACH_TIMEOUT) else { return false };
    let answer = client.send(Outgoing::get(format!("http://{}/", notice.address))).await;
    matches!(answer, Ok(_) | Err(FetchError::Status(_)))
}

/// A client that reaches the server of this notice, and nothing else.
fn client(notice: &Notice, patience: Duration) -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    let mut settings = ClientSettings::new("localhost");
    settings.allow = Allow::parse([notice.address.ip().to_string()])?;
    settings.times.headers = patience;
    settings.times.total = patience;
    Ok(Client::new(settings)?)
}

/// How long the server may take.
fn patience(command: &Errand) -> Duration {
    match command {
        Errand::User(_) => ANSWER_TIMEOUT,
        // A million rows are not thrown away in a moment.
        Errand::Deliveries(_) => QUEUE_TIMEOUT,
    }
}

/// The command's side: asks the server that runs on this config's data folder.
///
/// # Errors
/// What the server refuses, or that it cannot be reached.
pub(in crate::app) async fn send(config: &Config, command: &Errand) -> Result<String, Problem> {
    let file = config.data.join(FILE);
    let notice: Notice = fs::read(&file)
        .and_then(|bytes| Ok(serde_json::from_slice(&bytes)?))
        .map_err(|error| unreachable_server(&format!("`{}` cannot be read: {error}", file.display())))?;
    let asked = tokio::time::timeout(patience(command), ask(&notice, command)).await;
    let answer = match asked {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(unreachable_server(&error.to_string())),
        Err(_) => return Err(unreachable_server("it does not answer")),
    };
    match answer {
        Answer::Done(text) => Ok(text),
        Answer::Refused { detail, hint } => {
            let problem = Problem::invalid(detail);
            Err(match hint {
                Some(hint) => problem.hint(hint),
                None => problem,
            })
        }
    }
}

fn unreachable_server(why: &str) -> Problem {
    let what = format!("only the running server can reach its store now, and it cannot be asked: {why}");
    Problem::new(ProblemKind::Unavailable, what)
        .hint("stop the server for this command, or let it have its `admin` listener")
}

async fn ask(notice: &Notice, command: &Errand) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let client = client(notice, patience(command))?;
    let secret = HeaderValue::from_str(&format!("Bearer {}", notice.secret))?;
    let url = format!("http://{}{PATH}", notice.address);
    let request = Outgoing::post(url, serde_json::to_vec(command)?)
        .header(AUTHORIZATION, secret)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .answer_max_bytes(ANSWER_MAX_BYTES);
    let answer = client.send(request).await?;
    Ok(serde_json::from_slice(&answer.body)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cli::UserCommand;
    use crate::base::FixedChance;
    use crate::config::{Environment, Overrides, load};

    fn config(data: &Path) -> Config {
        let environment = Environment { current_dir: data.to_owned(), data_dir: Some(data.to_owned()) };
        load(None, &environment, &Overrides::default()).unwrap()
    }

    /// A server that answers with the command's name, and refuses `disable`.
    async fn start(data: &Path) -> SocketAddr {
        let perform: Perform = Arc::new(|command| {
            Box::pin(async move {
                match command {
                    Errand::User(UserCommand::Disable { name }) => {
                        Err(Problem::invalid(format!("no {name}")).hint("try another"))
                    }
                    Errand::User(other) => Ok(format!("{other:?}")),
                    Errand::Deliveries(order) => Ok(format!("{:?}", order.command)),
                }
            })
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = open(data, address, &FixedChance::new(1), perform).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    #[tokio::test]
    async fn a_command_reaches_the_server_that_runs() {
        let folder = tempfile::tempdir().unwrap();
        start(folder.path()).await;
        let config = config(folder.path());
        assert_eq!(send(&config, &Errand::User(UserCommand::List)).await.unwrap(), "List");
        let refused =
            send(&config, &Errand::User(UserCommand::Disable { name: "ana".into() })).await.unwrap_err();
        assert_eq!(refused.to_string(), "no ana\ntry another");
    }

    #[tokio::test]
    async fn without_the_secret_nothing_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let address = start(folder.path()).await;
        let notice = Notice { address, secret: "guessed".into() };
        let error = ask(&notice, &Errand::User(UserCommand::List)).await.err().unwrap();
        assert!(error.to_string().contains("401"), "{error}");
    }

    #[tokio::test]
    async fn a_server_that_cannot_be_asked_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let missing = send(&config, &Errand::User(UserCommand::List)).await.unwrap_err();
        assert!(missing.to_string().contains("admin.json"), "{missing}");
        // A port that nobody listens on any more.
        let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let notice = serde_json::to_vec(&Notice { address: gone, secret: String::new() }).unwrap();
        write_private(&folder.path().join(FILE), &notice).unwrap();
        let dead = send(&config, &Errand::User(UserCommand::List)).await.unwrap_err();
        assert!(dead.to_string().contains("`admin` listener"), "{dead}");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_servers_user_can_read_the_secret() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, "old").unwrap();
        write_private(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
