//! What the balancer must know of a request. Nothing in it is private.

use super::Tick;

/// How often one request is sent at most: once, two retries, one hedge.
pub const TRIES_MAX: usize = 4;

/// The upstreams that this request was sent to already.
#[derive(Clone, Copy, Debug, Default)]
pub struct Avoid {
    ids: [u32; TRIES_MAX],
    len: u8,
}

impl Avoid {
    /// Adds one; what is beyond [`TRIES_MAX`] is not remembered.
    pub(super) fn add(&mut self, id: u32) {
        if let Some(place) = self.ids.get_mut(usize::from(self.len)) {
            *place = id;
            self.len += 1;
        }
    }

    pub(super) fn has(&self, id: u32) -> bool {
        self.ids.iter().take(usize::from(self.len)).any(|known| *known == id)
    }

    /// How many were tried.
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether this is the first try.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A request that wants an upstream.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Doing it twice is as good as once: GET, HEAD, OPTIONS, PUT, DELETE,
    /// a POST with an `Idempotency-Key` that is kept or to an ActivityPub inbox.
    pub is_idempotent: bool,
    /// The body is kept whole (64 KiB or less), so it can be sent again.
    pub is_replayable: bool,
    /// An answer without end (SSE, WebSocket) is expected: never hedged.
    pub is_streaming: bool,
    /// When the client's patience ends.
    pub deadline: Tick,
    /// Hash of the client's address, for `ip_hash`.
    pub address_hash: u64,
    /// Hash of the path and query, for `url_hash`.
    pub url_hash: u64,
    /// What the sticky cookie says, for `sticky_cookie`.
    pub sticky: Option<u64>,
    /// Where it was sent already.
    pub tried: Avoid,
}

impl Ask {
    /// A request that may be sent again, with nothing to hash.
    pub fn new(deadline: Tick) -> Ask {
        Ask {
            is_idempotent: true,
            is_replayable: true,
            is_streaming: false,
            deadline,
            address_hash: 0,
            url_hash: 0,
            sticky: None,
            tried: Avoid::default(),
        }
    }

    pub(super) fn may_use(&self, id: u32) -> bool {
        !self.tried.has(id)
    }
}
