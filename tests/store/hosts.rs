//! An address with several servers, some of which are silent, frozen or take
//! no writes; and a database that is not there yet.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::copy_bidirectional;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use waxwing::store::{Postgres, Scan, Store, StoreError, Table};

use crate::home::{Fail, open_postgres, read, write};
use crate::postgres_server::{self, Server};

const ROW: Table<u64, Vec<u8>> = Table::new("row");
/// No test waits longer.
const WAIT: Duration = Duration::from_secs(120);

/// A way to a server that can freeze: what is connected stays so, who comes is
/// let in, and nothing is passed on any more.
struct Pane {
    folder: tempfile::TempDir,
    freeze: watch::Sender<bool>,
    dialled: Arc<AtomicBool>,
}

impl Pane {
    fn before(server: &Server, is_frozen: bool) -> Pane {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let (freeze, frozen) = watch::channel(is_frozen);
        let (socket, dialled) = (server.socket(), Arc::<AtomicBool>::default());
        let is_dialled = dialled.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                is_dialled.store(true, Ordering::SeqCst);
                let (mut frozen, socket) = (frozen.clone(), socket.clone());
                tokio::spawn(async move {
                    let passing = async {
                        if let Ok(mut server) = UnixStream::connect(socket).await {
                            let _ = copy_bidirectional(&mut client, &mut server).await;
                        }
                    };
                    let freezing = async { frozen.wait_for(|frozen| *frozen).await.map(drop) };
                    tokio::select! {
                        biased;
                        Ok(()) = freezing => std::future::pending().await,
                        () = passing => {}
                    }
                });
            }
        });
        Pane { folder, freeze, dialled }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// The same place by these ways, one after the other, each of which is given up
/// soon.
fn hasty(url: &str, folders: &[&Path]) -> String {
    by(url, folders).replace("?", "?connect_timeout=2&")
}

/// The same place by these ways, one after the other.
fn by(url: &str, folders: &[&Path]) -> String {
    let (before, rest) = url.split_once("host=").unwrap();
    let (_, after) = rest.split_once('&').unwrap();
    let hosts: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    format!("{before}host={}&{after}", hosts.join(","))
}

fn folder(server: &Server) -> std::path::PathBuf {
    server.socket().parent().unwrap().to_owned()
}

async fn open(url: String) -> Result<Store, StoreError> {
    open_by(Postgres::open_patiently, url).await
}

async fn open_by(open: fn(&str) -> Result<Postgres, StoreError>, url: String) -> Result<Store, StoreError> {
    let opening = tokio::task::spawn_blocking(move || open(&url).map(Store::new));
    tokio::time::timeout(WAIT, opening).await.expect("an answer in bounded time").unwrap()
}

async fn put(store: &Store, key: u64) {
    let putting = write(store, move |tx| {
        tx.put(ROW, &key, &vec![1]);
        tx.signal("put", key.to_be_bytes().to_vec());
        Ok(())
    });
    tokio::time::timeout(WAIT, putting).await.expect("a write goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_say_nothing_do_not_hide_the_last_one() {
    let server = postgres_server::shared();
    let (one, other) = (Pane::before(server, true), Pane::before(server, true));
    let store = open(hasty(&server.empty(), &[one.path(), other.path(), &folder(server)])).await.unwrap();
    assert!(one.dialled.swap(false, Ordering::SeqCst) && other.dialled.load(Ordering::SeqCst));
    // From now on that one is dialled first.
    put(&store, 1).await;
    assert_eq!(read(&store, |tx| Ok(tx.get(ROW, &1)?)).await, Some(vec![1]));
    assert!(!one.dialled.load(Ordering::SeqCst), "who was silent is asked again and again");
    let url = hasty(&server.empty(), &[one.path(), other.path()]);
    let error = open_by(Postgres::open, url).await.map(drop).expect_err("nobody answers");
    assert!(error.to_string().contains("does not answer"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_left_for_the_next_and_signals_go_there_too() {
    let server = postgres_server::shared();
    let url = server.database();
    let pane = Pane::before(server, false);
    let store = open(hasty(&url, &[pane.path(), &folder(server)])).await.unwrap();
    let other = open_postgres(&url);
    put(&store, 1).await;
    // Some connections rest there when it freezes, and one listens there.
    let reading = (0..6).map(|_| read(&store, |tx| Ok(tx.scan(ROW, Scan::all())?.len())));
    futures_util::future::join_all(reading).await;
    pane.freeze.send_replace(true);
    let begun = Instant::now();
    put(&store, 2).await;
    put(&store, 3).await;
    let seen = read(&other, |tx| Ok(tx.scan(ROW, Scan::all())?.len())).await;
    assert_eq!(seen, 3);
    println!("it was left after {:.1} s", begun.elapsed().as_secs_f32());
    // What rested there is not tried one by one, with 12 s for each.
    let (begun, mut signals) = (Instant::now(), store.subscribe());
    assert_eq!(read(&store, |tx| Ok(tx.scan(ROW, Scan::all())?.len())).await, 3);
    assert!(begun.elapsed() < Duration::from_secs(10), "a read waited for who is frozen");
    let heard = async {
        for key in 10_u64.. {
            put(&other, key).await;
            let soon = tokio::time::timeout(Duration::from_millis(300), async {
                while signals.recv().await.unwrap().payload != key.to_be_bytes() {}
            });
            if soon.await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(WAIT, heard).await.expect("signals come from where the writers are");
}

/// A server that takes no writes, as a standby takes none.
fn reading_only() -> Server {
    Server::start(&["-c", "default_transaction_read_only=on"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_servers_the_one_that_takes_writes_is_used() {
    let (standby, primary) = (reading_only(), postgres_server::shared());
    let url = primary.empty();
    for folders in [[folder(&standby), folder(primary)], [folder(primary), folder(&standby)]] {
        let store = open(by(&url, &[&folders[0], &folders[1]])).await.unwrap();
        put(&store, 1).await;
        assert_eq!(read(&store, |tx| Ok(tx.get(ROW, &1)?)).await, Some(vec![1]));
    }
    // Alone it is of no use, and nobody waits for that to change.
    for open in [Postgres::open, Postgres::open_patiently] {
        let refused = open_by(open, by(&url, &[&folder(&standby)])).await;
        let error = refused.map(drop).expect_err("it takes no writes").to_string();
        assert!(error.contains("it is a standby") && error.contains("name the primary"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_becomes_a_standby_is_waited_for() {
    let server = Server::start(&[]);
    let store = open(server.empty()).await.unwrap();
    put(&store, 1).await;
    let turn = |value: &str| {
        server.sql(&format!("alter system set default_transaction_read_only = {value}"));
        server.sql("select pg_reload_conf()");
    };
    turn("on");
    // The server takes a moment to hear of it, so there is more than one.
    let is_over = Arc::<AtomicBool>::default();
    let writing = tokio::spawn({
        let (store, is_over) = (store.clone(), is_over.clone());
        async move {
            let mut keys = 2..;
            while !is_over.load(Ordering::SeqCst) {
                put(&store, keys.next().unwrap()).await;
            }
            keys.start
        }
    });
    let refused = async {
        while !server.log().contains("in a read-only transaction") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(WAIT, refused).await.expect("a write is tried");
    is_over.store(true, Ordering::SeqCst);
    turn("off");
    let next = tokio::time::timeout(WAIT, writing).await.expect("it goes on").unwrap();
    assert_eq!(read(&store, |tx| Ok(tx.scan(ROW, Scan::all())?.len())).await as u64, next - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_waits_for_a_database_that_is_not_there_yet() {
    let mut server = Server::start(&[]);
    let url = server.empty();
    server.stop();
    let refused = open_by(Postgres::open, url.clone()).await.map(drop).expect_err("a command does not wait");
    assert!(refused.to_string().contains("is it running"), "{refused}");
    let opening = tokio::task::spawn_blocking(move || Postgres::open_patiently(&url).map(Store::new));
    let server = tokio::task::spawn_blocking(move || {
        server.begin();
        server
    });
    let _server = server.await.unwrap();
    let store = tokio::time::timeout(WAIT, opening).await.unwrap().unwrap().unwrap();
    put(&store, 1).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_does_not_wait_for_what_somebody_has_to_mend() {
    let server = postgres_server::shared();
    let nothing_there = server.url("nothing_there");
    let begun = Instant::now();
    let refused = tokio::task::spawn_blocking(move || Postgres::open_patiently(&nothing_there).map(drop));
    let error = refused.await.unwrap().expect_err("there is no such database").to_string();
    assert!(error.contains("createdb"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(25), "it was waited for");
    // Whoever may not make tables is told what to do.
    let url = server.database();
    let name = postgres_server::schema(&url);
    server.sql(&format!("create role \"{name}_guest\" login"));
    let guest = url.replace("user=waxwing", &format!("user={name}_guest"));
    let error = open(guest).await.map(drop).expect_err("it may not make tables").to_string();
    assert!(error.contains("42501") && error.contains("alter database"), "{error}");
}

/// Of three changes in one group, the statement of one is stopped because it
/// takes too long: it waits for a lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_takes_too_long_does_not_take_its_group_along() {
    let server = postgres_server::shared();
    let url = server.empty();
    let schema = postgres_server::schema(&url).to_owned();
    let store = open(url).await.unwrap();
    put(&store, 1).await;
    let held = crate::lane::hold(&store).await;
    let table = format!("{schema}.\"waxwing_t_row\"");
    let stopping = format!(
        "do $$ begin lock table {table} in access exclusive mode;
           loop
             perform pg_stat_clear_snapshot();
             exit when (select count(pg_cancel_backend(pid)) from pg_stat_activity
                        where application_name = '{schema}' and wait_event_type = 'Lock') > 0;
             perform pg_sleep(0.02);
           end loop;
           perform pg_sleep(0.5);
         end $$"
    );
    let stopping = tokio::task::spawn_blocking(move || server.sql(&stopping));
    let is_locked = format!(
        "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and relation = '{table}'::regclass"
    );
    while server.sql(&is_locked) == "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    const OTHER: Table<u64, Vec<u8>> = Table::new("other");
    let add = |key: u64| {
        store.write(move |tx| {
            let seen = tx.get(OTHER, &key)?;
            tx.put(OTHER, &key, &vec![1]);
            Ok::<_, Fail>(seen)
        })
    };
    let slow = store.write(|tx| {
        let seen = tx.get(ROW, &1)?;
        tx.put(ROW, &2, &vec![2]);
        Ok::<_, Fail>(seen)
    });
    let (before, slow, after, ()) = tokio::join!(biased; add(1), slow, add(2), async { drop(held) });
    assert_eq!(stopping.await.unwrap(), "");
    assert!(before.is_ok_and(|seen| seen.is_none()));
    assert!(after.is_ok_and(|seen| seen.is_none()));
    // By then the lock is gone.
    assert_eq!(slow.unwrap(), Some(vec![1]));
    assert!(server.log().contains("canceling statement"), "nothing was stopped");
}

/// The connection by which tables are made hangs: another one is making the
/// same table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signs_of_life_do_not_wait_for_a_table_that_is_being_made() {
    const LATE: Table<u64, Vec<u8>> = Table::new("late");
    let server: &'static Server = Box::leak(Box::new(Server::start(&["-c", "fsync=off"])));
    let url = server.empty();
    let schema = postgres_server::schema(&url).to_owned();
    let store = open(url).await.unwrap();
    let beside = || {
        store.write_beside(|tx| {
            tx.put(ROW, &1, &vec![1]);
            Ok::<_, Fail>(())
        })
    };
    // Almost enough for marks to be tidied away.
    for _ in 0..250 {
        beside().await.unwrap();
    }
    server.sql(&format!("create table {schema}.go ()"));
    let making = format!(
        "do $$ begin
           create table {schema}.\"waxwing_t_late\" (k bytea primary key, v bytea not null, n bigint);
           for n in 1..3000 loop
             exit when exists (select from {schema}.go);
             perform pg_sleep(0.02);
           end loop;
         end $$"
    );
    let making = tokio::task::spawn_blocking(move || server.sql(&making));
    let count = |what: &str| server.sql(&format!("select count(*) from pg_stat_activity where {what}"));
    while count("query like 'do $$%' and wait_event = 'PgSleep'") == "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let late = tokio::spawn({
        let store = store.clone();
        async move {
            let late = store.write(|tx| {
                tx.put(LATE, &1, &vec![1]);
                Ok::<_, Fail>(())
            });
            late.await
        }
    });
    while count(&format!("application_name = '{schema}' and wait_event_type = 'Lock'")) == "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for _ in 0..20 {
        beside().await.unwrap();
    }
    assert!(!late.is_finished(), "signs of life waited for it");
    let marks = server.sql(&format!("select count(*) from {schema}.waxwing_mark where lane like '%/beside'"));
    assert!(marks.parse::<u32>().unwrap() < 100, "{marks} marks are left");
    server.sql(&format!("insert into {schema}.go default values"));
    late.await.unwrap().unwrap();
    making.await.unwrap();
    store.close().await;
}
