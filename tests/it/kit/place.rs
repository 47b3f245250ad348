//! Where the records of a test are kept.

use std::sync::Mutex;

use waxwing::store::{Postgres, Store};

#[path = "../../kit/postgres.rs"]
pub mod postgres_server;

/// The places that tests got; those that nobody uses any more are removed
/// when the next test wants one.
static PLACES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// An empty store: in memory, or with `WAXWING_TEST_ENGINE=postgres` in a
/// place of its own in a PostgreSQL server that the tests start.
pub fn empty_store() -> Store {
    match std::env::var("WAXWING_TEST_ENGINE").as_deref() {
        Ok("postgres") => on_postgres(|url| url),
        Ok("memory") | Err(_) => Store::memory(),
        Ok(other) => panic!("WAXWING_TEST_ENGINE is `{other}`; it may be `memory` or `postgres`"),
    }
}

/// An empty store in PostgreSQL; `by` may give another way to the address.
pub fn on_postgres(by: impl FnOnce(String) -> String) -> Store {
    let server = postgres_server::hasty();
    let before = std::mem::take(&mut *PLACES.lock().unwrap());
    let used = server.sweep(before);
    let url = server.database();
    let engine = Postgres::open(&by(url.clone())).expect("the tests' own database can be used");
    // Only now, since it is swept as soon as nobody is connected.
    PLACES.lock().unwrap().extend(used.into_iter().chain([url]));
    Store::new(engine)
}
