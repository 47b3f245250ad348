//! Search (docs: methods/search, methods/tags).

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{OffsetParams, limit, offset};
use super::params::Input;
use super::people::account;
use super::render;
use crate::base::{Problem, ProblemKind, limits};
use crate::domain::search::{self, AtAddress};
use crate::domain::visibility::Viewer;
use crate::edge::auth::Auth;
use crate::edge::{AppState, federation};
use crate::wire::mastodon::{Search, Tag};
use crate::wire::webfinger;

/// Rows of results that may be skipped.
const OFFSET_MAX: usize = 200;
/// Longest text that is looked for.
const QUERY_MAX_BYTES: usize = 2048;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(search)).routes(routes!(tag))
}

/// What a search may be narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum SearchKind {
    Accounts,
    Statuses,
    Hashtags,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Words, a handle, a hashtag or an address.
    #[serde(default)]
    q: String,
    /// Everything if nothing is said.
    #[serde(rename = "type")]
    #[param(inline)]
    kind: Option<SearchKind>,
    /// Whether an address or handle of another server may be fetched; takes a login.
    resolve: Option<bool>,
    /// Whether only accounts that the person follows are wanted.
    following: Option<bool>,
}

/// What is asked for.
struct Query {
    text: String,
    /// `None` for everything.
    kind: Option<SearchKind>,
    only_following: bool,
    offset: usize,
    limit: usize,
}

impl Query {
    fn read(asked: &Input<Asked>) -> Result<Query, Problem> {
        let text = asked.q.clone();
        if text.len() > QUERY_MAX_BYTES {
            return Err(Problem::invalid("`q` is too long"));
        }
        Ok(Query {
            text,
            kind: asked.kind,
            only_following: asked.following.unwrap_or(false),
            offset: offset(&asked.params)?.min(OFFSET_MAX),
            limit: limit(&asked.params, limits::PAGE_STATUSES.0, limits::PAGE_STATUSES.1)?,
        })
    }

    fn wants(&self, kind: SearchKind) -> bool {
        self.kind.is_none_or(|wanted| wanted == kind)
    }

    /// `@user@host` of another server.
    fn is_foreign_handle(&self, state: &AppState) -> bool {
        webfinger::parse_acct(self.text.trim()).is_some_and(|(_, host)| host != state.site.domain)
    }

    fn is_address(&self) -> bool {
        self.text.starts_with("https://") || self.text.starts_with("http://")
    }
}

/// Finds accounts, posts and hashtags.
#[utoipa::path(get, path = "/api/v2/search", tag = "Search", params(Asked, OffsetParams),
    security((), ("oauth" = ["read:search"])), responses((status = 200, body = Search)))]
async fn search(
    State(state): State<AppState>,
    auth: Auth,
    asked: Input<Asked>,
) -> Result<Json<Search>, Problem> {
    let viewer = auth.viewer_at("read:search", &state)?;
    let mut query = Query::read(&asked)?;
    let resolve = asked.resolve.unwrap_or(false);
    refuse_anonymous(viewer, resolve, asked.params.has("offset"))?;
    if query.text.is_empty() {
        return Ok(Json(Search::default()));
    }
    if resolve && query.offset == 0 && (query.is_address() || query.is_foreign_handle(&state)) {
        let found = federation::resolve::bring(&state, &query.text).await;
        // A page's address leads to the id of what it shows.
        query.text = found.filter(|_| query.is_address()).unwrap_or(query.text);
    }
    if query.is_address() {
        return at_address(&state, viewer, &query).await.map(Json);
    }
    by_text(&state, viewer, query).await.map(Json)
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
    let (site, address) = (state.site.clone(), query.text.trim().to_owned());
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
    let site = state.site.clone();
    // A text with a sign in front says itself what it is.
    let accounts = query.wants(SearchKind::Accounts) && !query.text.starts_with('#');
    let hashtags = query.wants(SearchKind::Hashtags) && !query.text.starts_with('@');
    let (people, tags) = state
        .store
        .read(move |tx| {
            let rows = (query.offset, query.limit);
            let people = match accounts {
                true => search::accounts(tx, viewer, &site, &query.text, query.only_following, rows)?,
                false => Vec::new(),
            };
            let tags = match hashtags {
                true => search::hashtags(tx, &query.text, query.offset, query.limit)?,
                false => Vec::new(),
            };
            Ok::<_, crate::store::StoreError>((people, tags))
        })
        .await?;
    Ok(Search {
        accounts: people.iter().map(|person| account(&state.site, person)).collect(),
        statuses: Vec::new(),
        hashtags: tags.iter().map(|tag| Tag::new(&state.site, tag, viewer.id.is_some())).collect(),
    })
}

/// A hashtag.
#[utoipa::path(get, path = "/api/v1/tags/{name}", tag = "Tags", params(("name" = String, Path)),
    security((), ("oauth" = ["read:follows"])), responses((status = 200, body = Tag)))]
async fn tag(
    State(state): State<AppState>,
    Path(name): Path<String>,
    auth: Auth,
) -> Result<Json<Tag>, Problem> {
    let viewer = auth.viewer("read:follows")?;
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.is_empty();
    if !is_name {
        return Err(Problem::not_found());
    }
    Ok(Json(Tag::new(&state.site, &name, viewer.is_some())))
}
