//! From a registered app to a token, and every way in which that fails.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use serde_json::{Value, json};

use waxwing::base::Id;
use waxwing::domain::{secret, session};
use waxwing::store::StoreError;

use crate::kit::{Answer, Payload, Person, TestApp, request};

const REDIRECT: &str = "app://back/from?x=1";
const CSRF: &str = "form-secret";

/// A browser in which somebody is logged in.
struct Browser<'a> {
    app: &'a TestApp,
    cookie: String,
}

impl<'a> Browser<'a> {
    async fn of(app: &'a TestApp, account: Id) -> Browser<'a> {
        let (text, moment) = (format!("cookie-{account}"), app.state.moment());
        let digest = secret::digest(&text);
        app.state
            .store
            .write(move |tx| {
                let new = session::NewSession { digest, csrf: CSRF, user_agent: "test" };
                session::create(tx, &mut moment.clone(), account, &new)
            })
            .await
            .unwrap_or_else(|e: StoreError| panic!("{e}"));
        Browser { app, cookie: format!("__Host-waxwing={text}") }
    }

    async fn post(&self, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let mut sent = request(Method::POST, "/oauth/authorize", None, Payload::Form(body.finish()));
        sent.headers_mut().insert("cookie", self.cookie.parse().unwrap());
        for (name, value) in headers {
            sent.headers_mut()
                .insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        self.app.send(sent).await
    }

    /// Says yes and gives the code.
    async fn code(&self, client: &Value, scope: &str, extra: &[(&str, &str)]) -> String {
        let mut form = form(client, scope);
        form.extend_from_slice(extra);
        let answer = self.post(&form, &[]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let target = answer.header("location").unwrap().to_owned();
        let (before, query) = target.split_once("&code=").unwrap();
        assert_eq!(before, REDIRECT);
        query.split('&').next().unwrap().replace("%5F", "_").replace("%2D", "-")
    }
}

fn form<'a>(client: &'a Value, scope: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("csrf", CSRF),
        ("response_type", "code"),
        ("client_id", client["client_id"].as_str().unwrap()),
        ("redirect_uri", REDIRECT),
        ("scope", scope),
    ]
}

async fn register(app: &TestApp) -> Value {
    let body =
        json!({ "client_name": "App", "redirect_uris": [REDIRECT], "scopes": "read write:statuses profile" });
    app.post("/api/v1/apps", body).await.json(200)
}

fn trade(client: &Value, code: &str) -> Value {
    json!({
        "grant_type": "authorization_code",
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "redirect_uri": REDIRECT,
        "code": code,
    })
}

fn without(mut body: Value, key: &str) -> Value {
    body.as_object_mut().unwrap().remove(key);
    body
}

fn with(mut body: Value, key: &str, value: &str) -> Value {
    body[key] = json!(value);
    body
}

async fn scene(app: &TestApp) -> (Value, Person<'_>, Browser<'_>) {
    let ana = app.person("ana").await;
    let browser = Browser::of(app, ana.id).await;
    (register(app).await, ana, browser)
}

#[tokio::test]
async fn a_person_lets_an_app_in() {
    let app = TestApp::start().await;
    let (client, ana, browser) = scene(&app).await;
    let code = browser.code(&client, "read", &[("state", "a b&c")]).await;
    let answer = app.post("/oauth/token", trade(&client, &code)).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let token = answer.json(200);
    assert_eq!((&token["token_type"], &token["scope"]), (&json!("Bearer"), &json!("read")));
    assert_eq!(token["created_at"], app.now().as_secs());
    let bearer = token["access_token"].as_str().unwrap();
    let get = |path: &'static str| app.send(request(Method::GET, path, Some(bearer), Payload::None));
    let me = get("/api/v1/accounts/verify_credentials").await.json(200);
    assert_eq!(me["id"], ana.id.to_string());
    let info = get("/oauth/userinfo").await.json(200);
    assert_eq!(info["preferred_username"], "ana");

    // A code works once. Who shows it again has not come by it honestly, and
    // nobody knows who was first.
    let again = app.post("/oauth/token", trade(&client, &code)).await.json(400);
    assert_eq!(again["error"], "invalid_grant");
    get("/api/v1/accounts/verify_credentials").await.error(401, "The access token is invalid");
}

#[tokio::test]
async fn the_state_comes_back_as_it_was() {
    let app = TestApp::start().await;
    let (client, _, browser) = scene(&app).await;
    let mut form = form(&client, "read");
    form.push(("state", "a b&c=d"));
    let answer = browser.post(&form, &[]).await;
    assert!(answer.header("location").unwrap().ends_with("&state=a%20b%26c%3Dd"));
    form.push(("decision", "deny"));
    let answer = browser.post(&form, &[]).await;
    let target = answer.header("location").unwrap();
    assert!(target.starts_with("app://back/from?x=1&error=access%5Fdenied"), "{target}");
}

#[tokio::test]
async fn pkce_must_fit() {
    let app = TestApp::start().await;
    let (client, _, browser) = scene(&app).await;
    let verifier = "a-verifier-of-enough-length-0123456789-0123456789";
    let challenge = URL_SAFE_NO_PAD.encode(secret::digest(verifier));
    let pkce = [("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")];
    for wrong in [None, Some("wrong")] {
        let code = browser.code(&client, "read", &pkce).await;
        let mut body = trade(&client, &code);
        if let Some(wrong) = wrong {
            body = with(body, "code_verifier", wrong);
        }
        assert_eq!(app.post("/oauth/token", body).await.json(400)["error"], "invalid_grant");
        // The failed trade has used the code up.
        let late = with(trade(&client, &code), "code_verifier", verifier);
        app.post("/oauth/token", late).await.json(400);
    }
    let code = browser.code(&client, "read", &pkce).await;
    let right = with(without(trade(&client, &code), "client_secret"), "code_verifier", verifier);
    app.post("/oauth/token", right).await.json(200);
    // A verifier without a challenge is an attempt to downgrade.
    let code = browser.code(&client, "read", &[]).await;
    app.post("/oauth/token", with(trade(&client, &code), "code_verifier", verifier)).await.json(400);
}

#[tokio::test]
async fn tokens_are_refused_with_doorkeepers_words() {
    let app = TestApp::start().await;
    let (client, _, browser) = scene(&app).await;
    let other = register(&app).await;
    let code = browser.code(&client, "read", &[]).await;
    let good = trade(&client, &code);
    let cases = [
        (without(good.clone(), "grant_type"), 400, "invalid_request", "missing a required parameter"),
        (without(good.clone(), "code"), 400, "invalid_request", "missing a required parameter"),
        (with(good.clone(), "grant_type", "password"), 400, "unsupported_grant_type", "not supported"),
        (with(good.clone(), "client_secret", "x"), 401, "invalid_client", "Client authentication failed"),
        (without(good.clone(), "client_secret"), 401, "invalid_client", "Client authentication failed"),
        (with(good.clone(), "client_id", "x"), 401, "invalid_client", "Client authentication failed"),
        (with(good.clone(), "code", "x"), 400, "invalid_grant", "invalid, expired, revoked"),
        (trade(&other, &code), 400, "invalid_grant", "issued to another client"),
        (with(good.clone(), "redirect_uri", "app://back/from"), 400, "invalid_grant", "redirection URI"),
    ];
    for (body, status, error, words) in cases {
        let answer = app.post("/oauth/token", body).await.json(status);
        assert_eq!(answer["error"], error, "{answer}");
        assert!(answer["error_description"].as_str().unwrap().contains(words), "{answer}");
    }
}

#[tokio::test]
async fn a_code_stops_working_after_ten_minutes() {
    let app = TestApp::start().await;
    let (client, _, browser) = scene(&app).await;
    let code = browser.code(&client, "read", &[]).await;
    app.clock.advance(std::time::Duration::from_secs(601));
    assert_eq!(app.post("/oauth/token", trade(&client, &code)).await.json(400)["error"], "invalid_grant");
}

#[tokio::test]
async fn nothing_redirects_to_an_address_that_was_not_registered() {
    let app = TestApp::start().await;
    let (client, _, browser) = scene(&app).await;
    let wrong = [
        ("redirect_uri", "app://back/from?x=1&y=2"),
        ("redirect_uri", "app://back/from"),
        ("redirect_uri", "https://evil.example/"),
        ("client_id", "unknown"),
        ("response_type", "token"),
        ("scope", "write"),
        ("scope", "admin:read"),
        ("scope", "nonsense"),
        ("code_challenge", "short"),
    ];
    for (key, value) in wrong {
        for decision in ["allow", "deny"] {
            let mut form = form(&client, "read");
            form.retain(|(name, _)| *name != key);
            form.extend([(key, value), ("decision", decision)]);
            let answer = browser.post(&form, &[]).await;
            assert_eq!(answer.status, 400, "{key}={value}: {}", answer.text());
            assert_eq!(answer.header("location"), None);
        }
    }
}

#[tokio::test]
async fn only_our_own_form_says_yes() {
    let app = TestApp::start().await;
    let (client, _, browser) = scene(&app).await;
    let good = form(&client, "read");
    let mut forged = good.clone();
    forged[0].1 = "guess";
    assert_eq!(browser.post(&forged, &[]).await.status, 403);
    assert_eq!(browser.post(&good[1..], &[]).await.status, 403);
    assert_eq!(browser.post(&good, &[("sec-fetch-site", "cross-site")]).await.status, 403);
    assert_eq!(browser.post(&good, &[("origin", "https://evil.example")]).await.status, 403);
    let stranger = Browser { app: &app, cookie: "__Host-waxwing=guess".into() };
    let answer = stranger.post(&good, &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, Some("/login?next=%2F")));
}

#[tokio::test]
async fn the_api_does_not_know_cookies() {
    let app = TestApp::start().await;
    let (_, _, browser) = scene(&app).await;
    let mut sent = request(Method::GET, "/api/v1/accounts/verify_credentials", None, Payload::None);
    sent.headers_mut().insert("cookie", browser.cookie.parse().unwrap());
    let refused = app.send(sent).await;
    refused.error(401, "The access token is invalid");
    assert!(refused.header("www-authenticate").unwrap().starts_with("Bearer "));
}

#[tokio::test]
async fn a_revoked_token_is_dead() {
    let app = TestApp::start().await;
    let (client, _, browser) = scene(&app).await;
    let other = register(&app).await;
    let code = browser.code(&client, "read", &[]).await;
    let token = app.post("/oauth/token", trade(&client, &code)).await.json(200);
    let bearer = token["access_token"].as_str().unwrap();
    let revoke = |client: &Value| json!({ "client_id": client["client_id"], "client_secret": client["client_secret"], "token": bearer });
    let refused = app.post("/oauth/revoke", revoke(&other)).await.json(403);
    assert_eq!(refused["error"], "unauthorized_client");
    let path = "/api/v1/accounts/verify_credentials";
    app.send(request(Method::GET, path, Some(bearer), Payload::None)).await.json(200);
    assert_eq!(app.post("/oauth/revoke", revoke(&client)).await.json(200), json!({}));
    app.send(request(Method::GET, path, Some(bearer), Payload::None)).await.error(401, "invalid");
    // Revoking again is fine (RFC 7009 §2.2).
    app.post("/oauth/revoke", revoke(&client)).await.json(200);
}

#[tokio::test]
async fn scopes_hold() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let path = "/api/v1/accounts/verify_credentials";
    let cases = [
        ("read", 200),
        ("read:accounts", 200),
        ("profile", 200),
        ("read:statuses", 403),
        ("write", 403),
        ("push", 403),
    ];
    for (scopes, status) in cases {
        let token = app.token(Some(ana.id), scopes).await;
        let answer = app.send(request(Method::GET, path, Some(&token), Payload::None)).await;
        let body = answer.json(status);
        if status == 403 {
            assert_eq!(body["error"], "This action is outside the authorized scopes", "{scopes}");
        }
    }
    let alone = app.token(None, "read").await;
    let answer = app.send(request(Method::GET, path, Some(&alone), Payload::None)).await;
    answer.error(422, "This method requires an authenticated user");
}

#[tokio::test]
async fn credentials_may_come_in_the_header() {
    let app = TestApp::start().await;
    let client = register(&app).await;
    let pair =
        format!("{}:{}", client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    let body = Payload::Form("grant_type=client_credentials&scope=read".into());
    let mut sent = request(Method::POST, "/oauth/token", None, body);
    sent.headers_mut().insert("authorization", format!("Basic {}", STANDARD.encode(pair)).parse().unwrap());
    assert_eq!(app.send(sent).await.json(200)["scope"], "read");
    let wide = json!({
        "grant_type": "client_credentials", "scope": "write",
        "client_id": client["client_id"], "client_secret": client["client_secret"],
    });
    assert_eq!(app.post("/oauth/token", wide).await.json(400)["error"], "invalid_scope");
}

#[tokio::test]
async fn the_metadata_offers_s256_alone() {
    let app = TestApp::start().await;
    let answer = app.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let body = answer.json(200);
    assert_eq!(body["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(body["token_endpoint"], "https://social.example/oauth/token");
    assert!(body["scopes_supported"].as_array().unwrap().contains(&json!("read:accounts")));
}
