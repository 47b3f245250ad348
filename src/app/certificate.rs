//! Which certificate is served, and the task that keeps it good.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::base::Problem;
use crate::config::{Acme, Tls};
use crate::edge::AppState;
use crate::model::tables::SHARED_SECRET;
use crate::net::acme::{AcmeSettings, RETRY_FIRST, Renewal, Shared};
use crate::net::listener::{Challenges, Transport};
use crate::net::tls::{FileCertificate, LocalAuthority, Served, server_config};
use crate::store::StoreError;

/// How often files are looked at and the age of our own certificate checked.
const CHECK_EVERY: Duration = Duration::from_secs(60);

/// Where certificates come from.
enum Source {
    /// Plain HTTP; somebody in front has one.
    None,
    /// The local authority; the names it is for.
    Local(Box<LocalAuthority>, Vec<String>),
    /// Files that somebody else renews.
    Files(Box<FileCertificate>),
    /// A certificate authority that speaks ACME.
    Acme(Box<Renewal>),
}

/// The certificate of this server.
pub(super) struct Certificate {
    state: AppState,
    source: Source,
    served: Arc<Served>,
    challenges: Challenges,
}

impl Certificate {
    /// Finds or makes the first certificate.
    pub(super) async fn prepare(state: &AppState) -> Result<Certificate, Problem> {
        let config = &state.config;
        let (served, challenges) = (Arc::new(Served::default()), Challenges::default());
        let source = match &config.tls {
            Tls::Off => Source::None,
            Tls::Internal => {
                if state.cluster.is_shared() {
                    share_authority(state).await?;
                }
                let authority = LocalAuthority::open(&config.data, state.now())?;
                info!("browsers can be told to trust {}", authority.file().display());
                Source::Local(Box::new(authority), vec![config.public_url.host.clone()])
            }
            Tls::Files { cert, key } => Source::Files(Box::new(FileCertificate::new(cert, key))),
            Tls::Acme(acme) => {
                let (order, clock, chance) = (order(state, acme)?, state.clock.clone(), state.chance.clone());
                let renewal = Renewal::open(order, served.clone(), challenges.clone(), clock, chance);
                Source::Acme(Box::new(renewal.await?))
            }
        };
        let mut certificate = Certificate { state: state.clone(), source, served, challenges };
        certificate.refresh()?;
        Ok(certificate)
    }

    /// Puts a newer certificate into service, if there is one.
    fn refresh(&mut self) -> Result<(), Problem> {
        match &mut self.source {
            Source::None | Source::Acme(_) => {}
            Source::Local(authority, names) => {
                self.served.set(authority.certificate(names, self.state.now())?);
            }
            Source::Files(files) => {
                if let Some(changed) = files.read_if_changed()? {
                    self.served.set(changed);
                }
            }
        }
        Ok(())
    }

    /// How the site is served.
    pub(super) fn transport(&self) -> Transport {
        match self.source {
            Source::None => Transport::Plain,
            _ => Transport::Tls(server_config(self.served.clone())),
        }
    }

    /// The open HTTP-01 challenges, for the listener on port 80.
    pub(super) fn challenges(&self) -> Challenges {
        self.challenges.clone()
    }

    /// Keeps it good until the server stops.
    pub(super) fn keep(mut self, tasks: &TaskTracker, stop: &CancellationToken) {
        let stop = stop.clone();
        match self.source {
            Source::None => {}
            Source::Acme(renewal) => {
                tasks.spawn(renewal.run(stop));
            }
            Source::Local(..) | Source::Files(_) => {
                tasks.spawn(stop.run_until_cancelled_owned(async move {
                    loop {
                        tokio::time::sleep(CHECK_EVERY).await;
                        // The one in service stays; it may still be good for weeks.
                        if let Err(problem) = self.refresh() {
                            warn!("the certificate was not renewed: {problem}");
                        }
                    }
                }));
            }
        }
    }
}

/// All nodes have the same authority, so that people need to trust one only:
/// the one that was first in the store.
async fn share_authority(state: &AppState) -> Result<(), Problem> {
    let data = &state.config.data;
    LocalAuthority::open(data, state.now())?;
    let ours = LocalAuthority::files(data).map_err(Problem::internal)?;
    let [key_name, name] = ["tls/authority.key", "tls/authority.pem"].map(str::to_owned);
    let kept = state.store.write(move |tx| {
        let theirs = tx.get(SHARED_SECRET, &key_name)?.zip(tx.get(SHARED_SECRET, &name)?);
        if let Some(theirs) = theirs {
            return Ok::<_, StoreError>(theirs);
        }
        tx.put(SHARED_SECRET, &key_name, &ours.0);
        tx.put(SHARED_SECRET, &name, &ours.1);
        Ok(ours.clone())
    });
    let kept = kept.await?;
    LocalAuthority::replace(data, &kept).map_err(Problem::internal)
}

/// What the authority is asked for.
fn order(state: &AppState, acme: &Acme) -> Result<AcmeSettings, Problem> {
    let config = &state.config;
    let shared = || Shared { store: state.store.clone(), duty: state.cluster.duty() };
    let extra_roots_pem = match &acme.root {
        None => Vec::new(),
        Some(path) => fs::read(path).map_err(|error| {
            Problem::invalid(format!("acme_root `{}` cannot be read: {error}", path.display()))
        })?,
    };
    Ok(AcmeSettings {
        directory: acme.directory.to_string(),
        extra_roots_pem,
        names: vec![config.public_url.host.clone()],
        email: config.email.clone(),
        challenges: acme.challenges.clone(),
        data: config.data.clone(),
        shared: state.cluster.is_shared().then(shared),
        retry_first: RETRY_FIRST,
    })
}
