//! Uploaded files.

use minicbor::{Decode, Encode};

use super::Attachment;
use super::tables::{MEDIA, MEDIA_BY_EXPIRY};
use crate::base::{Id, Timestamp};
use crate::store::{Record, WriteTx};

/// How far an upload has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum MediaState {
    /// It waits to be made fit to be shown.
    #[n(0)]
    #[default]
    Processing,
    /// It can be shown.
    #[n(1)]
    Ready,
    /// It cannot be read.
    #[n(2)]
    Failed,
}

/// A file that somebody here uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Media {
    /// As posts show it; its id is the upload's.
    #[n(0)]
    pub attachment: Attachment,
    /// Who uploaded it.
    #[n(1)]
    pub owner: Id,
    /// How far it is.
    #[n(2)]
    pub state: MediaState,
    /// What the names of all its files begin with: random, so that nobody
    /// can guess them.
    #[n(3)]
    pub stem: String,
    /// The post that shows it.
    #[n(4)]
    pub status: Option<Id>,
    /// When it goes, unless a post shows it by then.
    #[n(5)]
    pub expires_at: Option<Timestamp>,
    /// When it was uploaded.
    #[n(6)]
    pub created_at: Timestamp,
}

impl Record for Media {}

/// A file of another server that is kept here for a while.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CachedFile {
    /// The name under which it is kept.
    #[n(0)]
    pub name: String,
    /// Its size.
    #[n(1)]
    pub bytes: u64,
    /// When it was fetched.
    #[n(2)]
    pub fetched_at: Timestamp,
    /// When somebody asked for it, to the hour.
    #[n(3)]
    pub used_at: Timestamp,
}

impl Record for CachedFile {}

impl Media {
    /// Its id.
    pub fn id(&self) -> Id {
        self.attachment.id
    }

    /// Keeps the record and its index row.
    pub fn save(tx: &mut WriteTx<'_>, old: Option<&Media>, new: &Media) {
        if let Some(at) = old.and_then(|old| old.expires_at) {
            tx.delete(MEDIA_BY_EXPIRY, &(at, new.id()));
        }
        if let Some(at) = new.expires_at {
            tx.put(MEDIA_BY_EXPIRY, &(at, new.id()), &());
        }
        tx.put(MEDIA, &new.id(), new);
    }

    /// Removes the record and its index row; the files are the caller's.
    pub fn delete(tx: &mut WriteTx<'_>, old: &Media) {
        if let Some(at) = old.expires_at {
            tx.delete(MEDIA_BY_EXPIRY, &(at, old.id()));
        }
        tx.delete(MEDIA, &old.id());
    }
}
