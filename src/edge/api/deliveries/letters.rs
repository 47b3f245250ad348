//! Dead letters: in pages, and all of them as lines of JSON.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{READ, rows};
use crate::base::{Problem, Timestamp};
use crate::domain::delivery::admin::Letters;
use crate::edge::AppState;
use crate::edge::api::params::Input;
use crate::edge::auth::Auth;
use crate::edge::deliveries::entities::DeliveryDeadLetter;
use crate::edge::deliveries::{Office, letter_key, letter_name};
use crate::model::Permission;
use crate::model::queue::{DeadReason, DestinationId};

/// Letters read in one step of an export.
const EXPORT_ROWS: usize = 500;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(export))
}

/// Reads a time; blank is none.
pub(super) fn time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let wrong = || Problem::invalid(format!("Validation failed: `{name}` is not a date and time"));
    text.filter(|text| !text.is_empty())
        .map(|text| Timestamp::parse_rfc3339(text).ok_or_else(wrong))
        .transpose()
}

/// Reads a reason; blank is any.
pub(super) fn reason(name: Option<&str>) -> Result<Option<DeadReason>, Problem> {
    let wrong = || Problem::invalid("Validation failed: `reason` is none of the reasons");
    name.filter(|name| !name.is_empty()).map(|name| DeadReason::from_name(name).ok_or_else(wrong)).transpose()
}

/// Which letters; all that is given must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Of the destination with this number.
    destination: Option<u32>,
    /// `refused`, `exhausted`, `expired`, `poison` or `gone`.
    reason: Option<String>,
    /// Given up at this time or later.
    from: Option<String>,
    /// Given up before.
    until: Option<String>,
}

impl Asked {
    fn letters(&self) -> Result<Letters, Problem> {
        Ok(Letters {
            destination: self.destination.map(DestinationId),
            act: None,
            reason: reason(self.reason.as_deref())?,
            from: time("from", self.from.as_deref())?,
            until: time("until", self.until.as_deref())?,
        })
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LettersFrom {
    /// The `next` of the page before.
    after: Option<String>,
    /// Letters that are looked at, 50 unless said, 500 at most.
    limit: Option<u32>,
}

/// Dead letters of one page.
#[derive(Debug, Serialize, ToSchema)]
struct DeliveryDeadLetters {
    /// Those of this page; fewer than were looked at where not all are asked for.
    dead_letters: Vec<DeliveryDeadLetter>,
    /// For `after` of the next page; null on the last.
    #[schema(required)]
    next: Option<String>,
}

/// Jobs that were given up, kept for 14 days; by destination, the oldest first.
#[utoipa::path(get, path = "/api/waxwing/v1/deliveries/dead_letters", tag = "Deliveries",
    params(Asked, LettersFrom),
    security(("oauth" = ["admin:read"])), responses((status = 200, body = DeliveryDeadLetters)))]
async fn list(
    State(state): State<AppState>,
    auth: Auth,
    asked: Input<Asked>,
) -> Result<Json<DeliveryDeadLetters>, Problem> {
    auth.staff(READ, Permission::ManageFederation)?;
    let place: LettersFrom = asked.also()?;
    let after = place.after.as_deref().filter(|name| !name.is_empty());
    let wrong = || Problem::invalid("Validation failed: `after` is not the `next` of a page");
    let after = after.map(|name| letter_key(name).ok_or_else(wrong)).transpose()?;
    let page = Office::from(&state).letters(asked.letters()?, after, rows(place.limit).max(1)).await?;
    Ok(Json(DeliveryDeadLetters { dead_letters: page.letters, next: page.next.as_ref().map(letter_name) }))
}

/// All dead letters that are asked for, one JSON document on each line.
#[utoipa::path(get, path = "/api/waxwing/v1/deliveries/dead_letters/export", tag = "Deliveries", params(Asked),
    security(("oauth" = ["admin:read"])), responses(
        (status = 200, body = String, content_type = "application/x-ndjson",
            description = "Lines of JSON, each a `DeliveryDeadLetter`.")))]
async fn export(State(state): State<AppState>, auth: Auth, asked: Input<Asked>) -> Result<Response, Problem> {
    auth.staff(READ, Permission::ManageFederation)?;
    let (chosen, office) = (asked.letters()?, Office::from(&state));
    // Each step begins behind the last letter of the one before, so this ends.
    let lines = stream::try_unfold(Some(None), move |place| {
        let office = office.clone();
        async move {
            let Some(after) = place else { return Ok::<_, crate::store::StoreError>(None) };
            let page = office.letters(chosen, after, EXPORT_ROWS).await?;
            Ok(Some((Bytes::from(lines(&page.letters)), page.next.map(Some))))
        }
    });
    let head = [
        (CONTENT_TYPE, "application/x-ndjson"),
        (CONTENT_DISPOSITION, "attachment; filename=\"dead-letters.ndjson\""),
    ];
    Ok((head, Body::from_stream(lines)).into_response())
}

fn lines(letters: &[DeliveryDeadLetter]) -> Vec<u8> {
    let mut lines = Vec::new();
    for letter in letters {
        // A plain struct of texts and numbers is always written.
        let _ = serde_json::to_writer(&mut lines, letter);
        lines.push(b'\n');
    }
    lines
}
