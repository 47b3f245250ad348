//! The handler of [`Job::Mail`]: writes one mail and hands it to the mail
//! server.
//!
//! Secrets of links are made here, at each try, and kept only as digests: a
//! link in a mail that waits would be a password in the queue. A second try
//! makes a new link, and the mail that came before it holds an old one.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::handler::{Attempt, Handler};
use super::outcome::{FailureKind, Outcome, Report};
use super::workshop::Workshop;
use crate::base::{Chance, Id};
use crate::domain::mail::{self, Purpose};
use crate::domain::secret;
use crate::model::queue::{Job, Letter};
use crate::model::tables::{ACCOUNT, REPORT, USER};
use crate::model::{Account, Report as ReportRow, User, UserState};
use crate::net::mail::{Mail, MailFailure, Mailer};
use crate::store::{ReadTx, StoreError};
use crate::wire::mail::{Content, render};

/// Random bytes of a link's secret.
const SECRET_BYTES: usize = 32;

/// Sends mails; cheap to clone.
#[derive(Clone)]
pub struct Post {
    workshop: Workshop,
    /// `None` where the settings name no mail server any more.
    mailer: Option<Mailer>,
    chance: Arc<dyn Chance>,
}

impl Handler for Post {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, Report> {
        let post = self.clone();
        Box::pin(async move {
            Report::from(match post.attempt(&attempt).await {
                Ok(outcome) => outcome,
                Err(error) => Outcome::TryLater { detail: error.to_string() },
            })
        })
    }
}

/// Everything that any letter tells of; one snapshot.
#[derive(Default)]
struct Facts {
    recipient: Option<(User, Account)>,
    waiting: Option<(User, Account)>,
    report: Option<(ReportRow, Option<Account>)>,
}

fn facts(tx: &ReadTx<'_>, letter: &Letter) -> Result<Facts, StoreError> {
    let mut facts = Facts { recipient: mail::recipient(tx, letter.recipient())?, ..Facts::default() };
    match letter {
        Letter::Waiting { account, .. } => {
            let (user, account) = (tx.get(USER, account)?, tx.get(ACCOUNT, account)?);
            facts.waiting = user.zip(account).filter(|(user, _)| user.state == UserState::Pending);
        }
        Letter::Report { report, .. } => {
            if let Some(row) = tx.get(REPORT, report)? {
                let target = tx.get(ACCOUNT, &row.target)?;
                facts.report = Some((row, target));
            }
        }
        _ => {}
    }
    Ok(facts)
}

impl Post {
    /// A handler that sends by this mailer.
    pub fn new(workshop: Workshop, mailer: Option<Mailer>, chance: Arc<dyn Chance>) -> Post {
        Post { workshop, mailer, chance }
    }

    async fn attempt(&self, attempt: &Attempt) -> Result<Outcome, StoreError> {
        let Job::Mail(letter) = &attempt.act.job else {
            return Ok(Outcome::Broken { detail: "not a mail".into() });
        };
        let Some(mailer) = &self.mailer else {
            return Ok(Outcome::Broken { detail: "this server sends no mail any more".into() });
        };
        let asked = letter.clone();
        let facts = self.workshop.store.read(move |tx| facts(tx, &asked)).await?;
        let Some((user, account)) = facts.recipient.clone() else { return Ok(Outcome::Superseded) };
        let to = match letter {
            Letter::ConfirmNew { .. } => user.new_email,
            _ => user.email,
        };
        let Some(to) = to else { return Ok(Outcome::Superseded) };
        let Some(content) = self.content(letter, &facts, &account).await? else {
            return Ok(Outcome::Superseded);
        };
        let site = &self.workshop.site;
        let (text, html) = render(&content, &account.username, &site.origin);
        let mail = Mail {
            message_id: format!("{}@{}", attempt.key.act, host(&site.domain)),
            to,
            subject: content.subject,
            text,
            html,
            date: attempt.act.created_at.system_time(),
        };
        Ok(match mailer.send(mail).await {
            Ok(()) => Outcome::Done,
            Err(failure) => outcome(failure),
        })
    }

    /// What a letter says; `None` if it says nothing any more.
    async fn content(
        &self,
        letter: &Letter,
        facts: &Facts,
        account: &Account,
    ) -> Result<Option<Content>, StoreError> {
        let (domain, origin) = (&self.workshop.site.domain, &self.workshop.site.origin);
        Ok(match letter {
            Letter::Confirm { account } => {
                let link = self.link(*account, Purpose::Confirm).await?;
                link.map(|link| confirm(domain, link))
            }
            Letter::ConfirmNew { account } => {
                let link = self.link(*account, Purpose::Confirm).await?;
                link.map(|link| confirm_new(domain, link))
            }
            Letter::AddressChanging { .. } => {
                let wanted = facts.recipient.as_ref().and_then(|(user, _)| user.new_email.clone());
                wanted.map(|wanted| address_changing(origin, account, &wanted))
            }
            Letter::Reset { account } => {
                let link = self.link(*account, Purpose::Reset).await?;
                link.map(|link| reset(domain, link))
            }
            Letter::Waiting { .. } => facts.waiting.as_ref().map(|(user, who)| waiting(origin, user, who)),
            Letter::Report { .. } => {
                facts.report.as_ref().map(|(row, target)| report(origin, row, target.as_ref()))
            }
            Letter::PasswordChanged { .. } => Some(password_changed(origin, account)),
            Letter::Approved { .. } => Some(approved(origin, domain)),
        })
    }

    /// A fresh link; `None` if nobody waits for one any more.
    async fn link(&self, account: Id, purpose: Purpose) -> Result<Option<String>, StoreError> {
        let secret = self.chance.secret(SECRET_BYTES);
        let (digest, now) = (secret::digest(&secret), self.workshop.clock.now());
        let offered =
            self.workshop.store.write(move |tx| mail::offer(tx, now, account, (purpose, digest))).await?;
        let path = match purpose {
            Purpose::Confirm => "confirm",
            Purpose::Reset => "password/reset",
        };
        Ok(offered.then(|| format!("{}/{path}?token={account}.{secret}", self.workshop.site.origin)))
    }
}

/// A message id has a host and no port.
fn host(domain: &str) -> &str {
    domain.split(':').next().unwrap_or(domain)
}

fn confirm(domain: &str, link: String) -> Content {
    let why = format!("somebody, hopefully you, has made an account at {domain} with this mail address.");
    Content::new(format!("Confirm your mail address at {domain}"), why)
        .link("Confirm this address", link)
        .after("The link works for two days. If it was not you, do nothing.")
}

fn confirm_new(domain: &str, link: String) -> Content {
    let why = format!("somebody, hopefully you, wants to use this mail address for an account at {domain}.");
    Content::new(format!("Confirm your new mail address at {domain}"), why)
        .link("Confirm this address", link)
        .after("The link works for two days. If it was not you, do nothing.")
}

fn address_changing(origin: &str, account: &Account, wanted: &str) -> Content {
    let what = format!(
        "somebody, hopefully you, wants {wanted} to be the mail address of your account @{} in place of this one.",
        account.username
    );
    Content::new("Your mail address is to be changed", what)
        .link("Choose a new password", format!("{origin}/password/forgot"))
        .after("If it was you, all is well. If not, choose a new password at once: then the address stays as it is.")
}

fn reset(domain: &str, link: String) -> Content {
    let why =
        format!("somebody, hopefully you, wants to choose a new password for your account at {domain}.");
    Content::new(format!("A new password for {domain}"), why).link("Choose a new password", link).after(
        "The link works once, within an hour. If it was not you, do nothing: your password stays as it is.",
    )
}

fn waiting(origin: &str, user: &User, who: &Account) -> Content {
    let name = &who.username;
    let reason = user.reason.clone().unwrap_or_default();
    Content::new(format!("{name} would like to join"), format!("{name} asks for an account. Their reason:"))
        .and(reason)
        .link("Answer the request", format!("{origin}/settings/joining"))
}

fn report(origin: &str, row: &ReportRow, target: Option<&Account>) -> Content {
    let whom = target.map_or_else(|| "Somebody".to_owned(), |account| format!("@{}", account.acct()));
    // Who reports stays on the server: mails lie about for a long time.
    Content::new(format!("A report about {whom}"), format!("{whom} was reported ({}).", row.category.word()))
        .and(row.comment.clone())
        .after(format!("It is report {} at {origin}.", row.id))
}

fn password_changed(origin: &str, account: &Account) -> Content {
    let what = format!("the password of your account @{} was changed.", account.username);
    Content::new("Your password was changed", what)
        .link("Choose a new password", format!("{origin}/password/forgot"))
        .after("If it was you, all is well. If not, choose a new password at once.")
}

fn approved(origin: &str, domain: &str) -> Content {
    let what = format!("your account at {domain} is ready: you can log in now.");
    Content::new(format!("Welcome to {domain}"), what).link("Log in", format!("{origin}/login"))
}

fn outcome(failure: MailFailure) -> Outcome {
    let failed = |kind, status, detail: &str| Outcome::failed(kind, status, detail);
    match failure {
        MailFailure::Broken(why) => Outcome::Broken { detail: why.into() },
        MailFailure::Refused(status) => Outcome::Refused { status },
        // About this mail alone (greylisting, a full mailbox).
        MailFailure::Later(status) => Outcome::TryLater { detail: format!("the mail server says {status}") },
        MailFailure::Down(status) => {
            failed(FailureKind::Server, status, "the mail server takes nothing from us")
        }
        MailFailure::Timeout => failed(FailureKind::Timeout, 0, "no answer in time"),
        MailFailure::Tls => failed(FailureKind::Tls, 0, "tls"),
        MailFailure::Connection => failed(FailureKind::Connection, 0, "connection"),
    }
}
