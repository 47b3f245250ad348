//! What is talked about more than usual: pure arithmetic over uses.
//!
//! A hashtag or link counts by the people who used it in the last day, set
//! against the day before, so that what everybody always says does not trend;
//! a post by its likes and boosts. All fade with time. People count once,
//! however often they write.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::{Id, Timestamp};

/// The time that is looked at, and the one it is set against.
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);
/// After so long without a new use, a hashtag or link counts half.
const HALF_LIFE_S: f64 = 6.0 * 3600.0;
/// A post counts half for each such age.
const POST_HALF_LIFE_S: f64 = 12.0 * 3600.0;
/// People who must use a hashtag or link for it to trend. Mastodon asks for
/// five; a small server sees few people.
pub const PEOPLE_MIN: usize = 2;
/// Likes and boosts that a post must have.
pub const MARKS_MIN: u64 = 2;

/// One public post, as far as trends care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The post.
    pub status: Id,
    /// Who wrote it.
    pub account: Id,
    /// When.
    pub at: Timestamp,
    /// Its hashtags, lower case.
    pub tags: Vec<String>,
    /// Its link.
    pub link: Option<String>,
    /// Likes and boosts; `None` for a post that is not to be put forward.
    pub marks: Option<u64>,
}

/// What trends, the most first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ranking {
    /// Hashtags, lower case.
    pub tags: Vec<String>,
    /// Links.
    pub links: Vec<String>,
    /// Posts.
    pub statuses: Vec<Id>,
}

/// People who used one thing.
#[derive(Default)]
struct People {
    now: BTreeSet<Id>,
    before: BTreeSet<Id>,
    last: Timestamp,
}

impl People {
    fn add(&mut self, account: Id, at: Timestamp, now: Timestamp) {
        let day = if now.since(at) < DAY { &mut self.now } else { &mut self.before };
        day.insert(account);
        self.last = self.last.max(at);
    }

    fn score(&self, now: Timestamp) -> f64 {
        if self.now.len() < PEOPLE_MIN {
            return 0.0;
        }
        let (observed, expected) = (self.now.len() as f64, self.before.len() as f64);
        observed * observed / (1.0 + expected) * fade(now, self.last, HALF_LIFE_S)
    }
}

fn fade(now: Timestamp, at: Timestamp, half_life_s: f64) -> f64 {
    0.5_f64.powf(now.since(at).as_secs_f64() / half_life_s)
}

/// Ranks what was used up to `now`; each list has at most `most` entries.
pub fn rank(uses: &[Use], now: Timestamp, most: usize) -> Ranking {
    let (mut tags, mut links) = (BTreeMap::<&str, People>::new(), BTreeMap::<&str, People>::new());
    let mut statuses = Vec::new();
    for one in uses.iter().filter(|one| now.since(one.at) < 2 * DAY) {
        for tag in &one.tags {
            tags.entry(tag).or_default().add(one.account, one.at, now);
        }
        if let Some(link) = &one.link {
            links.entry(link).or_default().add(one.account, one.at, now);
        }
        if let Some(marks) = one.marks.filter(|marks| *marks >= MARKS_MIN) {
            statuses.push((one.status, marks as f64 * fade(now, one.at, POST_HALF_LIFE_S)));
        }
    }
    let scored = |all: BTreeMap<&str, People>| {
        let scores = all.into_iter().map(|(name, people)| (name.to_owned(), people.score(now)));
        best(scores.collect(), most)
    };
    Ranking { tags: scored(tags), links: scored(links), statuses: best(statuses, most) }
}

fn best<T: Ord>(mut all: Vec<(T, f64)>, most: usize) -> Vec<T> {
    all.retain(|(_, score)| *score > 0.0);
    // Equals in a fixed order, so that pages do not overlap.
    all.sort_by(|(a, x), (b, y)| y.total_cmp(x).then_with(|| a.cmp(b)));
    all.into_iter().take(most).map(|(what, _)| what).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_764_000_000);

    fn hours_ago(hours: u64) -> Timestamp {
        NOW.minus(Duration::from_secs(hours * 3600))
    }

    fn tagged(tag: &str, account: u64, hours: u64) -> Use {
        let tags = vec![tag.to_owned()];
        Use { status: Id(account), account: Id(account), at: hours_ago(hours), tags, link: None, marks: None }
    }

    #[test]
    fn what_many_people_say_today_and_few_said_before_comes_first() {
        let mut uses = Vec::new();
        uses.extend((0..4).map(|person| tagged("new", person, 1)));
        uses.extend((0..5).flat_map(|person| [tagged("daily", person, 1), tagged("daily", person, 30)]));
        uses.extend((0..4).map(|person| tagged("fading", person, 13)));
        uses.extend((0..50).map(|_| tagged("one-person", 1, 1)));
        uses.extend((0..9).map(|person| tagged("yesterday", person, 30)));
        assert_eq!(rank(&uses, NOW, 10).tags, ["new", "daily", "fading"]);
        assert_eq!(rank(&uses, NOW, 1).tags, ["new"]);
        let later = NOW.plus(2 * DAY);
        assert_eq!(rank(&uses, later, 10), Ranking::default(), "everything ends");
    }

    #[test]
    fn posts_rank_by_what_people_think_of_them_and_age() {
        let post = |id, hours, marks| Use { status: Id(id), marks, ..tagged("x", id, hours) };
        let uses = [
            post(1, 1, Some(4)),
            post(2, 30, Some(9)),
            post(3, 1, Some(1)),
            post(4, 1, None),
            post(5, 1, Some(4)),
        ];
        assert_eq!(rank(&uses, NOW, 10).statuses, [Id(1), Id(5), Id(2)]);
    }
}
