//! Every page with made-up content, to work on its looks without a server.
//!
//! `cargo run --example pages` prints an address; open it. Styles and scripts
//! are read from `assets/` at each start, so a change to them needs no build.

mod own;
mod sample;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use waxwing::edge::web::{assets, view::Theme};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}/", listener.local_addr()?);
    let routes = Router::new()
        .route("/", get(index))
        .route("/{theme}/{name}", get(page))
        .route("/assets/{*name}", get(assets::serve));
    axum::serve(listener, routes).await?;
    Ok(())
}

async fn index() -> impl IntoResponse {
    let mut list = String::from("<!doctype html><title>Pages</title><ul>");
    for (name, _) in sample::pages(Theme::Auto) {
        list += &format!(r#"<li>{name}: <a href="/light/{name}">light</a> <a href="/dark/{name}">dark</a>"#);
    }
    Html(list)
}

async fn page(Path((theme, name)): Path<(String, String)>) -> impl IntoResponse {
    let found = sample::pages(Theme::from_value(&theme)).into_iter().find(|(known, _)| *known == name);
    match found {
        Some((_, html)) => ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// As strict as the real server's.
const POLICY: &str = waxwing::edge::web::CONTENT_POLICY;
