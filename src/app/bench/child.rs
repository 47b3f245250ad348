//! The instance that `--bench` measures: this program again, as a child, with
//! a data folder of its own. It is the same server as any other, filled with
//! people and posts before it says that it is ready.
//!
//! It lives as long as its standard input: when the parent ends, however it
//! ends, the pipe closes, and the child stops and takes its folder along.

use std::fs;
use std::io::{BufRead, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::folder::remove_instance;
use super::seed;
use crate::app::logging;
use crate::app::serve::serve_after;
use crate::app::server::Server;
use crate::base::{Problem, ProblemKind};
use crate::bench::order::{LINE_MAX_BYTES, Order, Ready};
use crate::config::{self, Config, Environment, Overrides};

/// How long the server may take to stop before it is ended anyway.
const STOP_MAX: Duration = Duration::from_secs(10);

/// Serves until standard input closes.
///
/// # Errors
/// What keeps it from starting.
pub(in crate::app) fn serve(environment: &Environment) -> Result<(), Problem> {
    let order = read_order()?;
    let folder = Folder(order.folder.clone());
    let is_up = Arc::new(AtomicBool::new(false));
    watch(order.folder.clone(), is_up.clone());
    let config = settings(&order.folder, environment)?;
    logging::start(config.log, config.log_level, None);
    let served = serve_after(config.clone(), async |server: &Server| {
        let ready = seed::fill(&server.state, &order).await?;
        let ready = Ready {
            origin: server.origin.clone(),
            address: config.listen.first().copied(),
            admin: config.admin,
            root_pem: fs::read_to_string(order.folder.join("tls/authority.pem"))
                .map_err(Problem::internal)?,
            ..ready
        };
        is_up.store(true, Ordering::Release);
        Ok(serde_json::to_string(&ready).map_err(Problem::internal)? + "\n")
    });
    drop(folder);
    served
}

fn read_order() -> Result<Order, Problem> {
    let mut line = String::new();
    let mut input = std::io::stdin().lock().take(LINE_MAX_BYTES);
    let read = input.read_line(&mut line).map_err(|error| error.to_string());
    read.and_then(|_| serde_json::from_str(&line).map_err(|error| error.to_string())).map_err(|error| {
        Problem::malformed(format!("not an order of `waxwing --bench`: {error}"))
            .hint("this command is for `waxwing --bench` to start; use that")
    })
}

/// Ends this process once nobody holds the other end of its standard input.
fn watch(folder: PathBuf, is_up: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut bytes = [0; 256];
        while std::io::stdin().lock().read(&mut bytes).is_ok_and(|read| read > 0) {}
        if is_up.load(Ordering::Acquire) {
            stop_in_order();
            std::thread::sleep(STOP_MAX);
        }
        // It did not stop by itself, or was only starting.
        remove_instance(&folder);
        std::process::exit(1);
    });
}

/// As if somebody had sent SIGTERM.
#[cfg(unix)]
fn stop_in_order() {
    use rustix::process::{Signal, getpid, kill_process};
    // If it cannot be sent, the time runs out instead.
    let _ = kill_process(getpid(), Signal::TERM);
}

#[cfg(not(unix))]
fn stop_in_order() {
    std::process::exit(0);
}

fn settings(folder: &Path, environment: &Environment) -> Result<Config, Problem> {
    let (port, admin) = (free_port()?, free_port()?);
    let lines = format!(
        "https://localhost:{port}\ntitle \"Waxwing under measurement\"\ntls internal\nlisten 127.0.0.1:{port}\n\
         listen_http off\nfallback_port off\nadmin 127.0.0.1:{admin}\nlog_level error\nrate_limit off\n\
         outbound_allow 127.0.0.0/8\n"
    );
    let overrides = Overrides { data: Some(folder.display().to_string()), listen: Vec::new() };
    config::parse(Path::new("bench"), lines.as_bytes(), environment, &overrides)
        .map_err(|complaints| Problem::internal(complaints.to_string()))
}

/// A port that nobody listens on.
fn free_port() -> Result<u16, Problem> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| {
            Problem::new(ProblemKind::Unavailable, format!("no free port on this machine: {error}"))
        })
}

/// A folder that goes with the process.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        remove_instance(&self.0);
    }
}
