//! A `waxwing` process among several on one database.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::Ask;
use crate::ports::free_ports;

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(30);

/// Waits until something holds, but not for ever.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "it takes too long until {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// A process that can be started again; killed with the value.
pub struct Node {
    pub port: u16,
    pub node_port: u16,
    admin: u16,
    folder: PathBuf,
    child: Option<Child>,
}

impl Node {
    /// Starts a process and waits until it answers.
    pub async fn start(site: &std::path::Path, url: &str, name: &str) -> Node {
        Node::start_with(site, url, name, "").await
    }

    /// The same with more lines of configuration.
    pub async fn start_with(site: &std::path::Path, url: &str, name: &str, lines: &str) -> Node {
        let [port, node_port, admin] = free_ports();
        let folder = site.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let media = site.join("media");
        let config = format!(
            "http://social.example\nstore {url}\ndata {}\nmedia {}\nlisten 127.0.0.1:{port}\n\
             node_listen 127.0.0.1:{node_port}\nadmin 127.0.0.1:{admin}\nregistration open\nrate_limit off\n\
             outbound_allow 127.0.0.0/8\nstop_timeout 10s\n{lines}",
            folder.display(),
            media.display(),
        );
        std::fs::write(folder.join("waxwing.conf"), config).unwrap();
        let mut node = Node { port, node_port, admin, folder, child: None };
        node.begin().await;
        node
    }

    /// Starts it again, with the same addresses.
    pub async fn begin(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_waxwing"))
            .arg(self.folder.join("waxwing.conf"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn();
        self.child = Some(child.unwrap());
        until("a node answers", async || {
            let ended = self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_some());
            assert!(!ended, "a node ended: {}", self.said());
            Ask::get("/api/v2/instance", "")
                .send(&[self.port])
                .await
                .is_some_and(|answer| answer.status == 200)
        })
        .await;
    }

    /// What it wrote.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    pub fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("it runs");
        kill_process(Pid::from_raw(child.id() as i32).unwrap(), signal).unwrap();
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// A clean stop.
    pub async fn stop(&mut self) {
        self.signal(Signal::TERM);
        let mut child = self.child.take().expect("it runs");
        until("a node has stopped", async || match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success(), "{status}: {}", self.said());
                true
            }
            None => false,
        })
        .await;
    }

    /// How many requests it answered since it started, whichever node's door
    /// they came to.
    pub async fn answered(&self) -> u64 {
        let metrics = self.metrics().await;
        let line = metrics.lines().find_map(|line| line.strip_prefix("waxwing_node_requests_total "));
        line.map_or(0, |count| count.parse().unwrap())
    }

    /// How many nodes its door passes requests on to.
    pub async fn knows(&self) -> usize {
        let metrics = self.metrics().await;
        metrics.lines().filter(|line| line.starts_with("waxwing_balancer_requests_total{")).count()
    }

    async fn metrics(&self) -> String {
        let metrics = Ask::get("/metrics", "").send(&[self.admin]).await.expect("it tells");
        String::from_utf8_lossy(&metrics.body).into_owned()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
