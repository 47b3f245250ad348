//! What the reader does not want to read: words, where, and what becomes of
//! posts with them.

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};

use super::frame::Member;
use super::pages::{FilterForm, FilterPage, FilterRow, FiltersPage, KeywordRow, render_as};
use super::timelines::{eyes, id};
use super::view::{Faults, Notice, When};
use super::{go, show};
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::filter::{self, Change, Draft, KeywordChange};
use crate::edge::AppState;
use crate::edge::api::params::{Params, Tree};
use crate::model::{Filter, FilterAction, FilterContext};
use crate::store::StoreError;

/// Empty places for words that a form has beside those that are there.
const FREE_PLACES: usize = 3;
/// Words that one form may add or change.
const KEYWORDS_MAX: usize = 200;
/// Ids that keeping a filter may take: one for it and one for each word.
const IDS_MAX: u16 = 202;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/settings/filters", get(all).post(create))
        .route("/settings/filters/new", get(new))
        .route("/settings/filters/{id}", get(one).post(save))
        .route("/settings/filters/{id}/delete", post(delete))
}

/// `GET /settings/filters`.
async fn all(member: Member) -> Result<Response, Problem> {
    let (visit, me) = (member.visit, member.login.account.id);
    let read = visit.read(move |tx, _| filter::list(tx, me));
    let (facts, found) = read.await.map_err(|error: StoreError| Problem::from(error))?;
    let now = eyes(&visit).now;
    let row = |filter: &Filter| FilterRow {
        id: filter.id.to_string(),
        title: filter.title.clone(),
        words: filter.keywords.iter().map(|row| row.keyword.clone()).collect(),
        posts: filter.statuses.len(),
        ends: filter.expires_at.map(|at| When::new(at, now)),
        is_over: !filter.is_active(now),
    };
    let filters = found.iter().map(row).collect();
    show(&visit, &FiltersPage { shell: visit.shell("Filters", &facts), filters })
}

/// `GET /settings/filters/new`.
async fn new(member: Member) -> Result<Response, Problem> {
    let blank =
        FilterForm { contexts: FilterContext::ALL.map(FilterContext::word).to_vec(), ..form(&blank()) };
    show(&member.visit, &page(&member, blank, Faults::none()).await?)
}

/// A filter of which nothing is known yet.
fn blank() -> Filter {
    Filter {
        id: Id::ZERO,
        title: String::new(),
        contexts: Vec::new(),
        action: FilterAction::default(),
        expires_at: None,
        keywords: Vec::new(),
        statuses: Vec::new(),
    }
}

/// `GET /settings/filters/id`.
async fn one(member: Member, Path(filter): Path<String>) -> Result<Response, Problem> {
    let found = own(&member, id(&filter)?).await?;
    show(&member.visit, &page(&member, form(&found), Faults::none()).await?)
}

async fn own(member: &Member, id: Id) -> Result<Filter, Problem> {
    let me = member.login.account.id;
    let found = member.visit.state.store.read(move |tx| filter::list(tx, me)).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    found.into_iter().find(|filter| filter.id == id).ok_or_else(Problem::not_found)
}

async fn page(member: &Member, form: FilterForm, faults: Faults) -> Result<FilterPage, Problem> {
    let facts = member.visit.facts().await?;
    let title = if form.id.is_empty() { "A new filter" } else { "Change a filter" };
    Ok(FilterPage { shell: member.visit.shell(title, &facts), form, faults })
}

/// A filter, ready to be changed.
fn form(filter: &Filter) -> FilterForm {
    let row = |row: &crate::model::FilterKeyword| KeywordRow {
        id: row.id.to_string(),
        word: row.keyword.clone(),
        is_whole: row.whole_word,
    };
    let mut keywords: Vec<KeywordRow> = filter.keywords.iter().map(row).collect();
    keywords.extend(std::iter::repeat_n(KeywordRow::blank(), FREE_PLACES));
    FilterForm {
        id: if filter.id == Id::ZERO { String::new() } else { filter.id.to_string() },
        title: filter.title.clone(),
        contexts: filter.contexts.iter().map(|context| context.word()).collect(),
        action: filter.action.word(),
        lasts: if filter.expires_at.is_some() { "keep" } else { "" }.to_owned(),
        has_end: filter.expires_at.is_some(),
        keywords,
    }
}

/// What was typed, to be shown again.
fn typed(params: &Params, id: String, has_end: bool) -> FilterForm {
    let row = |row: &Tree| KeywordRow {
        id: row.text("id").unwrap_or_default(),
        word: row.text("word").unwrap_or_default(),
        is_whole: row.flag("whole").unwrap_or(false),
    };
    FilterForm {
        id,
        title: params.text("title").unwrap_or_default(),
        contexts: contexts(params).into_iter().map(FilterContext::word).collect(),
        action: action(params).word(),
        lasts: params.text("lasts").unwrap_or_default(),
        has_end,
        keywords: rows(params).iter().map(row).collect(),
    }
}

fn rows(params: &Params) -> Vec<Tree> {
    params.children("keywords").unwrap_or_default().into_iter().take(KEYWORDS_MAX).collect()
}

fn contexts(params: &Params) -> Vec<FilterContext> {
    let given = params.list_or_one("contexts");
    FilterContext::ALL.into_iter().filter(|context| given.iter().any(|word| word == context.word())).collect()
}

fn action(params: &Params) -> FilterAction {
    let word = params.text("action").unwrap_or_default();
    let all = [FilterAction::Warn, FilterAction::Hide, FilterAction::Blur];
    all.into_iter().find(|action| action.word() == word).unwrap_or_default()
}

/// Words as they are to become: an emptied one goes, an empty place is none.
fn keywords(params: &Params) -> Vec<KeywordChange> {
    let change = |row: &Tree| {
        let (id, word) = (row.id("id"), row.filled("word"));
        let destroy = word.is_none();
        let whole_word = Some(row.flag("whole").unwrap_or(false));
        (id.is_some() || !destroy).then_some(KeywordChange { id, keyword: word, whole_word, destroy })
    };
    rows(params).iter().filter_map(change).collect()
}

/// When it ends: `None` leaves that as it is.
fn end(member: &Member, params: &Params) -> Option<Option<crate::base::Timestamp>> {
    match params.text("lasts").unwrap_or_default().as_str() {
        "keep" => None,
        text => {
            let offered = super::pages::FILTER_LASTS.iter().find(|(seconds, _)| seconds.to_string() == text);
            let after = |seconds: u64| member.visit.state.now().plus(Duration::from_secs(seconds));
            Some(offered.map(|(seconds, _)| after(*seconds)))
        }
    }
}

/// `POST /settings/filters`.
async fn create(member: Member, params: Params) -> Result<Response, Problem> {
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let draft = Draft {
        title: params.filled("title").unwrap_or_default(),
        contexts: contexts(&params),
        action: action(&params),
        expires_at: end(&member, &params).flatten(),
        keywords: keywords(&params),
    };
    let (state, me) = (&member.visit.state, member.login.account.id);
    let moment = state.moment_with(IDS_MAX);
    let made = state.store.write(move |tx| filter::create(tx, &mut moment.clone(), me, &draft)).await;
    let typed = typed(&params, String::new(), false);
    answer(&member, made.map(drop).map_err(Problem::from), typed).await
}

/// `POST /settings/filters/id`.
async fn save(member: Member, Path(filter): Path<String>, params: Params) -> Result<Response, Problem> {
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let old = own(&member, id(&filter)?).await?;
    let change = Change {
        title: Some(params.filled("title").unwrap_or_default()),
        contexts: Some(contexts(&params)),
        action: Some(action(&params)),
        expires_at: end(&member, &params),
        keywords: keywords(&params),
    };
    let (state, me, id) = (&member.visit.state, member.login.account.id, old.id);
    let moment = state.moment_with(IDS_MAX);
    let made = state.store.write(move |tx| filter::update(tx, &mut moment.clone(), me, id, &change)).await;
    let typed = typed(&params, id.to_string(), old.expires_at.is_some());
    answer(&member, made.map(drop).map_err(Problem::from), typed).await
}

async fn answer(member: &Member, made: Result<(), Problem>, typed: FilterForm) -> Result<Response, Problem> {
    match made {
        Ok(()) => {
            let response = go::to("/settings/filters");
            Ok(go::saying(&member.visit.state.site, Notice::Saved, response))
        }
        Err(problem) if problem.kind == ProblemKind::Invalid => {
            let why = match problem.detail.trim_start_matches("Validation failed: ") {
                "Context can't be blank" => "Choose at least one place where it applies",
                other => other,
            };
            let faults = Faults::one("", why);
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &page(member, typed, faults).await?)
        }
        Err(problem) => Err(problem),
    }
}

/// `POST /settings/filters/id/delete`.
async fn delete(member: Member, Path(filter): Path<String>, params: Params) -> Result<Response, Problem> {
    let (visit, me) = (member.visit, member.login.account.id);
    visit.browser.check(params.text("csrf").as_deref())?;
    let filter = id(&filter)?;
    visit.state.store.write(move |tx| filter::delete(tx, me, filter)).await?;
    Ok(go::saying(&visit.state.site, Notice::Saved, go::to("/settings/filters")))
}
