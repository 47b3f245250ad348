//! Plots as SVG, for a page that needs nothing else. Small enough to be read
//! on a phone; colours are the page's, so that they follow light and dark.
//! Pure.

use std::fmt::Write as _;

use crate::bench::metric::short;

/// Size of a plot in its own units; a phone shows it at about 5/6 of that.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 230.0;
/// Room for the labels of the axes.
const LEFT: f64 = 48.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 34.0;
/// Points of a line that are drawn; more cannot be seen.
const POINTS_MAX: usize = 400;

/// A line of a plot.
pub(super) struct Line<'a> {
    /// Its name in the legend.
    pub(super) name: &'a str,
    /// Its points; gaps are left out.
    pub(super) points: Vec<(f64, f64)>,
    /// Whether each point has a dot.
    pub(super) has_dots: bool,
}

/// Lines over a common axis.
pub(super) struct Plot<'a> {
    /// What it shows, for those who cannot see it.
    pub(super) title: &'a str,
    /// Under the horizontal axis.
    pub(super) x: &'a str,
    /// Unit of the vertical axis.
    pub(super) y: &'a str,
    /// The lines.
    pub(super) lines: Vec<Line<'a>>,
    /// A vertical axis by powers of ten.
    pub(super) is_log: bool,
    /// A horizontal line with its name, such as an objective.
    pub(super) mark: Option<(f64, &'a str)>,
}

/// From values to places.
struct Axis {
    low: f64,
    high: f64,
    is_log: bool,
}

impl Axis {
    fn share(&self, value: f64) -> f64 {
        let (low, high, value) = if self.is_log {
            (self.low.log10(), self.high.log10(), value.max(self.low).log10())
        } else {
            (self.low, self.high, value)
        };
        if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 }
    }

    /// Places for labels.
    fn ticks(&self) -> Vec<f64> {
        if self.is_log {
            let (from, to) = (self.low.log10().round() as i32, self.high.log10().round() as i32);
            return (from..=to).map(|power| 10f64.powi(power)).collect();
        }
        let step = nice((self.high - self.low) / 4.0);
        (0..=8)
            .map(|nth| (self.low / step).ceil() * step + f64::from(nth) * step)
            .take_while(|tick| *tick <= self.high * 1.0001)
            .collect()
    }
}

/// 1, 2 or 5 times a power of ten, at least as large.
fn nice(value: f64) -> f64 {
    let unit = 10f64.powf(value.max(1e-9).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * unit)
        .into_iter()
        .find(|step| *step >= value * 0.999)
        .unwrap_or(unit * 10.0)
}

/// Draws it; nothing if there is no point.
pub(super) fn plot(plot: &Plot<'_>) -> String {
    let points = || plot.lines.iter().flat_map(|line| &line.points);
    if points().next().is_none() {
        return String::new();
    }
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let x_high = most(&mut points().map(|point| point.0)).max(1e-9);
    let mark = plot.mark.map(|(value, _)| value * 1.15);
    let y_high = most(&mut points().map(|point| point.1).chain(mark)).max(1e-9);
    let x = Axis { low: 0.0, high: x_high, is_log: false };
    let y = if plot.is_log {
        let low = points().map(|point| point.1).filter(|value| *value > 0.0).fold(y_high, f64::min);
        Axis { low: 10f64.powf(low.log10().floor()), high: 10f64.powf(y_high.log10().ceil()), is_log: true }
    } else {
        Axis { low: 0.0, high: nice_top(y_high), is_log: false }
    };
    let mut out = open(plot.title, HEIGHT);
    axes(&mut out, plot, &x, &y);
    for (nth, line) in plot.lines.iter().enumerate() {
        draw(&mut out, line, nth, &x, &y);
    }
    if let Some((value, name)) = plot.mark {
        let at = place_y(&y, value);
        let _ = write!(
            out,
            "<line class=\"mark\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text class=\"marked\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            WIDTH - RIGHT,
            LEFT + 6.0,
            at - 5.0,
            escape(name)
        );
    }
    out.push_str("</svg>");
    out + &legend(plot.lines.iter().map(|line| line.name))
}

fn nice_top(value: f64) -> f64 {
    let step = nice(value / 4.0);
    (value / step).ceil() * step
}

fn open(title: &str, height: f64) -> String {
    let title = escape(title);
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>"
    )
}

fn place_x(axis: &Axis, value: f64) -> f64 {
    LEFT + axis.share(value) * (WIDTH - LEFT - RIGHT)
}

fn place_y(axis: &Axis, value: f64) -> f64 {
    HEIGHT - BOTTOM - axis.share(value) * (HEIGHT - TOP - BOTTOM)
}

fn axes(out: &mut String, plot: &Plot<'_>, x: &Axis, y: &Axis) {
    for tick in y.ticks() {
        let at = place_y(y, tick);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text class=\"tick end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0,
            label(tick)
        );
    }
    for tick in x.ticks() {
        let at = place_x(x, tick);
        let _ = write!(
            out,
            "<text class=\"tick mid\" x=\"{at:.1}\" y=\"{:.1}\">{}</text>",
            HEIGHT - BOTTOM + 15.0,
            label(tick)
        );
    }
    let _ = write!(
        out,
        "<text class=\"axis mid\" x=\"{:.1}\" y=\"{:.1}\">{}</text><text class=\"axis\" x=\"2\" y=\"{:.1}\">{}</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 3.0,
        escape(plot.x),
        HEIGHT - 3.0,
        escape(plot.y)
    );
}

/// `1500` as `1.5k`, without needless digits.
fn label(value: f64) -> String {
    let plain = |value: f64| {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if value.abs() >= 10_000.0 { format!("{}k", plain(value / 1000.0)) } else { plain(value) }
}

fn draw(out: &mut String, line: &Line<'_>, nth: usize, x: &Axis, y: &Axis) {
    let every = line.points.len().div_ceil(POINTS_MAX).max(1);
    let points: Vec<(f64, f64)> =
        line.points.iter().step_by(every).map(|(px, py)| (place_x(x, *px), place_y(y, *py))).collect();
    let path: Vec<String> = points.iter().map(|(px, py)| format!("{px:.1},{py:.1}")).collect();
    let _ = write!(out, "<polyline class=\"line c{nth}\" points=\"{}\"/>", path.join(" "));
    if line.has_dots {
        for (px, py) in points {
            let _ = write!(out, "<circle class=\"dot c{nth}\" cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"3.2\"/>");
        }
    }
}

fn legend<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let items: Vec<String> = names
        .enumerate()
        .map(|(nth, name)| format!("<span><i class=\"c{nth}\"></i>{}</span>", escape(name)))
        .collect();
    if items.len() < 2 {
        return String::new();
    }
    format!("<p class=\"legend\">{}</p>", items.join(" "))
}

/// A bar with its name and what is written behind it.
pub(super) struct Bar<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// How long.
    pub(super) value: f64,
    /// Behind it.
    pub(super) text: String,
    /// Which of the colours.
    pub(super) colour: usize,
}

const BAR_HEIGHT: f64 = 30.0;

/// Bars below each other, each as long as it is much.
pub(super) fn bars(title: &str, all: &[Bar<'_>]) -> String {
    let most = all.iter().map(|bar| bar.value).fold(0.0, f64::max);
    if most <= 0.0 {
        return String::new();
    }
    let mut out = open(title, BAR_HEIGHT * all.len() as f64 + 4.0);
    for (nth, bar) in all.iter().enumerate() {
        let top = BAR_HEIGHT * nth as f64;
        let width = bar.value / most * (WIDTH - 4.0);
        let _ = write!(
            out,
            "<text class=\"name\" x=\"2\" y=\"{:.1}\">{}</text><text class=\"tick end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\
             <rect class=\"bar c{}\" x=\"2\" y=\"{:.1}\" width=\"{:.1}\" height=\"9\" rx=\"4\"/>",
            top + 13.0,
            escape(bar.name),
            WIDTH - 2.0,
            top + 13.0,
            escape(&bar.text),
            bar.colour,
            top + 17.0,
            width.max(2.0)
        );
    }
    out + "</svg>"
}

/// A cell of a picture of many.
pub(super) struct Cell {
    /// From 0 to 1.
    pub(super) share: f64,
    /// Which of the colours.
    pub(super) colour: usize,
    /// What it says when pointed at.
    pub(super) text: String,
}

const CELL: f64 = 30.0;
const CELLS_IN_ROW: usize = 14;

/// Many things as squares, filled as far as their share.
pub(super) fn cells(title: &str, all: &[Cell]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let rows = all.len().div_ceil(CELLS_IN_ROW);
    let mut out = open(title, CELL * rows as f64);
    for (nth, cell) in all.iter().enumerate() {
        let (left, top) = ((nth % CELLS_IN_ROW) as f64 * CELL, (nth / CELLS_IN_ROW) as f64 * CELL);
        let side = CELL - 4.0;
        let full = side * cell.share.clamp(0.0, 1.0);
        let _ = write!(
            out,
            "<g><title>{}</title><rect class=\"hollow c{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{side}\" height=\"{side}\" rx=\"4\"/>\
             <rect class=\"bar c{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{side}\" height=\"{full:.1}\" rx=\"4\"/></g>",
            escape(&cell.text),
            cell.colour,
            left + 2.0,
            top + 2.0,
            cell.colour,
            left + 2.0,
            top + 2.0 + side - full
        );
    }
    out + "</svg>"
}

/// A latency as it stands in a table.
pub(super) fn ms(value: f64) -> String {
    format!("{} ms", short(value))
}

/// Text that stands between tags or in an attribute.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[(f64, f64)]) -> Plot<'static> {
        let lines = vec![Line { name: "a & b", points: points.to_vec(), has_dots: true }];
        Plot { title: "t", x: "s", y: "ms", lines, is_log: false, mark: None }
    }

    #[test]
    fn points_lie_where_they_belong() {
        let svg = plot(&line(&[(0.0, 0.0), (10.0, 8.0)]));
        assert!(svg.contains("points=\"48.0,196.0 410.0,10.0\""), "{svg}");
        let svg = plot(&Plot { is_log: true, ..line(&[(0.0, 1.0), (10.0, 100.0)]) });
        assert!(svg.contains("points=\"48.0,196.0 410.0,10.0\""), "{svg}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(plot(&line(&[])), "");
        assert_eq!(bars("t", &[]), "");
        assert_eq!(cells("t", &[]), "");
    }

    #[test]
    fn odd_values_break_nothing() {
        for value in [0.0, 1e-12, 1e12, f64::from(u32::MAX)] {
            for is_log in [false, true] {
                let svg = plot(&Plot { is_log, ..line(&[(0.0, value), (1.0, value)]) });
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{value}: {svg}");
            }
        }
    }

    #[test]
    fn names_are_escaped() {
        let lines = ["<b>", "x"].map(|name| Line { name, points: vec![(0.0, 1.0)], has_dots: false });
        let svg = plot(&Plot { lines: lines.into(), ..line(&[]) });
        assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>"));
    }

    #[test]
    fn steps_are_round() {
        for (value, wanted) in [(0.3, 0.5), (1.0, 1.0), (1.1, 2.0), (33.0, 50.0), (70.0, 100.0)] {
            assert!((nice(value) - wanted).abs() < 1e-9, "{value}");
        }
        assert_eq!((label(0.5), label(1500.0), label(20_000.0)), ("0.5".into(), "1500".into(), "20k".into()));
    }
}
