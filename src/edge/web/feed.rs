//! Atom feeds (RFC 4287) of what an account here writes in public.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::load;
use super::view::{AccountView, PostView};
use crate::base::Problem;
use crate::base::limits::PAGE_STATUSES;
use crate::domain::account;
use crate::domain::page::Page;
use crate::domain::timeline::{self, Only, load_people};
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::model::Visibility;
use crate::store::StoreError;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/@{acct}/feed.atom", get(feed))
}

#[derive(Template)]
#[template(path = "feed.xml")]
struct Feed {
    origin: String,
    account: AccountView,
    posts: Vec<PostView>,
    updated: String,
}

/// The address of an account's feed.
pub(super) fn path(account_path: &str) -> String {
    format!("{account_path}/feed.atom")
}

async fn feed(State(state): State<AppState>, Path(acct): Path<String>) -> Result<Response, Problem> {
    let (site, viewer, page) =
        (state.site.clone(), Viewer::anonymous(state.now()), Page::first(PAGE_STATUSES.0));
    let only = Only { exclude_replies: true, exclude_reblogs: true, ..Only::default() };
    let read = state.store.read(move |tx| {
        let found = account::by_handle(tx, &site, &acct)?.filter(|account| account.is_local());
        let Some(found) = found else { return Ok(None) };
        let posts = timeline::account_statuses(tx, viewer, found.id, &only, &page)?;
        let person = load_people(tx, &[found.id])?.pop().flatten();
        Ok::<_, StoreError>(person.map(|person| (person, posts)))
    });
    let (person, posts) = read.await?.ok_or_else(Problem::not_found)?;
    let eyes = load::Eyes { site: &state.site, now: state.now(), me: None, place: None };
    // Quiet posts are to be found on the profile, not spread by feeds.
    let listed = posts.items.iter().filter(|loaded| loaded.status.visibility == Visibility::Public);
    let posts = load::posts(&eyes, listed);
    let account = load::account(&eyes, &person, None);
    let updated = posts.first().map_or_else(|| account.joined.iso.clone(), |post| post.created.iso.clone());
    let feed = Feed { origin: state.site.origin.clone(), account, posts, updated };
    let headers =
        [(CONTENT_TYPE, "application/atom+xml; charset=utf-8"), (CACHE_CONTROL, "public, max-age=300")];
    Ok((headers, feed.render().map_err(Problem::internal)?).into_response())
}
