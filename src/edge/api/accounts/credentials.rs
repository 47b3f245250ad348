//! One's own account.

use axum::Json;
use axum::extract::State;

use crate::base::{Id, Problem};
use crate::domain::timeline::load_people;
use crate::edge::AppState;
use crate::edge::api::params::{Params, Tree};
use crate::edge::api::people::borrowed;
use crate::edge::auth::{Auth, Me};
use crate::edge::profile::{PictureChange, ProfileForm, update as update_profile};
use crate::model::tables::{COUNT, USER, count};
use crate::model::{PostingDefaults, Visibility};
use crate::store::StoreError;
use crate::wire::mastodon::CredentialAccount;

type Answer = Result<Json<CredentialAccount>, Problem>;

pub(super) async fn verify(State(state): State<AppState>, auth: Auth) -> Answer {
    // `profile` is enough for the name and picture; Mastodon answers the same.
    let me = auth.me("read:accounts").or_else(|problem| auth.me("profile").map_err(|_| problem))?;
    own(&state, me.id).await
}

pub(super) async fn profile(State(state): State<AppState>, auth: Auth) -> Answer {
    own(&state, auth.me("read:accounts")?.id).await
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

pub(super) async fn update(State(state): State<AppState>, auth: Auth, params: Params) -> Answer {
    let me = auth.me("write:accounts")?;
    let form = ProfileForm {
        display_name: params.text("display_name"),
        note: params.text("note"),
        fields: fields(&params),
        avatar: picture(&params, "avatar"),
        header: picture(&params, "header"),
        is_locked: params.flag("locked"),
        is_bot: params.flag("bot"),
        is_discoverable: params.flag("discoverable"),
        is_indexable: params.flag("indexable"),
        defaults: params.child("source").map(|source| defaults(&me, &source)).transpose()?,
    };
    update_profile(&state, me.id, form).await?;
    own(&state, me.id).await
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
    Ok(defaults)
}

pub(super) async fn remove_avatar(State(state): State<AppState>, auth: Auth) -> Answer {
    let me = auth.me("write:accounts")?.id;
    let form = ProfileForm { avatar: PictureChange::Remove, ..ProfileForm::default() };
    update_profile(&state, me, form).await?;
    own(&state, me).await
}

pub(super) async fn remove_header(State(state): State<AppState>, auth: Auth) -> Answer {
    let me = auth.me("write:accounts")?.id;
    let form = ProfileForm { header: PictureChange::Remove, ..ProfileForm::default() };
    update_profile(&state, me, form).await?;
    own(&state, me).await
}
