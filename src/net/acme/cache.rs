//! The account key and the certificate, kept so that a restart asks the
//! authority for nothing.

use std::io;
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};

use super::{AcmeSettings, shared};
use crate::net::tls::{read_if_there, write_private};
use crate::store::Store;

/// The secrets of one directory and one set of names: files in `data/acme`,
/// or rows of a store that several nodes share. Another directory or other
/// names have some of their own, so that a trial with a staging authority
/// spoils nothing.
pub(super) struct Cache {
    place: Place,
    account: String,
    chain: String,
    key: String,
}

enum Place {
    Folder(PathBuf),
    Store(Store),
}

impl Cache {
    pub(super) fn new(settings: &AcmeSettings) -> Cache {
        let place = match &settings.shared {
            Some(shared) => Place::Store(shared.store.clone()),
            None => Place::Folder(settings.data.join("acme")),
        };
        let directory = settings.directory.as_str();
        let account = fingerprint(&[directory, settings.email.as_deref().unwrap_or_default()]);
        let mut parts = vec![directory];
        parts.extend(settings.names.iter().map(String::as_str));
        let certificate = fingerprint(&parts);
        Cache {
            place,
            account: format!("account-{account}.der"),
            chain: format!("certificate-{certificate}.pem"),
            key: format!("certificate-{certificate}.key"),
        }
    }

    /// The account's private key (PKCS#8), made by `generate` if there is none.
    pub(super) async fn account_key(&self, generate: impl FnOnce() -> Vec<u8>) -> io::Result<Vec<u8>> {
        if let Some(key) = self.read(&self.account).await? {
            return Ok(key);
        }
        let key = generate();
        match &self.place {
            Place::Folder(folder) => write_private(&folder.join(&self.account), &key).map(|()| key),
            Place::Store(store) => shared::keep_first(store, row(&self.account), key).await,
        }
    }

    /// Chain and key in PEM.
    pub(super) async fn certificate(&self) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        Ok(self.read(&self.chain).await?.zip(self.read(&self.key).await?))
    }

    /// Keeps chain and key. A crash in between leaves two files that do not
    /// fit, which counts as none.
    pub(super) async fn keep(&self, chain_pem: &[u8], key_pem: &[u8]) -> io::Result<()> {
        match &self.place {
            Place::Folder(folder) => {
                write_private(&folder.join(&self.key), key_pem)?;
                write_private(&folder.join(&self.chain), chain_pem)
            }
            Place::Store(store) => {
                let rows = [(row(&self.key), key_pem.to_vec()), (row(&self.chain), chain_pem.to_vec())];
                shared::put(store, rows.to_vec()).await
            }
        }
    }

    async fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match &self.place {
            Place::Folder(folder) => read_if_there(&folder.join(name)),
            Place::Store(store) => shared::get(store, row(name)).await,
        }
    }
}

/// The name of a row.
fn row(name: &str) -> String {
    format!("acme/{name}")
}

/// 16 hexadecimal digits for these parts.
fn fingerprint(parts: &[&str]) -> String {
    let hash = digest(&SHA256, parts.join("\0").as_bytes());
    hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
