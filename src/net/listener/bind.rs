//! Binding sockets, and saying plainly why one is refused.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::base::{Problem, ProblemKind};

/// Sockets that wait for connections, all on one port.
#[derive(Debug)]
pub struct Bound {
    pub(super) listeners: Vec<TcpListener>,
    port: u16,
}

impl Bound {
    /// The port, also when port 0 asked for any free one.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where connections are taken.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// The sockets.
    pub fn into_listeners(self) -> Vec<TcpListener> {
        self.listeners
    }
}

/// Binds every address, or, where the port is refused (no permission, in
/// use), all of them on `fallback_port`. An address of a family that this
/// machine lacks is skipped as long as another one works.
///
/// # Errors
/// A [`Problem`] that names the port and what to do.
pub async fn bind(addresses: &[SocketAddr], fallback_port: Option<u16>) -> Result<Bound, Problem> {
    let (address, error) = match bind_all(addresses).await {
        Ok(bound) => return Ok(bound),
        Err(refused) => refused,
    };
    let is_refused = matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::AddrInUse);
    let Some(port) = fallback_port.filter(|port| is_refused && *port != address.port()) else {
        return Err(explain(address, &error));
    };
    let moved: Vec<SocketAddr> = addresses.iter().map(|a| SocketAddr::new(a.ip(), port)).collect();
    match bind_all(&moved).await {
        Ok(bound) => {
            tracing::info!(wanted = address.port(), port, "port {} is refused, using {port}", address.port());
            Ok(bound)
        }
        Err((next, error)) => {
            let mut problem = explain(next, &error);
            problem.detail = format!("port {} is refused, and {}", address.port(), problem.detail);
            Err(problem)
        }
    }
}

async fn bind_all(addresses: &[SocketAddr]) -> Result<Bound, (SocketAddr, io::Error)> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut missing = None;
    let mut port = None;
    for address in addresses {
        // Port 0 gives each socket its own; the first one's is used for all.
        let address = SocketAddr::new(address.ip(), port.unwrap_or(address.port()));
        match bind_one(address).await {
            Ok(mut bound) => {
                port = bound.first().and_then(|l| l.local_addr().ok()).map(|a| a.port());
                listeners.append(&mut bound);
            }
            Err(error) if lacks_family(&error) => missing = Some((address, error)),
            Err(error) => return Err((address, error)),
        }
    }
    match (port, missing) {
        (Some(port), _) => Ok(Bound { listeners, port }),
        (None, Some(refused)) => Err(refused),
        (None, None) => {
            let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
            Err((nowhere, io::Error::new(ErrorKind::InvalidInput, "no address to listen on")))
        }
    }
}

/// `[::]` stands for IPv4 too. Most systems do that with one socket; on the
/// others the second one succeeds, and without IPv6 it is the only one.
async fn bind_one(address: SocketAddr) -> io::Result<Vec<TcpListener>> {
    let first = TcpListener::bind(address).await;
    if address.ip() != IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED) {
        return Ok(vec![first?]);
    }
    let port = match &first {
        Ok(listener) => listener.local_addr()?.port(),
        Err(error) if lacks_family(error) => address.port(),
        Err(_) => return Ok(vec![first?]),
    };
    let second = TcpListener::bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)).await;
    match (first, second) {
        (Ok(first), second) => Ok(std::iter::once(first).chain(second.ok()).collect()),
        (Err(_), second) => Ok(vec![second?]),
    }
}

fn lacks_family(error: &io::Error) -> bool {
    // `Uncategorized` is EAFNOSUPPORT, which std does not name.
    let is_unsupported = error.raw_os_error().is_some_and(|code| matches!(code, 97 | 47 | 10047));
    error.kind() == ErrorKind::AddrNotAvailable || error.kind() == ErrorKind::Unsupported || is_unsupported
}

fn explain(address: SocketAddr, error: &io::Error) -> Problem {
    let port = address.port();
    let (detail, hint) = match error.kind() {
        ErrorKind::AddrInUse => (
            format!("port {port} is in use by another program"),
            format!("Stop that program (`ss -ltnp 'sport = :{port}'` shows it), or choose another port."),
        ),
        ErrorKind::PermissionDenied => (
            format!("port {port} may not be opened by this user"),
            "Allow it once with `sudo setcap cap_net_bind_service=+ep` and the path of the program, or choose \
             a port above 1023."
                .to_owned(),
        ),
        ErrorKind::AddrNotAvailable => (
            format!("this machine does not have the address {}", address.ip()),
            "Listen on an address of this machine, or on all of them by naming only the port.".to_owned(),
        ),
        _ => (format!("cannot listen on {address}: {error}"), "Choose another address or port.".to_owned()),
    };
    Problem::new(ProblemKind::Unavailable, detail).hint(hint)
}
