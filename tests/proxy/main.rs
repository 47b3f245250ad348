//! The proxy over real sockets: what it passes on, what it refuses, and what
//! it does when upstreams fail. Loopback only.
#![allow(clippy::disallowed_methods)] // tests live in real time
#![allow(clippy::unwrap_used)] // a test that unwraps nothing has failed, which is its job
#![allow(unreachable_pub)] // there is nobody outside to reach a test

mod failure;
mod http2;
mod kit;
mod live;
mod pass;
mod refuse;
mod slow;
