use std::time::Duration;

use super::*;
use crate::domain::page::Page;
use crate::domain::status::{Draft, Edit, delete, edit};
use crate::domain::testing::World;
use crate::model::Visibility;

fn tagged(author: Id, visibility: Visibility, tags: &[&str]) -> Draft {
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    Draft { tags, ..World::draft(author, visibility) }
}

async fn see(world: &World, viewer: Id, name: &str) -> View {
    let name = name.to_owned();
    world.read(move |tx| view(tx, Some(viewer), name)).await
}

#[test]
fn names_are_told_from_other_text() {
    for (name, expected) in [("#Rust", Some("rust")), ("ÄPFEL", Some("äpfel")), ("a_1", Some("a_1"))] {
        assert_eq!(key(name).ok().as_deref(), expected, "{name}");
    }
    for name in ["", "#", "123", "a b", "a/b", "__", "<b>"] {
        assert!(key(name).is_err(), "{name}");
    }
}

#[tokio::test]
async fn use_is_counted_by_day_and_by_author() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    for author in [ana, ana, ben] {
        world.publish(tagged(author, Visibility::Public, &["Rust"])).await.unwrap();
    }
    for visibility in [Visibility::Unlisted, Visibility::Private] {
        world.publish(tagged(ben, visibility, &["rust"])).await.unwrap();
    }
    let first = see(&world, ben, "rust").await;
    let days: Vec<(u32, u32)> = first.days.iter().map(|day| (day.uses, day.accounts)).collect();
    assert_eq!(days, [(3, 2)]);
    // An unlisted post is on the profile but not in the public use.
    assert_eq!(first.mine.map(|mine| mine.posts), Some(2));
    for _ in 0..DAYS + 1 {
        world.clock.advance(Duration::from_secs(24 * 3600));
        world.publish(tagged(ana, Visibility::Public, &["rust"])).await.unwrap();
    }
    let later = see(&world, ana, "rust").await;
    assert_eq!(later.days.len(), DAYS);
    assert!(later.days.is_sorted_by_key(|day| std::cmp::Reverse(day.day)));
    assert!(later.days.iter().all(|day| (day.uses, day.accounts) == (1, 1)));
}

#[tokio::test]
async fn edits_and_deletions_change_the_authors_count() {
    let world = World::new();
    let ana = world.account(None).await;
    let post = world.publish(tagged(ana, Visibility::Public, &["a", "b"])).await.unwrap();
    let change = Edit { text: "x".into(), tags: vec!["b".into(), "c".into()], ..Edit::default() };
    world.write(move |tx, moment| edit(tx, moment, ana, post, &change)).await.unwrap();
    let posts = async |name| see(&world, ana, name).await.mine.map(|mine| mine.posts);
    assert_eq!((posts("a").await, posts("b").await, posts("c").await), (Some(0), Some(1), Some(1)));
    world.write(move |tx, moment| delete(tx, moment, ana, post).map(drop)).await.unwrap();
    assert_eq!((posts("b").await, posts("c").await), (Some(0), Some(0)));
}

#[tokio::test]
async fn posts_with_a_followed_hashtag_come_home_once() {
    let world = World::new();
    let (ana, ben, cia) = (world.account(None).await, world.account(None).await, world.account(None).await);
    world.follow(ana, cia).await;
    for name in ["rust", "web"] {
        world.write(move |tx, moment| follow(tx, moment, ana, name)).await.unwrap();
    }
    let both = world.publish(tagged(ben, Visibility::Public, &["Rust", "web"])).await.unwrap();
    let one = world.publish(tagged(ben, Visibility::Public, &["rust"])).await.unwrap();
    world.publish(tagged(ben, Visibility::Unlisted, &["rust"])).await.unwrap();
    world.publish(tagged(ben, Visibility::Public, &["other"])).await.unwrap();
    let followed_author = world.publish(tagged(cia, Visibility::Public, &["rust"])).await.unwrap();
    assert_eq!(world.home(ana).await, [followed_author, one, both]);
    world.write(move |tx, _| unfollow(tx, ana, "rust")).await.unwrap();
    assert_eq!(world.home(ana).await, [followed_author, both]);
    world.relate(ana, ben, |row| row.block = Some(Id(1))).await;
    assert_eq!(world.home(ana).await, [followed_author]);
    let page = world.read(move |tx| followed(tx, ana, &Page::first(9))).await;
    assert_eq!(page.items.iter().map(|view| view.name.as_str()).collect::<Vec<_>>(), ["web"]);
}

#[tokio::test]
async fn featured_hashtags_are_limited_and_suggested_ones_are_used() {
    let world = World::new();
    let ana = world.account(None).await;
    for tags in [&["a", "b"][..], &["b"], &["c", "b"]] {
        world.publish(tagged(ana, Visibility::Public, tags)).await.unwrap();
    }
    let featured_b = world.write(move |tx, moment| feature(tx, moment, ana, "b")).await.unwrap();
    assert_eq!(featured_b.usage.posts, 3);
    assert!(matches!(
        world.write(move |tx, moment| feature(tx, moment, ana, "b")).await,
        Err(TagError::Taken)
    ));
    let names = |views: Vec<View>| views.into_iter().map(|view| view.name).collect::<Vec<_>>();
    assert_eq!(names(world.read(move |tx| suggested(tx, ana)).await), ["c", "a"]);
    for n in 1..FEATURED_MAX {
        world.write(move |tx, moment| feature(tx, moment, ana, &format!("t{n}"))).await.unwrap();
    }
    assert!(matches!(
        world.write(move |tx, moment| feature(tx, moment, ana, "more")).await,
        Err(TagError::TooMany)
    ));
    assert_eq!(world.read(move |tx| featured(tx, ana)).await[0], featured_b);
    world.write(move |tx, _| unfeature(tx, ana, "b")).await.unwrap();
    assert_eq!(world.read(move |tx| featured(tx, ana)).await.len(), FEATURED_MAX - 1);
}
