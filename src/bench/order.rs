//! What the parent and the instance it starts say to each other: one line of
//! JSON each way. The order goes to the child's standard input, which then
//! stays open; when it closes, the parent is gone and the child ends itself.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The hidden command of the child.
pub const COMMAND: &str = "bench-instance";
/// Bytes of an order or of an answer to it.
pub const LINE_MAX_BYTES: u64 = 32 << 20;

/// What the instance is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Its data folder, empty and its own; it removes it at the end.
    pub folder: PathBuf,
    /// Local people.
    pub people: usize,
    /// Whom each of them follows, on average.
    pub follows: usize,
    /// Posts to begin with.
    pub posts: usize,
    /// What chance begins with.
    pub seed: u64,
    /// People of other servers, who send.
    pub senders: Vec<Sender>,
    /// Inboxes of other servers, which get what the announcer posts.
    pub destinations: Vec<String>,
}

/// Somebody of a fake server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sender {
    /// Their actor id; its host is their server.
    pub actor: String,
    /// The public half of their key.
    pub public_key_pem: String,
}

impl Sender {
    /// The id of their key.
    pub fn key_id(&self) -> String {
        format!("{}#main-key", self.actor)
    }
}

/// The instance is there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// `https://localhost:PORT`
    pub origin: String,
    /// Where it really listens.
    pub address: Option<SocketAddr>,
    /// Where its metrics are.
    pub admin: Option<SocketAddr>,
    /// The authority of its certificate.
    pub root_pem: String,
    /// Some of its people, the most followed first.
    pub people: Vec<Person>,
    /// The one whom the fake destinations follow.
    pub announcer: Option<Person>,
    /// Everybody's password.
    pub password: String,
    /// Some of its posts, the newest first.
    pub statuses: Vec<Post>,
    /// Seconds it took to fill it.
    pub seeded_s: f64,
    /// Rows of follows.
    pub follows: usize,
}

/// A local person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Their name.
    pub name: String,
    /// Their account's id.
    pub id: String,
    /// Their actor id.
    pub actor: String,
    /// A token of theirs.
    pub token: String,
}

/// A post of a local person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Post {
    /// Its id in the API.
    pub id: String,
    /// Its id for other servers; empty where it is not known.
    pub uri: String,
}
