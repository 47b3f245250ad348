//! What can go wrong below the rules.

use std::fmt;

use super::table::ValueError;

/// A failure of the store itself, never of a rule.
#[derive(Debug, Clone)]
pub enum StoreError {
    /// Too many writes are waiting; try again shortly.
    Busy,
    /// Another writer got there first; the lane runs the batch again.
    Conflict,
    /// The store has been closed.
    Closed,
    /// Another process has the store open: where it is.
    Held(String),
    /// No space is left on the disk.
    DiskFull(String),
    /// The file is not a store, or is damaged: what the engine said.
    Damaged(String),
    /// The file is from a newer program.
    Newer(String),
    /// A key of a table cannot be read.
    Key {
        /// The table.
        table: &'static str,
    },
    /// A value of a table cannot be read.
    Value {
        /// The table.
        table: &'static str,
        /// Why.
        cause: ValueError,
    },
    /// A write closure panicked; its changes are undone.
    Panicked,
    /// The database cannot be reached or refused: what, where, what to do.
    Database(String),
    /// The database stopped a statement that took too long; all that was asked
    /// in the same transaction fails with it.
    Cancelled(String),
    /// Any other failure of the engine.
    Engine(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Busy => f.write_str("too many writes are waiting for the store"),
            StoreError::Conflict => f.write_str("another writer changed the same rows"),
            StoreError::Closed => f.write_str("the store is closed"),
            StoreError::Held(path) => write!(
                f,
                "the store `{path}` is in use by another process; stop that one, or give this one its own with `--data DIR`"
            ),
            StoreError::DiskFull(what) => {
                write!(f, "the disk is full ({what}); nothing acknowledged is lost; free some space")
            }
            StoreError::Damaged(what) => {
                write!(f, "the store is damaged ({what}); restore the newest backup with `waxwing restore`")
            }
            StoreError::Newer(what) => write!(
                f,
                "the store was written by a newer Waxwing ({what}); run that version or a later one"
            ),
            StoreError::Key { table } => write!(f, "a key in table `{table}` is damaged"),
            StoreError::Value { table, cause: ValueError::Newer(version) } => write!(
                f,
                "a row in table `{table}` has version {version} of a newer Waxwing; run that version or a later one"
            ),
            StoreError::Value { table, cause: ValueError::Damaged(why) } => {
                write!(f, "a row in table `{table}` is damaged: {why}")
            }
            StoreError::Panicked => f.write_str("a transaction panicked and was undone"),
            StoreError::Database(what) | StoreError::Cancelled(what) => f.write_str(what),
            StoreError::Engine(what) => write!(f, "the storage engine failed: {what}"),
        }
    }
}

impl std::error::Error for StoreError {}
