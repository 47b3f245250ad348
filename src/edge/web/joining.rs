//! Who may join: requests to answer and invitations, for those who run the
//! server.

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};

use super::frame::Member;
use super::pages::{InviteView, JoiningPage, PendingView};
use super::timelines::id;
use super::view::{Notice, When};
use super::{go, show};
use crate::base::{Id, Problem};
use crate::domain::user::{self, UserError};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::model::{Account, Invite, Role, User, UserState};
use crate::store::{ReadTx, StoreError};

/// Users looked through for requests, in pages of this size.
const USERS_PAGE: usize = 200;
/// Requests shown at once.
const PENDING_MAX: usize = 50;
/// Invitations looked through.
const INVITES_MAX: usize = 500;
/// Bytes of an invitation's code.
const CODE_BYTES: usize = 9;
/// How long an invitation works.
const INVITE_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);
/// Most people one invitation may let in.
const USES_MAX: i64 = 100;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/settings/joining", get(page))
        .route("/settings/joining/invites", post(invite))
        .route("/settings/joining/{id}/approve", post(approve))
        .route("/settings/joining/{id}/refuse", post(refuse))
}

/// To everybody else these pages do not exist.
fn only_admins(member: &Member) -> Result<(), Problem> {
    if member.login.user.role >= Role::Admin { Ok(()) } else { Err(Problem::not_found()) }
}

async fn page(member: Member) -> Result<Response, Problem> {
    only_admins(&member)?;
    let visit = member.visit;
    let read = visit.read(move |tx, viewer| {
        Ok::<_, StoreError>((pending(tx)?, user::usable_invites(tx, viewer.now, INVITES_MAX)?))
    });
    let (facts, (pending, invites)) = read.await?;
    let now = visit.state.now();
    let asks = |(user, account): &(User, Account)| PendingView {
        id: account.id.to_string(),
        username: account.username.clone(),
        reason: user.reason.clone().unwrap_or_default(),
        asked: When::new(user.created_at, now),
    };
    let invite = |(code, invite): &(String, Invite)| InviteView {
        link: format!("{}/invite/{code}", visit.state.site.origin),
        created: When::new(invite.created_at, now),
        expires: invite.expires_at.map(|at| When::new(at, now)),
        uses_left: invite.uses_left,
    };
    let view = JoiningPage {
        shell: visit.shell("Who may join", &facts),
        pending: pending.iter().map(asks).collect(),
        invites: invites.iter().map(invite).collect(),
    };
    show(&visit, &view)
}

fn pending(tx: &ReadTx<'_>) -> Result<Vec<(User, Account)>, StoreError> {
    let (mut found, mut after) = (Vec::new(), Id::ZERO);
    loop {
        let users = user::list(tx, after, USERS_PAGE)?;
        let Some((last, _)) = users.last() else { return Ok(found) };
        after = last.id;
        found.extend(users.into_iter().filter(|(user, _)| user.state == UserState::Pending));
        if found.len() >= PENDING_MAX {
            found.truncate(PENDING_MAX);
            return Ok(found);
        }
    }
}

async fn invite(member: Member, params: Params) -> Result<Response, Problem> {
    only_admins(&member)?;
    let Member { visit, login } = member;
    visit.browser.check(params.text("csrf").as_deref())?;
    let uses = params.number("uses")?.unwrap_or(1).clamp(1, USES_MAX);
    let (code, now) = (visit.state.chance.secret(CODE_BYTES), visit.state.now());
    let invite = Invite {
        creator: login.account.id,
        created_at: now,
        expires_at: Some(now.plus(INVITE_LIFETIME)),
        uses_left: u32::try_from(uses).ok(),
    };
    let write = visit.state.store.write(move |tx| {
        user::create_invite(tx, &code, &invite);
        Ok::<_, StoreError>(())
    });
    write.await?;
    Ok(go::to("/settings/joining"))
}

async fn approve(member: Member, Path(user): Path<String>, params: Params) -> Result<Response, Problem> {
    answer(member, &user, &params, true).await
}

async fn refuse(member: Member, Path(user): Path<String>, params: Params) -> Result<Response, Problem> {
    answer(member, &user, &params, false).await
}

/// Answers a request; only one that still waits.
async fn answer(member: Member, who: &str, params: &Params, is_welcome: bool) -> Result<Response, Problem> {
    only_admins(&member)?;
    let visit = member.visit;
    visit.browser.check(params.text("csrf").as_deref())?;
    let who = id(who)?;
    let (moment, site) = (visit.state.moment(), visit.state.site.clone());
    let write = visit.state.store.write(move |tx| {
        let waits = user::get(tx, who)?.is_some_and(|user| user.state == UserState::Pending);
        match (waits, is_welcome) {
            (false, _) => Err(UserError::Missing),
            (true, true) => user::approve(tx, &mut moment.clone(), &site, who),
            (true, false) => user::disable(tx, who),
        }
    });
    write.await.map_err(|error| match error {
        UserError::Missing => Problem::not_found(),
        UserError::Store(error) => error.into(),
    })?;
    let notice = if is_welcome { Notice::Approved } else { Notice::Refused };
    Ok(go::saying(&visit.state.site, notice, go::to("/settings/joining")))
}
