//! Certificates by ACME (RFC 8555): obtained, kept, renewed, and, when that
//! fails, explained. What is served goes on being served meanwhile.
//!
//! Where several nodes share a store, one of them orders and all of them serve
//! and answer; see `shared`.
//!
//! Knows the authority and where certificates are kept; must not know HTTP
//! routes.

mod cache;
mod explain;
mod order;
mod shared;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::sign::CertifiedKey;
use rustls_acme::acme::Account;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::client::client_tls;
use super::listener::Challenges;
use super::tls::{Served, expiry, read_certified_key};
use crate::base::{Chance, Clock, Problem, ProblemKind, Timestamp};
use crate::config::Challenge;
use crate::store::{MISSED, Signal};
use cache::Cache;
use explain::{About, Explained, backoff, explain};
use order::Ordering;
pub use shared::Shared;

/// First pause after a failed order.
pub const RETRY_FIRST: Duration = Duration::from_secs(60);
/// The clock is looked at this often at least: it may jump, machines sleep.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// Where several nodes share a store, it is looked this often without a signal.
const FOLLOW_EVERY: Duration = Duration::from_secs(10);
/// Longest pause that an authority's word can cause.
const PAUSE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What certificates are ordered with.
#[derive(Debug, Clone)]
pub struct AcmeSettings {
    /// The authority's directory (RFC 8555 §7.1.1).
    pub directory: String,
    /// Authorities its own certificate may come from besides the public ones, in PEM.
    pub extra_roots_pem: Vec<u8>,
    /// The names of the certificate, the main one first. Never empty.
    pub names: Vec<String>,
    /// Where the authority writes to.
    pub email: Option<String>,
    /// Proofs to try in turn, best first. Never empty.
    pub challenges: Vec<Challenge>,
    /// The data folder; `acme/` in it holds account and certificates.
    pub data: PathBuf,
    /// Other nodes that serve the same names.
    pub shared: Option<Shared>,
    /// First pause after a failed order, [`RETRY_FIRST`] unless in tests.
    pub retry_first: Duration,
}

/// Keeps a certificate valid.
pub struct Renewal {
    settings: AcmeSettings,
    tls: Arc<ClientConfig>,
    cache: Cache,
    served: Arc<Served>,
    challenges: Challenges,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    /// When the certificate that we ordered is to be replaced.
    renew_at: Option<Timestamp>,
    /// The chain that was read from the store last.
    last_kept: Option<Vec<u8>>,
}

impl Renewal {
    /// Serves the kept certificate at once, if there is a valid one.
    ///
    /// # Errors
    /// When the extra roots are not certificates, or the data folder cannot be
    /// read.
    pub async fn open(
        settings: AcmeSettings,
        served: Arc<Served>,
        challenges: Challenges,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
    ) -> Result<Renewal, Problem> {
        let tls = Arc::new(client_tls(&settings.extra_roots_pem)?);
        let cache = Cache::new(&settings);
        let mut renewal = Renewal {
            settings,
            tls,
            cache,
            served,
            challenges,
            clock,
            chance,
            renew_at: None,
            last_kept: None,
        };
        if let Some((chain, key)) = renewal.cache.certificate().await.map_err(unusable)? {
            renewal.use_kept(&chain, &key);
        }
        Ok(renewal)
    }

    /// When the next order is due; `None` means now.
    pub fn renew_at(&self) -> Option<Timestamp> {
        self.renew_at
    }

    fn use_kept(&mut self, chain: &[u8], key: &[u8]) {
        let Ok(certificate) = read_certified_key(chain, key) else { return };
        let Some((from, until)) = expiry(&certificate) else { return };
        if self.clock.now() < until {
            self.renew_at = Some(two_thirds(from, until));
            self.served.set(certificate);
        }
    }

    /// Orders when due, for as long as the server runs.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut failures: u32 = 0;
        let mut news = self.settings.shared.as_ref().map(|shared| shared.store.subscribe());
        loop {
            if !self.is_ours_to_order() {
                self.follow().await;
                if !pause_or(FOLLOW_EVERY, &stop, hear(&mut news)).await {
                    return;
                }
                continue;
            }
            let wait = self.renew_at.map_or(Duration::ZERO, |at| at.since(self.clock.now()));
            if !wait.is_zero() {
                let longest = if news.is_some() { FOLLOW_EVERY } else { LOOK_EVERY };
                if !pause(wait.min(longest), &stop).await {
                    return;
                }
                continue;
            }
            // Whoever ordered before us may have had success.
            if news.is_some() && self.follow().await {
                continue;
            }
            let ordered = tokio::select! {
                () = stop.cancelled() => return,
                ordered = self.order(failures) => ordered,
            };
            let Err(explained) = ordered else {
                failures = 0;
                continue;
            };
            failures = failures.saturating_add(1);
            let wait = self.next_try(failures, &explained);
            self.complain(failures, wait, &explained);
            if !pause(wait, &stop).await {
                return;
            }
        }
    }

    /// One of several nodes orders.
    fn is_ours_to_order(&self) -> bool {
        self.settings.shared.as_ref().is_none_or(|shared| shared.duty.borrow().has_chores())
    }

    /// Serves what another node has obtained, and answers what it has opened;
    /// whether there is a certificate that is not due yet.
    async fn follow(&mut self) -> bool {
        let Some(shared) = self.settings.shared.clone() else { return false };
        if !self.is_ours_to_order()
            && let Err(error) = shared.take_over(&self.served, &self.challenges).await
        {
            tracing::debug!(%error, "open challenges of other nodes are not known");
        }
        if let Ok(Some((chain, key))) = self.cache.certificate().await
            && self.last_kept.as_ref() != Some(&chain)
        {
            self.use_kept(&chain, &key);
            self.last_kept = Some(chain);
        }
        self.renew_at.is_some_and(|at| at > self.clock.now())
    }

    async fn order(&mut self, failures: u32) -> Result<(), Explained> {
        let settings = &self.settings;
        let proof = settings.challenges[failures as usize % settings.challenges.len()];
        let contact: Vec<String> = settings.email.iter().map(|email| format!("mailto:{email}")).collect();
        let account_key = self.cache.account_key(Account::generate_key_pair).await.map_err(not_kept)?;
        let ordering = Ordering {
            tls: &self.tls,
            directory: &settings.directory,
            names: &settings.names,
            contact: &contact,
            account_key: &account_key,
            proof,
            served: &self.served,
            challenges: &self.challenges,
            shared: settings.shared.as_ref(),
        };
        let authority = authority(&settings.directory);
        let about = About { name: &settings.names[0], authority: &authority, proof };
        let issued = ordering.run().await;
        if let Some(shared) = &settings.shared {
            // What is left open does no harm: the next order closes it.
            let _ = shared.open(None).await;
        }
        let issued = issued.map_err(|error| explain(&error, &about))?;
        let certificate = read_certified_key(issued.chain_pem.as_bytes(), issued.key_pem.as_bytes())
            .map_err(|problem| {
                let what =
                    format!("`{authority}` sent something else than a certificate ({})", problem.detail);
                Explained { what, fix: "Check `acme_directory`.".to_owned(), not_before: None }
            })?;
        self.deploy(&certificate);
        // Served already: a full disk must not cost the certificate.
        let kept = self.cache.keep(issued.chain_pem.as_bytes(), issued.key_pem.as_bytes()).await;
        kept.unwrap_or_else(|error| {
            tracing::error!(%error, "certificate not written to the data folder: {error}. Free some space there.");
        });
        Ok(())
    }

    fn deploy(&mut self, certificate: &Arc<CertifiedKey>) {
        let now = self.clock.now();
        let (from, until) = expiry(certificate).unwrap_or((now, now));
        self.served.set(certificate.clone());
        // Never at once again, whatever dates the authority writes.
        self.renew_at = Some(two_thirds(from, until).max(now.plus(RETRY_FIRST)));
        let name = &self.settings.names[0];
        tracing::info!(name, until = %until.rfc3339(), "certificate for {name} obtained, valid until {}", until.date());
    }

    fn next_try(&self, failures: u32, explained: &Explained) -> Duration {
        let plain = backoff(self.settings.retry_first, failures, self.chance.unit());
        let asked = explained.not_before.map_or(Duration::ZERO, |at| at.since(self.clock.now()));
        plain.max(asked.min(PAUSE_MAX))
    }

    fn complain(&self, attempt: u32, wait: Duration, explained: &Explained) {
        let Explained { what, fix, .. } = explained;
        let name = &self.settings.names[0];
        let wait_s = wait.as_secs();
        tracing::warn!(
            name,
            attempt,
            wait_s,
            "certificate for {name} not obtained: {what}. {fix} Trying again in {wait_s} s."
        );
    }
}

/// Renewal at two thirds of the validity, as Let's Encrypt advises.
fn two_thirds(from: Timestamp, until: Timestamp) -> Timestamp {
    until.minus(until.since(from) / 3)
}

fn authority(directory: &str) -> String {
    let host = url::Url::parse(directory).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| directory.to_owned())
}

/// Whether the pause was slept to its end.
async fn pause(wait: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(wait) => true,
    }
}

/// The same, or until there is news.
async fn pause_or(wait: Duration, stop: &CancellationToken, news: impl Future<Output = ()>) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(wait) => true,
        () = news => true,
    }
}

/// Until challenges or certificates of other nodes may have changed.
async fn hear(news: &mut Option<broadcast::Receiver<Arc<Signal>>>) {
    let Some(news) = news else { return std::future::pending().await };
    loop {
        match news.recv().await {
            Ok(signal) if signal.topic != shared::TOPIC && signal.topic != MISSED => {}
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            _ => return,
        }
    }
}

fn unusable(error: std::io::Error) -> Problem {
    Problem::new(ProblemKind::Internal, format!("the kept certificate cannot be read: {error}"))
        .hint("Give this user access to the folder `acme` in the data folder.")
        .because(error)
}

fn not_kept(error: std::io::Error) -> Explained {
    Explained {
        what: format!("the account key cannot be kept ({error})"),
        fix: "Give this user write access to the folder `acme` in the data folder, and free some space."
            .to_owned(),
        not_before: None,
    }
}
