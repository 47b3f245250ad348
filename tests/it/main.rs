//! End-to-end tests: the parts together, in memory or over sockets on loopback.
#![allow(clippy::disallowed_methods)] // tests live in real time and may ask the environment
#![allow(clippy::unwrap_used)] // a test that unwraps nothing has failed, which is its job
#![allow(unreachable_pub)] // there is nobody outside to reach a test

mod acme;
mod api;
mod bad_input;
mod federation;
mod golden_wire;
mod kit;
mod leaks;
mod mails;
mod round_trips;
mod s3;
mod scale_out;
mod web;
