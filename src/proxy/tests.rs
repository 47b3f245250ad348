//! What the balancer does with a handful of upstreams.

use super::*;
use std::collections::BTreeMap;

/// A balancer, its chance, and the time.
struct Bench {
    balancer: Balancer,
    dice: Dice,
    now: Tick,
}

fn places(count: usize) -> Vec<Place> {
    (0..count).map(|index| Place { sticky: index as u64, ..Place::new(&format!("u{index}")) }).collect()
}

/// A warm pool: every upstream has answered and is old.
fn bench(policy: Policy, count: usize) -> Bench {
    bench_of(policy, policy.features(), places(count))
}

fn bench_of(policy: Policy, features: Features, places: Vec<Place>) -> Bench {
    let now = Tick::from_millis(5);
    let balancer = Balancer::with_features(policy, features, places, now);
    let mut bench = Bench { balancer, dice: Dice::seeded(7), now };
    bench.warm();
    bench
}

impl Bench {
    fn warm(&mut self) {
        let count = self.balancer.view(self.now).len();
        let picks: Vec<Pick> = (0..count).filter_map(|_| self.pick_each()).collect();
        for pick in picks {
            let old = LoadReport { uptime_s: Some(10_000), ..LoadReport::default() };
            self.balancer.report(self.now, &pick, &old);
            self.balancer.done(self.now.plus_micros(10_000), pick, Outcome::Answered, &mut self.dice);
        }
        self.pass(1000);
    }

    /// Picks one in probation, if there is one, as those with a request
    /// under way are passed over.
    fn pick_each(&mut self) -> Option<Pick> {
        let taken: Vec<_> = self.balancer.view(self.now);
        let free = |name: &str| taken.iter().any(|view| &*view.name == name && view.in_flight == 0);
        (0..1000).find_map(|_| self.pick().filter(|pick| free(pick.upstream().name())))
    }

    fn pick(&mut self) -> Option<Pick> {
        let mut ask = self.ask();
        self.balancer.pick(self.now, &mut self.dice, &mut ask)
    }

    fn ask(&self) -> Ask {
        Ask::new(self.now.plus_micros(1_000_000))
    }

    fn pass(&mut self, millis: u64) {
        self.now = self.now.plus_micros(millis * 1000);
        self.balancer.tend(self.now);
    }

    /// One request that ends like that after so many milliseconds.
    fn exchange(&mut self, millis: u64, end: impl Fn(&str) -> Outcome) -> String {
        let pick = self.pick().expect("there is an upstream");
        let name = pick.upstream().name().to_owned();
        self.now = self.now.plus_micros(millis * 1000);
        self.balancer.done(self.now, pick, end(&name), &mut self.dice);
        name
    }

    /// How many of so many requests each gets, where `broken` fails so.
    fn shares(&mut self, requests: usize, broken: &str, outcome: Outcome) -> BTreeMap<String, usize> {
        let mut shares = BTreeMap::new();
        for _ in 0..requests {
            let name = self.exchange(10, |name| if name == broken { outcome } else { Outcome::Answered });
            *shares.entry(name).or_default() += 1;
        }
        shares
    }

    /// Requests to one upstream that all end like that.
    fn end_at(&mut self, name: &str, times: usize, outcome: Outcome) {
        for _ in 0..times {
            // Whoever is picked meanwhile keeps its request, so that all are.
            let mut held = Vec::new();
            let pick = loop {
                let pick = self.pick().expect("there is an upstream");
                if pick.upstream().name() == name {
                    break pick;
                }
                held.push(pick);
                assert!(held.len() < 1000, "{name} is never picked");
            };
            self.now = self.now.plus_micros(1000);
            self.balancer.done(self.now, pick, outcome, &mut self.dice);
        }
    }

    fn view(&self, name: &str) -> UpstreamView {
        let views = self.balancer.view(self.now);
        views.into_iter().find(|view| &*view.name == name).expect("it is in the pool")
    }

    fn upstream(&mut self, name: &str) -> std::sync::Arc<Upstream> {
        let pool = self.balancer.pool.load();
        let found = pool.upstreams.iter().find(|u| u.name() == name).expect("it is in the pool");
        std::sync::Arc::clone(found)
    }
}

fn share(shares: &BTreeMap<String, usize>, name: &str) -> usize {
    shares.get(name).copied().unwrap_or(0)
}

#[test]
fn every_policy_has_a_name_and_picks_everybody() {
    for policy in Policy::ALL {
        assert_eq!(policy.name().parse(), Ok(policy));
        let mut bench = bench(policy, 4);
        let mut seen = BTreeMap::<String, usize>::new();
        for number in 0..400u64 {
            let mut ask = bench.ask();
            (ask.address_hash, ask.url_hash) = (number * 77, number * 99);
            let pick = bench.balancer.pick(bench.now, &mut bench.dice, &mut ask).unwrap();
            *seen.entry(pick.upstream().name().to_owned()).or_default() += 1;
            bench.now = bench.now.plus_micros(10_000);
            bench.balancer.done(bench.now, pick, Outcome::Answered, &mut bench.dice);
        }
        assert!(seen.len() == 4 && seen.values().all(|count| *count > 40), "{policy}: {seen:?}");
    }
    let refused = "best".parse::<Policy>().unwrap_err();
    assert!(refused.starts_with("no balancing policy is called `best`; there are p2c, netflix"), "{refused}");
}

#[test]
fn every_policy_bears_every_pool() {
    for policy in Policy::ALL {
        assert!(bench(policy, 0).pick().is_none(), "{policy} of nothing");
        let mut one = bench(policy, 1);
        let mut ask = one.ask();
        let first = one.balancer.pick(one.now, &mut one.dice, &mut ask);
        assert!(first.is_some(), "{policy} of one");
        let again = one.balancer.pick(one.now, &mut one.dice, &mut ask);
        assert!(again.is_none(), "{policy} has no other");
        assert!(!one.balancer.may_retry(one.now, &ask, Outcome::Connect));
    }
}

#[test]
fn the_same_chance_picks_the_same() {
    for policy in Policy::ALL {
        let run = || -> Vec<String> {
            let mut bench = bench(policy, 5);
            (0..100).map(|_| bench.exchange(3, |_| Outcome::Answered)).collect()
        };
        assert_eq!(run(), run(), "{policy}");
    }
}

#[test]
fn weights_are_shares() {
    let weights = [1, 2, 5];
    for policy in [Policy::WeightedRoundRobin, Policy::Random, Policy::UrlHash] {
        let mut places = places(3);
        places.iter_mut().zip(weights).for_each(|(place, weight)| place.weight = weight);
        let mut bench = bench_of(policy, Features::NONE, places);
        let mut seen = BTreeMap::<String, usize>::new();
        for number in 0..8000u64 {
            let mut ask = bench.ask();
            ask.url_hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let pick = bench.balancer.pick(bench.now, &mut bench.dice, &mut ask).unwrap();
            *seen.entry(pick.upstream().name().to_owned()).or_default() += 1;
        }
        for (index, weight) in weights.into_iter().enumerate() {
            let got = share(&seen, &format!("u{index}")) as f64 / 1000.0;
            assert!((got - f64::from(weight)).abs() < 0.4, "{policy}: {seen:?}");
        }
    }
}

#[test]
fn weighted_turns_are_spread() {
    let mut places = places(2);
    places[0].weight = 3;
    let mut bench = bench_of(Policy::WeightedRoundRobin, Features::NONE, places);
    let turns: String = (0..8).map(|_| bench.exchange(1, |_| Outcome::Answered)[1..].to_owned()).collect();
    assert!("00100010001000".contains(&turns), "{turns}");
}

#[test]
fn hashes_stay_when_another_upstream_goes() {
    let mut bench = bench(Policy::UrlHash, 10);
    let find = |bench: &mut Bench, hash: u64| {
        let mut ask = bench.ask();
        ask.url_hash = hash;
        let pick = bench.balancer.pick(bench.now, &mut bench.dice, &mut ask).unwrap();
        pick.upstream().name().to_owned()
    };
    let before: Vec<String> = (0..1000).map(|hash| find(&mut bench, hash)).collect();
    bench.balancer.set_places(places(9), bench.now);
    let moved = (0..1000).filter(|hash| {
        let was = &before[*hash as usize];
        was != "u9" && find(&mut bench, *hash) != *was
    });
    assert!(moved.count() < 60, "a tenth had to move, few others");
}

#[test]
fn a_cookie_leads_back() {
    let mut bench = bench(Policy::StickyCookie, 5);
    let mut ask = bench.ask();
    ask.sticky = Some(3);
    for _ in 0..20 {
        let mut again = ask;
        let pick = bench.balancer.pick(bench.now, &mut bench.dice, &mut again).unwrap();
        assert_eq!(pick.upstream().name(), "u3");
    }
    let named = bench.upstream("u3");
    bench.balancer.set_draining(bench.now, &named, true);
    let pick = bench.balancer.pick(bench.now, &mut bench.dice, &mut ask).unwrap();
    assert_ne!(pick.upstream().name(), "u3");
}

#[test]
fn a_cookie_does_not_lead_to_an_overloaded_upstream() {
    let mut bench = bench(Policy::StickyCookie, 2);
    let named = bench.upstream("u1");
    let full = LoadReport { rif: Some(20), limit: Some(8), uptime_s: Some(10_000), ..LoadReport::default() };
    named.hear(bench.now, &full);
    let mut ask = bench.ask();
    ask.sticky = Some(1);
    let pick = bench.balancer.pick(bench.now, &mut bench.dice, &mut ask).unwrap();
    assert_eq!(pick.upstream().name(), "u0");
}

#[test]
fn probation_is_one_request_until_it_answered() {
    let mut bench = bench(Policy::P2c, 3);
    bench.balancer.set_places(places(4), bench.now);
    let held: Vec<Pick> = (0..100).filter_map(|_| bench.pick()).collect();
    assert_eq!(held.len(), 100);
    assert_eq!(bench.view("u3").in_flight, 1);
    assert_eq!(bench.view("u3").health, Health::Probation);
    let first = held.into_iter().find(|pick| pick.upstream().name() == "u3").unwrap();
    bench.balancer.done(bench.now.plus_micros(5000), first, Outcome::Answered, &mut bench.dice);
    assert_ne!(bench.view("u3").health, Health::Probation);
}

#[test]
fn young_servers_warm_up() {
    let mut bench = bench(Policy::P2c, 4);
    bench.balancer.set_places(places(5), bench.now);
    let young = bench.shares(300, "", Outcome::Answered);
    assert!(share(&young, "u4") < 20, "{young:?}");
    assert_eq!(bench.view("u4").health, Health::Warming);
    bench.pass(30_000);
    let grown = bench.shares(2000, "", Outcome::Answered);
    assert!(share(&grown, "u4") > 300, "{grown:?}");
}

#[test]
fn fast_failures_attract_nothing() {
    for outcome in [Outcome::ServerError, Outcome::Connect, Outcome::Reset, Outcome::Shed] {
        let mut bench = bench(Policy::P2c, 10);
        let shares = bench.shares(2000, "u0", outcome);
        assert!(share(&shares, "u0") < 60, "{outcome:?}: {shares:?}");
    }
}

#[test]
fn the_broken_are_ejected_and_come_back() {
    let mut bench = bench(Policy::P2c, 4);
    bench.end_at("u0", 5, Outcome::Connect);
    assert_eq!(bench.view("u0").health, Health::Ejected);
    assert!(!bench.balancer.due_checks(bench.now).is_empty());
    bench.pass(7000);
    assert_eq!(bench.view("u0").health, Health::Probation, "5 s and a jitter are over");
    bench.end_at("u0", 1, Outcome::Connect);
    assert_eq!(bench.view("u0").health, Health::Ejected);
    let ejected = bench.upstream("u0");
    bench.balancer.checked(bench.now, &ejected, Checked::Slow, None, &mut bench.dice);
    assert_eq!(bench.view("u0").health, Health::Ejected);
    bench.balancer.checked(bench.now, &ejected, Checked::Healthy, None, &mut bench.dice);
    assert_eq!(bench.view("u0").health, Health::Probation);
    bench.end_at("u0", 1, Outcome::Answered);
    assert_eq!(bench.view("u0").health, Health::Healthy);
}

#[test]
fn at_most_half_are_ejected_and_requests_still_go_out() {
    let mut bench = bench(Policy::P2c, 4);
    for _ in 0..500 {
        bench.exchange(1, |_| Outcome::Connect);
    }
    let views = bench.balancer.view(bench.now);
    let ejected = views.iter().filter(|view| view.health == Health::Ejected).count();
    assert_eq!(ejected, 2, "{views:?}");
}

#[test]
fn timeouts_and_refusals_eject_nobody() {
    for outcome in [Outcome::Timeout, Outcome::Shed, Outcome::Unavailable] {
        let mut bench = bench(Policy::P2c, 4);
        bench.end_at("u0", 30, outcome);
        assert_ne!(bench.view("u0").health, Health::Ejected, "{outcome:?}");
    }
}

#[test]
fn what_is_known_of_the_bad_fades() {
    let mut bench = bench_of(Policy::P2c, Features { eject: false, ..Features::ALL }, places(4));
    bench.end_at("u0", 3, Outcome::ServerError);
    assert!(bench.view("u0").error_share > 0.2, "{:?}", bench.view("u0"));
    bench.pass(30_000);
    assert_eq!(bench.view("u0").error_share, 0.0);
}

#[test]
fn netflix_health_falls_in_a_line_over_thirty_seconds() {
    let mut bench = bench(Policy::Netflix, 2);
    let broken = bench.upstream("u0");
    for number in 0..100 {
        broken.begin(bench.now);
        let outcome = if number % 5 == 0 { Outcome::Answered } else { Outcome::Connect };
        broken.learn(bench.now, Some(bench.now), outcome);
    }
    let share = |after_s: u64| {
        let later = bench.now.plus_micros(after_s * 1_000_000);
        (broken.connection_error_share(later, true) * 100.0).round()
    };
    // The published example: 80 % becomes 40 % after 15 s.
    assert!((share(0) - 80.0).abs() <= 1.0, "{}", share(0));
    assert!((share(15) - 40.0).abs() <= 1.0, "{}", share(15));
    assert_eq!(share(30), 0.0);
}

#[test]
fn a_silent_upstream_is_passed_over_before_it_answers() {
    let mut bench = bench(Policy::P2c, 2);
    let stuck = std::iter::repeat_with(|| bench.pick().unwrap()).take(100);
    let stuck = stuck.into_iter().find(|pick| pick.upstream().name() == "u0").unwrap();
    bench.now = bench.now.plus_micros(100_000);
    let shares = bench.shares(100, "", Outcome::Answered);
    assert_eq!(share(&shares, "u0"), 0, "{shares:?}");
    drop(stuck);
    assert_eq!(bench.view("u0").in_flight, 0, "a dropped pick leaves nothing behind");
}

#[test]
fn the_servers_own_word_counts() {
    let mut bench = bench(Policy::P2c, 2);
    let pick = std::iter::repeat_with(|| bench.pick().unwrap()).take(100);
    let pick = pick.into_iter().find(|pick| pick.upstream().name() == "u0").unwrap();
    let busy = LoadReport { rif: Some(50), uptime_s: Some(10_000), ..LoadReport::default() };
    bench.balancer.report(bench.now, &pick, &busy);
    bench.balancer.done(bench.now.plus_micros(10_000), pick, Outcome::Answered, &mut bench.dice);
    let shares = bench.shares(200, "", Outcome::Answered);
    assert_eq!(share(&shares, "u0"), 0, "{shares:?}");
    bench.pass(31_000);
    let later = bench.shares(200, "", Outcome::Answered);
    assert!(share(&later, "u0") > 50, "old reports fade: {later:?}");
}

#[test]
fn a_drain_ends_when_a_check_hears_no_more_of_it() {
    let drains = LoadReport { is_draining: true, ..LoadReport::default() };
    let takes = LoadReport::default();
    // (what it says to the check, which comes so many seconds after it said
    // that it wants nothing new; whether it gets requests again)
    let cases = [
        (Checked::Healthy, Some(takes), 2, true),
        (Checked::Healthy, Some(drains), 2, false),
        (Checked::Healthy, Some(drains), 300, false),
        // Whoever answers checks without a report may have said it for ever.
        (Checked::Healthy, None, 2, false),
        (Checked::Healthy, None, 31, true),
        // Nobody is there yet.
        (Checked::Broken, None, 31, false),
        (Checked::Slow, None, 31, false),
    ];
    for (result, report, seconds, ends) in cases {
        let mut bench = bench(Policy::P2c, 3);
        let named = bench.upstream("u1");
        named.hear(bench.now, &drains);
        bench.pass(seconds * 1000);
        assert!(bench.balancer.due_checks(bench.now).iter().any(|u| u.name() == "u1"), "it is asked");
        bench.balancer.checked(bench.now, &named, result, report.as_ref(), &mut bench.dice);
        let case = format!("{result:?} {report:?} after {seconds} s");
        assert_eq!(bench.view("u1").health != Health::Draining, ends, "{case}");
    }
}

#[test]
fn what_others_say_of_one_that_goes_is_not_taken_back() {
    let mut bench = bench(Policy::P2c, 3);
    let named = bench.upstream("u1");
    bench.balancer.drain(bench.now, "u1");
    let takes = LoadReport::default();
    bench.balancer.checked(bench.now, &named, Checked::Healthy, Some(&takes), &mut bench.dice);
    bench.pass(60_000);
    bench.balancer.checked(bench.now, &named, Checked::Healthy, None, &mut bench.dice);
    assert_eq!(bench.view("u1").health, Health::Draining);
}

#[test]
fn draining_upstreams_get_nothing_more() {
    for policy in Policy::ALL {
        let mut bench = bench(policy, 3);
        let pick = bench.pick().unwrap();
        let name = pick.upstream().name().to_owned();
        let report = LoadReport { is_draining: true, ..LoadReport::default() };
        bench.balancer.report(bench.now, &pick, &report);
        let shares = bench.shares(100, "", Outcome::Answered);
        assert_eq!(share(&shares, &name), 0, "{policy}");
        assert_eq!(bench.view(&name).health, Health::Draining);
        bench.balancer.done(bench.now, pick, Outcome::Answered, &mut bench.dice);
    }
}

#[test]
fn a_new_one_is_asked_also_where_there_is_little_to_do() {
    let mut bench = bench(Policy::P2c, 2);
    // One request at a time: those that are known always have room.
    let limited = LoadReport { limit: Some(64), uptime_s: Some(10_000), ..LoadReport::default() };
    let one = |bench: &mut Bench| {
        let pick = bench.pick().unwrap();
        bench.balancer.report(bench.now, &pick, &limited);
        bench.now = bench.now.plus_micros(10_000);
        bench.balancer.done(bench.now, pick, Outcome::Answered, &mut bench.dice);
    };
    (0..50).for_each(|_| one(&mut bench));
    bench.balancer.set_places(places(3), bench.now);
    bench.pass(1000);
    (0..200).for_each(|_| one(&mut bench));
    for name in ["u0", "u1", "u2"] {
        assert!(bench.view(name).picks >= 20, "{:?}", bench.view(name));
    }
}

#[test]
fn a_new_list_keeps_what_is_known() {
    let mut bench = bench(Policy::P2c, 3);
    bench.shares(100, "", Outcome::Answered);
    let before = bench.view("u1").picks;
    bench.balancer.set_places(places(2), bench.now);
    assert_eq!(bench.view("u1").picks, before);
    assert_eq!(bench.balancer.view(bench.now).len(), 2);
}

#[test]
fn retries_are_for_what_is_safe() {
    let bench = bench(Policy::P2c, 3);
    let once = |change: fn(&mut Ask), outcome| {
        let mut ask = bench.ask();
        let mut dice = Dice::seeded(1);
        drop(bench.balancer.pick(bench.now, &mut dice, &mut ask));
        change(&mut ask);
        bench.balancer.may_retry(bench.now, &ask, outcome)
    };
    assert!(once(|_| {}, Outcome::Reset));
    assert!(once(|_| {}, Outcome::ServerError));
    assert!(!once(|_| {}, Outcome::Answered));
    assert!(!once(|ask| ask.is_idempotent = false, Outcome::Reset), "it may have been done");
    assert!(!once(|ask| ask.is_idempotent = false, Outcome::Unavailable));
    assert!(once(|ask| ask.is_idempotent = false, Outcome::Connect), "it cannot have been");
    assert!(once(|ask| ask.is_idempotent = false, Outcome::Shed));
    assert!(!once(|ask| ask.is_replayable = false, Outcome::Connect));
    assert!(!once(|ask| ask.deadline = Tick::default(), Outcome::Connect));
}

#[test]
fn retries_end_and_go_elsewhere() {
    let mut bench = bench(Policy::P2c, 5);
    let mut ask = bench.ask();
    let mut names = Vec::new();
    loop {
        let pick = bench.balancer.pick(bench.now, &mut bench.dice, &mut ask).unwrap();
        names.push(pick.upstream().name().to_owned());
        bench.balancer.done(bench.now, pick, Outcome::Connect, &mut bench.dice);
        if !bench.balancer.may_retry(bench.now, &ask, Outcome::Connect) {
            break;
        }
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 3, "two retries, each elsewhere");
    assert_eq!(bench.balancer.extra_requests(), 2);
}

#[test]
fn what_will_not_be_answered_is_given_up() {
    /// What is known of the upstream, after how many seconds, and whether
    /// there is no hope then.
    type Case = (&'static str, fn(&mut Bench, &Pick), u64, bool);
    let cases: [Case; 9] = [
        ("nothing is known", |_, _| {}, 60, false),
        (
            "it is lost, but it may just be answering",
            |bench, _| bench.balancer.set_lost("u1", true),
            4,
            false,
        ),
        ("it is lost", |bench, _| bench.balancer.set_lost("u1", true), 5, true),
        (
            "it is lost and off the list",
            |bench, _| {
                bench.balancer.set_lost("u1", true);
                bench.balancer.set_places(places(1), bench.now);
            },
            5,
            true,
        ),
        ("it went with a word", |bench, _| bench.balancer.set_places(places(1), bench.now), 60, false),
        (
            "it was found again",
            |bench, _| [true, false].iter().for_each(|lost| bench.balancer.set_lost("u1", *lost)),
            60,
            false,
        ),
        ("another one is lost", |bench, _| bench.balancer.set_lost("u0", true), 60, false),
        ("it is ejected and silent", |bench, pick| eject(bench, pick), 10, true),
        ("it is ejected, but not for long", |bench, pick| eject(bench, pick), 9, false),
    ];
    for (case, happens, seconds, is_hopeless) in cases {
        let mut bench = bench(Policy::P2c, 2);
        let pick = loop {
            if let Some(pick) = bench.pick().filter(|pick| pick.upstream().name() == "u1") {
                break pick;
            }
        };
        bench.pass(1);
        happens(&mut bench, &pick);
        let now = pick.sent().plus_micros(seconds * 1_000_000);
        assert_eq!(bench.balancer.is_hopeless(now, &pick, pick.sent()), is_hopeless, "{case}");
        // What has just got further has hope.
        assert!(!bench.balancer.is_hopeless(now, &pick, now), "{case}");
    }
}

/// For longer than these tests look.
fn eject(bench: &mut Bench, pick: &Pick) {
    for _ in 0..5 {
        pick.upstream().eject(bench.now, &mut bench.dice);
    }
}

#[test]
fn only_a_silent_upstream_is_hedged() {
    let mut bench = bench(Policy::P2c, 2);
    bench.shares(200, "", Outcome::Answered);
    let mut ask = bench.ask();
    let pick = bench.balancer.pick(bench.now, &mut bench.dice, &mut ask).unwrap();
    let look = bench.balancer.first_look(&pick, &ask).unwrap();
    assert_eq!(look.micros_since(pick.sent()), 20_000, "the pool answers within 10 ms");
    let silent = bench.balancer.hedge(look, &pick, &ask);
    assert_eq!(silent, Hedge::Send);
    // It answers somebody else: then it is only this request that is slow.
    let same = bench.upstream(pick.upstream().name());
    same.latency.add(look, 200_000.0);
    bench.balancer.tend(look);
    same.begin(bench.now);
    same.learn(look, Some(bench.now), Outcome::Answered);
    let Hedge::LookAgain(again) = bench.balancer.hedge(look, &pick, &ask) else { panic!("it must wait") };
    assert_eq!(again.micros_since(pick.sent()), 30_000);
    let late = pick.sent().plus_micros(900_000);
    assert_eq!(bench.balancer.hedge(late, &pick, &ask), Hedge::Send, "four times the mean is too much");
    let second = bench.balancer.pick(late, &mut bench.dice, &mut ask).unwrap();
    assert_ne!(second.upstream().name(), pick.upstream().name());
    assert_eq!(bench.balancer.hedge(late, &pick, &ask), Hedge::Never, "one hedge is enough");
}

#[test]
fn streams_and_what_is_not_idempotent_are_never_hedged() {
    let mut bench = bench(Policy::P2c, 2);
    let mut ask = bench.ask();
    let pick = bench.balancer.pick(bench.now, &mut bench.dice, &mut ask).unwrap();
    for change in [|ask: &mut Ask| ask.is_streaming = true, |ask: &mut Ask| ask.is_idempotent = false] {
        let mut other = ask;
        change(&mut other);
        assert_eq!(bench.balancer.first_look(&pick, &other), None);
    }
}

#[test]
fn streams_count_a_little_until_they_end() {
    let mut bench = bench(Policy::P2c, 2);
    let upstream = bench.upstream("u0");
    let open: Vec<_> = (0..100).map(|_| upstream.stream()).collect();
    assert_eq!(bench.view("u0").streams, 100);
    let shares = bench.shares(100, "", Outcome::Answered);
    assert_eq!(share(&shares, "u0"), 0, "a hundred open streams are five requests: {shares:?}");
    drop(open);
    assert_eq!(bench.view("u0").streams, 0);
}

/// A request to one upstream whose body begins to come.
fn upload_to(bench: &mut Bench, name: &str) -> Pick {
    let mut held = Vec::new();
    loop {
        let mut pick = bench.pick().expect("there is an upstream");
        if pick.upstream().name() == name {
            pick.begin_upload();
            return pick;
        }
        held.push(pick);
    }
}

#[test]
fn a_client_that_sends_slowly_makes_no_upstream_slow() {
    let mut bench = bench(Policy::P2c, 2);
    let mut upload = upload_to(&mut bench, "u1");
    let before = bench.view("u1");
    assert_eq!((before.in_flight, before.uploads), (0, 1), "it is counted apart");
    let mut shares = BTreeMap::<String, usize>::new();
    for number in 0..4000u64 {
        // Answers are never all alike.
        let name = bench.exchange(5 + number * 7 % 11, |_| Outcome::Answered);
        *shares.entry(name).or_default() += 1;
        bench.balancer.tend(bench.now);
    }
    assert!(bench.now.secs_since(upload.sent()) > 38.0, "it goes on for all that time");
    assert!(share(&shares, "u1") > 1000, "{shares:?}");
    // Its last byte was written: from here on it is a request like any other.
    upload.end_upload(bench.now);
    assert_eq!((bench.view("u1").in_flight, bench.view("u1").uploads), (1, 0));
    let latency = bench.view("u1").latency_us;
    bench.pass(10);
    bench.balancer.done(bench.now, upload, Outcome::Answered, &mut bench.dice);
    let after = bench.view("u1");
    assert_eq!((after.in_flight, after.uploads), (0, 0));
    assert!(after.latency_us < latency.map(|us| us * 1.5), "{after:?}");
    assert!(bench.balancer.recent.p95_us() < 20_000, "it is not waited for longer before a hedge");
}

#[test]
fn what_an_upload_teaches_depends_on_who_was_waited_for() {
    // (how it ends, how often it counts as a failure before and after its
    // last byte, whether waiting 40 s shows in the latency then)
    let cases = [
        (Outcome::Answered, 0, 0, true),
        (Outcome::Cancelled, 0, 0, true),
        (Outcome::Timeout, 0, 1, true),
        (Outcome::Reset, 1, 1, false),
        (Outcome::ServerError, 1, 1, false),
        (Outcome::Unavailable, 1, 1, false),
    ];
    for (outcome, unfinished, finished, shows) in cases {
        for is_finished in [false, true] {
            let mut bench = bench(Policy::P2c, 2);
            let mut upload = upload_to(&mut bench, "u1");
            if is_finished {
                upload.end_upload(bench.now);
            }
            let before = bench.view("u1");
            bench.now = bench.now.plus_micros(40_000_000);
            bench.balancer.done(bench.now, upload, outcome, &mut bench.dice);
            let after = bench.view("u1");
            let case = format!("{outcome:?}, finished: {is_finished}: {after:?}");
            let failures = if is_finished { finished } else { unfinished };
            assert_eq!(after.failures - before.failures, failures, "{case}");
            assert_eq!(after.error_share > 0.0, failures > 0, "{case}");
            let is_slower = after.latency_us > before.latency_us;
            assert_eq!(is_slower, is_finished && shows, "{case}");
            assert_eq!((after.in_flight, after.uploads), (0, 0), "{case}");
        }
    }
}

#[test]
fn an_upload_that_is_dropped_leaves_nothing() {
    let mut bench = bench(Policy::P2c, 2);
    for is_finished in [false, true] {
        let mut upload = upload_to(&mut bench, "u0");
        if is_finished {
            upload.end_upload(bench.now);
        }
        // Twice is once.
        upload.end_upload(bench.now);
        drop(upload);
        assert_eq!((bench.view("u0").in_flight, bench.view("u0").uploads), (0, 0), "{is_finished}");
    }
}

#[test]
fn a_slow_one_gets_little_and_is_seen_to_be_slow() {
    let mut bench = bench(Policy::P2c, 4);
    for _ in 0..3000 {
        let pick = bench.pick().unwrap();
        let is_slow = pick.upstream().name() == "u2";
        bench.now = bench.now.plus_micros(1000);
        let took = if is_slow { 80_000 } else { 10_000 };
        bench.balancer.done(pick.sent().plus_micros(took), pick, Outcome::Answered, &mut bench.dice);
    }
    bench.pass(0);
    let slow = bench.view("u2");
    assert!(slow.picks < 3000 / 4 / 2, "{slow:?}");
    let others = ["u0", "u1", "u3"].map(|name| bench.view(name).latency_us.unwrap());
    assert!(others.iter().all(|us| slow.latency_us.unwrap() > 2.0 * us), "{slow:?} {others:?}");
    assert_eq!((slow.warm_up, slow.ejected_for_s), (1.0, None));
}

#[test]
fn picking_and_learning_allocate_nothing() {
    for policy in Policy::ALL {
        let mut bench = bench(policy, 20);
        let counted = allocation_counter::measure(|| {
            for number in 0..2000u64 {
                let end = if number % 9 == 0 { Outcome::Connect } else { Outcome::Answered };
                let mut ask = bench.ask();
                ask.url_hash = number;
                let pick = bench.balancer.pick(bench.now, &mut bench.dice, &mut ask).unwrap();
                bench.balancer.report(bench.now, &pick, &LoadReport::default());
                let _ = bench.balancer.hedge(bench.now.plus_micros(50_000), &pick, &ask);
                bench.balancer.done(bench.now, pick, end, &mut bench.dice);
                let _ = bench.balancer.may_retry(bench.now, &ask, end);
                bench.now = bench.now.plus_micros(1000);
            }
        });
        assert_eq!(counted.count_total, 0, "{policy}");
    }
}

#[test]
fn many_threads_share_one_balancer() {
    let bench = bench(Policy::P2c, 5);
    let balancer = &bench.balancer;
    std::thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || {
                let mut dice = Dice::seeded(seed);
                for number in 0..5000u64 {
                    let now = Tick::from_micros(2_000_000 + number * 100);
                    let pick = balancer.pick(now, &mut dice, &mut Ask::new(now)).unwrap();
                    let outcome = if number % 50 == 0 { Outcome::ServerError } else { Outcome::Answered };
                    balancer.done(now.plus_micros(500), pick, outcome, &mut dice);
                }
            });
        }
    });
    let views = balancer.view(Tick::from_micros(3_000_000));
    assert!(views.iter().all(|view| view.in_flight == 0), "{views:?}");
    assert_eq!(views.iter().map(|view| view.picks).sum::<u64>(), 20_005);
}
