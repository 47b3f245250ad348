//! Pages on which people order what they see and what they have written.

use std::time::Duration;

use serde_json::json;
use waxwing::model::Role;

use super::browser::{Browser, Page};
use crate::api::{emojis, run_due};
use crate::kit::{Person, TestApp};

async fn id_of(who: &Person<'_>, path: &str, body: serde_json::Value) -> String {
    let made = who.post(path, body).await.json(200);
    made["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn what_is_not_ones_own_is_not_found() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    app.person("ben").await;
    let at = "2025-11-25T16:00:00Z";
    let post = id_of(&ana, "/api/v1/statuses", json!({ "status": "mine" })).await;
    let later = id_of(&ana, "/api/v1/statuses", json!({ "status": "mine", "scheduled_at": at })).await;
    let list = id_of(&ana, "/api/v1/lists", json!({ "title": "mine" })).await;
    let filter = json!({ "title": "mine", "context": ["home"] });
    let filter = id_of(&ana, "/api/v2/filters", filter).await;
    let mut ben = Browser::of(&app, "ben").await;
    for path in [
        format!("/posts/{post}/edit"),
        format!("/lists/{list}"),
        format!("/lists/{list}/edit"),
        format!("/settings/filters/{filter}"),
        format!("/events?stream=list:{list}"),
    ] {
        assert_eq!(ben.get(&path).await.status, 404, "{path}");
    }
    let fields = [("text", "x"), ("title", "x"), ("contexts[]", "home"), ("account", "1"), ("who", "ben")];
    let fields = [&fields[..], &[("later", "2100-01-01T10:00")]].concat();
    for path in [
        format!("/posts/{post}/edit"),
        format!("/posts/{post}/pin"),
        format!("/scheduled/{later}"),
        format!("/scheduled/{later}/delete"),
        format!("/lists/{list}/edit"),
        format!("/lists/{list}/add"),
        format!("/lists/{list}/remove"),
        format!("/lists/{list}/delete"),
        format!("/settings/filters/{filter}"),
        format!("/settings/filters/{filter}/delete"),
        "/notifications/requests/1/accept".to_owned(),
        "/notifications/requests/1/praise".to_owned(),
        "/accounts/1/mute".to_owned(),
        "/accounts/1/admire".to_owned(),
    ] {
        let answer = ben.submit(&path, &fields).await;
        let is_refused = answer.status == 404 || path.ends_with("/pin") && answer.status == 422;
        assert!(is_refused, "{path}: {}", answer.status);
    }
    for (path, wanted) in [
        (format!("/api/v1/lists/{list}"), "title"),
        (format!("/api/v2/filters/{filter}"), "title"),
        (format!("/api/v1/scheduled_statuses/{later}"), "id"),
        (format!("/api/v1/statuses/{post}"), "id"),
    ] {
        assert!(ana.get(&path).await.json(200)[wanted].is_string(), "{path} is as it was");
    }
}

#[tokio::test]
async fn earlier_versions_are_for_those_who_may_see_the_post() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let post = id_of(&ana, "/api/v1/statuses", json!({ "status": "first words" })).await;
    let mut own = Browser::of(&app, "ana").await;
    let edit = format!("/posts/{post}/edit");
    let page = own.get(&edit).await.text();
    assert!(page.contains("first words") && !page.contains("name=\"visibility\""), "{page}");
    let answer = own.submit(&edit, &[("text", "second words"), ("language", "en")]).await;
    assert_eq!(answer.leads_to(), format!("/@ana/{post}"));
    let history = format!("/@ana/{post}/history");
    let page = Browser::new(&app).get(&history).await.text();
    assert!(page.contains("first words") && page.contains("second words"), "{page}");
    ana.post(&format!("/api/v1/accounts/{}/block", ben.id), json!({})).await.json(200);
    assert_eq!(Browser::of(&app, "ben").await.get(&history).await.status, 404);
}

#[tokio::test]
async fn an_edit_keeps_the_poll_with_its_votes_until_it_is_taken_out() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let poll = json!({ "options": ["rowan", "hawthorn"], "expires_in": 3600 });
    let post = ana.post("/api/v1/statuses", json!({ "status": "Which?", "poll": poll })).await.json(200);
    let id = post["id"].as_str().unwrap();
    let vote = format!("/api/v1/polls/{}/votes", post["poll"]["id"].as_str().unwrap());
    ben.post(&vote, json!({ "choices": [1] })).await.json(200);
    let mut own = Browser::of(&app, "ana").await;
    let edit = format!("/posts/{id}/edit");
    own.submit(&edit, &[("text", "Which berries?")]).await.leads_to();
    let shown = ana.get(&format!("/api/v1/statuses/{id}")).await.json(200);
    assert_eq!(shown["poll"]["options"][1]["votes_count"], 1, "{shown}");
    assert_eq!(shown["poll"]["expires_at"], post["poll"]["expires_at"]);
    own.submit(&edit, &[("text", "Never mind."), ("drop_poll", "true")]).await.leads_to();
    let shown = ana.get(&format!("/api/v1/statuses/{id}")).await.json(200);
    assert!(shown["poll"].is_null(), "{shown}");
}

#[tokio::test]
async fn a_post_for_later_comes_out_at_its_time_and_not_before() {
    let app = TestApp::start().await;
    app.person("ana").await;
    let mut ana = Browser::of(&app, "ana").await;
    let write = |at| [("text", "Good morning"), ("visibility", "public"), ("later", at)];
    // The clock stands at 16:00:00 on 24 November 2025.
    for wrong in ["2025-11-24T16:04", "tomorrow"] {
        let answer = ana.submit("/compose", &write(wrong)).await;
        assert_eq!(answer.status, 422, "{wrong}");
        let page = answer.text();
        assert!(page.contains("Good morning") && page.contains(wrong), "what was typed stays: {page}");
    }
    assert_eq!(ana.submit("/compose", &write("2025-11-24T18:00")).await.leads_to(), "/scheduled");
    let page = ana.get("/scheduled").await.text();
    assert!(page.contains("Good morning") && page.contains("value=\"2025-11-24T18:00\""), "{page}");
    run_due(&app).await;
    assert!(!ana.get("/@ana").await.text().contains("Good morning"));
    app.clock.advance(Duration::from_secs(7_200));
    run_due(&app).await;
    assert!(ana.get("/@ana").await.text().contains("Good morning"));
    assert!(ana.get("/scheduled").await.text().contains("Nothing is waiting"));
}

#[tokio::test]
async fn what_the_policy_holds_back_is_kept_from_the_notifications() {
    let app = TestApp::start().await;
    app.person("ana").await;
    let ben = app.person("ben").await;
    let mut ana = Browser::of(&app, "ana").await;
    ana.submit("/settings/notifications", &[("not_following", "filter"), ("bots", "praise")])
        .await
        .leads_to();
    let page = ana.get("/settings/notifications").await.text();
    assert_eq!(
        page.matches("<option value=\"filter\" selected>").count(),
        3,
        "as it was, and the new one: {page}"
    );
    id_of(&ben, "/api/v1/statuses", json!({ "status": "@ana a word with you" })).await;
    let page = ana.get("/notifications").await.text();
    assert!(page.contains("1 person waits") && !page.contains("a word with you"), "{page}");
    let page = ana.get("/notifications/requests").await.text();
    assert!(page.contains("a word with you"), "{page}");
    let dismiss = page.split("formaction=\"").find(|rest| rest.contains("/dismiss")).unwrap();
    let dismiss = dismiss.split('"').next().unwrap().replace("/accept", "/dismiss");
    assert_eq!(ana.submit(&dismiss, &[]).await.leads_to(), "/notifications/requests");
    assert!(!ana.get("/notifications/requests").await.text().contains("a word with you"));
}

#[tokio::test]
async fn custom_emojis_of_posts_and_names_are_pictures() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let ada = app.person_with("ada", Role::Admin, "read write admin:read admin:write").await;
    emojis::add(&app, &ada, "wren").await.json(200);
    ana.patch("/api/v1/accounts/update_credentials", json!({ "display_name": "Ana :wren:" })).await.json(200);
    let post = id_of(&ana, "/api/v1/statuses", json!({ "status": "A :wren: in the rowan" })).await;
    // By the name and in the text; on the profile also in its heading.
    for (path, pictures) in [(format!("/@ana/{post}"), 2), ("/@ana".to_owned(), 3), ("/local".to_owned(), 2)]
    {
        let page = Browser::new(&app).get(&path).await.text();
        assert_eq!(page.matches("alt=\":wren:\"").count(), pictures, "{path}: {page}");
    }
}

#[tokio::test]
async fn a_pinned_post_is_on_top_of_the_profile_and_there_once() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let post = id_of(&ana, "/api/v1/statuses", json!({ "status": "pin me" })).await;
    let mut own = Browser::of(&app, "ana").await;
    assert_eq!(own.submit(&format!("/posts/{post}/pin"), &[("back", "/@ana")]).await.leads_to(), "/@ana");
    id_of(&ana, "/api/v1/statuses", json!({ "status": "newer words" })).await;
    let page = Browser::new(&app).get("/@ana").await.text();
    let place = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}: {page}"));
    assert!(place("pin me") < place("newer words"));
    assert_eq!(page.matches(&format!("id=\"p-{post}\"")).count(), 1, "{page}");
    own.submit(&format!("/posts/{post}/unpin"), &[]).await.leads_to();
    assert!(!Browser::new(&app).get("/@ana").await.text().contains(">Pinned<"));
}

#[tokio::test]
async fn a_mute_lasts_as_long_as_was_chosen() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let mut own = Browser::of(&app, "ana").await;
    let mute = format!("/accounts/{}/mute", ben.id);
    assert!(own.get(&mute).await.text().contains("Mute ben?"));
    let fields = [("lasts", "3600"), ("notifications", "true"), ("back", "/@ben")];
    assert_eq!(own.submit(&mute, &fields).await.leads_to(), "/@ben");
    assert!(own.get("/settings/muted").await.text().contains("2025-11-24T17:00:00"));
    let path = format!("/api/v1/accounts/relationships?id[]={}", ben.id);
    let mutes = async |wanted: (bool, bool)| {
        let found = ana.get(&path).await.json(200);
        assert_eq!(
            (&found[0]["muting"], &found[0]["muting_notifications"]),
            (&json!(wanted.0), &json!(wanted.1))
        );
    };
    mutes((true, true)).await;
    app.clock.advance(Duration::from_secs(3_601));
    mutes((false, false)).await;
    own.submit(&mute, &[]).await.leads_to();
    mutes((true, false)).await;
}
