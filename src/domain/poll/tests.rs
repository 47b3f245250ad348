use std::time::Duration;

use super::*;
use crate::domain::notification::{self, Wanted};
use crate::domain::page::Page;
use crate::domain::status::{Draft, Edit, edit};
use crate::domain::testing::World;
use crate::model::queue::tables::{ACT, DEFERRED};
use crate::model::queue::{ActivityKind, Outgoing, Verb};
use crate::model::{NotificationKind, Visibility};

const HOUR: u64 = 3600;

fn new(options: &[&str], multiple: bool) -> NewPoll {
    let options = options.iter().map(|title| (*title).to_owned()).collect();
    NewPoll { options, expires_in_s: HOUR, multiple, hide_totals: false }
}

async fn ask(world: &World, author: Id, poll: NewPoll) -> Id {
    let draft = Draft { poll: Some(poll), ..World::draft(author, Visibility::Public) };
    world.publish(draft).await.expect("the draft is good")
}

async fn cast_by(world: &World, who: Id, status: Id, choices: &[usize]) -> Result<(), PollError> {
    let (site, choices) = (world.site.clone(), choices.to_vec());
    world.write(move |tx, m| vote(tx, m, &site, who, status, &choices)).await
}

async fn counts(world: &World, status: Id) -> (Vec<u64>, Option<u64>) {
    let poll = world.status(status).await.unwrap().poll.unwrap();
    (poll.options.iter().map(|option| option.votes).collect(), poll.voters)
}

async fn polls_told(world: &World, of: Id) -> Vec<Id> {
    let viewer = world.sees(of);
    let list = world.read(move |tx| notification::list(tx, viewer, &Wanted::default(), &Page::first(40)));
    let all = list.await.items.into_iter().map(|alert| alert.notification);
    all.filter(|row| row.kind == NotificationKind::Poll).filter_map(|row| row.status).collect()
}

/// Tends the poll as its job does.
async fn tend_now(world: &World, status: Id) {
    let tended = world.write(move |tx, m| tend(tx, m, status)).await.unwrap();
    if tended == Tended::Ended {
        world.write(move |tx, m| tell_voters(tx, m, status, Id::ZERO)).await.unwrap();
        world.write(move |tx, _| ended(tx, status)).await.unwrap();
    }
}

async fn said(world: &World) -> Vec<Outgoing> {
    let acts = world.read(|tx| tx.scan(ACT, Scan::all())).await;
    let said = acts.into_iter().filter_map(|(_, act)| match act.job {
        Job::Say(said) => Some(said),
        _ => None,
    });
    said.collect()
}

#[test]
fn a_poll_is_refused_for_the_first_thing_that_is_wrong() {
    let check = |poll: NewPoll, expected: Result<(), PollFault>| {
        assert_eq!(poll.check(|text| text.chars().count()), expected, "{poll:?}");
    };
    let long = "x".repeat(51);
    check(new(&["a", "b"], false), Ok(()));
    check(new(&["a"], false), Err(PollFault::TooFew));
    check(new(&["a", "b", "c", "d", "e"], false), Err(PollFault::TooMany));
    check(new(&["a", &long], false), Err(PollFault::TooLong));
    check(new(&["a", &long[1..]], false), Ok(()));
    check(new(&["a", "b", "a"], false), Err(PollFault::Twice));
    for (expires_in_s, expected) in [
        (299, Err(PollFault::TooShort)),
        (300, Ok(())),
        (2_629_746, Ok(())),
        (2_629_747, Err(PollFault::TooFar)),
    ] {
        check(NewPoll { expires_in_s, ..new(&["a", "b"], false) }, expected);
    }
}

#[tokio::test]
async fn one_vote_counts_where_one_answer_may_be_chosen() {
    let world = World::new();
    let [ana, ben, eve] = [world.account(None).await, world.account(None).await, world.account(None).await];
    let poll = ask(&world, ana, new(&["a", "b"], false)).await;
    assert!(matches!(cast_by(&world, ben, poll, &[2]).await, Err(PollError::NoSuchChoice)));
    assert!(matches!(cast_by(&world, ben, poll, &[]).await, Err(PollError::NoSuchChoice)));
    assert!(matches!(cast_by(&world, ben, poll, &[0, 1]).await, Err(PollError::Voted)));
    cast_by(&world, ben, poll, &[1]).await.unwrap();
    assert!(matches!(cast_by(&world, ben, poll, &[0]).await, Err(PollError::Voted)));
    assert!(matches!(cast_by(&world, ana, poll, &[0]).await, Err(PollError::Own)));
    cast_by(&world, eve, poll, &[1]).await.unwrap();
    assert_eq!(counts(&world, poll).await, (vec![0, 2], Some(2)));
    world.clock.advance(Duration::from_secs(HOUR));
    let late = world.account(None).await;
    assert!(matches!(cast_by(&world, late, poll, &[0]).await, Err(PollError::Ended)));
}

#[tokio::test]
async fn each_answer_is_chosen_once_where_several_may_be() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    let poll = ask(&world, ana, new(&["a", "b", "c"], true)).await;
    assert!(matches!(cast_by(&world, ben, poll, &[0, 0]).await, Err(PollError::Voted)));
    cast_by(&world, ben, poll, &[0, 2]).await.unwrap();
    assert!(matches!(cast_by(&world, ben, poll, &[1, 2]).await, Err(PollError::Voted)));
    cast_by(&world, ben, poll, &[1]).await.unwrap();
    assert_eq!(counts(&world, poll).await, (vec![1, 1, 1], Some(1)));
}

#[tokio::test]
async fn votes_need_a_poll_that_the_voter_may_see() {
    let world = World::new();
    let [ana, ben, eve] = [world.account(None).await, world.account(None).await, world.account(None).await];
    let secret = Draft { poll: Some(new(&["a", "b"], false)), ..World::draft(ana, Visibility::Private) };
    let secret = world.publish(secret).await.unwrap();
    let plain = world.post(ana, Visibility::Public).await;
    for status in [secret, plain, Id(7)] {
        assert!(matches!(cast_by(&world, eve, status, &[0]).await, Err(PollError::NotFound)));
    }
    world.follow(ben, ana).await;
    cast_by(&world, ben, secret, &[0]).await.unwrap();
    let open = ask(&world, ana, new(&["a", "b"], false)).await;
    world.relate(eve, ana, |relation| relation.block = Some(Id(1))).await;
    assert!(matches!(cast_by(&world, eve, open, &[0]).await, Err(PollError::Blocked)));
}

#[tokio::test]
async fn the_end_is_told_once_to_the_author_and_to_local_voters() {
    let world = World::new();
    let [ana, ben, eve] = [world.account(None).await, world.account(None).await, world.account(None).await];
    let far = world.account(Some("far.example")).await;
    let poll = ask(&world, ana, new(&["a", "b"], false)).await;
    cast_by(&world, ben, poll, &[0]).await.unwrap();
    world.write(move |tx, m| vote_arrived(tx, m, far, poll, "b")).await.unwrap();
    tend_now(&world, poll).await;
    let told = world.run_jobs().await;
    let (plan, inboxes) = told.last().expect("the tally is shared");
    assert_eq!((plan.verb, plan.kind()), (Verb::Tally, ActivityKind::UpdateTally));
    assert_eq!(*inboxes, ["https://far.example/inbox"]);
    assert!(polls_told(&world, ana).await.is_empty(), "it still runs");
    tend_now(&world, poll).await;
    assert!(world.run_jobs().await.is_empty(), "there was no new vote");

    world.clock.advance(Duration::from_secs(HOUR));
    tend_now(&world, poll).await;
    assert_eq!(world.run_jobs().await.len(), 1, "the last tally");
    for (who, expected) in [(ana, vec![poll]), (ben, vec![poll]), (eve, vec![])] {
        assert_eq!(polls_told(&world, who).await, expected, "{who}");
    }
    world.write(move |tx, _| notification::clear(tx, ben)).await.unwrap();
    tend_now(&world, poll).await;
    assert!(world.run_jobs().await.is_empty() && polls_told(&world, ben).await.is_empty());
}

#[tokio::test]
async fn a_foreign_vote_is_known_by_the_answers_text_and_counts_once() {
    let world = World::new();
    let (ana, far) = (world.account(None).await, world.account(Some("far.example")).await);
    let poll = ask(&world, ana, new(&["a", "b"], false)).await;
    let arrive = async |answer: &str| {
        let answer = answer.to_owned();
        world.write(move |tx, m| vote_arrived(tx, m, far, poll, &answer)).await
    };
    assert!(matches!(arrive("c").await, Err(PollError::NoSuchChoice)));
    arrive("b").await.unwrap();
    assert!(matches!(arrive("b").await, Err(PollError::Voted)));
    assert!(matches!(arrive("a").await, Err(PollError::Voted)));
    assert_eq!(counts(&world, poll).await, (vec![0, 1], Some(1)));
}

#[tokio::test]
async fn an_edit_that_asks_something_else_begins_anew() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    let poll = ask(&world, ana, new(&["a", "b"], false)).await;
    cast_by(&world, ben, poll, &[0]).await.unwrap();
    let change = async |asked: Option<NewPoll>| {
        let new = Edit { text: "hello".into(), poll: asked, ..Edit::default() };
        world.write(move |tx, m| edit(tx, m, ana, poll, &new)).await.unwrap();
    };
    change(Some(NewPoll { expires_in_s: 2 * HOUR, ..new(&["a", "b"], false) })).await;
    assert_eq!(counts(&world, poll).await, (vec![1, 0], Some(1)), "the same question keeps its votes");
    change(Some(new(&["a", "c"], false))).await;
    assert_eq!(counts(&world, poll).await, (vec![0, 0], Some(0)));
    cast_by(&world, ben, poll, &[1]).await.unwrap();
    assert_eq!(counts(&world, poll).await, (vec![0, 1], Some(1)));
    change(None).await;
    assert!(world.status(poll).await.unwrap().poll.is_none());
}

#[tokio::test]
async fn a_vote_in_a_foreign_poll_is_sent_to_its_author_alone() {
    let world = World::new();
    let (ben, far) = (world.account(None).await, world.account(Some("far.example")).await);
    let arrived = crate::domain::remote::Arrived {
        uri: "https://far.example/q".into(),
        author: far,
        poll: Some(Poll {
            voters: Some(4),
            multiple: true,
            ..new(&["a", "b"], true).asked(world.moment().now)
        }),
        ..Default::default()
    };
    let site = world.site.clone();
    let question = world
        .write(move |tx, m| {
            let news = crate::domain::status::News::Backfill;
            crate::domain::remote::keep_status(tx, m, &site, &arrived, news)
        })
        .await
        .unwrap()
        .id()
        .unwrap();
    cast_by(&world, ben, question, &[1, 0]).await.unwrap();
    assert_eq!(counts(&world, question).await, (vec![1, 1], Some(5)));
    let said = said(&world).await;
    let choices: Vec<&str> = said
        .iter()
        .map(|said| match said {
            Outgoing::Vote { choice, to, question, .. } => {
                assert_eq!(
                    (to, question.as_str()),
                    (&format!("https://far.example/ap/users/{far}"), "https://far.example/q")
                );
                choice.as_str()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(choices, ["b", "a"]);
    let inboxes = world.read(|tx| tx.scan(crate::model::queue::tables::INBOX, Scan::all())).await;
    assert_eq!(inboxes[0].1.url, format!("https://far.example/ap/users/{far}/inbox"));
    let due = world.read(|tx| tx.scan(DEFERRED, Scan::all())).await;
    assert_eq!(due.len(), 1, "its end is watched for the voter");
}
