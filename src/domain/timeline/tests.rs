use std::time::Duration;

use super::*;
use crate::base::limits::HOME_MAX_ROWS;
use crate::base::{Id, Timestamp};
use crate::domain::interaction;
use crate::domain::page::Page;
use crate::domain::testing::World;
use crate::domain::visibility::Viewer;
use crate::model::tables::HOME_TIMELINE;
use crate::model::{Mute, Visibility};
use crate::store::{Scan, StoreError};

#[tokio::test]
async fn the_home_timeline_shows_own_and_followed_posts_and_nobody_elses() {
    let world = World::new();
    let (ana, ben, eve) = (world.account(None).await, world.account(None).await, world.account(None).await);
    world.follow(ana, ben).await;
    let of_ben = world.post(ben, Visibility::Private).await;
    world.post(eve, Visibility::Public).await;
    let of_ana = world.post(ana, Visibility::Public).await;
    assert_eq!(world.home(ana).await, [of_ana, of_ben]);
    assert_eq!(world.home(eve).await.len(), 1);
}

#[tokio::test]
async fn a_page_of_the_home_timeline_takes_at_most_four_round_trips() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    world.follow(ana, ben).await;
    let first = world.post(ben, Visibility::Public).await;
    for _ in 0..30 {
        let last = world.reply(ben, first).await;
        let site = world.site.clone();
        world
            .write(move |tx, m| interaction::reblog(tx, m, &site, ben, last, Visibility::Public))
            .await
            .expect("a public post can be boosted");
        world.run_jobs().await;
    }
    let viewer = world.sees(ana);
    let (page, trips) =
        world.read(move |tx| Ok((home(tx, viewer, &Page::first(20))?, tx.round_trips()))).await;
    assert_eq!(page.items.len(), 20);
    assert!(page.items.iter().any(|loaded| loaded.reblog.is_some()));
    assert!(trips <= 4, "{trips} round trips");
}

#[tokio::test]
async fn unfollowed_muted_and_blocked_accounts_leave_the_timeline_at_once() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    world.follow(ana, ben).await;
    let post = world.post(ben, Visibility::Public).await;
    assert_eq!(world.home(ana).await, [post]);

    let end = world.clock.clone();
    let until = Some(Timestamp::from_millis(crate::base::Clock::now(&end).as_millis() + 60_000));
    let mute = Mute { id: Id(1), notifications: true, until };
    world.relate(ana, ben, move |relation| relation.mute = Some(mute.clone())).await;
    assert!(world.home(ana).await.is_empty());
    world.clock.advance(Duration::from_secs(120));
    assert_eq!(world.home(ana).await, [post], "the mute has ended");

    world.relate(ben, ana, |relation| relation.block = Some(Id(2))).await;
    assert!(world.home(ana).await.is_empty());
    world.relate(ben, ana, |relation| relation.block = None).await;
    world.relate(ana, ben, |relation| relation.follow = None).await;
    assert!(world.home(ana).await.is_empty());
}

#[tokio::test]
async fn answers_to_strangers_stay_out_of_home() {
    let world = World::new();
    let (ana, ben, eve) = (world.account(None).await, world.account(None).await, world.account(None).await);
    world.follow(ana, ben).await;
    let of_eve = world.post(eve, Visibility::Public).await;
    world.reply(ben, of_eve).await;
    assert!(world.home(ana).await.is_empty());
    world.follow(ana, eve).await;
    let second = world.reply(ben, of_eve).await;
    let own = world.reply(ben, second).await;
    assert_eq!(world.home(ana).await, [own, second]);
}

#[tokio::test]
async fn unwanted_boosts_stay_out_of_home() {
    let world = World::new();
    let (ana, ben, eve) = (world.account(None).await, world.account(None).await, world.account(None).await);
    world.follow(ana, ben).await;
    let post = world.post(eve, Visibility::Public).await;
    let site = world.site.clone();
    let boost = world
        .write(move |tx, m| interaction::reblog(tx, m, &site, ben, post, Visibility::Public))
        .await
        .expect("a public post can be boosted");
    world.run_jobs().await;
    assert_eq!(world.home(ana).await, [boost]);
    let no_boosts = |relation: &mut crate::model::Relation| {
        relation.follow.as_mut().expect("ana follows ben").show_reblogs = false;
    };
    world.relate(ana, ben, no_boosts).await;
    assert!(world.home(ana).await.is_empty());
}

#[tokio::test]
async fn public_timelines_list_public_posts_only() {
    let world = World::new();
    let ana = world.account(None).await;
    let public = world.post(ana, Visibility::Public).await;
    for visibility in [Visibility::Unlisted, Visibility::Private, Visibility::Direct] {
        world.post(ana, visibility).await;
    }
    let anybody = Viewer::anonymous(Timestamp::default());
    for listing in [Listing::default(), Listing { local: true, ..Listing::default() }] {
        let page = world.read(move |tx| super::public(tx, anybody, listing, &Page::first(20))).await;
        assert_eq!(page.items.iter().map(|l| l.status.id).collect::<Vec<_>>(), [public]);
    }
    let remote = Listing { remote: true, ..Listing::default() };
    let page = world.read(move |tx| super::public(tx, anybody, remote, &Page::first(20))).await;
    assert!(page.items.is_empty());
}

#[tokio::test]
async fn a_full_home_timeline_is_trimmed() {
    let world = World::new();
    let ana = world.account(None).await;
    let post = world.post(ana, Visibility::Public).await;
    let entry = world.status(post).await.expect("it was posted").entry();
    let rows = world
        .write(move |tx, _| {
            for id in 1..=(HOME_MAX_ROWS as u64 + 50) {
                tx.put(HOME_TIMELINE, &(ana, Id(id)), &entry);
            }
            trim(tx, ana)?;
            tx.scan(HOME_TIMELINE, Scan::prefix(&(ana,)))
        })
        .await;
    let rows: Vec<_> = rows.unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert_eq!(rows.len(), HOME_MAX_ROWS);
    assert_eq!(rows.last().map(|((_, id), _)| *id), Some(post));
}
