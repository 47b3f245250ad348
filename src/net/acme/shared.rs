//! What several nodes share for certificates: the rows of a common store, and
//! the challenges that one of them has opened and any may be asked about.

use std::io;
use std::sync::Arc;

use tokio::sync::watch;

use super::order::answer_alpn;
use crate::cluster::Duty;
use crate::model::tables::SHARED_SECRET;
use crate::net::listener::Challenges;
use crate::net::tls::Served;
use crate::store::{Scan, Store, StoreError};

/// The signal that challenges or certificates changed.
pub(super) const TOPIC: &str = "acme";
/// What rows of open challenges begin with.
const OPEN: &str = "acme-open/";

/// Several nodes on one store: one of them orders, all of them serve.
#[derive(Clone)]
pub struct Shared {
    /// The store.
    pub store: Store,
    /// Whether we are the one that orders.
    pub duty: watch::Receiver<Duty>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

/// A challenge that the authority may ask any node about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Opened {
    /// TLS-ALPN-01: the name, and the key authorization.
    Alpn(String, String),
    /// HTTP-01: the token, and the key authorization.
    Http(String, String),
}

impl Opened {
    fn row(&self) -> (String, Vec<u8>) {
        let (kind, name, answer) = match self {
            Opened::Alpn(name, answer) => ("alpn", name, answer),
            Opened::Http(token, answer) => ("http", token, answer),
        };
        (format!("{OPEN}{kind}/{name}"), answer.clone().into_bytes())
    }

    fn read(name: &str, answer: Vec<u8>) -> Option<Opened> {
        let answer = String::from_utf8(answer).ok()?;
        match name.strip_prefix(OPEN)?.split_once('/')? {
            ("alpn", name) => Some(Opened::Alpn(name.to_owned(), answer)),
            ("http", token) => Some(Opened::Http(token.to_owned(), answer)),
            _ => None,
        }
    }
}

impl Shared {
    /// Lets all nodes answer this one challenge; `None` ends that.
    pub(super) async fn open(&self, challenge: Option<Opened>) -> io::Result<()> {
        let row = challenge.map(|challenge| challenge.row());
        let written = self.store.write(move |tx| {
            for (name, _) in tx.scan(SHARED_SECRET, Scan::all().after(&OPEN.to_owned()))? {
                if name.starts_with(OPEN) {
                    tx.delete(SHARED_SECRET, &name);
                }
            }
            if let Some((name, answer)) = &row {
                tx.put(SHARED_SECRET, name, answer);
            }
            tx.signal(TOPIC, Vec::new());
            Ok::<_, StoreError>(())
        });
        written.await.map_err(io::Error::other)
    }

    /// Answers here what any node has opened.
    pub(super) async fn take_over(&self, served: &Served, challenges: &Challenges) -> io::Result<()> {
        let rows = self.store.read(|tx| tx.scan(SHARED_SECRET, Scan::all().after(&OPEN.to_owned())));
        let rows: Vec<(String, Vec<u8>)> = rows.await.map_err(|error: StoreError| io::Error::other(error))?;
        let opened: Vec<Opened> =
            rows.into_iter().filter_map(|(name, answer)| Opened::read(&name, answer)).collect();
        challenges.clear();
        let mut alpn = None;
        for challenge in opened {
            match challenge {
                Opened::Http(token, answer) => challenges.insert(token, answer),
                Opened::Alpn(name, answer) => {
                    alpn = answer_alpn(&name, &answer).ok().map(|certificate| (name, Arc::new(certificate)));
                }
            }
        }
        served.set_challenge(alpn);
        Ok(())
    }
}

/// A row.
pub(super) async fn get(store: &Store, name: String) -> io::Result<Option<Vec<u8>>> {
    let found = store.read(move |tx| tx.get(SHARED_SECRET, &name)).await;
    found.map_err(|error: StoreError| io::Error::other(error))
}

/// Keeps rows, all or none, and tells the other nodes.
pub(super) async fn put(store: &Store, rows: Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let written = store.write(move |tx| {
        rows.iter().for_each(|(name, value)| tx.put(SHARED_SECRET, name, value));
        tx.signal(TOPIC, Vec::new());
        Ok::<_, StoreError>(())
    });
    written.await.map_err(io::Error::other)
}

/// Keeps a row unless there is one; gives the one that is kept.
pub(super) async fn keep_first(store: &Store, name: String, value: Vec<u8>) -> io::Result<Vec<u8>> {
    let kept = store.write(move |tx| {
        if let Some(theirs) = tx.get(SHARED_SECRET, &name)? {
            return Ok(theirs);
        }
        tx.put(SHARED_SECRET, &name, &value);
        Ok::<_, StoreError>(value.clone())
    });
    kept.await.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn any_node_answers_what_one_has_opened() {
        let shared = Shared { store: Store::memory(), duty: crate::cluster::Cluster::alone().duty() };
        let (served, challenges) = (Served::default(), Challenges::default());
        // A certificate that is kept is no challenge.
        put(&shared.store, vec![("acme/x.pem".into(), b"x".to_vec())]).await.unwrap();
        shared.open(Some(Opened::Http("token".into(), "token.print".into()))).await.unwrap();
        shared.take_over(&served, &challenges).await.unwrap();
        assert_eq!(challenges.answer("token").as_deref(), Some("token.print"));
        assert!(served.challenge().is_none());
        shared.open(Some(Opened::Alpn("social.example".into(), "token.print".into()))).await.unwrap();
        shared.take_over(&served, &challenges).await.unwrap();
        assert_eq!(challenges.answer("token"), None, "the one before is over");
        assert_eq!(served.challenge().as_deref(), Some("social.example"));
        shared.open(None).await.unwrap();
        shared.take_over(&served, &challenges).await.unwrap();
        assert!(served.challenge().is_none());
        assert_eq!(keep_first(&shared.store, "a".into(), vec![1]).await.unwrap(), [1]);
        assert_eq!(keep_first(&shared.store, "a".into(), vec![2]).await.unwrap(), [1]);
    }
}
