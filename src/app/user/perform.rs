//! What each user command does to the store, and what it says.

use std::sync::Arc;

use crate::app::cli::{PasswordArgs, RoleName, UserCommand};
use crate::base::limits::{PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN, USERNAME_CHARACTERS_MAX};
use crate::base::{Chance, Clock, Id, IdGenerator, Moment, Problem, ProblemKind};
use crate::domain::user::name::NameError;
use crate::domain::user::{self, Entry, NewUser, OwnerLink, SIGN_UP_IDS, SignUpError, UserError};
use crate::domain::{password, secret};
use crate::model::tables::ACCOUNT;
use crate::model::{Account, KeyPair, Role, Site, User, UserState};
use crate::store::{ReadTx, Store, StoreError, WriteTx};
use crate::wire::http_signature::PrivateKey;

/// Random bytes in a password that we make.
const PASSWORD_RANDOM_BYTES: usize = 15;
/// Random bytes in the owner's link.
const OWNER_SECRET_BYTES: usize = 24;
/// Users read in one transaction while listing.
const LIST_PAGE: usize = 500;

/// What a command works with: a server's own parts, or some made for it.
pub struct Workplace<'a> {
    /// The records.
    pub store: Store,
    /// Our public names, as far as the config tells.
    pub site: Site,
    /// Whether `site` is what a server would use.
    pub is_certain: bool,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub chance: Arc<dyn Chance>,
    /// Fresh ids.
    pub ids: &'a IdGenerator,
}

impl Workplace<'_> {
    fn moment(&self) -> Moment {
        let now = self.clock.now();
        Moment { now, ids: self.ids.reserve(now, SIGN_UP_IDS) }
    }
}

/// Does what was asked and gives what to print.
///
/// # Errors
/// What stands in the way, and what to do about it.
pub async fn perform(at: Workplace<'_>, command: UserCommand) -> Result<String, Problem> {
    match command {
        UserCommand::Create { name, email, role, password } => create(at, name, email, role, password).await,
        UserCommand::List => list(&at.store).await,
        UserCommand::ResetPassword { name, password } => {
            let (chosen, hash) = choose(&*at.chance, password).await?;
            let (moment, site) = (at.moment(), at.site.clone());
            let set = move |tx: &mut WriteTx<'_>, id| {
                user::set_password(tx, &mut moment.clone(), &site, id, &hash, None)
            };
            let username = change(&at.store, name, set).await?;
            Ok(told(&format!("new password for {username}, who is logged out everywhere"), &chosen))
        }
        UserCommand::Disable { name } => {
            let username = change(&at.store, name, user::disable).await?;
            Ok(format!("{username} is kept out, and logged out everywhere\n"))
        }
        UserCommand::Enable { name } => {
            let (moment, site) = (at.moment(), at.site.clone());
            let let_in = move |tx: &mut WriteTx<'_>, id| {
                user::confirm(tx, id)?;
                user::approve(tx, &mut moment.clone(), &site, id)
            };
            let username = change(&at.store, name, let_in).await?;
            Ok(format!("{username} can log in\n"))
        }
    }
}

/// A password, and whether its owner knows it already.
struct Chosen {
    password: String,
    is_ours: bool,
}

/// Says what was done, and the password if we made it.
fn told(what: &str, chosen: &Chosen) -> String {
    match chosen.is_ours {
        true => format!("{what}\npassword: {}\n", chosen.password),
        false => format!("{what}\n"),
    }
}

async fn choose(chance: &dyn Chance, asked: PasswordArgs) -> Result<(Chosen, String), Problem> {
    let is_ours = asked.password.is_none();
    let password = asked.password.unwrap_or_else(|| chance.secret(PASSWORD_RANDOM_BYTES));
    password::check_choice(&password).map_err(|_| {
        Problem::invalid(format!("a password has {PASSWORD_BYTES_MIN} to {PASSWORD_BYTES_MAX} bytes"))
    })?;
    let mut salt = [0; 16];
    chance.fill(&mut salt);
    let text = password.clone();
    let hash = tokio::task::spawn_blocking(move || password::hash(&text, salt)).await;
    Ok((Chosen { password, is_ours }, hash.map_err(Problem::internal)?))
}

async fn create(
    at: Workplace<'_>,
    username: String,
    email: Option<String>,
    role: RoleName,
    asked: PasswordArgs,
) -> Result<String, Problem> {
    let site = known_site(&at).await?;
    let (chosen, password_hash) = choose(&*at.chance, asked).await?;
    let keys = tokio::task::spawn_blocking(new_keys).await.map_err(Problem::internal)??;
    let new = NewUser {
        username: username.clone(),
        email,
        password_hash,
        keys,
        reason: None,
        invite: None,
        app: None,
        locale: None,
    };
    let moment = at.moment();
    let owner_secret = at.chance.secret(OWNER_SECRET_BYTES);
    let domain = site.domain.clone();
    let account = at.store.write(move |tx| {
        let mut moment = moment.clone();
        match as_role(role) {
            Role::Owner => {
                // The link is made and used up here, so an older one dies with it.
                user::set_owner_link(tx, secret::digest(&owner_secret))?;
                user::create_owner(tx, &mut moment, &site, &OwnerLink(&owner_secret), &new)
            }
            role => user::sign_up(tx, &mut moment, &site, Entry::Given(role), &new),
        }
    });
    let account = account.await.map_err(refused)?;
    Ok(told(&format!("made @{}@{domain}", account.username), &chosen))
}

/// Our public names. The accounts that are there tell best: a server without a config
/// file may have been given another port than the first it asked for.
async fn known_site(at: &Workplace<'_>) -> Result<Site, Problem> {
    if at.is_certain {
        return Ok(at.site.clone());
    }
    let owner = at.store.read(|tx| match user::has_owner(tx)? {
        Some(id) => Ok::<_, StoreError>(tx.get(ACCOUNT, &id)?.map(|account| (id, account.uri))),
        None => Ok(None),
    });
    let Some((id, uri)) = owner.await? else {
        let what = "it is not known yet at which port this server will be reached";
        return Err(Problem::new(ProblemKind::Conflict, what)
            .hint("start it once and make the owner with the link that it prints, or name a port in a config file, such as `https://localhost:8443`"));
    };
    let path = at.site.actor(id).split_off(at.site.origin.len());
    let origin = uri.strip_suffix(&path).and_then(|origin| origin.split_once("://"));
    Ok(origin.map_or_else(|| at.site.clone(), |(scheme, authority)| Site::new(scheme, authority)))
}

/// A fresh RSA key pair. Takes tenths of a second: not for an async thread.
fn new_keys() -> Result<KeyPair, Problem> {
    let key = PrivateKey::generate().map_err(Problem::internal)?;
    Ok(KeyPair {
        private_der: key.to_pkcs8().map_err(Problem::internal)?,
        public_pem: key.public_pem().map_err(Problem::internal)?,
    })
}

/// Finds somebody and changes them; gives their username.
async fn change(
    store: &Store,
    name: String,
    mut apply: impl FnMut(&mut WriteTx<'_>, Id) -> Result<(), UserError> + Send + 'static,
) -> Result<String, Problem> {
    let asked = name.clone();
    let done = store.write(move |tx| {
        let (user, account) = find(tx, &name)?.ok_or(UserError::Missing)?;
        apply(tx, user.id)?;
        Ok::<_, UserError>(account.username)
    });
    done.await.map_err(|error| match error {
        UserError::Missing => Problem::new(ProblemKind::NotFound, format!("nobody here is called `{asked}`"))
            .hint("`waxwing user list` shows everyone"),
        UserError::Store(error) => Problem::from(error),
    })
}

fn find(tx: &ReadTx<'_>, name: &str) -> Result<Option<(User, Account)>, StoreError> {
    user::find_login(tx, name)
}

async fn list(store: &Store) -> Result<String, Problem> {
    let mut printed = String::new();
    let mut after = Id::ZERO;
    loop {
        let page = store.read(move |tx| user::list(tx, after, LIST_PAGE)).await?;
        let Some((last, _)) = page.last() else { break };
        after = last.id;
        for (user, account) in &page {
            let email = user.email.as_deref().unwrap_or("-");
            printed.push_str(&format!(
                "{}\t{}\t{}\t{email}\n",
                account.username,
                role_word(user.role),
                state_word(user.state)
            ));
        }
    }
    if printed.is_empty() {
        printed.push_str("nobody yet; start the server and open the link that it prints\n");
    }
    Ok(printed)
}

fn as_role(role: RoleName) -> Role {
    match role {
        RoleName::User => Role::User,
        RoleName::Moderator => Role::Moderator,
        RoleName::Admin => Role::Admin,
        RoleName::Owner => Role::Owner,
    }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Moderator => "moderator",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}

fn state_word(state: UserState) -> &'static str {
    match state {
        UserState::Active => "active",
        UserState::Pending => "pending",
        UserState::Disabled => "disabled",
    }
}

fn refused(error: SignUpError) -> Problem {
    let what = match error {
        SignUpError::Store(error) => return Problem::from(error),
        SignUpError::Username(NameError::Blank) => "the username is empty".to_owned(),
        SignUpError::Username(NameError::TooLong) => {
            format!("the username has more than {USERNAME_CHARACTERS_MAX} characters")
        }
        SignUpError::Username(NameError::Letters) => {
            "a username has only letters a-z, digits and underscores".to_owned()
        }
        SignUpError::Username(NameError::Reserved) => "this username belongs to the server".to_owned(),
        SignUpError::UsernameTaken => "somebody has, or had, this username".to_owned(),
        SignUpError::EmailBlank => "a mail address is needed".to_owned(),
        SignUpError::EmailInvalid => "this is not a mail address".to_owned(),
        SignUpError::EmailTaken => "somebody signed up with this mail address".to_owned(),
        SignUpError::EmailBarred => "nobody may sign up with this mail address".to_owned(),
        SignUpError::BadLink => "this server has an owner already".to_owned(),
        SignUpError::Closed
        | SignUpError::InviteNeeded
        | SignUpError::InviteInvalid
        | SignUpError::ReasonBlank => "this server takes nobody in".to_owned(),
    };
    Problem::invalid(what)
}
