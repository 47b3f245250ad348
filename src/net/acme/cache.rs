//! The account key and the certificate, kept so that a restart asks the
//! authority for nothing.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};

use crate::net::tls::{read_if_there, write_private};

/// Files of one directory and one set of names, in `data/acme`. Another
/// directory or other names have files of their own, so that a trial with a
/// staging authority spoils nothing.
pub(super) struct Cache {
    account: PathBuf,
    chain: PathBuf,
    key: PathBuf,
}

impl Cache {
    pub(super) fn new(data: &Path, directory: &str, email: Option<&str>, names: &[String]) -> Cache {
        let folder = data.join("acme");
        let account = fingerprint(&[directory, email.unwrap_or_default()]);
        let mut parts = vec![directory];
        parts.extend(names.iter().map(String::as_str));
        let certificate = fingerprint(&parts);
        Cache {
            account: folder.join(format!("account-{account}.der")),
            chain: folder.join(format!("certificate-{certificate}.pem")),
            key: folder.join(format!("certificate-{certificate}.key")),
        }
    }

    /// The account's private key (PKCS#8), made by `generate` if there is none.
    pub(super) fn account_key(&self, generate: impl FnOnce() -> Vec<u8>) -> io::Result<Vec<u8>> {
        if let Some(key) = read_if_there(&self.account)? {
            return Ok(key);
        }
        let key = generate();
        write_private(&self.account, &key)?;
        Ok(key)
    }

    /// Chain and key in PEM.
    pub(super) fn certificate(&self) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        Ok(read_if_there(&self.chain)?.zip(read_if_there(&self.key)?))
    }

    /// Keeps chain and key. A crash in between leaves two that do not fit,
    /// which counts as none.
    pub(super) fn keep(&self, chain_pem: &[u8], key_pem: &[u8]) -> io::Result<()> {
        write_private(&self.key, key_pem)?;
        write_private(&self.chain, chain_pem)
    }
}

/// 16 hexadecimal digits for these parts.
fn fingerprint(parts: &[&str]) -> String {
    let hash = digest(&SHA256, parts.join("\0").as_bytes());
    hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
