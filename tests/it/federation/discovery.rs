//! WebFinger, host-meta, NodeInfo.

use serde_json::json;

use crate::kit::TestApp;

#[tokio::test]
async fn webfinger_answers_for_people_here_and_the_server_itself() {
    let app = TestApp::start().await;
    let ana = app.person("Ana").await;
    let actor = app.state.site.actor(ana.id);
    let ask = async |resource: &str| app.get(&format!("/.well-known/webfinger?resource={resource}")).await;
    for resource in
        ["acct:ana@social.example", "acct:ANA@Social.Example", "https://social.example/@ana", actor.as_str()]
    {
        let answer = ask(resource).await;
        assert_eq!(answer.header("content-type"), Some("application/jrd+json"), "{resource}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let document = answer.json(200);
        assert_eq!(document["subject"], "acct:Ana@social.example");
        assert_eq!(
            document["links"][0],
            json!({ "rel": "self", "type": "application/activity+json", "href": actor })
        );
    }
    let instance = ask("acct:social.example@social.example").await.json(200);
    assert_eq!(instance["links"][0]["href"], "https://social.example/actor");
    for (resource, status) in [
        ("", 400),
        ("ana", 400),
        ("acct:nobody@social.example", 404),
        ("acct:ana@other.example", 404),
        ("https://other.example/@ana", 404),
    ] {
        assert_eq!(ask(resource).await.status, status, "{resource}");
    }
    assert_eq!(app.get("/.well-known/webfinger").await.status, 400);
}

#[tokio::test]
async fn host_meta_and_nodeinfo_lead_on() {
    let app = TestApp::start().await;
    app.person("ana").await;
    let xml = app.get("/.well-known/host-meta").await;
    assert!(xml.header("content-type").unwrap().starts_with("application/xrd+xml"));
    assert!(xml.text().contains("https://social.example/.well-known/webfinger?resource={uri}"));
    let index = app.get("/.well-known/nodeinfo").await.json(200);
    for link in index["links"].as_array().unwrap() {
        let address = link["href"].as_str().unwrap().trim_start_matches("https://social.example");
        let document = app.get(address).await.json(200);
        assert_eq!(
            (&document["protocols"], &document["usage"]["users"]["total"]),
            (&json!(["activitypub"]), &json!(1))
        );
    }
    assert_eq!(app.get("/nodeinfo/3.0").await.status, 404);
}

#[tokio::test]
async fn a_visitor_sent_by_another_server_is_led_to_the_search_and_nowhere_else() {
    let app = TestApp::start().await;
    for (uri, expected) in [
        ("acct:bo@peer.example", "/search?q=bo%40peer.example"),
        ("https://evil.example/", "/search?q=https%3A%2F%2Fevil.example%2F"),
        ("//evil.example", "/search?q=%2F%2Fevil.example"),
    ] {
        let answer = app.get(&format!("/authorize_interaction?uri={uri}")).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, Some(expected)), "{uri}");
    }
}
