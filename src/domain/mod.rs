//! The rules of the social network: plain functions over a transaction.
//!
//! Knows records and tables; must not know HTTP, the wall clock, randomness
//! or any task. What they need of the outside comes in as arguments.

pub mod account;
pub mod announcement;
pub mod attribution;
pub mod cache;
pub mod card;
pub mod census;
pub mod conversation;
pub mod delivery;
pub mod directory;
pub mod domain_block;
pub mod emoji;
pub mod fan_out;
pub mod filter;
pub mod inbox;
pub mod interaction;
pub mod list;
pub mod mail;
pub mod marker;
pub mod media;
pub mod message;
pub mod moderation;
pub mod notification;
pub mod oauth;
pub mod page;
pub mod password;
pub mod poll;
mod portrait;
pub mod push;
pub mod quote;
pub mod relation;
pub mod remote;
pub mod scheduled;
pub mod search;
pub mod secret;
pub mod session;
pub mod severance;
pub mod status;
pub mod tag;
pub mod thread;
pub mod throttle;
pub mod timeline;
pub mod tombstone;
pub mod trends;
pub mod user;
pub mod visibility;
pub mod webhook;

#[cfg(test)]
mod testing;
