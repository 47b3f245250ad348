//! TLS for what we serve: the certificate in use, how it is read, kept and
//! replaced while connections go on.
//!
//! Knows certificates and files; must not know HTTP or the store.

mod files;
mod local;
mod nodes;
mod pem;
mod private_file;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

pub use files::FileCertificate;
pub use local::LocalAuthority;
pub use nodes::NodeTls;
pub use pem::{expiry, read_certified_key};
pub use private_file::{read_if_there, write_private};

/// The ALPN protocol of a TLS-ALPN-01 challenge (RFC 8737 §6.2).
pub const ACME_PROTOCOL: &[u8] = b"acme-tls/1";

/// The certificate that is served now, and the answer to an open TLS-ALPN-01
/// challenge. Shared by the listener and whoever renews.
#[derive(Debug, Default)]
pub struct Served(RwLock<Inner>);

#[derive(Debug, Default)]
struct Inner {
    certificate: Option<Arc<CertifiedKey>>,
    challenge: Option<(String, Arc<CertifiedKey>)>,
}

impl Served {
    /// Serves `certificate` to every new connection from now on.
    pub fn set(&self, certificate: Arc<CertifiedKey>) {
        self.0.write().certificate = Some(certificate);
    }

    /// What is served, if anything yet.
    pub fn certificate(&self) -> Option<Arc<CertifiedKey>> {
        self.0.read().certificate.clone()
    }

    /// The name whose validation is answered now.
    #[cfg(test)]
    pub(in crate::net) fn challenge(&self) -> Option<String> {
        self.0.read().challenge.as_ref().map(|(name, _)| name.clone())
    }

    /// Answers the validation of `name` (RFC 8737 §3); `None` ends it.
    pub fn set_challenge(&self, challenge: Option<(String, Arc<CertifiedKey>)>) {
        self.0.write().challenge = challenge;
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let inner = self.0.read();
        // RFC 8737 §3: the validator offers this one protocol and no other.
        if hello.alpn().into_iter().flatten().eq([ACME_PROTOCOL]) {
            let (name, certificate) = inner.challenge.as_ref()?;
            return hello.server_name().is_some_and(|asked| asked == name).then(|| certificate.clone());
        }
        inner.certificate.clone()
    }
}

/// TLS 1.2 and 1.3 with HTTP/2 and HTTP/1.1, and TLS-ALPN-01 while a
/// challenge is open.
pub fn server_config(served: Arc<Served>) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("aws-lc-rs speaks TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_cert_resolver(served);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), ACME_PROTOCOL.to_vec()];
    Arc::new(config)
}
