//! What is on record: decisions of those who run the server, and follows that
//! the reader lost to one, with lists to take elsewhere.

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::frame::Member;
use super::pages::{DecisionsPage, SeveredPage};
use super::show;
use super::timelines::{id, older, page};
use super::view::{DecisionView, SeveredView, When};
use crate::base::{Id, Problem};
use crate::domain::moderation::audit_log;
use crate::domain::page::Page;
use crate::domain::severance::{self, Side};
use crate::domain::timeline::load_everybody;
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::model::{Audit, Permission};
use crate::store::{ReadTx, StoreError};

/// Rows of a page.
const ROWS: usize = 50;
const DECISIONS: &str = "/settings/decisions";
/// Mastodon's address; apps open it.
const SEVERED: &str = "/severed_relationships";

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route(DECISIONS, get(decisions))
        .route(SEVERED, get(severed))
        .route("/severed_relationships/{id}/followers.csv", get(followers))
        .route("/severed_relationships/{id}/following.csv", get(following))
}

/// `GET /settings/decisions`; to everybody but moderators it does not exist.
async fn decisions(member: Member, params: Params) -> Result<Response, Problem> {
    if !member.login.user.role.permits(Permission::ViewAuditLog) {
        return Err(Problem::not_found());
    }
    let (visit, page) = (member.visit, page(&params, ROWS));
    let (facts, found) = visit.read(move |tx, _| decided(tx, &page)).await?;
    let now = visit.state.now();
    let view = DecisionsPage {
        shell: visit.shell("Decisions", &facts),
        older: older(DECISIONS, &found),
        decisions: found
            .items
            .into_iter()
            .map(|(row, by)| DecisionView::new(&row, by, When::new(row.at, now)))
            .collect(),
    };
    show(&visit, &view)
}

type Decided = crate::domain::page::Paged<(Audit, Option<String>)>;

/// A page of decisions, each with the handle of who decided.
fn decided(tx: &ReadTx<'_>, page: &Page) -> Result<Decided, StoreError> {
    let found = audit_log(tx, page)?;
    let by: Vec<Id> = found.items.iter().map(|row| row.by).collect();
    let mut by = load_everybody(tx, &by)?.into_iter();
    Ok(found.map(|row| (row, by.next().flatten().map(|person| person.account.acct()))))
}

/// `GET /severed_relationships`.
async fn severed(member: Member, params: Params) -> Result<Response, Problem> {
    let (visit, me, page) = (member.visit, member.login.account.id, page(&params, ROWS));
    let (facts, found) = visit.read(move |tx, _| severance::list(tx, me, &page)).await?;
    let now = visit.state.now();
    let view = SeveredPage {
        shell: visit.shell("Lost follows", &facts),
        older: older(SEVERED, &found),
        events: found.items.iter().map(|row| SeveredView::new(row, When::new(row.created_at, now))).collect(),
    };
    show(&visit, &view)
}

async fn followers(member: Member, Path(severance): Path<String>) -> Result<Response, Problem> {
    listed(member, &severance, Side::Follower, "followers").await
}

async fn following(member: Member, Path(severance): Path<String>) -> Result<Response, Problem> {
    listed(member, &severance, Side::Followed, "following").await
}

/// A list in the form that Mastodon exports and imports: one column of
/// addresses under its title.
async fn listed(member: Member, severance: &str, side: Side, name: &str) -> Result<Response, Problem> {
    let (visit, me, severance) = (member.visit, member.login.account.id, id(severance)?);
    let read = visit.state.store.read(move |tx| severance::lost(tx, me, severance, side)).await;
    let handles = read.map_err(|error: StoreError| Problem::from(error))?.ok_or_else(Problem::not_found)?;
    let own = &visit.state.site.domain;
    let mut text = String::from("Account address\n");
    for handle in handles {
        text.push_str(&handle);
        if !handle.contains('@') {
            text.push('@');
            text.push_str(own);
        }
        text.push('\n');
    }
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}-{severance}.csv\"")),
    ];
    Ok((headers, text).into_response())
}
