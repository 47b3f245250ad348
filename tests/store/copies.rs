//! Backups: what goes in comes out, in whichever engine, and nothing else.

use std::collections::BTreeMap;

use waxwing::store::archive::{self, ArchiveError, Copied};
use waxwing::store::backend::RawRow;
use waxwing::store::{Counter, Store, Table};

use crate::home::{Home, read, write};

const TEXT: Table<u64, Vec<u8>> = Table::new("text");
const EMPTY: Table<u64, ()> = Table::new("empty");
const SUM: Counter<u64> = Counter::new("sum");
/// More than one page and, with the large ones, more than one frame.
const ROWS: u64 = 1203;

async fn some_rows(store: &Store) {
    for first in (0..ROWS).step_by(100) {
        write(store, move |tx| {
            for key in first..ROWS.min(first + 100) {
                let bytes = if key % 100 == 7 { 700_000 } else { key as usize % 300 };
                tx.put(TEXT, &key, &vec![key as u8; bytes]);
                tx.add(SUM, &(key % 5), key as i64);
            }
            tx.put(EMPTY, &1, &());
            Ok(())
        })
        .await;
    }
    write(store, |tx| {
        tx.delete(EMPTY, &1);
        Ok(())
    })
    .await;
}

async fn everything(store: &Store) -> BTreeMap<&'static str, Vec<RawRow>> {
    read(store, |tx| {
        let mut all = BTreeMap::new();
        for table in tx.tables()? {
            let rows = tx.scan_raw(table, None, 100_000)?;
            if !rows.is_empty() {
                all.insert(table, rows);
            }
        }
        Ok(all)
    })
    .await
}

async fn saved(store: &Store) -> (Vec<u8>, Copied) {
    archive::backup(store, Vec::new(), |_| {}).await.unwrap()
}

async fn restore(store: &Store, bytes: Vec<u8>) -> Result<Copied, ArchiveError> {
    let (store, runtime) = (store.clone(), tokio::runtime::Handle::current());
    tokio::task::spawn_blocking(move || archive::restore(&store, &runtime, &bytes[..], |_| {})).await.unwrap()
}

pub async fn a_backup_moves_a_store_to_every_engine_and_back(home: Home) {
    let store = home.open();
    some_rows(&store).await;
    let before = everything(&store).await;
    let (bytes, copied) = saved(&store).await;
    assert_eq!((copied.tables, copied.rows), (2, ROWS + 5));
    assert_eq!(archive::verify(&bytes[..]).unwrap(), copied);
    for other in [Home::Memory, Home::redb(), Home::postgres()] {
        let other = other.open();
        assert_eq!(restore(&other, bytes.clone()).await.unwrap(), copied);
        assert!(!archive::is_unfinished(&other).await.unwrap());
        assert_eq!(everything(&other).await, before);
        // Counters go on from where they were.
        write(&other, |tx| {
            tx.add(SUM, &1, 1);
            Ok(())
        })
        .await;
        let sums = |tx: &waxwing::store::ReadTx<'_>| Ok(tx.count(SUM, &1)?);
        assert_eq!(read(&other, sums).await, read(&store, sums).await + 1);
    }
    assert_eq!(saved(&store).await.0, bytes, "the same store gives the same backup");
}

pub async fn a_backup_is_of_one_moment(home: Home) {
    let store = home.open();
    some_rows(&store).await;
    let before = everything(&store).await;
    let (writer, runtime) = (store.clone(), tokio::runtime::Handle::current());
    let mut is_first = true;
    let (bytes, _) = archive::backup(&store, Vec::new(), move |_| {
        if std::mem::take(&mut is_first) {
            let (writer, runtime) = (writer.clone(), runtime.clone());
            let writing = std::thread::spawn(move || {
                runtime.block_on(write(&writer, |tx| {
                    tx.put(TEXT, &(ROWS - 1), &b"too late".to_vec());
                    tx.put(EMPTY, &1, &());
                    Ok(())
                }));
            });
            writing.join().unwrap();
        }
    })
    .await
    .unwrap();
    let copy = Store::memory();
    restore(&copy, bytes).await.unwrap();
    assert_eq!(everything(&copy).await, before);
}

pub async fn a_store_with_rows_is_never_restored_into(home: Home) {
    let store = home.open();
    some_rows(&store).await;
    let bytes = saved(&store).await.0;
    let before = everything(&store).await;
    let refused = restore(&store, bytes).await;
    let Err(error @ ArchiveError::NotEmpty(_)) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().contains("rows in `sum`"), "{error}");
    assert_eq!(everything(&store).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_anywhere_is_found() {
    let store = Store::memory();
    write(&store, |tx| {
        for key in 0..50u64 {
            tx.put(TEXT, &key, &vec![key as u8; 20]);
            tx.add(SUM, &key, 1);
        }
        Ok(())
    })
    .await;
    let (whole, _) = saved(&store).await;
    for at in 0..whole.len() {
        assert!(archive::verify(&whole[..at]).is_err(), "cut at {at}");
        let mut damaged = whole.clone();
        damaged[at] ^= 0x41;
        assert!(archive::verify(&damaged[..]).is_err(), "altered at {at}");
    }
    for foreign in [&b""[..], b"# my notes\n", &[0; 1000]] {
        let error = archive::verify(foreign).unwrap_err();
        assert!(error.to_string().contains("no backup of Waxwing"), "{error}");
    }
    let mut newer = whole.clone();
    newer[15] = 2;
    assert!(matches!(archive::verify(&newer[..]), Err(ArchiveError::Newer(2))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_restore_is_known_for_what_it_is() {
    let source = Store::memory();
    some_rows(&source).await;
    let (bytes, _) = saved(&source).await;
    let target = Store::memory();
    assert!(restore(&target, bytes[..bytes.len() - 40].to_vec()).await.is_err());
    assert!(archive::is_unfinished(&target).await.unwrap());
    assert!(matches!(restore(&target, bytes).await, Err(ArchiveError::NotEmpty(_))));
}
