//! `waxwing deliveries …`: looks at the delivery queue and steers it from the
//! command line.
//!
//! As for `waxwing user`, the running server is asked over its admin listener;
//! where none runs, the store is opened here. What is decided then holds from
//! the next start on.

mod perform;
mod print;

use std::io::Write;
use std::sync::Arc;

use super::cli::{DeliveriesCommand, DeliveriesOrder, Errand};
use super::system::SystemClock;
use super::user::{desk, open};
use crate::base::{Clock, Problem};
use crate::cluster::Cluster;
use crate::config::{Config, StoreChoice};
use crate::edge::deliveries::Office;
use crate::queue::Desk;
use crate::store::Store;

pub use perform::perform;

/// Does what was asked and gives what to print.
///
/// # Errors
/// What stands in the way, and what to do about it.
pub fn run(config: &Config, order: DeliveriesOrder) -> Result<String, Problem> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Problem::internal)?;
    runtime.block_on(async {
        let is_asked = matches!(config.store, StoreChoice::Postgres(_)) && desk::is_there(config).await;
        let store = if is_asked { None } else { open(config)? };
        match store {
            Some(store) => {
                let done = each(order, async |order| perform(&office(&store), order).await).await;
                store.close().await;
                done
            }
            None => each(order, async |order| desk::send(config, &Errand::Deliveries(order)).await).await,
        }
    })
}

/// An office without a queue that runs.
fn office(store: &Store) -> Office {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let desk = Desk::new(store.clone(), clock.clone());
    Office { store: store.clone(), desk, clock, cluster: Cluster::alone() }
}

/// Asks once, or, for an export, until all of it was printed.
async fn each(
    mut order: DeliveriesOrder,
    ask: impl AsyncFn(DeliveriesOrder) -> Result<String, Problem>,
) -> Result<String, Problem> {
    loop {
        let said = ask(order.clone()).await?;
        let DeliveriesCommand::Export { after, .. } = &mut order.command else { return Ok(said) };
        // The first line is where to go on; each step goes on behind the one before.
        let (next, lines) = said.split_once('\n').unwrap_or_default();
        if std::io::stdout().lock().write_all(lines.as_bytes()).is_err() || next.is_empty() {
            return Ok(String::new());
        }
        *after = Some(next.to_owned());
    }
}
