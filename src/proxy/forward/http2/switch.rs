//! A client's connection that changes its protocol (WebSocket), where hyper
//! read the request.

use std::sync::Arc;

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use super::answer::{AnswerBody, UNREADABLE, head_of};
use super::serve::Caller;
use crate::proxy::forward::buffer::Buffer;
use crate::proxy::forward::exchange::Won;
use crate::proxy::forward::field::Kind;
use crate::proxy::forward::refusal::Refusal;
use crate::proxy::forward::tunnel::carry;
use crate::proxy::forward::worker::Worker;

/// The answer 101; once it is sent, bytes are carried until one side ends or
/// the caller's connections are cut.
pub(super) fn switch<B>(
    worker: &Arc<Worker>,
    caller: &Caller,
    won: Won,
    switching: OnUpgrade,
) -> Result<Response<AnswerBody<B>>, Refusal> {
    let Won { mut link, upstream, .. } = won;
    let mut parts = head_of(&link)?;
    let bytes = link.inbound.filled().get(..link.head.len).unwrap_or_default();
    let protocol = link.head.fields.all.iter().find(|field| field.kind == Kind::Upgrade).ok_or(UNREADABLE)?;
    let protocol = HeaderValue::from_bytes(protocol.value.of(bytes)).map_err(|_| UNREADABLE)?;
    parts.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    parts.headers.insert(UPGRADE, protocol);
    link.inbound.consume(link.head.len);
    let (worker, held) = (worker.clone(), caller.held.clone());
    let streaming = upstream.stream();
    tokio::spawn(async move {
        let _streaming = streaming;
        // Without it, the client left before it had the answer.
        let Ok(switched) = switching.await else { return };
        let (mut io, mut up, mut down) = (TokioIo::new(switched), Buffer::default(), Buffer::default());
        let carried = carry(&mut io, &mut up, &mut down, link, &worker);
        match held {
            None => carried.await,
            Some(held) => tokio::select! {
                () = held.cut.cancelled() => {}
                () = carried => {}
            },
        }
    });
    Ok(Response::from_parts(parts, AnswerBody::empty()))
}
