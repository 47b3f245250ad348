//! What happens while a page is open, as server-sent events: new posts
//! ready to insert, deleted ones to take out, the number of unseen
//! notifications.

use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::{Stream, StreamExt, stream};

use super::frame::{Facts, UNREAD_MAX, Visit};
use super::load;
use super::pages::PostPartial;
use super::timelines::eyes;
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::list;
use crate::domain::notification::{self, Wanted};
use crate::domain::timeline::{self, Loaded};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::edge::auth::ClientIp;
use crate::model::{Event, FilterContext};
use crate::net::hub::{News, Topic, Who};

/// Proxies close connections that are silent for a minute.
const PING_EVERY: Duration = Duration::from_secs(25);
/// Browsers connect anew after this time when the stream broke off.
const RETRY_AFTER: Duration = Duration::from_secs(4);
/// For a browser that finds no place in the hub.
const FULL_RETRY_S: u32 = 60;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/events", get(events))
}

/// `GET /events?stream=home|local|list:ID|none`.
async fn events(visit: Visit, ip: ClientIp, params: Params) -> Result<Response, Problem> {
    let posts = topic(&visit, &params.text("stream").unwrap_or_default()).await?;
    let credential = visit.login().map(|login| login.session.id);
    let who = Who { account: visit.me(), credential, source: ip.listener() };
    let always = [Some(Topic::Deletions), visit.me().map(Topic::Notifications)];
    let topics = posts.into_iter().chain(always.into_iter().flatten());
    let news = visit.state.hub.listen(who, topics).map_err(|_| {
        Problem::new(ProblemKind::Unavailable, "Too many pages are open").retry_after(FULL_RETRY_S)
    })?;
    let sse = Sse::new(told(visit, news)).keep_alive(KeepAlive::new().interval(PING_EVERY));
    // Proxies that buffer would hold events back.
    Ok(([("x-accel-buffering", "no"), ("cache-control", "no-cache, no-transform")], sse).into_response())
}

/// What brings new posts to the page; lists are for their owners.
async fn topic(visit: &Visit, stream: &str) -> Result<Option<Topic>, Problem> {
    let list = stream.strip_prefix("list:").and_then(|id| id.parse::<Id>().ok());
    Ok(match (stream, list, visit.me()) {
        ("home", _, Some(me)) => Some(Topic::Home(me)),
        ("local", _, _) => Some(Topic::Local),
        (_, Some(list), Some(me)) => {
            visit.state.store.read(move |tx| list::get(tx, me, list)).await?;
            Some(Topic::List(list))
        }
        _ => None,
    })
}

fn told(
    visit: Visit,
    news: impl Stream<Item = News> + Send + 'static,
) -> impl Stream<Item = Result<sse::Event, Infallible>> + Send {
    let hello = sse::Event::default().retry(RETRY_AFTER).comment("open");
    let later = news.filter_map(move |news| {
        let visit = visit.clone();
        async move { tell(&visit, news).await.map(Ok) }
    });
    stream::once(async { Ok(hello) }).chain(later)
}

/// What the page is told, if anything. Failures to read are silent: the next
/// load of the page shows everything.
async fn tell(visit: &Visit, news: News) -> Option<sse::Event> {
    let event = |name: &str, data: String| Some(sse::Event::default().event(name).data(data));
    let happened = match news {
        News::Missed => return event("missed", String::new()),
        News::Gone(held) => return event("delete", held.status.to_string()),
        News::Changed(_) => return None,
        News::Event(happened) => happened,
    };
    match &*happened {
        Event::Home { status, .. } | Event::Listed { status, .. } => {
            event("post", post(visit, *status, FilterContext::Home).await.ok()??)
        }
        Event::Public { status, .. } => {
            event("post", post(visit, *status, FilterContext::Public).await.ok()??)
        }
        Event::Deleted { status, .. } => event("delete", status.to_string()),
        Event::Notified { .. } => event("unread", unread(visit).await.ok()?.to_string()),
        _ => None,
    }
}

/// The post as the reader sees it; `None` if they may not, or do not want to.
async fn post(visit: &Visit, status: Id, place: FilterContext) -> Result<Option<String>, Problem> {
    let viewer = visit.viewer();
    let read = visit.state.store.read(move |tx| timeline::load_one(tx, viewer, status));
    let is_wanted = |loaded: &Loaded| !loaded.is_silenced && !loaded.is_hidden(place);
    let Some(loaded) = read.await?.filter(is_wanted) else { return Ok(None) };
    let post = load::post(&eyes(visit).at(place), &loaded);
    let shell = visit.shell("", &Facts::default());
    PostPartial { shell: &shell, post: &post }.render().map(Some).map_err(Problem::internal)
}

async fn unread(visit: &Visit) -> Result<usize, Problem> {
    let viewer = visit.viewer();
    let all = Wanted::default();
    Ok(visit.state.store.read(move |tx| notification::unread_count(tx, viewer, &all, UNREAD_MAX)).await?)
}
