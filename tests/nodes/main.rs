//! Three nodes on one PostgreSQL, asked through the door of one: any of them
//! answers, and that one is killed, stopped or replaced is hardly noticed.
#![allow(clippy::disallowed_methods)] // tests live in real time
#![allow(clippy::unwrap_used)] // a test that unwraps nothing has failed, which is its job
#![allow(unreachable_pub)] // there is nobody outside to reach a test

mod client;
#[path = "../../examples/faulty/mod.rs"]
#[allow(dead_code)] // its servers are not used here
mod faulty;
mod live;
mod load;
mod node;
#[path = "../kit/ports.rs"]
mod ports;
#[path = "../kit/postgres.rs"]
mod postgres;

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use client::{Answer, Ask};
use load::{Kind, Load, failures};
use node::{Node, PATIENCE, until};

/// A picture of one pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4, 0x89, 0x00,
    0x00, 0x00, 0x0d, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x10, 0x50, 0x30, 0xf8, 0x0f, 0x00, 0x02,
    0x04, 0x01, 0x60, 0x8d, 0xbc, 0xbb, 0x71, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42,
    0x60, 0x82,
];
/// Requests that come at once, so that one node is not enough for them.
const AT_ONCE: usize = 8;
/// Requests under way at a time from those whose posts may not be repeated.
const CARELESS: usize = 2;
const CAREFUL: usize = 6;
/// A node that has stopped gets no more requests after this.
const NOTICED_MAX: Duration = Duration::from_secs(2);
/// Posts at once, so that a node that just froze has some of them.
const CAUGHT_AMONG: usize = 24;
/// Times that this is tried.
const CATCHES_MAX: usize = 20;
/// So many requests of everybody are answered then while it is still there.
const UNNOTICED: usize = 4;

/// Somebody with a token, who signed up through a door.
async fn sign_up(port: u16, name: &str) -> String {
    let ask = async |path: &str, token: &str, body: Value| {
        let answer = Ask::post(path, token, &body).send(&[port]).await.expect("it answers");
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()
    };
    let scopes = "read write follow";
    let redirect = "urn:ietf:wg:oauth:2.0:oob";
    let app =
        ask("/api/v1/apps", "", json!({ "client_name": "t", "redirect_uris": redirect, "scopes": scopes }))
            .await;
    let grant = json!({
        "grant_type": "client_credentials", "client_id": app["client_id"], "scope": scopes,
        "client_secret": app["client_secret"], "redirect_uri": redirect,
    });
    let token = ask("/oauth/token", "", grant).await["access_token"].as_str().unwrap().to_owned();
    let person = json!({
        "username": name, "email": format!("{name}@social.example"), "password": "correct horse battery",
        "agreement": true, "locale": "en",
    });
    ask("/api/v1/accounts", &token, person).await["access_token"].as_str().unwrap().to_owned()
}

async fn post(port: u16, token: &str, text: &str) -> Value {
    let answer =
        Ask::post("/api/v1/statuses", token, &json!({ "status": text })).send(&[port]).await.unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

/// The home timeline has a post, whichever node is asked.
async fn is_home(port: u16, token: &str, text: &str) -> bool {
    let home = Ask::get("/api/v1/timelines/home", token).send(&[port]).await.unwrap();
    String::from_utf8_lossy(&home.body).contains(text)
}

/// An open stream of events.
struct Events(BufReader<TcpStream>);

impl Events {
    async fn listen(port: u16, token: &str) -> Events {
        let mut stream = Ask::get("/api/v1/streaming/user", token).begin(&[port]).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
        Events(BufReader::new(stream))
    }

    async fn hears(&mut self, text: &str) -> bool {
        let heard = async {
            let mut line = String::new();
            while self.0.read_line(&mut line).await.is_ok_and(|read| read > 0) {
                if line.contains(text) {
                    return true;
                }
                line.clear();
            }
            false
        };
        timeout(PATIENCE, heard).await.unwrap_or(false)
    }
}

/// A WebSocket through a door, read as it comes: events are text, unmasked.
async fn socket_hears(port: u16, token: &str, text: &'static str, then: impl Future<Output = Value>) -> bool {
    let path = "/api/v1/streaming?stream=user";
    let ask = Ask::get(path, token)
        .with("Connection", "Upgrade")
        .with("Upgrade", "websocket")
        .with("Sec-WebSocket-Version", "13")
        .with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    let mut stream = ask.begin(&[port]).await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8_lossy(&read).to_lowercase();
    assert!(head.starts_with("http/1.1 101") && head.contains("upgrade: websocket"), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    then.await;
    let heard = async {
        let mut read = Vec::new();
        while !String::from_utf8_lossy(&read).contains(text) {
            let mut more = [0; 4096];
            match stream.read(&mut more).await {
                Ok(count @ 1..) => read.extend(&more[..count]),
                _ => return false,
            }
        }
        true
    };
    timeout(PATIENCE, heard).await.unwrap_or(false)
}

/// Uploads a picture; gives the path of the file.
async fn upload(port: u16, token: &str) -> String {
    let mut body = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p.png\"\r\n\
                     Content-Type: image/png\r\n\r\n"
        .to_vec();
    body.extend(PIXEL);
    body.extend(b"\r\n--x--\r\n");
    let ask = Ask { method: "POST", path: "/api/v2/media".into(), body, ..Ask::default() };
    let ask = ask
        .with("Content-Type", "multipart/form-data; boundary=x")
        .with("Authorization", &format!("Bearer {token}"));
    let answer = ask.send(&[port]).await.unwrap();
    assert!(matches!(answer.status, 200 | 202), "{}", String::from_utf8_lossy(&answer.body));
    let path = format!("/api/v1/media/{}", answer.json()["id"].as_str().unwrap());
    let mut url = String::new();
    until("a picture is drawn", async || {
        let media = Ask::get(&path, token).send(&[port]).await.unwrap();
        let file = media.json()["url"].as_str().map(str::to_owned);
        assert!(matches!(media.status, 200 | 206), "{}", String::from_utf8_lossy(&media.body));
        url = file.unwrap_or_default();
        !url.is_empty()
    })
    .await;
    url.strip_prefix("https://social.example").unwrap_or_else(|| panic!("`{url}` is not ours")).to_owned()
}

/// Asks through a door until a node has answered something more.
async fn answers_through(door: u16, token: &str, node: &Node) {
    let before = node.answered().await;
    until("a node takes its part", async || {
        let mut asking = JoinSet::new();
        for _ in 0..AT_ONCE {
            let ask = Ask::get("/api/v1/timelines/home?limit=1", token);
            asking.spawn(async move { ask.send(&[door]).await });
        }
        assert!(asking.join_all().await.iter().all(Option::is_some));
        node.answered().await > before
    })
    .await;
}

/// What the site does, asked through one door while three nodes answer.
async fn behaves_as_one(door: u16, token: &str) {
    let mut events = Events::listen(door, token).await;
    let id = post(door, token, "through the door").await["id"].as_str().unwrap().to_owned();
    assert!(events.hears("through the door").await);
    assert!(socket_hears(door, token, "into the socket", post(door, token, "into the socket")).await);
    for _ in 0..12 {
        assert!(is_home(door, token, "through the door").await);
        let one = Ask::get(&format!("/api/v1/statuses/{id}"), token).send(&[door]).await.unwrap();
        assert_eq!(one.status, 200, "every node has it at once");
    }
    let file = upload(door, token).await;
    for _ in 0..6 {
        let shown = Ask::get(&file, "").send(&[door]).await.unwrap();
        assert_eq!((shown.status, shown.head.contains("content-type: image/")), (200, true), "{file}");
    }
    // What nodes tell each other is not for clients, even if they ask.
    for _ in 0..6 {
        let asked = Ask::get("/about", "").with("endpoint-load-metrics-format", "TEXT").send(&[door]).await;
        let head = asked.unwrap().head;
        assert!(!head.contains("endpoint-load-metrics") && !head.contains("waxwing-shed"), "{head}");
        assert_eq!(head.matches("x-request-id: ").count(), 1, "{head}");
    }
}

/// What the door itself refuses looks like any other refusal.
async fn refuses_like_any_node(door: u16, token: &str) {
    let endless = |path: &str| Ask { claims: Some(1 << 50), ..Ask::post(path, token, &Value::Null) };
    let api = endless("/api/v1/statuses").send(&[door]).await.unwrap();
    assert_eq!((api.status, api.json()), (413, json!({ "error": "The request body is too large" })));
    let page = endless("/login").with("Accept", "text/html").send(&[door]).await.unwrap();
    let text = String::from_utf8_lossy(&page.body);
    assert_eq!(page.status, 413, "{text}");
    assert!(text.starts_with("<!") && text.contains("The request body is too large"), "{text}");
    for answer in [api, page] {
        assert!(answer.head.contains("x-content-type-options: nosniff"), "{}", answer.head);
        assert_eq!(answer.head.matches("x-request-id: ").count(), 1, "{}", answer.head);
    }
}

/// What a frozen node has and what may not be sent again is answered in
/// bounded time, and nothing is done twice when the node goes on.
async fn gives_up_what_froze(door: u16, token: &str, frozen: &Node) {
    let mut stored = Vec::new();
    let mut given_up = 0;
    let mut round = 0;
    // The balancer may pass it over for a while, for what it did before.
    while given_up == 0 {
        round += 1;
        assert!(round <= CATCHES_MAX, "all posts of {CATCHES_MAX} rounds went to nodes that live");
        answers_through(door, token, frozen).await;
        frozen.signal(Signal::STOP);
        let begun = Instant::now();
        let answers = post_at_once(door, token, round).await;
        println!("frozen: {} posts were answered after {:?}", answers.len(), begun.elapsed());
        frozen.signal(Signal::CONT);
        stored.clear();
        for (number, answer) in answers {
            let answer = answer.unwrap_or_else(|| panic!("post {number} had no answer"));
            match answer.status {
                200 => stored.push(number),
                504 if answer.head.contains("retry-after: ") => given_up += 1,
                status => panic!("post {number}: {status} {}", String::from_utf8_lossy(&answer.body)),
            }
        }
    }
    answers_through(door, token, frozen).await;
    let me = Ask::get("/api/v1/accounts/verify_credentials", token).send(&[door]).await.unwrap().json();
    let posts = format!("/api/v1/accounts/{}/statuses?limit=40", me["id"].as_str().unwrap());
    let posts = Ask::get(&posts, token).send(&[door]).await.unwrap();
    let posts = String::from_utf8_lossy(&posts.body);
    for number in 0..CAUGHT_AMONG {
        let count = posts.matches(&format!("<p>cold {round} {number}.</p>")).count();
        let is_right = if stored.contains(&number) { count == 1 } else { count <= 1 };
        assert!(is_right, "post {number} is there {count} times");
    }
}

/// Posts, each of which may be sent once only.
async fn post_at_once(door: u16, token: &str, round: usize) -> Vec<(usize, Option<Answer>)> {
    let mut posting = JoinSet::new();
    for number in 0..CAUGHT_AMONG {
        let body = json!({ "status": format!("cold {round} {number}.") });
        let ask = Ask::post("/api/v1/statuses", token, &body);
        posting.spawn(async move { (number, ask.send(&[door]).await) });
    }
    posting.join_all().await
}

/// The node port says nothing to who has not the key.
async fn port_is_shut(node: &Node) {
    let mut stream = TcpStream::connect(("127.0.0.1", node.node_port)).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: social.example\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    // A reset is as good as an end.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut said)).await.expect("it hangs up");
    assert!(!said.windows(4).any(|four| four == b"HTTP"), "{}", String::from_utf8_lossy(&said));
}

#[tokio::test(flavor = "multi_thread")]
async fn any_node_is_the_front_door_over_all() {
    let server = postgres::Server::start(&[]);
    let (url, folder) = (server.empty(), tempfile::tempdir().unwrap());
    let mut first = Node::start(folder.path(), &url, "a").await;
    let token = sign_up(first.port, "ana").await;
    let mut people = Vec::new();
    for number in 0..CAREFUL + CARELESS {
        people.push(sign_up(first.port, &format!("person{number}")).await);
    }
    let (mut second, mut third) =
        tokio::join!(Node::start(folder.path(), &url, "b"), Node::start(folder.path(), &url, "c"));
    for node in [&first, &second, &third] {
        answers_through(first.port, &token, node).await;
    }
    behaves_as_one(first.port, &token).await;
    refuses_like_any_node(first.port, &token).await;
    port_is_shut(&second).await;

    // Killed under load: only what was under way there and may not be sent
    // again is lost. Begun again, it takes its part again.
    let load = Load::start(vec![first.port], &people, CARELESS);
    until("the load runs", async || load.count() > 100).await;
    second.kill();
    let killed = load.count();
    until("the load goes on", async || load.count() > killed + 200).await;
    second.begin().await;
    let begun = load.count();
    until("a node that was killed takes its part again", async || second.answered().await > 5).await;
    println!("a killed node answers again after {} requests", load.count() - begun);
    let done = load.end().await;
    let (lost, gone) = (failures(&done, Kind::Idempotent), failures(&done, Kind::Once));
    println!("killed: of {} requests {} failed", done.len(), lost.len() + gone.len());
    assert!(lost.is_empty(), "{lost:?}\n{}", first.said());
    assert!(gone.len() <= CARELESS, "{gone:?}\n{}", first.said());

    // Stopped in its tracks: it is not waited for.
    let load = Load::start(vec![first.port], &people, 0);
    let before = third.answered().await;
    until("it has its part of the load", async || third.answered().await > before + 5).await;
    third.signal(Signal::STOP);
    tokio::time::sleep(NOTICED_MAX).await;
    let noticed = Instant::now();
    until("nobody waits for a node that has stopped", async || load.each_since(noticed) >= UNNOTICED).await;
    third.signal(Signal::CONT);
    let done = load.end().await;
    let lost = failures(&done, Kind::Idempotent);
    println!("stopped: of {} requests {} failed", done.len(), lost.len());
    assert!(lost.is_empty(), "{lost:?}\n{}", first.said());

    gives_up_what_froze(first.port, &people[0], &second).await;

    // Replaced one after the other under load: nobody notices.
    let ports = vec![first.port, second.port, third.port];
    let load = Load::start(ports, &people, CARELESS);
    until("the load runs", async || load.count() > 50).await;
    for node in [&mut second, &mut third, &mut first] {
        node.stop().await;
        node.begin().await;
        until("it takes its part", async || node.answered().await > 3).await;
    }
    let done = load.end().await;
    let failed: Vec<_> = done.iter().filter(|one| one.failed()).collect();
    println!("replaced: of {} requests {} failed", done.len(), failed.len());
    let said = || [first.said(), second.said(), third.said()].concat();
    assert!(failed.is_empty(), "{failed:?}\n{}", said());
}
