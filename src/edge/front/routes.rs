//! The nodes as the balancer has them.

use std::collections::HashMap;

use parking_lot::Mutex;
use rustls::pki_types::ServerName;

use super::{Front, MYSELF};
use crate::cluster::Peer;
use crate::proxy::Place;
use crate::proxy::forward::{Route, Speech, Target};

/// Who was there, to notice who began anew at the same address.
#[derive(Default)]
pub(super) struct Boots(Mutex<HashMap<String, u64>>);

impl Boots {
    /// Notes who is there; gives the addresses at which a process began anew.
    fn note(&self, peers: &[&Peer]) -> Vec<String> {
        let mut boots = self.0.lock();
        let is_new = |peer: &&&Peer| boots.get(&peer.address).is_some_and(|boot| *boot != peer.boot);
        let anew = peers.iter().filter(is_new).map(|peer| peer.address.clone()).collect();
        // One that is listed by hand has no name while its row is missing.
        boots.retain(|address, _| peers.iter().any(|peer| peer.address == *address));
        let named = peers.iter().filter(|peer| peer.boot != 0);
        boots.extend(named.map(|peer| (peer.address.clone(), peer.boot)));
        anew
    }
}

/// One for each address: where two processes say that they are, the dead one
/// is the one that is longer there.
pub(super) fn distinct(peers: &[Peer]) -> Vec<&Peer> {
    let mut found: Vec<&Peer> = Vec::new();
    for peer in peers {
        match found.iter_mut().find(|other| other.address == peer.address) {
            None => found.push(peer),
            Some(other) if !other.is_me && (peer.is_me || peer.age < other.age) => *other = peer,
            Some(_) => {}
        }
    }
    found
}

impl Front {
    /// Takes in who is there: this node and the others.
    pub(super) fn follow(&self, peers: &[Peer]) {
        let peers = distinct(peers);
        let anew = self.boots.note(&peers);
        if !anew.is_empty() {
            // What is known of the process that was there says nothing of the
            // one that is.
            let staying: Vec<&Peer> =
                peers.iter().filter(|peer| !anew.contains(&peer.address)).copied().collect();
            self.shared.set_routes(self.routes(&staying));
        }
        let routes = self.routes(&peers);
        let has_others = routes.len() > 1;
        self.shared.set_routes(routes);
        for peer in peers.iter().filter(|peer| peer.is_draining && !peer.is_me) {
            self.shared.balancer.drain(self.shared.now(), &peer.address);
        }
        if self.load.is_draining() {
            let me = peers.iter().find(|peer| peer.is_me).map_or(MYSELF, |me| &me.address);
            self.shared.balancer.drain(self.shared.now(), me);
        }
        self.has_others.store(has_others, std::sync::atomic::Ordering::Relaxed);
    }

    fn routes(&self, peers: &[&Peer]) -> Vec<Route> {
        let mut routes: Vec<Route> = peers.iter().map(|peer| self.route(peer)).collect();
        if !peers.iter().any(|peer| peer.is_me) {
            routes.push(self.route_here(MYSELF));
        }
        routes
    }

    fn route(&self, peer: &Peer) -> Route {
        if peer.is_me {
            return self.route_here(&peer.address);
        }
        // It is known by its key; the name is only what TLS wants one for.
        let name = ServerName::try_from("node.invalid").expect("that is a name");
        let speech = Speech::Tls(self.tls.client.clone(), name);
        self.route_to(&peer.address, speech)
    }

    fn route_to(&self, address: &str, speech: Speech) -> Route {
        let place = Place { name: address.into(), weight: 1, sticky: self.sticky.number(address) };
        Route { place, target: Target::new(address.to_owned(), speech) }
    }

    fn route_here(&self, name: &str) -> Route {
        self.route_to(name, Speech::Pipe(self.opener()))
    }
}
