//! Files that people upload: taken in, made fit to be shown, kept, served,
//! and removed when nothing shows them any more.
//!
//! What a file is, is told from its bytes (`wire::media`); who may do what
//! with it is decided in `domain::media`; where it is kept is `net::files`'s
//! affair. Names are random: whoever knows the address of a picture was
//! given it.

mod fetches;
mod names;
mod portraits;
mod proxy;
mod range;
mod serve;
mod tend;
mod upload;

use axum::Router;
use axum::routing::get;

use super::AppState;
use crate::model::queue::JobKind;
use crate::queue::Handlers;

pub(crate) use fetches::{Ending, Fetched, Fetches};
pub(crate) use portraits::{forget, keep as keep_portrait};
pub(crate) use tend::sweep_quietly;
pub use tend::{prune, remover, sweep, tend};
pub use upload::process;
pub(crate) use upload::{Incoming, When, keep, new_preview};

/// Serves the files.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/media/{name}", get(serve::file))
        .route("/media/proxy/{mac}/{address}", get(proxy::remote))
}

/// With the handlers of the jobs of media.
pub fn jobs(handlers: Handlers, state: &AppState) -> Handlers {
    handlers
        .on(JobKind::ProcessMedia, upload::handler(state.clone()))
        .on(JobKind::RemoveFiles, tend::remover(state.clone()))
        .on(JobKind::FetchFile, fetches::handler(state.clone()))
}
