//! Forwarding: HTTP in, HTTP out, with the balancer between. Knows sockets and
//! both versions of HTTP; must not know handlers, the store, or what is
//! forwarded.
//!
//! A request over HTTP/1.1 takes the short way: its head is read strictly
//! from the bytes that came ([`head`]), written anew ([`outgoing`]), and the
//! answer goes back in the same task, over a connection that this thread keeps
//! ([`worker`]). HTTP/2 is translated into the same text ([`http2`]).

mod answer;
mod body;
mod buffer;
mod client;
mod exchange;
mod field;
mod head;
mod health;
mod http2;
mod io;
mod link;
mod outgoing;
mod patience;
mod refusal;
mod relay;
mod serve;
mod server;
mod settings;
mod target;
mod timer;
mod tunnel;
mod upload;
mod worker;

pub use head::{HEAD_MAX_BYTES, HEADERS_MAX};
pub use health::{look_after, resolve};
pub use http2::{AnswerBody, Caller, forward};
pub use refusal::Refusal;
pub use server::{Proxy, Route, shared};
pub use settings::*;
pub use target::{Speech, Target};
pub use worker::{Shared, Worker};
