//! A whole server's HTTP side, with somebody who has a token.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use waxwing::app::server::assemble;
use waxwing::app::system::{SystemChance, SystemClock};
use waxwing::config::{self, Config, Environment, Overrides};
use waxwing::domain::{oauth, password, secret, user};
use waxwing::edge::{self, AppState};
use waxwing::model::Role;
use waxwing::store::{Store, StoreError};

use crate::Failure;
use crate::people::key_pair;

/// Settings for a server on loopback whose data is in this folder.
pub(crate) fn settings(folder: &Path) -> Result<Config, Failure> {
    let text = "http://127.0.0.1:0\nlisten 127.0.0.1:0\nadmin off\nlog_level error\nrate_limit off\noutbound_allow 127.0.0.0/8\n";
    let environment = Environment { current_dir: folder.to_owned(), data_dir: Some(folder.to_owned()) };
    config::parse(&folder.join("matrix.conf"), text.as_bytes(), &environment, &Overrides::default())
        .map_err(|complaints| complaints.to_string().into())
}

/// Somebody's client, without sockets.
pub(crate) struct Api {
    router: axum::Router,
    token: String,
}

impl Api {
    /// Over a store; of somebody new, who keeps the token in the folder, or of who kept it there.
    pub(crate) async fn over(store: Store, folder: &Path) -> Result<Api, Failure> {
        let (clock, chance) = (Arc::new(SystemClock::start()), Arc::new(SystemChance));
        let state = assemble(settings(folder)?, store, clock, chance, key_pair().await?)
            .map_err(|problem| problem.to_string())?;
        let file = folder.join("token");
        let token = match std::fs::read_to_string(&file) {
            Ok(kept) => kept,
            Err(_) => token(&state, "wren").await?,
        };
        std::fs::write(file, &token)?;
        Ok(Api { router: edge::router(&state), token })
    }

    /// Writes a post; gives the status and the post's id.
    pub(crate) async fn write(&self, text: &str) -> Result<(StatusCode, Option<String>), Failure> {
        let body = serde_json::json!({ "status": text }).to_string();
        let request = Request::post("/api/v1/statuses").header("content-type", "application/json");
        let (status, answer) = self.ask(request.body(Body::from(body))?).await?;
        Ok((status, answer["id"].as_str().map(str::to_owned)))
    }

    /// Whether a post is there.
    pub(crate) async fn has(&self, id: &str) -> Result<bool, Failure> {
        let request = Request::get(format!("/api/v1/statuses/{id}")).body(Body::empty())?;
        Ok(self.ask(request).await?.0 == StatusCode::OK)
    }

    async fn ask(&self, mut request: Request<Body>) -> Result<(StatusCode, Value), Failure> {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 40_000));
        request.extensions_mut().insert(ConnectInfo(address));
        request.headers_mut().insert("authorization", format!("Bearer {}", self.token).parse()?);
        request.headers_mut().insert("host", "127.0.0.1:0".parse()?);
        let (head, body) = self.router.clone().oneshot(request).await?.into_parts();
        let bytes = body.collect().await?.to_bytes();
        Ok((head.status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }
}

/// Makes an account and gives a token for it.
pub(crate) async fn token(state: &AppState, username: &str) -> Result<String, Failure> {
    let new = user::NewUser {
        username: username.into(),
        email: None,
        password_hash: password::hash("cedar and juniper", [7; 16]),
        keys: key_pair().await?,
        reason: None,
        invite: None,
        app: None,
        locale: None,
    };
    let app = oauth::NewApp {
        name: "matrix".into(),
        website: None,
        redirect_uris: vec![oauth::OUT_OF_BAND.into()],
        scopes: vec!["read".into(), "write".into()],
        client_id: "matrix".into(),
        secret_digest: [0; 32],
    };
    let token = state.chance.secret(24);
    let (digest, site, moment) = (secret::digest(&token), state.site.clone(), state.moment());
    let refused = |what: &dyn std::fmt::Debug| StoreError::Engine(format!("{what:?}"));
    let joined = state.store.write(move |tx| {
        let mut moment = moment.clone();
        let entry = user::Entry::Given(Role::User);
        let account = user::sign_up(tx, &mut moment, &site, entry, &new).map_err(|e| refused(&e))?.id;
        let app = oauth::register(tx, &mut moment, &app).map_err(|e| refused(&e))?;
        oauth::issue(tx, &mut moment, digest, &app, Some(account), app.scopes.clone());
        Ok::<_, StoreError>(())
    });
    joined.await?;
    Ok(token)
}
