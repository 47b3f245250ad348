//! Looks for destinations with too many rows.

use std::collections::BTreeMap;

use crate::base::Moment;
use crate::domain::delivery;
use crate::model::queue::tables::JOB;
use crate::model::queue::{DestinationId, JobKey, JobRow};
use crate::store::{Scan, Store, StoreError};

/// Rows read in one step.
const CROWD_ROWS: usize = 4096;

/// Counts the ready rows of each destination and leaves out those with too
/// many; whether there are any.
pub(super) async fn look(store: &Store, moment: Moment) -> Result<bool, StoreError> {
    let (mut counts, mut after): (BTreeMap<DestinationId, u64>, Option<JobKey>) = (BTreeMap::new(), None);
    // Each step begins behind the last row of the one before, so this ends.
    loop {
        let page: Vec<(JobKey, JobRow)> = store
            .read(move |tx| {
                let scan = after.as_ref().map_or_else(Scan::all, |after| Scan::all().after(after));
                tx.scan(JOB, scan.limit(CROWD_ROWS))
            })
            .await?;
        page.iter().for_each(|(key, _)| *counts.entry(key.destination).or_default() += 1);
        after = page.last().filter(|_| page.len() == CROWD_ROWS).map(|(key, _)| *key);
        if after.is_none() {
            break;
        }
    }
    // Our own work is not left out anywhere.
    counts.retain(|id, rows| *id != DestinationId::LOCAL && *rows >= delivery::DESTINATION_ROWS_MAX / 2);
    store.write(move |tx| delivery::crowd(tx, &mut moment.clone(), &counts)).await
}
