//! Joining: by open registration, by approval, by invitation, or by being
//! given an account by whoever runs the server.

use super::name::{self, NameError};
use crate::base::{Id, Moment, Timestamp};
use crate::domain::mail;
use crate::domain::moderation::barred::is_email_barred;
use crate::domain::moderation::members;
use crate::domain::notification::{News, notify_all};
use crate::domain::webhook;
use crate::model::queue::Letter;
use crate::model::tables::{ACCOUNT_BY_HANDLE, ACCOUNT_KEY, COUNT, INVITE, USER_BY_EMAIL, count};
use crate::model::{
    Account, ActorKind, Invite, KeyPair, NotificationKind, Permission, Registration, Role, Site, User,
    UserState, WebhookEvent,
};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Bytes of a mail address (RFC 5321: 254 with its brackets taken off).
const EMAIL_MAX_BYTES: usize = 254;
/// Ids that signing somebody up may take, and one for their token.
pub const SIGN_UP_IDS: u16 = 128;
/// Characters of the reason for joining.
const REASON_MAX_CHARACTERS: usize = 500;

/// Who wants to join. Everything slow or random was made before: the
/// password's hash and the signing key.
#[derive(Clone)]
pub struct NewUser {
    /// As they write it; kept in that case.
    pub username: String,
    /// Where to reach them; may be absent.
    pub email: Option<String>,
    /// argon2id, PHC string.
    pub password_hash: String,
    /// Fresh RSA key.
    pub keys: KeyPair,
    /// Why they want to join.
    pub reason: Option<String>,
    /// The invitation they hold.
    pub invite: Option<String>,
    /// The app that signs them up.
    pub app: Option<Id>,
    /// Language of the pages.
    pub locale: Option<String>,
}

/// By which door somebody joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// By themselves, as the server's registration setting allows.
    Public(Registration),
    /// By somebody who runs the server, with a role.
    Given(Role),
}

/// Why somebody cannot join.
#[derive(Debug)]
pub enum SignUpError {
    /// Nobody may sign up.
    Closed,
    /// An invitation is needed.
    InviteNeeded,
    /// The invitation is unknown, used up or too old.
    InviteInvalid,
    /// Approval needs a reason, and there is none.
    ReasonBlank,
    /// The username may not be chosen.
    Username(NameError),
    /// Somebody has, or had, this username.
    UsernameTaken,
    /// A mail address is needed, and there is none.
    EmailBlank,
    /// Not a mail address.
    EmailInvalid,
    /// Somebody signed up with this address.
    EmailTaken,
    /// Nobody may sign up with this address.
    EmailBarred,
    /// The owner's link was used, replaced or mistyped.
    BadLink,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for SignUpError {
    fn from(cause: StoreError) -> Self {
        SignUpError::Store(cause)
    }
}

/// Makes the account, its user and its key. Where mails are sent, whoever
/// comes by themselves has to confirm their address first. Takes ids for the
/// account, two webhooks, and a mail and a notification for each who runs the
/// server: up to [`SIGN_UP_IDS`].
///
/// # Errors
/// Why they cannot join; nothing is changed then.
pub fn sign_up(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    entry: Entry,
    new: &NewUser,
) -> Result<Account, SignUpError> {
    let (role, state, invited_by) = admit(tx, moment.now, entry, new)?;
    match name::check(&new.username) {
        // Whoever runs the server may be called `admin`.
        Err(NameError::Reserved) if matches!(entry, Entry::Given(_)) => {}
        checked => checked.map_err(SignUpError::Username)?,
    }
    // Rows of deleted accounts stay, so a handle is never given out again.
    if tx.get(ACCOUNT_BY_HANDLE, &Account::handle_key(&new.username, None))?.is_some() {
        return Err(SignUpError::UsernameTaken);
    }
    let email = new.email.as_deref().map(clean_email).transpose()?;
    if let Some(email) = &email
        && tx.get(USER_BY_EMAIL, email)?.is_some()
    {
        return Err(SignUpError::EmailTaken);
    }
    let is_public = matches!(entry, Entry::Public(_));
    let must_confirm = is_public && site.mail.as_ref().is_some_and(|route| route.confirms);
    if must_confirm && email.is_none() {
        return Err(SignUpError::EmailBlank);
    }
    if let Some(email) = email.as_ref().filter(|_| is_public)
        && is_email_barred(tx, email)?
    {
        return Err(SignUpError::EmailBarred);
    }
    let mut account = new_account(moment, site, new);
    let user = User {
        id: account.id,
        password_hash: new.password_hash.clone(),
        email,
        role,
        state,
        created_at: moment.now,
        reason: new.reason.as_deref().map(|r| r.chars().take(REASON_MAX_CHARACTERS).collect()),
        invited_by,
        app: new.app,
        locale: new.locale.clone(),
        awaits_confirmation: must_confirm,
        ..User::default()
    };
    account.waits = super::waits(&user).then_some(true);
    Account::save(tx, None, &account);
    User::save(tx, None, &user);
    tx.put(ACCOUNT_KEY, &account.id, &new.keys);
    tx.add(COUNT, &(count::LOCAL_USERS, Id::ZERO), 1);
    crate::domain::census::count_week(tx, moment.now, count::WEEK_REGISTRATIONS);
    webhook::announce(tx, moment, WebhookEvent::AccountCreated, &[account.id])?;
    if must_confirm {
        mail::post(tx, moment, site, Letter::Confirm { account: account.id })?;
    } else {
        mail::came_in(tx, moment, site, &user)?;
    }
    if is_public {
        tell_staff(tx, moment, account.id)?;
    }
    Ok(account)
}

/// Checks the door, and takes one use off the invitation.
fn admit(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    entry: Entry,
    new: &NewUser,
) -> Result<(Role, UserState, Option<Id>), SignUpError> {
    let registration = match entry {
        Entry::Given(role) => return Ok((role, UserState::Active, None)),
        Entry::Public(registration) => registration,
    };
    // An invitation opens every door but the closed one.
    if let Some(code) = new.invite.as_deref().filter(|code| !code.is_empty()) {
        if registration == Registration::Closed {
            return Err(SignUpError::Closed);
        }
        let invite = usable_invite(tx, code, now)?.ok_or(SignUpError::InviteInvalid)?;
        let used = Invite { uses_left: invite.uses_left.map(|n| n - 1), ..invite };
        tx.put(INVITE, &code.to_owned(), &used);
        return Ok((Role::User, UserState::Active, Some(used.creator)));
    }
    match registration {
        Registration::Closed => Err(SignUpError::Closed),
        Registration::Invite => Err(SignUpError::InviteNeeded),
        Registration::Open => Ok((Role::User, UserState::Active, None)),
        Registration::Approval => match new.reason.as_deref().map(str::trim) {
            None | Some("") => Err(SignUpError::ReasonBlank),
            Some(_) => Ok((Role::User, UserState::Pending, None)),
        },
    }
}

/// The invitation, if it can be used now.
///
/// # Errors
/// Only the store's.
pub fn usable_invite(tx: &ReadTx<'_>, code: &str, now: Timestamp) -> Result<Option<Invite>, StoreError> {
    let invite = tx.get(INVITE, &code.to_owned())?;
    Ok(invite.filter(|invite| is_usable(invite, now)))
}

/// The invitations that can be used now, with their codes, newest first.
///
/// # Errors
/// Only the store's.
pub fn usable_invites(
    tx: &ReadTx<'_>,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(String, Invite)>, StoreError> {
    let mut all = tx.scan(INVITE, Scan::all().limit(limit))?;
    all.retain(|(_, invite)| is_usable(invite, now));
    all.sort_by_key(|(_, invite)| std::cmp::Reverse(invite.created_at));
    Ok(all)
}

fn is_usable(invite: &Invite, now: Timestamp) -> bool {
    invite.expires_at.is_none_or(|end| now < end) && invite.uses_left != Some(0)
}

/// Keeps an invitation under its code (random, made by the caller).
pub fn create_invite(tx: &mut WriteTx<'_>, code: &str, invite: &Invite) {
    tx.put(INVITE, &code.to_owned(), invite);
}

/// A mail address as it is compared and written to: lower case, the domain as
/// mail servers know it (punycode). Quoted names, comments, literal addresses
/// and the like are refused: what one program reads in them is not what
/// another does, and so rules about domains would be evaded.
pub(in crate::domain) fn clean_email(email: &str) -> Result<String, SignUpError> {
    let email = email.trim().to_lowercase();
    let parts = email.split_once('@').filter(|(name, _)| is_mail_name(name));
    let clean = parts.and_then(|(name, domain)| Some(format!("{name}@{}", mail_domain(domain)?)));
    clean.filter(|email| email.len() <= EMAIL_MAX_BYTES).ok_or(SignUpError::EmailInvalid)
}

/// RFC 5322's `dot-atom`, with the letters of all scripts (RFC 6531).
fn is_mail_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    name.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_letter))
}

fn mail_domain(domain: &str) -> Option<String> {
    let Ok(url::Host::Domain(domain)) = url::Host::parse(domain) else { return None };
    let is_label = |label: &str| {
        let is_plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        !label.is_empty() && is_plain && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_name = domain.split('.').all(is_label) && (domain.contains('.') || domain == "localhost");
    is_name.then_some(domain)
}

fn new_account(moment: &mut Moment, site: &Site, new: &NewUser) -> Account {
    let id = moment.id();
    let uri = site.actor(id);
    Account {
        id,
        username: new.username.clone(),
        url: site.profile(&new.username),
        followers_uri: format!("{uri}/followers"),
        following_uri: format!("{uri}/following"),
        outbox_uri: format!("{uri}/outbox"),
        featured_uri: format!("{uri}/collections/featured"),
        key_id: format!("{uri}#main-key"),
        uri,
        public_key_pem: new.keys.public_pem.clone(),
        kind: ActorKind::Person,
        is_discoverable: true,
        created_at: moment.now,
        fetched_at: moment.now,
        ..Account::default()
    }
}

/// Those who may let people in hear of everybody who signs up.
fn tell_staff(tx: &mut WriteTx<'_>, moment: &mut Moment, newcomer: Id) -> Result<(), StoreError> {
    let staff = members(tx, Permission::ManageUsers)?;
    let news = News { kind: NotificationKind::AdminSignUp, from: newcomer, status: None };
    notify_all(tx, moment, &staff, news)?;
    Ok(())
}
