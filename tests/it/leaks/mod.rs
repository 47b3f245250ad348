//! The cases 82 to 99 of `shared/ATTACKS.md`: private things never leak, by
//! the API, the pages or federation. Each test is named after its case.

mod acting;
mod belongings;
mod reading;
mod spreading;

use axum::http::{Method, Request};
use serde_json::{Value, json};
use waxwing::base::Id;

use crate::api::id;
use crate::federation::peer::{Peer, ours, signed_get};
use crate::kit::{Answer, Payload, Person, TestApp, request};

/// What nobody but its audience may read, in words found nowhere else.
pub const SECRET: &str = "the treasure is under the cedar #xyzzy https://map.example/x";
/// Parts of it; none may be in an answer to a stranger.
const TRACES: [&str; 3] = ["treasure", "xyzzy", "map.example"];
/// An id that nothing has.
pub const MISSING: &str = "17";

/// Publishes the secret, to its followers or to nobody.
pub async fn secret(who: &Person<'_>, visibility: &str) -> Value {
    let body = json!({ "status": SECRET, "visibility": visibility });
    who.post("/api/v1/statuses", body).await.json(200)
}

/// Fails if an answer, apart from the words that were asked for, shows
/// anything of the secret.
#[track_caller]
pub fn tells_nothing(answer: &Answer, what: &str) {
    let text = answer.text();
    for trace in TRACES {
        assert!(!text.contains(trace) || what.contains(trace), "{what} tells `{trace}`: {text}");
    }
}

/// The same request about what is hidden and what is missing: the answers
/// must be the same, and no success.
#[track_caller]
pub fn are_alike(hidden: &Answer, missing: &Answer, hidden_id: &str, what: &str) {
    let plain = |answer: &Answer| answer.text().replace(hidden_id, MISSING);
    assert_eq!(hidden.status, missing.status, "{what}: {}", hidden.text());
    assert_eq!(plain(hidden), plain(missing), "{what}");
    assert!(!hidden.status.is_success() && !hidden.status.is_server_error(), "{what}: {}", hidden.status);
}

/// A path on our server without its origin.
pub fn path(uri: &Value) -> String {
    uri.as_str().unwrap().trim_start_matches("https://social.example").to_owned()
}

/// A GET as a browser asks.
pub async fn page(app: &TestApp, path: &str) -> Answer {
    let asked = Request::builder().uri(path).header("host", "social.example").header("accept", "text/html");
    app.send(asked.body(axum::body::Body::empty()).unwrap()).await
}

/// A GET of a document in the name of an actor of a peer.
pub async fn as_actor(app: &TestApp, peer: &Peer, actor: &str, path: &str) -> Answer {
    app.send(signed_get(app, &format!("{actor}#main-key"), &peer.key, path)).await
}

/// A request with this token, or none.
pub async fn call(app: &TestApp, method: &Method, path: &str, token: Option<&str>, body: Value) -> Answer {
    let payload = if *method == Method::GET { Payload::None } else { Payload::Json(body) };
    app.send(request(method.clone(), path, token, payload)).await
}

/// An activity of somebody elsewhere.
pub fn activity(peer: &Peer, path: &str, kind: &str, actor: &str, object: Value) -> Value {
    json!({ "id": peer.url(path), "type": kind, "actor": actor, "object": object })
}

/// Somebody elsewhere follows somebody here.
pub async fn follows(app: &TestApp, peer: &Peer, actor: &str, followed: Id) {
    let follow = json!({
        "id": format!("{actor}/follow"), "type": "Follow", "actor": actor, "object": ours(app, followed),
    });
    peer.deliver(app, actor, &follow).await;
}

/// The id here of an account elsewhere.
pub async fn found(who: &Person<'_>, actor: &str) -> String {
    let found = who.get(&format!("/api/v2/search?resolve=true&q={actor}")).await.json(200);
    id(&found["accounts"][0])
}
