use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::signature::{self, ECDSA_P256_SHA256_FIXED};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{id, post};
use crate::kit::{Answer, Payload, Person, TestApp, request};
use waxwing::base::{Id, Timestamp};
use waxwing::model::queue::tables::ACT;
use waxwing::model::queue::{Act, Job, JobKind};
use waxwing::model::tables::{PUSH_BY_ACCOUNT, PUSH_SUBSCRIPTION};
use waxwing::net::listener::{Transport, bind, serve};
use waxwing::net::tls::{LocalAuthority, Served, server_config};
use waxwing::queue::{Handlers, Worker, push};
use waxwing::store::{Scan, StoreError};

const PATH: &str = "/api/v1/push/subscription";
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// An app's side of a subscription.
struct Device {
    private: PrivateKey,
    auth: [u8; 16],
}

impl Device {
    fn new() -> Device {
        Device { private: PrivateKey::generate(&ECDH_P256).unwrap(), auth: [9; 16] }
    }

    fn public(&self) -> Vec<u8> {
        self.private.compute_public_key().unwrap().as_ref().to_vec()
    }

    fn wish(&self, endpoint: &str, standard: bool, data: Value) -> Value {
        let keys =
            json!({ "p256dh": URL_SAFE_NO_PAD.encode(self.public()), "auth": URL_SAFE.encode(self.auth) });
        json!({ "subscription": { "endpoint": endpoint, "keys": keys, "standard": standard }, "data": data })
    }

    /// RFC 8291 from the receiver's side.
    fn open(&self, body: &[u8]) -> Value {
        let (salt, rest) = body.split_at(16);
        assert_eq!(&rest[..5], &[0, 0, 16, 0, 65], "records of 4096 bytes, a key of 65");
        let (theirs, sealed) = rest[5..].split_at(65);
        let info = [b"WebPush: info\0".as_slice(), &self.public(), theirs].concat();
        let key = self.derive(
            theirs,
            salt,
            &info,
            [b"Content-Encoding: aes128gcm\0".as_slice(), b"Content-Encoding: nonce\0"]
                .map(|text: &[u8]| text.to_vec()),
        );
        let mut plain = unseal(key, sealed);
        assert_eq!(plain.pop(), Some(2), "the last record");
        serde_json::from_slice(&plain).unwrap()
    }

    /// The draft before it.
    fn open_draft(&self, headers: &HeaderMap, body: &[u8]) -> Value {
        let part = |name: &str, key: &str| {
            let text = headers[name].to_str().unwrap().to_owned();
            let found = text.split(';').find_map(|part| part.strip_prefix(key).map(str::to_owned));
            URL_SAFE_NO_PAD.decode(found.unwrap()).unwrap()
        };
        let (salt, theirs) = (part("encryption", "salt="), part("crypto-key", "dh="));
        let context = [b"P-256\0\0\x41".as_slice(), &self.public(), b"\0\x41", &theirs].concat();
        let infos = [b"Content-Encoding: aesgcm\0".as_slice(), b"Content-Encoding: nonce\0"]
            .map(|t| [t, &context].concat());
        let plain = unseal(self.derive(&theirs, &salt, b"Content-Encoding: auth\0", infos), body);
        serde_json::from_slice(&plain[2..]).unwrap()
    }

    fn derive(&self, theirs: &[u8], salt: &[u8], info: &[u8], infos: [Vec<u8>; 2]) -> (Vec<u8>, Vec<u8>) {
        let theirs = UnparsedPublicKey::new(&ECDH_P256, theirs);
        let ikm = agree(&self.private, theirs, (), |shared| Ok(hkdf(&self.auth, shared, info, 32))).unwrap();
        (hkdf(salt, &ikm, &infos[0], 16), hkdf(salt, &ikm, &infos[1], 12))
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn hkdf(salt: &[u8], ikm: &[u8], info: &[u8], bytes: usize) -> Vec<u8> {
    let mut out = vec![0; bytes];
    let prk = Salt::new(HKDF_SHA256, salt).extract(ikm);
    prk.expand(&[info], Length(bytes)).unwrap().fill(&mut out).unwrap();
    out
}

fn unseal((key, nonce): (Vec<u8>, Vec<u8>), sealed: &[u8]) -> Vec<u8> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
    let mut bytes = sealed.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(&nonce).unwrap();
    let length = key.open_in_place(nonce, Aad::empty(), &mut bytes).unwrap().len();
    bytes.truncate(length);
    bytes
}

/// A push service on loopback, and a server that uses it.
struct Service {
    app: TestApp,
    endpoint: String,
    came: Mutex<mpsc::UnboundedReceiver<(HeaderMap, Bytes)>>,
    answers: Answers,
    _stop: CancellationToken,
    _data: tempfile::TempDir,
}

/// What the service answers, in order; 201 then.
type Answers = Arc<parking_lot::Mutex<VecDeque<u16>>>;

impl Service {
    async fn start() -> Service {
        let data = tempfile::tempdir().unwrap();
        // The client looks at the real date.
        let now = Timestamp::from_secs(time::OffsetDateTime::now_utc().unix_timestamp());
        let authority = LocalAuthority::open(data.path(), now).unwrap();
        let served = Arc::new(Served::default());
        served.set(authority.certificate(&[], now).unwrap());
        let (tell, came) = mpsc::unbounded_channel();
        let answers = Answers::default();
        let take = async |State((tell, answers)): State<(mpsc::UnboundedSender<_>, Answers)>,
                          headers: HeaderMap,
                          body: Bytes| {
            tell.send((headers, body)).unwrap();
            StatusCode::from_u16(answers.lock().pop_front().unwrap_or(201)).unwrap()
        };
        let router = Router::new().fallback(take).with_state((tell, answers.clone()));
        let bound = bind(&["127.0.0.1:0".parse().unwrap()], None).await.unwrap();
        let endpoint = format!("https://localhost:{}/push/abc", bound.addresses()[0].port());
        let stop = CancellationToken::new();
        tokio::spawn(serve(
            bound,
            Transport::Tls(server_config(served)),
            router,
            stop.clone(),
            Duration::ZERO,
        ));
        let root = authority.file();
        let app = TestApp::with(&format!(
            "outbound_allow localhost\noutbound_root {}\nemail ops@social.example",
            root.display()
        ))
        .await;
        tokio::spawn(worker(&app).run(stop.clone()));
        Service { app, endpoint, came: Mutex::new(came), answers, _stop: stop, _data: data }
    }

    async fn next(&self) -> (HeaderMap, Bytes) {
        let mut came = self.came.lock().await;
        timeout(ANSWER_MAX, came.recv()).await.expect("a push in time").unwrap()
    }

    /// Waits until it is found out whom to tell of every notification so far.
    ///
    /// Does not wait for the pushes themselves: their outcomes are written in
    /// batches, after a pause by the clock, which stands still here.
    async fn found_out(&self) {
        let is_push = |act: &Act| matches!(act.job, Job::Push { .. });
        let work = async || {
            let left = self.app.state.store.read(move |tx| {
                Ok::<_, StoreError>(tx.scan(ACT, Scan::all())?.iter().any(|(_, act)| is_push(act)))
            });
            left.await.unwrap()
        };
        let done = async {
            while work().await {
                tokio::task::yield_now().await;
            }
        };
        timeout(ANSWER_MAX, done).await.expect("done in time");
    }

    async fn subscriptions(&self) -> usize {
        let count = |tx: &waxwing::store::ReadTx<'_>| {
            let (rows, index) =
                (tx.scan(PUSH_SUBSCRIPTION, Scan::all())?, tx.scan(PUSH_BY_ACCOUNT, Scan::all())?);
            assert_eq!(rows.len(), index.len());
            Ok::<_, StoreError>(rows.len())
        };
        self.app.state.store.read(count).await.unwrap()
    }
}

fn worker(app: &TestApp) -> Worker {
    let state = &app.state;
    let workshop = state.workshop();
    let push = push::Push::new(
        workshop.clone(),
        state.client.clone(),
        state.chance.clone(),
        state.config.email.as_deref(),
    );
    let handlers = Handlers::new().on(JobKind::Push, push::find_out(workshop)).on(JobKind::PushTo, push);
    Worker::new(state.store.clone(), handlers, state.clock.clone(), state.chance.clone())
}

/// A request with another token.
async fn call(app: &TestApp, method: Method, token: &str, body: Option<Value>) -> Answer {
    let payload = body.map_or(Payload::None, Payload::Json);
    app.send(request(method, PATH, Some(token), payload)).await
}

async fn follow(person: &Person<'_>, other: Id) {
    person.post(&format!("/api/v1/accounts/{other}/follow"), json!({})).await.json(200);
}

#[tokio::test]
async fn a_notification_reaches_the_app_and_nobody_in_between_can_read_it() {
    let service = Service::start().await;
    let (ana, ben) = (service.app.person("ana").await, service.app.person("ben").await);
    let device = Device::new();
    let wish = device.wish(&service.endpoint, true, json!({ "alerts": { "mention": true, "follow": true } }));
    let made = ana.post(PATH, wish).await.json(200);
    let mention = post(&ben, "hello @ana, a <secret>").await;
    let (headers, body) = service.next().await;
    let told = device.open(&body);
    let listed = ana.get("/api/v1/notifications").await.json(200);
    assert_eq!((&told["notification_id"], &told["notification_type"]), (&listed[0]["id"], &json!("mention")));
    assert_eq!(
        (&told["title"], &told["body"]),
        (&json!("ben mentioned you"), &json!("hello @ana, a <secret>"))
    );
    assert_eq!((&told["icon"], &told["preferred_locale"]), (&mention["account"]["avatar"], &json!("en")));
    let header = |name: &str| headers[name].to_str().unwrap();
    assert_eq!(
        (header("content-encoding"), header("ttl"), header("urgency")),
        ("aes128gcm", "172800", "normal")
    );
    check_proof(header("authorization"), &made, &service.endpoint, service.app.now());
}

/// RFC 8292 §3: `vapid t=<JWT>, k=<key>`.
fn check_proof(proof: &str, made: &Value, endpoint: &str, now: Timestamp) {
    let (token, key) = proof.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    assert_eq!(key, made["server_key"].as_str().unwrap().trim_end_matches('='));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (key, signature) = (URL_SAFE_NO_PAD.decode(key).unwrap(), URL_SAFE_NO_PAD.decode(signature).unwrap());
    signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key)
        .verify(signed.as_bytes(), &signature)
        .unwrap();
    let claims = URL_SAFE_NO_PAD.decode(signed.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["sub"], "mailto:ops@social.example");
    assert!(endpoint.starts_with(&format!("{}/", claims["aud"].as_str().unwrap())), "{claims}");
    let left = claims["exp"].as_i64().unwrap() - now.as_secs();
    assert!((1..=24 * 3600).contains(&left), "{claims}");
}

#[tokio::test]
async fn old_apps_get_the_encoding_they_know_and_only_what_they_asked_for() {
    let service = Service::start().await;
    let (ana, ben, cleo) =
        (service.app.person("ana").await, service.app.person("ben").await, service.app.person("cleo").await);
    follow(&ana, ben.id).await;
    let device = Device::new();
    let data = json!({ "alerts": { "mention": true, "favourite": false }, "policy": "followed" });
    ana.post(PATH, device.wish(&service.endpoint, false, data)).await.json(200);
    let mine = post(&ana, "mine").await;
    ben.post(&format!("/api/v1/statuses/{}/favourite", id(&mine)), json!({})).await.json(200);
    ben.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    post(&cleo, "@ana from one who is not followed").await;
    ana.post(&format!("/api/v1/accounts/{}/mute", ben.id), json!({})).await.json(200);
    post(&ben, "@ana from one who is muted").await;
    ana.post(&format!("/api/v1/accounts/{}/unmute", ben.id), json!({})).await.json(200);
    post(&ben, "@ana from one who is followed").await;
    let (headers, body) = service.next().await;
    assert_eq!(device.open_draft(&headers, &body)["body"], "@ana from one who is followed");
    assert_eq!(headers["content-encoding"], "aesgcm");
    assert!(headers["authorization"].to_str().unwrap().starts_with("WebPush "));
    ana.put(PATH, json!({ "data": { "alerts": { "mention": "1" }, "policy": "none" } })).await.json(200);
    post(&ben, "@ana not now").await;
    service.found_out().await;
    ana.patch(PATH, json!({ "data": { "alerts": { "mention": true } }, "policy": "all" })).await.json(200);
    post(&cleo, "@ana again").await;
    let (headers, body) = service.next().await;
    assert_eq!(device.open_draft(&headers, &body)["body"], "@ana again");
}

#[tokio::test]
async fn a_subscription_that_is_gone_is_forgotten() {
    let service = Service::start().await;
    let (ana, ben) = (service.app.person("ana").await, service.app.person("ben").await);
    let device = Device::new();
    let wish = device.wish(&service.endpoint, true, json!({ "alerts": { "mention": true } }));
    for gone in [410, 404] {
        ana.post(PATH, wish.clone()).await.json(200);
        service.answers.lock().push_back(gone);
        post(&ben, "@ana hello").await;
        service.next().await;
        let forgotten = async {
            while service.subscriptions().await > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(ANSWER_MAX, forgotten).await.expect("forgotten in time");
        ana.get(PATH).await.error(404, "Record not found");
    }
    post(&ben, "@ana nobody hears this").await;
    ana.post(PATH, wish).await.json(200);
    post(&ben, "@ana but this").await;
    let (_, body) = service.next().await;
    assert_eq!(device.open(&body)["body"], "@ana but this");
}

#[tokio::test]
async fn a_subscription_belongs_to_its_token_and_goes_with_it() {
    let service = Service::start().await;
    let ana = service.app.person("ana").await;
    let wish =
        |alerts: Value| Device::new().wish("https://push.example/x?y", true, json!({ "alerts": alerts }));
    ana.get(PATH).await.error(404, "Record not found");
    let made = ana.post(PATH, wish(json!({ "mention": true, "nonsense": true }))).await.json(200);
    assert!(made["id"].is_u64(), "{made}");
    assert_eq!((&made["endpoint"], &made["standard"]), (&json!("https://push.example/x?y"), &json!(true)));
    assert_eq!(
        (&made["policy"], &made["alerts"]["mention"], &made["alerts"]["follow"]),
        (&json!("all"), &json!(true), &json!(false))
    );
    let instance = service.app.get("/api/v2/instance").await.json(200);
    assert_eq!(made["server_key"], instance["configuration"]["vapid"]["public_key"]);
    let app = json!({ "client_name": "x", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob" });
    let app = service.app.post("/api/v1/apps", app).await.json(200);
    assert_eq!(made["server_key"], app["vapid_key"]);
    assert_eq!(URL_SAFE.decode(made["server_key"].as_str().unwrap()).unwrap().len(), 65);
    assert_eq!(ana.get(PATH).await.json(200), made);
    let again = ana.post(PATH, wish(json!({}))).await.json(200);
    assert_ne!(again["id"], made["id"]);
    assert_eq!(service.subscriptions().await, 1);
    let other = service.app.token(Some(ana.id), "push").await;
    call(&service.app, Method::GET, &other, None).await.error(404, "Record not found");
    let change = json!({ "data": { "alerts": { "mention": true } } });
    call(&service.app, Method::PUT, &other, Some(change)).await.error(404, "Record not found");
    call(&service.app, Method::POST, &other, Some(wish(json!({})))).await.json(200);
    assert_eq!(service.subscriptions().await, 2);
    assert_eq!(ana.delete(PATH).await.json(200), json!({}));
    assert_eq!(ana.delete(PATH).await.json(200), json!({}));
    assert_eq!(service.subscriptions().await, 1);
    let owner = ana.id;
    let revoke = service.app.state.store.write(move |tx| waxwing::domain::oauth::revoke_all(tx, owner));
    revoke.await.unwrap();
    assert_eq!(service.subscriptions().await, 0);
}

#[tokio::test]
async fn pushes_go_to_https_on_the_public_internet_with_good_keys_and_the_right_scope() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let good = Device::new().wish("https://push.example/x", true, json!({}));
    let with = |pointer: &str, value: Value| {
        let mut wish = good.clone();
        *wish.pointer_mut(pointer).unwrap() = value;
        wish
    };
    let long = format!("https://push.example/{}", "x".repeat(2048));
    let bad = [
        with("/subscription/endpoint", json!("http://push.example/x")),
        with("/subscription/endpoint", json!("https://127.0.0.1/x")),
        with("/subscription/endpoint", json!("https://LocalHost./x")),
        with("/subscription/endpoint", json!("https://[::ffff:10.0.0.1]/x")),
        with("/subscription/endpoint", json!("https://169.254.169.254/latest")),
        with("/subscription/endpoint", json!("https://user:word@push.example/x")),
        with("/subscription/endpoint", json!("push")),
        with("/subscription/endpoint", json!(long)),
        with("/subscription/keys/p256dh", json!("BAAA")),
        with("/subscription/keys/p256dh", json!(URL_SAFE_NO_PAD.encode([4; 65]))),
        with("/subscription/keys/auth", json!("AAAA")),
        with("/data", json!({ "policy": "everybody" })),
        json!({ "data": {} }),
    ];
    for wish in bad {
        ana.post(PATH, wish).await.error(422, "Validation failed");
    }
    for (scopes, status) in [("read write follow", 403), ("push", 200)] {
        let token = app.token(Some(ana.id), scopes).await;
        let answer = call(&app, Method::POST, &token, Some(good.clone())).await;
        assert_eq!(answer.status.as_u16(), status, "{scopes}");
    }
    app.post(PATH, good).await.error(401, "The access token is invalid");
}
