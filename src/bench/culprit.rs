//! What gave way first, told from what the instance used while it did not
//! hold: its own metrics and what the system says of it. Pure.

use super::metric::{short, whole};
use super::report::data::{Machine, Round};

/// From this share on, something counts as used up.
const FULL: f64 = 0.85;
/// A queue of the store's lane that is longer than one group of it.
const LANE_DEEP: f64 = 64.0;

/// A commit that takes so many times as long as one durable write of the disk
/// is still mostly that.
const MOSTLY: f64 = 2.0;

/// What is no part of what is measured.
pub const OTHER_PROGRAMS: &str = "other programs on this machine";
const CPU: &str = "CPU";
const GENERATOR: &str = "the generator itself";

/// What may give way, with a name for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Culprit {
    /// One or two words.
    pub name: &'static str,
    /// The figures behind it.
    pub evidence: String,
}

/// Names what was used up in a round that broke the objective. Where several
/// were, the most used one is named.
pub fn culprit(round: &Round, machine: &Machine) -> Culprit {
    if round.spent > 0 {
        let evidence = format!("it had prepared too little: {} could not be sent", whole(round.spent as f64));
        return Culprit { name: GENERATOR, evidence };
    }
    if round.generator.was_limit {
        let evidence = format!(
            "the generator began requests {} ms late and used {} cores",
            short(round.lag_p99_ms),
            short(round.generator.cpu)
        );
        return Culprit { name: GENERATOR, evidence };
    }
    let refused = round.failed_with("status 429");
    if refused * 2 > round.errors {
        let evidence = format!(
            "{} of {} requests were answered with 429",
            whole(refused as f64),
            whole(round.requests as f64)
        );
        return Culprit { name: "the server's own rate limit", evidence };
    }
    // From outside nothing can be told.
    if !round.is_watched() {
        return Culprit { name: "", evidence: String::new() };
    }
    let mut suspects = suspects(round, machine);
    suspects.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    match suspects.into_iter().next() {
        // Processors that others took say nothing of the server.
        Some((share, Culprit { name: CPU, evidence }))
            if share >= FULL && round.others(machine.usable()) > round.used.cpu =>
        {
            Culprit { name: OTHER_PROGRAMS, evidence }
        }
        Some((share, culprit)) if share >= FULL => culprit,
        _ => nothing_full(round),
    }
}

/// The jobs of a round came faster than they were done; `what` is what becomes
/// of them. No answer was late, so what else was used up only explains it.
pub fn backlog(round: &Round, what: &str) -> Culprit {
    let used = &round.used;
    let evidence = format!(
        "{what}: of {} jobs a second {} were done (processors {:.0} % busy, the store committing {:.0} % of the time)",
        whole(round.jobs_per_s()),
        whole(used.jobs_per_s),
        used.machine * 100.0,
        used.commit * 100.0
    );
    Culprit { name: "the job queue", evidence }
}

/// Everything with the share of it that was used.
fn suspects(round: &Round, machine: &Machine) -> Vec<(f64, Culprit)> {
    let used = &round.used;
    let cores = machine.usable();
    let memory_mib = machine.memory_bytes as f64 / (1 << 20) as f64;
    let mut suspects = vec![
        (
            used.machine,
            Culprit {
                name: CPU,
                evidence: format!(
                    "{:.0} % of {} cores were busy: {} with the server, {} with the generator, {} with other programs",
                    used.machine * 100.0,
                    machine.cores_in_words(),
                    short(used.cpu),
                    short(round.generator.cpu),
                    short(round.others(cores))
                ),
            },
        ),
        (
            used.commit,
            Culprit {
                name: if used.commit_ms <= MOSTLY * machine.fsync_ms {
                    "fsync"
                } else {
                    "the store's commits"
                },
                evidence: format!(
                    "the store was committing {:.0} % of the time, {} ms each (a durable write of the disk takes {} ms)",
                    used.commit * 100.0,
                    short(used.commit_ms),
                    short(machine.fsync_ms)
                ),
            },
        ),
        (
            // Signers that wait for a processor count as signing, too: more
            // than the server used it cannot have been.
            used.signing.min(used.cpu) / (cores - 1.0).max(1.0),
            Culprit {
                name: "signing",
                evidence: format!("{} cores signed deliveries", short(used.signing.min(used.cpu))),
            },
        ),
        (
            used.files,
            Culprit {
                name: "file descriptors",
                evidence: format!("{:.0} % of the files that may be open were", used.files * 100.0),
            },
        ),
    ];
    if memory_mib > 0.0 {
        let share = used.rss_mib / memory_mib;
        let evidence = format!("{:.0} % of the machine's memory", share * 100.0);
        suspects.push((share, Culprit { name: "memory", evidence }));
    }
    suspects
}

fn nothing_full(round: &Round) -> Culprit {
    let used = &round.used;
    if used.lane_depth >= LANE_DEEP {
        let evidence = format!("{} changes waited for the store's one writer", whole(used.lane_depth));
        return Culprit { name: "the store's lane", evidence };
    }
    // Jobs that merely wait, such as those for dead servers, are in nobody's way.
    if !round.keeps_up() {
        return backlog(round, "its jobs pile up");
    }
    let evidence = format!(
        "no resource was used up (processors {:.0} %, commits {:.0} %); work waits for something inside",
        used.machine * 100.0,
        used.commit * 100.0
    );
    Culprit { name: "nothing that is measured", evidence }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::data::{Generator, Used};

    fn name(used: Used) -> &'static str {
        let machine = Machine { cores: 4, memory_bytes: 8 << 30, fsync_ms: 2.0, ..Machine::default() };
        // Without memory nobody has looked.
        let used = Used { rss_mib: used.rss_mib.max(1.0), ..used };
        culprit(&Round { used, seconds: 5.0, ..Round::default() }, &machine).name
    }

    #[test]
    fn the_most_used_thing_is_named() {
        let calm =
            Used { cpu: 0.5, machine: 0.4, commit: 0.3, files: 0.1, rss_mib: 100.0, ..Used::default() };
        for (used, wanted) in [
            (Used { commit: 0.95, commit_ms: 2.5, ..calm }, "fsync"),
            (Used { commit: 0.95, commit_ms: 9.0, ..calm }, "the store's commits"),
            (Used { commit: 0.99, machine: 0.90, ..calm }, "fsync"),
            (Used { signing: 2.9, cpu: 3.0, machine: 0.8, ..calm }, "signing"),
            // Nine signers that wait for half a processor are no nine processors.
            (Used { signing: 9.0, ..calm }, "nothing that is measured"),
            (Used { machine: 0.97, cpu: 3.1, ..calm }, "CPU"),
            (Used { machine: 0.97, cpu: 1.1, ..calm }, "other programs on this machine"),
            (Used { files: 0.99, ..calm }, "file descriptors"),
            (Used { rss_mib: 8000.0, ..calm }, "memory"),
            (Used { lane_depth: 200.0, ..calm }, "the store's lane"),
            (Used { queued: 5000.0, ..calm }, "nothing that is measured"),
            (Used { jobs_per_s: 80.0, jobs_behind_per_s: 90.0, ..calm }, "the job queue"),
            (calm, "nothing that is measured"),
        ] {
            assert_eq!(name(used), wanted, "{used:?}");
        }
    }

    #[test]
    fn from_outside_only_a_rate_limit_is_seen() {
        let mut round = Round { requests: 100, errors: 80, ..Round::default() };
        assert_eq!(culprit(&round, &Machine::default()).name, "");
        round.failures.insert("home: status 429".into(), 80);
        assert_eq!(culprit(&round, &Machine::default()).name, "the server's own rate limit");
        assert_eq!(culprit(&Round { spent: 3, ..round }, &Machine::default()).name, GENERATOR);
    }

    #[test]
    fn a_generator_that_was_the_limit_accuses_itself() {
        let generator = Generator { was_limit: true, cpu: 1.9, ..Generator::default() };
        let used = Used { machine: 1.0, ..Used::default() };
        let round = Round { generator, used, ..Round::default() };
        assert_eq!(culprit(&round, &Machine::default()).name, "the generator itself");
    }
}
