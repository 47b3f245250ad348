//! The server itself (docs: methods/instance).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::params::{Input, Params};
use super::people::borrowed;
use crate::base::{Id, Problem, Timestamp};
use crate::domain::moderation::server;
use crate::domain::timeline::{Person, load_people};
use crate::domain::{census, secret, user};
use crate::edge::AppState;
use crate::model::Role;
use crate::model::queue::Class;
use crate::model::queue::tables::DESTINATION_BY_HOST;
use crate::model::tables::{COUNT, count};
use crate::queue::push::server_key;
use crate::store::{ReadTx, Scan, StoreError};
use crate::wire::mastodon::admin::DomainBlock;
use crate::wire::mastodon::instance::{
    About, ActivityWeek, ExtendedDescription, Instance, Language, PrivacyPolicy, Rule, TermsOfService,
    V1Instance,
};
use crate::wire::mastodon::{self, Account};
use crate::wire::text::{Links, to_html};

/// Servers in one list.
const PEERS_MAX: usize = 5000;
/// Servers that one search gives.
const PEERS_FOUND_MAX: usize = 20;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(v1))
        .routes(routes!(v2))
        .routes(routes!(peers))
        .routes(routes!(search_peers))
        .routes(routes!(rules))
        .routes(routes!(activity))
        .routes(routes!(domain_blocks))
        .routes(routes!(languages))
        .routes(routes!(translation_languages))
        .routes(routes!(extended_description))
        .routes(routes!(privacy_policy))
        .routes(routes!(terms_of_service))
        .routes(routes!(terms_of_service_of))
        .routes(routes!(donation_campaigns))
        .routes(routes!(health))
}

/// What the answer is made of besides the configuration.
struct Facts {
    users: u64,
    statuses: u64,
    domains: u64,
    owner: Option<Arc<Person>>,
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

async fn about<T>(state: &AppState, answer: impl FnOnce(&About<'_>) -> T) -> Result<T, Problem> {
    let facts = state.store.read(facts).await?;
    let active_month = active_month(state).await?;
    let vapid_key = server_key(&state.store).await?.public();
    let contact = facts.owner.map(|owner| {
        let person = mastodon::Person { role: Some(Role::Owner), ..borrowed(&owner) };
        Account::new(&state.site, &person)
    });
    let config = &state.config;
    Ok(answer(&About {
        site: &state.site,
        title: &config.title,
        description: &config.description,
        email: config.email.as_deref().unwrap_or_default(),
        registration: config.registration,
        contact,
        users: facts.users,
        active_month,
        statuses: facts.statuses,
        domains: facts.domains,
        rules: &config.rules,
        has_privacy_policy: config.privacy_policy.is_some(),
        has_terms: config.terms_of_service.is_some(),
        vapid_key: &vapid_key,
        limited_federation: state.site.is_by_allowlist,
    }))
}

/// Counted anew now and then: it reads a row for each person.
async fn active_month(state: &AppState) -> Result<u64, Problem> {
    let gates = state.gates();
    if let Some(count) = gates.active_month.get(&()) {
        return Ok(count);
    }
    let now = state.now();
    let count = state.store.read(move |tx| census::active_month(tx, now)).await;
    let count = count.map_err(|error: StoreError| Problem::from(error))?;
    gates.active_month.insert((), count);
    Ok(count)
}

/// The server, first version.
#[utoipa::path(get, path = "/api/v1/instance", tag = "Instance",
    responses((status = 200, body = V1Instance)))]
async fn v1(State(state): State<AppState>) -> Result<Json<V1Instance>, Problem> {
    about(&state, |about| Json(about.v1())).await
}

/// The server.
#[utoipa::path(get, path = "/api/v2/instance", tag = "Instance", responses((status = 200, body = Instance)))]
async fn v2(State(state): State<AppState>) -> Result<Json<Instance>, Problem> {
    about(&state, |about| Json(about.v2())).await
}

/// Servers that this one sends to.
#[utoipa::path(get, path = "/api/v1/instance/peers", tag = "Instance",
    responses((status = 200, body = [String])))]
async fn peers(State(state): State<AppState>) -> Result<Json<Vec<String>>, Problem> {
    Ok(Json(state.store.read(known_hosts).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PeerSearch {
    /// The beginning of a server's name.
    q: Option<String>,
}

/// Servers whose name begins so.
#[utoipa::path(get, path = "/api/v1/peers/search", tag = "Instance", params(PeerSearch),
    responses((status = 200, body = [String])))]
async fn search_peers(
    State(state): State<AppState>,
    asked: Input<PeerSearch>,
) -> Result<Json<Vec<String>>, Problem> {
    let begin = asked.q.clone().unwrap_or_default().trim().to_lowercase();
    if begin.is_empty() {
        return Ok(Json(Vec::new()));
    }
    let found = state.store.read(move |tx| {
        let class = Class::Remote as u8;
        let end = (class, format!("{begin}{}", char::MAX));
        let exact = tx.get(DESTINATION_BY_HOST, &(class, begin.clone()))?.map(|_| begin.clone());
        let range = Scan::all().after(&(class, begin)).before(&end).limit(PEERS_FOUND_MAX);
        let rows = tx.scan(DESTINATION_BY_HOST, range)?;
        Ok::<_, StoreError>(exact.into_iter().chain(rows.into_iter().map(|((_, host), _)| host)).collect())
    });
    Ok(Json(found.await?))
}

/// The rules of the place.
#[utoipa::path(get, path = "/api/v1/instance/rules", tag = "Instance",
    responses((status = 200, body = [Rule])))]
async fn rules(State(state): State<AppState>) -> Json<Vec<Rule>> {
    Json(Rule::all(&state.config.rules))
}

/// The last twelve weeks.
#[utoipa::path(get, path = "/api/v1/instance/activity", tag = "Instance",
    responses((status = 200, body = [ActivityWeek])))]
async fn activity(State(state): State<AppState>) -> Result<Json<Vec<ActivityWeek>>, Problem> {
    let now = state.now();
    let weeks = state.store.read(move |tx| census::weeks(tx, now)).await;
    let weeks = weeks.map_err(|error: StoreError| Problem::from(error))?;
    let week = |week: census::Week| ActivityWeek {
        week: week.began.as_secs().to_string(),
        statuses: week.statuses.to_string(),
        logins: week.logins.to_string(),
        registrations: week.registrations.to_string(),
    };
    Ok(Json(weeks.into_iter().map(week).collect()))
}

/// Servers that are limited or blocked here.
#[utoipa::path(get, path = "/api/v1/instance/domain_blocks", tag = "Instance",
    responses((status = 200, body = [DomainBlock])))]
async fn domain_blocks(State(state): State<AppState>) -> Result<Json<Vec<DomainBlock>>, Problem> {
    let blocks = state.store.read(server::public_list).await?;
    Ok(Json(blocks.iter().map(|block| DomainBlock::new(block, &secret::digest(&block.domain))).collect()))
}

/// Languages of the pages.
#[utoipa::path(get, path = "/api/v1/instance/languages", tag = "Instance",
    responses((status = 200, body = [Language])))]
async fn languages() -> Json<Vec<Language>> {
    Json(vec![Language { code: "en", name: "English" }])
}

/// From which languages posts can be translated into which: none, because
/// nothing is translated here.
#[utoipa::path(get, path = "/api/v1/instance/translation_languages", tag = "Instance",
    responses((status = 200, body = std::collections::BTreeMap<String, Vec<String>>)))]
async fn translation_languages() -> Json<std::collections::BTreeMap<String, Vec<String>>> {
    Json(std::collections::BTreeMap::new())
}

/// Paragraphs of a text with its links.
pub(crate) fn paragraphs(state: &AppState, text: &str) -> String {
    let site = &state.site;
    to_html(text, &Links { mention: &|_| None, hashtag: &|name| site.tag_page(name) })
}

/// The day of the newest change that is known: texts are in the config file,
/// which says nothing of when they were written.
fn written(state: &AppState) -> String {
    state.now().midnight().rfc3339()
}

/// A longer text about the place.
#[utoipa::path(get, path = "/api/v1/instance/extended_description", tag = "Instance",
    responses((status = 200, body = ExtendedDescription)))]
async fn extended_description(State(state): State<AppState>) -> Json<ExtendedDescription> {
    let text = state.config.extended_description.as_ref().unwrap_or(&state.config.description);
    Json(ExtendedDescription { updated_at: written(&state), content: paragraphs(&state, text) })
}

/// What becomes of people's data.
#[utoipa::path(get, path = "/api/v1/instance/privacy_policy", tag = "Instance",
    responses((status = 200, body = PrivacyPolicy)))]
async fn privacy_policy(State(state): State<AppState>) -> Result<Json<PrivacyPolicy>, Problem> {
    let text = state.config.privacy_policy.as_ref().ok_or_else(Problem::not_found)?;
    Ok(Json(PrivacyPolicy { updated_at: written(&state), content: paragraphs(&state, text) }))
}

fn terms(state: &AppState, date: Option<&str>) -> Result<Json<TermsOfService>, Problem> {
    let terms = state.config.terms_of_service.as_ref().ok_or_else(Problem::not_found)?;
    if date.is_some_and(|date| date != terms.effective_date) {
        return Err(Problem::not_found());
    }
    let from = Timestamp::parse_rfc3339(&format!("{}T00:00:00Z", terms.effective_date));
    Ok(Json(TermsOfService {
        effective_date: terms.effective_date.clone(),
        effective: from.is_none_or(|from| from <= state.now()),
        succeeded_by: None,
        content: paragraphs(state, &terms.text),
    }))
}

/// On which terms the place may be used.
#[utoipa::path(get, path = "/api/v1/instance/terms_of_service", tag = "Instance",
    responses((status = 200, body = TermsOfService)))]
async fn terms_of_service(State(state): State<AppState>) -> Result<Json<TermsOfService>, Problem> {
    terms(&state, None)
}

/// The terms that hold from a day on.
#[utoipa::path(get, path = "/api/v1/instance/terms_of_service/{date}", tag = "Instance",
    params(("date" = String, Path)), responses((status = 200, body = TermsOfService)))]
async fn terms_of_service_of(
    State(state): State<AppState>,
    Path(date): Path<String>,
) -> Result<Json<TermsOfService>, Problem> {
    terms(&state, Some(&date))
}

/// Nobody collects donations here.
#[utoipa::path(get, path = "/api/v1/donation_campaigns", tag = "Instance",
    responses((status = 204, description = "There are none.")))]
async fn donation_campaigns(_: Params) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Whether the server is there.
#[utoipa::path(get, path = "/health", tag = "Instance",
    responses((status = 200, body = String, content_type = "text/plain", description = "`OK`")))]
async fn health() -> &'static str {
    "OK"
}
