//! The values of `rate_limit`: a factor, or one limit by its name.

use std::time::Duration;

use super::complaint::{Fault, excerpt, nearest};
use super::draft::{Spelling, Word};
use super::line::Line;
use super::value::{self, OFF};
use crate::base::{Limited, Rate, RateLimits};

/// Factors, in thousandths.
const FACTOR_MAX: u32 = 1_000_000;
const WINDOW_MAX: Duration = Duration::from_secs(24 * 3600);

/// What one word says.
enum Said {
    /// All limits times so many thousandths.
    Factor(u32),
    /// One limit.
    One(Limited, Option<Rate>),
}

/// Reads `off`, `2x`, `media=100/30m …`, or a factor and exceptions to it.
pub(crate) fn read(line: &mut Line<'_>) -> Option<RateLimits> {
    if line.is_just(OFF) {
        return Some(RateLimits::OFF);
    }
    let said = line.many(word)?;
    let scaled = said.iter().fold(RateLimits::default(), |limits, said| match said {
        Said::Factor(thousandths) => limits.scaled(*thousandths),
        Said::One(..) => limits,
    });
    Some(said.iter().fold(scaled, |limits, said| match said {
        Said::Factor(_) => limits,
        Said::One(limited, rate) => limits.with(*limited, *rate),
    }))
}

/// Every limit as [`read`] reads it; nothing where all are off.
pub(crate) fn show(limits: &RateLimits) -> Vec<String> {
    if *limits == RateLimits::OFF {
        return Vec::new();
    }
    let one = |limited: Limited| match limits.of(limited) {
        Some(Rate { count, window }) => {
            format!("{}={count}/{}", limited.word(), value::show_duration(window))
        }
        None => format!("{}={OFF}", limited.word()),
    };
    Limited::ALL.into_iter().map(one).collect()
}

fn word(word: &Word) -> Result<Said, Fault> {
    let refused = |why: String| {
        let fix = "write `off`, a factor such as `2x`, or limits such as `user=1500/5m media=30/30m`";
        Err(Fault::new(format!("`{}` is not a rate limit", excerpt(&word.text)), why, fix))
    };
    if let Some(factor) = word.text.strip_suffix('x') {
        return match thousandths(factor) {
            Some(factor) => Ok(Said::Factor(factor)),
            None => refused("a factor is a number from 0.001 to 1000 and an `x`".into()),
        };
    }
    let Some((name, rate)) = word.text.split_once('=') else {
        return refused("it is neither a factor nor a name, `=` and a limit".into());
    };
    let Some(limited) = Limited::ALL.into_iter().find(|limited| limited.word() == name) else {
        let names = Limited::ALL.map(Limited::word);
        return match nearest(name, names) {
            Some(near) => refused(format!("`{}` is not limited; `{near}` is", excerpt(name))),
            None => refused(format!("what is limited are `{}`", names.join("`, `"))),
        };
    };
    if rate == OFF {
        return Ok(Said::One(limited, None));
    }
    let parts = rate.split_once('/').and_then(|(count, window)| Some((count.parse().ok()?, window)));
    let Some((count @ 1.., window)) = parts else {
        return refused("a limit is a number, `/` and a time".into());
    };
    let window = Word { text: window.to_owned(), spelling: Spelling::Text, place: word.place.clone() };
    let window = value::duration(&window, Duration::from_secs(1)..=WINDOW_MAX)?;
    Ok(Said::One(limited, Some(Rate { count, window })))
}

/// `0.5` is 500.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(part) || part.len() > 3 {
        return None;
    }
    let part: u32 = format!("{part:0<3}").parse().ok()?;
    let factor = whole.parse::<u32>().ok()?.checked_mul(1000)?.checked_add(part)?;
    (1..=FACTOR_MAX).contains(&factor).then_some(factor)
}
