//! A mail server on loopback that does as it is told: takes mails, answers
//! with any code at any step, or says nothing at all.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Longest wait for a mail.
const MAIL_MAX: Duration = Duration::from_secs(20);

/// What the next connection meets; `MAIL`, `RCPT`, `DATA`, `.`, … name a step.
#[derive(Clone, Copy)]
pub enum Turn {
    /// At this step, this answer.
    Say(&'static str, &'static str),
    /// At this step, nothing any more.
    Hang(&'static str),
}

/// A mail that was taken.
#[derive(Debug)]
pub struct Taken {
    /// Its sender in the envelope.
    pub from: String,
    /// Its recipient in the envelope.
    pub to: String,
    /// Header and body, decoded where they were encoded.
    pub text: String,
    /// Whether it came over TLS.
    pub was_private: bool,
    /// User and password that were shown.
    pub login: Option<String>,
}

impl Taken {
    /// A line of the header.
    pub fn header(&self, name: &str) -> &str {
        let line = self.text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }

    /// The token of the link in it.
    pub fn token(&self) -> &str {
        let (_, rest) = self.text.split_once("token=").unwrap_or_else(|| panic!("no link in {}", self.text));
        rest.split(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).next().unwrap()
    }
}

/// The mail server.
pub struct Smtp {
    /// Its port on loopback.
    pub port: u16,
    /// What its next connections meet; all others are served.
    pub turns: Arc<Mutex<VecDeque<Turn>>>,
    came: tokio::sync::Mutex<mpsc::UnboundedReceiver<Taken>>,
    stop: CancellationToken,
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Smtp {
    /// Starts one; with `tls` it offers STARTTLS.
    pub async fn start(tls: Option<TlsAcceptor>) -> Smtp {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let port = listener.local_addr().expect("it is bound").port();
        let turns: Arc<Mutex<VecDeque<Turn>>> = Arc::default();
        let (tell, came) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let (own_turns, own_stop) = (turns.clone(), stop.clone());
        tokio::spawn(async move {
            loop {
                let stream = tokio::select! {
                    () = own_stop.cancelled() => return,
                    accepted = listener.accept() => accepted.expect("it listens").0,
                };
                let turn = own_turns.lock().pop_front();
                let (tell, tls, stop) = (tell.clone(), tls.clone(), own_stop.clone());
                tokio::spawn(async move {
                    let served = async {
                        let plain =
                            Talk { turn, tell: tell.clone(), offers_tls: tls.is_some(), is_private: false };
                        // A client that goes away ends its connection and nothing else.
                        if let Ok(Some(stream)) = plain.serve(BufReader::new(stream), true).await
                            && let Some(tls) = tls
                            && let Ok(stream) = tls.accept(stream.into_inner()).await
                        {
                            let private = Talk { turn, tell, offers_tls: false, is_private: true };
                            let _ = private.serve(BufReader::new(stream), false).await;
                        }
                    };
                    tokio::select! { () = stop.cancelled() => {}, () = served => {} }
                });
            }
        });
        Smtp { port, turns, came: tokio::sync::Mutex::new(came), stop }
    }

    /// The next mail.
    pub async fn next(&self) -> Taken {
        let mut came = self.came.lock().await;
        timeout(MAIL_MAX, came.recv()).await.expect("a mail in time").expect("the server runs")
    }

    /// Whether a mail is there already.
    pub async fn has_mail(&self) -> bool {
        !self.came.lock().await.is_empty()
    }
}

struct Talk {
    turn: Option<Turn>,
    tell: mpsc::UnboundedSender<Taken>,
    offers_tls: bool,
    is_private: bool,
}

impl Talk {
    /// Serves one connection; gives it back where the client begins TLS.
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: BufReader<S>,
        greets: bool,
    ) -> std::io::Result<Option<BufReader<S>>> {
        if greets {
            self.say(&mut stream, "CONNECT", "220 mail.example").await?;
        }
        let (mut from, mut to, mut login) = (String::new(), String::new(), None);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(None);
            }
            let line = line.trim_end();
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => {
                    let tls = if self.offers_tls { "250-STARTTLS\r\n" } else { "" };
                    let all = format!("250-mail.example\r\n{tls}250-AUTH PLAIN\r\n250 8BITMIME");
                    self.say(&mut stream, "EHLO", &all).await?;
                }
                "STARTTLS" => {
                    self.say(&mut stream, "STARTTLS", "220 go on").await?;
                    return Ok(Some(stream));
                }
                "AUTH" => {
                    let told = line.rsplit(' ').next().unwrap_or_default();
                    let told = STANDARD.decode(told).unwrap_or_default();
                    login = Some(String::from_utf8_lossy(&told).replace('\0', " ").trim().to_owned());
                    self.say(&mut stream, "AUTH", "235 welcome").await?;
                }
                "MAIL" => {
                    from = address(line);
                    self.say(&mut stream, "MAIL", "250 ok").await?;
                }
                "RCPT" => {
                    to = address(line);
                    self.say(&mut stream, "RCPT", "250 ok").await?;
                }
                "DATA" => {
                    if !self.say(&mut stream, "DATA", "354 go on").await? {
                        continue;
                    }
                    let text = data(&mut stream).await?;
                    if self.say(&mut stream, ".", "250 taken").await? {
                        let (from, to, login) = (from.clone(), to.clone(), login.clone());
                        let was_private = self.is_private;
                        let _ = self.tell.send(Taken { from, to, text, was_private, login });
                    }
                }
                "QUIT" => {
                    self.say(&mut stream, "QUIT", "221 bye").await?;
                    return Ok(None);
                }
                _ => {
                    self.say(&mut stream, &verb, "250 ok").await?;
                }
            }
        }
    }

    /// Answers a step; whether it was a good answer.
    async fn say<S: AsyncWrite + Unpin>(&self, to: &mut S, step: &str, usual: &str) -> std::io::Result<bool> {
        let text = match self.turn {
            Some(Turn::Hang(at)) if at == step => std::future::pending().await,
            Some(Turn::Say(at, text)) if at == step => text,
            _ => usual,
        };
        to.write_all(format!("{text}\r\n").as_bytes()).await?;
        to.flush().await?;
        Ok(text == usual)
    }
}

fn address(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}

/// Everything up to the line with a dot, decoded.
async fn data<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(decoded(&text));
        }
        text.push_str(
            line.strip_prefix("..").map_or(line.as_str(), |rest| &line[line.len() - rest.len() - 1..]),
        );
    }
}

/// Quoted-printable as text (RFC 2045 section 6.7); other encodings stay.
fn decoded(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = (*first == b'=').then(|| tail.get(..2)).flatten();
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
