//! Accounts as moderators look at them: all of them, with their logins.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::Id;
use crate::domain::page::{Page, Paged, search};
use crate::domain::timeline::{Person, load_everybody};
use crate::model::tables::{ACCOUNT, USER};
use crate::model::{Account, Role, User, UserState};
use crate::store::{ReadTx, Scan, StoreError};

/// Rows read at once, and how often, when a list is filtered.
const SEARCH_ROWS: usize = 500;
const SEARCH_SCANS_MAX: usize = 40;

/// An account with its login, if it has one here.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The account, suspended or not.
    pub person: Arc<Person>,
    /// The login.
    pub user: Option<User>,
}

/// Where an account lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Here.
    Local,
    /// Elsewhere.
    Remote,
}

/// How an account stands (docs: methods/admin/accounts, `status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not suspended.
    Active,
    /// Waits to be let in.
    Pending,
    /// Cannot log in.
    Disabled,
    /// Limited.
    Silenced,
    /// Suspended.
    Suspended,
    /// All its media are behind a warning.
    Sensitized,
}

/// Which accounts are listed.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Where they live.
    pub origin: Option<Origin>,
    /// How they stand.
    pub standing: Option<Standing>,
    /// Only those who may do more than their own things.
    pub staff: bool,
    /// Only with one of these roles.
    pub roles: Option<Vec<Role>>,
    /// Only those whom this account invited.
    pub invited_by: Option<Id>,
    /// The beginning of the username.
    pub username: Option<String>,
    /// The beginning of the display name.
    pub display_name: Option<String>,
    /// The server.
    pub domain: Option<String>,
    /// The beginning of the mail address.
    pub email: Option<String>,
    /// The address somebody signed up from. None is kept, so nobody has one.
    pub ip: Option<String>,
}

impl Wanted {
    /// Whether only accounts with a login can be meant.
    fn is_local(&self) -> bool {
        self.origin == Some(Origin::Local)
            || self.staff
            || self.roles.is_some()
            || self.invited_by.is_some()
            || self.email.is_some()
            || matches!(self.standing, Some(Standing::Pending | Standing::Disabled))
    }

    fn admits(&self, account: &Account, user: Option<&User>) -> bool {
        account.deleted_at.is_none()
            && self.ip.is_none()
            && self.fits_account(account)
            && self.standing.is_none_or(|standing| stands(standing, account, user))
            && user.map_or(!self.is_local(), |user| self.fits_user(user))
    }

    fn fits_account(&self, account: &Account) -> bool {
        let begins = |text: &str, with: &Option<String>| {
            with.as_ref().is_none_or(|with| text.to_lowercase().starts_with(&with.to_lowercase()))
        };
        let is_there = self.origin.is_none_or(|origin| (origin == Origin::Local) == account.is_local());
        let is_of = |domain: &String| account.domain.as_deref() == Some(&*domain.to_lowercase());
        is_there
            && self.domain.as_ref().is_none_or(is_of)
            && begins(&account.username, &self.username)
            && begins(&account.display_name, &self.display_name)
    }

    fn fits_user(&self, user: &User) -> bool {
        let has_mail =
            |with: &String| user.email.as_ref().is_some_and(|mail| mail.starts_with(&with.to_lowercase()));
        (!self.staff || user.role > Role::User)
            && self.roles.as_ref().is_none_or(|roles| roles.contains(&user.role))
            && self.invited_by.is_none_or(|by| user.invited_by == Some(by))
            && self.email.as_ref().is_none_or(has_mail)
    }
}

fn stands(standing: Standing, account: &Account, user: Option<&User>) -> bool {
    let is = |state: UserState| user.is_some_and(|user| user.state == state);
    match standing {
        Standing::Active => account.suspended_at.is_none() && !is(UserState::Pending),
        Standing::Pending => is(UserState::Pending),
        Standing::Disabled => is(UserState::Disabled),
        Standing::Silenced => account.silenced_at.is_some(),
        Standing::Suspended => account.suspended_at.is_some(),
        Standing::Sensitized => account.sensitized_at.is_some(),
    }
}

/// A page of accounts, newest first.
///
/// # Errors
/// Only the store's.
pub fn list(tx: &ReadTx<'_>, wanted: &Wanted, page: &Page) -> Result<Paged<Subject>, StoreError> {
    let found = search(
        page,
        (SEARCH_ROWS, SEARCH_SCANS_MAX),
        |span| {
            // People of this server are few beside all accounts.
            if wanted.is_local() {
                let users = tx.scan(USER, span.scan(Scan::all(), |id| id))?;
                Ok(users.into_iter().map(|(id, _)| (id, ())).collect())
            } else {
                let accounts = tx.scan(ACCOUNT, span.scan(Scan::all(), |id| id))?;
                Ok(accounts.into_iter().map(|(id, _)| (id, ())).collect())
            }
        },
        |rows: &[(Id, ())]| {
            let ids: Vec<Id> = rows.iter().map(|(id, ())| *id).collect();
            let mut batch = tx.batch();
            let (accounts, users) = (batch.get_many(ACCOUNT, &ids), batch.get_many(USER, &ids));
            let found = batch.fetch()?;
            let users = found.take(users)?;
            let pairs = found.take(accounts)?.into_iter().zip(users);
            Ok::<_, StoreError>(
                pairs
                    .map(|(account, user)| {
                        account.filter(|a| wanted.admits(a, user.as_ref())).map(|account| account.id)
                    })
                    .collect(),
            )
        },
    )?;
    let mut subjects: HashMap<Id, Subject> =
        load(tx, &found.items)?.into_iter().flatten().map(|s| (s.person.account.id, s)).collect();
    let Paged { newest, oldest, has_older, .. } = found;
    let items = found.items.iter().filter_map(|id| subjects.remove(id)).collect();
    Ok(Paged { items, newest, oldest, has_older })
}

/// Accounts with their logins, in this order; `None` for those that are
/// missing or deleted.
///
/// # Errors
/// Only the store's.
pub fn load(tx: &ReadTx<'_>, ids: &[Id]) -> Result<Vec<Option<Subject>>, StoreError> {
    let people = load_everybody(tx, ids)?;
    let users = tx.get_many(USER, ids)?;
    let subjects = people.into_iter().zip(users).map(|(person, user)| {
        let person = person.filter(|person| person.account.deleted_at.is_none())?;
        Some(Subject { person, user })
    });
    Ok(subjects.collect())
}
