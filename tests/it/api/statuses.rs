use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::{id, ids, post, post_to};
use crate::kit::{Payload, TestApp, request};

#[tokio::test]
async fn a_post_has_every_key_with_its_type() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let text = "hello @ben and @nobody, see https://example.org/a #Rust\n\nsecond <b>";
    let status = post(&ana, text).await;
    let number: u64 = id(&status).parse().unwrap();
    assert!(number > 0);
    assert_eq!(status["url"], format!("https://social.example/@ana/{number}"));
    assert_eq!(status["visibility"], "public");
    assert_eq!(status["created_at"].as_str().unwrap().len(), 24);
    assert_eq!((&status["favourited"], &status["pinned"]), (&json!(false), &json!(false)));
    assert_eq!(status["application"]["name"], "kit");
    assert_eq!(status["account"]["statuses_count"], 1);
    let content = status["content"].as_str().unwrap();
    assert!(
        content.contains("second &lt;b&gt;") && content.contains("class=\"mention hashtag\""),
        "{content}"
    );
    assert_eq!(status["mentions"].as_array().unwrap().len(), 1);
    assert_eq!(status["mentions"][0]["id"], ben.id.to_string());
    assert_eq!(status["tags"], json!([{"name": "rust", "url": "https://social.example/tags/rust"}]));
    for key in ["in_reply_to_id", "reblog", "card", "poll", "quote", "edited_at"] {
        assert_eq!(status.get(key), Some(&Value::Null), "{key}");
    }
    let anonymous = app.get(&format!("/api/v1/statuses/{number}")).await.json(200);
    assert!(anonymous.get("favourited").is_none() && anonymous.get("filtered").is_none());
    assert_eq!(anonymous["content"], status["content"]);
}

#[tokio::test]
async fn every_body_format_publishes() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let form = ana.post_form("/api/v1/statuses", "status=a+b%26c&sensitive=0&visibility=unlisted").await;
    let status = form.json(200);
    assert_eq!((&status["content"], &status["sensitive"]), (&json!("<p>a b&amp;c</p>"), &json!(false)));
    let query = ana.call(Method::POST, "/api/v1/statuses?status=hi&visibility=private", Payload::None).await;
    assert_eq!(query.json(200)["visibility"], "private");
    let slash = ana.post("/api/v1/statuses/", json!({"status": "x", "spoiler_text": "cw"})).await.json(200);
    assert_eq!((&slash["spoiler_text"], &slash["sensitive"]), (&json!("cw"), &json!(true)));
}

#[tokio::test]
async fn bad_posts_are_refused_with_mastodons_words() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let cases = [
        (json!({}), 422, "Text can't be blank"),
        (json!({"status": "  "}), 422, "Text can't be blank"),
        (json!({"status": "x".repeat(501)}), 422, "character limit"),
        (json!({"status": "x", "visibility": "everyone"}), 422, "Visibility"),
        (json!({"status": "x", "scheduled_at": "soon"}), 422, "Record invalid"),
        (json!({"status": "x", "in_reply_to_id": "17"}), 404, ""),
        (json!({"status": "x", "in_reply_to_id": "abc"}), 404, ""),
        (json!({"status": "x", "media_ids": ["1"]}), 422, "Media"),
        (json!({"status": "x", "poll": {"options": ["a", "b"], "expires_in": 60}}), 422, "Deadline"),
    ];
    for (body, status, words) in cases {
        ana.post("/api/v1/statuses", body).await.error(status, words);
    }
    let long_link = format!("{} https://example.org/{}", "x".repeat(476), "y".repeat(300));
    post(&ana, &long_link).await;
    app.post("/api/v1/statuses", json!({"status": "x"})).await.error(401, "The access token is invalid");
    let reader = app.token(Some(ana.id), "read").await;
    let answer = app
        .send(request(Method::POST, "/api/v1/statuses", Some(&reader), Payload::Json(json!({"status": "x"}))))
        .await;
    answer.error(403, "outside the authorized scopes");
    let robot = app.token(None, "write").await;
    let answer = app
        .send(request(Method::POST, "/api/v1/statuses", Some(&robot), Payload::Json(json!({"status": "x"}))))
        .await;
    answer.error(422, "requires an authenticated user");
}

#[tokio::test]
async fn an_idempotency_key_posts_once_for_each_account() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let send = async |token: &str| {
        let mut request =
            request(Method::POST, "/api/v1/statuses", Some(token), Payload::Json(json!({"status": "once"})));
        request.headers_mut().insert("idempotency-key", "k1".parse().unwrap());
        id(&app.send(request).await.json(200))
    };
    let first = send(&ana.token).await;
    assert_eq!(send(&ana.token).await, first);
    assert_ne!(send(&ben.token).await, first);
    let listed = ana.get(&format!("/api/v1/accounts/{}/statuses", ana.id)).await.json(200);
    assert_eq!(ids(&listed), [first]);
}

#[tokio::test]
async fn a_boost_wraps_its_post_and_undoing_gives_the_post() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let original = post(&ana, "boost me").await;
    let at = |verb: &str| format!("/api/v1/statuses/{}/{verb}", original["id"].as_str().unwrap());
    let boost = ben.post(&at("reblog"), json!({})).await.json(200);
    assert_ne!(boost["id"], original["id"]);
    assert_eq!(boost["account"]["username"], "ben");
    assert_eq!((&boost["reblog"]["id"], &boost["reblog"]["reblogged"]), (&original["id"], &json!(true)));
    assert_eq!(boost["reblog"]["reblogs_count"], 1);
    assert_eq!(boost["content"], original["content"]);
    assert_eq!(ben.post(&at("reblog"), json!({})).await.json(200)["id"], boost["id"], "once only");
    let by = ana.get(&at("reblogged_by")).await.json(200);
    assert_eq!(by[0]["username"], "ben");
    let undone = ben.post(&at("unreblog"), json!({})).await.json(200);
    assert_eq!((&undone["id"], &undone["reblogged"]), (&original["id"], &json!(false)));
    assert_eq!(undone["reblogs_count"], 0);
    assert_eq!(ben.get(&format!("/api/v1/statuses/{}", id(&boost))).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn likes_bookmarks_mutes_and_pins_show_in_the_answer_and_go_again() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let status = post(&ana, "mine").await;
    let verbs = [
        ("favourite", "unfavourite", "favourited"),
        ("bookmark", "unbookmark", "bookmarked"),
        ("mute", "unmute", "muted"),
        ("pin", "unpin", "pinned"),
    ];
    for (verb, undo, key) in verbs {
        for (path, expected) in [(verb, true), (verb, true), (undo, false), (undo, false)] {
            let answer = ana.post(&format!("/api/v1/statuses/{}/{path}", id(&status)), json!({})).await;
            assert_eq!(answer.json(200)[key], json!(expected), "{path}");
        }
    }
    ana.post(&format!("/api/v1/statuses/{}/favourite", id(&status)), json!({})).await.json(200);
    let by = app.get(&format!("/api/v1/statuses/{}/favourited_by", id(&status))).await.json(200);
    assert_eq!(by[0]["username"], "ana");
    assert_eq!(ids(&ana.get("/api/v1/favourites").await.json(200)), [id(&status)]);
    assert_eq!(ids(&ana.get("/api/v1/bookmarks").await.json(200)), Vec::<String>::new());
}

#[tokio::test]
async fn pinned_posts_are_listed_apart() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let mut posts = Vec::new();
    for n in 0..6 {
        posts.push(id(&post(&ana, &format!("post {n}")).await));
    }
    for post in &posts[..5] {
        ana.post(&format!("/api/v1/statuses/{post}/pin"), json!({})).await.json(200);
    }
    ana.post(&format!("/api/v1/statuses/{}/pin", posts[5]), json!({})).await.error(422, "pinned");
    ben.post(&format!("/api/v1/statuses/{}/pin", posts[0]), json!({})).await.error(422, "own");
    let path = format!("/api/v1/accounts/{}/statuses?pinned=true", ana.id);
    let mut expected = posts[..5].to_vec();
    expected.reverse();
    assert_eq!(ids(&ben.get(&path).await.json(200)), expected);
}

#[tokio::test]
async fn a_deleted_post_gives_its_text_and_is_gone() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let status = post(&ana, "delete & redraft").await;
    let path = format!("/api/v1/statuses/{}", id(&status));
    ben.delete(&path).await.error(404, "Record not found");
    let gone = ana.delete(&path).await.json(200);
    assert_eq!(gone["text"], "delete & redraft");
    assert!(gone.get("content").is_none());
    assert_eq!(gone["media_attachments"], json!([]));
    ana.get(&path).await.error(404, "Record not found");
    ana.delete(&path).await.error(404, "Record not found");
    let account = ana.get(&format!("/api/v1/accounts/{}", ana.id)).await.json(200);
    assert_eq!(account["statuses_count"], 0);
}

#[tokio::test]
async fn an_edit_replaces_the_post_and_its_source() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let status = post_to(&ana, "first", "private").await;
    let path = format!("/api/v1/statuses/{}", id(&status));
    let change = json!({"status": "second", "spoiler_text": "cw", "visibility": "public"});
    ben.put(&path, change.clone()).await.error(404, "Record not found");
    for answer in [ana.put(&path, change.clone()).await, ana.patch(&path, change).await] {
        let edited = answer.json(200);
        assert_eq!((&edited["content"], &edited["spoiler_text"]), (&json!("<p>second</p>"), &json!("cw")));
        assert_eq!(edited["visibility"], "private", "the audience stays");
        assert!(edited["edited_at"].is_string());
    }
    let source = ana.get(&format!("{path}/source")).await.json(200);
    assert_eq!(source, json!({"id": id(&status), "text": "second", "spoiler_text": "cw"}));
    let history = ana.get(&format!("{path}/history")).await.json(200);
    assert_eq!(history[1]["content"], "<p>second</p>");
    assert_eq!(history[0]["account"]["username"], "ana");
}

#[tokio::test]
async fn a_thread_has_its_ancestors_and_answers() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let root = id(&post(&ana, "root").await);
    let answer = |to: &str, text: &str| json!({"status": text, "in_reply_to_id": to});
    let middle = ben.post("/api/v1/statuses", answer(&root, "@ana hm")).await.json(200);
    assert_eq!(
        (&middle["in_reply_to_id"], &middle["in_reply_to_account_id"]),
        (&json!(root), &json!(ana.id.to_string()))
    );
    let middle = id(&middle);
    let leaf = id(&ana.post("/api/v1/statuses", answer(&middle, "yes")).await.json(200));
    let context = app.get(&format!("/api/v1/statuses/{middle}/context")).await.json(200);
    assert_eq!((ids(&context["ancestors"]), ids(&context["descendants"])), (vec![root.clone()], vec![leaf]));
    assert_eq!(app.get(&format!("/api/v1/statuses/{root}")).await.json(200)["replies_count"], 1);
}

#[tokio::test]
async fn several_posts_are_given_at_once() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let (open, closed) = (id(&post(&ana, "a").await), id(&post_to(&ana, "b", "direct").await));
    let path = format!("/api/v1/statuses?id[]={open}&id[]={closed}&id[]=1");
    assert_eq!(ids(&ben.get(&path).await.json(200)), std::slice::from_ref(&open));
    assert_eq!(ids(&ana.get(&path).await.json(200)), [open, closed]);
    let many: String = (1..=21).map(|n| format!("id[]={n}&")).collect();
    ana.get(&format!("/api/v1/statuses?{many}")).await.error(422, "At most");
}

#[tokio::test]
async fn what_is_not_built_answers_as_clients_expect() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.get("/api/v1/polls/1").await.error(404, "Record not found");
    ana.post("/api/v1/polls/1/votes", json!({"choices": [0]})).await.error(404, "Record not found");
    for path in ["/api/v1/scheduled_statuses"] {
        assert_eq!(ana.get(path).await.json(200), json!([]), "{path}");
    }
    let status = post(&ana, "x").await;
    assert_eq!(ana.get(&format!("/api/v1/statuses/{}/quotes", id(&status))).await.json(200), json!([]));
    let answer = ana.get("/api/v1/statuses/abc").await;
    answer.error(404, "Record not found");
    assert!(answer.header(header::CONTENT_TYPE.as_str()).unwrap().starts_with("application/json"));
}
