//! From what the rules give to what pages show.

mod quoted;

use std::sync::Arc;

use super::view::{
    AccountView, ChoiceView, FieldView, MediaKind, MediaView, NotificationView, PersonRow, PersonView,
    PollView, PostView, RelationView, ReplyTo, When, words,
};
use super::{assets, emoji};
use crate::base::Timestamp;
use crate::domain::filter::Match;
use crate::domain::notification::{About, Alert};
use crate::domain::relation::Relationship;
use crate::domain::timeline::{Loaded, Person};
use crate::model::{Account, Attachment, AttachmentKind, FilterAction, FilterContext, Picture, Site, Status};
use crate::wire::html;

/// Bytes of a preview's text.
const PREVIEW_MAX_BYTES: usize = 300;

/// Who sees it, when, and where: what building views needs to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Eyes<'a> {
    pub(super) site: &'a Site,
    pub(super) now: Timestamp,
    pub(super) me: Option<crate::base::Id>,
    /// Where it is shown, for the reader's filters.
    pub(super) place: Option<FilterContext>,
}

impl Eyes<'_> {
    /// The same, on a page of this kind.
    pub(super) fn at(self, place: FilterContext) -> Self {
        Eyes { place: Some(place), ..self }
    }

    /// The reader's filters with this action that a post matches here.
    fn filters<'l>(&self, loaded: &'l Loaded, action: FilterAction) -> impl Iterator<Item = &'l Match> {
        let place = self.place;
        let applies = move |found: &&Match| place.is_some_and(|place| found.applies(place));
        loaded.filtered.iter().filter(move |found| found.filter.action == action).filter(applies)
    }

    /// What is shown in place of the text, if anything.
    fn warning(&self, loaded: &Loaded) -> String {
        let mut filters = self.filters(loaded, FilterAction::Warn);
        let filtered = filters.next().map(|found| format!("Filtered: {}", found.filter.title));
        filtered.unwrap_or_else(|| loaded.status.spoiler_text.clone())
    }
}

/// A picture of another server, if pages may show it: through this one.
fn picture_of_others(site: &Site, url: &str) -> Option<String> {
    Some(site.passed_on(url)).filter(|url| site.owns(url))
}

fn picture(site: &Site, picture: Option<&Picture>, default: &str) -> String {
    match picture {
        Some(Picture::Local(name)) => site.media(name),
        Some(Picture::Remote(url)) if url.starts_with("https://") => site.passed_on(url),
        _ => assets::url(default).to_owned(),
    }
}

/// The path of an account's page here.
pub(super) fn profile_path(account: &Account) -> String {
    format!("/@{}", account.acct())
}

/// An account as a line.
pub(super) fn person(site: &Site, account: &Account) -> PersonView {
    PersonView {
        id: account.id.to_string(),
        name: account.name().to_owned(),
        name_html: emoji::in_text(site, account.name(), account.emojis.as_deref().unwrap_or_default()),
        acct: account.acct(),
        path: profile_path(account),
        avatar: picture(site, account.avatar.as_ref(), "avatar.svg"),
        is_bot: account.is_bot(),
    }
}

/// The page of an account's post here.
pub(super) fn post_path(author: &Account, status: &Status) -> String {
    format!("/@{}/{}", author.acct(), status.id)
}

/// An address that may be put into a link.
fn web_url(url: Option<&String>) -> Option<String> {
    url.filter(|url| url.starts_with("https://") || url.starts_with("http://")).cloned()
}

/// Text without markup, cut for previews.
pub(super) fn preview(html: &str) -> String {
    let text = html::to_text(html);
    let text = text.trim();
    if text.len() <= PREVIEW_MAX_BYTES {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(PREVIEW_MAX_BYTES)])
}

/// A post, or the post a boost shows.
pub(super) fn post(eyes: &Eyes<'_>, loaded: &Loaded) -> PostView {
    let shown = loaded.shown();
    let (status, author) = (&shown.status, &shown.author.account);
    let marks = loaded.marks.unwrap_or_default();
    let spoiler = eyes.warning(shown);
    PostView {
        id: status.id.to_string(),
        entry_id: loaded.status.id.to_string(),
        path: post_path(author, status),
        remote_url: if status.is_local { None } else { web_url(status.url.as_ref().or(Some(&status.uri))) },
        activity_url: Some(status.uri.clone()),
        author: person(eyes.site, author),
        boosted_by: loaded.reblog.as_ref().map(|_| person(eyes.site, &loaded.author.account)),
        reply_to: reply_to(status, author),
        created: When::new(status.created_at, eyes.now),
        edited: status.edited_at.map(|at| When::new(at, eyes.now)),
        visibility: status.visibility,
        spoiler_html: emoji::in_text(eyes.site, &spoiler, &status.emojis),
        spoiler,
        content_html: emoji::in_html(eyes.site, &status.content_html, &status.emojis),
        content_text: preview(&status.content_html),
        language: status.language.clone().unwrap_or_default(),
        is_sensitive: status.sensitive || eyes.filters(shown, FilterAction::Blur).next().is_some(),
        media: status.attachments.iter().filter_map(|file| media(eyes.site, file)).collect(),
        poll: poll(eyes, shown),
        quote: quoted::quoted(eyes, shown),
        card: quoted::card(eyes, shown),
        leave: quoted::leave(eyes, shown),
        quotes: loaded.counts.quotes,
        replies: loaded.counts.replies,
        boosts: loaded.counts.reblogs,
        likes: loaded.counts.favourites,
        is_liked: marks.favourited,
        is_boosted: marks.reblogged,
        is_bookmarked: marks.bookmarked,
        is_pinned: marks.pinned,
        is_thread_muted: marks.muted,
        is_mine: eyes.me == Some(author.id),
        is_focus: false,
    }
}

fn poll(eyes: &Eyes<'_>, loaded: &Loaded) -> Option<PollView> {
    let (poll, marks) = (loaded.status.poll.as_ref()?, loaded.poll.as_ref()?);
    let (votes, is_shown) = (poll.votes(), marks.is_over || !poll.hide_totals);
    let choice = |(place, option): (usize, &crate::model::PollOption)| ChoiceView {
        title: option.title.clone(),
        title_html: emoji::in_text(eyes.site, &option.title, &loaded.status.emojis),
        percent: is_shown.then(|| option.votes.saturating_mul(100) / votes.max(1)),
        is_mine: marks.choices.iter().any(|chosen| usize::from(*chosen) == place),
    };
    Some(PollView {
        choices: poll.options.iter().enumerate().map(choice).collect(),
        multiple: poll.multiple,
        can_vote: eyes.me.is_some() && !marks.is_over && !marks.is_own && marks.choices.is_empty(),
        votes,
        is_over: marks.is_over,
        ends: poll.expires_at.map(|at| When::new(at, eyes.now)),
    })
}

/// Posts in their order.
pub(super) fn posts<'a>(eyes: &Eyes<'_>, loaded: impl IntoIterator<Item = &'a Loaded>) -> Vec<PostView> {
    loaded.into_iter().map(|loaded| post(eyes, loaded)).collect()
}

/// Whom it answers: the answered one is among those it names, unless it is
/// the author.
fn reply_to(status: &Status, author: &Account) -> Option<ReplyTo> {
    let answered = status.in_reply_to_account?;
    let acct = if answered == author.id {
        author.acct()
    } else {
        status.mentions.iter().find(|mention| mention.account == answered)?.acct.clone()
    };
    let path = status.in_reply_to.map(|id| format!("/@{acct}/{id}"));
    Some(ReplyTo { acct, path })
}

/// An attached file.
pub(super) fn media(site: &Site, attachment: &Attachment) -> Option<MediaView> {
    let url = site.attachment(attachment).filter(|url| site.owns(url) || url.starts_with("https://"))?;
    let preview_url = site.attachment_preview(attachment).unwrap_or_else(|| url.clone());
    Some(MediaView {
        kind: match attachment.kind {
            AttachmentKind::Image => MediaKind::Image,
            AttachmentKind::Video | AttachmentKind::Gifv => MediaKind::Video,
            AttachmentKind::Audio => MediaKind::Audio,
            AttachmentKind::Unknown => MediaKind::Other,
        },
        preview_url,
        url,
        alt: attachment.description.clone().unwrap_or_default(),
        size: attachment.preview_size.or(attachment.width.zip(attachment.height)),
    })
}

/// What the reader and another are to each other.
pub(super) fn relation(eyes: &Eyes<'_>, relationship: &Relationship) -> RelationView {
    RelationView {
        is_self: eyes.me == Some(relationship.id),
        is_following: relationship.there.follow.is_some(),
        is_requested: relationship.there.request.is_some(),
        is_follower: relationship.back.follow.is_some(),
        is_muted: relationship.mute.is_some(),
        is_blocked: relationship.there.block.is_some(),
    }
}

/// Accounts with what they and the reader are to each other.
pub(super) fn rows(
    eyes: &Eyes<'_>,
    people: &[Arc<Person>],
    relationships: &[Relationship],
) -> Vec<PersonRow> {
    let relation_of = |account: &Account| {
        relationships.iter().find(|other| other.id == account.id).map(|other| relation(eyes, other))
    };
    let row = |person: &Arc<Person>| PersonRow {
        person: self::person(eyes.site, &person.account),
        relation: relation_of(&person.account),
        until: None,
    };
    people.iter().map(row).collect()
}

/// A whole profile.
pub(super) fn account(eyes: &Eyes<'_>, person: &Person, relationship: Option<&Relationship>) -> AccountView {
    let account = &person.account;
    let domain = account.domain.as_deref().unwrap_or(&eyes.site.domain);
    let emojis = account.emojis.as_deref().unwrap_or_default();
    let field = |field: &crate::model::Field| FieldView {
        name: field.name.clone(),
        value_html: emoji::in_html(eyes.site, &field.value_html, emojis),
        verified: field.verified_at.map(|at| When::new(at, eyes.now)),
    };
    AccountView {
        person: self::person(eyes.site, account),
        full_acct: format!("{}@{domain}", account.username),
        header: picture(eyes.site, account.header.as_ref(), "header.svg"),
        note_text: preview(&account.note_html),
        note_html: emoji::in_html(eyes.site, &account.note_html, emojis),
        fields: account.fields.iter().map(field).collect(),
        posts: person.statuses,
        followers: person.followers,
        following: person.following,
        is_locked: account.is_locked,
        joined: When::new(account.created_at, eyes.now),
        remote_url: if account.is_local() { None } else { web_url(Some(&account.url)) },
        activity_url: Some(account.uri.clone()),
        relation: relationship.map(|other| relation(eyes, other)),
    }
}

/// A notification; `seen` is the newest that was seen before.
pub(super) fn notification(
    eyes: &Eyes<'_>,
    alert: &Alert,
    seen: Option<crate::base::Id>,
) -> NotificationView {
    NotificationView {
        id: alert.notification.id.to_string(),
        kind: alert.notification.kind,
        from: person(eyes.site, &alert.from.account),
        created: When::new(alert.notification.created_at, eyes.now),
        post: alert.status.as_ref().map(|loaded| post(eyes, loaded)),
        detail: alert.about.as_ref().and_then(detail),
        is_new: seen.is_none_or(|seen| alert.notification.id > seen),
    }
}

/// What is said of a warning, and of follows that were lost.
fn detail(about: &About) -> Option<String> {
    match about {
        About::Report(..) => None,
        About::Warning(warning) => {
            let done = words::done(warning.action);
            Some(
                [done, &warning.text]
                    .into_iter()
                    .filter(|text| !text.is_empty())
                    .collect::<Vec<_>>()
                    .join(" "),
            )
            .filter(|text| !text.is_empty())
        }
        About::Severance(lost) => Some(format!(
            "{}: {} no longer there.",
            lost.target,
            words::follows(u64::from(lost.followers), u64::from(lost.following))
        )),
    }
}
