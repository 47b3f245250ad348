//! Posts that wait for their time: reading, moving and giving them up.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};

use super::compose::later;
use super::frame::Member;
use super::pages::{Empty, ScheduledPage, ScheduledView, render_as};
use super::timelines::{eyes, id, older, page};
use super::view::{Notice, When};
use super::{go, load, show};
use crate::base::limits::PAGE_STATUSES;
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::scheduled;
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::model::Scheduled;
use crate::store::StoreError;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/scheduled", get(all))
        .route("/scheduled/{id}", post(shift))
        .route("/scheduled/{id}/delete", post(cancel))
}

/// `GET /scheduled`.
async fn all(member: Member, params: Params) -> Result<Response, Problem> {
    show(&member.visit, &list(&member, &params).await?)
}

async fn list(member: &Member, params: &Params) -> Result<ScheduledPage, Problem> {
    let (visit, me) = (&member.visit, member.login.account.id);
    let page = page(params, PAGE_STATUSES.0);
    let read = visit.read(move |tx, _| scheduled::list(tx, me, &page));
    let (facts, found) = read.await.map_err(|error: StoreError| Problem::from(error))?;
    Ok(ScheduledPage {
        shell: visit.shell("Posts for later", &facts),
        older: older("/scheduled", &found),
        posts: found.items.iter().map(|row| view(member, row)).collect(),
        empty: Empty("Nothing is waiting", "Give a post a time under “Later”, and it waits for it here."),
    })
}

fn view(member: &Member, row: &Scheduled) -> ScheduledView {
    let eyes = eyes(&member.visit);
    ScheduledView {
        id: row.id.to_string(),
        at: When::new(row.at, eyes.now),
        typed: later::field(row.at),
        fault: None,
        text: row.text.clone(),
        spoiler: row.spoiler_text.clone(),
        visibility: row.visibility.unwrap_or(member.login.user.defaults.visibility),
        media: row.attachments.iter().filter_map(|file| load::media(eyes.site, file)).collect(),
        options: row.poll.as_ref().map(|poll| poll.options.clone()).unwrap_or_default(),
        is_reply: row.in_reply_to.is_some(),
        is_quote: row.quote.is_some(),
    }
}

/// `POST /scheduled/id`: to another time.
async fn shift(member: Member, Path(post): Path<String>, params: Params) -> Result<Response, Problem> {
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let (state, id) = (&member.visit.state, id(&post)?);
    let moved = match later::time(&params, state.now()) {
        Ok(Some(at)) => {
            let (moment, me) = (state.moment(), member.login.account.id);
            let moved =
                state.store.write(move |tx| scheduled::reschedule(tx, &mut moment.clone(), me, id, at));
            moved.await.map(drop).map_err(Problem::from)
        }
        Ok(None) => Err(Problem::invalid("Choose a time.")),
        Err(fault) => Err(Problem::invalid(fault)),
    };
    match moved {
        Ok(()) => Ok(go::saying(&state.site, Notice::Moved, go::to("/scheduled"))),
        Err(problem) if problem.kind == ProblemKind::Invalid => refused(&member, id, &params, &problem).await,
        Err(problem) => Err(problem),
    }
}

/// The page again, with what is wrong beside the post.
async fn refused(member: &Member, id: Id, params: &Params, problem: &Problem) -> Result<Response, Problem> {
    let fault = problem.detail.trim_start_matches("Validation failed: ").to_owned();
    let me = member.login.account.id;
    let row = member.visit.state.store.read(move |tx| scheduled::get(tx, me, id)).await?;
    let shown = ScheduledView {
        typed: params.text("later").unwrap_or_default(),
        fault: Some(fault),
        ..view(member, &row)
    };
    // It may be on another page of the list; here it is the first.
    let mut page = list(member, params).await?;
    page.posts.retain(|post| post.id != shown.id);
    page.posts.insert(0, shown);
    render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// `POST /scheduled/id/delete`.
async fn cancel(member: Member, Path(post): Path<String>, params: Params) -> Result<Response, Problem> {
    let (visit, me) = (member.visit, member.login.account.id);
    visit.browser.check(params.text("csrf").as_deref())?;
    let (id, now) = (id(&post)?, visit.state.now());
    visit.state.store.write(move |tx| scheduled::cancel(tx, now, me, id)).await?;
    Ok(go::saying(&visit.state.site, Notice::Deleted, go::to("/scheduled")))
}
