//! TLS between nodes. Whoever knows their secret has the one key pair that
//! follows from it, and shows in the handshake that it has (TLS 1.3, raw
//! public keys of RFC 7250); so neither side says or takes a byte of HTTP
//! before the other is known. There is no certificate that could expire, and
//! nothing to set.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::signature::Ed25519KeyPair;
use rustls::client::AlwaysResolvesClientRawPublicKeys;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs as provider, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::AlwaysResolvesServerRawPublicKeys;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible,
    ServerConfig, SignatureScheme,
};

use crate::base::derived_key;

/// Keeps this key apart from others that are made of the same secret.
const PURPOSE: &[u8] = b"waxwing node tls 1";

/// Both ends of a connection between nodes.
#[derive(Clone)]
pub struct NodeTls {
    /// For a node that listens.
    pub server: Arc<ServerConfig>,
    /// For a node that connects.
    pub client: Arc<ClientConfig>,
}

impl NodeTls {
    /// For the nodes that know this secret.
    ///
    /// # Panics
    /// Never: every 32 bytes are an Ed25519 seed, and aws-lc-rs knows TLS 1.3.
    pub fn new(secret: &[u8; 32]) -> NodeTls {
        let key = Arc::new(certified_key(secret));
        let spki = key.key.public_key().expect("an Ed25519 key knows its public half").into_owned();
        let algorithms = provider::default_provider().signature_verification_algorithms;
        let known = Arc::new(OneKey { spki, algorithms });
        let crypto = Arc::new(provider::default_provider());
        let mut server = ServerConfig::builder_with_provider(crypto.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("aws-lc-rs speaks TLS 1.3")
            .with_client_cert_verifier(known.clone())
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(key.clone())));
        // Each connection shows the key anew.
        server.send_tls13_tickets = 0;
        let mut client = ClientConfig::builder_with_provider(crypto)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("aws-lc-rs speaks TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(known)
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(key)));
        client.enable_sni = false;
        for alpn in [&mut server.alpn_protocols, &mut client.alpn_protocols] {
            *alpn = vec![b"http/1.1".to_vec()];
        }
        NodeTls { server: Arc::new(server), client: Arc::new(client) }
    }
}

fn certified_key(secret: &[u8; 32]) -> CertifiedKey {
    let seed = derived_key(secret, PURPOSE);
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("every 32 bytes are a seed");
    let pkcs8 = pair.to_pkcs8().expect("a key that was just made can be written").as_ref().to_vec();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8));
    let key = provider::sign::any_supported_type(&private).expect("aws-lc-rs signs with Ed25519");
    let spki = key.public_key().expect("an Ed25519 key knows its public half").into_owned();
    CertifiedKey::new(vec![CertificateDer::from(spki.as_ref().to_vec())], key)
}

/// Believes one key and no other.
#[derive(Debug)]
struct OneKey {
    spki: SubjectPublicKeyInfoDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl OneKey {
    fn check(&self, shown: &CertificateDer<'_>) -> Result<(), Error> {
        verify_slices_are_equal(shown.as_ref(), self.spki.as_ref())
            .map_err(|_| Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    fn signed(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check(shown)?;
        verify_tls13_signature_with_raw_key(message, &self.spki, signature, &self.algorithms)
    }
}

const ONLY_13: Error = Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered);

impl ServerCertVerifier for OneKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(ONLY_13)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for OneKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(ONLY_13)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::*;

    /// What a client with its configuration hears from a server that says "hi".
    async fn hears(server: Arc<ServerConfig>, client: Arc<ClientConfig>) -> Option<String> {
        let (near, far) = duplex(16 * 1024);
        let serve = async {
            let mut stream = TlsAcceptor::from(server).accept(far).await.ok()?;
            stream.write_all(b"hi").await.ok()?;
            stream.shutdown().await.ok()
        };
        let ask = async {
            let name = ServerName::try_from("node.invalid").unwrap();
            let mut stream = TlsConnector::from(client).connect(name, near).await.ok()?;
            let mut text = String::new();
            stream.read_to_string(&mut text).await.ok()?;
            Some(text)
        };
        tokio::join!(serve, ask).1
    }

    fn without_a_key() -> Arc<ClientConfig> {
        let crypto = Arc::new(provider::default_provider());
        let spki = certified_key(&[1; 32]).key.public_key().unwrap().into_owned();
        let algorithms = provider::default_provider().signature_verification_algorithms;
        let client = ClientConfig::builder_with_provider(crypto)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(OneKey { spki, algorithms }))
            .with_no_client_auth();
        Arc::new(client)
    }

    #[tokio::test]
    async fn nodes_with_the_same_secret_talk() {
        let (one, other) = (NodeTls::new(&[1; 32]), NodeTls::new(&[1; 32]));
        assert_eq!(hears(one.server, other.client).await.as_deref(), Some("hi"));
    }

    #[tokio::test]
    async fn nobody_else_is_answered_or_asked() {
        let (ours, theirs) = (NodeTls::new(&[1; 32]), NodeTls::new(&[2; 32]));
        assert_eq!(hears(ours.server.clone(), theirs.client).await, None, "they have another key");
        assert_eq!(hears(theirs.server, ours.client).await, None, "they are no node of ours");
        assert_eq!(hears(ours.server, without_a_key()).await, None, "they show no key");
    }
}
