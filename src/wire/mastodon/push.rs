//! Web Push (docs: entities/WebPushSubscription; the message as Mastodon's
//! `Web::NotificationSerializer` writes it).

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{self, Account, NotificationKind, PushSubscription, Site};
use crate::wire::html;

/// Characters of the text in a message (Mastodon: 140).
const BODY_CHARACTERS_MAX: usize = 140;
/// Characters of a name in a message.
const NAME_CHARACTERS_MAX: usize = 100;
/// Bytes of a picture's address in a message; a longer one is left out, since
/// the whole has to fit one record.
const ICON_MAX_BYTES: usize = 1024;

/// Where and of what an app is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WebPushSubscription {
    /// A number, the only id in the API that is none of text.
    id: u32,
    endpoint: String,
    standard: bool,
    /// Of each kind of notification, whether it is told.
    alerts: BTreeMap<&'static str, bool>,
    /// `all`, `followed`, `follower` or `none`.
    policy: &'static str,
    server_key: String,
}

impl WebPushSubscription {
    /// As clients see it. `server_key` is the server's public key.
    pub fn new(subscription: &PushSubscription, server_key: String) -> WebPushSubscription {
        let told = |kind: NotificationKind| (kind.word(), subscription.alerts.contains(&kind));
        WebPushSubscription {
            id: subscription.number,
            endpoint: subscription.endpoint.clone(),
            standard: subscription.standard,
            alerts: NotificationKind::ALL.into_iter().map(told).collect(),
            policy: subscription.policy.word(),
            server_key,
        }
    }
}

/// What a push says. The app fetches the rest with its own token, which is
/// not kept here and so cannot be in it, as it is in Mastodon's; blank for
/// apps that need the key to be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushMessage {
    access_token: &'static str,
    preferred_locale: &'static str,
    notification_id: String,
    notification_type: &'static str,
    icon: Option<String>,
    title: String,
    body: String,
}

impl PushMessage {
    /// The message about a notification that `from` caused, about a post.
    pub fn new(
        site: &Site,
        row: &model::Notification,
        from: &Account,
        status: Option<&model::Status>,
    ) -> PushMessage {
        let text = match status {
            Some(status) if !status.spoiler_text.is_empty() => status.spoiler_text.clone(),
            Some(status) => html::to_text(&status.content_html),
            None => html::to_text(&from.note_html),
        };
        PushMessage {
            access_token: "",
            preferred_locale: "en",
            notification_id: row.id.to_string(),
            notification_type: row.kind.word(),
            icon: Some(site.avatar(from)).filter(|url| url.len() <= ICON_MAX_BYTES),
            title: title(row.kind, &cut(from.name(), NAME_CHARACTERS_MAX)),
            body: cut(text.trim(), BODY_CHARACTERS_MAX),
        }
    }
}

fn title(kind: NotificationKind, name: &str) -> String {
    use NotificationKind as Kind;
    match kind {
        Kind::Mention => format!("{name} mentioned you"),
        Kind::Reblog => format!("{name} boosted your post"),
        Kind::Favourite => format!("{name} likes your post"),
        Kind::Follow => format!("{name} follows you"),
        Kind::FollowRequest => format!("{name} asks to follow you"),
        Kind::Status => format!("{name} posted"),
        Kind::Update => format!("{name} edited a post you boosted"),
        Kind::AdminSignUp => format!("{name} signed up"),
        Kind::Poll => format!("A poll by {name} has ended"),
        Kind::Quote => format!("{name} quoted your post"),
        Kind::QuotedUpdate => format!("{name} edited a post you quoted"),
        Kind::AdminReport => format!("{name} reported somebody"),
        Kind::ModerationWarning => "A moderator has warned you".into(),
        Kind::SeveredRelationships => "You lost follows to a block between servers".into(),
    }
}

/// A text cut to so many characters, with an ellipsis where it was.
fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Id, Timestamp};
    use crate::wire::web_push::PAYLOAD_MAX_BYTES;

    #[test]
    fn the_longest_message_fits_one_record() {
        let row = model::Notification {
            id: Id::MAX,
            kind: NotificationKind::SeveredRelationships,
            from: Id(2),
            status: Some(Id(3)),
            created_at: Timestamp::default(),
            is_filtered: false,
            group_hour: None,
            about: None,
        };
        // Four bytes for each character, and six in JSON for some.
        let from = Account { display_name: "\u{1}".repeat(2000), ..Account::default() };
        for letter in ["😀", "\u{1}", "\""] {
            let status = model::Status { spoiler_text: letter.repeat(2000), ..model::Status::default() };
            let message = PushMessage::new(&Site::new("https", "social.example"), &row, &from, Some(&status));
            let bytes = serde_json::to_vec(&message).unwrap();
            assert!(bytes.len() + ICON_MAX_BYTES < PAYLOAD_MAX_BYTES, "{}", bytes.len());
            assert_eq!(message.body.chars().count(), BODY_CHARACTERS_MAX);
        }
    }

    #[test]
    fn a_message_hides_what_a_warning_hides_and_carries_no_markup() {
        let row = model::Notification {
            id: Id(7),
            kind: NotificationKind::Mention,
            from: Id(2),
            status: Some(Id(3)),
            created_at: Timestamp::default(),
            is_filtered: false,
            group_hour: None,
            about: None,
        };
        let from = Account { username: "ben".into(), ..Account::default() };
        let mut status = model::Status { content_html: "<p>a &lt;b&gt;</p>".into(), ..Default::default() };
        let site = Site::new("https", "social.example");
        let message = PushMessage::new(&site, &row, &from, Some(&status));
        assert_eq!((message.title.as_str(), message.body.as_str()), ("ben mentioned you", "a <b>"));
        status.spoiler_text = "food".into();
        assert_eq!(PushMessage::new(&site, &row, &from, Some(&status)).body, "food");
    }
}
