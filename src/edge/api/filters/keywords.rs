//! The keywords of a filter.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::v2::own;
use crate::base::{Id, Problem};
use crate::domain::filter::{self, KeywordChange};
use crate::edge::AppState;
use crate::edge::api::params::{Input, clearable};
use crate::edge::api::people::IdPath;
use crate::edge::auth::Auth;
use crate::model;
use crate::wire::mastodon::{Empty, FilterKeyword};

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct GivenKeyword {
    #[serde(default, deserialize_with = "clearable")]
    keyword: Option<String>,
    whole_word: Option<bool>,
}

impl GivenKeyword {
    fn change(&self) -> KeywordChange {
        let (keyword, whole_word) = (self.keyword.clone(), self.whole_word);
        KeywordChange { keyword, whole_word, ..KeywordChange::default() }
    }
}

/// The keywords of a filter.
#[utoipa::path(get, path = "/api/v2/filters/{id}/keywords", tag = "Filters", params(("id" = String, Path)),
    security(("oauth" = ["read:filters"])), responses((status = 200, body = Vec<FilterKeyword>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Vec<FilterKeyword>>, Problem> {
    let me = auth.me("read:filters")?.id;
    Ok(Json(own(&state, me, id).await?.keywords.iter().map(FilterKeyword::from).collect()))
}

/// Adds a keyword to a filter.
#[utoipa::path(post, path = "/api/v2/filters/{id}/keywords", tag = "Filters", params(("id" = String, Path)),
    request_body = GivenKeyword,
    security(("oauth" = ["write:filters"])), responses((status = 200, body = FilterKeyword)))]
pub(super) async fn create(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    sent: Input<GivenKeyword>,
) -> Result<Json<FilterKeyword>, Problem> {
    let me = auth.me("write:filters")?.id;
    let (moment, change) = (state.moment(), sent.change());
    let made =
        state.store.write(move |tx| filter::add_keyword(tx, &mut moment.clone(), me, id, &change)).await?;
    Ok(Json(FilterKeyword::from(&made)))
}

/// A keyword of the person.
async fn keyword(state: &AppState, me: Id, id: Id) -> Result<model::FilterKeyword, Problem> {
    let all = state.store.read(move |tx| filter::list(tx, me)).await?;
    let mut rows = all.into_iter().flat_map(|filter| filter.keywords);
    rows.find(|row| row.id == id).ok_or_else(Problem::not_found)
}

/// One keyword.
#[utoipa::path(get, path = "/api/v2/filters/keywords/{id}", tag = "Filters", params(("id" = String, Path)),
    security(("oauth" = ["read:filters"])), responses((status = 200, body = FilterKeyword)))]
pub(super) async fn one(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<FilterKeyword>, Problem> {
    let me = auth.me("read:filters")?.id;
    Ok(Json(FilterKeyword::from(&keyword(&state, me, id).await?)))
}

/// Changes a keyword; what is not given stays as it is.
#[utoipa::path(method(put, patch), path = "/api/v2/filters/keywords/{id}", tag = "Filters",
    params(("id" = String, Path)), request_body = GivenKeyword,
    security(("oauth" = ["write:filters"])), responses((status = 200, body = FilterKeyword)))]
pub(super) async fn update(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    sent: Input<GivenKeyword>,
) -> Result<Json<FilterKeyword>, Problem> {
    let me = auth.me("write:filters")?.id;
    let change = sent.change();
    let made = state.store.write(move |tx| filter::change_keyword(tx, me, id, &change)).await?;
    Ok(Json(FilterKeyword::from(&made)))
}

/// Removes a keyword.
#[utoipa::path(delete, path = "/api/v2/filters/keywords/{id}", tag = "Filters", params(("id" = String, Path)),
    security(("oauth" = ["write:filters"])), responses((status = 200, body = Empty)))]
pub(super) async fn delete(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:filters")?.id;
    state.store.write(move |tx| filter::delete_keyword(tx, me, id, false)).await?;
    Ok(Json(Empty {}))
}
