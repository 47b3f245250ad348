//! How others find us: WebFinger, host-meta, NodeInfo. Always open.

use axum::extract::{Path, Query, State};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::account;
use crate::model::tables::{COUNT, count};
use crate::model::{Account, Registration};
use crate::wire::host_meta::{self, HostMeta};
use crate::wire::nodeinfo::{self, Facts, Version};
use crate::wire::webfinger::{self, Jrd, LocalAccount, Resource};

/// The routes below `/.well-known`, and NodeInfo.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(finger))
        .routes(routes!(change_password))
        .routes(routes!(host_meta_xml))
        .routes(routes!(host_meta_json))
        .routes(routes!(nodeinfo_index))
        .routes(routes!(nodeinfo_document))
        .routes(routes!(authorize_interaction))
}

fn json_answer(media_type: &'static str, document: &impl Serialize) -> Result<Response, Problem> {
    Ok(text_answer(media_type, serde_json::to_string(document).map_err(Problem::internal)?))
}

fn text_answer(media_type: &'static str, text: String) -> Response {
    let mut response = (StatusCode::OK, text).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=600"));
    response
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// `acct:user@host`, or the address of an actor or profile.
    #[param(required, nullable = false)]
    resource: Option<String>,
}

/// Where an account is (RFC 7033).
#[utoipa::path(get, path = "/.well-known/webfinger", tag = "Discovery", params(Asked), responses(
    (status = 200, body = Jrd, content_type = "application/jrd+json"),
    (status = 410, description = "The account was deleted.")))]
async fn finger(State(state): State<AppState>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let resource = asked.resource.unwrap_or_default();
    let resource = webfinger::parse_resource(&resource)
        .ok_or_else(|| Problem::malformed("`resource` is to be acct:user@host or a URL"))?;
    let (site, wanted) = (state.site.clone(), name_of(&state, &resource));
    let subject = match wanted {
        Wanted::Instance => return instance_answer(&state),
        Wanted::Nobody => return Err(Problem::not_found()),
        Wanted::Name(name) => state.store.read(move |tx| by_name(tx, &name)).await?,
        Wanted::Id(id) => state.store.read(move |tx| account::get(tx, id)).await?,
    };
    let account = subject.filter(Account::is_local).ok_or_else(Problem::not_found)?;
    if account.deleted_at.is_some() {
        return Err(Problem::new(ProblemKind::Gone, "the account is gone"));
    }
    if !account.is_visible() {
        return Err(Problem::not_found());
    }
    let acct = format!("{}@{}", account.username, site.domain);
    let avatar = account.avatar.as_ref().map(|picture| site.picture_url(picture));
    let answer = webfinger::answer(LocalAccount {
        acct: &acct,
        actor: &account.uri,
        profile: &account.url,
        avatar: avatar.as_deref(),
        origin: &site.origin,
    });
    json_answer(webfinger::MEDIA_TYPE, &answer)
}

fn by_name(tx: &crate::store::ReadTx<'_>, name: &str) -> Result<Option<Account>, crate::store::StoreError> {
    match account::id_by_handle(tx, name, None)? {
        Some(id) => account::get(tx, id),
        None => Ok(None),
    }
}

enum Wanted {
    Name(String),
    Id(Id),
    Instance,
    Nobody,
}

fn name_of(state: &AppState, resource: &Resource) -> Wanted {
    let site = &state.site;
    match resource {
        Resource::Account { username, domain } if *domain == site.domain => {
            if username.eq_ignore_ascii_case(&site.domain) {
                Wanted::Instance
            } else {
                Wanted::Name(username.clone())
            }
        }
        Resource::Account { .. } => Wanted::Nobody,
        Resource::Url(url) if *url == site.instance_actor() => Wanted::Instance,
        Resource::Url(url) => match (site.actor_id(url), url.strip_prefix(&format!("{}/@", site.origin))) {
            (Some(id), _) => Wanted::Id(id),
            (None, Some(name)) => Wanted::Name(name.to_owned()),
            (None, None) => Wanted::Nobody,
        },
    }
}

fn instance_answer(state: &AppState) -> Result<Response, Problem> {
    let site = &state.site;
    let acct = format!("{0}@{0}", site.domain);
    let (actor, page) = (site.instance_actor(), format!("{}/", site.origin));
    let answer = webfinger::answer(LocalAccount {
        acct: &acct,
        actor: &actor,
        profile: &page,
        avatar: None,
        origin: &site.origin,
    });
    json_answer(webfinger::MEDIA_TYPE, &answer)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Interaction {
    /// The address or handle of what the visitor saw elsewhere.
    uri: Option<String>,
}

/// Where a password is changed (W3C, A Well-Known URL for Changing Passwords).
#[utoipa::path(get, path = "/.well-known/change-password", tag = "Discovery",
    responses((status = 302, description = "To the page.")))]
async fn change_password() -> Response {
    (StatusCode::FOUND, [(LOCATION, "/settings/security")]).into_response()
}

/// Where other servers send a visitor who
/// lives here. Leads to our own search and nowhere else; nothing is done
/// before the visitor says so there.
#[utoipa::path(get, path = "/authorize_interaction", tag = "Discovery", params(Interaction),
    responses((status = 303, description = "To our search.")))]
async fn authorize_interaction(Query(asked): Query<Interaction>) -> Redirect {
    let wanted = asked.uri.unwrap_or_default();
    let wanted = wanted.strip_prefix("acct:").unwrap_or(&wanted);
    let query: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    Redirect::to(&format!("/search?q={query}"))
}

/// Where WebFinger is (RFC 6415).
#[utoipa::path(get, path = "/.well-known/host-meta", tag = "Discovery",
    responses((status = 200, body = String, content_type = "application/xrd+xml")))]
async fn host_meta_xml(State(state): State<AppState>) -> Response {
    text_answer(host_meta::MEDIA_TYPE, host_meta::xml(&state.site.origin))
}

/// Where WebFinger is, in JSON.
#[utoipa::path(get, path = "/.well-known/host-meta.json", tag = "Discovery",
    responses((status = 200, body = HostMeta)))]
async fn host_meta_json(State(state): State<AppState>) -> Result<Response, Problem> {
    json_answer("application/json", &host_meta::json(&state.site.origin))
}

/// Where NodeInfo is.
#[utoipa::path(get, path = "/.well-known/nodeinfo", tag = "Discovery",
    responses((status = 200, body = nodeinfo::Index)))]
async fn nodeinfo_index(State(state): State<AppState>) -> Result<Response, Problem> {
    json_answer("application/json", &nodeinfo::index(&state.site.origin))
}

/// What this server runs and how many use it.
#[utoipa::path(get, path = "/nodeinfo/{version}", tag = "Discovery",
    params(("version" = String, Path, description = "`2.0` or `2.1`")),
    responses((status = 200, body = nodeinfo::Document)))]
async fn nodeinfo_document(
    State(state): State<AppState>,
    Path(version): Path<String>,
) -> Result<Response, Problem> {
    let version = match version.as_str() {
        "2.0" => Version::V2_0,
        "2.1" => Version::V2_1,
        _ => return Err(Problem::not_found()),
    };
    let read = |tx: &crate::store::ReadTx<'_>| {
        let users = tx.count(COUNT, &(count::LOCAL_USERS, Id::ZERO))?;
        Ok::<_, crate::store::StoreError>((users, tx.count(COUNT, &(count::LOCAL_STATUSES, Id::ZERO))?))
    };
    let (users, posts) = state.store.read(read).await?;
    let config = &state.config;
    let facts = Facts {
        version: env!("CARGO_PKG_VERSION"),
        name: &config.title,
        description: &config.description,
        open_registrations: config.registration == Registration::Open,
        users: u64::try_from(users).unwrap_or(0),
        local_posts: u64::try_from(posts).unwrap_or(0),
    };
    json_answer(nodeinfo::MEDIA_TYPE, &nodeinfo::document(version, facts))
}
