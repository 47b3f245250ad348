//! The queue as JSON: what the API answers and `waxwing deliveries --json`
//! prints. Times are RFC 3339, spans seconds, ids strings.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Jobs by how urgent they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryLane {
    /// `interactive`, `fresh` or `bulk`.
    pub name: String,
    /// Jobs that may be sent now.
    pub ready: u64,
    /// When the oldest of them was written.
    #[schema(required, format = DateTime)]
    pub oldest_at: Option<String>,
}

/// How many destinations are in each state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryStates {
    /// Jobs are sent as usual.
    pub closed: u64,
    /// Left alone for a while.
    pub open: u64,
    /// Being tried, one job at a time.
    pub half_open: u64,
    /// Only failures for two days.
    pub dormant: u64,
    /// Only failures for a week, or said to be gone.
    pub dead: u64,
    /// Held by an admin, in whatever state.
    pub paused: u64,
}

/// The queue of one of several nodes on a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryNode {
    /// Its number.
    pub node: u8,
    /// It is the one that answers.
    pub is_me: bool,
    /// Attempts under way, as it said a few seconds ago.
    pub in_flight: u64,
    /// Attempts at once, at most; 0 while its queue does not run.
    pub slots: u64,
    /// Since when it can reach nobody.
    #[schema(required, format = DateTime)]
    pub network_down_since: Option<String>,
}

/// The queue as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryOverview {
    /// Whether the queue runs, in the process that answers or on another node.
    pub is_running: bool,
    /// What is wrong with the queue as a whole, in words.
    #[serde(default)]
    pub alerts: Vec<String>,
    /// Jobs that wait: ready and deferred.
    pub waiting: u64,
    /// Jobs that wait for their retry.
    pub deferred: u64,
    /// Jobs that were given up and are kept.
    pub dead_letters: u64,
    /// When the oldest job that waits was written.
    #[schema(required, format = DateTime)]
    pub oldest_at: Option<String>,
    /// Ready jobs.
    pub lanes: Vec<DeliveryLane>,
    /// Attempts under way, on all nodes.
    pub in_flight: u64,
    /// Attempts at once, at most, on all nodes.
    pub slots: u64,
    /// The queue of each node; none where one process has the store for itself.
    #[serde(default)]
    pub nodes: Vec<DeliveryNode>,
    /// Destinations by state.
    pub destinations: DeliveryStates,
}

/// A stretch of the last hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryStretch {
    /// When it began.
    #[schema(format = DateTime)]
    pub from: String,
    /// Deliveries that were accepted.
    pub delivered: u64,
    /// Attempts that were not.
    pub failed: u64,
    /// Half of those delivered took no longer than this, from the moment they were written.
    #[schema(required)]
    pub p50_s: Option<f64>,
    /// 95 of 100 took no longer than this.
    #[schema(required)]
    pub p95_s: Option<f64>,
    /// Jobs that waited at its end.
    #[schema(required)]
    pub waiting: Option<u64>,
}

/// The last hour of all nodes; of a server that has its store for itself,
/// since it started at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryHistory {
    /// How long each stretch is.
    pub step_s: u64,
    /// The oldest first; the last one is not over yet.
    pub stretches: Vec<DeliveryStretch>,
}

/// A place that jobs go to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryDestination {
    /// Its number.
    pub id: String,
    /// Its host, with the port unless it is the usual one.
    pub host: String,
    /// `remote` (another server), `push` (a push service), `webhook`, `mail`
    /// (the mail server), `web` (where pages and files are read), `ingress`
    /// (what a server sent us) or `local` (our own work).
    pub class: String,
    /// `closed` (as usual), `open`, `half_open`, `dormant` or `dead`.
    pub state: String,
    /// Whether an admin holds it.
    pub is_paused: bool,
    /// Jobs that wait: ready and deferred.
    pub waiting: u64,
    /// Ready jobs of the lanes interactive, fresh, bulk.
    pub ready: Vec<u64>,
    /// Jobs that wait for their retry.
    pub deferred: u64,
    /// Jobs that were given up.
    pub dead_letters: u64,
    /// When the oldest job that waits was written.
    #[schema(required, format = DateTime)]
    pub oldest_at: Option<String>,
    /// Failures in a row.
    pub failures: u32,
    /// Which of several nodes sends there; `null` while nobody does, and where
    /// one process has the store for itself.
    #[schema(required)]
    pub node: Option<u8>,
    /// Requests under way; `null` where another node sends there, which alone knows.
    #[schema(required)]
    pub in_flight: Option<u32>,
    /// How many may be.
    pub cap: f32,
    /// Requests a second that it gets.
    pub rate: f32,
    /// Smoothed round-trip time.
    #[schema(required)]
    pub rtt_ms: Option<f32>,
    /// The last success.
    #[schema(required, format = DateTime)]
    pub last_ok_at: Option<String>,
    /// When it is tried again, unless it is well.
    #[schema(required, format = DateTime)]
    pub next_probe_at: Option<String>,
    /// It asked for quiet until then.
    #[schema(required, format = DateTime)]
    pub quiet_until: Option<String>,
    /// What the last failure was; empty where it is well.
    pub cause: String,
}

/// A turn of a breaker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryTurn {
    #[schema(format = DateTime)]
    pub at: String,
    /// State before.
    pub from: String,
    /// State after.
    pub to: String,
    /// Why; empty where it got well.
    pub cause: String,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryError {
    #[schema(format = DateTime)]
    pub at: String,
    /// In a few words.
    pub words: String,
    /// The answer's HTTP status; 0 if there was none.
    pub http_status: u16,
}

/// What an admin decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryLimits {
    /// Since when nothing is sent there.
    #[schema(required, format = DateTime)]
    pub paused_at: Option<String>,
    /// Requests a second at most.
    #[schema(required)]
    pub rate_max: Option<f32>,
    /// Requests under way at most.
    #[schema(required)]
    pub cap_max: Option<u32>,
}

/// A destination with what happened there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryDestinationDetails {
    /// As in the list.
    pub destination: DeliveryDestination,
    /// What an admin decided.
    pub limits: DeliveryLimits,
    /// Turns of its breaker, the newest first.
    pub turns: Vec<DeliveryTurn>,
    /// The last errors, the newest first.
    pub errors: Vec<DeliveryError>,
}

/// A job that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryJob {
    /// What is to be sent; several destinations share one.
    pub act: String,
    /// The number of the inbox.
    pub inbox: String,
    /// Its address.
    #[schema(required)]
    pub inbox_url: Option<String>,
    /// What it says, such as `create` or `follow`; of other work, its kind.
    pub kind: String,
    /// `interactive`, `fresh` or `bulk`.
    pub lane: String,
    /// The account that sends it; `0` for the server itself.
    pub sender: String,
    /// Attempts that failed.
    pub attempts: u8,
    /// Size of what is sent.
    pub bytes: u32,
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it stops being worth sending.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// When it is tried again; without it, as soon as its turn comes.
    #[schema(required, format = DateTime)]
    pub next_try_at: Option<String>,
}

/// A job that was given up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryDeadLetter {
    /// Names it for paging.
    pub id: String,
    /// The number of its destination.
    pub destination: String,
    /// Its host.
    pub host: String,
    /// As of a waiting job.
    pub act: String,
    /// The address of the inbox.
    #[schema(required)]
    pub inbox_url: Option<String>,
    /// As of a waiting job.
    pub kind: String,
    /// As of a waiting job.
    pub sender: String,
    /// `refused`, `exhausted`, `expired`, `poison` or `gone`.
    pub reason: String,
    /// The last answer's HTTP status; 0 if there was none.
    pub http_status: u16,
    /// What went wrong.
    pub error: String,
    /// Attempts that failed.
    pub attempts: u8,
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was given up.
    #[schema(format = DateTime)]
    pub died_at: String,
}

/// Which rule keeps a job from starting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryExplanation {
    /// The rule's name.
    pub rule: String,
    /// In a sentence.
    pub words: String,
}

/// How many jobs an action was about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryActed {
    /// Jobs, or dead letters.
    pub jobs: u64,
}

/// Where a person's post has got to. Counted by inbox: a server that has no
/// shared one counts once for each of its people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusDeliveries {
    /// The post.
    pub id: String,
    /// Inboxes it was meant for.
    pub total: u64,
    /// Servers that these are of.
    pub servers: u64,
    /// Those that have it.
    pub delivered: u64,
    /// Those that are still tried, or get it once their server is back.
    pub pending: u64,
    /// Those that were given up.
    pub failed: u64,
    /// The hosts of those given up, each once; 100 at most. A host is no longer
    /// named when its dead letter was thrown away, after 14 days at the latest.
    pub failed_hosts: Vec<DeliveryFailure>,
}

/// A host that did not get a post.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryFailure {
    /// The host, with the port unless it is the usual one.
    pub host: String,
    /// `refused`, `exhausted`, `expired`, `poison` or `gone`.
    pub reason: String,
    #[schema(format = DateTime)]
    pub at: String,
}
