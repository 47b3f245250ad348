//! Streaming (docs: methods/streaming): what happens, while it happens, by
//! WebSocket or server-sent events.
//!
//! A stream belongs to a token and never to a cookie, so any web page may
//! open one: it can only show what it has the token for.

mod channel;
mod session;
mod socket;
mod sse;

use axum::extract::FromRequestParts;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::channel::Asked;
use self::session::Session;
use super::params::Input;
use super::{announcements, render};
use crate::base::{Problem, ProblemKind};
use crate::edge::AppState;
use crate::edge::auth::{Auth, ClientIp, sent_token};
use crate::net::hub::Who;
use crate::net::listener::Keep;

/// For a client that finds no place in the hub.
const FULL_RETRY_S: u32 = 60;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(open))
        .routes(routes!(user))
        .routes(routes!(user_notification))
        .routes(routes!(public))
        .routes(routes!(public_local))
        .routes(routes!(public_remote))
        .routes(routes!(hashtag))
        .routes(routes!(hashtag_local))
        .routes(routes!(list))
        .routes(routes!(direct))
        .routes(routes!(health))
        .route("/api/v1/streaming/{*rest}", axum::routing::get(unknown))
}

/// Which channel, and how it is narrowed down.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only posts with media (`public`).
    #[serde(default)]
    only_media: Option<bool>,
    /// The hashtag (`hashtag`).
    tag: Option<String>,
    /// The id of the list (`list`).
    list: Option<String>,
}

/// A channel by its name.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Named {
    /// `user`, `user:notification`, `public`, `public:media`, `public:local`,
    /// `public:local:media`, `public:remote`, `public:remote:media`,
    /// `hashtag`, `hashtag:local`, `list` or `direct`.
    stream: Option<String>,
    /// The hashtag (`hashtag`).
    tag: Option<String>,
    /// The id of the list (`list`).
    list: Option<String>,
}

/// Whoever opens a stream: a person with a token. Browsers cannot set headers
/// on a WebSocket, so there the token may come as the name of a subprotocol.
struct Opening {
    auth: Auth,
    ip: ClientIp,
    was_sent: bool,
    protocol: Option<HeaderValue>,
    keep: Option<Keep>,
}

impl FromRequestParts<AppState> for Opening {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Opening, Problem> {
        let protocol = parts.headers.get(SEC_WEBSOCKET_PROTOCOL).and_then(|value| value.to_str().ok());
        let protocol = protocol.and_then(|all| all.split(',').next()).map(|first| first.trim().to_owned());
        let token = sent_token(parts).or_else(|| protocol.clone());
        let was_sent = token.is_some();
        let Ok(ip) = ClientIp::from_request_parts(parts, state).await;
        Ok(Opening {
            auth: Auth::by(state, token).await?,
            ip,
            was_sent,
            protocol: protocol.and_then(|protocol| HeaderValue::try_from(protocol).ok()),
            keep: parts.extensions.get::<Keep>().cloned(),
        })
    }
}

impl Opening {
    /// A session without subscriptions.
    async fn session(&self, state: &AppState) -> Result<Session, Problem> {
        let me = self.auth.anyone().map_err(|problem| match problem.kind {
            ProblemKind::Forbidden => problem,
            _ if self.was_sent => Problem::new(ProblemKind::Unauthenticated, "Invalid access token"),
            _ => Problem::new(ProblemKind::Unauthenticated, "Missing access token"),
        })?;
        let who = Who { account: Some(me.id), credential: Some(me.token.id), source: self.ip.listener() };
        let news = state.hub.listen(who, []).map_err(|_| {
            Problem::new(ProblemKind::TooMany, "Too many open streams").retry_after(FULL_RETRY_S)
        })?;
        // From here on the hub tells when the token ends; it may have ended
        // since it was looked at first.
        self.auth.again(state).await?.anyone()?;
        Ok(Session::new(state.clone(), me.id, me.token.scopes, news))
    }

    /// One channel as server-sent events.
    async fn events(&self, state: &AppState, asked: Asked) -> Result<Response, Problem> {
        let mut session = self.session(state).await?;
        session.subscribe(&asked).await?;
        Ok(sse::answer(session))
    }
}

/// Opens a WebSocket for any number of channels, or one channel as
/// server-sent events.
///
/// The WebSocket takes `{"type": "subscribe" | "unsubscribe", "stream": …,
/// "tag": …, "list": …}`; the query may name the first channel.
#[utoipa::path(get, path = "/api/v1/streaming", tag = "Streaming", params(Named),
    security(("oauth" = [])), responses(
        (status = 101, description = "The connection is a WebSocket now."),
        (status = 200, body = String, content_type = "text/event-stream", description = "Events without end.")))]
async fn open(
    State(state): State<AppState>,
    opening: Opening,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
    headers: axum::http::HeaderMap,
    asked: Input<Named>,
) -> Result<Response, Problem> {
    let Named { stream, tag, list } = asked.into_inner();
    let asked = stream.map(|stream| Asked { stream, tag, list });
    if !headers.contains_key(UPGRADE) {
        let asked = asked.ok_or_else(|| Problem::malformed("Unknown channel requested"))?;
        return opening.events(&state, asked).await;
    }
    let session = opening.session(&state).await?;
    let mut upgrade = upgrade.map_err(|_| Problem::malformed("This is no WebSocket handshake"))?;
    if let Some(protocol) = opening.protocol {
        upgrade.set_selected_protocol(protocol);
    }
    let keep = opening.keep;
    Ok(socket::bounded(upgrade).on_upgrade(move |socket| async move {
        let talking = socket::talk(socket, session, asked);
        match keep {
            None => talking.await,
            Some(keep) => tokio::select! {
                () = keep.cut() => {}
                () = talking => {}
            },
        }
    }))
}

/// A channel's name with `:media` where only posts with media are asked for.
fn narrowed(name: &str, which: &Which) -> Asked {
    let media = if which.only_media == Some(true) { ":media" } else { "" };
    Asked { stream: format!("{name}{media}"), ..Asked::default() }
}

fn plain(name: &str) -> Asked {
    Asked { stream: name.to_owned(), ..Asked::default() }
}

/// The home timeline and the notifications.
#[utoipa::path(get, path = "/api/v1/streaming/user", tag = "Streaming",
    security(("oauth" = ["read:statuses"])),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn user(State(state): State<AppState>, opening: Opening) -> Result<Response, Problem> {
    opening.events(&state, plain("user")).await
}

/// The notifications alone.
#[utoipa::path(get, path = "/api/v1/streaming/user/notification", tag = "Streaming",
    security(("oauth" = ["read:notifications"])),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn user_notification(State(state): State<AppState>, opening: Opening) -> Result<Response, Problem> {
    opening.events(&state, plain("user:notification")).await
}

/// Public posts from everywhere.
#[utoipa::path(get, path = "/api/v1/streaming/public", tag = "Streaming", params(Which),
    security(("oauth" = [])), responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn public(
    State(state): State<AppState>,
    opening: Opening,
    which: Input<Which>,
) -> Result<Response, Problem> {
    opening.events(&state, narrowed("public", &which)).await
}

/// Public posts of this server.
#[utoipa::path(get, path = "/api/v1/streaming/public/local", tag = "Streaming", params(Which),
    security(("oauth" = [])), responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn public_local(
    State(state): State<AppState>,
    opening: Opening,
    which: Input<Which>,
) -> Result<Response, Problem> {
    opening.events(&state, narrowed("public:local", &which)).await
}

/// Public posts of other servers.
#[utoipa::path(get, path = "/api/v1/streaming/public/remote", tag = "Streaming", params(Which),
    security(("oauth" = [])), responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn public_remote(
    State(state): State<AppState>,
    opening: Opening,
    which: Input<Which>,
) -> Result<Response, Problem> {
    opening.events(&state, narrowed("public:remote", &which)).await
}

/// Public posts with a hashtag.
#[utoipa::path(get, path = "/api/v1/streaming/hashtag", tag = "Streaming", params(Which),
    security(("oauth" = [])), responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn hashtag(
    State(state): State<AppState>,
    opening: Opening,
    which: Input<Which>,
) -> Result<Response, Problem> {
    opening.events(&state, Asked { tag: which.into_inner().tag, ..plain("hashtag") }).await
}

/// Public posts of this server with a hashtag.
#[utoipa::path(get, path = "/api/v1/streaming/hashtag/local", tag = "Streaming", params(Which),
    security(("oauth" = [])), responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn hashtag_local(
    State(state): State<AppState>,
    opening: Opening,
    which: Input<Which>,
) -> Result<Response, Problem> {
    opening.events(&state, Asked { tag: which.into_inner().tag, ..plain("hashtag:local") }).await
}

/// The posts of a list.
#[utoipa::path(get, path = "/api/v1/streaming/list", tag = "Streaming", params(Which),
    security(("oauth" = ["read:statuses"])),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn list(
    State(state): State<AppState>,
    opening: Opening,
    which: Input<Which>,
) -> Result<Response, Problem> {
    opening.events(&state, Asked { list: which.into_inner().list, ..plain("list") }).await
}

/// Conversations.
#[utoipa::path(get, path = "/api/v1/streaming/direct", tag = "Streaming",
    security(("oauth" = ["read:statuses"])),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn direct(State(state): State<AppState>, opening: Opening) -> Result<Response, Problem> {
    opening.events(&state, plain("direct")).await
}

/// Whether streams can be opened.
#[utoipa::path(get, path = "/api/v1/streaming/health", tag = "Streaming",
    responses((status = 200, body = String, content_type = "text/plain")))]
async fn health() -> &'static str {
    "OK"
}

async fn unknown() -> Problem {
    Problem::malformed("Unknown channel requested")
}
