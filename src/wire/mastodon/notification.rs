//! Notifications (docs: entities/Notification, NotificationPolicy,
//! methods/grouped_notifications).

use serde::Serialize;
use utoipa::ToSchema;

use super::words::{NotificationWord, PolicyAnswerWord};
use super::{Account, AccountWarning, Person, RelationshipSeveranceEvent, Report, Status};
use crate::base::{Id, Timestamp};
use crate::model::{self, GroupKey, Site};

/// What a notification is about besides a post; at most one of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = NotificationSubject)]
pub struct About {
    /// A report, for moderators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
    /// A warning by a moderator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation_warning: Option<AccountWarning>,
    /// Follows that a decision ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<RelationshipSeveranceEvent>,
}

/// A notification.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Notification {
    id: String,
    #[serde(rename = "type")]
    #[schema(value_type = NotificationWord)]
    kind: &'static str,
    #[schema(format = DateTime)]
    created_at: String,
    group_key: String,
    account: Account,
    /// Only where it is about a post.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    /// Only where it is about a report, a warning or lost follows.
    #[serde(flatten)]
    about: About,
    /// Only where the policy holds it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    filtered: Option<bool>,
}

impl Notification {
    /// The notification as clients see it.
    pub fn new(row: &model::Notification, account: Account, status: Option<Status>) -> Notification {
        Notification {
            id: row.id.to_string(),
            kind: row.kind.word(),
            created_at: row.created_at.rfc3339(),
            group_key: row.group().to_string(),
            account,
            status,
            about: About::default(),
            filtered: row.is_filtered.then_some(true),
        }
    }

    /// The same about something else.
    #[must_use]
    pub fn about(self, about: About) -> Notification {
        Notification { about, ..self }
    }
}

/// A group of notifications.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NotificationGroup {
    group_key: String,
    notifications_count: usize,
    #[serde(rename = "type")]
    #[schema(value_type = NotificationWord)]
    kind: &'static str,
    most_recent_notification_id: String,
    /// Only on a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    page_min_id: Option<String>,
    /// Only on a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    page_max_id: Option<String>,
    /// Only on a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    latest_page_notification_at: Option<String>,
    sample_account_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_id: Option<String>,
    /// Only where it is about a report, a warning or lost follows.
    #[serde(flatten)]
    about: About,
}

impl NotificationGroup {
    /// A group of these notifications, newest first and at least one, caused
    /// by these accounts among others. `end` is the oldest notification that
    /// its page covers; none where it is shown by itself.
    pub fn new(
        key: GroupKey,
        rows: &[model::Notification],
        sample: &[Id],
        end: Option<Id>,
    ) -> NotificationGroup {
        let newest = rows.first();
        let oldest = end.and_then(|end| rows.iter().rfind(|row| row.id >= end).or(newest));
        let shown = newest.filter(|_| end.is_some());
        NotificationGroup {
            group_key: key.to_string(),
            notifications_count: rows.len(),
            kind: newest.map(|row| row.kind.word()).unwrap_or_default(),
            most_recent_notification_id: newest.map(|row| row.id.to_string()).unwrap_or_default(),
            page_min_id: oldest.map(|row| row.id.to_string()),
            page_max_id: shown.map(|row| row.id.to_string()),
            latest_page_notification_at: shown.map(|row| row.created_at.rfc3339()),
            sample_account_ids: sample.iter().map(Id::to_string).collect(),
            status_id: newest.and_then(|row| row.status).map(|id| id.to_string()),
            about: About::default(),
        }
    }

    /// The same about something else.
    #[must_use]
    pub fn about(self, about: About) -> NotificationGroup {
        NotificationGroup { about, ..self }
    }
}

/// An account of which only the picture is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PartialAccount {
    id: String,
    acct: String,
    #[schema(format = "uri")]
    url: String,
    #[schema(format = "uri")]
    avatar: String,
    #[schema(format = "uri")]
    avatar_static: String,
    locked: bool,
    bot: bool,
}

impl PartialAccount {
    /// The account as far as its picture.
    pub fn new(site: &Site, person: &Person<'_>) -> PartialAccount {
        let account = person.account;
        let avatar = site.avatar(account);
        PartialAccount {
            id: account.id.to_string(),
            acct: account.acct(),
            url: account.url.clone(),
            avatar_static: avatar.clone(),
            avatar,
            locked: account.is_locked,
            bot: account.is_bot(),
        }
    }
}

/// A page of groups, with what they are about beside them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GroupedNotifications {
    /// Who caused them, each once.
    pub accounts: Vec<Account>,
    /// The others, where only the first of each group is asked for in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial_accounts: Option<Vec<PartialAccount>>,
    /// What they are about, each once.
    pub statuses: Vec<Status>,
    /// The groups, newest first.
    pub notification_groups: Vec<NotificationGroup>,
}

/// How much was not read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnreadCount {
    /// How many.
    pub count: usize,
}

/// How much is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct PolicySummary {
    pending_requests_count: usize,
    pending_notifications_count: u64,
}

/// From whom somebody wants to hear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NotificationPolicy {
    #[schema(value_type = PolicyAnswerWord)]
    for_not_following: &'static str,
    #[schema(value_type = PolicyAnswerWord)]
    for_not_followers: &'static str,
    #[schema(value_type = PolicyAnswerWord)]
    for_new_accounts: &'static str,
    #[schema(value_type = PolicyAnswerWord)]
    for_private_mentions: &'static str,
    #[schema(value_type = PolicyAnswerWord)]
    for_limited_accounts: &'static str,
    #[schema(value_type = PolicyAnswerWord)]
    for_bots: &'static str,
    summary: PolicySummary,
}

impl NotificationPolicy {
    /// A policy, and how many people and notifications it holds back.
    pub fn new(
        policy: &model::NotificationPolicy,
        requests: usize,
        notifications: u64,
    ) -> NotificationPolicy {
        NotificationPolicy {
            for_not_following: policy.not_following.word(),
            for_not_followers: policy.not_followers.word(),
            for_new_accounts: policy.new_accounts.word(),
            for_private_mentions: policy.private_mentions.word(),
            for_limited_accounts: policy.limited_accounts.word(),
            for_bots: policy.bots.word(),
            summary: PolicySummary {
                pending_requests_count: requests,
                pending_notifications_count: notifications,
            },
        }
    }
}

/// The same as version 1 had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct V1NotificationPolicy {
    filter_not_following: bool,
    filter_not_followers: bool,
    filter_new_accounts: bool,
    filter_private_mentions: bool,
    summary: PolicySummary,
}

impl V1NotificationPolicy {
    /// A policy, and how many people and notifications it holds back.
    pub fn new(
        policy: &model::NotificationPolicy,
        requests: usize,
        notifications: u64,
    ) -> V1NotificationPolicy {
        let filters = |answer: model::PolicyAnswer| answer != model::PolicyAnswer::Accept;
        V1NotificationPolicy {
            filter_not_following: filters(policy.not_following),
            filter_not_followers: filters(policy.not_followers),
            filter_new_accounts: filters(policy.new_accounts),
            filter_private_mentions: filters(policy.private_mentions),
            summary: PolicySummary {
                pending_requests_count: requests,
                pending_notifications_count: notifications,
            },
        }
    }
}

/// Somebody whose notifications are held back.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NotificationRequest {
    id: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// A number as text.
    notifications_count: String,
    account: Account,
    #[schema(required)]
    last_status: Option<Status>,
}

impl NotificationRequest {
    /// The request as clients see it.
    pub fn new(
        row: &model::NotificationRequest,
        account: Account,
        last_status: Option<Status>,
    ) -> NotificationRequest {
        NotificationRequest {
            id: row.id.to_string(),
            created_at: row.created_at.rfc3339(),
            updated_at: row.updated_at.rfc3339(),
            notifications_count: row.notifications.to_string(),
            account,
            last_status,
        }
    }
}

/// Whether all that was accepted is among the notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Merged {
    /// It is.
    pub merged: bool,
}

/// How far a timeline was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Marker {
    last_read_id: String,
    version: u32,
    #[schema(format = DateTime)]
    updated_at: String,
}

impl From<&model::Marker> for Marker {
    fn from(marker: &model::Marker) -> Marker {
        let updated_at = Timestamp::rfc3339(marker.updated_at);
        Marker { last_read_id: marker.last_read.to_string(), version: marker.version, updated_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NotificationKind;
    use serde_json::json;

    fn row(id: u64) -> model::Notification {
        model::Notification {
            id: Id(id),
            kind: NotificationKind::Favourite,
            from: Id(2),
            status: Some(Id(3)),
            created_at: Timestamp::from_millis(0),
            is_filtered: false,
            group_hour: Some(7),
            about: None,
        }
    }

    #[test]
    fn a_group_tells_its_span_only_on_a_page() {
        let rows = [row(9), row(8), row(5)];
        let on_page = NotificationGroup::new(rows[0].group(), &rows, &[Id(2)], Some(Id(6)));
        let expected = json!({"group_key": "favourite-3-7", "notifications_count": 3, "type": "favourite",
            "most_recent_notification_id": "9", "page_min_id": "8", "page_max_id": "9",
            "latest_page_notification_at": "1970-01-01T00:00:00.000Z", "sample_account_ids": ["2"],
            "status_id": "3"});
        assert_eq!(serde_json::to_value(on_page).unwrap(), expected);
        let alone = NotificationGroup::new(rows[0].group(), &rows, &[Id(2)], None);
        let alone = serde_json::to_value(alone).unwrap();
        assert!(
            ["page_min_id", "page_max_id", "latest_page_notification_at"]
                .iter()
                .all(|k| alone.get(k).is_none())
        );
    }

    #[test]
    fn a_marker_has_an_id_as_text_and_a_version_as_number() {
        let marker = model::Marker { last_read: Id(9), version: 2, updated_at: Timestamp::from_millis(0) };
        let value = serde_json::to_value(Marker::from(&marker)).unwrap();
        let expected = json!({"last_read_id": "9", "version": 2, "updated_at": "1970-01-01T00:00:00.000Z"});
        assert_eq!(value, expected);
    }
}
