//! People whose words are held back, and from whom the reader wants to hear.

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};

use super::frame::Member;
use super::pages::{ANSWERS, Empty, PolicyPage, RequestView, RequestsPage, RuleView};
use super::timelines::{eyes, id, older, page};
use super::view::Notice;
use super::{go, load, show};
use crate::base::Problem;
use crate::base::limits::PAGE_ACCOUNTS;
use crate::domain::notification::{self, Asking};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::model::{FilterContext, NotificationPolicy, PolicyAnswer};
use crate::store::StoreError;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/notifications/requests", get(requests))
        .route("/notifications/requests/{id}/{verdict}", post(settle))
        .route("/settings/notifications", get(policy).post(save))
}

/// `GET /notifications/requests`.
async fn requests(member: Member, params: Params) -> Result<Response, Problem> {
    let visit = member.visit;
    let page = page(&params, PAGE_ACCOUNTS.0);
    let read = visit.read(move |tx, viewer| notification::requests(tx, viewer, &page));
    let (facts, found) = read.await.map_err(|error: StoreError| Problem::from(error))?;
    let eyes = eyes(&visit).at(FilterContext::Notifications);
    let shown = |asking: &Asking| {
        Some(RequestView {
            id: asking.request.id.to_string(),
            row: load::rows(&eyes, std::slice::from_ref(&asking.from), &[]).pop()?,
            count: asking.request.notifications,
            post: asking.status.as_ref().map(|loaded| load::post(&eyes, loaded)),
        })
    };
    let view = RequestsPage {
        shell: visit.shell("Requests", &facts),
        requests: found.items.iter().filter_map(shown).collect(),
        older: older("/notifications/requests", &found),
        empty: Empty("Nobody is waiting", "What you chose to hold back will be listed here."),
    };
    show(&visit, &view)
}

/// `POST /notifications/requests/id/accept` and `…/dismiss`.
async fn settle(
    member: Member,
    Path((request, verdict)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    let (visit, me) = (member.visit, member.login.account.id);
    visit.browser.check(params.text("csrf").as_deref())?;
    let (ids, is_welcome) = (vec![id(&request)?], verdict == "accept");
    if !is_welcome && verdict != "dismiss" {
        return Err(Problem::not_found());
    }
    let done = visit.state.store.write(move |tx| match is_welcome {
        true => notification::accept(tx, me, &ids),
        false => notification::dismiss_requests(tx, me, &ids),
    });
    if done.await.map_err(|error: StoreError| Problem::from(error))? == 0 {
        return Err(Problem::not_found());
    }
    let notice = if is_welcome { Notice::RequestAccepted } else { Notice::RequestDismissed };
    Ok(go::saying(&visit.state.site, notice, go::to("/notifications/requests")))
}

/// A rule's name in the form, whom it is about, and its answer.
type Rule = (&'static str, &'static str, fn(&mut NotificationPolicy) -> &mut PolicyAnswer);

const RULES: [Rule; 6] = [
    ("not_following", "People I do not follow", |policy| &mut policy.not_following),
    ("not_followers", "People who do not follow me, or only since a few days", |policy| {
        &mut policy.not_followers
    }),
    ("new_accounts", "Accounts younger than a month", |policy| &mut policy.new_accounts),
    ("private_mentions", "Private mentions out of nowhere", |policy| &mut policy.private_mentions),
    ("limited_accounts", "Accounts that moderators limited", |policy| &mut policy.limited_accounts),
    ("bots", "Automated accounts", |policy| &mut policy.bots),
];

/// `GET /settings/notifications`.
async fn policy(member: Member) -> Result<Response, Problem> {
    let (visit, me) = (member.visit, member.login.account.id);
    let read = visit.read(move |tx, _| notification::policy(tx, me));
    let (facts, mut policy) = read.await.map_err(|error: StoreError| Problem::from(error))?;
    let rule = |(name, about, answer): &Rule| RuleView { name, about, answer: answer(&mut policy).word() };
    let rules = RULES.iter().map(rule).collect();
    show(&visit, &PolicyPage { shell: visit.shell("What may notify you", &facts), rules })
}

/// `POST /settings/notifications`.
async fn save(member: Member, params: Params) -> Result<Response, Problem> {
    let (visit, me) = (member.visit, member.login.account.id);
    visit.browser.check(params.text("csrf").as_deref())?;
    let given: Vec<(Rule, PolicyAnswer)> =
        RULES.into_iter().filter_map(|rule| Some((rule, answer(&params.text(rule.0)?)?))).collect();
    let saved = visit.state.store.write(move |tx| {
        notification::set_policy(tx, me, |policy| {
            given.iter().for_each(|((_, _, place), answer)| *place(policy) = *answer);
        })
    });
    saved.await.map_err(|error: StoreError| Problem::from(error))?;
    Ok(go::saying(&visit.state.site, Notice::Saved, go::to("/settings/notifications")))
}

fn answer(word: &str) -> Option<PolicyAnswer> {
    let (word, _) = ANSWERS.into_iter().find(|(known, _)| *known == word)?;
    [PolicyAnswer::Accept, PolicyAnswer::Filter, PolicyAnswer::Drop].into_iter().find(|a| a.word() == word)
}
