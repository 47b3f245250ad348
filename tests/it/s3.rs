//! Files in a bucket: the same uploads, kept by an S3 server on loopback
//! that checks signatures.

use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::error_handling::HandleError;
use http::{Request, StatusCode};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use waxwing::config::MediaChoice;
use waxwing::edge::media::{process, sweep};
use waxwing::net::files::Files;

use crate::api::media::{try_upload_png, upload_png};
use crate::kit::{TestApp, settings};

/// An S3 server whose bucket `birds` is a folder. It ends when it is dropped,
/// with all its connections.
struct Bucket {
    runtime: Option<Runtime>,
    address: SocketAddr,
}

impl Bucket {
    async fn start(root: &Path) -> Bucket {
        std::fs::create_dir(root.join("birds")).unwrap();
        Bucket::at("127.0.0.1:0".parse().unwrap(), root).await
    }

    /// At an address where one was stopped, or at any port.
    async fn at(address: SocketAddr, root: &Path) -> Bucket {
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
        builder.set_auth(SimpleAuth::from_single("wren", "a secret/of birds"));
        let failed = async |error: s3s::HttpError| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}"));
        let router = Router::new().fallback_service(HandleError::new(builder.build(), failed));
        // One of its own: what is dropped with it hangs up.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let bound = runtime.spawn(async move {
            let listener = TcpListener::bind(address).await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move { axum::serve(listener, router).await });
            address
        });
        Bucket { address: bound.await.unwrap(), runtime: Some(runtime) }
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

fn directive(endpoint: &str, secret: &str) -> String {
    format!("media \"s3://birds/media?endpoint={endpoint}&access_key=wren&secret_key={secret}\"")
}

fn path(url: &Value) -> String {
    url.as_str().unwrap().strip_prefix("https://social.example").unwrap().to_owned()
}

fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let count = |path: std::path::PathBuf| if path.is_dir() { files_below(&path) } else { 1 };
    entries.map(|entry| count(entry.path())).sum()
}

#[tokio::test]
async fn uploads_live_in_a_bucket() {
    let root = tempfile::tempdir().unwrap();
    let bucket = Bucket::start(root.path()).await;
    let app = TestApp::with(&directive(&bucket.endpoint(), "a%20secret%2Fof%20birds")).await;
    let ana = app.person("ana").await;
    let media = upload_png(&app, &ana).await;
    let whole = app.get(&path(&media["url"])).await;
    assert_eq!((whole.status.as_u16(), whole.header("content-type")), (200, Some("image/png")));
    assert_eq!(files_below(&root.path().join("birds/media")), 2, "the picture and its small version");
    let part = Request::builder().uri(path(&media["url"])).header("range", "bytes=1-3");
    let part = app.send(part.body(Body::empty()).unwrap()).await;
    assert_eq!((part.status.as_u16(), part.bytes.as_slice()), (206, &b"PNG"[..]));
    assert_eq!(app.get(&format!("/media/{}.png", "0a".repeat(16))).await.status, 404);

    // One that waits to be drawn waits there, too.
    let later = crate::api::media::upload_later(&app, &ana).await;
    process(&app.state, later["id"].as_str().unwrap().parse().unwrap()).await.unwrap();
    let post = json!({ "media_ids": [later["id"]] });
    ana.post("/api/v1/statuses", post).await.json(200);

    ana.delete(&format!("/api/v1/media/{}", media["id"].as_str().unwrap())).await.json(200);
    assert_eq!(sweep(&app.state).await.unwrap(), 0);
    assert_eq!(app.get(&path(&media["url"])).await.status, 404);
    assert_eq!(files_below(&root.path().join("birds/media")), 2, "what the post shows stays");
}

#[tokio::test]
async fn a_wrong_secret_is_told_and_keeps_nothing() {
    let root = tempfile::tempdir().unwrap();
    let bucket = Bucket::start(root.path()).await;
    let text = format!("https://social.example\ntls internal\n{}\n", directive(&bucket.endpoint(), "guess"));
    let choice: MediaChoice = settings(&text).media;
    let files = Files::open(&choice, b"").unwrap();
    let problem = files.put("a.png", &b"x"[..]).await.unwrap_err();
    assert_eq!(problem.kind.status(), 503);
    assert_eq!(files_below(&root.path().join("birds")), 0);
}

#[tokio::test]
async fn a_bucket_that_is_away_is_told_and_used_again_when_it_is_back() {
    let root = tempfile::tempdir().unwrap();
    let bucket = Bucket::start(root.path()).await;
    let address = bucket.address;
    let app = TestApp::with(&directive(&bucket.endpoint(), "a%20secret%2Fof%20birds")).await;
    let ana = app.person("ana").await;
    let media = upload_png(&app, &ana).await;

    drop(bucket);
    for reply in [app.get(&path(&media["url"])).await, try_upload_png(&app, &ana).await] {
        assert_eq!(reply.status.as_u16(), 503, "{}", reply.text());
        assert!(reply.text().contains("Files cannot be reached at the moment"), "{}", reply.text());
        assert!(!reply.text().contains(&address.to_string()), "{}", reply.text());
    }
    // What needs no files works as ever.
    let post = json!({ "status": "no picture today" });
    ana.post("/api/v1/statuses", post).await.json(200);

    let _back = Bucket::at(address, root.path()).await;
    assert_eq!(app.get(&path(&media["url"])).await.status, 200);
    upload_png(&app, &ana).await;
}
