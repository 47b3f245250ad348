//! Decisions about one account.

use super::audit::{Entry, log};
use super::{ModerationError, Staff};
use crate::base::{Id, Moment};
use crate::domain::delivery::{Task, enqueue};
use crate::domain::{portrait, user, webhook};
use crate::model::queue::{Job, Lane, OrderKey};
use crate::model::tables::{ACCOUNT, USER};
use crate::model::{Account, Event, Permission, Role, Site, User, UserState, WebhookEvent};
use crate::store::{StoreError, WriteTx};

/// What may be done to an account (docs: methods/admin/accounts#action).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing but a note in the log.
    None,
    /// All its media are hidden behind a warning.
    Sensitive,
    /// Its person cannot log in.
    Disable,
    /// It is shown only to those who look for it.
    Silence,
    /// Nothing of it is shown or sent.
    Suspend,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 5] =
        [Action::None, Action::Sensitive, Action::Disable, Action::Silence, Action::Suspend];

    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Action::None => "none",
            Action::Sensitive => "sensitive",
            Action::Disable => "disable",
            Action::Silence => "silence",
            Action::Suspend => "suspend",
        }
    }
}

/// What takes an [`Action`] back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relief {
    /// Its person can log in again.
    Enable,
    /// Media are as their author says.
    Unsensitive,
    /// It is shown as any other.
    Unsilence,
    /// It is back.
    Unsuspend,
}

impl Relief {
    const fn word(self) -> &'static str {
        match self {
            Relief::Enable => "enable",
            Relief::Unsensitive => "unsensitive",
            Relief::Unsilence => "unsilence",
            Relief::Unsuspend => "unsuspend",
        }
    }
}

/// The account and, if it lives here, its person, after it is clear that
/// `by` may act on it.
fn subject(tx: &WriteTx<'_>, by: Staff, id: Id) -> Result<(Account, Option<User>), ModerationError> {
    by.may(Permission::ManageUsers)?;
    let found = tx.get(ACCOUNT, &id)?.filter(|account| account.deleted_at.is_none());
    let account = found.ok_or(ModerationError::Missing)?;
    let user = tx.get(USER, &id)?;
    let role = user.as_ref().map_or(Role::User, |user| user.role);
    // An owner at the console may do anything, also to an owner.
    if by.id == id || (by != Staff::CONSOLE && !by.role.overrides(role)) {
        return Err(ModerationError::NotAllowed);
    }
    Ok((account, user))
}

fn logged(tx: &mut WriteTx<'_>, moment: &mut Moment, by: Staff, action: &str, account: &Account, note: &str) {
    let name = account.acct();
    log(tx, moment, by, Entry { action, kind: "account", target: account.id, name: &name, note });
}

/// Does something to an account. Doing it twice is no error. Takes three ids.
///
/// # Errors
/// When there is no such account, `by` may not act on it, or it has no login
/// to disable.
pub fn act(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    target: Id,
    (action, note): (Action, &str),
) -> Result<(), ModerationError> {
    let (old, user) = subject(tx, by, target)?;
    let now = Some(moment.now);
    let new = match action {
        Action::None => old.clone(),
        Action::Disable => {
            user.ok_or(ModerationError::Invalid("only people of this server have a login"))?;
            user::disable(tx, target).map_err(missing)?;
            old.clone()
        }
        Action::Sensitive => Account { sensitized_at: old.sensitized_at.or(now), ..old.clone() },
        Action::Silence => Account { silenced_at: old.silenced_at.or(now), ..old.clone() },
        Action::Suspend => Account { suspended_at: old.suspended_at.or(now), ..old.clone() },
    };
    let is_new = new != old;
    if is_new {
        updated(tx, moment, &old, &new)?;
    }
    if is_new && action == Action::Suspend {
        suspended(tx, moment, &new)?;
    }
    logged(tx, moment, by, action.word(), &new, note);
    Ok(())
}

fn updated(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    old: &Account,
    new: &Account,
) -> Result<(), StoreError> {
    Account::save(tx, Some(old), new);
    if new.is_local() {
        webhook::announce(tx, moment, WebhookEvent::AccountUpdated, &[new.id])?;
    }
    Ok(())
}

/// What a suspension begins: open streams end, other servers are told, and
/// an account from elsewhere no longer follows anybody here.
fn suspended(tx: &mut WriteTx<'_>, moment: &mut Moment, account: &Account) -> Result<(), StoreError> {
    if account.is_local() {
        Event::Barred { account: account.id }.emit(tx);
        return share(tx, moment, account.id);
    }
    // Of its own pictures nothing goes: it may come back. Copies can be had again.
    portrait::let_go(tx, moment, account)?;
    let job = Job::SeverFollows { account: account.id, both: false, domain: None };
    enqueue(tx, moment, &Task::local(job, Id::ZERO).lane(Lane::Bulk))?;
    Ok(())
}

/// Other servers read the account again.
fn share(tx: &mut WriteTx<'_>, moment: &mut Moment, id: Id) -> Result<(), StoreError> {
    let task = Task::local(Job::ShareProfile { account: id }, id).order(OrderKey::of(id));
    enqueue(tx, moment, &task)?;
    Ok(())
}

/// Takes something back that was done to an account. Takes three ids.
///
/// # Errors
/// When there is no such account, or `by` may not act on it.
pub fn relieve(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    target: Id,
    relief: Relief,
) -> Result<(), ModerationError> {
    let (old, user) = subject(tx, by, target)?;
    let new = match relief {
        Relief::Enable => {
            let user = user.ok_or(ModerationError::Invalid("only people of this server have a login"))?;
            if user.state == UserState::Disabled {
                user::save(tx, &user, &User { state: UserState::Active, ..user.clone() })?;
            }
            old.clone()
        }
        Relief::Unsensitive => Account { sensitized_at: None, ..old.clone() },
        Relief::Unsilence => Account { silenced_at: None, ..old.clone() },
        Relief::Unsuspend => Account { suspended_at: None, ..old.clone() },
    };
    if new != old {
        updated(tx, moment, &old, &new)?;
        if relief == Relief::Unsuspend && new.is_local() {
            share(tx, moment, target)?;
        }
    }
    logged(tx, moment, by, relief.word(), &new, "");
    Ok(())
}

fn missing(error: user::UserError) -> ModerationError {
    match error {
        user::UserError::Missing => ModerationError::Missing,
        user::UserError::Store(cause) => ModerationError::Store(cause),
    }
}

/// Lets somebody in who waits for it. Takes three ids.
///
/// # Errors
/// When there is no such account, or it does not wait.
pub fn approve(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    by: Staff,
    target: Id,
) -> Result<(), ModerationError> {
    let account = waiting(tx, by, target)?.0;
    user::approve(tx, moment, site, target).map_err(missing)?;
    logged(tx, moment, by, "approve", &account, "");
    Ok(())
}

/// Turns somebody down who waits to be let in; nothing of them is kept, and
/// their name is free again: it was never seen by anybody. Takes one id.
///
/// # Errors
/// When there is no such account, or it does not wait.
pub fn reject(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    target: Id,
) -> Result<(), ModerationError> {
    let (account, user) = waiting(tx, by, target)?;
    user::take_back(tx, &account, &user)?;
    logged(tx, moment, by, "reject", &account, "");
    Ok(())
}

fn waiting(tx: &WriteTx<'_>, by: Staff, target: Id) -> Result<(Account, User), ModerationError> {
    let (account, user) = subject(tx, by, target)?;
    match user {
        Some(user) if user.state == UserState::Pending => Ok((account, user)),
        _ => Err(ModerationError::NotAllowed),
    }
}

/// Deletes a suspended account for good: its person and all it left go, its
/// name stays taken. The rows go in a job. Takes two ids.
///
/// # Errors
/// When there is no such account, it is not suspended, or `by` may not.
pub fn erase(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    target: Id,
) -> Result<(), ModerationError> {
    let (account, _) = subject(tx, by, target)?;
    by.may(Permission::DeleteUserData)?;
    if account.suspended_at.is_none() {
        return Err(ModerationError::NotAllowed);
    }
    let task = Task::local(Job::EraseAccount { account: target }, Id::ZERO).lane(Lane::Bulk);
    enqueue(tx, moment, &task)?;
    logged(tx, moment, by, "destroy", &account, "");
    Ok(())
}
