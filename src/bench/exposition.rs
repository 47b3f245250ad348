//! Reads metrics in Prometheus' text format (exposition format 0.0.4). Pure.

use std::collections::BTreeMap;

/// Series that are kept of one page; an instance has a few hundred.
const SERIES_MAX: usize = 20_000;

/// The values of one moment, by name with labels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exposition(BTreeMap<String, f64>);

impl Exposition {
    /// Reads a page; lines that are none are left out.
    pub fn read(text: &str) -> Exposition {
        let series = text.lines().filter(|line| !line.starts_with('#')).take(SERIES_MAX).filter_map(|line| {
            let (name, value) = line.trim().rsplit_once(' ')?;
            Some((name.trim().to_owned(), value.parse().ok()?))
        });
        Exposition(series.collect())
    }

    /// Whether there is nothing on it, as of an instance that did not answer.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sum of a metric over all its labels.
    pub fn sum(&self, name: &str) -> f64 {
        let is_of = |series: &str| {
            series.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
        };
        self.0.iter().filter(|(series, _)| is_of(series)).map(|(_, value)| value).sum()
    }

    /// How much a counter grew since an earlier moment; a restart counts from nothing.
    pub fn growth(&self, earlier: &Exposition, name: &str) -> f64 {
        let (before, now) = (earlier.sum(name), self.sum(name));
        if now >= before { now - before } else { now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP commits how many\n# TYPE commits histogram\ncommits_sum 2.5\ncommits_count 10\n\
                        queued{lane=\"fresh\"} 3\nqueued{lane=\"a b\"} 4\nqueued_other 9\nnonsense\n";

    #[test]
    fn labels_are_added_up_and_other_names_are_not() {
        let page = Exposition::read(PAGE);
        assert_eq!(page.sum("queued"), 7.0);
        assert_eq!(page.sum("commits_sum"), 2.5);
        assert_eq!(page.sum("missing"), 0.0);
    }

    #[test]
    fn counters_grow() {
        let (before, now) = (Exposition::read("a 3\n"), Exposition::read("a 10\n"));
        assert_eq!(now.growth(&before, "a"), 7.0);
        assert_eq!(before.growth(&now, "a"), 3.0);
    }
}
