use serde_json::json;

use super::*;
use crate::base::{Id, Timestamp};
use crate::model::queue::{FollowRef, Outgoing};
use crate::model::{Account, Mention, Poll, PollOption, Site, Status, Visibility};

fn site() -> Site {
    Site::new("https", "social.example")
}

fn ana() -> Account {
    let site = site();
    let uri = site.actor(Id(1));
    Account {
        id: Id(1),
        username: "ana".into(),
        followers_uri: format!("{uri}/followers"),
        key_id: format!("{uri}#main-key"),
        public_key_pem: "PEM".into(),
        url: site.profile("ana"),
        uri,
        ..Account::default()
    }
}

fn status(visibility: Visibility) -> Status {
    let mention = Mention {
        account: Id(2),
        username: "bo".into(),
        acct: "bo@peer.example".into(),
        url: "https://peer.example/@bo".into(),
        uri: "https://peer.example/users/bo".into(),
        is_silent: false,
    };
    Status {
        id: Id(5),
        account: Id(1),
        uri: site().status(Id(1), Id(5)),
        content_html: "<p>hi</p>".into(),
        language: Some("en".into()),
        visibility,
        mentions: vec![mention],
        tags: vec!["Tag".into()],
        is_local: true,
        ..Status::default()
    }
}

#[test]
fn visibility_becomes_to_and_cc() {
    let (followers, bo) = (ana().followers_uri, "https://peer.example/users/bo");
    let check = |visibility, to: &[&str], cc: &[&str]| {
        let found = audience(&status(visibility), &followers);
        assert_eq!(
            (found.to, found.cc),
            (to.iter().map(|s| s.to_string()).collect(), cc.iter().map(|s| s.to_string()).collect()),
            "{visibility:?}"
        );
    };
    check(Visibility::Public, &[PUBLIC], &[&followers, bo]);
    check(Visibility::Unlisted, &[&followers], &[PUBLIC, bo]);
    check(Visibility::Private, &[&followers], &[bo]);
    check(Visibility::Direct, &[bo], &[]);
}

#[test]
fn a_note_says_what_the_post_says() {
    let (site, ana, status) = (site(), ana(), status(Visibility::Public));
    let parts =
        NoteParts { site: &site, status: &status, author: &ana, parent_uri: Some("https://peer.example/1") };
    let create = create(&note(parts));
    assert_eq!(create["id"], format!("{}/activity", status.uri));
    assert_eq!(create["actor"], ana.uri);
    assert_eq!(create["to"], json!([PUBLIC]));
    let note = &create["object"];
    assert_eq!(note["content"], "<p>hi</p>");
    assert_eq!(note["contentMap"], json!({ "en": "<p>hi</p>" }));
    assert_eq!(note["inReplyTo"], "https://peer.example/1");
    assert_eq!(note["published"], "1970-01-01T00:00:00.000Z");
    assert_eq!(
        note["tag"],
        json!([
            { "type": "Mention", "href": "https://peer.example/users/bo", "name": "@bo@peer.example" },
            { "type": "Hashtag", "href": "https://social.example/tags/tag", "name": "#Tag" },
        ])
    );
    assert!(note["attachment"].is_array());
    assert!(note.get("summary").is_none() && note.get("updated").is_none() && note.get("@context").is_none());
    assert!(is_addressed_to_public(&create));
}

#[test]
fn a_boost_tells_the_author() {
    let mut boost = status(Visibility::Unlisted);
    boost.mentions.clear();
    let announce = announce(&boost, &ana(), "https://peer.example/1", "https://peer.example/users/bo");
    assert_eq!(announce["object"], "https://peer.example/1");
    assert_eq!(announce["cc"], json!([PUBLIC, "https://peer.example/users/bo"]));
    assert_eq!(announce["id"], boost.uri);
}

#[test]
fn small_activities_carry_what_they_are_about() {
    let follow = FollowRef { id: "f".into(), actor: "a".into(), object: "b".into() };
    let accept = outgoing(&Outgoing::Accept { id: "x".into(), actor: "b".into(), follow: follow.clone() });
    assert_eq!(accept["object"], json!({ "id": "f", "type": "Follow", "actor": "a", "object": "b" }));
    assert_eq!(accept["type"], "Accept");
    let undo = outgoing(&Outgoing::UndoFollow { id: "u".into(), follow });
    assert_eq!((&undo["actor"], &undo["object"]["type"]), (&json!("a"), &json!("Follow")));
    let like = outgoing(&Outgoing::UndoLike {
        id: "u".into(),
        actor: "a".into(),
        like: "l".into(),
        object: "o".into(),
    });
    assert_eq!(like["object"], json!({ "id": "l", "type": "Like", "actor": "a", "object": "o" }));
    let delete = outgoing(&Outgoing::DeleteStatus {
        id: "d".into(),
        actor: "a".into(),
        object: "o".into(),
        to: vec![PUBLIC.into()],
        cc: vec![],
    });
    assert_eq!(delete["object"], json!({ "id": "o", "type": "Tombstone" }));
}

#[test]
fn an_actor_names_its_key_and_inboxes() {
    let document = actor(&site(), &ana(), &|_| "https://social.example/a.png".into());
    assert_eq!(document["publicKey"]["owner"], document["id"]);
    assert_eq!(document["inbox"], "https://social.example/ap/users/1/inbox");
    assert_eq!(document["endpoints"]["sharedInbox"], "https://social.example/inbox");
    assert_eq!(document["webfinger"], "ana@social.example");
    assert!(document["attachment"].is_array() && document["tag"].is_array());
    let update = update_actor(&document, Timestamp::from_secs(7));
    assert!(update["object"].get("@context").is_none() && update["@context"].is_array());
    assert_eq!(update["actor"], document["id"]);
}

#[test]
fn collections_name_their_pages() {
    let whole = collection(Collection { id: "c", total: 3, first: Some("c?page=true") });
    assert_eq!((&whole["totalItems"], &whole["first"]), (&json!(3), &json!("c?page=true")));
    let hidden = collection(Collection { id: "c", total: 3, first: None });
    assert!(hidden.get("first").is_none());
    let page = page(Page { id: "p", part_of: "c", next: Some("n"), prev: None, items: vec![json!("x")] });
    assert_eq!((&page["next"], &page["orderedItems"]), (&json!("n"), &json!(["x"])));
    assert!(page.get("prev").is_none());
}

#[test]
fn a_poll_is_a_question_whose_tallies_are_no_edit() {
    let option = |title: &str, votes| PollOption { title: title.into(), votes };
    let poll = Poll {
        options: vec![option("robin", 2), option("wren", 1)],
        expires_at: Some(Timestamp::from_secs(600)),
        voters: Some(3),
        ..Poll::default()
    };
    let asked = |poll: Poll| {
        let status = Status { poll: Some(poll), ..status(Visibility::Public) };
        note(NoteParts { site: &site(), status: &status, author: &ana(), parent_uri: None })
    };
    let answer = |name: &str, votes: u64| json!({ "type": "Note", "name": name, "replies": { "type": "Collection", "totalItems": votes } });
    let question = asked(poll.clone());
    assert_eq!((&question["type"], &question["votersCount"]), (&json!("Question"), &json!(3)));
    assert_eq!(question["oneOf"], json!([answer("robin", 2), answer("wren", 1)]));
    assert_eq!(question["endTime"], "1970-01-01T00:10:00.000Z");
    assert!(question.get("closed").is_none() && question.get("anyOf").is_none());
    let over = asked(Poll { multiple: true, hide_totals: true, ended: Some(Id(9)), ..poll.clone() });
    assert_eq!((&over["anyOf"][0], &over["closed"]), (&answer("robin", 2), &over["endTime"]));
    let hidden = asked(Poll { hide_totals: true, ..poll });
    assert_eq!(hidden["oneOf"][0], answer("robin", 0));
    let update = update_poll(&question, Timestamp::from_millis(7));
    assert!(
        update["id"].as_str().unwrap().ends_with("#tallies/7") && update["object"].get("updated").is_none()
    );
}

#[test]
fn a_vote_is_a_note_with_a_name_for_one() {
    let said = Outgoing::Vote {
        id: "a#votes/1".into(),
        actor: "a".into(),
        question: "q".into(),
        to: "b".into(),
        choice: "wren".into(),
    };
    let vote = outgoing(&said);
    assert_eq!(
        (&vote["type"], &vote["id"], &vote["to"]),
        (&json!("Create"), &json!("a#votes/1/activity"), &json!(["b"]))
    );
    let note = &vote["object"];
    assert_eq!(
        (&note["name"], &note["inReplyTo"], &note["id"]),
        (&json!("wren"), &json!("q"), &json!("a#votes/1"))
    );
    assert!(note.get("content").is_none());
}
