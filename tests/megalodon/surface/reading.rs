//! Timelines, conversations, markers, search.

use megalodon::entities::status::StatusVisibility;
use megalodon::megalodon::{
    GetHomeTimelineInputOptions, GetLocalTimelineInputOptions, GetPublicTimelineInputOptions,
    GetTagTimelineInputOptions, Marker, PostStatusInputOptions, SaveMarkersInputOptions, SearchInputOptions,
    SearchType,
};
use reqwest::Method;
use serde_json::json;

use crate::kit::{accounts, client, done, eventually, join, plain, refused, statuses};

#[tokio::test]
async fn timelines_are_walked_by_their_links() {
    let ana = join("ana").await;
    let tag = format!("walk{}", ana.me.username);
    let mut posted = Vec::new();
    for n in 0..7 {
        posted.insert(0, ana.post(&format!("{n} #{tag}")).await.id);
    }
    let (mut seen, mut before) = (Vec::new(), None);
    for _ in 0..4 {
        let options =
            GetTagTimelineInputOptions { limit: Some(3), max_id: before.clone(), ..Default::default() };
        let page = ana.api.get_tag_timeline(tag.clone(), Some(&options)).await.unwrap();
        seen.extend(page.json.iter().map(|status| status.id.clone()));
        let link = page.header.get("link").map(|link| link.to_str().unwrap().to_owned()).unwrap_or_default();
        if !link.contains("rel=\"next\"") {
            break;
        }
        before = seen.last().cloned();
        assert!(link.contains(&format!("max_id={}", before.as_deref().unwrap())), "{link}");
    }
    assert_eq!(seen, posted);
    let home = GetHomeTimelineInputOptions { limit: Some(7), ..Default::default() };
    assert_eq!(statuses(ana.api.get_home_timeline(Some(&home)).await), posted);
    let newest = GetPublicTimelineInputOptions {
        min_id: Some(posted[1].clone()),
        limit: Some(1),
        ..Default::default()
    };
    assert_eq!(statuses(client(None).get_public_timeline(Some(&newest)).await), posted[..1]);
    let newest = GetLocalTimelineInputOptions {
        min_id: Some(posted[1].clone()),
        limit: Some(1),
        ..Default::default()
    };
    assert_eq!(statuses(ana.api.get_local_timeline(Some(&newest)).await), posted[..1]);
    assert_eq!(refused(client(None).get_home_timeline(None).await), 401);
}

#[tokio::test]
async fn conversations_are_read_and_left() {
    let (ana, ben) = (join("ana").await, join("ben").await);
    let direct = PostStatusInputOptions { visibility: Some(StatusVisibility::Direct), ..Default::default() };
    let said = ben.post_with(&format!("@{} quietly", ana.me.acct), direct).await;
    let talk = eventually("the conversation", async || {
        ana.api.get_conversation_timeline(None).await.unwrap().json.pop()
    })
    .await;
    assert!(talk.unread && talk.last_status.unwrap().id == said.id);
    assert!(!ana.api.read_conversation(talk.id.clone()).await.unwrap().json.unread);
    done(ana.api.delete_conversation(talk.id).await);
    assert!(ana.api.get_conversation_timeline(None).await.unwrap().json.is_empty());
}

#[tokio::test]
async fn markers_say_how_far_one_has_read() {
    let ana = join("ana").await;
    let said = ana.post("so far").await;
    // The library misspells the address.
    let marker = Marker { last_reading_id: said.id.clone() };
    let options = SaveMarkersInputOptions { home: Some(marker), notifications: None };
    assert_eq!(refused(ana.api.save_markers(Some(&options)).await), 404);
    let read = json!({ "home": { "last_read_id": said.id }, "notifications": { "last_read_id": "1" } });
    assert_eq!(plain(Method::POST, "/api/v1/markers", Some(&ana.token), read).await.0, 200);
    let markers = ana.api.get_markers(vec!["home".into(), "notifications".into()]).await.unwrap().json;
    assert_eq!(markers.home.unwrap().last_read_id, said.id);
}

#[tokio::test]
async fn people_tags_and_posts_are_found() {
    let ana = join("ana").await;
    let word = format!("juniper{}", ana.me.username);
    let said = ana.post(&format!("the {word} is ripe #{word}")).await;
    let kind = |kind| Some(SearchInputOptions { r#type: Some(kind), ..SearchInputOptions::default() });
    let found =
        ana.api.search(ana.me.username.clone(), kind(SearchType::Accounts).as_ref()).await.unwrap().json;
    assert_eq!(found.accounts[0].id, ana.id());
    let found = ana.api.search(word.clone(), kind(SearchType::Hashtags).as_ref()).await.unwrap().json;
    assert_eq!(found.hashtags[0].name, word);
    eventually("the post is found", async || {
        let found = ana.api.search(word.clone(), kind(SearchType::Statuses).as_ref()).await.unwrap().json;
        found.statuses.iter().any(|status| status.id == said.id).then_some(())
    })
    .await;
    assert!(accounts(ana.api.search_account(ana.me.username.clone(), None).await).contains(&ana.id()));
}
