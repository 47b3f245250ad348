//! Hashtags (docs: entities/Tag, FeaturedTag).

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::base::{Id, Timestamp};
use crate::model::{Account, AccountTag, Site, TagDay};

/// Days of history that clients draw.
const HISTORY_DAYS: u64 = 7;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A hashtag's use on one day; all three are numbers written as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TagHistory {
    /// Midnight, in seconds since 1970.
    day: String,
    /// Posts.
    uses: String,
    /// Different authors.
    accounts: String,
}

/// A hashtag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Tag {
    id: String,
    /// Lower case, without `#`.
    pub name: String,
    #[schema(format = "uri")]
    url: String,
    /// Its use on the last seven days, today first.
    history: Vec<TagHistory>,
    /// Whether the person follows it; only for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    following: Option<bool>,
    /// Whether the person features it; only for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    featuring: Option<bool>,
}

impl Tag {
    /// A hashtag by its lower-case name; `mine` is what the viewer has to do
    /// with it, `None` for nobody.
    pub fn new(site: &Site, now: Timestamp, name: &str, days: &[TagDay], mine: Option<&AccountTag>) -> Tag {
        Tag {
            id: name.to_owned(),
            name: name.to_owned(),
            url: site.tag_page(name),
            history: history(now, days),
            following: mine.map(|mine| mine.follow.is_some()),
            featuring: mine.map(|mine| mine.feature.is_some()),
        }
    }
}

/// The last days with the use of each, also where there was none.
pub fn history(now: Timestamp, days: &[TagDay]) -> Vec<TagHistory> {
    let mut day = now.midnight();
    let mut all = Vec::new();
    for _ in 0..HISTORY_DAYS {
        let (uses, accounts) =
            days.iter().find(|known| known.day == day).map_or((0, 0), |known| (known.uses, known.accounts));
        all.push(TagHistory {
            day: day.as_secs().to_string(),
            uses: uses.to_string(),
            accounts: accounts.to_string(),
        });
        day = day.minus(DAY);
    }
    all
}

/// A hashtag on somebody's profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeaturedTag {
    id: String,
    name: String,
    #[schema(format = "uri")]
    url: String,
    /// A number written as text.
    statuses_count: String,
    #[schema(required, format = Date)]
    last_status_at: Option<String>,
}

impl FeaturedTag {
    /// A hashtag that this account features.
    pub fn new(site: &Site, account: &Account, id: Id, name: &str, usage: &AccountTag) -> FeaturedTag {
        FeaturedTag {
            id: id.to_string(),
            name: name.to_owned(),
            url: site.tagged_page(&account.username, name),
            statuses_count: usage.posts.to_string(),
            last_status_at: usage.last_at.map(Timestamp::date),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_has_seven_days_as_text() {
        let now = Timestamp::from_secs(1_700_000_000);
        let yesterday = TagDay { day: now.midnight().minus(DAY), uses: 4, accounts: 2 };
        let tag = Tag::new(&Site::new("https", "a.example"), now, "rust", &[yesterday], None);
        assert_eq!(tag.history.len(), 7);
        let expected = TagHistory { day: "1699833600".into(), uses: "4".into(), accounts: "2".into() };
        assert_eq!(tag.history[1], expected);
        assert_eq!((tag.history[0].day.as_str(), tag.history[0].uses.as_str()), ("1699920000", "0"));
        let value = serde_json::to_value(&tag).unwrap();
        assert!(value.get("following").is_none());
    }
}
