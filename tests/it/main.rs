//! End-to-end tests: the parts together, over real sockets on loopback.
#![allow(clippy::disallowed_methods)] // tests live in real time and may ask the environment

mod acme;
