//! Figures (docs: methods/admin/measures, dimensions, retention). What is
//! not counted here is left out of the answer rather than given as nothing.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::{Problem, Timestamp};
use crate::domain::moderation::figures::{self, Measure, Span, time_of};
use crate::edge::AppState;
use crate::edge::api::params::{Input, one_or_more};
use crate::edge::auth::Auth;
use crate::model::{Permission, User};
use crate::store::StoreError;

const READ: &str = "admin:read";
/// Rows of a dimension: default and most.
const LIMIT: (usize, usize) = (10, 100);
/// Periods that a table of retention has at most.
const PERIODS_MAX: usize = 60;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(measures)).routes(routes!(dimensions)).routes(routes!(retention))
}

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
struct FiguresAsked {
    #[serde(default, deserialize_with = "one_or_more")]
    keys: Vec<String>,
    /// A day, or a date and time.
    start_at: String,
    end_at: String,
    /// Rows of each dimension.
    limit: Option<u32>,
}

fn time(name: &str, text: &str) -> Result<Timestamp, Problem> {
    let day = format!("{}T00:00:00Z", text.get(..10).unwrap_or_default());
    let wrong = || Problem::invalid(format!("Validation failed: `{name}` is not a date"));
    Timestamp::parse_rfc3339(text).or_else(|| Timestamp::parse_rfc3339(&day)).ok_or_else(wrong)
}

fn span(start_at: &str, end_at: &str) -> Result<Span, Problem> {
    Ok(Span::new(time("start_at", start_at)?, time("end_at", end_at)?))
}

/// One day of a measure.
#[derive(Debug, Serialize, ToSchema)]
struct MeasureDay {
    #[schema(format = DateTime)]
    date: String,
    value: String,
}

/// Something counted by day.
#[derive(Debug, Serialize, ToSchema)]
struct AdminMeasure {
    key: &'static str,
    #[schema(required)]
    unit: Option<String>,
    total: String,
    previous_total: String,
    data: Vec<MeasureDay>,
}

/// What happened on each day: `active_users`, `new_users`, `opened_reports`,
/// `resolved_reports`.
#[utoipa::path(post, path = "/api/v1/admin/measures", tag = "Admin", request_body = FiguresAsked,
    security(("oauth" = ["admin:read"])), responses((status = 200, body = [AdminMeasure])))]
async fn measures(
    State(state): State<AppState>,
    auth: Auth,
    asked: Input<FiguresAsked>,
) -> Result<Json<Vec<AdminMeasure>>, Problem> {
    auth.staff(READ, Permission::ViewDashboard)?;
    let span = span(&asked.start_at, &asked.end_at)?;
    let is_wanted = |(key, _): &(&'static str, Measure)| asked.keys.iter().any(|asked| asked == key);
    let wanted: Vec<(&'static str, Measure)> = Measure::ALL.into_iter().filter(is_wanted).collect();
    let found = state.store.read(move |tx| {
        let both = |(key, measure)| {
            let now = figures::by_day(tx, measure, span)?;
            Ok::<_, StoreError>((key, now, figures::by_day(tx, measure, span.before())?))
        };
        wanted.into_iter().map(both).collect::<Result<Vec<_>, StoreError>>()
    });
    let found = found.await?;
    let measure = |(key, now, before): (&'static str, Vec<u64>, Vec<u64>)| AdminMeasure {
        key,
        unit: None,
        total: now.iter().sum::<u64>().to_string(),
        previous_total: before.iter().sum::<u64>().to_string(),
        data: span
            .days()
            .zip(now)
            .map(|(day, value)| MeasureDay { date: time_of(day).rfc3339(), value: value.to_string() })
            .collect(),
    };
    Ok(Json(found.into_iter().map(measure).collect()))
}

/// One row of a dimension.
#[derive(Debug, Serialize, ToSchema)]
struct DimensionRow {
    key: String,
    human_key: String,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    human_value: Option<String>,
}

/// Something by what it has in common.
#[derive(Debug, Serialize, ToSchema)]
struct AdminDimension {
    key: String,
    data: Vec<DimensionRow>,
}

fn locale(user: &User) -> Option<String> {
    user.locale.clone()
}

fn source(user: &User) -> Option<String> {
    user.app.map(|app| app.to_string())
}

/// People who joined, by what they have in common: `languages`, `sources`;
/// and `software_versions`.
#[utoipa::path(post, path = "/api/v1/admin/dimensions", tag = "Admin", request_body = FiguresAsked,
    security(("oauth" = ["admin:read"])), responses((status = 200, body = [AdminDimension])))]
async fn dimensions(
    State(state): State<AppState>,
    auth: Auth,
    asked: Input<FiguresAsked>,
) -> Result<Json<Vec<AdminDimension>>, Problem> {
    auth.staff(READ, Permission::ViewDashboard)?;
    let span = span(&asked.start_at, &asked.end_at)?;
    let limit = asked.limit.map_or(LIMIT.0, |limit| (limit as usize).min(LIMIT.1));
    let mut all = Vec::new();
    for key in asked.keys.iter().take(LIMIT.0) {
        let what: fn(&User) -> Option<String> = match key.as_str() {
            "languages" => locale,
            "sources" => source,
            "software_versions" => {
                all.push(AdminDimension { key: key.clone(), data: vec![software()] });
                continue;
            }
            _ => continue,
        };
        let rows = state.store.read(move |tx| figures::users_by(tx, span, limit, what)).await;
        let rows = rows.map_err(|error: StoreError| Problem::from(error))?;
        let row = |(name, count): (String, u64)| DimensionRow {
            human_key: if name.is_empty() { "none".to_owned() } else { name.clone() },
            key: name,
            value: count.to_string(),
            unit: None,
            human_value: None,
        };
        all.push(AdminDimension { key: key.clone(), data: rows.into_iter().map(row).collect() });
    }
    Ok(Json(all))
}

fn software() -> DimensionRow {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    DimensionRow {
        key: "waxwing".into(),
        human_key: "Waxwing".into(),
        human_value: Some(version.clone()),
        value: version,
        unit: None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RetentionFrequency {
    Day,
    Month,
}

/// Which people are followed for how long.
#[derive(Debug, Deserialize, ToSchema)]
struct RetentionAsked {
    /// A day, or a date and time.
    start_at: String,
    end_at: String,
    frequency: RetentionFrequency,
}

/// How many were still here.
#[derive(Debug, Serialize, ToSchema)]
struct CohortData {
    #[schema(format = DateTime)]
    date: String,
    rate: f64,
    value: String,
}

/// People who joined in one period.
#[derive(Debug, Serialize, ToSchema)]
struct AdminCohort {
    #[schema(format = DateTime)]
    period: String,
    #[schema(example = "day")]
    frequency: &'static str,
    data: Vec<CohortData>,
}

/// How many of those who joined are still here.
#[utoipa::path(post, path = "/api/v1/admin/retention", tag = "Admin", request_body = RetentionAsked,
    security(("oauth" = ["admin:read"])), responses((status = 200, body = [AdminCohort])))]
async fn retention(
    State(state): State<AppState>,
    auth: Auth,
    asked: Input<RetentionAsked>,
) -> Result<Json<Vec<AdminCohort>>, Problem> {
    auth.staff(READ, Permission::ViewDashboard)?;
    let span = span(&asked.start_at, &asked.end_at)?;
    let is_first =
        |day: &u32| asked.frequency == RetentionFrequency::Day || time_of(*day).date().ends_with("-01");
    let mut periods: Vec<u32> = span.days().filter(is_first).take(PERIODS_MAX).collect();
    if periods.first() != Some(&span.first) {
        periods.insert(0, span.first);
    }
    let found = state.store.read(move |tx| figures::retention(tx, &periods, span.last)).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    let frequency = if asked.frequency == RetentionFrequency::Day { "day" } else { "month" };
    let cohort = |cohort: figures::Cohort| AdminCohort {
        period: time_of(cohort.began).rfc3339(),
        frequency,
        data: cohort
            .since
            .iter()
            .map(|(day, here)| CohortData {
                date: time_of(*day).rfc3339(),
                rate: *here as f64 / cohort.size.max(1) as f64,
                value: here.to_string(),
            })
            .collect(),
    };
    Ok(Json(found.into_iter().map(cohort).collect()))
}
