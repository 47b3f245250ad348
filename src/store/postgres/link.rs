//! One connection: its prepared statements, its deadline, its end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, SimpleQueryMessage, Statement};

use super::address::Target;
use super::fault::{self, NoConnection, Trouble};

/// Longest time the server works at one statement; then it gives up by itself.
pub(super) const STATEMENT_MAX: Duration = Duration::from_secs(10);
/// Longest wait for all answers of one round trip; a server that says nothing
/// for so long is given up.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(12);
/// A transaction that is left alone for so long (by a process that was
/// stopped, say) is ended by the server, and its locks with it.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Longest time from dialling to a usable connection.
const DIAL_MAX: Duration = Duration::from_secs(10);
/// Prepared statements that one connection keeps; a few for each table.
const STATEMENTS_MAX: usize = 1024;

/// A connection. Dropping it hangs up.
pub(super) struct Link {
    pub(super) client: Client,
    statements: Mutex<HashMap<String, Statement>>,
    task: AbortHandle,
    place: Arc<str>,
    /// Which of several servers answers, where that can be told.
    pub(super) server: Option<String>,
}

impl Link {
    /// Dials and sets the connection up.
    pub(super) async fn open(target: &Target) -> Result<Link, NoConnection> {
        let place: Arc<str> = Arc::from(&*target.shown);
        let user = target.config.get_user().unwrap_or("this user").to_owned();
        let dialling = tokio::time::timeout(DIAL_MAX, target.config.connect(target.tls.clone())).await;
        let (client, connection) = match dialling {
            Ok(Ok(both)) => both,
            Ok(Err(error)) => return Err(fault::connecting(&error, &place, &user)),
            Err(_) => return Err(fault::silent(&place)),
        };
        let task = tokio::spawn(async move {
            // Whoever waits for an answer is told why it will not come.
            let _ = connection.await;
        })
        .abort_handle();
        let mut link = Link { client, statements: Mutex::default(), task, place, server: None };
        match tokio::time::timeout(DIAL_MAX, settings(&link.client)).await {
            Ok(Ok(server)) => {
                link.server = server;
                Ok(link)
            }
            Ok(Err(error)) => Err(fault::connecting(&error, &link.place, &user)),
            Err(_) => Err(fault::silent(&link.place)),
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

/// What holds for every statement of a connection; gives which server it is.
async fn settings(client: &Client) -> Result<Option<String>, Error> {
    let limit = |name: &str, span: Duration| format!("set {name} = {}", span.as_millis());
    client.batch_execute(&limit("statement_timeout", STATEMENT_MAX)).await?;
    // Every read of ours goes by the primary key and wants few rows; and a plan
    // that reads a whole table would, when serializable, collide with every
    // other writer. Engines that do not know these settings do without.
    let wishes = [
        &limit("idle_in_transaction_session_timeout", IDLE_MAX),
        "set enable_seqscan = off",
        "set enable_bitmapscan = off",
        "set jit = off",
    ];
    for wish in wishes {
        if let Err(error) = client.batch_execute(wish).await
            && error.as_db_error().is_none()
        {
            return Err(error);
        }
    }
    server(client).await
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
        Err(_) => Err(Trouble::Lost("the database did not answer in time".into())),
    }
}
