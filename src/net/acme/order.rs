//! One order, from the directory to the certificate (RFC 8555 §7.4).

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::ClientConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use rustls_acme::acme::{
    Account, AcmeError, Auth, AuthStatus, Challenge as Offer, ChallengeType, Directory, Identifier,
    OrderStatus, Problem as Refusal,
};
use tokio::time::{sleep, timeout};

use super::shared::{Opened, Shared};
use crate::config::Challenge;
use crate::net::listener::Challenges;
use crate::net::tls::Served;

/// How long one request to the authority may take.
const STEP_MAX: Duration = Duration::from_secs(30);
/// How often the state of an order or a proof is asked, with growing pauses:
/// about two minutes in all.
const POLLS_MAX: u32 = 12;
/// How long it takes until all nodes answer a challenge.
const SPREAD: Duration = Duration::from_secs(2);
/// First and longest pause between two polls.
const POLL_PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));

/// Why an order gave no certificate.
#[derive(Debug)]
pub(super) enum OrderError {
    /// A request to the authority failed, or it answered with an error.
    Request(AcmeError),
    /// The authority did not answer in time.
    Timeout,
    /// The authority could not see that the name is ours.
    Proof { name: String, refusal: Option<Refusal> },
    /// The authority offers no proof of the kind that is set.
    NotOffered,
    /// The order was refused as a whole.
    Refused(Option<Refusal>),
    /// The order stayed unfinished too long.
    Unfinished,
    /// The store that is shared with other nodes failed.
    Store(std::io::Error),
    /// The names cannot be in a certificate.
    Names(rcgen::Error),
}

impl From<AcmeError> for OrderError {
    fn from(error: AcmeError) -> OrderError {
        OrderError::Request(error)
    }
}

/// What an order needs.
pub(super) struct Ordering<'a> {
    pub(super) tls: &'a Arc<ClientConfig>,
    pub(super) directory: &'a str,
    pub(super) names: &'a [String],
    pub(super) contact: &'a [String],
    pub(super) account_key: &'a [u8],
    pub(super) proof: Challenge,
    pub(super) served: &'a Served,
    pub(super) challenges: &'a Challenges,
    /// Other nodes that may be asked in our place.
    pub(super) shared: Option<&'a Shared>,
}

/// A new certificate: chain and key in PEM.
pub(super) struct Issued {
    pub(super) chain_pem: String,
    pub(super) key_pem: String,
}

impl Ordering<'_> {
    pub(super) async fn run(&self) -> Result<Issued, OrderError> {
        let directory = within(Directory::discover(self.tls, self.directory)).await?;
        let account = Account::create_with_keypair(self.tls, directory, self.contact, self.account_key);
        let account = within(account).await?;
        let key = KeyPair::generate().map_err(OrderError::Names)?;
        let request = self.signing_request(&key)?;
        let (url, mut order) = within(account.new_order(self.tls, self.names.to_vec())).await?;
        for url in order.authorizations.iter() {
            self.authorize(&account, url).await?;
        }
        let mut is_sent = false;
        for poll in 0..POLLS_MAX {
            order = match order.status {
                OrderStatus::Valid { certificate } => {
                    let chain_pem = within(account.certificate(self.tls, certificate)).await?;
                    return Ok(Issued { chain_pem, key_pem: key.serialize_pem() });
                }
                OrderStatus::Invalid => return Err(OrderError::Refused(order.error)),
                OrderStatus::Ready if !is_sent => {
                    is_sent = true;
                    within(account.finalize(self.tls, &order.finalize, &request)).await?
                }
                _ => {
                    pause(poll).await;
                    within(account.order(self.tls, &url)).await?
                }
            };
        }
        Err(OrderError::Unfinished)
    }

    fn signing_request(&self, key: &KeyPair) -> Result<Vec<u8>, OrderError> {
        let mut params = CertificateParams::new(self.names).map_err(OrderError::Names)?;
        params.distinguished_name = DistinguishedName::new();
        let request = params.serialize_request(key).map_err(OrderError::Names)?;
        Ok(request.der().to_vec())
    }

    /// Proves one name (RFC 8555 §7.5).
    async fn authorize(&self, account: &Account, url: &String) -> Result<(), OrderError> {
        let auth = within(account.auth(self.tls, url)).await?;
        match auth.status {
            AuthStatus::Valid => return Ok(()),
            AuthStatus::Pending => {}
            _ => return Err(refused(auth)),
        }
        let Identifier::Dns(name) = auth.identifier.clone();
        let (challenge, open) = self.open(account, &auth.challenges, name)?;
        self.open_everywhere(account, &auth).await?;
        within(account.challenge(self.tls, &challenge)).await?;
        for poll in 0..POLLS_MAX {
            pause(poll).await;
            let auth = within(account.auth(self.tls, url)).await?;
            match auth.status {
                AuthStatus::Pending => {}
                AuthStatus::Valid => {
                    drop(open);
                    return Ok(());
                }
                _ => return Err(refused(auth)),
            }
        }
        Err(OrderError::Unfinished)
    }

    /// The authority reaches any of several nodes, so all of them answer.
    async fn open_everywhere(&self, account: &Account, auth: &Auth) -> Result<(), OrderError> {
        let Some(shared) = self.shared else { return Ok(()) };
        let Identifier::Dns(name) = auth.identifier.clone();
        let wanted = match self.proof {
            Challenge::TlsAlpn => ChallengeType::TlsAlpn01,
            Challenge::Http => ChallengeType::Http01,
        };
        let offer = auth.challenges.iter().find(|offer| offer.typ == wanted).ok_or(OrderError::NotOffered)?;
        // The key authorization is the same for all kinds (RFC 8555 §8.1).
        let as_http =
            Offer { typ: ChallengeType::Http01, url: String::new(), token: offer.token.clone(), error: None };
        let (_, answer) = account.http_01(std::slice::from_ref(&as_http)).map_err(OrderError::Request)?;
        let opened = match self.proof {
            Challenge::TlsAlpn => Opened::Alpn(name, answer),
            Challenge::Http => Opened::Http(offer.token.clone(), answer),
        };
        shared.open(Some(opened)).await.map_err(OrderError::Store)?;
        sleep(SPREAD).await;
        Ok(())
    }

    /// Begins to answer a validation; gives the URL that asks for it.
    fn open(
        &self,
        account: &Account,
        offers: &[Offer],
        name: String,
    ) -> Result<(String, Open<'_>), OrderError> {
        let not_offered = |error| match error {
            AcmeError::NoTlsAlpn01Challenge | AcmeError::NoHttp01Challenge => OrderError::NotOffered,
            other => OrderError::Request(other),
        };
        match self.proof {
            Challenge::TlsAlpn => {
                let (offer, certificate) = account.tls_alpn_01(offers, name.clone()).map_err(not_offered)?;
                self.served.set_challenge(Some((name, Arc::new(certificate))));
                Ok((offer.url.clone(), Open::TlsAlpn(self.served)))
            }
            Challenge::Http => {
                let (offer, answer) = account.http_01(offers).map_err(not_offered)?;
                self.challenges.insert(offer.token.clone(), answer);
                Ok((offer.url.clone(), Open::Http(self.challenges, offer.token.clone())))
            }
        }
    }
}

/// The certificate that answers a TLS-ALPN-01 challenge (RFC 8737 §3).
pub(super) fn answer_alpn(name: &str, key_authorization: &str) -> Result<CertifiedKey, rcgen::Error> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key_authorization.as_bytes());
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest.as_ref())];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signer = rustls::crypto::aws_lc_rs::sign::any_ecdsa_type(&der)
        .map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], signer))
}

/// A validation that is answered until this is dropped.
enum Open<'a> {
    TlsAlpn(&'a Served),
    Http(&'a Challenges, String),
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        match self {
            Open::TlsAlpn(served) => served.set_challenge(None),
            Open::Http(challenges, token) => challenges.remove(token),
        }
    }
}

fn refused(auth: Auth) -> OrderError {
    let Identifier::Dns(name) = auth.identifier;
    let refusal = auth.challenges.into_iter().find_map(|challenge| challenge.error);
    OrderError::Proof { name, refusal }
}

async fn pause(poll: u32) {
    let (first, longest) = POLL_PAUSE;
    sleep(first.saturating_mul(1 << poll.min(8)).min(longest)).await;
}

/// The library's requests have no limit of time of their own.
async fn within<T>(step: impl Future<Output = Result<T, AcmeError>>) -> Result<T, OrderError> {
    timeout(STEP_MAX, step).await.map_err(|_| OrderError::Timeout)?.map_err(OrderError::Request)
}
