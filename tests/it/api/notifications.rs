use serde_json::{Value, json};

use super::{id, ids, post, walk};
use crate::kit::TestApp;

fn kinds(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|n| n["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn people_hear_of_mentions_likes_boosts_and_follows() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let status = id(&post(&ana, "hi").await);
    post(&ben, "hello @ana").await;
    ben.post(&format!("/api/v1/statuses/{status}/favourite"), json!({})).await.json(200);
    ben.post(&format!("/api/v1/statuses/{status}/reblog"), json!({})).await.json(200);
    ben.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    let list = ana.get("/api/v1/notifications").await.json(200);
    assert_eq!(kinds(&list), ["follow", "reblog", "favourite", "mention"]);
    for item in list.as_array().unwrap() {
        assert_eq!(item["account"]["username"], "ben");
        assert_eq!(item["group_key"], format!("ungrouped-{}", id(item)));
        assert_eq!(item.get("status").is_some(), item["type"] != "follow", "{item}");
    }
    assert_eq!(list[1]["status"]["id"], json!(status), "a boost is told with its original");

    let cases: [(&str, &[&str]); 6] = [
        ("types[]=mention&types[]=follow", &["follow", "mention"]),
        ("exclude_types[]=follow&exclude_types[]=reblog", &["favourite", "mention"]),
        ("types[]=poll", &[]),
        ("types[]=poll&types[]=mention", &["mention"]),
        ("limit=1", &["follow"]),
        ("account_id=17", &[]),
    ];
    for (query, expected) in cases {
        let list = ana.get(&format!("/api/v1/notifications?{query}")).await.json(200);
        assert_eq!(kinds(&list), expected, "{query}");
    }
    assert_eq!(walk(&ana, "/api/v1/notifications?limit=1").await, ids(&list));
    assert_eq!(ben.get("/api/v1/notifications").await.json(200), json!([]));
}

#[tokio::test]
async fn what_is_taken_back_or_blocked_is_not_shown() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let status = id(&post(&ana, "hi").await);
    let mention = id(&post(&ben, "hello @ana").await);
    ben.post(&format!("/api/v1/statuses/{status}/favourite"), json!({})).await.json(200);
    ben.post(&format!("/api/v1/statuses/{status}/unfavourite"), json!({})).await.json(200);
    assert_eq!(kinds(&ana.get("/api/v1/notifications").await.json(200)), ["mention"]);
    ben.delete(&format!("/api/v1/statuses/{mention}")).await.json(200);
    assert_eq!(ana.get("/api/v1/notifications").await.json(200), json!([]));
    post(&ben, "again @ana").await;
    ana.post(&format!("/api/v1/accounts/{}/block", ben.id), json!({})).await.json(200);
    assert_eq!(ana.get("/api/v1/notifications").await.json(200), json!([]));
}

#[tokio::test]
async fn a_muted_thread_is_silent() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let root = id(&post(&ana, "hi").await);
    let answer = |to: &str| json!({"status": "@ana hm", "in_reply_to_id": to});
    let first = id(&ben.post("/api/v1/statuses", answer(&root)).await.json(200));
    ana.post(&format!("/api/v1/statuses/{first}/mute"), json!({})).await.json(200);
    let second = id(&ben.post("/api/v1/statuses", answer(&first)).await.json(200));
    assert_eq!(ana.get("/api/v1/notifications").await.json(200).as_array().unwrap().len(), 1);
    let seen = ana.get(&format!("/api/v1/statuses/{second}")).await.json(200);
    assert_eq!(seen["muted"], true);
}

#[tokio::test]
async fn notifications_can_be_read_dismissed_and_cleared() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    for n in 0..3 {
        post(&ben, &format!("@ana {n}")).await;
    }
    let list = ids(&ana.get("/api/v1/notifications").await.json(200));
    let path = format!("/api/v1/notifications/{}", list[0]);
    assert_eq!(ana.get(&path).await.json(200)["id"], json!(list[0]));
    ben.get(&path).await.error(404, "Record not found");
    ben.post(&format!("{path}/dismiss"), json!({})).await.error(404, "Record not found");
    assert_eq!(ana.post(&format!("{path}/dismiss"), json!({})).await.json(200), json!({}));
    ana.get(&path).await.error(404, "Record not found");
    assert_eq!(ana.get("/api/v1/notifications/unread_count").await.json(200), json!({"count": 2}));
    let marker = json!({"notifications": {"last_read_id": list[2]}});
    ana.post("/api/v1/markers", marker).await.json(200);
    assert_eq!(ana.get("/api/v2/notifications/unread_count").await.json(200), json!({"count": 1}));
    assert_eq!(ana.post("/api/v1/notifications/clear", json!({})).await.json(200), json!({}));
    assert_eq!(ana.get("/api/v1/notifications").await.json(200), json!([]));
}

#[tokio::test]
async fn grouped_notifications_carry_what_they_are_about() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    post(&ben, "@ana one").await;
    post(&ben, "@ana two").await;
    let answer = ana.get("/api/v2/notifications?limit=1").await;
    let grouped = answer.json(200);
    assert_eq!(grouped["notification_groups"].as_array().unwrap().len(), 1);
    let next = ana.get(&answer.link("next").unwrap()).await.json(200);
    assert_ne!(next["notification_groups"][0]["group_key"], grouped["notification_groups"][0]["group_key"]);
    let all = ana.get("/api/v2/notifications").await.json(200);
    assert_eq!(all["accounts"].as_array().unwrap().len(), 1, "each account once");
    assert_eq!(all["statuses"].as_array().unwrap().len(), 2);
    let key = all["notification_groups"][0]["group_key"].as_str().unwrap().to_owned();
    assert_eq!(all["notification_groups"][0]["status_id"], all["statuses"][0]["id"]);
    assert_eq!(
        ana.get(&format!("/api/v2/notifications/{key}")).await.json(200)["notification_groups"][0]["group_key"],
        json!(key)
    );
    ana.post(&format!("/api/v2/notifications/{key}/dismiss"), json!({})).await.json(200);
    ana.get(&format!("/api/v2/notifications/{key}")).await.error(404, "Record not found");
}

#[tokio::test]
async fn markers_move_forward_only() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    assert_eq!(ana.get("/api/v1/markers?timeline[]=home").await.json(200), json!({}));
    let set = ana.post_form("/api/v1/markers", "home[last_read_id]=9&notifications[last_read_id]=4").await;
    let set = set.json(200);
    assert_eq!((&set["home"]["last_read_id"], &set["home"]["version"]), (&json!("9"), &json!(0)));
    let again = ana.post("/api/v1/markers", json!({"home": {"last_read_id": "9"}})).await.json(200);
    assert_eq!(again["home"]["version"], 1);
    let stale = json!({"home": {"last_read_id": "8"}, "notifications": {"last_read_id": "5"}});
    ana.post("/api/v1/markers", stale).await.error(409, "Conflict");
    let both =
        ana.get("/api/v1/markers?timeline[]=home&timeline[]=notifications&timeline[]=x").await.json(200);
    assert_eq!(both["notifications"]["last_read_id"], "4", "all or none");
    assert_eq!(both.as_object().unwrap().len(), 2);
    let bad = json!({"home": {"last_read_id": "x"}});
    ana.post("/api/v1/markers", bad).await.error(422, "not an id");
}
