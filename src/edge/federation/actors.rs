//! Finding other servers' accounts: by actor id, by handle, and again when
//! what we know is old.

use std::time::Duration;

use serde_json::Value;
use tracing::debug;

use super::fetch::{self, FetchFailure};
use crate::domain::{account, remote};
use crate::edge::AppState;
use crate::edge::nodes::{self, Forget};
use crate::model::Account;
use crate::net::client::Outgoing;
use crate::wire::activitypub::{Actor, uri};
use crate::wire::{host_meta, webfinger};

/// Age at which a remote account is read again when it is seen.
const STALE_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The account with this actor id: known and fresh, or fetched.
pub(crate) async fn by_uri(state: &AppState, actor: &str) -> Result<Account, FetchFailure> {
    let known = known(state, actor).await?;
    match known {
        Some(account) if account.is_local() || !is_stale(state, &account) => visible(account),
        Some(account) => Ok(fetch(state, actor).await.unwrap_or(account)),
        None => fetch(state, actor).await,
    }
}

fn visible(account: Account) -> Result<Account, FetchFailure> {
    if account.deleted_at.is_some() { Err(FetchFailure::Gone) } else { Ok(account) }
}

pub(super) fn is_stale(state: &AppState, account: &Account) -> bool {
    state.now().since(account.fetched_at) > STALE_AFTER
}

/// The account with this actor id, if it is known.
pub(super) async fn known(state: &AppState, actor: &str) -> Result<Option<Account>, FetchFailure> {
    let actor = actor.to_owned();
    Ok(state.store.read(move |tx| account::by_uri(tx, &actor)).await?)
}

/// Reads an actor from its server and keeps its account.
pub(super) async fn fetch(state: &AppState, actor: &str) -> Result<Account, FetchFailure> {
    let document = fetch::document(state, uri::without_fragment(actor)).await?;
    keep(state, &document).await
}

/// Keeps the account that a document of its own server describes.
pub(super) async fn keep(state: &AppState, document: &Value) -> Result<Account, FetchFailure> {
    let actor = Actor::read(document).map_err(|error| {
        debug!("an actor is not usable: {error}");
        FetchFailure::Bad("it is not a usable actor")
    })?;
    if state.site.owns(&actor.account.uri) {
        return Err(FetchFailure::Own);
    }
    let mut account = actor.account;
    account.domain = Some(confirm_handle(state, &account, actor.webfinger.as_deref()).await?);
    let moment = state.moment();
    let kept = state.store.write(move |tx| remote::keep_account(tx, &mut moment.clone(), &account)).await?;
    let kept = kept.ok_or(FetchFailure::Gone)?;
    nodes::forget(state, Forget::Key(kept.key_id.clone()));
    Ok(kept)
}

/// The host part of an actor's handle: what its own server says, if the host
/// that is named there says the same.
async fn confirm_handle(
    state: &AppState,
    account: &Account,
    claimed: Option<&str>,
) -> Result<String, FetchFailure> {
    let own_host = uri::host(&account.uri).ok_or(FetchFailure::Bad("it has no host"))?;
    let known = known(state, &account.uri).await?;
    if let Some(known) = known.filter(|known| known.username == account.username) {
        // Confirmed before; a rename is confirmed anew.
        return Ok(known.domain.unwrap_or(own_host));
    }
    let claimed = claimed.and_then(webfinger::parse_acct).map(|(_, host)| host);
    let host = match claimed {
        Some(host) => host,
        None => subject_host(state, account, &own_host).await.unwrap_or_else(|| own_host.clone()),
    };
    if host != own_host && host != state.site.domain && confirms(state, account, &host).await {
        return Ok(host);
    }
    // Its own host speaks for its own names. Without WebFinger the name must
    // at least not be somebody else's.
    if confirms(state, account, &own_host).await || is_free(state, account, &own_host).await? {
        return Ok(own_host);
    }
    Err(FetchFailure::Bad("its handle belongs to another actor"))
}

async fn subject_host(state: &AppState, account: &Account, host: &str) -> Option<String> {
    let found = look_up(state, &account.username, host).await.ok()?;
    (found.actor == account.uri).then_some(found.subject?.domain?)
}

async fn confirms(state: &AppState, account: &Account, host: &str) -> bool {
    look_up(state, &account.username, host).await.is_ok_and(|found| found.actor == account.uri)
}

async fn is_free(state: &AppState, account: &Account, host: &str) -> Result<bool, FetchFailure> {
    let (name, host, own) = (account.username.clone(), host.to_owned(), account.uri.clone());
    let holder = state
        .store
        .read(move |tx| match account::id_by_handle(tx, &name, Some(&host))? {
            Some(id) => account::get(tx, id),
            None => Ok(None),
        })
        .await?;
    Ok(holder.is_none_or(|holder| holder.uri == own || holder.deleted_at.is_some()))
}

/// Asks a host's WebFinger about `name@host`.
async fn look_up(state: &AppState, name: &str, host: &str) -> Result<webfinger::Found, FetchFailure> {
    if fetch::is_shut_out(state, &format!("https://{host}/")).await? {
        return Err(FetchFailure::Bad("its server is blocked here"));
    }
    let resource = format!("acct:{name}@{host}");
    let query: String = url::form_urlencoded::byte_serialize(resource.as_bytes()).collect();
    let asked =
        webfinger_answer(state, format!("https://{host}/.well-known/webfinger?resource={query}")).await;
    let found = match asked {
        Err(FetchFailure::Gone) => {
            let meta = Outgoing::get(format!("https://{host}/.well-known/host-meta"))
                .accept("application/xrd+xml, application/xml")
                .answer_max_bytes(host_meta::DOCUMENT_MAX_BYTES);
            let answer = state.client.send(meta).await?;
            let template = host_meta::read(&answer.body).ok_or(FetchFailure::Gone)?;
            webfinger_answer(state, template.replace("{uri}", &query)).await?
        }
        other => other?,
    };
    found.ok_or(FetchFailure::Gone)
}

async fn webfinger_answer(state: &AppState, url: String) -> Result<Option<webfinger::Found>, FetchFailure> {
    let request = Outgoing::get(url)
        .accept("application/jrd+json, application/json")
        .answer_max_bytes(webfinger::ANSWER_MAX_BYTES);
    let answer = state.client.send(request).await?;
    webfinger::read(&answer.body)
        .map_err(|_| FetchFailure::Bad("its WebFinger answer is not acceptable JSON"))
}

/// The account behind `user@host` or `@user@host`: known, or found by
/// WebFinger. The host has to confirm what its answer leads to.
pub(crate) async fn by_handle(state: &AppState, handle: &str) -> Result<Account, FetchFailure> {
    let (name, host) = webfinger::parse_acct(handle.trim()).ok_or(FetchFailure::Bad("it is not a handle"))?;
    if fetch::is_shut_out(state, &format!("https://{host}/")).await? {
        return Err(FetchFailure::Bad("its server is blocked here"));
    }
    let (site, asked) = (state.site.clone(), format!("{name}@{host}"));
    let known = state.store.read(move |tx| account::by_handle(tx, &site, &asked)).await?;
    match known {
        Some(account) if account.is_local() || !is_stale(state, &account) => return Ok(account),
        Some(account) => return by_uri(state, &account.uri).await,
        None if host == state.site.domain => return Err(FetchFailure::Gone),
        None => {}
    }
    let found = look_up(state, &name, &host).await?;
    let account = by_uri(state, &found.actor).await?;
    // A host may name an actor elsewhere only if that actor says the same.
    let is_confirmed = account.domain.as_deref() == Some(&*host)
        || found.subject.is_some_and(|subject| subject.domain == account.domain);
    if is_confirmed { Ok(account) } else { Err(FetchFailure::Bad("the actor does not know this handle")) }
}
