//! What may be chosen about forwarding, and the limits that may not.

use std::time::Duration;

use ipnet::IpNet;

use crate::proxy::Policy;

/// A body up to this size is kept whole, so that it can be sent again.
pub const KEPT_BODY_MAX_BYTES: u64 = 64 * 1024;
/// How long a client may take for the head of a request once it began.
pub const HEAD_WAIT_MAX: Duration = Duration::from_secs(30);
/// How long a client's connection may rest between two requests.
pub const REST_MAX: Duration = Duration::from_secs(75);
/// How long a body may stand still, in either direction, unless it is set
/// otherwise. However slow, what moves goes on.
pub const STALL_MAX: Duration = Duration::from_secs(60);
/// The same where pauses are usual: events, WebSocket.
pub const STREAM_STALL_MAX: Duration = Duration::from_secs(3600);
/// How long a connection to an upstream may rest before it is closed.
pub const UPSTREAM_REST_MAX: Duration = Duration::from_secs(60);
/// What may not be sent twice goes over a connection that rested no longer
/// than this, for an upstream that closes an old one at this very moment
/// would lose it.
pub const FRESH_REST_MAX: Duration = Duration::from_secs(1);
/// Resting connections of one worker to one upstream.
pub const UPSTREAM_RESTING_MAX: usize = 256;
/// Connections of clients to one proxy.
pub const CONNECTIONS_MAX: usize = 16_384;

/// How a proxy forwards.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who picks.
    pub policy: Policy,
    /// How long a connection to an upstream may take to be made.
    pub connect_timeout: Duration,
    /// How long an upstream may take until the head of its answer.
    pub answer_timeout: Duration,
    /// How long a body may stand still, in either direction.
    pub stall_timeout: Duration,
    /// The same where pauses are usual: events, WebSocket.
    pub stream_stall_timeout: Duration,
    /// Bytes of a request's body.
    pub body_max_bytes: u64,
    /// Proxies before this one, whose `Forwarded` and `X-Forwarded-*` are
    /// believed.
    pub trusted: Vec<IpNet>,
    /// What an upstream without traffic is asked, to learn whether it works.
    pub health_path: String,
    /// Whether a POST to this path with `Idempotency-Key` may be repeated: the
    /// upstream remembers the key, as the IETF's draft of that header says.
    pub keeps_key: fn(&[u8]) -> bool,
    /// How long requests under way may go on after the stop.
    pub grace: Duration,
    /// Threads that forward.
    pub workers: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            policy: Policy::P2c,
            connect_timeout: Duration::from_secs(2),
            answer_timeout: Duration::from_secs(60),
            stall_timeout: STALL_MAX,
            stream_stall_timeout: STREAM_STALL_MAX,
            body_max_bytes: 1 << 30,
            trusted: Vec::new(),
            health_path: "/healthz".to_owned(),
            keeps_key: |_| true,
            grace: Duration::from_secs(30),
            workers: 1,
        }
    }
}
