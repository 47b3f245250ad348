//! Who gets little because something is wrong. A balancer works around a
//! broken machine so well that nobody would notice; this says so. Pure.

use crate::proxy::Health;

/// Nothing is said before so many requests were shared out lately.
const REQUESTS_MIN: u64 = 200;
/// Less than this part of its due is little.
const STARVED: f64 = 0.5;
/// So many times slower than the middle of the others is slow.
const SLOW: f64 = 2.0;
/// So many connections in a row that could not be made are not by chance.
const MISSED: u32 = 10;
/// So large a share of failures is a reason.
const FAILING: f64 = 0.1;

/// What is known of one of those who share requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    /// Requests sent there lately.
    pub(super) sent: u64,
    /// How it stands.
    pub(super) health: Health,
    /// Mean time to an answer, in milliseconds.
    pub(super) latency_ms: Option<f64>,
    /// The share of requests that fail, 0 to 1.
    pub(super) error_share: f64,
    /// Connections in a row that could not be made.
    pub(super) missed: u32,
}

/// What one gets, and should get.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Verdict {
    /// Its share of the requests lately, 0 to 1.
    pub(super) share: f64,
    /// The share of each, if all were alike.
    pub(super) due: f64,
    /// Why it gets little, if it does and should not.
    pub(super) why: Option<Why>,
}

/// Why one gets little.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Why {
    /// No connection can be made to it.
    Unreachable,
    /// It answers so many times slower than the middle of the others.
    Slow(f64),
    /// This share of its requests fails.
    Failing(f64),
    /// It is left out: it failed again and again, or is overloaded.
    LeftOut,
}

impl Why {
    /// In words that go on from `because it`.
    pub(super) fn words(self) -> String {
        match self {
            Why::Unreachable => "cannot be reached".to_owned(),
            Why::Slow(times) => format!("answers {times:.1} times slower than the others"),
            Why::Failing(share) => format!("fails {:.0} of 100 requests", share * 100.0),
            Why::LeftOut => "failed or was full too often".to_owned(),
        }
    }
}

/// Judges all of them, in their order.
pub(super) fn judge(all: &[Candidate]) -> Vec<Verdict> {
    let sent: u64 = all.iter().map(|one| one.sent).sum();
    let wants = |one: &&Candidate| one.health != Health::Draining;
    let due = 1.0 / all.iter().filter(wants).count().max(1) as f64;
    let verdict = |(place, one): (usize, &Candidate)| {
        let share = one.sent as f64 / sent.max(1) as f64;
        let is_starved = sent >= REQUESTS_MIN && share < due * STARVED;
        let why = match one.health {
            Health::Draining => None,
            _ if one.missed >= MISSED && all.len() > 1 => Some(Why::Unreachable),
            _ if is_starved => reason(all, place),
            _ => None,
        };
        Verdict { share, due: if wants(&one) { due } else { 0.0 }, why }
    };
    all.iter().enumerate().map(verdict).collect()
}

fn reason(all: &[Candidate], place: usize) -> Option<Why> {
    let one = all.get(place)?;
    match one.health {
        // These get little as they should.
        Health::Draining | Health::Warming | Health::Probation => return None,
        Health::Ejected | Health::Filtered if one.error_share < FAILING => return Some(Why::LeftOut),
        _ if one.error_share >= FAILING => return Some(Why::Failing(one.error_share)),
        _ => {}
    }
    let mut others: Vec<f64> = all
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != place)
        .filter_map(|(_, other)| other.latency_ms)
        .collect();
    others.sort_by(f64::total_cmp);
    let middle = others.get(others.len().checked_sub(1)? / 2).copied().filter(|ms| *ms > 0.0)?;
    let times = one.latency_ms? / middle;
    (times >= SLOW).then_some(Why::Slow(times))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(sent: u64, health: Health, latency_ms: f64, error_share: f64) -> Candidate {
        Candidate { sent, health, latency_ms: Some(latency_ms), error_share, missed: 0 }
    }

    fn well(sent: u64) -> Candidate {
        one(sent, Health::Healthy, 20.0, 0.0)
    }

    #[test]
    fn who_gets_little_without_need_is_told() {
        use Health::{Draining, Ejected, Filtered, Healthy, Probation, Warming};
        for (what, odd, expected) in [
            ("slow", one(50, Healthy, 100.0, 0.0), Some(Why::Slow(5.0))),
            ("a little slow", one(50, Healthy, 39.0, 0.0), None),
            ("slow, but with its share", one(300, Healthy, 100.0, 0.0), None),
            ("failing", one(50, Healthy, 5.0, 0.4), Some(Why::Failing(0.4))),
            ("ejected for what it did", one(10, Ejected, 20.0, 0.9), Some(Why::Failing(0.9))),
            ("ejected, forgotten why", one(10, Ejected, 20.0, 0.0), Some(Why::LeftOut)),
            ("full", one(10, Filtered, 20.0, 0.0), Some(Why::LeftOut)),
            ("young", one(10, Warming, 100.0, 0.0), None),
            ("new", one(0, Probation, 100.0, 0.0), None),
            ("on its way out", one(10, Draining, 100.0, 0.0), None),
            ("away", Candidate { missed: 10, ..one(0, Ejected, 20.0, 0.9) }, Some(Why::Unreachable)),
            (
                "new and away",
                Candidate { missed: 10, ..one(0, Probation, 20.0, 0.0) },
                Some(Why::Unreachable),
            ),
            ("missed now and then", Candidate { missed: 9, ..well(300) }, None),
            ("gone as it said", Candidate { missed: 10, ..one(0, Draining, 20.0, 0.0) }, None),
            ("never asked", Candidate { latency_ms: None, ..well(0) }, None),
        ] {
            let verdicts = judge(&[well(400), odd, well(400)]);
            assert_eq!(verdicts[1].why, expected, "{what}");
            assert_eq!((verdicts[0].why, verdicts[2].why), (None, None), "{what}");
        }
    }

    #[test]
    fn shares_and_dues_add_up_to_one() {
        let leaving = one(100, Health::Draining, 20.0, 0.0);
        let verdicts = judge(&[well(100), well(200), leaving]);
        assert_eq!(verdicts.iter().map(|v| v.share).collect::<Vec<_>>(), [0.25, 0.5, 0.25]);
        assert_eq!(verdicts.iter().map(|v| v.due).collect::<Vec<_>>(), [0.5, 0.5, 0.0]);
    }

    #[test]
    fn nothing_is_said_of_few_requests_or_of_one_node() {
        let slow = one(1, Health::Healthy, 900.0, 0.0);
        assert_eq!(judge(&[well(198), slow])[1].why, None);
        assert_eq!(judge(&[well(199), slow])[1].why, Some(Why::Slow(45.0)));
        assert_eq!(judge(&[one(5000, Health::Healthy, 900.0, 0.9)])[0].why, None);
        assert_eq!(judge(&[]), []);
    }

    #[test]
    fn reasons_are_words() {
        assert_eq!(Why::Slow(4.21).words(), "answers 4.2 times slower than the others");
        assert_eq!(Why::Failing(0.125).words(), "fails 12 of 100 requests");
    }
}
