use std::time::Duration;

use super::*;
use crate::domain::interaction;
use crate::domain::notification::{self, Wanted};
use crate::domain::page::Page;
use crate::domain::testing::World;
use crate::domain::thread::context;
use crate::domain::timeline::load_one;
use crate::model::queue::{ActivityKind, Verb};
use crate::model::tables::TOMBSTONE;
use crate::model::{NotificationKind, Visibility};
use crate::store::StoreError;

async fn alerts(world: &World, of: Id) -> Vec<(NotificationKind, Id)> {
    // Direct posts of strangers are held back, and are told all the same.
    let (viewer, wanted) = (world.sees(of), Wanted { include_filtered: true, ..Wanted::default() });
    let page = world.read(move |tx| notification::list(tx, viewer, &wanted, &Page::first(40))).await;
    page.items.into_iter().map(|alert| (alert.notification.kind, alert.from.account.id)).collect()
}

#[tokio::test]
async fn the_same_key_within_an_hour_gives_the_same_post() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    let keyed =
        |author| Draft { idempotency_key: Some("k".into()), ..World::draft(author, Visibility::Public) };
    let first = world.publish(keyed(ana)).await.expect("good");
    assert_eq!(world.publish(keyed(ana)).await.expect("good"), first);
    assert_ne!(world.publish(keyed(ben)).await.expect("good"), first, "keys are per account");
    world.clock.advance(IDEMPOTENCY_FOR + Duration::from_secs(1));
    assert_ne!(world.publish(keyed(ana)).await.expect("good"), first);
}

#[tokio::test]
async fn blank_posts_and_answers_to_unseen_posts_are_refused() {
    let world = World::new();
    let (ana, eve) = (world.account(None).await, world.account(None).await);
    let secret = world.post(ana, Visibility::Private).await;
    let blank = Draft { text: " \n".into(), ..World::draft(ana, Visibility::Public) };
    assert!(matches!(world.publish(blank).await, Err(StatusError::Blank)));
    for parent in [secret, Id(7)] {
        let draft = Draft { in_reply_to: Some(parent), ..World::draft(eve, Visibility::Public) };
        assert!(matches!(world.publish(draft).await, Err(StatusError::ReplyNotFound)));
    }
}

#[tokio::test]
async fn nothing_can_be_done_with_a_post_that_may_not_be_seen() {
    let world = World::new();
    let (ana, eve) = (world.account(None).await, world.account(None).await);
    for visibility in [Visibility::Private, Visibility::Direct] {
        let secret = world.post(ana, visibility).await;
        let site = world.site.clone();
        let results = world
            .write(move |tx, m| {
                Ok::<_, StoreError>([
                    interaction::favourite(tx, m, &site, eve, secret).err(),
                    interaction::reblog(tx, m, &site, eve, secret, Visibility::Public).err(),
                    interaction::bookmark(tx, m, eve, secret).err(),
                    interaction::set_muted(tx, m.now, eve, secret, true).err(),
                    interaction::pin(tx, m, eve, secret).err(),
                    delete(tx, m, eve, secret).err(),
                    edit(tx, m, eve, secret, &Edit { text: "mine".into(), ..Edit::default() }).err(),
                ])
            })
            .await
            .expect("the store is fine");
        assert!(results.iter().all(|r| matches!(r, Some(StatusError::NotFound))), "{results:?}");
        let viewer = world.sees(eve);
        assert!(world.read(move |tx| context(tx, viewer, secret)).await.is_none());
        assert!(world.read(move |tx| load_one(tx, viewer, secret)).await.is_none());
    }
}

#[tokio::test]
async fn mentioned_people_are_told_unless_they_block_or_mute() {
    let world = World::new();
    let [ana, ben, eve, max] = [
        world.account(None).await,
        world.account(None).await,
        world.account(None).await,
        world.account(None).await,
    ];
    world.relate(eve, ana, |relation| relation.block = Some(Id(1))).await;
    let mute = crate::model::Mute { id: Id(1), notifications: true, until: None };
    world.relate(max, ana, move |relation| relation.mute = Some(mute.clone())).await;
    let draft = Draft { mentions: vec![ben, eve, max, ana], ..World::draft(ana, Visibility::Direct) };
    let post = world.publish(draft).await.expect("good");
    assert_eq!(alerts(&world, ben).await, [(NotificationKind::Mention, ana)]);
    for other in [ana, eve, max] {
        assert!(alerts(&world, other).await.is_empty());
    }
    let seen = load_one_as(&world, ben, post).await;
    assert!(seen.is_some(), "ben is addressed");
}

async fn load_one_as(world: &World, who: Id, post: Id) -> Option<crate::domain::timeline::Loaded> {
    let viewer = world.sees(who);
    world.read(move |tx| load_one(tx, viewer, post)).await
}

#[tokio::test]
async fn likes_and_boosts_count_once_and_can_be_taken_back() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    let post = world.post(ana, Visibility::Public).await;
    let site = world.site.clone();
    let boosts = world
        .write(move |tx, m| {
            interaction::favourite(tx, m, &site, ben, post)?;
            interaction::favourite(tx, m, &site, ben, post)?;
            let first = interaction::reblog(tx, m, &site, ben, post, Visibility::Public)?;
            let second = interaction::reblog(tx, m, &site, ben, post, Visibility::Public)?;
            Ok::<_, StatusError>((first, second))
        })
        .await
        .expect("ben may");
    assert_eq!(boosts.0, boosts.1);
    world.run_jobs().await;
    let seen = load_one_as(&world, ben, post).await.expect("public");
    assert_eq!((seen.counts.favourites, seen.counts.reblogs), (1, 1));
    assert!(seen.marks.is_some_and(|marks| marks.favourited && marks.reblogged));
    let told = alerts(&world, ana).await;
    assert_eq!(told, [(NotificationKind::Reblog, ben), (NotificationKind::Favourite, ben)]);

    let site = world.site.clone();
    world
        .write(move |tx, m| {
            interaction::unfavourite(tx, m, &site, ben, post)?;
            // The boost itself may be named, too.
            interaction::unreblog(tx, m, ben, boosts.0)
        })
        .await
        .expect("ben may");
    let seen = load_one_as(&world, ben, post).await.expect("public");
    assert_eq!((seen.counts.favourites, seen.counts.reblogs), (0, 0));
    assert!(seen.marks.is_some_and(|marks| !marks.favourited && !marks.reblogged));
    assert!(alerts(&world, ana).await.is_empty(), "what was taken back is not shown");
    assert!(load_one_as(&world, ben, boosts.0).await.is_none());
}

#[tokio::test]
async fn only_the_author_can_boost_a_private_post_and_only_privately() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    world.follow(ben, ana).await;
    let post = world.post(ana, Visibility::Private).await;
    let site = world.site.clone();
    let (own, others) = world
        .write(move |tx, m| {
            let own = interaction::reblog(tx, m, &site, ana, post, Visibility::Public)?;
            Ok::<_, StatusError>((
                own,
                interaction::reblog(tx, m, &site, ben, post, Visibility::Public).err(),
            ))
        })
        .await
        .expect("ana may");
    assert!(matches!(others, Some(StatusError::NotPublic)));
    assert_eq!(world.status(own).await.map(|boost| boost.visibility), Some(Visibility::Private));
}

#[tokio::test]
async fn deleting_takes_everything_along_and_tells_whoever_has_a_copy() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    let [far, near] = [world.account(Some("far.example")).await, world.account(Some("near.example")).await];
    world.follow(far, ana).await;
    let parent = world.post(ana, Visibility::Public).await;
    let post = world.reply(ana, parent).await;
    let site = world.site.clone();
    let boost = world
        .write(move |tx, m| {
            let boost = interaction::reblog(tx, m, &site, ben, post, Visibility::Public)?;
            let status = tx.get(crate::model::tables::STATUS, &post)?.ok_or(StatusError::NotFound)?;
            interaction::mark_favourite(tx, m, near, &status, None)?;
            Ok::<_, StatusError>(boost)
        })
        .await
        .expect("ben may");
    world.run_jobs().await;
    let was = world.write(move |tx, m| delete(tx, m, ana, post)).await.expect("ana may");
    assert_eq!(was.status.text, "hello");
    let told = world.run_jobs().await;
    let (plan, inboxes) = told.last().expect("others are told");
    assert_eq!((plan.verb, plan.kind()), (Verb::Delete, ActivityKind::Delete));
    assert_eq!(*inboxes, ["https://far.example/inbox", "https://near.example/inbox"]);

    assert!(world.status(post).await.is_none() && world.status(boost).await.is_none());
    let seen = load_one_as(&world, ana, parent).await.expect("the parent stays");
    assert_eq!((seen.counts.replies, seen.author.statuses), (0, 1));
    let uri = was.status.uri.clone();
    assert!(world.read(move |tx| tx.get(TOMBSTONE, &uri)).await.is_some());
}

#[tokio::test]
async fn a_direct_post_goes_to_the_inboxes_of_those_it_names() {
    let world = World::new();
    let ana = world.account(None).await;
    let [far, other] = [world.account(Some("far.example")).await, world.account(Some("far.example")).await];
    world.follow(other, ana).await;
    let draft = Draft { mentions: vec![far], ..World::draft(ana, Visibility::Direct) };
    let site = world.site.clone();
    world.write(move |tx, m| publish(tx, m, &site, &draft)).await.expect("good");
    let told = world.run_jobs().await;
    let inbox = format!("https://far.example/ap/users/{far}/inbox");
    assert_eq!(told.iter().map(|(_, inboxes)| inboxes.clone()).collect::<Vec<_>>(), [vec![inbox]]);
    let (to, cc) = told[0].0.audience();
    assert_eq!((to, cc.len()), (vec![format!("https://far.example/ap/users/{far}")], 0));
}

#[tokio::test]
async fn an_edit_keeps_the_audience_and_tells_newly_mentioned_people() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    let post = world.post(ana, Visibility::Direct).await;
    let change = Edit { text: "changed".into(), mentions: vec![ben], ..Edit::default() };
    world.write(move |tx, m| edit(tx, m, ana, post, &change)).await.expect("ana may");
    let after = world.status(post).await.expect("it is there");
    assert_eq!((after.text.as_str(), after.visibility), ("changed", Visibility::Direct));
    assert!(after.edited_at.is_some());
    assert_eq!(alerts(&world, ben).await, [(NotificationKind::Mention, ana)]);
}

#[tokio::test]
async fn a_thread_shows_each_viewer_what_they_may_see() {
    let world = World::new();
    let (ana, ben, eve) = (world.account(None).await, world.account(None).await, world.account(None).await);
    let root = world.post(ana, Visibility::Public).await;
    let answer = world.reply(ben, root).await;
    let deep = world.reply(ana, answer).await;
    let secret = Draft { in_reply_to: Some(answer), ..World::draft(ben, Visibility::Direct) };
    let secret = world.publish(secret).await.expect("good");
    let shape = |viewer: Viewer| {
        let world = world.clone();
        async move {
            let found = world.read(move |tx| context(tx, viewer, answer)).await.expect("public");
            let ids = |all: Vec<crate::domain::timeline::Loaded>| -> Vec<Id> {
                all.into_iter().map(|loaded| loaded.status.id).collect()
            };
            (ids(found.ancestors), ids(found.descendants))
        }
    };
    assert_eq!(shape(world.sees(eve)).await, (vec![root], vec![deep]));
    assert_eq!(shape(world.sees(ben)).await, (vec![root], vec![deep, secret]));
    assert_eq!(shape(Viewer::anonymous(Default::default())).await, (vec![root], vec![deep]));
    assert!(load_one_as(&world, eve, answer).await.is_some_and(|l| l.counts.replies == 1));
}

#[tokio::test]
async fn old_posts_from_elsewhere_are_filed_under_their_date() {
    let world = World::new();
    let week_ago = crate::base::Clock::now(&world.clock).minus(Duration::from_secs(7 * 86_400));
    let ids = world
        .write(move |tx, m| Ok::<_, StoreError>((id_for(tx, m, week_ago)?, id_for(tx, m, m.now)?)))
        .await
        .expect("the store is fine");
    assert_eq!(ids.0.timestamp(), week_ago);
    assert!(ids.1 > ids.0);
}

#[test]
fn rows_about_deleted_posts_read_for_ever() {
    let at = crate::base::Timestamp::from_millis(1_764_000_000_123);
    let status = Status { id: Id(9), text: "hi".into(), ..Status::default() };
    let departed = Departed { status, reached: vec![Id(1), Id(2)], at };
    crate::store::golden::check("departed", &departed).unwrap();
}

#[tokio::test]
async fn no_update_widens_an_audience() {
    let world = World::new();
    let far = world.account(Some("far.example")).await;
    let post = world.post(far, Visibility::Private).await;
    world
        .write(move |tx, m| {
            let old = own(tx, far, post)?;
            let new = Status { visibility: Visibility::Public, text: "all".into(), ..old.clone() };
            Ok::<_, StatusError>(replace(tx, m, &old, &new)?)
        })
        .await
        .expect("the post is there");
    let after = world.status(post).await.expect("it is there");
    assert_eq!((after.text.as_str(), after.visibility), ("all", Visibility::Private));
    let anybody = Viewer::anonymous(Default::default());
    assert!(world.read(move |tx| load_one(tx, anybody, post)).await.is_none());
}

#[tokio::test]
async fn a_thread_leaves_out_those_who_are_muted() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    let root = world.post(ana, Visibility::Public).await;
    world.reply(ben, root).await;
    let mute = crate::model::Mute { id: Id(1), notifications: true, until: None };
    world.relate(ana, ben, move |relation| relation.mute = Some(mute.clone())).await;
    let viewer = world.sees(ana);
    let found = world.read(move |tx| context(tx, viewer, root)).await.expect("public");
    assert!(found.descendants.is_empty());
}

#[tokio::test]
async fn pages_have_their_round_trip_budgets() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    let root = world.post(ana, Visibility::Public).await;
    for _ in 0..20 {
        let draft = Draft {
            mentions: vec![ana],
            in_reply_to: Some(root),
            tags: vec!["tag".into()],
            ..World::draft(ben, Visibility::Public)
        };
        world.publish(draft).await.expect("good");
    }
    let (viewer, page) = (world.sees(ana), Page::first(20));
    let trips = world
        .read(move |tx| {
            let mut trips = vec![tx.round_trips()];
            notification::list(tx, viewer, &Wanted::default(), &page)?;
            trips.push(tx.round_trips());
            context(tx, viewer, root)?;
            trips.push(tx.round_trips());
            crate::domain::timeline::account_statuses(tx, viewer, ben, &Default::default(), &page)?;
            trips.push(tx.round_trips());
            load_one(tx, viewer, root)?;
            trips.push(tx.round_trips());
            Ok(trips)
        })
        .await;
    let spent: Vec<u32> = trips.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (what, spent, budget) in [
        ("notifications", spent[0], 7),
        ("context", spent[1], 6),
        ("account", spent[2], 3),
        ("post", spent[3], 3),
    ] {
        assert!(spent <= budget, "{what}: {spent} round trips, {budget} are allowed");
    }
}
