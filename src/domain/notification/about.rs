//! What a notification is about besides a post: a report, a warning, or
//! follows that were lost.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::Id;
use crate::domain::timeline::{Person, load_everybody};
use crate::model::tables::{REPORT, SEVERANCE, WARNING};
use crate::model::{Notification, NotificationKind, Report, Severance, Warning};
use crate::store::{ReadTx, StoreError};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A report, and who is reported.
    Report(Report, Arc<Person>),
    /// A warning of the one who is told.
    Warning(Warning),
    /// Follows that the one who is told lost.
    Severance(Severance),
}

/// The id of what it is about, if it is shown together with that.
pub(super) fn of(row: &Notification) -> Option<Id> {
    use NotificationKind::{AdminReport, ModerationWarning, SeveredRelationships};
    row.about.filter(|_| matches!(row.kind, AdminReport | ModerationWarning | SeveredRelationships))
}

/// What these are about, by its id. Nothing is read where they are about
/// posts and people alone, which they nearly always are.
pub(super) fn load(tx: &ReadTx<'_>, rows: &[&Notification]) -> Result<HashMap<Id, About>, StoreError> {
    let ids = |kind| rows.iter().filter(|row| row.kind == kind).filter_map(|row| row.about).collect();
    let reports: Vec<Id> = ids(NotificationKind::AdminReport);
    let warnings: Vec<Id> = ids(NotificationKind::ModerationWarning);
    let severances: Vec<Id> = ids(NotificationKind::SeveredRelationships);
    if reports.is_empty() && warnings.is_empty() && severances.is_empty() {
        return Ok(HashMap::new());
    }
    let mut batch = tx.batch();
    let reports = batch.get_many(REPORT, &reports);
    let warnings = batch.get_many(WARNING, &warnings);
    let severances = batch.get_many(SEVERANCE, &severances);
    let fetched = batch.fetch()?;
    let reports: Vec<Report> = fetched.take(reports)?.into_iter().flatten().collect();
    let targets: Vec<Id> = reports.iter().map(|report| report.target).collect();
    let people = load_everybody(tx, &targets)?;
    let mut all: HashMap<Id, About> = HashMap::new();
    all.extend(fetched.take(warnings)?.into_iter().flatten().map(|row| (row.id, About::Warning(row))));
    all.extend(fetched.take(severances)?.into_iter().flatten().map(|row| (row.id, About::Severance(row))));
    let reports = reports.into_iter().zip(people);
    all.extend(reports.filter_map(|(row, who)| Some((row.id, About::Report(row, who?)))));
    Ok(all)
}
