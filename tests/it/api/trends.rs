//! Preview cards of links, and what trends.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::Html;
use axum::routing::get;
use serde_json::{Value, json};

use waxwing::model::Account;
use waxwing::model::queue::tables::{ACT, JOB};
use waxwing::model::queue::{JobKind, SignatureProfile};
use waxwing::model::tables::ACCOUNT;
use waxwing::queue::{Attempt, Handler, Ours, fetch_card};
use waxwing::store::{Scan, StoreError};

use super::{id, post, post_to};
use crate::kit::{Person, TestApp};

/// A web site on loopback.
async fn site() -> String {
    let page = || async { ([(CONTENT_TYPE, "text/html; charset=utf-8")], PAGE) };
    let plain = || async { ([(CONTENT_TYPE, "text/plain")], PAGE) };
    let long = || async { ([(CONTENT_TYPE, "text/html")], format!("{PAGE}{}", "x".repeat(3_000_000))) };
    let router =
        Router::new().route("/page", get(page)).route("/plain", get(plain)).route("/long", get(long));
    let film = async || Html(FILM);
    let oembed = async || ([("content-type", "application/json")], OEMBED);
    let router = router.route("/film", get(film)).route("/oembed", get(oembed));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

const PAGE: &str = "<!doctype html><html lang=en><title>Boats</title>\
    <meta property=og:description content='All about boats'><meta property=og:image content=/boat.png>";

const FILM: &str = "<title>A page</title><meta name='fediverse:creator' content='@ana@social.example'>\
    <link rel=alternate type='application/json+oembed' href='/oembed'>";

const OEMBED: &str = r#"{ "type": "video", "version": "1.0", "title": "A film", "width": 640, "height": 360,
    "html": "<script>alert(1)</script><iframe src='https://v.example/e/1?a=1&amp;b=2' onload='alert(2)'></iframe>" }"#;

async fn app() -> TestApp {
    TestApp::with("outbound_allow 127.0.0.0/8").await
}

/// Runs the jobs that fetch pages; gives how many there were.
async fn fetch_pages(app: &TestApp) -> usize {
    let state = &app.state;
    let workshop = state.workshop();
    let handler = fetch_card::handler(workshop, state.client.clone());
    let jobs = state.store.read(|tx| tx.scan(JOB, Scan::all())).await.unwrap();
    let mut run = 0;
    for (key, _) in jobs.into_iter().filter(|(_, row)| row.kind == JobKind::FetchCard) {
        let act = state.store.read(move |tx| tx.get(ACT, &key.act)).await.unwrap();
        let attempt = Attempt {
            key,
            act: Arc::new(act.unwrap()),
            inbox: None,
            authority: "127.0.0.1".into(),
            profile: SignatureProfile::default(),
            attempts: 9,
            now: app.now(),
            answer_within: Duration::from_secs(5),
            ours: Ours::default(),
        };
        handler.run(attempt).await;
        run += 1;
    }
    run
}

async fn card(person: &Person<'_>, status: &Value) -> Value {
    person.get(&format!("/api/v1/statuses/{}", id(status))).await.json(200)["card"].clone()
}

#[tokio::test]
async fn a_link_gets_a_preview_that_all_its_posts_share() {
    let (app, site) = (app().await, site().await);
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let first = post(&ana, &format!("see {site}/page#top")).await;
    let second = post_to(&ben, &format!("{site}/page is good"), "unlisted").await;
    assert_eq!(card(&ana, &first).await, Value::Null);
    assert_eq!(fetch_pages(&app).await, 1, "it is fetched once");
    let found = card(&ana, &first).await;
    let expected = [
        ("url", json!(format!("{site}/page"))),
        ("title", json!("Boats")),
        ("description", json!("All about boats")),
        ("type", json!("link")),
        ("html", json!("")),
        ("author_name", json!("")),
        ("authors", json!([])),
        ("width", json!(0)),
        ("embed_url", json!("")),
        ("blurhash", Value::Null),
        ("published_at", Value::Null),
    ];
    for (key, value) in expected {
        assert_eq!(found[key], value, "{key}");
    }
    assert!(found["image"].is_string(), "{found}");
    assert_eq!(card(&ana, &second).await, found);
    post(&ben, &format!("{site}/page again")).await;
    assert_eq!(fetch_pages(&app).await, 0, "what is known is not fetched again");
    app.clock.advance(Duration::from_secs(15 * 24 * 3600));
    post(&ben, &format!("{site}/page after long")).await;
    assert_eq!(fetch_pages(&app).await, 1, "but after two weeks");
    assert_eq!(card(&ana, &first).await["title"], "Boats");
}

#[tokio::test]
async fn a_film_is_played_in_a_frame_of_ours_and_its_author_is_known_if_they_agree() {
    let (app, site) = (app().await, site().await);
    let ana = app.person("ana").await;
    let status = post(&ana, &format!("{site}/film")).await;
    fetch_pages(&app).await;
    let found = card(&ana, &status).await;
    assert_eq!((&found["type"], &found["title"]), (&json!("video"), &json!("A film")));
    assert_eq!((&found["width"], &found["height"]), (&json!(640), &json!(360)));
    let frame = "<iframe src=\"https://v.example/e/1?a=1&amp;b=2\" width=\"640\" height=\"360\" \
        allowfullscreen=\"true\" sandbox=\"allow-scripts allow-same-origin allow-popups \
        allow-popups-to-escape-sandbox allow-forms\"></iframe>";
    assert_eq!(found["html"], frame);
    assert_eq!(found["authors"], json!([]), "they do not say so");

    let me = ana.id;
    let agree = app.state.store.write(move |tx| {
        let old = tx.get(ACCOUNT, &me)?.expect("she is there");
        let attribution_domains = Some(vec!["127.0.0.1".to_owned()]);
        Account::save(tx, Some(&old), &Account { attribution_domains, ..old.clone() });
        Ok::<_, StoreError>(())
    });
    agree.await.unwrap();
    app.clock.advance(Duration::from_secs(15 * 24 * 3600));
    post(&ana, &format!("again {site}/film")).await;
    fetch_pages(&app).await;
    let authors = card(&ana, &status).await["authors"].clone();
    assert_eq!(authors[0]["account"]["acct"], "ana");
}

#[tokio::test]
async fn what_is_no_page_has_no_preview() {
    let (app, site) = (app().await, site().await);
    let ana = app.person("ana").await;
    for path in ["plain", "missing"] {
        let status = post(&ana, &format!("{site}/{path}")).await;
        assert_eq!(fetch_pages(&app).await, 1);
        assert_eq!(card(&ana, &status).await, Value::Null, "{path}");
        post(&ana, &format!("{site}/{path} again")).await;
        assert_eq!(fetch_pages(&app).await, 0, "the failure is remembered");
    }
    let long = post(&ana, &format!("{site}/long")).await;
    fetch_pages(&app).await;
    assert_eq!(card(&ana, &long).await["title"], "Boats", "the beginning is enough");
    post_to(&ana, &format!("{site}/page"), "private").await;
    post(&ana, "no link, #tag and @ana").await;
    assert_eq!(fetch_pages(&app).await, 0, "nobody is told of private links");
}

#[tokio::test]
async fn hashtags_and_links_trend_when_several_people_use_them() {
    let (app, site) = (app().await, site().await);
    let people = [app.person("ana").await, app.person("ben").await, app.person("cleo").await];
    for person in &people[..2] {
        person.patch("/api/v1/accounts/update_credentials", json!({"discoverable": true})).await.json(200);
        post(person, &format!("#Boats {site}/page")).await;
        post_to(person, "#secret", "unlisted").await;
        post(person, "#alone").await;
    }
    post(&people[0], "#mine").await;
    post(&people[2], "#alone by one who does not want to be noticed").await;
    fetch_pages(&app).await;

    let tags = app.get("/api/v1/trends/tags").await.json(200);
    let names: Vec<&str> = tags.as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["alone", "boats"]);
    let history = tags[1]["history"].as_array().unwrap();
    assert_eq!(history.len(), 7);
    let midnight = app.now().midnight().as_secs().to_string();
    assert_eq!(history[0], json!({"day": midnight, "uses": "2", "accounts": "2"}));
    assert_eq!((&history[1]["uses"], &history[1]["accounts"]), (&json!("0"), &json!("0")));
    assert_eq!(app.get("/api/v1/trends").await.json(200), tags);
    let first = app.get("/api/v1/trends/tags?limit=1").await;
    assert_eq!(first.json(200).as_array().unwrap().len(), 1);
    let next = app.get(&first.link("next").unwrap()).await;
    assert_eq!(next.json(200)[0]["name"], "boats");
    assert_eq!(next.link("next"), None);
    assert_eq!(app.get("/api/v1/trends/tags?offset=5").await.json(200), json!([]));

    let links = app.get("/api/v1/trends/links").await.json(200);
    assert_eq!((&links[0]["title"], &links[0]["history"][0]["accounts"]), (&json!("Boats"), &json!("2")));
    let url = links[0]["url"].as_str().unwrap();
    let posts = app.get(&format!("/api/v1/timelines/link?url={url}")).await.json(200);
    assert_eq!(posts.as_array().unwrap().len(), 2);
    app.get("/api/v1/timelines/link?url=https://nowhere.example/").await.error(404, "");
    app.get("/api/v1/timelines/link").await.error(404, "");

    app.clock.advance(Duration::from_secs(3 * 24 * 3600));
    assert_eq!(app.get("/api/v1/trends/tags").await.json(200), json!([]), "everything ends");
}

#[tokio::test]
async fn posts_trend_that_people_like() {
    let app = TestApp::start().await;
    let (ana, ben, cleo) = (app.person("ana").await, app.person("ben").await, app.person("cleo").await);
    ana.patch("/api/v1/accounts/update_credentials", json!({"discoverable": true})).await.json(200);
    let (liked, other) = (post(&ana, "liked").await, post(&ana, "not so much").await);
    let warned = ana.post("/api/v1/statuses", json!({"status": "x", "spoiler_text": "cw"})).await.json(200);
    for person in [&ben, &cleo] {
        for status in [&liked, &warned] {
            person.post(&format!("/api/v1/statuses/{}/favourite", id(status)), json!({})).await.json(200);
        }
    }
    ben.post(&format!("/api/v1/statuses/{}/favourite", id(&other)), json!({})).await.json(200);
    let found = app.get("/api/v1/trends/statuses").await.json(200);
    let ids: Vec<&str> = found.as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [id(&liked)]);
    cleo.post(&format!("/api/v1/accounts/{}/mute", ana.id), json!({})).await.json(200);
    assert_eq!(cleo.get("/api/v1/trends/statuses").await.json(200), json!([]));
    ana.delete(&format!("/api/v1/statuses/{}", id(&liked))).await.json(200);
    assert_eq!(app.get("/api/v1/trends/statuses").await.json(200), json!([]), "what is gone is not shown");
}
