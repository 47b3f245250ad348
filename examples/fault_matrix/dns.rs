//! A resolver whose answers can be changed: `p12.fleet.test` is peer 12.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use waxwing::net::client::Resolver;

/// What the resolver says.
#[derive(Debug, Clone, Default)]
pub(crate) enum Dns {
    #[default]
    Well,
    /// These peers have no name any more.
    Unknown(std::ops::Range<u32>),
    /// It is in trouble itself.
    Down,
}

/// The names of a fleet.
#[derive(Clone, Default)]
pub(crate) struct Names {
    pub(crate) addresses: Arc<Mutex<Vec<IpAddr>>>,
    pub(crate) state: Arc<Mutex<Dns>>,
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let unknown = || io::Error::new(io::ErrorKind::NotFound, "no such name");
        let number = host.strip_prefix('p').and_then(|rest| rest.strip_suffix(".fleet.test"));
        let number: u32 = number.and_then(|digits| digits.parse().ok()).ok_or_else(unknown)?;
        match &*self.state.lock() {
            Dns::Down => return Err(io::Error::other("the resolver failed")),
            Dns::Unknown(range) if range.contains(&number) => return Err(unknown()),
            _ => {}
        }
        self.addresses.lock().get(number as usize).map(|address| vec![*address]).ok_or_else(unknown)
    }
}
