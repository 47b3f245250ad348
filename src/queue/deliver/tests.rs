use super::super::Handlers;
use super::super::testing::{Bench, Peer, Reply, Running, START, Seen};
use super::*;
use crate::base::IdGenerator;
use crate::domain::delivery::{Delivery, Targets, deliver};
use crate::model::queue::tables::ACT;
use crate::model::queue::{ActivityKind, Body, Breaker, DeadReason, JobKind, OrderKey};
use crate::model::{Account, KeyPair};
use crate::net::address::Allow;
use crate::net::client::ClientSettings;
use crate::store::Scan;
use crate::wire::http_signature::{Incoming, PublicKey};

/// A bench whose account 1 has a key, and its public half.
async fn with_key(bench: Bench) -> (Bench, PublicKey) {
    let private = tokio::task::spawn_blocking(PrivateKey::generate).await.unwrap().unwrap();
    let keys =
        KeyPair { private_der: private.to_pkcs8().unwrap(), public_pem: private.public_pem().unwrap() };
    let public = PublicKey::from_pem(&keys.public_pem).unwrap();
    bench
        .write(move |tx, _| {
            tx.put(ACCOUNT_KEY, &Id(1), &keys);
            Ok(())
        })
        .await;
    (bench, public)
}

fn start(bench: &Bench) -> Running {
    start_with(bench, &KeyPair { private_der: Vec::new(), public_pem: String::new() })
}

fn start_with(bench: &Bench, own_key: &KeyPair) -> Running {
    let mut settings = ClientSettings::new("social.example");
    settings.allow = Allow::parse(["127.0.0.1"]).unwrap();
    let client = Client::new(settings).unwrap();
    let workshop = Workshop {
        store: bench.store.clone(),
        site: Site::new("https", "social.example"),
        clock: bench.clock.clone(),
        ids: Arc::new(IdGenerator::new(2)),
    };
    let deliver = Deliver::new(&workshop, client, own_key.clone(), Duration::from_secs(15));
    bench.start(Handlers::new().on(JobKind::Deliver, deliver))
}

fn verify(seen: &Seen, peer: &Peer, public: &PublicKey) -> Kind {
    verify_by(seen, peer, public, "https://social.example/ap/users/1#main-key")
}

fn verify_by(seen: &Seen, peer: &Peer, public: &PublicKey, key_id: &str) -> Kind {
    let origin = format!("http://{}", peer.authority());
    let incoming = Incoming {
        method: &Method::POST,
        path_and_query: &seen.path,
        origin: &origin,
        headers: &seen.headers,
        body: &seen.body,
        now: START,
    };
    let claim = http_signature::read(&incoming).unwrap();
    assert_eq!(claim.key_id, key_id);
    claim.verify(public).unwrap();
    claim.kind
}

/// Steps until the peer is asked again; gives how long that took in its time.
async fn until_asked(bench: &Bench, peer: &mut Peer) -> (Seen, Duration) {
    let from = bench.clock.now();
    for _ in 0..600 {
        if let Some(seen) = peer.try_next() {
            return (seen, bench.clock.now().since(from));
        }
        bench.step(Duration::from_secs(1)).await;
    }
    panic!("the peer is not asked again");
}

#[tokio::test]
async fn a_delivery_is_a_signed_post() {
    let (bench, public) = with_key(Bench::new()).await;
    let mut peer = Peer::answering([Reply::Status(202)]).await;
    let worker = start(&bench);
    bench.send(ActivityKind::Create, 1, "{\"id\":\"x\"}", &[peer.inbox("/inbox")]).await;
    let seen = peer.next().await;
    assert_eq!(seen.path, "/inbox");
    assert_eq!(seen.headers["content-type"], "application/activity+json");
    assert_eq!(&seen.body[..], b"{\"id\":\"x\"}");
    assert_eq!(verify(&seen, &peer, &public), Kind::Cavage);
    worker.stop().await;
    assert_eq!(bench.overview().await, Default::default());
    assert!(bench.destination(1).await.last_ok.is_some());
}

#[tokio::test]
async fn the_server_itself_signs_with_its_own_key() {
    let (bench, public) = with_key(Bench::new()).await;
    let keys: Result<_, StoreError> = bench.store.read(|tx| tx.get(ACCOUNT_KEY, &Id(1))).await;
    let mut peer = Peer::answering([Reply::Status(202)]).await;
    let worker = start_with(&bench, &keys.unwrap().unwrap());
    let inbox = peer.inbox("/inbox");
    bench
        .write(move |tx, moment| {
            let mut targets = Targets::new();
            targets.add(&inbox, None);
            let body = Body::new(b"{}".to_vec()).unwrap();
            let (kind, order) = (ActivityKind::Flag, OrderKey::NONE);
            let report = Delivery { actor: Id::ZERO, kind, order, lane: None, body };
            deliver(tx, moment, &report, &targets)
        })
        .await;
    let seen = peer.next().await;
    verify_by(&seen, &peer, &public, "https://social.example/actor#main-key");
    worker.stop().await;
}

#[tokio::test]
async fn a_host_that_refuses_one_signature_gets_the_other_and_keeps_it() {
    let (bench, public) = with_key(Bench::new()).await;
    let mut peer = Peer::answering([Reply::Status(401), Reply::Status(202)]).await;
    let worker = start(&bench);
    bench.send(ActivityKind::Create, 1, "one", &[peer.inbox("/inbox")]).await;
    let kinds = [peer.next().await, peer.next().await].map(|seen| verify(&seen, &peer, &public));
    assert_eq!(kinds, [Kind::Cavage, Kind::Rfc9421]);
    bench.step(Duration::from_secs(1)).await;
    worker.stop().await;

    let worker = start(&bench);
    bench.send(ActivityKind::Create, 2, "two", &[peer.inbox("/inbox")]).await;
    let seen = peer.next().await;
    assert_eq!(verify(&seen, &peer, &public), Kind::Rfc9421);
    worker.stop().await;
    assert!(peer.try_next().is_none());
    assert_eq!(bench.overview().await, Default::default());
}

#[tokio::test]
async fn a_server_error_is_tried_again_after_a_while() {
    let (bench, _) = with_key(Bench::new()).await;
    let mut peer = Peer::answering([Reply::Status(500), Reply::Status(202)]).await;
    let worker = start(&bench);
    bench.send(ActivityKind::Create, 1, "hello", &[peer.inbox("/inbox")]).await;
    let first = peer.next().await;
    let (second, waited) = until_asked(&bench, &mut peer).await;
    assert_eq!(first.body, second.body);
    assert!(waited >= Duration::from_secs(22), "{waited:?}");
    worker.stop().await;
    assert_eq!(bench.overview().await, Default::default());
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let (bench, _) = with_key(Bench::new()).await;
    let mut peer = Peer::answering([Reply::RetryAfter(429, "120"), Reply::Status(202)]).await;
    let worker = start(&bench);
    let inbox = peer.inbox("/inbox");
    bench.send(ActivityKind::Create, 1, "one", std::slice::from_ref(&inbox)).await;
    peer.next().await;
    bench.send(ActivityKind::Create, 2, "two", &[inbox]).await;
    let (_, waited) = until_asked(&bench, &mut peer).await;
    assert!(waited >= Duration::from_secs(120), "{waited:?}");
    until_asked(&bench, &mut peer).await;
    worker.stop().await;
    assert_eq!(bench.overview().await, Default::default());
    assert_eq!(bench.destination(1).await.breaker, Breaker::Closed);
}

#[tokio::test]
async fn a_hanging_peer_delays_nobody_else() {
    let (bench, _) = with_key(Bench::in_real_time()).await;
    let mut hanging = Peer::answering([Reply::Hang]).await;
    let mut healthy = Peer::answering([Reply::Status(202)]).await;
    let worker = start(&bench);
    for number in 0..20 {
        bench.send(ActivityKind::Create, 0, &number.to_string(), &[hanging.inbox("/inbox")]).await;
    }
    hanging.next().await;
    let asked = bench.clock.now();
    for number in 0..20 {
        bench.send(ActivityKind::Create, 0, &number.to_string(), &[healthy.inbox("/inbox")]).await;
    }
    for _ in 0..20 {
        healthy.next().await;
    }
    let took = bench.clock.now().since(asked);
    // An attempt that hangs is given up after ten; a busy machine takes some, too.
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert!(hanging.try_next().is_none(), "an unproven host gets one request at a time");
    worker.kill().await;
}

#[tokio::test]
async fn refused_and_gone_are_final() {
    for (status, reason) in [(404, DeadReason::Refused), (410, DeadReason::Gone), (302, DeadReason::Refused)]
    {
        let (bench, _) = with_key(Bench::new()).await;
        let mut peer = Peer::answering([Reply::Status(status)]).await;
        let worker = start(&bench);
        bench.send(ActivityKind::Create, 1, "hello", &[peer.inbox("/inbox")]).await;
        peer.next().await;
        worker.stop().await;
        let dead = bench.dead().await;
        assert_eq!((dead.len(), dead[0].reason, dead[0].http_status), (1, reason, status));
        assert!(bench.jobs().await.is_empty());
    }
}

#[tokio::test]
async fn a_delivery_cut_by_a_crash_is_made_again_with_the_same_body() {
    let (bench, _) = with_key(Bench::new()).await;
    let mut peer = Peer::answering([Reply::Hang]).await;
    let worker = start(&bench);
    bench.send(ActivityKind::Create, 1, "{\"id\":\"same\"}", &[peer.inbox("/inbox")]).await;
    let first = peer.next().await;
    worker.kill().await;
    peer.answer_now([Reply::Status(202)]);
    let worker = start(&bench);
    assert_eq!(peer.next().await.body, first.body);
    worker.stop().await;
    assert!(bench.jobs().await.is_empty());
}

#[tokio::test]
async fn nobody_at_the_door_is_a_failure_of_the_host() {
    let (bench, _) = with_key(Bench::new()).await;
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/inbox", listener.local_addr().unwrap())
    };
    let worker = start(&bench);
    for _ in 0..5 {
        bench.send(ActivityKind::Create, 0, "hello", std::slice::from_ref(&nobody)).await;
    }
    let is_open = async |bench: &Bench| bench.destination(1).await.breaker != Breaker::Closed;
    bench.step_until(Duration::from_secs(1), is_open).await;
    worker.stop().await;
    let destination = bench.destination(1).await;
    assert_eq!(destination.breaker, Breaker::Open);
    assert!(destination.cause.starts_with("not connected"), "{}", destination.cause);
}

#[tokio::test]
async fn a_host_that_is_heard_from_is_asked_at_once() {
    let (bench, _) = with_key(Bench::new()).await;
    let mut peer = Peer::answering([Reply::Status(500)]).await;
    let worker = start(&bench);
    for _ in 0..8 {
        bench.send(ActivityKind::Create, 0, "hello", &[peer.inbox("/inbox")]).await;
    }
    bench.step_until(Duration::from_secs(1), async |bench| bench.destination(1).await.opens >= 2).await;
    // The next probe is 48 to 72 seconds after the last one.
    bench.step(Duration::from_secs(35)).await;
    while peer.try_next().is_some() {}
    peer.answer_now([Reply::Status(202)]);
    let host = peer.authority();
    bench.write(move |tx, _| crate::domain::delivery::heard_from(tx, &host)).await;
    peer.next().await;
    worker.stop().await;
}

#[tokio::test]
async fn without_a_key_a_delivery_is_given_up() {
    let bench = Bench::new();
    let peer = Peer::answering([Reply::Status(202)]).await;
    let worker = start(&bench);
    bench.send(ActivityKind::Create, 1, "hello", &[peer.inbox("/inbox")]).await;
    bench.step_until(Duration::from_secs(1), async |bench| !bench.dead().await.is_empty()).await;
    worker.stop().await;
}

#[tokio::test]
async fn the_owner_of_an_inbox_that_moved_is_read_again() {
    let (bench, _) = with_key(Bench::new()).await;
    let peer = Peer::answering([Reply::Status(301)]).await;
    let (inbox, shared) = (peer.inbox("/users/bo/inbox"), peer.inbox("/inbox"));
    let uris = ["/users/bo", "/users/cy"].map(|path| peer.inbox(path));
    let owner = uris[0].clone();
    let accounts = [(Id(21), inbox.clone()), (Id(22), peer.inbox("/users/cy/inbox"))];
    bench
        .write(move |tx, _| {
            for ((id, inbox), uri) in accounts.iter().zip(&uris) {
                let account = Account {
                    id: *id,
                    username: id.to_string(),
                    domain: Some("peer.example".into()),
                    uri: uri.clone(),
                    inbox: inbox.clone(),
                    shared_inbox: Some(shared.clone()),
                    ..Account::default()
                };
                Account::save(tx, None, &account);
            }
            Ok(())
        })
        .await;
    let worker = start(&bench);
    bench.send(ActivityKind::Create, 1, "hello", std::slice::from_ref(&inbox)).await;
    bench.step_until(Duration::from_secs(1), async |bench| !bench.dead().await.is_empty()).await;
    worker.stop().await;
    let acts: Result<Vec<(Id, Act)>, StoreError> = bench.store.read(|tx| tx.scan(ACT, Scan::all())).await;
    let fetches: Vec<Job> =
        acts.unwrap().into_iter().map(|(_, act)| act.job).filter(|job| *job != Job::Deliver).collect();
    assert_eq!(fetches, [Job::FetchAccount { uri: owner }]);
}

#[test]
fn retry_after_is_read_in_both_forms() {
    let read = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        retry_after(&headers, Timestamp::from_secs(784_111_777))
    };
    assert_eq!(read("120"), Some(Duration::from_secs(120)));
    assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
    assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
    assert_eq!(read("soon"), None);
    assert_eq!(read("-1"), None);
}

#[test]
fn hosts_say_in_three_ways_that_their_patience_is_used_up() {
    let now = Timestamp::from_secs(1_800_000_000);
    let headers = |left: &str, reset: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-remaining", left.parse().unwrap());
        headers.insert("x-ratelimit-reset", reset.parse().unwrap());
        used_up_for(&headers, now)
    };
    let minute = Some(Duration::from_secs(60));
    assert_eq!(headers("0", "60"), minute);
    assert_eq!(headers("0", "1800000060"), minute);
    assert_eq!(headers("0", &now.plus(Duration::from_secs(60)).rfc3339()), minute);
    assert_eq!(headers("0", "1799999999"), Some(Duration::ZERO));
    assert_eq!(headers("1", "60"), None);
    assert_eq!(headers("0", "soon"), None);
    assert_eq!(used_up_for(&HeaderMap::new(), now), None);
}
