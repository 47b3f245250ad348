//! People who log in here: their secrets, roles, sessions and invitations.

use minicbor::{Decode, Encode};

use super::tables::{SESSION, SESSION_BY_ACCOUNT, STAFF, USER, USER_BY_EMAIL};
use super::{Event, QuotePolicy, Visibility};
use crate::base::{Id, Timestamp};
use crate::store::{Record, WriteTx};

/// What a user may do to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum Role {
    /// Their own things.
    #[n(0)]
    #[default]
    User,
    /// Reports and accounts as well.
    #[n(1)]
    Moderator,
    /// Settings as well.
    #[n(2)]
    Admin,
    /// Everything; the one who set the server up.
    #[n(3)]
    Owner,
}

/// One thing that a role may permit, as a bit of Mastodon's `permissions`
/// (docs: entities/Role).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Permission {
    /// Everything.
    Administrator = 1,
    /// What was decided, and by whom.
    ViewAuditLog = 1 << 2,
    /// Figures of the server.
    ViewDashboard = 1 << 3,
    /// Reports.
    ManageReports = 1 << 4,
    /// Blocked and welcome servers.
    ManageFederation = 1 << 5,
    /// Blocked addresses.
    ManageBlocks = 1 << 7,
    /// Trends and hashtags.
    ManageTaxonomies = 1 << 8,
    /// Accounts.
    ManageUsers = 1 << 10,
    /// Announcements.
    ManageAnnouncements = 1 << 13,
    /// Custom emojis.
    ManageCustomEmojis = 1 << 14,
    /// Webhooks.
    ManageWebhooks = 1 << 15,
    /// Deleting an account for good.
    DeleteUserData = 1 << 19,
}

impl Role {
    /// What it permits, as Mastodon's default roles have it
    /// (app/models/user_role.rs).
    pub const fn permissions(self) -> u32 {
        match self {
            Role::User => 1 << 16,
            Role::Moderator => 1308,
            Role::Admin => 983_036,
            Role::Owner => Permission::Administrator as u32,
        }
    }

    /// Whether it permits this.
    pub const fn permits(self, permission: Permission) -> bool {
        let all = self.permissions();
        all & (Permission::Administrator as u32) != 0 || all & (permission as u32) != 0
    }

    /// Whether one who has it may act on one who has the other: nobody acts
    /// on their peers, or on those above them.
    pub fn overrides(self, other: Role) -> bool {
        self > other
    }
}

/// Whether a user can log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum UserState {
    /// Yes.
    #[n(0)]
    #[default]
    Active,
    /// Not until a moderator approves.
    #[n(1)]
    Pending,
    /// No longer.
    #[n(2)]
    Disabled,
}

/// What a new post is when its author does not say.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct PostingDefaults {
    /// Who may see it.
    #[n(0)]
    pub visibility: Visibility,
    /// Whether its media are hidden behind a warning.
    #[n(1)]
    pub sensitive: bool,
    /// ISO 639 code.
    #[n(2)]
    pub language: Option<String>,
    /// Who may quote it; `None` is everybody.
    #[n(3)]
    pub quote_policy: Option<QuotePolicy>,
}

/// A person who can log in. Has the id of their account.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct User {
    /// The account's id.
    #[n(0)]
    pub id: Id,
    /// argon2id, PHC string.
    #[n(1)]
    pub password_hash: String,
    /// Lower case; may be absent.
    #[n(2)]
    pub email: Option<String>,
    /// What they may do.
    #[n(3)]
    pub role: Role,
    /// Whether they can log in.
    #[n(4)]
    pub state: UserState,
    /// When they signed up.
    #[n(5)]
    pub created_at: Timestamp,
    /// For new posts.
    #[n(6)]
    pub defaults: PostingDefaults,
    /// Why they want to join, for the one who approves.
    #[n(7)]
    pub reason: Option<String>,
    /// Who invited them.
    #[n(8)]
    pub invited_by: Option<Id>,
    /// The app that signed them up.
    #[n(9)]
    pub app: Option<Id>,
    /// Language of the pages.
    #[n(10)]
    pub locale: Option<String>,
    /// Some app of theirs has subscribed to pushes.
    #[n(11)]
    #[cbor(default)]
    pub has_push: bool,
    /// They have not shown yet that mails to their address reach them, and
    /// cannot log in before.
    #[n(12)]
    #[cbor(default)]
    pub awaits_confirmation: bool,
    /// The link that confirms their address.
    #[n(13)]
    pub confirmation: Option<OneTime>,
    /// The link with which they may choose a new password.
    #[n(14)]
    pub reset: Option<OneTime>,
    /// The address they want to have, lower case. The one they have counts
    /// until they have shown that mails to this one reach them.
    #[n(15)]
    pub new_email: Option<String>,
}

/// The secret of a link in a mail. We keep only its digest.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OneTime {
    /// SHA-256 of the secret.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub digest: [u8; 32],
    /// When it stops working.
    #[n(1)]
    pub expires_at: Timestamp,
}

impl Record for User {}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "User({}, {:?}, {:?})", self.id, self.role, self.state)
    }
}

impl User {
    /// Whether they may log in and act.
    pub fn is_active(&self) -> bool {
        self.state == UserState::Active && !self.awaits_confirmation
    }

    /// Keeps the record and its index row.
    pub fn save(tx: &mut WriteTx<'_>, old: Option<&User>, new: &User) {
        if let Some(email) = old.and_then(|o| o.email.as_ref())
            && new.email.as_ref() != Some(email)
        {
            tx.delete(USER_BY_EMAIL, email);
        }
        if let Some(email) = &new.email {
            tx.put(USER_BY_EMAIL, email, &new.id);
        }
        if new.role > Role::User {
            tx.put(STAFF, &new.id, &());
        } else if old.is_some_and(|old| old.role > Role::User) {
            tx.delete(STAFF, &new.id);
        }
        tx.put(USER, &new.id, new);
        if new.state == UserState::Disabled && old.is_some_and(|old| old.state != UserState::Disabled) {
            Event::Barred { account: new.id }.emit(tx);
        }
    }

    /// Removes the record and its index rows.
    pub fn delete(tx: &mut WriteTx<'_>, user: &User) {
        if let Some(email) = &user.email {
            tx.delete(USER_BY_EMAIL, email);
        }
        tx.delete(STAFF, &user.id);
        tx.delete(USER, &user.id);
    }
}

/// SHA-256 of a secret that a browser or app holds; we never keep the secret.
pub type SessionDigest = [u8; 32];

/// A browser that is logged in.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Session {
    /// Names it on the settings page.
    #[n(0)]
    pub id: Id,
    /// Whose.
    #[n(1)]
    pub account: Id,
    /// When they logged in.
    #[n(2)]
    pub created_at: Timestamp,
    /// When it was last used, to the hour.
    #[n(3)]
    pub seen_at: Timestamp,
    /// Which browser, cut to 200 bytes.
    #[n(4)]
    pub user_agent: String,
    /// Secret that forms of this session must carry.
    #[n(5)]
    pub csrf: String,
}

impl Record for Session {}

impl Session {
    /// Keeps the record and its index row.
    pub fn save(tx: &mut WriteTx<'_>, digest: SessionDigest, session: &Session) {
        tx.put(SESSION_BY_ACCOUNT, &(session.account, digest), &());
        tx.put(SESSION, &digest, session);
    }

    /// Logs it out.
    pub fn delete(tx: &mut WriteTx<'_>, digest: SessionDigest, session: &Session) {
        tx.delete(SESSION_BY_ACCOUNT, &(session.account, digest));
        tx.delete(SESSION, &digest);
    }
}

/// An invitation to sign up.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Invite {
    /// Who invites.
    #[n(0)]
    pub creator: Id,
    /// When it was made.
    #[n(1)]
    pub created_at: Timestamp,
    /// When it stops working.
    #[n(2)]
    pub expires_at: Option<Timestamp>,
    /// How many may still use it; `None` for any number.
    #[n(3)]
    pub uses_left: Option<u32>,
}

impl Record for Invite {}
