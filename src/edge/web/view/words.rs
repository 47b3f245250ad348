//! What people read for the words of the model.

use crate::model::{NotificationKind, Registration, Visibility, WarningAction};

/// Names and pictures of visibilities.
pub trait VisibilityWords: Copy {
    /// All, widest first.
    const ALL: [Visibility; 4] =
        [Visibility::Public, Visibility::Unlisted, Visibility::Private, Visibility::Direct];
    /// Its name.
    fn label(self) -> &'static str;
    /// Who sees it, in a few words.
    fn explain(self) -> &'static str;
    /// The name of its picture in `icons.svg`.
    fn icon(self) -> &'static str;
}

impl VisibilityWords for Visibility {
    fn label(self) -> &'static str {
        match self {
            Visibility::Public => "Public",
            Visibility::Unlisted => "Quiet public",
            Visibility::Private => "Followers",
            Visibility::Direct => "Mentioned people",
        }
    }

    fn explain(self) -> &'static str {
        match self {
            Visibility::Public => "Anyone can see it, and it is in public timelines",
            Visibility::Unlisted => "Anyone can see it, but it is not in public timelines",
            Visibility::Private => "Only followers of its author can see it",
            Visibility::Direct => "Only people named in it can see it",
        }
    }

    fn icon(self) -> &'static str {
        match self {
            Visibility::Public => "globe",
            Visibility::Unlisted => "moon",
            Visibility::Private => "lock",
            Visibility::Direct => "envelope",
        }
    }
}

/// Sentences and pictures of notifications.
pub trait NotificationWords {
    /// What happened, after the name of who did it.
    fn sentence(self) -> &'static str;
    /// The name of its picture in `icons.svg`.
    fn icon(self) -> &'static str;
    /// The name of its look in the styles.
    fn look(self) -> &'static str;
}

impl NotificationWords for NotificationKind {
    fn sentence(self) -> &'static str {
        match self {
            NotificationKind::Mention => "mentioned you",
            NotificationKind::Reblog => "boosted your post",
            NotificationKind::Favourite => "likes your post",
            NotificationKind::Follow => "follows you",
            NotificationKind::FollowRequest => "asks to follow you",
            NotificationKind::Status => "posted",
            NotificationKind::Update => "edited a post you boosted",
            NotificationKind::AdminSignUp => "signed up",
            NotificationKind::Poll => "ran a poll that has ended",
            NotificationKind::Quote => "quoted your post",
            NotificationKind::QuotedUpdate => "edited a post you quoted",
            NotificationKind::AdminReport => "reported somebody",
            NotificationKind::ModerationWarning => "A moderator has warned you",
            NotificationKind::SeveredRelationships => "You lost follows to a block",
        }
    }

    fn icon(self) -> &'static str {
        match self {
            NotificationKind::Mention => "reply",
            NotificationKind::Reblog => "boost",
            NotificationKind::Favourite => "berry-on",
            NotificationKind::Status => "feather",
            NotificationKind::Update | NotificationKind::QuotedUpdate => "pencil",
            NotificationKind::Quote => "reply",
            NotificationKind::Poll => "bell",
            NotificationKind::Follow
            | NotificationKind::FollowRequest
            | NotificationKind::AdminSignUp
            | NotificationKind::AdminReport
            | NotificationKind::ModerationWarning
            | NotificationKind::SeveredRelationships => "person",
        }
    }

    fn look(self) -> &'static str {
        match self {
            NotificationKind::Reblog => "boost",
            NotificationKind::Favourite => "like",
            _ => "plain",
        }
    }
}

/// What was done to somebody together with a warning; empty for nothing.
pub fn done(action: WarningAction) -> &'static str {
    match action {
        WarningAction::None => "",
        WarningAction::Disable => "Your login was disabled.",
        WarningAction::Sensitive => "Your media are hidden behind a warning.",
        WarningAction::Silence => "Your account is shown only to those who look for it.",
        WarningAction::Suspend => "Your account was suspended.",
    }
}

/// Followers and followed people, as they are counted in a sentence.
pub fn follows(followers: u64, following: u64) -> String {
    let of = |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let followers = (followers > 0).then(|| of(followers, "follower is", "followers are"));
    let following =
        (following > 0).then(|| of(following, "account you follow is", "accounts you follow are"));
    followers.into_iter().chain(following).collect::<Vec<_>>().join(", ")
}

/// What a visitor is told about signing up.
pub trait RegistrationWords {
    /// One sentence.
    fn sentence(self) -> &'static str;
    /// Whether a visitor without an invitation can do something about it.
    fn takes_visitors(self) -> bool;
}

impl RegistrationWords for Registration {
    fn sentence(self) -> &'static str {
        match self {
            Registration::Open => "Anyone can make an account here.",
            Registration::Approval => "You can ask for an account here; a person looks at each request.",
            Registration::Invite => "New accounts here need an invitation.",
            Registration::Closed => "This server does not take new accounts at present.",
        }
    }

    fn takes_visitors(self) -> bool {
        matches!(self, Registration::Open | Registration::Approval)
    }
}
