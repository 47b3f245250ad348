//! A certificate from PEM files that somebody else renews.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::sign::CertifiedKey;

use super::pem::read_certified_key;
use crate::base::Problem;

/// Largest file that can be a certificate chain or a key.
const FILE_MAX_BYTES: u64 = 1024 * 1024;

/// Where the certificate lies, and as of when it was read.
pub struct FileCertificate {
    chain: PathBuf,
    key: PathBuf,
    read: Option<[SystemTime; 2]>,
}

impl FileCertificate {
    /// A certificate in these files; nothing is read yet.
    pub fn new(chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> FileCertificate {
        FileCertificate { chain: chain.into(), key: key.into(), read: None }
    }

    /// The certificate if the files changed since the last call; always the
    /// first time.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn read_if_changed(&mut self) -> Result<Option<Arc<CertifiedKey>>, Problem> {
        let changed = [changed(&self.chain)?, changed(&self.key)?];
        if self.read == Some(changed) {
            return Ok(None);
        }
        let certified =
            read_certified_key(&read(&self.chain)?, &read(&self.key)?).map_err(|mut problem| {
                let (chain, key) = (self.chain.display(), self.key.display());
                problem.detail =
                    format!("certificate `{chain}` with key `{key}` not usable: {}", problem.detail);
                problem
            })?;
        self.read = Some(changed);
        Ok(Some(certified))
    }
}

fn changed(file: &Path) -> Result<SystemTime, Problem> {
    let metadata = fs::metadata(file).map_err(|error| unreadable(file, error))?;
    if metadata.len() > FILE_MAX_BYTES {
        return Err(Problem::invalid(format!("`{}` is too large for a certificate", file.display())));
    }
    metadata.modified().map_err(|error| unreadable(file, error))
}

fn read(file: &Path) -> Result<Vec<u8>, Problem> {
    fs::read(file).map_err(|error| unreadable(file, error))
}

fn unreadable(file: &Path, error: io::Error) -> Problem {
    Problem::invalid(format!("`{}` cannot be read: {error}", file.display()))
        .hint("Check the path, and that this user may read the file.")
        .because(error)
}
