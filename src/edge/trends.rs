//! What trends now, looked up anew every few minutes when somebody asks, so
//! that a server nobody looks at has nothing to do.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::AppState;
use crate::base::{Id, Timestamp};
use crate::domain::trends::{self, LIST_MAX, ROWS_MAX, Ranking, STEP_ROWS};
use crate::model::tables::PREVIEW_CARD;
use crate::model::{PreviewCard, TagDay};
use crate::store::{ReadTx, StoreError};

/// How long an answer is good.
const FRESH_FOR: Duration = Duration::from_secs(300);

/// What trends, the most first.
#[derive(Debug, Default)]
pub(crate) struct Trending {
    /// Hashtags, lower case.
    pub(crate) tags: Vec<String>,
    /// Pages with their last days.
    pub(crate) links: Vec<(PreviewCard, Vec<TagDay>)>,
    /// Posts. Whoever shows them loads them for the one who asks.
    pub(crate) statuses: Vec<Id>,
}

/// The last answer and when it was found.
#[derive(Default)]
pub(crate) struct Trends(Mutex<Option<(Timestamp, Arc<Trending>)>>);

/// What trends now.
///
/// # Errors
/// Only the store's.
pub(crate) async fn now(state: &AppState) -> Result<Arc<Trending>, StoreError> {
    // Held while it is looked up: the others wait instead of doing the same.
    let mut last = state.trends().0.lock().await;
    let now = state.now();
    if let Some((at, found)) = last.as_ref()
        && now.since(*at) < FRESH_FOR
    {
        return Ok(found.clone());
    }
    let found = Arc::new(look(state, now).await?);
    *last = Some((now, found.clone()));
    Ok(found)
}

async fn look(state: &AppState, now: Timestamp) -> Result<Trending, StoreError> {
    let (mut uses, mut before) = (Vec::new(), Id::MAX);
    for _ in 0..ROWS_MAX / STEP_ROWS {
        let (more, next) = state.store.read(move |tx| trends::uses(tx, before, now)).await?;
        uses.extend(more);
        match next {
            Some(next) => before = next,
            None => break,
        }
    }
    let ranking = trends::rank(&uses, now, LIST_MAX);
    state.store.read(move |tx| complete(tx, ranking, now)).await
}

fn complete(tx: &ReadTx<'_>, ranking: Ranking, now: Timestamp) -> Result<Trending, StoreError> {
    let cards = tx.get_many(PREVIEW_CARD, &ranking.links)?;
    let mut links = Vec::new();
    for card in cards.into_iter().flatten().filter(PreviewCard::is_ready) {
        let days = trends::link_history(tx, &card.url, now)?;
        links.push((card, days));
    }
    Ok(Trending { tags: ranking.tags, links, statuses: ranking.statuses })
}
