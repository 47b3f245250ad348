//! Records to Mastodon entities.

use crate::base::Id;
use crate::domain::filter::Match;
use crate::domain::notification::{About, Alert};
use crate::domain::timeline::{Loaded, Person};
use crate::edge::AppState;
use crate::model::{QuotePermission, QuoteState, Site, Visibility};
use crate::wire::mastodon::notification::About as Subject;
use crate::wire::mastodon::poll::PollFacts;
use crate::wire::mastodon::quote::{AnyQuote, Quote, QuoteApproval, ShallowQuote};
use crate::wire::mastodon::{
    AccountWarning, Emoji, FilterResult, Notification, Poll, PreviewCard, Report, Status, status,
};

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
        quote: quote(site, viewer, loaded),
        quote_approval: quote_approval(viewer, loaded),
        quotes: loaded.counts.quotes,
        card: card(site, loaded.shown()),
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

fn card(site: &Site, loaded: &Loaded) -> Option<PreviewCard> {
    let author = loaded.card_author.as_ref().map(|author| account(site, author));
    loaded.card.as_deref().map(|card| PreviewCard::new(site, card, author))
}

/// What a post quotes; in a quoted post the id alone.
fn quote(site: &Site, viewer: Option<Id>, loaded: &Loaded) -> Option<AnyQuote> {
    let record = loaded.status.quote.as_ref()?;
    let Some(view) = &loaded.quote else {
        let id = record.status.filter(|_| record.state == QuoteState::Accepted);
        return Some(AnyQuote::Shallow(ShallowQuote::new(record.state.word(), id.map(|id| id.to_string()))));
    };
    let quoted = view.quoted.as_ref().map(|quoted| status(site, viewer, quoted));
    Some(AnyQuote::Whole(Quote::new(view.state, quoted)))
}

fn quote_approval(viewer: Option<Id>, loaded: &Loaded) -> QuoteApproval {
    let policy = loaded.shown().status.quote_policy.clone().unwrap_or_default();
    QuoteApproval::new(&policy, viewer.map(|viewer| quote_permission(viewer, loaded)))
}

/// Whether the viewer may quote a post, or the post that a boost shows.
pub(in crate::edge) fn quote_permission(viewer: Id, loaded: &Loaded) -> QuotePermission {
    let shown = loaded.shown();
    let record = &shown.status;
    match record.visibility {
        Visibility::Direct => QuotePermission::Denied,
        _ if record.account == viewer => QuotePermission::Automatic,
        Visibility::Private => QuotePermission::Denied,
        _ if shown.between.is_blocked() => QuotePermission::Denied,
        _ => record.quote_policy.clone().unwrap_or_default().permits(shown.between.follows()),
    }
}

/// Posts in this order.
pub(crate) fn statuses(state: &AppState, viewer: Option<Id>, all: &[Loaded]) -> Vec<Status> {
    all.iter().map(|loaded| status(&state.site, viewer, loaded)).collect()
}

/// A notification as its owner sees it.
pub(crate) fn notification(site: &Site, owner: Id, alert: &Alert) -> Notification {
    let post = alert.status.as_ref().map(|loaded| status(site, Some(owner), loaded));
    let about = subject(site, alert.about.as_ref(), &alert.from);
    Notification::new(&alert.notification, account(site, &alert.from), post).about(about)
}

/// What a notification is about besides a post; a warning is from the one
/// who was warned.
pub(crate) fn subject(site: &Site, about: Option<&About>, from: &Person) -> Subject {
    let mut subject = Subject::default();
    match about {
        Some(About::Report(row, target)) => subject.report = Some(Report::new(row, account(site, target))),
        Some(About::Warning(row)) => {
            subject.moderation_warning = Some(AccountWarning::new(row, account(site, from)));
        }
        Some(About::Severance(row)) => subject.event = Some(row.into()),
        None => {}
    }
    subject
}
