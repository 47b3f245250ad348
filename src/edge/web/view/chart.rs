//! Charts: from numbers to inline SVG, drawn by the server, so that they are
//! there without scripts and need no library.
//!
//! The picture holds no text. It is stretched to the width of the page, and
//! the words around it (`y`, `x`) are the template's, so they stay readable on
//! a phone. Colours are the style sheet's, by class.

use std::fmt::Write;

/// The drawing's own units; the page stretches it.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 160.0;
/// What is left free above the highest value.
const HEADROOM: f64 = 0.94;
/// The share of its place that a bar fills.
const BAR: f64 = 0.72;

/// A chart, ready to print.
#[derive(Debug, Clone)]
pub struct ChartView {
    /// Its heading.
    pub title: &'static str,
    /// What it shows, in a sentence, for those who do not see it.
    pub summary: String,
    /// The most recent value, in large.
    pub latest: String,
    /// What its colours mean: class and word.
    pub legend: &'static [(&'static str, &'static str)],
    /// The marks of the upright axis, from the top.
    pub y: Vec<String>,
    /// The drawing: clean SVG.
    pub svg: String,
}

/// One bar of two parts, the second on top of the first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Bar {
    /// The lower part.
    pub good: u64,
    /// The upper part.
    pub bad: u64,
    /// What a pointer on it reads.
    pub title: String,
}

/// Bars side by side; gives the marks of the axis and the drawing.
pub(super) fn bars(all: &[Bar], label: &str) -> (Vec<String>, String) {
    let most = all.iter().map(|bar| bar.good + bar.bad).max().unwrap_or(0);
    let top = round_up(most);
    let mut svg = open(label);
    grid(&mut svg, 2);
    let place = WIDTH / all.len().max(1) as f64;
    let height = |value: u64| value as f64 / top as f64 * HEIGHT * HEADROOM;
    for (index, bar) in all.iter().enumerate().filter(|(_, bar)| bar.good + bar.bad > 0) {
        let x = index as f64 * place + place * (1.0 - BAR) / 2.0;
        let _ = write!(svg, "<g><title>{}</title>", escape(&bar.title));
        // All of the place takes the pointer: a bar may be a hair high.
        let _ = write!(
            svg,
            r#"<rect class="touch" x="{:.1}" y="0" width="{place:.1}" height="{HEIGHT}"/>"#,
            index as f64 * place
        );
        let mut from = HEIGHT;
        for (class, value) in [("good", bar.good), ("bad", bar.bad)] {
            if value > 0 {
                // What is there can be seen, however much less than the rest.
                let tall = height(value).max(1.5);
                from -= tall;
                let _ = write!(
                    svg,
                    r#"<rect class="{class}" x="{x:.1}" y="{from:.1}" width="{:.1}" height="{tall:.1}"/>"#,
                    place * BAR
                );
            }
        }
        svg.push_str("</g>");
    }
    (linear_marks(top), close(svg))
}

/// A line with the space below it filled; gaps where there is no value.
pub(super) fn area(values: &[Option<u64>], label: &str) -> (Vec<String>, String) {
    let top = round_up(values.iter().flatten().copied().max().unwrap_or(0));
    let mut svg = open(label);
    grid(&mut svg, 2);
    let y = |value: u64| HEIGHT - value as f64 / top as f64 * HEIGHT * HEADROOM;
    let points: Vec<Option<f64>> = values.iter().map(|value| value.map(y)).collect();
    for run in runs(&points) {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            let line = path(&run);
            let _ = write!(
                svg,
                r#"<path class="fill" d="{line}L{:.1} {HEIGHT}L{:.1} {HEIGHT}Z"/><path class="line" d="{line}"/>"#,
                last.0, first.0
            );
        }
    }
    (linear_marks(top), close(svg))
}

/// Lines over an axis on which each mark is ten times the one below: latencies
/// differ by that much. Values are seconds; each line has its class.
pub(super) fn logarithmic(lines: &[(&str, Vec<Option<f64>>)], label: &str) -> (Vec<String>, String) {
    let values = || lines.iter().flat_map(|(_, line)| line.iter().flatten().copied()).filter(|v| *v > 0.0);
    let low = decade(values().fold(f64::MAX, f64::min).min(0.1)).min(-1);
    let high = decade_above(values().fold(f64::MIN, f64::max).max(1.0)).max(low + 2);
    let mut svg = open(label);
    grid(&mut svg, (high - low) as usize);
    let y = |value: f64| {
        let share = (value.max(f64::MIN_POSITIVE).log10() - f64::from(low)) / f64::from(high - low);
        HEIGHT - share.clamp(0.0, 1.0) * HEIGHT * HEADROOM
    };
    for (class, line) in lines {
        let points: Vec<Option<f64>> = line.iter().map(|value| value.map(y)).collect();
        for run in runs(&points) {
            // A single value is a short stroke.
            let _ = match run.as_slice() {
                [(x, y)] => write!(svg, r#"<path class="{class}" d="M{:.1} {y:.1}h4"/>"#, x - 2.0),
                _ => write!(svg, r#"<path class="{class}" d="{}"/>"#, path(&run)),
            };
        }
    }
    let marks = (low..=high).rev().map(|exponent| seconds(10f64.powi(exponent))).collect();
    (marks, close(svg))
}

/// A short span in words that fit an axis: `80 ms`, `1.5 s`, `12 min`, `3 h`.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 0.9995 => format!("{:.0} ms", s * 1000.0),
        s if s < 9.95 => format!("{s:.1} s").replace(".0 s", " s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3600.0),
        s => format!("{:.0} d", s / 86_400.0),
    }
}

fn open(label: &str) -> String {
    format!(
        r#"<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{}">"#,
        escape(label)
    )
}

fn close(mut svg: String) -> String {
    svg.push_str("</svg>");
    svg
}

/// Lines across at even distances, the lowest at the bottom.
fn grid(svg: &mut String, spaces: usize) {
    for line in 0..=spaces {
        let y = HEIGHT - HEIGHT * HEADROOM * line as f64 / spaces.max(1) as f64;
        let _ = write!(svg, r#"<path class="grid" d="M0 {y:.1}H{WIDTH}"/>"#);
    }
}

fn linear_marks(top: u64) -> Vec<String> {
    let half = if top.is_multiple_of(2) { super::short_count(top / 2) } else { String::new() };
    vec![super::short_count(top), half, "0".to_owned()]
}

/// The next number of the row 2, 4, 10, 20, 40, 100 …, at least 2.
fn round_up(value: u64) -> u64 {
    let mut step = 1u64;
    loop {
        for top in [2, 4, 10] {
            let top = step.saturating_mul(top);
            if top >= value || top == u64::MAX {
                return top;
            }
        }
        step = step.saturating_mul(10);
    }
}

fn decade(value: f64) -> i32 {
    (value.log10() + 1e-9).floor().clamp(-3.0, 6.0) as i32
}

fn decade_above(value: f64) -> i32 {
    (value.log10() - 1e-9).ceil().clamp(-3.0, 6.0) as i32
}

/// Points that follow each other without a gap, with their places across.
fn runs(points: &[Option<f64>]) -> Vec<Vec<(f64, f64)>> {
    let across = WIDTH / (points.len().max(2) - 1) as f64;
    let placed = points.iter().enumerate().map(|(index, y)| y.map(|y| (index as f64 * across, y)));
    let placed: Vec<Option<(f64, f64)>> = placed.collect();
    placed
        .split(Option::is_none)
        .filter(|run| !run.is_empty())
        .map(|run| run.iter().flatten().copied().collect())
        .collect()
}

fn path(run: &[(f64, f64)]) -> String {
    run.iter().enumerate().fold(String::new(), |mut path, (index, (x, y))| {
        let _ = write!(path, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
        path
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, top) in [(0, 2), (1, 2), (3, 4), (5, 10), (11, 20), (41, 100), (100, 100), (101, 200)] {
            assert_eq!(round_up(value), top, "{value}");
        }
        assert_eq!(round_up(u64::MAX), u64::MAX);
    }

    #[test]
    fn bars_are_as_high_as_what_they_count() {
        let bar = |good, bad| Bar { good, bad, title: format!("{good} & <{bad}>") };
        let (marks, svg) = bars(&[bar(10, 0), bar(0, 0), bar(4, 6)], "a \"label\"");
        assert_eq!(marks, ["10", "5", "0"]);
        assert_eq!(svg.matches(r#"class="good""#).count(), 2);
        assert_eq!(svg.matches(r#"class="bad""#).count(), 1);
        assert!(svg.contains("<title>10 &amp; &lt;0&gt;</title>"), "{}", svg);
        assert!(svg.contains(r#"aria-label="a &quot;label&quot;""#));
        assert!(svg.contains(r#"height="150.4""#), "the highest reaches the uppermost line");
    }

    #[test]
    fn lines_break_where_nothing_is_known() {
        let (marks, svg) = area(&[Some(1), Some(2), None, Some(4)], "waiting");
        assert_eq!(svg.matches(r#"class="line""#).count(), 2);
        assert_eq!(marks, ["4", "2", "0"]);
        let (_, nothing) = area(&[None, None], "waiting");
        assert!(!nothing.contains("class=\"line\""));
    }

    #[test]
    fn latencies_have_an_axis_of_decades() {
        let line = vec![Some(0.05), Some(0.2), Some(30.0)];
        let (marks, svg) = logarithmic(&[("p50", line)], "latency");
        assert_eq!(marks, ["100 s", "10 s", "1 s", "100 ms", "10 ms"]);
        assert_eq!(svg.matches("class=\"p50\"").count(), 1);
        let (marks, _) = logarithmic(&[("p50", Vec::new())], "latency");
        assert_eq!(marks, ["10 s", "1 s", "100 ms"]);
    }

    #[test]
    fn spans_fit_an_axis() {
        for (s, words) in [
            (0.08, "80 ms"),
            (0.9999, "1 s"),
            (1.5, "1.5 s"),
            (45.0, "45 s"),
            (600.0, "10 min"),
            (10_800.0, "3 h"),
            (604_800.0, "7 d"),
        ] {
            assert_eq!(seconds(s), words);
        }
    }
}
