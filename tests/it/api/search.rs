use serde_json::json;

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
    assert_eq!(found["hashtags"][0]["history"], json!([]));
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
