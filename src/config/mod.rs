//! Settings: two spellings of one file → [`Draft`](draft::Draft) → [`Config`], or every complaint at once.
//!
//! Must not know the store, the network, HTTP or the clock, and asks no environment: what
//! it needs of that comes in as an `Environment`.

mod address;
mod complaint;
pub mod draft;
mod settings;

pub use address::{Address, Origin, Scheme};
pub use complaint::{COMPLAINTS_MAX, Complaint, Complaints, Fault};
pub use draft::Place;
pub use settings::{
    Acme, AuthorizedFetch, Challenge, Config, Delivery, LogFormat, LogLevel, Outbound, Registration,
    StoreChoice, Tls,
};
