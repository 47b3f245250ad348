//! Which of Mastodon's endpoints there are: the table in
//! `tests/golden/mastodon_endpoints.tsv` against the router and the API's
//! description. `cargo test --test it coverage -- --nocapture` prints the figures.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::Value;

use crate::kit::{Payload, TestApp, request};

const TABLE: &str = include_str!("../../golden/mastodon_endpoints.tsv");
/// Endpoints that are still missing, as `METHOD path`.
const MISSING: &str = include_str!("../../golden/mastodon_endpoints.missing");

/// A page, which the description of the API leaves out.
const PAGE: &str = "/invite/:invite_code";

/// One endpoint and method of the table.
struct Endpoint {
    tier: &'static str,
    method: Method,
    path: &'static str,
}

/// Lines that say something.
fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The rows; a `PUT/PATCH` is one row that needs both.
fn table() -> Vec<Vec<Endpoint>> {
    let row = |line: &'static str| {
        let mut fields = line.split('\t');
        let mut next = || fields.next().expect("a row has three fields");
        let (tier, methods, path) = (next(), next(), next());
        let method = |name: &str| if name == "WS" { Method::GET } else { name.parse().expect("a method") };
        methods.split('/').map(|name| Endpoint { tier, method: method(name), path }).collect()
    };
    lines(TABLE).map(row).collect()
}

/// Whether the router knows it: anything but "nothing at this address" and
/// "not that method".
async fn is_routed(app: &TestApp, endpoint: &Endpoint) -> bool {
    let segments = endpoint.path.split('/').map(|s| if s.starts_with(':') { "1" } else { s });
    let path = segments.collect::<Vec<_>>().join("/");
    let answer = app.begin(request(endpoint.method.clone(), &path, None, Payload::None)).await;
    match answer.status().as_u16() {
        405 => false,
        404 => !app.finish(answer).await.text().contains("There is nothing at this address"),
        _ => true,
    }
}

/// Paths of the description with every parameter as `{}`, and their methods.
fn described(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().expect("a description has paths");
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("a path has methods").keys();
        methods.map(move |method| (nameless(path, '{'), method.to_uppercase()))
    });
    all.collect()
}

fn nameless(path: &str, mark: char) -> String {
    let segments = path.split('/').map(|s| if s.starts_with(mark) { "{}" } else { s });
    segments.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_endpoint_is_there_and_described() {
    let app = TestApp::start().await;
    let known = described(&app.get("/api/openapi.json").await.json(200));
    let expected: BTreeSet<&str> = lines(MISSING).collect();
    let (mut counts, mut lost) = (BTreeMap::<&str, [usize; 3]>::new(), Vec::new());
    for row in table() {
        let (mut is_there, mut is_known) = (true, true);
        for endpoint in &row {
            let routed = is_routed(&app, endpoint).await;
            is_there &= routed;
            // NodeInfo's version is a parameter here.
            let path = nameless(endpoint.path, ':').replace("/nodeinfo/2.0", "/nodeinfo/{}");
            is_known &= known.contains(&(path, endpoint.method.to_string())) || endpoint.path == PAGE;
        }
        let Endpoint { tier, method, path } = &row[0];
        let count = counts.entry(tier).or_default();
        count[0] += 1;
        count[1] += usize::from(is_there);
        count[2] += usize::from(is_there && is_known);
        let name = format!("{method} {path}");
        match (is_there && is_known, expected.contains(name.as_str())) {
            (false, false) => lost.push(name),
            (false, true) => println!("missing: {name}"),
            (true, true) => println!("no longer missing, to be struck off: {name}"),
            (true, false) => {}
        }
    }
    for (tier, [all, there, known]) in counts {
        println!("{tier}: {there} of {all} endpoints, {known} described");
    }
    assert!(lost.is_empty(), "missing or not described:\n{}", lost.join("\n"));
}
