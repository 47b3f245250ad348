//! Our tables in the database: `waxwing_NAME (k, v, n)` for each of ours, and
//! two for the store itself.
//!
//! A row's value is `v`, plus `n` where `n` is not null: counters are added
//! to in `n`, by the database, without being read. (A sum kept in `v` alone
//! needs bytes turned into a number, which engines do not do alike.)

use std::collections::HashSet;

use parking_lot::RwLock;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::link::Link;
use crate::store::StoreError;
use crate::store::backend::{RawRange, counter_value};
use std::ops::Bound;

/// Oldest server that offers all we ask for, as it says it
/// (`server_version_num`).
const SERVER_MIN: u32 = 130_000;
/// The layout of the tables that this program writes.
const LAYOUT: i32 = 1;
/// How often making a table is tried while other nodes make it as well.
const MAKE_TRIES: usize = 10;
/// Marks of commits older than this are of processes that are gone.
const MARKS_KEPT: &str = "1 day";

const STORE: &str = "waxwing_store";
pub(super) const MARKS: &str = "waxwing_mark";

/// The name of a table of ours in the database, quoted.
pub(super) fn quoted(table: &str) -> String {
    format!("\"waxwing_t_{}\"", table.replace('"', "\"\""))
}

/// Tables that are known to be there.
#[derive(Default)]
pub(super) struct Known(RwLock<HashSet<String>>);

impl Known {
    /// Those that were not yet seen.
    pub(super) fn missing<'t>(&self, tables: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
        let known = self.0.read();
        let mut missing: Vec<&str> = tables.filter(|table| !known.contains(*table)).collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// Makes a table unless it is there.
    pub(super) async fn make(&self, link: &Link, table: &str) -> Result<(), Error> {
        let columns = "(k bytea primary key, v bytea not null, n bigint)";
        make(link, &format!("create table if not exists {} {columns}", quoted(table))).await?;
        self.0.write().insert(table.to_owned());
        Ok(())
    }

    async fn load(&self, link: &Link) -> Result<(), Error> {
        let names = list(link).await?;
        self.0.write().extend(names);
        Ok(())
    }
}

/// The names of our tables that are there, in order.
pub(super) async fn list(link: &Link) -> Result<Vec<String>, Error> {
    let sql = "select table_name::text from information_schema.tables where table_schema = current_schema()";
    let found = link.client.query(sql, &[]).await?;
    let names = found.iter().map(|row| row.try_get::<_, &str>(0)).collect::<Result<Vec<_>, _>>()?;
    let mut names: Vec<String> =
        names.into_iter().filter_map(|name| Some(name.strip_prefix("waxwing_t_")?.to_owned())).collect();
    names.sort_unstable();
    Ok(names)
}

async fn make(link: &Link, sql: &str) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        let Err(error) = link.client.batch_execute(sql).await else { return Ok(()) };
        tries += 1;
        // Two that make the same table at once may collide in the catalogue.
        let collided = error.code().is_some_and(|code| {
            [
                SqlState::UNIQUE_VIOLATION,
                SqlState::DUPLICATE_TABLE,
                SqlState::DUPLICATE_OBJECT,
                SqlState::T_R_SERIALIZATION_FAILURE,
                SqlState::T_R_DEADLOCK_DETECTED,
                SqlState::INTERNAL_ERROR,
            ]
            .contains(code)
        });
        if !collided || tries >= MAKE_TRIES {
            return Err(error);
        }
    }
}

/// What a connection that opens the store found.
pub(super) struct Found {
    /// The server's version, for people.
    pub(super) version: String,
    /// A name for this process.
    pub(super) name: String,
}

/// Makes the store's own tables and checks that this program can use what is
/// there.
pub(super) async fn open(
    link: &Link,
    known: &Known,
    place: &str,
) -> Result<Result<Found, StoreError>, Error> {
    let version: String = link.client.query_one("show server_version", &[]).await?.try_get(0)?;
    let number: String = link.client.query_one("show server_version_num", &[]).await?.try_get(0)?;
    if number.parse::<u32>().is_ok_and(|number| number < SERVER_MIN) {
        return Ok(Err(StoreError::Database(format!(
            "the database at {place} is too old: it is PostgreSQL {version}, and 13 is the oldest that offers \
             all that is needed; upgrade it"
        ))));
    }
    make(
        link,
        &format!("create table if not exists {STORE} (name text primary key, version integer not null)"),
    )
    .await?;
    make(
        link,
        &format!(
            "create table if not exists {MARKS} (lane text, seq bigint, at timestamptz not null default now(), \
             stored boolean not null default true, primary key (lane, seq))"
        ),
    )
    .await?;
    let note =
        format!("insert into {STORE} (name, version) values ('layout', $1) on conflict (name) do nothing");
    link.client.execute(&note, &[&LAYOUT]).await?;
    let layout = format!("select version from {STORE} where name = 'layout'");
    let layout: i32 = link.client.query_one(&layout, &[]).await?.try_get(0)?;
    if layout > LAYOUT {
        return Ok(Err(StoreError::Newer(format!(
            "the database at {place} has store version {layout}, this program knows {LAYOUT}"
        ))));
    }
    link.client
        .execute(&format!("delete from {MARKS} where at < now() - interval '{MARKS_KEPT}'"), &[])
        .await?;
    known.load(link).await?;
    let name: String = link.client.query_one("select gen_random_uuid()::text", &[]).await?.try_get(0)?;
    Ok(Ok(Found { version, name }))
}

/// The value of a row of `k, v, n`.
pub(super) fn value(row: &Row) -> Result<Vec<u8>, Error> {
    let kept: &[u8] = row.try_get(1)?;
    let added: Option<i64> = row.try_get(2)?;
    Ok(match added {
        None => kept.to_vec(),
        Some(added) => counter_value(Some(kept)).wrapping_add(added).to_le_bytes().to_vec(),
    })
}

/// The statement that reads a range, and the keys that it takes before the
/// limit.
pub(super) fn scan<'r>(table: &str, range: &'r RawRange) -> (String, Vec<&'r Vec<u8>>) {
    let mut keys = Vec::new();
    let mut sql = format!("select k, v, n from {}", quoted(table));
    let mut bound = |key: &'r Vec<u8>, sign: &str| {
        sql += if keys.is_empty() { " where k " } else { " and k " };
        keys.push(key);
        sql += &format!("{sign} ${}", keys.len());
    };
    match &range.start {
        Bound::Unbounded => {}
        Bound::Included(key) => bound(key, ">="),
        Bound::Excluded(key) => bound(key, ">"),
    }
    match &range.end {
        Bound::Unbounded => {}
        Bound::Included(key) => bound(key, "<="),
        Bound::Excluded(key) => bound(key, "<"),
    }
    let order = if range.reverse { "desc" } else { "asc" };
    sql += &format!(" order by k {order} limit ${}", keys.len() + 1);
    (sql, keys)
}

/// The statement that reads many keys of a table.
pub(super) fn get(table: &str) -> String {
    format!("select k, v, n from {} where k = any($1)", quoted(table))
}

/// The statement that inserts or replaces rows.
pub(super) fn put(table: &str) -> String {
    format!(
        "insert into {} (k, v) select k, v from unnest($1::bytea[], $2::bytea[]) as u(k, v) \
         on conflict (k) do update set v = excluded.v, n = null",
        quoted(table)
    )
}

/// The statement that removes rows.
pub(super) fn delete(table: &str) -> String {
    format!("delete from {} where k = any($1)", quoted(table))
}

/// The statement that adds to counters, whatever they are.
pub(super) fn add(table: &str) -> String {
    format!(
        "insert into {} as t (k, v, n) select k, ''::bytea, n from unnest($1::bytea[], $2::bigint[]) as u(k, n) \
         on conflict (k) do update set n = coalesce(t.n, 0) + excluded.n",
        quoted(table)
    )
}

/// Parameters as the driver takes them.
pub(super) type Values<'a> = Vec<&'a (dyn ToSql + Sync)>;
