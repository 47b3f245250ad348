//! Somebody whom many other servers follow writes; measured is how long a
//! post takes to the healthy ones, while others are slow or dead.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Play, post};
use crate::bench::fleet::{ARRIVED, Fleet};
use crate::bench::load::{Call, Work};
use crate::bench::report::data::{Destination, Figure};
use crate::bench::stage::Stage;
use crate::bench::tally::{Flaw, Kind};

/// The order of the first two is that of [`ARRIVED`] and its slow sister.
pub(super) const KINDS: &[Kind] = &[Kind::main("arrived"), Kind::side("arrived_slow"), Kind::side("post")];
const POST: usize = 2;
/// How long the last post may take to the last healthy server.
const ARRIVE_MAX: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Posts to a fleet.
pub struct Deliver {
    stage: Stage,
    fleet: Arc<Fleet>,
    posts: AtomicU64,
}

impl Deliver {
    /// With nothing posted yet.
    pub fn new(stage: Stage, fleet: Arc<Fleet>) -> Deliver {
        Deliver { stage, fleet, posts: AtomicU64::new(0) }
    }
}

impl Work for Deliver {
    fn kinds(&self) -> &'static [Kind] {
        KINDS
    }

    fn choose(&self, _dice: u64) -> usize {
        POST
    }

    fn act(self: Arc<Self>, call: Call) -> BoxFuture<'static, Result<(), Flaw>> {
        Box::pin(async move {
            let author = self.stage.announcer.as_ref().ok_or(Flaw::Wrong("nobody to write"))?;
            let (number, mark) = self.fleet.expect(call.due);
            let text = format!("{mark} The rowan by the gate is ripe.");
            let posted = post::publish(&self.stage, author, &text).await;
            match &posted {
                Ok(()) => _ = self.posts.fetch_add(1, Ordering::Relaxed),
                Err(_) => self.fleet.awaited().forget(number),
            }
            posted
        })
    }
}

impl Play for Deliver {
    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let (clock, awaited) = (&self.stage.tools.clock, self.fleet.awaited());
            let end = clock.monotonic() + ARRIVE_MAX;
            while !awaited.is_over() && clock.monotonic() < end {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            for done in awaited.missed(ARRIVED, clock.monotonic()) {
                self.stage.slate.note(&done);
            }
        })
    }

    fn destinations(&self) -> Vec<Destination> {
        self.fleet.picture(self.posts.load(Ordering::Relaxed))
    }

    fn figures(&self) -> Vec<Figure> {
        let all = self.destinations();
        let of = |nature: &str| all.iter().filter(|one| one.nature == nature).count() as f64;
        let figure = |name: &str, nature: &str| Figure {
            name: format!("{name} destinations"),
            value: of(nature),
            unit: "servers".into(),
        };
        vec![figure("healthy", "well"), figure("slow", "slow"), figure("dead", "dead")]
    }

    fn work(self: Arc<Self>) -> Arc<dyn Work> {
        self
    }
}
