//! People of the sandbox and what the tests share.

use std::env;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use megalodon::entities::{Account, Status};
use megalodon::error::Error;
use megalodon::megalodon::{AppInputOptions, PostStatusInputOptions, PostStatusOutput};
use megalodon::response::Response;
use megalodon::{Megalodon, SNS, generator};
use reqwest::Method;
use serde_json::{Value, json};

pub type Client = Box<dyn Megalodon + Send + Sync>;

pub const SCOPES: &str = "read write follow push";
const EVENTUALLY_MAX: Duration = Duration::from_secs(15);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The sandbox's address.
pub fn url() -> String {
    env::var("WAXWING_URL").expect("tests/system/test_megalodon.py says where the sandbox is")
}

/// A client with this token, or nobody's.
pub fn client(token: Option<String>) -> Client {
    generator(SNS::Mastodon, url(), token, None).unwrap()
}

/// The one who looks after the sandbox.
pub fn admin() -> String {
    env::var("WAXWING_ADMIN_TOKEN").expect("tests/system/test_megalodon.py chose it")
}

/// A server that is known there.
pub fn neighbour() -> String {
    env::var("WAXWING_NEIGHBOUR").unwrap_or_else(|_| "birds.example".to_owned())
}

/// Somebody of the sandbox's sample: their token and password.
pub async fn sample(username: &str) -> (String, String) {
    // A server that is no sandbox has people that the tests' starter made.
    let people = match env::var("WAXWING_PEOPLE") {
        Ok(people) => serde_json::from_str(&people).unwrap(),
        Err(_) => plain(Method::GET, "/sandbox/people", None, Value::Null).await.1["people"].clone(),
    };
    let person = people.as_array().unwrap().iter().find(|p| p["username"] == username).unwrap().clone();
    (person["token"].as_str().unwrap().to_owned(), person["password"].as_str().unwrap().to_owned())
}

/// Somebody new.
pub struct Person {
    pub api: Client,
    pub token: String,
    pub me: Account,
}

impl Person {
    pub fn id(&self) -> String {
        self.me.id.clone()
    }

    pub async fn post(&self, text: &str) -> Status {
        self.post_with(text, PostStatusInputOptions::default()).await
    }

    pub async fn post_with(&self, text: &str, options: PostStatusInputOptions) -> Status {
        match self.api.post_status(text.to_owned(), Some(&options)).await.unwrap().json {
            PostStatusOutput::Status(status) => status,
            PostStatusOutput::ScheduledStatus(_) => panic!("it was not to be scheduled"),
        }
    }
}

/// Signs somebody up, as an app does.
pub async fn join(name: &str) -> Person {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("{name}{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let options = AppInputOptions {
        scopes: Some(SCOPES.split(' ').map(str::to_owned).collect()),
        ..AppInputOptions::default()
    };
    let app = client(None).create_app("megalodon".into(), &options).await.unwrap();
    let asked = json!({
        "grant_type": "client_credentials", "scope": SCOPES,
        "client_id": app.client_id, "client_secret": app.client_secret,
    });
    let (status, grant) = plain(Method::POST, "/oauth/token", None, asked).await;
    assert_eq!(status, 200, "{grant}");
    let app = client(Some(grant["access_token"].as_str().unwrap().to_owned()));
    let (email, password) = (format!("{name}@mail.example"), "cedar and juniper".to_owned());
    let joined = app.register_account(name, email, password, "true".into(), "en".into(), None).await.unwrap();
    let token = joined.json.access_token;
    let api = client(Some(token.clone()));
    let me = api.verify_account_credentials().await.unwrap().json;
    Person { api, token, me }
}

/// A request that the library cannot make; its status and JSON.
pub async fn plain(method: Method, path: &str, token: Option<&str>, body: Value) -> (u16, Value) {
    let mut request = reqwest::Client::new().request(method, format!("{}{path}", url()));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if !body.is_null() {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
}

/// For calls whose answer is `{}`: the library wants `null` there, which
/// Mastodon never sends, and says that it cannot read what came with 200.
pub fn done(answer: Result<Response<()>, Error>) {
    match answer {
        Ok(_) => {}
        Err(Error::RequestError(error)) if error.is_decode() => {}
        Err(error) => panic!("{error}"),
    }
}

/// The status with which a call was refused.
pub fn refused<T>(answer: Result<Response<T>, Error>) -> u16 {
    match answer {
        Ok(_) => panic!("it was not refused"),
        Err(Error::OwnError(error)) => error.status.unwrap_or_else(|| panic!("{error}")),
        Err(error) => panic!("{error}"),
    }
}

/// Whether the library has no such call for Mastodon.
pub fn is_not_in_the_library<T>(answer: Result<Response<T>, Error>) -> bool {
    matches!(answer, Err(Error::OwnError(error)) if matches!(error.kind, megalodon::error::Kind::NoImplementedError))
}

/// Whether the answer was good, but not as the library wants it: Mastodon
/// writes it as Waxwing does.
pub fn is_unreadable<T>(answer: Result<Response<T>, Error>) -> bool {
    matches!(answer, Err(Error::RequestError(error)) if error.is_decode())
}

/// Looks until there is something.
pub async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begin.elapsed() < EVENTUALLY_MAX, "it did not come: {what}");
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

pub fn statuses(answer: Result<Response<Vec<Status>>, Error>) -> Vec<String> {
    answer.unwrap().json.into_iter().map(|status| status.id).collect()
}

pub fn accounts(answer: Result<Response<Vec<Account>>, Error>) -> Vec<String> {
    answer.unwrap().json.into_iter().map(|account| account.id).collect()
}
