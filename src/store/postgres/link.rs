//! One connection: its prepared statements, its deadline, its end.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Connection, Error, Row, SimpleQueryMessage, Socket, Statement};

use super::address::{Place, Target};
use super::fault::{self, Loss, NoConnection, Trouble};
use super::tls::Connector;

/// Longest time the server works at one statement; then it gives up by itself.
pub(super) const STATEMENT_MAX: Duration = Duration::from_secs(10);
/// Longest wait for all answers of one round trip; a server that says nothing
/// for so long is given up.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(12);
/// A transaction that is left alone for so long (by a process that was
/// stopped, say) is ended by the server, and its locks with it.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Addresses of one host that are dialled one after the other.
const ADDRESSES_MAX: usize = 8;
/// Prepared statements that one connection keeps; a few for each table.
const STATEMENTS_MAX: usize = 1024;

/// A connection. Dropping it hangs up.
pub(super) struct Link {
    pub(super) client: Client,
    statements: Mutex<HashMap<String, Statement>>,
    task: AbortHandle,
    /// Where it leads.
    pub(super) place: Place,
    /// Which of several servers answers, where that can be told.
    pub(super) server: Option<String>,
}

/// What moves the bytes of a connection.
pub(super) type Wire = Connection<Socket, <Connector as MakeTlsConnect<Socket>>::Stream>;

/// Dials one server, and only for so long.
pub(super) async fn connect(
    target: &Target,
    place: Place,
    wait: Duration,
) -> Result<(Client, Wire), NoConnection> {
    let way = &target.hosts[place.host];
    let config = way.config(place.address);
    match tokio::time::timeout(wait, config.connect(target.tls.clone())).await {
        Ok(both) => both.map_err(|error| fault::connecting(&error, &way.shown, &target.user)),
        Err(_) => Err(fault::silent(&way.shown)),
    }
}

impl Link {
    /// Dials all servers in turn, that one first which answered last, and gives
    /// each so long; the first that can be used is taken.
    pub(super) async fn open(
        target: &Target,
        last: Option<Place>,
        wait: Duration,
    ) -> Result<Link, NoConnection> {
        let mut why: Option<NoConnection> = None;
        let mut note = |refusal| why = Some(fault::worse(why.take(), refusal));
        let first = last.map(|place| place.host).into_iter();
        let others = (0..target.hosts.len()).filter(|host| last.is_none_or(|place| place.host != *host));
        for host in first.chain(others) {
            let addresses = match addresses(target, host, wait).await {
                Ok(found) => found,
                Err(refusal) => {
                    note(refusal);
                    continue;
                }
            };
            let mut places: Vec<Place> =
                addresses.into_iter().map(|address| Place { host, address }).collect();
            places.sort_by_key(|place| Some(*place) != last);
            for place in places {
                match Link::open_at(target, place, wait).await {
                    Ok(link) => return Ok(link),
                    Err(refusal) => note(refusal),
                }
            }
        }
        Err(why.unwrap_or_else(|| fault::silent(&target.shown)))
    }

    /// Dials one server and sets the connection up.
    async fn open_at(target: &Target, place: Place, wait: Duration) -> Result<Link, NoConnection> {
        let (client, connection) = connect(target, place, wait).await?;
        let task = tokio::spawn(async move {
            // Whoever waits for an answer is told why it will not come.
            let _ = connection.await;
        })
        .abort_handle();
        let mut link = Link { client, statements: Mutex::default(), task, place, server: None };
        let shown = &target.hosts[place.host].shown;
        match tokio::time::timeout(wait, settings(&link.client)).await {
            Ok(Ok(server)) => {
                link.server = server;
                Ok(link)
            }
            Ok(Err(error)) => Err(fault::connecting(&error, shown, &target.user)),
            Err(_) => Err(fault::silent(shown)),
        }
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.client.is_closed()
    }

    /// Rows of a statement that is prepared when first used.
    pub(super) async fn query(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
        let statement = self.prepared(sql).await?;
        self.client.query(&statement, values).await
    }

    /// As [`Link::query`], for a statement without rows.
    pub(super) async fn execute(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, Error> {
        let statement = self.prepared(sql).await?;
        self.client.execute(&statement, values).await
    }

    /// The statement, prepared now unless it was before.
    pub(super) async fn prepared(&self, sql: &str) -> Result<Statement, Error> {
        if let Some(known) = self.statements.lock().get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(sql).await?;
        let mut statements = self.statements.lock();
        if statements.len() >= STATEMENTS_MAX {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Sends a statement whose answer nobody needs; it is done before
    /// whatever is asked next.
    pub(super) fn send(&self, sql: &str) {
        // The first poll sends it; the driver skips answers nobody waits for.
        let _ = Box::pin(self.client.batch_execute(sql)).now_or_never();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Without this, a server that never answers would keep the task for ever.
        if !self.client.is_closed() {
            self.task.abort();
        }
    }
}

/// The addresses of a host; `None` for what needs none.
async fn addresses(
    target: &Target,
    host: usize,
    wait: Duration,
) -> Result<Vec<Option<IpAddr>>, NoConnection> {
    let way = &target.hosts[host];
    let Some(name) = way.name() else { return Ok(vec![None]) };
    match tokio::time::timeout(wait, tokio::net::lookup_host((name, way.port))).await {
        Ok(Ok(found)) => Ok(found.map(|address| Some(address.ip())).take(ADDRESSES_MAX).collect()),
        Ok(Err(error)) => Err(fault::nameless(&way.shown, &error.to_string())),
        Err(_) => Err(fault::nameless(&way.shown, "whoever knows names does not answer")),
    }
}

/// What holds for every statement of a connection; gives which server it is.
/// All in one round trip.
async fn settings(client: &Client) -> Result<Option<String>, Error> {
    let limit = |name: &str, span: Duration| format!("set {name} = {}", span.as_millis());
    let must = limit("statement_timeout", STATEMENT_MAX);
    // Every read of ours goes by the primary key and wants few rows; and a plan
    // that reads a whole table would, when serializable, collide with every
    // other writer. Engines that do not know these settings do without.
    let wishes = [
        &limit("idle_in_transaction_session_timeout", IDLE_MAX),
        "set enable_seqscan = off",
        "set enable_bitmapscan = off",
        "set jit = off",
    ];
    let wishes = join_all(wishes.iter().map(|wish| client.batch_execute(wish)));
    let (must, wishes, server) = tokio::join!(client.batch_execute(&must), wishes, server(client));
    must?;
    match wishes.into_iter().find_map(|wish| wish.err().filter(|error| error.as_db_error().is_none())) {
        Some(error) => Err(error),
        None => server,
    }
}

/// The server's own address, `None` on a socket or where it is not said.
async fn server(client: &Client) -> Result<Option<String>, Error> {
    let sql = "select host(inet_server_addr()) || ':' || inet_server_port()";
    match client.simple_query(sql).await {
        Ok(said) => Ok(said.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })),
        Err(error) if error.as_db_error().is_some() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Waits for an answer, but not for ever.
pub(super) async fn within<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Trouble> {
    match tokio::time::timeout(ANSWER_MAX, answer).await {
        Ok(answer) => answer.map_err(Trouble::from),
        Err(_) => Err(Trouble::Lost(Loss::Silent)),
    }
}
