//! Private posts stay private, and nobody can tell that they exist
//! (GHSA-gwhw-gcjx-72v8, CVE-2025-30741, and what other servers got wrong).

use http::Method;
use serde_json::{Value, json};

use super::{id, post_to, settle};
use crate::kit::{Answer, Payload, Person, TestApp, request};

const SECRET: &str = "the treasure is under the cedar #hidden";

/// A post that `eve` may not see, and one that does not exist, give the same
/// answer to the same request.
async fn same_as_missing(app: &TestApp, eve: &Person<'_>, method: Method, secret: &str, path: &str) {
    let get = async |id: &str, token: Option<&str>| -> Answer {
        let path = path.replace("ID", id);
        app.send(request(method.clone(), &path, token, Payload::None)).await
    };
    for token in [None, Some(eve.token.as_str())] {
        let (real, missing) = (get(secret, token).await, get("17", token).await);
        assert_eq!(real.status, missing.status, "{method} {path}");
        assert_eq!(real.text(), missing.text(), "{method} {path}");
        assert!(real.status.is_client_error(), "{method} {path}: {}", real.status);
    }
}

#[tokio::test]
async fn an_unseen_post_answers_like_a_missing_one_everywhere() {
    let app = TestApp::start().await;
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let reads = ["", "/context", "/history", "/source", "/favourited_by", "/reblogged_by", "/quotes"];
    let actions = [
        "favourite",
        "unfavourite",
        "reblog",
        "unreblog",
        "bookmark",
        "unbookmark",
        "mute",
        "unmute",
        "pin",
        "unpin",
    ];
    for visibility in ["private", "direct"] {
        let secret = id(&post_to(&ana, SECRET, visibility).await);
        for path in reads {
            same_as_missing(&app, &eve, Method::GET, &secret, &format!("/api/v1/statuses/ID{path}")).await;
        }
        for verb in actions {
            let path = format!("/api/v1/statuses/ID/{verb}");
            same_as_missing(&app, &eve, Method::POST, &secret, &path).await;
        }
        for method in [Method::PUT, Method::DELETE] {
            same_as_missing(&app, &eve, method, &secret, "/api/v1/statuses/ID?status=x").await;
        }
        let path = "/api/v1/statuses?status=x&in_reply_to_id=ID";
        same_as_missing(&app, &eve, Method::POST, &secret, path).await;
        let after = ana.get(&format!("/api/v1/statuses/{secret}")).await.json(200);
        assert_eq!(
            (&after["favourites_count"], &after["reblogs_count"], &after["replies_count"]),
            (&json!(0), &json!(0), &json!(0))
        );
    }
}

#[tokio::test]
async fn an_unseen_post_is_in_no_list_and_no_search() {
    let app = TestApp::start().await;
    let (ana, ben, eve) = (app.person("ana").await, app.person("ben").await, app.person("eve").await);
    // That somebody else here may see it gives nobody else a right to.
    ben.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    let mut addresses = Vec::new();
    for visibility in ["private", "direct"] {
        let status = post_to(&ana, SECRET, visibility).await;
        addresses.push(status["uri"].as_str().unwrap().to_owned());
        addresses.push(status["url"].as_str().unwrap().to_owned());
    }
    settle(&app).await;
    let seen = ben.get("/api/v1/timelines/home").await.text();
    assert!(seen.contains("treasure"), "followers do see it");
    let mut paths: Vec<String> = vec![
        "/api/v1/timelines/public".into(),
        "/api/v1/timelines/public?local=true".into(),
        "/api/v1/timelines/tag/hidden".into(),
        format!("/api/v1/accounts/{}/statuses", ana.id),
        format!("/api/v1/accounts/{}/statuses?tagged=hidden", ana.id),
        format!("/api/v1/accounts/{}/statuses?pinned=true", ana.id),
        "/api/v2/search?q=treasure".into(),
        "/api/v2/search?q=hidden".into(),
    ];
    paths.extend(addresses.iter().map(|address| format!("/api/v2/search?q={address}")));
    for path in paths {
        for answer in [app.get(&path).await, eve.get(&path).await] {
            assert_eq!(answer.status.as_u16(), 200, "{path}");
            let text = answer.text();
            assert!(!text.contains("treasure") && !text.contains("hidden"), "{path}: {text}");
        }
    }
    for path in ["/api/v1/timelines/home", "/api/v1/notifications"] {
        assert_eq!(eve.get(path).await.json(200), json!([]), "{path}");
    }
}

#[tokio::test]
async fn the_authors_block_hides_even_public_posts() {
    let app = TestApp::start().await;
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let status = id(&post_to(&ana, SECRET, "public").await);
    eve.post(&format!("/api/v1/statuses/{status}/bookmark"), json!({})).await.json(200);
    ana.post(&format!("/api/v1/accounts/{}/block", eve.id), json!({})).await.json(200);
    eve.get(&format!("/api/v1/statuses/{status}")).await.error(404, "Record not found");
    for path in ["/api/v1/bookmarks", "/api/v1/timelines/public", "/api/v1/timelines/tag/hidden"] {
        assert_eq!(eve.get(path).await.json(200), json!([]), "{path}");
    }
}

#[tokio::test]
async fn only_the_audience_sees_a_direct_post_and_answers_do_not_widen_it() {
    let app = TestApp::start().await;
    let (ana, ben, eve) = (app.person("ana").await, app.person("ben").await, app.person("eve").await);
    eve.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    let direct = id(&post_to(&ana, "@ben psst", "direct").await);
    settle(&app).await;
    ben.get(&format!("/api/v1/statuses/{direct}")).await.json(200);
    eve.get(&format!("/api/v1/statuses/{direct}")).await.error(404, "Record not found");
    ben.post(&format!("/api/v1/statuses/{direct}/reblog"), json!({})).await.error(422, "too private");
    let answer = json!({"status": "aloud", "in_reply_to_id": direct});
    let answer = id(&ben.post("/api/v1/statuses", answer).await.json(200));
    let context = eve.get(&format!("/api/v1/statuses/{answer}/context")).await.json(200);
    assert_eq!(context["ancestors"], json!([]));
    // An edit neither widens nor narrows the audience.
    ana.put(&format!("/api/v1/statuses/{direct}"), json!({"status": "@eve psst"})).await.json(200);
    let seen: Value = eve.get(&format!("/api/v1/statuses/{direct}")).await.json(200);
    assert_eq!(seen["visibility"], "direct");
}

#[tokio::test]
async fn ones_own_boost_of_a_private_post_stays_private() {
    let app = TestApp::start().await;
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let secret = id(&post_to(&ana, SECRET, "private").await);
    let boost = ana.post(&format!("/api/v1/statuses/{secret}/reblog"), json!({"visibility": "public"})).await;
    let boost = boost.json(200);
    assert_eq!(boost["visibility"], "private");
    eve.get(&format!("/api/v1/statuses/{}", id(&boost))).await.error(404, "Record not found");
}

#[tokio::test]
async fn a_token_that_may_only_write_reads_nothing_private() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let secret = id(&post_to(&ana, SECRET, "direct").await);
    let writer = app.token(Some(ana.id), "write:statuses").await;
    let paths =
        ["/api/v1/timelines/home".into(), format!("/api/v1/statuses/{secret}"), "/api/v1/bookmarks".into()];
    for path in paths {
        let answer = app.send(request(Method::GET, &path, Some(&writer), Payload::None)).await;
        answer.error(403, "outside the authorized scopes");
    }
}
