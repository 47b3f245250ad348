//! The order of a whole measurement: start what is measured, play the
//! scenarios round by round, look for limits, and say what was found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::compare::compare;
use super::culprit::culprit;
use super::expect::Expectation;
use super::fleet::Fleet;
use super::instance::Instance;
use super::limit::{Objective, Search};
use super::load::{self, Course, Tools};
use super::order::Order;
use super::remote::Remote;
use super::report::data::{FORMAT, Limit, Machine, Measured, Report, Round, Settings};
use super::scenario::browse::Browse;
use super::scenario::deliver::Deliver;
use super::scenario::inbox::{Inbox, Senders};
use super::scenario::login::Login;
use super::scenario::media::Media;
use super::scenario::mixed::Mixed;
use super::scenario::post::Post;
use super::scenario::stream::Stream;
use super::scenario::{Play, Scenario, proxy, store};
use super::stage::{Slate, Stage};
use super::tally::Tally;
use super::view::View;
use super::watch::{Watch, Watched};
use super::{client, machine, words};
use crate::base::{Clock, Problem};

/// From the order to begin until the first request is due.
const LEAD: Duration = Duration::from_millis(100);
/// The highest rate that a search tries.
const RATE_MAX: f64 = 200_000.0;
/// Warm-up, as a share of what is measured, within bounds.
const WARM_SHARE: f64 = 0.2;
const WARM_S: std::ops::RangeInclusive<f64> = 0.5..=5.0;
/// Seconds of one step of a search, if nothing else is said.
const STEP_S: f64 = 5.0;
/// A rate is held only if it holds for so many times as long as a step.
const CONFIRM: u32 = 2;

/// What is measured.
#[derive(Debug, Clone)]
pub enum Target {
    /// A temporary instance.
    Own(Size),
    /// A server that runs.
    Running(Remote),
}

/// How large the temporary instance is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Local people.
    pub people: usize,
    /// Whom each follows.
    pub follows: usize,
    /// Posts to begin with.
    pub posts: usize,
    /// Open streams of `stream`.
    pub listeners: usize,
    /// Fake destinations of `deliver`.
    pub destinations: usize,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is measured.
    pub target: Target,
    /// What is done to it.
    pub scenarios: Vec<Scenario>,
    /// Requests a second, in place of the usual ones.
    pub rate_per_s: Option<f64>,
    /// Seconds of each round, in place of the usual ones.
    pub seconds: Option<f64>,
    /// Rounds of each scenario; those of all are interleaved.
    pub rounds: usize,
    /// Look for the limit, with this to hold.
    pub objective: Option<Objective>,
    /// What has to hold in the end.
    pub expectations: Vec<Expectation>,
    /// An earlier run to compare with.
    pub before: Option<Report>,
    /// So many clients that wait for answers.
    pub closed: Option<usize>,
    /// What chance begins with.
    pub seed: u64,
}

/// What a session needs of the process it runs in.
#[derive(Clone)]
pub struct Surroundings {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// This program, which is started again.
    pub program: PathBuf,
    /// An empty folder that whoever made it removes.
    pub folder: PathBuf,
    /// Waxwing's.
    pub version: String,
    /// Where it is watched.
    pub view: View,
}

/// Measures, and says what was found. When the future is dropped, what was
/// started is stopped.
///
/// # Errors
/// What keeps it from being measured.
pub async fn run(options: Options, around: Surroundings) -> Result<Report, Problem> {
    let began = around.clock.now().rfc3339();
    let machine = {
        let (folder, clock) = (around.folder.clone(), around.clock.clone());
        tokio::task::spawn_blocking(move || machine::look(&folder, &*clock))
            .await
            .map_err(Problem::internal)?
    };
    around.view.say(&words::machine(&machine));
    let session = Session::open(options, around, machine).await?;
    let scenarios = session.all().await?;
    let options = &session.options;
    let mut report = Report {
        format: FORMAT,
        version: session.around.version.clone(),
        began,
        target: session.target(),
        machine: session.machine.clone(),
        settings: session.settings(),
        scenarios,
        ..Report::default()
    };
    report.expectations = options.expectations.iter().map(|one| one.check(&report)).collect();
    report.comparison = options.before.as_ref().map(|before| compare(before, &report)).unwrap_or_default();
    report.summary = words::summary(&report);
    Ok(report)
}

struct Session {
    options: Options,
    around: Surroundings,
    machine: Machine,
    watched: Watched,
    slate: Slate,
    plays: BTreeMap<&'static str, Arc<dyn Play>>,
    /// Stopped with the session.
    _instance: Option<Instance>,
}

impl Session {
    async fn open(options: Options, around: Surroundings, machine: Machine) -> Result<Session, Problem> {
        let slate = Slate::default();
        let mut session = Session {
            watched: Watched::new(None, None),
            plays: BTreeMap::new(),
            _instance: None,
            slate,
            machine,
            options,
            around,
        };
        if session.options.scenarios.iter().any(|scenario| scenario.needs_server()) {
            match session.options.target.clone() {
                Target::Own(size) => session.open_own(size).await?,
                Target::Running(remote) => session.open_running(&remote).await?,
            }
        }
        Ok(session)
    }

    fn tools(&self) -> Tools {
        Tools { clock: self.around.clock.clone(), seed: self.options.seed }
    }

    fn plays(&self, scenario: Scenario) -> bool {
        self.options.scenarios.contains(&scenario)
    }

    /// Starts a temporary instance and sets the scenes in it.
    async fn open_own(&mut self, size: Size) -> Result<(), Problem> {
        let senders = if self.plays(Scenario::Inbox) {
            Some(tokio::task::spawn_blocking(Senders::new).await.map_err(Problem::internal)??)
        } else {
            None
        };
        let fleet = if self.plays(Scenario::Deliver) {
            let fleet =
                Fleet::start(size.destinations, self.around.clock.clone(), self.slate.clone()).await?;
            Some(Arc::new(fleet))
        } else {
            None
        };
        let order = Order {
            folder: self.around.folder.join("instance"),
            people: size.people,
            follows: size.follows,
            posts: size.posts,
            seed: self.options.seed,
            senders: senders.as_ref().map(|senders| senders.known.clone()).unwrap_or_default(),
            destinations: fleet.as_ref().map(|fleet| fleet.inboxes()).unwrap_or_default(),
        };
        self.around.view.say(&format!(
            "Starting a temporary instance with {} people and {} posts.",
            size.people, size.posts
        ));
        let program = self.around.program.clone();
        let started = tokio::task::spawn_blocking(move || Instance::start(&program, &order));
        let instance = started.await.map_err(Problem::internal)??;
        let ready = &instance.ready;
        self.around
            .view
            .say(&format!("It is there, filled in {:.1} s ({} follows).", ready.seeded_s, ready.follows));
        let stage = self.stage(&instance)?;
        self.watched = Watched::new(Some(instance.pid()), ready.admin);
        self._instance = Some(instance);
        for scenario in self.options.scenarios.clone() {
            let play: Arc<dyn Play> = match scenario {
                Scenario::Browse => Arc::new(Browse(stage.clone())),
                Scenario::Post => Arc::new(Post(stage.clone())),
                Scenario::Login => Arc::new(Login(stage.clone())),
                Scenario::Media => Arc::new(Media::new(stage.clone())?),
                Scenario::Mixed => Arc::new(Mixed::new(stage.clone())?),
                Scenario::Stream => Arc::new(Stream::new(stage.clone(), size.listeners)),
                Scenario::Inbox => {
                    let senders =
                        senders.clone().ok_or_else(|| Problem::internal("senders were not made"))?;
                    Arc::new(Inbox::new(stage.clone(), senders))
                }
                Scenario::Deliver => {
                    let fleet =
                        fleet.clone().ok_or_else(|| Problem::internal("the fleet was not started"))?;
                    Arc::new(Deliver::new(stage.clone(), fleet))
                }
                Scenario::Store | Scenario::Proxy => continue,
            };
            self.plays.insert(scenario.name(), play);
        }
        Ok(())
    }

    fn stage(&self, instance: &Instance) -> Result<Stage, Problem> {
        let ready = &instance.ready;
        let authority = ready.origin.trim_start_matches("https://");
        let address = ready.address.ok_or_else(|| Problem::internal("the instance has no address"))?;
        let target = client::Target::tls(authority, address, Some(&ready.root_pem))?;
        Ok(Stage {
            client: client::Client::new(target),
            origin: ready.origin.clone(),
            people: ready.people.clone().into(),
            announcer: ready.announcer.clone(),
            password: ready.password.clone(),
            statuses: ready.statuses.clone().into(),
            tools: self.tools(),
            slate: self.slate.clone(),
        })
    }

    /// Sets the scenes on a server that runs.
    async fn open_running(&mut self, remote: &Remote) -> Result<(), Problem> {
        let stage = remote.stage(self.tools(), self.slate.clone()).await?;
        for scenario in self.options.scenarios.clone() {
            let play: Arc<dyn Play> = match scenario {
                Scenario::Browse => Arc::new(Browse(stage.clone())),
                Scenario::Post => Arc::new(Post(stage.clone())),
                Scenario::Media => Arc::new(Media::new(stage.clone())?),
                _ => continue,
            };
            self.plays.insert(scenario.name(), play);
        }
        Ok(())
    }

    async fn all(&self) -> Result<Vec<Measured>, Problem> {
        let mut all: Vec<Measured> = Vec::new();
        for scenario in &self.options.scenarios {
            all.push(Measured { scenario: scenario.name().to_owned(), ..Measured::default() });
        }
        // One round of each, then the next one of each: what changes slowly
        // on the machine changes all of them alike.
        for round in 0..self.options.rounds {
            for (scenario, measured) in self.options.scenarios.iter().zip(&mut all) {
                self.play_once(*scenario, measured, round).await?;
            }
        }
        if let Some(objective) = self.options.objective {
            for (scenario, measured) in self.options.scenarios.iter().zip(&mut all) {
                if scenario.has_limit() && self.plays.contains_key(scenario.name()) {
                    measured.limit = Some(self.find_limit(*scenario, objective).await?);
                }
            }
        }
        Ok(all)
    }

    fn span(&self, scenario: Scenario) -> Duration {
        self.options.seconds.map_or(scenario.usual_span(), Duration::from_secs_f64)
    }

    async fn play_once(
        &self,
        scenario: Scenario,
        measured: &mut Measured,
        round: usize,
    ) -> Result<(), Problem> {
        let (name, span) = (scenario.name(), self.span(scenario));
        let of = if self.options.rounds > 1 {
            format!(" (round {} of {})", round + 1, self.options.rounds)
        } else {
            String::new()
        };
        self.around.view.say(&format!("{name}: {}{of}", scenario.about()));
        match scenario {
            Scenario::Store => {
                let folder = self.around.folder.join(format!("store-{round}"));
                std::fs::create_dir_all(&folder).map_err(Problem::internal)?;
                let found = store::measure(&folder, &self.tools(), span).await?;
                let mut rounds = std::mem::take(&mut measured.rounds);
                rounds.extend(found.rounds);
                *measured = Measured { rounds, ..found };
            }
            // Virtual time gives the same figures in every round.
            Scenario::Proxy if round > 0 => {}
            Scenario::Proxy => *measured = proxy::measure(&self.tools(), span.as_secs_f64()).await?,
            _ => {
                let rate = self.options.rate_per_s.unwrap_or(scenario.usual_per_s());
                let play = self.play(scenario)?;
                measured.rounds.push(self.round(scenario, &play, rate, span).await?);
                measured.destinations = play.destinations();
                measured.figures = play.figures();
            }
        }
        Ok(())
    }

    fn play(&self, scenario: Scenario) -> Result<Arc<dyn Play>, Problem> {
        let play = self.plays.get(scenario.name()).cloned();
        play.ok_or_else(|| Problem::internal(format!("nothing was prepared for {}", scenario.name())))
    }

    /// One round: everything from the warm-up to the last answer.
    async fn round(
        &self,
        scenario: Scenario,
        play: &Arc<dyn Play>,
        rate: f64,
        span: Duration,
    ) -> Result<Round, Problem> {
        let clock = &self.around.clock;
        let warm_s = (span.as_secs_f64() * WARM_SHARE).clamp(*WARM_S.start(), *WARM_S.end());
        let mut course = Course {
            begin: clock.monotonic(),
            shape: scenario.shape(rate),
            warm: Duration::from_secs_f64(warm_s),
            span,
            closed: self.options.closed,
        };
        play.prepare(&course).await?;
        course.begin = clock.monotonic() + LEAD;
        let work = play.clone().work();
        let tally = Arc::new(Mutex::new(Tally::new(work.kinds(), course.from(), course.until())));
        self.slate.set(Some(tally.clone()));
        let watch = Watch::start(self.watched.clone(), clock.clone(), course);
        let tools = self.tools();
        tokio::select! {
            () = load::run(&tools, work, tally.clone(), course) => {}
            () = self.watching(scenario.name(), course, &tally, &watch) => {}
        }
        play.settle().await;
        self.slate.set(None);
        let mut round = tally.lock().round();
        watch.complete(&mut round);
        self.around.view.clear();
        Ok(round)
    }

    /// Shows how it goes, for ever.
    async fn watching(&self, name: &str, course: Course, tally: &Mutex<Tally>, watch: &Watch) {
        let view = &self.around.view;
        loop {
            tokio::time::sleep(view.every()).await;
            let glance = tally.lock().glance();
            view.show(name, &course, self.around.clock.monotonic(), glance, watch.last());
        }
    }

    async fn find_limit(&self, scenario: Scenario, objective: Objective) -> Result<Limit, Problem> {
        let play = self.play(scenario)?;
        let step = Duration::from_secs_f64(self.options.seconds.unwrap_or(STEP_S).min(STEP_S));
        let name = scenario.name();
        self.around.view.say(&format!("{name}: looking for the limit of {objective}"));
        let first = self.options.rate_per_s.unwrap_or(scenario.usual_per_s());
        let mut search = Search::new(objective, first, RATE_MAX);
        let mut worst: Option<Round> = None;
        while let Some(rate) = search.next_rate() {
            let round = self.round(scenario, &play, rate, step).await?;
            self.tell(name, rate, &round, search.hear(rate, &round));
            if !objective.holds(&round)
                && worst.as_ref().is_none_or(|worst| round.offered_per_s < worst.offered_per_s)
            {
                worst = Some(round);
            }
            self.rest().await;
        }
        // What held for a moment may not hold for long.
        while let Some(rate) = search.held() {
            let round = self.round(scenario, &play, rate, step * CONFIRM).await?;
            let held = objective.holds(&round);
            self.tell(name, rate, &round, held);
            self.rest().await;
            if held {
                break;
            }
            search.doubt(rate);
            worst = Some(round);
        }
        let mut limit = search.found();
        if let Some(worst) = worst {
            let culprit = culprit(&worst, &self.machine);
            (limit.culprit, limit.evidence) = (culprit.name.to_owned(), culprit.evidence);
        }
        Ok(limit)
    }

    fn tell(&self, name: &str, rate: f64, round: &Round, held: bool) {
        let verdict = if held { "holds" } else { "does not hold" };
        self.around.view.say(&format!(
            "  {name} at {rate:.0}/s: {verdict} ({:.0}/s answered, p99 {:.1} ms, {:.2} % failed)",
            round.rate_per_s,
            round.latency.p99,
            round.error_share() * 100.0
        ));
    }

    /// Lets the instance do what the last step left for it.
    async fn rest(&self) {
        for _ in 0..40 {
            if self.watched.metrics().await.sum("waxwing_store_lane_depth") < 1.0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn target(&self) -> String {
        match &self.options.target {
            Target::Own(_) => "a temporary instance on this machine".to_owned(),
            Target::Running(remote) => remote.origin.clone(),
        }
    }

    fn settings(&self) -> Settings {
        let (people, posts) = match &self.options.target {
            Target::Own(size) => (size.people, size.posts),
            Target::Running(_) => (0, 0),
        };
        let first = self.options.scenarios.first().copied().unwrap_or(Scenario::Browse);
        let seconds = self.span(first).as_secs_f64();
        Settings {
            seconds,
            warm_s: (seconds * WARM_SHARE).clamp(*WARM_S.start(), *WARM_S.end()),
            rounds: self.options.rounds,
            people,
            posts,
            seed: self.options.seed,
            is_closed_loop: self.options.closed.is_some(),
        }
    }
}

/// Reads an earlier run.
///
/// # Errors
/// A file that is none.
pub fn read_report(path: &Path) -> Result<Report, Problem> {
    let read = std::fs::read(path).map_err(|error| error.to_string());
    let report: Result<Report, String> =
        read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()));
    let report = report.map_err(|error| {
        Problem::invalid(format!("`{}` is no report of an earlier run: {error}", path.display()))
            .hint("write one with `waxwing --bench --json FILE`")
    })?;
    if report.format > FORMAT {
        let what = format!("`{}` was written by a newer Waxwing", path.display());
        return Err(Problem::invalid(what).hint("measure again with this one"));
    }
    Ok(report)
}
