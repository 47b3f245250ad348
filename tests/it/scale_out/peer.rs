//! Other servers that take what they are sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;

type Got = Arc<Mutex<HashMap<(String, String), usize>>>;

/// Servers on addresses of their own.
pub struct Peers {
    inboxes: Vec<String>,
    got: Got,
}

async fn take(State(got): State<Got>, Path(peer): Path<String>, body: Bytes) -> StatusCode {
    let activity: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let id = activity["id"].as_str().unwrap_or_default().to_owned();
    *got.lock().unwrap().entry((peer, id)).or_default() += 1;
    StatusCode::ACCEPTED
}

impl Peers {
    /// So many, each a destination of its own.
    pub async fn start(count: u8) -> Peers {
        let got = Got::default();
        let mut inboxes = Vec::new();
        for peer in 1..=count {
            let listener =
                tokio::net::TcpListener::bind((std::net::Ipv4Addr::new(127, 77, 1, peer), 0)).await.unwrap();
            inboxes.push(format!("http://{}/inbox/{peer}", listener.local_addr().unwrap()));
            let router = Router::new().route("/inbox/{peer}", post(take)).with_state(got.clone());
            tokio::spawn(async move { axum::serve(listener, router).await });
        }
        Peers { inboxes, got }
    }

    pub fn inboxes(&self) -> &[String] {
        &self.inboxes
    }

    /// How many have not got an activity after this time, at the latest.
    pub async fn all_got(&self, id: &str, within: Duration) -> usize {
        let begun = Instant::now();
        loop {
            let have = self.got.lock().unwrap().keys().filter(|(_, its)| its == id).count();
            let missing = self.inboxes.len() - have;
            if missing == 0 || begun.elapsed() > within {
                return missing;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether the peer at this place has got an activity.
    pub fn has(&self, place: usize, id: &str) -> bool {
        self.got.lock().unwrap().contains_key(&((place + 1).to_string(), id.to_owned()))
    }

    /// How many deliveries came more than once.
    pub fn surplus(&self) -> usize {
        self.got.lock().unwrap().values().map(|times| times - 1).sum()
    }
}
