//! Records to the entities of those who run the server.

use std::collections::HashMap;

use crate::base::{Id, Problem};
use crate::domain::moderation::people::{self, Subject};
use crate::domain::timeline::{Loaded, load};
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::api::people::account;
use crate::edge::api::render;
use crate::model::{Report, Site};
use crate::store::{ReadTx, StoreError};
use crate::wire::mastodon::admin::{AdminAccount, AdminReport, Concerned};
use crate::wire::mastodon::instance::Rule;

/// An account as moderators see it.
pub(super) fn subject(site: &Site, subject: &Subject) -> AdminAccount {
    let person = &subject.person;
    AdminAccount::new(&person.account, subject.user.as_ref(), account(site, person))
}

/// One account as moderators see it.
///
/// # Errors
/// 404 when it is not there.
pub(crate) async fn one(state: &AppState, id: Id) -> Result<AdminAccount, Problem> {
    let found = state.store.read(move |tx| people::load(tx, &[id])).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    let found = found.into_iter().flatten().next().ok_or_else(Problem::not_found)?;
    Ok(subject(&state.site, &found))
}

/// What is shown with reports.
struct Around {
    subjects: HashMap<Id, Subject>,
    statuses: HashMap<Id, Loaded>,
}

fn around(tx: &ReadTx<'_>, now: crate::base::Timestamp, reports: &[Report]) -> Result<Around, StoreError> {
    let mut ids: Vec<Id> = reports
        .iter()
        .flat_map(|r| [Some(r.account), Some(r.target), r.assigned, r.resolved_by])
        .flatten()
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let subjects = people::load(tx, &ids)?.into_iter().flatten().map(|s| (s.person.account.id, s)).collect();
    let mut by_author: HashMap<Id, Vec<Id>> = HashMap::new();
    for report in reports {
        by_author.entry(report.target).or_default().extend(&report.statuses);
    }
    let mut statuses = HashMap::new();
    // One look for each who is reported, with their own eyes: what was
    // reported is shown to moderators whoever may see it.
    for (author, ids) in by_author {
        for loaded in load(tx, Viewer::account(author, now), &ids)?.into_iter().flatten() {
            statuses.insert(loaded.status.id, Loaded { marks: None, ..loaded });
        }
    }
    Ok(Around { subjects, statuses })
}

/// Reports as moderators see them, in this order. Those whose people are
/// gone for good are left out.
///
/// # Errors
/// When the store fails.
pub(crate) async fn reports(state: &AppState, reports: Vec<Report>) -> Result<Vec<AdminReport>, Problem> {
    let (now, asked) = (state.now(), reports.clone());
    let around = state.store.read(move |tx| around(tx, now, &asked)).await;
    let around = around.map_err(|error: StoreError| Problem::from(error))?;
    Ok(reports.iter().filter_map(|report| entity(state, &around, report)).collect())
}

fn entity(state: &AppState, around: &Around, report: &Report) -> Option<AdminReport> {
    let who = |id: Id| around.subjects.get(&id).map(|found| subject(&state.site, found));
    let concerned = Concerned {
        account: who(report.account)?,
        target: who(report.target)?,
        assigned: report.assigned.and_then(who),
        resolved_by: report.resolved_by.and_then(who),
    };
    let loaded = report.statuses.iter().filter_map(|id| around.statuses.get(id));
    let statuses = loaded.map(|loaded| render::status(&state.site, None, loaded)).collect();
    let rules = Rule::all(&state.config.rules);
    let broken = rules.into_iter().filter(|rule| report.rules.iter().any(|n| rule.is(*n))).collect();
    Some(AdminReport::new(report, concerned, statuses, broken))
}
