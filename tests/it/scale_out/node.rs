//! A `waxwing` process among several, and a client that asks it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What all nodes of a test have in common.
pub struct Site {
    pub url: String,
    pub folder: tempfile::TempDir,
}

impl Site {
    pub fn new(url: String) -> Arc<Site> {
        Arc::new(Site { url, folder: tempfile::tempdir().unwrap() })
    }

    /// The settings of a node, as a file has them.
    pub fn settings(&self, data: &Path, port: u16) -> String {
        let (url, media) = (&self.url, self.folder.path().join("media"));
        format!(
            "http://social.example\nstore {url}\ndata {}\nmedia {}\nlisten 127.0.0.1:{port}\n\
             node_listen 127.0.0.1:0\nadmin off\nregistration open\nrate_limit off\n\
             outbound_allow 127.0.0.0/8\nstop_timeout 5s\n",
            data.display(),
            media.display(),
        )
    }
}

/// A process; killed with the value.
pub struct Node {
    pub port: u16,
    child: Child,
    log: PathBuf,
}

impl Node {
    /// Starts a process and waits until it answers.
    pub async fn start(site: &Site, name: &str) -> Node {
        let [port] = crate::kit::ports::free_ports();
        let data = site.folder.path().join(name);
        std::fs::create_dir_all(&data).unwrap();
        let config = data.join("waxwing.conf");
        std::fs::write(&config, site.settings(&data, port)).unwrap();
        let log = data.join("log");
        let child = Command::new(env!("CARGO_BIN_EXE_waxwing"))
            .arg(&config)
            .stdout(std::fs::File::create(&log).unwrap())
            .stderr(std::fs::File::options().append(true).open(&log).unwrap())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut node = Node { port, child, log };
        let begun = Instant::now();
        while node.get("/api/v2/instance", "").await.is_none_or(|(status, _)| status != 200) {
            assert!(node.child.try_wait().unwrap().is_none(), "a node ended: {}", node.said());
            assert!(begun.elapsed() < PATIENCE, "a node does not answer: {}", node.said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        node
    }

    /// What it wrote.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// A clean stop; gives how long it took.
    pub async fn stop(mut self) -> Duration {
        self.signal(Signal::TERM);
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{status}: {}", self.said());
                return begun.elapsed();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not stop: {}", self.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A GET; `None` when nobody answers.
    pub async fn get(&self, path: &str, token: &str) -> Option<(u16, Value)> {
        self.ask(&format!("GET {path}"), token, "").await
    }

    /// Posts a status; gives its id.
    pub async fn post(&self, token: &str, text: &str) -> String {
        let body = serde_json::json!({ "status": text }).to_string();
        let (status, answer) = self.ask("POST /api/v1/statuses", token, &body).await.expect("it answers");
        assert_eq!(status, 200, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    async fn begin(&self, what: &str, token: &str, body: &str) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        let head = format!(
            "{what} HTTP/1.1\r\nHost: social.example\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        Some(stream)
    }

    async fn ask(&self, what: &str, token: &str, body: &str) -> Option<(u16, Value)> {
        let asked = async {
            let mut stream = self.begin(what, token, body).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.ok()?;
            let text = String::from_utf8_lossy(&answer).into_owned();
            let status = text.split(' ').nth(1)?.parse().ok()?;
            let (start, end) = (text.find(['{', '['])?, text.rfind(['}', ']'])?);
            Some((status, serde_json::from_str(&text[start..=end]).unwrap_or(Value::Null)))
        };
        tokio::time::timeout(Duration::from_secs(30), asked).await.ok()?
    }

    /// Listens to somebody's home timeline.
    pub async fn listen(&self, token: &str) -> Stream {
        let mut stream = self.begin("GET /api/v1/streaming/user", token, "").await.expect("it answers");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
        Stream(BufReader::new(stream).lines())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a client hears.
pub struct Stream(Lines<BufReader<TcpStream>>);

impl Stream {
    /// Waits until it hears of this.
    pub async fn hears(&mut self, text: &str, within: Duration) -> bool {
        let heard = async {
            while let Ok(Some(line)) = self.0.next_line().await {
                if line.contains(text) {
                    return true;
                }
            }
            false
        };
        tokio::time::timeout(within, heard).await.unwrap_or(false)
    }
}
