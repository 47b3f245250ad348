//! What is done to the server. Each scenario is one file; `mixed` plays
//! several of them at once.

pub mod browse;
pub mod deliver;
pub mod inbox;
mod live;
pub mod login;
pub mod media;
pub mod mixed;
pub mod post;
pub mod proxy;
pub mod store;
pub mod stream;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::load::{Course, Work};
use super::report::data::{Destination, Figure};
use super::schedule::Shape;
use super::tally::Kind;
use crate::base::Problem;

/// How many times as much is asked during the spike of a day.
const SPIKE: f64 = 3.0;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Reading.
    Browse,
    /// Writing.
    Post,
    /// Open streams.
    Stream,
    /// Activities of other servers.
    Inbox,
    /// Deliveries to other servers.
    Deliver,
    /// Logging in.
    Login,
    /// Pictures.
    Media,
    /// A day.
    Mixed,
    /// The raw store.
    Store,
    /// The balancer.
    Proxy,
}

impl Scenario {
    /// All of them, in the order in which they are played: what leaves work
    /// behind comes late.
    pub const ALL: [Scenario; 10] = [
        Scenario::Browse,
        Scenario::Post,
        Scenario::Stream,
        Scenario::Inbox,
        Scenario::Login,
        Scenario::Media,
        Scenario::Mixed,
        Scenario::Deliver,
        Scenario::Store,
        Scenario::Proxy,
    ];

    /// As it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Scenario::Browse => "browse",
            Scenario::Post => "post",
            Scenario::Stream => "stream",
            Scenario::Inbox => "inbox",
            Scenario::Deliver => "deliver",
            Scenario::Login => "login",
            Scenario::Media => "media",
            Scenario::Mixed => "mixed",
            Scenario::Store => "store",
            Scenario::Proxy => "proxy",
        }
    }

    /// What it is, for people.
    pub const fn about(self) -> &'static str {
        match self {
            Scenario::Browse => "people read: home, threads, profiles, notifications",
            Scenario::Post => "people write; each post is on disk before it is answered",
            Scenario::Stream => "how long a post takes to those who have the page open",
            Scenario::Inbox => "signed posts and likes arrive from other servers",
            Scenario::Deliver => "how long a post takes to other servers, some of them slow or dead",
            Scenario::Login => "people log in; a password takes long to check on purpose",
            Scenario::Media => "pictures are uploaded and looked at",
            Scenario::Mixed => "a day of all that, with something in the evening that everybody comes for",
            Scenario::Store => "the store alone, without a server around it",
            Scenario::Proxy => "balancing policies in a world of cold, slow and stalling servers",
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Scenario> {
        Scenario::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// Reads a list such as `browse,post`.
    ///
    /// # Errors
    /// A name that is none.
    pub fn list(text: &str) -> Result<Vec<Scenario>, Problem> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let known = Scenario::ALL.map(Scenario::name).join(", ");
        let named = |name: &str| {
            Scenario::named(name).ok_or_else(|| {
                Problem::invalid(format!("there is no scenario `{name}`")).hint(format!("there are {known}"))
            })
        };
        let mut all = Vec::new();
        for scenario in names.map(named) {
            let scenario = scenario?;
            if !all.contains(&scenario) {
                all.push(scenario);
            }
        }
        if all.is_empty() {
            return Err(Problem::invalid("no scenario is named").hint(format!("there are {known}")));
        }
        Ok(all)
    }

    /// The kinds of its requests; none where there are no requests.
    pub const fn kinds(self) -> &'static [Kind] {
        match self {
            Scenario::Browse => browse::KINDS,
            Scenario::Post => post::KINDS,
            Scenario::Stream => stream::KINDS,
            Scenario::Inbox => inbox::KINDS,
            Scenario::Deliver => deliver::KINDS,
            Scenario::Login => login::KINDS,
            Scenario::Media => media::KINDS,
            Scenario::Mixed => mixed::KINDS,
            Scenario::Store => store::KINDS,
            Scenario::Proxy => &[],
        }
    }

    /// Whether a server is asked.
    pub const fn needs_server(self) -> bool {
        !matches!(self, Scenario::Store | Scenario::Proxy)
    }

    /// Whether it can be played on somebody's server with one token.
    pub const fn is_for_strangers(self) -> bool {
        matches!(self, Scenario::Browse | Scenario::Post | Scenario::Media)
    }

    /// Whether it changes what is there.
    pub const fn writes(self) -> bool {
        !matches!(self, Scenario::Browse)
    }

    /// Whether its requests leave jobs to be done later.
    pub const fn leaves_jobs(self) -> bool {
        matches!(self, Scenario::Post | Scenario::Inbox | Scenario::Media)
    }

    /// What becomes of the jobs it leaves when more come than are done.
    pub const fn behind(self) -> &'static str {
        match self {
            Scenario::Post => "the home timelines fall behind",
            Scenario::Inbox => "what arrives is acted on later and later",
            Scenario::Media => "pictures take ever longer until they can be seen",
            _ => "the jobs it leaves take ever longer",
        }
    }

    /// Whether a limit can be looked for.
    pub const fn has_limit(self) -> bool {
        self.needs_server() && !matches!(self, Scenario::Stream | Scenario::Deliver | Scenario::Mixed)
    }

    /// Requests a second that are asked for where nothing else is said: what
    /// a small machine holds without sweating.
    pub const fn usual_per_s(self) -> f64 {
        match self {
            Scenario::Browse => 200.0,
            Scenario::Post | Scenario::Inbox => 50.0,
            Scenario::Mixed => 100.0,
            Scenario::Media => 10.0,
            Scenario::Stream => 5.0,
            Scenario::Login | Scenario::Deliver => 4.0,
            Scenario::Store | Scenario::Proxy => 0.0,
        }
    }

    /// How much is asked over time.
    pub const fn shape(self, per_s: f64) -> Shape {
        match self {
            Scenario::Mixed => Shape::Day { per_s, spike: SPIKE },
            _ => Shape::Steady { per_s },
        }
    }

    /// Seconds that are measured where nothing else is said.
    pub const fn usual_span(self) -> Duration {
        Duration::from_secs(match self {
            Scenario::Mixed => 120,
            // Less, and its worlds are too short for policies to learn.
            Scenario::Proxy => 60,
            _ => 20,
        })
    }
}

/// A scenario that is ready to be played.
pub trait Play: Work {
    /// Makes what is needed for a course, which has not begun. Gives what it
    /// made to play.
    fn prepare<'a>(&'a self, _course: &'a Course) -> BoxFuture<'a, Result<(), Problem>> {
        Box::pin(async { Ok(()) })
    }

    /// Waits for what is still to come of a course that is over.
    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Each destination of deliveries.
    fn destinations(&self) -> Vec<Destination> {
        Vec::new()
    }

    /// Further figures.
    fn figures(&self) -> Vec<Figure> {
        Vec::new()
    }

    /// The same thing as what the generator plays.
    fn work(self: Arc<Self>) -> Arc<dyn Work>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_found_by_name() {
        for scenario in Scenario::ALL {
            assert_eq!(Scenario::named(scenario.name()), Some(scenario));
        }
        assert_eq!(Scenario::list("post, browse,post").unwrap(), [Scenario::Post, Scenario::Browse]);
        assert!(Scenario::list(" ,").is_err());
        let problem = Scenario::list("post,brows").unwrap_err();
        assert!(problem.to_string().contains("`brows`") && problem.to_string().contains("browse"));
    }
}
