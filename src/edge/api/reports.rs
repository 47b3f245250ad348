//! Telling the moderators (docs: methods/reports).

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::params::{GivenId, Input, one_or_more};
use super::people::{account, known_person};
use crate::base::Problem;
use crate::domain::moderation::report::{self, NewReport};
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::model::ReportCategory;
use crate::wire::mastodon::Report;

/// Ids for a report: each moderator is told.
const IDS: u16 = 128;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(create))
}

/// Why somebody is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReportCategory)]
pub(super) enum CategoryWord {
    Spam,
    Legal,
    Violation,
    Other,
}

impl From<CategoryWord> for ReportCategory {
    fn from(word: CategoryWord) -> ReportCategory {
        match word {
            CategoryWord::Spam => ReportCategory::Spam,
            CategoryWord::Legal => ReportCategory::Legal,
            CategoryWord::Violation => ReportCategory::Violation,
            CategoryWord::Other => ReportCategory::Other,
        }
    }
}

/// The numbers of rules.
///
/// # Errors
/// 422 for one that this server does not have.
pub(super) fn rule_numbers(state: &AppState, ids: &[String]) -> Result<Vec<u32>, Problem> {
    let number = |id: &String| {
        let number: u32 = id.trim().parse().ok()?;
        (number >= 1 && number as usize <= state.config.rules.len()).then_some(number)
    };
    let numbers: Option<Vec<u32>> = ids.iter().map(number).collect();
    numbers.ok_or_else(|| Problem::invalid("Validation failed: Rules does not reference valid rules"))
}

/// Who is reported, and why.
#[derive(Debug, Deserialize, ToSchema)]
struct NewReportSent {
    account_id: GivenId,
    /// Posts that show why.
    #[serde(default, deserialize_with = "one_or_more")]
    status_ids: Vec<GivenId>,
    /// At most 1000 characters.
    comment: Option<String>,
    /// Tell the account's own server too, without saying who reports.
    forward: Option<bool>,
    category: Option<CategoryWord>,
    /// Rules that are broken; makes it a violation.
    #[serde(default, deserialize_with = "one_or_more")]
    rule_ids: Vec<String>,
}

/// Reports an account.
#[utoipa::path(post, path = "/api/v1/reports", tag = "Reports", request_body = NewReportSent,
    security(("oauth" = ["write:reports"])), responses((status = 200, body = Report)))]
async fn create(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<NewReportSent>,
) -> Result<Json<Report>, Problem> {
    let me = auth.me("write:reports")?.id;
    let rules = rule_numbers(&state, &sent.rule_ids)?;
    let category = match sent.category.map(ReportCategory::from) {
        None if !rules.is_empty() => ReportCategory::Violation,
        given => given.unwrap_or_default(),
    };
    let new = NewReport {
        account: me,
        target: sent.account_id.0,
        statuses: sent.status_ids.iter().map(|id| id.0).collect(),
        comment: sent.comment.clone().unwrap_or_default(),
        category,
        rules: if category == ReportCategory::Violation { rules } else { Vec::new() },
        forward: sent.forward.unwrap_or(false),
        uri: None,
    };
    let (moment, site) = (state.moment_with(IDS), state.site.clone());
    let made = state.store.write(move |tx| report::create(tx, &mut moment.clone(), &site, &new)).await?;
    let target = known_person(&state, made.target).await?;
    Ok(Json(Report::new(&made, account(&state.site, &target))))
}
