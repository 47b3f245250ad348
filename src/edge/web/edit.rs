//! Changing a post, and its earlier versions.

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use super::compose::{self, files};
use super::frame::{Member, Visit};
use super::pages::{ComposePage, HistoryPage, VersionView, render_as};
use super::quotes::seen;
use super::timelines::{eyes, id};
use super::view::{AttachedFile, ComposeForm, Faults, Notice, When};
use super::{emoji, go, load, show};
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::media::{Described, MediaEdit};
use crate::domain::status::{self, Edit};
use crate::domain::timeline::Loaded;
use crate::edge::api::params::Params;
use crate::edge::compose::{Written, draft};
use crate::edge::{AppState, MEDIA_MAX_BYTES};
use crate::model::Version;
use crate::store::StoreError;

/// Ids that an edit may take: it tells people about it.
const IDS_PER_EDIT: u16 = 256;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/posts/{id}/edit", get(page).post(save))
        .layer(DefaultBodyLimit::max(MEDIA_MAX_BYTES))
        .route("/@{acct}/{id}/history", get(history))
}

/// One's own post; boosts are none.
async fn own(member: &Member, post: &str) -> Result<Loaded, Problem> {
    let found = seen(&member.visit, id(post)?).await?;
    Some(found).filter(|found| found.status.account == member.login.account.id).ok_or_else(Problem::not_found)
}

/// `GET /posts/id/edit`.
async fn page(member: Member, Path(post): Path<String>) -> Result<Response, Problem> {
    let found = own(&member, &post).await?;
    let view = edit_page(&member, form(&member, &found)).await?;
    show(&member.visit, &view)
}

async fn edit_page(member: &Member, form: ComposeForm) -> Result<ComposePage, Problem> {
    let facts = member.visit.facts().await?;
    Ok(ComposePage { shell: member.visit.shell("Edit your post", &facts), answered: None, form })
}

/// The post as it is, ready to be changed.
fn form(member: &Member, found: &Loaded) -> ComposeForm {
    let (visit, status) = (&member.visit, &found.status);
    let file = |file: &crate::model::Attachment| {
        Some(AttachedFile { id: file.id.to_string(), shown: load::media(&visit.state.site, file)? })
    };
    let policy = status.quote_policy.clone().unwrap_or_default();
    ComposeForm {
        text: status.text.clone(),
        spoiler: status.spoiler_text.clone(),
        visibility: status.visibility,
        language: status.language.clone().unwrap_or_default(),
        is_sensitive: status.sensitive,
        attached: status.attachments.iter().filter_map(file).collect(),
        has_poll: status.poll.is_some(),
        quoted: load::post(&eyes(visit), found).quote.and_then(|quoted| quoted.post),
        quote_policy: compose::policy_word(&policy).to_owned(),
        edits: status.id.to_string(),
        ..compose::blank(&visit.state, &member.login)
    }
}

/// `POST /posts/id/edit`.
async fn save(member: Member, Path(post): Path<String>, request: Request) -> Result<Response, Problem> {
    let state = member.visit.state.clone();
    let (request, _place) = state.gates().uploads.admit(member.login.account.id, request).await?;
    let params = Params::from_request(request, &state).await?;
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let found = own(&member, &post).await?;
    let (media, fault) = media(&member, &params).await?;
    let poll = compose::typed_poll(&params);
    // A poll is kept or taken out; with other words, its votes would be for
    // something else.
    let keeps_poll = found.status.poll.is_some() && !params.flag("drop_poll").unwrap_or(false);
    let quoted = found.status.quote.as_ref().and_then(|quote| quote.status);
    let written = Written {
        poll: poll.asked(),
        media: media.ids.clone().unwrap_or_default(),
        quote: None,
        shown_quote: quoted,
        in_reply_to: None,
        ..compose::written(&params)
    };
    let has_both = !written.media.is_empty() && (written.poll.is_some() || keeps_poll);
    let result = match fault.or_else(|| has_both.then(|| compose::BOTH.to_owned())) {
        Some(fault) => Err(Problem::invalid(fault)),
        None => change(&member, (found.status.id, keeps_poll), written.clone(), media).await,
    };
    match result {
        Ok(()) => {
            let path = load::post_path(&found.author.account, &found.status);
            Ok(go::saying(&state.site, Notice::Edited, go::to(&path)))
        }
        Err(problem) if problem.kind == ProblemKind::Invalid => {
            let fault = problem.detail.trim_start_matches("Validation failed: ").to_owned();
            let form = ComposeForm {
                text: written.text,
                spoiler: written.spoiler,
                language: written.language.unwrap_or_default(),
                is_sensitive: written.sensitive.unwrap_or(false),
                poll,
                faults: Faults::one("", fault),
                ..form(&member, &found)
            };
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &edit_page(&member, form).await?)
        }
        Err(problem) => Err(problem),
    }
}

async fn change(
    member: &Member,
    (id, keeps_poll): (Id, bool),
    written: Written,
    media: MediaEdit,
) -> Result<(), Problem> {
    let (state, me) = (&member.visit.state, member.login.account.id);
    let draft = draft(state, &member.login.user, Written { media: Vec::new(), ..written }).await?;
    let edit = Edit {
        text: draft.text,
        content_html: draft.content_html,
        spoiler_text: draft.spoiler_text,
        sensitive: draft.sensitive,
        language: draft.language,
        mentions: draft.mentions,
        tags: draft.tags,
        emojis: draft.emojis,
        media: Some(media),
        poll: draft.poll,
        keeps_poll,
        quote_policy: Some(draft.quote_policy),
    };
    let moment = state.moment_with(IDS_PER_EDIT);
    state.store.write(move |tx| status::edit(tx, &mut moment.clone(), me, id, &edit)).await?;
    Ok(())
}

/// What the post is to show: what is kept, described anew, and new files.
/// Also why a new file was not taken.
async fn media(member: &Member, params: &Params) -> Result<(MediaEdit, Option<String>), Problem> {
    let is_kept = |id: &Id| !params.flag(&format!("drop{id}")).unwrap_or(false);
    let mut ids: Vec<Id> = params.ids("media").into_iter().filter(is_kept).collect();
    let described =
        |id: &Id| Described { id: *id, description: params.text(&format!("alt{id}")), focus: None };
    let described = ids.iter().map(described).collect();
    let sent = files::sent(&member.visit.state, member.login.account.id, params, ids.len()).await?;
    ids.extend(sent.ids());
    Ok((MediaEdit { ids: Some(ids), described }, sent.fault))
}

/// `GET /@user/id/history`: what it said before, oldest first.
async fn history(visit: Visit, Path((_, post)): Path<(String, String)>) -> Result<Response, Problem> {
    let found = seen(&visit, id(&post)?).await?;
    let status = found.status.clone();
    let read = visit.read(move |tx, _| status::versions(tx, &status));
    let (facts, versions) = read.await.map_err(|error: StoreError| Problem::from(error))?;
    let eyes = eyes(&visit);
    let view = |version: &Version| VersionView {
        at: When::new(version.at, eyes.now),
        spoiler: version.spoiler_text.clone(),
        content_html: emoji::in_html(eyes.site, &version.content_html, &version.emojis),
        media: version.attachments.iter().filter_map(|file| load::media(eyes.site, file)).collect(),
        is_sensitive: version.sensitive,
        options: version.poll_options.clone(),
    };
    let view = HistoryPage {
        shell: visit.shell("What it said before", &facts),
        path: load::post_path(&found.author.account, &found.status),
        versions: versions.iter().map(view).collect(),
    };
    show(&visit, &view)
}
