//! Peers that a person listed, with what their rows say of them.

use super::Peer;

/// The listed peers in their order, each with what is known of it.
pub(super) fn listed(addresses: &[String], own_address: &str, found: &[Peer]) -> Vec<Peer> {
    let known = |address: &String| found.iter().find(|peer| peer.address == *address).cloned();
    let unknown = |address: &String| Peer {
        node: None,
        boot: 0,
        address: address.clone(),
        age: std::time::Duration::ZERO,
        is_draining: false,
        version: String::new(),
        load: crate::model::NodeLoad::default(),
        is_me: address == own_address,
    };
    let mut all: Vec<Peer> =
        addresses.iter().map(|address| known(address).unwrap_or_else(|| unknown(address))).collect();
    // The balancer has to know itself among them.
    if !all.iter().any(|peer| peer.is_me) {
        all.extend(found.iter().find(|peer| peer.is_me).cloned());
    }
    all
}
