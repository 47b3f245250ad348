//! Federation as another server sees it: documents, signatures, inboxes.

mod discovery;
mod documents;
mod inbox;
mod limited;
mod media;
mod moderation;
mod origin;
pub mod peer;
mod polls;
mod quotes;
mod signatures;
mod threads;
