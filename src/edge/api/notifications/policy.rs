//! From whom a person wants to hear (docs: entities/NotificationPolicy).

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::base::{Id, Problem};
use crate::domain::notification::{self, Summary};
use crate::edge::AppState;
use crate::edge::api::params::Input;
use crate::edge::auth::Auth;
use crate::model::{NotificationPolicy as Policy, PolicyAnswer};
use crate::store::StoreError;
use crate::wire::mastodon::{NotificationPolicy, V1NotificationPolicy};

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = GivenPolicyAnswer)]
enum Answer {
    Accept,
    Filter,
    Drop,
}

impl From<Answer> for PolicyAnswer {
    fn from(answer: Answer) -> PolicyAnswer {
        match answer {
            Answer::Accept => PolicyAnswer::Accept,
            Answer::Filter => PolicyAnswer::Filter,
            Answer::Drop => PolicyAnswer::Drop,
        }
    }
}

/// What changes; what is not given stays as it is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(super) struct GivenPolicy {
    for_not_following: Option<Answer>,
    for_not_followers: Option<Answer>,
    for_new_accounts: Option<Answer>,
    for_private_mentions: Option<Answer>,
    for_limited_accounts: Option<Answer>,
    for_bots: Option<Answer>,
}

impl GivenPolicy {
    fn apply(&self, policy: &mut Policy) {
        let set = |answer: &mut PolicyAnswer, given: Option<Answer>| {
            *answer = given.map_or(*answer, PolicyAnswer::from);
        };
        set(&mut policy.not_following, self.for_not_following);
        set(&mut policy.not_followers, self.for_not_followers);
        set(&mut policy.new_accounts, self.for_new_accounts);
        set(&mut policy.private_mentions, self.for_private_mentions);
        set(&mut policy.limited_accounts, self.for_limited_accounts);
        set(&mut policy.bots, self.for_bots);
    }
}

/// The same as version 1 had it: held back or not.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(super) struct GivenV1Policy {
    filter_not_following: Option<bool>,
    filter_not_followers: Option<bool>,
    filter_new_accounts: Option<bool>,
    filter_private_mentions: Option<bool>,
}

impl GivenV1Policy {
    fn apply(&self, policy: &mut Policy) {
        let set = |answer: &mut PolicyAnswer, given: Option<bool>| match given {
            Some(true) => *answer = PolicyAnswer::Filter,
            Some(false) => *answer = PolicyAnswer::Accept,
            None => {}
        };
        set(&mut policy.not_following, self.filter_not_following);
        set(&mut policy.not_followers, self.filter_not_followers);
        set(&mut policy.new_accounts, self.filter_new_accounts);
        set(&mut policy.private_mentions, self.filter_private_mentions);
    }
}

async fn get(state: &AppState, me: Id) -> Result<(Policy, Summary), Problem> {
    let read = state
        .store
        .read(move |tx| Ok::<_, StoreError>((notification::policy(tx, me)?, notification::summary(tx, me)?)));
    Ok(read.await?)
}

async fn set(
    state: &AppState,
    me: Id,
    change: impl Fn(&mut Policy) + Send + 'static,
) -> Result<(Policy, Summary), Problem> {
    let written = state.store.write(move |tx| {
        let policy = notification::set_policy(tx, me, &change)?;
        Ok::<_, StoreError>((policy, notification::summary(tx, me)?))
    });
    Ok(written.await?)
}

fn whole((policy, summary): (Policy, Summary)) -> Json<NotificationPolicy> {
    Json(NotificationPolicy::new(&policy, summary.requests, summary.notifications))
}

fn first((policy, summary): (Policy, Summary)) -> Json<V1NotificationPolicy> {
    Json(V1NotificationPolicy::new(&policy, summary.requests, summary.notifications))
}

/// From whom the person wants to hear.
#[utoipa::path(get, path = "/api/v2/notifications/policy", tag = "Notifications",
    security(("oauth" = ["read:notifications"])), responses((status = 200, body = NotificationPolicy)))]
pub(super) async fn read(
    State(state): State<AppState>,
    auth: Auth,
) -> Result<Json<NotificationPolicy>, Problem> {
    let me = auth.me("read:notifications")?.id;
    Ok(whole(get(&state, me).await?))
}

/// Changes from whom the person wants to hear.
#[utoipa::path(method(put, patch), path = "/api/v2/notifications/policy", tag = "Notifications",
    request_body = GivenPolicy,
    security(("oauth" = ["write:notifications"])), responses((status = 200, body = NotificationPolicy)))]
pub(super) async fn write(
    State(state): State<AppState>,
    auth: Auth,
    given: Input<GivenPolicy>,
) -> Result<Json<NotificationPolicy>, Problem> {
    let me = auth.me("write:notifications")?.id;
    let given = given.into_inner();
    Ok(whole(set(&state, me, move |policy| given.apply(policy)).await?))
}

/// From whom the person wants to hear, as version 1 had it.
#[utoipa::path(get, path = "/api/v1/notifications/policy", tag = "Notifications",
    security(("oauth" = ["read:notifications"])), responses((status = 200, body = V1NotificationPolicy)))]
pub(super) async fn read_v1(
    State(state): State<AppState>,
    auth: Auth,
) -> Result<Json<V1NotificationPolicy>, Problem> {
    let me = auth.me("read:notifications")?.id;
    Ok(first(get(&state, me).await?))
}

/// Changes from whom the person wants to hear, as version 1 had it.
#[utoipa::path(method(put, patch), path = "/api/v1/notifications/policy", tag = "Notifications",
    request_body = GivenV1Policy,
    security(("oauth" = ["write:notifications"])), responses((status = 200, body = V1NotificationPolicy)))]
pub(super) async fn write_v1(
    State(state): State<AppState>,
    auth: Auth,
    given: Input<GivenV1Policy>,
) -> Result<Json<V1NotificationPolicy>, Problem> {
    let me = auth.me("write:notifications")?.id;
    let given = given.into_inner();
    Ok(first(set(&state, me, move |policy| given.apply(policy)).await?))
}
