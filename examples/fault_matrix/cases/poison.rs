//! F17: a payload that panics whoever handles it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use waxwing::base::{Id, Moment};
use waxwing::domain::delivery::{Place, Task, enqueue};
use waxwing::model::queue::{ActivityKind, Body, DeadReason, Job, JobKind, Lane, OrderKey};
use waxwing::queue::{Attempt, Deliver, Handler, Handlers, Outcome, Report};
use waxwing::store::StoreError;

use super::hanging::healthy;
use crate::Failure;
use crate::measure::micros;
use crate::scale::Scale;
use crate::table::Checks;
use crate::traffic::Traffic;
use crate::world::{Setup, World};

/// Panics over every Flag, as a bug in the serialiser would.
struct Brittle(Deliver);

impl Handler for Brittle {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, Report> {
        let inner = self.0.clone();
        Box::pin(async move {
            assert!(attempt.act.kind != ActivityKind::Flag, "{}", crate::ON_PURPOSE);
            inner.run(attempt).await
        })
    }
}

/// Panics over one signer, as a bug in the reading of an activity would.
fn with_brittle_inbox(handlers: Handlers) -> Handlers {
    handlers.on(JobKind::Ingest, |attempt: Attempt| async move {
        let is_bad = matches!(&attempt.act.job, Job::Ingest { signer } if signer == "bad");
        assert!(!is_bad, "{}", crate::ON_PURPOSE);
        Report::from(Outcome::Done)
    })
}

pub(crate) async fn panics(scale: Scale) -> Result<Checks, Failure> {
    let fleet = Arc::new(crate::fleet::Fleet::start(10, None).await?);
    let setup =
        Setup { wrap: |deliver| Box::new(Brittle(deliver)), more: with_brittle_inbox, ..Setup::of(&scale) };
    let (world, mut checks) = (World::start(fleet, setup).await?, Checks::new());
    let traffic = Traffic { posts_per_s: 2.0, peers_per_post: 3, peers: 10 };
    traffic.flow(&world, Duration::from_secs(3)).await?;
    world.tell(0, ActivityKind::Flag, &[3]).await?;
    for signer in ["bad", "good"] {
        receive(&world, signer).await?;
    }
    let from = micros();
    // The second try of a delivery comes after 30 s, a quarter more at most.
    let mut dead = Vec::new();
    for _ in 0..45 {
        traffic.flow(&world, Duration::from_secs(1)).await?;
        dead = world.dead().await?;
        if dead.len() >= 2 {
            break;
        }
    }
    let poisoned = dead.iter().filter(|row| row.reason == DeadReason::Poison && row.row.panics == 2).count();
    checks.is("given up as poison after two panics", poisoned, 2);
    let (not_sent, others) = healthy(&world, from, 0).await;
    checks.is("not sent", not_sent, 1);
    checks.at_most("p99 of the others", others.p99, scale.pick(0.66, 2.0), " s");
    checks.is("rows left", world.overview().await?.ready.iter().sum::<i64>(), 0);
    world.stop().await;
    Ok(checks)
}

/// An activity that an inbox accepted.
async fn receive(world: &World, signer: &str) -> Result<(), Failure> {
    let task = Task {
        job: Job::Ingest { signer: signer.into() },
        place: Place::Ingress("there.example".into()),
        lane: Lane::Fresh,
        sender: Id::ZERO,
        order: OrderKey::NONE,
        body: Body::empty(),
    };
    let moment: Moment = world.moment();
    world
        .store
        .write(move |tx| enqueue(tx, &mut moment.clone(), &task).map(drop))
        .await
        .map_err(|error: StoreError| error.into())
}
