use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use super::*;
use crate::base::{IdGenerator, ManualClock, Timestamp};
use crate::cluster::Cluster;
use crate::domain::search::Ask;
use crate::model::tables::{INDEX_FEED, INDEX_STAMP};
use crate::model::{Account, Attachment, AttachmentKind, Mention, Poll, PollOption, Status, Visibility};
use crate::store::{Scan, Store};

const ANA: Id = Id(1);
const BEN: Id = Id(2);
const ZOE: Id = Id(3);

/// A store with ana, who may be found by everybody, ben and zoe.
async fn store() -> Store {
    let store = Store::memory();
    save_person(&store, account(ANA, "ana", true)).await;
    save_person(&store, account(BEN, "ben", false)).await;
    save_person(&store, account(ZOE, "zoe", false)).await;
    store
}

fn account(id: Id, username: &str, is_indexable: bool) -> Account {
    Account { id, username: username.into(), is_indexable, is_discoverable: true, ..Account::default() }
}

async fn save_person(store: &Store, new: Account) {
    store
        .write(move |tx| {
            let old = tx.get(crate::model::tables::ACCOUNT, &new.id)?;
            Account::save(tx, old.as_ref(), &new);
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

fn post(id: u64, account: Id, text: &str) -> Status {
    Status {
        id: Id(id),
        account,
        uri: format!("https://social.example/{id}"),
        content_html: format!("<p>{text}</p>"),
        thread: Id(id),
        ..Status::default()
    }
}

async fn save(store: &Store, new: Status) {
    store
        .write(move |tx| {
            let old = tx.get(crate::model::tables::STATUS, &new.id)?;
            Status::save(tx, old.as_ref(), &new);
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

async fn delete(store: &Store, id: u64) {
    store
        .write(move |tx| {
            if let Some(old) = tx.get(crate::model::tables::STATUS, &Id(id))? {
                Status::delete(tx, &old);
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

fn indexer(store: &Store, place: Place) -> Indexer {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_764_000_000)));
    // Time moves on between two runs of a server, so no id comes twice.
    static IDS: LazyLock<Arc<IdGenerator>> = LazyLock::new(|| Arc::new(IdGenerator::new(0)));
    let ids = IDS.clone();
    let cluster = Cluster::alone();
    Indexer { search: Search::open(place), store: store.clone(), clock, ids, cluster }
}

fn folder(path: &Path) -> Place {
    Place::Folder(path.join("index"))
}

fn asked(me: Id, text: &str) -> Wanted {
    let authors = HashMap::from([("ana".to_owned(), ANA), ("ben".to_owned(), BEN)]);
    Wanted { ask: Ask::parse(text), me, authors, ..Wanted::default() }
}

async fn found(search: &Search, wanted: Wanted) -> Vec<u64> {
    search.posts(wanted, 0, 50).await.unwrap().into_iter().map(|id| id.0).collect()
}

#[tokio::test]
async fn questions_find_what_they_name() {
    let store = store().await;
    let day = |date: &str| Id::first_at(Timestamp::parse_rfc3339(&format!("{date}T12:00:00Z")).unwrap()).0;
    let (monday, tuesday) = (day("2026-11-23"), day("2026-11-24"));
    save(&store, post(10, ANA, "Les crêpes are great &amp; cheap")).await;
    save(&store, post(11, ANA, "great crepes of 東京都")).await;
    let kind = AttachmentKind::Image;
    let media = Attachment { kind, description: Some("a lighthouse".into()), ..Attachment::default() };
    save(&store, Status { attachments: vec![media], ..post(12, ANA, "look") }).await;
    let option = PollOption { title: "sailing".into(), votes: 0 };
    let poll = Poll { options: vec![option], ..Poll::default() };
    save(&store, Status { poll: Some(poll), ..post(15, ANA, "which") }).await;
    save(&store, Status { tags: vec!["Rust".into()], language: Some("de".into()), ..post(13, ANA, "Boote") })
        .await;
    let reply = Status {
        in_reply_to: Some(Id(10)),
        sensitive: true,
        spoiler_text: "food".into(),
        ..post(14, ANA, "yes")
    };
    save(&store, reply).await;
    save(&store, Status { link: Some("https://a.example/".into()), ..post(monday, ANA, "newer") }).await;
    save(&store, post(tuesday, ANA, "newest")).await;
    let indexer = indexer(&store, Place::Memory);
    indexer.catch_up().await.unwrap();
    let cases: Vec<(&str, Vec<u64>)> = vec![
        ("crepes", vec![11, 10]),
        ("CRÊPE", vec![11, 10]),
        ("great crepes", vec![11, 10]),
        ("\"great crepes\"", vec![11]),
        ("crepes -cheap", vec![11]),
        ("京都", vec![11]),
        ("東", vec![11]),
        ("都京", vec![]),
        ("lighthouse", vec![12]),
        ("has:media", vec![12]),
        ("has:image from:ana", vec![12]),
        ("has:video", vec![]),
        ("has:link", vec![monday]),
        ("has:poll sail", vec![15]),
        ("#rust", vec![13]),
        ("language:de", vec![13]),
        ("is:reply", vec![14]),
        ("is:sensitive", vec![14]),
        ("food", vec![14]),
        ("from:ben", vec![]),
        ("from:nobody", vec![]),
        ("from:ana -from:nobody boote", vec![13]),
        ("after:2026-11-23", vec![tuesday]),
        ("during:2026-11-23", vec![monday]),
        ("before:2026-11-23 crepes", vec![11, 10]),
        ("after:2026-11-22 before:2026-11-24", vec![monday]),
        ("nothing at all", vec![]),
    ];
    for (text, expected) in cases {
        assert_eq!(found(&indexer.search, asked(ZOE, text)).await, expected, "{text}");
    }
    let page = indexer.search.posts(asked(ZOE, "crepes"), 1, 1).await.unwrap();
    assert_eq!(page, [Id(10)]);
    let older = Wanted { before: Some(Id(11)), ..asked(ZOE, "crepes") };
    assert_eq!(found(&indexer.search, older).await, [10]);
    let newer = Wanted { after: Some(Id(10)), ..asked(ZOE, "crepes") };
    assert_eq!(found(&indexer.search, newer).await, [11]);
}

#[tokio::test]
async fn strangers_find_only_what_is_open() {
    let store = store().await;
    save(&store, post(10, ANA, "cat")).await;
    save(&store, Status { visibility: Visibility::Unlisted, ..post(11, ANA, "cat") }).await;
    save(&store, post(12, BEN, "cat")).await;
    let text = String::new;
    let mention =
        Mention { account: ZOE, username: text(), acct: text(), url: text(), uri: text(), is_silent: false };
    let to_zoe = Status { visibility: Visibility::Direct, mentions: vec![mention], ..post(13, BEN, "cat") };
    save(&store, to_zoe).await;
    let indexer = indexer(&store, Place::Memory);
    indexer.catch_up().await.unwrap();
    let search = &indexer.search;
    assert_eq!(found(search, asked(ZOE, "cat")).await, [13, 10]);
    assert_eq!(found(search, asked(ZOE, "cat in:public")).await, [10]);
    assert_eq!(found(search, asked(ZOE, "cat in:library")).await, [13]);
    assert_eq!(found(search, asked(BEN, "cat")).await, [13, 12, 10]);
    assert_eq!(found(search, asked(ANA, "cat in:library")).await, [11, 10]);
    let library = Wanted { library: vec![Id(12)], ..asked(ZOE, "cat in:library") };
    assert_eq!(found(search, library).await, [13, 12]);
    // Ben lets himself be found, and ana does not any more.
    save_person(&store, account(BEN, "ben", true)).await;
    save_person(&store, account(ANA, "ana", false)).await;
    indexer.catch_up().await.unwrap();
    assert_eq!(found(search, asked(Id(9), "cat")).await, [12]);
}

#[tokio::test]
async fn edits_and_deletions_follow() {
    let store = store().await;
    save(&store, post(10, ANA, "cat")).await;
    let indexer = indexer(&store, Place::Memory);
    indexer.catch_up().await.unwrap();
    save(&store, post(10, ANA, "dog")).await;
    indexer.catch_up().await.unwrap();
    assert_eq!(found(&indexer.search, asked(ZOE, "cat")).await, [0; 0]);
    assert_eq!(found(&indexer.search, asked(ZOE, "dog")).await, [10]);
    delete(&store, 10).await;
    indexer.catch_up().await.unwrap();
    assert_eq!(found(&indexer.search, asked(ZOE, "dog")).await, [0; 0]);
    assert_eq!(indexer.catch_up().await.unwrap(), 0, "nothing is left to do");
    let rows = store.read(|tx| tx.scan(INDEX_FEED, Scan::all())).await.unwrap();
    assert_eq!(rows, []);
}

#[tokio::test]
async fn people_are_found_by_words_of_their_name_and_profile() {
    let store = store().await;
    let note_html = "<p>I paint lighthouses</p>".to_owned();
    let display_name = "Zoë Müller".to_owned();
    save_person(&store, Account { display_name, note_html, ..account(ZOE, "zm", true) }).await;
    let indexer = indexer(&store, Place::Memory);
    indexer.catch_up().await.unwrap();
    for (text, expected) in [
        ("muller", vec![ZOE]),
        ("zo mu", vec![ZOE]),
        ("uller", vec![]),
        ("lighthouse", vec![ZOE]),
        ("painting", vec![ZOE]),
        ("zoe ana", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(indexer.search.people(text.to_owned(), 10).await.unwrap(), expected, "{text}");
    }
}

#[tokio::test]
async fn an_index_that_is_missing_damaged_or_old_is_made_anew() {
    let (store, data) = (store().await, tempfile::tempdir().unwrap());
    save(&store, post(10, ANA, "cat")).await;
    let path = data.path().join("index");
    let check = async |expected: &[u64], why: &str| {
        let indexer = indexer(&store, folder(data.path()));
        indexer.catch_up().await.unwrap();
        assert_eq!(found(&indexer.search, asked(ZOE, "cat")).await, expected, "{why}");
    };
    check(&[10], "first").await;
    check(&[10], "again").await;
    let old = data.path().join("old");
    copy(&path, &old);
    save(&store, post(11, ANA, "cat")).await;
    check(&[11, 10], "more").await;
    fs::remove_dir_all(&path).unwrap();
    check(&[11, 10], "missing").await;
    fs::remove_dir_all(&path).unwrap();
    fs::rename(&old, &path).unwrap();
    check(&[11, 10], "older than the store").await;
    // Each is made anew after the one before it was cut: the names change.
    for place in 0.. {
        let mut files: Vec<_> = fs::read_dir(&path).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        let Some(file) = files.get(place) else { break };
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
        check(&[11, 10], &format!("half of {}", file.display())).await;
    }
    // A store that was put back to an earlier state, by hand or from a backup.
    store
        .write(|tx| {
            tx.put(INDEX_STAMP, &0, &Id(77));
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    delete(&store, 11).await;
    store
        .write(|tx| {
            tx.delete(INDEX_FEED, &(0, Id(11)));
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    check(&[10], "of another moment").await;
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for file in fs::read_dir(from).unwrap().map(|file| file.unwrap()) {
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[tokio::test]
async fn a_stop_between_index_and_store_loses_and_doubles_nothing() {
    let (store, data) = (store().await, tempfile::tempdir().unwrap());
    save(&store, post(10, ANA, "cat")).await;
    indexer(&store, folder(data.path())).catch_up().await.unwrap();
    save(&store, post(11, ANA, "cat")).await;
    let before =
        store.read(|tx| Ok::<_, StoreError>((tx.get(INDEX_STAMP, &0)?, tx.scan(INDEX_FEED, Scan::all())?)));
    let (stamp, rows) = before.await.unwrap();
    indexer(&store, folder(data.path())).catch_up().await.unwrap();
    // The index has its commit, the store does not.
    let (stamp, count) = (stamp.unwrap(), rows.len());
    let undo = move |tx: &mut crate::store::WriteTx<'_>| {
        tx.put(INDEX_STAMP, &0, &stamp);
        rows.iter().for_each(|(key, mark)| tx.put(INDEX_FEED, key, mark));
        Ok::<_, StoreError>(())
    };
    store.write(undo).await.unwrap();
    let after = indexer(&store, folder(data.path()));
    assert_eq!(after.catch_up().await.unwrap(), count, "only the rows are worked off again");
    assert_eq!(found(&after.search, asked(ZOE, "cat")).await, [11, 10]);
}

#[tokio::test]
async fn a_change_while_it_is_indexed_is_not_forgotten() {
    let store = store().await;
    save(&store, post(10, ANA, "cat")).await;
    let read = store.read(|tx| tx.scan(INDEX_FEED, Scan::all())).await.unwrap();
    save(&store, post(10, ANA, "dog")).await;
    let now = store.read(|tx| tx.scan(INDEX_FEED, Scan::all())).await.unwrap();
    assert_ne!(read, now, "the row tells that it is not what was read");
    // What cannot be found by it is no news.
    save(&store, Status { url: Some("https://x.example".into()), ..post(10, ANA, "dog") }).await;
    assert_eq!(store.read(|tx| tx.scan(INDEX_FEED, Scan::all())).await.unwrap(), now);
}

#[tokio::test]
async fn an_index_made_anew_goes_on_where_it_stopped() {
    let (store, data) = (store().await, tempfile::tempdir().unwrap());
    for id in 0..(2 * gather::PAGE_MAX as u64) {
        save(&store, post(100 + id, ANA, "cat")).await;
    }
    let indexer = indexer(&store, folder(data.path()));
    indexer.catch_up().await.unwrap();
    let all = indexer.search.posts(asked(ZOE, "cat"), 0, 1000).await.unwrap();
    assert_eq!(all.len(), 2 * gather::PAGE_MAX);
    assert_eq!(
        shelf::Stamp::read("1 5 4 posts 3").map(|stamp| stamp.write()).as_deref(),
        Some("1 5 4 posts 3")
    );
    for other in ["", "2 5 4 posts 3", "1 5 4 birds 3", "1 5 4", "x"] {
        assert_eq!(shelf::Stamp::read(other), None, "{other}");
    }
}
