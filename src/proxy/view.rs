//! What people see of the balancer: the page "Nodes", and the metrics.

use super::balance::Balancer;
use super::policy::Scene;
use super::upstream::Upstream;
use super::{Ask, Tick, policy};

/// How an upstream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It takes its part.
    Healthy,
    /// It is young and gets less.
    Warming,
    /// It gets one request until it answered.
    Probation,
    /// It fails, or is overloaded, and is left out.
    Filtered,
    /// It is out for a while.
    Ejected,
    /// It wants no new requests.
    Draining,
}

impl Health {
    /// All of them.
    pub const ALL: [Health; 6] = [
        Health::Healthy,
        Health::Warming,
        Health::Probation,
        Health::Filtered,
        Health::Ejected,
        Health::Draining,
    ];

    /// In one word.
    pub const fn name(self) -> &'static str {
        match self {
            Health::Healthy => "healthy",
            Health::Warming => "warming",
            Health::Probation => "probation",
            Health::Filtered => "filtered",
            Health::Ejected => "ejected",
            Health::Draining => "draining",
        }
    }
}

/// One upstream as it stands now.
#[derive(Clone, Debug)]
pub struct UpstreamView {
    /// Its address.
    pub name: Box<str>,
    /// How it stands.
    pub health: Health,
    /// The score of the default policy; lower is picked.
    pub score: f32,
    /// Requests under way from here.
    pub in_flight: u32,
    /// Open streams from here.
    pub streams: u32,
    /// Requests from here whose bodies still come.
    pub uploads: u32,
    /// Mean latency in microseconds, if it has answered.
    pub latency_us: Option<f32>,
    /// The share of requests that fail, 0 to 1.
    pub error_share: f32,
    /// How full it says it is; 1 is full.
    pub utilisation: Option<f32>,
    /// Requests under way there from everybody, as it says.
    pub reported_in_flight: Option<u16>,
    /// Seconds since the server started.
    pub age_s: f32,
    /// Requests sent there so far.
    pub picks: u64,
    /// How many of them failed.
    pub failures: u64,
    /// The share of its traffic that it may have while it is young, 0 to 1.
    pub warm_up: f32,
    /// For how many seconds more it is out.
    pub ejected_for_s: Option<f32>,
}

impl Balancer {
    /// All upstreams as they stand. Allocates; for pages and metrics.
    pub fn view(&self, now: Tick) -> Vec<UpstreamView> {
        let pool = self.pool.load();
        let ask = Ask::new(now);
        let turn = Default::default();
        let scene = Scene { pool: &pool, now, ask: &ask, features: &self.features, turn: &turn };
        pool.upstreams.iter().map(|upstream| self.view_of(&scene, upstream)).collect()
    }

    fn view_of(&self, scene: &Scene<'_>, upstream: &Upstream) -> UpstreamView {
        let now = scene.now;
        let report = upstream.report(now);
        UpstreamView {
            name: upstream.name().into(),
            health: self.health(scene, upstream),
            score: policy::score(scene, upstream),
            in_flight: upstream.in_flight(),
            streams: upstream.streams(),
            uploads: upstream.uploads(),
            latency_us: upstream.latency.read(now).map(|(us, _)| us),
            error_share: upstream.error_share(now, true),
            utilisation: report.map(|report| report.utilisation),
            reported_in_flight: report.and_then(|report| report.rif).map(|rif| rif as u16),
            age_s: upstream.age_s(now),
            picks: upstream.picks(),
            failures: upstream.failures(),
            warm_up: (self.features.ramp_of(upstream.age_s(now)) / scene.pool.ramp_max()).min(1.0),
            ejected_for_s: upstream.ejected_for_s(now),
        }
    }

    fn health(&self, scene: &Scene<'_>, upstream: &Upstream) -> Health {
        let features = &self.features;
        if upstream.draining() {
            Health::Draining
        } else if upstream.is_ejected(scene.now) {
            Health::Ejected
        } else if features.probation && upstream.in_probation() {
            Health::Probation
        } else if !scene.pool.all_eligible().any(|u| u.id == upstream.id) {
            Health::Filtered
        } else if features.ramp_of(upstream.age_s(scene.now)) < scene.pool.ramp_max() {
            Health::Warming
        } else {
            Health::Healthy
        }
    }
}
