//! Pure formats: what other servers and clients write, and what we write.
//!
//! Bytes in, values out, and back. Must not know the store or the network:
//! whoever fetches a document hands it in, whoever needs a key brings it.

pub mod activitypub;
pub mod host_meta;
pub mod html;
pub mod http_signature;
pub mod json;
pub mod mail;
pub mod mastodon;
pub mod media;
pub mod nodeinfo;
pub mod oembed;
pub mod page;
pub mod text;
pub mod web_push;
pub mod webfinger;
pub mod webhook;
