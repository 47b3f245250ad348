//! Random transactions, against a plain map.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use waxwing::store::{Counter, ReadTx, Scan, Store, StoreError, Table, WriteTx};

use crate::home::{Fail, Home};

const ROW: Table<u8, Vec<u8>> = Table::new("row");
const SUM: Counter<u8> = Counter::new("sum");

/// Few keys, so that they meet.
const KEYS: u8 = 8;

#[derive(Debug, Clone)]
enum Step {
    Put(u8, u8),
    Delete(u8),
    Add(u8, i8),
    Forget(u8),
    /// Compares a scan: after, before, reverse, limit.
    Look(Option<u8>, Option<u8>, bool, usize),
    LookAtCounters,
}

#[derive(Debug, Clone)]
struct Transaction {
    steps: Vec<Step>,
    refused: bool,
    /// Waits for those before it instead of sharing their commit.
    alone: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    rows: BTreeMap<u8, Vec<u8>>,
    sums: BTreeMap<u8, i64>,
}

fn steps() -> impl Strategy<Value = Step> {
    let key = 0..KEYS;
    let bound = || proptest::option::of(0..KEYS);
    prop_oneof![
        3 => (key.clone(), any::<u8>()).prop_map(|(key, value)| Step::Put(key, value)),
        2 => key.clone().prop_map(Step::Delete),
        2 => (key.clone(), any::<i8>()).prop_map(|(key, more)| Step::Add(key, more)),
        1 => key.prop_map(Step::Forget),
        3 => (bound(), bound(), any::<bool>(), 0..6usize)
            .prop_map(|(after, before, reverse, limit)| Step::Look(after, before, reverse, limit)),
        1 => Just(Step::LookAtCounters),
    ]
}

fn transactions() -> impl Strategy<Value = Vec<Transaction>> {
    let one = (proptest::collection::vec(steps(), 0..12), prop::bool::weighted(0.2), any::<bool>())
        .prop_map(|(steps, refused, alone)| Transaction { steps, refused, alone });
    proptest::collection::vec(one, 0..12)
}

impl Model {
    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Put(key, value) => drop(self.rows.insert(key, vec![value])),
            Step::Delete(key) => drop(self.rows.remove(&key)),
            Step::Add(key, more) => *self.sums.entry(key).or_default() += i64::from(more),
            Step::Forget(key) => drop(self.sums.remove(&key)),
            Step::Look(..) | Step::LookAtCounters => {}
        }
    }

    fn scan(&self, after: Option<u8>, before: Option<u8>, reverse: bool, limit: usize) -> Vec<(u8, Vec<u8>)> {
        let within = |key: u8| after.is_none_or(|a| key > a) && before.is_none_or(|b| key < b);
        let mut rows: Vec<_> =
            self.rows.iter().filter(|(key, _)| within(**key)).map(|(k, v)| (*k, v.clone())).collect();
        if reverse {
            rows.reverse();
        }
        rows.truncate(limit);
        rows
    }

    fn look(&self, step: &Step, tx: &ReadTx<'_>) -> Result<(), StoreError> {
        match *step {
            Step::Look(after, before, reverse, limit) => {
                let mut range = Scan::all().limit(limit);
                if let Some(after) = after {
                    range = range.after(&after);
                }
                if let Some(before) = before {
                    range = range.before(&before);
                }
                let range = if reverse { range.reverse() } else { range };
                assert_eq!(tx.scan(ROW, range)?, self.scan(after, before, reverse, limit));
            }
            Step::LookAtCounters => {
                for key in 0..KEYS {
                    assert_eq!(tx.count(SUM, &key)?, self.sums.get(&key).copied().unwrap_or(0));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn look_at_all(&self, tx: &ReadTx<'_>) -> Result<(), StoreError> {
        let keys: Vec<u8> = (0..KEYS).collect();
        let values: Vec<_> = keys.iter().map(|key| self.rows.get(key).cloned()).collect();
        assert_eq!(tx.get_many(ROW, &keys)?, values);
        self.look(&Step::Look(None, None, false, 100), tx)?;
        self.look(&Step::LookAtCounters, tx)
    }
}

fn run(tx: &mut WriteTx<'_>, step: &Step) {
    match *step {
        Step::Put(key, value) => tx.put(ROW, &key, &vec![value]),
        Step::Delete(key) => tx.delete(ROW, &key),
        Step::Add(key, more) => tx.add(SUM, &key, more.into()),
        Step::Forget(key) => tx.forget(SUM, &key),
        Step::Look(..) | Step::LookAtCounters => {}
    }
}

/// Queues one transaction, which compares as it goes; gives the model after it.
fn queue(
    store: &Store,
    transaction: &Transaction,
    model: &Model,
) -> (impl Future<Output = Result<(), Fail>> + 'static, Model) {
    let mut after = model.clone();
    transaction.steps.iter().for_each(|step| after.apply(step));
    let (store, before, transaction) = (store.clone(), model.clone(), transaction.clone());
    let refused = transaction.refused;
    let writing = async move {
        store
            .write(move |tx| {
                let mut model = before.clone();
                for step in &transaction.steps {
                    run(tx, step);
                    model.apply(step);
                    model.look(step, tx)?;
                }
                if transaction.refused { Err(Fail::Refused) } else { Ok(()) }
            })
            .await
    };
    (writing, if refused { model.clone() } else { after })
}

async fn check(store: &Store, transactions: &[Transaction]) {
    // What the case before this one left.
    store
        .write(|tx| {
            (0..KEYS).for_each(|key| {
                tx.delete(ROW, &key);
                tx.forget(SUM, &key);
            });
            Ok::<_, Fail>(())
        })
        .await
        .unwrap();
    let mut model = Model::default();
    for together in transactions.chunk_by(|_, next| !next.alone) {
        let mut queued = Vec::new();
        for transaction in together {
            let (writing, after) = queue(store, transaction, &model);
            queued.push(writing);
            model = after;
        }
        // The first poll of each queues it, in order.
        for (outcome, transaction) in join_all(queued).await.into_iter().zip(together) {
            match outcome {
                Ok(()) => assert!(!transaction.refused),
                Err(Fail::Refused) => assert!(transaction.refused),
                Err(Fail::Store(error)) => panic!("{error}"),
            }
        }
        let expected = model.clone();
        store.read(move |tx| expected.look_at_all(tx)).await.unwrap();
    }
}

pub async fn any_transactions_leave_what_a_map_would(home: Home) {
    let store = home.open();
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let config = Config { cases: 100, failure_persistence: None, ..Config::default() };
        TestRunner::new(config)
            .run(&transactions(), |transactions| {
                runtime.block_on(check(&store, &transactions));
                Ok(())
            })
            .unwrap();
    })
    .await
    .unwrap();
}
