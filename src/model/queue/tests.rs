//! The bytes of each record as they are on disks: rows of these must decode
//! for ever. A changed line here needs a new record version.

use std::fmt::Debug;

use super::*;
use crate::base::{Id, Timestamp};
use crate::store::{Key, Value};

const AT: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |place: usize| u8::from_str_radix(&hex[place..place + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn check<V: Value + PartialEq + Debug>(value: &V, golden: &str) {
    let bytes = value.to_bytes();
    assert_eq!(hex(&bytes), golden, "{value:?}");
    assert_eq!(&V::from_bytes(&bytes).unwrap(), value);
}

fn row() -> JobRow {
    JobRow {
        sender: Id(7),
        order: OrderKey(8),
        attempts: 2,
        panics: 1,
        created_at: AT,
        expires_at: AT,
        bytes: 300,
        kind: JobKind::Deliver,
    }
}

#[test]
fn rows_keep_their_bytes() {
    check(&row(), "0188070802011b000001a3185c50001b000001a3185c500019012c00");
    check(
        &DeferredRow { row: row(), lane: Lane::Fresh },
        "018288070802011b000001a3185c50001b000001a3185c500019012c0001",
    );
    let dead = DeadRow {
        row: row(),
        lane: Lane::Bulk,
        reason: DeadReason::Gone,
        http_status: 410,
        error: "gone".into(),
    };
    check(&dead, "018588070802011b000001a3185c50001b000001a3185c500019012c00020419019a64676f6e65");
    check(&Reach { act: Id(5), total: 6, servers: 4, asleep: 1 }, "018405060401");
    check(&Held { jobs: vec![HeldJob { act: Id(5), inbox: InboxId(6) }] }, "018181820506");
    let act = Act {
        job: Job::FanOut { status: Id(9), verb: Verb::Delete },
        body: Body::new(b"{}".to_vec()).unwrap(),
        actor: Id(7),
        kind: ActivityKind::Create,
        order: OrderKey(8),
        created_at: AT,
        expires_at: AT,
        is_superseded: false,
    };
    check(&act, "0188820182090283427b7df4020701081b000001a3185c50001b000001a3185c5000f4");
    let destination = Destination {
        authority: "a.example".into(),
        breaker: Breaker::Open,
        failures: 5,
        cap: 1.5,
        rate: 50.0,
        last_ok: Some(AT),
        profile: SignatureProfile::Rfc9421,
        ..Destination::default()
    };
    check(
        &destination,
        "019669612e6578616d706c6500010500f6f600fa3fc00000fa42480000fa00000000fa000000001b000001a3185c500001f6f6f6f600f60060",
    );
    let used = Destination { used_at: Some(AT), ..destination.clone() };
    check(
        &used,
        "01981869612e6578616d706c6500010500f6f600fa3fc00000fa42480000fa00000000fa000000001b000001a3185c500001f6f6f6f600f60060f61b000001a3185c5000",
    );
    // Written before what the admin decides had its own table.
    let older = "019769612e6578616d706c6500010500f6f600fa3fc00000fa42480000fa00000000fa000000001b000001a3185c500001f6f6f6f600f60060f4";
    assert_eq!(Destination::from_bytes(&bytes(older)).unwrap(), destination);
    let inbox = InboxRef { inbox: InboxId(3), destination: DestinationId(4), gone_at: None };
    check(&inbox, "01820304");
}

#[test]
fn keys_sort_by_destination_then_lane_then_age() {
    let key = |destination, lane, act| JobKey {
        destination: DestinationId(destination),
        lane,
        act: Id(act),
        inbox: InboxId(1),
    };
    let sorted = [
        key(1, Lane::Interactive, 9),
        key(1, Lane::Fresh, 3),
        key(1, Lane::Fresh, 4),
        key(1, Lane::Bulk, 1),
        key(2, Lane::Interactive, 2),
    ];
    assert!(sorted.windows(2).all(|pair| pair[0].bytes() < pair[1].bytes()));
    for key in sorted {
        assert_eq!(JobKey::read(&mut &key.bytes()[..]), Some(key));
    }
    let mut bad = sorted[0].bytes();
    bad[4] = 9;
    assert_eq!(JobKey::read(&mut &bad[..]), None);
}

#[test]
fn order_keys_are_never_the_one_that_means_none() {
    assert_ne!(OrderKey::of(Id::ZERO), OrderKey::NONE);
    assert_ne!(OrderKey::of_pair(Id(1), Id(2)), OrderKey::of_pair(Id(2), Id(1)));
}
