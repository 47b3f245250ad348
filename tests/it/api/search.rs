use serde_json::{Value, json};

use super::{id, post, post_to};
use crate::kit::TestApp;

#[tokio::test]
async fn accounts_are_found_by_the_beginning_of_their_name() {
    let app = TestApp::start().await;
    let (ana, _anabel, ben) = (app.person("ana").await, app.person("Anabel").await, app.person("ben").await);
    for query in ["an", "@an", "%40AN"] {
        let found = ben.get(&format!("/api/v2/search?q={query}&type=accounts")).await.json(200);
        let names: Vec<&str> =
            found["accounts"].as_array().unwrap().iter().map(|a| a["acct"].as_str().unwrap()).collect();
        assert_eq!(names, ["ana", "Anabel"], "{query}");
        assert_eq!((&found["statuses"], &found["hashtags"]), (&json!([]), &json!([])));
    }
    let found = ben.get("/api/v2/search?q=@ana@social.example").await.json(200);
    assert_eq!(found["accounts"][0]["id"], ana.id.to_string());
    let found = ben.get("/api/v2/search?q=ana&following=true").await.json(200);
    assert_eq!(found["accounts"], json!([]));
    ana.post(&format!("/api/v1/accounts/{}/block", ben.id), json!({})).await.json(200);
    let found = ben.get("/api/v2/search?q=ana&type=accounts&limit=1").await.json(200);
    assert_eq!(found["accounts"][0]["acct"], "Anabel");
    // Whom one blocks oneself is found by the full name alone.
    for (query, expected) in
        [("ben", json!(["ben"])), ("@ben@social.example", json!(["ben"])), ("be", json!([]))]
    {
        let found = ana.get(&format!("/api/v2/search?q={query}&type=accounts")).await.json(200);
        let names: Vec<&Value> = found["accounts"].as_array().unwrap().iter().map(|a| &a["acct"]).collect();
        assert_eq!(json!(names), expected, "{query}");
    }
}

#[tokio::test]
async fn hashtags_are_found_by_their_beginning_in_public_posts_only() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    post(&ana, "#Rust #rustlang #other").await;
    post(&ana, "#rust again").await;
    post_to(&ana, "#rusty", "private").await;
    let found = app.get("/api/v2/search?q=%23rust").await.json(200);
    let names: Vec<&str> =
        found["hashtags"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["rust", "rustlang"]);
    assert_eq!(found["hashtags"][0]["history"][0]["uses"], "2");
    let tag = ana.get("/api/v1/tags/Rust").await.json(200);
    assert_eq!((&tag["name"], &tag["following"]), (&json!("rust"), &json!(false)));
}

#[tokio::test]
async fn posts_are_found_by_their_address_by_those_who_may_see_them() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let status = post_to(&ana, "secret", "private").await;
    for key in ["url", "uri"] {
        let address = status[key].as_str().unwrap();
        let path = format!("/api/v2/search?q={}", address.replace('/', "%2F"));
        assert_eq!(ana.get(&path).await.json(200)["statuses"][0]["id"], json!(id(&status)), "{key}");
        assert_eq!(ben.get(&path).await.json(200)["statuses"], json!([]), "{key}");
        assert_eq!(app.get(&path).await.json(200)["statuses"], json!([]), "{key}");
    }
    let profile = ben.get("/api/v2/search?q=https://social.example/@ana").await.json(200);
    assert_eq!(profile["accounts"][0]["acct"], "ana");
}

#[tokio::test]
async fn resolving_and_paging_need_a_login() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    app.get("/api/v2/search?q=a&resolve=true").await.error(401, "not supported without authentication");
    app.get("/api/v2/search?q=a&offset=1").await.error(401, "not supported without authentication");
    ana.get("/api/v2/search?q=a&offset=-1").await.error(400, "offset");
    ana.get("/api/v2/search?q=a&limit=-1").await.error(400, "negative");
    let nothing = json!({"accounts": [], "statuses": [], "hashtags": []});
    assert_eq!(ana.get("/api/v2/search").await.json(200), nothing);
}

/// The texts of the posts that a search finds.
async fn texts(person: &crate::kit::Person<'_>, query: &str) -> Vec<String> {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let found = person.get(&format!("/api/v2/search?type=statuses&q={query}")).await.json(200);
    let text = |status: &serde_json::Value| {
        status["content"].as_str().unwrap().replace("<p>", "").replace("</p>", "")
    };
    found["statuses"].as_array().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn posts_are_found_by_their_words_by_those_who_may_find_them() {
    let app = TestApp::start().await;
    let (ana, ben, cleo) = (app.person("ana").await, app.person("ben").await, app.person("cleo").await);
    for person in [&ana, &cleo] {
        person.patch("/api/v1/accounts/update_credentials", json!({"indexable": person.id == ana.id})).await;
    }
    post(&ana, "a public otter").await;
    let quiet = post_to(&ana, "an unlisted otter", "unlisted").await;
    post_to(&ana, "a private otter", "private").await;
    post_to(&ana, "@ben a direct otter", "direct").await;
    post(&cleo, "an otter of one who is not indexable").await;
    app.index().await;

    assert_eq!(texts(&ana, "otter").await.len(), 5 - 1, "all of her own");
    let bens = texts(&ben, "otter").await;
    assert_eq!(bens.len(), 2, "{bens:?}");
    assert!(bens[0].ends_with("a direct otter") && bens[1] == "a public otter", "{bens:?}");
    assert_eq!(texts(&cleo, "otter from:ana").await, ["a public otter"]);
    assert_eq!(texts(&ben, "otter from:me").await, [""; 0]);
    assert_eq!(
        texts(&ana, "otter -private -direct in:library").await,
        ["an unlisted otter", "a public otter"]
    );
    // What one likes can be found again, at once.
    ben.post(&format!("/api/v1/statuses/{}/bookmark", id(&quiet)), json!({})).await.json(200);
    assert_eq!(texts(&ben, "unlisted otter").await, ["an unlisted otter"]);
    ben.post(&format!("/api/v1/statuses/{}/unbookmark", id(&quiet)), json!({})).await.json(200);
    assert_eq!(texts(&ben, "unlisted otter").await, [""; 0]);
    // Nobody finds posts without a login, as in Mastodon.
    assert_eq!(app.get("/api/v2/search?q=otter&type=statuses").await.json(200)["statuses"], json!([]));
    // A block counts at once, though the index knows nothing of it.
    ana.post(&format!("/api/v1/accounts/{}/block", cleo.id), json!({})).await.json(200);
    assert_eq!(texts(&cleo, "otter from:ana").await, [""; 0]);
}

#[tokio::test]
async fn a_search_follows_what_becomes_of_a_post() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let status = post(&ana, "the first wording").await;
    app.index().await;
    assert_eq!(texts(&ana, "wording").await, ["the first wording"]);
    // Gone from the store is gone from results, before the index knows.
    let path = format!("/api/v1/statuses/{}", id(&status));
    ana.put(&path, json!({"status": "quite another one"})).await.json(200);
    app.index().await;
    assert_eq!(texts(&ana, "wording").await, [""; 0]);
    assert_eq!(texts(&ana, "another").await, ["quite another one"]);
    ana.delete(&path).await.json(200);
    assert_eq!(texts(&ana, "another").await, [""; 0]);
}

#[tokio::test]
async fn results_page_by_offset_without_holes() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    for n in 0..5 {
        post(&ana, &format!("page {n}")).await;
    }
    app.index().await;
    let mut seen = Vec::new();
    for offset in [0, 2, 4, 6] {
        let path = format!("/api/v2/search?q=page&type=statuses&limit=2&offset={offset}");
        let found = ana.get(&path).await.json(200);
        seen.extend(found["statuses"].as_array().unwrap().iter().map(|s| s["content"].to_string()));
    }
    let all: Vec<String> = (0..5).rev().map(|n| format!("\"<p>page {n}</p>\"")).collect();
    assert_eq!(seen, all);
    let of = |id: &str| format!("/api/v2/search?q=page&type=statuses&account_id={id}");
    let mine = ana.get(&of(&ana.id.to_string())).await.json(200);
    assert_eq!(mine["statuses"].as_array().unwrap().len(), 5);
    assert_eq!(ana.get(&of("77")).await.json(200)["statuses"], json!([]));
    let v1 = ana.get("/api/v1/search?q=page").await.json(200);
    assert_eq!((v1["statuses"].as_array().unwrap().len(), &v1["hashtags"]), (5, &json!([])));
}

#[tokio::test]
async fn people_are_found_by_what_they_call_themselves() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let profile = json!({"display_name": "Zoë the Fisher"});
    ana.patch("/api/v1/accounts/update_credentials", profile).await.json(200);
    app.index().await;
    for path in ["/api/v2/search?type=accounts&q=fish", "/api/v2/search?q=zoe%20fisher"] {
        assert_eq!(ben.get(path).await.json(200)["accounts"][0]["acct"], "ana", "{path}");
    }
    assert_eq!(ben.get("/api/v1/accounts/search?q=fisher").await.json(200)[0]["acct"], "ana");
    ana.post(&format!("/api/v1/accounts/{}/block", ben.id), json!({})).await.json(200);
    assert_eq!(ben.get("/api/v2/search?q=fisher").await.json(200)["accounts"], json!([]));
}
