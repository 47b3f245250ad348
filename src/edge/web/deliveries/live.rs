//! The same pages while they are open: the part that changes, drawn anew
//! every few seconds, as server-sent events.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use askama::Template;
use axum::extract::Path;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};

use super::super::frame::Member;
use super::super::pages::{BoardPartial, DestinationPartial};
use super::{known, number, only_admins};
use crate::base::{Problem, ProblemKind};
use crate::domain::user;
use crate::edge::AppState;
use crate::model::{Role, UserState};
use crate::net::hub::Who;

/// How often a page is drawn anew. Counting a long queue takes longer, and
/// then the same numbers are sent again.
const EVERY: Duration = Duration::from_secs(5);
/// For a browser that finds no place in the hub.
const FULL_RETRY_S: u32 = 60;

/// `GET /settings/deliveries/events`.
pub(super) async fn board(member: Member) -> Result<Response, Problem> {
    only_admins(&member)?;
    let state = member.visit.state.clone();
    drawn(member, move || {
        let state = state.clone();
        async move {
            let board = super::board(&state).await?;
            BoardPartial { board: &board }.render().map_err(Problem::internal)
        }
    })
}

/// `GET /settings/deliveries/id/events`.
pub(super) async fn destination(member: Member, Path(id): Path<String>) -> Result<Response, Problem> {
    only_admins(&member)?;
    let (id, state) = (number(&id)?, member.visit.state.clone());
    known(&state, id).await?;
    drawn(member, move || {
        let state = state.clone();
        async move {
            let one = known(&state, id).await?;
            DestinationPartial { one: &one }.render().map_err(Problem::internal)
        }
    })
}

/// A stream of pictures until the page is closed, its reader logs out or is
/// no admin any more, or the server stops.
pub(in crate::edge::web) fn drawn<F, R>(member: Member, draw: F) -> Result<Response, Problem>
where
    F: Fn() -> R + Send + 'static,
    R: Future<Output = Result<String, Problem>> + Send + 'static,
{
    let Member { visit, login } = member;
    let who = Who { account: Some(login.account.id), credential: Some(login.session.id), source: None };
    let news = visit.state.hub.listen(who, []).map_err(|_| {
        Problem::new(ProblemKind::Unavailable, "Too many pages are open").retry_after(FULL_RETRY_S)
    })?;
    let state = visit.state;
    let pictures = stream::unfold(false, move |is_later| {
        let (state, picture) = (state.clone(), draw());
        async move {
            if is_later {
                tokio::time::sleep(EVERY).await;
            }
            if !is_admin(&state, login.account.id).await {
                return None;
            }
            // What cannot be read now is drawn the next time.
            let event = match picture.await {
                Ok(html) => sse::Event::default().event("drawn").data(html),
                Err(_) => sse::Event::default().comment("later"),
            };
            Some((Ok::<_, Infallible>(event), true))
        }
    });
    let until_sent_away = news.for_each(|_| std::future::ready(()));
    let sse = Sse::new(pictures.take_until(until_sent_away)).keep_alive(KeepAlive::new());
    // Proxies that buffer would hold events back.
    Ok(([("x-accel-buffering", "no"), ("cache-control", "no-cache, no-transform")], sse).into_response())
}

async fn is_admin(state: &AppState, account: crate::base::Id) -> bool {
    let found = state.store.read(move |tx| user::get(tx, account)).await;
    found.is_ok_and(|user| {
        user.is_some_and(|user| user.role >= Role::Admin && user.state == UserState::Active)
    })
}
