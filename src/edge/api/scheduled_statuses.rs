//! Posts that wait for their time (docs: methods/scheduled_statuses).

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{PageParams, page, paged};
use super::params::{Input, Params};
use super::people::IdPath;
use crate::base::{Problem, Timestamp, limits};
use crate::domain::scheduled::{self, DAILY_MAX, ScheduleError, WAITING_MAX};
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::wire::mastodon::{Empty, ScheduledStatus};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one, change, cancel))
}

impl From<ScheduleError> for Problem {
    fn from(error: ScheduleError) -> Problem {
        match error {
            ScheduleError::NotFound => Problem::not_found(),
            ScheduleError::TooSoon => {
                Problem::invalid("Validation failed: Scheduled at The scheduled date must be in the future")
            }
            ScheduleError::Full => Problem::invalid(format!(
                "Validation failed: You have exceeded the limit of {WAITING_MAX} scheduled posts"
            )),
            ScheduleError::DayFull => Problem::invalid(format!(
                "Validation failed: You have exceeded the limit of {DAILY_MAX} scheduled posts for today"
            )),
            ScheduleError::Status(error) => error.into(),
            ScheduleError::Store(error) => error.into(),
        }
    }
}

/// Reads a time: a date and time, or a date alone.
///
/// # Errors
/// 422 with the words that clients expect.
pub(super) fn time(text: &str) -> Result<Timestamp, Problem> {
    let date_alone = || Timestamp::parse_rfc3339(&format!("{}T00:00:00Z", text.trim()));
    Timestamp::parse_rfc3339(text).or_else(date_alone).ok_or_else(|| Problem::invalid("Record invalid"))
}

/// One's waiting posts.
#[utoipa::path(get, path = "/api/v1/scheduled_statuses", tag = "Scheduled statuses", params(PageParams),
    security(("oauth" = ["read:statuses"])), responses((status = 200, body = Vec<ScheduledStatus>)))]
async fn list(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let me = auth.me("read:statuses")?.id;
    let page = page(&params, limits::PAGE_STATUSES)?;
    let found = state.store.read(move |tx| scheduled::list(tx, me, &page)).await?;
    Ok(paged(&state.site, &uri, found.map(|row| ScheduledStatus::new(&state.site, &row))))
}

/// One waiting post.
#[utoipa::path(get, path = "/api/v1/scheduled_statuses/{id}", tag = "Scheduled statuses",
    params(("id" = String, Path)), security(("oauth" = ["read:statuses"])),
    responses((status = 200, body = ScheduledStatus)))]
async fn one(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<ScheduledStatus>, Problem> {
    let me = auth.me("read:statuses")?.id;
    let row = state.store.read(move |tx| scheduled::get(tx, me, id)).await?;
    Ok(Json(ScheduledStatus::new(&state.site, &row)))
}

/// When it is to be published.
#[derive(Debug, Deserialize, ToSchema)]
struct NewTime {
    /// At least five minutes ahead.
    #[schema(format = DateTime)]
    scheduled_at: Option<String>,
}

/// Moves a waiting post to another time.
#[utoipa::path(method(put, patch), path = "/api/v1/scheduled_statuses/{id}", tag = "Scheduled statuses",
    params(("id" = String, Path)), request_body = NewTime, security(("oauth" = ["write:statuses"])),
    responses((status = 200, body = ScheduledStatus)))]
async fn change(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    sent: Input<NewTime>,
) -> Result<Json<ScheduledStatus>, Problem> {
    let me = auth.me("write:statuses")?.id;
    let row = match &sent.scheduled_at {
        None => state.store.read(move |tx| scheduled::get(tx, me, id)).await?,
        Some(text) => {
            let (at, moment) = (time(text)?, state.moment());
            state.store.write(move |tx| scheduled::reschedule(tx, &mut moment.clone(), me, id, at)).await?
        }
    };
    Ok(Json(ScheduledStatus::new(&state.site, &row)))
}

/// Gives up a waiting post.
#[utoipa::path(delete, path = "/api/v1/scheduled_statuses/{id}", tag = "Scheduled statuses",
    params(("id" = String, Path)), security(("oauth" = ["write:statuses"])),
    responses((status = 200, body = Empty)))]
async fn cancel(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let (me, now) = (auth.me("write:statuses")?.id, state.now());
    state.store.write(move |tx| scheduled::cancel(tx, now, me, id)).await?;
    Ok(Json(Empty {}))
}
