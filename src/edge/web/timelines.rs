//! Lists of posts: the front door, home, local, hashtags, bookmarks, likes.

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};

use super::frame::{Member, Visit};
use super::listing::List;
use super::pages::{Empty, LandingPage, TagButton};
use super::{go, load, show};
use crate::base::{Id, Problem};
use crate::domain::page::{Page, Paged};
use crate::domain::tag;
use crate::domain::timeline::{self, Listing, Only, Tags};
use crate::domain::visibility::Viewer;
use crate::domain::{account, conversation};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::model::FilterContext;
use crate::store::{ReadTx, StoreError};

/// Posts on the front door.
const LANDING_POSTS: usize = 5;
const LOCAL: Listing = Listing { local: true, remote: false, only_media: false };

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/", get(front))
        .route("/home", get(front))
        .route("/local", get(local))
        .route("/public/local", get(local))
        .route("/tags/{tag}", get(tag))
        .route("/tags/{tag}/follow", post(follow_tag))
        .route("/tags/{tag}/unfollow", post(unfollow_tag))
        .route("/@{acct}/tagged/{tag}", get(tagged_by))
        .route("/messages", get(messages))
        .route("/bookmarks", get(bookmarks))
        .route("/favourites", get(favourites))
}

/// Which page of a list the address asks for.
pub(super) fn page(params: &Params, limit: usize) -> Page {
    Page { max_id: params.id("max_id"), ..Page::first(limit) }
}

/// The address of the page after this one.
pub(super) fn older<T>(path: &str, paged: &Paged<T>) -> Option<String> {
    let oldest = paged.oldest.filter(|_| paged.has_older)?;
    let join = if path.contains('?') { '&' } else { '?' };
    Some(format!("{path}{join}max_id={oldest}"))
}

/// The eyes of a visitor.
pub(super) fn eyes(visit: &Visit) -> load::Eyes<'_> {
    load::Eyes { site: &visit.state.site, now: visit.state.now(), me: visit.me(), place: None }
}

async fn front(visit: Visit, params: Params) -> Result<Response, Problem> {
    if visit.me().is_none() {
        return landing(visit).await;
    }
    let list = List {
        live: "home".to_owned(),
        compose: true,
        place: Some(FilterContext::Home),
        ..List::plain("Home", "/", HOME_EMPTY)
    };
    list.show(visit, &params, timeline::home).await
}

const PUBLIC: Option<FilterContext> = Some(FilterContext::Public);

const HOME_EMPTY: Empty = Empty(
    "A quiet branch",
    "Follow some people, and what they write will appear here. Search finds them by their address.",
);

async fn landing(visit: Visit) -> Result<Response, Problem> {
    let first = Page::first(LANDING_POSTS);
    let (facts, found) = visit.read(move |tx, viewer| timeline::public(tx, viewer, LOCAL, &first)).await?;
    let posts = load::posts(&eyes(&visit), &found.items);
    let mut shell = visit.shell(&visit.state.config.title, &facts);
    shell.head.is_private = false;
    shell.head.canonical = Some(format!("{}/", visit.state.site.origin));
    shell.head.og_type = Some("website");
    shell.head.description = Some(visit.state.config.description.clone()).filter(|text| !text.is_empty());
    shell.head.image = Some(format!("{}{}", visit.state.site.origin, super::assets::url("icon-512.png")));
    show(&visit, &LandingPage { shell, posts })
}

async fn local(visit: Visit, params: Params) -> Result<Response, Problem> {
    let empty = Empty("Nobody has written yet", "The branch is free.");
    let compose = visit.me().is_some();
    let live = "local".to_owned();
    let list = List { live, compose, place: PUBLIC, ..List::plain("Local", "/local", empty) };
    list.show(visit, &params, |tx, viewer, page| timeline::public(tx, viewer, LOCAL, page)).await
}

async fn tag(visit: Visit, Path(tag): Path<String>, params: Params) -> Result<Response, Problem> {
    let path = format!("/tags/{}", super::encode(&tag));
    let title = format!("#{tag}");
    let tags = Tags { any: vec![tag.clone()], ..Tags::default() };
    let empty = Empty("Nothing here", "Nobody known here has used this tag in public.");
    let button = tag_button(&visit, &tag, &path).await?;
    let list = List { tag: button, place: PUBLIC, ..List::plain(title, path, empty) };
    list.show(visit, &params, move |tx, viewer, page| {
        timeline::tagged(tx, viewer, &tags, Listing::default(), page)
    })
    .await
}

/// The button that follows a hashtag; none for visitors, and for what is none.
async fn tag_button(visit: &Visit, tag: &str, path: &str) -> Result<Option<TagButton>, Problem> {
    let (Some(me), Ok(key)) = (visit.me(), tag::key(tag)) else { return Ok(None) };
    let view = visit.state.store.read(move |tx| tag::view(tx, Some(me), key)).await;
    let view = view.map_err(|error: StoreError| Problem::from(error))?;
    let is_following = view.mine.is_some_and(|mine| mine.follow.is_some());
    Ok(Some(TagButton { name: format!("#{tag}"), path: path.to_owned(), is_following }))
}

async fn follow_tag(member: Member, Path(tag): Path<String>, params: Params) -> Result<Response, Problem> {
    let Member { visit, login } = member;
    visit.browser.check(params.text("csrf").as_deref())?;
    let (me, key, moment) = (login.account.id, tag::key(&tag)?, visit.state.moment());
    visit.state.store.write(move |tx| tag::follow(tx, &mut moment.clone(), me, &key)).await?;
    Ok(go::back(&params))
}

async fn unfollow_tag(member: Member, Path(tag): Path<String>, params: Params) -> Result<Response, Problem> {
    let Member { visit, login } = member;
    visit.browser.check(params.text("csrf").as_deref())?;
    let (me, key) = (login.account.id, tag::key(&tag)?);
    let done = visit.state.store.write(move |tx| tag::unfollow(tx, me, &key)).await;
    done.map_err(|error: StoreError| Problem::from(error))?;
    Ok(go::back(&params))
}

/// `GET /@user/tagged/tag`: the posts of an account with a hashtag.
async fn tagged_by(
    visit: Visit,
    Path((acct, tag)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    let (site, name) = (visit.state.site.clone(), acct.clone());
    let account = visit.state.store.read(move |tx| account::by_handle(tx, &site, &name)).await;
    let account =
        account.map_err(|error: StoreError| Problem::from(error))?.ok_or_else(Problem::not_found)?;
    let path = format!("{}/tagged/{}", load::profile_path(&account), super::encode(&tag));
    let title = format!("#{tag} by {}", account.name());
    let only = Only { tagged: Some(tag), exclude_reblogs: true, ..Only::default() };
    let empty = Empty("Nothing here", "They have not used this tag in public.");
    let place = Some(FilterContext::Account);
    let list = List { place, ..List::plain(title, path, empty) };
    list.show(visit, &params, move |tx, viewer, page| {
        timeline::account_statuses(tx, viewer, account.id, &only, page)
    })
    .await
}

/// `GET /messages`: the latest post of each conversation.
async fn messages(member: Member, params: Params) -> Result<Response, Problem> {
    let empty = Empty("No messages", "Posts that are only for the people they name are listed here.");
    let list = List::plain("Messages", "/messages", empty);
    let read = |tx: &ReadTx<'_>, viewer: Viewer, page: &Page| {
        Ok::<_, StoreError>(conversation::list(tx, viewer, page)?.map(|exchange| exchange.last))
    };
    list.show(member.visit, &params, read).await
}

async fn bookmarks(member: Member, params: Params) -> Result<Response, Problem> {
    let empty = Empty("No bookmarks", "Posts you bookmark are kept here. Only you see them.");
    List::plain("Bookmarks", "/bookmarks", empty).show(member.visit, &params, timeline::bookmarks).await
}

async fn favourites(member: Member, params: Params) -> Result<Response, Problem> {
    let empty = Empty("No likes yet", "Posts you like are listed here.");
    List::plain("Likes", "/favourites", empty).show(member.visit, &params, timeline::favourites).await
}

/// Reads the id in an address; what is no id is not found.
pub(super) fn id(text: &str) -> Result<Id, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}
