//! Accounts: people and bots, ours and others'.

use minicbor::{Decode, Encode};

use super::Event;
use super::feed;
use super::tables::{ACCOUNT, ACCOUNT_BY_HANDLE, ACCOUNT_BY_URI, DIRECTORY, directory};
use crate::base::{Id, Timestamp};
use crate::store::{Record, WriteTx};

/// What an actor is (ActivityStreams actor types).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum ActorKind {
    /// A person.
    #[n(0)]
    #[default]
    Person,
    /// A bot.
    #[n(1)]
    Service,
    /// A group.
    #[n(2)]
    Group,
    /// An application, such as an instance actor.
    #[n(3)]
    Application,
    /// An organization.
    #[n(4)]
    Organization,
}

/// A row of a profile's table.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Field {
    /// Plain text.
    #[n(0)]
    pub name: String,
    /// Clean HTML.
    #[n(1)]
    pub value_html: String,
    /// What a local person typed; empty for remote accounts.
    #[n(2)]
    pub value_text: String,
    /// When the link in it was seen to link back.
    #[n(3)]
    pub verified_at: Option<Timestamp>,
}

/// An avatar or header.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Picture {
    /// Kept in our media folder under this name.
    #[n(0)]
    Local(#[n(0)] String),
    /// On the account's own server.
    #[n(1)]
    Remote(#[n(0)] String),
}

/// An account, local or remote.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Account {
    /// Our id.
    #[n(0)]
    pub id: Id,
    /// The name before the @, as its owner writes it.
    #[n(1)]
    pub username: String,
    /// The part after the @, lower case; `None` for local accounts.
    #[n(2)]
    pub domain: Option<String>,
    /// What to call them; may be empty.
    #[n(3)]
    pub display_name: String,
    /// Profile text as clean HTML.
    #[n(4)]
    pub note_html: String,
    /// Profile text as a local person typed it; empty for remote accounts.
    #[n(5)]
    pub note_text: String,
    /// Rows of the profile's table.
    #[n(6)]
    pub fields: Vec<Field>,
    /// The small picture.
    #[n(7)]
    pub avatar: Option<Picture>,
    /// The wide picture.
    #[n(8)]
    pub header: Option<Picture>,
    /// The ActivityPub actor id.
    #[n(9)]
    pub uri: String,
    /// The page for people.
    #[n(10)]
    pub url: String,
    /// Where activities for them go; empty for local accounts.
    #[n(11)]
    pub inbox: String,
    /// Where activities for many of their server's people go.
    #[n(12)]
    pub shared_inbox: Option<String>,
    /// Id of the collection of their followers.
    #[n(13)]
    pub followers_uri: String,
    /// Id of the collection of whom they follow.
    #[n(14)]
    pub following_uri: String,
    /// Their posts; empty when unknown.
    #[n(15)]
    pub outbox_uri: String,
    /// Their pinned posts; empty when unknown.
    #[n(16)]
    pub featured_uri: String,
    /// Id of their signing key.
    #[n(17)]
    pub key_id: String,
    /// Public half of their signing key, SPKI PEM.
    #[n(18)]
    pub public_key_pem: String,
    /// What kind of actor.
    #[n(19)]
    pub kind: ActorKind,
    /// Follows need approval.
    #[n(20)]
    pub is_locked: bool,
    /// May be listed in directories.
    #[n(21)]
    pub is_discoverable: bool,
    /// Public posts may be searched (FEP-5feb).
    #[n(22)]
    pub is_indexable: bool,
    /// When it was made (local) or says it was made (remote).
    #[n(23)]
    pub created_at: Timestamp,
    /// When the remote actor document was last read.
    #[n(24)]
    pub fetched_at: Timestamp,
    /// When they last posted.
    #[n(25)]
    pub last_status_at: Option<Timestamp>,
    /// Suspended by a moderator.
    #[n(26)]
    pub suspended_at: Option<Timestamp>,
    /// Deleted; kept as a tombstone so that ids are never reused.
    #[n(27)]
    pub deleted_at: Option<Timestamp>,
    /// Other ids of the same person.
    #[n(28)]
    pub also_known_as: Vec<String>,
    /// Where they moved.
    #[n(29)]
    pub moved_to: Option<String>,
    /// Custom emojis in the name, text and fields.
    #[n(30)]
    pub emojis: Option<Vec<super::CustomEmoji>>,
    /// The key before the last rotation and until when it is good.
    #[n(31)]
    pub previous_key: Option<(String, Timestamp)>,
    /// Limited by a moderator: shown only to those who look for it.
    #[n(32)]
    pub silenced_at: Option<Timestamp>,
    /// All its media are hidden behind a warning, by a moderator.
    #[n(33)]
    pub sensitized_at: Option<Timestamp>,
    /// Whom they follow and who follows them is for nobody else to see.
    /// `None` is no.
    #[n(34)]
    pub hides_follows: Option<bool>,
    /// Hosts whose pages may name them as author (with those below them).
    #[n(35)]
    pub attribution_domains: Option<Vec<String>>,
    /// What their profile shows. `None` is all of it.
    #[n(36)]
    pub tabs: Option<ProfileTabs>,
    /// Signed up, but not let in yet: a moderator has to approve, or the mail
    /// address to be confirmed. Until then it is there for staff only.
    /// `None` is no.
    #[n(37)]
    pub waits: Option<bool>,
}

impl Record for Account {}

/// What of a profile is shown, besides posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ProfileTabs {
    /// Posts with files by themselves.
    #[n(0)]
    pub media: bool,
    /// Answers among these.
    #[n(1)]
    pub media_replies: bool,
    /// What they recommend.
    #[n(2)]
    pub featured: bool,
}

impl Default for ProfileTabs {
    fn default() -> ProfileTabs {
        ProfileTabs { media: true, media_replies: true, featured: true }
    }
}

impl Account {
    /// Whether it lives here.
    pub fn is_local(&self) -> bool {
        self.domain.is_none()
    }

    /// Whether posts and profile may be shown.
    pub fn is_visible(&self) -> bool {
        self.suspended_at.is_none() && self.deleted_at.is_none() && !self.waits()
    }

    /// Whether it has signed up and not been let in yet.
    pub fn waits(&self) -> bool {
        self.waits.unwrap_or_default()
    }

    /// Whether it is limited to those who look for it.
    pub fn is_limited(&self) -> bool {
        self.silenced_at.is_some()
    }

    /// Whether this viewer may see whom it follows and who follows it.
    pub fn shows_follows_to(&self, viewer: Option<Id>) -> bool {
        !self.hides_follows.unwrap_or_default() || viewer == Some(self.id)
    }

    /// Whether it is a bot.
    pub fn is_bot(&self) -> bool {
        matches!(self.kind, ActorKind::Service | ActorKind::Application)
    }

    /// The same without anything its owner wrote or drew: what is shown of a
    /// suspended account.
    #[must_use]
    pub fn without_profile(&self) -> Account {
        Account {
            display_name: String::new(),
            note_html: String::new(),
            note_text: String::new(),
            fields: Vec::new(),
            avatar: None,
            header: None,
            emojis: None,
            is_locked: false,
            is_discoverable: false,
            is_indexable: false,
            kind: ActorKind::Person,
            ..self.clone()
        }
    }

    /// `user` for local accounts, `user@domain` for others.
    pub fn acct(&self) -> String {
        match &self.domain {
            None => self.username.clone(),
            Some(domain) => format!("{}@{domain}", self.username),
        }
    }

    /// The display name, or the username where there is none.
    pub fn name(&self) -> &str {
        if self.display_name.is_empty() { &self.username } else { &self.display_name }
    }

    /// The key under which a handle is looked up. Usernames differ only by
    /// more than case.
    pub fn handle_key(username: &str, domain: Option<&str>) -> (String, String) {
        (username.to_lowercase(), domain.unwrap_or_default().to_lowercase())
    }

    /// Its places in the directory; none for one that does not want to be
    /// found or has moved away.
    fn directory_keys(&self) -> Vec<(u8, Timestamp, Id)> {
        let is_hidden = !self.is_visible() || self.is_limited() || self.moved_to.is_some();
        if !self.is_discoverable || is_hidden {
            return Vec::new();
        }
        let active = self.last_status_at.unwrap_or_default().midnight();
        let new = self.id.timestamp();
        let mut keys = vec![(directory::ACTIVE, active, self.id), (directory::NEW, new, self.id)];
        if self.is_local() {
            keys.extend([(directory::ACTIVE_LOCAL, active, self.id), (directory::NEW_LOCAL, new, self.id)]);
        }
        keys
    }

    /// Keeps the record and its index rows. A deleted account keeps its
    /// handle and uri, so that neither is given to anybody else.
    pub fn save(tx: &mut WriteTx<'_>, old: Option<&Account>, new: &Account) {
        let handle = Account::handle_key(&new.username, new.domain.as_deref());
        if let Some(old) = old {
            let before = Account::handle_key(&old.username, old.domain.as_deref());
            if before != handle {
                tx.delete(ACCOUNT_BY_HANDLE, &before);
            }
            if old.uri != new.uri {
                tx.delete(ACCOUNT_BY_URI, &old.uri);
            }
        }
        let listed = new.directory_keys();
        for key in old.map(Account::directory_keys).into_iter().flatten() {
            if !listed.contains(&key) {
                tx.delete(DIRECTORY, &key);
            }
        }
        for key in listed {
            tx.put(DIRECTORY, &key, &());
        }
        tx.put(ACCOUNT_BY_HANDLE, &handle, &new.id);
        if !new.uri.is_empty() {
            tx.put(ACCOUNT_BY_URI, &new.uri, &new.id);
        }
        feed::touch(tx, feed::PERSON, new.id, old.map(feed::of_person), feed::of_person(new));
        if let Some(old) = old {
            feed::touch(tx, feed::POSTS_OF, new.id, Some(feed::of_posts(old)), feed::of_posts(new));
        }
        tx.put(ACCOUNT, &new.id, new);
        if new.is_local() && !new.is_visible() && old.is_some_and(Account::is_visible) {
            Event::Barred { account: new.id }.emit(tx);
        }
    }
}

/// The private half of a local actor's signing key. Kept apart from
/// [`Account`], so that nothing that shows accounts ever holds it.
#[derive(Clone, Encode, Decode)]
pub struct KeyPair {
    /// RSA private key, PKCS#8 DER.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub private_der: Vec<u8>,
    /// RSA public key, SPKI PEM.
    #[n(1)]
    pub public_pem: String,
}

impl Record for KeyPair {}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyPair(private)")
    }
}
