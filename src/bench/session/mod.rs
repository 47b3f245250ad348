//! The order of a whole measurement: start what is measured, play the
//! scenarios round by round, look for limits, and say what was found.

mod climb;
mod earlier;
mod estimate;
mod open;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

pub use self::earlier::read_report;
use super::compare::{caveats, compare};
use super::expect::Expectation;
use super::instance::Instance;
use super::limit::Objective;
use super::load::{self, Course, Tools};
use super::remote::Remote;
use super::report::data::{FORMAT, Machine, Measured, Report, Round, Settings};
use super::scenario::{Play, Scenario, proxy, store};
use super::stage::Slate;
use super::tally::Tally;
use super::view::View;
use super::watch::{Watch, Watched};
use super::{machine, words};
use crate::base::{Clock, Problem, ProblemKind};

/// How often it is looked whether the instance is still there.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// From the order to begin until the first request is due.
const LEAD: Duration = Duration::from_millis(100);
/// Warm-up, as a share of what is measured, within bounds.
const WARM_SHARE: f64 = 0.2;
const WARM_S: std::ops::RangeInclusive<f64> = 0.5..=5.0;

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
    let session = Session::open(options, around, machine).await?;
    let scenarios = session.all().await;
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
    if let Some(before) = &options.before {
        (report.comparison, report.caveats) = (compare(before, &report), caveats(before, &report));
    }
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
    /// Scenarios that cannot be played, and why.
    unready: BTreeMap<&'static str, String>,
    /// Stopped with the session.
    instance: Mutex<Option<Instance>>,
}

impl Session {
    async fn open(options: Options, around: Surroundings, machine: Machine) -> Result<Session, Problem> {
        let slate = Slate::default();
        let mut session = Session {
            watched: Watched::new(None, None, machine.usable()),
            plays: BTreeMap::new(),
            unready: BTreeMap::new(),
            instance: Mutex::default(),
            slate,
            machine,
            options,
            around,
        };
        session.around.view.say(&format!("Measuring takes about {}.", words::time(session.about_s())));
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

    /// What can be measured is, whatever becomes of the rest.
    async fn all(&self) -> Vec<Measured> {
        let mut all: Vec<Measured> = Vec::new();
        for scenario in &self.options.scenarios {
            all.push(Measured { scenario: scenario.name().to_owned(), ..Measured::default() });
        }
        // One round of each, then the next one of each: what changes slowly
        // on the machine changes all of them alike.
        for round in 0..self.options.rounds {
            for (scenario, measured) in self.options.scenarios.iter().zip(&mut all) {
                if measured.failed.is_none()
                    && let Err(problem) = self.play_once(*scenario, measured, round).await
                {
                    self.give_up(measured, &problem);
                }
            }
        }
        if let Some(objective) = self.options.objective {
            for (scenario, measured) in self.options.scenarios.iter().zip(&mut all) {
                let can = scenario.has_limit() && self.plays.contains_key(scenario.name());
                if !can || measured.failed.is_some() {
                    continue;
                }
                let known = measured.rounds.last().filter(|round| round.latency.count > 0).cloned();
                match self.find_limit(*scenario, objective, known.as_ref()).await {
                    Ok(limit) => measured.limit = Some(limit),
                    Err(problem) => self.give_up(measured, &problem),
                }
            }
        }
        for measured in &mut all {
            measured.failed = measured.failed.take().or_else(|| words::nothing_good(measured));
        }
        all
    }

    fn give_up(&self, measured: &mut Measured, problem: &Problem) {
        let why = problem.to_string();
        self.around.view.say(&format!("{} could not be measured: {why}", measured.scenario));
        measured.failed = Some(why);
    }

    /// Waits until the instance is gone, which it should not be.
    async fn gone(&self) -> Problem {
        loop {
            if let Err(problem) = self.is_there() {
                return problem;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// # Errors
    /// When the instance has ended.
    fn is_there(&self) -> Result<(), Problem> {
        let gone = self.instance.lock().as_mut().and_then(Instance::gone);
        gone.map_or(Ok(()), |why| Err(Problem::new(ProblemKind::Unavailable, why)))
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
                let found =
                    self.shown(name, Some(span), store::measure(&folder, &self.tools(), span)).await?;
                let mut rounds = std::mem::take(&mut measured.rounds);
                rounds.extend(found.rounds);
                *measured = Measured { rounds, ..found };
            }
            // Virtual time gives the same figures in every round.
            Scenario::Proxy if round > 0 => {}
            Scenario::Proxy => {
                let tools = self.tools();
                let work = proxy::measure(&tools, span.as_secs_f64());
                *measured = self.shown(name, None, work).await?;
            }
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
        if let Some(why) = self.unready.get(scenario.name()) {
            return Err(Problem::new(ProblemKind::Unavailable, why.clone()));
        }
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
        let mut course = Course {
            begin: clock.monotonic(),
            shape: scenario.shape(rate),
            warm: Duration::from_secs_f64(warm_s(span.as_secs_f64())),
            span,
            closed: self.options.closed,
        };
        self.is_there()?;
        let prepared = async {
            tokio::select! {
                prepared = play.prepare(&course) => prepared,
                gone = self.gone() => Err(gone),
            }
        };
        self.shown(&format!("{} is being prepared", scenario.name()), None, prepared).await?;
        course.begin = clock.monotonic() + LEAD;
        let work = play.clone().work();
        let tally = Arc::new(Mutex::new(Tally::new(work.kinds(), course.from(), course.until())));
        self.slate.set(Some(tally.clone()));
        let watch = Watch::start(self.watched.clone(), clock.clone(), course);
        let tools = self.tools();
        tokio::select! {
            () = load::run(&tools, work, tally.clone(), course) => {}
            () = self.watching(scenario.name(), course, &tally, &watch) => {}
            gone = self.gone() => return Err(gone),
        }
        let last = format!("waiting for the last of {}", scenario.name());
        self.shown(&last, None, play.settle()).await;
        self.slate.set(None);
        self.is_there()?;
        let mut round = tally.lock().round();
        watch.complete(&mut round);
        self.around.view.clear();
        Ok(round)
    }

    /// Shows that something is under way, for as long as it takes.
    async fn shown<T>(&self, what: &str, whole: Option<Duration>, work: impl Future<Output = T>) -> T {
        let done = tokio::select! {
            done = work => done,
            never = self.ticking(what, whole) => match never {},
        };
        self.around.view.clear();
        done
    }

    async fn ticking(&self, what: &str, whole: Option<Duration>) -> Infallible {
        let (view, clock) = (&self.around.view, &self.around.clock);
        let begun = clock.monotonic();
        loop {
            tokio::time::sleep(view.every()).await;
            view.wait(what, clock.monotonic().saturating_sub(begun), whole);
        }
    }

    /// Shows how it goes, for ever.
    async fn watching(&self, name: &str, course: Course, tally: &Mutex<Tally>, watch: &Watch) {
        let view = &self.around.view;
        loop {
            tokio::time::sleep(view.every()).await;
            let now = self.around.clock.monotonic();
            if now >= course.until() {
                // Nothing more is asked, and what was found is said in a moment.
                let since = now.saturating_sub(course.until());
                view.wait(&format!("waiting for the last answers of {name}"), since, None);
                continue;
            }
            let glance = tally.lock().glance();
            view.show(name, &course, now, glance, watch.last());
        }
    }

    fn target(&self) -> String {
        match &self.options.target {
            Target::Own(_) => "a temporary instance on this machine".to_owned(),
            Target::Running(remote) => remote.origin.clone(),
        }
    }

    fn settings(&self) -> Settings {
        let nobody = Size { people: 0, follows: 0, posts: 0, listeners: 0, destinations: 0 };
        let size = match &self.options.target {
            Target::Own(size) => *size,
            Target::Running(_) => nobody,
        };
        let first = self.options.scenarios.first().copied().unwrap_or(Scenario::Browse);
        let seconds = self.span(first).as_secs_f64();
        Settings {
            seconds,
            warm_s: warm_s(seconds),
            rounds: self.options.rounds,
            people: size.people,
            posts: size.posts,
            follows: size.follows,
            listeners: if self.plays(Scenario::Stream) { size.listeners } else { 0 },
            destinations: if self.plays(Scenario::Deliver) { size.destinations } else { 0 },
            seed: self.options.seed,
            is_closed_loop: self.options.closed.is_some(),
            clients: self.options.closed.unwrap_or_default(),
            rate_per_s: self.options.rate_per_s,
            asked_seconds: self.options.seconds,
            objective: self.options.objective.map_or(String::new(), |objective| objective.to_string()),
        }
    }
}

/// Seconds of warm-up before so many that are measured.
fn warm_s(span_s: f64) -> f64 {
    (span_s * WARM_SHARE).clamp(*WARM_S.start(), *WARM_S.end())
}
