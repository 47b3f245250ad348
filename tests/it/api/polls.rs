use std::time::Duration;

use serde_json::{Value, json};

use super::{id, post, run_due};
use crate::kit::{Person, TestApp};

async fn ask(person: &Person<'_>, poll: Value) -> Value {
    person.post("/api/v1/statuses", json!({ "status": "which?", "poll": poll })).await.json(200)
}

fn two() -> Value {
    json!({ "options": ["robin", "wren"], "expires_in": 600 })
}

fn votes(status: &Value) -> String {
    format!("/api/v1/polls/{}/votes", id(&status["poll"]))
}

#[tokio::test]
async fn a_poll_is_asked_shown_and_voted_in() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let form =
        "status=which%3F&poll[options][]=robin&poll[options][]=wren&poll[expires_in]=600&poll[multiple]=true";
    let status = ana.post_form("/api/v1/statuses", form).await.json(200);
    let poll = &status["poll"];
    let expected = json!({
        "id": poll["id"], "expires_at": "2025-11-24T16:10:00.000Z", "expired": false, "multiple": true,
        "votes_count": 0, "voters_count": 0, "emojis": [], "voted": true, "own_votes": [],
        "options": [{"title": "robin", "votes_count": 0}, {"title": "wren", "votes_count": 0}],
    });
    assert_eq!(*poll, expected);
    let path = format!("/api/v1/polls/{}", id(poll));
    let anonymous = app.get(&path).await.json(200);
    assert!(anonymous.get("voted").is_none() && anonymous.get("own_votes").is_none());
    let voted = ben.post_form(&votes(&status), "choices[]=1&choices[]=0").await.json(200);
    assert_eq!((&voted["voted"], &voted["own_votes"]), (&json!(true), &json!([1, 0])));
    assert_eq!((&voted["votes_count"], &voted["voters_count"]), (&json!(2), &json!(1)));
    assert_eq!(ben.get(&path).await.json(200), voted);
    let boost = ben.post(&format!("/api/v1/statuses/{}/reblog", id(&status)), json!({})).await.json(200);
    assert_eq!(boost["reblog"]["poll"], voted);
    ana.get("/api/v1/polls/17").await.error(404, "");
    ana.get(&format!("/api/v1/polls/{}", id(&post(&ana, "no poll").await))).await.error(404, "");
}

#[tokio::test]
async fn bad_polls_are_refused_with_mastodons_words() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let long = "x".repeat(51);
    let cases = [
        (json!({"options": ["a"], "expires_in": 600}), "Choices must have more than one item"),
        (
            json!({"options": ["a", "b", "c", "d", "e"], "expires_in": 600}),
            "Choices can't contain more than 4 items",
        ),
        (
            json!({"options": ["a", long], "expires_in": 600}),
            "Choices cannot be longer than 50 characters each",
        ),
        (json!({"options": ["a", " a "], "expires_in": 600}), "Choices contain duplicate items"),
        (json!({"options": ["a", "b"], "expires_in": 299}), "Deadline is too soon"),
        (json!({"options": ["a", "b"], "expires_in": -1}), "Deadline is too soon"),
        (json!({"options": ["a", "b"], "expires_in": 2_629_747}), "Deadline is too far into the future"),
        (json!({"options": ["a", "b"]}), "Deadline can't be blank"),
    ];
    for (poll, words) in cases {
        ana.post("/api/v1/statuses", json!({"status": "x", "poll": poll})).await.error(422, words);
    }
    ana.post("/api/v1/statuses", json!({"poll": two()})).await.error(422, "Text can't be blank");
    let both = json!({"status": "x", "poll": two(), "media_ids": ["1"]});
    ana.post("/api/v1/statuses", both).await.error(422, "Cannot attach");
    let none = ana.post("/api/v1/statuses", json!({"status": "x", "poll": {"options": ["", " "]}})).await;
    assert_eq!(none.json(200)["poll"], Value::Null);
}

#[tokio::test]
async fn votes_are_refused_as_mastodon_does() {
    let app = TestApp::start().await;
    let [ana, ben, eve] = [app.person("ana").await, app.person("ben").await, app.person("eve").await];
    let status = ask(&ana, two()).await;
    let vote = async |who: &Person<'_>, choices: Value| {
        who.post(&votes(&status), json!({ "choices": choices })).await
    };
    vote(&ana, json!([0])).await.error(422, "You cannot vote in your own polls");
    for bad in [json!([2]), json!(["x"]), json!(["-1"]), json!([])] {
        vote(&ben, bad).await.error(422, "The chosen vote option does not exist");
    }
    assert_eq!(vote(&ben, json!(["1"])).await.json(200)["own_votes"], json!([1]));
    vote(&ben, json!([0])).await.error(422, "You have already voted on this poll");
    app.post(&votes(&status), json!({"choices": [0]})).await.error(401, "");
    let secret = json!({"status": "x", "visibility": "private", "poll": two()});
    let secret = ana.post("/api/v1/statuses", secret).await.json(200);
    eve.get(&format!("/api/v1/polls/{}", id(&secret["poll"]))).await.error(404, "");
    eve.post(&votes(&secret), json!({"choices": [0]})).await.error(404, "");
    eve.post(&format!("/api/v1/accounts/{}/block", ana.id), json!({})).await.json(200);
    vote(&eve, json!([0])).await.error(403, "This action is not allowed");
    app.clock.advance(Duration::from_secs(600));
    let late = app.person("late").await;
    vote(&late, json!([0])).await.error(422, "The poll has already ended");
}

#[tokio::test]
async fn hidden_counts_show_at_the_end_which_is_told() {
    let app = TestApp::start().await;
    let [ana, ben, eve] = [app.person("ana").await, app.person("ben").await, app.person("eve").await];
    let status = ask(&ana, json!({"options": ["a", "b"], "expires_in": 600, "hide_totals": true})).await;
    let voted = ben.post(&votes(&status), json!({"choices": [0]})).await.json(200);
    assert_eq!((&voted["options"][0]["votes_count"], &voted["voters_count"]), (&Value::Null, &Value::Null));
    run_due(&app).await;
    assert_eq!(ana.get("/api/v1/notifications?types[]=poll").await.json(200), json!([]));
    app.clock.advance(Duration::from_secs(600));
    run_due(&app).await;
    let shown = eve.get(&format!("/api/v1/polls/{}", id(&status["poll"]))).await.json(200);
    assert_eq!((&shown["expired"], &shown["options"][0]["votes_count"]), (&json!(true), &json!(1)));
    assert_eq!((&shown["voted"], &shown["own_votes"]), (&json!(false), &json!([])));
    for who in [&ana, &ben] {
        let told = who.get("/api/v1/notifications?types[]=poll").await.json(200);
        assert_eq!(
            (told[0]["status"]["id"].clone(), told.as_array().unwrap().len()),
            (status["id"].clone(), 1)
        );
    }
    assert_eq!(eve.get("/api/v1/notifications?types[]=poll").await.json(200), json!([]));
}

#[tokio::test]
async fn an_edit_keeps_votes_unless_the_answers_change() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let status = ask(&ana, two()).await;
    ben.post(&votes(&status), json!({"choices": [0]})).await.json(200);
    let path = format!("/api/v1/statuses/{}", id(&status));
    let edit =
        async |poll: Value| ana.put(&path, json!({"status": "which one?", "poll": poll})).await.json(200);
    let same = edit(json!({"options": ["robin", "wren"], "expires_in": 3600})).await;
    assert_eq!(same["poll"]["votes_count"], 1);
    let other = edit(json!({"options": ["robin", "owl"], "expires_in": 3600})).await;
    assert_eq!((&other["poll"]["votes_count"], &other["poll"]["id"]), (&json!(0), &status["poll"]["id"]));
    let mine = ben.get(&path).await.json(200);
    assert_eq!((&mine["poll"]["voted"], &mine["poll"]["own_votes"]), (&json!(false), &json!([])));
    assert_eq!(ana.put(&path, json!({"status": "none"})).await.json(200)["poll"], Value::Null);
    let deleted = ask(&ana, two()).await;
    let deleted = ana.delete(&format!("/api/v1/statuses/{}", id(&deleted))).await.json(200);
    assert_eq!(deleted["poll"]["options"][1]["title"], "wren", "it can be written anew");
}
