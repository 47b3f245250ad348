use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderName};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite};
use tokio_util::sync::CancellationToken;

use super::{id, post, post_to, settle};
use crate::kit::{Person, TestApp};
use waxwing::base::Id;
use waxwing::domain::user;
use waxwing::model::{Event, Role};
use waxwing::net::listener::{Transport, bind, serve};
use waxwing::store::StoreError;

/// Everything here is on loopback; a revoked token must close within 1 s.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// A server with a socket and live news.
struct Live {
    app: TestApp,
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Live {
    async fn start() -> Live {
        let app = TestApp::start().await;
        let stop = CancellationToken::new();
        tokio::spawn(app.state.hub.clone().run(app.state.store.clone(), stop.clone()));
        let bound = bind(&["127.0.0.1:0".parse().unwrap()], None).await.unwrap();
        let address = bound.addresses()[0];
        let router = waxwing::edge::router(&app.state);
        let serving = tokio::spawn(serve(bound, Transport::Plain, router, stop.clone(), ANSWER_MAX));
        Live { app, address, stop, serving }
    }

    async fn open(
        &self,
        query: &str,
        headers: &[(&str, &str)],
    ) -> Result<(Socket, HeaderMap), tungstenite::Error> {
        let address = format!("ws://{}/api/v1/streaming{query}", self.address);
        let mut request = address.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (socket, response) = client_async(request, stream).await?;
        Ok((Socket(socket), response.headers().clone()))
    }

    /// A socket of somebody with a token.
    async fn socket(&self, person: &Person<'_>, query: &str) -> Socket {
        self.open(query, &[("authorization", &format!("Bearer {}", person.token))]).await.unwrap().0
    }

    /// The status and body with which a socket is refused.
    async fn refused(&self, query: &str, headers: &[(&str, &str)]) -> (u16, String) {
        match self.open(query, headers).await.err() {
            Some(tungstenite::Error::Http(answer)) => {
                let body = answer.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
                (answer.status().as_u16(), body.into_owned())
            }
            other => panic!("{query} was not refused by an answer: {other:?}"),
        }
    }

    async fn emit(&self, event: Event) {
        let write = self.app.state.store.write(move |tx| {
            event.emit(tx);
            Ok::<_, StoreError>(())
        });
        write.await.unwrap();
    }

    /// The lines of an event stream, from after its head.
    async fn events(&self, path: &str, token: &str) -> Lines {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "GET /api/v1/streaming/{path} HTTP/1.1\r\nhost: social.example\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut lines = Lines { stream, seen: String::new() };
        let head = lines.until("\r\n\r\n").await;
        assert!(head.contains(" 200 ") && head.contains("text/event-stream"), "{path}: {head}");
        lines.until(":)\n").await;
        lines
    }
}

struct Lines {
    stream: TcpStream,
    seen: String,
}

impl Lines {
    /// What comes up to and including a text; chunk sizes in between.
    async fn until(&mut self, text: &str) -> String {
        loop {
            if let Some(at) = self.seen.find(text) {
                let rest = self.seen.split_off(at + text.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            let mut some = [0; 4096];
            let read =
                timeout(ANSWER_MAX, self.stream.read(&mut some)).await.expect("bytes in time").unwrap();
            assert!(read > 0, "ended after {}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&some[..read]));
        }
    }

    /// The data of the next event of this name.
    async fn event(&mut self, name: &str) -> String {
        self.until(&format!("event: {name}\ndata: ")).await;
        let data = self.until("\n\n").await;
        data.trim_end().to_owned()
    }
}

#[derive(Debug)]
struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next message.
    async fn hear(&mut self) -> Value {
        loop {
            let next = timeout(ANSWER_MAX, self.0.next()).await.expect("news in time");
            match next.expect("the socket is open").expect("a good frame") {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next message of this event on this stream; its payload.
    async fn event(&mut self, stream: &Value, event: &str) -> Value {
        let message = self.hear().await;
        assert_eq!((&message["stream"], &message["event"]), (stream, &json!(event)), "{message}");
        match message["payload"].as_str() {
            Some(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
            None => Value::Null,
        }
    }

    /// The code with which it is closed.
    async fn end(&mut self) -> u16 {
        loop {
            match timeout(ANSWER_MAX, self.0.next()).await.expect("an end in time") {
                Some(Ok(Message::Close(frame))) => return frame.expect("a reason").code.into(),
                Some(Ok(Message::Ping(_) | Message::Text(_))) => {}
                other => panic!("not closed: {other:?}"),
            }
        }
    }

    /// A subscription that has been taken up: its messages are in order, so
    /// the refusal of something else comes after it.
    async fn subscribe(&mut self, what: Value) {
        let mut message = what;
        message["type"] = json!("subscribe");
        self.say(message).await;
        self.say(json!({ "type": "subscribe", "stream": "nothing" })).await;
        assert_eq!(self.hear().await, json!({ "error": "Unknown stream type", "status": 400 }));
    }
}

async fn follow(person: &Person<'_>, other: &Person<'_>) {
    person.post(&format!("/api/v1/accounts/{}/follow", other.id), json!({})).await.json(200);
}

#[tokio::test]
async fn a_home_stream_hears_of_posts_their_edits_and_their_end() {
    let live = Live::start().await;
    let (ana, ben) = (live.app.person("ana").await, live.app.person("ben").await);
    follow(&ana, &ben).await;
    let mut socket = live.socket(&ana, "?stream=user").await;
    let user = json!(["user"]);
    let written = post_to(&ben, "for my followers", "private").await;
    settle(&live.app).await;
    let told = socket.event(&user, "update").await;
    assert_eq!((&told["id"], &told["visibility"]), (&written["id"], &json!("private")));
    assert_eq!((&told["favourited"], &told["account"]["acct"]), (&json!(false), &json!("ben")));
    let path = format!("/api/v1/statuses/{}", id(&written));
    ben.put(&path, json!({ "status": "for all my followers" })).await.json(200);
    assert_eq!(socket.event(&user, "status.update").await["content"], "<p>for all my followers</p>");
    ben.delete(&path).await.json(200);
    assert_eq!(socket.event(&user, "delete").await.to_string(), id(&written));
}

#[tokio::test]
async fn notifications_come_on_their_streams_as_far_as_the_token_goes() {
    let live = Live::start().await;
    let (ana, ben) = (live.app.person("ana").await, live.app.person("ben").await);
    let mut socket = live.socket(&ana, "?stream=user").await;
    socket.subscribe(json!({ "stream": "user:notification" })).await;
    let narrow = live.app.token(Some(ana.id), "read:statuses").await;
    let mut posts_only = live.open(&format!("?stream=user&access_token={narrow}"), &[]).await.unwrap().0;
    follow(&ben, &ana).await;
    for _ in 0..2 {
        let message = socket.hear().await;
        assert!([json!(["user"]), json!(["user:notification"])].contains(&message["stream"]));
        let told: Value = serde_json::from_str(message["payload"].as_str().unwrap()).unwrap();
        assert_eq!((&told["type"], &told["account"]["username"]), (&json!("follow"), &json!("ben")));
    }
    post(&ana, "mine").await;
    assert_eq!(posts_only.event(&json!(["user"]), "update").await["content"], "<p>mine</p>");
}

#[tokio::test]
async fn one_socket_carries_many_channels_each_by_its_name() {
    let live = Live::start().await;
    let (ana, ben) = (live.app.person("ana").await, live.app.person("ben").await);
    let mut socket = live.socket(&ana, "").await;
    for stream in ["public", "public:local", "public:remote", "public:media", "public"] {
        socket.subscribe(json!({ "stream": stream })).await;
    }
    socket.subscribe(json!({ "stream": "hashtag", "tag": "Rust" })).await;
    socket.subscribe(json!({ "stream": "hashtag:local", "tag": "birds" })).await;
    post(&ben, "on #rust").await;
    for names in [json!(["public"]), json!(["public:local"]), json!(["hashtag", "Rust"])] {
        assert_eq!(socket.event(&names, "update").await["tags"][0]["name"], "rust");
    }
    let first = post(&ben, "thread").await;
    for names in [json!(["public"]), json!(["public:local"])] {
        socket.event(&names, "update").await;
    }
    let answer = json!({ "status": "@ben #birds answer", "in_reply_to_id": first["id"] });
    ana.post("/api/v1/statuses", answer).await.json(200);
    socket.event(&json!(["hashtag:local", "birds"]), "update").await;
    for stream in ["public", "hashtag"] {
        socket.say(json!({ "type": "unsubscribe", "stream": stream, "tag": "rust" })).await;
    }
    socket.subscribe(json!({ "stream": "public:local" })).await;
    let last = post(&ben, "#rust again").await;
    assert_eq!(socket.event(&json!(["public:local"]), "update").await["id"], last["id"]);
    ben.delete(&format!("/api/v1/statuses/{}", id(&last))).await.json(200);
    assert_eq!(socket.event(&json!(["public:local"]), "delete").await.to_string(), id(&last));
}

#[tokio::test]
async fn nothing_reaches_those_who_may_not_see_it_or_do_not_want_to() {
    let live = Live::start().await;
    let (ana, ben, cleo) =
        (live.app.person("ana").await, live.app.person("ben").await, live.app.person("cleo").await);
    let mut socket = live.socket(&ana, "?stream=user").await;
    for stream in ["public", "public:local", "direct"] {
        socket.subscribe(json!({ "stream": stream })).await;
    }
    socket.subscribe(json!({ "stream": "hashtag", "tag": "secret" })).await;
    for visibility in ["private", "direct"] {
        let hidden = post_to(&ben, "#secret @cleo", visibility).await;
        settle(&live.app).await;
        let path = format!("/api/v1/statuses/{}", id(&hidden));
        ben.put(&path, json!({ "status": "#secret still" })).await.json(200);
        ben.delete(&path).await.json(200);
    }
    ana.post(&format!("/api/v1/accounts/{}/mute", ben.id), json!({})).await.json(200);
    cleo.post(&format!("/api/v1/accounts/{}/block", ana.id), json!({})).await.json(200);
    post(&ben, "#secret from one who is muted").await;
    post(&cleo, "#secret from one who blocks").await;
    // Whatever came before this would have been heard before it.
    let mine = post(&ana, "done").await;
    assert_eq!(socket.hear().await["payload"].as_str().map(|p| p.contains(&id(&mine))), Some(true));
}

#[tokio::test]
async fn a_list_carries_the_posts_of_those_on_it_to_its_owner_alone() {
    let live = Live::start().await;
    let (ana, ben, cleo) =
        (live.app.person("ana").await, live.app.person("ben").await, live.app.person("cleo").await);
    for other in [&ben, &cleo] {
        follow(&ana, other).await;
    }
    let list = id(&ana.post("/api/v1/lists", json!({ "title": "birds" })).await.json(200));
    let members = format!("/api/v1/lists/{list}/accounts");
    ana.post(&members, json!({ "account_ids": [ben.id.to_string()] })).await.json(200);
    let mut socket = live.socket(&ana, &format!("?stream=list&list={list}")).await;
    socket.subscribe(json!({ "stream": "list", "list": list })).await;
    let mut nosy = live.socket(&ben, &format!("?stream=list&list={list}")).await;
    assert_eq!(nosy.hear().await["error"], "Not authorized to stream this list");
    post(&cleo, "not on the list").await;
    let told = post_to(&ben, "on the list", "private").await;
    settle(&live.app).await;
    let names = json!(["list", list]);
    assert_eq!(socket.event(&names, "update").await["id"], told["id"]);
    let path = format!("/api/v1/statuses/{}", id(&told));
    ben.put(&path, json!({ "status": "still on it" })).await.json(200);
    assert_eq!(socket.event(&names, "status.update").await["content"], "<p>still on it</p>");
    ben.delete(&path).await.json(200);
    assert_eq!(socket.event(&names, "delete").await.to_string(), id(&told));
}

#[tokio::test]
async fn filters_hold_on_streams_too() {
    let live = Live::start().await;
    let (ana, ben) = (live.app.person("ana").await, live.app.person("ben").await);
    follow(&ana, &ben).await;
    let filter = |word: &str, action: &str, place: &str| {
        json!({ "title": word, "context": [place], "filter_action": action,
            "keywords_attributes": [{ "keyword": word }] })
    };
    for (word, action, place) in
        [("moth", "warn", "home"), ("wasp", "hide", "home"), ("wasp", "hide", "public")]
    {
        ana.post("/api/v2/filters", filter(word, action, place)).await.json(200);
    }
    let mut socket = live.socket(&ana, "?stream=user").await;
    socket.subscribe(json!({ "stream": "public" })).await;
    post(&ben, "a wasp").await;
    settle(&live.app).await;
    post(&ben, "a moth").await;
    let told = socket.event(&json!(["public"]), "update").await;
    assert!(told["content"].as_str().unwrap().contains("moth"), "{told}");
    settle(&live.app).await;
    let told = socket.event(&json!(["user"]), "update").await;
    assert_eq!(told["filtered"][0]["filter"]["title"], "moth");
}

#[tokio::test]
async fn the_token_may_come_in_three_ways_and_a_subprotocol_is_echoed() {
    let live = Live::start().await;
    let ana = live.app.person("ana").await;
    let bearer = format!("Bearer {}", ana.token);
    let by_query = format!("?stream=user&access_token={}", ana.token);
    type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, Option<&'a str>);
    let cases: [Case<'_>; 4] = [
        ("?stream=user", vec![("authorization", &bearer)], None),
        (&by_query, vec![], None),
        ("/?stream=user", vec![("sec-websocket-protocol", &ana.token)], Some(&ana.token)),
        (&by_query, vec![("sec-websocket-protocol", "mastodon")], Some("mastodon")),
    ];
    for (query, headers, echoed) in cases {
        let (mut socket, answer) = live.open(query, &headers).await.unwrap();
        assert_eq!(answer.get("sec-websocket-protocol").map(|value| value.to_str().unwrap()), echoed);
        let mine = post(&ana, "hello").await;
        assert_eq!(socket.event(&json!(["user"]), "update").await["id"], mine["id"]);
    }
}

#[tokio::test]
async fn whoever_has_no_person_behind_the_token_is_refused() {
    let live = Live::start().await;
    let app_token = live.app.token(None, "read").await;
    let app_token = format!("?stream=public&access_token={app_token}");
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u16, &'a str);
    let cases: [Case<'_>; 5] = [
        ("?stream=public", &[], 401, "Missing access token"),
        ("?stream=user&access_token=nonsense", &[], 401, "Invalid access token"),
        ("?stream=user", &[("cookie", "__Host-waxwing=abc")], 401, "Missing access token"),
        (&app_token, &[], 401, "Invalid access token"),
        ("/everything", &[], 400, "Unknown channel requested"),
    ];
    for (query, headers, status, words) in cases {
        assert_eq!(live.refused(query, headers).await, (status, json!({ "error": words }).to_string()));
    }
    assert_eq!(live.app.get("/api/v1/streaming/health").await.text(), "OK");
}

#[tokio::test]
async fn what_a_client_asks_wrongly_is_refused_in_words_and_the_rest_goes_on() {
    let live = Live::start().await;
    let ana = live.app.person("ana").await;
    let token = live.app.token(Some(ana.id), "write read:notifications").await;
    let query = format!("?stream=hashtag&access_token={token}");
    let mut socket = live.open(&query, &[]).await.unwrap().0;
    let refusal = |status: u16, words: &str| json!({ "error": words, "status": status });
    assert_eq!(socket.hear().await, refusal(400, "Missing tag name parameter"));
    let cases = [
        (json!({ "stream": "hashtag:local" }), refusal(400, "Missing tag name parameter")),
        (json!({ "stream": "everything" }), refusal(400, "Unknown stream type")),
        (json!({}), refusal(400, "Unknown stream type")),
        (json!({ "stream": "user" }), refusal(403, "Access token does not have the required scopes")),
        (json!({ "stream": "direct" }), refusal(403, "Access token does not have the required scopes")),
        (json!({ "stream": 7 }), refusal(400, "The message cannot be understood")),
        (json!({ "type": "shout" }), refusal(400, "Unknown message type")),
    ];
    for (mut message, expected) in cases {
        if message["type"].is_null() {
            message["type"] = json!("subscribe");
        }
        socket.say(message.clone()).await;
        assert_eq!(socket.hear().await, expected, "{message}");
    }
    let mut whole = live.socket(&ana, "").await;
    for (list, status, words) in [
        (json!(null), 400, "Missing list name parameter"),
        (json!("7"), 404, "Not authorized to stream this list"),
    ] {
        whole.say(json!({ "type": "subscribe", "stream": "list", "list": list })).await;
        assert_eq!(whole.hear().await, refusal(status, words));
    }
    for n in 0..64 {
        whole.say(json!({ "type": "subscribe", "stream": "hashtag", "tag": format!("t{n}") })).await;
    }
    whole.say(json!({ "type": "subscribe", "stream": "user" })).await;
    assert_eq!(whole.hear().await, refusal(429, "Too many subscriptions"));
    whole.0.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(whole.end().await, 1003);
    socket.0.send(Message::text("x".repeat(5000))).await.unwrap();
    assert_eq!(socket.end().await, 1009);
}

#[tokio::test]
async fn a_revoked_token_or_a_disabled_login_ends_its_streams() {
    let live = Live::start().await;
    let (ana, ben) = (live.app.person("ana").await, live.app.person("ben").await);
    let other = live.app.token(Some(ana.id), "read").await;
    let mut socket = live.socket(&ana, "?stream=user").await;
    let mut kept = live.open(&format!("?stream=user&access_token={other}"), &[]).await.unwrap().0;
    let bens = ben.id;
    let mut of_ben = live.socket(&ben, "").await;
    let mut lines = live.events("user", &ben.token).await;
    let digest = waxwing::domain::secret::digest(&ana.token);
    let revoke = live.app.state.store.write(move |tx| {
        let token = tx.get(waxwing::model::tables::TOKEN, &digest)?.expect("ana has a token");
        waxwing::domain::oauth::revoke(tx, token.app, digest)
    });
    assert!(revoke.await.unwrap());
    assert_eq!(socket.end().await, 1008);
    let disable = live.app.state.store.write(move |tx| {
        user::disable(tx, bens).map_err(|refusal| StoreError::Engine(format!("{refusal:?}")))
    });
    disable.await.unwrap();
    assert_eq!(of_ben.end().await, 1008);
    // The last chunk of the body.
    lines.until("0\r\n\r\n").await;
    live.emit(Event::FiltersChanged { account: ana.id }).await;
    kept.event(&json!(["user"]), "filters_changed").await;
}

#[tokio::test]
async fn a_stopping_server_says_good_bye_and_waits_until_it_is_said() {
    let live = Live::start().await;
    let ana = live.app.person("ana").await;
    let mut socket = live.socket(&ana, "?stream=user").await;
    live.stop.cancel();
    assert_eq!(socket.end().await, 1001);
    drop(socket);
    timeout(ANSWER_MAX, live.serving).await.expect("a stop in time").unwrap();
    assert_eq!(live.app.state.hub.count(), 0);
}

#[tokio::test]
async fn one_account_cannot_take_every_place() {
    let live = Live::start().await;
    let ana = live.app.person("ana").await;
    let mut all = Vec::new();
    for _ in 0..waxwing::net::hub::LISTENERS_PER_ACCOUNT_MAX {
        all.push(live.socket(&ana, "?stream=user").await);
    }
    let query = format!("?stream=user&access_token={}", ana.token);
    assert_eq!(live.refused(&query, &[]).await.0, 429);
    all.pop().unwrap().0.close(None).await.unwrap();
    let free = async {
        while live.open(&query, &[]).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(ANSWER_MAX, free).await.expect("a place is free again");
}

#[tokio::test]
async fn every_channel_is_an_event_stream_too() {
    let live = Live::start().await;
    let (ana, ben) = (live.app.person("ana").await, live.app.person("ben").await);
    let paths =
        ["user", "public", "public/local", "hashtag?tag=SSE", "hashtag/local?tag=sse", "?stream=public"];
    let mut all = Vec::new();
    for path in paths {
        all.push(live.events(path, &ana.token).await);
    }
    let mut quiet = Vec::new();
    for path in ["public/remote", "public?only_media=true", "direct", "user/notification"] {
        quiet.push(live.events(path, &ana.token).await);
    }
    let mine = post(&ana, "over #sse").await;
    for lines in &mut all {
        let told: Value = serde_json::from_str(&lines.event("update").await).unwrap();
        assert_eq!(told["id"], mine["id"]);
    }
    follow(&ben, &ana).await;
    let told: Value = serde_json::from_str(&quiet[3].event("notification").await).unwrap();
    assert_eq!(told["type"], "follow");
    assert!(quiet[3].seen.trim().is_empty());
    live.emit(Event::FiltersChanged { account: ana.id }).await;
    live.emit(Event::NotificationsMerged { account: ana.id }).await;
    live.emit(Event::AnnouncementDeleted { announcement: Id(7) }).await;
    assert_eq!(all[0].event("filters_changed").await, "null");
    assert_eq!(all[0].event("notifications_merged").await, "1");
    assert_eq!(all[0].event("announcement.delete").await, "7");
    ana.get("/api/v1/streaming").await.error(400, "Unknown channel requested");
    ana.get("/api/v1/streaming/hashtag").await.error(400, "Missing tag name parameter");
    live.app.get("/api/v1/streaming/public").await.error(401, "Missing access token");
}

#[tokio::test]
async fn announcements_and_reactions_to_them_come_to_everybody() {
    let live = Live::start().await;
    let ana = live.app.person("ana").await;
    let olga = live.app.person_with("olga", Role::Owner, "read write admin:read admin:write").await;
    let mut socket = live.socket(&ana, "?stream=user").await;
    let user = json!(["user"]);
    let made = olga.post("/api/v1/admin/announcements", json!({ "text": "We move tonight" })).await.json(200);
    let told = socket.event(&user, "announcement").await;
    assert!(told["content"].as_str().unwrap().contains("We move tonight"), "{told}");
    let path = format!("/api/v1/announcements/{}/reactions/%F0%9F%91%8D", id(&told));
    ana.put(&path, json!({})).await.json(200);
    let told = socket.event(&user, "announcement.reaction").await;
    let expected = json!({ "name": "👍", "count": 1, "announcement_id": made["id"] });
    assert_eq!(told, expected);
    olga.delete(&format!("/api/v1/admin/announcements/{}", id(&made))).await;
    assert_eq!(socket.event(&user, "announcement.delete").await.to_string(), id(&made));
}

#[tokio::test]
async fn the_instance_says_where_streams_are() {
    let app = TestApp::start().await;
    let v2 = app.get("/api/v2/instance").await.json(200);
    assert_eq!(v2["configuration"]["urls"]["streaming"], "wss://social.example");
    let plain = TestApp::configured(
        crate::kit::settings("http://127.0.0.1:8080\nstore memory\nadmin off\n"),
        crate::kit::place::empty_store(),
    )
    .await;
    assert_eq!(plain.get("/api/v1/instance").await.json(200)["urls"]["streaming_api"], "ws://127.0.0.1:8080");
}
