//! Notifications in groups (docs: methods/grouped_notifications).

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{CountLimit, Which, count_limit, kinds};
use crate::base::{Id, Problem, limits};
use crate::domain::notification::{self, Group, Grouped};
use crate::domain::page::{Page, Paged};
use crate::domain::timeline::Person;
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::api::page::{PageParams, page, paged, with_link};
use crate::edge::api::params::{Input, Params, one_or_more};
use crate::edge::api::people::{account, borrowed};
use crate::edge::api::render;
use crate::edge::auth::Auth;
use crate::model::GroupKey;
use crate::wire::mastodon::words::NotificationWord;
use crate::wire::mastodon::{
    Account, Empty, GroupedNotifications, NotificationGroup, PartialAccount, UnreadCount,
};

/// Which kinds the client can show in groups, and how whole the accounts are.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Shape {
    /// Only these are grouped; all that can be where none is named.
    #[serde(default, deserialize_with = "one_or_more")]
    #[param(rename = "grouped_types[]", value_type = Vec<NotificationWord>)]
    grouped_types: Vec<String>,
    /// `full`, or `partial_avatars` for only the first account of each group
    /// in full.
    expand_accounts: Option<String>,
}

impl Shape {
    fn grouped(&self) -> Grouped {
        let is_asked = self.grouped_types.iter().any(|word| !word.is_empty());
        Grouped(is_asked.then(|| kinds(&self.grouped_types)))
    }

    /// Whether accounts may be given in part.
    fn is_partial(&self) -> Result<bool, Problem> {
        match self.expand_accounts.as_deref() {
            None | Some("full") => Ok(false),
            Some("partial_avatars") => Ok(true),
            Some(_) => Err(Problem::malformed("Invalid value for `expand_accounts`")),
        }
    }
}

/// A page of groups of what the person was told, newest first.
#[utoipa::path(get, path = "/api/v2/notifications", tag = "Notifications", params(Which, Shape, PageParams),
    security(("oauth" = ["read:notifications"])), responses((status = 200, body = GroupedNotifications)))]
pub(super) async fn list(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    which: Input<Which>,
) -> Result<Response, Problem> {
    let me = auth.me("read:notifications")?.id;
    let shape: Shape = which.also()?;
    let is_partial = shape.is_partial()?;
    let page = page(&which.params, limits::PAGE_ACCOUNTS)?;
    let found = match which.wanted() {
        Some(wanted) => {
            let (viewer, grouped) = (Viewer::account(me, state.now()), shape.grouped());
            state.store.read(move |tx| notification::groups(tx, viewer, &wanted, &grouped, &page)).await?
        }
        None => Paged { items: Vec::new(), newest: None, oldest: None, has_older: false },
    };
    let body = body(&state, me, &found.items, (is_partial, found.oldest));
    Ok(with_link(&state.site, &uri, &found, body))
}

/// Groups with whom and what they are about beside them. The end of the page
/// is the oldest row that it covers.
fn body(
    state: &AppState,
    me: Id,
    groups: &[Group],
    (is_partial, end): (bool, Option<Id>),
) -> GroupedNotifications {
    let mut posts = BTreeSet::new();
    let statuses = groups
        .iter()
        .filter_map(|group| group.status.as_ref())
        .filter(|loaded| posts.insert(loaded.status.id))
        .map(|loaded| render::status(&state.site, Some(me), loaded))
        .collect();
    let (accounts, partial) = people(groups, is_partial);
    GroupedNotifications {
        accounts: accounts.into_iter().map(|person| account(&state.site, person)).collect(),
        partial_accounts: is_partial.then(|| {
            partial.into_iter().map(|person| PartialAccount::new(&state.site, &borrowed(person))).collect()
        }),
        statuses,
        notification_groups: groups.iter().map(|group| outline(state, group, end)).collect(),
    }
}

/// Those who are shown in full and in part, each once.
fn people(groups: &[Group], is_partial: bool) -> (Vec<&Person>, Vec<&Person>) {
    let full = if is_partial { 1 } else { usize::MAX };
    let mut known = BTreeSet::new();
    let mut first = Vec::new();
    for person in groups.iter().flat_map(|group| group.sample.iter().take(full)) {
        if known.insert(person.account.id) {
            first.push(&**person);
        }
    }
    let mut rest = Vec::new();
    for person in groups.iter().flat_map(|group| &group.sample) {
        if known.insert(person.account.id) {
            rest.push(&**person);
        }
    }
    (first, rest)
}

fn outline(state: &AppState, group: &Group, end: Option<Id>) -> NotificationGroup {
    let sample: Vec<Id> = group.sample.iter().map(|person| person.account.id).collect();
    let outline = NotificationGroup::new(group.key, &group.rows, &sample, end);
    match group.sample.first() {
        Some(from) => outline.about(render::subject(&state.site, group.about.as_ref(), from)),
        None => outline,
    }
}

/// The name of a group in a path.
fn key(name: &str) -> Result<GroupKey, Problem> {
    name.parse().map_err(|()| Problem::not_found())
}

/// One group.
#[utoipa::path(get, path = "/api/v2/notifications/{group_key}", tag = "Notifications",
    params(("group_key" = String, Path)),
    security(("oauth" = ["read:notifications"])), responses((status = 200, body = GroupedNotifications)))]
pub(super) async fn one(
    State(state): State<AppState>,
    Path(name): Path<String>,
    auth: Auth,
) -> Result<Json<GroupedNotifications>, Problem> {
    let me = auth.me("read:notifications")?.id;
    let (viewer, key) = (Viewer::account(me, state.now()), key(&name)?);
    let found = state.store.read(move |tx| notification::group(tx, viewer, key)).await?;
    Ok(Json(body(&state, me, &[found.ok_or_else(Problem::not_found)?], (false, None))))
}

/// Removes all notifications of a group.
#[utoipa::path(post, path = "/api/v2/notifications/{group_key}/dismiss", tag = "Notifications",
    params(("group_key" = String, Path)),
    security(("oauth" = ["write:notifications"])), responses((status = 200, body = Empty)))]
pub(super) async fn dismiss(
    State(state): State<AppState>,
    Path(name): Path<String>,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let (me, key) = (auth.me("write:notifications")?.id, key(&name)?);
    let is_there = state.store.write(move |tx| notification::dismiss_group(tx, me, key)).await?;
    if is_there { Ok(Json(Empty {})) } else { Err(Problem::not_found()) }
}

/// Everybody who caused a group, newest first.
#[utoipa::path(get, path = "/api/v2/notifications/{group_key}/accounts", tag = "Notifications",
    params(("group_key" = String, Path), PageParams),
    security(("oauth" = ["read:notifications"])), responses((status = 200, body = Vec<Account>)))]
pub(super) async fn accounts(
    State(state): State<AppState>,
    Path(name): Path<String>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let viewer = Viewer::account(auth.me("read:notifications")?.id, state.now());
    let (key, page) = (key(&name)?, page(&params, limits::PAGE_ACCOUNTS)?);
    let found = state.store.read(move |tx| notification::members(tx, viewer, key, &page)).await?;
    let people = found.ok_or_else(Problem::not_found)?;
    Ok(paged(&state.site, &uri, people.map(|person| account(&state.site, &person))))
}

/// Removes all notifications.
#[utoipa::path(post, path = "/api/v2/notifications/clear", tag = "Notifications",
    security(("oauth" = ["write:notifications"])), responses((status = 200, body = Empty)))]
pub(super) async fn clear(State(state): State<AppState>, auth: Auth) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:notifications")?.id;
    state.store.write(move |tx| notification::clear(tx, me)).await?;
    Ok(Json(Empty {}))
}

/// How many groups have something that is newer than the marker.
#[utoipa::path(get, path = "/api/v2/notifications/unread_count", tag = "Notifications",
    params(Which, Shape, CountLimit),
    security(("oauth" = ["read:notifications"])), responses((status = 200, body = UnreadCount)))]
pub(super) async fn unread_count(
    State(state): State<AppState>,
    auth: Auth,
    which: Input<Which>,
) -> Result<Json<UnreadCount>, Problem> {
    let viewer = Viewer::account(auth.me("read:notifications")?.id, state.now());
    let shape: Shape = which.also()?;
    let (most, grouped) = (count_limit(&which.params)?, shape.grouped());
    let Some(wanted) = which.wanted() else { return Ok(Json(UnreadCount { count: 0 })) };
    let read = state.store.read(move |tx| {
        let page = Page { since_id: notification::last_read(tx, viewer)?, ..Page::first(most) };
        notification::groups(tx, viewer, &wanted, &grouped, &page)
    });
    Ok(Json(UnreadCount { count: read.await?.items.len() }))
}
