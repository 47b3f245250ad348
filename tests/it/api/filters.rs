use std::time::Duration;

use serde_json::{Value, json};

use super::{id, ids, post, settle, walk};
use crate::kit::{Person, TestApp};

/// Makes a filter of one keyword.
async fn filter(person: &Person<'_>, keyword: &str, action: &str, contexts: &[&str]) -> Value {
    let body = json!({"title": keyword, "context": contexts, "filter_action": action,
        "keywords_attributes": [{"keyword": keyword, "whole_word": true}]});
    person.post("/api/v2/filters", body).await.json(200)
}

async fn follow(person: &Person<'_>, other: &Person<'_>) {
    person.post(&format!("/api/v1/accounts/{}/follow", other.id), json!({})).await.json(200);
}

#[tokio::test]
async fn filters_are_made_read_changed_and_removed() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let form = "title=Food&context[]=home&context[]=public&expires_in=3600\
        &keywords_attributes[][keyword]=cake&keywords_attributes[][whole_word]=false\
        &keywords_attributes[][keyword]=pie";
    let made = ana.post_form("/api/v2/filters", form).await.json(200);
    assert_eq!((&made["title"], &made["filter_action"]), (&json!("Food"), &json!("warn")));
    assert_eq!(made["context"], json!(["home", "public"]));
    assert_eq!(made["expires_at"], json!(app.now().plus(Duration::from_secs(3600)).rfc3339()));
    let keywords = made["keywords"].as_array().unwrap();
    assert_eq!(keywords.iter().map(|k| k["keyword"].as_str().unwrap()).collect::<Vec<_>>(), ["cake", "pie"]);
    assert_eq!(keywords.iter().map(|k| k["whole_word"] == true).collect::<Vec<_>>(), [false, true]);
    assert_eq!(made["statuses"], json!([]));

    let path = format!("/api/v2/filters/{}", id(&made));
    assert_eq!(ana.get(&path).await.json(200), made);
    assert_eq!(ana.get("/api/v2/filters").await.json(200), json!([made]));
    let change = json!({"filter_action": "hide", "expires_in": "", "keywords_attributes": {
        "0": {"id": id(&keywords[0]), "_destroy": "1"},
        "1": {"id": id(&keywords[1]), "keyword": "tart"},
        "2": {"keyword": "roll"}}});
    let changed = ana.put(&path, change).await.json(200);
    assert_eq!((&changed["title"], &changed["filter_action"]), (&json!("Food"), &json!("hide")));
    assert_eq!(changed["expires_at"], Value::Null);
    let words: Vec<&str> =
        changed["keywords"].as_array().unwrap().iter().map(|k| k["keyword"].as_str().unwrap()).collect();
    assert_eq!(words, ["tart", "roll"]);

    assert_eq!(ben.get("/api/v2/filters").await.json(200), json!([]));
    ben.get(&path).await.error(404, "Record not found");
    ben.patch(&path, json!({"title": "x"})).await.error(404, "Record not found");
    ben.delete(&path).await.error(404, "Record not found");
    assert_eq!(ana.delete(&path).await.json(200), json!({}));
    ana.get(&path).await.error(404, "Record not found");
}

#[tokio::test]
async fn words_that_take_long_to_look_for_are_not_taken() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let words = |letter: &str, count: usize| {
        let words: Vec<Value> =
            (0..count).map(|n| json!({"keyword": format!("{n:03}{}", letter.repeat(509))})).collect();
        json!({"title": "t", "context": ["home"], "keywords_attributes": words})
    };
    ana.post("/api/v2/filters", words("a", 64)).await.json(200);
    ana.post("/api/v2/filters", words("b", 1)).await.error(422, "too many filters, keywords");
}

#[tokio::test]
async fn keywords_and_posts_are_added_and_removed_one_by_one() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let made = filter(&ana, "cake", "warn", &["home"]).await;
    let path = format!("/api/v2/filters/{}", id(&made));
    let keyword = ana.post(&format!("{path}/keywords"), json!({"keyword": "pie"})).await.json(200);
    assert_eq!((&keyword["keyword"], &keyword["whole_word"]), (&json!("pie"), &json!(true)));
    assert_eq!(ana.get(&format!("{path}/keywords")).await.json(200).as_array().unwrap().len(), 2);
    let at = format!("/api/v2/filters/keywords/{}", id(&keyword));
    assert_eq!(ana.get(&at).await.json(200), keyword);
    let changed = ana.patch(&at, json!({"keyword": "tart", "whole_word": false})).await.json(200);
    assert_eq!((&changed["keyword"], &changed["whole_word"]), (&json!("tart"), &json!(false)));
    ben.get(&at).await.error(404, "Record not found");
    ben.put(&at, json!({"keyword": "x"})).await.error(404, "Record not found");
    ben.delete(&at).await.error(404, "Record not found");
    assert_eq!(ana.delete(&at).await.json(200), json!({}));
    ana.get(&at).await.error(404, "Record not found");

    let (seen, secret) = (id(&post(&ben, "hi").await), super::post_to(&ben, "psst", "private").await);
    let row = ana.post(&format!("{path}/statuses"), json!({"status_id": seen})).await.json(200);
    assert_eq!(row["status_id"], json!(seen));
    ana.post(&format!("{path}/statuses"), json!({"status_id": seen})).await.error(422, "already been taken");
    ana.post(&format!("{path}/statuses"), json!({"status_id": id(&secret)})).await.error(404, "not found");
    ana.post(&format!("{path}/statuses"), json!({"status_id": "17"})).await.error(404, "not found");
    assert_eq!(ana.get(&format!("{path}/statuses")).await.json(200), json!([row]));
    let matched = ana.get(&format!("/api/v1/statuses/{seen}")).await.json(200);
    assert_eq!(matched["filtered"][0]["status_matches"], json!([seen]));
    assert_eq!(matched["filtered"][0]["keyword_matches"], Value::Null);
    let at = format!("/api/v2/filters/statuses/{}", id(&row));
    assert_eq!(ana.get(&at).await.json(200), row);
    ben.get(&at).await.error(404, "Record not found");
    ben.delete(&at).await.error(404, "Record not found");
    assert_eq!(ana.delete(&at).await.json(200), json!({}));
    assert_eq!(ana.get(&format!("/api/v1/statuses/{seen}")).await.json(200)["filtered"], json!([]));
}

#[tokio::test]
async fn version_one_shows_the_same_filters() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let form = "phrase=cake&context[]=home&irreversible=true&whole_word=false&expires_in=60";
    let made = ana.post_form("/api/v1/filters", form).await.json(200);
    let expected = json!({"id": id(&made), "phrase": "cake", "context": ["home"], "whole_word": false,
        "irreversible": true, "expires_at": app.now().plus(Duration::from_secs(60)).rfc3339()});
    assert_eq!(made, expected);
    let whole = ana.get("/api/v2/filters").await.json(200)[0].clone();
    assert_eq!((&whole["title"], &whole["filter_action"]), (&json!("cake"), &json!("hide")));
    assert_eq!(whole["keywords"][0]["id"], made["id"], "its id is the keyword's");

    let path = format!("/api/v1/filters/{}", id(&made));
    let change = json!({"phrase": "pie", "context": ["public", "thread"], "irreversible": false});
    let changed = ana.put(&path, change).await.json(200);
    assert_eq!((&changed["phrase"], &changed["irreversible"]), (&json!("pie"), &json!(false)));
    assert_eq!(changed["context"], json!(["public", "thread"]));
    assert_eq!(ana.get(&path).await.json(200), changed);
    ben.get(&path).await.error(404, "Record not found");
    ben.put(&path, json!({"phrase": "x"})).await.error(404, "Record not found");
    ben.delete(&path).await.error(404, "Record not found");

    let second = format!("/api/v2/filters/{}/keywords", id(&whole));
    ana.post(&second, json!({"keyword": "tart"})).await.json(200);
    assert_eq!(ana.get("/api/v1/filters").await.json(200).as_array().unwrap().len(), 2);
    ana.patch(&path, json!({"context": ["home"]})).await.error(422, "more than one filter keyword");
    assert_eq!(ana.patch(&path, json!({"phrase": "bun"})).await.json(200)["phrase"], "bun");
    for left in ana.get("/api/v1/filters").await.json(200).as_array().unwrap() {
        let path = format!("/api/v1/filters/{}", id(left));
        assert_eq!(ana.delete(&path).await.json(200), json!({}));
        ana.get(&path).await.error(404, "Record not found");
    }
    assert_eq!(ana.get("/api/v2/filters").await.json(200), json!([]), "with its last keyword a filter goes");
}

#[tokio::test]
async fn what_is_not_valid_is_refused() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let long = "x".repeat(513);
    let cases = [
        (json!({"title": "a"}), "Context can't be blank"),
        (json!({"title": "", "context": ["home"]}), "Title can't be blank"),
        (json!({"context": ["home"]}), "Title can't be blank"),
        (json!({"title": "x".repeat(257), "context": ["home"]}), "Title is too long"),
        (json!({"title": "a", "context": ["home", "x"]}), "invalid context"),
        (json!({"title": "a", "context": ["home"], "filter_action": "x"}), "filter_action"),
        (json!({"title": "a", "context": ["home"], "expires_in": "x"}), "expires_in"),
        (
            json!({"title": "a", "context": ["home"], "keywords_attributes": [{"keyword": ""}]}),
            "Keyword can't be blank",
        ),
        (
            json!({"title": "a", "context": ["home"], "keywords_attributes": [{"keyword": long}]}),
            "Keyword is too long",
        ),
    ];
    for (body, words) in cases {
        ana.post("/api/v2/filters", body).await.error(422, words);
    }
    ana.post("/api/v1/filters", json!({"context": ["home"]})).await.error(422, "can't be blank");
    for n in 0..100 {
        filter(&ana, &format!("w{n}"), "warn", &["home"]).await;
    }
    let body = json!({"title": "a", "context": ["home"]});
    ana.post("/api/v2/filters", body).await.error(422, "too many filters");
    let reader = app.person_with("rob", waxwing::model::Role::User, "read:filters").await;
    reader.get("/api/v2/filters").await.json(200);
    reader.post("/api/v2/filters", json!({})).await.error(403, "outside the authorized scopes");
    app.get("/api/v2/filters").await.error(401, "The access token is invalid");
}

/// Where each context's posts are, for the one who filters.
fn places(author: &Person<'_>, root: &str) -> [(&'static str, String); 7] {
    [
        ("home", "/api/v1/timelines/home".into()),
        ("public", "/api/v1/timelines/public".into()),
        ("public", "/api/v1/timelines/public?local=true".into()),
        ("public", "/api/v1/timelines/tag/x".into()),
        ("account", format!("/api/v1/accounts/{}/statuses", author.id)),
        ("thread", format!("/api/v1/statuses/{root}/context")),
        ("notifications", "/api/v1/notifications?types[]=mention".into()),
    ]
}

/// The posts of a place by id.
fn shown(place: &str, answer: &Value) -> Vec<(String, Value)> {
    let posts = match place {
        "thread" => answer["descendants"].as_array().unwrap().clone(),
        "notifications" => answer.as_array().unwrap().iter().map(|n| n["status"].clone()).collect(),
        _ => answer.as_array().unwrap().clone(),
    };
    posts.into_iter().map(|post| (id(&post), post["filtered"].clone())).collect()
}

#[tokio::test]
async fn a_hiding_filter_hides_in_its_context_only() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    follow(&ana, &ben).await;
    let root = id(&post(&ana, "a question about cake #x").await);
    // A public thread of its own author, so that public timelines list it.
    let body = json!({"status": "@ana Cake! #x", "in_reply_to_id": root});
    let reply = id(&ben.post("/api/v1/statuses", body).await.json(200));
    let listed = id(&post(&ben, "@ana more CAKE #x").await);
    settle(&app).await;
    for context in ["home", "public", "account", "thread", "notifications"] {
        let made = filter(&ana, "cake", "hide", &[context]).await;
        for (place, path) in places(&ben, &root) {
            let posts = shown(place, &ana.get(&path).await.json(200));
            let theirs: Vec<&(String, Value)> =
                posts.iter().filter(|(post, _)| *post == reply || *post == listed).collect();
            assert_eq!(theirs.is_empty(), place == context, "{context} filter at {path}: {posts:?}");
            for (_, filtered) in theirs {
                assert_eq!(filtered[0]["filter"]["id"], made["id"], "{path}");
                assert_eq!(filtered[0]["keyword_matches"], json!(["cake"]), "{path}");
            }
            let own = posts.iter().find(|(post, _)| *post == root);
            assert!(
                own.is_none_or(|(_, filtered)| *filtered == json!([])),
                "one's own post is never filtered"
            );
            assert!(place != "home" || own.is_some());
        }
        ana.delete(&format!("/api/v2/filters/{}", id(&made))).await.json(200);
    }
    let anybody = app.get("/api/v1/timelines/public").await.json(200);
    assert!(anybody[0].get("filtered").is_none());
}

#[tokio::test]
async fn a_warning_filter_marks_everywhere_and_ends() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let status = id(&post(&ben, "some cake").await);
    let boost = ben.post(&format!("/api/v1/statuses/{status}/reblog"), json!({})).await.json(200);
    for action in ["favourite", "bookmark"] {
        ana.post(&format!("/api/v1/statuses/{status}/{action}"), json!({})).await.json(200);
    }
    let body = json!({"title": "t", "context": ["home"], "expires_in": 60, "filter_action": "hide",
        "keywords_attributes": [{"keyword": "cake"}]});
    ana.post("/api/v2/filters", body).await.json(200);
    let filtered = async || {
        let mut all = Vec::new();
        for list in ["/api/v1/favourites", "/api/v1/bookmarks"] {
            all.push(ana.get(list).await.json(200)[0]["filtered"].clone());
        }
        let boost = ana.get(&format!("/api/v1/statuses/{}", id(&boost))).await.json(200);
        all.extend([boost["filtered"].clone(), boost["reblog"]["filtered"].clone()]);
        all
    };
    for found in filtered().await {
        assert_eq!(found[0]["filter"]["title"], "t");
        assert!(found[0]["filter"].get("keywords").is_none());
    }
    let ben_sees = ben.get(&format!("/api/v1/statuses/{status}")).await.json(200);
    assert_eq!(ben_sees["filtered"], json!([]), "filters are their owner's");
    app.clock.advance(Duration::from_secs(61));
    for found in filtered().await {
        assert_eq!(found, json!([]));
    }
    assert_eq!(ana.get("/api/v2/filters").await.json(200).as_array().unwrap().len(), 1, "it is kept");
}

#[tokio::test]
async fn pages_lead_on_although_all_of_a_page_is_hidden() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    follow(&ana, &ben).await;
    let mut expected = Vec::new();
    for n in 0..30 {
        let text = if n % 9 == 0 { format!("good {n} #w") } else { format!("cake {n} #w") };
        let status = id(&post(&ben, &text).await);
        if n % 9 == 0 {
            expected.insert(0, status);
        }
    }
    settle(&app).await;
    filter(&ana, "cake", "hide", &["home", "public", "account"]).await;
    let lists = [
        "/api/v1/timelines/home".to_owned(),
        "/api/v1/timelines/public".to_owned(),
        "/api/v1/timelines/tag/w".to_owned(),
        format!("/api/v1/accounts/{}/statuses", ben.id),
    ];
    for list in lists {
        for limit in [1, 2, 40] {
            assert_eq!(walk(&ana, &format!("{list}?limit={limit}")).await, expected, "{list} by {limit}");
        }
        let mut back = Vec::new();
        let mut path = Some(format!("{list}?limit=2&min_id=1"));
        while let Some(here) = path {
            let answer = ana.get(&here).await;
            back.extend(ids(&answer.json(200)).into_iter().rev());
            path = answer.link("prev");
        }
        back.reverse();
        assert_eq!(back, expected, "{list} upwards");
    }
}
