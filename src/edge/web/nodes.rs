//! The nodes of this server, for those who run it: who is there, how busy
//! each is, and how requests are shared out. Nothing can be done here; nodes
//! come when they are started and go when they are stopped.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::deliveries::{drawn, only_admins};
use super::frame::Member;
use super::pages::{NodesPage, NodesPartial};
use super::show;
use super::view::NodesView;
use crate::base::Problem;
use crate::edge::{AppState, roster};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/settings/nodes", get(page)).route("/settings/nodes/events", get(live))
}

fn view(state: &AppState) -> NodesView {
    NodesView::new(&roster::nodes(state))
}

/// `GET /settings/nodes`.
async fn page(member: Member) -> Result<Response, Problem> {
    only_admins(&member)?;
    let visit = member.visit;
    let shell = visit.shell("Nodes", &visit.facts().await?);
    show(&visit, &NodesPage { shell, now: view(&visit.state) })
}

/// `GET /settings/nodes/events`.
async fn live(member: Member) -> Result<Response, Problem> {
    only_admins(&member)?;
    let state = member.visit.state.clone();
    drawn(member, move || {
        let now = view(&state);
        async move { NodesPartial { now: &now }.render().map_err(Problem::internal) }
    })
}
