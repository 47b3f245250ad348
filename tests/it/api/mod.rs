//! The Mastodon API, through the real router.

mod accounts;
mod admin;
mod admin_blocks;
mod announcements;
mod apps;
mod conversations;
mod coverage;
mod docs;
mod domain_blocks;
pub mod emojis;
mod filters;
mod history;
mod instance;
mod leaks;
mod lists;
pub mod media;
mod nodes;
mod notices;
mod notifications;
mod oauth;
mod paging;
mod params;
mod permissions;
mod pictures;
mod polls;
mod push;
mod quotes;
mod rate_limit;
mod register;
mod relations;
mod reports;
mod scheduled_posts;
mod search;
mod statuses;
mod streaming;
mod suggestions;
mod tags;
mod timelines;
mod trends;
mod webhooks;

use serde_json::{Value, json};

use std::sync::Arc;
use std::time::Duration;

use waxwing::base::Id;
use waxwing::domain::delivery::promote_due;
use waxwing::domain::fan_out;
use waxwing::edge::scheduled;
use waxwing::model::queue::tables::{ACT, JOB};
use waxwing::model::queue::{Job, JobKind, SignatureProfile};
use waxwing::queue::{Attempt, Handler, Ours, Outcome, tend_poll};
use waxwing::store::{Scan, StoreError};

use super::kit::{Person, TestApp};

/// Brings every post home, as the queue would.
pub async fn settle(app: &TestApp) {
    let moment = app.state.moment_with(200);
    app.state
        .store
        .write(move |tx| {
            for (_, act) in tx.scan(ACT, Scan::all())? {
                let Job::FanOut { status, verb } = act.job else { continue };
                if let Some(plan) = fan_out::plan(tx, status, verb, &act.body)? {
                    fan_out::step(tx, &moment, &plan, Id::ZERO)?;
                    let mut place = plan.first_tag();
                    while let Some(at) = place {
                        place = fan_out::step_tags(tx, &moment, &plan, at)?;
                    }
                }
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

/// Publishes a text and gives the post.
pub async fn post(person: &Person<'_>, text: &str) -> Value {
    person.post("/api/v1/statuses", json!({ "status": text })).await.json(200)
}

/// Publishes a text to some and gives the post.
pub async fn post_to(person: &Person<'_>, text: &str, visibility: &str) -> Value {
    let body = json!({ "status": text, "visibility": visibility });
    person.post("/api/v1/statuses", body).await.json(200)
}

/// An entity's id.
pub fn id(entity: &Value) -> String {
    entity["id"].as_str().unwrap_or_else(|| panic!("no id: {entity}")).to_owned()
}

/// Ids of a list.
pub fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap_or_else(|| panic!("no list: {list}")).iter().map(id).collect()
}

/// Follows `next` from a first page to the end; gives all ids.
pub async fn walk(person: &Person<'_>, first: &str) -> Vec<String> {
    let (mut all, mut path) = (Vec::new(), Some(first.to_owned()));
    for _ in 0..200 {
        let Some(here) = path else { return all };
        let answer = person.get(&here).await;
        all.extend(ids(&answer.json(200)));
        path = answer.link("next");
    }
    panic!("the pages of {first} do not end");
}

/// Runs what was put aside until now: ends of polls and the like. Each job
/// runs as the queue would run it, once.
pub async fn run_due(app: &TestApp) {
    let state = &app.state;
    let workshop = state.workshop();
    let now = app.now();
    state.store.write(move |tx| promote_due(tx, now, 100)).await.unwrap();
    let scheduled = scheduled::handler(state.clone());
    let handlers: [(JobKind, Box<dyn Handler>); 2] = [
        (JobKind::TendPoll, Box::new(tend_poll::handler(workshop))),
        (JobKind::PublishScheduled, Box::new(scheduled)),
    ];
    run_ready(app, &handlers).await;
}

/// Runs the jobs of these kinds that are ready, once.
pub async fn run_ready(app: &TestApp, handlers: &[(JobKind, Box<dyn Handler>)]) {
    let (state, now) = (&app.state, app.now());
    let ready = state
        .store
        .read(|tx| {
            let rows = tx.scan(JOB, Scan::all())?;
            let acts: Vec<Id> = rows.iter().map(|(key, _)| key.act).collect();
            Ok::<_, StoreError>(rows.into_iter().zip(tx.get_many(ACT, &acts)?).collect::<Vec<_>>())
        })
        .await
        .unwrap();
    for ((key, row), act) in ready {
        let Some((_, handler)) = handlers.iter().find(|(kind, _)| *kind == row.kind) else { continue };
        let attempt = Attempt {
            key,
            act: Arc::new(act.unwrap()),
            inbox: None,
            authority: String::new(),
            profile: SignatureProfile::Cavage,
            attempts: 0,
            now,
            answer_within: Duration::from_secs(5),
            ours: Ours::default(),
        };
        assert_eq!(handler.run(attempt).await.outcome, Outcome::Done);
    }
}
