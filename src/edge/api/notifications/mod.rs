//! Notifications (docs: methods/notifications, methods/grouped_notifications):
//! one by one, in groups, from whom one wants to hear, and those who ask to
//! be heard.

mod grouped;
mod policy;
mod requests;
mod single;

use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::limit;
use super::params::{GivenId, Tree, one_or_more};
use crate::base::Problem;
use crate::domain::notification::Wanted;
use crate::edge::AppState;
use crate::model::NotificationKind;
use crate::wire::mastodon::words::NotificationWord;

/// Unread notifications that are counted: default and most (Mastodon: 100
/// and 1000).
const UNREAD: (usize, usize) = (100, 1000);

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(single::list))
        .routes(routes!(single::clear))
        .routes(routes!(single::dismiss_named))
        .routes(routes!(single::unread_count))
        .routes(routes!(single::delete_several))
        .routes(routes!(single::one, single::delete))
        .routes(routes!(single::dismiss))
        .routes(routes!(grouped::list))
        .routes(routes!(grouped::clear))
        .routes(routes!(grouped::unread_count))
        .routes(routes!(grouped::one))
        .routes(routes!(grouped::dismiss))
        .routes(routes!(grouped::accounts))
        .routes(routes!(policy::read, policy::write))
        .routes(routes!(policy::read_v1, policy::write_v1))
        .routes(routes!(requests::list))
        .routes(routes!(requests::merged))
        .routes(routes!(requests::accept_several))
        .routes(routes!(requests::dismiss_several))
        .routes(routes!(requests::one))
        .routes(routes!(requests::accept))
        .routes(routes!(requests::dismiss))
}

/// Which notifications are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only these; types that do not exist are not found.
    #[serde(default, deserialize_with = "one_or_more")]
    #[param(rename = "types[]", value_type = Vec<NotificationWord>)]
    types: Vec<String>,
    /// Not these.
    #[serde(default, deserialize_with = "one_or_more")]
    #[param(rename = "exclude_types[]", value_type = Vec<NotificationWord>)]
    exclude_types: Vec<String>,
    /// Only what this account caused.
    #[param(value_type = Option<String>)]
    account_id: Option<GivenId>,
    /// What the policy holds back, too.
    include_filtered: Option<bool>,
}

fn kinds(words: &[String]) -> Vec<NotificationKind> {
    words.iter().filter_map(|word| NotificationKind::from_word(word)).collect()
}

impl Which {
    /// `None` where only kinds are asked for that do not exist here.
    fn wanted(&self) -> Option<Wanted> {
        let wanted = Wanted {
            kinds: kinds(&self.types),
            except: kinds(&self.exclude_types),
            from: self.account_id.map(|id| id.0),
            include_filtered: self.include_filtered.unwrap_or(false),
        };
        let asked = self.types.iter().any(|word| !word.is_empty());
        (!asked || !wanted.kinds.is_empty()).then_some(wanted)
    }
}

/// How far unread ones are counted.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // a description only
struct CountLimit {
    /// No more than this; at most 1000.
    #[param(minimum = 0)]
    limit: Option<u32>,
}

fn count_limit(params: &Tree) -> Result<usize, Problem> {
    limit(params, UNREAD.0, UNREAD.1)
}
