//! The one way in which handlers of the API read parameters.
//!
//! Clients write the same thing as a query string, a form, a multipart form
//! or JSON, on every endpoint; here all become one [`Tree`]. What is in the
//! body wins over what is in the query string.

mod input;
mod nest;
#[cfg(test)]
mod tests;
mod tree;

use std::ops::Deref;

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method};
use serde_json::{Map, Value};

pub(crate) use input::{GivenId, Input, clearable, one_or_more};
pub(crate) use tree::Tree;

use crate::base::{Problem, ProblemKind};
use crate::wire::json;

/// Pairs of one form or query string.
const PAIRS_MAX: usize = 1000;

/// A file of a multipart form.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    /// Its bytes.
    pub(crate) bytes: Bytes,
}

/// All parameters of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params {
    tree: Tree,
    files: Vec<(String, Upload)>,
}

impl Deref for Params {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        &self.tree
    }
}

impl Params {
    /// The parameters of a query string.
    ///
    /// # Errors
    /// 400 when it is not UTF-8 or has too many pairs.
    pub(crate) fn from_query(query: &str) -> Result<Params, Problem> {
        let mut params = Params::default();
        params.add_form(query)?;
        Ok(params)
    }

    /// A file of a multipart form.
    pub(crate) fn file(&self, key: &str) -> Option<&Upload> {
        self.files.iter().rev().find(|(name, _)| name == key).map(|(_, file)| file)
    }

    fn add_form(&mut self, text: &str) -> Result<(), Problem> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        for (count, pair) in pairs.enumerate() {
            if count == PAIRS_MAX {
                return Err(Problem::malformed("There are too many parameters"));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            nest::insert(&mut self.tree.0, &decode(name)?, decode(value)?);
        }
        Ok(())
    }

    fn add_json(&mut self, body: &[u8]) -> Result<(), Problem> {
        match json::parse(body) {
            Ok(Value::Object(map)) => self.tree.0.extend(map),
            Ok(Value::Null) => {}
            Ok(_) => return Err(Problem::malformed("The JSON body is not an object")),
            Err(why) => return Err(Problem::malformed("The body is not acceptable JSON").because(why)),
        }
        Ok(())
    }

    async fn add_multipart(&mut self, request: Request) -> Result<(), Problem> {
        let mut parts = Multipart::from_request(request, &()).await.map_err(|e| refused(e.status(), &e))?;
        for _ in 0..PAIRS_MAX {
            let part = parts.next_field().await.map_err(|e| refused(e.status(), &e))?;
            let Some(part) = part else { return Ok(()) };
            let name = part.name().unwrap_or_default().to_owned();
            let is_file = part.file_name().is_some();
            let bytes = part.bytes().await.map_err(|e| refused(e.status(), &e))?;
            if !is_file {
                let text = String::from_utf8(bytes.into()).map_err(|_| not_utf8())?;
                nest::insert(&mut self.tree.0, &name, text);
            } else if !bytes.is_empty() {
                self.files.push((name, Upload { bytes }));
            }
        }
        Err(Problem::malformed("There are too many parameters"))
    }
}

/// Turns a library's refusal into ours, keeping "too large" apart.
fn refused(status: axum::http::StatusCode, why: &dyn std::fmt::Display) -> Problem {
    if status == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(ProblemKind::TooLarge, "The request body is too large")
    } else {
        Problem::malformed("The body cannot be read").because(why.to_string())
    }
}

fn not_utf8() -> Problem {
    Problem::malformed("A parameter is not valid UTF-8")
}

fn decode(text: &str) -> Result<String, Problem> {
    let spaced = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8().map_err(|_| not_utf8())?;
    Ok(decoded.into_owned())
}

/// How a body is written.
enum Form {
    Json,
    Multipart,
    Pairs,
    /// No content type, or one that says nothing.
    Unknown,
}

fn form(headers: &HeaderMap) -> Result<Form, Problem> {
    let Some(kind) = headers.get(CONTENT_TYPE) else { return Ok(Form::Unknown) };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    Ok(match kind.trim().to_ascii_lowercase().as_str() {
        "" | "text/plain" | "application/octet-stream" => Form::Unknown,
        "application/x-www-form-urlencoded" => Form::Pairs,
        "multipart/form-data" => Form::Multipart,
        "application/json" | "text/json" => Form::Json,
        other if other.starts_with("application/") && other.ends_with("+json") => Form::Json,
        _ => {
            let detail = "This address does not take that content type";
            return Err(Problem::new(ProblemKind::UnsupportedMediaType, detail));
        }
    })
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Params, Problem> {
        let mut params = Params::from_query(request.uri().query().unwrap_or_default())?;
        let form = match form(request.headers()) {
            // Mastodon.py asks for some lists with JSON in a GET. Without a clear
            // word on what it is, the body of a GET is nobody's business.
            Ok(Form::Unknown | Form::Multipart) | Err(_) if is_read(request.method()) => return Ok(params),
            form => form?,
        };
        if matches!(form, Form::Multipart) {
            params.add_multipart(request).await?;
            return Ok(params);
        }
        let body = Bytes::from_request(request, &()).await.map_err(|e| refused(e.status(), &e))?;
        if body.is_empty() {
            return Ok(params);
        }
        let looks_like_json = body.trim_ascii_start().starts_with(b"{");
        match form {
            Form::Json => params.add_json(&body)?,
            Form::Unknown if looks_like_json => params.add_json(&body)?,
            _ => params.add_form(std::str::from_utf8(&body).map_err(|_| not_utf8())?)?,
        }
        Ok(params)
    }
}

/// The tree of a JSON value, for tests and for bodies kept elsewhere.
impl From<Map<String, Value>> for Tree {
    fn from(map: Map<String, Value>) -> Tree {
        Tree(map)
    }
}
