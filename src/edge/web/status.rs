//! One post: its page with the thread, and what is done with it.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::frame::{Member, Visit};
use super::pages::{DeletePage, PostPartial, ReachPartial, ThreadPage, render};
use super::timelines::{eyes, id};
use super::view::{Head, Notice, ReachView};
use super::{compose, go, load, show};
use crate::base::{Id, Moment, Problem};
use crate::domain::status::StatusError;
use crate::domain::thread::{self, Context};
use crate::domain::timeline::{self, Loaded};
use crate::domain::{delivery, interaction, media, poll, status};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::edge::federation;
use crate::edge::media::sweep_quietly;
use crate::model::{FilterContext, Site, Visibility};
use crate::store::{StoreError, WriteTx};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/@{acct}/{id}", get(thread_page))
        .route("/posts/{id}/delete", get(ask_delete).post(delete))
        .route("/posts/{id}/reach", get(reach))
        .route("/posts/{id}/vote", post(vote))
        .route("/posts/{id}/{act}", post(act))
}

/// `GET /@user/id`.
async fn thread_page(visit: Visit, Path((acct, post)): Path<(String, String)>) -> Result<Response, Problem> {
    let post = id(&post)?;
    let read = visit.read(move |tx, viewer| {
        let Some(focus) = timeline::load_one(tx, viewer, post)? else { return Ok(None) };
        let context = thread::context(tx, viewer, post)?.unwrap_or_default();
        let reached = if is_by(viewer.id, &focus) { delivery::reached(tx, post)? } else { None };
        Ok::<_, StoreError>(Some((focus, context, reached)))
    });
    let (facts, found) = read.await?;
    let (focus, context, reached) = found.ok_or_else(Problem::not_found)?;
    let path = load::post_path(&focus.shown().author.account, &focus.shown().status);
    if focus.reblog.is_some() || path != format!("/@{acct}/{post}") {
        return Ok(go::to(&path));
    }
    if visit.login().is_some() {
        federation::look_below(&visit.state, &focus.status).await;
    }
    let mut shell = visit.shell(title(&focus), &facts);
    shell.head = head(&visit, &focus, &path);
    let is_mine = is_by(visit.login().map(|login| login.account.id), &focus);
    let written = focus.status.created_at;
    let mut view = view(&visit, shell, focus, &context);
    if is_mine {
        view.reach = ReachView::new(post, written, reached.as_ref(), visit.state.now());
    }
    show(&visit, &view)
}

/// Whether somebody wrote a post: only they see how far it has got.
fn is_by(viewer: Option<Id>, post: &Loaded) -> bool {
    post.reblog.is_none() && viewer == Some(post.status.account)
}

/// `GET /posts/id/reach`: how far a post of one's own has got, for a page that
/// is open.
async fn reach(member: Member, Path(post): Path<String>) -> Result<Response, Problem> {
    let (visit, me) = (member.visit, member.login.account.id);
    let post = id(&post)?;
    let read = visit.read(move |tx, viewer| {
        let found = timeline::load_one(tx, viewer, post)?.filter(|found| is_by(Some(me), found));
        let Some(found) = found else { return Ok(None) };
        Ok::<_, StoreError>(Some((found.status.created_at, delivery::reached(tx, post)?)))
    });
    let (_, found) = read.await?;
    let (written, reached) = found.ok_or_else(Problem::not_found)?;
    match ReachView::new(post, written, reached.as_ref(), visit.state.now()) {
        Some(reach) => render(&ReachPartial { reach: &reach }),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

fn view(visit: &Visit, shell: super::view::Shell, focus: Loaded, context: &Context) -> ThreadPage {
    let eyes = eyes(visit).at(FilterContext::Thread);
    // Whoever opens a post wants to read it.
    let mut shown = load::post(&load::Eyes { place: None, ..eyes }, &focus);
    shown.is_focus = true;
    ThreadPage {
        shell,
        above: load::posts(&eyes, &context.ancestors),
        below: load::posts(&eyes, &context.descendants),
        focus: shown,
        reach: None,
        compose: visit.login().map(|login| compose::reply(&visit.state, login, &focus)),
    }
}

fn title(focus: &Loaded) -> String {
    let text = match focus.status.spoiler_text.as_str() {
        "" => load::preview(&focus.status.content_html),
        warning => warning.to_owned(),
    };
    let line: String = text.lines().next().unwrap_or_default().chars().take(60).collect();
    format!("{}: “{line}”", focus.author.account.name())
}

/// What machines learn of a post: everything of public ones that were
/// written here, nothing of private ones.
fn head(visit: &Visit, focus: &Loaded, path: &str) -> Head {
    if !focus.status.visibility.is_open() {
        return Head { is_private: true, ..Head::default() };
    }
    let text = match focus.status.spoiler_text.as_str() {
        "" => load::preview(&focus.status.content_html),
        warning => warning.to_owned(),
    };
    let origin = &visit.state.site.origin;
    let person = load::person(&visit.state.site, &focus.author.account);
    let canonical = if focus.status.is_local {
        format!("{origin}{path}")
    } else {
        focus.status.url.clone().unwrap_or_else(|| focus.status.uri.clone())
    };
    Head {
        description: Some(text),
        canonical: Some(canonical),
        activity_url: Some(focus.status.uri.clone()),
        og_type: Some("article"),
        image: Some(super::absolute(origin, &person.avatar)),
        is_private: !focus.status.is_local || focus.status.visibility != Visibility::Public,
        feed_url: None,
    }
}

/// What is done with a post by one button.
#[derive(Clone, Copy)]
enum Act {
    Like,
    Unlike,
    Boost,
    Unboost,
    Bookmark,
    Unbookmark,
    Pin,
    Unpin,
    Mute,
    Unmute,
}

impl Act {
    fn from_word(word: &str) -> Option<Act> {
        Some(match word {
            "like" => Act::Like,
            "unlike" => Act::Unlike,
            "boost" => Act::Boost,
            "unboost" => Act::Unboost,
            "bookmark" => Act::Bookmark,
            "unbookmark" => Act::Unbookmark,
            "pin" => Act::Pin,
            "unpin" => Act::Unpin,
            "mute" => Act::Mute,
            "unmute" => Act::Unmute,
            _ => return None,
        })
    }

    fn run(
        self,
        tx: &mut WriteTx<'_>,
        moment: &mut Moment,
        site: &Site,
        (me, post): (Id, Id),
    ) -> Result<(), StatusError> {
        match self {
            Act::Like => interaction::favourite(tx, moment, site, me, post),
            Act::Unlike => interaction::unfavourite(tx, moment, site, me, post),
            Act::Boost => interaction::reblog(tx, moment, site, me, post, Visibility::Public).map(|_| ()),
            Act::Unboost => interaction::unreblog(tx, moment, me, post),
            Act::Bookmark => interaction::bookmark(tx, moment, me, post),
            Act::Unbookmark => interaction::unbookmark(tx, moment.now, me, post),
            Act::Pin => interaction::pin(tx, moment, me, post),
            Act::Unpin => interaction::unpin(tx, moment.now, me, post),
            Act::Mute => interaction::set_muted(tx, moment.now, me, post, true),
            Act::Unmute => interaction::set_muted(tx, moment.now, me, post, false),
        }
    }
}

/// `POST /posts/id/act`: answers with the post alone where our script asks.
async fn act(
    member: Member,
    Path((post, act)): Path<(String, String)>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    let Member { visit, login } = member;
    visit.browser.check(params.text("csrf").as_deref())?;
    let post = id(&post)?;
    let act = Act::from_word(&act).ok_or_else(Problem::not_found)?;
    let (moment, site, me) = (visit.state.moment(), visit.state.site.clone(), login.account.id);
    visit.state.store.write(move |tx| act.run(tx, &mut moment.clone(), &site, (me, post))).await?;
    if !go::wants_partial(&headers) {
        return Ok(go::back(&params));
    }
    let entry = params.id("entry").unwrap_or(post);
    let (facts, loaded) = visit.read(move |tx, viewer| shown_as(tx, viewer, entry, post)).await?;
    let mut view = load::post(&eyes(&visit), &loaded.ok_or_else(Problem::not_found)?);
    view.is_focus = params.flag("focus").unwrap_or_default();
    render(&PostPartial { shell: &visit.shell("", &facts), post: &view })
}

/// `POST /posts/id/vote`.
async fn vote(member: Member, Path(post): Path<String>, params: Params) -> Result<Response, Problem> {
    let Member { visit, login } = member;
    visit.browser.check(params.text("csrf").as_deref())?;
    let choices: Vec<usize> =
        params.list_or_one("choices").iter().map(|text| text.parse().unwrap_or(usize::MAX)).collect();
    let ids = u16::try_from(choices.len()).unwrap_or(u16::MAX).saturating_mul(2).saturating_add(4);
    let (post, me) = (id(&post)?, login.account.id);
    let (moment, site) = (visit.state.moment_with(ids), visit.state.site.clone());
    visit.state.store.write(move |tx| poll::vote(tx, &mut moment.clone(), &site, me, post, &choices)).await?;
    Ok(go::back(&params))
}

/// The list's row of a post: a boost, unless that was just taken back.
fn shown_as(
    tx: &crate::store::ReadTx<'_>,
    viewer: crate::domain::visibility::Viewer,
    entry: Id,
    post: Id,
) -> Result<Option<Loaded>, StoreError> {
    match timeline::load_one(tx, viewer, entry)? {
        Some(loaded) if loaded.shown().status.id == post => Ok(Some(loaded)),
        _ => timeline::load_one(tx, viewer, post),
    }
}

/// `GET /posts/id/delete`.
async fn ask_delete(member: Member, Path(post): Path<String>) -> Result<Response, Problem> {
    let (visit, post) = (member.visit, id(&post)?);
    let (facts, found) = visit.read(move |tx, viewer| timeline::load_one(tx, viewer, post)).await?;
    let found = found.filter(|found| Some(found.status.account) == visit.me() && found.reblog.is_none());
    let post = load::post(&eyes(&visit), &found.ok_or_else(Problem::not_found)?);
    show(&visit, &DeletePage { shell: visit.shell("Delete this post?", &facts), post })
}

/// `POST /posts/id/delete`.
async fn delete(member: Member, Path(post): Path<String>, params: Params) -> Result<Response, Problem> {
    let Member { visit, login } = member;
    visit.browser.check(params.text("csrf").as_deref())?;
    let (post, moment, me) = (id(&post)?, visit.state.moment(), login.account.id);
    let delete = move |tx: &mut WriteTx<'_>| {
        let was = status::delete(tx, &mut moment.clone(), me, post)?;
        media::discard(tx, moment.now, me, &was.status.attachments)?;
        Ok::<_, StatusError>(())
    };
    visit.state.store.write(delete).await?;
    sweep_quietly(&visit.state).await;
    Ok(go::saying(&visit.state.site, Notice::Deleted, go::to(&load::profile_path(&login.account))))
}
