//! Sockets that serve: binding them with clear refusals, HTTP/1.1 and HTTP/2
//! over TLS or in the clear, the redirect from port 80, a clean stop.
//!
//! Hands requests to an axum `Router`; must not know what the routes do.

mod bind;
mod leftover;
mod redirect;
mod serve;
mod stall;
#[cfg(test)]
mod tests;

pub use bind::{Bound, bind};
pub use leftover::LEFTOVER_MAX;
pub use redirect::{Challenges, OwnName, redirect_router};
pub use serve::{
    CONNECTIONS_MAX, CONNECTIONS_PER_CLIENT_MAX, HANDSHAKE_MAX, HEAD_WAIT_MAX, HEADERS_MAX,
    HEADERS_MAX_BYTES, IDLE_MAX, Keep, STALL_MAX, STREAMS_MAX, Transport, serve, serve_known,
    serve_lingering, serve_pipe,
};
