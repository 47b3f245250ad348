//! People write. A post is on disk before it is answered, and goes into the
//! home timelines of all who follow its author.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::json;

use super::Play;
use crate::bench::client::Ask;
use crate::bench::load::{Call, Work};
use crate::bench::order::Person;
use crate::bench::stage::Stage;
use crate::bench::tally::{Flaw, Kind};

pub(super) const KINDS: &[Kind] = &[Kind::main("post")];

/// Writes as many people do.
pub struct Post(pub Stage);

impl Work for Post {
    fn kinds(&self) -> &'static [Kind] {
        KINDS
    }

    fn act(self: Arc<Self>, call: Call) -> BoxFuture<'static, Result<(), Flaw>> {
        Box::pin(async move { write(&self.0, call).await })
    }
}

/// One post by somebody.
pub(super) async fn write(stage: &Stage, call: Call) -> Result<(), Flaw> {
    let author = call.one_of(&stage.people).ok_or(Flaw::Wrong("nobody to write"))?;
    let text = format!("Berry {} of the day, in number {:x}. #birds", call.number, call.dice);
    publish(stage, author, &text).await
}

/// Publishes a text.
pub(super) async fn publish(stage: &Stage, author: &Person, text: &str) -> Result<(), Flaw> {
    let body = json!({ "status": text, "visibility": "public" }).to_string();
    let ask = Ask::post("/api/v1/statuses", "application/json", body).by(&author.token);
    let answer = stage.client.send(&ask).await?.good()?;
    if answer.json()?["id"].is_string() { Ok(()) } else { Err(Flaw::Wrong("not a post")) }
}

impl Play for Post {
    fn work(self: Arc<Self>) -> Arc<dyn Work> {
        self
    }
}
