//! Filters as version 1 has them: the id is that of a keyword.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{clearable_number, contexts, end};
use crate::base::{Id, Problem, Timestamp};
use crate::domain::filter::{self, Change, Draft, KeywordChange, OnlyKeyword};
use crate::edge::AppState;
use crate::edge::api::params::{Input, clearable, one_or_more};
use crate::edge::api::people::IdPath;
use crate::edge::auth::Auth;
use crate::model::{Filter, FilterAction};
use crate::wire::mastodon::words::FilterContextWord;
use crate::wire::mastodon::{Empty, V1Filter};

/// A filter as clients of version 1 write it.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct GivenV1Filter {
    #[serde(default, deserialize_with = "clearable")]
    phrase: Option<String>,
    #[serde(default, deserialize_with = "one_or_more")]
    #[schema(value_type = Vec<FilterContextWord>)]
    context: Vec<String>,
    /// Hidden rather than warned of.
    irreversible: Option<bool>,
    whole_word: Option<bool>,
    /// Seconds; blank for never.
    #[serde(default, deserialize_with = "clearable_number")]
    #[schema(value_type = Option<i64>)]
    expires_in: Option<Option<i64>>,
}

impl GivenV1Filter {
    fn action(&self) -> Option<FilterAction> {
        self.irreversible.map(|hides| if hides { FilterAction::Hide } else { FilterAction::Warn })
    }

    fn draft(&self, now: Timestamp) -> Result<Draft, Problem> {
        let keyword = Some(self.phrase.clone().unwrap_or_default());
        Ok(Draft {
            title: self.phrase.clone().unwrap_or_default(),
            contexts: contexts(&self.context)?,
            action: self.action().unwrap_or_default(),
            expires_at: end(now, self.expires_in.flatten()),
            keywords: vec![KeywordChange {
                keyword,
                whole_word: self.whole_word,
                ..KeywordChange::default()
            }],
        })
    }

    fn change(&self, now: Timestamp) -> Result<OnlyKeyword, Problem> {
        let contexts = Some(contexts(&self.context)?).filter(|all| !all.is_empty());
        let (action, expires_at) = (self.action(), self.expires_in.map(|expires_in| end(now, expires_in)));
        let change = Change { contexts, action, expires_at, ..Change::default() };
        Ok(OnlyKeyword { phrase: self.phrase.clone(), whole_word: self.whole_word, change })
    }
}

/// The keyword with this id, as a filter.
fn view(filter: &Filter, keyword: Id) -> Result<Json<V1Filter>, Problem> {
    let row = filter.keywords.iter().find(|row| row.id == keyword).ok_or_else(Problem::not_found)?;
    Ok(Json(V1Filter::new(filter, row)))
}

/// The filters of the person, one for each keyword.
#[utoipa::path(get, path = "/api/v1/filters", tag = "Filters",
    security(("oauth" = ["read:filters"])), responses((status = 200, body = Vec<V1Filter>)))]
pub(super) async fn list(State(state): State<AppState>, auth: Auth) -> Result<Json<Vec<V1Filter>>, Problem> {
    let me = auth.me("read:filters")?.id;
    let all = state.store.read(move |tx| filter::list(tx, me)).await?;
    let views = |filter: &Filter| -> Vec<V1Filter> {
        filter.keywords.iter().map(|row| V1Filter::new(filter, row)).collect()
    };
    Ok(Json(all.iter().flat_map(views).collect()))
}

/// One filter.
#[utoipa::path(get, path = "/api/v1/filters/{id}", tag = "Filters", params(("id" = String, Path)),
    security(("oauth" = ["read:filters"])), responses((status = 200, body = V1Filter)))]
pub(super) async fn one(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<V1Filter>, Problem> {
    let me = auth.me("read:filters")?.id;
    let all = state.store.read(move |tx| filter::list(tx, me)).await?;
    let has = |filter: &&Filter| filter.keywords.iter().any(|row| row.id == id);
    view(all.iter().find(has).ok_or_else(Problem::not_found)?, id)
}

/// Makes a filter of one keyword.
#[utoipa::path(post, path = "/api/v1/filters", tag = "Filters", request_body = GivenV1Filter,
    security(("oauth" = ["write:filters"])), responses((status = 200, body = V1Filter)))]
pub(super) async fn create(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<GivenV1Filter>,
) -> Result<Json<V1Filter>, Problem> {
    let me = auth.me("write:filters")?.id;
    let (moment, draft) = (state.moment(), sent.draft(state.now())?);
    let made = state.store.write(move |tx| filter::create(tx, &mut moment.clone(), me, &draft)).await?;
    let keyword = made.keywords.first().map(|row| row.id).unwrap_or_default();
    view(&made, keyword)
}

/// Changes a filter; what is not given stays as it is.
#[utoipa::path(method(put, patch), path = "/api/v1/filters/{id}", tag = "Filters",
    params(("id" = String, Path)), request_body = GivenV1Filter,
    security(("oauth" = ["write:filters"])), responses((status = 200, body = V1Filter)))]
pub(super) async fn update(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    sent: Input<GivenV1Filter>,
) -> Result<Json<V1Filter>, Problem> {
    let me = auth.me("write:filters")?.id;
    let change = sent.change(state.now())?;
    let made = state.store.write(move |tx| filter::change_only_keyword(tx, me, id, &change)).await?;
    view(&made, id)
}

/// Removes a filter.
#[utoipa::path(delete, path = "/api/v1/filters/{id}", tag = "Filters", params(("id" = String, Path)),
    security(("oauth" = ["write:filters"])), responses((status = 200, body = Empty)))]
pub(super) async fn delete(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:filters")?.id;
    state.store.write(move |tx| filter::delete_keyword(tx, me, id, true)).await?;
    Ok(Json(Empty {}))
}
