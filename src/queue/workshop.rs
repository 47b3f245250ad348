//! What the handlers of our own work share.

use std::sync::Arc;

use crate::base::{Clock, IdGenerator, Moment};
use crate::model::Site;
use crate::store::Store;

/// Ids that one transaction of a job may use.
const IDS_PER_TRANSACTION: u16 = 64;

/// The store, our names, the time and fresh ids; cheap to clone.
#[derive(Clone)]
pub struct Workshop {
    /// The records.
    pub store: Store,
    /// Our names.
    pub site: Site,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<IdGenerator>,
}

impl Workshop {
    /// The time and a few ids, for one transaction.
    pub fn moment(&self) -> Moment {
        let now = self.clock.now();
        Moment { now, ids: self.ids.reserve(now, IDS_PER_TRANSACTION) }
    }
}
