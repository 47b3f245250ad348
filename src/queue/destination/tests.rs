use super::*;
use crate::base::FixedChance;

const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A destination in virtual time.
struct World {
    health: Health,
    now: Timestamp,
    chance: FixedChance,
}

impl World {
    fn new() -> World {
        let record = Destination { authority: "a.example".into(), ..Destination::default() };
        World {
            health: Health::new(record, Steering::default(), START),
            now: START,
            chance: FixedChance::new(42),
        }
    }

    fn proven() -> World {
        let mut world = World::new();
        world.attempt(Outcome::Done, 100);
        world
    }

    fn wait_ms(&mut self, ms: u64) {
        self.now = self.now.plus(Duration::from_millis(ms));
    }

    /// One attempt that takes `ms`, begun when the gate opens.
    fn attempt(&mut self, outcome: Outcome, ms: u64) -> Option<Transition> {
        self.wait_for_gate();
        let first = self.health.start(self.now);
        let started = self.now;
        self.wait_ms(ms);
        self.health.finish(self.now, started, &outcome, &self.chance).or(first)
    }

    fn wait_for_gate(&mut self) {
        for _ in 0..100 {
            match self.health.gate(self.now) {
                Gate::Ready => return,
                Gate::At(at) => self.now = at,
                gate => panic!("gate stays {gate:?}"),
            }
        }
        panic!("the gate never opens");
    }

    fn fail(&mut self) -> Option<Transition> {
        self.attempt(Outcome::of_status(500, None), 50)
    }

    fn time_out(&mut self) -> Option<Transition> {
        self.attempt(Outcome::failed(FailureKind::Timeout, 0, "timeout"), 10_000)
    }

    fn breaker(&self) -> Breaker {
        self.health.record.breaker
    }

    fn opened() -> World {
        let mut world = World::proven();
        for _ in 0..5 {
            world.fail();
        }
        assert_eq!(world.breaker(), Breaker::Open);
        world
    }
}

#[test]
fn an_unknown_host_gets_one_request_at_a_time() {
    let mut world = World::new();
    assert_eq!(world.health.group(world.now), Group::Unproven);
    world.health.start(world.now);
    assert_eq!(world.health.gate(world.now), Gate::Busy);
}

#[test]
fn success_raises_the_cap_and_trouble_halves_it() {
    let mut world = World::proven();
    assert_eq!(world.health.record.cap, 2.0);
    for _ in 0..400 {
        world.attempt(Outcome::Done, 100);
    }
    assert_eq!(world.health.record.cap, CAP_MAX);
    world.fail();
    assert_eq!(world.health.record.cap, CAP_MAX / 2.0);
}

#[test]
fn five_failures_open_three_timeouts_open_sooner() {
    let mut world = World::proven();
    for _ in 0..4 {
        world.fail();
        assert_eq!(world.breaker(), Breaker::Closed);
        assert_eq!(world.health.group(world.now), Group::Suspect);
    }
    world.fail();
    assert_eq!(world.breaker(), Breaker::Open);

    let mut world = World::proven();
    for _ in 0..3 {
        world.time_out();
    }
    assert_eq!(world.breaker(), Breaker::Open);
}

#[test]
fn a_success_between_failures_starts_the_count_again() {
    let mut world = World::proven();
    for _ in 0..20 {
        for _ in 0..4 {
            world.fail();
        }
        world.attempt(Outcome::Done, 100);
        world.wait_ms(60_000);
    }
    assert_eq!(world.breaker(), Breaker::Closed);
}

#[test]
fn half_of_many_in_a_minute_open_it() {
    let mut world = World::proven();
    for round in 0..30 {
        world.fail();
        if world.breaker() == Breaker::Open {
            assert!(round > 5);
            return;
        }
        world.attempt(Outcome::Done, 10);
    }
    panic!("never opened");
}

#[test]
fn requests_that_fail_together_count_once() {
    let mut world = World::proven();
    for _ in 0..100 {
        world.attempt(Outcome::Done, 100);
    }
    let started = world.now;
    for _ in 0..10 {
        world.health.start(world.now);
    }
    world.wait_ms(50);
    for _ in 0..10 {
        world.wait_ms(1);
        world.health.finish(world.now, started, &Outcome::of_status(502, None), &world.chance);
    }
    assert_eq!((world.health.record.failures, world.breaker()), (1, Breaker::Closed));
}

#[test]
fn an_open_breaker_waits_longer_each_time() {
    let mut world = World::opened();
    for opens in 1..=12_i32 {
        let Gate::At(until) = world.health.gate(world.now) else { panic!("not closed to jobs") };
        let wait_s = until.since(world.now).as_secs_f64();
        let expected = (30.0 * 2f64.powi(opens - 1)).min(3600.0);
        assert!((0.79 * expected..=1.21 * expected).contains(&wait_s), "{opens}: {wait_s}");
        assert!(world.fail().is_some());
        assert_eq!(world.breaker(), Breaker::Open);
    }
}

#[test]
fn two_good_probes_close_it_and_traffic_resumes_in_stages() {
    let mut world = World::opened();
    world.wait_for_gate();
    world.health.start(world.now);
    assert_eq!(world.breaker(), Breaker::HalfOpen);
    assert_eq!(world.health.gate(world.now), Gate::Busy);
    world.health.finish(world.now, world.now, &Outcome::Done, &world.chance);
    assert_eq!(world.breaker(), Breaker::HalfOpen);
    world.attempt(Outcome::Done, 10);
    assert_eq!(world.breaker(), Breaker::Closed);

    let mut sent = [0; 30];
    let resumed = world.now;
    while world.now.since(resumed) < Duration::from_secs(30) {
        let second = world.now.since(resumed).as_secs() as usize;
        world.attempt(Outcome::Done, 1);
        sent[second] += 1;
    }
    assert!(sent[1] <= 3, "{sent:?}");
    assert!((6..=13).contains(&sent[20]), "{sent:?}");
    assert!(sent[29] > sent[15] && sent[15] > sent[2], "{sent:?}");
}

#[test]
fn a_refusal_proves_that_somebody_is_there() {
    let mut world = World::opened();
    world.attempt(Outcome::of_status(404, None), 10);
    world.attempt(Outcome::of_status(403, None), 10);
    assert_eq!(world.breaker(), Breaker::Closed);
}

#[test]
fn retry_after_is_honoured_and_is_no_failure() {
    let mut world = World::proven();
    let asked = Duration::from_secs(20);
    world.attempt(Outcome::TooMany { retry_after: Some(asked) }, 10);
    assert_eq!(world.health.gate(world.now), Gate::At(world.now.plus(asked)));
    assert_eq!((world.health.record.failures, world.breaker()), (0, Breaker::Closed));
    let (long, short) = (Duration::from_secs(86_400), Duration::ZERO);
    for (asked, given_s) in [(long, 3600), (short, 1)] {
        let mut world = World::proven();
        world.attempt(Outcome::TooMany { retry_after: Some(asked) }, 10);
        assert_eq!(world.health.gate(world.now), Gate::At(world.now.plus(Duration::from_secs(given_s))));
    }
}

#[test]
fn a_host_that_says_when_is_sent_to_as_before_from_then_on() {
    let mut world = World::proven();
    let before = world.health.record.rate;
    let quiet = Outcome::TooMany { retry_after: Some(Duration::from_secs(20)) };
    let complain = |world: &mut World, took: u32| {
        world.wait_for_gate();
        for _ in 0..took {
            world.attempt(Outcome::Done, 10);
        }
        world.attempt(quiet.clone(), 10);
        world.health.record.rate
    };
    // However long it goes on, and if it took much in between.
    for took in [0, 0, 0, 12] {
        assert_eq!(complain(&mut world, took), before, "{took}");
    }
    assert!(complain(&mut world, 3) < before, "a little at a time");
}

#[test]
fn repeated_429_without_a_header_pause_longer_each_time() {
    let mut world = World::proven();
    // It took something before the first.
    for pause_s in [1, 30, 60, 120, 240, 480, 900, 900] {
        world.attempt(Outcome::TooMany { retry_after: None }, 10);
        assert_eq!(world.health.gate(world.now), Gate::At(world.now.plus(Duration::from_secs(pause_s))));
    }
    assert_eq!(world.health.record.rate, RATE_MIN.max(world.health.record.rate));
}

#[test]
fn a_limited_host_is_slowed_to_what_it_takes() {
    // Accepts 20 a second, answers 429 to more; always more on offer.
    let mut world = World::proven();
    let (mut good, mut refused, mut window, mut in_window) = (0, 0, START, 0);
    let measured_from = START.plus(Duration::from_secs(120));
    while world.now < START.plus(Duration::from_secs(240)) {
        world.wait_for_gate();
        if world.now.since(window) >= Duration::from_secs(1) {
            (window, in_window) = (world.now, 0);
        }
        in_window += 1;
        let outcome = if in_window <= 20 {
            Outcome::Done
        } else {
            Outcome::TooMany { retry_after: Some(Duration::from_secs(1)) }
        };
        if world.now >= measured_from {
            if outcome == Outcome::Done { good += 1 } else { refused += 1 }
        }
        world.attempt(outcome, 2);
    }
    assert!(good > 120 * 8, "{good} of {} accepted", 120 * 20);
    assert!(refused * 10 < good, "{refused} refused, {good} accepted");
}

#[test]
fn a_host_that_limits_without_a_word_is_held_at_its_limit() {
    // Takes 20 a second, saves up 20, answers 429 to more; always more on offer.
    let mut world = World::proven();
    let (mut tokens, mut at, mut good, mut refused) = (20.0, START, 0, 0);
    let measured_from = START.plus(Duration::from_secs(60));
    while world.now < START.plus(Duration::from_secs(180)) {
        world.wait_for_gate();
        tokens = (tokens + 20.0 * world.now.since(at).as_secs_f64()).min(20.0);
        at = world.now;
        let is_taken = tokens >= 1.0;
        tokens -= f64::from(u8::from(is_taken));
        if world.now >= measured_from {
            if is_taken { good += 1 } else { refused += 1 }
        }
        let outcome = if is_taken { Outcome::Done } else { Outcome::TooMany { retry_after: None } };
        world.attempt(outcome, 2);
    }
    assert!((120 * 18..=120 * 22).contains(&good), "{good} of {} taken", 120 * 20);
    assert!(refused * 10 < good, "{refused} refused, {good} taken");
}

#[test]
fn unavailable_pauses_and_counts_half() {
    let mut world = World::proven();
    let retry_after = Duration::from_secs(5);
    for round in 0..10 {
        assert_eq!(world.breaker(), Breaker::Closed, "{round}");
        world.attempt(Outcome::Unavailable { retry_after }, 10);
        let paused_until = world.health.record.paused_until;
        assert_eq!(paused_until, Some(world.now.plus(retry_after)));
    }
    assert_eq!(world.breaker(), Breaker::Open);
}

#[test]
fn long_failure_makes_it_dormant_then_dead_and_only_success_wakes_it() {
    let mut world = World::opened();
    let failing_since = world.now;
    let mut seen = Vec::new();
    while world.now.since(failing_since) < HOUR * 24 * 30 {
        world.fail();
        if seen.last() != Some(&world.breaker()) {
            seen.push(world.breaker());
        }
    }
    assert_eq!(seen, [Breaker::Open, Breaker::Dormant, Breaker::Dead]);
    world.attempt(Outcome::of_status(403, None), 10);
    assert_eq!(world.breaker(), Breaker::Dead);
    world.health.probe_now(world.now);
    assert_eq!(world.health.gate(world.now), Gate::Ready);
    world.attempt(Outcome::Done, 10);
    world.attempt(Outcome::Done, 10);
    assert_eq!(world.breaker(), Breaker::Closed);
}

#[test]
fn hearing_much_from_a_host_does_not_probe_it_more() {
    let mut world = World::opened();
    world.fail();
    world.health.probe_now(world.now);
    assert!(matches!(world.health.gate(world.now), Gate::At(_)));
    world.wait_ms(31_000);
    world.health.probe_now(world.now);
    assert_eq!(world.health.gate(world.now), Gate::Ready);
}

#[test]
fn a_name_that_is_gone_for_a_day_is_dead() {
    let mut world = World::proven();
    let started = world.now;
    while world.breaker() != Breaker::Dead {
        world.attempt(Outcome::failed(FailureKind::Unresolved, 0, "no such name"), 10);
        assert!(world.now.since(started) < HOUR * 26);
    }
    assert!(world.now.since(started) >= HOUR * 24);
}

#[test]
fn our_own_work_has_no_breaker() {
    let record = Destination { class: Class::Local, ..Destination::default() };
    let mut health = Health::new(record, Steering::default(), START);
    for _ in 0..50 {
        health.start(START);
        health.finish(START, START, &Outcome::failed(FailureKind::Server, 0, "?"), &FixedChance::new(1));
    }
    assert_eq!(health.gate(START), Gate::Ready);
}

#[test]
fn state_survives_a_restart() {
    let world = World::opened();
    let again = Health::new(world.health.record.clone(), Steering::default(), world.now);
    assert_eq!(again.gate(world.now), world.health.gate(world.now));
}

#[test]
fn the_accepted_signature_is_remembered_for_a_week() {
    let mut world = World::proven();
    assert_eq!(world.health.profile(world.now), SignatureProfile::Cavage);
    assert!(world.health.accepted(world.now, SignatureProfile::Rfc9421));
    assert!(!world.health.accepted(world.now, SignatureProfile::Rfc9421));
    assert_eq!(world.health.profile(world.now), SignatureProfile::Rfc9421);
    world.wait_ms(8 * 86_400_000);
    assert_eq!(world.health.profile(world.now), SignatureProfile::Cavage);
}

#[test]
fn a_slow_host_gets_more_time_but_not_forever() {
    let mut world = World::new();
    assert_eq!(world.health.answer_within(), Duration::from_secs(10));
    world.attempt(Outcome::Done, 100);
    assert_eq!(world.health.answer_within(), Duration::from_secs(4));
    for _ in 0..50 {
        world.attempt(Outcome::Done, 5000);
    }
    assert_eq!(world.health.answer_within(), Duration::from_secs(10));
}

#[test]
fn a_name_that_is_gone_for_a_day_is_dead_and_a_resolver_in_trouble_kills_nobody() {
    let fail_for = |kind: FailureKind, hours: u64| {
        let mut world = World::proven();
        let end = world.now.plus(Duration::from_secs(hours * 3600));
        while world.now < end {
            world.attempt(Outcome::failed(kind, 0, "dns"), 50);
        }
        world
    };
    assert_eq!(fail_for(FailureKind::Unresolved, 20).breaker(), Breaker::Open);
    assert_eq!(fail_for(FailureKind::Unresolved, 26).breaker(), Breaker::Dead);
    assert_eq!(fail_for(FailureKind::Resolver, 26).breaker(), Breaker::Open);
    // A look-up that fails in between does not start the day anew.
    let mut world = fail_for(FailureKind::Unresolved, 20);
    let since = world.health.record.unresolved_since;
    world.attempt(Outcome::failed(FailureKind::Resolver, 0, "dns"), 50);
    assert_eq!(world.health.record.unresolved_since, since);
    world.attempt(Outcome::Done, 50);
    assert_eq!(world.health.record.unresolved_since, None);
}

#[test]
fn a_server_whose_shared_inbox_is_gone_is_dead_at_once() {
    let mut world = World::proven();
    world.attempt(Outcome::Gone { is_shared: false }, 50);
    assert_eq!(world.breaker(), Breaker::Closed, "one person left");
    world.attempt(Outcome::Gone { is_shared: true }, 50);
    assert_eq!(world.breaker(), Breaker::Dead);
    let Gate::At(probe) = world.health.gate(world.now) else { panic!("not asked again at once") };
    assert!(probe.since(world.now) > Duration::from_secs(5 * 86_400));
    // A refusal wakes no dead one, a success does.
    world.now = probe;
    world.attempt(Outcome::of_status(404, None), 50);
    assert_eq!(world.breaker(), Breaker::Dead);
    world.attempt(Outcome::Done, 50);
    assert_eq!(world.breaker(), Breaker::HalfOpen);
}

#[test]
fn what_was_our_own_fault_is_forgiven() {
    let mut world = World::proven();
    let since = world.now;
    for _ in 0..5 {
        world.fail();
    }
    assert_eq!(world.breaker(), Breaker::Open);
    assert!(!world.health.clone().forgive(world.now.plus(Duration::from_secs(1))));
    assert!(world.health.forgive(since));
    assert_eq!((world.breaker(), world.health.record.opens), (Breaker::Closed, 0));
    assert_eq!(world.health.gate(world.now), Gate::Ready);
}

#[test]
fn a_host_with_many_follows_may_take_more_at_once() {
    for (follows, most) in [(1000, 16), (1001, 32)] {
        let mut world = World::proven();
        world.health = world.health.followed_by(follows);
        for _ in 0..800 {
            world.attempt(Outcome::Done, 100);
        }
        assert_eq!(world.health.record.cap as u32, most, "{follows} follows");
    }
}

#[test]
fn a_host_that_says_its_patience_is_used_up_is_left_alone_and_not_blamed() {
    let mut world = World::proven();
    world.health.quiet(world.now, Duration::from_secs(60));
    assert_eq!(
        world.health.hurdle(world.now),
        Some(Hurdle::Quiet { until: world.now.plus(Duration::from_secs(60)) })
    );
    assert_eq!((world.health.record.failures, world.health.record.throttles), (0, 0));
    world.wait_ms(60_000);
    assert_eq!(world.health.gate(world.now), Gate::Ready);
}

#[test]
fn an_admin_stops_limits_and_lets_go_on_slowly() {
    let mut world = World::proven();
    world.health.record.cap = 9.0;
    world.health.steer(Steering { stopped_at: Some(world.now), ..Steering::default() }, world.now);
    assert_eq!(world.health.gate(world.now), Gate::Stopped);
    world.health.steer(Steering::default(), world.now);
    assert_eq!(world.health.gate(world.now), Gate::Ready);
    assert_eq!((world.health.record.cap, world.health.record.rate), (1.0, 2.0));
    let limits = Steering { rate_max: Some(0.5), cap_max: Some(3), ..Steering::default() };
    world.health.steer(limits, world.now);
    for _ in 0..200 {
        world.attempt(Outcome::Done, 100);
    }
    assert_eq!((world.health.record.cap, world.health.record.rate), (3.0, 0.5));
    assert!(matches!(world.health.hurdle(world.now), Some(Hurdle::Rate { .. })));
}
