//! Mails: what they do for people, and what becomes of them when the mail
//! server is in trouble.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::kit::smtp::{Smtp, Turn};
use crate::kit::{Answer, PASSWORD, Payload, Person, TestApp, request};
use crate::web::browser::{Browser, Page};
use waxwing::model::queue::tables::{DEAD, DEFERRED};
use waxwing::model::queue::{DeadRow, JobKind};
use waxwing::model::tables::USER;
use waxwing::model::{Role, User};
use waxwing::queue::{Handlers, Worker, mail};
use waxwing::store::{Scan, StoreError};

const WAIT_MAX: Duration = Duration::from_secs(20);
const NEW: &str = "a wholly new password";

/// A server with a mail server, whose mails go out.
struct House {
    app: TestApp,
    smtp: Smtp,
    stop: CancellationToken,
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl House {
    async fn new(directives: &str) -> House {
        let smtp = Smtp::start(None).await;
        let mail = format!("mail smtp://127.0.0.1:{}\n{directives}", smtp.port);
        House::over(smtp, &mail).await
    }

    async fn over(smtp: Smtp, directives: &str) -> House {
        let app = TestApp::with(directives).await;
        let stop = CancellationToken::new();
        tokio::spawn(worker(&app).run(stop.clone()));
        House { app, smtp, stop }
    }

    /// Somebody whose address is known.
    async fn person(&self, name: &str, role: Role, email: &str) -> Person<'_> {
        let scopes = "read write follow admin:read admin:write";
        let person = self.app.person_with(name, role, scopes).await;
        let (id, email) = (person.id, email.to_owned());
        let write = self.app.state.store.write(move |tx| {
            let old = tx.get(USER, &id)?.expect("they are there");
            User::save(tx, Some(&old), &User { email: Some(email.clone()), ..old.clone() });
            Ok::<_, StoreError>(())
        });
        write.await.expect("the store takes it");
        person
    }

    async fn sign_up(&self, token: &str, extra: Value) -> Answer {
        let mut body = json!({ "username": "newcomer", "email": "n@example.org",
            "password": PASSWORD, "agreement": true });
        body.as_object_mut().expect("it is one").extend(extra.as_object().cloned().unwrap_or_default());
        self.app.send(request(Method::POST, "/api/v1/accounts", Some(token), Payload::Json(body))).await
    }

    async fn forgot(&self, email: &str) -> Answer {
        Browser::new(&self.app).submit("/password/forgot", &[("email", email)]).await
    }

    /// Turns time on until the store shows something.
    async fn until<T>(&self, step: Duration, mut find: impl AsyncFnMut(&TestApp) -> Option<T>) -> T {
        let found = async {
            loop {
                self.app.clock.advance(step);
                if let Some(found) = find(&self.app).await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(WAIT_MAX, found).await.expect("in time")
    }
}

fn worker(app: &TestApp) -> Worker {
    let state = &app.state;
    let workshop = state.workshop();
    let post = mail::Post::new(workshop, state.mailer.clone(), state.chance.clone());
    let handlers = Handlers::new().on(JobKind::Mail, post);
    Worker::new(state.store.clone(), handlers, state.clock.clone(), state.chance.clone())
}

async fn dead(app: &TestApp) -> Option<DeadRow> {
    let rows = app.state.store.read(|tx| tx.scan(DEAD, Scan::all())).await.expect("the store reads");
    rows.into_iter().next().map(|(_, row)| row)
}

async fn waits_for_retry(app: &TestApp) -> Option<()> {
    let rows = app.state.store.read(|tx| tx.scan(DEFERRED, Scan::all())).await.expect("the store reads");
    (!rows.is_empty()).then_some(())
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_mail_once() {
    let house = House::new("").await;
    let ana = house.person("ana", Role::User, "ana@example.org").await;
    let mut old_browser = Browser::of(&house.app, "ana").await;
    let said = house.forgot(" Ana@Example.ORG ").await.text();
    let mail = house.smtp.next().await;
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("no-reply@social.example", "ana@example.org"));
    assert_eq!(mail.header("Subject"), "A new password for social.example");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert!(mail.header("Message-ID").ends_with("@social.example>"));
    let token = mail.token();
    let mut browser = Browser::new(&house.app);
    let form = browser.get(&format!("/password/reset?token={token}")).await;
    assert!(form.text().contains("New password"), "{}", form.text());
    let short = browser.submit("/password/reset", &[("token", token), ("password", "short")]).await;
    assert_eq!(short.status, 422);
    let set = browser.submit("/password/reset", &[("token", token), ("password", NEW)]).await;
    assert_eq!(set.leads_to(), "/login");
    let again =
        browser.submit("/password/reset", &[("token", token), ("password", "another one of these")]).await;
    assert_eq!(again.status, 404, "a link works once");
    assert!(old_browser.get("/bookmarks").await.leads_to().starts_with("/login"), "browsers are out");
    ana.get("/api/v1/accounts/verify_credentials").await.error(401, "The access token is invalid");
    let told = house.smtp.next().await;
    assert_eq!((told.to.as_str(), told.header("Subject")), ("ana@example.org", "Your password was changed"));
    let app = &house.app;
    let log_in = async |password| {
        Browser::new(app).submit("/login", &[("name", "ana"), ("password", password)]).await.status
    };
    assert_eq!(
        (log_in(PASSWORD).await, log_in(NEW).await),
        (422.try_into().unwrap(), 303.try_into().unwrap())
    );
    // Whoever has no account hears the same, and gets nothing.
    assert_eq!(house.forgot("nobody@example.org").await.text(), said);
    assert!(!house.smtp.has_mail().await);
}

#[tokio::test]
async fn a_link_for_a_new_password_is_good_for_an_hour_and_only_the_last_one() {
    let house = House::new("").await;
    house.person("ana", Role::User, "ana@example.org").await;
    house.forgot("ana@example.org").await;
    let first = house.smtp.next().await;
    house.forgot("ana@example.org").await;
    let second = house.smtp.next().await;
    let status = |token: String| async {
        let token = token;
        Browser::new(&house.app).get(&format!("/password/reset?token={token}")).await.status.as_u16()
    };
    assert_eq!(status(first.token().to_owned()).await, 404);
    assert_eq!(status(second.token().to_owned()).await, 200);
    let (id, secret) = second.token().split_once('.').unwrap();
    for forged in [format!("{id}.{}", &secret[1..]), format!("1.{secret}"), secret.to_owned(), String::new()]
    {
        assert_eq!(status(forged).await, 404);
    }
    house.app.clock.advance(Duration::from_secs(3601));
    assert_eq!(status(second.token().to_owned()).await, 404);
}

#[tokio::test]
async fn whoever_asks_for_too_many_mails_has_to_wait() {
    let house = House::new("rate_limit mail=100/5m mail_to=2/30m").await;
    for email in ["a@example.org", "A@example.org "] {
        assert_eq!(house.forgot(email).await.status, 200);
    }
    assert_eq!(house.forgot("a@example.org").await.status, 429);
    assert_eq!(house.forgot("b@example.org").await.status, 200);
    assert_eq!(house.forgot("no address").await.status, 422);
}

#[tokio::test]
async fn without_mail_there_are_no_such_pages_and_everybody_is_confirmed() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    assert_eq!(browser.get("/password/forgot").await.status, 404);
    assert!(!browser.get("/login").await.text().contains("Forgot"));
    let token = app.token(None, "read write").await;
    let body = json!({ "username": "n", "email": "n@example.org", "password": PASSWORD, "agreement": true });
    let made = app.send(request(Method::POST, "/api/v1/accounts", Some(&token), Payload::Json(body))).await;
    let bearer = made.json(200)["access_token"].as_str().unwrap().to_owned();
    let check = request(Method::GET, "/api/v1/emails/check_confirmation", Some(&bearer), Payload::None);
    assert_eq!(app.send(check).await.json(200), true);
}

#[tokio::test]
async fn who_signs_up_confirms_the_address_first() {
    let house = House::new("").await;
    let token = house.app.token(None, "read write").await;
    let bearer =
        house.sign_up(&token, json!({})).await.json(200)["access_token"].as_str().unwrap().to_owned();
    let call = |method, path: &'static str, body| house.app.send(request(method, path, Some(&bearer), body));
    let unconfirmed = "Your login is missing a confirmed e-mail address";
    let check = "/api/v1/emails/check_confirmation";
    call(Method::GET, "/api/v1/timelines/home", Payload::None).await.error(403, unconfirmed);
    assert_eq!(call(Method::GET, check, Payload::None).await.json(200), false);
    let first = house.smtp.next().await;
    assert_eq!(
        (first.to.as_str(), first.header("Subject")),
        ("n@example.org", "Confirm your mail address at social.example")
    );
    // Another address: the link to the one before works no more.
    let again = "/api/v1/emails/confirmations";
    call(Method::POST, again, Payload::Json(json!({ "email": "nope" }))).await.error(422, "Email");
    call(Method::POST, again, Payload::Json(json!({ "email": "other@example.org" }))).await.json(200);
    let second = house.smtp.next().await;
    assert_eq!(second.to, "other@example.org");
    let mut browser = Browser::new(&house.app);
    assert_eq!(browser.submit("/confirm", &[("token", first.token())]).await.status, 404);
    let mut early = Browser::new(&house.app);
    let refused = early.submit("/login", &[("name", "newcomer"), ("password", PASSWORD)]).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("not confirmed"));
    let third = house.smtp.next().await;
    let page = browser.get(&format!("/confirm?token={}", third.token())).await;
    assert!(page.text().contains("Confirm this address"));
    assert_eq!(call(Method::GET, check, Payload::None).await.json(200), false, "looking confirms nothing");
    for _ in 0..2 {
        assert_eq!(browser.submit("/confirm", &[("token", third.token())]).await.leads_to(), "/login");
    }
    assert_eq!(call(Method::GET, check, Payload::None).await.json(200), true);
    call(Method::GET, "/api/v1/timelines/home", Payload::None).await.json(200);
    let done = "This method is only available while the e-mail is awaiting confirmation";
    call(Method::POST, again, Payload::Json(json!({}))).await.error(403, done);
}

#[tokio::test]
async fn who_signs_up_on_the_page_is_told_to_look_into_their_mails() {
    let house = House::new("").await;
    let mut browser = Browser::new(&house.app);
    let without = browser.submit("/signup", &[("username", "n"), ("password", PASSWORD)]).await;
    assert!(without.status == 422 && without.text().contains("please give one"));
    let fields = [("username", "n"), ("password", PASSWORD), ("email", "n@example.org")];
    let told = browser.submit("/signup", &fields).await;
    assert!(told.text().contains("We have sent a link to n@example.org"), "{}", told.text());
    let mail = house.smtp.next().await;
    browser.submit("/confirm", &[("token", mail.token())]).await;
    let fields = [("name", "n"), ("password", PASSWORD)];
    assert_eq!(browser.submit("/login", &fields).await.leads_to(), "/");
}

#[tokio::test]
async fn those_who_run_the_server_hear_of_requests_and_reports() {
    let house = House::new("registration approval").await;
    let ada = house.person("ada", Role::Admin, "ada@example.org").await;
    let token = house.app.token(None, "read write").await;
    house.sign_up(&token, json!({ "reason": "I like\r\nBcc: eve@example.org\r\nbirds" })).await.json(200);
    let confirm = house.smtp.next().await;
    assert_eq!(confirm.to, "n@example.org", "nobody hears of an address that is not theirs");
    Browser::new(&house.app).submit("/confirm", &[("token", confirm.token())]).await;
    let told = house.smtp.next().await;
    assert_eq!(
        (told.to.as_str(), told.header("Subject")),
        ("ada@example.org", "newcomer would like to join")
    );
    let (header, body) = told.text.split_once("\r\n\r\n").unwrap();
    assert!(!header.contains("Bcc") && body.contains("Bcc: eve@example.org"), "{}", told.text);
    let pending = ada.get("/api/v1/admin/accounts?pending=true").await.json(200);
    let id = pending[0]["id"].as_str().unwrap();
    assert_eq!(pending[0]["confirmed"], true);
    ada.post(&format!("/api/v1/admin/accounts/{id}/approve"), json!({})).await.json(200);
    let welcome = house.smtp.next().await;
    assert_eq!(
        (welcome.to.as_str(), welcome.header("Subject")),
        ("n@example.org", "Welcome to social.example")
    );
    let (ana, eve) = (house.app.person("ana").await, house.app.person("eve").await);
    let report = json!({ "account_id": eve.id.to_string(), "comment": "sells berries", "category": "spam" });
    ana.post("/api/v1/reports", report).await.json(200);
    let told = house.smtp.next().await;
    assert_eq!((told.to.as_str(), told.header("Subject")), ("ada@example.org", "A report about @eve"));
    assert!(told.text.contains("sells berries") && !told.text.contains("@ana"), "{}", told.text);
}

#[tokio::test]
async fn a_changed_password_is_told_to_its_owner() {
    let house = House::new("").await;
    house.person("ana", Role::User, "ana@example.org").await;
    let mut browser = Browser::of(&house.app, "ana").await;
    let csrf = browser.token().await;
    let fields = [("csrf", csrf.as_str()), ("current", PASSWORD), ("new", NEW)];
    assert_eq!(browser.submit("/settings/password", &fields).await.leads_to(), "/settings/security");
    assert_eq!(house.smtp.next().await.header("Subject"), "Your password was changed");
}

#[tokio::test]
async fn a_mail_that_is_not_taken_now_is_sent_again_and_is_the_same_mail() {
    let house = House::new("").await;
    house.person("ana", Role::User, "ana@example.org").await;
    for turn in [
        Turn::Say("RCPT", "450 greylisted, come back"),
        Turn::Say(".", "452 no room"),
        Turn::Say("CONNECT", "421 closing down"),
    ] {
        house.smtp.turns.lock().push_back(turn);
        house.forgot("ana@example.org").await;
        house.until(Duration::from_millis(60), async |app: &TestApp| waits_for_retry(app).await).await;
        house.app.clock.advance(Duration::from_secs(60));
        assert_eq!(house.smtp.next().await.to, "ana@example.org");
    }
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_is_a_dead_letter() {
    let house = House::new("").await;
    house.person("ana", Role::User, "ana@example.org").await;
    house.smtp.turns.lock().push_back(Turn::Say("RCPT", "550 nobody of that name"));
    house.forgot("ana@example.org").await;
    let dead = house.until(Duration::from_millis(60), async |app: &TestApp| dead(app).await).await;
    assert_eq!((dead.http_status, dead.row.kind), (550, JobKind::Mail));
    house.forgot("ana@example.org").await;
    house.smtp.next().await;
}

#[tokio::test]
async fn a_login_that_is_not_believed_costs_no_mail() {
    let smtp = Smtp::start(None).await;
    let mail = format!("mail smtp://robin:swordfish@127.0.0.1:{}", smtp.port);
    let house = House::over(smtp, &mail).await;
    house.person("ana", Role::User, "ana@example.org").await;
    house.smtp.turns.lock().push_back(Turn::Say("AUTH", "535 who are you"));
    house.forgot("ana@example.org").await;
    house.until(Duration::from_millis(60), async |app: &TestApp| waits_for_retry(app).await).await;
    assert!(dead(&house.app).await.is_none());
    house.app.clock.advance(Duration::from_secs(60));
    assert_eq!(house.smtp.next().await.login.as_deref(), Some("robin swordfish"));
}

#[tokio::test]
async fn a_password_goes_only_over_tls_that_was_asked_for() {
    let smtp = Smtp::start(None).await;
    let mail = format!("mail smtp+starttls://robin:swordfish@127.0.0.1:{}", smtp.port);
    let house = House::over(smtp, &mail).await;
    house.person("ana", Role::User, "ana@example.org").await;
    house.forgot("ana@example.org").await;
    house.until(Duration::from_millis(60), async |app: &TestApp| waits_for_retry(app).await).await;
    assert!(!house.smtp.has_mail().await);
}

#[tokio::test]
async fn starttls_is_spoken_with_a_server_that_is_trusted() {
    use std::sync::Arc;
    use waxwing::base::Timestamp;
    use waxwing::net::tls::{LocalAuthority, Served, server_config};
    let data = tempfile::tempdir().unwrap();
    let now = Timestamp::from_secs(time::OffsetDateTime::now_utc().unix_timestamp());
    let authority = LocalAuthority::open(data.path(), now).unwrap();
    let served = Arc::new(Served::default());
    served.set(authority.certificate(&[], now).unwrap());
    let smtp = Smtp::start(Some(tokio_rustls::TlsAcceptor::from(server_config(served)))).await;
    let mail = format!("mail smtp+starttls://robin:sword%2Ffish@localhost:{}", smtp.port);
    let root = format!("outbound_root {}", authority.file().display());
    let house = House::over(smtp, &format!("{mail}\n{root}")).await;
    house.person("ana", Role::User, "ana@example.org").await;
    house.forgot("ana@example.org").await;
    let taken = house.smtp.next().await;
    assert!(taken.was_private);
    assert_eq!(taken.login.as_deref(), Some("robin sword/fish"));
}

#[tokio::test]
async fn another_address_counts_once_its_link_was_opened() {
    let house = House::new("").await;
    house.person("ana", Role::User, "ana@example.org").await;
    house.person("bea", Role::User, "bea@example.org").await;
    let mut browser = Browser::of(&house.app, "ana").await;
    let mut ask = async |email: &str, password: &str| {
        browser.submit("/settings/email", &[("email", email), ("password", password)]).await
    };
    for (email, password) in [
        ("new@example.org", "not the password"),
        ("nope", PASSWORD),
        // Nobody is told that somebody has it.
        ("Bea@example.org", PASSWORD),
    ] {
        assert_eq!(ask(email, password).await.status, 422, "{email}");
    }
    assert!(!house.smtp.has_mail().await);
    let address = async || {
        let found = house.app.state.store.read(|tx| tx.scan(USER, Scan::all())).await.unwrap();
        let mut known: Vec<String> = found.into_iter().filter_map(|(_, user)| user.email).collect();
        known.sort();
        known
    };
    let mut links = Vec::new();
    for wanted in ["first@example.org", "second@example.org"] {
        assert_eq!(ask(wanted, PASSWORD).await.leads_to(), "/settings/security");
        let mut mails = [house.smtp.next().await, house.smtp.next().await];
        mails.sort_by(|a, b| b.to.cmp(&a.to));
        let [to_new, to_old] = mails;
        assert_eq!((to_new.to.as_str(), to_old.to.as_str()), (wanted, "ana@example.org"));
        assert_eq!(to_old.header("Subject"), "Your mail address is to be changed");
        assert_eq!(address().await, ["ana@example.org", "bea@example.org"]);
        links.push(to_new.token().to_owned());
    }
    let mut anyone = Browser::new(&house.app);
    let first = anyone.submit("/confirm", &[("token", &links[0])]).await;
    assert_eq!(first.status, 404, "a link to the first says nothing of the second");
    anyone.submit("/confirm", &[("token", &links[1])]).await;
    assert_eq!(address().await, ["bea@example.org", "second@example.org"]);
}

#[tokio::test]
async fn a_new_password_ends_a_change_of_address() {
    let house = House::new("").await;
    house.person("ana", Role::User, "ana@example.org").await;
    let mut browser = Browser::of(&house.app, "ana").await;
    browser.submit("/settings/email", &[("email", "eve@example.org"), ("password", PASSWORD)]).await;
    let mut mails = [house.smtp.next().await, house.smtp.next().await];
    mails.sort_by(|a, b| b.to.cmp(&a.to));
    let stolen = mails[0].token().to_owned();
    house.forgot("ana@example.org").await;
    let reset = house.smtp.next().await;
    let mut own = Browser::new(&house.app);
    own.submit("/password/reset", &[("token", reset.token()), ("password", NEW)]).await;
    own.submit("/confirm", &[("token", &stolen)]).await;
    let user = house.app.state.store.read(|tx| tx.scan(USER, Scan::all())).await.unwrap();
    assert_eq!(user[0].1.email.as_deref(), Some("ana@example.org"));
}

/// Asks for `eve@example.org` on the settings page; gives what the link in the
/// mail to there holds.
async fn ask_for_another(house: &House, browser: &mut Browser<'_>) -> String {
    browser.submit("/settings/email", &[("email", "eve@example.org"), ("password", PASSWORD)]).await;
    let mut mails = [house.smtp.next().await, house.smtp.next().await];
    mails.sort_by(|a, b| b.to.cmp(&a.to));
    mails[0].token().to_owned()
}

#[tokio::test]
async fn a_password_changed_on_the_page_ends_a_change_of_address_too() {
    let house = House::new("").await;
    house.person("ana", Role::User, "ana@example.org").await;
    let mut browser = Browser::of(&house.app, "ana").await;
    let stolen = ask_for_another(&house, &mut browser).await;
    browser.submit("/settings/password", &[("current", PASSWORD), ("new", NEW)]).await;
    assert_eq!(house.smtp.next().await.header("Subject"), "Your password was changed");
    Browser::new(&house.app).submit("/confirm", &[("token", &stolen)]).await;
    let user = house.app.state.store.read(|tx| tx.scan(USER, Scan::all())).await.unwrap();
    assert_eq!(user[0].1.email.as_deref(), Some("ana@example.org"));
}

#[tokio::test]
async fn asking_for_another_address_ends_no_link_for_a_new_password() {
    let house = House::new("").await;
    house.person("ana", Role::User, "ana@example.org").await;
    let mut browser = Browser::of(&house.app, "ana").await;
    house.forgot("ana@example.org").await;
    let reset = house.smtp.next().await.token().to_owned();
    ask_for_another(&house, &mut browser).await;
    Browser::new(&house.app).submit("/password/reset", &[("token", &reset), ("password", NEW)]).await;
    assert_eq!(house.smtp.next().await.header("Subject"), "Your password was changed");
}

#[tokio::test]
async fn a_sign_up_that_nobody_confirms_is_forgotten_after_a_week() {
    let house = House::new("").await;
    house.person("ana", Role::User, "ana@example.org").await;
    let token = house.app.token(None, "read write").await;
    house.sign_up(&token, json!({})).await.json(200);
    house.smtp.next().await;
    let day = Duration::from_secs(24 * 3600);
    for (days, forgotten) in [(6, 0), (1, 1), (1, 0)] {
        house.app.clock.advance(day * days);
        assert_eq!(waxwing::edge::signups::sweep(&house.app.state).await.unwrap(), forgotten);
    }
    // Their name and address are free again.
    house.sign_up(&token, json!({})).await.json(200);
    let again = house.smtp.next().await;
    let mut browser = Browser::new(&house.app);
    browser.submit("/confirm", &[("token", again.token())]).await;
    house.app.clock.advance(day * 30);
    assert_eq!(waxwing::edge::signups::sweep(&house.app.state).await.unwrap(), 0);
}
