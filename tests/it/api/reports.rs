//! Reporting somebody.

use serde_json::json;
use waxwing::model::Role;

use super::{id, post, post_to};
use crate::kit::TestApp;

const ADMIN: &str = "read write admin:read admin:write";
const RULES: &str = "rules \"Be kind.\" \"No spam.\"";

#[tokio::test]
async fn a_report_reaches_the_moderators_and_nobody_else() {
    let app = TestApp::with(RULES).await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let mo = app.person_with("mo", Role::Moderator, ADMIN).await;
    let (bad, private) = (post(&ben, "spam").await, post_to(&ben, "hidden", "private").await);
    let mine = post(&ana, "mine").await;
    let sent = json!({
        "account_id": ben.id.to_string(), "comment": "look", "category": "violation", "rule_ids": ["2"],
        "status_ids": [id(&bad), id(&private), id(&mine)],
    });
    let report = ana.post("/api/v1/reports", sent).await.json(200);
    assert_eq!((&report["category"], &report["comment"]), (&json!("violation"), &json!("look")));
    assert_eq!(report["status_ids"], json!([id(&bad)]), "only posts of theirs that ana may see");
    assert_eq!(report["rule_ids"], json!(["2"]));
    assert_eq!((&report["action_taken"], &report["forwarded"]), (&json!(false), &json!(false)));
    assert_eq!(report["target_account"]["username"], "ben");

    let told = mo.get("/api/v1/notifications").await.json(200);
    assert_eq!(told[0]["type"], "admin.report");
    assert_eq!(told[0]["account"]["username"], "ana");
    assert_eq!(told[0]["report"]["id"], report["id"]);
    assert_eq!(ben.get("/api/v1/notifications").await.json(200), json!([]));

    let listed = mo.get("/api/v1/admin/reports").await.json(200);
    assert_eq!(listed[0]["id"], report["id"]);
    assert_eq!(listed[0]["statuses"][0]["id"], bad["id"]);
    assert_eq!(listed[0]["rules"][0]["text"], "No spam.");
    assert_eq!(listed[0]["account"]["username"], "ana");
    assert_eq!(listed[0]["assigned_account"], json!(null));
}

#[tokio::test]
async fn what_cannot_be_reported_is_refused() {
    let app = TestApp::with(RULES).await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let to = ben.id.to_string();
    ana.post("/api/v1/reports", json!({})).await.error(422, "account_id");
    ana.post("/api/v1/reports", json!({ "account_id": "999" })).await.error(404, "Record not found");
    let unknown_rule = json!({ "account_id": to, "rule_ids": ["7"] });
    ana.post("/api/v1/reports", unknown_rule).await.error(422, "rules");
    let long = json!({ "account_id": to, "comment": "x".repeat(1001) });
    ana.post("/api/v1/reports", long).await.error(422, "too long");
    let word = json!({ "account_id": to, "category": "boring" });
    ana.post("/api/v1/reports", word).await.error(422, "category");
    app.post("/api/v1/reports", json!({ "account_id": to })).await.error(401, "access token");
    let reader = app.person_with("rea", Role::User, "read").await;
    reader.post("/api/v1/reports", json!({ "account_id": to })).await.error(403, "scopes");
    // A form with one post in the place of a list.
    let sent = format!("account_id={to}&status_ids=1&forward=false");
    ana.post_form("/api/v1/reports", &sent).await.json(200);
}

#[tokio::test]
async fn a_moderator_works_on_a_report() {
    let app = TestApp::with(RULES).await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let mo = app.person_with("mo", Role::Moderator, ADMIN).await;
    let report = ana.post("/api/v1/reports", json!({ "account_id": ben.id.to_string() })).await.json(200);
    let at = |what: &str| format!("/api/v1/admin/reports/{}{what}", id(&report));
    let step = async |what: &str| mo.post(&at(what), json!({})).await.json(200);
    assert_eq!(step("/assign_to_self").await["assigned_account"]["username"], "mo");
    assert_eq!(step("/unassign").await["assigned_account"], json!(null));
    let done = step("/resolve").await;
    assert_eq!(done["action_taken"], true);
    assert_eq!(done["action_taken_by_account"]["username"], "mo");
    assert!(done["action_taken_at"].is_string());
    assert_eq!(mo.get("/api/v1/admin/reports").await.json(200), json!([]));
    assert_eq!(mo.get("/api/v1/admin/reports?resolved=true").await.json(200)[0]["id"], report["id"]);
    assert_eq!(step("/reopen").await["action_taken"], false);
    let change = json!({ "category": "violation", "rule_ids": ["1"] });
    let changed = mo.put(&at(""), change.clone()).await.json(200);
    assert_eq!((&changed["category"], &changed["rules"][0]["id"]), (&json!("violation"), &json!("1")));
    mo.patch(&at(""), change).await.json(200);
    assert_eq!(mo.get(&at("")).await.json(200)["category"], "violation");
    let by = format!("/api/v1/admin/reports?account_id={}", ben.id);
    assert_eq!(mo.get(&by).await.json(200), json!([]));
    let about = format!("/api/v1/admin/reports?target_account_id={}", ben.id);
    assert_eq!(mo.get(&about).await.json(200).as_array().unwrap().len(), 1);
    mo.get("/api/v1/admin/reports/99").await.error(404, "Record not found");
    // An action about the account resolves what waits.
    let act = format!("/api/v1/admin/accounts/{}/action", ben.id);
    mo.post(&act, json!({ "type": "silence", "report_id": id(&report) })).await.json(200);
    assert_eq!(mo.get(&at("")).await.json(200)["action_taken"], true);
}
