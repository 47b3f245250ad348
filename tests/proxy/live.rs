//! The live experiment of `examples/balance_live`, short: servers that stand
//! still, are slow, start cold and fail, and how many requests are lost.

#![allow(dead_code)] // the servers serve the example, too

#[path = "../../examples/faulty/mod.rs"]
mod faulty;

use std::time::{Duration, Instant};

use faulty::{Faults, Peer, load};
use tokio::net::TcpListener;
use waxwing::proxy::Policy;
use waxwing::proxy::forward::Settings;

use super::kit::*;

/// Seconds of each run; the faults come as much closer together.
const SPAN_S: f64 = 6.0;
const WHOLE_S: f64 = 45.0;
/// A quarter of the whole experiment's load, on a quarter of its servers.
const PER_SECOND: f64 = 260.0;

/// Requests that failed, that were sent, and that the servers saw.
async fn run(policy: Policy) -> (usize, usize, u64) {
    let began = Instant::now();
    let mut peers = Vec::new();
    let mut addresses = Vec::new();
    // The slow one, the one that fails, a cold one, and one that only stalls.
    for number in [1, 3, 6, 0] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        let faults = Faults { stall_s: 0.75, ..Faults::of(number, SPAN_S / WHOLE_S) };
        let peer = Peer::new(began, faults);
        peers.push(peer.clone());
        tokio::spawn(peer.serve(listener));
    }
    let front = Front::with(Settings { policy, ..Settings::default() }, addresses).await;
    let span = Duration::from_secs_f64(SPAN_S);
    let tally = within("the load", load(&[front.address], PER_SECOND, began, span, 1)).await;
    let seen = peers.iter().map(|peer| peer.seen.load(std::sync::atomic::Ordering::Relaxed)).sum();
    (tally.failed(), tally.sent(), seen)
}

#[tokio::test]
async fn the_default_policy_loses_a_tenth_of_what_turns_lose() {
    let (turns, _, _) = run(Policy::RoundRobin).await;
    let (ours, sent, seen) = run(Policy::P2c).await;
    println!("round robin {turns}, p2c {ours} of {sent}, {seen} seen");
    assert!(turns > 50, "the faults bite: {turns}");
    assert!(ours * 5 <= turns, "p2c lost {ours}, round robin {turns} of {sent}");
    assert!(seen as f64 <= sent as f64 * 1.10 + 10.0, "{seen} requests for {sent}");
}
