//! Reading what one may not see.

use serde_json::json;
use waxwing::model::Role;

use super::{
    MISSING, SECRET, activity, are_alike, as_actor, follows, found, page, path, secret, tells_nothing,
};
use crate::api::{id, settle};
use crate::federation::peer::{Peer, app, get, ours, post_at};
use crate::kit::{Person, TestApp};

/// What could hang below a post's address.
const BELOW: [&str; 8] =
    ["", "/activity", "/replies", "/likes", "/shares", "/context", "/embed", "?embed=true"];

#[tokio::test]
async fn case_82_unsigned_requests_cannot_tell_hidden_posts_from_missing_ones() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    for visibility in ["private", "direct"] {
        let post = secret(&ana, visibility).await;
        let post_id = id(&post);
        ana.post(&format!("/api/v1/statuses/{post_id}/pin"), json!({})).await;
        for address in [path(&post["uri"]), path(&post["url"])] {
            for below in BELOW {
                let hidden = format!("{address}{below}");
                let missing = hidden.replace(&post_id, MISSING);
                let what = format!("{visibility} {hidden}");
                are_alike(&get(&app, &hidden).await, &get(&app, &missing).await, &post_id, &what);
                are_alike(&page(&app, &hidden).await, &page(&app, &missing).await, &post_id, &what);
            }
        }
        let actor = path(&json!(ours(&app, ana.id)));
        for collection in
            ["", "/outbox", "/outbox?page=true", "/collections/featured", "/followers", "/following"]
        {
            let answer = get(&app, &format!("{actor}{collection}")).await.json(200).to_string();
            assert!(!answer.contains(&post_id) && !answer.contains("treasure"), "{collection}: {answer}");
        }
    }
}

#[tokio::test]
async fn case_83_signed_requests_read_what_their_actor_may_see() {
    let (app, peer) = (app().await, Peer::start().await);
    let ana = app.person("ana").await;
    let (stranger, follower) = (peer.actor("stranger"), peer.actor("follower"));
    follows(&app, &peer, &follower, ana.id).await;
    let post = secret(&ana, "private").await;
    let (address, post_id) = (path(&post["uri"]), id(&post));
    assert_eq!(as_actor(&app, &peer, &follower, &address).await.status, 200);
    for below in ["", "/activity"] {
        let asked = format!("{address}{below}");
        let hidden = as_actor(&app, &peer, &stranger, &asked).await;
        let missing = as_actor(&app, &peer, &stranger, &asked.replace(&post_id, MISSING)).await;
        are_alike(&hidden, &missing, &post_id, &asked);
    }
    let outbox = format!("{}/outbox?page=true", path(&json!(ours(&app, ana.id))));
    tells_nothing(&as_actor(&app, &peer, &stranger, &outbox).await, "the outbox");
    // A domain that the author blocks sees not even what is public.
    let open = ana.post("/api/v1/statuses", json!({ "status": "hello" })).await.json(200);
    assert_eq!(as_actor(&app, &peer, &stranger, &path(&open["uri"])).await.status, 200);
    let host = peer.origin.trim_start_matches("http://").to_owned();
    ana.post("/api/v1/domain_blocks", json!({ "domain": host })).await.json(200);
    for (what, address) in [("private", &address), ("public", &path(&open["uri"]))] {
        for actor in [&stranger, &follower] {
            assert_eq!(as_actor(&app, &peer, actor, address).await.status, 404, "{what} {actor}");
        }
    }
    // One that the server blocks gets nothing at all.
    let admin = app.person_with("root", Role::Admin, "read write admin:read admin:write").await;
    admin
        .post("/api/v1/admin/domain_blocks", json!({ "domain": host, "severity": "suspend" }))
        .await
        .json(200);
    assert_eq!(as_actor(&app, &peer, &follower, &address).await.status, 403);
}

/// A post for the followers of somebody elsewhere, brought here by `reader`,
/// who is one of them. Gives its id here.
async fn brought(app: &TestApp, peer: &Peer, bo: &str, reader: &Person<'_>) -> String {
    let account = found(reader, bo).await;
    reader.post(&format!("/api/v1/accounts/{account}/follow"), json!({})).await.json(200);
    accept(app, peer, bo, reader).await;
    let mut note = peer.note(bo, "/n/1", SECRET);
    note["to"] = json!([format!("{bo}/followers")]);
    note["cc"] = json!([]);
    note["tag"] = json!([{ "type": "Hashtag", "name": "#xyzzy" }]);
    peer.deliver(app, bo, &activity(peer, "/c/1", "Create", bo, note)).await;
    settle(app).await;
    post_at(app, &peer.url("/n/1")).await.unwrap().id.to_string()
}

async fn accept(app: &TestApp, peer: &Peer, bo: &str, reader: &Person<'_>) {
    let follow = json!({ "type": "Follow", "actor": ours(app, reader.id), "object": bo });
    let accept = activity(peer, &format!("/accepts/{}", reader.id), "Accept", bo, follow);
    peer.deliver(app, bo, &accept).await;
}

#[tokio::test]
async fn case_85_a_post_known_through_another_follower_is_not_there() {
    let (app, peer) = (app().await, Peer::start().await);
    let bo = peer.actor("bo");
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let post = brought(&app, &peer, &bo, &ana).await;
    assert!(ana.get("/api/v1/timelines/home").await.text().contains("treasure"), "its reader reads it");
    for path in ["", "/context", "/history", "/source", "/favourited_by", "/reblogged_by", "/quotes", "/card"]
    {
        let hidden = eve.get(&format!("/api/v1/statuses/{post}{path}")).await;
        let missing = eve.get(&format!("/api/v1/statuses/{MISSING}{path}")).await;
        are_alike(&hidden, &missing, &post, path);
    }
    let account = found(&eve, &bo).await;
    let searched = format!("/api/v2/search?resolve=true&q={}", peer.url("/n/1"));
    for path in [
        "/api/v1/timelines/home".to_owned(),
        "/api/v1/timelines/public".into(),
        "/api/v1/timelines/tag/xyzzy".into(),
        format!("/api/v1/accounts/{account}/statuses"),
        format!("/api/v1/statuses?id[]={post}"),
        searched,
    ] {
        let answer = eve.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        tells_nothing(&answer, &path);
    }
}

#[tokio::test]
async fn case_86_a_follow_that_was_not_accepted_opens_nothing() {
    let (app, peer) = (app().await, Peer::start().await);
    let bo = peer.actor_with("bo", |actor| actor["manuallyApprovesFollowers"] = json!(true));
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let account = found(&eve, &bo).await;
    let follow = format!("/api/v1/accounts/{account}/follow");
    let relation = eve.post(&follow, json!({})).await.json(200);
    assert_eq!((&relation["following"], &relation["requested"]), (&json!(false), &json!(true)));
    let post = brought(&app, &peer, &bo, &ana).await;
    let one = format!("/api/v1/statuses/{post}");
    eve.get(&one).await.error(404, "Record not found");
    tells_nothing(&eve.get("/api/v1/timelines/home").await, "home");
    // Nobody but bo accepts it.
    let mallory = peer.actor("mallory");
    let theirs = json!({ "type": "Follow", "actor": ours(&app, eve.id), "object": bo });
    peer.deliver(&app, &mallory, &activity(&peer, "/accepts/x", "Accept", &mallory, theirs)).await;
    eve.get(&one).await.error(404, "Record not found");
    accept(&app, &peer, &bo, &eve).await;
    eve.get(&one).await.json(200);
    let bo_follows = activity(&peer, "/r/1", "Reject", &bo, {
        json!({ "type": "Follow", "actor": ours(&app, eve.id), "object": bo })
    });
    peer.deliver(&app, &bo, &bo_follows).await;
    eve.get(&one).await.error(404, "Record not found");
}

#[tokio::test]
async fn case_89_what_is_not_public_is_on_no_public_page_list_or_index() {
    let app = TestApp::start().await;
    let (ana, ben, eve) = (app.person("ana").await, app.person("ben").await, app.person("eve").await);
    let mut paths: Vec<String> = [
        "/api/v2/search?q=treasure",
        "/api/v2/search?q=xyzzy",
        "/api/v2/search?q=from:@ana",
        "/api/v2/search?q=has:link",
        "/api/v1/timelines/public",
        "/api/v1/timelines/public?local=true",
        "/api/v1/timelines/tag/xyzzy",
        "/api/v1/timelines/link?url=https://map.example/x",
        "/api/v1/trends/statuses",
        "/api/v1/trends/tags",
        "/api/v1/trends/links",
        "/api/v1/directory",
        "/api/v1/tags/xyzzy",
        "/@ana",
        "/@ana/feed.atom",
        "/@ana/tagged/xyzzy",
        "/tags/xyzzy",
        "/local",
        "/",
        "/about",
        "/search?q=treasure",
    ]
    .map(str::to_owned)
    .into();
    for kind in ["", "?only_media=true", "?pinned=true", "?tagged=xyzzy", "?exclude_replies=true"] {
        paths.push(format!("/api/v1/accounts/{}/statuses{kind}", ana.id));
    }
    for below in ["", "/featured_tags", "/lists", "/endorsements"] {
        paths.push(format!("/api/v1/accounts/{}{below}", ana.id));
    }
    for visibility in ["private", "direct"] {
        let post = secret(&ana, visibility).await;
        paths.push(format!("/api/v1/statuses?id[]={}", id(&post)));
        for address in [&post["uri"], &post["url"]] {
            paths.push(format!("/api/oembed?url={}", address.as_str().unwrap()));
            paths.push(format!("/api/v2/search?q={}", address.as_str().unwrap()));
            paths.push(path(address));
        }
        // That some like it makes it no trend.
        ana.post(&format!("/api/v1/statuses/{}/favourite", id(&post)), json!({})).await;
        ana.post(&format!("/api/v1/statuses/{}/pin", id(&post)), json!({})).await;
    }
    ben.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    settle(&app).await;
    app.index().await;
    let ours = ben.get("/api/v1/timelines/home").await;
    assert!(ours.text().contains("treasure"), "followers read it");
    assert!(ana.get("/api/v2/search?q=treasure").await.text().contains("cedar"), "its author finds it");
    for path in &paths {
        let answers =
            [app.get(path).await, eve.get(path).await, page(&app, path).await, get(&app, path).await];
        for answer in answers {
            assert!(!answer.status.is_server_error(), "{path}: {}", answer.status);
            tells_nothing(&answer, path);
        }
    }
}
