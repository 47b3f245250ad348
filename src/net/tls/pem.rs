//! Certificates and keys out of PEM text.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::base::{Problem, Timestamp};

/// Certificates taken from one chain.
const CHAIN_MAX: usize = 10;

/// A chain, leaf first, with its private key (PKCS#8, PKCS#1 or SEC1).
///
/// # Errors
/// When either is missing or not PEM, or they do not belong together.
pub fn read_certified_key(chain_pem: &[u8], key_pem: &[u8]) -> Result<Arc<CertifiedKey>, Problem> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain_pem).take(CHAIN_MAX).collect();
    let chain = chain.map_err(|error| Problem::invalid(format!("not a PEM certificate: {error}")))?;
    if chain.is_empty() {
        return Err(Problem::invalid("there is no certificate in it")
            .hint("It has to begin with `-----BEGIN CERTIFICATE-----`."));
    }
    let key = PrivateKeyDer::from_pem_slice(key_pem)
        .map_err(|error| Problem::invalid(format!("not a PEM private key: {error}")))?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let certified = CertifiedKey::from_der(chain, key, &provider)
        .map_err(|error| Problem::invalid(format!("certificate and key do not fit: {error}")))?;
    Ok(Arc::new(certified))
}

/// From when until when a certificate is valid; `None` if it is not X.509.
pub fn expiry(certificate: &CertifiedKey) -> Option<(Timestamp, Timestamp)> {
    let leaf = certificate.cert.first()?;
    let (_, parsed) = x509_parser::parse_x509_certificate(leaf).ok()?;
    let validity = parsed.validity();
    let at = |time: x509_parser::time::ASN1Time| Timestamp::from_secs(time.timestamp());
    Some((at(validity.not_before), at(validity.not_after)))
}
