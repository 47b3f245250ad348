use super::shows_when_gone;
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
