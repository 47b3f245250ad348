//! Filters (docs: methods/filters). Versions 1 and 2 are two views of the
//! same filters: version 1 has one for each keyword.

mod keywords;
mod statuses;
mod v1;
mod v2;

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::{Problem, Timestamp};
use crate::domain::filter::{FilterError, KEYWORD_CHARACTERS_MAX, TITLE_CHARACTERS_MAX};
use crate::edge::AppState;
use crate::model::FilterContext;

/// Longest life of a filter that ends: longer is for ever to any calendar.
const EXPIRES_MAX_S: u64 = 100 * 365 * 24 * 3600;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(v2::list, v2::create))
        .routes(routes!(v2::one, v2::update, v2::delete))
        .routes(routes!(keywords::list, keywords::create))
        .routes(routes!(keywords::one, keywords::update, keywords::delete))
        .routes(routes!(statuses::list, statuses::create))
        .routes(routes!(statuses::one, statuses::delete))
        .routes(routes!(v1::list, v1::create))
        .routes(routes!(v1::one, v1::update, v1::delete))
}

impl From<FilterError> for Problem {
    fn from(error: FilterError) -> Problem {
        let invalid = |what: String| Problem::invalid(format!("Validation failed: {what}"));
        match error {
            FilterError::Missing => Problem::not_found(),
            FilterError::NoTitle => invalid("Title can't be blank".into()),
            FilterError::NoKeyword => invalid("Keyword can't be blank".into()),
            FilterError::NoContext => invalid("Context can't be blank".into()),
            FilterError::LongTitle => {
                invalid(format!("Title is too long (maximum is {TITLE_CHARACTERS_MAX} characters)"))
            }
            FilterError::LongKeyword => {
                invalid(format!("Keyword is too long (maximum is {KEYWORD_CHARACTERS_MAX} characters)"))
            }
            FilterError::Taken => invalid("Status has already been taken".into()),
            FilterError::TooMany => invalid("You have too many filters, keywords or filtered posts".into()),
            FilterError::Shared => Problem::invalid(
                "These parameters cannot be changed from this application because they apply to more than \
                 one filter keyword. Use a more recent application.",
            ),
            FilterError::Store(error) => error.into(),
        }
    }
}

/// The contexts that these words name, each once.
///
/// # Errors
/// 422 for a word that is none.
fn contexts(words: &[String]) -> Result<Vec<FilterContext>, Problem> {
    let mut all = Vec::new();
    for word in words.iter().map(|word| word.trim()).filter(|word| !word.is_empty()) {
        let context = FilterContext::from_word(word)
            .ok_or_else(|| Problem::invalid("Validation failed: Context None or invalid context supplied"))?;
        if !all.contains(&context) {
            all.push(context);
        }
    }
    Ok(all)
}

/// For a number that a blank value or null clears: `Some(None)` then. Use
/// with `#[serde(default, deserialize_with = "clearable_number")]`.
fn clearable_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::<i64>::deserialize(from).map(Some)
}

/// When something ends that ends in so many seconds.
fn end(now: Timestamp, expires_in: Option<i64>) -> Option<Timestamp> {
    let seconds = u64::try_from(expires_in?).unwrap_or(0);
    Some(now.plus(Duration::from_secs(seconds.min(EXPIRES_MAX_S))))
}
