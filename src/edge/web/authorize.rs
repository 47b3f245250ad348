//! The page on which a person lets an app in, and the one that shows a code
//! to type into an app. The answer is taken by `edge::api::oauth`.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::http::{HeaderValue, Uri};
use axum::response::Response;
use axum::routing::get;
use utoipa::{IntoParams, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use super::frame::Member;
use super::pages::{AuthorizePage, CodePage, ScopeView, render};
use super::{CONTENT_POLICY, show};
use crate::base::Problem;
use crate::domain::oauth::{self, OUT_OF_BAND};
use crate::edge::AppState;
use crate::edge::api::oauth::authorize_request;
use crate::edge::api::params::Params;

/// Fields of the request that the form sends back as they came.
const ECHOED: [&str; 7] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
];

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/oauth/authorize", get(ask)).route("/oauth/authorize/native", get(code))
}

/// The description of this page, which is part of the API.
pub(crate) fn document() -> OpenApiRouter<AppState> {
    #[derive(OpenApi)]
    #[openapi(paths(ask))]
    struct Page;
    OpenApiRouter::with_openapi(Page::openapi())
}

/// What an app sends a person's browser with.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // a description only; `authorize_request` reads it
struct Ask {
    /// `code`.
    response_type: String,
    client_id: String,
    redirect_uri: String,
    /// With spaces between; `read` if nothing is said.
    scope: Option<String>,
    /// Sent back as it is.
    state: Option<String>,
    code_challenge: Option<String>,
    /// `S256`.
    code_challenge_method: Option<String>,
}

/// The page on which a person lets an app in. It takes the browser's session;
/// who is not logged in is asked to first.
#[utoipa::path(get, path = "/oauth/authorize", tag = "OAuth", params(Ask), responses(
    (status = 200, body = String, content_type = "text/html"),
    (status = 303, description = "To the login page.")))]
async fn ask(member: Member, params: Params) -> Result<Response, Problem> {
    let visit = member.visit;
    let request = authorize_request(&params);
    let redirect_uri = request.redirect_uri.clone();
    let (facts, (app, scopes)) = visit.read(move |tx, _| oauth::check_authorize(tx, &request)).await?;
    let hidden = ECHOED.iter().filter_map(|name| Some(((*name).to_owned(), params.text(name)?)));
    let page = AuthorizePage {
        shell: visit.shell(format!("Let {} in?", app.name), &facts),
        app_website: app.website.filter(|url| url.starts_with("https://") || url.starts_with("http://")),
        app_name: app.name,
        returns_to: returns_to(&redirect_uri),
        scopes: scopes.into_iter().map(|name| ScopeView { sentence: sentence(&name), name }).collect(),
        hidden: hidden.collect(),
    };
    let mut response = show(&visit, &page)?;
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy(&redirect_uri));
    Ok(response)
}

/// Browsers apply `form-action` to the redirect after a form too, so the
/// app's address must be among those allowed here.
fn policy(redirect_uri: &str) -> HeaderValue {
    let Some(source) = source(redirect_uri) else { return HeaderValue::from_static(CONTENT_POLICY) };
    let allowed = format!("form-action 'self' {source}");
    let policy = CONTENT_POLICY.replace("form-action 'self'", &allowed);
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(CONTENT_POLICY))
}

/// The origin of a web address, or the scheme of an app's own. Only letters
/// that cannot end the directive pass.
fn source(redirect_uri: &str) -> Option<String> {
    let url = url::Url::parse(redirect_uri).ok()?;
    let source = match url.scheme() {
        "http" | "https" => url.origin().ascii_serialization(),
        scheme => format!("{scheme}:"),
    };
    let is_plain = source
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'/' | b'.' | b'-' | b'+' | b'[' | b']'));
    is_plain.then_some(source)
}

fn returns_to(redirect_uri: &str) -> String {
    if redirect_uri == OUT_OF_BAND {
        return "a page with a code".to_owned();
    }
    match redirect_uri.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)) {
        Some(host) if redirect_uri.starts_with("http") => host,
        _ => redirect_uri.split(':').next().unwrap_or_default().to_owned(),
    }
}

/// What a scope lets an app do.
fn sentence(scope: &str) -> &'static str {
    match scope {
        "read" => "Read everything you can read: timelines, notifications, your profile and settings",
        "write" => "Act for you: post, like, boost, follow, and change your profile",
        "follow" => "Follow, block and mute people for you",
        "push" => "Send you push notifications",
        "profile" => "See your name and picture",
        "read:accounts" => "See accounts and your profile",
        "read:bookmarks" => "See your bookmarks",
        "read:favourites" => "See what you like",
        "read:notifications" => "See your notifications",
        "read:statuses" => "See posts",
        "write:accounts" => "Change your profile",
        "write:follows" => "Follow and unfollow people for you",
        "write:media" => "Upload files",
        "write:statuses" => "Post for you, and delete your posts",
        scope if scope.starts_with("admin:read") => "See what only those who run this server see",
        scope if scope.starts_with("admin:write") => "Act as those who run this server do",
        scope if scope.starts_with("read:") => "See this part of your account",
        _ => "Change this part of your account",
    }
}

/// `GET /oauth/authorize/native?code=`.
async fn code(member: Member, params: Params) -> Result<Response, Problem> {
    let code = params.filled("code").ok_or_else(|| Problem::malformed("No app was let in"))?;
    let shell = member.visit.shell("Your code", &member.visit.facts().await?);
    let mut response = render(&CodePage { shell, app_name: "the app".to_owned(), code })?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_may_lead_back_to_the_app_and_nowhere_else() {
        for (redirect_uri, expected) in [
            ("https://app.example/cb?x=1", Some("https://app.example")),
            ("http://localhost:8080/cb", Some("http://localhost:8080")),
            ("com.example.app://oauth", Some("com.example.app:")),
            ("urn:ietf:wg:oauth:2.0:oob", Some("urn:")),
            ("not an address", None),
        ] {
            assert_eq!(source(redirect_uri).as_deref(), expected, "{redirect_uri}");
        }
        let policy = policy("https://app.example/cb;script-src *");
        assert!(policy.to_str().unwrap().contains("form-action 'self' https://app.example;"));
        assert!(!policy.to_str().unwrap().contains("script-src *"));
    }
}
