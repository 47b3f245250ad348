//! Notifications (docs: entities/Notification, NotificationPolicy,
//! methods/grouped_notifications).

use serde::Serialize;
use utoipa::ToSchema;

use super::words::NotificationWord;
use super::{Account, Report, Status};
use crate::base::Timestamp;
use crate::model;

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
    /// Only where it is about a report.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Report>,
}

impl Notification {
    /// The notification as clients see it.
    pub fn new(row: &model::Notification, account: Account, status: Option<Status>) -> Notification {
        Notification {
            id: row.id.to_string(),
            kind: row.kind.word(),
            created_at: row.created_at.rfc3339(),
            group_key: group_key(row),
            account,
            status,
            report: None,
        }
    }

    /// The same about a report.
    #[must_use]
    pub fn about(self, report: Option<Report>) -> Notification {
        Notification { report, ..self }
    }
}

/// Every notification is a group of its own.
fn group_key(row: &model::Notification) -> String {
    format!("ungrouped-{}", row.id)
}

/// A group of notifications; here always of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NotificationGroup {
    group_key: String,
    notifications_count: u32,
    #[serde(rename = "type")]
    #[schema(value_type = NotificationWord)]
    kind: &'static str,
    most_recent_notification_id: String,
    page_min_id: String,
    page_max_id: String,
    #[schema(format = DateTime)]
    latest_page_notification_at: String,
    sample_account_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_id: Option<String>,
}

impl From<&model::Notification> for NotificationGroup {
    fn from(row: &model::Notification) -> NotificationGroup {
        let id = row.id.to_string();
        NotificationGroup {
            group_key: group_key(row),
            notifications_count: 1,
            kind: row.kind.word(),
            most_recent_notification_id: id.clone(),
            page_min_id: id.clone(),
            page_max_id: id,
            latest_page_notification_at: row.created_at.rfc3339(),
            sample_account_ids: vec![row.from.to_string()],
            status_id: row.status.map(|id| id.to_string()),
        }
    }
}

/// A page of groups, with what they are about beside them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GroupedNotifications {
    /// Who caused them, each once.
    pub accounts: Vec<Account>,
    /// What they are about, each once.
    pub statuses: Vec<Status>,
    /// The groups, newest first.
    pub notification_groups: Vec<NotificationGroup>,
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
    use crate::base::Id;
    use crate::model::NotificationKind;
    use serde_json::json;

    #[test]
    fn a_group_points_at_what_it_is_about() {
        let row = model::Notification {
            id: Id(5),
            kind: NotificationKind::Mention,
            from: Id(2),
            status: Some(Id(3)),
            created_at: Timestamp::from_millis(0),
            is_filtered: false,
            group_hour: None,
            about: None,
        };
        let value = serde_json::to_value(NotificationGroup::from(&row)).unwrap();
        assert_eq!(value["group_key"], "ungrouped-5");
        assert_eq!(value["type"], "mention");
        assert_eq!((&value["status_id"], &value["sample_account_ids"]), (&json!("3"), &json!(["2"])));
    }

    #[test]
    fn a_marker_has_an_id_as_text_and_a_version_as_number() {
        let marker = model::Marker { last_read: Id(9), version: 2, updated_at: Timestamp::from_millis(0) };
        let value = serde_json::to_value(Marker::from(&marker)).unwrap();
        let expected = json!({"last_read_id": "9", "version": 2, "updated_at": "1970-01-01T00:00:00.000Z"});
        assert_eq!(value, expected);
    }
}
