//! What is remembered of each place that jobs go to.

use minicbor::{Decode, Encode};

use super::{DestinationId, InboxId};
use crate::base::Timestamp;
use crate::store::Record;

/// What sort of place it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum Class {
    /// Another server: has a breaker, a rate, a growing concurrency.
    #[n(0)]
    #[default]
    Remote,
    /// Our own work; a fixed concurrency and no breaker.
    #[n(1)]
    Local,
    /// Activities from one host, waiting to be acted on.
    #[n(2)]
    Ingress,
    /// A push service: another server like any, but none that people are on.
    #[n(3)]
    Push,
    /// The host of a webhook.
    #[n(4)]
    Webhook,
    /// The mail server.
    #[n(5)]
    Mail,
    /// A host whose pages and files are read; no server of people, as far as
    /// that says.
    #[n(6)]
    Web,
}

impl Class {
    /// All.
    pub const ALL: [Class; 7] =
        [Class::Remote, Class::Local, Class::Ingress, Class::Push, Class::Webhook, Class::Mail, Class::Web];

    /// Its name in JSON and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Remote => "remote",
            Class::Local => "local",
            Class::Ingress => "ingress",
            Class::Push => "push",
            Class::Webhook => "webhook",
            Class::Mail => "mail",
            Class::Web => "web",
        }
    }

    /// Whether it is reached over the network, and so may fail.
    pub const fn is_remote(self) -> bool {
        !matches!(self, Class::Local | Class::Ingress)
    }
}

/// Whether jobs may go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum Breaker {
    /// They may.
    #[n(0)]
    #[default]
    Closed,
    /// Not before `open_until`.
    #[n(1)]
    Open,
    /// One at a time, to see.
    #[n(2)]
    HalfOpen,
    /// Only failures for 48 hours: one probe every 6 hours.
    #[n(3)]
    Dormant,
    /// Only failures for 7 days, or said to be gone: one probe a week.
    #[n(4)]
    Dead,
}

impl Breaker {
    /// Its name in metrics and for the admin.
    pub const fn name(self) -> &'static str {
        match self {
            Breaker::Closed => "closed",
            Breaker::Open => "open",
            Breaker::HalfOpen => "half_open",
            Breaker::Dormant => "dormant",
            Breaker::Dead => "dead",
        }
    }
}

/// How requests to a host are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum SignatureProfile {
    /// draft-cavage-http-signatures-12, which every server reads.
    #[n(0)]
    #[default]
    Cavage,
    /// RFC 9421, once the host was seen to accept it.
    #[n(1)]
    Rfc9421,
}

/// A destination as kept between restarts.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Default)]
pub struct Destination {
    /// Host, with the port unless it is the usual one.
    #[n(0)]
    pub authority: String,
    /// What sort of place it is.
    #[n(1)]
    pub class: Class,
    /// Whether jobs may go there.
    #[n(2)]
    pub breaker: Breaker,
    /// Failures in a row.
    #[n(3)]
    pub failures: u32,
    /// Timeouts in a row.
    #[n(4)]
    pub timeouts: u32,
    /// When the current run of failures began.
    #[n(5)]
    pub failing_since: Option<Timestamp>,
    /// The next probe, unless closed.
    #[n(6)]
    pub open_until: Option<Timestamp>,
    /// How often it opened since it was last well.
    #[n(7)]
    pub opens: u8,
    /// How many requests may be under way at once; grows with success.
    #[n(8)]
    pub cap: f32,
    /// Requests a second.
    #[n(9)]
    pub rate: f32,
    /// Smoothed round-trip time in ms (RFC 6298), 0 if never measured.
    #[n(10)]
    pub rtt_ms: f32,
    /// Its variation in ms.
    #[n(11)]
    pub rtt_variation_ms: f32,
    /// The last success.
    #[n(12)]
    pub last_ok: Option<Timestamp>,
    /// How to sign.
    #[n(13)]
    pub profile: SignatureProfile,
    /// When that was last seen to work.
    #[n(14)]
    pub profile_seen: Option<Timestamp>,
    /// Software name by NodeInfo.
    #[n(15)]
    pub software: Option<String>,
    /// It asked for quiet (429) until then.
    #[n(17)]
    pub paused_until: Option<Timestamp>,
    /// 429 answers in a row.
    #[n(18)]
    pub throttles: u8,
    /// Since when its name does not resolve.
    #[n(19)]
    pub unresolved_since: Option<Timestamp>,
    /// Good probes since it reopened.
    #[n(20)]
    pub good_probes: u8,
    /// What the last failure was.
    #[n(21)]
    pub cause: String,
    /// When something last went there or, if nothing did yet, was first to go.
    #[n(23)]
    pub used_at: Option<Timestamp>,
    // 16 and 22 were written once; what they were for is in tables of its own.
}

impl Record for Destination {}

/// Where an inbox URL leads.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct InboxRef {
    /// The inbox.
    #[n(0)]
    pub inbox: InboxId,
    /// Its destination.
    #[n(1)]
    pub destination: DestinationId,
    /// When it said that it is gone (410).
    #[n(2)]
    pub gone_at: Option<Timestamp>,
}

impl Record for InboxRef {}

/// An inbox.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Inbox {
    /// Where it is.
    #[n(0)]
    pub url: String,
    /// Whose it is.
    #[n(1)]
    pub destination: DestinationId,
    /// Whether it is the one for everybody there.
    #[n(2)]
    #[cbor(default)]
    pub is_shared: bool,
}

impl Record for Inbox {}
