//! Finding accounts, and changing one's own profile.

use crate::base::limits::{
    DISPLAY_NAME_CHARACTERS_MAX, NOTE_CHARACTERS_MAX, PROFILE_FIELD_CHARACTERS_MAX, PROFILE_FIELDS_MAX,
};
use crate::base::{Id, Moment};
use crate::domain::delivery::{Task, enqueue};
use crate::domain::{attribution, webhook};
use crate::model::queue::{Job, OrderKey};
use crate::model::tables::{ACCOUNT, ACCOUNT_BY_HANDLE, ACCOUNT_BY_URI};
use crate::model::{Account, ActorKind, CustomEmoji, Field, Picture, ProfileTabs, Site, WebhookEvent};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// How many handles a search by prefix looks at.
const SEARCH_ROWS_MAX: usize = 200;

/// The account with this id, visible or not.
///
/// # Errors
/// Only the store's.
pub fn get(tx: &ReadTx<'_>, id: Id) -> Result<Option<Account>, StoreError> {
    tx.get(ACCOUNT, &id)
}

/// The id behind a handle.
///
/// # Errors
/// Only the store's.
pub fn id_by_handle(tx: &ReadTx<'_>, username: &str, domain: Option<&str>) -> Result<Option<Id>, StoreError> {
    tx.get(ACCOUNT_BY_HANDLE, &Account::handle_key(username, domain))
}

/// The account behind `user`, `@user` or `user@domain`, if it may be shown.
/// Our own domain means a local account.
///
/// # Errors
/// Only the store's.
pub fn by_handle(tx: &ReadTx<'_>, site: &Site, handle: &str) -> Result<Option<Account>, StoreError> {
    let (username, domain) = split_handle(site, handle);
    let Some(id) = id_by_handle(tx, username, domain)? else { return Ok(None) };
    Ok(get(tx, id)?.filter(Account::is_visible))
}

/// `user`, `@user`, `user@domain` or `@user@domain` as name and foreign domain.
pub fn split_handle<'a>(site: &Site, handle: &'a str) -> (&'a str, Option<&'a str>) {
    let handle = handle.trim();
    let handle = handle.strip_prefix('@').unwrap_or(handle);
    match handle.split_once('@') {
        Some((username, domain)) if domain.eq_ignore_ascii_case(&site.domain) => (username, None),
        Some((username, domain)) => (username, Some(domain)),
        None => (handle, None),
    }
}

/// The account with this ActivityPub id, visible or not.
///
/// # Errors
/// Only the store's.
pub fn by_uri(tx: &ReadTx<'_>, uri: &str) -> Result<Option<Account>, StoreError> {
    match tx.get(ACCOUNT_BY_URI, &uri.to_owned())? {
        Some(id) => get(tx, id),
        None => Ok(None),
    }
}

/// Accounts we know whose name begins so; local ones first. `handle` may
/// name a domain, or a beginning of one.
///
/// # Errors
/// Only the store's.
pub fn search(tx: &ReadTx<'_>, site: &Site, handle: &str, limit: usize) -> Result<Vec<Account>, StoreError> {
    let (username, domain) = split_handle(site, handle);
    let (username, domain) = Account::handle_key(username, domain);
    if username.is_empty() {
        return Ok(Vec::new());
    }
    // The highest character sorts behind everything a name can go on with.
    let end = (format!("{username}{}", char::MAX), String::new());
    let from = (username.clone(), String::new());
    let mut rows =
        tx.scan(ACCOUNT_BY_HANDLE, Scan::all().after(&from).before(&end).limit(SEARCH_ROWS_MAX))?;
    if let Some(id) = tx.get(ACCOUNT_BY_HANDLE, &from)? {
        rows.insert(0, (from, id));
    }
    rows.retain(|((name, host), _)| domain.is_empty() || (*name == username && host.starts_with(&domain)));
    rows.sort_by_key(|((_, host), _)| !host.is_empty());
    let ids: Vec<Id> = rows.into_iter().map(|(_, id)| id).collect();
    let found = tx.get_many(ACCOUNT, &ids)?;
    Ok(found.into_iter().flatten().filter(Account::is_visible).take(limit).collect())
}

/// Text as typed, and as clean HTML made from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// As typed.
    pub text: String,
    /// Clean HTML.
    pub html: String,
}

/// What of a profile is to change; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange {
    /// What to call them; blank for the username.
    pub display_name: Option<String>,
    /// Profile text.
    pub note: Option<Rendered>,
    /// All rows of the profile's table; rows without name and value go.
    pub fields: Option<Vec<Field>>,
    /// New small picture, or none.
    pub avatar: Option<Option<Picture>>,
    /// New wide picture, or none.
    pub header: Option<Option<Picture>>,
    /// Follows need approval.
    pub is_locked: Option<bool>,
    /// It is a bot.
    pub is_bot: Option<bool>,
    /// May be listed.
    pub is_discoverable: Option<bool>,
    /// Public posts may be searched.
    pub is_indexable: Option<bool>,
    /// Whom they follow and who follows them is for nobody else to see.
    pub hides_follows: Option<bool>,
    /// Hosts whose pages may name them as author, as typed.
    pub attribution_domains: Option<Vec<String>>,
    /// Whether posts with files are shown by themselves.
    pub shows_media: Option<bool>,
    /// Whether answers are among these.
    pub shows_media_replies: Option<bool>,
    /// Whether what they recommend is shown.
    pub shows_featured: Option<bool>,
}

/// Custom emojis in a profile, looked up anew: any of its texts may have
/// changed.
fn emojis(tx: &ReadTx<'_>, site: &Site, account: &Account) -> Result<Option<Vec<CustomEmoji>>, StoreError> {
    let mut texts = vec![account.display_name.as_str(), account.note_text.as_str()];
    texts.extend(account.fields.iter().flat_map(|field| [field.name.as_str(), field.value_text.as_str()]));
    let found = crate::domain::emoji::in_text(tx, site, &texts)?;
    Ok(Some(found).filter(|all| !all.is_empty()))
}

/// Why a profile cannot be changed.
#[derive(Debug)]
pub enum ProfileError {
    /// There is no such local account.
    Missing,
    /// More than [`DISPLAY_NAME_CHARACTERS_MAX`] characters.
    NameTooLong,
    /// More than [`NOTE_CHARACTERS_MAX`] characters.
    NoteTooLong,
    /// More than [`PROFILE_FIELDS_MAX`] rows.
    FieldsTooMany,
    /// A name or value of more than [`PROFILE_FIELD_CHARACTERS_MAX`]
    /// characters.
    FieldTooLong,
    /// A value without a name.
    FieldNameBlank,
    /// More than [`attribution::DOMAINS_MAX`] hosts, or one that is none.
    AttributionDomains,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for ProfileError {
    fn from(cause: StoreError) -> Self {
        ProfileError::Store(cause)
    }
}

/// The profile before and after; pictures only the first has can be removed.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Before.
    pub old: Account,
    /// After.
    pub new: Account,
}

/// Changes a local profile and tells the followers. Takes two ids.
///
/// # Errors
/// What is too much or missing; nothing is changed then.
pub fn update_profile(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    id: Id,
    change: &ProfileChange,
) -> Result<Changed, ProfileError> {
    check(change)?;
    let found = get(tx, id)?.filter(|account| account.is_local() && account.is_visible());
    let old = found.ok_or(ProfileError::Missing)?;
    let mut new = old.clone();
    apply(&mut new, change);
    new.emojis = emojis(tx, site, &new)?;
    if new != old {
        Account::save(tx, Some(&old), &new);
        let task = Task::local(Job::ShareProfile { account: id }, id).order(OrderKey::of(id));
        enqueue(tx, moment, &task)?;
        webhook::announce(tx, moment, WebhookEvent::AccountUpdated, &[id])?;
    }
    Ok(Changed { old, new })
}

fn check(change: &ProfileChange) -> Result<(), ProfileError> {
    let longer = |text: &str, max: usize| text.chars().nth(max).is_some();
    if change.display_name.as_ref().is_some_and(|name| longer(name.trim(), DISPLAY_NAME_CHARACTERS_MAX)) {
        return Err(ProfileError::NameTooLong);
    }
    if change.note.as_ref().is_some_and(|note| longer(&note.text, NOTE_CHARACTERS_MAX)) {
        return Err(ProfileError::NoteTooLong);
    }
    let fields = change.fields.as_deref().unwrap_or_default();
    if fields.iter().filter(|f| !is_blank(f)).count() > PROFILE_FIELDS_MAX {
        return Err(ProfileError::FieldsTooMany);
    }
    for field in fields {
        if longer(&field.name, PROFILE_FIELD_CHARACTERS_MAX)
            || longer(&field.value_text, PROFILE_FIELD_CHARACTERS_MAX)
        {
            return Err(ProfileError::FieldTooLong);
        }
        if field.name.trim().is_empty() && !is_blank(field) {
            return Err(ProfileError::FieldNameBlank);
        }
    }
    match &change.attribution_domains {
        Some(typed) if attribution::domains(typed).is_none() => Err(ProfileError::AttributionDomains),
        _ => Ok(()),
    }
}

fn is_blank(field: &Field) -> bool {
    field.name.trim().is_empty() && field.value_text.trim().is_empty()
}

fn apply(account: &mut Account, change: &ProfileChange) {
    if let Some(name) = &change.display_name {
        account.display_name = one_line(name);
    }
    if let Some(note) = &change.note {
        account.note_text.clone_from(&note.text);
        account.note_html.clone_from(&note.html);
    }
    if let Some(fields) = &change.fields {
        account.fields = fields.iter().filter(|f| !is_blank(f)).cloned().collect();
    }
    if let Some(picture) = &change.avatar {
        account.avatar.clone_from(picture);
    }
    if let Some(picture) = &change.header {
        account.header.clone_from(picture);
    }
    if let Some(is_bot) = change.is_bot {
        account.kind = if is_bot { ActorKind::Service } else { ActorKind::Person };
    }
    account.is_locked = change.is_locked.unwrap_or(account.is_locked);
    account.is_discoverable = change.is_discoverable.unwrap_or(account.is_discoverable);
    account.is_indexable = change.is_indexable.unwrap_or(account.is_indexable);
    if let Some(hides) = change.hides_follows {
        account.hides_follows = hides.then_some(true);
    }
    if let Some(typed) = &change.attribution_domains {
        account.attribution_domains = attribution::domains(typed).filter(|domains| !domains.is_empty());
    }
    let old = account.tabs.unwrap_or_default();
    let tabs = ProfileTabs {
        media: change.shows_media.unwrap_or(old.media),
        media_replies: change.shows_media_replies.unwrap_or(old.media_replies),
        featured: change.shows_featured.unwrap_or(old.featured),
    };
    account.tabs = Some(tabs).filter(|tabs| *tabs != ProfileTabs::default());
}

/// Names are shown in one line among others: no line breaks, no control
/// characters that could turn the text around them.
fn one_line(name: &str) -> String {
    const DIRECTION: [char; 9] = [
        '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}',
        '\u{2069}',
    ];
    let clean: String = name.chars().filter(|c| !c.is_control() && !DIRECTION.contains(c)).collect();
    clean.trim().to_owned()
}
