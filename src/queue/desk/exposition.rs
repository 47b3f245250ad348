//! Metrics of destinations, in Prometheus' text format, made when they are
//! asked for: a label for each host would otherwise stay for ever, and hosts
//! are many. The fifty with the most jobs have their own line, the others
//! are summed by class.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Desk, Known};
use crate::model::queue::{Breaker, Class};
use crate::store::StoreError;

/// Destinations with lines of their own.
const NAMED_MAX: usize = 50;

impl Desk {
    /// The lines.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn exposition(&self) -> Result<String, StoreError> {
        let known = self.known().await?;
        let mut text = String::new();
        states(&mut text, &known);
        queued(&mut text, &known);
        Ok(text)
    }
}

fn head(text: &mut String, name: &str) {
    let _ = writeln!(text, "# TYPE {name} gauge");
}

fn states(text: &mut String, known: &[Known]) {
    const STATES: [Breaker; 5] =
        [Breaker::Closed, Breaker::Open, Breaker::HalfOpen, Breaker::Dormant, Breaker::Dead];
    head(text, "waxwing_delivery_dest_state");
    for state in STATES {
        let is_it = |known: &&Known| known.record.class.is_remote() && known.record.breaker == state;
        let count = known.iter().filter(is_it).count();
        let _ = writeln!(text, "waxwing_delivery_dest_state{{state=\"{}\"}} {count}", state.name());
    }
    let paused = known.iter().filter(|known| known.steering.stopped_at.is_some()).count();
    let _ = writeln!(text, "waxwing_delivery_dest_state{{state=\"paused\"}} {paused}");
}

fn queued(text: &mut String, known: &[Known]) {
    head(text, "waxwing_delivery_dest_queued");
    let mut busy: Vec<&Known> = known.iter().filter(|known| known.backlog.waiting() > 0).collect();
    busy.sort_by_key(|known| (Reverse(known.backlog.waiting()), known.id));
    let is_named = |known: &&&Known| known.record.class.is_remote();
    for known in busy.iter().filter(is_named).take(NAMED_MAX) {
        let (host, jobs) = (escape(&known.record.authority), known.backlog.waiting());
        let _ = writeln!(text, "waxwing_delivery_dest_queued{{dest=\"{host}\"}} {jobs}");
    }
    let named: Vec<_> = busy.iter().filter(is_named).take(NAMED_MAX).map(|known| known.id).collect();
    let mut others: BTreeMap<&str, u64> = Class::ALL.map(|class| (class.name(), 0)).into();
    for known in busy.iter().filter(|known| !named.contains(&known.id)) {
        *others.entry(known.record.class.name()).or_default() += known.backlog.waiting();
    }
    for (class, jobs) in others {
        let _ = writeln!(text, "waxwing_delivery_dest_queued{{class=\"{class}\"}} {jobs}");
    }
}

/// A label's value. Hosts come from other servers.
fn escape(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\')).collect()
}
