//! TLS on the way to the database, by rustls and aws-lc-rs.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};

use crate::store::StoreError;

/// Files that the address names.
#[derive(Default)]
pub(super) struct Certificates {
    /// Authorities, in PEM; without them, or if it is `system`, the public ones.
    pub(super) roots: Option<PathBuf>,
    /// Our own certificate, in PEM.
    pub(super) own: Option<PathBuf>,
    /// Its private key, in PEM.
    pub(super) key: Option<PathBuf>,
}

/// What is asked of the server's certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// It may be anyone's: others cannot listen, but can stand in between.
    Nothing,
    /// It is of an authority that we know, for whatever name.
    Authority,
    /// And for the name that was dialled.
    AuthorityAndName,
}

/// Encrypts connections.
#[derive(Clone)]
pub(super) struct Connector {
    config: Arc<ClientConfig>,
    /// A handshake was completed.
    used: Arc<AtomicBool>,
}

impl Connector {
    pub(super) fn new(check: Check, files: &Certificates) -> Result<Connector, StoreError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let builder = match check {
            Check::Nothing => {
                builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider)))
            }
            Check::Authority | Check::AuthorityAndName => {
                let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(files)?), provider)
                    .build()
                    .map_err(unusable)?;
                if check == Check::Authority {
                    builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyName(webpki)))
                } else {
                    builder.with_webpki_verifier(webpki)
                }
            }
        };
        let mut config = match (&files.own, &files.key) {
            (Some(own), Some(key)) => {
                let key = PrivateKeyDer::from_pem_file(key).map_err(|e| unreadable(key, &e))?;
                builder.with_client_auth_cert(read(own)?, key).map_err(unusable)?
            }
            (None, None) => builder.with_no_client_auth(),
            _ => return Err(wrong("`sslcert` and `sslkey` need each other; give both or neither".into())),
        };
        // Asked for by servers that are dialled with sslnegotiation=direct.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Connector { config: Arc::new(config), used: Arc::default() })
    }

    /// Whether any connection so far was encrypted.
    pub(super) fn was_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }
}

fn roots(files: &Certificates) -> Result<RootCertStore, StoreError> {
    let mut roots = RootCertStore::empty();
    match files.roots.as_deref() {
        Some(path) if path != Path::new("system") => {
            let found = read(path)?;
            if found.is_empty() {
                return Err(wrong(format!("`{}` holds no certificate in PEM", path.display())));
            }
            for certificate in found {
                roots.add(certificate).map_err(unusable)?;
            }
        }
        _ => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    Ok(roots)
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let found = CertificateDer::pem_file_iter(path).map_err(|e| unreadable(path, &e))?;
    found.collect::<Result<_, _>>().map_err(|e| unreadable(path, &e))
}

fn unreadable(path: &Path, error: &rustls::pki_types::pem::Error) -> StoreError {
    wrong(format!("`{}` cannot be read: {error}", path.display()))
}

fn unusable(error: impl std::fmt::Display) -> StoreError {
    wrong(error.to_string())
}

fn wrong(what: String) -> StoreError {
    StoreError::Database(format!("TLS to the database cannot be set up: {what}"))
}

/// Takes every certificate whose key signed the handshake.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Checks the authority and overlooks the name.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // The name is looked at last, so with this answer all else was right.
        match self.0.verify_server_cert(certificate, between, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Connector {
    type Stream = Encrypted<S>;
    type TlsConnect = Dial;
    type Error = rustls::pki_types::InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Dial, Self::Error> {
        // A socket has no name, and is never encrypted.
        let name = if host.is_empty() { "localhost" } else { host };
        Ok(Dial { name: ServerName::try_from(name.to_owned())?, with: self.clone() })
    }
}

/// One handshake to come.
pub(super) struct Dial {
    name: ServerName<'static>,
    with: Connector,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Dial {
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let Connector { config, used } = self.with;
            let stream = tokio_rustls::TlsConnector::from(config).connect(self.name, stream).await?;
            used.store(true, Ordering::Relaxed);
            Ok(Encrypted(stream))
        })
    }
}

/// An encrypted connection.
pub(super) struct Encrypted<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        // Needs the hash that the certificate was signed with; where the
        // certificate is checked it adds nothing.
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
