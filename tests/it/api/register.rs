//! Signing up through an app.

use http::Method;
use serde_json::{Value, json};

use waxwing::base::Id;
use waxwing::domain::user::{self, UserError};
use waxwing::model::{Invite, Role};
use waxwing::store::StoreError;

use crate::kit::place::empty_store;
use crate::kit::{Answer, Payload, Person, TestApp, request, settings};

fn valid() -> Value {
    json!({ "username": "newcomer", "email": "n@example.org", "password": "a long enough one", "agreement": true })
}

async fn sign_up(app: &TestApp, token: &str, body: Value) -> Answer {
    app.send(request(Method::POST, "/api/v1/accounts", Some(token), Payload::Json(body))).await
}

#[tokio::test]
async fn an_app_signs_somebody_up() {
    let app = TestApp::start().await;
    let token = app.token(None, "read write").await;
    let made = sign_up(&app, &token, valid()).await.json(200);
    assert_eq!((&made["token_type"], &made["scope"]), (&json!("Bearer"), &json!("read write")));
    let bearer = made["access_token"].as_str().unwrap();
    let path = "/api/v1/accounts/verify_credentials";
    let me = app.send(request(Method::GET, path, Some(bearer), Payload::None)).await.json(200);
    assert_eq!(me["acct"], "newcomer");
    // A person's token signs nobody up.
    sign_up(&app, bearer, valid()).await.error(403, "This action is not allowed");
    app.post("/api/v1/accounts", valid()).await.error(401, "The access token is invalid");
}

#[tokio::test]
async fn every_fault_is_named() {
    let app = TestApp::start().await;
    let token = app.token(None, "write:accounts").await;
    let all = sign_up(&app, &token, json!({})).await.json(422);
    let blank = json!([{ "error": "ERR_BLANK", "description": "can't be blank" }]);
    for field in ["username", "email", "password"] {
        assert_eq!(all["details"][field], blank, "{field}");
    }
    assert_eq!(
        all["details"]["agreement"][0],
        json!({ "error": "ERR_ACCEPTED", "description": "must be accepted" })
    );
    assert!(all["error"].as_str().unwrap().starts_with("Validation failed: "));

    app.person("taken").await;
    let cases = [
        ("username", "taken", "ERR_TAKEN"),
        ("username", "TAKEN", "ERR_TAKEN"),
        ("username", "a b", "ERR_INVALID"),
        ("username", "admin", "ERR_RESERVED"),
        ("username", &"x".repeat(31), "ERR_TOO_LONG"),
        ("email", "nowhere", "ERR_INVALID"),
        ("password", "short", "ERR_TOO_SHORT"),
    ];
    for (field, value, code) in cases {
        // Each from a network of its own: failed attempts count too.
        app.clock.advance(std::time::Duration::from_secs(1800));
        let mut body = valid();
        body[field] = json!(value);
        let answer = sign_up(&app, &token, body).await.json(422);
        assert_eq!(answer["details"][field][0]["error"], code, "{answer}");
    }
}

pub(super) async fn with_registration(how: &str) -> TestApp {
    let text = format!("https://social.example\ntls internal\nstore memory\nadmin off\nregistration {how}\n");
    TestApp::configured(settings(&text), empty_store()).await
}

#[tokio::test]
async fn a_closed_server_takes_nobody() {
    let app = with_registration("closed").await;
    let token = app.token(None, "write").await;
    sign_up(&app, &token, valid()).await.error(403, "This action is not allowed");
}

#[tokio::test]
async fn approval_needs_a_reason_and_then_patience() {
    let app = with_registration("approval").await;
    let owner = app.person_with("owner", Role::Owner, "read admin:read").await;
    let token = app.token(None, "read write").await;
    let blank = sign_up(&app, &token, valid()).await.json(422);
    assert_eq!(blank["details"]["reason"][0]["error"], "ERR_BLANK");
    let mut body = valid();
    body["reason"] = json!("I like birds");
    let made = sign_up(&app, &token, body).await.json(200);
    let bearer = made["access_token"].as_str().unwrap();
    let me = || request(Method::GET, "/api/v1/accounts/verify_credentials", Some(bearer), Payload::None);
    app.send(me()).await.error(403, "Your login is currently pending approval");
    // Until then nobody sees them but the staff, who have to decide.
    seen(&app, &owner, 404).await;
    let told = owner.get("/api/v1/notifications?types[]=admin.sign_up").await.json(200);
    assert_eq!(told[0]["account"]["acct"], "newcomer", "{told}");
    let told = owner.get("/api/v2/notifications?types[]=admin.sign_up").await.json(200);
    assert_eq!(told["accounts"][0]["acct"], "newcomer", "{told}");
    let waiting = owner.get("/api/v2/admin/accounts?status=pending").await.json(200);
    let id: Id = waiting[0]["id"].as_str().unwrap().parse().unwrap();
    let by_id = format!("/api/v1/accounts/{id}");
    owner.get(&by_id).await.json(404);
    let (moment, site) = (app.state.moment(), app.state.site.clone());
    app.state
        .store
        .write(move |tx| user::approve(tx, &mut moment.clone(), &site, id))
        .await
        .unwrap_or_else(|e: UserError| panic!("{e:?}"));
    app.send(me()).await.json(200);
    owner.get(&by_id).await.json(200);
    seen(&app, &owner, 200).await;
}

/// Everywhere that somebody could look for the newcomer answers so.
async fn seen(app: &TestApp, owner: &Person<'_>, status: u16) {
    for path in [
        "/api/v1/accounts/lookup?acct=newcomer",
        "/.well-known/webfinger?resource=acct:newcomer@social.example",
        "/@newcomer",
    ] {
        assert_eq!(app.get(path).await.status, status, "{path}");
    }
    let found = owner.get("/api/v2/search?q=newcomer&type=accounts").await.json(200);
    assert_eq!(found["accounts"].as_array().unwrap().len(), usize::from(status == 200), "{found}");
}

#[tokio::test]
async fn an_invitation_opens_the_door_as_often_as_it_says() {
    let app = with_registration("invite").await;
    let ana = app.person("ana").await;
    let (creator, created_at) = (ana.id, app.now());
    let write = app.state.store.write(move |tx| {
        let invite = Invite { creator, created_at, expires_at: None, uses_left: Some(1) };
        user::create_invite(tx, "feather", &invite);
        Ok::<_, StoreError>(())
    });
    write.await.unwrap();
    let token = app.token(None, "write").await;
    sign_up(&app, &token, valid()).await.error(403, "This action is not allowed");
    let mut body = valid();
    body["invite_code"] = json!("guess");
    assert_eq!(
        sign_up(&app, &token, body.clone()).await.json(422)["details"]["invite_code"][0]["error"],
        "ERR_INVALID"
    );
    body["invite_code"] = json!("feather");
    sign_up(&app, &token, body.clone()).await.json(200);
    (body["username"], body["email"]) = (json!("second"), json!("s@example.org"));
    sign_up(&app, &token, body).await.json(422);
}

#[tokio::test]
async fn mass_sign_ups_are_stopped() {
    let app = TestApp::with("rate_limit 1x").await;
    let token = app.token(None, "write").await;
    for n in 0..5 {
        let mut body = valid();
        (body["username"], body["email"]) = (json!(format!("n{n}")), json!(format!("n{n}@example.org")));
        sign_up(&app, &token, body).await.json(200);
    }
    sign_up(&app, &token, valid()).await.json(429);
}
