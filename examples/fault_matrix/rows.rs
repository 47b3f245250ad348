//! The children of F13: one fills a store with rows for dead servers, one
//! works over it, and over an empty one.

use std::path::Path;
use std::time::{Duration, Instant};

use waxwing::base::{Chance, Timestamp};
use waxwing::model::queue::tables::DESTINATION;
use waxwing::model::queue::{ActivityKind, Breaker, Destination, DestinationId, OrderKey};
use waxwing::store::{Scan, Store, StoreError};

use crate::Failure;
use crate::child::say;
use crate::measure::{micros, rss_mib};
use crate::sender::{inboxes, world};
use crate::world::{Post, World};

/// Destinations changed in one transaction.
const AT_ONCE: usize = 500;
/// Attempts at once of the product.
const SLOTS: u64 = 256;

/// An inbox where nobody listens.
pub(crate) fn nobody(number: u64) -> String {
    let [port, high, low] = [number / 62_500 + 2, number % 62_500 / 250, number % 250 + 1];
    format!("http://127.250.{high}.{low}:{port}/inbox")
}

/// So many rows for so many hosts that have failed for a while.
pub(crate) async fn fill(folder: &Path, rows: u64, hosts: u64) -> Result<(), Failure> {
    let world = world(folder, SLOTS, Store::open_redb(folder.join("waxwing.redb"))?).await?;
    let inboxes: Vec<String> = (0..hosts).map(nobody).collect();
    for sender in 0..(rows / hosts.max(1)) as usize {
        let post = Post { sender, kind: ActivityKind::Create, order: OrderKey::NONE, inboxes: &inboxes };
        world.post(&post).await?;
    }
    let now = world.clock.now();
    let mut after = DestinationId::LOCAL;
    loop {
        let page: Result<Vec<(DestinationId, Destination)>, StoreError> =
            world.store.read(move |tx| tx.scan(DESTINATION, Scan::all().after(&after).limit(AT_ONCE))).await;
        let Some((last, failed)) = page.map(|page| failed(&world, page, now))? else { break };
        after = last;
        let put = move |tx: &mut waxwing::store::WriteTx<'_>| {
            failed.iter().for_each(|(id, record)| tx.put(DESTINATION, id, record));
            Ok::<_, StoreError>(())
        };
        world.store.write(put).await?;
    }
    let rows = world.overview().await?.ready.iter().sum::<i64>();
    world.stop().await;
    say(&format!("filled {rows}"));
    Ok(())
}

type Page = Vec<(DestinationId, Destination)>;

/// The same hosts with an open breaker, to be probed some time in the next five minutes.
fn failed(world: &World, page: Page, now: Timestamp) -> Option<(DestinationId, Page)> {
    let last = page.last()?.0;
    let open = |(id, record): (DestinationId, Destination)| {
        let open_until = Some(now.plus(Duration::from_millis(world.chance.below(300_000))));
        let breaker = Breaker::Open;
        let failing_since = Some(now);
        (id, Destination { breaker, open_until, failing_since, failures: 5, opens: 4, ..record })
    };
    Some((last, page.into_iter().map(open).collect()))
}

/// Opens the store, sends a little to the parent's peers for so many seconds,
/// and says how much memory that took.
pub(crate) async fn hold(folder: &Path, seconds: u64, posts_per_s: u64) -> Result<(), Failure> {
    let begun = Instant::now();
    say(&format!("began {}", micros()));
    let store = Store::open_redb(folder.join("waxwing.redb"))?;
    say(&format!("opened {}", begun.elapsed().as_millis()));
    let world = world(folder, SLOTS, store).await?;
    world.number_from(begun.elapsed().subsec_nanos().into());
    world.work();
    let inboxes = inboxes(folder)?;
    let (mut most, mut sender, mut has_sent) = (0.0, 0, false);
    let working = Instant::now();
    while working.elapsed() < Duration::from_secs(seconds) {
        if !has_sent && world.watch.has_delivered() {
            has_sent = true;
            say(&format!("first {}", begun.elapsed().as_millis()));
        }
        let some: Vec<String> = (0..5).map(|n| inboxes[(sender * 5 + n) % inboxes.len()].clone()).collect();
        let post = Post { sender, kind: ActivityKind::Create, order: OrderKey::NONE, inboxes: &some };
        world.post(&post).await?;
        sender += 1;
        most = rss_mib().max(most);
        let pause = if has_sent { 1.0 / posts_per_s as f64 } else { 0.02 };
        tokio::time::sleep(Duration::from_secs_f64(pause)).await;
    }
    say(&format!("rss {most:.1}"));
    Ok(())
}
