//! Reports: made by people here and by other servers, looked into by
//! moderators.

use super::audit::{Entry, log};
use super::{ModerationError, Staff, members};
use crate::base::{Id, Moment};
use crate::domain::delivery::{Targets, say};
use crate::domain::mail;
use crate::domain::notification::{News, notify_about};
use crate::domain::page::{Page, Paged, search};
use crate::domain::timeline::load;
use crate::domain::visibility::Viewer;
use crate::domain::webhook;
use crate::model::queue::{Letter, OrderKey, Outgoing};
use crate::model::tables::{ACCOUNT, REPORT, REPORT_BY_URI, STATUS};
use crate::model::{Account, NotificationKind, Permission, Report, ReportCategory, Site, WebhookEvent};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Characters of a comment (Mastodon: 1000).
pub const COMMENT_MAX_CHARACTERS: usize = 1000;
/// Posts of one report that are kept.
pub const STATUSES_MAX: usize = 100;
/// Rules that one report may name.
const RULES_MAX: usize = 50;
/// Rows read at once, and how often, when a list is filtered.
const SEARCH_ROWS: usize = 500;
const SEARCH_SCANS_MAX: usize = 20;
/// Reports that one decision about an account looks back at.
const RESOLVED_MAX: usize = 1000;

/// What somebody reports.
#[derive(Debug, Clone, Default)]
pub struct NewReport {
    /// Who reports.
    pub account: Id,
    /// Who is reported.
    pub target: Id,
    /// Posts that show why; those that are not by `target`, or not to be
    /// seen by `account`, are left out.
    pub statuses: Vec<Id>,
    /// Why, in words.
    pub comment: String,
    /// Why, in a word.
    pub category: ReportCategory,
    /// Numbers of the rules that are broken.
    pub rules: Vec<u32>,
    /// Tell the server of `target` as well, without saying who reports.
    pub forward: bool,
    /// ActivityPub id, of a report from elsewhere.
    pub uri: Option<String>,
}

/// Keeps a report and tells the moderators. A report from elsewhere that is
/// known stays as it is. Takes two ids for each moderator and five more.
///
/// # Errors
/// When `target` is not there, or the comment is too long.
pub fn create(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    new: &NewReport,
) -> Result<Report, ModerationError> {
    if new.comment.chars().nth(COMMENT_MAX_CHARACTERS).is_some() {
        return Err(ModerationError::Invalid("Comment is too long (maximum is 1000 characters)"));
    }
    let target = tx.get(ACCOUNT, &new.target)?.filter(|target| target.deleted_at.is_none());
    let target = target.ok_or(ModerationError::Missing)?;
    if let Some(uri) = &new.uri
        && let Some(known) = tx.get(REPORT_BY_URI, uri)?
    {
        return tx.get(REPORT, &known)?.ok_or(ModerationError::Missing);
    }
    let statuses = shown(tx, moment, new)?;
    let id = moment.id();
    let own_uri = format!("{}/reports/{id}", site.instance_actor());
    let mut rules = new.rules.clone();
    rules.truncate(RULES_MAX);
    let report = Report {
        id,
        account: new.account,
        target: target.id,
        statuses,
        comment: new.comment.clone(),
        category: new.category,
        rules,
        is_forwarded: new.forward && !target.is_local(),
        assigned: None,
        resolved_at: None,
        resolved_by: None,
        created_at: moment.now,
        updated_at: moment.now,
        uri: new.uri.clone().unwrap_or(own_uri),
    };
    tx.put(REPORT, &id, &report);
    tx.put(REPORT_BY_URI, &report.uri, &id);
    if report.is_forwarded {
        forward(tx, moment, site, &report, &target)?;
    }
    webhook::announce(tx, moment, WebhookEvent::ReportCreated, &[id])?;
    mail::post_to_staff(tx, moment, site, Permission::ManageReports, |staff| Letter::Report {
        staff,
        report: id,
    })?;
    let staff = members(tx, Permission::ManageReports)?;
    let news = News { kind: NotificationKind::AdminReport, from: new.account, status: None };
    notify_about(tx, moment, &staff, news, id)?;
    Ok(report)
}

/// The reported posts that the reporter may see. Another server names posts
/// it has seen; what it may not see says nothing to moderators either.
fn shown(tx: &WriteTx<'_>, moment: &Moment, new: &NewReport) -> Result<Vec<Id>, StoreError> {
    let mut asked = new.statuses.clone();
    asked.truncate(STATUSES_MAX);
    let viewer = Viewer::account(new.account, moment.now);
    let loaded = load(tx, viewer, &asked)?;
    let theirs = loaded.into_iter().flatten().filter(|loaded| loaded.status.account == new.target);
    Ok(theirs.map(|loaded| loaded.status.id).collect())
}

/// Tells the server of the reported account, in the name of this server:
/// who reported stays here.
fn forward(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    report: &Report,
    target: &Account,
) -> Result<(), StoreError> {
    let posts = tx.get_many(STATUS, &report.statuses)?;
    let objects = std::iter::once(target.uri.clone()).chain(posts.into_iter().flatten().map(|s| s.uri));
    let flag = Outgoing::Flag {
        id: report.uri.clone(),
        actor: site.instance_actor(),
        objects: objects.collect(),
        content: report.comment.clone(),
    };
    let mut targets = Targets::new();
    targets.add(&target.inbox, target.shared_inbox.as_deref());
    say(tx, moment, Id::ZERO, flag, OrderKey::NONE, &targets)?;
    Ok(())
}

/// Which reports are listed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Those that are resolved, rather than those that wait.
    pub resolved: bool,
    /// Only by this account.
    pub account: Option<Id>,
    /// Only about this account.
    pub target: Option<Id>,
}

impl Wanted {
    fn admits(&self, report: &Report) -> bool {
        report.resolved_at.is_some() == self.resolved
            && self.account.is_none_or(|account| account == report.account)
            && self.target.is_none_or(|target| target == report.target)
    }
}

/// A page of reports, newest first.
///
/// # Errors
/// Only the store's.
pub fn list(tx: &ReadTx<'_>, wanted: &Wanted, page: &Page) -> Result<Paged<Report>, StoreError> {
    search(
        page,
        (SEARCH_ROWS, SEARCH_SCANS_MAX),
        |span| tx.scan(REPORT, span.scan(Scan::all(), |id| id)),
        |rows| Ok(rows.iter().map(|(_, report)| wanted.admits(report).then(|| report.clone())).collect()),
    )
}

/// One report.
///
/// # Errors
/// Only the store's.
pub fn get(tx: &ReadTx<'_>, id: Id) -> Result<Option<Report>, StoreError> {
    tx.get(REPORT, &id)
}

/// What a moderator does with a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Looks into it.
    Assign,
    /// Leaves it to others.
    Unassign,
    /// Is done with it.
    Resolve,
    /// Takes it up again.
    Reopen,
    /// Says anew what it is about; `None` stays as it is.
    Recast(Option<ReportCategory>, Option<Vec<u32>>),
}

impl Step {
    const fn word(&self) -> &'static str {
        match self {
            Step::Assign => "assigned_to_self",
            Step::Unassign => "unassigned",
            Step::Resolve => "resolve",
            Step::Reopen => "reopen",
            Step::Recast(..) => "update",
        }
    }
}

/// Does something with a report. Takes two ids.
///
/// # Errors
/// When there is no such report, or `by` may not.
pub fn take(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    id: Id,
    step: &Step,
) -> Result<Report, ModerationError> {
    by.may(Permission::ManageReports)?;
    let mut report = tx.get(REPORT, &id)?.ok_or(ModerationError::Missing)?;
    match step {
        Step::Assign => report.assigned = Some(by.id),
        Step::Unassign => report.assigned = None,
        Step::Resolve => (report.resolved_at, report.resolved_by) = (Some(moment.now), Some(by.id)),
        Step::Reopen => (report.resolved_at, report.resolved_by) = (None, None),
        Step::Recast(category, rules) => {
            report.category = category.unwrap_or(report.category);
            if let Some(rules) = rules {
                report.rules = rules.iter().copied().take(RULES_MAX).collect();
            }
            // Rules can only be broken by what breaks rules.
            if report.category != ReportCategory::Violation {
                report.rules.clear();
            }
        }
    }
    report.updated_at = moment.now;
    tx.put(REPORT, &id, &report);
    webhook::announce(tx, moment, WebhookEvent::ReportUpdated, &[id])?;
    let name = format!("#{id}");
    log(tx, moment, by, Entry { action: step.word(), kind: "report", target: id, name: &name, note: "" });
    Ok(report)
}

/// Resolves the open reports about an account that something was done about:
/// as in Mastodon, all of them, or only `one` where nothing was done. Takes
/// one id.
///
/// # Errors
/// Only the store's.
pub fn resolve_about(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    target: Id,
    one: Option<Id>,
) -> Result<(), StoreError> {
    let rows = match one {
        Some(id) => tx.get(REPORT, &id)?.map(|report| (id, report)).into_iter().collect(),
        None => tx.scan(REPORT, Scan::all().reverse().limit(RESOLVED_MAX))?,
    };
    let mut resolved = Vec::new();
    for (id, report) in rows.into_iter().filter(|(_, r)| r.target == target && r.resolved_at.is_none()) {
        resolved.push(id);
        let (resolved_at, resolved_by) = (Some(moment.now), Some(by.id));
        tx.put(REPORT, &id, &Report { resolved_at, resolved_by, updated_at: moment.now, ..report });
    }
    webhook::announce(tx, moment, WebhookEvent::ReportUpdated, &resolved)
}
