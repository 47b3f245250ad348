//! Single values of the whole server that are not configuration: keys and
//! secrets made on first run.

use minicbor::{Decode, Encode};

use super::KeyPair;
use crate::base::{Id, Timestamp};
use crate::store::Record;

/// A value under a name in the settings table.
#[derive(Debug, Clone, Encode, Decode)]
pub enum Setting {
    /// SHA-256 of the secret in the owner's one-time link.
    #[n(0)]
    OwnerLink(#[n(0)] [u8; 32]),
    /// The key of the instance actor.
    #[n(1)]
    InstanceKey(#[n(0)] KeyPair),
    /// When the server first started.
    #[n(2)]
    FirstStart(#[n(0)] Timestamp),
    /// The account of the one who set the server up.
    #[n(3)]
    Owner(#[n(0)] Id),
    /// The origin under which the first things were published.
    #[n(4)]
    Origin(#[n(0)] String),
    /// The key that signs pushes, PKCS#8.
    #[n(5)]
    PushKey(
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        Vec<u8>,
    ),
}

impl Record for Setting {}

impl Setting {
    /// Name of the key that signs pushes.
    pub const PUSH_KEY: &'static str = "push_key";
    /// Name of the owner's one-time link.
    pub const OWNER_LINK: &'static str = "owner_link";
    /// Name of the owner's account.
    pub const OWNER: &'static str = "owner";
    /// Name of the first origin.
    pub const ORIGIN: &'static str = "origin";
    /// Name of the instance actor's key.
    pub const INSTANCE_KEY: &'static str = "instance_key";
    /// Name of the first start.
    pub const FIRST_START: &'static str = "first_start";
}
