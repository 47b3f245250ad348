//! Each group of the API as megalodon, a client library in Rust, sees it.
//! `tests/system/test_megalodon.py` starts a sandbox and runs this.
//!
//! What the library does wrong is called too, so that nobody has to wonder
//! whether it was forgotten, and says so where it is called.

mod kit;
mod notices;
mod oauth;
mod people;
mod posts;
mod reading;
mod server;
mod streams;
