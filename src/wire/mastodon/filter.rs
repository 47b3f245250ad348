//! Filters (docs: entities/Filter, FilterKeyword, FilterStatus, FilterResult,
//! V1_Filter).

use serde::Serialize;
use utoipa::ToSchema;

use super::words::{FilterActionWord, FilterContextWord};
use crate::base::{Id, Timestamp};
use crate::model;

/// A word of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FilterKeyword {
    id: String,
    keyword: String,
    whole_word: bool,
}

impl From<&model::FilterKeyword> for FilterKeyword {
    fn from(row: &model::FilterKeyword) -> FilterKeyword {
        FilterKeyword { id: row.id.to_string(), keyword: row.keyword.clone(), whole_word: row.whole_word }
    }
}

/// A post of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FilterStatus {
    id: String,
    status_id: String,
}

impl From<&model::FilterStatus> for FilterStatus {
    fn from(row: &model::FilterStatus) -> FilterStatus {
        FilterStatus { id: row.id.to_string(), status_id: row.status.to_string() }
    }
}

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Filter {
    id: String,
    title: String,
    #[schema(value_type = Vec<FilterContextWord>)]
    context: Vec<&'static str>,
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
    #[schema(value_type = FilterActionWord)]
    filter_action: &'static str,
    /// Not where a post says which filters it matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    keywords: Option<Vec<FilterKeyword>>,
    /// Not where a post says which filters it matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    statuses: Option<Vec<FilterStatus>>,
}

fn words(filter: &model::Filter) -> Vec<&'static str> {
    filter.contexts.iter().map(|context| context.word()).collect()
}

impl Filter {
    /// The filter without what it looks for.
    fn outline(filter: &model::Filter) -> Filter {
        Filter {
            id: filter.id.to_string(),
            title: filter.title.clone(),
            context: words(filter),
            expires_at: filter.expires_at.map(Timestamp::rfc3339),
            filter_action: filter.action.word(),
            keywords: None,
            statuses: None,
        }
    }
}

impl From<&model::Filter> for Filter {
    fn from(filter: &model::Filter) -> Filter {
        Filter {
            keywords: Some(filter.keywords.iter().map(FilterKeyword::from).collect()),
            statuses: Some(filter.statuses.iter().map(FilterStatus::from).collect()),
            ..Filter::outline(filter)
        }
    }
}

/// A filter that a post matches, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FilterResult {
    filter: Filter,
    #[schema(required)]
    keyword_matches: Option<Vec<String>>,
    #[schema(required)]
    status_matches: Option<Vec<String>>,
}

impl FilterResult {
    /// Of the words and posts of the filter those that the post matches.
    pub fn new(filter: &model::Filter, keywords: &[String], statuses: &[Id]) -> FilterResult {
        let statuses: Vec<String> = statuses.iter().map(Id::to_string).collect();
        FilterResult {
            filter: Filter::outline(filter),
            keyword_matches: Some(keywords.to_vec()).filter(|all| !all.is_empty()),
            status_matches: Some(statuses).filter(|all| !all.is_empty()),
        }
    }
}

/// A filter as version 1 has it: one for each keyword.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = V1Filter)]
pub struct V1Filter {
    id: String,
    phrase: String,
    #[schema(value_type = Vec<FilterContextWord>)]
    context: Vec<&'static str>,
    whole_word: bool,
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
    irreversible: bool,
}

impl V1Filter {
    /// One keyword with the rest of its filter.
    pub fn new(filter: &model::Filter, keyword: &model::FilterKeyword) -> V1Filter {
        V1Filter {
            id: keyword.id.to_string(),
            phrase: keyword.keyword.clone(),
            context: words(filter),
            whole_word: keyword.whole_word,
            expires_at: filter.expires_at.map(Timestamp::rfc3339),
            irreversible: filter.action == model::FilterAction::Hide,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{FilterAction, FilterContext};

    fn filter() -> model::Filter {
        model::Filter {
            id: Id(1),
            title: "t".into(),
            contexts: vec![FilterContext::Home, FilterContext::Thread],
            action: FilterAction::Hide,
            expires_at: None,
            keywords: vec![model::FilterKeyword { id: Id(2), keyword: "k".into(), whole_word: true }],
            statuses: vec![model::FilterStatus { id: Id(3), status: Id(4) }],
        }
    }

    #[test]
    fn both_versions_show_the_same_filter() {
        let outline = json!({"id": "1", "title": "t", "context": ["home", "thread"], "expires_at": null,
            "filter_action": "hide"});
        let mut whole = outline.clone();
        whole["keywords"] = json!([{"id": "2", "keyword": "k", "whole_word": true}]);
        whole["statuses"] = json!([{"id": "3", "status_id": "4"}]);
        assert_eq!(serde_json::to_value(Filter::from(&filter())).unwrap(), whole);
        let found = FilterResult::new(&filter(), &["k".into()], &[]);
        let expected = json!({"filter": outline, "keyword_matches": ["k"], "status_matches": null});
        assert_eq!(serde_json::to_value(found).unwrap(), expected);
        let first = V1Filter::new(&filter(), &filter().keywords[0]);
        let expected = json!({"id": "2", "phrase": "k", "context": ["home", "thread"], "whole_word": true,
            "expires_at": null, "irreversible": true});
        assert_eq!(serde_json::to_value(first).unwrap(), expected);
    }
}
