//! Accounts and what is done to them (docs: methods/admin/accounts).

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{PAGE_ADMIN, render};
use crate::base::{Id, Moment, Problem};
use crate::domain::moderation::people::{self, Origin, Standing, Wanted};
use crate::domain::moderation::report::resolve_about;
use crate::domain::moderation::{self, Action, ModerationError, Relief, Staff, Word};
use crate::edge::AppState;
use crate::edge::api::page::{PageParams, page, paged};
use crate::edge::api::params::{GivenId, Input};
use crate::edge::api::people::IdPath;
use crate::edge::auth::Auth;
use crate::model::{Permission, Role};
use crate::store::WriteTx;
use crate::wire::mastodon::Empty;
use crate::wire::mastodon::admin::AdminAccount;

const READ: &str = "admin:read:accounts";
const WRITE: &str = "admin:write:accounts";
/// Ids that one decision may take.
const IDS: u16 = 32;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_v1))
        .routes(routes!(list_v2))
        .routes(routes!(show, destroy))
        .routes(routes!(act))
        .routes(routes!(approve))
        .routes(routes!(reject))
        .routes(routes!(enable))
        .routes(routes!(unsensitive))
        .routes(routes!(unsilence))
        .routes(routes!(unsuspend))
}

/// Which accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct V1 {
    /// Only those of this server.
    local: Option<bool>,
    /// Only those of other servers.
    remote: Option<bool>,
    /// Only those of this server.
    by_domain: Option<String>,
    /// Only those that are not suspended.
    active: Option<bool>,
    /// Only those that wait to be let in.
    pending: Option<bool>,
    /// Only those that cannot log in.
    disabled: Option<bool>,
    /// Only those that are limited.
    silenced: Option<bool>,
    /// Only those that are suspended.
    suspended: Option<bool>,
    /// Only those whose media are all sensitive.
    sensitized: Option<bool>,
    /// Only those who run the server.
    staff: Option<bool>,
    /// The beginning of the username.
    username: Option<String>,
    /// The beginning of the display name.
    display_name: Option<String>,
    /// The beginning of the mail address.
    email: Option<String>,
    /// The address they signed up from; none is kept.
    ip: Option<String>,
}

impl V1 {
    fn wanted(&self) -> Wanted {
        let set = |flag: Option<bool>| flag == Some(true);
        let origin = match (set(self.local), set(self.remote)) {
            (true, _) => Some(Origin::Local),
            (false, true) => Some(Origin::Remote),
            _ => None,
        };
        let standings = [
            (self.active, Standing::Active),
            (self.pending, Standing::Pending),
            (self.disabled, Standing::Disabled),
            (self.silenced, Standing::Silenced),
            (self.suspended, Standing::Suspended),
            (self.sensitized, Standing::Sensitized),
        ];
        Wanted {
            origin,
            standing: standings.into_iter().find(|(flag, _)| set(*flag)).map(|(_, standing)| standing),
            staff: set(self.staff),
            roles: None,
            invited_by: None,
            username: self.username.clone(),
            display_name: self.display_name.clone(),
            domain: self.by_domain.clone(),
            email: self.email.clone(),
            ip: self.ip.clone(),
        }
    }
}

async fn listed(
    state: &AppState,
    uri: &Uri,
    wanted: Wanted,
    params: &crate::edge::api::params::Params,
) -> Result<Response, Problem> {
    let page = page(params, PAGE_ADMIN)?;
    let found = state.store.read(move |tx| people::list(tx, &wanted, &page)).await?;
    Ok(paged(&state.site, uri, found.map(|subject| render::subject(&state.site, &subject))))
}

/// Accounts, newest first.
#[utoipa::path(get, path = "/api/v1/admin/accounts", tag = "Admin", params(V1, PageParams),
    security(("oauth" = ["admin:read:accounts"])), responses((status = 200, body = [AdminAccount])))]
async fn list_v1(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    asked: Input<V1>,
) -> Result<Response, Problem> {
    auth.staff(READ, Permission::ManageUsers)?;
    listed(&state, &uri, asked.wanted(), &asked.params).await
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OriginWord {
    Local,
    Remote,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum StandingWord {
    Active,
    Pending,
    Disabled,
    Silenced,
    Suspended,
    Sensitized,
}

impl From<StandingWord> for Standing {
    fn from(word: StandingWord) -> Standing {
        match word {
            StandingWord::Active => Standing::Active,
            StandingWord::Pending => Standing::Pending,
            StandingWord::Disabled => Standing::Disabled,
            StandingWord::Silenced => Standing::Silenced,
            StandingWord::Suspended => Standing::Suspended,
            StandingWord::Sensitized => Standing::Sensitized,
        }
    }
}

/// Which accounts; `max_id`, `since_id`, `min_id` and `limit` as everywhere.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct V2 {
    /// Where they live.
    #[param(inline)]
    origin: Option<OriginWord>,
    /// How they stand.
    #[param(inline)]
    status: Option<StandingWord>,
    /// `staff`: only those who run the server.
    permissions: Option<String>,
    /// Only those with one of these roles.
    #[serde(default)]
    #[param(rename = "role_ids[]")]
    role_ids: Vec<String>,
    /// Only those whom this account invited.
    #[param(value_type = Option<String>)]
    invited_by: Option<GivenId>,
    /// The beginning of the username.
    username: Option<String>,
    /// The beginning of the display name.
    display_name: Option<String>,
    /// Only those of this server.
    by_domain: Option<String>,
    /// The beginning of the mail address.
    email: Option<String>,
    /// The address they signed up from; none is kept.
    ip: Option<String>,
}

impl V2 {
    fn wanted(&self) -> Wanted {
        let role = |id: &String| match id.as_str() {
            "1" => Some(Role::Moderator),
            "2" => Some(Role::Admin),
            "3" => Some(Role::Owner),
            "-99" => Some(Role::User),
            _ => None,
        };
        Wanted {
            origin: self.origin.map(|word| match word {
                OriginWord::Local => Origin::Local,
                OriginWord::Remote => Origin::Remote,
            }),
            standing: self.status.map(Standing::from),
            staff: self.permissions.as_deref() == Some("staff"),
            roles: (!self.role_ids.is_empty()).then(|| self.role_ids.iter().filter_map(role).collect()),
            invited_by: self.invited_by.map(|id| id.0),
            username: self.username.clone(),
            display_name: self.display_name.clone(),
            domain: self.by_domain.clone(),
            email: self.email.clone(),
            ip: self.ip.clone(),
        }
    }
}

/// Accounts, newest first.
#[utoipa::path(get, path = "/api/v2/admin/accounts", tag = "Admin", params(V2, PageParams),
    security(("oauth" = ["admin:read:accounts"])), responses((status = 200, body = [AdminAccount])))]
async fn list_v2(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    asked: Input<V2>,
) -> Result<Response, Problem> {
    auth.staff(READ, Permission::ManageUsers)?;
    listed(&state, &uri, asked.wanted(), &asked.params).await
}

/// One account.
#[utoipa::path(get, path = "/api/v1/admin/accounts/{id}", tag = "Admin", params(("id" = String, Path)),
    security(("oauth" = ["admin:read:accounts"])), responses((status = 200, body = AdminAccount)))]
async fn show(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminAccount>, Problem> {
    auth.staff(READ, Permission::ManageUsers)?;
    Ok(Json(render::one(&state, id).await?))
}

/// Deletes a suspended account for good, in a while; answers what it was.
#[utoipa::path(delete, path = "/api/v1/admin/accounts/{id}", tag = "Admin", params(("id" = String, Path)),
    security(("oauth" = ["admin:write:accounts"])), responses((status = 200, body = AdminAccount)))]
async fn destroy(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminAccount>, Problem> {
    let by = auth.staff(WRITE, Permission::DeleteUserData)?;
    let was = render::one(&state, id).await?;
    decide(&state, move |tx, moment| moderation::erase(tx, moment, by, id)).await?;
    Ok(Json(was))
}

/// One decision in one transaction.
async fn decide(
    state: &AppState,
    mut decision: impl FnMut(&mut WriteTx<'_>, &mut Moment) -> Result<(), ModerationError> + Send + 'static,
) -> Result<(), Problem> {
    let moment = state.moment_with(IDS);
    Ok(state.store.write(move |tx| decision(tx, &mut moment.clone())).await?)
}

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ActionWord {
    #[default]
    None,
    Sensitive,
    Disable,
    Silence,
    Suspend,
}

impl From<ActionWord> for Action {
    fn from(word: ActionWord) -> Action {
        match word {
            ActionWord::None => Action::None,
            ActionWord::Sensitive => Action::Sensitive,
            ActionWord::Disable => Action::Disable,
            ActionWord::Silence => Action::Silence,
            ActionWord::Suspend => Action::Suspend,
        }
    }
}

/// What is done to an account.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // presets are taken and mean nothing here
struct AccountAction {
    /// What.
    #[serde(rename = "type")]
    kind: ActionWord,
    /// The report that it answers; it is resolved.
    report_id: Option<GivenId>,
    /// Why: kept in the log, and told to the one it is about.
    text: Option<String>,
    /// Whether they are told, by a notification; this server sends no mail.
    send_email_notification: Option<bool>,
    /// There are no presets here.
    warning_preset_id: Option<String>,
}

/// Does something to an account, and resolves the reports about it.
#[utoipa::path(post, path = "/api/v1/admin/accounts/{id}/action", tag = "Admin",
    params(("id" = String, Path)), request_body = AccountAction,
    security(("oauth" = ["admin:write:accounts"])), responses((status = 200, body = Empty)))]
async fn act(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    sent: Input<AccountAction>,
) -> Result<Json<Empty>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageUsers)?;
    let (action, text) = (Action::from(sent.kind), sent.text.clone().unwrap_or_default());
    let (report, is_told) = (sent.report_id.map(|id| id.0), sent.send_email_notification.unwrap_or(true));
    decide(&state, move |tx, moment| {
        moderation::act(tx, moment, by, id, (action, &text))?;
        moderation::warn(tx, moment, by, id, (action, Word { text: &text, report, is_told }))?;
        if report.is_some() || action != Action::None {
            let one = if action == Action::None { report } else { None };
            resolve_about(tx, moment, by, id, one)?;
        }
        Ok(())
    })
    .await?;
    Ok(Json(Empty {}))
}

async fn decided(
    state: AppState,
    id: Id,
    by: Staff,
    decision: fn(&mut WriteTx<'_>, &mut Moment, Staff, Id) -> Result<(), ModerationError>,
) -> Result<Json<AdminAccount>, Problem> {
    decide(&state, move |tx, moment| decision(tx, moment, by, id)).await?;
    Ok(Json(render::one(&state, id).await?))
}

/// Lets somebody in who waits for it.
#[utoipa::path(post, path = "/api/v1/admin/accounts/{id}/approve", tag = "Admin",
    params(("id" = String, Path)),
    security(("oauth" = ["admin:write:accounts"])), responses((status = 200, body = AdminAccount)))]
async fn approve(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminAccount>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageUsers)?;
    let site = state.site.clone();
    decide(&state, move |tx, moment| moderation::approve(tx, moment, &site, by, id)).await?;
    Ok(Json(render::one(&state, id).await?))
}

/// Turns somebody down who waits to be let in; answers what they were.
#[utoipa::path(post, path = "/api/v1/admin/accounts/{id}/reject", tag = "Admin",
    params(("id" = String, Path)),
    security(("oauth" = ["admin:write:accounts"])), responses((status = 200, body = AdminAccount)))]
async fn reject(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminAccount>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageUsers)?;
    let was = render::one(&state, id).await?;
    decide(&state, move |tx, moment| moderation::reject(tx, moment, by, id)).await?;
    Ok(Json(was))
}

/// Lets somebody log in again.
#[utoipa::path(post, path = "/api/v1/admin/accounts/{id}/enable", tag = "Admin",
    params(("id" = String, Path)),
    security(("oauth" = ["admin:write:accounts"])), responses((status = 200, body = AdminAccount)))]
async fn enable(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminAccount>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageUsers)?;
    decided(state, id, by, |tx, moment, by, id| moderation::relieve(tx, moment, by, id, Relief::Enable)).await
}

/// Media are as their author says again.
#[utoipa::path(post, path = "/api/v1/admin/accounts/{id}/unsensitive", tag = "Admin",
    params(("id" = String, Path)),
    security(("oauth" = ["admin:write:accounts"])), responses((status = 200, body = AdminAccount)))]
async fn unsensitive(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminAccount>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageUsers)?;
    decided(state, id, by, |tx, moment, by, id| moderation::relieve(tx, moment, by, id, Relief::Unsensitive))
        .await
}

/// The account is shown as any other again.
#[utoipa::path(post, path = "/api/v1/admin/accounts/{id}/unsilence", tag = "Admin",
    params(("id" = String, Path)),
    security(("oauth" = ["admin:write:accounts"])), responses((status = 200, body = AdminAccount)))]
async fn unsilence(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminAccount>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageUsers)?;
    decided(state, id, by, |tx, moment, by, id| moderation::relieve(tx, moment, by, id, Relief::Unsilence))
        .await
}

/// The account is back.
#[utoipa::path(post, path = "/api/v1/admin/accounts/{id}/unsuspend", tag = "Admin",
    params(("id" = String, Path)),
    security(("oauth" = ["admin:write:accounts"])), responses((status = 200, body = AdminAccount)))]
async fn unsuspend(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminAccount>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageUsers)?;
    decided(state, id, by, |tx, moment, by, id| moderation::relieve(tx, moment, by, id, Relief::Unsuspend))
        .await
}
