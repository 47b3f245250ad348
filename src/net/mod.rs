//! The network: the guarded outbound client, TLS and certificates, the
//! listeners, the streaming hub, and where files are kept.
//!
//! Knows sockets and protocols; must not know pages, API routes or the rules
//! of the social network. Only this room opens outbound connections.

pub mod acme;
pub mod address;
pub mod client;
pub mod files;
pub mod hub;
pub mod listener;
pub mod mail;
pub mod tls;
