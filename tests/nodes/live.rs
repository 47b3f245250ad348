//! The balancer over real nodes with real faults: one whose way to the
//! database is slow, one that stands still for a second and a half at a time,
//! one that is killed and begins cold. The load waits for nobody, and its
//! clients' patience is 1 s.
//!
//! Not part of every run: it takes a minute and means nothing on a machine
//! that is busy. `tests/run nodes` runs it.
//!
//! ```text
//! cargo test --release --test nodes -- --ignored --nocapture
//! ```

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::time::{sleep, sleep_until};

use crate::faulty::{Tally, load_of, mix};
use crate::node::{Node, until};
use crate::{postgres, sign_up};

/// Requests a second; without optimisation each costs ten times as much.
const PER_SECOND: f64 = if cfg!(debug_assertions) { 50.0 } else { 200.0 };
/// How long the load goes on.
const SPAN: Duration = Duration::from_secs(25);
/// What the database says takes so much longer on its way to the slow node.
const SLOW: Duration = Duration::from_millis(30);
/// A node stands still for so long …
const STILL: Duration = Duration::from_millis(1500);
/// … from these seconds on.
const STILL_AT: [u64; 4] = [4, 9, 14, 19];
/// Another is killed at this second and begins anew at the next.
const KILLED_AT: u64 = 6;
/// Of the requests that fail with turns, one in so many may fail with `p2c`:
/// what a node had of those that may be sent once only is lost with any policy.
const FAILED_SHARE: usize = 5;
/// Failures that prove nothing on any machine.
const FAILED_FEW: usize = 5;

/// Takes connections to the database, through which its answers are late.
async fn slow_way(socket: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((node, _)) = listener.accept().await {
            if let Ok(database) = UnixStream::connect(&socket).await {
                tokio::spawn(carry(node, database));
            }
        }
    });
    port
}

async fn carry(node: TcpStream, database: UnixStream) {
    let _ = node.set_nodelay(true);
    let (mut asks, mut hears) = node.into_split();
    let (mut answers, mut takes) = database.into_split();
    let late = async move {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = answers.read(&mut bytes).await {
            sleep(SLOW).await;
            if hears.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = late => {}
        _ = tokio::io::copy(&mut asks, &mut takes) => {}
    }
}

/// Four nodes behind the door of the first, and their faults under load.
async fn run(server: &postgres::Server, policy: &str) -> (Tally, [u64; 4]) {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("live_{policy}");
    server.sql(&format!("create database {database}"));
    let url = server.url(&database);
    let way = slow_way(server.socket()).await;
    let late = format!("postgres://waxwing@127.0.0.1:{way}/{database}?sslmode=disable");
    let lines = format!("balance {policy}\n");
    let start =
        async |name: &'static str, url: &str| Node::start_with(folder.path(), url, name, &lines).await;
    let front = start("a", &url).await;
    let token = sign_up(front.port, "ana").await;
    let (slow, mut killed, still) = tokio::join!(start("b", &late), start("c", &url), start("d", &url));
    until("the front knows all", async || front.knows().await == 4).await;

    let began = Instant::now();
    let asked = {
        let fronts: [SocketAddr; 1] = [([127, 0, 0, 1], front.port).into()];
        tokio::spawn(async move {
            load_of(&fronts, PER_SECOND, began, SPAN, 1, Arc::new(move |number| request(number, &token)))
                .await
        })
    };
    let stand_still = async {
        for second in STILL_AT {
            sleep_until((began + Duration::from_secs(second)).into()).await;
            still.signal(Signal::STOP);
            sleep(STILL).await;
            still.signal(Signal::CONT);
        }
    };
    let begin_anew = async {
        sleep_until((began + Duration::from_secs(KILLED_AT)).into()).await;
        killed.kill();
        sleep(Duration::from_secs(1)).await;
        killed.begin().await;
    };
    tokio::join!(stand_still, begin_anew);
    let tally = asked.await.unwrap();
    let answered =
        [front.answered().await, slow.answered().await, killed.answered().await, still.answered().await];
    (tally, answered)
}

/// One of eight writes, and may be sent once only.
fn request(number: u64, token: &str) -> String {
    let head =
        |line: &str| format!("{line} HTTP/1.1\r\nHost: social.example\r\nAuthorization: Bearer {token}\r\n");
    if mix(number).is_multiple_of(8) {
        let body = format!("{{\"status\":\"number {number}\",\"visibility\":\"unlisted\"}}");
        let head = head("POST /api/v1/statuses");
        format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    } else {
        format!("{}\r\n", head("GET /api/v1/timelines/home?limit=5"))
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute, and a machine that is not busy"]
async fn nodes_with_faults_are_worked_around() {
    let server = postgres::Server::start(&["-c", "fsync=off"]);
    let mut failed = Vec::new();
    println!(
        "| policy | failed | of | mean ms | p50 | p99 | timeout, 500, 503, other | answered by front, slow, killed, still |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for policy in ["round_robin", "least_connections", "netflix", "p2c"] {
        let (tally, answered) = run(&server, policy).await;
        println!(
            "| {policy} | {} | {} | {:.1} | {:.1} | {:.1} | {}, {}, {}, {} | {answered:?} |",
            tally.failed(),
            tally.sent(),
            tally.mean(),
            tally.at(0.5),
            tally.at(0.99),
            tally.timeouts,
            tally.status_500,
            tally.status_503,
            tally.other,
        );
        failed.push(tally.failed());
    }
    let [turns, .., ours] = failed[..] else { unreachable!("there are several") };
    assert!(ours <= FAILED_FEW.max(turns / FAILED_SHARE), "{ours} failed with `p2c`, {turns} with turns");
}
