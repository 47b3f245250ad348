//! The nodes as the balancer has them.

use std::collections::HashMap;

use parking_lot::Mutex;
use rustls::pki_types::ServerName;

use super::{Front, MYSELF};
use crate::cluster::Peer;
use crate::proxy::Place;
use crate::proxy::forward::{Route, Speech, Target};

/// Who was there, to notice who began anew at the same address, and who is
/// gone without a word.
#[derive(Default)]
pub(super) struct Boots(Mutex<HashMap<String, Known>>);

struct Known {
    boot: u64,
    /// It said that it goes, or is this process, whatever its row says.
    ends_well: bool,
}

/// What is new of those who were there.
#[derive(Default)]
struct News {
    /// Addresses at which a process began anew.
    anew: Vec<String>,
    /// Addresses at which nobody lives any more who would have said goodbye.
    lost: Vec<String>,
}

impl Boots {
    /// Notes who is there.
    fn note(&self, peers: &[&Peer]) -> News {
        let mut known = self.0.lock();
        let mut news = News::default();
        for (address, one) in known.iter() {
            // One that is listed by hand has no name while its row is missing.
            let there = peers.iter().find(|peer| peer.address == *address);
            if there.is_some_and(|peer| peer.boot == one.boot) {
                continue;
            }
            if there.is_some_and(|peer| peer.boot != 0) {
                news.anew.push(address.clone());
            }
            if !one.ends_well {
                news.lost.push(address.clone());
            }
        }
        known.retain(|address, _| peers.iter().any(|peer| peer.address == *address));
        for peer in peers.iter().filter(|peer| peer.boot != 0) {
            let ends_well = peer.is_draining || peer.is_me;
            known.insert(peer.address.clone(), Known { boot: peer.boot, ends_well });
        }
        news
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
        let News { anew, lost } = self.boots.note(&peers);
        // Said before they leave the list: what is under way there is given up.
        lost.iter().for_each(|address| self.shared.balancer.set_lost(address, true));
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
        for peer in peers.iter().filter(|peer| peer.boot != 0) {
            self.shared.balancer.set_lost(&peer.address, false);
        }
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
