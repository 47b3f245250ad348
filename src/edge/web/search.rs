//! Finding people, posts and tags, here and by their address elsewhere.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::frame::Visit;
use super::pages::SearchPage;
use super::timelines::eyes;
use super::{go, load, show};
use crate::base::{Id, Problem};
use crate::domain::relation::{self, Relationship};
use crate::domain::search::{self, AtAddress};
use crate::domain::timeline::{Loaded, Person};
use crate::domain::visibility::Viewer;
use crate::edge::api::params::Params;
use crate::edge::{AppState, federation, find, trends};
use crate::model::Site;
use crate::store::{ReadTx, StoreError};
use crate::wire::webfinger;

/// People and tags on one page.
const FOUND_MAX: usize = 20;
/// Characters of a question.
const QUERY_MAX: usize = 500;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/search", get(page))
}

/// What was found.
#[derive(Default)]
struct Found {
    people: Vec<Arc<Person>>,
    relationships: Vec<Relationship>,
    tags: Vec<String>,
    at_address: Option<AtAddress>,
}

/// `GET /search?q=`: an address leads straight to what is there.
async fn page(visit: Visit, params: Params) -> Result<Response, Problem> {
    let query: String = params.filled("q").unwrap_or_default().chars().take(QUERY_MAX).collect();
    let elsewhere = look_elsewhere(&visit, query.trim()).await;
    let (site, text) = (visit.state.site.clone(), elsewhere.unwrap_or_else(|| query.trim().to_owned()));
    let (people, posts) = by_words(&visit, &text).await?;
    let is_first = text.is_empty();
    let (facts, mut found) = visit.read(move |tx, viewer| look(tx, viewer, &site, &text, &people)).await?;
    if is_first {
        let trending = trends::now(&visit.state).await?;
        found.tags = trending.tags.iter().take(FOUND_MAX).cloned().collect();
    }
    if let Some(place) = &found.at_address {
        return Ok(go::to(&path(place)));
    }
    let view = SearchPage {
        shell: visit.shell("Search", &facts),
        people: load::rows(&eyes(&visit), &found.people, &found.relationships),
        posts: posts.iter().map(|loaded| load::post(&eyes(&visit), loaded)).collect(),
        tags: found.tags,
        query,
        trouble: None,
    };
    show(&visit, &view)
}

/// People who are logged in find what is on other servers too, by its full
/// handle or address.
/// Gives the ActivityPub id of what was found.
async fn look_elsewhere(visit: &Visit, query: &str) -> Option<String> {
    let is_handle = webfinger::parse_acct(query).is_some_and(|(_, host)| host != visit.state.site.domain);
    let is_address = query.starts_with("https://") && !visit.state.site.owns(query);
    let is_allowed = visit.me().is_some() && (is_handle || is_address);
    if is_allowed { federation::resolve::bring(&visit.state, query).await } else { None }
}

/// What the full-text index finds: accounts, and posts for people who are
/// logged in.
async fn by_words(visit: &Visit, text: &str) -> Result<(Vec<Id>, Vec<Loaded>), Problem> {
    if text.is_empty() || text.contains("://") {
        return Ok((Vec::new(), Vec::new()));
    }
    let viewer = Viewer { id: visit.me(), now: visit.state.now() };
    let query = find::Query { text: text.to_owned(), limit: FOUND_MAX, ..find::Query::default() };
    let posts =
        if text.starts_with('@') { Vec::new() } else { find::posts(&visit.state, viewer, query).await? };
    Ok((find::people(&visit.state, text).await?, posts))
}

fn look(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    site: &Site,
    text: &str,
    indexed: &[Id],
) -> Result<Found, StoreError> {
    if text.is_empty() {
        return Ok(Found::default());
    }
    if text.contains("://") {
        return Ok(Found { at_address: search::at_address(tx, viewer, site, text)?, ..Found::default() });
    }
    let people = search::accounts(tx, viewer, site, text, indexed, false, (0, FOUND_MAX))?;
    let ids: Vec<Id> = people.iter().map(|person| person.account.id).collect();
    let relationships = match viewer.id {
        Some(me) => relation::relationships(tx, me, &ids, viewer.now)?,
        None => Vec::new(),
    };
    let tags = search::hashtags(tx, text, 0, FOUND_MAX)?;
    Ok(Found { people, relationships, tags, at_address: None })
}

fn path(place: &AtAddress) -> String {
    match place {
        AtAddress::Account(person) => load::profile_path(&person.account),
        AtAddress::Status(loaded) => {
            let shown = loaded.shown();
            load::post_path(&shown.author.account, &shown.status)
        }
    }
}
