use super::shows_when_gone;
use crate::domain::remote::link_parent;
use crate::domain::status::News;
use crate::domain::testing::World;
use crate::model::Visibility;
use crate::model::tables::STATUS;
use crate::store::StoreError;

#[tokio::test]
async fn only_an_open_post_of_another_server_is_missed_by_us() {
    let world = World::new();
    let (ours, theirs) = (world.account(None).await, world.account(Some("there.example")).await);
    let cases = [
        (theirs, Visibility::Public, true),
        (theirs, Visibility::Unlisted, true),
        (theirs, Visibility::Private, false),
        (theirs, Visibility::Direct, false),
        (ours, Visibility::Public, false),
    ];
    for (author, visibility, expected) in cases {
        let id = world.post(ours, visibility).await;
        let post = world.status(id).await.unwrap();
        let is_local = author == ours;
        world
            .write(move |tx, _| {
                if let Some(mut post) = tx.get(STATUS, &id)? {
                    (post.account, post.is_local) = (author, is_local);
                    tx.put(STATUS, &id, &post);
                }
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        let found = world.read(move |tx| shows_when_gone(tx, &post.uri)).await;
        assert_eq!(found.is_some(), expected, "{visibility:?}, local: {is_local}");
    }
}

/// Case 87: also when what answers was there before, and is hung up later.
#[tokio::test]
async fn nothing_is_hung_under_a_post_that_its_author_may_not_see() {
    let world = World::new();
    let (ours, theirs) = (world.account(None).await, world.account(Some("there.example")).await);
    for visibility in [Visibility::Public, Visibility::Unlisted, Visibility::Private, Visibility::Direct] {
        let (post, answer) = (world.post(ours, visibility).await, world.post(ours, Visibility::Public).await);
        let uri = world.status(post).await.unwrap().uri;
        let hang = world.write(move |tx, moment| {
            if let Some(mut child) = tx.get(STATUS, &answer)? {
                (child.account, child.is_local, child.in_reply_to_uri) = (theirs, false, Some(uri.clone()));
                tx.put(STATUS, &answer, &child);
            }
            link_parent(tx, moment, answer, News::Backfill)
        });
        assert_eq!(hang.await.unwrap(), visibility.is_open(), "{visibility:?}");
    }
}
