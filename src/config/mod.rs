//! Settings: two spellings of one file → [`Draft`](draft::Draft) → [`Config`], or every complaint at once.
//!
//! [`load`] reads, [`adapt`] prints the effective config, and the table in `directives.rs`
//! is the one description of every setting. Must not know the store, the network, HTTP or
//! the clock, and asks no environment: what it needs of that comes in as an [`Environment`].

mod adapt;
mod address;
mod caddyfile;
mod complaint;
mod database;
mod directives;
pub mod draft;
mod environment;
mod line;
mod listing;
mod load;
mod mail;
mod media;
mod node;
mod rate;
mod resolve;
mod settings;
#[cfg(test)]
mod tests;
mod toml_file;
mod value;
mod wanted;

pub use adapt::adapt;
pub use address::{Address, Origin, Scheme};
pub use complaint::{COMPLAINTS_MAX, Complaint, Complaints, Fault, nearest};
pub use draft::Place;
pub use environment::{Environment, Overrides, Platform};
pub use listing::{listing, markdown_table};
pub use load::{CONFIG_MAX_BYTES, load, parse};
pub use node::BALANCE;
pub use settings::{
    Acme, AuthorizedFetch, Challenge, Config, Delivery, Federation, LogFormat, LogLevel, Mail, MailSecurity,
    MediaChoice, Outbound, Registration, S3, StoreChoice, Tls,
};
pub use value::listen_addresses;
