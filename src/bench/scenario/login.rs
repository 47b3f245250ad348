//! People log in, by the form that browsers send. Checking a password takes
//! tens of milliseconds of a processor, which is its purpose.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::Play;
use crate::bench::client::Ask;
use crate::bench::load::{Call, Work};
use crate::bench::stage::Stage;
use crate::bench::tally::{Flaw, Kind};

pub(super) const KINDS: &[Kind] = &[Kind::main("login")];
const SEE_OTHER: u16 = 303;

/// Logs in as many people do.
pub struct Login(pub Stage);

impl Work for Login {
    fn kinds(&self) -> &'static [Kind] {
        KINDS
    }

    fn act(self: Arc<Self>, call: Call) -> BoxFuture<'static, Result<(), Flaw>> {
        Box::pin(async move { log_in(&self.0, call).await })
    }
}

/// One login by somebody.
pub(super) async fn log_in(stage: &Stage, call: Call) -> Result<(), Flaw> {
    let who = call.one_of(&stage.people).ok_or(Flaw::Wrong("nobody to log in"))?;
    let password = stage.password.replace(' ', "+");
    let body = format!("name={}&password={password}&next=&csrf=", who.name);
    let ask = Ask::post("/login", "application/x-www-form-urlencoded", body);
    let answer = stage.client.send(&ask).await?;
    match answer.status {
        SEE_OTHER if answer.headers.contains_key("set-cookie") => Ok(()),
        SEE_OTHER => Err(Flaw::Wrong("no session")),
        status => Err(Flaw::Status(status)),
    }
}

impl Play for Login {
    fn work(self: Arc<Self>) -> Arc<dyn Work> {
        self
    }
}
