//! Reports between servers, and servers that are shut out.

use serde_json::{Value, json};
use waxwing::domain::moderation::{Severing, server, sever_step};
use waxwing::model::queue::tables::ACT;
use waxwing::model::queue::{Job, Outgoing};
use waxwing::model::{Account, Role};
use waxwing::store::{Scan, StoreError};

use super::peer::{PUBLIC, Peer, account_at, app, ours, post_at, work};
use crate::kit::{Person, TestApp};
use crate::web::browser::Browser;

const ADMIN: &str = "read write follow admin:read admin:write";

/// Does what decisions left to do; gives how much that was.
async fn settle(app: &TestApp) -> usize {
    let moment = app.state.moment_with(400);
    let site = app.state.site.clone();
    app.state
        .store
        .write(move |tx| {
            let (mut moment, mut done) = (moment.clone(), 0);
            // What a decision leaves may leave more.
            for _ in 0..4 {
                for (id, act) in tx.scan(ACT, Scan::all())? {
                    match act.job {
                        Job::SettleServer { domain, was } => {
                            server::settle_step(tx, &mut moment, &domain, was, waxwing::base::Id::ZERO)?;
                        }
                        Job::SeverFollows { account, both, domain } => {
                            sever_step(tx, &mut moment, &site, &Severing { account, both, domain })?;
                        }
                        _ => continue,
                    }
                    tx.delete(ACT, &id);
                    done += 1;
                }
            }
            Ok::<_, StoreError>(done)
        })
        .await
        .unwrap()
}

/// The small activities that wait to go out.
async fn said(app: &TestApp) -> Vec<Outgoing> {
    let acts = app.state.store.read(|tx| tx.scan(ACT, Scan::all())).await.unwrap();
    acts.into_iter()
        .filter_map(|(_, act)| match act.job {
            Job::Say(said) => Some(said),
            _ => None,
        })
        .collect()
}

async fn known(ana: &Person<'_>, uri: &str) -> String {
    let found = ana.get(&format!("/api/v2/search?resolve=true&q={uri}")).await.json(200);
    found["accounts"][0]["id"].as_str().unwrap().to_owned()
}

fn note_to(peer: &Peer, author: &str, path: &str, to: &str) -> Value {
    let mut note = peer.note(author, path, "<p>hello</p>");
    note["tag"] = json!([{ "type": "Mention", "href": to, "name": "@ana@social.example" }]);
    note["cc"] = json!([to]);
    json!({
        "id": peer.url(&format!("{path}/create")), "type": "Create", "actor": author, "object": note,
        "to": [PUBLIC], "cc": [to],
    })
}

#[tokio::test]
async fn a_report_is_forwarded_in_the_name_of_the_server() {
    let (app, peer) = (app().await, Peer::start().await);
    let (ana, bo) = (app.person("ana").await, peer.actor("bo"));
    let id = known(&ana, &bo).await;
    let sent = json!({ "account_id": id, "comment": "rude", "forward": true });
    let report = ana.post("/api/v1/reports", sent).await.json(200);
    assert_eq!(report["forwarded"], true);
    let said = said(&app).await;
    let [Outgoing::Flag { actor, objects, content, .. }] = &said[..] else { panic!("{said:?}") };
    assert_eq!((actor.as_str(), content.as_str()), ("https://social.example/actor", "rude"));
    assert_eq!(objects, &[bo]);
}

#[tokio::test]
async fn a_report_from_elsewhere_reaches_the_moderators_once() {
    let (app, peer) = (app().await, Peer::start().await);
    let mo = app.person_with("mo", Role::Moderator, ADMIN).await;
    let (ana, bo) = (app.person("ana").await, peer.actor("bo"));
    let bad = ana.post("/api/v1/statuses", json!({ "status": "bad" })).await.json(200);
    let flag = |path: &str| {
        json!({
            "id": peer.url(path), "type": "Flag", "actor": bo, "content": "spam",
            "object": [ours(&app, ana.id), bad["uri"]],
        })
    };
    peer.deliver(&app, &bo, &flag("/flags/1")).await;
    peer.send(&app, &bo, &flag("/flags/1")).await;
    work(&app).await;
    let listed = mo.get("/api/v1/admin/reports").await.json(200);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!((&listed[0]["comment"], &listed[0]["category"]), (&json!("spam"), &json!("other")));
    assert_eq!(listed[0]["target_account"]["username"], "ana");
    assert_eq!(listed[0]["account"]["username"], "bo");
    assert_eq!(listed[0]["statuses"][0]["id"], bad["id"]);
    assert_eq!(mo.get("/api/v1/notifications").await.json(200)[0]["type"], "admin.report");

    // About nobody here: nothing.
    let other = json!({ "id": peer.url("/flags/2"), "type": "Flag", "actor": bo, "object": [bo] });
    peer.deliver(&app, &bo, &other).await;
    assert_eq!(mo.get("/api/v1/admin/reports").await.json(200).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn reports_of_a_server_can_be_refused() {
    let (app, peer) = (app().await, Peer::start().await);
    let ada = app.person_with("ada", Role::Admin, ADMIN).await;
    let bo = peer.actor("bo");
    let host = peer.origin.strip_prefix("http://").unwrap();
    let noop = json!({ "domain": host, "severity": "noop", "reject_reports": true });
    ada.post("/api/v1/admin/domain_blocks", noop).await.json(200);
    let flag = json!({
        "id": peer.url("/flags/1"), "type": "Flag", "actor": bo, "object": [ours(&app, ada.id)],
    });
    peer.deliver(&app, &bo, &flag).await;
    assert_eq!(ada.get("/api/v1/admin/reports").await.json(200), json!([]));
    assert_eq!(app.get("/api/v1/instance/domain_blocks").await.json(200), json!([]));
}

/// Ana, and bo of another server; each follows the other.
async fn friends<'a>(app: &'a TestApp, peer: &Peer) -> (Person<'a>, String, String) {
    let (ana, bo) = (app.person("ana").await, peer.actor("bo"));
    let id = known(&ana, &bo).await;
    ana.post(&format!("/api/v1/accounts/{id}/follow"), json!({})).await.json(200);
    let accept = json!({
        "id": peer.url("/accepts/1"), "type": "Accept", "actor": bo,
        "object": { "type": "Follow", "actor": ours(app, ana.id), "object": bo },
    });
    peer.deliver(app, &bo, &accept).await;
    let follow =
        json!({ "id": peer.url("/f/1"), "type": "Follow", "actor": bo, "object": ours(app, ana.id) });
    peer.deliver(app, &bo, &follow).await;
    (ana, bo, id)
}

#[tokio::test]
async fn a_blocked_server_is_shut_out_until_it_is_not() {
    let (app, peer) = (app().await, Peer::start().await);
    let ada = app.person_with("ada", Role::Admin, ADMIN).await;
    let (ana, bo, id) = friends(&app, &peer).await;
    let me = || async { ana.get("/api/v1/accounts/verify_credentials").await.json(200) };
    let counts = |me: &Value| (me["followers_count"].clone(), me["following_count"].clone());
    assert_eq!(counts(&me().await), (json!(1), json!(1)));
    let to_ana = note_to(&peer, &bo, "/n/1", &ours(&app, ana.id));
    peer.deliver(&app, &bo, &to_ana).await;
    assert!(post_at(&app, &peer.url("/n/1")).await.is_some());

    let host = peer.origin.strip_prefix("http://").unwrap();
    let wish = json!({ "domain": host, "severity": "suspend", "public_comment": "spam", "obfuscate": true });
    let block = ada.post("/api/v1/admin/domain_blocks", wish.clone()).await.json(200);
    let again = ada.post("/api/v1/admin/domain_blocks", wish).await.json(422);
    assert_eq!(again["existing_domain_block"]["id"], block["id"]);
    assert!(settle(&app).await >= 2);

    // What was is hidden, follows are ended in both directions.
    assert_eq!(counts(&me().await), (json!(0), json!(0)));
    let shown = ana.get(&format!("/api/v1/accounts/{id}")).await.json(200);
    assert_eq!(shown["suspended"], true);
    assert_eq!(ana.get("/api/v1/notifications?types[]=mention").await.json(200), json!([]));
    // Nothing comes in, and nothing is fetched.
    let more = note_to(&peer, &bo, "/n/2", &ours(&app, ana.id));
    assert_eq!(peer.send(&app, &bo, &more).await.status, 403);
    let eve = peer.actor("eve");
    peer.asked();
    let found = ana.get(&format!("/api/v2/search?resolve=true&q={eve}")).await.json(200);
    assert_eq!((&found["accounts"], peer.asked()), (&json!([]), Vec::new()));
    assert_eq!(peer.send(&app, &eve, &note_to(&peer, &eve, "/n/3", &bo)).await.status, 403);
    assert!(account_at(&app, &eve).await.is_none());
    // Everybody can read that it is so.
    let public = app.get("/api/v1/instance/domain_blocks").await.json(200);
    assert_eq!((&public[0]["severity"], &public[0]["comment"]), (&json!("suspend"), &json!("spam")));
    assert!(public[0]["domain"].as_str().unwrap().contains('*'));

    let at = format!("/api/v1/admin/domain_blocks/{}", block["id"].as_str().unwrap());
    ada.delete(&at).await.json(200);
    settle(&app).await;
    assert!(account_at(&app, &bo).await.unwrap().suspended_at.is_none());
    peer.deliver(&app, &bo, &more).await;
    assert!(post_at(&app, &peer.url("/n/2")).await.is_some());
}

#[tokio::test]
async fn a_limited_server_is_limited_and_softer_rules_undo_it() {
    let (app, peer) = (app().await, Peer::start().await);
    let ada = app.person_with("ada", Role::Admin, ADMIN).await;
    let (ana, bo, id) = friends(&app, &peer).await;
    let host = peer.origin.strip_prefix("http://").unwrap();
    let wish = json!({ "domain": host, "reject_media": true });
    let block = ada.post("/api/v1/admin/domain_blocks", wish).await.json(200);
    assert_eq!(block["severity"], "silence");
    settle(&app).await;
    let shown = ana.get(&format!("/api/v1/accounts/{id}")).await.json(200);
    assert_eq!(shown["limited"], true);
    // Somebody new of there is limited from the beginning, and has no picture.
    let eve = peer.actor_with("eve", |actor| {
        actor["icon"] = json!({ "type": "Image", "url": peer.url("/eve.png") });
    });
    known(&ana, &eve).await;
    let kept: Account = account_at(&app, &eve).await.unwrap();
    assert!(kept.is_limited() && kept.avatar.is_none());
    let mut post = note_to(&peer, &bo, "/n/1", &ours(&app, ana.id));
    post["object"]["attachment"] =
        json!([{ "type": "Image", "mediaType": "image/png", "url": peer.url("/a.png") }]);
    peer.deliver(&app, &bo, &post).await;
    assert!(post_at(&app, &peer.url("/n/1")).await.unwrap().attachments.is_empty());

    let at = format!("/api/v1/admin/domain_blocks/{}", block["id"].as_str().unwrap());
    let changed = ada.put(&at, json!({ "severity": "noop", "reject_media": false })).await.json(200);
    assert_eq!((&changed["severity"], &changed["reject_media"]), (&json!("noop"), &json!(false)));
    settle(&app).await;
    assert!(!account_at(&app, &bo).await.unwrap().is_limited());
}

#[tokio::test]
async fn a_suspended_account_of_elsewhere_follows_nobody_here() {
    let (app, peer) = (app().await, Peer::start().await);
    let mo = app.person_with("mo", Role::Moderator, ADMIN).await;
    let (ana, bo, id) = friends(&app, &peer).await;
    let act = format!("/api/v1/admin/accounts/{id}/action");
    mo.post(&act, json!({ "type": "suspend" })).await.json(200);
    settle(&app).await;
    let me = ana.get("/api/v1/accounts/verify_credentials").await.json(200);
    assert_eq!((&me["followers_count"], &me["following_count"]), (&json!(0), &json!(1)));
    assert!(said(&app).await.iter().any(|said| matches!(said, Outgoing::Reject { .. })));
    assert_eq!(peer.send(&app, &bo, &note_to(&peer, &bo, "/n/1", &ours(&app, ana.id))).await.status, 403);
    mo.post(&act, json!({ "type": "disable" })).await.error(422, "login");
}

/// The news of lost follows, in both views.
async fn lost(who: &Person<'_>) -> Value {
    let told = who.get("/api/v1/notifications?types[]=severed_relationships").await.json(200);
    let grouped = who.get("/api/v2/notifications?types[]=severed_relationships").await.json(200);
    assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
    assert_eq!(grouped["notification_groups"][0]["event"], told[0]["event"]);
    assert_eq!(told[0]["account"]["id"], who.id.to_string());
    told[0]["event"].clone()
}

#[tokio::test]
async fn people_are_told_of_the_follows_that_a_block_between_servers_ended() {
    let (app, peer) = (app().await, Peer::start().await);
    let ada = app.person_with("ada", Role::Admin, ADMIN).await;
    let (ana, _, _) = friends(&app, &peer).await;
    let cleo = app.person("cleo").await;
    let host = peer.origin.strip_prefix("http://").unwrap().to_owned();
    let block = json!({ "domain": host, "severity": "suspend" });
    ada.post("/api/v1/admin/domain_blocks", block).await.json(200);
    settle(&app).await;
    let event = lost(&ana).await;
    assert_eq!((&event["type"], &event["target_name"]), (&json!("domain_block"), &json!(host)));
    assert_eq!((&event["followers_count"], &event["following_count"]), (&json!(1), &json!(1)));
    assert_eq!(event["purged"], false);
    assert_eq!(
        cleo.get("/api/v1/notifications").await.json(200),
        json!([]),
        "who lost nothing hears nothing"
    );
    let mut browser = Browser::of(&app, "ana").await;
    let page = browser.get("/notifications").await.text();
    assert!(page.contains("You lost follows") && page.contains(&host), "{page}");
    // Who they were can be taken elsewhere, by nobody else.
    let page = browser.get("/severed_relationships").await.text();
    let mut others = Browser::of(&app, "cleo").await;
    for side in ["followers", "following"] {
        let list = format!("/severed_relationships/{}/{side}.csv", event["id"].as_str().unwrap());
        assert!(page.contains(&list), "{page}");
        let answer = browser.get(&list).await;
        assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
        assert_eq!(answer.text(), format!("Account address\nbo@{host}\n"));
        assert_eq!(others.get(&list).await.status, 404);
        assert_eq!(app.get(&list).await.status, 303);
    }
    assert!(others.get("/severed_relationships").await.text().contains("You have lost none"));
}

#[tokio::test]
async fn people_are_told_of_followers_who_were_suspended() {
    let (app, peer) = (app().await, Peer::start().await);
    let mo = app.person_with("mo", Role::Moderator, ADMIN).await;
    let (ana, _, id) = friends(&app, &peer).await;
    mo.post(&format!("/api/v1/admin/accounts/{id}/action"), json!({ "type": "suspend" })).await.json(200);
    settle(&app).await;
    let event = lost(&ana).await;
    assert_eq!(event["type"], "account_suspension");
    assert!(event["target_name"].as_str().unwrap().starts_with("bo@"), "{event}");
    assert_eq!((&event["followers_count"], &event["following_count"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn ones_own_block_of_a_domain_tells_what_it_ended() {
    let (app, peer) = (app().await, Peer::start().await);
    let (ana, _, id) = friends(&app, &peer).await;
    let acct = ana.get(&format!("/api/v1/accounts/{id}")).await.json(200)["acct"].clone();
    let domain = acct.as_str().unwrap().split_once('@').unwrap().1.to_owned();
    ana.post("/api/v1/domain_blocks", json!({ "domain": domain })).await.json(200);
    let state = &app.state;
    let workshop = state.workshop();
    let handler = waxwing::queue::sever_domain::handler(workshop);
    crate::api::run_ready(&app, &[(waxwing::model::queue::JobKind::SeverDomain, Box::new(handler))]).await;
    let event = lost(&ana).await;
    assert_eq!((&event["type"], &event["target_name"]), (&json!("user_domain_block"), &json!(domain)));
    assert_eq!((&event["followers_count"], &event["following_count"]), (&json!(1), &json!(1)));
}
