//! Warnings: what people here are told when a moderator acts on their
//! account.

use super::{Action, ModerationError, Staff};
use crate::base::{Id, Moment};
use crate::domain::notification::{News, notify_about};
use crate::model::tables::{REPORT, WARNING, WARNING_OF};
use crate::model::{NotificationKind, Permission, Warning, WarningAction};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Characters of a warning that are kept.
const TEXT_MAX_CHARACTERS: usize = 2000;
/// Warnings of one account that are listed, the latest.
const LISTED_MAX: usize = 200;

/// What is said to the one whom an [`Action`] is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Word<'a> {
    /// Why.
    pub text: &'a str,
    /// The report that is answered; its posts are named.
    pub report: Option<Id>,
    /// They are told. The warning is kept either way.
    pub is_told: bool,
}

/// Keeps a warning of somebody here, and tells them. Takes two ids.
///
/// # Errors
/// When `by` may not.
pub fn warn(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    target: Id,
    (action, word): (Action, Word<'_>),
) -> Result<Warning, ModerationError> {
    by.may(Permission::ManageUsers)?;
    let report = word.report.map(|id| tx.get(REPORT, &id)).transpose()?.flatten();
    let report = report.filter(|report| report.target == target);
    let warning = Warning {
        id: moment.id(),
        target,
        by: by.id,
        action: kept(action),
        text: word.text.chars().take(TEXT_MAX_CHARACTERS).collect(),
        statuses: report.as_ref().map(|report| report.statuses.clone()).unwrap_or_default(),
        report: report.map(|report| report.id),
        created_at: moment.now,
    };
    tx.put(WARNING, &warning.id, &warning);
    tx.put(WARNING_OF, &(target, warning.id), &());
    if word.is_told {
        // As if from themselves: which moderator it was is not told.
        let news = News { kind: NotificationKind::ModerationWarning, from: target, status: None };
        notify_about(tx, moment, &[target], news, warning.id)?;
    }
    Ok(warning)
}

fn kept(action: Action) -> WarningAction {
    match action {
        Action::None => WarningAction::None,
        Action::Sensitive => WarningAction::Sensitive,
        Action::Disable => WarningAction::Disable,
        Action::Silence => WarningAction::Silence,
        Action::Suspend => WarningAction::Suspend,
    }
}

/// The latest warnings of an account, newest first.
///
/// # Errors
/// Only the store's.
pub fn warnings(tx: &ReadTx<'_>, target: Id) -> Result<Vec<Warning>, StoreError> {
    let rows = tx.scan(WARNING_OF, Scan::prefix(&(target,)).reverse().limit(LISTED_MAX))?;
    let ids: Vec<Id> = rows.into_iter().map(|((_, id), ())| id).collect();
    Ok(tx.get_many(WARNING, &ids)?.into_iter().flatten().collect())
}
