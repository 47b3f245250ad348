//! The WebSocket: what a client sends, what it is sent, how it ends.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, interval_at, timeout};

use super::channel::{Asked, Refusal};
use super::session::Session;
use crate::net::hub::{End, News};

/// How often a client is asked whether it is there; one that has not stirred
/// since the time before is gone.
const PING_EVERY: Duration = Duration::from_secs(30);
/// Bytes of a message from a client: a name and a hashtag.
const MESSAGE_MAX_BYTES: usize = 4096;
/// Bytes of a frame that is read at all, so that a longer message can still be
/// refused in words.
const FRAME_MAX_BYTES: usize = 16 * 1024;
/// What is read at once. Each socket holds this much all the time.
const READ_BUFFER_BYTES: usize = 512;
/// Bytes of messages that wait to be taken by the network.
const WRITE_BUFFER_MAX_BYTES: usize = 2 * 1024 * 1024;
/// How long a client may take to read one message.
const WRITE_MAX: Duration = Duration::from_secs(10);
/// How long a client may take to say good-bye too.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

/// Sets the limits of a socket. The library's own are made for few sockets
/// with large messages: 128 KiB for each.
pub(super) fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_message_size(FRAME_MAX_BYTES)
        .max_frame_size(FRAME_MAX_BYTES)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_MAX_BYTES)
}

/// Why a conversation is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// The client closed it, or is gone.
    Left,
    /// We close it, for this reason.
    Closed(u16, &'static str),
}

/// Talks until either side has enough, and says good-bye.
pub(super) async fn talk(mut socket: WebSocket, mut session: Session, first: Option<Asked>) {
    let over = match first {
        Some(asked) => match subscribe(&mut socket, &mut session, &asked).await {
            Ok(()) => converse(&mut socket, &mut session).await,
            Err(over) => over,
        },
        None => converse(&mut socket, &mut session).await,
    };
    // Nobody shall be counted who only says good-bye.
    drop(session);
    if let Over::Closed(code, reason) = over {
        close(socket, code, reason).await;
    }
}

async fn converse(socket: &mut WebSocket, session: &mut Session) -> Over {
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    let mut is_alive = true;
    loop {
        let step = tokio::select! {
            news = session.news.next() => match news {
                Some(news) => Box::pin(tell(socket, session, news)).await,
                None => Err(ended(session.news.end())),
            },
            sent = socket.recv() => {
                is_alive = true;
                match sent {
                    Some(Ok(message)) => Box::pin(hear(socket, session, message)).await,
                    Some(Err(_)) => Err(Over::Closed(close_code::PROTOCOL, "The frame cannot be read")),
                    None => Err(Over::Left),
                }
            }
            _ = pings.tick() => {
                if std::mem::take(&mut is_alive) {
                    send(socket, Message::Ping(bytes::Bytes::new())).await
                } else {
                    Err(Over::Left)
                }
            }
        };
        if let Err(over) = step {
            return over;
        }
    }
}

fn ended(end: End) -> Over {
    match end {
        End::Stopped => Over::Closed(close_code::AWAY, "The server stops"),
        End::Slow => Over::Closed(close_code::AGAIN, "You read too slowly"),
        End::Revoked => Over::Closed(close_code::POLICY, "The access token was revoked"),
    }
}

async fn tell(socket: &mut WebSocket, session: &Session, news: News) -> Result<(), Over> {
    if news == News::Missed {
        // Among what was missed may be that the token was revoked.
        return Err(Over::Closed(close_code::AGAIN, "Some news were missed"));
    }
    for message in session.messages(&news).await {
        send(socket, Message::Text(message.into())).await?;
    }
    Ok(())
}

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), Over> {
    match timeout(WRITE_MAX, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Over::Left),
    }
}

/// What clients say.
#[derive(Debug, Deserialize)]
struct Order {
    #[serde(rename = "type")]
    kind: String,
    #[serde(flatten)]
    asked: Asked,
}

async fn hear(socket: &mut WebSocket, session: &mut Session, message: Message) -> Result<(), Over> {
    let text = match message {
        Message::Text(text) => text,
        Message::Binary(_) => {
            let why = "The streaming API does not take binary messages";
            return Err(Over::Closed(close_code::UNSUPPORTED, why));
        }
        Message::Close(_) => return Err(Over::Left),
        // The library answers pings itself.
        Message::Ping(_) | Message::Pong(_) => return Ok(()),
    };
    if text.len() > MESSAGE_MAX_BYTES {
        return Err(Over::Closed(close_code::SIZE, "The message is too long"));
    }
    let Ok(order) = serde_json::from_str::<Order>(&text) else {
        return refuse(socket, Refusal { status: 400, error: "The message cannot be understood" }).await;
    };
    match order.kind.as_str() {
        "subscribe" => subscribe(socket, session, &order.asked).await,
        "unsubscribe" => match session.unsubscribe(&order.asked) {
            Ok(()) => Ok(()),
            Err(refusal) => refuse(socket, refusal).await,
        },
        _ => refuse(socket, Refusal { status: 400, error: "Unknown message type" }).await,
    }
}

async fn subscribe(socket: &mut WebSocket, session: &mut Session, asked: &Asked) -> Result<(), Over> {
    match session.subscribe(asked).await {
        Ok(()) => Ok(()),
        Err(refusal) => refuse(socket, refusal).await,
    }
}

async fn refuse(socket: &mut WebSocket, refusal: Refusal) -> Result<(), Over> {
    let words = json!({ "error": refusal.error, "status": refusal.status }).to_string();
    send(socket, Message::Text(words.into())).await
}

/// Sends the reason and waits a little for the client's own good-bye: closing
/// with bytes unread would make the network throw the reason away.
async fn close(mut socket: WebSocket, code: u16, reason: &'static str) {
    let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
    let goodbye = async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    let _ = timeout(GOODBYE_MAX, goodbye).await;
}
