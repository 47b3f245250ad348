//! The upstreams that a balancer has at a moment, and which of them may be
//! picked. The list itself never changes: a new list is a new pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::Tick;
use super::policy::{Features, Policy, hash_table, schedule};
use super::upstream::{Upstream, left_of};

/// A longer list of upstreams is cut.
pub const UPSTREAMS_MAX: usize = 1024;
/// The heaviest upstream.
pub const WEIGHT_MAX: u32 = 256;

/// With fewer than this share of the pool not ejected, everybody is picked:
/// few servers with the load of all would fall, too. (Envoy, Finagle: 50 %.)
const PANIC_SHARE: f32 = 0.5;
/// With no more than this share fit, the unfit are not left out either. Where
/// many are overloaded, leaving them out overloads the next: with half as
/// the bound, twice as many requests fail in the world `live_8`.
const FIT_SHARE: f32 = 0.75;
/// At most this share is ejected at a time.
const EJECTED_SHARE: f32 = 0.5;
/// A queue of so many times the limit is no place for more; measured.
const QUEUE_LIMITS_MAX: f32 = 2.0;
/// Failing more often than this is no place for more.
const ERROR_SHARE_MAX: f32 = 0.5;
/// Mean latency before anybody answered, in microseconds.
const LATENCY_UNKNOWN_US: f32 = 30_000.0;

/// A list of upstreams with what is computed for all of them together.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) upstreams: Box<[Arc<Upstream>]>,
    /// Indexes of those that may be picked; the first `eligible_len` count.
    /// A reader that meets a writer sees an index twice or one that is just
    /// gone, never one that does not exist.
    eligible: Box<[AtomicU32]>,
    eligible_len: AtomicU32,
    /// Mean of the upstreams' latencies in microseconds, an `f32`.
    latency_us: AtomicU32,
    /// Mean of the limits that they report, an `f32`.
    limit: AtomicU32,
    /// The ramp of the oldest, an `f32`: warm-up is relative to it.
    ramp_max: AtomicU32,
    ejected: AtomicU32,
    /// Turns in proportion to weight, for the policies that use them.
    pub(super) schedule: Box<[u32]>,
    /// Where each hash belongs, for the policies that hash.
    pub(super) table: Box<[u32]>,
}

impl Pool {
    pub(super) fn new(upstreams: Vec<Arc<Upstream>>, policy: Policy) -> Pool {
        let count = upstreams.len();
        let upstreams = upstreams.into_boxed_slice();
        Pool {
            eligible: (0..count as u32).map(AtomicU32::new).collect(),
            eligible_len: AtomicU32::new(count as u32),
            latency_us: AtomicU32::new(0),
            limit: AtomicU32::new(1f32.to_bits()),
            ramp_max: AtomicU32::new(1f32.to_bits()),
            ejected: AtomicU32::new(0),
            schedule: if policy.is_weighted() { schedule(&upstreams) } else { Box::default() },
            table: if policy.hashes() { hash_table(&upstreams) } else { Box::default() },
            upstreams,
        }
    }

    pub(super) fn eligible_len(&self) -> u32 {
        self.eligible_len.load(Relaxed)
    }

    /// One that may be picked; `at` below [`eligible_len`](Self::eligible_len).
    pub(super) fn eligible(&self, at: u32) -> Option<&Arc<Upstream>> {
        let index = self.eligible.get(at as usize)?.load(Relaxed);
        self.upstreams.get(index as usize)
    }

    pub(super) fn all_eligible(&self) -> impl Iterator<Item = &Arc<Upstream>> {
        (0..self.eligible_len()).filter_map(|at| self.eligible(at))
    }

    /// Mean latency of the upstreams in microseconds.
    pub(super) fn latency_us(&self) -> f32 {
        match self.latency_us.load(Relaxed) {
            0 => LATENCY_UNKNOWN_US,
            bits => f32::from_bits(bits),
        }
    }

    /// Mean limit of requests of the upstreams that report one; 1 without any.
    /// Whoever has reported nothing yet is taken for one of them: it would
    /// else cost so many times as much that it is never asked.
    pub(super) fn limit(&self) -> f32 {
        f32::from_bits(self.limit.load(Relaxed))
    }

    pub(super) fn ramp_max(&self) -> f32 {
        f32::from_bits(self.ramp_max.load(Relaxed))
    }

    /// Whether one more may be ejected.
    pub(super) fn may_eject(&self) -> bool {
        let most = (self.upstreams.len() as f32 * EJECTED_SHARE) as u32;
        self.ejected.load(Relaxed) < most
    }

    /// Computes anew what concerns all upstreams. Reads each once; done on
    /// changes of state and once a second, never by a pick.
    pub(super) fn rebuild(&self, now: Tick, features: &Features) {
        let (mut sum, mut known, mut ramp, mut ejected) = (0.0, 0f32, 0f32, 0);
        let (mut limits, mut limited) = (0f32, 0f32);
        for upstream in &self.upstreams {
            ejected += u32::from(upstream.is_ejected(now));
            if upstream.draining() {
                continue;
            }
            ramp = ramp.max(features.ramp_of(upstream.age_s(now)));
            if let Some(limit) = upstream.limit() {
                limits += limit;
                limited += 1.0;
            }
            // What was long ago counts less: the slow one that gets nothing
            // would else keep the mean up, and never come down to the others.
            if let Some((latency, age_s)) = upstream.latency.read(now) {
                let left = if features.decay { left_of(age_s) } else { 1.0 };
                sum += latency * left;
                known += left;
            }
        }
        if known > 0.0 {
            self.latency_us.store((sum / known).to_bits(), Relaxed);
        }
        self.limit.store((limits / limited.max(1.0)).max(1.0).to_bits(), Relaxed);
        self.ramp_max.store(ramp.max(0.01).to_bits(), Relaxed);
        self.ejected.store(ejected, Relaxed);
        self.choose(now, features);
    }

    fn choose(&self, now: Tick, features: &Features) {
        let staying = self.upstreams.iter().filter(|u| !u.draining()).count() as f32;
        let is_out = |u: &Upstream| u.draining() || (features.eject && u.is_ejected(now));
        if features.filter {
            let fit = self.list(|u| !is_out(u) && is_fit(u, now, features));
            // Of two, the busy one is not left out: the other may be one that
            // has stopped, and cannot say that it is worse.
            if fit as f32 > staying * FIT_SHARE {
                return;
            }
        }
        if (self.list(|u| !is_out(u)) as f32) < staying * PANIC_SHARE {
            self.list(|u| !u.draining());
        }
        if self.eligible_len() == 0 {
            self.list(|_| true);
        }
    }

    /// Makes those eligible that fulfil the condition; how many.
    fn list(&self, fits: impl Fn(&Upstream) -> bool) -> u32 {
        let mut len = 0;
        for (index, upstream) in self.upstreams.iter().enumerate() {
            if fits(upstream)
                && let Some(place) = self.eligible.get(len as usize)
            {
                place.store(index as u32, Relaxed);
                len += 1;
            }
        }
        self.eligible_len.store(len, Relaxed);
        len
    }
}

/// Whether an upstream is neither overloaded nor failing, as far as a second's
/// look can say. Probation and warm-up are the pick's business.
pub(super) fn is_fit(upstream: &Upstream, now: Tick, features: &Features) -> bool {
    let is_overloaded =
        upstream.limit().is_some_and(|limit| features.queue_of(upstream, now) >= QUEUE_LIMITS_MAX * limit);
    !is_overloaded && features.error_share_of(upstream, now) < ERROR_SHARE_MAX
}
