//! Publishing, editing and deleting.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;

use super::sent::{EditedStatus, NewStatus, Published};
use super::{quotes, seen};
use crate::base::{Id, Problem};
use crate::domain::media::{self, Described, MediaEdit};
use crate::domain::status::{self, Draft, Edit, StatusError};
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::api::params::{Input, Params, Tree};
use crate::edge::api::people::IdPath;
use crate::edge::api::{render, scheduled_statuses};
use crate::edge::auth::{Auth, Me};
use crate::edge::compose::{self, Written};
use crate::edge::media::sweep_quietly;
use crate::model::{Application, NewPoll, Visibility};
use crate::store::WriteTx;
use crate::wire::mastodon::{ScheduledStatus, Status};

/// Bytes of an `Idempotency-Key`; longer ones are cut.
const KEY_MAX_BYTES: usize = 128;

/// Publishes a post, or keeps it for later.
#[utoipa::path(post, path = "/api/v1/statuses", tag = "Statuses", request_body = NewStatus,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes the same request twice give one post, for an hour.")),
    security(("oauth" = ["write:statuses"])), responses((status = 200, body = Published)))]
pub(super) async fn publish(
    State(state): State<AppState>,
    headers: HeaderMap,
    auth: Auth,
    params: Params,
) -> Result<Json<Published>, Problem> {
    let me = auth.me("write:statuses")?;
    let at = params.filled("scheduled_at").map(|text| scheduled_statuses::time(&text)).transpose()?;
    let quote = match params.filled("quoted_status_id") {
        Some(id) => Some(id.parse().map_err(|_| Problem::not_found())?),
        None => None,
    };
    let in_reply_to = match params.filled("in_reply_to_id") {
        Some(id) => Some(id.parse().map_err(|_| Problem::not_found())?),
        None => None,
    };
    let written = Written {
        visibility: visibility(&params)?,
        sensitive: params.flag("sensitive"),
        in_reply_to,
        quote,
        application: Some(application(&me)),
        idempotency_key: idempotency_key(&headers),
        media: media_ids(&params).unwrap_or_default(),
        ..written(&params)?
    };
    let draft = compose::draft(&state, &me.user, written.clone()).await?;
    if let Some(at) = at.filter(|at| *at > state.now()) {
        let row = compose::schedule(&state, &written, draft, at).await?;
        return Ok(Json(Published::Scheduled(Box::new(ScheduledStatus::new(&state.site, &row)))));
    }
    let published = compose::publish(&state, draft).await?;
    let viewer = Viewer::account(me.id, state.now());
    let loaded = seen(&state, viewer, published.status).await?;
    Ok(Json(Published::Status(Box::new(render::status(&state.site, viewer.id, &loaded)))))
}

fn written(params: &Params) -> Result<Written, Problem> {
    Ok(Written {
        text: params.text("status").unwrap_or_default(),
        spoiler: params.text("spoiler_text").unwrap_or_default(),
        language: params.filled("language"),
        quote_policy: params.filled("quote_approval_policy").map(|word| quotes::policy(&word)).transpose()?,
        poll: params.child("poll").map(|poll| self::poll(&poll)).transpose()?.flatten(),
        ..Written::default()
    })
}

/// A poll; one that says nothing is none.
fn poll(given: &Tree) -> Result<Option<NewPoll>, Problem> {
    let texts = given.list_or_one("options");
    let options: Vec<String> =
        texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).map(str::to_owned).collect();
    let expires_in_s = given.number("expires_in")?;
    if options.is_empty() && expires_in_s.is_none() {
        return Ok(None);
    }
    let expires_in_s =
        expires_in_s.ok_or_else(|| Problem::invalid("Validation failed: Deadline can't be blank"))?;
    Ok(Some(NewPoll {
        options,
        // A time in the past is too short, which is found out later.
        expires_in_s: u64::try_from(expires_in_s).unwrap_or(0),
        multiple: given.flag("multiple").unwrap_or(false),
        hide_totals: given.flag("hide_totals").unwrap_or(false),
    }))
}

fn visibility(params: &Params) -> Result<Option<Visibility>, Problem> {
    let Some(word) = params.filled("visibility") else { return Ok(None) };
    match Visibility::from_word(&word) {
        Some(visibility) => Ok(Some(visibility)),
        None => Err(Problem::invalid("Validation failed: Visibility is not included in the list")),
    }
}

fn application(me: &Me) -> Application {
    Application { name: me.token.app_name.clone(), website: me.token.app_website.clone() }
}

fn idempotency_key(headers: &HeaderMap) -> Option<String> {
    let key = headers.get("idempotency-key")?.as_bytes().trim_ascii();
    let key = &key[..key.len().min(KEY_MAX_BYTES)];
    // Nothing says that it is text.
    (!key.is_empty()).then(|| key.escape_ascii().to_string())
}

/// Replaces text, warning and sensitivity as a whole.
#[utoipa::path(method(put, patch), path = "/api/v1/statuses/{id}", tag = "Statuses",
    params(("id" = String, Path)), request_body = EditedStatus,
    security(("oauth" = ["write:statuses"])), responses((status = 200, body = Status)))]
pub(super) async fn edit(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    params: Params,
) -> Result<Json<Status>, Problem> {
    let me = auth.me("write:statuses")?;
    let viewer = Viewer::account(me.id, state.now());
    let loaded = seen(&state, viewer, id).await?;
    if loaded.status.account != me.id {
        return Err(Problem::not_found());
    }
    let sensitive = Some(params.flag("sensitive").unwrap_or(false));
    let quoted = loaded.status.quote.as_ref().and_then(|quote| quote.status);
    let written = Written { sensitive, shown_quote: quoted, ..written(&params)? };
    let draft = compose::draft(&state, &me.user, written).await?;
    let (moment, author, edit) = (state.moment_with(256), me.id, change(draft, &params));
    state.store.write(move |tx| status::edit(tx, &mut moment.clone(), author, id, &edit)).await?;
    let loaded = seen(&state, viewer, id).await?;
    Ok(Json(render::status(&state.site, viewer.id, &loaded)))
}

fn change(draft: Draft, params: &Params) -> Edit {
    Edit {
        text: draft.text,
        content_html: draft.content_html,
        spoiler_text: draft.spoiler_text,
        sensitive: draft.sensitive,
        language: draft.language.filter(|_| params.has("language")),
        mentions: draft.mentions,
        tags: draft.tags,
        emojis: draft.emojis,
        media: media(params),
        poll: draft.poll,
        keeps_poll: false,
        quote_policy: params.has("quote_approval_policy").then_some(draft.quote_policy),
    }
}

/// The uploads a post is to show. What is no id of ours is not found.
fn media_ids(params: &Params) -> Option<Vec<Id>> {
    let given = params.list("media_ids")?;
    let filled = given.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    Some(filled.map(|text| text.parse().unwrap_or(Id::ZERO)).collect())
}

/// What an edit shows. Where it does not say, the files stay: many a client
/// that only mends a word sends nothing of them.
fn media(params: &Params) -> Option<MediaEdit> {
    let described: Vec<Described> =
        params.children("media_attributes").unwrap_or_default().iter().filter_map(described).collect();
    let ids = media_ids(params);
    (ids.is_some() || !described.is_empty()).then_some(MediaEdit { ids, described })
}

fn described(given: &Tree) -> Option<Described> {
    Some(Described {
        id: given.id("id")?,
        description: given.text("description"),
        focus: given.filled("focus").and_then(|text| media::focus(&text)),
    })
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Deletion {
    /// Its files go at once. Otherwise they can be shown by another post for a day.
    delete_media: Option<bool>,
}

/// Answers the post as it was typed, so that it can be written anew.
#[utoipa::path(delete, path = "/api/v1/statuses/{id}", tag = "Statuses",
    params(("id" = String, Path), Deletion),
    security(("oauth" = ["write:statuses"])), responses((status = 200, body = Status)))]
pub(super) async fn delete(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    asked: Input<Deletion>,
) -> Result<Json<Status>, Problem> {
    let me = auth.me("write:statuses")?.id;
    let (moment, takes_files) = (state.moment(), asked.delete_media.unwrap_or(false));
    let delete = move |tx: &mut WriteTx<'_>| {
        let was = status::delete(tx, &mut moment.clone(), me, id)?;
        if takes_files {
            media::discard(tx, moment.now, me, &was.status.attachments)?;
        }
        Ok::<_, StatusError>(was)
    };
    let was = state.store.write(delete).await?;
    if takes_files {
        sweep_quietly(&state).await;
    }
    let entity = render::status(&state.site, Some(me), &was);
    Ok(Json(entity.deleted(&was.status.text)))
}
