//! Conversations, from the client's side.

use serde_json::{Value, json};

use super::lists::walk_back;
use super::{id, ids, post_to, walk};
use crate::kit::{Person, TestApp};

async fn answer(who: &Person<'_>, to: &Value, text: &str) -> Value {
    let body = json!({"status": text, "visibility": "direct", "in_reply_to_id": id(to)});
    who.post("/api/v1/statuses", body).await.json(200)
}

#[tokio::test]
async fn direct_posts_make_conversations_for_their_people_only() {
    let app = TestApp::start().await;
    let (ana, ben, cia) = (app.person("ana").await, app.person("ben").await, app.person("cia").await);
    let first = post_to(&ana, "@ben hi", "direct").await;
    post_to(&ana, "@ben not for you alone", "private").await;
    let seen = ben.get("/api/v1/conversations").await.json(200);
    assert_eq!(seen.as_array().unwrap().len(), 1);
    assert_eq!((&seen[0]["unread"], &seen[0]["last_status"]["id"]), (&json!(true), &first["id"]));
    assert_eq!(seen[0]["accounts"][0]["acct"], "ana");
    assert_eq!(ana.get("/api/v1/conversations").await.json(200)[0]["unread"], false);
    assert_eq!(cia.get("/api/v1/conversations").await.json(200), json!([]));
    app.get("/api/v1/conversations").await.error(401, "The access token is invalid");

    let path = format!("/api/v1/conversations/{}", id(&seen[0]));
    let read = ben.post(&format!("{path}/read"), json!({})).await.json(200);
    assert_eq!((&read["id"], &read["unread"]), (&seen[0]["id"], &json!(false)));
    assert_eq!(ben.post(&format!("{path}/unread"), json!({})).await.json(200)["unread"], true);
    cia.post(&format!("{path}/read"), json!({})).await.error(404, "Record not found");
    cia.delete(&path).await.error(404, "Record not found");

    let second = answer(&ben, &first, "@ana hello").await;
    let seen = ana.get("/api/v1/conversations/").await.json(200);
    assert_eq!(seen[0]["last_status"]["id"], second["id"]);
    for (who, count) in [(&ana, 2), (&ben, 2), (&cia, 0)] {
        let direct = who.get("/api/v1/timelines/direct").await.json(200);
        assert_eq!(direct.as_array().unwrap().len(), count);
    }
    ben.delete(&format!("/api/v1/statuses/{}", id(&second))).await.json(200);
    assert_eq!(ana.get("/api/v1/conversations").await.json(200)[0]["last_status"]["id"], first["id"]);

    assert_eq!(ben.delete(&path).await.json(200), json!({}));
    assert_eq!(ben.get("/api/v1/conversations").await.json(200), json!([]));
    assert_eq!(ana.get("/api/v1/conversations").await.json(200).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn whoever_is_blocked_is_not_listed() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    post_to(&ben, "@ana hi", "direct").await;
    ana.post(&format!("/api/v1/accounts/{}/block", ben.id), json!({})).await.json(200);
    assert_eq!(ana.get("/api/v1/conversations").await.json(200), json!([]));
    assert_eq!(ana.get("/api/v1/timelines/direct").await.json(200), json!([]));
}

#[tokio::test]
async fn conversations_are_walked_in_both_directions() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (mut conversations, mut posts) = (Vec::new(), Vec::new());
    for n in 0..6 {
        app.person(&format!("p{n}")).await;
        let post = post_to(&ana, &format!("@p{n} hi"), "direct").await;
        posts.insert(0, id(&post));
        let latest = ana.get("/api/v1/conversations?limit=1").await.json(200);
        conversations.insert(0, ids(&latest)[0].clone());
    }
    for limit in [1, 2, 4, 40] {
        for (path, expected) in [
            (format!("/api/v1/conversations?limit={limit}"), &conversations),
            (format!("/api/v1/timelines/direct?limit={limit}"), &posts),
        ] {
            assert_eq!(&walk(&ana, &path).await, expected, "{path}");
            assert_eq!(&walk_back(&ana, &format!("{path}&min_id=1")).await, expected, "{path}");
        }
    }
}
