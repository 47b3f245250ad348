//! The API of those who run the server: who may use it, and accounts.

use http::Method;
use serde_json::{Value, json};
use waxwing::model::Role;

use super::{id, ids, post, settle};
use crate::kit::{Payload, Person, TestApp, request};

const ADMIN: &str = "read write follow admin:read admin:write";

/// Every endpoint with a scope that it takes, and whether it is for admins
/// alone. `{}` stands for an id that nothing has.
const ENDPOINTS: [(&str, &str, &str, bool); 69] = [
    ("GET", "/api/v1/admin/accounts", "admin:read:accounts", false),
    ("GET", "/api/v2/admin/accounts", "admin:read:accounts", false),
    ("GET", "/api/v1/admin/accounts/{}", "admin:read:accounts", false),
    ("DELETE", "/api/v1/admin/accounts/{}", "admin:write:accounts", true),
    ("POST", "/api/v1/admin/accounts/{}/action", "admin:write:accounts", false),
    ("POST", "/api/v1/admin/accounts/{}/approve", "admin:write:accounts", false),
    ("POST", "/api/v1/admin/accounts/{}/reject", "admin:write:accounts", false),
    ("POST", "/api/v1/admin/accounts/{}/enable", "admin:write:accounts", false),
    ("POST", "/api/v1/admin/accounts/{}/unsensitive", "admin:write:accounts", false),
    ("POST", "/api/v1/admin/accounts/{}/unsilence", "admin:write:accounts", false),
    ("POST", "/api/v1/admin/accounts/{}/unsuspend", "admin:write:accounts", false),
    ("GET", "/api/v1/admin/reports", "admin:read:reports", false),
    ("GET", "/api/v1/admin/reports/{}", "admin:read:reports", false),
    ("PUT", "/api/v1/admin/reports/{}", "admin:write:reports", false),
    ("PATCH", "/api/v1/admin/reports/{}", "admin:write:reports", false),
    ("POST", "/api/v1/admin/reports/{}/assign_to_self", "admin:write:reports", false),
    ("POST", "/api/v1/admin/reports/{}/unassign", "admin:write:reports", false),
    ("POST", "/api/v1/admin/reports/{}/resolve", "admin:write:reports", false),
    ("POST", "/api/v1/admin/reports/{}/reopen", "admin:write:reports", false),
    ("GET", "/api/v1/admin/domain_blocks", "admin:read:domain_blocks", true),
    ("POST", "/api/v1/admin/domain_blocks", "admin:write:domain_blocks", true),
    ("GET", "/api/v1/admin/domain_blocks/{}", "admin:read:domain_blocks", true),
    ("PUT", "/api/v1/admin/domain_blocks/{}", "admin:write:domain_blocks", true),
    ("PATCH", "/api/v1/admin/domain_blocks/{}", "admin:write:domain_blocks", true),
    ("DELETE", "/api/v1/admin/domain_blocks/{}", "admin:write:domain_blocks", true),
    ("GET", "/api/v1/admin/domain_allows", "admin:read:domain_allows", true),
    ("POST", "/api/v1/admin/domain_allows", "admin:write:domain_allows", true),
    ("GET", "/api/v1/admin/domain_allows/{}", "admin:read:domain_allows", true),
    ("DELETE", "/api/v1/admin/domain_allows/{}", "admin:write:domain_allows", true),
    ("GET", "/api/v1/admin/announcements", "admin:read", true),
    ("POST", "/api/v1/admin/announcements", "admin:write", true),
    ("PUT", "/api/v1/admin/announcements/{}", "admin:write", true),
    ("DELETE", "/api/v1/admin/announcements/{}", "admin:write", true),
    ("GET", "/api/v1/admin/custom_emojis", "admin:read", true),
    ("POST", "/api/v1/admin/custom_emojis", "admin:write", true),
    ("DELETE", "/api/v1/admin/custom_emojis/fox", "admin:write", true),
    ("GET", "/api/v1/admin/ip_blocks", "admin:read:ip_blocks", true),
    ("POST", "/api/v1/admin/ip_blocks", "admin:write:ip_blocks", true),
    ("GET", "/api/v1/admin/ip_blocks/{}", "admin:read:ip_blocks", true),
    ("PUT", "/api/v1/admin/ip_blocks/{}", "admin:write:ip_blocks", true),
    ("PATCH", "/api/v1/admin/ip_blocks/{}", "admin:write:ip_blocks", true),
    ("DELETE", "/api/v1/admin/ip_blocks/{}", "admin:write:ip_blocks", true),
    ("GET", "/api/v1/admin/email_domain_blocks", "admin:read:email_domain_blocks", true),
    ("POST", "/api/v1/admin/email_domain_blocks", "admin:write:email_domain_blocks", true),
    ("GET", "/api/v1/admin/email_domain_blocks/{}", "admin:read:email_domain_blocks", true),
    ("DELETE", "/api/v1/admin/email_domain_blocks/{}", "admin:write:email_domain_blocks", true),
    ("GET", "/api/v1/admin/canonical_email_blocks", "admin:read:canonical_email_blocks", true),
    ("POST", "/api/v1/admin/canonical_email_blocks", "admin:write:canonical_email_blocks", true),
    ("GET", "/api/v1/admin/canonical_email_blocks/{}", "admin:read:canonical_email_blocks", true),
    ("DELETE", "/api/v1/admin/canonical_email_blocks/{}", "admin:write:canonical_email_blocks", true),
    ("POST", "/api/v1/admin/canonical_email_blocks/test", "admin:read:canonical_email_blocks", true),
    ("POST", "/api/v1/admin/measures", "admin:read", false),
    ("POST", "/api/v1/admin/dimensions", "admin:read", false),
    ("POST", "/api/v1/admin/retention", "admin:read", false),
    ("GET", "/api/v1/admin/tags", "admin:read", false),
    ("GET", "/api/v1/admin/tags/{}", "admin:read", false),
    ("GET", "/api/v1/admin/trends/links", "admin:read", false),
    ("GET", "/api/v1/admin/trends/links/publishers", "admin:read", false),
    ("GET", "/api/v1/admin/trends/statuses", "admin:read", false),
    ("GET", "/api/v1/admin/trends/tags", "admin:read", false),
    ("PUT", "/api/v1/admin/tags/{}", "admin:write", false),
    ("POST", "/api/v1/admin/trends/links/{}/approve", "admin:write", false),
    ("POST", "/api/v1/admin/trends/links/{}/reject", "admin:write", false),
    ("POST", "/api/v1/admin/trends/links/publishers/{}/approve", "admin:write", false),
    ("POST", "/api/v1/admin/trends/links/publishers/{}/reject", "admin:write", false),
    ("POST", "/api/v1/admin/trends/statuses/{}/approve", "admin:write", false),
    ("POST", "/api/v1/admin/trends/statuses/{}/reject", "admin:write", false),
    ("POST", "/api/v1/admin/trends/tags/{}/approve", "admin:write", false),
    ("POST", "/api/v1/admin/trends/tags/{}/reject", "admin:write", false),
];

/// A body that is right wherever one is needed.
fn body(path: &str) -> Value {
    let severity = if path.contains("ip_blocks") { "no_access" } else { "silence" };
    json!({
        "type": "none", "domain": "b.example", "text": "hi", "shortcode": "fox", "category": "other",
        "ip": "203.0.113.9", "severity": severity, "email": "ben@b.example", "keys": ["new_users"],
        "start_at": "2025-11-01", "end_at": "2025-11-08", "frequency": "day",
    })
}

async fn call(app: &TestApp, token: Option<&str>, (method, path): (&str, &str)) -> u16 {
    let method: Method = method.parse().unwrap();
    let payload = if method == Method::GET { Payload::None } else { Payload::Json(body(path)) };
    app.send(request(method, &path.replace("{}", "12345"), token, payload)).await.status.as_u16()
}

#[tokio::test]
async fn each_endpoint_knows_who_may_use_it() {
    let app = TestApp::start().await;
    let user = app.person_with("uma", Role::User, ADMIN).await;
    let moderator = app.person_with("mo", Role::Moderator, ADMIN).await;
    let admin = app.person_with("ada", Role::Admin, ADMIN).await;
    let no_scope = app.token(Some(admin.id), "read write").await;
    let app_token = app.token(None, ADMIN).await;
    for (method, path, scope, for_admins) in ENDPOINTS {
        let at = (method, path);
        let narrow = app.token(Some(admin.id), scope).await;
        let name = format!("{method} {path}");
        assert_eq!(call(&app, None, at).await, 401, "{name} without a token");
        assert_eq!(call(&app, Some(&no_scope), at).await, 403, "{name} outside the scopes");
        assert_eq!(call(&app, Some(&app_token), at).await, 422, "{name} by an app");
        assert_eq!(call(&app, Some(&user.token), at).await, 403, "{name} by a user");
        let by_moderator = call(&app, Some(&moderator.token), at).await;
        assert_eq!(by_moderator == 403, for_admins, "{name} by a moderator: {by_moderator}");
        let by_admin = call(&app, Some(&narrow), at).await;
        assert!(matches!(by_admin, 200 | 404 | 422), "{name} by an admin: {by_admin}");
    }
}

async fn act(by: &Person<'_>, on: &Person<'_>, kind: &str) -> crate::kit::Answer {
    by.post(&format!("/api/v1/admin/accounts/{}/action", on.id), json!({ "type": kind, "text": "why" })).await
}

async fn relieve(by: &Person<'_>, on: &Person<'_>, what: &str) -> Value {
    by.post(&format!("/api/v1/admin/accounts/{}/{what}", on.id), json!({})).await.json(200)
}

#[tokio::test]
async fn nobody_acts_on_peers_or_those_above() {
    let app = TestApp::start().await;
    let mo = app.person_with("mo", Role::Moderator, ADMIN).await;
    let may = app.person_with("may", Role::Moderator, ADMIN).await;
    let ada = app.person_with("ada", Role::Admin, ADMIN).await;
    let owner = app.person_with("olga", Role::Owner, ADMIN).await;
    act(&mo, &may, "silence").await.error(403, "not allowed");
    act(&mo, &ada, "suspend").await.error(403, "not allowed");
    act(&mo, &mo, "suspend").await.error(403, "not allowed");
    act(&ada, &owner, "none").await.error(403, "not allowed");
    act(&ada, &mo, "silence").await.json(200);
    act(&owner, &ada, "disable").await.json(200);
    mo.post("/api/v1/admin/accounts/77/action", json!({ "type": "none" })).await.error(404, "not found");
    act(&owner, &mo, "tickle").await.error(422, "type");
}

#[tokio::test]
async fn accounts_are_listed_by_what_they_are() {
    let app = super::register::with_registration("approval").await;
    let mo = app.person_with("mo", Role::Moderator, ADMIN).await;
    let ana = app.person("ana").await;
    let ben = app.person("ben").await;
    let waiting = app.token(None, "read write").await;
    let form = json!({ "username": "wim", "email": "wim@w.example", "password": "cedar and juniper",
        "agreement": true, "locale": "en", "reason": "birds" });
    let joined =
        app.send(request(Method::POST, "/api/v1/accounts", Some(&waiting), Payload::Json(form))).await;
    joined.json(200);
    act(&mo, &ana, "silence").await.json(200);
    act(&mo, &ben, "suspend").await.json(200);
    let names = async |query: &str| -> Vec<String> {
        let found = mo.get(&format!("/api/{query}")).await.json(200);
        let mut all: Vec<String> =
            found.as_array().unwrap().iter().map(|a| a["username"].as_str().unwrap().to_owned()).collect();
        all.sort();
        all
    };
    assert_eq!(names("v1/admin/accounts").await, ["ana", "ben", "mo", "wim"]);
    assert_eq!(names("v1/admin/accounts?silenced=true").await, ["ana"]);
    assert_eq!(names("v1/admin/accounts?suspended=1").await, ["ben"]);
    assert_eq!(names("v1/admin/accounts?pending=true").await, ["wim"]);
    assert_eq!(names("v1/admin/accounts?staff=true").await, ["mo"]);
    assert_eq!(names("v1/admin/accounts?remote=true").await, [""; 0]);
    assert_eq!(names("v1/admin/accounts?email=wim@").await, ["wim"]);
    assert_eq!(names("v1/admin/accounts?ip=10.0.0.1").await, [""; 0]);
    assert_eq!(names("v2/admin/accounts?origin=local&status=active").await, ["ana", "mo"]);
    assert_eq!(names("v2/admin/accounts?status=pending&origin=local").await, ["wim"]);
    assert_eq!(names("v2/admin/accounts?permissions=staff").await, ["mo"]);
    assert_eq!(names("v2/admin/accounts?role_ids[]=1&role_ids[]=2").await, ["mo"]);
    assert_eq!(names("v2/admin/accounts?username=AN").await, ["ana"]);
    mo.get("/api/v2/admin/accounts?status=odd").await.error(422, "status");

    let all = super::walk(&mo, "/api/v2/admin/accounts?limit=1").await;
    assert_eq!(all.len(), 4, "each once: {all:?}");
    let wim = mo.get("/api/v1/admin/accounts?pending=true").await.json(200)[0].clone();
    assert_eq!((&wim["approved"], &wim["invite_request"]), (&json!(false), &json!("birds")));
    assert_eq!((&wim["email"], &wim["ips"]), (&json!("wim@w.example"), &json!([])));
    assert_eq!(wim["role"]["id"], "-99");
    let approved =
        mo.post(&format!("/api/v1/admin/accounts/{}/approve", id(&wim)), json!({})).await.json(200);
    assert_eq!(approved["approved"], true);
    mo.post(&format!("/api/v1/admin/accounts/{}/reject", id(&wim)), json!({}))
        .await
        .error(403, "not allowed");
}

#[tokio::test]
async fn somebody_turned_down_leaves_nothing_behind() {
    let app = super::register::with_registration("approval").await;
    let mo = app.person_with("mo", Role::Moderator, ADMIN).await;
    let token = app.token(None, "read write").await;
    let form = json!({ "username": "wim", "email": "wim@w.example", "password": "cedar and juniper",
        "agreement": true, "locale": "en", "reason": "birds" });
    let join = async || {
        let request = request(Method::POST, "/api/v1/accounts", Some(&token), Payload::Json(form.clone()));
        app.send(request).await
    };
    join().await.json(200);
    assert_eq!(join().await.status, 422, "the name is taken");
    let told = mo.get("/api/v1/notifications").await.json(200);
    assert_eq!(told[0]["type"], "admin.sign_up");
    let wim = mo.get("/api/v1/admin/accounts?pending=true").await.json(200)[0].clone();
    mo.post(&format!("/api/v1/admin/accounts/{}/reject", id(&wim)), json!({})).await.json(200);
    mo.get(&format!("/api/v1/admin/accounts/{}", id(&wim))).await.error(404, "not found");
    join().await.json(200);
}

#[tokio::test]
async fn the_limited_are_seen_by_those_who_look_for_them() {
    let app = TestApp::start().await;
    let mo = app.person_with("mo", Role::Moderator, ADMIN).await;
    let (ana, ben, eve) = (app.person("ana").await, app.person("ben").await, app.person("eve").await);
    ben.post(&format!("/api/v1/accounts/{}/follow", eve.id), json!({})).await.json(200);
    let before = post(&eve, "before #birds").await;
    act(&mo, &eve, "silence").await.json(200);
    let public = async |who: &Person<'_>, path: &str| ids(&who.get(path).await.json(200));
    for path in ["/api/v1/timelines/public", "/api/v1/timelines/tag/birds"] {
        assert_eq!(public(&ana, path).await, [""; 0], "{path}");
        assert_eq!(public(&ben, path).await, [""; 0], "{path} for a follower");
        assert_eq!(public(&eve, path).await, [id(&before)], "{path} for herself");
    }
    let seen = ana.get(&format!("/api/v1/accounts/{}", eve.id)).await.json(200);
    assert_eq!(seen["limited"], true);
    assert!(seen.get("suspended").is_none());
    ana.get(&format!("/api/v1/statuses/{}", id(&before))).await.json(200);
    let found = async |who: &Person<'_>, q: &str| {
        let found = who.get(&format!("/api/v1/accounts/search?q={q}")).await.json(200);
        found.as_array().unwrap().len()
    };
    assert_eq!((found(&ana, "ev").await, found(&ana, "eve").await, found(&ben, "ev").await), (0, 1, 1));

    // What she says to strangers is no news, and reaches no public timeline.
    let to_ana = post(&eve, "@ana hello").await;
    let to_ben = post(&eve, "@ben hello").await;
    assert_eq!((&to_ana["visibility"], &to_ben["visibility"]), (&json!("unlisted"), &json!("unlisted")));
    settle(&app).await;
    assert_eq!(ana.get("/api/v1/notifications").await.json(200), json!([]));
    assert_eq!(ben.get("/api/v1/notifications").await.json(200)[0]["type"], "mention");
    // She may ask to follow, and is looked at first.
    let asked = eve.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    assert_eq!((&asked["following"], &asked["requested"]), (&json!(false), &json!(true)));

    let context = ana.get(&format!("/api/v1/statuses/{}/context", id(&before))).await.json(200);
    assert_eq!(context["descendants"], json!([]));
    assert_eq!(relieve(&mo, &eve, "unsilence").await["silenced"], false);
    assert_eq!(public(&ana, "/api/v1/timelines/public").await, [id(&before)]);
}

#[tokio::test]
async fn the_suspended_are_gone_until_they_are_back() {
    let app = TestApp::start().await;
    let mo = app.person_with("mo", Role::Moderator, ADMIN).await;
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    eve.patch("/api/v1/accounts/update_credentials", json!({ "display_name": "Rude", "note": "worse" }))
        .await;
    ana.post(&format!("/api/v1/accounts/{}/follow", eve.id), json!({})).await.json(200);
    let bad = post(&eve, "bad").await;
    settle(&app).await;
    act(&mo, &eve, "suspend").await.json(200);

    let shown = ana.get(&format!("/api/v1/accounts/{}", eve.id)).await.json(200);
    assert_eq!((&shown["suspended"], &shown["display_name"]), (&json!(true), &json!("")));
    assert_eq!(shown["note"], "");
    assert_eq!(app.get("/api/v1/accounts/lookup?acct=eve").await.json(200)["suspended"], true);
    ana.get(&format!("/api/v1/statuses/{}", id(&bad))).await.error(404, "not found");
    assert_eq!(ana.get("/api/v1/timelines/home").await.json(200), json!([]));
    assert_eq!(ana.get("/api/v1/timelines/public").await.json(200), json!([]));
    assert_eq!(ana.get("/api/v1/accounts/search?q=eve").await.json(200), json!([]));
    eve.post("/api/v1/statuses", json!({ "status": "still here" })).await.error(403, "disabled");
    assert_eq!(app.get("/@eve").await.status, 404);
    assert_eq!(app.get("/.well-known/webfinger?resource=acct:eve@social.example").await.status, 404);

    // Other servers read that she is suspended, and nothing else of her.
    let mut asked = request(Method::GET, &format!("/ap/users/{}", eve.id), None, Payload::None);
    asked.headers_mut().insert("accept", "application/activity+json".parse().unwrap());
    let document = app.send(asked).await.json(200);
    assert_eq!((&document["suspended"], &document["summary"]), (&json!(true), &json!("")));

    let back = relieve(&mo, &eve, "unsuspend").await;
    assert_eq!(back["suspended"], false);
    let shown = ana.get(&format!("/api/v1/accounts/{}", eve.id)).await.json(200);
    assert_eq!(shown["display_name"], "Rude");
    ana.get(&format!("/api/v1/statuses/{}", id(&bad))).await.json(200);
}

#[tokio::test]
async fn logins_are_disabled_and_enabled_and_media_are_covered() {
    let app = TestApp::start().await;
    let mo = app.person_with("mo", Role::Moderator, ADMIN).await;
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let picture = post(&eve, "look").await;
    act(&mo, &eve, "sensitive").await.json(200);
    let seen = ana.get(&format!("/api/v1/statuses/{}", id(&picture))).await.json(200);
    assert_eq!(seen["sensitive"], true);
    assert_eq!(relieve(&mo, &eve, "unsensitive").await["sensitized"], false);
    let seen = ana.get(&format!("/api/v1/statuses/{}", id(&picture))).await.json(200);
    assert_eq!(seen["sensitive"], false);

    act(&mo, &eve, "disable").await.json(200);
    eve.get("/api/v1/accounts/verify_credentials").await.error(401, "access token");
    let later = app.token(Some(eve.id), "read").await;
    let me = request(Method::GET, "/api/v1/accounts/verify_credentials", Some(&later), Payload::None);
    app.send(me).await.error(403, "disabled");
    assert_eq!(relieve(&mo, &eve, "enable").await["disabled"], false);
    let me = request(Method::GET, "/api/v1/accounts/verify_credentials", Some(&later), Payload::None);
    app.send(me).await.json(200);
}

#[tokio::test]
async fn only_the_suspended_are_deleted_and_only_by_admins() {
    let app = TestApp::start().await;
    let ada = app.person_with("ada", Role::Admin, ADMIN).await;
    let eve = app.person("eve").await;
    let at = format!("/api/v1/admin/accounts/{}", eve.id);
    ada.delete(&at).await.error(403, "not allowed");
    act(&ada, &eve, "suspend").await.json(200);
    assert_eq!(ada.delete(&at).await.json(200)["username"], "eve");
}

#[tokio::test]
async fn a_purge_by_somebody_who_is_nobody_is_refused() {
    let app = TestApp::start().await;
    let ada = app.person_with("ada", Role::Admin, ADMIN).await;
    let path = "/api/waxwing/v1/deliveries/destinations/1/purge";
    ada.post(path, json!({ "sender": "ana" })).await.error(422, "no account's id");
    ada.post(path, json!({ "sender": "0" })).await.json(404);
}
