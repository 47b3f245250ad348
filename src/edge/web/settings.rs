//! Editing one's profile.

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use axum::routing::get;

use super::frame::Member;
use super::pages::{EditProfilePage, render_as};
use super::timelines::eyes;
use super::view::{Faults, Notice, ProfileForm};
use super::{go, load, show};
use crate::base::limits::PROFILE_FIELDS_MAX;
use crate::base::{Problem, ProblemKind};
use crate::domain::timeline::load_people;
use crate::edge::api::params::Params;
use crate::edge::profile::{self, PictureChange};
use crate::edge::{AppState, UPLOAD_MAX_BYTES};
use crate::model::{PostingDefaults, QuotePolicy};
use crate::store::StoreError;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/settings", get(async || Redirect::to("/settings/profile")))
        .route("/settings/profile", get(page).post(save).layer(DefaultBodyLimit::max(UPLOAD_MAX_BYTES)))
}

async fn page(member: Member) -> Result<Response, Problem> {
    let view = view(&member, form_of(&member)).await?;
    show(&member.visit, &view)
}

async fn view(member: &Member, form: ProfileForm) -> Result<EditProfilePage, Problem> {
    let me = member.login.account.id;
    let read = member.visit.read(move |tx, _| Ok::<_, StoreError>(load_people(tx, &[me])?.pop().flatten()));
    let (facts, person) = read.await?;
    let person = person.ok_or_else(Problem::not_found)?;
    let account = load::account(&eyes(&member.visit), &person, None);
    Ok(EditProfilePage { shell: member.visit.shell("Your profile", &facts), account, form })
}

/// The profile as it is, ready to be changed.
fn form_of(member: &Member) -> ProfileForm {
    let account = &member.login.account;
    let tabs = account.tabs.unwrap_or_default();
    let quote_policy = member.login.user.defaults.quote_policy.as_ref().map_or("public", QuotePolicy::word);
    let mut fields: Vec<(String, String)> =
        account.fields.iter().map(|field| (field.name.clone(), field.value_text.clone())).collect();
    fields.resize(PROFILE_FIELDS_MAX.max(fields.len()), Default::default());
    ProfileForm {
        name: account.display_name.clone(),
        note: account.note_text.clone(),
        fields,
        is_locked: account.is_locked,
        is_bot: account.is_bot(),
        is_discoverable: account.is_discoverable,
        hides_follows: account.hides_follows.unwrap_or_default(),
        shows_media: tabs.media,
        shows_media_replies: tabs.media_replies,
        quote_policy: quote_policy.to_owned(),
        attribution_domains: account.attribution_domains.clone().unwrap_or_default().join("\n"),
        faults: Faults::none(),
    }
}

/// What was typed. A box that is not ticked is not sent.
fn typed(params: &Params) -> ProfileForm {
    let text = |name: &str| params.text(name).unwrap_or_default().replace("\r\n", "\n");
    let flag = |name: &str| params.flag(name).unwrap_or_default();
    let pair = |row: &crate::edge::api::params::Tree| {
        (row.text("name").unwrap_or_default(), row.text("value").unwrap_or_default())
    };
    ProfileForm {
        name: text("name"),
        note: text("note"),
        fields: params.children("fields").unwrap_or_default().iter().map(pair).collect(),
        is_locked: flag("locked"),
        is_bot: flag("bot"),
        is_discoverable: flag("discoverable"),
        hides_follows: flag("hide_follows"),
        shows_media: flag("show_media"),
        shows_media_replies: flag("show_media_replies"),
        quote_policy: text("quote_policy"),
        attribution_domains: text("attribution_domains"),
        faults: Faults::none(),
    }
}

/// `POST /settings/profile`.
async fn save(member: Member, request: Request) -> Result<Response, Problem> {
    let state = &member.visit.state;
    // Before the body is read: so many bodies are in memory at once.
    let (request, _place) = state.gates().uploads.admit(member.login.account.id, request).await?;
    let params = Params::from_request(request, state).await?;
    member.visit.browser.check(params.text("csrf").as_deref())?;
    let mut form = typed(&params);
    let picture = |name: &str| match params.file(name) {
        Some(upload) => PictureChange::Replace(upload.bytes.clone()),
        None if params.flag(&format!("remove_{name}")).unwrap_or_default() => PictureChange::Remove,
        None => PictureChange::Keep,
    };
    let change = profile::ProfileForm {
        display_name: Some(form.name.clone()),
        note: Some(form.note.clone()),
        fields: Some(form.fields.clone()),
        avatar: picture("avatar"),
        header: picture("header"),
        is_locked: Some(form.is_locked),
        is_bot: Some(form.is_bot),
        is_discoverable: Some(form.is_discoverable),
        hides_follows: Some(form.hides_follows),
        shows_media: Some(form.shows_media),
        shows_media_replies: Some(form.shows_media_replies),
        attribution_domains: Some(form.attribution_domains.lines().map(str::to_owned).collect()),
        defaults: Some(PostingDefaults {
            quote_policy: QuotePolicy::from_word(&form.quote_policy)
                .filter(|policy| *policy != QuotePolicy::everybody()),
            ..member.login.user.defaults.clone()
        }),
        ..profile::ProfileForm::default()
    };
    match profile::update(&member.visit.state, member.login.account.id, change).await {
        Ok(_) => Ok(go::saying(&member.visit.state.site, Notice::ProfileSaved, go::to("/settings/profile"))),
        Err(problem) if matches!(problem.kind, ProblemKind::Invalid | ProblemKind::TooLarge) => {
            form.faults = Faults::one("", problem.detail.trim_start_matches("Validation failed: "));
            render_as(StatusCode::UNPROCESSABLE_ENTITY, &view(&member, form).await?)
        }
        Err(problem) => Err(problem),
    }
}
