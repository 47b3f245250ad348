//! Peers that misbehave below HTTP.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::behaviour::Behaviour;
use crate::fleet::{Asked, Peer};

/// No connection is kept longer than this.
const KEPT_MAX: Duration = Duration::from_secs(60);
/// Bytes of header lines that one asks another to swallow.
const HEAD_BYTES: usize = 100 << 20;

/// Notes a connection that brought no request.
pub(crate) fn note(peer: &Peer) {
    let asked = Asked { at: Instant::now(), status: 0, date: None };
    peer.log.lock().push(asked);
}

pub(crate) async fn serve(mut stream: TcpStream, peer: &Peer, behaviour: &Behaviour) {
    note(peer);
    peer.waiting.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    // However it ends, it is only how this peer is.
    let _ = tokio::time::timeout(KEPT_MAX, misbehave(&mut stream, behaviour)).await;
    peer.waiting.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
}

async fn misbehave(stream: &mut TcpStream, behaviour: &Behaviour) -> std::io::Result<()> {
    match behaviour {
        Behaviour::Mute => until_gone(stream).await,
        Behaviour::SlowLoris => {
            read_some(stream).await?;
            for byte in b"HTTP/1.1 202 Accepted\r\ncontent-length: 1000000\r\n\r\n".iter().cycle() {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok(())
        }
        Behaviour::EndlessBody => {
            read_some(stream).await?;
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
            let chunk = [b"1000\r\n".as_slice(), &[b'x'; 4096], b"\r\n"].concat();
            loop {
                stream.write_all(&chunk).await?;
            }
        }
        Behaviour::HugeHead => {
            read_some(stream).await?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            let line = [b"x-berries: ".as_slice(), &[b'b'; 4000], b"\r\n"].concat();
            for _ in 0..HEAD_BYTES / line.len() {
                stream.write_all(&line).await?;
            }
            Ok(())
        }
        // Closing with unread bytes is a reset.
        _ => Ok(()),
    }
}

async fn read_some(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.read(&mut [0; 16 * 1024]).await.map(drop)
}

async fn until_gone(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut bytes = [0; 4096];
    while stream.read(&mut bytes).await? > 0 {}
    Ok(())
}
