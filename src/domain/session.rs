//! Browsers that are logged in.

use std::time::Duration;

use crate::base::{Id, Moment, Timestamp};
use crate::model::tables::{ACCOUNT, SESSION, SESSION_BY_ACCOUNT, USER};
use crate::model::{Account, Event, Session, SessionDigest, User};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// A session that nobody used for so long is gone.
pub const IDLE_MAX: Duration = Duration::from_secs(90 * 24 * 3600);
/// How exactly the last use is kept: a write per request would be absurd.
const TOUCH_EVERY: Duration = Duration::from_secs(3600);
/// Sessions of one account; the oldest give way.
const SESSIONS_MAX: usize = 50;
const USER_AGENT_MAX_BYTES: usize = 200;

/// Who is behind a session cookie.
#[derive(Debug, Clone)]
pub struct Login {
    /// The session.
    pub session: Session,
    /// Its digest, which is its key.
    pub digest: SessionDigest,
    /// The person's account.
    pub account: Account,
    /// The person.
    pub user: User,
    /// Whether [`touch`] should be called.
    pub is_stale: bool,
}

/// Secrets of a new session: made by the caller, who keeps the first.
pub struct NewSession<'a> {
    /// Digest of the cookie's secret.
    pub digest: SessionDigest,
    /// What forms must carry.
    pub csrf: &'a str,
    /// The browser's name.
    pub user_agent: &'a str,
}

/// Logs a browser in.
///
/// # Errors
/// Only the store's.
pub fn create(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    account: Id,
    new: &NewSession<'_>,
) -> Result<Session, StoreError> {
    make_room(tx, account)?;
    let session = Session {
        id: moment.id(),
        account,
        created_at: moment.now,
        seen_at: moment.now,
        user_agent: cut(new.user_agent, USER_AGENT_MAX_BYTES).to_owned(),
        csrf: new.csrf.to_owned(),
    };
    Session::save(tx, new.digest, &session);
    Ok(session)
}

fn make_room(tx: &mut WriteTx<'_>, account: Id) -> Result<(), StoreError> {
    let mut all = list(tx, account)?;
    while all.len() >= SESSIONS_MAX {
        // Newest first, so the last is the one that goes.
        if let Some((digest, oldest)) = all.pop() {
            remove(tx, digest, &oldest);
        }
    }
    Ok(())
}

/// Who holds this cookie; `None` when it is unknown, too old, or its user
/// may not log in.
///
/// # Errors
/// Only the store's.
pub fn lookup(tx: &ReadTx<'_>, digest: SessionDigest, now: Timestamp) -> Result<Option<Login>, StoreError> {
    let Some(session) = tx.get(SESSION, &digest)? else { return Ok(None) };
    if now.since(session.seen_at) > IDLE_MAX {
        return Ok(None);
    }
    let mut batch = tx.batch();
    let account = batch.get_many(ACCOUNT, &[session.account]);
    let user = batch.get_many(USER, &[session.account]);
    let found = batch.fetch()?;
    let (account, user) = (found.take(account)?.pop().flatten(), found.take(user)?.pop().flatten());
    let Some((account, user)) = account.zip(user) else { return Ok(None) };
    if !user.is_active() || !account.is_visible() {
        return Ok(None);
    }
    let is_stale = now.since(session.seen_at) > TOUCH_EVERY;
    Ok(Some(Login { session, digest, account, user, is_stale }))
}

/// Notes that a session is in use.
///
/// # Errors
/// Only the store's.
pub fn touch(tx: &mut WriteTx<'_>, digest: SessionDigest, now: Timestamp) -> Result<(), StoreError> {
    if let Some(session) = tx.get(SESSION, &digest)? {
        tx.put(SESSION, &digest, &Session { seen_at: now, ..session });
    }
    Ok(())
}

/// Logs one browser out.
///
/// # Errors
/// Only the store's.
pub fn delete(tx: &mut WriteTx<'_>, digest: SessionDigest) -> Result<(), StoreError> {
    if let Some(session) = tx.get(SESSION, &digest)? {
        remove(tx, digest, &session);
    }
    Ok(())
}

/// Logs out the session with this id; gives whether there was one.
///
/// # Errors
/// Only the store's.
pub fn delete_by_id(tx: &mut WriteTx<'_>, account: Id, id: Id) -> Result<bool, StoreError> {
    let found = list(tx, account)?.into_iter().find(|(_, session)| session.id == id);
    if let Some((digest, session)) = &found {
        remove(tx, *digest, session);
    }
    Ok(found.is_some())
}

/// Logs an account out everywhere, except in one session.
///
/// # Errors
/// Only the store's.
pub fn delete_all(tx: &mut WriteTx<'_>, account: Id, keep: Option<SessionDigest>) -> Result<(), StoreError> {
    for (digest, session) in list(tx, account)? {
        if Some(digest) != keep {
            remove(tx, digest, &session);
        }
    }
    Ok(())
}

/// The sessions of an account, newest first.
///
/// # Errors
/// Only the store's.
pub fn list(tx: &ReadTx<'_>, account: Id) -> Result<Vec<(SessionDigest, Session)>, StoreError> {
    let rows = tx.scan(SESSION_BY_ACCOUNT, Scan::prefix(&(account,)))?;
    let digests: Vec<SessionDigest> = rows.into_iter().map(|((_, digest), ())| digest).collect();
    let sessions = tx.get_many(SESSION, &digests)?;
    let mut all: Vec<_> = digests.into_iter().zip(sessions).filter_map(|(d, s)| Some((d, s?))).collect();
    all.sort_by_key(|(_, session)| std::cmp::Reverse(session.id));
    Ok(all)
}

fn remove(tx: &mut WriteTx<'_>, digest: SessionDigest, session: &Session) {
    Session::delete(tx, digest, session);
    Event::Revoked { credential: session.id }.emit(tx);
}

/// The longest beginning of at most `max` bytes that is whole characters.
fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}
