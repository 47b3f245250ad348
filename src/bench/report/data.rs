//! What a run found, as `--json` has it and `--compare` reads it again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bench::latency::Percentiles;
use crate::bench::metric::{short, whole};

/// The form of the file; a reader takes only what it knows.
pub const FORMAT: u32 = 1;

/// By so many jobs a backlog may grow in a round, and by so many standard
/// deviations of those that came, since they come by chance.
const JOBS_FEW: f64 = 50.0;
const JOBS_SPREAD: f64 = 2.0;

/// A whole run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: u32,
    /// Of Waxwing.
    pub version: String,
    /// When it began, RFC 3339.
    pub began: String,
    /// What was measured: a temporary instance, or a host.
    pub target: String,
    /// Where.
    pub machine: Machine,
    /// How.
    pub settings: Settings,
    /// What was found.
    pub scenarios: Vec<Measured>,
    /// What was expected, and whether it held.
    #[serde(default)]
    pub expectations: Vec<Expected>,
    /// Beside an earlier run.
    #[serde(default)]
    pub comparison: Vec<Compared>,
    /// Where the earlier run was another kind of run, in sentences.
    #[serde(default)]
    pub caveats: Vec<String>,
    /// In words.
    pub summary: Vec<String>,
}

impl Report {
    /// Whether a server was measured that runs elsewhere, or at least by itself.
    pub fn is_remote(&self) -> bool {
        self.target.starts_with("http://") || self.target.starts_with("https://")
    }
}

/// The machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Processors that this program may use; a part of one counts as one.
    pub cores: usize,
    /// The same, as a quota has it.
    #[serde(default)]
    pub usable_cores: f64,
    /// Processors that there are.
    #[serde(default)]
    pub host_cores: usize,
    /// What kind of them.
    pub cpu: String,
    /// Bytes that this program may use.
    pub memory_bytes: u64,
    /// Bytes that there are.
    #[serde(default)]
    pub host_memory_bytes: u64,
    /// What the data was written to.
    pub disk: String,
    /// Milliseconds that one small durable write takes, in the middle.
    pub fsync_ms: f64,
    /// The same, 99 of 100.
    pub fsync_p99_ms: f64,
    /// The operating system's kernel.
    pub kernel: String,
    /// Whether the program was built for speed.
    pub is_optimised: bool,
}

impl Machine {
    /// Processors that may be used, which may be a part of one.
    pub fn usable(&self) -> f64 {
        if self.usable_cores > 0.0 { self.usable_cores } else { self.cores.max(1) as f64 }
    }

    /// `2`, or with a quota `1.50`.
    pub fn usable_in_words(&self) -> String {
        let usable = self.usable();
        if usable.fract() == 0.0 { whole(usable) } else { short(usable) }
    }

    /// `2`, or in a container `2 of 8`.
    pub fn cores_in_words(&self) -> String {
        let usable = self.usable_in_words();
        if self.host_cores as f64 > self.usable() {
            format!("{usable} of {}", self.host_cores)
        } else {
            usable
        }
    }

    /// GiB: `23.5`, or in a container `2 of 23.5`.
    pub fn memory_in_words(&self) -> String {
        let gib = |bytes: u64| short(bytes as f64 / f64::from(1 << 30));
        if self.host_memory_bytes > self.memory_bytes {
            format!("{} of {}", gib(self.memory_bytes), gib(self.host_memory_bytes))
        } else {
            gib(self.memory_bytes)
        }
    }
}

/// How it was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Seconds of each round that count.
    pub seconds: f64,
    /// Seconds before them.
    pub warm_s: f64,
    /// Rounds of each scenario.
    pub rounds: usize,
    /// People of the temporary instance.
    pub people: usize,
    /// Posts it began with.
    pub posts: usize,
    /// What chance began with.
    pub seed: u64,
    /// Requests wait for answers.
    pub is_closed_loop: bool,
    /// So many clients, of a closed loop.
    #[serde(default)]
    pub clients: usize,
    /// Requests a second, where it was said.
    #[serde(default)]
    pub rate_per_s: Option<f64>,
    /// Seconds of each round, where it was said.
    #[serde(default)]
    pub asked_seconds: Option<f64>,
    /// What had to hold in a search.
    #[serde(default)]
    pub objective: String,
    /// Whom each person follows.
    #[serde(default)]
    pub follows: usize,
    /// Open streams of `stream`.
    #[serde(default)]
    pub listeners: usize,
    /// Fake servers of `deliver`.
    #[serde(default)]
    pub destinations: usize,
}

/// What was found of one scenario.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Its name.
    pub scenario: String,
    /// Its rounds.
    pub rounds: Vec<Round>,
    /// How much was held.
    #[serde(default)]
    pub limit: Option<Limit>,
    /// Each destination of deliveries.
    #[serde(default)]
    pub destinations: Vec<Destination>,
    /// Each policy in each world of the balancing experiment.
    #[serde(default)]
    pub policies: Vec<PolicyRow>,
    /// Further figures, such as those of the raw store.
    #[serde(default)]
    pub figures: Vec<Figure>,
    /// What should be known of it, in sentences.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Why it could not be measured, or not to the end.
    #[serde(default)]
    pub failed: Option<String>,
}

/// One round. Latencies in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Requests that were due, each second.
    pub offered_per_s: f64,
    /// Good answers that came while it was measured, each second.
    pub rate_per_s: f64,
    /// Seconds that were measured.
    #[serde(default)]
    pub seconds: f64,
    /// Requests that were due.
    pub requests: u64,
    /// Answers of any kind that came while it was measured.
    #[serde(default)]
    pub answered: u64,
    /// Those without a good answer.
    pub errors: u64,
    /// Of them, those that were never sent.
    pub dropped: u64,
    /// Of them, those for which the generator had nothing more to send.
    #[serde(default)]
    pub spent: u64,
    /// From when they were due.
    pub latency: Percentiles,
    /// From when they were sent.
    pub service: Percentiles,
    /// How late the generator began them.
    pub lag_p99_ms: f64,
    /// By kind.
    pub kinds: Vec<KindResult>,
    /// Second by second.
    pub slots: Vec<Slot>,
    /// Why, and how often.
    pub failures: BTreeMap<String, u64>,
    /// How the machine did meanwhile.
    pub samples: Vec<Sample>,
    /// What the instance used.
    pub used: Used,
    /// What the generator itself used.
    pub generator: Generator,
}

impl Round {
    /// The share of requests without a good answer.
    pub fn error_share(&self) -> f64 {
        self.errors as f64 / (self.requests.max(1)) as f64
    }

    /// Whether the server's processes could be looked at.
    pub fn is_watched(&self) -> bool {
        self.used.rss_mib > 0.0
    }

    /// How many failures ended with something, such as `status 429`.
    pub fn failed_with(&self, what: &str) -> u64 {
        self.failures.iter().filter(|(name, _)| name.ends_with(what)).map(|(_, count)| count).sum()
    }

    /// The most frequent failures, with how many they were.
    pub fn top_failures(&self, most: usize) -> Vec<(&str, u64)> {
        let mut all: Vec<(&str, u64)> =
            self.failures.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        all.truncate(most);
        all
    }

    /// Whether the jobs that its requests left were done about as fast as they
    /// came. Answers may be quick while what they promised takes ever longer.
    pub fn keeps_up(&self) -> bool {
        let came = self.jobs_per_s() * self.seconds;
        let allowed = JOBS_FEW.max(JOBS_SPREAD * came.max(0.0).sqrt());
        self.used.jobs_behind_per_s * self.seconds <= allowed
    }

    /// Jobs that came each second, done or not.
    pub fn jobs_per_s(&self) -> f64 {
        self.used.jobs_per_s + self.used.jobs_behind_per_s
    }

    /// The rate at which jobs would come as fast as they were done in this
    /// round; nothing if none came.
    pub fn lasting_per_s(&self) -> Option<f64> {
        let came = self.jobs_per_s();
        (came > 0.0).then(|| self.offered_per_s * self.used.jobs_per_s / came)
    }

    /// Processors of so many that neither the instance nor the generator used.
    pub fn others(&self, cores: f64) -> f64 {
        (self.used.machine * cores - self.used.cpu - self.generator.cpu).max(0.0)
    }
}

/// One kind of request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KindResult {
    /// Its name.
    pub name: String,
    /// Whether it is in the scenario's own figures.
    pub counts: bool,
    /// Good answers that came while it was measured, each second.
    pub rate_per_s: f64,
    /// The others.
    pub errors: u64,
    /// In milliseconds.
    pub latency: Percentiles,
}

/// One second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Since the warm-up ended.
    pub at_s: u64,
    /// Requests due.
    pub due: u64,
    /// Good answers that came.
    pub done: u64,
    /// Failures of those that were due.
    pub errors: u64,
    /// Milliseconds.
    pub p50: Option<f64>,
    /// Milliseconds.
    pub p95: Option<f64>,
    /// Milliseconds.
    pub p99: Option<f64>,
}

/// The machine at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Since the warm-up ended; less than nothing before.
    pub at_s: f64,
    /// Processors the instance used.
    pub cpu: f64,
    /// Processors the generator used.
    pub generator_cpu: f64,
    /// Share of the whole machine's processors that were busy.
    pub machine: f64,
    /// Memory of the instance in MiB.
    pub rss_mib: f64,
    /// Its open files and sockets.
    pub files: u64,
}

/// What the instance used while it was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// Processors, on average.
    pub cpu: f64,
    /// Share of all processors that were busy with anything.
    pub machine: f64,
    /// Most memory, in MiB.
    pub rss_mib: f64,
    /// Most open files, as a share of what is allowed.
    pub files: f64,
    /// Share of the time in which the store's lane was committing.
    pub commit: f64,
    /// Milliseconds a commit took, on average.
    pub commit_ms: f64,
    /// Changes waiting for the lane.
    pub lane_depth: f64,
    /// Processors busy with signing deliveries.
    pub signing: f64,
    /// Jobs that waited in the queue's lanes at the end.
    pub queued: f64,
    /// Jobs that were tried each second.
    #[serde(default)]
    pub jobs_per_s: f64,
    /// Jobs that came each second beyond those that were tried; less than
    /// nothing while a backlog is worked off.
    #[serde(default)]
    pub jobs_behind_per_s: f64,
}

/// What the generator cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// Processors it used.
    pub cpu: f64,
    /// Microseconds of processor time for each request.
    pub us_per_request: f64,
    /// The same of the instance; nothing where it cannot be seen.
    #[serde(default)]
    pub server_us_per_request: f64,
    /// Whether it, and not the server, was the limit.
    pub was_limit: bool,
}

/// How much a server holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// What has to hold.
    pub objective: String,
    /// The highest rate at which it held; nothing if it never did.
    pub held_per_s: f64,
    /// The lowest at which it did not; nothing if it always did.
    pub broke_per_s: Option<f64>,
    /// What gave way first.
    pub culprit: String,
    /// Why that is thought.
    pub evidence: String,
    /// All rates that were tried.
    pub steps: Vec<Step>,
}

/// One rate that was tried.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Requests a second that were asked for.
    pub offered_per_s: f64,
    /// Good answers a second.
    pub rate_per_s: f64,
    /// Milliseconds.
    pub p50: f64,
    /// Milliseconds.
    pub p99: f64,
    /// Share of failures.
    pub errors: f64,
    /// Whether the objective held.
    pub held: bool,
    /// Processors the instance used.
    pub cpu: f64,
    /// Seconds it was tried for.
    #[serde(default)]
    pub seconds: f64,
    /// Requests that were due.
    #[serde(default)]
    pub requests: u64,
    /// Why it does not count although its figures look as if it did.
    #[serde(default)]
    pub note: String,
}

/// A fake destination.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    /// What it is called.
    pub name: String,
    /// `well`, `slow` or `dead`.
    pub nature: String,
    /// Posts that were for it.
    pub wanted: u64,
    /// Posts it got.
    pub got: u64,
    /// Milliseconds from the post to its arrival.
    pub p50: f64,
    /// Milliseconds.
    pub p99: f64,
}

/// A policy in a world.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyRow {
    /// The world.
    pub world: String,
    /// The policy.
    pub policy: String,
    /// Requests of clients.
    pub requests: u64,
    /// Without a good answer in time.
    pub failed: u64,
    /// Milliseconds.
    pub mean: f64,
    /// Milliseconds.
    pub p50: f64,
    /// Milliseconds.
    pub p99: f64,
    /// Milliseconds.
    pub p999: f64,
    /// Extra requests for each hundred.
    pub extra: f64,
    /// What Netflix published of the same mechanism.
    pub published: String,
    /// The share of its time that the world was compressed to; nothing if it was not.
    #[serde(default)]
    pub compressed_to: Option<f64>,
}

/// A figure that is no latency.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What of.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: String,
}

/// An expectation and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// As it was asked for.
    pub text: String,
    /// What was found, as it is written.
    pub found: String,
    /// Whether it holds.
    pub held: bool,
}

/// One metric beside an earlier run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// `browse.p99`
    pub metric: String,
    /// The middle of the earlier rounds.
    pub before: f64,
    /// The middle of these.
    pub now: f64,
    /// Share by which it changed.
    pub change: f64,
    /// Share that noise alone may make.
    pub noise: f64,
    /// `same`, `better` or `worse`.
    pub verdict: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_used_is_told_from_what_there_is() {
        let machine = |usable_cores, host_cores, gib: u64| Machine {
            cores: 2,
            usable_cores,
            host_cores,
            memory_bytes: gib << 30,
            host_memory_bytes: 16 << 30,
            ..Machine::default()
        };
        let said = |machine: Machine| (machine.cores_in_words(), machine.memory_in_words());
        let text = |cores: &str, memory: &str| (cores.to_owned(), memory.to_owned());
        assert_eq!(said(machine(2.0, 2, 16)), text("2", "16.0"));
        assert_eq!(said(machine(2.0, 8, 4)), text("2 of 8", "4.00 of 16.0"));
        assert_eq!(said(machine(1.5, 8, 16)), text("1.50 of 8", "16.0"));
        // Of an earlier run only the number is known.
        assert_eq!(machine(0.0, 0, 16).cores_in_words(), "2");
    }
}
