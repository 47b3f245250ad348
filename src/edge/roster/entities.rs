//! The nodes as JSON. Times are RFC 3339, spans seconds.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// All nodes, as the one that answers sees them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Nodes {
    /// Whether other processes may use the store, too.
    pub is_shared: bool,
    /// The number of the node that answers.
    pub answered_by: u8,
    /// What there is, and how to add a node, in words.
    pub words: String,
    /// What somebody should look at, in words.
    pub warnings: Vec<String>,
    /// How requests are shared out; `null` where they are not passed on.
    #[schema(required)]
    pub policy: Option<String>,
    /// Retries and second copies that its front door sent so far.
    #[schema(required)]
    pub extra_requests: Option<u64>,
    /// How many more of them it may send at this moment.
    #[schema(required)]
    pub budget_left: Option<u32>,
    /// By number; those that left within a day, too.
    pub nodes: Vec<NodeStanding>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NodeStanding {
    /// Its number; `null` of a peer that was listed by hand and is not there.
    #[schema(required)]
    pub number: Option<u8>,
    /// Where other nodes reach it: address and port.
    pub address: String,
    /// Its program's version; empty if unknown.
    pub version: String,
    /// `live`, `draining` (it takes nothing new), `unsure` (not heard of since
    /// the one that answers began to listen), `away` or `unknown` (listed by
    /// hand, and never seen).
    pub state: String,
    /// It is the one that answers.
    pub is_me: bool,
    /// For how long it has been up, in seconds.
    #[schema(required)]
    pub age_s: Option<u64>,
    /// When its last sign of life was seen, in seconds before now.
    #[schema(required)]
    pub last_beat_s: Option<f64>,
    /// How many of the 256 parts of the background work it does.
    pub shards: u32,
    /// It does what one node does for all.
    pub has_chores: bool,
    /// What it says it has to do.
    #[schema(required)]
    pub load: Option<NodeWork>,
    /// What the front door of the node that answers knows of it.
    #[schema(required)]
    pub balance: Option<NodeBalance>,
}

/// What a node says it has to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NodeWork {
    /// How full it is: 1 is full.
    pub utilisation: f64,
    /// Requests under way, from everybody.
    pub in_flight: u32,
    /// Deliveries under way.
    pub deliveries: u32,
    /// Deliveries at once, at most.
    pub delivery_slots: u32,
}

/// What a balancer knows of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NodeBalance {
    /// `healthy`, `warming` (young: it gets less), `probation` (one request
    /// until it answered), `filtered` (it fails or is full, and is left out),
    /// `ejected` (out for a while) or `draining`.
    pub health: String,
    /// The expected time to an answer, in no unit; lower is picked.
    pub score: f64,
    /// Requests under way from here.
    pub in_flight: u32,
    /// Streams that are open from here.
    pub streams: u32,
    /// Mean time to an answer; `null` before the first.
    #[schema(required)]
    pub latency_ms: Option<f64>,
    /// The share of requests that fail, 0 to 1.
    pub error_share: f64,
    /// How full it said it is with its last answer.
    #[schema(required)]
    pub utilisation: Option<f64>,
    /// Requests under way there from everybody, as it said.
    #[schema(required)]
    pub reported_in_flight: Option<u16>,
    /// The share of its traffic that it may have while it is young, 0 to 1.
    pub warm_up: f64,
    /// For how many seconds more it is out.
    #[schema(required)]
    pub ejected_for_s: Option<f64>,
    /// Its share of the requests of the last five minutes, 0 to 1.
    pub share: f64,
    /// The share it would have if all were alike.
    pub due_share: f64,
    /// Requests sent there so far.
    pub requests: u64,
    /// How many of them failed.
    pub failures: u64,
    /// It gets little because it is slow or fails: somebody should look.
    pub is_outlier: bool,
    /// No connection can be made to it from here.
    pub is_unreachable: bool,
}
