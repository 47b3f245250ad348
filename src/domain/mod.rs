//! The rules of the social network: plain functions over a transaction.
//!
//! Knows records and tables; must not know HTTP, the wall clock, randomness
//! or any task. What they need of the outside comes in as arguments.

pub mod delivery;
pub mod page;
pub mod timeline;
pub mod visibility;
