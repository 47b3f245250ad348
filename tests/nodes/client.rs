//! A client that opens a connection for each request, and knows several
//! addresses as a name with several does: one that refuses the connection is
//! passed over.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest wait for an answer.
pub const ANSWER_MAX: Duration = Duration::from_secs(30);

/// An answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// What to ask.
#[derive(Clone, Default)]
pub struct Ask {
    pub method: &'static str,
    pub path: String,
    pub headers: String,
    pub body: Vec<u8>,
    /// The length that it says its body has, if that is not so.
    pub claims: Option<u64>,
}

impl Ask {
    pub fn get(path: &str, token: &str) -> Ask {
        Ask { method: "GET", path: path.to_owned(), ..Ask::default() }.by(token)
    }

    pub fn post(path: &str, token: &str, body: &Value) -> Ask {
        let headers = "Content-Type: application/json\r\n".to_owned();
        let body = body.to_string().into_bytes();
        Ask { method: "POST", path: path.to_owned(), headers, body, ..Ask::default() }.by(token)
    }

    /// With one more header.
    pub fn with(mut self, name: &str, value: &str) -> Ask {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    fn by(self, token: &str) -> Ask {
        if token.is_empty() { self } else { self.with("Authorization", &format!("Bearer {token}")) }
    }

    fn head(&self) -> String {
        let Ask { method, path, headers, body, claims } = self;
        let length = claims.unwrap_or(body.len() as u64);
        format!(
            "{method} {path} HTTP/1.1\r\nHost: social.example\r\nContent-Length: {length}\r\n{headers}\r\n"
        )
    }

    /// Sends it over a new connection to the first that takes one.
    pub async fn begin(&self, ports: &[u16]) -> Option<TcpStream> {
        let mut stream = None;
        for port in ports {
            if let Ok(connected) = TcpStream::connect(("127.0.0.1", *port)).await {
                stream = Some(connected);
                break;
            }
        }
        let mut stream = stream?;
        let bytes = [self.head().as_bytes(), &self.body].concat();
        stream.write_all(&bytes).await.ok()?;
        Some(stream)
    }

    /// Asks; `None` if there is no whole answer.
    pub async fn send(&self, ports: &[u16]) -> Option<Answer> {
        let closing = self.clone().with("Connection", "close");
        let asked = async {
            let mut stream = closing.begin(ports).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.ok()?;
            read(&answer)
        };
        timeout(ANSWER_MAX, asked).await.ok()?
    }
}

fn read(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let rest = &answer[end + 4..];
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let body = match length {
        Some(length) => {
            let length: usize = length.parse().ok()?;
            rest.get(..length)?.to_vec()
        }
        None if head.contains("transfer-encoding: chunked") => unchunked(rest)?,
        None => rest.to_vec(),
    };
    Some(Answer { status, head, body })
}

/// The data of chunks; `None` if the last one is missing.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        if size == 0 {
            return Some(data);
        }
        data.extend(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 4 + size..)?;
    }
}
