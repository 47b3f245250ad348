use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{id, post};
use crate::kit::{Person, TestApp};
use waxwing::edge::webhooks;
use waxwing::model::Role;
use waxwing::model::queue::tables::{ACT, DEAD};
use waxwing::model::queue::{Job, JobKind};
use waxwing::net::listener::{Transport, bind, serve};
use waxwing::queue::{Handlers, Worker, webhook};
use waxwing::store::{Scan, StoreError};
use waxwing::wire::webhook::signature;

const PATH: &str = "/api/waxwing/v1/admin/webhooks";
const ANSWER_MAX: Duration = Duration::from_secs(10);
const ADMIN: &str = "read write follow admin:read admin:write";

/// A receiver on loopback, and a server that knows it.
struct Receiver {
    app: TestApp,
    url: String,
    came: Mutex<mpsc::UnboundedReceiver<(HeaderMap, Bytes)>>,
    answers: Arc<parking_lot::Mutex<VecDeque<u16>>>,
    _stop: CancellationToken,
}

impl Receiver {
    async fn start() -> Receiver {
        let (tell, came) = mpsc::unbounded_channel();
        let answers = Arc::new(parking_lot::Mutex::new(VecDeque::<u16>::new()));
        type Ends = (mpsc::UnboundedSender<(HeaderMap, Bytes)>, Arc<parking_lot::Mutex<VecDeque<u16>>>);
        let take = async |State((tell, answers)): State<Ends>, headers: HeaderMap, body: Bytes| {
            tell.send((headers, body)).unwrap();
            StatusCode::from_u16(answers.lock().pop_front().unwrap_or(200)).unwrap()
        };
        let router = Router::new().fallback(take).with_state((tell, answers.clone()));
        let bound = bind(&["127.0.0.1:0".parse().unwrap()], None).await.unwrap();
        let url = format!("http://127.0.0.1:{}/hook", bound.addresses()[0].port());
        let stop = CancellationToken::new();
        tokio::spawn(serve(bound, Transport::Plain, router, stop.clone(), Duration::ZERO));
        let app = TestApp::with("outbound_allow 127.0.0.0/8").await;
        tokio::spawn(worker(&app).run(stop.clone()));
        Receiver { app, url, came: Mutex::new(came), answers, _stop: stop }
    }

    async fn admin(&self) -> Person<'_> {
        self.app.person_with("ada", Role::Admin, ADMIN).await
    }

    /// The next message, after its signature was found to be right.
    async fn next(&self, secret: &str) -> Value {
        let mut came = self.came.lock().await;
        let found = async {
            loop {
                // Outcomes are written after a pause, and what is about the
                // same thing waits for that.
                self.app.clock.advance(Duration::from_millis(60));
                if let Ok(message) = timeout(Duration::from_millis(20), came.recv()).await {
                    return message.unwrap();
                }
            }
        };
        let (headers, body) = timeout(ANSWER_MAX, found).await.expect("a message in time");
        assert_eq!(headers["x-hub-signature"].to_str().unwrap(), signature(secret, &body));
        assert_eq!(headers["content-type"], "application/json");
        serde_json::from_slice(&body).unwrap()
    }

    /// The next message, which is to be of this event.
    async fn next_is(&self, secret: &str, event: &str) -> Value {
        let message = self.next(secret).await;
        assert_eq!(message["event"], event, "{message}");
        message["object"].clone()
    }

    async fn messages_that_wait(&self) -> usize {
        let count = |tx: &waxwing::store::ReadTx<'_>| {
            let acts = tx.scan(ACT, Scan::all())?;
            let is_ours = |job: &Job| matches!(job, Job::Webhook { .. } | Job::WebhookTo { .. });
            Ok::<_, StoreError>(acts.iter().filter(|(_, act)| is_ours(&act.job)).count())
        };
        self.app.state.store.read(count).await.unwrap()
    }
}

fn worker(app: &TestApp) -> Worker {
    let state = &app.state;
    let workshop = state.workshop();
    let handlers = Handlers::new().on(JobKind::WebhookTo, webhook::handler(workshop, state.client.clone()));
    let handlers = webhooks::jobs(handlers, state);
    Worker::new(state.store.clone(), handlers, state.clock.clone(), state.chance.clone())
}

async fn make(admin: &Person<'_>, url: &str, events: &[&str]) -> (String, String) {
    let made = admin.post(PATH, json!({ "url": url, "events": events })).await.json(200);
    (id(&made).to_owned(), made["secret"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn posts_and_profiles_are_told_of_as_in_mastodon() {
    let receiver = Receiver::start().await;
    let admin = receiver.admin().await;
    let events =
        ["status.created", "status.updated", "account.created", "account.approved", "account.updated"];
    let (_, secret) = make(&admin, &receiver.url, &events).await;
    let ana = receiver.app.person("ana").await;
    // Two jobs with nothing in common: either may come first.
    let mut first = [receiver.next(&secret).await, receiver.next(&secret).await];
    first.sort_by_key(|message| message["event"].to_string());
    assert_eq!(
        (&first[0]["event"], &first[1]["event"]),
        (&json!("account.approved"), &json!("account.created"))
    );
    for message in &first {
        let object = &message["object"];
        assert_eq!((&object["username"], &object["approved"]), (&json!("ana"), &json!(true)));
        assert_eq!(object["account"]["acct"], "ana");
        assert!(message["created_at"].is_string());
    }
    let made = post(&ana, "berries").await;
    let told = receiver.next_is(&secret, "status.created").await;
    assert_eq!((id(&told), &told["account"]["acct"]), (id(&made), &json!("ana")));
    assert_eq!(told.get("favourited"), None, "nobody's marks");
    ana.put(&format!("/api/v1/statuses/{}", id(&made)), json!({ "status": "cedars" })).await.json(200);
    let told = receiver.next_is(&secret, "status.updated").await;
    assert_eq!(told["content"], "<p>cedars</p>");
    let change = json!({ "display_name": "Ana R." });
    ana.patch("/api/v1/accounts/update_credentials", change).await.json(200);
    let told = receiver.next_is(&secret, "account.updated").await;
    assert_eq!(told["account"]["display_name"], "Ana R.");
}

#[tokio::test]
async fn reports_are_told_of_when_they_come_and_when_they_are_answered() {
    let receiver = Receiver::start().await;
    let admin = receiver.admin().await;
    let (_, secret) = make(&admin, &receiver.url, &["report.created", "report.updated"]).await;
    let (ana, eve) = (receiver.app.person("ana").await, receiver.app.person("eve").await);
    let report = json!({ "account_id": eve.id.to_string(), "comment": "berries" });
    let made = ana.post("/api/v1/reports", report).await.json(200);
    let told = receiver.next_is(&secret, "report.created").await;
    assert_eq!((id(&told), &told["comment"]), (id(&made), &json!("berries")));
    assert_eq!(told["target_account"]["username"], "eve");
    admin.post(&format!("/api/v1/admin/reports/{}/assign_to_self", id(&made)), json!({})).await.json(200);
    let told = receiver.next_is(&secret, "report.updated").await;
    assert_eq!(told["assigned_account"]["username"], "ada");
    let act = format!("/api/v1/admin/accounts/{}/action", eve.id);
    admin.post(&act, json!({ "type": "silence" })).await.json(200);
    let told = receiver.next_is(&secret, "report.updated").await;
    assert_eq!(told["action_taken"], true);
}

#[tokio::test]
async fn a_webhook_hears_only_while_it_is_enabled_and_what_it_asked_for() {
    let receiver = Receiver::start().await;
    let admin = receiver.admin().await;
    let (hook, secret) = make(&admin, &receiver.url, &["status.created"]).await;
    let path = format!("{PATH}/{hook}");
    let ana = receiver.app.person("ana").await;
    assert_eq!(receiver.messages_that_wait().await, 0, "nobody asked for accounts");
    let off = admin.post(&format!("{path}/disable"), json!({})).await.json(200);
    assert_eq!((&off["enabled"], off.get("secret")), (&json!(false), None));
    post(&ana, "not told").await;
    assert_eq!(receiver.messages_that_wait().await, 0);
    admin.post(&format!("{path}/enable"), json!({})).await.json(200);
    post(&ana, "told").await;
    assert_eq!(receiver.next_is(&secret, "status.created").await["content"], "<p>told</p>");
    let rotated = admin.post(&format!("{path}/rotate_secret"), json!({})).await.json(200);
    let new_secret = rotated["secret"].as_str().unwrap();
    assert_ne!(new_secret, secret);
    post(&ana, "told with another key").await;
    receiver.next_is(new_secret, "status.created").await;
    let change = json!({ "events": ["account.updated", "account.updated"] });
    assert_eq!(admin.put(&path, change).await.json(200)["events"], json!(["account.updated"]));
    post(&ana, "not wanted any more").await;
    assert_eq!(admin.get(&path).await.json(200).get("secret"), None);
    assert_eq!(admin.get(PATH).await.json(200).as_array().unwrap().len(), 1);
    admin.delete(&path).await.json(200);
    admin.get(&path).await.error(404, "Record not found");
    assert_eq!(admin.get(PATH).await.json(200), json!([]));
}

#[tokio::test]
async fn a_receiver_that_refuses_for_good_leaves_a_dead_letter() {
    let receiver = Receiver::start().await;
    let admin = receiver.admin().await;
    let (_, secret) = make(&admin, &receiver.url, &["status.created"]).await;
    let ana = receiver.app.person("ana").await;
    receiver.answers.lock().extend([422, 200]);
    post(&ana, "refused").await;
    receiver.next(&secret).await;
    let dead = async {
        let read = |tx: &waxwing::store::ReadTx<'_>| tx.scan(DEAD, Scan::all());
        loop {
            // Outcomes are written in batches, after a pause.
            receiver.app.clock.advance(Duration::from_millis(60));
            if let [(_, dead)] = receiver.app.state.store.read(read).await.unwrap().as_slice() {
                return dead.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let dead = timeout(ANSWER_MAX, dead).await.expect("dead in time");
    assert_eq!((dead.http_status, dead.row.kind), (422, JobKind::WebhookTo));
    post(&ana, "taken").await;
    assert_eq!(receiver.next(&secret).await["object"]["content"], "<p>taken</p>");
}

#[tokio::test]
async fn addresses_that_may_not_be_asked_and_events_that_are_none_are_refused() {
    let app = TestApp::start().await;
    let admin = app.person_with("ada", Role::Admin, ADMIN).await;
    let refused = "Validation failed: Url is not a valid URL of a public server";
    for url in [
        "",
        "ftp://hook.example/",
        "http://hook.example/",
        "https://127.0.0.1/hook",
        "https://10.0.0.1/hook",
        "https://[::1]/hook",
        "https://169.254.169.254/latest",
        "https://localhost/hook",
        "https://x.localhost/hook",
        "https://user:secret@hook.example/",
        "https://social.example/hook",
    ] {
        let wish = json!({ "url": url, "events": ["status.created"] });
        admin.post(PATH, wish).await.error(422, refused);
    }
    let good = "https://hook.example/x";
    for (events, why) in [
        (json!(["status.deleted"]), "Validation failed: Events is invalid"),
        (json!([]), "Validation failed: Events can't be blank"),
    ] {
        admin.post(PATH, json!({ "url": good, "events": events })).await.error(422, why);
    }
    let short = json!({ "url": good, "events": ["status.created"], "secret": "short" });
    admin
        .post(PATH, short)
        .await
        .error(422, "Validation failed: Secret is too short (minimum is 12 characters)");
    for _ in 0..waxwing::domain::webhook::WEBHOOKS_MAX {
        make(&admin, good, &["status.created"]).await;
    }
    let wish = json!({ "url": good, "events": ["status.created"] });
    admin.post(PATH, wish).await.error(422, "Validation failed: there are as many webhooks as there may be");
}
