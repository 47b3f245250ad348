//! What a server needs once: the key of its own actor and the owner's link.

use std::sync::Arc;

use crate::base::{Chance, Clock, Problem};
use crate::domain::user::owner;
use crate::domain::secret;
use crate::model::tables::SETTING;
use crate::model::{KeyPair, Setting, Site};
use crate::store::{Store, StoreError};
use crate::wire::http_signature::keys;

/// Random bytes in the owner's link.
const OWNER_SECRET_BYTES: usize = 24;

/// What was found or made.
pub(super) struct FirstRun {
    /// The key of the instance actor.
    pub(super) instance_key: KeyPair,
    /// The link that makes the owner's account, while nobody owns the server.
    /// A new one each start: the old one was shown on a screen long ago.
    pub(super) owner_link: Option<String>,
}
