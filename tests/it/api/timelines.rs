use serde_json::json;

use waxwing::base::{Chance, FixedChance};

use super::{id, ids, post, post_to, settle, walk};
use crate::kit::TestApp;

#[tokio::test]
async fn a_post_is_in_its_authors_home_at_once_and_in_followers_after_the_job() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    ben.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    let status = id(&post_to(&ana, "hi", "private").await);
    assert_eq!(ids(&ana.get("/api/v1/timelines/home").await.json(200)), std::slice::from_ref(&status));
    settle(&app).await;
    assert_eq!(ids(&ben.get("/api/v1/timelines/home").await.json(200)), [status]);
    ben.post(&format!("/api/v1/accounts/{}/unfollow", ana.id), json!({})).await.json(200);
    assert!(ids(&ben.get("/api/v1/timelines/home").await.json(200)).is_empty());
}

#[tokio::test]
async fn following_brings_earlier_posts() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let status = id(&post(&ana, "before").await);
    ben.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    assert_eq!(ids(&ben.get("/api/v1/timelines/home").await.json(200)), [status]);
}

#[tokio::test]
async fn public_and_tag_timelines_hold_public_posts() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let public = id(&post(&ana, "one #Rust #web").await);
    for visibility in ["unlisted", "private", "direct"] {
        post_to(&ana, "two #rust", visibility).await;
    }
    let paths = [
        "/api/v1/timelines/public",
        "/api/v1/timelines/public?local=true",
        "/api/v1/timelines/tag/rust",
        "/api/v1/timelines/tag/RUST?local=true",
        "/api/v1/timelines/tag/nothing?any[]=web",
        "/api/v1/timelines/tag/rust?all[]=web",
    ];
    for path in paths {
        assert_eq!(ids(&app.get(path).await.json(200)), std::slice::from_ref(&public), "{path}");
    }
    let empty = [
        "/api/v1/timelines/public?remote=true",
        "/api/v1/timelines/public?only_media=true",
        "/api/v1/timelines/tag/rust?none[]=web",
        "/api/v1/timelines/tag/ru",
    ];
    for path in empty {
        let answer = app.get(path).await;
        assert_eq!(answer.json(200), json!([]), "{path}");
        assert!(answer.header("link").is_none(), "{path}");
    }
    app.get("/api/v1/timelines/home").await.error(401, "The access token is invalid");
}

#[tokio::test]
async fn bounds_and_limits_are_mastodons() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let mut posts = Vec::new();
    for n in 0..6 {
        posts.push(id(&post(&ana, &format!("post {n}")).await));
    }
    let get = async |query: String| ids(&ana.get(&format!("/api/v1/timelines/home?{query}")).await.json(200));
    let newest_first =
        |range: std::ops::Range<usize>| -> Vec<String> { posts[range].iter().rev().cloned().collect() };
    assert_eq!(get("limit=2".into()).await, newest_first(4..6));
    assert_eq!(get(format!("limit=2&max_id={}", posts[4])).await, newest_first(2..4));
    assert_eq!(get(format!("limit=2&since_id={}", posts[1])).await, newest_first(4..6));
    assert_eq!(get(format!("limit=2&min_id={}", posts[1])).await, newest_first(2..4));
    assert_eq!(get(format!("limit=2&min_id={}&since_id={}", posts[1], posts[4])).await, newest_first(2..4));
    assert_eq!(get("limit=9999".into()).await.len(), 6);
    ana.get("/api/v1/timelines/home?limit=-1").await.error(400, "negative");

    let first = ana.get("/api/v1/timelines/home?limit=2").await;
    let prev = first.link("prev").unwrap();
    let newer = id(&post(&ana, "newer").await);
    assert_eq!(ids(&ana.get(&prev).await.json(200)), [newer]);
}

/// Any list, walked by its `Link`s with any page size, gives every item once.
#[tokio::test]
async fn a_walk_along_links_sees_every_item_once() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    ana.post(&format!("/api/v1/accounts/{}/follow", ben.id), json!({})).await.json(200);
    let chance = FixedChance::new(11);
    let (mut shown, mut favourites, mut bookmarks) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..40 {
        let author = if chance.below(2) == 0 { &ana } else { &ben };
        let status = id(&post(author, &format!("post {n} #walk")).await);
        if chance.below(3) == 0 {
            ana.post(&format!("/api/v1/statuses/{status}/favourite"), json!({})).await.json(200);
            favourites.insert(0, status.clone());
        }
        if chance.below(3) == 0 {
            ana.post(&format!("/api/v1/statuses/{status}/bookmark"), json!({})).await.json(200);
            bookmarks.insert(0, status.clone());
        }
        if chance.below(4) == 0 {
            author.delete(&format!("/api/v1/statuses/{status}")).await.json(200);
            favourites.retain(|s| *s != status);
            bookmarks.retain(|s| *s != status);
        } else {
            shown.insert(0, status);
        }
    }
    settle(&app).await;
    for limit in [1, 3, 7, 40] {
        let cases = [
            (format!("/api/v1/timelines/home?limit={limit}"), &shown),
            (format!("/api/v1/timelines/public?local=true&limit={limit}"), &shown),
            (format!("/api/v1/timelines/tag/walk?limit={limit}"), &shown),
            (format!("/api/v1/favourites?limit={limit}"), &favourites),
            (format!("/api/v1/bookmarks?limit={limit}"), &bookmarks),
        ];
        for (path, expected) in cases {
            assert_eq!(&walk(&ana, &path).await, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn an_accounts_posts_can_be_narrowed() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let of_ben = id(&post(&ben, "ben's").await);
    let plain = id(&post(&ana, "plain #tag").await);
    let answer = json!({"status": "answer", "in_reply_to_id": of_ben});
    let answer = id(&ana.post("/api/v1/statuses", answer).await.json(200));
    let boost = id(&ana.post(&format!("/api/v1/statuses/{of_ben}/reblog"), json!({})).await.json(200));
    let get = async |query: &str| {
        ids(&app.get(&format!("/api/v1/accounts/{}/statuses?{query}", ana.id)).await.json(200))
    };
    assert_eq!(get("").await, [boost.clone(), answer.clone(), plain.clone()]);
    assert_eq!(get("exclude_replies=1").await, [boost, plain.clone()]);
    assert_eq!(get("exclude_reblogs=true").await, [answer, plain.clone()]);
    assert_eq!(get("tagged=TAG").await, [plain]);
    assert!(get("only_media=true").await.is_empty());
    app.get("/api/v1/accounts/17/statuses").await.error(404, "Record not found");
}
