//! Notifications (docs: methods/notifications, methods/grouped_notifications).
//! Each is a group of its own: clients show the same either way.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::page::{limit, page, paged};
use super::params::Params;
use super::people::{IdPath, account};
use super::render;
use crate::base::{Id, Problem, limits};
use crate::domain::notification::{self, Alert, Wanted};
use crate::domain::page::Paged;
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::model::NotificationKind;
use crate::wire::mastodon::{Account, GroupedNotifications, Notification, NotificationGroup};

/// Unread notifications that are counted: default and most (Mastodon: 100
/// and 1000).
const UNREAD: (usize, usize) = (100, 1000);

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/v1/notifications", get(list))
        .route("/api/v1/notifications/clear", post(clear))
        .route("/api/v1/notifications/dismiss", post(dismiss_named))
        .route("/api/v1/notifications/unread_count", get(unread_count))
        .route("/api/v1/notifications/{id}", get(one))
        .route("/api/v1/notifications/{id}/dismiss", post(dismiss))
        .route("/api/v2/notifications", get(grouped))
        .route("/api/v2/notifications/clear", post(clear))
        .route("/api/v2/notifications/unread_count", get(unread_count))
        .route("/api/v2/notifications/policy", get(policy))
        .route("/api/v2/notifications/{group}", get(group))
        .route("/api/v2/notifications/{group}/dismiss", post(dismiss_group))
        .route("/api/v2/notifications/{group}/accounts", get(group_accounts))
}

/// `None` where only kinds are asked for that do not exist here.
fn wanted(params: &Params) -> Option<Wanted> {
    let kinds = |key: &str| -> Vec<NotificationKind> {
        params.list_or_one(key).iter().filter_map(|word| NotificationKind::from_word(word)).collect()
    };
    let asked = params.list_or_one("types").into_iter().any(|word| !word.is_empty());
    let wanted = Wanted {
        kinds: kinds("types"),
        except: kinds("exclude_types"),
        from: params.id("account_id"),
        include_filtered: false,
    };
    (!asked || !wanted.kinds.is_empty()).then_some(wanted)
}

async fn alerts(state: &AppState, me: Id, params: &Params) -> Result<Paged<Alert>, Problem> {
    let page = page(params, limits::PAGE_ACCOUNTS)?;
    let Some(wanted) = wanted(params) else {
        return Ok(Paged { items: Vec::new(), newest: None, oldest: None, has_older: false });
    };
    let viewer = Viewer::account(me, state.now());
    Ok(state.store.read(move |tx| notification::list(tx, viewer, &wanted, &page)).await?)
}

async fn list(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let me = auth.me("read:notifications")?.id;
    let found = alerts(&state, me, &params).await?;
    Ok(paged(&state.site, &uri, found.map(|alert| render::notification(&state.site, me, &alert))))
}

async fn alert(state: &AppState, me: Id, id: Id) -> Result<Alert, Problem> {
    let viewer = Viewer::account(me, state.now());
    state.store.read(move |tx| notification::get(tx, viewer, id)).await?.ok_or_else(Problem::not_found)
}

async fn one(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Notification>, Problem> {
    let me = auth.me("read:notifications")?.id;
    Ok(Json(render::notification(&state.site, me, &alert(&state, me, id).await?)))
}

async fn remove(state: &AppState, me: Id, id: Id) -> Result<Json<Value>, Problem> {
    let is_there = state.store.write(move |tx| notification::dismiss(tx, me, id)).await?;
    if is_there { Ok(Json(json!({}))) } else { Err(Problem::not_found()) }
}

async fn dismiss(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Value>, Problem> {
    remove(&state, auth.me("write:notifications")?.id, id).await
}

/// The same as Mastodon had it before version 1.3.
async fn dismiss_named(
    State(state): State<AppState>,
    auth: Auth,
    params: Params,
) -> Result<Json<Value>, Problem> {
    let me = auth.me("write:notifications")?.id;
    remove(&state, me, params.id("id").ok_or_else(Problem::not_found)?).await
}

async fn clear(State(state): State<AppState>, auth: Auth) -> Result<Json<Value>, Problem> {
    let me = auth.me("write:notifications")?.id;
    state.store.write(move |tx| notification::clear(tx, me)).await?;
    Ok(Json(json!({})))
}

async fn unread_count(
    State(state): State<AppState>,
    auth: Auth,
    params: Params,
) -> Result<Json<Value>, Problem> {
    let viewer = Viewer::account(auth.me("read:notifications")?.id, state.now());
    let most = limit(&params, UNREAD.0, UNREAD.1)?;
    let Some(wanted) = wanted(&params) else { return Ok(Json(json!({ "count": 0 }))) };
    let count = state.store.read(move |tx| notification::unread_count(tx, viewer, &wanted, most)).await?;
    Ok(Json(json!({ "count": count })))
}

/// Nothing is filtered, and there is nothing to set.
async fn policy(auth: Auth) -> Result<Json<Value>, Problem> {
    auth.me("read:notifications")?;
    Ok(Json(json!({
        "for_not_following": "accept",
        "for_not_followers": "accept",
        "for_new_accounts": "accept",
        "for_private_mentions": "accept",
        "for_limited_accounts": "accept",
        "for_bots": "accept",
        "summary": { "pending_requests_count": 0, "pending_notifications_count": 0 },
    })))
}

async fn grouped(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let me = auth.me("read:notifications")?.id;
    let found = alerts(&state, me, &params).await?;
    let body = groups(&state, me, &found.items);
    let mut response = paged(&state.site, &uri, found.map(|_| Value::Null));
    let (_, json) = Json(body).into_response().into_parts();
    *response.body_mut() = json;
    response.headers_mut().remove(axum::http::header::CONTENT_LENGTH);
    Ok(response)
}

fn groups(state: &AppState, me: Id, alerts: &[Alert]) -> GroupedNotifications {
    let (mut people, mut posts) = (BTreeSet::new(), BTreeSet::new());
    let first = |alert: &&Alert| people.insert(alert.from.account.id);
    let accounts = alerts.iter().filter(first).map(|alert| account(&state.site, &alert.from)).collect();
    let statuses = alerts
        .iter()
        .filter_map(|alert| alert.status.as_ref())
        .filter(|loaded| posts.insert(loaded.status.id))
        .map(|loaded| render::status(&state.site, Some(me), loaded))
        .collect();
    let notification_groups =
        alerts.iter().map(|alert| NotificationGroup::from(&alert.notification)).collect();
    GroupedNotifications { accounts, statuses, notification_groups }
}

/// The notification in the name of its group.
fn in_group(name: &str) -> Result<Id, Problem> {
    let id = name.strip_prefix("ungrouped-").and_then(|id| id.parse().ok());
    id.ok_or_else(Problem::not_found)
}

async fn group(
    State(state): State<AppState>,
    Path(name): Path<String>,
    auth: Auth,
) -> Result<Json<GroupedNotifications>, Problem> {
    let me = auth.me("read:notifications")?.id;
    let alert = alert(&state, me, in_group(&name)?).await?;
    Ok(Json(groups(&state, me, &[alert])))
}

async fn dismiss_group(
    State(state): State<AppState>,
    Path(name): Path<String>,
    auth: Auth,
) -> Result<Json<Value>, Problem> {
    remove(&state, auth.me("write:notifications")?.id, in_group(&name)?).await
}

async fn group_accounts(
    State(state): State<AppState>,
    Path(name): Path<String>,
    auth: Auth,
) -> Result<Json<[Account; 1]>, Problem> {
    let me = auth.me("read:notifications")?.id;
    let alert = alert(&state, me, in_group(&name)?).await?;
    Ok(Json([account(&state.site, &alert.from)]))
}
