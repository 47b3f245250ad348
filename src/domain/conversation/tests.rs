use super::*;
use crate::domain::page::Page;
use crate::domain::status::{Draft, delete};
use crate::domain::testing::World;

fn to(author: Id, mentions: &[Id], in_reply_to: Option<Id>) -> Draft {
    Draft { mentions: mentions.to_vec(), in_reply_to, ..World::draft(author, Visibility::Direct) }
}

/// Last post, others and unread of each conversation, latest first.
async fn seen(world: &World, of: Id) -> Vec<(Id, Vec<Id>, bool)> {
    let viewer = world.sees(of);
    let page = world.read(move |tx| list(tx, viewer, &Page::first(20))).await;
    let row = |e: Exchange| (e.last.status.id, e.conversation.others, e.conversation.is_unread);
    page.items.into_iter().map(row).collect()
}

#[tokio::test]
async fn answers_go_on_and_other_people_begin_anew() {
    let world = World::new();
    let (ana, ben, cia) = (world.account(None).await, world.account(None).await, world.account(None).await);
    let first = world.publish(to(ana, &[ben], None)).await.unwrap();
    assert_eq!(seen(&world, ana).await, [(first, vec![ben], false)]);
    assert_eq!(seen(&world, ben).await, [(first, vec![ana], true)]);
    assert!(seen(&world, cia).await.is_empty());
    let answer = world.publish(to(ben, &[ana], Some(first))).await.unwrap();
    assert_eq!(seen(&world, ana).await, [(answer, vec![ben], true)]);
    assert_eq!(seen(&world, ben).await, [(answer, vec![ana], false)]);
    let three = world.publish(to(ben, &[ana, cia], Some(answer))).await.unwrap();
    assert_eq!(seen(&world, ana).await, [(three, vec![ben, cia], true), (answer, vec![ben], true)]);
    assert_eq!(seen(&world, cia).await, [(three, vec![ana, ben], true)]);
    world.post(ana, Visibility::Private).await;
    assert_eq!(seen(&world, ana).await.len(), 2);
}

#[tokio::test]
async fn a_deleted_post_gives_way_to_the_one_before() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    let first = world.publish(to(ana, &[ben], None)).await.unwrap();
    let second = world.publish(to(ana, &[ben], Some(first))).await.unwrap();
    let remove = async |post| world.write(move |tx, moment| delete(tx, moment, ana, post).map(drop)).await;
    remove(second).await.unwrap();
    assert_eq!(seen(&world, ben).await, [(first, vec![ana], true)]);
    remove(first).await.unwrap();
    assert!(seen(&world, ben).await.is_empty() && seen(&world, ana).await.is_empty());
    let viewer = world.sees(ben);
    let direct = world.read(move |tx| direct(tx, viewer, &Page::first(9))).await;
    assert!(direct.items.is_empty());
}

#[tokio::test]
async fn whoever_is_blocked_or_muted_begins_no_conversation() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    let before = world.publish(to(ben, &[ana], None)).await.unwrap();
    assert_eq!(seen(&world, ana).await.len(), 1);
    world.relate(ana, ben, |row| row.block = Some(Id(1))).await;
    assert!(seen(&world, ana).await.is_empty());
    world.publish(to(ben, &[ana], None)).await.unwrap();
    world.relate(ana, ben, |row| row.block = None).await;
    assert_eq!(seen(&world, ana).await.iter().map(|row| row.0).collect::<Vec<_>>(), [before]);
}

#[tokio::test]
async fn conversations_are_marked_and_removed_by_their_owner_only() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    let post = world.publish(to(ben, &[ana], None)).await.unwrap();
    assert!(!world.write(move |tx, _| mark(tx, Id(5), post, false)).await.unwrap());
    assert!(world.write(move |tx, _| mark(tx, ana, post, false)).await.unwrap());
    assert!(!seen(&world, ana).await[0].2);
    assert!(world.write(move |tx, _| remove(tx, ana, post)).await.unwrap());
    assert!(!world.write(move |tx, _| remove(tx, ana, post)).await.unwrap());
    assert!(seen(&world, ana).await.is_empty());
    assert_eq!(seen(&world, ben).await.len(), 1);
    let again = world.publish(to(ben, &[ana], Some(post))).await.unwrap();
    assert_eq!(seen(&world, ana).await, [(again, vec![ben], true)]);
}
