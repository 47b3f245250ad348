//! Files of other servers, passed on under our own address.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use waxwing::edge::media::prune;
use waxwing::model::ProxyKey;

use super::peer::{Peer, app, post_at};
use crate::kit::{Person, TestApp};
use tokio_util::sync::{CancellationToken, DropGuard};
use waxwing::edge::media::jobs;
use waxwing::queue::{Handlers, Worker};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and the rest";

fn path(url: &Value) -> String {
    url.as_str().unwrap().strip_prefix("https://social.example").unwrap_or_else(|| panic!("{url}")).to_owned()
}

/// The jobs that fetch files, at work for as long as this is held.
pub(super) fn fetching(app: &TestApp) -> DropGuard {
    let (state, stop) = (&app.state, CancellationToken::new());
    let handlers = jobs(Handlers::new(), state);
    let worker = Worker::new(state.store.clone(), handlers, state.clock.clone(), state.chance.clone());
    tokio::spawn(worker.run(stop.clone()));
    stop.drop_guard()
}

/// A follower of somebody elsewhere who posts a file; gives the post.
async fn post_with(app: &TestApp, peer: &Peer, who: &Person<'_>, attachment: Value) -> Value {
    let icon = peer.url("/icon.png");
    let mia = peer.actor_with("mia", |actor| actor["icon"] = json!({ "type": "Image", "url": icon }));
    let mut note = peer.note(&mia, "/notes/1", "look :fox:");
    note["attachment"] = json!([attachment]);
    note["tag"] = json!([
        { "type": "Mention", "href": app.state.site.actor(who.id), "name": "@ana@social.example" },
        { "type": "Emoji", "id": peer.url("/e/fox"), "name": ":fox:", "icon": { "type": "Image", "url": peer.url("/fox.gif") } },
    ]);
    note["cc"].as_array_mut().unwrap().push(json!(app.state.site.actor(who.id)));
    let note = peer.serve(note);
    let create = json!({
        "id": peer.url("/creates/1"), "type": "Create", "actor": mia, "to": note["to"], "cc": note["cc"],
        "object": note,
    });
    peer.deliver(app, &mia, &create).await;
    let status = post_at(app, note["id"].as_str().unwrap()).await.expect("the post came");
    who.get(&format!("/api/v1/statuses/{}", status.id)).await.json(200)
}

#[tokio::test]
async fn files_of_others_are_read_through_us_and_fetched_once() {
    let (app, peer) = (app().await, Peer::start().await);
    let _fetching = fetching(&app);
    let ana = app.person("ana").await;
    let file = peer.url("/wren.png");
    peer.serve_file("/wren.png", "text/html", PNG.to_vec());
    peer.serve_file("/icon.png", "image/png", PNG.to_vec());
    peer.serve_file("/fox.gif", "image/gif", b"GIF89a".to_vec());
    let document = json!({ "type": "Document", "mediaType": "image/png", "url": file, "name": "a wren" });
    let post = post_with(&app, &peer, &ana, document).await;
    let media = &post["media_attachments"][0];
    assert_eq!((&media["remote_url"], &media["description"]), (&json!(file), &json!("a wren")));
    assert_eq!(media["preview_url"], media["url"]);
    peer.asked();
    for _ in 0..2 {
        let served = app.get(&path(&media["url"])).await;
        assert_eq!((served.status.as_u16(), served.bytes.as_slice()), (200, PNG));
        assert_eq!(served.header("content-type"), Some("image/png"), "as it is, not as it is called");
        assert_eq!(served.header("content-security-policy"), Some("default-src 'none'; sandbox"));
        assert_eq!(served.header("x-content-type-options"), Some("nosniff"));
    }
    assert_eq!(peer.asked(), ["/wren.png"]);
    let part = Request::builder().uri(path(&media["url"])).header("range", "bytes=1-3");
    let part = app.send(part.body(Body::empty()).unwrap()).await;
    assert_eq!((part.status.as_u16(), part.bytes.as_slice()), (206, &b"PNG"[..]));
    for url in [&post["account"]["avatar"], &post["account"]["avatar_static"], &post["emojis"][0]["url"]] {
        assert_eq!(app.get(&path(url)).await.status, 200, "{url}");
    }
    let (acct, id) = (post["account"]["acct"].as_str().unwrap(), post["id"].as_str().unwrap());
    let page = app.get(&format!("/@{acct}/{id}")).await.text();
    let picture = format!("<img class=\"emoji\" src=\"{}\"", post["emojis"][0]["url"].as_str().unwrap());
    assert!(page.contains(&picture), "{picture}: {page}");
    let page = app.get("/about").await;
    let policy = page.header("content-security-policy").unwrap().to_owned();
    assert!(policy.contains("img-src 'self' data:;"), "{policy}");
}

#[tokio::test]
async fn it_is_no_open_proxy_and_passes_on_only_media() {
    let (app, peer) = (app().await, Peer::start().await);
    let _fetching = fetching(&app);
    let ana = app.person("ana").await;
    let evil = [
        ("/page.png", "image/png", b"<!doctype html><script>alert(1)</script>".to_vec()),
        ("/vector.svg", "image/svg+xml", b"<svg onload='alert(1)'/>".to_vec()),
        (
            "/actor.json",
            "image/png",
            br#"{"type":"Person","id":"https://social.example/ap/users/1"}"#.to_vec(),
        ),
    ];
    for (place, media_type, bytes) in evil {
        peer.serve_file(place, media_type, bytes);
        let url = app.state.site.passed_on(&peer.url(place));
        assert_eq!(app.get(&path(&json!(url))).await.status, 404, "{place}");
    }
    peer.asked();
    let again = app.state.site.passed_on(&peer.url("/page.png"));
    assert_eq!(app.get(&path(&json!(again))).await.status, 404);
    assert_eq!(peer.asked(), Vec::<String>::new(), "what failed is not asked for again at once");

    peer.serve_file("/wren.png", "image/png", PNG.to_vec());
    let (_, name) = ProxyKey::derive(b"guessed").sign(&peer.url("/wren.png"));
    let (mac, _) = ProxyKey::derive(b"guessed").sign(&peer.url("/wren.png"));
    for forged in
        [format!("/media/proxy/{mac}/{name}"), format!("/media/proxy/x/{name}"), "/media/proxy/x/y".into()]
    {
        assert_eq!(app.get(&forged).await.status, 404, "{forged}");
    }
    assert_eq!(peer.asked(), Vec::<String>::new());
    let own = app.state.site.passed_on("https://social.example/media/x.png");
    assert_eq!(own, "https://social.example/media/x.png", "our own need no detour");
    drop(ana);
}

#[tokio::test]
async fn a_hundred_readers_cause_one_fetch() {
    let (app, peer) = (app().await, Peer::start().await);
    let _fetching = fetching(&app);
    peer.serve_file("/wren.png", "image/png", PNG.to_vec());
    let at = path(&json!(app.state.site.passed_on(&peer.url("/wren.png"))));
    let readers = (0..100).map(|_| app.get(&at));
    for served in futures_util::future::join_all(readers).await {
        assert_eq!(served.status, 200);
    }
    assert_eq!(peer.asked(), ["/wren.png"]);
}

#[tokio::test]
async fn what_nobody_reads_goes_and_comes_again_when_asked_for() {
    let (app, peer) = (app().await, Peer::start().await);
    let _fetching = fetching(&app);
    peer.serve_file("/wren.png", "image/png", PNG.to_vec());
    let at = path(&json!(app.state.site.passed_on(&peer.url("/wren.png"))));
    assert_eq!(app.get(&at).await.status, 200);
    app.clock.advance(Duration::from_secs(20 * 24 * 3600));
    assert_eq!(prune(&app.state).await.unwrap(), 0);
    assert_eq!(app.get(&at).await.status, 200);
    app.clock.advance(Duration::from_secs(20 * 24 * 3600));
    assert_eq!(prune(&app.state).await.unwrap(), 0, "it was read twenty days ago");
    app.clock.advance(Duration::from_secs(20 * 24 * 3600));
    assert_eq!(prune(&app.state).await.unwrap(), 1);
    peer.asked();
    assert_eq!(app.get(&at).await.status, 200);
    assert_eq!(peer.asked(), ["/wren.png"]);
}

#[tokio::test]
async fn our_own_files_are_told_to_others_with_all_that_is_known() {
    let (app, peer) = (app().await, Peer::start().await);
    let _fetching = fetching(&app);
    let ana = app.person("ana").await;
    let media = super::super::api::media::upload_png(&app, &ana).await;
    let post = ana.post("/api/v1/statuses", json!({ "media_ids": [media["id"]] })).await.json(200);
    let uri = path(&post["uri"]);
    let request = Request::builder().uri(&uri).header("accept", "application/activity+json");
    let note = app.send(request.body(Body::empty()).unwrap()).await.json(200);
    let file = &note["attachment"][0];
    assert_eq!((&file["type"], &file["mediaType"]), (&json!("Image"), &json!("image/png")));
    assert_eq!((&file["url"], &file["name"]), (&media["url"], &media["description"]));
    assert_eq!((&file["width"], &file["height"]), (&json!(20), &json!(10)));
    assert_eq!((&file["blurhash"], &file["focalPoint"]), (&media["blurhash"], &json!([0.5, -0.5])));
    drop(peer);
}

#[tokio::test]
async fn a_host_that_hangs_holds_up_nobody_elses_pictures() {
    let (app, peer) = (app().await, Peer::start().await);
    let _fetching = fetching(&app);
    // It takes connections and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = silent.local_addr().unwrap();
    let hung: Vec<String> =
        (0..40).map(|n| path(&json!(app.state.site.passed_on(&format!("http://{host}/{n}.png"))))).collect();
    let readers = futures_util::future::join_all(hung.iter().map(|at| app.get(at)));
    peer.serve_file("/wren.png", "image/png", PNG.to_vec());
    let at = path(&json!(app.state.site.passed_on(&peer.url("/wren.png"))));
    let good = async {
        // All the others ask first.
        tokio::task::yield_now().await;
        app.get(&at).await.status
    };
    tokio::select! {
        biased;
        _ = readers => panic!("they do not all end before the good one"),
        status = good => assert_eq!(status, 200),
    }
}

#[tokio::test]
async fn a_film_is_fetched_whole_though_it_takes_two_attempts_to_tell() {
    let (app, peer) = (app().await, Peer::start().await);
    let _fetching = fetching(&app);
    let mut film = b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2".to_vec();
    film.resize(5 * 1024 * 1024, 7);
    peer.serve_file("/heron.mp4", "video/mp4", film.clone());
    let at = path(&json!(app.state.site.passed_on(&peer.url("/heron.mp4"))));
    let served = app.get(&at).await;
    assert_eq!((served.status.as_u16(), served.bytes.len()), (200, film.len()));
    assert_eq!(peer.asked().len(), 2);
    assert_eq!(app.get(&at).await.status, 200);
    assert_eq!(peer.asked(), Vec::<String>::new(), "it is kept");
}
