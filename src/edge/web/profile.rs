//! Profiles, who follows whom, and following.

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};

use super::frame::{Member, Visit};
use super::pages::{Empty, PeoplePage, ProfilePage};
use super::timelines::{eyes, id, older, page};
use super::view::{AccountView, Head, Notice, RowActs};
use super::{go, load, show};
use crate::base::limits::{PAGE_ACCOUNTS, PAGE_STATUSES};
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::page::{Page, Paged};
use crate::domain::relation::{self, FollowOptions, FollowOutcome, Followed, Follower, Relationship};
use crate::domain::timeline::{self, Only, Person, load_people};
use crate::domain::visibility::Viewer;
use crate::domain::{account, page::Paged as Pages};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::model::{Account, FilterContext, ProfileTabs};
use crate::store::{ReadTx, StoreError};
use std::sync::Arc;

/// Pinned posts on top of a profile.
const PINS_SHOWN: usize = 5;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/@{acct}", get(profile))
        .route("/@{acct}/followers", get(followers))
        .route("/@{acct}/following", get(following))
        .route("/accounts/{id}/follow", post(follow))
        .route("/accounts/{id}/unfollow", post(unfollow))
        .route("/follow-requests", get(requests))
        .route("/follow-requests/{id}/accept", post(accept))
        .route("/follow-requests/{id}/reject", post(reject))
}

fn missing(acct: &str) -> Problem {
    let problem = Problem::new(ProblemKind::NotFound, format!("There is no @{acct} here"));
    if acct.contains('@') {
        problem.hint("Nobody here has looked them up yet. Log in and search for the whole address.")
    } else {
        problem
    }
}

/// What the tabs of a profile leave out.
fn only(tab: &str, shown: ProfileTabs) -> Only {
    let exclude_replies = !shown.media_replies;
    match tab {
        "replies" => Only::default(),
        "media" => Only { only_media: true, exclude_reblogs: true, exclude_replies, ..Only::default() },
        _ => Only { exclude_replies: true, ..Only::default() },
    }
}

/// `GET /@user`, `GET /@user@host`; `tab` is `replies` or `media`.
async fn profile(visit: Visit, Path(acct): Path<String>, params: Params) -> Result<Response, Problem> {
    let tab = match params.text("tab").as_deref() {
        Some("replies") => "replies",
        Some("media") => "media",
        _ => "posts",
    };
    let (site, name, page) = (visit.state.site.clone(), acct.clone(), page(&params, PAGE_STATUSES.0));
    let read = visit.read(move |tx, viewer| {
        let Some(found) = account::by_handle(tx, &site, &name)? else { return Ok(None) };
        let posts = timeline::account_statuses(
            tx,
            viewer,
            found.id,
            &only(tab, found.tabs.unwrap_or_default()),
            &page,
        )?;
        let is_top = tab == "posts" && page.max_id.is_none();
        let pinned = if is_top { timeline::pinned(tx, viewer, found.id, PINS_SHOWN)? } else { Vec::new() };
        let (person, relationship) = whole(tx, viewer, &found)?;
        Ok::<_, StoreError>(person.map(|person| (person, relationship, pinned, posts)))
    });
    let (facts, found) = read.await?;
    let (person, relationship, pinned, posts) = found.ok_or_else(|| missing(&acct))?;
    let path = load::profile_path(&person.account);
    if path != format!("/@{acct}") {
        return Ok(go::to(&path));
    }
    let view = load::account(&eyes(&visit), &person, relationship.as_ref());
    let mut shell = visit.shell(format!("{} (@{})", view.person.name, view.full_acct), &facts);
    shell.head = head(&visit, &person.account, &view);
    let here = if tab == "posts" { path } else { format!("{path}?tab={tab}") };
    let eyes = eyes(&visit).at(FilterContext::Account);
    let pinned = load::posts(&eyes, &pinned);
    let mut shown = load::posts(&eyes, &posts.items);
    // What stands above is not said twice, nor are there two of one name.
    shown.retain(|post| pinned.iter().all(|above| above.entry_id != post.entry_id));
    let older = older(&here, &posts);
    let has_media = person.account.tabs.unwrap_or_default().media;
    let view = ProfilePage { shell, tab, has_media, pinned, older, posts: shown, account: view };
    show(&visit, &view)
}

/// An account with counts, and what it and the viewer are to each other.
fn whole(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    account: &Account,
) -> Result<(Option<Arc<Person>>, Option<Relationship>), StoreError> {
    let person = load_people(tx, &[account.id])?.pop().flatten();
    let relationship = match viewer.id {
        Some(me) => relation::relationships(tx, me, &[account.id], viewer.now)?.pop(),
        None => None,
    };
    Ok((person, relationship))
}

fn head(visit: &Visit, account: &Account, view: &AccountView) -> Head {
    let origin = &visit.state.site.origin;
    let canonical =
        if account.is_local() { format!("{origin}{}", view.person.path) } else { account.url.clone() };
    Head {
        description: Some(view.note_text.clone()),
        canonical: Some(canonical).filter(|url| url.starts_with("http")),
        activity_url: Some(account.uri.clone()),
        og_type: Some("profile"),
        image: Some(super::absolute(origin, &view.person.avatar)),
        is_private: !account.is_local() || !account.is_discoverable,
        feed_url: account.is_local().then(|| super::feed::path(&view.person.path)),
    }
}

/// Said in place of follows that their owner hides.
const KEPT_TO_THEMSELVES: Empty =
    Empty("Nobody to see here", "They keep whom they follow and who follows them to themselves.");

type People = Pages<Arc<Person>>;
type ReadPeople = fn(&ReadTx<'_>, Id, &Page) -> Result<People, StoreError>;

async fn followers(visit: Visit, Path(acct): Path<String>, params: Params) -> Result<Response, Problem> {
    let empty = Empty("No followers known here", "When somebody follows, they will be listed here.");
    list(visit, acct, &params, ("followers", "Followers"), relation::followers, empty).await
}

async fn following(visit: Visit, Path(acct): Path<String>, params: Params) -> Result<Response, Problem> {
    let empty = Empty("Follows nobody yet", "Whoever they follow will be listed here.");
    list(visit, acct, &params, ("following", "Following"), relation::following, empty).await
}

async fn list(
    visit: Visit,
    acct: String,
    params: &Params,
    (word, title): (&'static str, &'static str),
    read: ReadPeople,
    empty: Empty,
) -> Result<Response, Problem> {
    let (site, name, page) = (visit.state.site.clone(), acct.clone(), page(params, PAGE_ACCOUNTS.0));
    let found = visit.read(move |tx, viewer| {
        let Some(account) = account::by_handle(tx, &site, &name)? else { return Ok(None) };
        if !account.shows_follows_to(viewer.id) {
            let nobody = People { items: Vec::new(), newest: None, oldest: None, has_older: false };
            return Ok(Some((account, nobody, Vec::new(), KEPT_TO_THEMSELVES)));
        }
        let people = read(tx, account.id, &page)?;
        let relationships = towards(tx, viewer, &people)?;
        Ok::<_, StoreError>(Some((account, people, relationships, empty)))
    });
    let (facts, found) = found.await?;
    let (account, people, relationships, empty) = found.ok_or_else(|| missing(&acct))?;
    let path = load::profile_path(&account);
    let view = PeoplePage {
        shell: visit.shell(title, &facts),
        back: Some((path.clone(), account.name().to_owned())),
        people: load::rows(&eyes(&visit), &people.items, &relationships),
        acts: RowActs::Follow,
        is_setting: false,
        older: older(&format!("{path}/{word}"), &people),
        empty,
    };
    show(&visit, &view)
}

/// What the viewer and these people are to each other.
fn towards(tx: &ReadTx<'_>, viewer: Viewer, people: &People) -> Result<Vec<Relationship>, StoreError> {
    let ids: Vec<Id> = people.items.iter().map(|person| person.account.id).collect();
    match viewer.id {
        Some(me) => relation::relationships(tx, me, &ids, viewer.now),
        None => Ok(Vec::new()),
    }
}

/// `GET /follow-requests`.
async fn requests(member: Member, params: Params) -> Result<Response, Problem> {
    let (visit, me) = (member.visit, member.login.account.id);
    let page = page(&params, PAGE_ACCOUNTS.0);
    let (facts, found): (_, Paged<Arc<Person>>) =
        visit.read(move |tx, _| relation::follow_requests(tx, me, &page)).await?;
    let view = PeoplePage {
        shell: visit.shell("Follow requests", &facts),
        back: None,
        people: load::rows(&eyes(&visit), &found.items, &[]),
        acts: RowActs::Answer,
        is_setting: false,
        older: older("/follow-requests", &found),
        empty: Empty("Nobody is waiting", "Who asks to follow you will be listed here."),
    };
    show(&visit, &view)
}

async fn follow(member: Member, Path(other): Path<String>, params: Params) -> Result<Response, Problem> {
    let Member { visit, login } = member;
    visit.browser.check(params.text("csrf").as_deref())?;
    let pair = (Follower(login.account.id), Followed(id(&other)?));
    let (moment, site) = (visit.state.moment(), visit.state.site.clone());
    let write = visit
        .state
        .store
        .write(move |tx| relation::follow(tx, &mut moment.clone(), &site, pair, &FollowOptions::default()));
    let outcome = write.await?;
    let response = go::back(&params);
    Ok(match outcome {
        FollowOutcome::Following => response,
        FollowOutcome::Requested => go::saying(&visit.state.site, Notice::FollowRequested, response),
    })
}

async fn unfollow(member: Member, Path(other): Path<String>, params: Params) -> Result<Response, Problem> {
    let Member { visit, login } = member;
    visit.browser.check(params.text("csrf").as_deref())?;
    let pair = (Follower(login.account.id), Followed(id(&other)?));
    let (moment, site) = (visit.state.moment(), visit.state.site.clone());
    let write = visit.state.store.write(move |tx| relation::unfollow(tx, &mut moment.clone(), &site, pair));
    write.await?;
    Ok(go::back(&params))
}

async fn accept(member: Member, Path(other): Path<String>, params: Params) -> Result<Response, Problem> {
    answer(member, &other, &params, true).await
}

async fn reject(member: Member, Path(other): Path<String>, params: Params) -> Result<Response, Problem> {
    answer(member, &other, &params, false).await
}

async fn answer(member: Member, other: &str, params: &Params, is_welcome: bool) -> Result<Response, Problem> {
    let Member { visit, login } = member;
    visit.browser.check(params.text("csrf").as_deref())?;
    let pair = (Follower(id(other)?), Followed(login.account.id));
    let (moment, site) = (visit.state.moment(), visit.state.site.clone());
    let write = visit.state.store.write(move |tx| {
        let answer = if is_welcome { relation::accept } else { relation::reject };
        answer(tx, &mut moment.clone(), &site, pair)
    });
    write.await?;
    Ok(go::back(params))
}
