//! The directives of nodes that share a database: `node_listen`,
//! `node_address`, `peers` and `balance`.

use std::net::SocketAddr;

use super::address;
use super::complaint::{Fault, excerpt};
use super::draft::Word;
use super::settings::{Node, StoreChoice, everywhere};
use super::value;
use super::wanted::{Wanted, WantedStore};

/// The directives of this file.
pub(super) const NAMES: [&str; 4] = ["node_listen", "node_address", "peers", "balance"];
/// The ways to choose the node that answers, the default first; the balancer
/// (`proxy::Policy`) has the same names.
pub const BALANCE: [&str; 13] = [
    "p2c",
    "netflix",
    "round_robin",
    "weighted_round_robin",
    "least_connections",
    "weighted_least_connections",
    "ip_hash",
    "url_hash",
    "least_response_time",
    "sticky_cookie",
    "join_shortest_queue",
    "random",
    "p2c_in_flight",
];
/// Where other nodes reach this one, unless another port is named.
const PORT: u16 = 7443;

/// Address and port of a node: `10.0.0.2:7443`, `node2.internal:7443`.
pub(super) fn address(word: &Word) -> Result<String, Fault> {
    let text = word.text.as_str();
    let fault = || {
        let what = format!("`{}` is not the address of a node", excerpt(text));
        Fault::new(what, "it is a host and a port", "write one like `10.0.0.2:7443` or `node2.internal:7443`")
    };
    if let Ok(socket) = text.parse::<SocketAddr>() {
        let is_reachable = !socket.ip().is_unspecified() && socket.port() != 0;
        return if is_reachable { Ok(socket.to_string()) } else { Err(fault()) };
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(fault)?;
    let host = address::canonical_host(host).ok_or_else(fault)?;
    match address::parse_port(port)? {
        0 => Err(fault()),
        port => Ok(format!("{host}:{port}")),
    }
}

/// The name of a way to choose. Words and hyphens are as good as underscores.
pub(super) fn balance(word: &Word) -> Result<&'static str, Fault> {
    let choices = BALANCE.map(|name| (name, name));
    let spelt = Word { text: word.text.replace('-', "_"), ..word.clone() };
    value::choice(&spelt, &choices)
}

/// What holds for this node.
pub(super) fn settings(wanted: &Wanted) -> Node {
    Node {
        listen: wanted.node_listen.clone().unwrap_or_else(|| everywhere(PORT)),
        may_move: wanted.node_listen.is_none() && wanted.node_address.is_none(),
        address: wanted.node_address.clone(),
        peers: wanted.peers.clone(),
        balance: wanted.balance.unwrap_or(BALANCE[0]),
    }
}

/// What is wrong about a directive of nodes with this store.
pub(super) fn conflict(name: &str, wanted: &Wanted) -> Option<Fault> {
    let what = match wanted.store.as_ref()? {
        WantedStore::Postgres(_) => return None,
        WantedStore::File(_) => "a store in one file belongs to one node",
        WantedStore::Memory => "a store in memory belongs to one node",
    };
    let fix = "write the same `store postgres://…` on every node (`waxwing backup` and `waxwing restore` move \
               what is there), or remove this line";
    Some(Fault::new(format!("`{name}` is for several nodes"), what, fix))
}

/// Whether the directives of this file mean anything.
pub(super) fn is_shared(store: &StoreChoice) -> bool {
    matches!(store, StoreChoice::Postgres(_))
}
