//! Slow secrets work, off the threads that serve requests and bounded.

use tokio::task::spawn_blocking;

use super::ClientIp;
use crate::base::Problem;
use crate::base::ProblemKind;
use crate::domain::{mail, password, user};
use crate::edge::AppState;
use crate::model::queue::Letter;
use crate::model::{Account, KeyPair, User, UserState};
use crate::store::WriteTx;
use crate::wire::http_signature::PrivateKey;

/// Why somebody is not logged in.
#[derive(Debug)]
pub(crate) enum LoginFailure {
    /// Unknown name or wrong password; which of the two is not said.
    Wrong,
    /// The account waits for approval.
    Pending,
    /// Their address is not confirmed; a mail is on its way.
    Unconfirmed,
    /// The account was disabled, suspended or deleted.
    Disabled,
    /// Too many attempts; wait so many seconds.
    TooMany(u32),
    /// Something failed.
    Problem(Problem),
}

impl From<LoginFailure> for Problem {
    fn from(failure: LoginFailure) -> Problem {
        match failure {
            LoginFailure::Wrong => Problem::invalid("The name or the password is wrong"),
            LoginFailure::Pending => Problem::forbidden("Your login is currently pending approval"),
            LoginFailure::Unconfirmed => {
                Problem::forbidden("Your login is missing a confirmed e-mail address")
            }
            LoginFailure::Disabled => Problem::forbidden("Your login is currently disabled"),
            LoginFailure::TooMany(seconds) => {
                Problem::new(ProblemKind::TooMany, "Too many attempts").retry_after(seconds)
            }
            LoginFailure::Problem(problem) => problem,
        }
    }
}

/// Whoever has this name or address and this password. Counts attempts, and
/// takes as long for unknown names as for known ones.
///
/// # Errors
/// Why they are not let in.
pub(crate) async fn check_login(
    state: &AppState,
    ip: ClientIp,
    login: &str,
    password: &str,
) -> Result<(User, Account), LoginFailure> {
    let attempt = state.gates().login.lock().attempt(state.clock.monotonic(), ip.source(), login);
    attempt.map_err(|wait| LoginFailure::TooMany(seconds(wait)))?;
    let name = login.to_owned();
    let found = state.store.read(move |tx| user::find_login(tx, &name)).await;
    let found = found.map_err(|error: crate::store::StoreError| LoginFailure::Problem(error.into()))?;
    let hash = found.as_ref().map(|(user, _)| user.password_hash.clone());
    let password = password.to_owned();
    let is_right = hashing(state, move || password::verify(&password, hash.as_deref()))
        .await
        .map_err(LoginFailure::Problem)?;
    let (user, account) = found.filter(|_| is_right).ok_or(LoginFailure::Wrong)?;
    state.gates().login.lock().succeeded(ip.source(), login);
    if user.state != UserState::Disabled && user.awaits_confirmation {
        remind(state, ip, &user).await.map_err(LoginFailure::Problem)?;
        return Err(LoginFailure::Unconfirmed);
    }
    match user.state {
        UserState::Pending => Err(LoginFailure::Pending),
        UserState::Disabled => Err(LoginFailure::Disabled),
        UserState::Active if !account.is_visible() => Err(LoginFailure::Disabled),
        UserState::Active => Ok((user, account)),
    }
}

/// Sends the link that confirms an address again, but not too often.
async fn remind(state: &AppState, ip: ClientIp, user: &User) -> Result<(), Problem> {
    let email = user.email.as_deref().unwrap_or_default();
    if state.gates().may_mail(state.clock.monotonic(), ip.source(), email).is_err() {
        return Ok(());
    }
    let (moment, site, account) = (state.moment(), state.site.clone(), user.id);
    let letter = Letter::Confirm { account };
    let write = move |tx: &mut WriteTx<'_>| mail::post(tx, &mut moment.clone(), &site, letter.clone());
    Ok(state.store.write(write).await?)
}

/// Whole seconds to wait, at least one.
pub(crate) fn seconds(wait: std::time::Duration) -> u32 {
    u32::try_from(wait.as_secs() + 1).unwrap_or(u32::MAX)
}

/// The hash to keep of a new password.
///
/// # Errors
/// When the server is too busy.
pub(crate) async fn hash_password(state: &AppState, password: &str) -> Result<String, Problem> {
    let mut salt = [0; 16];
    state.chance.fill(&mut salt);
    let password = password.to_owned();
    hashing(state, move || password::hash(&password, salt)).await
}

/// A fresh signing key for a local account.
///
/// # Errors
/// When it cannot be made.
pub(crate) async fn fresh_keys(state: &AppState) -> Result<KeyPair, Problem> {
    hashing(state, || {
        let key = PrivateKey::generate()?;
        Ok::<_, crate::wire::http_signature::KeyError>(KeyPair {
            private_der: key.to_pkcs8()?,
            public_pem: key.public_pem()?,
        })
    })
    .await?
    .map_err(Problem::internal)
}

/// Runs heavy work on a blocking thread; only a few at a time, because each
/// takes a core and 19 MiB.
async fn hashing<T: Send + 'static>(
    state: &AppState,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let permit = state.gates().hashing.clone().acquire_owned().await.map_err(Problem::internal)?;
    let result = spawn_blocking(move || {
        let _permit = permit;
        work()
    });
    result.await.map_err(Problem::internal)
}
