//! How often a request waits for a PostgreSQL database. On another machine
//! each wait costs a trip over the network, whatever the database does.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::api::id;
use crate::kit::place::{on_postgres, postgres_server};
use crate::kit::{Person, TestApp, settings};

/// So long is the way back from the server, so that what is sent in one go is
/// told from what waits for an answer.
const WAY: Duration = Duration::from_millis(5);
/// A busy machine may tear apart what was sent in one go; it cannot join.
const TRIES: usize = 5;

/// How a transaction is given up: a simple query, and how long it is.
const END: &[u8] = b"Q\0\0\0\x0drollback\0";

/// A long way to the server, and how often it was gone.
#[derive(Clone)]
struct Way {
    socket: PathBuf,
    trips: Arc<AtomicUsize>,
}

impl Way {
    fn open(folder: &std::path::Path) -> Way {
        let way = Way { socket: postgres_server::hasty().socket(), trips: Arc::new(AtomicUsize::new(0)) };
        let listener = UnixListener::bind(folder.join(".s.PGSQL.5432")).unwrap();
        let each = way.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(each.clone().pass(client));
            }
        });
        way
    }

    async fn pass(self, client: UnixStream) {
        let Ok(server) = UnixStream::connect(&self.socket).await else { return };
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
            (client.into_split(), server.into_split());
        let has_heard = AtomicBool::new(true);
        let there = async {
            let (mut buffer, mut counts) = (vec![0; 64 << 10], true);
            while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
                // Signals to other nodes: nobody waits for them.
                counts &= !buffer[..count].windows(7).any(|window| window == b"listen ");
                // Nor for the end of a transaction that only read.
                let is_end = &buffer[..count] == END;
                if !is_end && has_heard.swap(false, Ordering::SeqCst) && counts {
                    self.trips.fetch_add(1, Ordering::SeqCst);
                }
                if to_server.write_all(&buffer[..count]).await.is_err() {
                    return;
                }
            }
        };
        let back = async {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
                tokio::time::sleep(WAY).await;
                if to_client.write_all(&buffer[..count]).await.is_err() {
                    return;
                }
                has_heard.store(true, Ordering::SeqCst);
            }
        };
        tokio::select! { () = there => {}, () = back => {} }
    }

    /// The trips that this takes.
    async fn count(&self, work: impl AsyncFn()) -> usize {
        // Once for statements that are prepared when they are first used.
        work().await;
        let mut fewest = usize::MAX;
        for _ in 0..TRIES {
            let before = self.trips.load(Ordering::SeqCst);
            work().await;
            fewest = fewest.min(self.trips.load(Ordering::SeqCst) - before);
        }
        fewest
    }
}

async fn on(way_folder: &std::path::Path) -> TestApp {
    let text =
        "https://social.example\ntls internal\nstore memory\nadmin off\nregistration open\nrate_limit off\n";
    let store = tokio::task::block_in_place(|| {
        on_postgres(|url| {
            let (before, rest) = url.split_once("host=").unwrap();
            let (_, after) = rest.split_once('&').unwrap();
            format!("{before}host={}&{after}", way_folder.display())
        })
    });
    TestApp::configured(settings(text), store).await
}

async fn publish(person: &Person<'_>, text: &str, answers: Option<&str>) -> String {
    let status = json!({ "status": text, "in_reply_to_id": answers });
    id(&person.post("/api/v1/statuses", status).await.json(200))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_keep_their_budgets_of_round_trips_on_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let way = Way::open(folder.path());
    let app = on(folder.path()).await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    ana.post(&format!("/api/v1/accounts/{}/follow", ben.id), json!({})).await.json(200);
    let root = publish(&ana, "who is at the feeder?", None).await;
    for number in 0..20 {
        publish(&ben, &format!("@ana a #waxwing, number {number}"), Some(&root)).await;
    }
    crate::api::settle(&app).await;
    let mut over = Vec::new();
    let mut check = |what: &str, trips: usize, budget: usize| {
        println!("{what}: {trips} round trips, {budget} are allowed");
        if trips > budget {
            over.push(format!("{what}: {trips}"));
        }
    };
    // With the one that finds out whose token it is.
    for (path, budget) in [
        ("/api/v1/timelines/home", 4),
        ("/api/v1/notifications", 9),
        (&*format!("/api/v1/statuses/{root}/context"), 8),
        (&*format!("/api/v1/accounts/{}/statuses", ben.id), 6),
        (&*format!("/api/v1/statuses/{root}"), 4),
    ] {
        let trips = way.count(async || drop(ana.get(path).await.json(200))).await;
        check(path, trips, budget);
    }
    let trips = way.count(async || drop(publish(&ana, "a post", None).await)).await;
    check("a post", trips, 11);
    assert!(over.is_empty(), "too many round trips: {over:?}");
}
