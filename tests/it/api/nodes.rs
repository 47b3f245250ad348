//! The nodes, as those who run the server see them. What several of them
//! know of each other is tested on PostgreSQL, in `scale_out`.

use crate::kit::TestApp;
use waxwing::model::Role;

#[tokio::test]
async fn a_server_with_a_store_of_its_own_is_the_only_node() {
    let app = TestApp::start().await;
    let boss = app.person_with("boss", Role::Admin, "read admin:read").await;
    let nodes = boss.get("/api/waxwing/v1/nodes").await.json(200);
    assert_eq!((&nodes["is_shared"], &nodes["policy"]), (&false.into(), &serde_json::Value::Null));
    assert!(nodes["words"].as_str().unwrap().contains("`store postgres://"), "{nodes}");
    assert_eq!(nodes["warnings"].as_array().map(Vec::len), Some(0));
    let [node] = nodes["nodes"].as_array().unwrap().as_slice() else { panic!("{nodes}") };
    assert_eq!(
        (&node["state"], &node["is_me"], &node["shards"]),
        (&"live".into(), &true.into(), &256.into())
    );
    assert_eq!(node["version"], env!("CARGO_PKG_VERSION"));
    // This request is under way.
    assert!(node["load"]["in_flight"].as_u64() >= Some(1), "{node}");
    let queue = boss.get("/api/waxwing/v1/deliveries").await.json(200);
    assert_eq!(queue["nodes"], serde_json::json!([]));
}
