//! How a run is watched while it goes on: one line that changes on a
//! terminal, plain lines now and then elsewhere. On standard error, so that
//! standard output has only what was found.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::load::Course;
use super::metric::short;
use super::report::data::Sample;
use super::tally::Glance;

/// How often a line changes, and how often one is written where lines stay.
const DRAW_EVERY: Duration = Duration::from_millis(250);
const SAY_EVERY: Duration = Duration::from_secs(5);
/// Signs of the bar, and of the small curve.
const BAR: usize = 16;
const CURVE: usize = 24;
const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Where it is watched.
#[derive(Clone)]
pub struct View {
    is_terminal: bool,
    is_silent: bool,
    /// The last values of p99, for the curve.
    curve: Arc<Mutex<Vec<f64>>>,
}

impl View {
    /// On standard error; `can_draw` is whether a terminal knows how to change a line.
    pub fn new(can_draw: bool) -> View {
        let is_terminal = can_draw && std::io::stderr().is_terminal();
        View { is_terminal, is_silent: false, curve: Arc::default() }
    }

    /// Nowhere.
    pub fn silent() -> View {
        View { is_terminal: false, is_silent: true, curve: Arc::default() }
    }

    /// How often to call [`View::show`].
    pub fn every(&self) -> Duration {
        if self.is_terminal { DRAW_EVERY } else { SAY_EVERY }
    }

    /// A line that stays.
    pub fn say(&self, text: &str) {
        self.curve.lock().clear();
        self.write(&format!("{}{text}\n", self.wipe()));
    }

    /// How it goes.
    pub fn show(&self, name: &str, course: &Course, now: Duration, glance: Glance, sample: Sample) {
        let line = line(name, course, now, glance, sample);
        if self.is_terminal {
            let curve = {
                let mut all = self.curve.lock();
                all.push(glance.p99);
                let from = all.len().saturating_sub(CURVE);
                curve(&all[from..])
            };
            let bar = stripe(share(course, now));
            self.draw(&format!("{bar} {line} {curve}"));
        } else {
            self.write(&format!("  {line}\n"));
        }
    }

    /// Something of which nothing can be said but that it goes on; `whole` is
    /// how long it takes, if that is known.
    pub fn wait(&self, what: &str, since: Duration, whole: Option<Duration>) {
        let of = whole.map_or(String::new(), |whole| format!("/{:.0}", whole.as_secs_f64()));
        let text = format!("{what:<8} {:>3.0}{of} s", since.as_secs_f64());
        if self.is_terminal {
            let bar = whole.map_or(String::new(), |whole| {
                format!("{} ", stripe(since.as_secs_f64() / whole.as_secs_f64().max(0.001)))
            });
            self.draw(&format!("{bar}{text}"));
        } else {
            self.write(&format!("  {text}\n"));
        }
    }

    /// Removes the line that changes.
    pub fn clear(&self) {
        self.write(self.wipe());
    }

    /// Draws the line that changes. A narrow terminal cuts it off (DECAWM): of
    /// one that goes on in the next row, only that row could be wiped.
    fn draw(&self, line: &str) {
        self.write(&format!("{}\x1b[?7l{line}\x1b[?7h", self.wipe()));
    }

    fn wipe(&self) -> &'static str {
        if self.is_terminal { "\r\x1b[2K" } else { "" }
    }

    fn write(&self, text: &str) {
        if !self.is_silent && !text.is_empty() {
            let mut out = std::io::stderr().lock();
            // A terminal that went away is no reason to stop measuring.
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
    }
}

impl Default for View {
    fn default() -> View {
        View::new(true)
    }
}

fn share(course: &Course, now: Duration) -> f64 {
    let whole = (course.warm + course.span).as_secs_f64().max(0.001);
    (now.saturating_sub(course.begin).as_secs_f64() / whole).clamp(0.0, 1.0)
}

fn stripe(share: f64) -> String {
    let full = (share.clamp(0.0, 1.0) * BAR as f64).round() as usize;
    format!("[{}{}]", "=".repeat(full), " ".repeat(BAR - full))
}

fn curve(values: &[f64]) -> String {
    let most = values.iter().copied().fold(0.001, f64::max);
    values.iter().map(|value| STEPS[((value / most) * 7.0).round().clamp(0.0, 7.0) as usize]).collect()
}

fn line(name: &str, course: &Course, now: Duration, glance: Glance, sample: Sample) -> String {
    if now < course.from() {
        return format!("{name:<8} warming up");
    }
    let seconds = now.min(course.until()).saturating_sub(course.from()).as_secs_f64();
    let rate = glance.done as f64 / seconds.max(0.25);
    let errors = if glance.errors > 0 { format!(", {} failed", glance.errors) } else { String::new() };
    format!(
        "{name:<8} {seconds:>3.0}/{:.0} s  {:>5}/s  p50 {} ms  p99 {} ms{errors}  cpu {:.1}  {:.0} MiB",
        course.span.as_secs_f64(),
        short(rate),
        short(glance.p50),
        short(glance.p99),
        sample.cpu,
        sample.rss_mib
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::schedule::Shape;

    #[test]
    fn a_line_says_how_it_goes() {
        let second = Duration::from_secs;
        let course = Course {
            begin: second(10),
            shape: Shape::Steady { per_s: 9.0 },
            warm: second(2),
            span: second(8),
            closed: None,
        };
        let glance = Glance { done: 400, errors: 3, p50: 1.5, p99: 20.0 };
        let sample = Sample { cpu: 0.52, rss_mib: 80.4, ..Sample::default() };
        assert_eq!(line("browse", &course, second(11), glance, sample), "browse   warming up");
        assert_eq!(
            line("browse", &course, second(16), glance, sample),
            "browse     4/8 s    100/s  p50 1.50 ms  p99 20.0 ms, 3 failed  cpu 0.5  80 MiB"
        );
        assert_eq!(stripe(share(&course, second(15))), "[========        ]");
        assert_eq!(stripe(7.0), format!("[{}]", "=".repeat(BAR)));
        assert_eq!(curve(&[0.0, 5.0, 10.0]), "▁▅█");
    }
}
