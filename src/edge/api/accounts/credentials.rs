//! One's own account.

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use utoipa::ToSchema;

use crate::base::{Id, Problem};
use crate::domain::tag;
use crate::domain::timeline::load_people;
use crate::edge::AppState;
use crate::edge::api::params::{Params, Tree};
use crate::edge::api::people::borrowed;
use crate::edge::api::tags::featured_entity;
use crate::edge::auth::{Auth, Me};
use crate::edge::profile::{PictureChange, ProfileForm, update as update_profile};
use crate::model::tables::{ACCOUNT, COUNT, USER, count};
use crate::model::{PostingDefaults, QuotePolicy, Visibility};
use crate::store::StoreError;
use crate::wire::mastodon::{CredentialAccount, Profile};

type Answer = Result<Json<CredentialAccount>, Problem>;

/// The person's own account.
#[utoipa::path(get, path = "/api/v1/accounts/verify_credentials", tag = "Accounts",
    security(("oauth" = ["read:accounts"]), ("oauth" = ["profile"])), responses((status = 200, body = CredentialAccount)))]
pub(super) async fn verify(State(state): State<AppState>, auth: Auth) -> Answer {
    // `profile` is enough for the name and picture; Mastodon answers the same.
    let me = auth.me("read:accounts").or_else(|problem| auth.me("profile").map_err(|_| problem))?;
    own(&state, me.id).await
}

/// The person's own profile, as they typed it.
#[utoipa::path(get, path = "/api/v1/profile", tag = "Profile",
    security(("oauth" = ["read:accounts"]), ("oauth" = ["profile"])),
    responses((status = 200, body = Profile)))]
pub(super) async fn profile(State(state): State<AppState>, auth: Auth) -> Result<Json<Profile>, Problem> {
    let me = auth.me("read:accounts").or_else(|problem| auth.me("profile").map_err(|_| problem))?;
    own_profile(&state, me.id).await
}

async fn own_profile(state: &AppState, me: Id) -> Result<Json<Profile>, Problem> {
    let found =
        state.store.read(move |tx| Ok::<_, StoreError>((tx.get(ACCOUNT, &me)?, tag::featured(tx, me)?)));
    let (account, featured) = found.await?;
    let account = account.ok_or_else(Problem::not_found)?;
    let featured = featured.iter().map(|featured| featured_entity(state, &account, featured)).collect();
    Ok(Json(Profile::new(&state.site, &account, featured)))
}

/// The account as its own person sees it now.
pub(super) async fn own(state: &AppState, me: Id) -> Answer {
    let found = state
        .store
        .read(move |tx| {
            let person = load_people(tx, &[me])?.pop().flatten();
            let requests = tx.count(COUNT, &(count::FOLLOW_REQUESTS, me))?;
            Ok::<_, StoreError>((person, tx.get(USER, &me)?, requests))
        })
        .await?;
    let (Some(person), Some(user), requests) = found else { return Err(Problem::not_found()) };
    let requests = u64::try_from(requests).unwrap_or(0);
    Ok(Json(CredentialAccount::new(&state.site, &borrowed(&person), &user, requests)))
}

/// Changes the person's own account. Pictures are files of a multipart form.
#[utoipa::path(method(put, patch), path = "/api/v1/accounts/update_credentials", tag = "Accounts",
    request_body = ProfileChange, security(("oauth" = ["write:accounts"])), responses((status = 200, body = CredentialAccount)))]
pub(super) async fn update(State(state): State<AppState>, auth: Auth, request: Request) -> Answer {
    let me = change(&state, &auth, request).await?;
    own(&state, me).await
}

/// Changes the person's own profile. Pictures are files of a multipart form.
#[utoipa::path(method(put, patch), path = "/api/v1/profile", tag = "Profile",
    request_body = ProfileChange, security(("oauth" = ["write:accounts"])),
    responses((status = 200, body = Profile)))]
pub(super) async fn update_own_profile(
    State(state): State<AppState>,
    auth: Auth,
    request: Request,
) -> Result<Json<Profile>, Problem> {
    let me = change(&state, &auth, request).await?;
    own_profile(&state, me).await
}

/// What of an account can be changed; what is not sent stays as it is.
#[derive(Debug, ToSchema)]
#[allow(dead_code)] // a description only: files and nested lists are read from the tree
pub(super) struct ProfileChange {
    display_name: Option<String>,
    /// The profile text.
    note: Option<String>,
    /// A file.
    #[schema(format = Binary)]
    avatar: Option<String>,
    /// A file.
    #[schema(format = Binary)]
    header: Option<String>,
    /// Follows need approval.
    locked: Option<bool>,
    bot: Option<bool>,
    /// May be listed in the directory.
    discoverable: Option<bool>,
    /// Public posts may be searched.
    indexable: Option<bool>,
    /// Whom they follow and who follows them is shown to nobody else.
    hide_collections: Option<bool>,
    /// Hosts whose pages may name them as author; all of them are replaced.
    attribution_domains: Option<Vec<String>>,
    /// Posts with files are shown by themselves.
    show_media: Option<bool>,
    /// Answers are among these.
    show_media_replies: Option<bool>,
    /// What they recommend is shown.
    show_featured: Option<bool>,
    /// Rows of the profile's table; all of them are replaced.
    fields_attributes: Option<Vec<FieldForm>>,
    source: Option<SourceForm>,
}

/// A row of the profile's table.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub(super) struct FieldForm {
    name: Option<String>,
    value: Option<String>,
}

/// What new posts are at first.
#[derive(Debug, ToSchema)]
#[allow(dead_code)]
pub(super) struct SourceForm {
    /// `public`, `unlisted` or `private`.
    privacy: Option<String>,
    sensitive: Option<bool>,
    language: Option<String>,
    /// Who may quote: `public`, `followers` or `nobody`.
    quote_policy: Option<String>,
}

async fn change(state: &AppState, auth: &Auth, request: Request) -> Result<Id, Problem> {
    let me = auth.me("write:accounts")?;
    // Before the body is read: so many bodies are in memory at once.
    let (request, _place) = state.gates().uploads.admit(me.id, request).await?;
    let params = &Params::from_request(request, state).await?;
    let form = ProfileForm {
        display_name: params.text("display_name"),
        note: params.text("note"),
        fields: fields(params),
        avatar: picture(params, "avatar"),
        header: picture(params, "header"),
        is_locked: params.flag("locked"),
        is_bot: params.flag("bot"),
        is_discoverable: params.flag("discoverable"),
        is_indexable: params.flag("indexable"),
        hides_follows: params.flag("hide_collections"),
        attribution_domains: params.list("attribution_domains"),
        shows_media: params.flag("show_media"),
        shows_media_replies: params.flag("show_media_replies"),
        shows_featured: params.flag("show_featured"),
        defaults: params.child("source").map(|source| defaults(&me, &source)).transpose()?,
    };
    update_profile(state, me.id, form).await?;
    Ok(me.id)
}

fn picture(params: &Params, key: &str) -> PictureChange {
    params.file(key).map_or(PictureChange::Keep, |file| PictureChange::Replace(file.bytes.clone()))
}

fn fields(params: &Tree) -> Option<Vec<(String, String)>> {
    let rows = params.children("fields_attributes")?;
    let row = |row: Tree| (row.text("name").unwrap_or_default(), row.text("value").unwrap_or_default());
    Some(rows.into_iter().map(row).collect())
}

fn defaults(me: &Me, source: &Tree) -> Result<PostingDefaults, Problem> {
    let mut defaults = me.user.defaults.clone();
    if let Some(word) = source.filled("privacy") {
        let known = Visibility::from_word(&word).filter(|v| *v != Visibility::Direct);
        defaults.visibility = known
            .ok_or_else(|| Problem::invalid("Validation failed: Privacy is not included in the list"))?;
    }
    defaults.sensitive = source.flag("sensitive").unwrap_or(defaults.sensitive);
    if let Some(language) = source.text("language") {
        let is_code =
            |code: &String| code.len() <= 8 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        defaults.language = Some(language.trim().to_owned()).filter(|l| !l.is_empty() && is_code(l));
    }
    if let Some(word) = source.filled("quote_policy") {
        let known = QuotePolicy::from_word(&word)
            .ok_or_else(|| Problem::invalid("Validation failed: Quote policy is not included in the list"))?;
        defaults.quote_policy = Some(known).filter(|policy| *policy != QuotePolicy::everybody());
    }
    Ok(defaults)
}

/// Takes the small picture away.
#[utoipa::path(delete, path = "/api/v1/profile/avatar", tag = "Profile",
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = CredentialAccount)))]
pub(super) async fn remove_avatar(State(state): State<AppState>, auth: Auth) -> Answer {
    let me = auth.me("write:accounts")?.id;
    let form = ProfileForm { avatar: PictureChange::Remove, ..ProfileForm::default() };
    update_profile(&state, me, form).await?;
    own(&state, me).await
}

/// Takes the wide picture away.
#[utoipa::path(delete, path = "/api/v1/profile/header", tag = "Profile",
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = CredentialAccount)))]
pub(super) async fn remove_header(State(state): State<AppState>, auth: Auth) -> Answer {
    let me = auth.me("write:accounts")?.id;
    let form = ProfileForm { header: PictureChange::Remove, ..ProfileForm::default() };
    update_profile(&state, me, form).await?;
    own(&state, me).await
}
