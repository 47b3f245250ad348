//! Servers that are shut out (docs: methods/admin/domain_blocks).

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::listed;
use crate::base::Problem;
use crate::domain::moderation::server::{self, Decided, Wish};
use crate::domain::secret;
use crate::edge::AppState;
use crate::edge::api::page::PageParams;
use crate::edge::api::params::{Input, Params, clearable};
use crate::edge::api::people::IdPath;
use crate::edge::auth::Auth;
use crate::model::{DomainBlock, Permission, Severity};
use crate::store::StoreError;
use crate::wire::mastodon::Empty;
use crate::wire::mastodon::admin::{AdminDomainBlock, ExistingDomainBlock};

const READ: &str = "admin:read:domain_blocks";
const WRITE: &str = "admin:write:domain_blocks";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, update, destroy))
}

fn entity(block: &DomainBlock) -> AdminDomainBlock {
    AdminDomainBlock::new(block, &secret::digest(&block.domain))
}

/// Decisions about servers, newest first.
#[utoipa::path(get, path = "/api/v1/admin/domain_blocks", tag = "Admin", params(PageParams),
    security(("oauth" = ["admin:read:domain_blocks"])), responses((status = 200, body = [AdminDomainBlock])))]
async fn list(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    auth.staff(READ, Permission::ManageFederation)?;
    listed(&state, &uri, &params, server::list, entity).await
}

/// One decision.
#[utoipa::path(get, path = "/api/v1/admin/domain_blocks/{id}", tag = "Admin", params(("id" = String, Path)),
    security(("oauth" = ["admin:read:domain_blocks"])), responses((status = 200, body = AdminDomainBlock)))]
async fn show(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminDomainBlock>, Problem> {
    auth.staff(READ, Permission::ManageFederation)?;
    let found = state.store.read(move |tx| server::get(tx, id)).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    found.map(|block| Json(entity(&block))).ok_or_else(Problem::not_found)
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DomainBlockSeverity)]
enum SeverityWord {
    Silence,
    Suspend,
    Noop,
}

impl From<SeverityWord> for Severity {
    fn from(word: SeverityWord) -> Severity {
        match word {
            SeverityWord::Silence => Severity::Silence,
            SeverityWord::Suspend => Severity::Suspend,
            SeverityWord::Noop => Severity::Noop,
        }
    }
}

/// What is decided about a server.
#[derive(Debug, Deserialize, ToSchema)]
struct DomainBlockChange {
    /// `silence` unless it is said.
    severity: Option<SeverityWord>,
    reject_media: Option<bool>,
    reject_reports: Option<bool>,
    #[serde(default, deserialize_with = "clearable")]
    private_comment: Option<String>,
    #[serde(default, deserialize_with = "clearable")]
    public_comment: Option<String>,
    obfuscate: Option<bool>,
}

impl DomainBlockChange {
    fn wish(&self) -> Wish {
        Wish {
            severity: self.severity.map(Severity::from),
            reject_media: self.reject_media,
            reject_reports: self.reject_reports,
            private_comment: self.private_comment.clone(),
            public_comment: self.public_comment.clone(),
            obfuscate: self.obfuscate,
        }
    }
}

/// A new decision about a server and all names below its own.
#[derive(Debug, Deserialize, ToSchema)]
struct NewDomainBlock {
    domain: String,
    /// `silence` unless it is said.
    severity: Option<SeverityWord>,
    reject_media: Option<bool>,
    reject_reports: Option<bool>,
    private_comment: Option<String>,
    public_comment: Option<String>,
    obfuscate: Option<bool>,
}

impl NewDomainBlock {
    fn wish(&self) -> Wish {
        Wish {
            severity: self.severity.map(Severity::from),
            reject_media: self.reject_media,
            reject_reports: self.reject_reports,
            private_comment: self.private_comment.clone(),
            public_comment: self.public_comment.clone(),
            obfuscate: self.obfuscate,
        }
    }
}

/// Decides about a server.
#[utoipa::path(post, path = "/api/v1/admin/domain_blocks", tag = "Admin", request_body = NewDomainBlock,
    security(("oauth" = ["admin:write:domain_blocks"])), responses(
        (status = 200, body = AdminDomainBlock),
        (status = 422, body = ExistingDomainBlock, description = "The name is none, or is decided about.")))]
async fn create(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<NewDomainBlock>,
) -> Result<Response, Problem> {
    let by = auth.staff(WRITE, Permission::ManageFederation)?;
    let domain = server::clean_name(&sent.domain)
        .filter(|domain| *domain != state.site.domain)
        .ok_or_else(|| Problem::invalid("Validation failed: Domain is not a valid domain name"))?;
    let (moment, wish) = (state.moment(), sent.wish());
    let decided =
        state.store.write(move |tx| server::block(tx, &mut moment.clone(), by, &domain, &wish)).await?;
    Ok(match decided {
        Decided::New(block) => Json(entity(&block)).into_response(),
        Decided::Known(block) => {
            let error = format!("Validation failed: {} is blocked already", block.domain);
            let existing_domain_block = Some(entity(&block));
            let body = ExistingDomainBlock { error, existing_domain_block };
            (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
        }
    })
}

/// Changes a decision.
#[utoipa::path(method(put, patch), path = "/api/v1/admin/domain_blocks/{id}", tag = "Admin",
    params(("id" = String, Path)), request_body = DomainBlockChange,
    security(("oauth" = ["admin:write:domain_blocks"])), responses((status = 200, body = AdminDomainBlock)))]
async fn update(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    sent: Input<DomainBlockChange>,
) -> Result<Json<AdminDomainBlock>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageFederation)?;
    let (moment, wish) = (state.moment(), sent.wish());
    let block = state.store.write(move |tx| server::change(tx, &mut moment.clone(), by, id, &wish)).await?;
    Ok(Json(entity(&block)))
}

/// Ends a decision.
#[utoipa::path(delete, path = "/api/v1/admin/domain_blocks/{id}", tag = "Admin",
    params(("id" = String, Path)),
    security(("oauth" = ["admin:write:domain_blocks"])), responses((status = 200, body = Empty)))]
async fn destroy(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageFederation)?;
    let moment = state.moment();
    state.store.write(move |tx| server::unblock(tx, &mut moment.clone(), by, id)).await?;
    Ok(Json(Empty {}))
}
