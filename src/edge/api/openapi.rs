//! The OpenAPI 3.1 description of the API, made from the handlers' own
//! annotations and the types that answer.
//!
//! What holds for every operation is added here once: the errors, the forms
//! a body may be written in, the ways to log in, names that are unique.

mod strict;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use crate::domain::oauth::scopes;
use crate::edge::{AppState, problem};
use crate::model::Site;

/// The schema of a refusal.
const ERROR: &str = "#/components/schemas/Error";
/// The security scheme that annotations name.
pub(crate) const OAUTH: &str = "oauth";

/// Errors that any operation may answer, with their status.
const ERRORS: [(&str, &str); 9] = [
    ("400", "The request cannot be understood."),
    ("403", "The token, the person or the network address may not do this."),
    ("404", "It is not there, or not to be seen by this one."),
    ("408", "The request took too long to arrive."),
    ("413", "The body is too large."),
    ("415", "The body's content type is not one of those below."),
    ("422", "It is understood, but not valid."),
    ("429", "There were too many requests; `X-RateLimit-Reset` says when to go on."),
    ("503", "The server is busy, or it or another one did not answer in time; try again later."),
];

/// Errors of operations that take a token.
const TOKEN_ERRORS: [(&str, &str); 1] = [("401", "The access token is missing or not valid.")];

/// Status and description of every error that is the same everywhere.
pub(crate) fn common_errors() -> impl Iterator<Item = (&'static str, &'static str)> {
    ERRORS.into_iter().chain(TOKEN_ERRORS)
}

/// Every form in which a body may be sent.
const BODIES: [&str; 3] = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];

/// The route of the document.
pub(super) fn routes(document: &Value) -> Router<AppState> {
    let text = Bytes::from(document.to_string());
    let answer = async move || ([(CONTENT_TYPE, "application/json")], text.clone()).into_response();
    Router::new().route("/api/openapi.json", get(answer))
}

/// The whole document.
pub(super) fn document(site: &Site, api: &OpenApi) -> Value {
    let mut document = serde_json::to_value(api).unwrap_or_else(|_| json!({}));
    document["openapi"] = json!("3.1.0");
    document["info"] = json!({
        "title": "Waxwing",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "The client API of Mastodon, as this server has it.",
        "license": { "name": env!("CARGO_PKG_LICENSE") },
    });
    document["servers"] = json!([{ "url": site.origin }]);
    document["components"]["securitySchemes"] = json!({ OAUTH: scheme(site) });
    document["components"]["schemas"]["Error"] = error_schema();
    document["components"]["schemas"]["Problem"] = problem_schema();
    if let Some(paths) = document["paths"].as_object_mut() {
        for (path, item) in paths {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                if let Some(operation) = operation.as_object_mut() {
                    complete(path, method, operation);
                }
            }
        }
    }
    strict::make(&mut document);
    document
}

/// How tokens are got.
fn scheme(site: &Site) -> Value {
    let scopes: Map<String, Value> = scopes::ALL.iter().map(|scope| ((*scope).into(), json!(""))).collect();
    let token = format!("{}/oauth/token", site.origin);
    json!({
        "type": "oauth2",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": format!("{}/oauth/authorize", site.origin),
                "tokenUrl": token,
                "scopes": scopes,
            },
            "clientCredentials": { "tokenUrl": token, "scopes": scopes },
        },
    })
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": { "type": "string", "description": "What was wrong, for people." },
            "error_description": { "type": "string", "description": "Of OAuth: the same at more length." },
            "details": { "type": "object", "description": "Of a registration: what was wrong with each field." },
        },
    })
}

/// RFC 9457, as addresses outside the API have it.
fn problem_schema() -> Value {
    json!({
        "type": "object",
        "required": ["title", "status", "detail"],
        "properties": {
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What was wrong, for people." },
            "hint": { "type": "string", "description": "What may help." },
        },
    })
}

/// Adds what holds everywhere to one operation.
fn complete(path: &str, method: &str, operation: &mut Map<String, Value>) {
    operation.insert("operationId".into(), json!(name(path, method)));
    let takes_token = operation.get("security").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    let answers = operation.entry("responses").or_insert_with(|| json!({}));
    let errors = ERRORS.iter().chain(TOKEN_ERRORS.iter().filter(|_| takes_token));
    for (status, description) in errors {
        if answers.get(status).is_none() {
            answers[status] = json!({ "description": description });
        }
    }
    for (status, answer) in answers.as_object_mut().into_iter().flatten() {
        if !status.starts_with(['4', '5']) {
            continue;
        }
        // What cannot even be read is refused before the handler's own words.
        if answer.get("content").is_none() {
            answer["content"] = refusal(path);
        } else if let Some(special) = answer.pointer_mut("/content/application~1json/schema") {
            *special = json!({ "anyOf": [special.take(), { "$ref": ERROR }] });
        }
    }
    if let Some(body) = operation.get_mut("requestBody")
        && let Some(schema) = body.pointer("/content/application~1json").cloned()
    {
        for form in BODIES {
            body["content"][form] = schema.clone();
        }
    }
}

/// How a refusal is written at this path; see `edge::problem`.
fn refusal(path: &str) -> Value {
    let schema = |name: &str| json!({ "schema": { "$ref": format!("#/components/schemas/{name}") } });
    if problem::is_api(path) {
        return json!({ "application/json": schema("Error") });
    }
    json!({ "application/problem+json": schema("Problem"), "text/html": { "schema": { "type": "string" } } })
}

/// A name that no other operation has: `get_api_v1_statuses_id_context`.
fn name(path: &str, method: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let words: Vec<&str> = std::iter::once(method).chain(words).collect();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Value {
        let (_, api) = super::super::documented().split_for_parts();
        document(&Site::new("https", "social.example"), &api)
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(node: &Value, found: &mut Vec<String>) {
            match node {
                Value::Object(map) => {
                    found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                    map.values().for_each(|value| walk(value, found));
                }
                Value::Array(all) => all.iter().for_each(|value| walk(value, found)),
                _ => {}
            }
        }
        let whole = whole();
        let mut found = Vec::new();
        walk(&whole, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let pointer = reference.strip_prefix('#').expect("references are within the document");
            assert!(whole.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn scopes_exist_and_a_write_says_which_it_takes() {
        let whole = whole();
        for (path, item) in whole["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                for way in operation["security"].as_array().into_iter().flatten() {
                    for scope in way[OAUTH].as_array().into_iter().flatten() {
                        assert!(scopes::ALL.contains(&scope.as_str().unwrap()), "{method} {path}: {scope}");
                    }
                }
            }
        }
        let markers = &whole["paths"]["/api/v1/markers"]["post"];
        assert_eq!(markers["security"], json!([{ OAUTH: ["write:statuses"] }]));
        assert!(markers["responses"]["401"].is_object() && markers["responses"]["422"].is_object());
        assert_eq!(markers["requestBody"]["content"].as_object().unwrap().len(), BODIES.len());
    }

    /// Names of all schemas that are derived in a folder, with their files.
    fn derived(folder: &std::path::Path, found: &mut Vec<(String, std::path::PathBuf)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                derived(&path, found);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.extend(text.split("ToSchema)]\n").skip(1).filter_map(|rest| {
                    let head = rest.split(['{', ';']).next()?;
                    let renamed = head.split("schema(as = ").nth(1).and_then(|rest| rest.split(')').next());
                    let declared = ["struct ", "enum "].iter().find_map(|word| head.split(word).nth(1));
                    let name = renamed.or(declared)?.split(['<', '(', ' ', ',']).next()?;
                    Some((name.to_owned(), path.clone()))
                }));
            }
        }
    }

    #[test]
    fn no_two_schemas_have_one_name() {
        let mut found = Vec::new();
        derived(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert!(found.len() > 30);
        found.sort();
        for pair in found.windows(2) {
            // One would take the other's place without a word.
            assert_ne!(pair[0].0, pair[1].0, "in {:?} and {:?}: `#[schema(as = …)]`", pair[0].1, pair[1].1);
        }
    }

    #[test]
    fn names_are_unique() {
        assert_eq!(name("/api/v1/statuses/{id}/context", "get"), "get_api_v1_statuses_id_context");
        let whole = whole();
        let items = whole["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap());
        let names: Vec<&str> = items.map(|(_, one)| one["operationId"].as_str().unwrap()).collect();
        let distinct: std::collections::BTreeSet<&str> = names.iter().copied().collect();
        assert!(names.len() > 200);
        assert_eq!(names.len(), distinct.len());
    }
}
