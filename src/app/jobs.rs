//! Which handler does which kind of background job.

use std::sync::Arc;

use crate::config::StoreChoice;
use crate::edge::{AppState, federation, media, scheduled, webhooks};
use crate::model::queue::JobKind;
use crate::queue::{
    Deliver, FreeBytes, Handlers, Worker, catch_up, fan_out, fetch_card, mail, moderate, push, sever_domain,
    share_profile, tend_poll, webhook,
};
use crate::search::Indexer;

/// What keeps the search index up with the store.
pub fn indexer(state: &AppState) -> Indexer {
    Indexer {
        search: state.search.clone(),
        store: state.store.clone(),
        clock: state.clock.clone(),
        ids: state.ids.clone(),
        cluster: state.cluster.clone(),
    }
}

/// Asks the disk that the store is on.
#[cfg(unix)]
fn free_bytes(state: &AppState) -> FreeBytes {
    let folder = match &state.config.store {
        StoreChoice::Redb(path) => path.clone(),
        // The disk of a database is the database's business; a full one answers so.
        StoreChoice::Postgres(_) | StoreChoice::Memory => return Arc::new(|| None),
    };
    Arc::new(move || {
        let disk = rustix::fs::statvfs(&folder).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    })
}

/// Nobody knows here.
#[cfg(not(unix))]
fn free_bytes(_: &AppState) -> FreeBytes {
    Arc::new(|| None)
}

/// The worker that runs every job of this server.
pub(super) fn worker(state: &AppState) -> Worker {
    let workshop = state.workshop();
    let timeout = state.config.delivery.timeout;
    let deliver = Deliver::new(&workshop, state.client.clone(), state.instance_key.clone(), timeout);
    let pushes = push::Push::new(
        workshop.clone(),
        state.client.clone(),
        state.chance.clone(),
        state.config.email.as_deref(),
    );
    let handlers = Handlers::new()
        .on(JobKind::Push, push::find_out(workshop.clone()))
        .on(JobKind::PushTo, pushes)
        .on(JobKind::Deliver, deliver)
        .on(JobKind::FetchCard, fetch_card::handler(workshop.clone(), state.client.clone()))
        .on(JobKind::CatchUp, catch_up::handler(workshop.clone()))
        .on(JobKind::Mail, mail::Post::new(workshop.clone(), state.mailer.clone(), state.chance.clone()))
        .on(JobKind::WebhookTo, webhook::handler(workshop.clone(), state.client.clone()))
        .on(JobKind::FanOut, fan_out::handler(workshop.clone()))
        .on(JobKind::SeverDomain, sever_domain::handler(workshop.clone()))
        .on(JobKind::ShareProfile, share_profile::handler(workshop.clone()))
        .on(JobKind::TendPoll, tend_poll::handler(workshop.clone()))
        .on(JobKind::Moderate, moderate::handler(workshop));
    let handlers = webhooks::jobs(handlers, state);
    let handlers = scheduled::jobs(media::jobs(federation::jobs(handlers, state), state), state);
    let worker = Worker::new(state.store.clone(), handlers, state.clock.clone(), state.chance.clone());
    Worker {
        slots: state.config.delivery.slots,
        desk: state.desk().clone(),
        cluster: state.cluster.clone(),
        ids: state.ids.clone(),
        free_bytes: free_bytes(state),
        ..worker
    }
}
