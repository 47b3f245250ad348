//! What transactions promise to those who run at the same time.

use std::sync::mpsc;

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::oneshot;
use waxwing::store::{Counter, LANE_MAX, Scan, Store, StoreError, Table};

use crate::home::{Fail, Home, read, write};

const ROW: Table<u64, Vec<u8>> = Table::new("row");
const SUM: Counter<u64> = Counter::new("sum");

/// Holds the lane inside a transaction; what is queued meanwhile becomes one
/// group when this is dropped.
pub struct Held(#[allow(dead_code)] mpsc::Sender<()>);

pub async fn hold(store: &Store) -> Held {
    let (release, held) = mpsc::channel::<()>();
    let (begun, running) = oneshot::channel();
    let mut begun = Some(begun);
    let store = store.clone();
    tokio::spawn(async move {
        store
            .write(move |_| {
                begun.take().map(|begun| begun.send(()));
                let _ = held.recv();
                Ok::<_, Fail>(())
            })
            .await
    });
    running.await.unwrap();
    Held(release)
}

async fn row_keys(store: &Store) -> Vec<u64> {
    read(store, |tx| Ok(tx.scan(ROW, Scan::all())?)).await.into_iter().map(|(key, _)| key).collect()
}

fn put(store: &Store, key: u64) -> impl Future<Output = Result<(), Fail>> {
    store.write(move |tx| {
        tx.put(ROW, &key, &vec![]);
        Ok(())
    })
}

pub async fn a_refused_closure_undoes_only_itself(home: Home) {
    let store = home.open();
    let held = hold(&store).await;
    let refused = store.write(|tx| {
        tx.put(ROW, &2, &vec![]);
        tx.delete(ROW, &1);
        tx.add(SUM, &1, 100);
        Err::<(), _>(Fail::Refused)
    });
    let after = store.write(|tx| {
        assert_eq!(tx.get(ROW, &2)?, None);
        tx.put(ROW, &3, &vec![]);
        tx.add(SUM, &1, 1);
        Ok::<_, Fail>(())
    });
    let (before, refused, after, ()) =
        tokio::join!(biased; put(&store, 1), refused, after, async { drop(held) });
    before.unwrap();
    assert!(matches!(refused, Err(Fail::Refused)));
    after.unwrap();
    assert_eq!(row_keys(&store).await, [1, 3]);
    assert_eq!(read(&store, |tx| Ok(tx.count(SUM, &1)?)).await, 1);
}

pub async fn a_panicking_closure_undoes_only_itself(home: Home) {
    let store = home.open();
    let held = hold(&store).await;
    let panicking = store.write(|tx| {
        tx.put(ROW, &2, &vec![]);
        if tx.round_trips() == 0 {
            panic!("on purpose");
        }
        Ok::<_, Fail>(())
    });
    let (before, panicked, after, ()) =
        tokio::join!(biased; put(&store, 1), panicking, put(&store, 3), async { drop(held) });
    assert!(matches!(panicked, Err(Fail::Store(StoreError::Panicked))));
    before.and(after).unwrap();
    assert_eq!(row_keys(&store).await, [1, 3]);
}

pub async fn a_panicking_reader_harms_nobody(home: Home) {
    let store = home.open();
    put(&store, 1).await.unwrap();
    let outcome = store
        .read(|tx| {
            let rows = tx.scan(ROW, Scan::all())?;
            assert!(rows.is_empty(), "on purpose");
            Ok::<_, Fail>(())
        })
        .await;
    assert!(matches!(outcome, Err(Fail::Store(StoreError::Panicked))));
    put(&store, 2).await.unwrap();
    assert_eq!(row_keys(&store).await, [1, 2]);
}

pub async fn a_snapshot_does_not_see_later_writes(home: Home) {
    let store = home.open();
    put(&store, 1).await.unwrap();
    let (looked, first_look) = oneshot::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let (reader, runtime) = (store.clone(), tokio::runtime::Handle::current());
    // The reader blocks its thread, so it gets one of its own.
    let reading = std::thread::spawn(move || {
        runtime.block_on(read(&reader, move |tx| {
            let first = tx.scan(ROW, Scan::all())?.len();
            looked.send(()).unwrap();
            wait.recv().unwrap();
            Ok((first, tx.scan(ROW, Scan::all())?.len(), tx.get(ROW, &2)?, tx.count(SUM, &1)?))
        }))
    });
    first_look.await.unwrap();
    for key in 2..20 {
        write(&store, move |tx| {
            tx.put(ROW, &key, &vec![]);
            tx.add(SUM, &1, 1);
            Ok(())
        })
        .await;
    }
    go_on.send(()).unwrap();
    assert_eq!(reading.join().unwrap(), (1, 1, None, 0));
    assert_eq!(row_keys(&store).await.len(), 19);
}

/// Everyone may leave only if someone else stays. Under snapshot isolation
/// two can leave at once, because neither changes what the other read.
pub async fn write_skew_is_impossible(home: Home) {
    let store = home.open();
    for trial in 0..40u64 {
        let staff: Vec<u64> = (0..4).map(|n| trial * 10 + n).collect();
        join_all(staff.iter().map(|&key| put(&store, key))).await;
        let leaving = staff.iter().map(|&me| {
            let (store, staff) = (store.clone(), staff.clone());
            tokio::spawn(async move {
                store
                    .write(move |tx| {
                        let present = tx.get_many(ROW, &staff)?.into_iter().flatten().count();
                        if present < 2 {
                            return Err(Fail::Refused);
                        }
                        tx.delete(ROW, &me);
                        Ok(())
                    })
                    .await
                    .is_ok()
            })
        });
        let left = join_all(leaving).await.into_iter().filter(|left| *left.as_ref().unwrap()).count();
        assert_eq!(left, 3);
        assert_eq!(row_keys(&store).await.len() as u64, trial + 1);
    }
}

pub async fn concurrent_adds_all_count(home: Home) {
    let store = home.open();
    let adding = (0..200i64).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            write(&store, move |tx| {
                tx.add(SUM, &1, n);
                Ok(())
            })
            .await;
        })
    });
    assert!(join_all(adding).await.into_iter().all(|added| added.is_ok()));
    assert_eq!(read(&store, |tx| Ok(tx.count(SUM, &1)?)).await, 199 * 200 / 2);
}

pub async fn signals_come_after_the_commit_or_not_at_all(home: Home) {
    let store = home.open();
    let mut heard = store.subscribe();
    let refused = store
        .write(|tx| {
            tx.signal("news", b"refused".to_vec());
            Err::<(), _>(Fail::Refused)
        })
        .await;
    assert!(matches!(refused, Err(Fail::Refused)));
    for key in 0..20u64 {
        let writing = tokio::spawn({
            let store = store.clone();
            async move {
                write(&store, move |tx| {
                    tx.put(ROW, &key, &vec![]);
                    tx.signal("news", key.to_be_bytes().to_vec());
                    Ok(())
                })
                .await;
            }
        });
        let signal = heard.recv().await.unwrap();
        assert_eq!((signal.topic, &signal.payload[..]), ("news", &key.to_be_bytes()[..]));
        assert!(row_keys(&store).await.contains(&key), "the signal came before its row");
        writing.await.unwrap();
    }
}

pub async fn a_full_lane_is_busy_and_recovers(home: Home) {
    let store = home.open();
    let held = hold(&store).await;
    let waiting: Vec<_> = (0..LANE_MAX as u64)
        .map(|key| {
            let store = store.clone();
            tokio::spawn(async move { put(&store, key).await })
        })
        .collect();
    while store.lane_depth() < LANE_MAX {
        tokio::task::yield_now().await;
    }
    let is_busy = |written: &Result<(), Fail>| matches!(written, Err(Fail::Store(StoreError::Busy)));
    // A spawned write is counted just before it takes its place, so this one may
    // come in between; then that one is refused in its stead.
    let mut pushed_in = 0;
    loop {
        match put(&store, LANE_MAX as u64).now_or_never() {
            Some(written) if is_busy(&written) => break,
            _ => pushed_in += 1,
        }
        assert!(pushed_in < LANE_MAX, "a full lane refuses");
        tokio::task::yield_now().await;
    }
    drop(held);
    let mut refused = 0;
    for written in waiting {
        let written = written.await.unwrap();
        refused += usize::from(is_busy(&written));
        assert!(written.is_ok() || is_busy(&written));
    }
    assert!(refused <= pushed_in, "only those are refused whose place was taken");
    put(&store, u64::MAX).await.unwrap();
    assert_eq!(row_keys(&store).await.len(), LANE_MAX - refused + usize::from(pushed_in > 0) + 1);
    assert_eq!(store.lane_depth(), 0);
}

pub async fn a_write_nobody_waits_for_is_still_done(home: Home) {
    let store = home.open();
    let held = hold(&store).await;
    assert!(put(&store, 1).now_or_never().is_none());
    drop(held);
    put(&store, 2).await.unwrap();
    assert_eq!(row_keys(&store).await, [1, 2]);
}

pub async fn closing_writes_what_is_queued_and_refuses_the_rest(home: Home) {
    let store = home.open();
    let held = hold(&store).await;
    let queued: Vec<_> = (0..100)
        .map(|key| {
            let store = store.clone();
            tokio::spawn(async move { put(&store, key).await })
        })
        .collect();
    while store.lane_depth() < 100 {
        tokio::task::yield_now().await;
    }
    let closing = store.close();
    drop(held);
    closing.await;
    for written in queued {
        written.await.unwrap().unwrap();
    }
    assert!(matches!(put(&store, 999).await, Err(Fail::Store(StoreError::Closed))));
    let read_after = store.read(|tx| Ok::<_, Fail>(tx.get(ROW, &1)?)).await;
    assert!(matches!(read_after, Err(Fail::Store(StoreError::Closed))));
    store.close().await;
    if home.keeps() {
        // The old handle is still there, and yet the file is free.
        assert_eq!(row_keys(&home.open()).await.len(), 100);
    }
}
