//! Mail addresses with which nobody signs up (docs:
//! methods/admin/email_domain_blocks, methods/admin/canonical_email_blocks).

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::listed;
use crate::base::{Id, Problem};
use crate::domain::moderation::server::clean_name;
use crate::domain::moderation::{Staff, barred};
use crate::edge::AppState;
use crate::edge::api::page::PageParams;
use crate::edge::api::params::{Input, Params};
use crate::edge::api::people::IdPath;
use crate::edge::auth::Auth;
use crate::model::{EmailBlock, EmailRule, Permission};
use crate::store::StoreError;
use crate::wire::mastodon::Empty;
use crate::wire::mastodon::admin_blocks::{AdminCanonicalEmailBlock, AdminEmailDomainBlock};

const READ_DOMAINS: &str = "admin:read:email_domain_blocks";
const WRITE_DOMAINS: &str = "admin:write:email_domain_blocks";
const READ_CANONICAL: &str = "admin:read:canonical_email_blocks";
const WRITE_CANONICAL: &str = "admin:write:canonical_email_blocks";
/// Hexadecimal digits of a hash.
const HASH_DIGITS: usize = 64;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_domains, create_domain))
        .routes(routes!(show_domain, destroy_domain))
        .routes(routes!(list_canonical, create_canonical))
        .routes(routes!(test_canonical))
        .routes(routes!(show_canonical, destroy_canonical))
}

fn is_domain(rule: &EmailRule) -> bool {
    matches!(rule, EmailRule::Domain(_))
}

fn is_canonical(rule: &EmailRule) -> bool {
    matches!(rule, EmailRule::Canonical(_))
}

/// Rules of one kind, with the entity that they become.
struct Kind<E> {
    is_kind: fn(&EmailRule) -> bool,
    entity: fn(&EmailBlock) -> Option<E>,
}

const DOMAINS: Kind<AdminEmailDomainBlock> = Kind { is_kind: is_domain, entity: AdminEmailDomainBlock::new };
const CANONICAL: Kind<AdminCanonicalEmailBlock> =
    Kind { is_kind: is_canonical, entity: AdminCanonicalEmailBlock::new };

impl<E: Serialize> Kind<E> {
    async fn list(&self, state: &AppState, uri: &Uri, params: &Params) -> Result<Response, Problem> {
        let is_kind = self.is_kind;
        listed(state, uri, params, move |tx, page| barred::list_email(tx, is_kind, page), self.entity).await
    }

    async fn show(&self, state: &AppState, id: Id) -> Result<Json<E>, Problem> {
        let is_kind = self.is_kind;
        let found = state.store.read(move |tx| barred::get_email(tx, id, is_kind)).await;
        let found = found.map_err(|error: StoreError| Problem::from(error))?;
        found.as_ref().and_then(self.entity).map(Json).ok_or_else(Problem::not_found)
    }

    async fn create(&self, state: &AppState, by: Staff, rule: EmailRule) -> Result<Json<E>, Problem> {
        let moment = state.moment();
        let made = state.store.write(move |tx| barred::bar_email(tx, &mut moment.clone(), by, &rule)).await?;
        (self.entity)(&made).map(Json).ok_or_else(Problem::not_found)
    }

    async fn destroy(&self, state: &AppState, by: Staff, id: Id) -> Result<Json<Empty>, Problem> {
        let (moment, is_kind) = (state.moment(), self.is_kind);
        state.store.write(move |tx| barred::unbar_email(tx, &mut moment.clone(), by, id, is_kind)).await?;
        Ok(Json(Empty {}))
    }
}

/// Domains of mail addresses that are shut out, newest first.
#[utoipa::path(get, path = "/api/v1/admin/email_domain_blocks", tag = "Admin", params(PageParams),
    security(("oauth" = ["admin:read:email_domain_blocks"])),
    responses((status = 200, body = [AdminEmailDomainBlock])))]
async fn list_domains(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    auth.staff(READ_DOMAINS, Permission::ManageBlocks)?;
    DOMAINS.list(&state, &uri, &params).await
}

/// One domain.
#[utoipa::path(get, path = "/api/v1/admin/email_domain_blocks/{id}", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:read:email_domain_blocks"])),
    responses((status = 200, body = AdminEmailDomainBlock)))]
async fn show_domain(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminEmailDomainBlock>, Problem> {
    auth.staff(READ_DOMAINS, Permission::ManageBlocks)?;
    DOMAINS.show(&state, id).await
}

/// A domain of mail addresses.
#[derive(Debug, Deserialize, ToSchema)]
struct NewEmailDomainBlock {
    domain: String,
}

/// Shuts a domain of mail addresses out, with all below it.
#[utoipa::path(post, path = "/api/v1/admin/email_domain_blocks", tag = "Admin", request_body = NewEmailDomainBlock,
    security(("oauth" = ["admin:write:email_domain_blocks"])),
    responses((status = 200, body = AdminEmailDomainBlock)))]
async fn create_domain(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<NewEmailDomainBlock>,
) -> Result<Json<AdminEmailDomainBlock>, Problem> {
    let by = auth.staff(WRITE_DOMAINS, Permission::ManageBlocks)?;
    let domain = clean_name(&sent.domain)
        .ok_or_else(|| Problem::invalid("Validation failed: Domain is not a valid domain name"))?;
    DOMAINS.create(&state, by, EmailRule::Domain(domain)).await
}

/// Lets a domain of mail addresses in again.
#[utoipa::path(delete, path = "/api/v1/admin/email_domain_blocks/{id}", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write:email_domain_blocks"])),
    responses((status = 200, body = Empty)))]
async fn destroy_domain(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let by = auth.staff(WRITE_DOMAINS, Permission::ManageBlocks)?;
    DOMAINS.destroy(&state, by, id).await
}

/// Mail addresses that are shut out, newest first.
#[utoipa::path(get, path = "/api/v1/admin/canonical_email_blocks", tag = "Admin", params(PageParams),
    security(("oauth" = ["admin:read:canonical_email_blocks"])),
    responses((status = 200, body = [AdminCanonicalEmailBlock])))]
async fn list_canonical(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    auth.staff(READ_CANONICAL, Permission::ManageBlocks)?;
    CANONICAL.list(&state, &uri, &params).await
}

/// One address.
#[utoipa::path(get, path = "/api/v1/admin/canonical_email_blocks/{id}", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:read:canonical_email_blocks"])),
    responses((status = 200, body = AdminCanonicalEmailBlock)))]
async fn show_canonical(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminCanonicalEmailBlock>, Problem> {
    auth.staff(READ_CANONICAL, Permission::ManageBlocks)?;
    CANONICAL.show(&state, id).await
}

/// A mail address, or its hash.
#[derive(Debug, Deserialize, ToSchema)]
struct NewCanonicalEmailBlock {
    email: Option<String>,
    /// SHA-256 in hexadecimal, in the place of the address.
    canonical_email_hash: Option<String>,
}

/// Shuts a mail address out.
#[utoipa::path(post, path = "/api/v1/admin/canonical_email_blocks", tag = "Admin",
    request_body = NewCanonicalEmailBlock, security(("oauth" = ["admin:write:canonical_email_blocks"])),
    responses((status = 200, body = AdminCanonicalEmailBlock)))]
async fn create_canonical(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<NewCanonicalEmailBlock>,
) -> Result<Json<AdminCanonicalEmailBlock>, Problem> {
    let by = auth.staff(WRITE_CANONICAL, Permission::ManageBlocks)?;
    let is_hash = |hash: &&String| hash.len() == HASH_DIGITS && hash.bytes().all(|b| b.is_ascii_hexdigit());
    let rule = match (&sent.email, sent.canonical_email_hash.as_ref().filter(is_hash)) {
        (Some(email), _) if email.contains('@') => barred::canonical_rule(email),
        (_, Some(hash)) => EmailRule::Canonical(hash.to_lowercase()),
        _ => return Err(Problem::invalid("Validation failed: Canonical email hash can't be blank")),
    };
    CANONICAL.create(&state, by, rule).await
}

/// A mail address.
#[derive(Debug, Deserialize, ToSchema)]
struct TestedEmail {
    email: String,
}

/// The rules that a mail address falls under.
#[utoipa::path(post, path = "/api/v1/admin/canonical_email_blocks/test", tag = "Admin",
    request_body = TestedEmail, security(("oauth" = ["admin:read:canonical_email_blocks"])),
    responses((status = 200, body = [AdminCanonicalEmailBlock])))]
async fn test_canonical(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<TestedEmail>,
) -> Result<Json<Vec<AdminCanonicalEmailBlock>>, Problem> {
    auth.staff(READ_CANONICAL, Permission::ManageBlocks)?;
    let rule = barred::canonical_rule(&sent.email);
    let found = state.store.read(move |tx| barred::with_rule(tx, &rule)).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    Ok(Json(found.as_ref().and_then(AdminCanonicalEmailBlock::new).into_iter().collect()))
}

/// Lets a mail address in again.
#[utoipa::path(delete, path = "/api/v1/admin/canonical_email_blocks/{id}", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write:canonical_email_blocks"])),
    responses((status = 200, body = Empty)))]
async fn destroy_canonical(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let by = auth.staff(WRITE_CANONICAL, Permission::ManageBlocks)?;
    CANONICAL.destroy(&state, by, id).await
}
