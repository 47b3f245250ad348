//! How long something may stand still. One type for all that waits for bytes
//! to move: what moves has its time anew, however slow it is; what does not
//! is given up. Pure, but for [`Timer`], which wakes.

use std::task::{Context, Poll};
use std::time::Duration;

use super::timer::Timer;
use crate::proxy::Tick;

/// Waits for a count of what has moved to grow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    span: Duration,
    /// The count as it was seen last.
    count: u64,
    /// When it was seen to grow, or when the wait began.
    since: Tick,
}

impl Patience {
    /// Begins to wait now.
    pub(super) fn new(span: Duration, now: Tick) -> Patience {
        Patience { span, count: 0, since: now }
    }

    /// Begins anew from here, with another span.
    pub(super) fn restart(&mut self, span: Duration, now: Tick) {
        (self.span, self.since) = (span, now);
    }

    /// Takes in how much has moved so far: any count that only grows when
    /// something moves, such as of bytes read and written. What waits in a
    /// buffer is none: it may be as long after a move as before.
    pub(super) fn note(&mut self, count: u64, now: impl Fn() -> Tick) {
        if count != self.count {
            (self.count, self.since) = (count, now());
        }
    }

    /// When something moved last.
    pub(super) fn since(&self) -> Tick {
        self.since
    }

    /// When it ends if nothing moves.
    pub(super) fn until(&self) -> Tick {
        self.since.plus(self.span)
    }

    /// Whether nothing has moved for the whole span.
    pub(super) fn is_over(&self, now: Tick) -> bool {
        now >= self.until()
    }

    /// Takes in how much has moved so far. Ready once nothing has for the
    /// whole span. To be called after each look at what moves.
    pub(super) fn poll(
        &mut self,
        timer: &mut Timer,
        count: u64,
        now: impl Fn() -> Tick,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        self.note(count, &now);
        timer.set(self.until());
        timer.poll(now, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_secs(60);

    const fn at(seconds: u64) -> Tick {
        Tick::from_millis(seconds * 1000)
    }

    /// When it gives up: each look is a time in seconds and what has moved
    /// until then.
    fn ends(looks: &[(u64, u64)]) -> Option<u64> {
        let mut patience = Patience::new(SPAN, at(0));
        let is_over = |(second, count): &&(u64, u64)| {
            patience.note(*count, || at(*second));
            patience.is_over(at(*second))
        };
        looks.iter().find(is_over).map(|(second, _)| *second)
    }

    #[test]
    fn what_moves_lasts_and_what_stands_still_ends() {
        let every_50: Vec<_> = (0..100).map(|step| (step * 50, step)).collect();
        /// When what was looked at, and when it ends.
        type Case<'a> = (&'a str, &'a [(u64, u64)], Option<u64>);
        let cases: [Case<'_>; 6] = [
            ("nothing ever moves", &[(0, 0), (59, 0), (60, 0)], Some(60)),
            ("slow, but it moves", &every_50, None),
            ("it moves once and stops", &[(50, 1), (100, 1), (109, 1), (110, 1)], Some(110)),
            // The look that its own timer asks for is no move.
            ("looks alone are no moves", &[(20, 0), (40, 0), (59, 0), (61, 0)], Some(61)),
            ("what moved at once counts from then", &[(0, 7), (59, 7), (60, 7)], Some(60)),
            ("it moves at the last moment", &[(59, 1), (118, 2), (177, 2), (178, 2)], Some(178)),
        ];
        for (case, looks, expected) in cases {
            assert_eq!(ends(looks), expected, "{case}");
        }
    }

    #[test]
    fn another_span_begins_where_the_last_ended() {
        let mut patience = Patience::new(SPAN, at(0));
        patience.note(5, || at(40));
        assert_eq!((patience.since(), patience.until()), (at(40), at(100)));
        patience.restart(Duration::from_secs(5), at(50));
        patience.note(5, || at(52));
        assert_eq!((patience.since(), patience.until()), (at(50), at(55)));
    }
}
