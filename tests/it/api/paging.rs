//! Any walk along any list, in either direction and with any page sizes,
//! sees every item once. What the API's description says has pages is in the
//! table below.

use serde_json::{Value, json};
use waxwing::base::{Chance, FixedChance, Id};
use waxwing::domain::delivery::{Place, Task, enqueue};
use waxwing::edge::AppState;
use waxwing::model::queue::Job;
use waxwing::model::tables::PREVIEW_CARD;
use waxwing::model::{CardState, PreviewCard, Role};
use waxwing::store::StoreError;

use super::{id, post, post_to, settle};
use crate::kit::{Person, TestApp};

/// Items of every list, if nothing else is said.
const MANY: usize = 11;
/// Steps of a walk, at most.
const STEPS_MAX: usize = 60;

/// One list of the API.
struct List {
    /// As the description names it.
    name: &'static str,
    /// Its address here, without `limit`.
    path: String,
    /// Where the answer has its items, and they have their id (RFC 6901).
    items: (&'static str, &'static str),
    /// How many there are; 0 where only a first large page tells.
    count: usize,
}

impl List {
    fn ids(&self, body: &Value) -> Vec<String> {
        let all = body.pointer(self.items.0).and_then(Value::as_array);
        let all = all.unwrap_or_else(|| panic!("{}: no items in {body}", self.path));
        all.iter().map(|item| self.id(item)).collect()
    }

    fn id(&self, item: &Value) -> String {
        match item.pointer(self.items.1) {
            Some(Value::String(id)) => id.clone(),
            other => panic!("{}: no id at {}: {other:?}", self.path, self.items.1),
        }
    }
}

/// The same address with this page size in place of any other.
fn sized(path: &str, size: usize) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("limit="));
    let pairs: Vec<String> = kept.map(str::to_owned).chain([format!("limit={size}")]).collect();
    format!("{path}?{}", pairs.join("&"))
}

/// A size for the next page.
fn size(chance: &FixedChance) -> usize {
    1 + chance.below(5) as usize
}

/// Walks from the newest item to the oldest along `next`, then back along
/// `prev`; both must see the same, each once, in the same order.
async fn walk_links(person: &Person<'_>, list: &List, chance: &FixedChance) -> Vec<String> {
    let (mut forward, mut last, mut here) = (Vec::new(), None, Some(sized(&list.path, size(chance))));
    for _ in 0..STEPS_MAX {
        let Some(path) = here.take() else { break };
        let answer = person.get(&path).await;
        let found = list.ids(&answer.json(200));
        here = answer.link("next").map(|next| sized(&next, size(chance)));
        if !found.is_empty() {
            last = Some((found.clone(), answer.link("prev")));
        }
        forward.extend(found);
    }
    assert_eq!(here, None, "{} ends", list.path);
    let (mut backward, mut here) = last.unwrap_or_else(|| panic!("{} is empty", list.path));
    for _ in 0..STEPS_MAX {
        let Some(path) = here.take() else { break };
        let answer = person.get(&sized(&path, size(chance))).await;
        let mut found = list.ids(&answer.json(200));
        here = answer.link("prev");
        found.append(&mut backward);
        backward = found;
    }
    assert_eq!(here, None, "{} begins", list.path);
    assert_eq!(backward, forward, "{} backwards", list.path);
    forward
}

/// Walks by `offset` from the beginning, then from the end.
async fn walk_offsets(person: &Person<'_>, list: &List, chance: &FixedChance) -> Vec<String> {
    let at = async |offset: usize, size: usize| {
        let glue = if list.path.contains('?') { '&' } else { '?' };
        let path = sized(&format!("{}{glue}offset={offset}", list.path), size);
        list.ids(&person.get(&path).await.json(200))
    };
    let mut forward: Vec<String> = Vec::new();
    for _ in 0..STEPS_MAX {
        let found = at(forward.len(), size(chance)).await;
        if found.is_empty() {
            break;
        }
        forward.extend(found);
    }
    let (mut backward, mut end): (Vec<String>, usize) = (Vec::new(), forward.len());
    while end > 0 {
        let start = end.saturating_sub(size(chance));
        let mut found = at(start, end - start).await;
        found.append(&mut backward);
        (backward, end) = (found, start);
    }
    assert_eq!(backward, forward, "{} backwards", list.path);
    forward
}

/// A world in which every list has items.
struct World<'a> {
    ana: Person<'a>,
    friend: String,
    loved: String,
    list: String,
    group: String,
}

const LINK: &str = "https://page.example/x";

/// Follows, then acts, in the names of many.
async fn each(people: &[Person<'_>], path: &str, body: Value) {
    for person in people {
        let answer = person.post(path, body.clone()).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}

async fn crowd<'a>(app: &'a TestApp, name: &str) -> Vec<Person<'a>> {
    let mut all = Vec::new();
    for n in 0..MANY {
        all.push(app.person(&format!("{name}{n:02}")).await);
    }
    all
}

async fn preview(state: &AppState) {
    let card = PreviewCard { url: LINK.into(), state: CardState::Ready, ..PreviewCard::default() };
    state
        .store
        .write(move |tx| {
            tx.put(PREVIEW_CARD, &LINK.to_owned(), &card);
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

/// Servers that something waits for.
async fn destinations(state: &AppState) {
    let moment = state.moment_with(MANY as u16);
    state
        .store
        .write(move |tx| {
            let mut moment = moment.clone();
            for n in 0..MANY {
                let host = format!("far{n:02}.example");
                let job = Job::FetchAccount { uri: format!("https://{host}/u/1") };
                let task = Task { place: Place::Host(host), ..Task::local(job, Id::ZERO) };
                enqueue(tx, &mut moment, &task)?;
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

async fn world(app: &TestApp) -> World<'_> {
    let scopes = "read write follow push profile admin:read admin:write";
    let ana = app.person_with("ana", Role::Owner, scopes).await;
    let act = async |verb: &str, other: Id| {
        let path = format!("/api/v1/accounts/{other}/{verb}");
        assert_eq!(ana.post(&path, json!({})).await.status, 200, "{path}");
    };
    let friends = crowd(app, "friend").await;
    each(&friends, &format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await;
    for friend in &friends {
        act("follow", friend.id).await;
        act("endorse", friend.id).await;
        friend.patch("/api/v1/accounts/update_credentials", json!({ "discoverable": true })).await.json(200);
    }
    for other in crowd(app, "blocked").await {
        act("block", other.id).await;
    }
    for other in crowd(app, "muted").await {
        act("mute", other.id).await;
    }
    ana.patch("/api/v1/accounts/update_credentials", json!({ "locked": true })).await.json(200);
    each(&crowd(app, "asking").await, &format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await;
    // Strangers' private words wait with the requests.
    for stranger in crowd(app, "stranger").await {
        post_to(&stranger, "@ana psst", "direct").await;
        // Whom friends follow is suggested.
        let follow = format!("/api/v1/accounts/{}/follow", stranger.id);
        friends[0].post(&follow, json!({})).await.json(200);
    }
    let list = id(&ana.post("/api/v1/lists", json!({ "title": "all" })).await.json(200));
    let members: Vec<String> = friends.iter().map(|friend| friend.id.to_string()).collect();
    ana.post(&format!("/api/v1/lists/{list}/accounts"), json!({ "account_ids": members })).await.json(200);
    let loved = posts(app, &ana, &friends).await;
    destinations(&app.state).await;
    holdings(&ana, &friends).await;
    settle(app).await;
    app.index().await;
    let groups = ana.get("/api/v2/notifications?types[]=favourite").await.json(200);
    let group = groups["notification_groups"][0]["group_key"].as_str().unwrap().to_owned();
    World { friend: friends[0].id.to_string(), loved, list, group, ana }
}

/// What friends write, and what is done with it; gives the post that all of
/// them like, boost and quote.
async fn posts(app: &TestApp, ana: &Person<'_>, friends: &[Person<'_>]) -> String {
    preview(&app.state).await;
    let loved = id(&post(ana, "love this").await);
    for (n, friend) in friends.iter().enumerate() {
        let text = format!("needle {n} #walk #walk{n:02} {LINK}");
        let written = id(&post(friend, &text).await);
        for verb in ["favourite", "bookmark"] {
            ana.post(&format!("/api/v1/statuses/{written}/{verb}"), json!({})).await.json(200);
        }
        friends[(n + 1) % friends.len()]
            .post(&format!("/api/v1/statuses/{written}/favourite"), json!({}))
            .await;
        post_to(friend, "@ana between us", "direct").await;
        let quote = json!({ "status": "look", "visibility": "unlisted", "quoted_status_id": loved });
        friend.post("/api/v1/statuses", quote).await.json(200);
    }
    for verb in ["favourite", "reblog"] {
        each(friends, &format!("/api/v1/statuses/{loved}/{verb}"), json!({})).await;
    }
    // One account's own posts, and hashtags that several use.
    for n in 0..MANY {
        for friend in &friends[..2] {
            post_to(friend, &format!("#trend{n:02}"), "public").await;
        }
    }
    loved
}

/// What ana keeps and decides.
async fn holdings(ana: &Person<'_>, friends: &[Person<'_>]) {
    let made = async |path: &str, body: Value| {
        let answer = ana.post(path, body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
    };
    for (n, friend) in friends.iter().enumerate() {
        let at = format!("2025-11-25T17:{n:02}:00.000Z");
        made("/api/v1/statuses", json!({ "status": "later", "scheduled_at": at })).await;
        made("/api/v1/domain_blocks", json!({ "domain": format!("blocked{n}.example") })).await;
        made(&format!("/api/v1/tags/walk{n:02}/follow"), json!({})).await;
        made("/api/v1/reports", json!({ "account_id": friend.id.to_string() })).await;
        let domain = json!({ "domain": format!("server{n}.example"), "severity": "silence" });
        made("/api/v1/admin/domain_blocks", domain).await;
        made("/api/v1/admin/domain_allows", json!({ "domain": format!("good{n}.example") })).await;
        made("/api/v1/admin/email_domain_blocks", json!({ "domain": format!("mail{n}.example") })).await;
        made("/api/v1/admin/canonical_email_blocks", json!({ "email": format!("a{n}@mail.example") })).await;
        made(
            "/api/v1/admin/ip_blocks",
            json!({ "ip": format!("10.0.{n}.0/24"), "severity": "sign_up_block" }),
        )
        .await;
    }
}

/// Lists that are walked by `Link`.
fn linked(world: &World<'_>) -> Vec<List> {
    let World { ana, friend, loved, list, group } = world;
    let all = |name: &'static str, path: String, items, count| List { name, path, items, count };
    let row = |name: &'static str, path: String| all(name, path, ("", "/id"), MANY);
    let plain = |name: &'static str| row(name, name.to_owned());
    let some = |name: &'static str, path: &str| all(name, path.to_owned(), ("", "/id"), 0);
    vec![
        some("/api/v1/timelines/home", "/api/v1/timelines/home"),
        some("/api/v1/timelines/public", "/api/v1/timelines/public"),
        row("/api/v1/timelines/tag/{hashtag}", "/api/v1/timelines/tag/walk".into()),
        some("/api/v1/timelines/list/{id}", &format!("/api/v1/timelines/list/{list}")),
        row("/api/v1/timelines/link", format!("/api/v1/timelines/link?url={LINK}")),
        some("/api/v1/timelines/direct", "/api/v1/timelines/direct"),
        some("/api/v1/accounts/{id}/statuses", &format!("/api/v1/accounts/{friend}/statuses")),
        row("/api/v1/accounts/{id}/followers", format!("/api/v1/accounts/{}/followers", ana.id)),
        row("/api/v1/accounts/{id}/following", format!("/api/v1/accounts/{}/following", ana.id)),
        row("/api/v1/accounts/{id}/endorsements", format!("/api/v1/accounts/{}/endorsements", ana.id)),
        row("/api/v1/statuses/{id}/favourited_by", format!("/api/v1/statuses/{loved}/favourited_by")),
        row("/api/v1/statuses/{id}/reblogged_by", format!("/api/v1/statuses/{loved}/reblogged_by")),
        row("/api/v1/statuses/{id}/quotes", format!("/api/v1/statuses/{loved}/quotes")),
        row("/api/v1/lists/{id}/accounts", format!("/api/v1/lists/{list}/accounts")),
        all("/api/v1/followed_tags", "/api/v1/followed_tags".into(), ("", "/name"), MANY),
        plain("/api/v1/favourites"),
        plain("/api/v1/bookmarks"),
        plain("/api/v1/blocks"),
        plain("/api/v1/mutes"),
        plain("/api/v1/follow_requests"),
        plain("/api/v1/endorsements"),
        all("/api/v1/domain_blocks", "/api/v1/domain_blocks".into(), ("", ""), MANY),
        some("/api/v1/conversations", "/api/v1/conversations"),
        plain("/api/v1/scheduled_statuses"),
        plain("/api/v1/notifications/requests"),
        some("/api/v1/notifications", "/api/v1/notifications"),
        all(
            "/api/v2/notifications",
            "/api/v2/notifications".into(),
            ("/notification_groups", "/group_key"),
            0,
        ),
        row("/api/v2/notifications/{group_key}/accounts", format!("/api/v2/notifications/{group}/accounts")),
        all("/api/v1/admin/accounts", "/api/v1/admin/accounts".into(), ("", "/id"), 5 * MANY + 1),
        all(
            "/api/v2/admin/accounts",
            "/api/v2/admin/accounts?origin=local".into(),
            ("", "/id"),
            5 * MANY + 1,
        ),
        plain("/api/v1/admin/reports"),
        plain("/api/v1/admin/domain_blocks"),
        plain("/api/v1/admin/domain_allows"),
        plain("/api/v1/admin/email_domain_blocks"),
        plain("/api/v1/admin/canonical_email_blocks"),
        plain("/api/v1/admin/ip_blocks"),
    ]
}

/// Lists that are walked by `offset`; several rows may be of one endpoint.
fn counted() -> Vec<List> {
    let all =
        |name: &'static str, path: &str, items, count| List { name, path: path.to_owned(), items, count };
    let search = "/api/v2/search";
    vec![
        all(search, "/api/v2/search?type=accounts&q=friend", ("/accounts", "/id"), MANY),
        all(search, "/api/v2/search?type=statuses&q=needle", ("/statuses", "/id"), MANY),
        all(search, "/api/v2/search?type=hashtags&q=walk", ("/hashtags", "/name"), MANY + 1),
        all("/api/v1/search", "/api/v1/search?type=accounts&q=friend", ("/accounts", "/id"), MANY),
        all("/api/v1/accounts/search", "/api/v1/accounts/search?q=friend", ("", "/id"), MANY),
        all("/api/v1/directory", "/api/v1/directory?order=new", ("", "/id"), 0),
        all("/api/v1/suggestions", "/api/v1/suggestions", ("", "/id"), 0),
        all("/api/v2/suggestions", "/api/v2/suggestions", ("", "/account/id"), 0),
        all("/api/v1/trends", "/api/v1/trends", ("", "/name"), MANY + 1),
        all("/api/v1/trends/tags", "/api/v1/trends/tags", ("", "/name"), MANY + 1),
        all("/api/v1/trends/links", "/api/v1/trends/links", ("", "/url"), 1),
        all("/api/v1/trends/statuses", "/api/v1/trends/statuses", ("", "/id"), MANY + 1),
        all(
            "/api/waxwing/v1/deliveries/destinations",
            "/api/waxwing/v1/deliveries/destinations?order=name&q=far",
            ("/destinations", "/id"),
            MANY,
        ),
    ]
}

/// Notes what is wrong with a walk: it must begin as one large page does, and
/// see as many items as there are, each once.
async fn check(person: &Person<'_>, list: &List, seen: &[String], wrong: &mut Vec<String>) {
    let first = list.ids(&person.get(&sized(&list.path, 200)).await.json(200));
    let distinct: std::collections::BTreeSet<&String> = seen.iter().collect();
    let is_whole = list.count == 0 || seen.len() == list.count;
    if first.is_empty() || !seen.starts_with(&first) || distinct.len() != seen.len() || !is_whole {
        let (path, all, once) = (&list.path, seen.len(), distinct.len());
        wrong.push(format!(
            "{path}: {all} seen, {once} distinct, {} there, {} at first",
            list.count,
            first.len()
        ));
    }
}

#[tokio::test]
async fn a_walk_in_either_direction_sees_every_item_of_every_list_once() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let mut wrong = Vec::new();
    for seed in [3, 17] {
        let chance = FixedChance::new(seed);
        println!("seed {seed}");
        for list in linked(&world) {
            let seen = walk_links(&world.ana, &list, &chance).await;
            check(&world.ana, &list, &seen, &mut wrong).await;
        }
        for list in counted() {
            let seen = walk_offsets(&world.ana, &list, &chance).await;
            check(&world.ana, &list, &seen, &mut wrong).await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_list_that_is_described_with_pages_is_walked() {
    let app = TestApp::start().await;
    let document = app.get("/api/openapi.json").await.json(200);
    let ana = app.person("ana").await;
    let named = String::new;
    let world = World { ana, friend: named(), loved: named(), list: named(), group: named() };
    let (linked, counted) = (linked(&world), counted());
    for (path, item) in document["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().cloned().unwrap_or_default();
        for (parameter, lists) in [("max_id", &linked), ("offset", &counted)] {
            let has = |name: &str| parameters.iter().any(|p| p["name"] == name);
            // Searches page by offset; `max_id` is one of their conditions.
            let is_paged = has(parameter) && (parameter == "offset" || !has("offset"));
            let is_walked = lists.iter().any(|list| list.name == path);
            assert_eq!(is_walked, is_paged, "{path} by `{parameter}`");
        }
    }
    assert!(linked.len() > 30 && counted.len() > 8);
}
