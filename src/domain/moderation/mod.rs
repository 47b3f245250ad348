//! What those who run the server decide about others, and what follows from
//! it. Every decision leaves a row in the audit log.
//!
//! Knows who may decide what; must not know how it is asked for.

mod account;
mod audit;
pub mod barred;
mod belongings;
mod erase;
pub mod figures;
pub mod people;
pub mod report;
pub mod server;
mod sever;
mod staff;
mod warning;

pub use account::{Action, Relief, act, approve, erase, reject, relieve};
pub use audit::{Entry, list as audit_log, log};
pub use erase::{bury_local, clear};
pub use sever::{SEVER_IDS, Severing, sever_step};
pub use staff::members;
pub use warning::{Word, warn, warnings};

use crate::base::Id;
use crate::model::{Permission, Role};
use crate::store::StoreError;

/// Somebody who decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staff {
    /// Their account.
    pub id: Id,
    /// What they may do.
    pub role: Role,
}

impl Staff {
    /// Whoever holds the machine itself: the command line.
    pub const CONSOLE: Staff = Staff { id: Id::ZERO, role: Role::Owner };

    /// Whether they may.
    ///
    /// # Errors
    /// [`ModerationError::NotAllowed`] when not.
    pub fn may(&self, permission: Permission) -> Result<(), ModerationError> {
        if self.role.permits(permission) { Ok(()) } else { Err(ModerationError::NotAllowed) }
    }
}

/// Why a decision cannot be made.
#[derive(Debug)]
pub enum ModerationError {
    /// What it is about is not there.
    Missing,
    /// Their role does not permit it, or not on this account.
    NotAllowed,
    /// It makes no sense now: why, for people.
    Invalid(&'static str),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for ModerationError {
    fn from(cause: StoreError) -> Self {
        ModerationError::Store(cause)
    }
}
