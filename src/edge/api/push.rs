//! Web Push subscriptions (docs: methods/push). Each token has one.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use url::Url;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::params::Input;
use crate::base::Problem;
use crate::domain::push::{self, Digest, NewPush};
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::model::{NotificationKind, PushPolicy, PushSubscription};
use crate::net::client::parse_url;
use crate::queue::push::server_key;
use crate::wire::mastodon::{Empty, WebPushSubscription};
use crate::wire::web_push::{AUTH_BYTES, decode_key, is_public_key};

/// Bytes of an endpoint; those of the big push services have about 200.
const ENDPOINT_MAX_BYTES: usize = 2048;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(read, subscribe, change, unsubscribe))
}

/// The app's keys, as the Push API of browsers gives them.
#[derive(Debug, Deserialize, ToSchema)]
struct SentKeys {
    /// Its public key, base64url.
    p256dh: String,
    /// The shared secret, base64url.
    auth: String,
}

#[derive(Debug, Deserialize, ToSchema)]
struct SentSubscription {
    /// Where to push, an https URL.
    endpoint: String,
    keys: SentKeys,
    /// Encrypt as RFC 8291 says, not as the draft before it did.
    #[serde(default)]
    standard: Option<bool>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
struct SentData {
    /// By kind of notification.
    #[serde(default)]
    alerts: Option<BTreeMap<String, bool>>,
    /// `all`, `followed`, `follower` or `none`.
    policy: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct NewSubscription {
    subscription: SentSubscription,
    #[serde(default)]
    data: Option<SentData>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct ChangedData {
    #[serde(default)]
    data: Option<SentData>,
    /// As in `data`, for old apps.
    policy: Option<String>,
}

fn alerts(data: &SentData) -> Vec<NotificationKind> {
    let told = data.alerts.iter().flatten().filter(|(_, is_told)| **is_told);
    told.filter_map(|(word, _)| NotificationKind::from_word(word)).collect()
}

fn policy(word: Option<&str>) -> Result<Option<PushPolicy>, Problem> {
    let read = |word| {
        PushPolicy::from_word(word)
            .ok_or_else(|| Problem::invalid("Validation failed: Policy is not included in the list"))
    };
    word.map(read).transpose()
}

fn invalid(what: &str) -> Problem {
    Problem::invalid(format!("Validation failed: {what}"))
}

/// What was sent, if pushes can go there.
fn checked(state: &AppState, sent: &NewSubscription) -> Result<NewPush, Problem> {
    let SentSubscription { endpoint, keys, standard } = &sent.subscription;
    let refused = || invalid("Endpoint is not an https URL of a push service");
    // Names are looked at when it is sent, by whatever they stand for then.
    let may_be = |url: &Url| url.scheme() == "https" && state.client.may_ask(url);
    let url = parse_url(endpoint).ok().filter(|url| may_be(url) && endpoint.len() <= ENDPOINT_MAX_BYTES);
    let url = url.ok_or_else(refused)?;
    let public_key = decode_key(&keys.p256dh).filter(|key| is_public_key(key));
    let auth = decode_key(&keys.auth).filter(|auth| auth.len() == AUTH_BYTES);
    let none = SentData::default();
    let data = sent.data.as_ref().unwrap_or(&none);
    Ok(NewPush {
        endpoint: url.to_string(),
        public_key: public_key.ok_or_else(|| invalid("Key p256dh is not a public key of P-256"))?,
        auth: auth.ok_or_else(|| invalid("Key auth is not a secret of 16 bytes"))?,
        standard: standard.unwrap_or(false),
        alerts: alerts(data),
        policy: policy(data.policy.as_deref())?.unwrap_or_default(),
    })
}

async fn entity(
    state: &AppState,
    found: Option<PushSubscription>,
) -> Result<Json<WebPushSubscription>, Problem> {
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(Json(WebPushSubscription::new(&found, server_key(&state.store).await?.public())))
}

/// The digest of a person's token that may have pushes.
fn token(auth: &Auth) -> Result<Digest, Problem> {
    auth.me("push")?;
    Ok(auth.bearer()?.digest)
}

/// The subscription of the app that asks.
#[utoipa::path(get, path = "/api/v1/push/subscription", tag = "Push",
    security(("oauth" = ["push"])), responses((status = 200, body = WebPushSubscription)))]
async fn read(State(state): State<AppState>, auth: Auth) -> Result<Json<WebPushSubscription>, Problem> {
    let digest = token(&auth)?;
    let found = state.store.read(move |tx| push::get(tx, digest)).await?;
    entity(&state, found).await
}

/// Subscribes the app that asks, in place of what it had.
#[utoipa::path(post, path = "/api/v1/push/subscription", tag = "Push", request_body = NewSubscription,
    security(("oauth" = ["push"])), responses((status = 200, body = WebPushSubscription)))]
async fn subscribe(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<NewSubscription>,
) -> Result<Json<WebPushSubscription>, Problem> {
    let me = auth.me("push")?.id;
    let (digest, new) = (token(&auth)?, checked(&state, &sent)?);
    let made = state.store.write(move |tx| push::subscribe(tx, digest, me, &new)).await?;
    entity(&state, Some(made)).await
}

/// Changes of what the app that asks is told.
#[utoipa::path(method(put, patch), path = "/api/v1/push/subscription", tag = "Push",
    request_body = ChangedData, security(("oauth" = ["push"])),
    responses((status = 200, body = WebPushSubscription)))]
async fn change(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<ChangedData>,
) -> Result<Json<WebPushSubscription>, Problem> {
    let digest = token(&auth)?;
    let none = SentData::default();
    let data = sent.data.as_ref().unwrap_or(&none);
    let (alerts, policy) = (alerts(data), policy(data.policy.as_deref().or(sent.policy.as_deref()))?);
    let changed = state.store.write(move |tx| push::change(tx, digest, &alerts, policy)).await?;
    entity(&state, changed).await
}

/// Ends the subscription of the app that asks.
#[utoipa::path(delete, path = "/api/v1/push/subscription", tag = "Push",
    security(("oauth" = ["push"])), responses((status = 200, body = Empty)))]
async fn unsubscribe(State(state): State<AppState>, auth: Auth) -> Result<Json<Empty>, Problem> {
    let digest = token(&auth)?;
    state.store.write(move |tx| push::unsubscribe(tx, digest)).await?;
    Ok(Json(Empty {}))
}
