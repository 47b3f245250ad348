//! What surrounds every page: the server, the reader, the page's own head.

use super::PersonView;
use crate::model::Registration;

/// The server, as it presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its name.
    pub title: String,
    /// The host in addresses: `social.example`.
    pub host: String,
    /// Scheme, host and port, without a slash: `https://social.example`.
    pub origin: String,
    /// What it is for, in a few sentences.
    pub description: String,
    /// Who may sign up.
    pub sign_ups: Registration,
    /// Accounts here.
    pub users: u64,
    /// Posts written here.
    pub posts: u64,
}

/// The reader, if logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Their account.
    pub person: PersonView,
    /// Notifications not seen yet.
    pub unread: u32,
    /// Requests to follow them that wait for an answer.
    pub follow_requests: u32,
    /// They run this server.
    pub is_owner: bool,
    /// They may see what was decided here.
    pub is_moderator: bool,
}

/// Light, dark, or whatever the device says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// The device decides.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// All.
    pub const ALL: [Theme; 3] = [Theme::Auto, Theme::Light, Theme::Dark];

    /// The word in the cookie and in the page's `data-theme`.
    pub fn value(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    /// From the cookie; anything unknown is [`Theme::Auto`].
    pub fn from_value(value: &str) -> Theme {
        Theme::ALL.into_iter().find(|theme| theme.value() == value).unwrap_or_default()
    }

    /// What people read.
    pub fn label(self) -> &'static str {
        match self {
            Theme::Auto => "Auto",
            Theme::Light => "Light",
            Theme::Dark => "Dark",
        }
    }
}

/// A short word after something was done. Kept as a code in a cookie over
/// the redirect, so that nobody can put words of theirs on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// A post was published.
    Posted,
    /// A post waits for its time.
    Scheduled,
    /// It waits for another time.
    Moved,
    /// A post was deleted.
    Deleted,
    /// A post was changed.
    Edited,
    /// A list was changed.
    ListSaved,
    /// A list was deleted.
    ListDeleted,
    /// Somebody is muted.
    Muted,
    /// Somebody is blocked.
    Blocked,
    /// A follower was removed.
    Expelled,
    /// A server is blocked.
    ServerBlocked,
    /// Somebody is heard from now on.
    RequestAccepted,
    /// What somebody said was dropped.
    RequestDismissed,
    /// Some setting was saved.
    Saved,
    /// One's own post is no longer shown in a quote.
    QuoteRevoked,
    /// The profile was saved.
    ProfileSaved,
    /// The password was changed.
    PasswordChanged,
    /// The mail address is confirmed.
    Confirmed,
    /// A mail is on its way to the new address.
    AddressAsked,
    /// The mail address is another.
    AddressChanged,
    /// A session was ended.
    SessionEnded,
    /// Logged out.
    LoggedOut,
    /// A request to follow was sent.
    FollowRequested,
    /// Somebody was let in.
    Approved,
    /// A request for an account was turned down.
    Refused,
    /// Nothing more is sent to a destination.
    DestinationPaused,
    /// It is sent to again.
    DestinationResumed,
    /// It is looked at.
    DestinationProbed,
    /// Its limits were set.
    LimitsSaved,
    /// Its waiting jobs are gone.
    JobsPurged,
    /// Its dead letters are tried again.
    LettersReplayed,
    /// Its dead letters are gone.
    LettersForgotten,
}

impl Notice {
    /// All.
    pub const ALL: [Notice; 32] = [
        Notice::Posted,
        Notice::Scheduled,
        Notice::Moved,
        Notice::Deleted,
        Notice::Edited,
        Notice::ListSaved,
        Notice::ListDeleted,
        Notice::Muted,
        Notice::Blocked,
        Notice::Expelled,
        Notice::ServerBlocked,
        Notice::RequestAccepted,
        Notice::RequestDismissed,
        Notice::Saved,
        Notice::QuoteRevoked,
        Notice::ProfileSaved,
        Notice::PasswordChanged,
        Notice::Confirmed,
        Notice::AddressAsked,
        Notice::AddressChanged,
        Notice::SessionEnded,
        Notice::LoggedOut,
        Notice::FollowRequested,
        Notice::Approved,
        Notice::Refused,
        Notice::DestinationPaused,
        Notice::DestinationResumed,
        Notice::DestinationProbed,
        Notice::LimitsSaved,
        Notice::JobsPurged,
        Notice::LettersReplayed,
        Notice::LettersForgotten,
    ];

    /// The word in the cookie.
    pub fn code(self) -> &'static str {
        match self {
            Notice::Posted => "posted",
            Notice::Scheduled => "scheduled",
            Notice::Moved => "moved",
            Notice::Deleted => "deleted",
            Notice::Edited => "edited",
            Notice::ListSaved => "list-saved",
            Notice::ListDeleted => "list-deleted",
            Notice::Muted => "muted",
            Notice::Blocked => "blocked",
            Notice::Expelled => "expelled",
            Notice::ServerBlocked => "server-blocked",
            Notice::RequestAccepted => "request-accepted",
            Notice::RequestDismissed => "request-dismissed",
            Notice::Saved => "saved",
            Notice::QuoteRevoked => "quote-revoked",
            Notice::ProfileSaved => "profile-saved",
            Notice::PasswordChanged => "password-changed",
            Notice::Confirmed => "confirmed",
            Notice::AddressAsked => "address-asked",
            Notice::AddressChanged => "address-changed",
            Notice::SessionEnded => "session-ended",
            Notice::LoggedOut => "logged-out",
            Notice::FollowRequested => "follow-requested",
            Notice::Approved => "approved",
            Notice::Refused => "refused",
            Notice::DestinationPaused => "destination-paused",
            Notice::DestinationResumed => "destination-resumed",
            Notice::DestinationProbed => "destination-probed",
            Notice::LimitsSaved => "limits-saved",
            Notice::JobsPurged => "jobs-purged",
            Notice::LettersReplayed => "letters-replayed",
            Notice::LettersForgotten => "letters-forgotten",
        }
    }

    /// From the cookie.
    pub fn from_code(code: &str) -> Option<Notice> {
        Notice::ALL.into_iter().find(|notice| notice.code() == code)
    }

    /// What people read.
    pub fn text(self) -> &'static str {
        match self {
            Notice::Posted => "Your post is out.",
            Notice::Scheduled => "Your post waits for its time.",
            Notice::Moved => "The post waits for its new time.",
            Notice::Deleted => "The post is deleted.",
            Notice::Edited => "Your post is changed.",
            Notice::ListSaved => "The list is saved.",
            Notice::ListDeleted => "The list is deleted.",
            Notice::Muted => "Muted. You will not see what they write; they are not told.",
            Notice::Blocked => "Blocked. You do not see each other any more.",
            Notice::Expelled => "They do not follow you any more.",
            Notice::ServerBlocked => "You will see nothing from that server any more.",
            Notice::RequestAccepted => "You will hear them from now on.",
            Notice::RequestDismissed => "What they said is dropped.",
            Notice::Saved => "Saved.",
            Notice::QuoteRevoked => "Your post is no longer shown in that quote.",
            Notice::ProfileSaved => "Your profile is saved.",
            Notice::PasswordChanged => "Your password is changed. Other sessions were logged out.",
            Notice::Confirmed => "Your mail address is confirmed.",
            Notice::AddressAsked => {
                "Look into your mails: the new address counts once you have opened the link in there."
            }
            Notice::AddressChanged => "Your mail address is changed.",
            Notice::SessionEnded => "That session is logged out.",
            Notice::LoggedOut => "You are logged out. See you soon.",
            Notice::FollowRequested => "Asked to follow. You will see their posts when they agree.",
            Notice::Approved => "They can log in now.",
            Notice::Refused => "The request is turned down.",
            Notice::DestinationPaused => "Paused. Nothing more is sent there; what was under way may end.",
            Notice::DestinationResumed => "Resumed. Deliveries go there again, slowly at first.",
            Notice::DestinationProbed => {
                "One delivery is tried now; what came of it is seen here in a moment."
            }
            Notice::LimitsSaved => "The limits are saved.",
            Notice::JobsPurged => "What waited is thrown away.",
            Notice::LettersReplayed => "The dead letters are tried again.",
            Notice::LettersForgotten => "The dead letters are thrown away.",
        }
    }
}

/// What the page tells search engines, previews and other servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// A sentence or two on the page.
    pub description: Option<String>,
    /// The page's one address.
    pub canonical: Option<String>,
    /// The ActivityPub document of the same thing.
    pub activity_url: Option<String>,
    /// Atom feed of the page.
    pub feed_url: Option<String>,
    /// OpenGraph type: `website`, `profile`, `article`.
    pub og_type: Option<&'static str>,
    /// A picture for previews.
    pub image: Option<String>,
    /// Kept out of search engines.
    pub is_private: bool,
}

/// The frame of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell {
    /// The page's name; the window shows it before the site's.
    pub title: String,
    /// The server.
    pub site: Site,
    /// The reader.
    pub viewer: Option<Viewer>,
    /// Path and query of this page, to come back to.
    pub here: String,
    /// The token every form carries.
    pub csrf: String,
    /// The reader's choice of colours.
    pub theme: Theme,
    /// What was just done.
    pub notice: Option<Notice>,
    /// For machines.
    pub head: Head,
}

impl Shell {
    /// `page` for `aria-current` where `path` is this page, `false` elsewhere.
    pub fn current(&self, path: &str) -> &'static str {
        let here = self.here.split('?').next().unwrap_or_default();
        if here == path { "page" } else { "false" }
    }

    /// The same, also for the pages below `path`.
    pub fn within(&self, path: &str) -> &'static str {
        if self.here.starts_with(path) { "page" } else { "false" }
    }

    /// The same for any of several.
    pub fn within_any(&self, paths: &[&str; 3]) -> &'static str {
        if paths.iter().any(|path| self.here.starts_with(path)) { "page" } else { "false" }
    }

    /// Notifications the reader has not seen.
    pub fn unread(&self) -> u32 {
        self.viewer.as_ref().map_or(0, |viewer| viewer.unread)
    }

    /// Whether the reader runs this server.
    pub fn is_owner(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.is_owner)
    }

    /// Whether the reader may see what was decided here.
    pub fn is_moderator(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.is_moderator)
    }

    /// Whether `person` is the reader.
    pub fn is_me(&self, person: &PersonView) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.person.id == person.id)
    }
}
