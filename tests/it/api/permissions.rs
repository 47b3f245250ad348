//! Who may do what: every operation of the API's description, asked by
//! everybody. What is expected follows from the description's own
//! `security`; what differs is listed in `tests/golden/permissions.tsv`.

use http::Method;
use serde_json::{Value, json};

use super::{id, post_to};
use crate::kit::{Payload, Person, TestApp, request};
use waxwing::model::Role;

/// `METHOD path`, who asks, status.
const SPECIAL: &str = include_str!("../../golden/permissions.tsv");
const ADMIN_SCOPES: &str = "read write follow push profile admin:read admin:write";

/// Who asks.
const ASKERS: [&str; 8] =
    ["nobody", "forged", "app", "wrong_scope", "user", "would_be_admin", "moderator", "admin"];

/// One operation.
struct Operation {
    method: Method,
    path: String,
    /// The scopes of which a token needs one; `None` without any token.
    scopes: Option<Vec<String>>,
    is_open: bool,
    /// Whether something must be sent, which may be looked at before the role.
    takes_input: bool,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("a description has paths") {
        for (method, operation) in item.as_object().expect("a path has methods") {
            let ways = operation["security"].as_array().cloned().unwrap_or_default();
            let scopes = ways.iter().find_map(|way| way["oauth"].as_array());
            let words = |all: &Vec<Value>| all.iter().filter_map(|s| Some(s.as_str()?.to_owned())).collect();
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let takes_query = parameters.iter().any(|p| p["in"] == "query" && p["required"] == true);
            all.push(Operation {
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                scopes: scopes.map(words),
                is_open: ways.is_empty() || ways.iter().any(|way| way.get("oauth").is_none()),
                takes_input: takes_query || operation.get("requestBody").is_some(),
            });
        }
    }
    all.retain(|operation| operation.path.starts_with("/api/") || operation.path == "/oauth/userinfo");
    all
}

impl Operation {
    fn is_admin(&self) -> bool {
        let places = [
            "/api/v1/admin/",
            "/api/v2/admin/",
            "/api/waxwing/v1/admin/",
            "/api/waxwing/v1/deliveries",
            "/api/waxwing/v1/nodes",
        ];
        places.iter().any(|place| self.path.starts_with(place))
    }

    /// Statuses that are right for whoever asks; empty where anything but a
    /// refusal of the asker is.
    fn expected(&self, asker: &str) -> Vec<u16> {
        let name = format!("{} {}", self.method, self.path);
        let special = SPECIAL.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [what, who, statuses] = fields.as_slice() else { return None };
            (*what == name && *who == asker)
                .then(|| statuses.split(' ').filter_map(|s| s.parse().ok()).collect())
        });
        if let Some(special) = special {
            return special;
        }
        let refused = match (asker, &self.scopes) {
            ("nobody" | "forged", Some(_)) if !self.is_open => 401,
            ("app", Some(_)) if !self.is_open => 422,
            ("wrong_scope", Some(scopes)) if !scopes.is_empty() => 403,
            ("user" | "would_be_admin", _) if self.is_admin() => 403,
            _ => return Vec::new(),
        };
        // What was sent is looked at after who sent it; but an app's own token
        // is refused by each operation itself.
        let is_by_operation = matches!(asker, "app" | "user" | "would_be_admin");
        if self.takes_input && is_by_operation { vec![refused, 422, 400] } else { vec![refused] }
    }
}

/// The token of each asker, for one operation.
async fn token(
    app: &TestApp,
    people: &[Person<'_>; 3],
    asker: &str,
    operation: &Operation,
) -> Option<String> {
    let [user, moderator, admin] = people;
    let needs_push = operation.scopes.iter().flatten().any(|scope| scope == "push");
    match asker {
        "nobody" => None,
        "forged" => Some("forged".into()),
        "app" => Some(app.token(None, ADMIN_SCOPES).await),
        "wrong_scope" => Some(app.token(Some(admin.id), if needs_push { "profile" } else { "push" }).await),
        "user" => Some(user.token.clone()),
        "would_be_admin" => Some(app.token(Some(user.id), ADMIN_SCOPES).await),
        "moderator" => Some(moderator.token.clone()),
        _ => Some(admin.token.clone()),
    }
}

#[tokio::test]
async fn every_operation_lets_in_whom_it_says() {
    let app = TestApp::start().await;
    let people = [
        app.person("uma").await,
        app.person_with("moe", Role::Moderator, ADMIN_SCOPES).await,
        app.person_with("ada", Role::Admin, ADMIN_SCOPES).await,
    ];
    let operations = operations(&app.get("/api/openapi.json").await.json(200));
    assert!(operations.len() > 100);
    let mut wrong = Vec::new();
    for operation in &operations {
        let path: Vec<&str> =
            operation.path.split('/').map(|s| if s.starts_with('{') { "1" } else { s }).collect();
        for asker in ASKERS {
            let token = token(&app, &people, asker, operation).await;
            let body = if operation.method == Method::GET { Payload::None } else { Payload::Json(json!({})) };
            let asked = request(operation.method.clone(), &path.join("/"), token.as_deref(), body);
            // Streams never end: only how they begin is looked at.
            let status = app.begin(asked).await.status().as_u16();
            let expected = operation.expected(asker);
            let is_refused = matches!(status, 401 | 403) || status >= 500;
            if if expected.is_empty() { is_refused } else { !expected.contains(&status) } {
                wrong.push(format!(
                    "{} {}\t{asker}\t{status}\texpected {expected:?}",
                    operation.method, operation.path
                ));
            }
        }
    }
    println!("{} operations by {} askers", operations.len(), ASKERS.len());
    assert!(wrong.is_empty(), "{} surprises:\n{}", wrong.len(), wrong.join("\n"));
}

/// How each looks at and acts on a post of each visibility.
#[tokio::test]
async fn a_post_is_seen_by_its_audience_alone() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (follower, named, other) =
        (app.person("fay").await, app.person("ned").await, app.person("oda").await);
    let blocked = app.person("bob").await;
    for who in [&follower, &blocked] {
        who.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    }
    let mut posts = Vec::new();
    for visibility in ["public", "unlisted", "private", "direct"] {
        posts.push(id(&post_to(&ana, "@ned a word", visibility).await));
    }
    ana.post(&format!("/api/v1/accounts/{}/block", blocked.id), json!({})).await.json(200);
    //                     public, unlisted, private, direct
    let table: [(&str, Option<&Person<'_>>, [u16; 4]); 6] = [
        ("nobody", None, [200, 200, 404, 404]),
        ("author", Some(&ana), [200, 200, 200, 200]),
        ("follower", Some(&follower), [200, 200, 200, 404]),
        ("named", Some(&named), [200, 200, 200, 200]),
        ("other", Some(&other), [200, 200, 404, 404]),
        ("blocked", Some(&blocked), [404, 404, 404, 404]),
    ];
    for (name, person, expected) in table {
        for (post, status) in posts.iter().zip(expected) {
            for path in ["", "/context", "/history", "/favourited_by", "/reblogged_by"] {
                let path = format!("/api/v1/statuses/{post}{path}");
                let token = person.map(|person| person.token.as_str());
                let answer = app.send(request(Method::GET, &path, token, Payload::None)).await;
                assert_eq!(answer.status, status, "{name} {path}");
            }
            let Some(person) = person else { continue };
            for verb in ["favourite", "unfavourite", "bookmark", "unbookmark"] {
                let path = format!("/api/v1/statuses/{post}/{verb}");
                let answer = person.post(&path, json!({})).await;
                // Taking back what was never done is no news to anybody.
                let is_right = answer.status == status
                    || (verb.starts_with("un") && answer.status == 200 && status == 404);
                assert!(is_right, "{name} {path}: {}", answer.status);
            }
            let owns = if name == "author" { 200 } else { 404 };
            let answer = person.get(&format!("/api/v1/statuses/{post}/source")).await;
            assert!(
                answer.status == owns || (status == 200 && matches!(answer.status.as_u16(), 200 | 403)),
                "{name}"
            );
            let answer =
                person.put(&format!("/api/v1/statuses/{post}"), json!({ "status": "@ned changed" })).await;
            assert_eq!(answer.status, owns, "{name} edits");
        }
    }
}

#[tokio::test]
async fn lists_filters_and_markers_of_others_are_not_there() {
    let app = TestApp::start().await;
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let list = id(&ana.post("/api/v1/lists", json!({ "title": "secret circle" })).await.json(200));
    let filter =
        json!({ "title": "secret word", "context": ["home"], "keywords_attributes": [{ "keyword": "x" }] });
    let filter = id(&ana.post("/api/v2/filters", filter).await.json(200));
    for path in [
        format!("/api/v1/lists/{list}"),
        format!("/api/v1/lists/{list}/accounts"),
        format!("/api/v1/timelines/list/{list}"),
        format!("/api/v2/filters/{filter}"),
        format!("/api/v2/filters/{filter}/keywords"),
    ] {
        ana.get(&path).await.json(200);
        let (there, missing) =
            (eve.get(&path).await, eve.get(&path.replace(&list, "17").replace(&filter, "17")).await);
        assert_eq!((there.status.as_u16(), there.text()), (404, missing.text()), "{path}");
    }
    for path in [format!("/api/v1/lists/{list}"), format!("/api/v2/filters/{filter}")] {
        eve.put(&path, json!({ "title": "mine" })).await.json(404);
        eve.delete(&path).await.json(404);
        ana.get(&path).await.json(200);
    }
    for path in ["/api/v1/lists", "/api/v2/filters"] {
        assert_eq!(eve.get(path).await.json(200), json!([]));
    }
}
