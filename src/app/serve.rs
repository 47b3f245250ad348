//! Running the server until the process is told to stop.

use std::io::Write;

use super::server::Server;
use super::stop::StopSignals;
use crate::base::Problem;
use crate::config::Config;

/// Serves until Ctrl-C or SIGTERM, then drains and stops. A second signal
/// ends the process at once.
///
/// # Errors
/// What keeps the server from starting.
pub fn serve(config: Config) -> Result<(), Problem> {
    let data = config.data.display().to_string();
    serve_after(config, async |server: &Server| Ok(greeting(server, &data)))
}

/// The same; once the server runs, `begin` may do more, and gives what is
/// printed then.
///
/// # Errors
/// What keeps the server from starting, and those of `begin`.
pub(super) fn serve_after(
    config: Config,
    begin: impl AsyncFnOnce(&Server) -> Result<String, Problem>,
) -> Result<(), Problem> {
    super::files::allow_many();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("waxwing")
        .build()
        .map_err(Problem::internal)?;
    runtime.block_on(async {
        // Listened to from the start, so that an early signal is not lost.
        let mut stop = StopSignals::listen().map_err(Problem::internal)?;
        let server = Server::start(config).await?;
        let greeting = begin(&server).await?;
        // A closed standard output is no reason not to serve.
        let _ = std::io::stdout().lock().write_all(greeting.as_bytes());
        stop.next().await;
        tracing::info!("stopping: requests under way may finish");
        tokio::select! {
            () = server.stop() => {}
            () = stop.next() => tracing::warn!("stopped at once"),
        }
        Ok(())
    })
}

/// Three lines: where it is, where the data is, and how to begin.
fn greeting(server: &Server, data: &str) -> String {
    let begin = match &server.owner_link {
        Some(link) => format!("Make the owner's account at {link} (the link works once)"),
        None => format!("Log in at {}/login", server.origin),
    };
    format!("Waxwing serves {}\nThe data is in {data}\n{begin}\n", server.origin)
}
