//! Records to Mastodon entities.

use crate::base::Id;
use crate::domain::filter::Match;
use crate::domain::notification::Alert;
use crate::domain::timeline::Loaded;
use crate::edge::AppState;
use crate::model::{Site, Visibility};
use crate::wire::mastodon::poll::PollFacts;
use crate::wire::mastodon::{Emoji, FilterResult, Notification, Poll, Report, Status, status};

use super::people::account;

/// A post as the viewer sees it.
pub(crate) fn status(site: &Site, viewer: Option<Id>, loaded: &Loaded) -> Status {
    let record = &loaded.status;
    let can_pin =
        viewer == Some(record.account) && !record.is_reblog() && record.visibility != Visibility::Direct;
    let marks = loaded.marks.map(|marks| status::Marks {
        favourited: marks.favourited,
        reblogged: marks.reblogged,
        muted: marks.muted,
        bookmarked: marks.bookmarked,
        pinned: can_pin.then_some(marks.pinned),
    });
    let reblog = loaded.reblog.as_ref();
    let facts = status::Facts {
        account: account(site, &loaded.author),
        replies: loaded.counts.replies,
        reblogs: loaded.counts.reblogs,
        favourites: loaded.counts.favourites,
        marks,
        filtered: loaded.filtered.iter().map(filter_result).collect(),
        poll: poll(site, viewer, loaded),
        reblog: reblog.map(|original| (original.status.clone(), self::status(site, viewer, original))),
    };
    Status::new(site, record, facts)
}

fn filter_result(found: &Match) -> FilterResult {
    FilterResult::new(&found.filter, &found.keywords, &found.statuses)
}

/// The poll of a post as the viewer sees it.
pub(crate) fn poll(site: &Site, viewer: Option<Id>, loaded: &Loaded) -> Option<Poll> {
    let (record, marks) = (&loaded.status, loaded.poll.as_ref()?);
    let choices = viewer.map(|_| marks.choices.clone());
    let facts = PollFacts { is_over: marks.is_over, is_own: marks.is_own, choices };
    let emojis = record.emojis.iter().map(|emoji| Emoji::new(site, emoji)).collect();
    Some(Poll::new(record.id, record.poll.as_ref()?, emojis, facts))
}

/// Posts in this order.
pub(crate) fn statuses(state: &AppState, viewer: Option<Id>, all: &[Loaded]) -> Vec<Status> {
    all.iter().map(|loaded| status(&state.site, viewer, loaded)).collect()
}

/// A notification as its owner sees it.
pub(crate) fn notification(site: &Site, owner: Id, alert: &Alert) -> Notification {
    let about = alert.status.as_ref().map(|loaded| status(site, Some(owner), loaded));
    let report = alert.report.as_ref().map(|(row, target)| Report::new(row, account(site, target)));
    Notification::new(&alert.notification, account(site, &alert.from), about).about(report)
}
