//! The handler of [`Job::WebhookTo`]: tells one webhook of one event. The
//! message was rendered before; it is signed with the secret of now, so that
//! a changed one holds at once.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};

use super::deliver::outcome_of;
use super::handler::{Attempt, Handler};
use super::outcome::{Outcome, Report};
use super::workshop::Workshop;
use crate::domain::delivery::authority_of;
use crate::domain::webhook::{self, Message};
use crate::model::Webhook;
use crate::model::queue::Job;
use crate::net::client::{Client, Outgoing, Times};
use crate::store::StoreError;
use crate::wire::webhook::{SIGNATURE, signature};

/// Limits of time besides that of the answer; the worker ends the whole.
const TIMES: (Duration, Duration, Duration, Duration) =
    (Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(5), Duration::from_secs(14));

/// The handler, with what it works on.
pub fn handler(workshop: Workshop, client: Client) -> impl Handler {
    move |attempt: Attempt| {
        let (workshop, client) = (workshop.clone(), client.clone());
        async move {
            Report::from(match tell(&workshop, &client, &attempt).await {
                Ok(outcome) => outcome,
                Err(error) => Outcome::TryLater { detail: error.to_string() },
            })
        }
    }
}

async fn tell(workshop: &Workshop, client: &Client, attempt: &Attempt) -> Result<Outcome, StoreError> {
    let Job::WebhookTo { webhook: id, .. } = attempt.act.job else {
        return Ok(Outcome::Broken { detail: "not for a webhook".into() });
    };
    let found = workshop.store.read(move |tx| webhook::get(tx, id)).await?;
    let Some(webhook) = found.filter(|webhook| webhook.is_enabled) else { return Ok(Outcome::Superseded) };
    if authority_of(&webhook.url).as_ref() != Some(&attempt.authority) {
        return follow(workshop, attempt, webhook).await;
    }
    let Ok(body) = attempt.act.body.unpack() else {
        return Ok(Outcome::Broken { detail: "the message is damaged".into() });
    };
    let Ok(signed) = HeaderValue::try_from(signature(&webhook.secret, &body)) else {
        return Ok(Outcome::Broken { detail: "the signature cannot be written".into() });
    };
    let (dns, connect, read, total) = TIMES;
    let request = Outgoing::post(webhook.url, body)
        .times(Times { dns, connect, headers: attempt.answer_within, read, total })
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(HeaderName::from_static(SIGNATURE), signed);
    Ok(outcome_of(client.send(request).await, workshop.clock.now()))
}

/// The webhook has another host by now: the message goes to the lane of that.
async fn follow(workshop: &Workshop, attempt: &Attempt, webhook: Webhook) -> Result<Outcome, StoreError> {
    let Job::WebhookTo { event, object, .. } = attempt.act.job else { return Ok(Outcome::Superseded) };
    let message = Message { object, body: attempt.act.body.clone() };
    let (key, moment) = (attempt.key, workshop.moment());
    let moved = workshop
        .store
        .write(move |tx| webhook::send_again(tx, &mut moment.clone(), &key, &webhook, (event, &message)));
    moved.await?;
    Ok(Outcome::Done)
}
