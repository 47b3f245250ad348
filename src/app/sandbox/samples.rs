//! The people and posts a sandbox begins with. People are made by the rules
//! themselves, all they do by the API, as an app would.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::base::{Id, Problem};
use crate::domain::relation::{self, Followed, Follower};
use crate::domain::{oauth, password, remote, secret, user};
use crate::edge::sandbox::SamplePerson;
use crate::edge::{self, AppState};
use crate::model::{Account, App, Role};
use crate::store::StoreError;

/// Everybody's password.
const PASSWORD: &str = "sandbox";
/// The salt of its hash: it keeps no secret.
const SALT: [u8; 16] = *b"waxwing sandbox!";
/// What an app of a person may do.
const SCOPES: &str = "read write follow push profile";
/// What an admin's may do besides.
const ADMIN_SCOPES: &str = "admin:read admin:write";
/// Bytes of a random token.
const TOKEN_BYTES: usize = 24;
/// Answers of the API that are read.
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

/// Fills an empty server; gives who can log in, the admin first.
///
/// # Errors
/// When one of the steps is refused, which is a fault of ours.
pub(super) async fn fill(
    state: &AppState,
    admin_token: Option<String>,
) -> Result<Vec<SamplePerson>, Problem> {
    let app = app(state).await?;
    let hash =
        tokio::task::spawn_blocking(|| password::hash(PASSWORD, SALT)).await.map_err(Problem::internal)?;
    let mut people = Vec::new();
    for (username, role) in
        [("admin", Role::Owner), ("ana", Role::User), ("ben", Role::User), ("cleo", Role::User)]
    {
        let id = person(state, username, role, &hash).await?;
        let chosen = admin_token.clone().filter(|_| role == Role::Owner);
        let token = chosen.unwrap_or_else(|| state.chance.secret(TOKEN_BYTES));
        issue(state, &app, id, role, &token).await?;
        people.push(Sample { id, username, token, role });
    }
    let stage = Stage { router: edge::router(state), host: state.site.domain.clone() };
    let [_, ana, ben, cleo] = people.as_slice() else { return Ok(Vec::new()) };
    remote_follower(state, ana.id).await?;
    profiles(&stage, &people).await?;
    stage.act(ben, &format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await?;
    stage.act(cleo, &format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await?;
    stage.act(ana, &format!("/api/v1/accounts/{}/follow", ben.id), json!({})).await?;
    posts(&stage, ana, ben, cleo).await?;
    Ok(people.into_iter().map(SamplePerson::from).collect())
}

/// Somebody of the sample, while it is made.
struct Sample {
    id: Id,
    username: &'static str,
    token: String,
    role: Role,
}

impl From<Sample> for SamplePerson {
    fn from(sample: Sample) -> SamplePerson {
        SamplePerson {
            username: sample.username.to_owned(),
            password: PASSWORD.to_owned(),
            token: sample.token,
            role: if sample.role == Role::Owner { "admin" } else { "user" },
        }
    }
}

async fn profiles(stage: &Stage, people: &[Sample]) -> Result<(), Problem> {
    for (person, (name, note)) in people.iter().zip([
        ("Admin", "Looks after this sandbox."),
        ("Ana Ruiz", "Birds, berries, Berlin. Has a follower on another server."),
        ("Ben Okafor", "Photographs cedars."),
        ("Cleo", "New here."),
    ]) {
        let body = json!({ "display_name": name, "note": note });
        stage.call(Method::PATCH, person, "/api/v1/accounts/update_credentials", body).await?;
    }
    Ok(())
}

async fn posts(stage: &Stage, ana: &Sample, ben: &Sample, cleo: &Sample) -> Result<(), Problem> {
    let post = "/api/v1/statuses";
    let first = stage
        .act(ana, post, json!({ "status": "Seven #waxwings in a row, passing one berry along. #birds" }))
        .await?;
    let warned =
        json!({ "status": "The hawk got one.", "spoiler_text": "Nature being nature", "sensitive": true });
    stage.act(ben, post, warned).await?;
    let reply = json!({ "status": "@ana did the last one eat it?", "in_reply_to_id": first["id"] });
    stage.act(ben, post, reply).await?;
    stage.act(cleo, post, json!({ "status": "Hello, is this thing on? #introduction" })).await?;
    stage.act(ana, post, json!({ "status": "For my followers only.", "visibility": "private" })).await?;
    stage.act(ben, post, json!({ "status": "@ana just between us", "visibility": "direct" })).await?;
    let id = first["id"].as_str().unwrap_or_default();
    stage.act(ben, &format!("{post}/{id}/favourite"), json!({})).await?;
    stage.act(cleo, &format!("{post}/{id}/reblog"), json!({})).await?;
    Ok(())
}

/// The API, called in this process.
struct Stage {
    router: Router,
    host: String,
}

impl Stage {
    /// POST as somebody.
    async fn act(&self, person: &Sample, path: &str, body: Value) -> Result<Value, Problem> {
        self.call(Method::POST, person, path, body).await
    }

    async fn call(&self, method: Method, person: &Sample, path: &str, body: Value) -> Result<Value, Problem> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host)
            .header(AUTHORIZATION, format!("Bearer {}", person.token))
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .map_err(Problem::internal)?;
        request.extensions_mut().insert(ConnectInfo(std::net::SocketAddr::from(([127, 0, 0, 1], 0))));
        let answer = self.router.clone().oneshot(request).await.map_err(Problem::internal)?;
        let status = answer.status();
        let body = http_body_util::Limited::new(answer.into_body(), ANSWER_MAX_BYTES).collect().await;
        let bytes = body.map_err(|error| Problem::internal(error.to_string()))?.to_bytes();
        if !status.is_success() {
            let text = String::from_utf8_lossy(&bytes);
            return Err(Problem::internal(format!(
                "the sample cannot be made: {path} answers {status}: {text}"
            )));
        }
        serde_json::from_slice(&bytes).map_err(Problem::internal)
    }
}

/// The app that the sample's tokens belong to.
async fn app(state: &AppState) -> Result<App, Problem> {
    let client_id = state.chance.secret(TOKEN_BYTES);
    let scopes = oauth::scopes::parse(&format!("{SCOPES} {ADMIN_SCOPES}")).unwrap_or_default();
    let moment = state.moment();
    let registered = state.store.write(move |tx| {
        let new = oauth::NewApp {
            name: "Sandbox".into(),
            website: None,
            redirect_uris: vec![oauth::OUT_OF_BAND.into()],
            scopes: scopes.clone(),
            client_id: client_id.clone(),
            secret_digest: [0; 32],
        };
        oauth::register(tx, &mut moment.clone(), &new)
    });
    registered.await.map_err(|error| Problem::internal(format!("{error:?}")))
}

async fn issue(state: &AppState, app: &App, id: Id, role: Role, token: &str) -> Result<(), Problem> {
    let scopes = if role == Role::Owner { format!("{SCOPES} {ADMIN_SCOPES}") } else { SCOPES.to_owned() };
    let scopes = oauth::scopes::parse(&scopes).unwrap_or_default();
    let (moment, app, digest) = (state.moment(), app.clone(), secret::digest(token));
    state
        .store
        .write(move |tx| {
            oauth::issue(tx, &mut moment.clone(), digest, &app, Some(id), scopes.clone());
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(())
}

/// All have the server's own key: making one for each would take seconds,
/// and nothing they sign leaves the sandbox.
async fn person(state: &AppState, username: &str, role: Role, hash: &str) -> Result<Id, Problem> {
    let new = user::NewUser {
        username: username.to_owned(),
        email: Some(format!("{username}@example.com")),
        password_hash: hash.to_owned(),
        keys: state.instance_key.clone(),
        reason: None,
        invite: None,
        app: None,
        locale: None,
    };
    let (moment, site) = (state.moment(), state.site.clone());
    // Strict clients want somebody to be responsible: the admin owns the place.
    let link = state.chance.secret(TOKEN_BYTES);
    let joined = state.store.write(move |tx| {
        let mut moment = moment.clone();
        if role != Role::Owner {
            return user::sign_up(tx, &mut moment, &site, user::Entry::Given(role), &new);
        }
        user::set_owner_link(tx, secret::digest(&link))?;
        user::create_owner(tx, &mut moment, &site, &user::OwnerLink(&link), &new)
    });
    let joined = joined.await;
    joined.map(|account| account.id).map_err(|error| Problem::internal(format!("{error:?}")))
}

/// Somebody of another server who follows, so that posts have somewhere to go.
async fn remote_follower(state: &AppState, followed: Id) -> Result<(), Problem> {
    let origin = "https://birds.example";
    let account = Account {
        username: "robin".into(),
        domain: Some("birds.example".into()),
        display_name: "Robin".into(),
        uri: format!("{origin}/users/robin"),
        url: format!("{origin}/@robin"),
        inbox: format!("{origin}/users/robin/inbox"),
        shared_inbox: Some(format!("{origin}/inbox")),
        followers_uri: format!("{origin}/users/robin/followers"),
        ..Account::default()
    };
    let (moment, site) = (state.moment(), state.site.clone());
    let made = state.store.write(move |tx| {
        let mut moment = moment.clone();
        let Some(robin) = remote::keep_account(tx, &mut moment, &account)? else { return Ok(()) };
        let pair = (Follower(robin.id), Followed(followed));
        relation::follow_arrived(tx, &mut moment, &site, pair, &format!("{origin}/follows/1"))
    });
    made.await.map_err(Problem::from)
}
