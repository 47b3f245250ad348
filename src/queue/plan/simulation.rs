//! A small world of servers, a fifth of them dead: what the rest notices.

use std::collections::BTreeMap;

use super::tests::{NewJob, START, World};
use super::*;
use crate::base::FixedChance;
use crate::queue::{FailureKind, Outcome};

const DESTINATIONS: u32 = 100;
const DEAD: u32 = 20;
const SLOTS_HERE: usize = 64;
const SPAN_S: u64 = 120;
const JOBS_PER_S: u64 = 60;
const HANG: Duration = Duration::from_secs(10);

/// One delivery on offer.
#[derive(Clone, Copy)]
struct Offer {
    at: Timestamp,
    destination: u32,
}

fn offers(chance: &FixedChance) -> Vec<Offer> {
    (0..SPAN_S * JOBS_PER_S)
        .map(|number| Offer {
            at: START.plus(Duration::from_millis(number * 1000 / JOBS_PER_S)),
            destination: 1 + chance.below(u64::from(DESTINATIONS)) as u32,
        })
        .collect()
}

fn is_dead(destination: u32, dead: u32) -> bool {
    destination <= dead
}

/// Round trip of a healthy server: around 120 ms, sometimes much more.
fn round_trip(chance: &FixedChance) -> Duration {
    let tail = if chance.below(50) == 0 { 300.0 } else { 0.0 };
    Duration::from_secs_f64((60.0 + 120.0 * chance.unit() + tail) / 1000.0)
}

/// The 99th percentile in seconds.
fn p99(mut waits_s: Vec<f64>) -> f64 {
    waits_s.sort_by(f64::total_cmp);
    waits_s[waits_s.len() * 99 / 100]
}

/// Healthy deliveries' p99 under the scheduler, and attempts to dead ones.
fn scheduled(dead: u32, seed: u64) -> (f64, usize) {
    let chance = FixedChance::new(seed);
    let offers = offers(&chance);
    let mut world = World::new(SLOTS_HERE, seed ^ 1);
    let mut ends: BTreeMap<(Timestamp, Ticket), ()> = BTreeMap::new();
    let mut known: BTreeMap<Ticket, ()> = BTreeMap::new();
    let (mut waits, mut to_dead) = (Vec::new(), 0);
    let mut offers = offers.into_iter().peekable();
    loop {
        for (ticket, start) in &world.running {
            if known.insert(*ticket, ()).is_none() {
                let dead = is_dead(start.key.destination.0, dead);
                to_dead += usize::from(dead);
                let span = if dead { HANG } else { round_trip(&chance) };
                ends.insert((world.now.plus(span), *ticket), ());
            }
        }
        let next_offer = offers.peek().map(|offer| offer.at);
        let next_end = ends.keys().next().copied();
        let next =
            next_offer.into_iter().chain(next_end.map(|end| end.0)).chain([world.plan.next_wake()]).min();
        let Some(next) = next.filter(|at| at.since(START) < Duration::from_secs(SPAN_S + 30)) else { break };
        world.advance(next.since(world.now));
        if let Some((at, ticket)) = next_end
            && at <= world.now
        {
            ends.remove(&(at, ticket));
            let start = &world.running[&ticket];
            if is_dead(start.key.destination.0, dead) {
                world.finish(ticket, Outcome::failed(FailureKind::Timeout, 0, "timeout"));
            } else {
                waits.push(world.now.since(start.row.created_at).as_secs_f64());
                world.finish(ticket, Outcome::Done);
            }
        }
        while let Some(offer) = offers.next_if(|offer| offer.at <= world.now) {
            world.add(&NewJob { destination: offer.destination, lane: Lane::Fresh, sender: 1, order: 0 });
        }
    }
    let healthy_left = world.ready.keys().filter(|key| !is_dead(key.destination.0, dead)).count();
    assert_eq!(healthy_left, 0, "healthy deliveries were left (seed {seed})");
    (p99(waits), to_dead)
}

/// The same with one shared queue, first in first out, failures put back.
fn shared_fifo(dead: u32, seed: u64) -> f64 {
    let chance = FixedChance::new(seed);
    let mut offers = offers(&chance).into_iter().peekable();
    let mut queue: VecDeque<Offer> = VecDeque::new();
    let mut retries: BTreeMap<(Timestamp, u64), Offer> = BTreeMap::new();
    let mut ends: BTreeMap<(Timestamp, u64), Offer> = BTreeMap::new();
    let (mut now, mut number, mut waits) = (START, 0, Vec::new());
    while now.since(START) < Duration::from_secs(SPAN_S + 30) {
        while let Some(offer) = offers.next_if(|offer| offer.at <= now) {
            queue.push_back(offer);
        }
        while let Some(entry) = retries.first_entry().filter(|entry| entry.key().0 <= now) {
            queue.push_back(entry.remove());
        }
        while let Some(entry) = ends.first_entry().filter(|entry| entry.key().0 <= now) {
            let offer = entry.remove();
            if is_dead(offer.destination, dead) {
                number += 1;
                retries.insert((now.plus(Duration::from_secs(15)), number), offer);
            } else {
                waits.push(now.since(offer.at).as_secs_f64());
            }
        }
        while ends.len() < SLOTS_HERE
            && let Some(offer) = queue.pop_front()
        {
            number += 1;
            let span = if is_dead(offer.destination, dead) { HANG } else { round_trip(&chance) };
            ends.insert((now.plus(span), number), offer);
        }
        now = now.plus(Duration::from_millis(10));
    }
    p99(waits)
}

#[test]
fn dead_servers_are_not_noticed_by_the_others() {
    for seed in [11, 12] {
        let (baseline, _) = scheduled(0, seed);
        let (with_dead, to_dead) = scheduled(DEAD, seed);
        let fifo = shared_fifo(DEAD, seed);
        println!(
            "seed {seed}: healthy p99 {baseline:.3} s alone, {with_dead:.3} s beside {DEAD} dead, {fifo:.1} s in one \
             shared queue; {to_dead} attempts to the dead"
        );
        assert!(with_dead < 1.25 * baseline + 0.02, "seed {seed}: {with_dead} s beside {baseline} s");
        assert!(fifo > 10.0 * with_dead, "seed {seed}: a shared queue should suffer: {fifo} s");
        assert!(to_dead < 8 * DEAD as usize, "seed {seed}: {to_dead} attempts to dead servers");
    }
}
