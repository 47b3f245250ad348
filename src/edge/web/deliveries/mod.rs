//! The delivery queue, for those who run the server: how it is as a whole,
//! its destinations, and one destination with what can be done there.

mod act;
mod live;

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};

use super::frame::Member;
use super::pages::{DeliveriesPage, DestinationPage};
use super::view::{BoardView, DestinationRow, DestinationView, JobView, LetterView};
use super::{encode, show};
use crate::base::{Id, Problem};
use crate::domain::delivery::admin::Letters;
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::edge::deliveries::Office;
use crate::model::Role;
use crate::model::queue::{Breaker, Class, DestinationId, InboxId};
use crate::queue::{Ask, Sort};

pub(super) use live::drawn;

/// Destinations of a page.
const PAGE_ROWS: usize = 50;
/// Jobs and dead letters shown of a destination.
const JOBS_MAX: usize = 30;
/// Steps of ten seconds in one bar of a chart: a minute.
const BAR_STEPS: usize = 6;
/// Longest part of a name that is looked for.
const NAME_MAX_BYTES: usize = 253;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/settings/deliveries", get(page))
        .route("/settings/deliveries/events", get(live::board))
        .route("/settings/deliveries/{id}", get(destination))
        .route("/settings/deliveries/{id}/events", get(live::destination))
        .route("/settings/deliveries/{id}/{act}", post(act::act))
}

/// To everybody else these pages do not exist.
pub(super) fn only_admins(member: &Member) -> Result<(), Problem> {
    if member.login.user.role >= Role::Admin { Ok(()) } else { Err(Problem::not_found()) }
}

fn number(text: &str) -> Result<DestinationId, Problem> {
    text.parse().map(DestinationId).map_err(|_| Problem::not_found())
}

/// The sums and charts.
async fn board(state: &AppState) -> Result<BoardView, Problem> {
    let office = Office::from(state);
    let overview = office.overview().await?;
    Ok(BoardView::new(&overview, &office.history(BAR_STEPS).await?, state.now()))
}

/// The columns that a list can be ordered by: the word in the address, what
/// people read, and the order.
pub(super) const SORTS: [(&str, &str, Sort); 6] = [
    ("host", "Server", Sort::Name),
    ("state", "State", Sort::State),
    ("backlog", "Waiting", Sort::Backlog),
    ("age", "Oldest", Sort::Age),
    ("failures", "Failures", Sort::Failures),
    ("dead", "Dead letters", Sort::Dead),
];

/// The choices above the list: the word in the address and what people read.
pub(super) const FILTERS: [(&str, &str); 11] = [
    ("", "All"),
    ("closed", "Well"),
    ("open", "Left alone"),
    ("half_open", "Trying"),
    ("dormant", "Dormant"),
    ("dead", "Dead"),
    ("paused", "Paused"),
    ("push", "Push services"),
    ("webhook", "Webhooks"),
    ("mail", "Mail"),
    ("web", "Pages and files"),
];

/// How the list is asked for, as its links carry it on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// One of [`SORTS`].
    pub sort: String,
    /// One of [`FILTERS`].
    pub show: String,
    /// Part of a host's name.
    pub name: String,
    /// From 1.
    pub page: usize,
}

impl Choice {
    fn read(params: &Params) -> Choice {
        let known = |text: Option<String>, all: &[&str]| {
            text.filter(|text| all.contains(&text.as_str())).unwrap_or_default()
        };
        let name = params.text("q").unwrap_or_default().trim().to_lowercase();
        let page = params.number("page").ok().flatten().unwrap_or(1).clamp(1, 10_000);
        Choice {
            sort: known(params.text("sort"), &SORTS.map(|sort| sort.0)),
            show: known(params.text("show"), &FILTERS.map(|filter| filter.0)),
            name: name[..name.floor_char_boundary(NAME_MAX_BYTES)].to_owned(),
            page: usize::try_from(page).unwrap_or(1),
        }
    }

    fn ask(&self) -> Ask {
        let sort = SORTS.iter().find(|sort| sort.0 == self.sort).map_or(Sort::Backlog, |sort| sort.2);
        let state = match self.show.as_str() {
            "closed" => Some(Breaker::Closed),
            "open" => Some(Breaker::Open),
            "half_open" => Some(Breaker::HalfOpen),
            "dormant" => Some(Breaker::Dormant),
            "dead" => Some(Breaker::Dead),
            _ => None,
        };
        Ask {
            sort,
            class: match self.show.as_str() {
                "push" => Some(Class::Push),
                "webhook" => Some(Class::Webhook),
                "mail" => Some(Class::Mail),
                "web" => Some(Class::Web),
                _ => None,
            },
            state,
            only_stopped: self.show == "paused",
            name: (!self.name.is_empty()).then(|| self.name.clone()),
            offset: (self.page - 1) * PAGE_ROWS,
            limit: PAGE_ROWS,
        }
    }

    fn address(&self) -> String {
        let mut pairs = Vec::new();
        for (name, value) in [("sort", &self.sort), ("show", &self.show), ("q", &self.name)] {
            if !value.is_empty() {
                pairs.push(format!("{name}={}", encode(value)));
            }
        }
        if self.page > 1 {
            pairs.push(format!("page={}", self.page));
        }
        let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
        format!("/settings/deliveries{query}#destinations")
    }

    /// The same list, ordered by this.
    pub fn sorted(&self, sort: &str) -> String {
        Choice { sort: sort.to_owned(), page: 1, ..self.clone() }.address()
    }

    /// The same list of other destinations.
    pub fn showing(&self, show: &str) -> String {
        Choice { show: show.to_owned(), page: 1, ..self.clone() }.address()
    }

    /// Whether it is ordered by this.
    pub fn is_by(&self, sort: &str) -> bool {
        self.sort == sort || (self.sort.is_empty() && sort == "backlog")
    }
}

/// `GET /settings/deliveries`.
async fn page(member: Member, params: Params) -> Result<Response, Problem> {
    only_admins(&member)?;
    let visit = member.visit;
    let choice = Choice::read(&params);
    let listed = Office::from(&visit.state).list(&choice.ask()).await?;
    let now = visit.state.now();
    let turn = |page: usize| Choice { page, ..choice.clone() }.address();
    let view = DeliveriesPage {
        shell: visit.shell("Deliveries", &visit.facts().await?),
        board: board(&visit.state).await?,
        rows: listed.destinations.iter().map(|one| DestinationRow::new(one, now)).collect(),
        total: listed.total,
        newer: (choice.page > 1).then(|| turn(choice.page - 1)),
        older: (choice.page * PAGE_ROWS < listed.total).then(|| turn(choice.page + 1)),
        choice,
    };
    show(&visit, &view)
}

/// What is known of a destination now.
async fn known(state: &AppState, id: DestinationId) -> Result<DestinationView, Problem> {
    let details = Office::from(state).details(id).await?.ok_or_else(Problem::not_found)?;
    Ok(DestinationView::new(&details, state.now()))
}

/// `GET /settings/deliveries/id`; with `act` and `inbox` it also says why that
/// job waits.
async fn destination(member: Member, Path(id): Path<String>, params: Params) -> Result<Response, Problem> {
    only_admins(&member)?;
    let visit = member.visit;
    let (id, now) = (number(&id)?, visit.state.now());
    let view = known(&visit.state, id).await?;
    let office = Office::from(&visit.state);
    let asked = asked_job(&params);
    let reason = match asked {
        Some((act, inbox)) => Some(office.explain(id, act, inbox).await?.words),
        None => None,
    };
    let is_asked = |act: &str, inbox: &str| {
        asked.is_some_and(|asked| asked.0.to_string() == act && asked.1.0.to_string() == inbox)
    };
    let path = view.row.path.clone();
    let jobs = office.jobs(id, JOBS_MAX).await?;
    let letters = Letters { destination: Some(id), ..Letters::default() };
    let letters = office.letters(letters, None, JOBS_MAX).await?.letters;
    let job = |job: &crate::edge::deliveries::entities::DeliveryJob| {
        let reason = reason.clone().filter(|_| is_asked(&job.act, &job.inbox));
        JobView::new(job, &path, reason, now)
    };
    let page = DestinationPage {
        shell: visit.shell(format!("Deliveries to {}", view.row.host), &visit.facts().await?),
        jobs: jobs.iter().map(job).collect(),
        letters: letters.iter().map(|letter| LetterView::new(letter, now)).collect(),
        reason: reason.clone(),
        one: view,
    };
    show(&visit, &page)
}

fn asked_job(params: &Params) -> Option<(Id, InboxId)> {
    let inbox = params.text("inbox")?.parse().ok()?;
    Some((params.id("act")?, InboxId(inbox)))
}
