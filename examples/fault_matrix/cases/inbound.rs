//! F27: every server that anybody left tells us so, about people we never saw.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use waxwing::app::server::Server;

use crate::Failure;
use crate::api;
use crate::fleet::Fleet;
use crate::measure::percentile;
use crate::scale::Scale;
use crate::table::Checks;

/// Connections that the flood comes by.
const CLIENTS: u32 = 16;
/// Deletes a second that nobody would call a flood.
const UNHURRIED_PER_S: u32 = 20;

/// F27.
pub(crate) async fn flood(scale: Scale) -> Result<Checks, Failure> {
    let (per_s, span, mut checks) =
        (scale.pick(2000, 100), scale.pick(Duration::from_secs(30), Duration::from_secs(4)), Checks::new());
    let folder = tempfile::tempdir()?;
    let server = Server::start(api::settings(folder.path())?).await.map_err(|problem| problem.to_string())?;
    let authority: Arc<str> = server.origin.trim_start_matches("http://").into();
    let token: Arc<str> = api::token(&server.state, "wren").await?.into();
    // Whoever looks for the actors finds this one.
    let elsewhere = Fleet::start(1, None).await?;
    let began = Instant::now();

    let actors = elsewhere.peers[0].address.to_string();
    let (mut unhurried, _) =
        send_deletes(&authority, &actors, CLIENTS, UNHURRIED_PER_S * CLIENTS, span / 2).await?;
    let unhurried = percentile(&mut unhurried, 0.99);
    let mut alone = read_home(&authority, &token, span).await?;
    let reading = tokio::spawn({
        let (authority, token) = (authority.clone(), token.clone());
        async move { read_home(&authority, &token, span).await }
    });
    let mut flood = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let (authority, actors) = (authority.clone(), actors.clone());
        flood.spawn(async move { send_deletes(&authority, &actors, client, per_s, span).await });
    }
    let (mut took, mut others) = (Vec::new(), 0);
    while let Some(done) = flood.join_next().await {
        let (times, refused) = done??;
        took.extend(times);
        others += refused;
    }
    let mut beside = reading.await??;
    let rate = took.len() as f64 / span.as_secs_f64();
    let (before, after) = (percentile(&mut alone, 0.99), percentile(&mut beside, 0.99));
    checks.at_least("Deletes", rate, f64::from(per_s) * 0.9, "/s");
    let limit = scale.pick(5.0, f64::max(100.0, unhurried * 3.0 + 50.0));
    checks.at_most("p99", percentile(&mut took, 0.99), limit, " ms");
    checks.is("answers other than 202", others, 0);
    checks.is("fetches", elsewhere.asked([0], began), 0);
    checks.at_most(
        "p99 of the local API",
        after,
        before * scale.pick(1.1, 3.0) + scale.pick(0.0, 50.0),
        " ms",
    );
    checks.note(format!("alone {before:.1} ms, a Delete now and then {unhurried:.1} ms"));
    server.stop().await;
    Ok(checks)
}

async fn connect(authority: &str) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Sends a request; gives the status and how long that took in ms.
async fn ask(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<(u16, f64), Failure> {
    sender.ready().await?;
    let begun = Instant::now();
    let answer = sender.send_request(request).await?;
    let status = answer.status().as_u16();
    answer.into_body().collect().await?;
    Ok((status, begun.elapsed().as_secs_f64() * 1000.0))
}

/// Somebody who reads their home timeline 20 times a second.
async fn read_home(authority: &str, token: &str, span: Duration) -> Result<Vec<f64>, Failure> {
    let (mut sender, begun, mut took) = (connect(authority).await?, Instant::now(), Vec::new());
    while begun.elapsed() < span {
        let request = Request::get("/api/v1/timelines/home")
            .header("host", authority)
            .header("authorization", format!("Bearer {token}"))
            .body(Full::default())?;
        let (status, ms) = ask(&mut sender, request).await?;
        if status != 200 {
            return Err(format!("the home timeline answers {status}").into());
        }
        took.push(ms);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(took)
}

/// One server of the flood: how long each answer took in ms, and how many were none of the expected.
async fn send_deletes(
    authority: &str,
    actors: &str,
    client: u32,
    per_s: u32,
    span: Duration,
) -> Result<(Vec<f64>, usize), Failure> {
    let (mut sender, begun) = (connect(authority).await?, Instant::now());
    let (mut took, mut others, mut number) = (Vec::new(), 0, 0u32);
    while begun.elapsed() < span {
        let due = begun + Duration::from_secs_f64(f64::from(number) * f64::from(CLIENTS) / f64::from(per_s));
        tokio::time::sleep_until(due.into()).await;
        let actor = format!("http://{actors}/users/{client}-{number}");
        let delete =
            json!({ "id": format!("{actor}#delete"), "type": "Delete", "actor": actor, "object": actor });
        let request = Request::post("/inbox")
            .header("host", authority)
            .header("content-type", "application/activity+json")
            .header("signature", format!("keyId=\"{actor}#main-key\",headers=\"date\",signature=\"eA==\""))
            .body(Full::from(delete.to_string()))?;
        let (status, ms) = ask(&mut sender, request).await?;
        took.push(ms);
        others += usize::from(status != 202);
        number += 1;
    }
    Ok((took, others))
}
