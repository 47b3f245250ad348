//! Lists of people: making and changing them, who is on them, what they write.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};

use super::frame::Member;
use super::listing;
use super::pages::{Empty, ListPage, ListView, ListsPage, PersonListsPage, REPLIES, render_as};
use super::timelines::{eyes, id, older, page};
use super::view::{Faults, Notice};
use super::{go, load, show};
use crate::base::limits::PAGE_ACCOUNTS;
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::list::{self, ListError, ListForm};
use crate::domain::timeline::{self, load_people};
use crate::domain::{account, relation};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::model::{FilterContext, List, RepliesPolicy};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/lists", get(all).post(create))
        .route("/lists/{id}", get(posts))
        .route("/lists/{id}/edit", get(edit).post(save))
        .route("/lists/{id}/delete", post(delete))
        .route("/lists/{id}/add", post(add))
        .route("/lists/{id}/remove", post(remove))
        .route("/accounts/{id}/lists", get(of_person))
}

fn view(list: &List) -> ListView {
    ListView {
        id: list.id.to_string(),
        title: list.title.clone(),
        replies: word(list.replies),
        is_exclusive: list.is_exclusive,
        has: false,
    }
}

fn word(replies: RepliesPolicy) -> &'static str {
    match replies {
        RepliesPolicy::List => "list",
        RepliesPolicy::Followed => "followed",
        RepliesPolicy::None => "none",
    }
}

/// What was typed. A box that is not ticked is not sent.
fn typed(params: &Params) -> (ListForm, ListView) {
    let replies = match params.text("replies").as_deref() {
        Some("followed") => RepliesPolicy::Followed,
        Some("none") => RepliesPolicy::None,
        _ => RepliesPolicy::List,
    };
    let title = params.text("title").unwrap_or_default();
    let is_exclusive = params.flag("exclusive").unwrap_or(false);
    let form =
        ListForm { title: Some(title.clone()), replies: Some(replies), is_exclusive: Some(is_exclusive) };
    (form, ListView { id: String::new(), title, replies: word(replies), is_exclusive, has: false })
}

/// What a form says of a fault; other problems go on.
fn fault(problem: Problem) -> Result<String, Problem> {
    match problem.kind {
        ProblemKind::Invalid => Ok(problem.detail.trim_start_matches("Validation failed: ").to_owned()),
        _ => Err(problem),
    }
}

/// `GET /lists`.
async fn all(member: Member) -> Result<Response, Problem> {
    let blank = ListView {
        id: String::new(),
        title: String::new(),
        replies: REPLIES[0].0,
        is_exclusive: false,
        has: false,
    };
    show(&member.visit, &lists_page(&member, blank, Faults::none()).await?)
}

async fn lists_page(member: &Member, form: ListView, faults: Faults) -> Result<ListsPage, Problem> {
    let me = member.login.account.id;
    let (facts, lists) = member.visit.read(move |tx, _| list::all(tx, me)).await?;
    let shell = member.visit.shell("Lists", &facts);
    Ok(ListsPage { shell, lists: lists.iter().map(view).collect(), form, faults })
}

/// `POST /lists`.
async fn create(member: Member, params: Params) -> Result<Response, Problem> {
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let (form, shown) = typed(&params);
    let (moment, me) = (member.visit.state.moment(), member.login.account.id);
    let made = member.visit.state.store.write(move |tx| list::create(tx, &mut moment.clone(), me, &form));
    match made.await.map_err(Problem::from) {
        Ok(made) => Ok(go::to(&format!("/lists/{}/edit", made.id))),
        Err(problem) => {
            let faults = Faults::one("title", fault(problem)?);
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &lists_page(&member, shown, faults).await?)
        }
    }
}

/// `GET /lists/id`: what its members write.
async fn posts(member: Member, Path(list): Path<String>, params: Params) -> Result<Response, Problem> {
    let (list, me) = (id(&list)?, member.login.account.id);
    let found = member.visit.state.store.read(move |tx| list::get(tx, me, list)).await?;
    let path = format!("/lists/{list}");
    let empty = Empty("Nothing here yet", "What the people on this list write will appear here.");
    let page = listing::List {
        live: format!("list:{list}"),
        more: Some((format!("{path}/edit"), "Change".to_owned())),
        // Filters of the home page apply to lists as well.
        place: Some(FilterContext::Home),
        ..listing::List::plain(found.title, path, empty)
    };
    page.show(member.visit, &params, move |tx, viewer, page| {
        timeline::list(tx, viewer, list, page)?.ok_or(ListError::NotFound)
    })
    .await
}

/// `GET /lists/id/edit`.
async fn edit(member: Member, Path(list): Path<String>, params: Params) -> Result<Response, Problem> {
    let view = list_page(&member, id(&list)?, &params, None, Faults::none()).await?;
    show(&member.visit, &view)
}

async fn list_page(
    member: &Member,
    list: Id,
    params: &Params,
    typed: Option<ListView>,
    faults: Faults,
) -> Result<ListPage, Problem> {
    let (visit, me) = (&member.visit, member.login.account.id);
    let page = page(params, PAGE_ACCOUNTS.0);
    let read = visit.read(move |tx, _| {
        Ok::<_, ListError>((list::get(tx, me, list)?, list::members(tx, me, list, &page)?))
    });
    let (facts, (found, people)) = read.await?;
    Ok(ListPage {
        shell: visit.shell(found.title.clone(), &facts),
        older: older(&format!("/lists/{list}/edit"), &people),
        people: load::rows(&eyes(visit), &people.items, &[]),
        form: ListView { id: list.to_string(), ..typed.unwrap_or_else(|| view(&found)) },
        typed: params.text("who").unwrap_or_default(),
        faults,
    })
}

/// `POST /lists/id/edit`.
async fn save(member: Member, Path(list): Path<String>, params: Params) -> Result<Response, Problem> {
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let (list, me, (form, shown)) = (id(&list)?, member.login.account.id, typed(&params));
    let saved = member.visit.state.store.write(move |tx| list::update(tx, me, list, &form)).await;
    match saved.map_err(Problem::from) {
        Ok(_) => Ok(saying(&member, Notice::ListSaved, go::to(&format!("/lists/{list}")))),
        Err(problem) => {
            let faults = Faults::one("title", fault(problem)?);
            let view = list_page(&member, list, &params, Some(shown), faults).await?;
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &view)
        }
    }
}

fn saying(member: &Member, notice: Notice, response: Response) -> Response {
    go::saying(&member.visit.state.site, notice, response)
}

/// `POST /lists/id/delete`.
async fn delete(member: Member, Path(list): Path<String>, params: Params) -> Result<Response, Problem> {
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let (list, me) = (id(&list)?, member.login.account.id);
    member.visit.state.store.write(move |tx| list::delete(tx, me, list)).await?;
    Ok(saying(&member, Notice::ListDeleted, go::to("/lists")))
}

/// `POST /lists/id/add`: `account` by id from a button, or `who` as typed.
async fn add(member: Member, Path(list): Path<String>, params: Params) -> Result<Response, Problem> {
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let (list, me, state) = (id(&list)?, member.login.account.id, &member.visit.state);
    let who = params.text("who").unwrap_or_default().trim().trim_start_matches('@').to_owned();
    let (site, by_id, moment) = (state.site.clone(), params.id("account"), state.moment());
    let added = state.store.write(move |tx| {
        list::get(tx, me, list)?;
        let found = match by_id {
            Some(id) => Some(id),
            None => account::by_handle(tx, &site, &who)?.map(|found| found.id),
        };
        match found {
            Some(id) => list::add(tx, &mut moment.clone(), me, list, &[id]).map(|()| true),
            None => Ok(false),
        }
    });
    let why = match added.await {
        Ok(true) | Err(ListError::AlreadyThere) => return Ok(go::back(&params)),
        Ok(false) => "There is nobody of that name here. Give the whole address.",
        // Of the list itself is asked first, so this is about the account,
        // unless the list is not theirs: then the page is not found either.
        Err(ListError::NotFound) => "Only people whom you follow can be on a list.",
        Err(other) => return Err(other.into()),
    };
    let view = list_page(&member, list, &params, None, Faults::one("who", why)).await?;
    render_as(StatusCode::UNPROCESSABLE_ENTITY, &view)
}

/// `POST /lists/id/remove`.
async fn remove(member: Member, Path(list): Path<String>, params: Params) -> Result<Response, Problem> {
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let (list, me) = (id(&list)?, member.login.account.id);
    let who = params.id("account").ok_or_else(Problem::not_found)?;
    member.visit.state.store.write(move |tx| list::remove(tx, me, list, &[who])).await?;
    Ok(go::back(&params))
}

/// `GET /accounts/id/lists`: on which lists somebody is.
async fn of_person(member: Member, Path(other): Path<String>) -> Result<Response, Problem> {
    let (visit, me, other) = (&member.visit, member.login.account.id, id(&other)?);
    let read = visit.read(move |tx, viewer| {
        let Some(person) = load_people(tx, &[other])?.pop().flatten() else {
            return Err(ListError::NotFound);
        };
        let relationship = relation::relationships(tx, me, &[other], viewer.now)?;
        Ok((person, relationship, list::all(tx, me)?, list::containing(tx, me, other)?))
    });
    let (facts, (person, relationship, all, on)) = read.await?;
    let shown = |one: &List| ListView { has: on.iter().any(|list| list.id == one.id), ..view(one) };
    let row = load::rows(&eyes(visit), &[person], &relationship).pop().ok_or_else(Problem::not_found)?;
    let view = PersonListsPage {
        shell: visit.shell(format!("Lists with {}", row.person.name), &facts),
        is_followed: row.relation.as_ref().is_some_and(|relation| relation.is_following),
        lists: all.iter().map(shown).collect(),
        row,
    };
    show(visit, &view)
}
