//! Quotes between servers (FEP-044f): answering requests, and looking whether
//! the stamp of a quote holds.

use axum::extract::{Path, State};
use axum::response::Response;
use tracing::debug;

use super::fetch::{self, FetchFailure};
use super::{answer, posts, thread};
use crate::base::{Id, Problem};
use crate::domain::quote::{self, Unsettled};
use crate::domain::status;
use crate::edge::AppState;
use crate::model::tables::{ACCOUNT, STATUS};
use crate::model::{Account, Status};
use crate::store::StoreError;
use crate::wire::activitypub::activity::{QuoteRequest, Thing};
use crate::wire::activitypub::{Stamp, uri, write};

/// Ids that answering a request may take.
const IDS: u16 = 16;

/// Answers a request by the sender; gives whether it was granted.
pub(super) async fn requested(
    state: &AppState,
    sender: &Account,
    (id, request): (&str, &QuoteRequest),
) -> Result<bool, FetchFailure> {
    let Some(instrument) = request.instrument.id().filter(|id| uri::is_same_host(id, &sender.uri)) else {
        return Ok(false);
    };
    let instrument = bring(state, sender, instrument, &request.instrument).await?;
    let (moment, site, sender) = (state.moment_with(IDS), state.site.clone(), sender.clone());
    let (id, object) = (id.to_owned(), request.object.clone());
    let granted = state.store.write(move |tx| {
        let request = quote::Request { id: &id, object: &object, instrument };
        quote::requested(tx, &mut moment.clone(), &site, &sender, request)
    });
    Ok(granted.await?)
}

/// The quoting post: known, as it is embedded, or from its server.
async fn bring(state: &AppState, sender: &Account, id: &str, thing: &Thing) -> Result<Id, FetchFailure> {
    if let Some(known) = posts::known(state, id).await? {
        return Ok(known);
    }
    if let Some(document) = thing.embedded()
        && let Ok(arrived) = posts::read(state, document).await
        && arrived.author == sender.id
        && let Some(id) = posts::keep(state, arrived, status::News::Backfill).await?.id()
    {
        return Ok(id);
    }
    posts::by_uri(state, id).await
}

/// Looks for what a post of another server quotes, and whether it may.
///
/// # Errors
/// Why that cannot be told now. It is no failure of the post.
pub(super) async fn settle(state: &AppState, quoting: &str) -> Result<(), FetchFailure> {
    let asked = quoting.to_owned();
    let Some(found) = state.store.read(move |tx| quote::unsettled(tx, &asked)).await? else { return Ok(()) };
    // Quotes of our posts are settled by asking us.
    if state.site.owns(&found.quote.uri) {
        return Ok(());
    }
    let quoted = posts::by_uri(state, &found.quote.uri).await?;
    let Some((post, author)) = state.store.read(move |tx| with_author(tx, quoted)).await? else {
        return Ok(());
    };
    let is_proven = proven(state, &found, &post, &author).await?;
    let (moment, site) = (state.moment_with(IDS), state.site.clone());
    let pair = (found.status, quoted);
    state.store.write(move |tx| quote::settle(tx, &mut moment.clone(), &site, pair, is_proven)).await?;
    Ok(())
}

/// The same at once if that can be, else by a job that tries again for a
/// while.
pub(super) async fn settle_soon(state: &AppState, quoting: &str) {
    if let Err(failure @ (FetchFailure::Unreachable(_) | FetchFailure::Ours(_))) =
        settle(state, quoting).await
        && let Err(error) = thread::settle_later(state, quoting).await
    {
        debug!(%quoting, %failure, %error, "a quote stays pending");
    }
}

fn with_author(tx: &crate::store::ReadTx<'_>, id: Id) -> Result<Option<(Status, Account)>, StoreError> {
    let Some(post) = tx.get(STATUS, &id)? else { return Ok(None) };
    Ok(tx.get(ACCOUNT, &post.account)?.map(|author| (post, author)))
}

/// Whether the quoted author's own server gives a stamp for just this quote.
async fn proven(
    state: &AppState,
    found: &Unsettled,
    quoted: &Status,
    author: &Account,
) -> Result<bool, FetchFailure> {
    let Some(stamp) = found.quote.approval.as_deref().filter(|stamp| uri::is_same_host(stamp, &author.uri))
    else {
        return Ok(false);
    };
    let document = match fetch::document(state, stamp).await {
        Ok(document) => document,
        Err(failure @ (FetchFailure::Unreachable(_) | FetchFailure::Ours(_))) => return Err(failure),
        Err(FetchFailure::Gone | FetchFailure::Bad(_) | FetchFailure::Own) => return Ok(false),
    };
    Ok(Stamp::read(&document).is_some_and(|stamp| {
        stamp.author == author.uri && stamp.quoting == found.uri && stamp.quoted == quoted.uri
    }))
}

/// `GET /ap/users/{id}/quote_authorizations/{quoting}`
pub(super) async fn stamp(
    State(state): State<AppState>,
    Path((account, quoting)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (Ok(account), Ok(quoting)) = (account.parse::<Id>(), quoting.parse::<Id>()) else {
        return Err(Problem::not_found());
    };
    let id = state.site.quote_stamp(account, quoting);
    let asked = id.clone();
    let held = state.store.read(move |tx| quote::stamped(tx, &asked)).await?;
    let (quoting, quoted) = held.ok_or_else(Problem::not_found)?;
    let document = write::quote_stamp(&id, &state.site.actor(account), &quoting, &quoted);
    Ok(answer::document(&write::with_context(document)))
}
