//! What redb and the disk say, as [`StoreError`]s for people.

use std::io::{Error as IoError, ErrorKind};
use std::path::Path;

use redb::Error;

use crate::store::StoreError;

/// Whether redb refuses everything until it is opened again.
pub(super) fn needs_reopening(error: &Error) -> bool {
    matches!(error, Error::Io(_) | Error::PreviousIo | Error::LockPoisoned(_))
}

pub(super) fn translate(path: &Path, error: Error) -> StoreError {
    match error {
        Error::Io(e) => translate_io(path, &e),
        Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => {
            StoreError::Held(path.display().to_string())
        }
        Error::DatabaseClosed => StoreError::Closed,
        Error::Corrupted(_)
        | Error::TableTypeMismatch { .. }
        | Error::TableIsMultimap(_)
        | Error::TypeDefinitionChanged { .. } => StoreError::Damaged(about(path, &error)),
        other => StoreError::Engine(about(path, &other)),
    }
}

pub(super) fn translate_io(path: &Path, error: &IoError) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            StoreError::DiskFull(about(path, error))
        }
        // redb's words for "this is no redb file", and a file cut short.
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => StoreError::Damaged(about(path, error)),
        _ => StoreError::Engine(about(path, error)),
    }
}

fn about(path: &Path, error: &dyn std::error::Error) -> String {
    format!("`{}`: {error}", path.display())
}
