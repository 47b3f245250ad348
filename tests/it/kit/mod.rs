//! A whole Waxwing, most often in memory, without sockets: requests go straight into the
//! router. `TestApp::start().await`, `app.person("ana").await`, then
//! `ana.post("/api/v1/statuses", json!({…})).await.json(200)`.

#![allow(dead_code)] // not every test uses every tool

pub mod place;
#[path = "../../kit/ports.rs"]
pub mod ports;
mod schema;
pub mod smtp;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use waxwing::app::server::assemble;
use waxwing::base::{Clock, FixedChance, Id, ManualClock, Timestamp};
use waxwing::config::{self, Config, Environment, MediaChoice, Overrides};
use waxwing::domain::{oauth, password, secret, user};
use waxwing::edge::{self, AppState};
use waxwing::model::{KeyPair, Role};
use waxwing::store::{Store, StoreError};
use waxwing::wire::http_signature::PrivateKey;

/// The password of everybody in tests.
pub const PASSWORD: &str = "cedar and juniper";
/// Everything an app may ask for.
pub const ALL_SCOPES: &str = "read write follow push";

/// A whole server without sockets.
pub struct TestApp {
    /// Its parts.
    pub state: AppState,
    /// Its time: stands still until moved.
    pub clock: ManualClock,
    router: axum::Router,
    schema: Arc<schema::Schema>,
    /// Its own data, because tests run side by side.
    _data: tempfile::TempDir,
}

impl TestApp {
    /// At `https://social.example`, registration open.
    pub async fn start() -> TestApp {
        TestApp::with("").await
    }

    /// With further directives. Time stands still, so nothing is limited
    /// unless they say so.
    pub async fn with(directives: &str) -> TestApp {
        let limits = if directives.contains("rate_limit") { "" } else { "rate_limit off" };
        let joining = if directives.contains("registration ") { "" } else { "registration open" };
        let text = format!(
            "https://social.example\ntls internal\nstore memory\nadmin off\n{joining}\n{limits}\n{directives}\n"
        );
        TestApp::configured(settings(&text), place::empty_store()).await
    }

    /// With any settings, over any store.
    pub async fn configured(config: Config, store: Store) -> TestApp {
        let clock = ManualClock::at(Timestamp::from_secs(1_764_000_000));
        let chance = Arc::new(FixedChance::new(7));
        let data = tempfile::tempdir().expect("tests can make folders");
        let media = match config.media {
            MediaChoice::Folder(_) => MediaChoice::Folder(data.path().join("media")),
            elsewhere => elsewhere,
        };
        let config = Config { data: data.path().to_owned(), media, ..config };
        let state = assemble(config, store, Arc::new(clock.clone()), chance, keys())
            .expect("the settings of a test are right");
        let router = edge::router(&state);
        let schema = described(&router).await;
        TestApp { state, clock, router, schema, _data: data }
    }

    /// Somebody with an account, logged in with all scopes.
    pub async fn person(&self, username: &str) -> Person<'_> {
        self.person_with(username, Role::User, ALL_SCOPES).await
    }

    /// Somebody with a role and a token with these scopes.
    pub async fn person_with(&self, username: &str, role: Role, scopes: &str) -> Person<'_> {
        let new = user::NewUser {
            username: username.to_owned(),
            email: None,
            password_hash: password_hash(),
            keys: keys(),
            reason: None,
            invite: None,
            app: None,
            locale: None,
        };
        let (site, moment) = (self.state.site.clone(), self.state.moment());
        let account = self
            .state
            .store
            .write(move |tx| {
                user::sign_up(tx, &mut moment.clone(), &site, user::Entry::Given(role), &new)
                    .map_err(|refusal| StoreError::Engine(format!("{refusal:?}")))
            })
            .await
            .expect("a test's person can join");
        let token = self.token(Some(account.id), scopes).await;
        Person { app: self, id: account.id, token }
    }

    /// A token for somebody, or for an app alone.
    pub async fn token(&self, account: Option<Id>, scopes: &str) -> String {
        let token = self.state.chance_secret();
        let (digest, client_id) = (secret::digest(&token), self.state.chance_secret());
        let scopes = oauth::scopes::parse(scopes).expect("a test's scopes exist");
        let moment = self.state.moment();
        self.state
            .store
            .write(move |tx| {
                let mut moment = moment.clone();
                let new = oauth::NewApp {
                    name: "kit".into(),
                    website: None,
                    redirect_uris: vec![oauth::OUT_OF_BAND.into()],
                    scopes: scopes.clone(),
                    client_id: client_id.clone(),
                    secret_digest: [0; 32],
                };
                let app = oauth::register(tx, &mut moment, &new)
                    .map_err(|refusal| StoreError::Engine(format!("{refusal:?}")))?;
                oauth::issue(tx, &mut moment, digest, &app, account, scopes.clone());
                Ok::<_, StoreError>(())
            })
            .await
            .expect("a test's app can register");
        token
    }

    /// Sends any request.
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 40_000));
        request.extensions_mut().insert(ConnectInfo(address));
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = answer(&self.router, request).await;
        self.schema.check(method.as_str(), &path, &answer);
        answer
    }

    /// Sends any request; the body of the answer may never end.
    pub async fn begin(&self, request: Request<Body>) -> http::Response<Body> {
        self.router.clone().oneshot(request).await.expect("the router always answers")
    }

    /// Reads an answer to its end.
    pub async fn finish(&self, response: http::Response<Body>) -> Answer {
        collect(response).await
    }

    /// A GET without a token.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path, None, Payload::None)).await
    }

    /// A POST of JSON without a token.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(request(Method::POST, path, None, Payload::Json(body))).await
    }

    /// Waits until everything that is in the store can be searched.
    pub async fn index(&self) {
        waxwing::app::jobs::indexer(&self.state).catch_up().await.expect("the index can be written");
    }

    /// The time of this server.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// What the router answers.
async fn answer(router: &axum::Router, request: Request<Body>) -> Answer {
    collect(router.clone().oneshot(request).await.expect("the router always answers")).await
}

async fn collect(response: http::Response<Body>) -> Answer {
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.map(|b| b.to_bytes().to_vec()).unwrap_or_default();
    Answer { status: head.status, headers: head.headers, bytes }
}

/// The API's description of itself: the same for every server of this process.
async fn described(router: &axum::Router) -> Arc<schema::Schema> {
    static SCHEMA: tokio::sync::OnceCell<Arc<schema::Schema>> = tokio::sync::OnceCell::const_new();
    let read = async || {
        let asked = request(Method::GET, "/api/openapi.json", None, Payload::None);
        schema::Schema::new(answer(router, asked).await.json(200))
    };
    SCHEMA.get_or_init(read).await.clone()
}

/// Random text for tests.
trait TestSecret {
    fn chance_secret(&self) -> String;
}

impl TestSecret for AppState {
    fn chance_secret(&self) -> String {
        self.chance.secret(24)
    }
}

/// Somebody with a token.
pub struct Person<'a> {
    app: &'a TestApp,
    /// Their account.
    pub id: Id,
    /// Their token.
    pub token: String,
}

impl Person<'_> {
    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, Payload::None).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Payload::Json(body)).await
    }

    /// POST of a form.
    pub async fn post_form(&self, path: &str, body: &str) -> Answer {
        self.call(Method::POST, path, Payload::Form(body.to_owned())).await
    }

    /// PUT of JSON.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Payload::Json(body)).await
    }

    /// PATCH of JSON.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Payload::Json(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, Payload::None).await
    }

    /// Any request with the token.
    pub async fn call(&self, method: Method, path: &str, payload: Payload) -> Answer {
        self.app.send(request(method, path, Some(&self.token), payload)).await
    }
}

/// A request's body.
pub enum Payload {
    /// None.
    None,
    /// JSON.
    Json(Value),
    /// `application/x-www-form-urlencoded`.
    Form(String),
}

/// Builds a request.
pub fn request(method: Method, path: &str, token: Option<&str>, payload: Payload) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path).header("host", "social.example");
    if let Some(token) = token {
        builder = builder.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = match payload {
        Payload::None => Body::empty(),
        Payload::Json(value) => {
            builder = builder.header(CONTENT_TYPE, "application/json");
            Body::from(value.to_string())
        }
        Payload::Form(text) => {
            builder = builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            Body::from(text)
        }
    };
    builder.body(body).expect("a test's request is well formed")
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Asserts the status and gives the body as JSON.
    #[track_caller]
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("not JSON ({e}): {}", self.text()))
    }

    /// Asserts the status and the words of `{"error": …}`.
    #[track_caller]
    pub fn error(&self, status: u16, words: &str) {
        let body = self.json(status);
        assert!(body["error"].as_str().is_some_and(|e| e.contains(words)), "{body}");
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The path of a `Link` header's relation, such as `next`.
    pub fn link(&self, relation: &str) -> Option<String> {
        let wanted = format!("rel=\"{relation}\"");
        let part = self.header("link")?.split(',').find(|part| part.contains(&wanted))?;
        let uri = part.split('<').nth(1)?.split('>').next()?;
        Some(uri.trim_start_matches("https://social.example").to_owned())
    }
}

/// Settings from the lines of a config file.
pub fn settings(text: &str) -> Config {
    let environment = Environment {
        current_dir: std::env::temp_dir(),
        data_dir: Some(std::env::temp_dir().join("waxwing-tests")),
    };
    config::parse(Path::new("test.conf"), text.as_bytes(), &environment, &Overrides::default())
        .unwrap_or_else(|complaints| panic!("a test's settings are right: {complaints}"))
}

/// One signing key for everybody: making one takes long.
pub fn keys() -> KeyPair {
    static KEYS: OnceLock<KeyPair> = OnceLock::new();
    KEYS.get_or_init(|| {
        let key = PrivateKey::generate().expect("a key can be made");
        KeyPair {
            private_der: key.to_pkcs8().expect("a fresh key can be written"),
            public_pem: key.public_pem().expect("a fresh key can be written"),
        }
    })
    .clone()
}

/// The hash of [`PASSWORD`].
pub fn password_hash() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| password::hash(PASSWORD, [7; 16])).clone()
}
