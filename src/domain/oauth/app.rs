//! Registered apps.

use crate::base::Moment;
use crate::domain::secret;
use crate::model::tables::{APP, APP_BY_CLIENT_ID};
use crate::model::{App, Scopes};
use crate::store::{ReadTx, StoreError, WriteTx};

/// The redirect URI of apps that want the code shown to the person.
pub const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

const NAME_MAX_CHARACTERS: usize = 60;
const URI_MAX_BYTES: usize = 2000;
const REDIRECTS_MAX: usize = 20;
/// Schemes a browser would run or show as ours.
const REFUSED_SCHEMES: [&str; 7] = ["data", "vbscript", "javascript", "file", "blob", "about", "view-source"];

/// What an app tells of itself, and the names made for it.
#[derive(Debug, Clone)]
pub struct NewApp {
    /// Shown to people.
    pub name: String,
    /// Its page.
    pub website: Option<String>,
    /// Where browsers may be sent back.
    pub redirect_uris: Vec<String>,
    /// What it may ask for.
    pub scopes: Scopes,
    /// Random; public.
    pub client_id: String,
    /// Digest of a random secret that the caller gives to the app.
    pub secret_digest: [u8; 32],
}

/// Why an app cannot be registered. The texts are Mastodon's.
#[derive(Debug)]
pub enum RegisterError {
    /// No name.
    NameBlank,
    /// A name of more than 60 characters.
    NameTooLong,
    /// No redirect URI.
    RedirectBlank,
    /// A redirect URI that is no absolute URI, has a fragment, or a scheme
    /// that browsers would run.
    RedirectInvalid,
    /// Too many redirect URIs.
    RedirectsTooMany,
    /// A website that is no web address.
    WebsiteInvalid,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for RegisterError {
    fn from(cause: StoreError) -> Self {
        RegisterError::Store(cause)
    }
}

/// Registers an app.
///
/// # Errors
/// What is wrong with what it tells of itself.
pub fn register(tx: &mut WriteTx<'_>, moment: &mut Moment, new: &NewApp) -> Result<App, RegisterError> {
    check(new)?;
    let app = App {
        id: moment.id(),
        name: new.name.trim().to_owned(),
        website: new.website.clone(),
        redirect_uris: new.redirect_uris.clone(),
        scopes: new.scopes.clone(),
        client_id: new.client_id.clone(),
        secret_digest: new.secret_digest,
        created_at: moment.now,
    };
    tx.put(APP, &app.id, &app);
    tx.put(APP_BY_CLIENT_ID, &app.client_id, &app.id);
    Ok(app)
}

fn check(new: &NewApp) -> Result<(), RegisterError> {
    if new.name.trim().is_empty() {
        return Err(RegisterError::NameBlank);
    }
    if new.name.chars().count() > NAME_MAX_CHARACTERS {
        return Err(RegisterError::NameTooLong);
    }
    if new.redirect_uris.is_empty() {
        return Err(RegisterError::RedirectBlank);
    }
    if new.redirect_uris.len() > REDIRECTS_MAX {
        return Err(RegisterError::RedirectsTooMany);
    }
    if !new.redirect_uris.iter().all(|uri| is_redirect(uri)) {
        return Err(RegisterError::RedirectInvalid);
    }
    if new.website.as_deref().is_some_and(|page| !is_page(page)) {
        return Err(RegisterError::WebsiteInvalid);
    }
    Ok(())
}

fn is_redirect(uri: &str) -> bool {
    if uri == OUT_OF_BAND {
        return true;
    }
    uri.len() <= URI_MAX_BYTES
        && !uri.contains('#')
        && !uri.chars().any(|c| c.is_whitespace() || c.is_control())
        && url::Url::parse(uri).is_ok_and(|parsed| {
            let is_web = matches!(parsed.scheme(), "http" | "https");
            !REFUSED_SCHEMES.contains(&parsed.scheme()) && (!is_web || parsed.has_host())
        })
}

fn is_page(page: &str) -> bool {
    page.len() <= URI_MAX_BYTES
        && url::Url::parse(page).is_ok_and(|parsed| matches!(parsed.scheme(), "http" | "https"))
}

/// The app of this name.
///
/// # Errors
/// Only the store's.
pub fn find(tx: &ReadTx<'_>, client_id: &str) -> Result<Option<App>, StoreError> {
    match tx.get(APP_BY_CLIENT_ID, &client_id.to_owned())? {
        Some(id) => tx.get(APP, &id),
        None => Ok(None),
    }
}

/// The app, if it proves with its secret that it is the one.
///
/// # Errors
/// Only the store's.
pub fn authenticate(
    tx: &ReadTx<'_>,
    client_id: &str,
    client_secret: &str,
) -> Result<Option<App>, StoreError> {
    let app = find(tx, client_id)?;
    let digest = secret::digest(client_secret);
    Ok(app.filter(|app| secret::same(&app.secret_digest, &digest)))
}
