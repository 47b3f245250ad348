//! Statements that arrive garbled, or when nobody waits for them any more: a
//! batch is still stored whole, and only once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use waxwing::store::{Counter, Store, Table};

use crate::home::{Fail, open_postgres, read};
use crate::postgres_server::{self, Server};

const ROW: Table<u64, Vec<u8>> = Table::new("row");
const SUM: Counter<()> = Counter::new("sum");

/// Passes bytes on to the server, and may change or keep back some.
struct Meddler {
    folder: tempfile::TempDir,
    /// What it is to do with the next transaction for writing.
    next: Arc<AtomicUsize>,
    /// Lets arrive what was kept back.
    arrive: Arc<Notify>,
}

const NOTHING: usize = 0;
/// The server does not understand its BEGIN.
const GARBLE_BEGIN: usize = 1;
/// All that comes after its BEGIN is kept back, and the connection breaks.
const KEEP_BATCH: usize = 2;
/// As before, and the answer is lost when somebody asks how the batch ended.
const KEEP_BATCH_AND_ANSWER: usize = 3;
const KEEP_ANSWER: usize = 4;

impl Meddler {
    fn start(server: &Server) -> Meddler {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let (next, arrive) = (Arc::new(AtomicUsize::new(NOTHING)), Arc::new(Notify::new()));
        let (socket, job, late) = (server.socket(), next.clone(), arrive.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (socket, job, late) = (socket.clone(), job.clone(), late.clone());
                tokio::spawn(async move {
                    let Ok(server) = UnixStream::connect(socket).await else { return };
                    let (mut from_client, mut to_client) = client.into_split();
                    let (mut from_server, mut to_server) = server.into_split();
                    let kept = tokio::select! {
                        kept = meddle(&mut from_client, &mut to_server, &job) => kept,
                        _ = tokio::io::copy(&mut from_server, &mut to_client) => Vec::new(),
                    };
                    drop((from_client, to_client));
                    if !kept.is_empty() {
                        late.notified().await;
                        to_server.write_all(&kept).await.unwrap();
                        // Until the server hangs up.
                        to_server.shutdown().await.unwrap();
                        let _ = tokio::io::copy(&mut from_server, &mut tokio::io::sink()).await;
                    }
                });
            }
        });
        Meddler { folder, next, arrive }
    }

    /// The same place in the server, by this way.
    fn url(&self, url: &str) -> String {
        let (before, rest) = url.split_once("host=").unwrap();
        let (_, after) = rest.split_once('&').unwrap();
        format!("{before}host={}&{after}", self.folder.path().display())
    }
}

/// Where these words begin.
fn find(bytes: &[u8], words: &str) -> Option<usize> {
    bytes.windows(words.len()).position(|window| window == words.as_bytes())
}

/// Gives what it kept back.
async fn meddle(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    next: &AtomicUsize,
) -> Vec<u8> {
    const BEGIN: &str = "begin transaction isolation level serializable";
    const QUESTION: &str = "on conflict (lane, seq) do nothing";
    let (mut buffer, mut kept, mut is_keeping, mut is_last) = (vec![0; 64 << 10], Vec::new(), false, false);
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let bytes = &mut buffer[..count];
        if is_keeping {
            kept.extend_from_slice(bytes);
            if find(&kept, "commit").is_some() {
                return kept;
            }
            continue;
        }
        if let Some(at) = find(bytes, BEGIN) {
            match next.swap(NOTHING, Ordering::SeqCst) {
                GARBLE_BEGIN => bytes[at] = b'x',
                KEEP_BATCH => is_keeping = true,
                KEEP_BATCH_AND_ANSWER => {
                    is_keeping = true;
                    next.store(KEEP_ANSWER, Ordering::SeqCst);
                }
                _ => {}
            }
        }
        if to.write_all(bytes).await.is_err() || is_last {
            break;
        }
        // First it is prepared, then it is asked.
        if find(bytes, QUESTION).is_some() && next.load(Ordering::SeqCst) == KEEP_ANSWER {
            next.store(NOTHING, Ordering::SeqCst);
            is_last = true;
        }
    }
    Vec::new()
}

/// A row that is overwritten again and again, and how often.
async fn overwrite(store: &Store, with: u8) -> Result<(), Fail> {
    store
        .write(move |tx| {
            tx.put(ROW, &1, &vec![with; 10]);
            tx.add(SUM, &(), 1);
            Ok(())
        })
        .await
}

/// The first batch after another is kept back and arrives after `later` more.
async fn keep_back(what: usize, later: i64) {
    let meddler = Meddler::start(postgres_server::shared());
    let url = postgres_server::empty();
    let store = open_postgres(&meddler.url(&url));
    overwrite(&store, 0).await.unwrap();
    meddler.next.store(what, Ordering::SeqCst);
    overwrite(&store, 1).await.unwrap();
    assert_eq!(meddler.next.load(Ordering::SeqCst), NOTHING, "not all of it happened");
    let (row, sum) = read(&store, |tx| Ok((tx.get(ROW, &1)?, tx.count(SUM, &())?))).await;
    assert_eq!((row, sum), (Some(vec![1; 10]), 2), "acknowledged and not there");
    for _ in 0..later {
        overwrite(&store, 2).await.unwrap();
    }
    meddler.arrive.notify_one();
    store.close().await;
    postgres_server::shared().wait_until_left(&url);
    let expected = if later == 0 { 1 } else { 2 };
    let (row, sum) = read(&open_postgres(&url), |tx| Ok((tx.get(ROW, &1)?, tx.count(SUM, &())?))).await;
    assert_eq!((row, sum), (Some(vec![expected; 10]), later + 2), "it was stored when it arrived");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_was_run_again_is_not_stored_when_it_arrives_at_last() {
    keep_back(KEEP_BATCH, 0).await;
    // So many that the marks of the first batches are removed.
    keep_back(KEEP_BATCH, 300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_not_taken_for_stored_because_its_end_was_asked_for_twice() {
    keep_back(KEEP_BATCH_AND_ANSWER, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_could_not_be_begun_stores_nothing_by_halves() {
    let server = postgres_server::shared();
    let meddler = Meddler::start(server);
    let url = postgres_server::empty();
    let store = open_postgres(&meddler.url(&url));
    overwrite(&store, 1).await.unwrap();
    let schema = postgres_server::schema(&url);
    server.sql(&format!("alter table {schema}.waxwing_t_sum add constraint small check (n < 2)"));
    meddler.next.store(GARBLE_BEGIN, Ordering::SeqCst);
    // As a group in which one closure fails at reading and another only writes.
    let outcome: Result<(), Fail> = store
        .write(|tx| {
            let _ = tx.get(ROW, &7);
            tx.put(ROW, &1, &vec![2; 10]);
            tx.add(SUM, &(), 1);
            Ok(())
        })
        .await;
    assert!(outcome.is_err(), "the sum must not grow");
    assert_eq!(meddler.next.load(Ordering::SeqCst), NOTHING, "no BEGIN was garbled");
    let (row, sum) = read(&store, |tx| Ok((tx.get(ROW, &1)?, tx.count(SUM, &())?))).await;
    assert_eq!((row, sum), (Some(vec![1; 10]), 1), "half of it was stored");
}
