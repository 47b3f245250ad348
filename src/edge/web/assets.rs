//! Styles, scripts and pictures, compiled into the program.
//!
//! Each is served under a name that carries a digest of its content, so a
//! browser may keep it for ever. All of `assets/css` is sent as one file,
//! all of `assets/js` as another: many small files to read, one to fetch.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// Path under which assets are served, without the closing slash.
pub const PREFIX: &str = "/assets";
/// The styles.
pub const STYLE: &str = "waxwing.css";
/// The scripts.
pub const SCRIPT: &str = "waxwing.js";

struct Asset {
    body: Bytes,
    mime: String,
    digest: String,
    url: String,
}

// Built once in release; in debug too, so edits to a style need a restart but no build.
static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(load);

fn load() -> HashMap<String, Asset> {
    let mut names: Vec<Cow<'static, str>> = Files::iter().collect();
    names.sort();
    let (mut style, mut script) = (Vec::new(), Vec::new());
    let mut assets = HashMap::new();
    for name in names {
        let Some(file) = Files::get(&name) else { continue };
        let into = match name.split_once('/') {
            Some(("css", _)) => &mut style,
            Some(("js", _)) => &mut script,
            _ => {
                let mime = file.metadata.mimetype().to_owned();
                insert(&mut assets, &name, file.data.into_owned(), mime);
                continue;
            }
        };
        into.extend_from_slice(&file.data);
        into.push(b'\n');
    }
    insert(&mut assets, STYLE, style, "text/css".to_owned());
    insert(&mut assets, SCRIPT, script, "text/javascript".to_owned());
    assets
}

fn insert(assets: &mut HashMap<String, Asset>, name: &str, body: Vec<u8>, mime: String) {
    let digest = short_digest(&body);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "bin"));
    let url = format!("{PREFIX}/{stem}.{digest}.{extension}");
    let text = mime.starts_with("text/") || mime.ends_with("+xml") || mime.ends_with("json");
    let mime = if text { format!("{mime}; charset=utf-8") } else { mime };
    assets.insert(name.to_owned(), Asset { body: body.into(), mime, digest, url });
}

fn short_digest(body: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    digest.as_ref()[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The address of an asset (`icons.svg`), relative to the site.
///
/// # Panics
/// When there is no such asset: names are constants of the templates, and a
/// test renders them all.
pub fn url(name: &str) -> &'static str {
    &ASSETS.get(name).unwrap_or_else(|| panic!("assets/{name} is missing")).url
}

/// The content of an asset, for routes with a fixed name (`/favicon.ico`).
pub fn body(name: &str) -> Option<(Bytes, &'static str)> {
    ASSETS.get(name).map(|asset| (asset.body.clone(), asset.mime.as_str()))
}

/// `GET /assets/{*name}`.
pub async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some((asset, is_exact)) = find(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = format!("\"{}\"", asset.digest);
    // An address of an older version still gets the file, but must ask again next time.
    let caching = if is_exact { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let common = [(header::ETAG, etag.clone()), (header::CACHE_CONTROL, caching.to_owned())];
    if known.is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag)) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let content = [
        (header::CONTENT_TYPE, asset.mime.as_str()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A picture opened on its own must not run anything.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        // Phone apps and other sites show our default pictures.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (common, content, asset.body.clone()).into_response()
}

/// `waxwing.0123456789ab.css` or `waxwing.css`, and whether the digest fits.
fn find(name: &str) -> Option<(&'static Asset, bool)> {
    if let Some(asset) = ASSETS.get(name) {
        return Some((asset, false));
    }
    let (rest, extension) = name.rsplit_once('.')?;
    let (stem, digest) = rest.rsplit_once('.')?;
    let asset = ASSETS.get(&format!("{stem}.{extension}"))?;
    Some((asset, asset.digest == digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(name: &str, headers: HeaderMap) -> Response {
        serve(Path(name.to_owned()), headers).await
    }

    fn header(response: &Response, name: header::HeaderName) -> &str {
        response.headers().get(name).map_or("", |v| v.to_str().unwrap())
    }

    #[tokio::test]
    async fn the_exact_address_may_be_kept_for_ever() {
        let name = url(STYLE).strip_prefix("/assets/").unwrap();
        let response = get(name, HeaderMap::new()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, header::CONTENT_TYPE), "text/css; charset=utf-8");
        assert!(header(&response, header::CACHE_CONTROL).contains("immutable"));

        let etag = response.headers()[header::ETAG].clone();
        let again = get(name, HeaderMap::from_iter([(header::IF_NONE_MATCH, etag)])).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }

    #[tokio::test]
    async fn an_outdated_address_is_asked_for_again() {
        for name in ["waxwing.css", "waxwing.000000000000.css"] {
            let response = get(name, HeaderMap::new()).await;
            assert_eq!(response.status(), StatusCode::OK, "{name}");
            assert_eq!(header(&response, header::CACHE_CONTROL), "no-cache", "{name}");
        }
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_found() {
        for name in ["", "nothing.css", "../Cargo.toml", "css/10-tokens.css", "x.y.z.css"] {
            assert_eq!(get(name, HeaderMap::new()).await.status(), StatusCode::NOT_FOUND, "{name}");
        }
    }
}
