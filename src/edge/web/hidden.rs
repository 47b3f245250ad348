//! Whom the reader does not want to see: muting and blocking people and
//! servers, and the lists of them.

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};

use super::frame::Member;
use super::pages::{Empty, MUTE_LASTS, MutePage, PeoplePage, ServersPage, render_as};
use super::timelines::{eyes, id, older, page};
use super::view::{Faults, Notice, RowActs, When};
use super::{go, load, show};
use crate::base::limits::PAGE_ACCOUNTS;
use crate::base::{Id, Moment, Problem, ProblemKind, Timestamp};
use crate::domain::domain_block;
use crate::domain::relation::{self, Actor, Followed, Follower, MuteOptions, RelationError, Target};
use crate::domain::timeline::load_people;
use crate::edge::AppState;
use crate::edge::api::domain_blocks::block_domain;
use crate::edge::api::params::Params;
use crate::model::Site;
use crate::store::{StoreError, WriteTx};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/{id}/mute", get(mute_page).post(mute))
        .route("/accounts/{id}/{act}", post(act))
        .route("/settings/muted", get(muted))
        .route("/settings/blocked", get(blocked))
        .route("/settings/servers", get(servers).post(block_server))
        .route("/settings/servers/unblock", post(unblock_server))
}

/// What is done with somebody by one button.
#[derive(Clone, Copy)]
enum Act {
    Unmute,
    Block,
    Unblock,
    Expel,
}

impl Act {
    fn from_word(word: &str) -> Option<Act> {
        Some(match word {
            "unmute" => Act::Unmute,
            "block" => Act::Block,
            "unblock" => Act::Unblock,
            "expel" => Act::Expel,
            _ => return None,
        })
    }

    fn run(
        self,
        tx: &mut WriteTx<'_>,
        moment: &mut Moment,
        site: &Site,
        (me, other): (Id, Id),
    ) -> Result<(), RelationError> {
        let pair = (Actor(me), Target(other));
        match self {
            Act::Unmute => relation::unmute(tx, pair),
            Act::Block => relation::block(tx, moment, site, pair),
            Act::Unblock => relation::unblock(tx, moment, site, pair),
            Act::Expel => relation::remove_follower(tx, moment, site, (Follower(other), Followed(me))),
        }
    }

    fn notice(self) -> Option<Notice> {
        match self {
            Act::Block => Some(Notice::Blocked),
            Act::Expel => Some(Notice::Expelled),
            Act::Unmute | Act::Unblock => None,
        }
    }
}

/// `POST /accounts/id/act`.
async fn act(
    member: Member,
    Path((other, act)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    let (visit, me) = (member.visit, member.login.account.id);
    visit.browser.check(params.text("csrf").as_deref())?;
    let act = Act::from_word(&act).ok_or_else(Problem::not_found)?;
    let (pair, moment, site) = ((me, id(&other)?), visit.state.moment(), visit.state.site.clone());
    visit.state.store.write(move |tx| act.run(tx, &mut moment.clone(), &site, pair)).await?;
    let response = go::back(&params);
    Ok(match act.notice() {
        Some(notice) => go::saying(&visit.state.site, notice, response),
        None => response,
    })
}

/// `GET /accounts/id/mute`: for how long, and notifications as well.
async fn mute_page(member: Member, Path(other): Path<String>) -> Result<Response, Problem> {
    let (visit, other) = (&member.visit, id(&other)?);
    let read = visit.read(move |tx, _| Ok::<_, StoreError>(load_people(tx, &[other])?.pop().flatten()));
    let (facts, person) = read.await?;
    let found = person.ok_or_else(Problem::not_found)?;
    let row = load::rows(&eyes(visit), &[found], &[]).pop().ok_or_else(Problem::not_found)?;
    show(visit, &MutePage { shell: visit.shell(format!("Mute {}?", row.person.name), &facts), row })
}

/// `POST /accounts/id/mute`.
async fn mute(member: Member, Path(other): Path<String>, params: Params) -> Result<Response, Problem> {
    let (visit, me) = (member.visit, member.login.account.id);
    visit.browser.check(params.text("csrf").as_deref())?;
    let (pair, moment) = ((Actor(me), Target(id(&other)?)), visit.state.moment());
    let lasts = params.text("lasts").unwrap_or_default();
    let offered = MUTE_LASTS.iter().find(|(seconds, _)| seconds.to_string() == lasts);
    let options = MuteOptions {
        // A box that is not ticked is not sent.
        notifications: params.flag("notifications").unwrap_or(false),
        duration: offered.map(|(seconds, _)| Duration::from_secs(*seconds)),
    };
    visit.state.store.write(move |tx| relation::mute(tx, &mut moment.clone(), pair, options)).await?;
    Ok(go::saying(&visit.state.site, Notice::Muted, go::back(&params)))
}

/// `GET /settings/muted`.
async fn muted(member: Member, params: Params) -> Result<Response, Problem> {
    let (visit, me) = (member.visit, member.login.account.id);
    let page = page(&params, PAGE_ACCOUNTS.0);
    let read = visit.read(move |tx, viewer| relation::mutes(tx, me, &page, viewer.now));
    let (facts, found) = read.await.map_err(|error: StoreError| Problem::from(error))?;
    let ends: Vec<Option<Timestamp>> = found.items.iter().map(|muted| muted.until).collect();
    let found = found.map(|muted| muted.person);
    let eyes = eyes(&visit);
    let mut people = load::rows(&eyes, &found.items, &[]);
    for (row, ends) in people.iter_mut().zip(ends) {
        row.until = ends.map(|at| When::new(at, eyes.now));
    }
    let view = PeoplePage {
        shell: visit.shell("Muted people", &facts),
        back: None,
        people,
        acts: RowActs::Unmute,
        is_setting: true,
        older: older("/settings/muted", &found),
        empty: Empty(
            "You mute nobody",
            "Whom you mute on their profile will be listed here. They are not told.",
        ),
    };
    show(&visit, &view)
}

/// `GET /settings/blocked`.
async fn blocked(member: Member, params: Params) -> Result<Response, Problem> {
    let (visit, me) = (member.visit, member.login.account.id);
    let page = page(&params, PAGE_ACCOUNTS.0);
    let read = visit.read(move |tx, _| relation::blocks(tx, me, &page));
    let (facts, found) = read.await.map_err(|error: StoreError| Problem::from(error))?;
    let view = PeoplePage {
        shell: visit.shell("Blocked people", &facts),
        back: None,
        people: load::rows(&eyes(&visit), &found.items, &[]),
        acts: RowActs::Unblock,
        is_setting: true,
        older: older("/settings/blocked", &found),
        empty: Empty("You block nobody", "Whom you block on their profile will be listed here."),
    };
    show(&visit, &view)
}

/// `GET /settings/servers`.
async fn servers(member: Member, params: Params) -> Result<Response, Problem> {
    let view = servers_page(&member, &params, Faults::none()).await?;
    show(&member.visit, &view)
}

async fn servers_page(member: &Member, params: &Params, faults: Faults) -> Result<ServersPage, Problem> {
    let (me, page) = (member.login.account.id, page(params, PAGE_ACCOUNTS.0));
    let read = member.visit.read(move |tx, _| domain_block::list(tx, me, &page));
    let (facts, found) = read.await.map_err(|error: StoreError| Problem::from(error))?;
    Ok(ServersPage {
        shell: member.visit.shell("Blocked servers", &facts),
        older: older("/settings/servers", &found),
        domains: found.items,
        typed: params.text("domain").unwrap_or_default(),
        faults,
    })
}

/// `POST /settings/servers`.
async fn block_server(member: Member, params: Params) -> Result<Response, Problem> {
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let (state, me) = (&member.visit.state, member.login.account.id);
    match block_domain(state, me, &params.text("domain").unwrap_or_default()).await {
        Ok(()) => Ok(go::saying(&state.site, Notice::ServerBlocked, go::to("/settings/servers"))),
        Err(problem) if problem.kind == ProblemKind::Invalid => {
            let faults = Faults::one("domain", "Give a server's name, like `social.example`; not this one.");
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &servers_page(&member, &params, faults).await?)
        }
        Err(problem) => Err(problem),
    }
}

/// `POST /settings/servers/unblock`.
async fn unblock_server(member: Member, params: Params) -> Result<Response, Problem> {
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let (me, domain) =
        (member.login.account.id, domain_block::key(&params.text("domain").unwrap_or_default())?);
    let done = member.visit.state.store.write(move |tx| domain_block::unblock(tx, me, &domain)).await;
    done.map_err(|error: StoreError| Problem::from(error))?;
    Ok(go::to("/settings/servers"))
}
