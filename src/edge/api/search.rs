//! Search (docs: methods/search).

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{OffsetParams, limit, offset};
use super::params::{GivenId, Input};
use super::people::account;
use super::render;
use super::tags::entity as tag_entity;
use crate::base::{Problem, ProblemKind, limits};
use crate::domain::search::{self, AtAddress};
use crate::domain::tag;
use crate::domain::visibility::Viewer;
use crate::edge::auth::Auth;
use crate::edge::{AppState, federation, find};
use crate::store::StoreError;
use crate::wire::mastodon::{Account, Search, Status};
use crate::wire::webfinger;

/// Rows of results that may be skipped.
const OFFSET_MAX: usize = 200;
/// Longest text that is looked for.
const QUERY_MAX_BYTES: usize = 2048;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(search)).routes(routes!(search_v1))
}

/// What a search may be narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum SearchKind {
    Accounts,
    Statuses,
    Hashtags,
}

/// What is looked for, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // what has no effect here is documented, too
struct Asked {
    /// Words, a handle, a hashtag, or an address. Posts are found by words,
    /// `"phrases"`, `-exclusions`, and `from:`, `has:`, `is:`, `in:`,
    /// `language:`, `before:`, `after:`, `during:`.
    q: Option<String>,
    /// Everything if nothing is said.
    #[serde(rename = "type")]
    #[param(inline)]
    kind: Option<SearchKind>,
    /// Ask other servers for handles and addresses that are not known here.
    resolve: Option<bool>,
    /// Only accounts that the person follows.
    following: Option<bool>,
    /// Only posts of this account.
    account_id: Option<GivenId>,
    /// Only hashtags that moderators looked at: here all are as good as that.
    exclude_unreviewed: Option<bool>,
    /// Only posts before this one.
    max_id: Option<GivenId>,
    /// Only posts after this one.
    min_id: Option<GivenId>,
}

/// What is asked for.
struct Query {
    asked: Asked,
    text: String,
    offset: usize,
    limit: usize,
}

impl Query {
    fn read(sent: Input<Asked>) -> Result<Query, Problem> {
        let text = sent.q.clone().unwrap_or_default().trim().to_owned();
        if text.len() > QUERY_MAX_BYTES {
            return Err(Problem::invalid("`q` is too long"));
        }
        Ok(Query {
            text,
            offset: offset(&sent.params)?.min(OFFSET_MAX),
            limit: limit(&sent.params, limits::PAGE_STATUSES.0, limits::PAGE_STATUSES.1)?,
            asked: sent.into_inner(),
        })
    }

    fn wants(&self, kind: SearchKind) -> bool {
        self.asked.kind.is_none_or(|wanted| wanted == kind)
    }

    /// A text with a sign in front says itself what it is.
    fn wants_accounts(&self) -> bool {
        self.wants(SearchKind::Accounts) && !self.text.starts_with('#')
    }

    fn wants_hashtags(&self) -> bool {
        self.wants(SearchKind::Hashtags) && !self.text.starts_with('@')
    }

    fn wants_statuses(&self) -> bool {
        self.wants(SearchKind::Statuses) && !self.text.starts_with('@')
    }

    /// `@user@host` of another server.
    fn is_foreign_handle(&self, state: &AppState) -> bool {
        webfinger::parse_acct(&self.text).is_some_and(|(_, host)| host != state.site.domain)
    }

    fn is_address(&self) -> bool {
        self.text.starts_with("https://") || self.text.starts_with("http://")
    }

    fn posts(&self) -> find::Query {
        let id = |given: Option<GivenId>| given.map(|given| given.0);
        find::Query {
            text: self.text.clone(),
            author: id(self.asked.account_id),
            after: id(self.asked.min_id),
            before: id(self.asked.max_id),
            offset: self.offset,
            limit: self.limit,
        }
    }
}

/// Accounts, posts and hashtags that match.
#[utoipa::path(get, path = "/api/v2/search", tag = "Search", params(Asked, OffsetParams),
    security((), ("oauth" = ["read:search"])), responses((status = 200, body = Search)))]
async fn search(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<Asked>,
) -> Result<Json<Search>, Problem> {
    find_all(&state, &auth, sent).await.map(Json)
}

/// The answer of version 1: hashtags are plain names.
#[derive(Debug, Serialize, ToSchema)]
struct SearchV1 {
    accounts: Vec<Account>,
    statuses: Vec<Status>,
    hashtags: Vec<String>,
}

/// The same with hashtags as plain names, for old clients.
#[utoipa::path(get, path = "/api/v1/search", tag = "Search", params(Asked, OffsetParams),
    security((), ("oauth" = ["read:search"])), responses((status = 200, body = SearchV1)))]
async fn search_v1(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<Asked>,
) -> Result<Json<SearchV1>, Problem> {
    let Search { accounts, statuses, hashtags } = find_all(&state, &auth, sent).await?;
    let hashtags = hashtags.into_iter().map(|tag| tag.name).collect();
    Ok(Json(SearchV1 { accounts, statuses, hashtags }))
}

async fn find_all(state: &AppState, auth: &Auth, sent: Input<Asked>) -> Result<Search, Problem> {
    let viewer = auth.viewer_at("read:search", state)?;
    let pages = sent.params.has("offset");
    let mut query = Query::read(sent)?;
    let resolve = query.asked.resolve.unwrap_or(false);
    refuse_anonymous(viewer, resolve, pages)?;
    if query.text.is_empty() {
        return Ok(Search::default());
    }
    if resolve && query.offset == 0 && (query.is_address() || query.is_foreign_handle(state)) {
        let found = federation::resolve::bring(state, &query.text).await;
        // A page's address leads to the id of what it shows.
        query.text = found.filter(|_| query.is_address()).unwrap_or(query.text);
    }
    if query.is_address() {
        return at_address(state, viewer, &query).await;
    }
    by_text(state, viewer, query).await
}

fn refuse_anonymous(viewer: Viewer, resolve: bool, pages: bool) -> Result<(), Problem> {
    let refused = |what: &str| {
        let detail = format!("Search queries {what} are not supported without authentication");
        Err(Problem::new(ProblemKind::Unauthenticated, detail))
    };
    match viewer.id {
        None if resolve => refused("that resolve remote resources"),
        None if pages => refused("with pagination"),
        _ => Ok(()),
    }
}

async fn at_address(state: &AppState, viewer: Viewer, query: &Query) -> Result<Search, Problem> {
    let (site, address) = (state.site.clone(), query.text.clone());
    let found = state.store.read(move |tx| search::at_address(tx, viewer, &site, &address)).await?;
    let mut answer = Search::default();
    match found {
        Some(AtAddress::Status(loaded)) if query.wants(SearchKind::Statuses) => {
            answer.statuses.push(render::status(&state.site, viewer.id, &loaded));
        }
        Some(AtAddress::Account(person)) if query.wants(SearchKind::Accounts) => {
            answer.accounts.push(account(&state.site, &person));
        }
        _ => {}
    }
    Ok(answer)
}

async fn by_text(state: &AppState, viewer: Viewer, query: Query) -> Result<Search, Problem> {
    let posts = match query.wants_statuses() {
        true => find::posts(state, viewer, query.posts()).await?,
        false => Vec::new(),
    };
    let indexed = match query.wants_accounts() {
        true => find::people(state, &query.text).await?,
        false => Vec::new(),
    };
    let site = state.site.clone();
    let (people, tags) = state
        .store
        .read(move |tx| {
            let (text, rows) = (query.text.as_str(), (query.offset, query.limit));
            let only_following = query.asked.following.unwrap_or(false);
            let people = match query.wants_accounts() {
                true => search::accounts(tx, viewer, &site, text, &indexed, only_following, rows)?,
                false => Vec::new(),
            };
            let tags = match query.wants_hashtags() {
                true => tag::views(tx, viewer.id, &search::hashtags(tx, text, query.offset, query.limit)?)?,
                false => Vec::new(),
            };
            Ok::<_, StoreError>((people, tags))
        })
        .await?;
    Ok(Search {
        accounts: people.iter().map(|person| account(&state.site, person)).collect(),
        statuses: render::statuses(state, viewer.id, &posts),
        hashtags: tags.iter().map(|tag| tag_entity(state, tag)).collect(),
    })
}
