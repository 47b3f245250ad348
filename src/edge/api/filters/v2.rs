//! Whole filters, version 2.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{clearable_number, contexts, end};
use crate::base::{Id, Problem};
use crate::domain::filter::{self, Change, Draft, KeywordChange};
use crate::edge::AppState;
use crate::edge::api::params::{GivenId, Input, clearable, one_or_more};
use crate::edge::api::people::IdPath;
use crate::edge::auth::Auth;
use crate::model::FilterAction;
use crate::wire::mastodon::words::FilterContextWord;
use crate::wire::mastodon::{Empty, Filter};

/// Keywords that one request may add or change.
const KEYWORDS_MAX: usize = 200;

/// What becomes of one keyword.
#[derive(Debug, Deserialize, ToSchema)]
struct KeywordAttributes {
    /// Which; none for a new one.
    id: Option<GivenId>,
    keyword: Option<String>,
    whole_word: Option<bool>,
    /// It goes.
    #[serde(rename = "_destroy")]
    destroy: Option<bool>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = GivenFilterAction)]
enum Action {
    Warn,
    Hide,
    Blur,
}

impl From<&Action> for FilterAction {
    fn from(action: &Action) -> FilterAction {
        match action {
            Action::Warn => FilterAction::Warn,
            Action::Hide => FilterAction::Hide,
            Action::Blur => FilterAction::Blur,
        }
    }
}

/// A filter as clients write it.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct GivenFilter {
    #[serde(default, deserialize_with = "clearable")]
    title: Option<String>,
    #[serde(default, deserialize_with = "given_list")]
    #[schema(value_type = Option<Vec<FilterContextWord>>)]
    context: Option<Vec<String>>,
    filter_action: Option<Action>,
    /// Seconds; blank for never.
    #[serde(default, deserialize_with = "clearable_number")]
    #[schema(value_type = Option<i64>)]
    expires_in: Option<Option<i64>>,
    #[serde(default)]
    keywords_attributes: Vec<KeywordAttributes>,
}

/// A list that was sent, even as an empty one.
fn given_list<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    one_or_more(from).map(Some)
}

impl GivenFilter {
    fn keywords(&self) -> Result<Vec<KeywordChange>, Problem> {
        if self.keywords_attributes.len() > KEYWORDS_MAX {
            return Err(Problem::invalid(format!(
                "Validation failed: At most {KEYWORDS_MAX} keywords at once"
            )));
        }
        let change = |row: &KeywordAttributes| KeywordChange {
            id: row.id.map(|id| id.0),
            keyword: row.keyword.clone(),
            whole_word: row.whole_word,
            destroy: row.destroy.unwrap_or(false),
        };
        Ok(self.keywords_attributes.iter().map(change).collect())
    }

    /// Ids that keeping it may take.
    fn ids(&self) -> u16 {
        u16::try_from(self.keywords_attributes.len().min(KEYWORDS_MAX)).unwrap_or(u16::MAX).saturating_add(2)
    }
}

/// The filters of the person.
#[utoipa::path(get, path = "/api/v2/filters", tag = "Filters",
    security(("oauth" = ["read:filters"])), responses((status = 200, body = Vec<Filter>)))]
pub(super) async fn list(State(state): State<AppState>, auth: Auth) -> Result<Json<Vec<Filter>>, Problem> {
    let me = auth.me("read:filters")?.id;
    let all = state.store.read(move |tx| filter::list(tx, me)).await?;
    Ok(Json(all.iter().map(Filter::from).collect()))
}

/// A filter of the person.
///
/// # Errors
/// 404 for a missing and for another's.
pub(super) async fn own(state: &AppState, me: Id, id: Id) -> Result<crate::model::Filter, Problem> {
    let all = state.store.read(move |tx| filter::list(tx, me)).await?;
    all.into_iter().find(|filter| filter.id == id).ok_or_else(Problem::not_found)
}

/// One filter.
#[utoipa::path(get, path = "/api/v2/filters/{id}", tag = "Filters", params(("id" = String, Path)),
    security(("oauth" = ["read:filters"])), responses((status = 200, body = Filter)))]
pub(super) async fn one(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Filter>, Problem> {
    let me = auth.me("read:filters")?.id;
    Ok(Json(Filter::from(&own(&state, me, id).await?)))
}

/// Makes a filter.
#[utoipa::path(post, path = "/api/v2/filters", tag = "Filters", request_body = GivenFilter,
    security(("oauth" = ["write:filters"])), responses((status = 200, body = Filter)))]
pub(super) async fn create(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<GivenFilter>,
) -> Result<Json<Filter>, Problem> {
    let me = auth.me("write:filters")?.id;
    let draft = Draft {
        title: sent.title.clone().unwrap_or_default(),
        contexts: contexts(sent.context.as_deref().unwrap_or_default())?,
        action: sent.filter_action.as_ref().map(FilterAction::from).unwrap_or_default(),
        expires_at: end(state.now(), sent.expires_in.flatten()),
        keywords: sent.keywords()?,
    };
    let moment = state.moment_with(sent.ids());
    let made = state.store.write(move |tx| filter::create(tx, &mut moment.clone(), me, &draft)).await?;
    Ok(Json(Filter::from(&made)))
}

/// Changes a filter; what is not given stays as it is.
#[utoipa::path(method(put, patch), path = "/api/v2/filters/{id}", tag = "Filters",
    params(("id" = String, Path)), request_body = GivenFilter,
    security(("oauth" = ["write:filters"])), responses((status = 200, body = Filter)))]
pub(super) async fn update(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    sent: Input<GivenFilter>,
) -> Result<Json<Filter>, Problem> {
    let me = auth.me("write:filters")?.id;
    let change = Change {
        title: sent.title.clone(),
        contexts: sent.context.as_deref().map(contexts).transpose()?,
        action: sent.filter_action.as_ref().map(FilterAction::from),
        expires_at: sent.expires_in.map(|expires_in| end(state.now(), expires_in)),
        keywords: sent.keywords()?,
    };
    let moment = state.moment_with(sent.ids());
    let made = state.store.write(move |tx| filter::update(tx, &mut moment.clone(), me, id, &change)).await?;
    Ok(Json(Filter::from(&made)))
}

/// Removes a filter.
#[utoipa::path(delete, path = "/api/v2/filters/{id}", tag = "Filters", params(("id" = String, Path)),
    security(("oauth" = ["write:filters"])), responses((status = 200, body = Empty)))]
pub(super) async fn delete(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:filters")?.id;
    state.store.write(move |tx| filter::delete(tx, me, id)).await?;
    Ok(Json(Empty {}))
}
