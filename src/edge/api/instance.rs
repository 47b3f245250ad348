//! The server itself (docs: methods/instance).

use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::people::borrowed;
use crate::base::{Id, Problem};
use crate::domain::timeline::load_people;
use crate::domain::user;
use crate::edge::AppState;
use crate::model::Role;
use crate::model::queue::Class;
use crate::model::queue::tables::DESTINATION_BY_HOST;
use crate::model::tables::{COUNT, count};
use crate::store::{ReadTx, Scan, StoreError};
use crate::wire::mastodon::instance::About;
use crate::wire::mastodon::{self, Account};

/// Servers in one list.
const PEERS_MAX: usize = 5000;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/v1/instance", get(instance))
        .route("/api/v2/instance", get(instance))
        .route("/api/v1/instance/peers", get(peers))
        .route("/api/v1/instance/rules", get(nothing))
        .route("/api/v1/instance/activity", get(nothing))
        .route("/api/v1/instance/domain_blocks", get(nothing))
        .route("/health", get(async || "OK"))
        .route("/api/v1/instance/languages", get(languages))
        .route("/api/v1/instance/extended_description", get(extended_description))
}

/// What the answer is made of besides the configuration.
struct Facts {
    users: u64,
    statuses: u64,
    domains: u64,
    owner: Option<std::sync::Arc<crate::domain::timeline::Person>>,
}

fn facts(tx: &ReadTx<'_>) -> Result<Facts, StoreError> {
    let mut batch = tx.batch();
    let keys = [(count::LOCAL_USERS, Id::ZERO), (count::LOCAL_STATUSES, Id::ZERO)];
    let ticket = batch.count_many(COUNT, &keys);
    let counts: Vec<u64> =
        batch.fetch()?.counts(ticket).into_iter().map(|n| u64::try_from(n).unwrap_or(0)).collect();
    let owner = match user::has_owner(tx)? {
        Some(id) => load_people(tx, &[id])?.pop().flatten(),
        None => None,
    };
    let domains = known_hosts(tx)?.len() as u64;
    Ok(Facts { users: counts[0], statuses: counts[1], domains, owner })
}

fn known_hosts(tx: &ReadTx<'_>) -> Result<Vec<String>, StoreError> {
    let rows = tx.scan(DESTINATION_BY_HOST, Scan::prefix(&(Class::Remote as u8,)).limit(PEERS_MAX))?;
    Ok(rows.into_iter().map(|((_, host), _)| host).collect())
}

async fn instance(State(state): State<AppState>, uri: Uri) -> Result<Json<Value>, Problem> {
    let facts = state.store.read(facts).await?;
    let contact = facts.owner.map(|owner| {
        let person = mastodon::Person { role: Some(Role::Owner), ..borrowed(&owner) };
        Account::new(&state.site, &person)
    });
    let about = About {
        site: &state.site,
        title: &state.config.title,
        description: &state.config.description,
        email: state.config.email.as_deref().unwrap_or_default(),
        registration: state.config.registration,
        contact,
        users: facts.users,
        statuses: facts.statuses,
        domains: facts.domains,
    };
    Ok(Json(if uri.path().starts_with("/api/v2/") { about.v2() } else { about.v1() }))
}

async fn peers(State(state): State<AppState>) -> Result<Json<Vec<String>>, Problem> {
    Ok(Json(state.store.read(known_hosts).await?))
}

async fn nothing() -> Json<[Value; 0]> {
    Json([])
}

async fn languages() -> Json<Value> {
    Json(json!([{ "code": "en", "name": "English" }]))
}

async fn extended_description(State(state): State<AppState>) -> Json<Value> {
    let content = format!("<p>{}</p>", crate::wire::text::escape(&state.config.description));
    Json(json!({ "updated_at": state.now().midnight().rfc3339(), "content": content }))
}
