use super::*;
use crate::base::Moment;
use crate::domain::testing::World;
use crate::model::queue::tables::ACT;
use crate::model::queue::{Job, Outgoing};
use crate::model::tables::{COUNT, NOTIFICATION, RELATION, count};
use crate::model::{NotificationKind, Relation, Site, Visibility};
use crate::store::{Scan, WriteTx};

/// One word for each activity that waits to be sent, oldest first.
async fn said(world: &World) -> Vec<&'static str> {
    let acts = world.read(|tx| tx.scan(ACT, Scan::all())).await;
    acts.iter()
        .filter_map(|(_, act)| match &act.job {
            Job::Say(outgoing) => Some(match outgoing {
                Outgoing::Follow(_) => "follow",
                Outgoing::Accept { .. } => "accept",
                Outgoing::Reject { .. } => "reject",
                Outgoing::UndoFollow { .. } => "undo follow",
                Outgoing::Block { .. } => "block",
                Outgoing::UndoBlock { .. } => "undo block",
                _ => "other",
            }),
            _ => None,
        })
        .collect()
}

async fn act(
    world: &World,
    mut change: impl FnMut(&mut WriteTx<'_>, &mut Moment, &Site) -> Result<(), RelationError> + Send + 'static,
) -> Result<(), RelationError> {
    let site = world.site.clone();
    world.write(move |tx, moment| change(tx, moment, &site)).await
}

async fn relation(world: &World, from: Id, to: Id) -> Relation {
    world.read(move |tx| tx.get(RELATION, &(from, to))).await.unwrap_or_default()
}

/// Followers, followed and requests by the counters.
async fn counted(world: &World, of: Id) -> (i64, i64, i64) {
    world
        .read(move |tx| {
            let count = |what| tx.count(COUNT, &(what, of));
            Ok((count(count::FOLLOWERS)?, count(count::FOLLOWING)?, count(count::FOLLOW_REQUESTS)?))
        })
        .await
}

async fn news(world: &World, of: Id) -> Vec<NotificationKind> {
    let rows = world.read(move |tx| tx.scan(NOTIFICATION, Scan::prefix(&(of,)))).await;
    rows.into_iter().map(|(_, row)| row.kind).collect()
}

async fn follow_now(world: &World, from: Id, to: Id) -> Result<(), RelationError> {
    let pair = (Follower(from), Followed(to));
    act(world, move |tx, moment, site| follow(tx, moment, site, pair, &FollowOptions::default()).map(drop))
        .await
}

#[tokio::test]
async fn a_remote_account_is_asked_and_followed_when_it_accepts() {
    let world = World::new();
    let (ana, far) = (world.account(None).await, world.account(Some("far.example")).await);
    follow_now(&world, ana, far).await.unwrap();
    let request = relation(&world, ana, far).await.request.expect("waits");
    assert_eq!((said(&world).await, counted(&world, far).await), (vec!["follow"], (0, 0, 1)));

    // Somebody else's Accept changes nothing.
    let other = world.account(Some("far.example")).await;
    let uri = request.uri.clone();
    let accepted = world
        .write(move |tx, moment| {
            let forged = accept_arrived(tx, moment, other, Some(&uri), Some(ana))?;
            let real = accept_arrived(tx, moment, far, Some(&uri), None)?;
            let again = accept_arrived(tx, moment, far, Some(&uri), None)?;
            Ok::<_, StoreError>((forged, real, again))
        })
        .await
        .unwrap();
    assert_eq!(accepted, (false, true, false));
    let kept = relation(&world, ana, far).await;
    assert_eq!((kept.follow.unwrap().id, kept.request), (request.id, None));
    assert_eq!((counted(&world, far).await, counted(&world, ana).await), ((1, 0, 0), (0, 1, 0)));

    let pair = (Follower(ana), Followed(far));
    act(&world, move |tx, moment, site| unfollow(tx, moment, site, pair)).await.unwrap();
    assert_eq!(said(&world).await.last(), Some(&"undo follow"));
    assert_eq!((counted(&world, far).await, counted(&world, ana).await), ((0, 0, 0), (0, 0, 0)));
    assert!(relation(&world, ana, far).await.is_empty());
}

#[tokio::test]
async fn an_accept_without_the_id_is_understood() {
    let world = World::new();
    let (ana, far) = (world.account(None).await, world.account(Some("far.example")).await);
    follow_now(&world, ana, far).await.unwrap();
    let accepted =
        world.write(move |tx, moment| accept_arrived(tx, moment, far, Some("?"), Some(ana))).await.unwrap();
    assert!(accepted);
}

#[tokio::test]
async fn a_remote_follow_is_accepted_each_time_and_counted_once() {
    let world = World::new();
    let (ana, far) = (world.account(None).await, world.account(Some("far.example")).await);
    for uri in ["https://far.example/follows/1", "https://far.example/follows/2"] {
        let pair = (Follower(far), Followed(ana));
        act(&world, move |tx, moment, site| follow_arrived(tx, moment, site, pair, uri)).await.unwrap();
    }
    assert_eq!(said(&world).await, ["accept", "accept"]);
    assert_eq!(
        (counted(&world, ana).await, news(&world, ana).await),
        ((1, 0, 0), vec![NotificationKind::Follow])
    );
    let pair = (Follower(far), Followed(ana));
    world.write(move |tx, _| unfollow_arrived(tx, pair)).await.unwrap();
    assert_eq!(counted(&world, ana).await, (0, 0, 0));
}

#[tokio::test]
async fn a_remote_follow_of_a_locked_account_waits() {
    let world = World::new();
    let (ana, far) = (world.account(None).await, world.account(Some("far.example")).await);
    world
        .write(move |tx, _| {
            let old = tx.get(ACCOUNT, &ana)?.expect("was made");
            Account::save(tx, Some(&old), &Account { is_locked: true, ..old.clone() });
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    let pair = (Follower(far), Followed(ana));
    for uri in ["https://far.example/follows/1", "https://far.example/follows/1"] {
        act(&world, move |tx, moment, site| follow_arrived(tx, moment, site, pair, uri)).await.unwrap();
    }
    assert_eq!((said(&world).await.len(), counted(&world, ana).await), (0, (0, 0, 1)));
    assert_eq!(news(&world, ana).await, [NotificationKind::FollowRequest]);
    act(&world, move |tx, moment, site| accept(tx, moment, site, pair)).await.unwrap();
    assert_eq!((said(&world).await, counted(&world, ana).await), (vec!["accept"], (1, 0, 0)));
    let again = act(&world, move |tx, moment, site| accept(tx, moment, site, pair)).await;
    assert!(matches!(again, Err(RelationError::Missing)));
    act(&world, move |tx, moment, site| remove_follower(tx, moment, site, pair)).await.unwrap();
    assert_eq!((said(&world).await, counted(&world, ana).await), (vec!["accept", "reject"], (0, 0, 0)));
}

#[tokio::test]
async fn a_block_takes_back_both_follows_and_says_so() {
    let world = World::new();
    let (ana, far) = (world.account(None).await, world.account(Some("far.example")).await);
    world.follow(ana, far).await;
    world.follow(far, ana).await;
    let pair = (Actor(ana), Target(far));
    for _ in 0..2 {
        act(&world, move |tx, moment, site| block(tx, moment, site, pair)).await.unwrap();
    }
    assert_eq!(said(&world).await, ["undo follow", "reject", "block"]);
    let arrives = (Follower(far), Followed(ana));
    let uri = "https://far.example/follows/9";
    act(&world, move |tx, moment, site| follow_arrived(tx, moment, site, arrives, uri)).await.unwrap();
    assert_eq!(said(&world).await.last(), Some(&"reject"));
    assert!(relation(&world, far, ana).await.follow.is_none() && news(&world, ana).await.is_empty());
    act(&world, move |tx, moment, site| unblock(tx, moment, site, pair)).await.unwrap();
    assert_eq!(said(&world).await.last(), Some(&"undo block"));
}

#[tokio::test]
async fn a_remote_block_ends_follows_and_forbids_new_ones() {
    let world = World::new();
    let (ana, far) = (world.account(None).await, world.account(Some("far.example")).await);
    world.follow(ana, far).await;
    let uri = "https://far.example/blocks/1";
    world.write(move |tx, moment| block_arrived(tx, moment, far, ana, uri)).await.unwrap();
    assert!(relation(&world, ana, far).await.follow.is_none());
    assert!(matches!(follow_now(&world, ana, far).await, Err(RelationError::Blocked)));
    world.write(move |tx, _| unblock_arrived(tx, far, ana)).await.unwrap();
    follow_now(&world, ana, far).await.unwrap();
}

#[tokio::test]
async fn an_undo_never_swallows_what_it_is_not_about() {
    let world = World::new();
    let (ana, far) = (world.account(None).await, world.account(Some("far.example")).await);
    let arrives = (Follower(far), Followed(ana));
    let uri = "https://far.example/follows/1";
    act(&world, move |tx, moment, site| follow_arrived(tx, moment, site, arrives, uri)).await.unwrap();
    follow_now(&world, ana, far).await.unwrap();
    let pair = (Follower(ana), Followed(far));
    act(&world, move |tx, moment, site| unfollow(tx, moment, site, pair)).await.unwrap();
    let acts = world.read(|tx| tx.scan(ACT, Scan::all())).await;
    let superseded: Vec<bool> = acts.iter().map(|(_, act)| act.is_superseded).collect();
    // The Accept stays; the Follow that was not sent yet falls away.
    assert_eq!(superseded, [false, true, false]);
}

#[tokio::test]
async fn the_home_timeline_follows_the_follow() {
    let world = World::new();
    let (ana, bea) = (world.account(None).await, world.account(None).await);
    let open = world.post(bea, Visibility::Public).await;
    let direct = world.post(bea, Visibility::Direct).await;
    follow_now(&world, ana, bea).await.unwrap();
    let home = world.home(ana).await;
    assert!(home.contains(&open) && !home.contains(&direct));
    let pair = (Follower(ana), Followed(bea));
    act(&world, move |tx, moment, site| unfollow(tx, moment, site, pair)).await.unwrap();
    assert_eq!(world.home(ana).await, []);
    follow_now(&world, ana, bea).await.unwrap();
    let pair = (Actor(bea), Target(ana));
    act(&world, move |tx, moment, site| block(tx, moment, site, pair)).await.unwrap();
    assert_eq!(world.home(ana).await, []);
}
