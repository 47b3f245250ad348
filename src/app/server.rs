//! A running server: its parts in the order in which they need each other,
//! and the same order backwards when it stops.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::certificate::Certificate;
use super::node::{Node, Place};
use super::system::{SystemChance, SystemClock};
use super::user;
use super::{first_run, jobs};
use crate::base::{Chance, Clock, Problem, ProblemKind};
use crate::config::{Config, Federation, StoreChoice, Tls};
use crate::edge::front::{DRAIN_LINGER, Front};
use crate::edge::{self, AppState, Parts};
use crate::model::{KeyPair, MailRoute, ProxyKey, Site};
use crate::net::address::Allow;
use crate::net::client::outbox::Outbox;
use crate::net::client::{Client, ClientSettings};
use crate::net::files::Files;
use crate::net::hub::Hub;
use crate::net::listener::{
    Bound, OwnName, Transport, bind, redirect_router, serve, serve_known, serve_lingering,
};
use crate::net::mail::Mailer;
use crate::queue::push;
use crate::search::{Place as IndexPlace, Search};
use crate::store::archive::is_unfinished;
use crate::store::{Postgres, Redb, Store, StoreError};

/// A server that answers.
pub struct Server {
    /// Where it is, as others see it.
    pub origin: String,
    /// The one-time link that makes the owner's account, while there is none.
    pub owner_link: Option<String>,
    /// Its parts.
    pub state: AppState,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Looking after the door over all nodes; told to end after all requests.
    door: Option<(CancellationToken, JoinHandle<()>)>,
    /// Others are told that we are gone when everything else has ended.
    place: Option<Place>,
}

impl Server {
    /// Opens the store, binds the ports, and serves.
    ///
    /// # Errors
    /// What stands in the way, and what to do about it.
    pub async fn start(config: Config) -> Result<Server, Problem> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let chance: Arc<dyn Chance> = Arc::new(SystemChance);
        // First of all, since parts keep handles to their metrics.
        if config.admin.is_some() {
            super::metrics::recorder();
        }
        make_folder(&config.data)?;
        let store = open_store(&config, clock.clone(), Postgres::open_patiently)?;
        refuse_half_a_store(&store).await?;
        let bound = bind(&config.listen, config.fallback_port).await?;
        let config = config.bound_to(bound.port());
        let place = Place::take(&config, &store, &clock, &chance).await?;
        let key = first_run::instance_key(&store).await?;
        // Made now, since apps are told of it as soon as they ask for anything.
        push::server_key(&store).await?;
        let node = place.as_ref().map_or_else(Node::alone, Place::node);
        let state = assemble_node(config, store, clock, chance, key, node)?;
        first_run::check_origin(&state).await?;
        let owner_link = first_run::owner_link(&state).await?;
        let mut server = Server {
            origin: state.site.origin.clone(),
            owner_link,
            state,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            door: None,
            place: None,
        };
        server.place = place.map(|place| place.keep(&server.stop));
        let store = server.state.store.clone();
        server.tasks.spawn(server.state.hub.clone().run(store, server.stop.clone()));
        server.tasks.spawn(jobs::worker(&server.state).run(server.stop.clone()));
        server.tasks.spawn(edge::media::tend(server.state.clone(), server.stop.clone()));
        server.tasks.spawn(edge::nodes::attend(server.state.clone(), server.stop.clone()));
        server.tasks.spawn(edge::roster::attend(server.state.clone(), server.stop.clone()));
        server.tasks.spawn(edge::signups::tend(server.state.clone(), server.stop.clone()));
        server.tasks.spawn(jobs::indexer(&server.state).run(server.stop.clone()));
        if server.state.front().is_some() {
            let end = CancellationToken::new();
            let keeping = edge::front::keep(server.state.clone(), server.stop.clone(), end.clone());
            server.door = Some((end, tokio::spawn(keeping)));
        }
        server.listen(bound).await?;
        Ok(server)
    }

    /// Serves the site, the redirect to it, and the admin listener.
    async fn listen(&self, bound: Bound) -> Result<(), Problem> {
        let config = &self.state.config;
        let certificate = Certificate::prepare(&self.state).await?;
        let challenges = certificate.challenges();
        let transport = certificate.transport();
        certificate.keep(&self.tasks, &self.stop);
        if !config.listen_http.is_empty() && !matches!(config.tls, Tls::Off) {
            let own =
                OwnName { host: config.public_url.host.clone(), port: config.public_url.port_or_default() };
            match bind(&config.listen_http, None).await {
                Ok(plain) => self.spawn(plain, Transport::Plain, redirect_router(own, challenges)),
                Err(problem) => warn!("no redirect from plain HTTP: {problem}"),
            }
        }
        if let Some(address) = config.admin {
            self.listen_admin(address).await;
        }
        let site = edge::router(&self.state);
        if let Some(port) = self.place.as_ref().and_then(Place::bound) {
            self.listen_to_nodes(port, site.clone());
        }
        self.spawn_door(bound, transport, edge::front::door(&self.state, site));
        Ok(())
    }

    /// Where others can answer, a stop may take the time that nobody notices
    /// it.
    fn spawn_door(&self, bound: Bound, transport: Transport, door: axum::Router) {
        let (grace, stop) = (self.state.config.stop_timeout, self.stop.clone());
        let linger = self.state.front().map_or(Duration::ZERO, |_| DRAIN_LINGER);
        self.tasks.spawn(serve_lingering(bound, transport, door, stop, grace.max(linger), linger));
    }

    /// Serves the site to the other nodes; at a stop a little longer than
    /// clients, until all of them have heard of it.
    fn listen_to_nodes(&self, bound: Bound, site: axum::Router) {
        let Some(front) = self.state.front() else { return };
        let (tls, site) = (front.tls(), edge::front::port(&self.state, site));
        let (state, stop, grace) = (self.state.clone(), self.stop.clone(), self.state.config.stop_timeout);
        let end = CancellationToken::new();
        let serving = serve_known(bound, tls, site, end.clone(), grace.saturating_sub(DRAIN_LINGER));
        self.tasks.spawn(async move {
            let linger = async {
                stop.cancelled().await;
                if state.front().is_some_and(Front::has_others) {
                    tokio::time::sleep(DRAIN_LINGER).await;
                }
                end.cancel();
            };
            tokio::join!(serving, linger);
        });
    }

    /// A taken admin port costs the metrics, not the server.
    async fn listen_admin(&self, address: SocketAddr) {
        let render = match super::metrics::recorder() {
            Some(handle) => Arc::new(move || handle.render()) as edge::admin::RenderMetrics,
            None => return,
        };
        match bind(&[address], None).await {
            Ok(bound) => {
                let router = edge::admin::router(self.state.clone(), render);
                let address = SocketAddr::new(address.ip(), bound.port());
                self.spawn(bound, Transport::Plain, router.merge(self.open_desk(address)));
            }
            Err(problem) => warn!("no metrics and no health checks: {problem}"),
        }
    }

    /// The route by which `waxwing user` and `waxwing deliveries` reach this server; nothing if its secret cannot be kept.
    fn open_desk(&self, address: SocketAddr) -> axum::Router {
        let perform = user::performer(self.state.clone());
        user::desk::open(&self.state.config.data, address, &*self.state.chance, perform).unwrap_or_else(
            |error| {
                warn!(
                    "`waxwing user` and `waxwing deliveries` cannot reach this server while it runs: {error}"
                );
                axum::Router::new()
            },
        )
    }

    fn spawn(&self, bound: Bound, transport: Transport, router: axum::Router) {
        let grace = self.state.config.stop_timeout;
        self.tasks.spawn(serve(bound, transport, router, self.stop.clone(), grace));
    }

    /// Takes no new work, finishes what is under way within the configured
    /// time, and closes the store.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if let Some((end, keeping)) = self.door {
            end.cancel();
            if keeping.await.is_err() {
                warn!("the task that looks after the door had failed");
            }
        }
        if let Some(place) = self.place {
            place.leave().await;
        }
        self.state.store.close().await;
        info!("stopped");
    }
}

/// Puts the parts together; nothing is bound or started yet. `config` names
/// the port that the site really has.
///
/// # Errors
/// When a setting of the outbound client cannot be used, or the place for
/// files cannot be opened.
pub fn assemble(
    config: Config,
    store: Store,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    instance_key: KeyPair,
) -> Result<AppState, Problem> {
    assemble_node(config, store, clock, chance, instance_key, Node::alone())
}

/// The same for one of several nodes on a store.
fn assemble_node(
    config: Config,
    store: Store,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    instance_key: KeyPair,
    node: Node,
) -> Result<AppState, Problem> {
    let mut site = Site::new(config.public_url.scheme.as_str(), &config.public_url.authority());
    site.proxy = Some(ProxyKey::derive(&instance_key.private_der));
    site.is_by_allowlist = config.federation == Federation::AllowList;
    site.mail = mail_route(&config);
    let extra_roots = extra_roots(&config)?;
    let client = outbound_client(&config, &site, &clock, &extra_roots)?;
    let mailer = mailer(&config, &client, &extra_roots)?;
    let files = Files::open(&config.media, &extra_roots)?;
    Ok(AppState::new(Parts {
        site,
        store,
        clock,
        chance,
        cluster: node.cluster,
        ids: node.ids,
        client,
        mailer,
        files,
        hub: Hub::default(),
        search: Search::open(search_place(&config)),
        instance_key,
        config,
    }))
}

/// The search index lies beside the store it is made from, or in the data folder.
fn search_place(config: &Config) -> IndexPlace {
    match &config.store {
        StoreChoice::Memory => IndexPlace::Memory,
        StoreChoice::Redb(path) => IndexPlace::Folder(path.with_extension("search")),
        StoreChoice::Postgres(_) => IndexPlace::Folder(config.data.join("waxwing.search")),
    }
}

pub(super) fn make_folder(folder: &Path) -> Result<(), Problem> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    // Everything in it is ours alone.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| {
        Problem::new(
            ProblemKind::Unavailable,
            format!("the data folder `{}` cannot be made: {error}", folder.display()),
        )
        .hint("name another one with `--data DIR`, or mend its permissions")
    })
}

/// The store of this config; `database` opens one that is kept in a database.
pub(super) fn open_store(
    config: &Config,
    clock: Arc<dyn Clock>,
    database: fn(&str) -> Result<Postgres, StoreError>,
) -> Result<Store, Problem> {
    match &config.store {
        StoreChoice::Memory => Ok(Store::memory()),
        StoreChoice::Redb(path) => {
            let cache_bytes = usize::try_from(config.store_cache_bytes).unwrap_or(usize::MAX);
            let opened = Redb::open_caching(path, cache_bytes);
            let opened = opened.map_err(|error| Problem::new(ProblemKind::Unavailable, error.to_string()))?;
            Ok(Store::with_clock(opened, clock))
        }
        StoreChoice::Postgres(place) => {
            let opened = database(&place.url);
            let opened = opened.map_err(|error| Problem::new(ProblemKind::Unavailable, error.to_string()))?;
            Ok(Store::with_clock(opened, clock))
        }
    }
}

async fn refuse_half_a_store(store: &Store) -> Result<(), Problem> {
    let unfinished = is_unfinished(store).await;
    if unfinished.map_err(|error| Problem::new(ProblemKind::Unavailable, error.to_string()))? {
        let what = "a restore into this store was begun and never finished, so rows are missing";
        let fix = "empty the store (remove the file, or make the database anew) and restore the backup again";
        return Err(Problem::new(ProblemKind::Unavailable, what).hint(fix));
    }
    Ok(())
}

/// Certificate authorities trusted besides the public ones, in PEM.
fn extra_roots(config: &Config) -> Result<Vec<u8>, Problem> {
    match &config.outbound.root {
        None => Ok(Vec::new()),
        Some(path) => fs::read(path).map_err(|error| {
            Problem::invalid(format!("outbound_root `{}` cannot be read: {error}", path.display()))
        }),
    }
}

fn outbound_client(
    config: &Config,
    site: &Site,
    clock: &Arc<dyn Clock>,
    extra_roots: &[u8],
) -> Result<Client, Problem> {
    let outbound = &config.outbound;
    let ranges = outbound.allow_ranges.iter().map(ToString::to_string);
    let allow = Allow::parse(outbound.allow_hosts.iter().cloned().chain(ranges))
        .map_err(|error| Problem::invalid(error.to_string()))?;
    let extra_roots_pem = extra_roots.to_vec();
    let outbox = config.is_sandbox.then(|| Outbox::new(clock.clone()));
    Client::new(ClientSettings { allow, extra_roots_pem, outbox, ..ClientSettings::new(&site.domain) })
}

/// How mails leave, if any do: a sandbox keeps them.
pub(super) fn mail_route(config: &Config) -> Option<MailRoute> {
    match &config.mail {
        _ if config.is_sandbox => Some(MailRoute { host: "mail.sandbox".to_owned(), confirms: false }),
        Some(mail) => Some(MailRoute { host: mail.host.clone(), confirms: true }),
        None => None,
    }
}

fn mailer(config: &Config, client: &Client, extra_roots: &[u8]) -> Result<Option<Mailer>, Problem> {
    let from = (config.title.as_str(), config.mail_from.as_str());
    match (client.outbox(), &config.mail) {
        (Some(outbox), _) => Mailer::outbox(outbox.clone(), from).map(Some),
        (None, Some(mail)) => Mailer::smtp(mail, &config.public_url.host, from, extra_roots).map(Some),
        (None, None) => Ok(None),
    }
}
