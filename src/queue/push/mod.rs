//! The handlers of Web Push: [`Job::Push`] finds out which apps are to be
//! told, [`Job::PushTo`] tells one (RFC 8030).

mod key;
mod message;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use url::Url;

use super::deliver::outcome_of;
use super::handler::{Attempt, Handler};
use super::outcome::{Outcome, Report};
use super::workshop::Workshop;
use crate::base::{Chance, Moment};
use crate::domain::delivery::finish;
use crate::domain::notification;
use crate::domain::push::{self, get};
use crate::domain::visibility::Viewer;
use crate::model::queue::{Job, PushTo};
use crate::net::client::{Client, Outgoing, Times, parse_url};
use crate::store::StoreError;
use crate::wire::web_push::{Encrypted, ServerKey};

pub use key::server_key;

/// How long a push service may keep a message for an app that is away
/// (Mastodon: 48 hours).
const KEEP_S: HeaderValue = HeaderValue::from_static("172800");
const URGENCY: HeaderValue = HeaderValue::from_static("normal");
/// How long the proof of who sends is good; at most 24 hours (RFC 8292 §2).
const TOKEN_FOR: Duration = Duration::from_secs(12 * 3600);
/// Limits of time besides that of the answer; the worker ends the whole.
const TIMES: (Duration, Duration, Duration, Duration) =
    (Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(5), Duration::from_secs(14));

/// Finds out who wants to be told.
pub fn find_out(workshop: Workshop) -> impl Handler {
    move |attempt: Attempt| {
        let workshop = workshop.clone();
        async move {
            Report::from(match spread(&workshop, &attempt).await {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::TryLater { detail: error.to_string() },
            })
        }
    }
}

async fn spread(workshop: &Workshop, attempt: &Attempt) -> Result<(), StoreError> {
    let act = attempt.act.clone();
    let Job::Push { told } = &act.job else { return Ok(()) };
    let told = told.clone();
    let pushes = workshop.store.read(move |tx| push::called_for(tx, &told)).await?;
    let now = workshop.clock.now();
    let ids = workshop.ids.reserve(now, u16::try_from(pushes.len()).unwrap_or(u16::MAX));
    let (key, moment) = (attempt.key, Moment { now, ids });
    workshop
        .store
        .write(move |tx| {
            if finish(tx, &key)? {
                push::send(tx, &mut moment.clone(), &pushes)?;
            }
            Ok::<_, StoreError>(())
        })
        .await
}

/// Tells one app; cheap to clone.
#[derive(Clone)]
pub struct Push {
    workshop: Workshop,
    client: Client,
    chance: Arc<dyn Chance>,
    /// Where whoever runs a push service can complain (RFC 8292 §2.1).
    contact: Arc<str>,
}

impl Handler for Push {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, Report> {
        let push = self.clone();
        Box::pin(async move { push.attempt(&attempt).await.unwrap_or_else(|outcome| outcome).into() })
    }
}

impl Push {
    /// `email` is the operator's address, if it is known.
    pub fn new(workshop: Workshop, client: Client, chance: Arc<dyn Chance>, email: Option<&str>) -> Push {
        let contact = match email {
            Some(email) => format!("mailto:{email}"),
            None => workshop.site.origin.clone(),
        };
        Push { workshop, client, chance, contact: contact.into() }
    }

    /// `Err` is as good an outcome as `Ok`: it only ends the attempt early.
    async fn attempt(&self, attempt: &Attempt) -> Result<Outcome, Outcome> {
        let Job::PushTo(push) = &attempt.act.job else {
            return Err(Outcome::Broken { detail: "not a push".into() });
        };
        let request = self.request(push, attempt).await?;
        let now = self.workshop.clock.now();
        let outcome = outcome_of(self.client.send(request).await, now);
        if matches!(outcome, Outcome::Gone { .. } | Outcome::Refused { status: 404 }) {
            let gone = push.clone();
            self.workshop.store.write(move |tx| push::forget(tx, &gone)).await.map_err(later)?;
            return Ok(Outcome::Done);
        }
        Ok(outcome)
    }

    /// What is sent; ends the attempt where there is nothing to tell any more.
    async fn request(&self, push: &PushTo, attempt: &Attempt) -> Result<Outgoing, Outcome> {
        let (push, now) = (push.clone(), self.workshop.clock.now());
        let viewer = Viewer::account(push.account, now);
        let topic = HeaderValue::from(push.notification.0);
        let found = self.workshop.store.read(move |tx| {
            let subscription = get(tx, push.token)?.filter(|found| found.number == push.number);
            Ok(subscription.zip(notification::get(tx, viewer, push.notification)?))
        });
        let (subscription, alert) = found.await.map_err(later)?.ok_or(Outcome::Superseded)?;
        let url = parse_url(&subscription.endpoint).map_err(|_| broken("the endpoint is no usable URL"))?;
        if url.scheme() != "https" {
            return Err(broken("the endpoint is not https"));
        }
        let key = server_key(&self.workshop.store).await.map_err(later)?;
        let token = key.token(&origin(&url), &self.contact, now.plus(TOKEN_FOR));
        let token = token.map_err(|_| broken("the push cannot be signed"))?;
        let payload = message::payload(&self.workshop.site, &alert);
        let (sealed, salt) = message::seal(&payload, &subscription, &*self.chance)
            .map_err(|_| broken("the push cannot be encrypted"))?;
        let (dns, connect, read, total) = TIMES;
        let mut request = Outgoing::post(url.as_str(), sealed.body.clone())
            .times(Times { dns, connect, headers: attempt.answer_within, read, total })
            .header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
            .header(HeaderName::from_static("ttl"), KEEP_S)
            .header(HeaderName::from_static("urgency"), URGENCY)
            // A second try of the same notification replaces the first.
            .header(HeaderName::from_static("topic"), topic);
        for (name, value) in proof(subscription.standard, &key, &token, &sealed, &salt) {
            let value = HeaderValue::try_from(value).map_err(|_| broken("a header cannot be written"))?;
            request = request.header(name, value);
        }
        Ok(request)
    }
}

/// The headers that depend on the encoding.
fn proof(
    is_standard: bool,
    key: &ServerKey,
    token: &str,
    sealed: &Encrypted,
    salt: &[u8],
) -> Vec<(HeaderName, String)> {
    let own = key.public_in_header();
    if is_standard {
        let proof = format!("vapid t={token}, k={own}");
        return vec![(CONTENT_ENCODING, "aes128gcm".into()), (AUTHORIZATION, proof)];
    }
    let base64 = message::base64;
    vec![
        (CONTENT_ENCODING, "aesgcm".into()),
        (AUTHORIZATION, format!("WebPush {token}")),
        (HeaderName::from_static("encryption"), format!("salt={}", base64(salt))),
        (HeaderName::from_static("crypto-key"), format!("dh={};p256ecdsa={own}", base64(&sealed.public))),
    ]
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn later(error: StoreError) -> Outcome {
    Outcome::TryLater { detail: error.to_string() }
}

fn broken(why: &str) -> Outcome {
    Outcome::Broken { detail: why.into() }
}
