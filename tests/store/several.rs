//! What holds on a database that several processes share, and what people
//! read when it cannot be used.

use std::time::Duration;

use futures_util::future::join_all;
use waxwing::store::{Counter, Postgres, Scan, Store, StoreError, Table};

use crate::home::{Fail, open_postgres, read, write};
use crate::postgres_server::{self, Server, give};

const ROW: Table<u64, Vec<u8>> = Table::new("row");
const SUM: Counter<u64> = Counter::new("sum");
/// No test waits longer for news.
const NEWS_WAIT: Duration = Duration::from_secs(30);

/// Two processes' stores over one database.
fn two() -> (String, [Store; 2]) {
    let url = postgres_server::empty();
    let stores = [open_postgres(&url), open_postgres(&url)];
    (url, stores)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn write_skew_is_impossible_between_nodes() {
    let (_, stores) = two();
    for trial in 0..20u64 {
        let staff: Vec<u64> = (0..4).map(|n| trial * 10 + n).collect();
        let all = staff.clone();
        write(&stores[0], move |tx| {
            all.iter().for_each(|key| tx.put(ROW, key, &vec![]));
            Ok(())
        })
        .await;
        let leaving = staff.iter().map(|&me| {
            let (store, staff) = (stores[me as usize % 2].clone(), staff.clone());
            tokio::spawn(async move {
                let leave = store.write(move |tx| {
                    if tx.get_many(ROW, &staff)?.into_iter().flatten().count() < 2 {
                        return Err(Fail::Refused);
                    }
                    tx.delete(ROW, &me);
                    Ok(())
                });
                leave.await
            })
        });
        let mut left = 0;
        for outcome in join_all(leaving).await {
            match outcome.unwrap() {
                Ok(()) => left += 1,
                Err(Fail::Refused) => {}
                Err(Fail::Store(error)) => panic!("{error}"),
            }
        }
        assert_eq!(left, 3, "trial {trial}");
        let stay = read(&stores[1], |tx| Ok(tx.scan(ROW, Scan::all())?.len())).await;
        assert_eq!(stay as u64, trial + 1, "trial {trial}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn adds_and_puts_of_all_nodes_count() {
    let (url, stores) = two();
    let writing = (0..200u64).map(|n| {
        let store = stores[n as usize % 2].clone();
        tokio::spawn(async move {
            write(&store, move |tx| {
                let mine = tx.get(ROW, &(n % 5))?.unwrap_or_default();
                tx.put(ROW, &(n % 5), &[mine, vec![n as u8]].concat());
                tx.add(SUM, &1, n as i64);
                Ok(())
            })
            .await;
        })
    });
    assert!(join_all(writing).await.into_iter().all(|written| written.is_ok()));
    let after = open_postgres(&url);
    let (rows, sum) = read(&after, |tx| Ok((tx.scan(ROW, Scan::all())?, tx.count(SUM, &1)?))).await;
    let mut seen: Vec<u8> = rows.into_iter().flat_map(|(_, value)| value).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..200).collect::<Vec<u8>>(), "a put was lost");
    assert_eq!(sum, 199 * 200 / 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_reach_the_other_nodes() {
    let (_, [here, there]) = two();
    let (mut own, mut others) = (here.subscribe(), there.subscribe());
    // A node listens from a moment after its start on, so the first may be missed.
    let heard = tokio::time::timeout(NEWS_WAIT, async {
        for n in 0u64.. {
            write(&here, move |tx| {
                tx.put(ROW, &n, &vec![]);
                tx.signal("news", n.to_be_bytes().to_vec());
                Ok(())
            })
            .await;
            assert_eq!(own.recv().await.unwrap().payload, n.to_be_bytes());
            if let Ok(heard) = tokio::time::timeout(Duration::from_millis(200), others.recv()).await {
                return heard.unwrap();
            }
        }
        unreachable!("it counts for ever")
    });
    let heard = heard.await.expect("a signal reaches the other node");
    assert_eq!(heard.topic, "news");
    let n = u64::from_be_bytes(heard.payload[..].try_into().unwrap());
    let row = read(&there, move |tx| Ok(tx.get(ROW, &n)?)).await;
    assert!(row.is_some(), "the signal came before its row");
    assert!(own.try_recv().is_err(), "a node does not hear its own signals again");
}

/// A stop waits for its last news to go out, those of a process that has but
/// begun among them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_signals_of_a_clean_stop_reach_the_other_nodes() {
    // As many as fill many notifications; one listener keeps that many.
    const LAST: u64 = 2000;
    let (url, [here, there]) = two();
    let mut heard = there.subscribe();
    let listens = tokio::time::timeout(NEWS_WAIT, async {
        loop {
            tell(&here, "first", 1, 1).await;
            if tokio::time::timeout(Duration::from_millis(200), heard.recv()).await.is_ok() {
                return;
            }
        }
    });
    listens.await.expect("the other node listens");
    for (store, count) in [(here, LAST), (open_postgres(&url), 1)] {
        tell(&store, "last", count, 1000).await;
        store.close().await;
        drop(store);
        let mut next = async || loop {
            let signal = heard.recv().await.unwrap();
            if signal.topic == "last" {
                return signal;
            }
        };
        for number in 0..count {
            let signal = tokio::time::timeout(NEWS_WAIT, next()).await;
            let signal = signal.unwrap_or_else(|_| panic!("of {count} only {number} came"));
            assert_eq!(signal.payload[..8], number.to_be_bytes(), "one was lost");
        }
    }
}

/// So many numbered signals of so many bytes and their number, in one change.
async fn tell(store: &Store, topic: &'static str, count: u64, bytes: usize) {
    write(store, move |tx| {
        for number in 0..count {
            tx.put(ROW, &number, &vec![]);
            tx.signal(topic, [&number.to_be_bytes()[..], &vec![0; bytes]].concat());
        }
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_survives_a_broken_connection_and_never_mixes_two_moments() {
    // What another node writes just before, and what is then read.
    for (written, expected) in [(None, Some((0, 0))), (Some(2), Some((0, 9))), (Some(1), None)] {
        let (url, [store, other]) = two();
        write(&store, |tx| {
            [1, 2].iter().for_each(|key| tx.put(ROW, key, &vec![0]));
            Ok(())
        })
        .await;
        let (name, runtime) = (postgres_server::schema(&url).to_owned(), tokio::runtime::Handle::current());
        let read = store.read(move |tx| {
            let first = tx.get(ROW, &1)?.unwrap_or_default();
            if let Some(key) = written {
                runtime.block_on(write(&other, move |tx| {
                    tx.put(ROW, &key, &vec![9]);
                    Ok(())
                }));
            }
            postgres_server::shared().sql(&format!(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = '{name}'"
            ));
            let second = tx.get(ROW, &2)?.unwrap_or_default();
            Ok::<_, StoreError>((first[0], second[0]))
        });
        match (read.await, expected) {
            (Ok(seen), Some(expected)) => assert_eq!(seen, expected, "{written:?}"),
            (Err(StoreError::Database(why)), None) => assert!(why.contains("was lost"), "{why}"),
            (seen, _) => panic!("{written:?}: {seen:?}"),
        }
    }
}

fn refusal(url: &str) -> StoreError {
    match Postgres::open(url) {
        Ok(_) => panic!("{url} was opened"),
        Err(error) => error,
    }
}

#[test]
fn what_is_wrong_is_said_and_what_to_do() {
    let server = postgres_server::shared();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = nobody.local_addr().unwrap().port();
    drop(nobody);
    for (url, says) in [
        (server.url("nothing_here"), ["\"nothing_here\" does not exist", "createdb"]),
        (
            server.url("postgres").replace("user=waxwing", "user=stranger"),
            ["\"stranger\" does not exist", "let `stranger` in"],
        ),
        (format!("postgres://waxwing@127.0.0.1:{free}/postgres"), ["refused", "is it running"]),
        (
            "postgres://waxwing@nowhere.invalid/postgres".into(),
            ["nowhere.invalid", "name in the line `store`"],
        ),
        ("postgres:///postgres?host=/nowhere".into(), ["/nowhere", "is it running"]),
    ] {
        let error = refusal(&url);
        assert!(matches!(error, StoreError::Database(_)), "{url}: {error:?}");
        for part in says {
            assert!(error.to_string().contains(part), "{url}: {error}");
        }
    }
}

#[test]
fn a_wrong_password_is_told_and_never_shown() {
    let mut server = Server::start(&[]);
    server.sql("set password_encryption = 'scram-sha-256'; create role ana login superuser password 'right'");
    std::fs::write(server.data().join("pg_hba.conf"), "local all ana scram-sha-256\nlocal all all trust\n")
        .unwrap();
    server.stop();
    server.begin();
    let with =
        |password: &str| format!("{}{password}", server.url("postgres").replace("user=waxwing", "user=ana"));
    let error = refusal(&with("&password=wrong-secret")).to_string();
    assert!(error.contains("password of `ana`") && !error.contains("wrong-secret"), "{error}");
    let error = refusal(&with("")).to_string();
    assert!(error.contains("password of `ana`"), "{error}");
    drop(open_postgres(&with("&password=right")));
}

#[test]
fn a_store_of_a_newer_program_is_refused() {
    let url = postgres_server::empty();
    drop(open_postgres(&url));
    let schema = postgres_server::schema(&url);
    postgres_server::shared().sql(&format!("update {schema}.waxwing_store set version = 99"));
    let error = refusal(&url);
    assert!(matches!(error, StoreError::Newer(_)), "{error}");
    assert!(error.to_string().contains("run that version or a later one"), "{error}");
}

/// A server with a certificate for `localhost` of an authority of its own.
fn encrypted() -> (Server, u16, tempfile::TempDir) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
    let files = tempfile::tempdir().unwrap();
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(vec![]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = authority.self_signed(&authority_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".into()]).unwrap();
    let own = own.signed_by(&key, &authority, &authority_key).unwrap();
    std::fs::write(files.path().join("authority.pem"), authority.pem()).unwrap();
    let stranger_key = KeyPair::generate().unwrap();
    let stranger = CertificateParams::new(vec![]).unwrap().self_signed(&stranger_key).unwrap();
    std::fs::write(files.path().join("stranger.pem"), stranger.pem()).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut server = Server::start(&[]);
    server.stop();
    let data = server.data();
    for (name, text) in [("server.crt", own.pem()), ("server.key", key.serialize_pem())] {
        use std::os::unix::fs::PermissionsExt;
        let path = data.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        give(&path);
    }
    // The port is that of the socket, too.
    server.set(&["-c", "ssl=on", "-c", "listen_addresses=localhost"], port);
    server.begin();
    (server, port, files)
}

#[test]
fn the_way_to_the_database_is_as_secret_as_asked() {
    let (server, port, files) = encrypted();
    let file = |name: &str| files.path().join(name).display().to_string();
    let (authority, stranger) = (file("authority.pem"), file("stranger.pem"));
    let url = |host: &str, rest: &str| format!("postgres://waxwing@{host}:{port}/postgres?{rest}");
    let encrypted = |store: &Store| {
        // Only what is open just now.
        let _ = store;
        server.sql("select count(*) from pg_stat_ssl s join pg_stat_activity a using (pid) where a.application_name = 'waxwing' and not s.ssl")
            == "0"
    };
    for (host, rest, expected) in [
        ("localhost", "sslmode=disable".to_owned(), Some(false)),
        ("localhost", String::new(), Some(true)),
        ("localhost", "sslmode=require".to_owned(), Some(true)),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={authority}"), Some(true)),
        ("localhost", format!("sslmode=verify-full&sslrootcert={authority}"), Some(true)),
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={authority}"), None),
        ("localhost", format!("sslmode=verify-full&sslrootcert={stranger}"), None),
        ("localhost", format!("sslmode=require&sslrootcert={stranger}"), None),
        ("localhost", "sslmode=verify-full".to_owned(), None),
    ] {
        let url = url(host, &rest);
        match (Postgres::open(&url), expected) {
            (Ok(engine), Some(expected)) => {
                let store = Store::new(engine);
                assert_eq!(encrypted(&store), expected, "{url}");
                drop(store);
                server.wait_until_alone();
            }
            (Err(error), None) => assert!(error.to_string().contains("certificate"), "{url}: {error}"),
            (Err(error), Some(_)) => panic!("{url}: {error}"),
            (Ok(_), None) => panic!("{url} was opened"),
        }
    }
}
