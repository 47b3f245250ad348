//! This server's place among others on the same database.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::base::{Chance, Clock, IdGenerator, Problem};
use crate::cluster::{About, Cluster, Member};
use crate::config::{Config, MediaChoice, StoreChoice};
use crate::net::listener::{Bound, bind};
use crate::store::Store;

/// The node number of a server that has its store for itself.
const ONLY_NODE: u8 = 0;

/// What the parts of a server need to know of its place.
pub(super) struct Node {
    pub(super) cluster: Cluster,
    pub(super) ids: Arc<IdGenerator>,
}

impl Node {
    /// Of a server that has its store for itself.
    pub(super) fn alone() -> Node {
        Node { cluster: Cluster::alone(), ids: Arc::new(IdGenerator::new(ONLY_NODE)) }
    }
}

/// A place among the nodes of a database.
pub(super) struct Place {
    cluster: Cluster,
    ids: Arc<IdGenerator>,
    member: Option<Member>,
    keeping: Option<(CancellationToken, JoinHandle<()>)>,
    /// Where other nodes are listened to, until somebody serves it.
    bound: Mutex<Option<Bound>>,
}

impl Place {
    /// Takes a place where the store is one that others may share.
    ///
    /// # Errors
    /// When no other node could reach this one, or there are too many.
    pub(super) async fn take(
        config: &Config,
        store: &Store,
        clock: &Arc<dyn Clock>,
        chance: &Arc<dyn Chance>,
    ) -> Result<Option<Place>, Problem> {
        let StoreChoice::Postgres(_) = config.store else { return Ok(None) };
        let bound = listen(config).await?;
        let about = About {
            address: address(config, &bound),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            peers: config.node.peers.clone(),
        };
        let at = about.address.clone();
        let member = Member::join(store.clone(), clock.clone(), chance.clone(), about).await?;
        let node = member.cluster().number();
        info!(node, "this is node {node} of those on the database; the others reach it at {at}");
        if !matches!(config.media, MediaChoice::S3(_)) {
            info!("files are kept in a folder; nodes on other machines need the same one, or `media s3://…`");
        }
        let (cluster, ids, bound) = (member.cluster(), member.ids(), Mutex::new(Some(bound)));
        Ok(Some(Place { cluster, ids, member: Some(member), keeping: None, bound }))
    }

    /// What parts of the server need of it.
    pub(super) fn node(&self) -> Node {
        Node { cluster: self.cluster.clone(), ids: self.ids.clone() }
    }

    /// The sockets on which other nodes are listened to; once.
    pub(super) fn bound(&self) -> Option<Bound> {
        self.bound.lock().take()
    }

    /// Gives signs of life until [`Place::leave`]; from `stop` on it takes
    /// nothing new.
    pub(super) fn keep(mut self, stop: &CancellationToken) -> Place {
        if let Some(member) = self.member.take() {
            let end = CancellationToken::new();
            let task = tokio::spawn(member.run(stop.clone(), end.clone()));
            self.keeping = Some((end, task));
        }
        self
    }

    /// Tells the others that this node is gone.
    pub(super) async fn leave(self) {
        let Some((end, task)) = self.keeping else { return };
        end.cancel();
        if task.await.is_err() {
            warn!("the task that gives signs of life had failed");
        }
    }
}

/// Listens for other nodes; on any free port where the usual one is taken
/// and nobody asked for it.
async fn listen(config: &Config) -> Result<Bound, Problem> {
    let wanted = &config.node.listen;
    match bind(wanted, None).await {
        Err(_) if config.node.may_move => {
            let anywhere: Vec<SocketAddr> = wanted.iter().map(|at| SocketAddr::new(at.ip(), 0)).collect();
            bind(&anywhere, None).await
        }
        bound => bound.map_err(|problem| problem.hint("name another address or port with `node_listen`")),
    }
}

/// Where others find us, as far as we can tell.
fn address(config: &Config, bound: &Bound) -> String {
    if let Some(address) = &config.node.address {
        return address.clone();
    }
    let ip = config.node.listen.first().map(SocketAddr::ip).filter(|ip| !ip.is_unspecified());
    SocketAddr::new(ip.unwrap_or_else(own_ip), bound.port()).to_string()
}

/// The address that this machine uses towards others; loopback without a
/// network. Nothing is sent: connecting a datagram socket only asks the table
/// of routes, and these two addresses are for documentation (RFC 5737, RFC
/// 3849).
fn own_ip() -> IpAddr {
    let v4 =
        (SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 9)));
    let documentation = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    let v6 = (SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)), SocketAddr::from((documentation, 9)));
    let own = |(from, to): (SocketAddr, SocketAddr)| {
        let socket = UdpSocket::bind(from).ok()?;
        socket.connect(to).ok()?;
        Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_unspecified())
    };
    [v4, v6].into_iter().find_map(own).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}
