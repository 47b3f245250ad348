//! Mails to people here: each is a job in the transaction of what it tells
//! of, on the lane of the mail server. Also what links in mails do: confirm
//! an address, choose a new password.
//!
//! Must not know how a mail is written or sent. A server without mail writes
//! none, and everything goes on as if every address were right.

use std::time::Duration;

use super::delivery::{Place, Task, enqueue_as};
use super::moderation::members;
use super::secret::same;
use super::user::{self, clean_email};
use super::webhook;
use crate::base::{Id, Moment, Timestamp};
use crate::model::queue::{ActivityKind, Job, Letter};
use crate::model::tables::{ACCOUNT, USER, USER_BY_EMAIL};
use crate::model::{Account, OneTime, Permission, Site, User, UserState, WebhookEvent};
use crate::store::{ReadTx, StoreError, WriteTx};

/// How long a link for a new password works.
pub const RESET_FOR: Duration = Duration::from_secs(3600);
/// How long a link that confirms an address works (Mastodon: two days).
pub const CONFIRM_FOR: Duration = Duration::from_secs(2 * 24 * 3600);
/// Of those who run the server, how many are told of one thing by mail.
pub const STAFF_MAILS_MAX: usize = 16;

/// The digest of a link's secret.
pub type Digest = [u8; 32];

/// Leaves a mail, if this server sends any. Takes one id then.
///
/// # Errors
/// Only the store's.
pub fn post(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    letter: Letter,
) -> Result<(), StoreError> {
    let Some(route) = &site.mail else { return Ok(()) };
    let sender = letter.recipient();
    let task = Task { place: Place::Mail(route.host.clone()), ..Task::local(Job::Mail(letter), sender) };
    let (id, now) = (moment.id(), moment.now);
    enqueue_as(tx, id, now, ActivityKind::Mail, &task)
}

/// Leaves a mail for those who run the server. Takes up to
/// [`STAFF_MAILS_MAX`] ids.
///
/// # Errors
/// Only the store's.
pub fn post_to_staff(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    permission: Permission,
    letter: impl Fn(Id) -> Letter,
) -> Result<(), StoreError> {
    if site.mail.is_none() {
        return Ok(());
    }
    let staff = members(tx, permission)?;
    let users = tx.get_many(USER, &staff)?;
    let reachable = users.into_iter().flatten().filter(|user| user.email.is_some());
    for user in reachable.take(STAFF_MAILS_MAX.min(moment.ids.left())) {
        post(tx, moment, site, letter(user.id))?;
    }
    Ok(())
}

/// What a link in a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Confirming an address.
    Confirm,
    /// Choosing a new password.
    Reset,
}

/// Who gets a mail: their login and their account. `None` if there is nobody
/// to write to any more.
///
/// # Errors
/// Only the store's.
pub fn recipient(tx: &ReadTx<'_>, id: Id) -> Result<Option<(User, Account)>, StoreError> {
    let (user, account) = (tx.get(USER, &id)?, tx.get(ACCOUNT, &id)?);
    Ok(user
        .zip(account)
        .filter(|(user, account)| user.state != UserState::Disabled && account.deleted_at.is_none()))
}

/// Makes a link work, in place of the one before it. `false` if nobody waits
/// for it any more.
///
/// # Errors
/// Only the store's.
pub fn offer(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    id: Id,
    (purpose, digest): (Purpose, Digest),
) -> Result<bool, StoreError> {
    let Some((old, _)) = recipient(tx, id)? else { return Ok(false) };
    let mut new = old.clone();
    match purpose {
        Purpose::Confirm if !old.awaits_confirmation && old.new_email.is_none() => return Ok(false),
        Purpose::Confirm => new.confirmation = Some(OneTime { digest, expires_at: now.plus(CONFIRM_FOR) }),
        Purpose::Reset => new.reset = Some(OneTime { digest, expires_at: now.plus(RESET_FOR) }),
    }
    User::save(tx, Some(&old), &new);
    Ok(true)
}

fn opens(kept: Option<&OneTime>, digest: &Digest, now: Timestamp) -> bool {
    kept.is_some_and(|kept| now < kept.expires_at && same(&kept.digest, digest))
}

/// Whether a link for a new password works.
///
/// # Errors
/// Only the store's.
pub fn can_reset(tx: &ReadTx<'_>, now: Timestamp, id: Id, digest: &Digest) -> Result<bool, StoreError> {
    Ok(recipient(tx, id)?.is_some_and(|(user, _)| opens(user.reset.as_ref(), digest, now)))
}

/// Asks for a link for a new password, by mail address. Says nothing about
/// whether anybody has it. Takes one id.
///
/// # Errors
/// Only the store's.
pub fn ask_reset(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    email: &str,
) -> Result<(), StoreError> {
    let Ok(email) = clean_email(email) else { return Ok(()) };
    let Some(account) = tx.get(USER_BY_EMAIL, &email)? else { return Ok(()) };
    match recipient(tx, account)? {
        Some(_) => post(tx, moment, site, Letter::Reset { account }),
        None => Ok(()),
    }
}

/// Sets a new password by a link, which works no more, and logs everything
/// out. Whoever reads mails to the address has confirmed it. `false` if the
/// link does not work. Takes two ids.
///
/// # Errors
/// Only the store's.
pub fn reset(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    (id, digest): (Id, &Digest),
    password_hash: &str,
) -> Result<bool, StoreError> {
    let Some((old, _)) =
        recipient(tx, id)?.filter(|(user, _)| opens(user.reset.as_ref(), digest, moment.now))
    else {
        return Ok(false);
    };
    // Whoever asked for another address may have had the old password.
    let new = User { password_hash: password_hash.to_owned(), reset: None, new_email: None, ..old.clone() };
    User::save(tx, Some(&old), &new);
    user::log_out(tx, id, None)?;
    if new.awaits_confirmation {
        confirmed(tx, moment, site, &new)?;
    }
    post(tx, moment, site, Letter::PasswordChanged { account: id })?;
    Ok(true)
}

/// Why no mail is sent again.
#[derive(Debug)]
pub enum AskError {
    /// The address is confirmed.
    Confirmed,
    /// Not a mail address.
    Invalid,
    /// Somebody else has this address, or nobody may have it.
    Taken,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for AskError {
    fn from(cause: StoreError) -> Self {
        AskError::Store(cause)
    }
}

/// Sends the link that confirms an address again; to another address, where
/// one is given. Takes one id.
///
/// # Errors
/// When the address is confirmed, or the other one cannot be had.
pub fn ask_confirmation(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    id: Id,
    email: Option<&str>,
) -> Result<(), AskError> {
    let (old, _) =
        recipient(tx, id)?.filter(|(user, _)| user.awaits_confirmation).ok_or(AskError::Confirmed)?;
    if let Some(email) = email {
        let email = free_email(tx, id, email)?;
        if old.email.as_ref() != Some(&email) {
            // Links to the address before say nothing about this one.
            let new = User { email: Some(email), confirmation: None, reset: None, ..old.clone() };
            User::save(tx, Some(&old), &new);
        }
    }
    post(tx, moment, site, Letter::Confirm { account: id })?;
    Ok(())
}

/// An address as it is kept, if they may have it.
fn free_email(tx: &ReadTx<'_>, id: Id, email: &str) -> Result<String, AskError> {
    let email = clean_email(email).map_err(|_| AskError::Invalid)?;
    let holder = tx.get(USER_BY_EMAIL, &email)?;
    if holder.is_some_and(|holder| holder != id) || super::moderation::barred::is_email_barred(tx, &email)? {
        return Err(AskError::Taken);
    }
    Ok(email)
}

/// Asks for another mail address: it counts once a link that is sent there
/// was opened, and the one they have is told. Where no mails are sent it
/// counts at once. Gives whether it does. Takes two ids.
///
/// # Errors
/// When it cannot be had.
pub fn change_address(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    id: Id,
    email: &str,
) -> Result<bool, AskError> {
    let (old, _) = recipient(tx, id)?.ok_or(AskError::Invalid)?;
    let email = free_email(tx, id, email)?;
    let is_same = old.email.as_ref() == Some(&email);
    let counts = site.mail.is_none() || is_same;
    // A link that was sent to another address says nothing about this one. One
    // for a new password was sent to the address that still counts: whoever
    // asks for another must not be able to end it.
    let blank = User { new_email: None, confirmation: None, ..old.clone() };
    let new = match counts {
        true if is_same => User { email: Some(email), ..blank },
        true => User { email: Some(email), reset: None, ..blank },
        false => User { new_email: Some(email), ..blank },
    };
    User::save(tx, Some(&old), &new);
    if !counts {
        post(tx, moment, site, Letter::ConfirmNew { account: id })?;
        if old.email.is_some() {
            post(tx, moment, site, Letter::AddressChanging { account: id })?;
        }
    }
    Ok(counts)
}

/// Confirms an address by a link. Opening it twice is no error. `false` if
/// it does not work. Takes up to [`STAFF_MAILS_MAX`] and one more ids.
///
/// # Errors
/// Only the store's.
pub fn confirm(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    (id, digest): (Id, &Digest),
) -> Result<bool, StoreError> {
    let found = recipient(tx, id)?.filter(|(user, _)| opens(user.confirmation.as_ref(), digest, moment.now));
    let Some((user, _)) = found else { return Ok(false) };
    if user.awaits_confirmation {
        confirmed(tx, moment, site, &user)?;
    }
    match &user.new_email {
        Some(email) => take_address(tx, &user, email),
        None => Ok(true),
    }
}

/// The address they wanted is theirs, unless somebody else got it meanwhile.
fn take_address(tx: &mut WriteTx<'_>, old: &User, email: &str) -> Result<bool, StoreError> {
    let is_free = match free_email(tx, old.id, email) {
        Ok(_) => true,
        Err(AskError::Store(cause)) => return Err(cause),
        Err(_) => false,
    };
    let new = match is_free {
        true => User { email: Some(email.to_owned()), new_email: None, reset: None, ..old.clone() },
        false => User { new_email: None, confirmation: None, ..old.clone() },
    };
    User::save(tx, Some(old), &new);
    Ok(is_free)
}

fn confirmed(tx: &mut WriteTx<'_>, moment: &mut Moment, site: &Site, old: &User) -> Result<(), StoreError> {
    user::save(tx, old, &User { awaits_confirmation: false, ..old.clone() })?;
    came_in(tx, moment, site, old)
}

/// What follows when somebody's address is, or counts as, confirmed: they may
/// come in, or those who let people in hear that somebody waits.
///
/// # Errors
/// Only the store's.
pub(super) fn came_in(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    user: &User,
) -> Result<(), StoreError> {
    let account = user.id;
    match user.state {
        UserState::Active => webhook::announce(tx, moment, WebhookEvent::AccountApproved, &[account]),
        UserState::Pending => post_to_staff(tx, moment, site, Permission::ManageUsers, |staff| {
            Letter::Waiting { staff, account }
        }),
        UserState::Disabled => Ok(()),
    }
}
