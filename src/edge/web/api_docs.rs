//! `/api/docs`: the API's description as a page for people, made once from
//! the document that `/api/openapi.json` serves. Knows no endpoint by name.

mod read;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde_json::Value;

use super::frame::Visit;
use super::pages::ApiDocsPage;
use super::{dressed, show};
use crate::base::Problem;
use crate::edge::AppState;

/// The whole description.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApiDocs {
    /// Endpoints by topic, in alphabetical order.
    pub groups: Vec<Group>,
    /// What any endpoint may answer besides.
    pub errors: Vec<Reply>,
    /// The types that endpoints take and answer.
    pub types: Vec<TypeView>,
}

/// Endpoints of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What addresses name it by.
    pub anchor: String,
    /// Its endpoints, by path.
    pub endpoints: Vec<Endpoint>,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// What addresses name it by.
    pub anchor: String,
    /// `GET`; `PUT` and `PATCH` where both do the same.
    pub methods: Vec<String>,
    /// Its path.
    pub path: String,
    /// What it does.
    pub words: String,
    /// The scope a token needs; `None` without any token.
    pub scope: Option<String>,
    /// Whether it answers without a token, too.
    pub is_open: bool,
    /// What its address takes.
    pub parameters: Vec<Row>,
    /// The type of its body.
    pub body: Option<Kind>,
    /// What it answers.
    pub replies: Vec<Reply>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// `200`.
    pub status: String,
    /// When it is given.
    pub words: String,
    /// Its body.
    pub kind: Option<Kind>,
}

/// A parameter, or a key of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it is always there.
    pub is_required: bool,
    /// What it says.
    pub words: String,
}

/// What a value is: words, around the name of a type that is described.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kind {
    /// Before the name.
    pub before: String,
    /// The type, which is its anchor, too.
    pub name: Option<String>,
    /// After the name.
    pub after: String,
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeView {
    /// Its name, which is its anchor, too.
    pub name: String,
    /// What it is.
    pub words: String,
    /// Types whose keys it has, too.
    pub includes: Vec<String>,
    /// Its keys.
    pub rows: Vec<Row>,
    /// What it is where it has no keys.
    pub kind: Option<Kind>,
}

/// The page of a document.
pub(crate) fn routes(document: &Value) -> Router<AppState> {
    let docs = Arc::new(read::docs(document));
    let page = async move |visit: Visit| page(&visit, docs.clone()).await;
    dressed(Router::new().route("/api/docs", get(page)))
}

async fn page(visit: &Visit, docs: Arc<ApiDocs>) -> Result<Response, Problem> {
    let mut shell = visit.shell("The API", &visit.facts().await?);
    shell.head.is_private = false;
    shell.head.canonical = Some(format!("{}/api/docs", visit.state.site.origin));
    show(visit, &ApiDocsPage { shell, docs })
}
