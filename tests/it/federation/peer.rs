//! Another server: serves documents on loopback, and signs what it sends.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde_json::{Value, json};
use url::Url;

use waxwing::base::Id;
use waxwing::edge::federation;
use waxwing::model::queue::tables::{ACT, JOB};
use waxwing::model::queue::{Act, DestinationId, InboxId, Job, JobKey, JobKind, Lane, SignatureProfile};
use waxwing::model::tables::{ACCOUNT_BY_URI, STATUS, STATUS_BY_URI};
use waxwing::model::{Account, Status};
use waxwing::queue::{Attempt, Handlers, Ours};
use waxwing::store::{Scan, StoreError};
use waxwing::wire::http_signature::{self, Kind, Outgoing, PrivateKey, Signer};

use crate::kit::{Answer, TestApp};

pub const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// Lets the tests' peers be reached.
pub async fn app() -> TestApp {
    TestApp::with("outbound_allow 127.0.0.0/8").await
}

#[derive(Default)]
struct Shelf {
    documents: HashMap<String, (&'static str, Vec<u8>)>,
    asked: Vec<String>,
}

/// A server on loopback, over plain HTTP.
pub struct Peer {
    pub origin: String,
    shelf: Arc<Mutex<Shelf>>,
    pub key: Arc<PrivateKey>,
}

impl Peer {
    pub async fn start() -> Peer {
        let shelf: Arc<Mutex<Shelf>> = Arc::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(shelf.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Peer { origin, shelf, key: key(0) }
    }

    /// Serves a document at its own id, and gives it back.
    pub fn serve(&self, document: Value) -> Value {
        let id = document["id"].as_str().unwrap().to_owned();
        self.serve_at(&id, &document);
        document
    }

    pub fn serve_at(&self, url: &str, document: &Value) {
        self.serve_as(url, "application/activity+json", document);
    }

    pub fn serve_as(&self, url: &str, media_type: &'static str, document: &Value) {
        self.serve_file(url, media_type, document.to_string().into_bytes());
    }

    pub fn serve_file(&self, url: &str, media_type: &'static str, bytes: Vec<u8>) {
        let path = url.strip_prefix(&self.origin).unwrap_or(url).to_owned();
        self.shelf.lock().documents.insert(path, (media_type, bytes));
    }

    pub fn remove(&self, id: &str) {
        self.shelf.lock().documents.remove(id.strip_prefix(&self.origin).unwrap());
    }

    /// Paths that were asked for since the last look.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shelf.lock().asked)
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Somebody on this server.
    pub fn actor(&self, name: &str) -> String {
        self.actor_with(name, |_| {})
    }

    pub fn actor_with(&self, name: &str, change: impl FnOnce(&mut Value)) -> String {
        let id = self.url(&format!("/users/{name}"));
        let mut document = actor_document(&id, name, &self.key);
        change(&mut document);
        self.serve_at(&id, &document);
        id
    }

    /// A public note of somebody here, not served.
    pub fn note(&self, author: &str, path: &str, text: &str) -> Value {
        json!({
            "id": self.url(path),
            "type": "Note",
            "attributedTo": author,
            "to": [PUBLIC],
            "cc": [format!("{author}/followers")],
            "published": "2025-11-24T16:00:00Z",
            "content": text,
        })
    }

    /// A signed POST of an activity of `actor`.
    pub async fn send(&self, app: &TestApp, actor: &str, activity: &Value) -> Answer {
        self.send_signed(app, &format!("{actor}#main-key"), activity).await
    }

    pub async fn send_signed(&self, app: &TestApp, key_id: &str, activity: &Value) -> Answer {
        app.send(signed_post(app, Kind::Cavage, (key_id, &self.key), "/inbox", activity)).await
    }

    /// Sends it, expects 202, and does what it asks for.
    pub async fn deliver(&self, app: &TestApp, actor: &str, activity: &Value) {
        let answer = self.send(app, actor, activity).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        work(app).await;
    }
}

pub fn actor_document(id: &str, name: &str, key: &PrivateKey) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "id": id,
        "type": "Person",
        "preferredUsername": name,
        "name": name.to_uppercase(),
        "inbox": format!("{id}/inbox"),
        "outbox": format!("{id}/outbox"),
        "followers": format!("{id}/followers"),
        "publicKey": { "id": format!("{id}#main-key"), "owner": id, "publicKeyPem": key.public_pem().unwrap() },
    })
}

async fn answer(State(shelf): State<Arc<Mutex<Shelf>>>, request: Request) -> Response {
    let path = request.uri().path_and_query().unwrap().to_string();
    let mut shelf = shelf.lock();
    shelf.asked.push(path.clone());
    match shelf.documents.get(&path) {
        Some((media_type, text)) => ([(CONTENT_TYPE, *media_type)], text.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A few keys for all tests: making one takes long.
pub fn key(number: usize) -> Arc<PrivateKey> {
    static KEYS: [OnceLock<Arc<PrivateKey>>; 2] = [OnceLock::new(), OnceLock::new()];
    KEYS[number].get_or_init(|| Arc::new(PrivateKey::generate().unwrap())).clone()
}

/// A signed POST to our server.
pub fn signed_post(
    app: &TestApp,
    kind: Kind,
    (key_id, key): (&str, &PrivateKey),
    path: &str,
    activity: &Value,
) -> Request {
    let body = activity.to_string();
    let url = Url::parse(&format!("https://social.example{path}")).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("host", "social.example".parse().unwrap());
    headers.insert("content-type", "application/activity+json".parse().unwrap());
    let outgoing = Outgoing { method: &Method::POST, url: &url, body: Some(body.as_bytes()), now: app.now() };
    http_signature::sign(kind, &outgoing, &Signer { key_id, key }, &mut headers).unwrap();
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = path.parse().unwrap();
    *request.headers_mut() = headers;
    request
}

/// A signed GET of a document from our server.
pub fn signed_get(app: &TestApp, key_id: &str, key: &PrivateKey, path: &str) -> Request {
    let url = Url::parse(&format!("https://social.example{path}")).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("host", "social.example".parse().unwrap());
    headers.insert("accept", "application/activity+json".parse().unwrap());
    let outgoing = Outgoing { method: &Method::GET, url: &url, body: None, now: app.now() };
    http_signature::sign(Kind::Cavage, &outgoing, &Signer { key_id, key }, &mut headers).unwrap();
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = path.parse().unwrap();
    *request.headers_mut() = headers;
    request
}

/// A GET of a document without a signature.
pub async fn get(app: &TestApp, path: &str) -> Answer {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = path.parse().unwrap();
    request.headers_mut().insert("host", "social.example".parse().unwrap());
    request.headers_mut().insert("accept", "application/activity+json".parse().unwrap());
    app.send(request).await
}

/// Acts on everything that the inboxes accepted, and what other servers have
/// to be asked for because of it; gives how many activities that was.
pub async fn work(app: &TestApp) -> usize {
    let taken = act(app).await;
    ask_others(app).await;
    taken
}

/// Acts on everything that the inboxes accepted, and no more.
pub async fn act(app: &TestApp) -> usize {
    let taken = take(app, |job| match job {
        Job::Ingest { signer } => Some(signer.clone()),
        _ => None,
    });
    let taken = taken.await;
    for (signer, act) in &taken {
        federation::act_on(&app.state, signer, &act.body.unpack().unwrap()).await;
    }
    taken.len()
}

/// Runs the jobs that ask other servers until there are none.
pub async fn ask_others(app: &TestApp) {
    for _ in 0..200 {
        if ask_once(app).await == 0 {
            return;
        }
    }
    panic!("it does not end");
}

/// Runs the jobs that ask other servers, not those that come of them; gives
/// how many.
pub async fn ask_once(app: &TestApp) -> usize {
    let handlers = federation::jobs(Handlers::new(), &app.state);
    let is_one = |job: &Job| {
        use JobKind::*;
        let kind = Some(job.kind());
        kind.filter(|kind| matches!(kind, IngestThere | FetchThread | SettleQuote | FetchReplies))
    };
    let taken = take(app, is_one).await;
    let count = taken.len();
    for (kind, act) in taken {
        let handler = handlers.get(kind).unwrap();
        handler.run(attempt(app, act)).await;
    }
    count
}

fn attempt(app: &TestApp, act: Act) -> Attempt {
    Attempt {
        key: JobKey { destination: DestinationId(1), lane: Lane::Bulk, act: Id::ZERO, inbox: InboxId::NONE },
        act: Arc::new(act),
        inbox: None,
        authority: String::new(),
        profile: SignatureProfile::Cavage,
        attempts: 0,
        now: app.now(),
        answer_within: Duration::from_secs(5),
        ours: Ours::default(),
    }
}

/// Takes the wanted jobs out of the queue.
async fn take<T: Send + 'static>(
    app: &TestApp,
    wanted: impl Fn(&Job) -> Option<T> + Copy + Send + 'static,
) -> Vec<(T, Act)> {
    app.state
        .store
        .write(move |tx| {
            let mut taken = Vec::new();
            for (id, act) in tx.scan(ACT, Scan::all())? {
                if let Some(what) = wanted(&act.job) {
                    tx.delete(ACT, &id);
                    taken.push((what, act));
                }
            }
            for (key, _) in tx.scan(JOB, Scan::all())? {
                if tx.get(ACT, &key.act)?.is_none() {
                    tx.delete(JOB, &key);
                }
            }
            Ok::<_, StoreError>(taken)
        })
        .await
        .unwrap()
}

/// The post with this ActivityPub id.
pub async fn post_at(app: &TestApp, uri: &str) -> Option<Status> {
    let uri = uri.to_owned();
    app.state
        .store
        .read(move |tx| match tx.get(STATUS_BY_URI, &uri)? {
            Some(id) => tx.get(STATUS, &id),
            None => Ok::<_, StoreError>(None),
        })
        .await
        .unwrap()
}

/// The account with this ActivityPub id.
pub async fn account_at(app: &TestApp, uri: &str) -> Option<Account> {
    let uri = uri.to_owned();
    app.state
        .store
        .read(move |tx| match tx.get(ACCOUNT_BY_URI, &uri)? {
            Some(id) => tx.get(waxwing::model::tables::ACCOUNT, &id),
            None => Ok::<_, StoreError>(None),
        })
        .await
        .unwrap()
}

/// Our actor id of somebody here.
pub fn ours(app: &TestApp, id: Id) -> String {
    app.state.site.actor(id)
}
