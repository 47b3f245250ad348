//! A certificate authority of our own for `localhost` and private names, made
//! on the first run. Its key never leaves the data folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::sign::CertifiedKey;

use super::pem::{expiry, read_certified_key};
use super::private_file::{read_if_there, write_private};
use crate::base::{Problem, ProblemKind, Timestamp};

/// Name in the browser's list of authorities.
const AUTHORITY_NAME: &str = "Waxwing local authority";
/// How long the authority is valid.
const AUTHORITY_DAYS: u64 = 3650;
/// How long a certificate is valid: browsers refuse more than 398 days.
const LEAF_DAYS: u64 = 397;
/// A certificate is replaced when less than this is left.
const RENEW_BEFORE: Duration = Duration::from_secs(60 * DAY_S);
/// Clocks of other machines may be slow.
const SLOW_CLOCK: Duration = Duration::from_secs(DAY_S);
const DAY_S: u64 = 24 * 60 * 60;

/// The local authority and the folder it lives in.
pub struct LocalAuthority {
    folder: PathBuf,
    key: KeyPair,
    issuer: Certificate,
}

impl LocalAuthority {
    /// Reads the authority from `data/tls`, or makes it there.
    ///
    /// # Errors
    /// When the folder cannot be written, or what lies there is no authority.
    pub fn open(data: &Path, now: Timestamp) -> Result<LocalAuthority, Problem> {
        let folder = data.join("tls");
        let (key_file, file) = (folder.join("authority.key"), folder.join("authority.pem"));
        let stored = read_if_there(&key_file).map_err(|error| unusable(&key_file, error))?;
        if let Some(key) = stored {
            let key = String::from_utf8(key).map_err(|error| unusable(&key_file, error))?;
            let key = KeyPair::from_pem(&key).map_err(|error| unusable(&key_file, error))?;
            // Rebuilt only to sign with: issuer name and key are what counts,
            // and both are the same as in the file that browsers trust.
            let issuer = authority(now).self_signed(&key).map_err(Problem::internal)?;
            if !file.exists() {
                write_private(&file, issuer.pem().as_bytes()).map_err(|error| unusable(&file, error))?;
            }
            return Ok(LocalAuthority { folder, key, issuer });
        }
        let key = KeyPair::generate().map_err(Problem::internal)?;
        let issuer = authority(now).self_signed(&key).map_err(Problem::internal)?;
        // The key goes last: it is what a next start looks for.
        write_private(&file, issuer.pem().as_bytes()).map_err(|error| unusable(&file, error))?;
        write_private(&key_file, key.serialize_pem().as_bytes())
            .map_err(|error| unusable(&key_file, error))?;
        Ok(LocalAuthority { folder, key, issuer })
    }

    /// The key and the certificate of the authority in `data/tls`, in PEM.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn files(data: &Path) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
        let folder = data.join("tls");
        Ok((std::fs::read(folder.join("authority.key"))?, std::fs::read(folder.join("authority.pem"))?))
    }

    /// Puts another authority in its place, unless it is the same.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn replace(data: &Path, (key, certificate): &(Vec<u8>, Vec<u8>)) -> std::io::Result<()> {
        let folder = data.join("tls");
        if LocalAuthority::files(data).is_ok_and(|ours| ours.0 == *key) {
            return Ok(());
        }
        write_private(&folder.join("authority.pem"), certificate)?;
        write_private(&folder.join("authority.key"), key)
    }

    /// The file that browsers have to trust.
    pub fn file(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// A certificate for `localhost`, the loopback addresses and `names`: the
    /// kept one, or a new one when that is missing, for other names, or has
    /// less than 60 days left.
    ///
    /// # Errors
    /// When a name is none, or the folder cannot be written.
    pub fn certificate(&self, names: &[String], now: Timestamp) -> Result<Arc<CertifiedKey>, Problem> {
        let names = all_names(names);
        match self.kept(&names, now) {
            Some(kept) => Ok(kept),
            None => self.issue(&names, now),
        }
    }

    fn leaf_files(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("certificate.pem"), self.folder.join("certificate.key"))
    }

    /// What is kept is only a saving, so anything wrong with it means: anew.
    fn kept(&self, names: &[String], now: Timestamp) -> Option<Arc<CertifiedKey>> {
        let (chain, key) = self.leaf_files();
        let (chain, key) = (read_if_there(&chain).ok()??, read_if_there(&key).ok()??);
        let kept = read_certified_key(&chain, &key).ok()?;
        let (from, until) = expiry(&kept)?;
        let is_fresh = from <= now && now.plus(RENEW_BEFORE) < until;
        let is_ours = kept.cert.get(1).is_some_and(|issuer| has_key(issuer, &self.key));
        (is_fresh && is_ours && has_names(&kept, names)).then_some(kept)
    }

    fn issue(&self, names: &[String], now: Timestamp) -> Result<Arc<CertifiedKey>, Problem> {
        let key = KeyPair::generate().map_err(Problem::internal)?;
        let mut params = CertificateParams::new(names)
            .map_err(|error| Problem::invalid(format!("no certificate for {}: {error}", names.join(", "))))?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, names[0].as_str());
        params.not_before = now.minus(SLOW_CLOCK).offset();
        params.not_after = now.plus(Duration::from_secs((LEAF_DAYS - 1) * DAY_S)).offset();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&key, &self.issuer, &self.key).map_err(Problem::internal)?;
        let authority =
            std::fs::read_to_string(self.file()).map_err(|error| unusable(&self.file(), error))?;
        let chain = format!("{}{authority}", leaf.pem());
        let (chain_file, key_file) = self.leaf_files();
        let key = key.serialize_pem();
        write_private(&key_file, key.as_bytes()).map_err(|error| unusable(&key_file, error))?;
        write_private(&chain_file, chain.as_bytes()).map_err(|error| unusable(&chain_file, error))?;
        read_certified_key(chain.as_bytes(), key.as_bytes())
    }
}

fn authority(now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, AUTHORITY_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = now.minus(SLOW_CLOCK).offset();
    params.not_after = now.plus(Duration::from_secs(AUTHORITY_DAYS * DAY_S)).offset();
    params
}

/// The given names first, without repetition.
fn all_names(names: &[String]) -> Vec<String> {
    let own = ["localhost", "127.0.0.1", "::1"];
    let mut all: Vec<String> = Vec::new();
    for name in names.iter().map(String::as_str).chain(own) {
        let name = name.trim_start_matches('[').trim_end_matches(']');
        if !all.iter().any(|known| known == name) {
            all.push(name.to_owned());
        }
    }
    all
}

fn has_key(certificate: &[u8], key: &KeyPair) -> bool {
    x509_parser::parse_x509_certificate(certificate)
        .is_ok_and(|(_, parsed)| parsed.public_key().raw == key.public_key_der())
}

fn has_names(certificate: &CertifiedKey, names: &[String]) -> bool {
    use rustls::pki_types::ServerName;
    let Some(leaf) = certificate.cert.first() else { return false };
    let Ok(leaf) = rustls::server::ParsedCertificate::try_from(leaf) else { return false };
    names.iter().all(|name| {
        ServerName::try_from(name.as_str())
            .is_ok_and(|name| rustls::client::verify_server_name(&leaf, &name).is_ok())
    })
}

fn unusable(file: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Problem {
    let detail = format!("the local certificate authority cannot use {}: {error}", file.display());
    Problem::new(ProblemKind::Internal, detail)
        .hint("Give this user write access to the folder, or move the file away and a new authority is made.")
        .because(error)
}
