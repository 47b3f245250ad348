//! Changing one's profile, for the API and the pages: text becomes HTML,
//! uploads become pictures, then one transaction.

use std::collections::HashMap;

use axum::body::Bytes;

use super::AppState;
use super::media;
use crate::base::{Id, Problem};
use crate::domain::account::{self, Changed, ProfileChange, ProfileError, Rendered};
use crate::domain::user::{self, UserError};
use crate::model::{Account, Field, Picture, PostingDefaults, Site};
use crate::store::{ReadTx, StoreError};
use crate::wire::media::picture::Shape;
use crate::wire::text::{Handle, Links, MentionTarget, hashtag_key, line_to_html, mentions, to_html};

/// Mentions that are looked up in one profile.
const MENTIONS_MAX: usize = 20;

/// A picture in a form.
#[derive(Debug, Clone, Default)]
pub(crate) enum PictureChange {
    /// Stays as it is.
    #[default]
    Keep,
    /// Is taken away.
    Remove,
    /// Is replaced by this upload.
    Replace(Bytes),
}

/// What of a profile is to change, as it came in; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProfileForm {
    /// What to call them.
    pub(crate) display_name: Option<String>,
    /// Profile text, as typed.
    pub(crate) note: Option<String>,
    /// Names and values of all rows, as typed.
    pub(crate) fields: Option<Vec<(String, String)>>,
    /// Small picture.
    pub(crate) avatar: PictureChange,
    /// Wide picture.
    pub(crate) header: PictureChange,
    /// Follows need approval.
    pub(crate) is_locked: Option<bool>,
    /// It is a bot.
    pub(crate) is_bot: Option<bool>,
    /// May be listed.
    pub(crate) is_discoverable: Option<bool>,
    /// Public posts may be searched.
    pub(crate) is_indexable: Option<bool>,
    /// Whom they follow and who follows them is for nobody else to see.
    pub(crate) hides_follows: Option<bool>,
    /// Hosts whose pages may name them as author.
    pub(crate) attribution_domains: Option<Vec<String>>,
    /// Posts with files are shown by themselves.
    pub(crate) shows_media: Option<bool>,
    /// Answers are among these.
    pub(crate) shows_media_replies: Option<bool>,
    /// What they recommend is shown.
    pub(crate) shows_featured: Option<bool>,
    /// For new posts.
    pub(crate) defaults: Option<PostingDefaults>,
}

/// Changes a profile. Old pictures go once the new ones are kept.
///
/// # Errors
/// 422 with what is wrong; nothing is changed then.
pub(crate) async fn update(state: &AppState, me: Id, form: ProfileForm) -> Result<Changed, Problem> {
    let known = known_mentions(state, &form).await?;
    let links = |handle: &Handle| known.get(&key(handle)).cloned();
    let mut change = ProfileChange {
        display_name: form.display_name,
        note: form.note.map(|text| rendered(&state.site, &links, text)),
        fields: form.fields.map(|rows| fields(&state.site, &links, rows)),
        avatar: None,
        header: None,
        is_locked: form.is_locked,
        is_bot: form.is_bot,
        is_discoverable: form.is_discoverable,
        is_indexable: form.is_indexable,
        hides_follows: form.hides_follows,
        attribution_domains: form.attribution_domains,
        shows_media: form.shows_media,
        shows_media_replies: form.shows_media_replies,
        shows_featured: form.shows_featured,
    };
    change.avatar = picture(state, form.avatar, Shape::Avatar).await?;
    change.header = picture(state, form.header, Shape::Header).await?;
    let fresh = [change.avatar.clone().flatten(), change.header.clone().flatten()];
    let result = save(state, me, change, form.defaults).await;
    match &result {
        Ok(changed) => drop_replaced(state, changed).await,
        Err(_) => {
            for picture in &fresh {
                media::forget(state, picture.as_ref()).await;
            }
        }
    }
    result
}

async fn save(
    state: &AppState,
    me: Id,
    change: ProfileChange,
    defaults: Option<PostingDefaults>,
) -> Result<Changed, Problem> {
    let (moment, site) = (state.moment(), state.site.clone());
    let changed = state
        .store
        .write(move |tx| {
            if let Some(defaults) = &defaults {
                user::set_defaults(tx, me, defaults)?;
            }
            account::update_profile(tx, &mut moment.clone(), &site, me, &change)
        })
        .await?;
    Ok(changed)
}

async fn drop_replaced(state: &AppState, changed: &Changed) {
    if changed.old.avatar != changed.new.avatar {
        media::forget(state, changed.old.avatar.as_ref()).await;
    }
    if changed.old.header != changed.new.header {
        media::forget(state, changed.old.header.as_ref()).await;
    }
}

async fn picture(
    state: &AppState,
    change: PictureChange,
    shape: Shape,
) -> Result<Option<Option<Picture>>, Problem> {
    Ok(match change {
        PictureChange::Keep => None,
        PictureChange::Remove => Some(None),
        PictureChange::Replace(upload) => Some(Some(media::keep_portrait(state, upload, shape).await?)),
    })
}

type Known<'a> = &'a dyn Fn(&Handle) -> Option<MentionTarget>;

fn rendered(site: &Site, known: Known<'_>, text: String) -> Rendered {
    let hashtag = |name: &str| site.tag_page(&hashtag_key(name));
    let html = to_html(&text, &Links { mention: known, hashtag: &hashtag });
    Rendered { text, html }
}

fn fields(site: &Site, known: Known<'_>, rows: Vec<(String, String)>) -> Vec<Field> {
    let hashtag = |name: &str| site.tag_page(&hashtag_key(name));
    let links = Links { mention: known, hashtag: &hashtag };
    let field = |(name, value): (String, String)| {
        let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
        Field { name, value_html: line_to_html(&value, &links), value_text: value, verified_at: None }
    };
    rows.into_iter().map(field).collect()
}

fn key(handle: &Handle) -> (String, String) {
    Account::handle_key(&handle.username, handle.domain.as_deref())
}

/// The accounts that the texts name, as far as we know them.
async fn known_mentions(
    state: &AppState,
    form: &ProfileForm,
) -> Result<HashMap<(String, String), MentionTarget>, Problem> {
    let values = form.fields.iter().flatten().map(|(_, value)| value.as_str());
    let texts: Vec<&str> = form.note.as_deref().into_iter().chain(values).collect();
    let handles: Vec<Handle> = texts.iter().flat_map(|text| mentions(text)).take(MENTIONS_MAX).collect();
    if handles.is_empty() {
        return Ok(HashMap::new());
    }
    let site = state.site.clone();
    Ok(state.store.read(move |tx| look_up(tx, &site, handles)).await?)
}

fn look_up(
    tx: &ReadTx<'_>,
    site: &Site,
    handles: Vec<Handle>,
) -> Result<HashMap<(String, String), MentionTarget>, StoreError> {
    let mut known = HashMap::new();
    for handle in handles {
        let written = match &handle.domain {
            Some(domain) => format!("{}@{domain}", handle.username),
            None => handle.username.clone(),
        };
        if let Some(account) = account::by_handle(tx, site, &written)? {
            let target = MentionTarget { url: account.url.clone(), username: account.username.clone() };
            known.insert(key(&handle), target);
        }
    }
    Ok(known)
}

impl From<ProfileError> for Problem {
    fn from(error: ProfileError) -> Problem {
        let detail = match error {
            ProfileError::NameTooLong => "Display name is too long (maximum is 30 characters)",
            ProfileError::NoteTooLong => "Note is too long (maximum is 500 characters)",
            ProfileError::FieldsTooMany => "Fields are too many (maximum is 4)",
            ProfileError::FieldTooLong => "Fields are too long (maximum is 255 characters)",
            ProfileError::FieldNameBlank => "Fields with a value must have a name",
            ProfileError::AttributionDomains => "Attribution domains is not a valid domain name",
            ProfileError::Missing => return Problem::not_found(),
            ProfileError::Store(error) => return error.into(),
        };
        Problem::invalid(format!("Validation failed: {detail}"))
    }
}

impl From<UserError> for ProfileError {
    fn from(error: UserError) -> ProfileError {
        match error {
            UserError::Missing => ProfileError::Missing,
            UserError::Store(error) => ProfileError::Store(error),
        }
    }
}
