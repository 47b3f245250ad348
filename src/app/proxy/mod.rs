//! `waxwing proxy`: the same proxy as before the site's own nodes, before any
//! HTTP servers.

mod args;
mod upstream;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::runtime;

pub use args::ProxyArgs;

use super::files;
use super::stop::StopSignals;
use super::system::{SystemChance, SystemClock};
use crate::base::{Chance, Problem};
use crate::net::listener::bind;
use crate::net::tls::{FileCertificate, Served, server_config};
use crate::proxy::forward::{self, Proxy, Route, Settings};
use crate::proxy::{StickyKey, UPSTREAMS_MAX};

/// Runs a proxy until Ctrl-C or SIGTERM; what is under way finishes then. A
/// second signal ends it at once.
///
/// # Errors
/// What keeps it from starting.
pub fn run(args: ProxyArgs) -> Result<(), Problem> {
    files::allow_many();
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Problem::internal)?;
    runtime.block_on(async {
        // Listened to from the start, so that an early signal is not lost.
        let mut stop = StopSignals::listen().map_err(Problem::internal)?;
        let (proxy, greeting) = start(&args).await?;
        // A closed standard output is no reason not to serve.
        let _ = std::io::stdout().lock().write_all(greeting.as_bytes());
        stop.next().await;
        tracing::info!("stopping: requests under way may finish");
        tokio::select! {
            () = proxy.stop() => {}
            () = stop.next() => tracing::warn!("stopped at once"),
        }
        Ok(())
    })
}

async fn start(args: &ProxyArgs) -> Result<(Proxy, String), Problem> {
    let routes = routes(args)?;
    let tls = served(args)?;
    let mut listeners = Vec::new();
    let mut where_to = Vec::new();
    let scheme = if tls.is_some() { "https" } else { "http" };
    for address in &args.listen {
        let bound = bind(&address.0, None).await?;
        where_to.extend(bound.addresses().first().map(|address| format!("{scheme}://{address}")));
        listeners.extend(bound.into_listeners());
    }
    let clock = Arc::new(SystemClock::start());
    let count = routes.len();
    let shared = forward::shared(settings(args), routes, clock);
    forward::resolve(&shared).await;
    let proxy = Proxy::start(shared, listeners, tls, &SystemChance).map_err(Problem::internal)?;
    let policy = args.policy;
    let greeting =
        format!("Waxwing passes requests to {} on to {count} upstreams ({policy})\n", where_to.join(" and "));
    Ok((proxy, greeting))
}

fn settings(args: &ProxyArgs) -> Settings {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Settings {
        policy: args.policy,
        answer_timeout: args.timeout,
        body_max_bytes: args.max_body,
        trusted: args.trust.clone(),
        health_path: args.health_path.clone(),
        workers: args.workers.unwrap_or(processors),
        ..Settings::default()
    }
}

fn routes(args: &ProxyArgs) -> Result<Vec<Route>, Problem> {
    if args.to.len() > UPSTREAMS_MAX {
        return Err(Problem::invalid(format!("there are more than {UPSTREAMS_MAX} upstreams")));
    }
    if let Some(twice) =
        args.to.iter().enumerate().find(|(at, one)| args.to.iter().take(*at).any(|o| o == *one))
    {
        return Err(Problem::invalid(format!("{:?} is named twice", twice.1))
            .hint("Name it once; `=WEIGHT` behind it gives it more."));
    }
    let check = &args.health_path;
    if !check.starts_with('/') || !check.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Problem::invalid(format!("`{check}` is not a path")).hint("It begins with `/`."));
    }
    let mut key = [0; 32];
    SystemChance.fill(&mut key);
    let key = StickyKey::new(&key);
    let tls = upstream_tls(args.upstream_ca.as_deref())?;
    args.to.iter().map(|upstream| upstream.route(&key, &tls)).collect()
}

/// TLS towards upstreams: HTTP/2 if they can.
fn upstream_tls(authorities: Option<&Path>) -> Result<Arc<ClientConfig>, Problem> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = authorities {
        let unusable = |why: String| Problem::invalid(format!("`{}` is not usable: {why}", file.display()));
        let pem = fs::read(file).map_err(|error| unusable(error.to_string()))?;
        roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(unusable("there is no certificate in it".into())
                .hint("It must hold the authority's certificate in PEM."));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("aws-lc-rs speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The certificate of the proxy itself, if it has one.
fn served(args: &ProxyArgs) -> Result<Option<Arc<ServerConfig>>, Problem> {
    let (Some(chain), Some(key)) = (&args.certificate, &args.key) else { return Ok(None) };
    let served = Arc::new(Served::default());
    if let Some(certificate) = FileCertificate::new(chain, key).read_if_changed()? {
        served.set(certificate);
    }
    Ok(Some(server_config(served)))
}
