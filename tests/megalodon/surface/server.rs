//! The server itself, and who looks after it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::kit::{admin, client, done, join, neighbour, plain};

#[tokio::test]
async fn the_pages_of_an_instance() {
    let anybody = client(None);
    let instance = anybody.get_instance().await.unwrap().json;
    assert!(
        instance.version.contains("compatible; Waxwing")
            && instance.configuration.statuses.max_characters >= 500
    );
    assert!(anybody.streaming_url().await.starts_with("ws://"));
    assert!(anybody.get_instance_peers().await.unwrap().json.contains(&neighbour()));
    assert_eq!(anybody.get_instance_activity().await.unwrap().json.len(), 12);
    assert!(anybody.get_instance_trends(Some(3)).await.unwrap().json.len() <= 3);
    assert!(
        anybody
            .get_instance_custom_emojis()
            .await
            .unwrap()
            .json
            .iter()
            .all(|emoji| !emoji.shortcode.is_empty())
    );
}

#[tokio::test]
async fn announcements_are_read_and_reacted_to() {
    let (ana, admin) = (join("ana").await, admin());
    let (status, made) =
        plain(Method::POST, "/api/v1/admin/announcements", Some(&admin), json!({ "text": "Down on Sunday" }))
            .await;
    assert_eq!(status, 200, "{made}");
    let id = || made["id"].as_str().unwrap().to_owned();
    let find = async || {
        let all = ana.api.get_instance_announcements().await.unwrap().json;
        all.into_iter().find(|one| one.id == id()).unwrap()
    };
    assert_eq!(find().await.read, Some(false));
    done(ana.api.add_reaction_to_announcement(id(), "🐦".into()).await);
    assert_eq!(find().await.reactions[0].me, Some(true));
    done(ana.api.remove_reaction_from_announcement(id(), "🐦".into()).await);
    assert!(find().await.reactions.is_empty());
    done(ana.api.dismiss_instance_announcement(id()).await);
    assert_eq!(find().await.read, Some(true));
}

#[tokio::test]
async fn who_looks_after_it_acts_and_the_others_see_it() {
    // The library has no calls for admins; what it reads shows what they did.
    let (ana, eve, admin) = (join("ana").await, join("eve").await, admin());
    let path = format!("/api/v1/admin/accounts/{}/action", eve.id());
    assert_eq!(plain(Method::POST, &path, Some(&ana.token), json!({ "type": "silence" })).await.0, 403);
    assert_eq!(plain(Method::POST, &path, Some(&admin), json!({ "type": "silence" })).await.0, 200);
    assert_eq!(ana.api.get_account(eve.id()).await.unwrap().json.limited, Some(true));
    let path = format!("/api/v1/admin/accounts/{}/unsilence", eve.id());
    assert_eq!(plain(Method::POST, &path, Some(&admin), Value::Null).await.0, 200);
    assert_ne!(ana.api.get_account(eve.id()).await.unwrap().json.limited, Some(true));
}
