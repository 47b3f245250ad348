//! Looking at accounts and changing one's own.

use serde_json::{Value, json};
use waxwing::domain::user;
use waxwing::model::Role;

use super::id;
use crate::kit::TestApp;

const KEYS: &str = "id username acct display_name locked bot discoverable indexable group created_at note url uri \
    avatar avatar_static header header_static followers_count following_count statuses_count last_status_at \
    hide_collections emojis fields noindex roles";

fn has_every_key(account: &Value) {
    for key in KEYS.split_whitespace() {
        assert!(account.get(key).is_some(), "{key} in {account}");
    }
    assert!(account["id"].is_string());
    assert!(account["created_at"].as_str().unwrap().ends_with("T00:00:00.000Z"));
}

#[tokio::test]
async fn everybody_sees_an_account_and_its_owner_sees_more() {
    let app = TestApp::start().await;
    let ana = app.person_with("Ana", Role::Owner, "read").await;
    let public = app.get(&format!("/api/v1/accounts/{}", ana.id)).await.json(200);
    has_every_key(&public);
    assert!(public.get("source").is_none());
    assert_eq!(public["roles"][0]["name"], "Owner");
    assert_eq!(public["url"], "https://social.example/@Ana");
    let own = ana.get("/api/v1/accounts/verify_credentials").await.json(200);
    has_every_key(&own);
    assert_eq!(own["source"]["privacy"], "public");
    assert_eq!(own["role"]["name"], "Owner");
    for key in ["note", "fields", "sensitive", "language", "follow_requests_count"] {
        assert!(own["source"].get(key).is_some(), "{key}");
    }
}

#[tokio::test]
async fn unknown_accounts_are_not_found() {
    let app = TestApp::start().await;
    for path in [
        "/api/v1/accounts/1",
        "/api/v1/accounts/abc",
        "/api/v1/accounts/lookup?acct=nobody",
        "/api/v1/accounts/lookup",
        "/api/v1/accounts/1/followers",
    ] {
        app.get(path).await.error(404, "Record not found");
    }
}

#[tokio::test]
async fn accounts_are_found_by_name_in_any_case() {
    let app = TestApp::start().await;
    let ana = app.person("Ana").await;
    let id = ana.id.to_string();
    for acct in ["ana", "ANA", "@ana", "ana@social.example", "@Ana@SOCIAL.example"] {
        let found = app.get(&format!("/api/v1/accounts/lookup?acct={acct}")).await.json(200);
        assert_eq!(found["id"], id, "{acct}");
    }
    app.get("/api/v1/accounts/lookup?acct=ana@other.example").await.json(404);
    let found = ana.get("/api/v1/accounts/search?q=an").await.json(200);
    assert_eq!(found[0]["acct"], "Ana");
    app.get("/api/v1/accounts/search?q=an").await.json(401);
}

#[tokio::test]
async fn several_accounts_come_at_once() {
    let app = TestApp::start().await;
    let (ana, bea) = (app.person("ana").await, app.person("bea").await);
    let path = format!("/api/v1/accounts?id[]={}&id[]=1&id[]={}", bea.id, ana.id);
    let found = app.get(&path).await.json(200);
    let names: Vec<_> = found.as_array().unwrap().iter().map(|a| a["acct"].as_str().unwrap()).collect();
    assert_eq!(names, ["bea", "ana"]);
    let many: String = (0..41).map(|n| format!("id[]={n}&")).collect();
    app.get(&format!("/api/v1/accounts?{many}")).await.json(422);
}

#[tokio::test]
async fn a_profile_changes_and_text_becomes_html() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    app.person("bea").await;
    let change = json!({
        "display_name": "Ana <3 \u{202e}",
        "note": "Hi <b>@bea</b>\n\n#birds https://example.org/",
        "locked": true, "bot": "1", "discoverable": "false", "indexable": true,
        "fields_attributes": [{ "name": "Site", "value": "https://example.org" }, { "name": "", "value": "" }],
        "source": { "privacy": "unlisted", "sensitive": true, "language": "de" },
    });
    let own = ana.patch("/api/v1/accounts/update_credentials", change).await.json(200);
    assert_eq!(own["display_name"], "Ana <3");
    let note = own["note"].as_str().unwrap();
    assert!(note.contains("&lt;b&gt;") && note.contains("https://social.example/@bea"), "{note}");
    assert!(note.contains("https://social.example/tags/birds"), "{note}");
    assert_eq!(own["source"]["note"], "Hi <b>@bea</b>\n\n#birds https://example.org/");
    assert_eq!(own["fields"].as_array().unwrap().len(), 1);
    assert!(own["fields"][0]["value"].as_str().unwrap().contains("<a href=\"https://example.org\""));
    assert_eq!(own["source"]["fields"][0]["value"], "https://example.org");
    let flags = ["locked", "bot", "discoverable", "indexable"].map(|key| own[key].as_bool().unwrap());
    assert_eq!(flags, [true, true, false, true]);
    let source = &own["source"];
    assert_eq!((&source["privacy"], &source["sensitive"]), (&json!("unlisted"), &json!(true)));
    assert_eq!(ana.get("/api/v1/preferences").await.json(200)["posting:default:language"], "de");

    // What is not named stays; a list that is no list changes nothing.
    let form = "display_name=&fields_attributes=undefined";
    let after = ana
        .call(
            http::Method::PATCH,
            "/api/v1/accounts/update_credentials",
            crate::kit::Payload::Form(form.into()),
        )
        .await
        .json(200);
    assert_eq!((&after["display_name"], &after["note"]), (&json!(""), &own["note"]));
    assert_eq!(after["fields"], own["fields"]);
}

#[tokio::test]
async fn what_a_profile_shows_and_who_may_quote_and_attribute_is_chosen() {
    let app = TestApp::start().await;
    let (ana, bea) = (app.person("ana").await, app.person("bea").await);
    let own = ana.get("/api/v1/accounts/verify_credentials").await.json(200);
    assert_eq!(
        (&own["source"]["quote_policy"], &own["source"]["attribution_domains"]),
        (&json!("public"), &json!([]))
    );
    let change = json!({
        "source": { "quote_policy": "nobody" },
        "attribution_domains": ["https://News.example/", "blog.example", "news.example"],
        "show_media": true, "show_media_replies": false, "show_featured": false,
    });
    let own = ana.patch("/api/v1/accounts/update_credentials", change).await.json(200);
    assert_eq!(own["source"]["quote_policy"], "nobody");
    assert_eq!(own["source"]["attribution_domains"], json!(["news.example", "blog.example"]));
    assert_eq!(ana.get("/api/v1/preferences").await.json(200)["posting:default:quote_policy"], "nobody");
    let profile = ana.get("/api/v1/profile").await.json(200);
    let shows =
        ["show_media", "show_media_replies", "show_featured"].map(|key| profile[key].as_bool().unwrap());
    assert_eq!(shows, [true, false, false]);
    assert_eq!(profile["attribution_domains"], own["source"]["attribution_domains"]);

    // New posts have it, unless they say otherwise.
    let quotable = async |body: Value| {
        let posted = ana.post("/api/v1/statuses", body).await.json(200);
        let seen = bea.get(&format!("/api/v1/statuses/{}", id(&posted))).await.json(200);
        seen["quote_approval"]["current_user"].clone()
    };
    assert_eq!(quotable(json!({ "status": "mine" })).await, "denied");
    assert_eq!(quotable(json!({ "status": "yours", "quote_approval_policy": "public" })).await, "automatic");

    // Other servers are told, in Mastodon's words.
    let actor = crate::federation::peer::get(&app, &format!("/ap/users/{}", ana.id)).await.json(200);
    assert_eq!(actor["attributionDomains"], json!(["news.example", "blog.example"]));
    let shows = ["showMedia", "showRepliesInMedia", "showFeatured"].map(|key| actor[key].as_bool().unwrap());
    assert_eq!(shows, [true, false, false]);
    for (change, words) in [
        (json!({ "attribution_domains": ["not a host"] }), "Attribution domains is not a valid domain name"),
        (json!({ "source": { "quote_policy": "friends" } }), "Quote policy is not included"),
    ] {
        ana.patch("/api/v1/accounts/update_credentials", change).await.error(422, words);
    }
    // The same on the page of settings.
    let mut browser = crate::web::browser::Browser::of(&app, "ana").await;
    let page = browser.get("/settings/profile").await.text();
    assert!(page.contains("news.example\nblog.example"), "{page}");
    assert!(page.contains("<option value=\"nobody\" selected>"), "{page}");
    let fields = [("quote_policy", "followers"), ("attribution_domains", "one.example"), ("name", "Ana")];
    browser.submit("/settings/profile", &fields).await;
    let own = ana.get("/api/v1/accounts/verify_credentials").await.json(200);
    assert_eq!(own["source"]["quote_policy"], "followers");
    assert_eq!(own["source"]["attribution_domains"], json!(["one.example"]));
    assert_eq!(own["source"]["privacy"], "public", "other choices stay");
    assert!(!app.get("/@ana").await.text().contains("tab=media"), "it was not ticked");
}

#[tokio::test]
async fn too_much_profile_is_refused() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let field = json!({ "name": "a", "value": "b" });
    let cases = [
        (json!({ "display_name": "x".repeat(31) }), "Display name is too long"),
        (json!({ "note": "x".repeat(501) }), "Note is too long"),
        (json!({ "fields_attributes": [field, field, field, field, field] }), "Fields are too many"),
        (json!({ "fields_attributes": [{ "name": "x".repeat(256), "value": "" }] }), "Fields are too long"),
        (json!({ "source": { "privacy": "direct" } }), "Privacy is not included"),
    ];
    for (change, words) in cases {
        ana.patch("/api/v1/accounts/update_credentials", change).await.error(422, words);
    }
    let own = ana.get("/api/v1/accounts/verify_credentials").await.json(200);
    assert_eq!((&own["display_name"], &own["fields"]), (&json!(""), &json!([])));
}

#[tokio::test]
async fn disabled_and_pending_people_are_told() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let id = ana.id;
    app.state.store.write(move |tx| user::disable(tx, id)).await.unwrap();
    // Disabling revokes every token.
    ana.get("/api/v1/accounts/verify_credentials").await.error(401, "The access token is invalid");
    let token = app.token(Some(id), "read").await;
    let again = crate::kit::request(
        http::Method::GET,
        "/api/v1/accounts/verify_credentials",
        Some(&token),
        crate::kit::Payload::None,
    );
    app.send(again).await.error(403, "Your login is currently disabled");
}
