//! Looking after the upstreams: once a second the balancer's own look, every
//! two seconds a question to those that get no traffic, every half minute
//! what their names stand for; sooner for who does not answer.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::AnswerHead;
use super::link::{Asks, Link};
use super::worker::Shared;
use crate::proxy::{Checked, Dice, LOAD_WANTED_HEADER, Upstream};

const TEND_EVERY: Duration = Duration::from_secs(1);
/// Every second look asks the silent ones …
const CHECK_LOOKS: u64 = 2;
/// … and what names stand for that led nowhere, every thirtieth all names.
const RESOLVE_LOOKS: u64 = 30;
/// So long may an answer take.
const CHECK_MAX: Duration = Duration::from_secs(1);
/// Questions at once.
const CHECKS_MAX: usize = 64;

/// Runs until `stop`.
pub async fn look_after(shared: Arc<Shared>, dice: Dice, stop: CancellationToken) {
    let mut looks = interval(TEND_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let dice = Arc::new(Mutex::new(dice));
    let (checks, names) = (TaskTracker::new(), TaskTracker::new());
    let mut count = 0u64;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = looks.tick() => {}
        }
        shared.balancer.tend(shared.now());
        // Not here: a resolver that hangs must not keep the balancer from its looks.
        if count.is_multiple_of(CHECK_LOOKS) && names.is_empty() {
            let (shared, all) = (shared.clone(), count.is_multiple_of(RESOLVE_LOOKS));
            names.spawn(async move { ask_names(&shared, all).await });
        }
        if count.is_multiple_of(CHECK_LOOKS) && checks.is_empty() {
            for upstream in shared.balancer.due_checks(shared.now()).into_iter().take(CHECKS_MAX) {
                checks.spawn(check(shared.clone(), upstream, dice.clone()));
            }
        }
        count += 1;
    }
}

/// Asks what the upstreams' names stand for. Done every half minute; once
/// before the first request, so that it finds them.
pub async fn resolve(shared: &Shared) {
    ask_names(shared, true).await;
}

async fn ask_names(shared: &Shared, all: bool) {
    let targets = shared.targets.load_full();
    let asked = targets.values().filter(|target| all || target.missed() > 0);
    join_all(asked.map(async |target| {
        if let Err(error) = target.resolve().await {
            let name = &target.address;
            tracing::warn!(upstream = %name, %error, "the upstream {name} cannot be found: {error}");
        }
    }))
    .await;
}

async fn check(shared: Arc<Shared>, upstream: Arc<Upstream>, dice: Arc<Mutex<Dice>>) {
    let (result, report) = match timeout(CHECK_MAX, ask(&shared, &upstream)).await {
        // It works, whatever it says to a path that it may not know, and also
        // if it is full.
        Ok(Ok(head)) if head.status < 500 || head.is_shed => (Checked::Healthy, head.load),
        Ok(Ok(head)) => (Checked::Broken, head.load),
        Ok(Err(_)) => (Checked::Broken, None),
        Err(_) => (Checked::Slow, None),
    };
    shared.balancer.checked(shared.now(), &upstream, result, report.as_ref(), &mut dice.lock());
}

/// The head of an answer to a question about health.
async fn ask(shared: &Shared, upstream: &Upstream) -> io::Result<AnswerHead> {
    let target = shared.target(upstream)?;
    let mut link = Link::new(target.connect().await?);
    let path = &shared.settings.health_path;
    let host = &target.address;
    let text = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: waxwing-health\r\n\
         {LOAD_WANTED_HEADER}: TEXT\r\nConnection: close\r\n\r\n"
    );
    link.send(text.as_bytes()).await?;
    let asks = Asks { to_head: false, upgrades: false, expects_continue: false };
    let read = poll_fn(|cx| link.poll_head(cx, asks, &mut |_, _| {})).await;
    read.map(|()| link.head).map_err(|_| io::ErrorKind::InvalidData.into())
}
