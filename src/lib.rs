#![doc = include_str!("ARCHITECTURE.md")]

pub mod app;
pub mod base;
pub mod bench;
pub mod cluster;
pub mod config;
pub mod domain;
pub mod edge;
pub mod model;
pub mod net;
pub mod proxy;
pub mod queue;
pub mod search;
pub mod store;
pub mod wire;
