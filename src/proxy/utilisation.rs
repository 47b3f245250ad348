//! How full this server is, in one number for its peers.

/// The wake-up delay of the runtime that counts as full, in seconds.
const WAKE_UP_FULL_S: f32 = 0.020;
/// The age of the oldest waiting delivery that would count as full, in
/// seconds.
const BACKLOG_FULL_S: f32 = 30.0;
/// A backlog never counts for more: it is no reason to send people away.
const BACKLOG_MOST: f32 = 0.5;

/// What presses on this server. Everything may exceed what is full.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pressure {
    /// How busy the processors are, 0 to 1 ([`CpuMeter`](super::CpuMeter)).
    pub cpu: f32,
    /// Requests under way, and background work that takes their place.
    pub in_flight: u32,
    /// How many it takes at a time ([`Limiter::limit`](super::Limiter::limit)).
    pub limit: u32,
    /// How late the runtime wakes what is due, in seconds, smoothed.
    pub wake_up_s: f32,
    /// Waiting transactions as a share of the writer lane's bound.
    pub writer_queue: f32,
    /// Age of the oldest delivery that waits, in seconds.
    pub backlog_s: f32,
}

/// How full: the worst of all that presses. 1 is full.
pub fn utilisation(pressure: &Pressure) -> f32 {
    let slots = pressure.in_flight as f32 / pressure.limit.max(1) as f32;
    let backlog = (pressure.backlog_s / BACKLOG_FULL_S).min(BACKLOG_MOST);
    let all = [pressure.cpu, slots, pressure.wake_up_s / WAKE_UP_FULL_S, pressure.writer_queue, backlog];
    all.into_iter().filter(|part| part.is_finite()).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_counts() {
        let calm = Pressure { cpu: 0.3, in_flight: 7, limit: 64, ..Pressure::default() };
        assert_eq!(utilisation(&calm), 0.3);
        assert_eq!(utilisation(&Pressure { in_flight: 128, ..calm }), 2.0);
        assert_eq!(utilisation(&Pressure { wake_up_s: 0.015, ..calm }), 0.75);
        assert_eq!(utilisation(&Pressure { writer_queue: 0.9, ..calm }), 0.9);
        assert_eq!(utilisation(&Pressure { backlog_s: 3600.0, ..calm }), 0.5);
        assert_eq!(utilisation(&Pressure { cpu: f32::NAN, limit: 0, in_flight: 0, ..calm }), 0.0);
    }
}
