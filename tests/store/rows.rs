//! Rows, ranges, counters and batches.

use waxwing::base::Id;
use waxwing::store::{Counter, Scan, StoreError, Table};

use crate::home::{Fail, Home, read, write};

const TEXT: Table<u64, Vec<u8>> = Table::new("text");
const PAIR: Table<(u8, u8), ()> = Table::new("pair");
const BYTES: Table<[u8; 2], ()> = Table::new("bytes");
const POINTER: Table<String, Id> = Table::new("pointer");
const SUM: Counter<u64> = Counter::new("sum");

fn text(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

pub async fn rows_are_put_replaced_and_deleted(home: Home) {
    let store = home.open();
    write(&store, |tx| {
        tx.put(TEXT, &1, &text("one"));
        tx.put(TEXT, &2, &text("two"));
        Ok(())
    })
    .await;
    let seen = write(&store, |tx| {
        let before = tx.get(TEXT, &1)?;
        tx.put(TEXT, &1, &text("uno"));
        tx.delete(TEXT, &2);
        tx.delete(TEXT, &3);
        Ok((before, tx.get(TEXT, &1)?, tx.get(TEXT, &2)?))
    })
    .await;
    assert_eq!(seen, (Some(text("one")), Some(text("uno")), None));
    let rows = read(&store, |tx| Ok(tx.scan(TEXT, Scan::all())?)).await;
    assert_eq!(rows, [(1, text("uno"))]);
}

pub async fn a_table_never_written_reads_as_empty(home: Home) {
    let store = home.open();
    let empty = |tx: &waxwing::store::ReadTx<'_>| {
        Ok::<_, Fail>(
            tx.get(TEXT, &1)?.is_none()
                && tx.scan(TEXT, Scan::all())?.is_empty()
                && tx.count(SUM, &1)? == 0
                && tx.scan_raw("text", None, 10)?.is_empty(),
        )
    };
    assert!(read(&store, empty).await);
    assert!(
        write(&store, move |tx| {
            tx.delete(TEXT, &1);
            empty(tx)
        })
        .await
    );
    assert!(read(&store, empty).await);
}

pub async fn scans_keep_order_bounds_and_limits(home: Home) {
    let store = home.open();
    write(&store, |tx| {
        for (a, b) in [(2, 1), (1, 3), (1, 1), (3, 0), (1, 2), (0, 255)] {
            tx.put(PAIR, &(a, b), &());
        }
        Ok(())
    })
    .await;
    let one = || Scan::prefix(&(1u8,));
    type Case = (&'static str, Scan<(u8, u8)>, &'static [(u8, u8)]);
    let cases: [Case; 12] = [
        ("all", Scan::all(), &[(0, 255), (1, 1), (1, 2), (1, 3), (2, 1), (3, 0)]),
        ("reverse", Scan::all().reverse(), &[(3, 0), (2, 1), (1, 3), (1, 2), (1, 1), (0, 255)]),
        ("limit", Scan::all().limit(2), &[(0, 255), (1, 1)]),
        ("reverse limit", Scan::all().reverse().limit(2), &[(3, 0), (2, 1)]),
        ("limit of none", Scan::all().limit(0), &[]),
        ("prefix", one(), &[(1, 1), (1, 2), (1, 3)]),
        ("prefix reverse limit", one().reverse().limit(1), &[(1, 3)]),
        ("after", one().after(&(1, 1)), &[(1, 2), (1, 3)]),
        ("before", one().before(&(1, 3)), &[(1, 1), (1, 2)]),
        ("between", one().after(&(1, 1)).before(&(1, 3)), &[(1, 2)]),
        ("after does not widen a prefix", one().after(&(0, 0)), &[(1, 1), (1, 2), (1, 3)]),
        ("before does not widen a prefix", one().before(&(9, 0)), &[(1, 1), (1, 2), (1, 3)]),
    ];
    for (name, range, expected) in cases {
        let rows = read(&store, move |tx| Ok(tx.scan(PAIR, range)?)).await;
        let keys: Vec<_> = rows.into_iter().map(|(key, ())| key).collect();
        assert_eq!(keys, expected, "{name}");
    }
}

pub async fn a_prefix_of_ff_bytes_ends_where_it_should(home: Home) {
    let store = home.open();
    write(&store, |tx| {
        for key in [[0xfe, 0xff], [0xff, 0x00], [0xff, 0xff], [0x00, 0xff]] {
            tx.put(BYTES, &key, &());
        }
        tx.put(POINTER, &"\u{ff}".to_owned(), &Id(1));
        tx.put(POINTER, &"\u{ff}\0".to_owned(), &Id(2));
        Ok(())
    })
    .await;
    let keys = |range| {
        let store = store.clone();
        async move { read(&store, |tx| Ok(tx.scan(BYTES, range)?)).await.into_iter().map(|(k, ())| k) }
    };
    assert!(keys(Scan::prefix(&[0xfe_u8])).await.eq([[0xfe, 0xff]]));
    assert!(keys(Scan::prefix(&[0xff_u8])).await.eq([[0xff, 0x00], [0xff, 0xff]]));
    assert!(keys(Scan::prefix(&[0xff_u8, 0xff])).await.eq([[0xff, 0xff]]));
    assert_eq!(keys(Scan::prefix(&())).await.count(), 4);
    // A whole text is the prefix of itself only.
    let found = read(&store, |tx| Ok(tx.scan(POINTER, Scan::prefix(&("\u{ff}".to_owned(),)))?)).await;
    assert_eq!(found, [("\u{ff}".to_owned(), Id(1))]);
}

pub async fn contradicting_bounds_give_nothing(home: Home) {
    let store = home.open();
    write(&store, |tx| {
        for key in 1..=9 {
            tx.put(TEXT, &key, &text("x"));
        }
        Ok(())
    })
    .await;
    let ranges =
        || [Scan::all().after(&5).before(&5), Scan::all().after(&7).before(&3), Scan::all().after(&9)];
    for range in ranges() {
        assert_eq!(read(&store, |tx| Ok(tx.scan(TEXT, range)?)).await, []);
    }
    write(&store, move |tx| {
        tx.put(TEXT, &5, &text("y"));
        for range in ranges() {
            assert_eq!(tx.scan(TEXT, range)?, []);
        }
        Ok(())
    })
    .await;
}

pub async fn a_transaction_sees_its_own_changes_in_scans(home: Home) {
    let store = home.open();
    write(&store, |tx| {
        for key in [2, 4, 6, 8] {
            tx.put(TEXT, &key, &text("old"));
        }
        Ok(())
    })
    .await;
    write(&store, |tx| {
        tx.put(TEXT, &1, &text("new"));
        tx.delete(TEXT, &4);
        tx.put(TEXT, &6, &text("new"));
        tx.put(TEXT, &9, &text("new"));
        tx.delete(TEXT, &9);
        tx.delete(TEXT, &2);
        tx.put(TEXT, &2, &text("again"));
        let (old, new, again) = (text("old"), text("new"), text("again"));
        let rows = |range| tx.scan(TEXT, range);
        let all = [(1, new.clone()), (2, again.clone()), (6, new.clone()), (8, old.clone())];
        assert_eq!(rows(Scan::all())?, all);
        assert_eq!(rows(Scan::all().limit(2))?, all[..2]);
        assert_eq!(rows(Scan::all().reverse().limit(1))?, all[3..]);
        assert_eq!(rows(Scan::all().reverse().limit(2))?, [all[3].clone(), all[2].clone()]);
        assert_eq!(rows(Scan::all().after(&2).before(&8))?, all[2..3]);
        assert_eq!(rows(Scan::all().after(&2).limit(1))?, all[2..3]);
        Ok(())
    })
    .await;
}

pub async fn counters_add_without_reading_and_can_be_forgotten(home: Home) {
    let store = home.open();
    write(&store, |tx| {
        tx.add(SUM, &1, 5);
        tx.add(SUM, &1, -7);
        tx.add(SUM, &2, 1);
        assert_eq!((tx.count(SUM, &1)?, tx.count(SUM, &2)?), (-2, 1));
        Ok(())
    })
    .await;
    write(&store, |tx| {
        tx.add(SUM, &1, 12);
        assert_eq!(tx.count(SUM, &1)?, 10);
        tx.forget(SUM, &2);
        assert_eq!(tx.count(SUM, &2)?, 0);
        tx.add(SUM, &2, 3);
        Ok(())
    })
    .await;
    let sums = read(&store, |tx| Ok((tx.count(SUM, &1)?, tx.count(SUM, &2)?, tx.count(SUM, &3)?))).await;
    assert_eq!(sums, (10, 3, 0));
}

pub async fn many_keys_are_answered_in_the_order_asked(home: Home) {
    let store = home.open();
    write(&store, |tx| {
        tx.put(TEXT, &1, &text("one"));
        tx.put(TEXT, &2, &text("two"));
        Ok(())
    })
    .await;
    let keys = [2, 9, 1, 2];
    let expected = [Some(text("two")), None, Some(text("one")), Some(text("two"))];
    assert_eq!(read(&store, move |tx| Ok(tx.get_many(TEXT, &keys)?)).await, expected);
    write(&store, move |tx| {
        assert_eq!(tx.get_many(TEXT, &keys)?, expected);
        tx.put(TEXT, &9, &text("nine"));
        tx.delete(TEXT, &1);
        assert_eq!(
            tx.get_many(TEXT, &keys)?,
            [Some(text("two")), Some(text("nine")), None, Some(text("two"))]
        );
        Ok(())
    })
    .await;
}

pub async fn one_batch_reads_several_tables_in_one_round_trip(home: Home) {
    let store = home.open();
    write(&store, |tx| {
        tx.put(TEXT, &1, &text("one"));
        tx.put(POINTER, &"a".to_owned(), &Id(7));
        tx.add(SUM, &4, 40);
        Ok(())
    })
    .await;
    read(&store, |tx| {
        let mut batch = tx.batch();
        let texts = batch.get_many(TEXT, &[2, 1]);
        let pointers = batch.get_many(POINTER, &["a".to_owned()]);
        let sums = batch.count_many(SUM, &[4, 5]);
        let found = batch.fetch()?;
        assert_eq!(found.take(texts)?, [None, Some(text("one"))]);
        assert_eq!(found.take(pointers)?, [Some(Id(7))]);
        assert_eq!(found.counts(sums), [40, 0]);
        assert_eq!(tx.round_trips(), 1);
        Ok(())
    })
    .await;
}

pub async fn raw_pages_copy_a_whole_table(home: Home) {
    let (store, copy) = (home.open(), crate::home::Home::Memory.open());
    write(&store, |tx| {
        for key in 0..25u64 {
            tx.put(TEXT, &key, &key.to_le_bytes().to_vec());
        }
        Ok(())
    })
    .await;
    let pages = read(&store, |tx| {
        let mut pages = vec![tx.scan_raw(TEXT.name(), None, 10)?];
        while let Some((last, _)) = pages.last().and_then(|page| page.last()).cloned() {
            pages.push(tx.scan_raw(TEXT.name(), Some(&last), 10)?);
        }
        Ok(pages)
    })
    .await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5, 0]);
    write(&copy, move |tx| {
        for (key, value) in pages.iter().flatten() {
            tx.put_raw(TEXT.name(), key.clone(), value.clone());
        }
        Ok(())
    })
    .await;
    let rows = read(&copy, |tx| Ok(tx.scan(TEXT, Scan::all())?)).await;
    assert_eq!(rows, (0..25u64).map(|key| (key, key.to_le_bytes().to_vec())).collect::<Vec<_>>());
}

pub async fn a_row_of_a_newer_program_is_named(home: Home) {
    let store = home.open();
    write(&store, |tx| {
        tx.put_raw("sample", 1u64.to_be_bytes().to_vec(), vec![2, 0x80]);
        tx.put_raw("sample", 2u64.to_be_bytes().to_vec(), vec![1, 0xff]);
        Ok(())
    })
    .await;
    for (key, says) in [(1, "version 2 of a newer Waxwing"), (2, "damaged")] {
        let error = store
            .read(move |tx| tx.get(crate::bytes::SAMPLE, &key).map(drop).map_err(Fail::from))
            .await
            .unwrap_err();
        let Fail::Store(error @ StoreError::Value { table: "sample", .. }) = error else {
            panic!("{error:?}")
        };
        assert!(error.to_string().contains(says), "{error}");
    }
}
