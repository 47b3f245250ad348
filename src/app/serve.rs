//! Running the server until the process is told to stop.

use std::io::Write;

use tokio::signal;

use super::server::Server;
use crate::base::Problem;
use crate::config::Config;

/// Serves until Ctrl-C or SIGTERM, then drains and stops. A second signal
/// ends the process at once.
///
/// # Errors
/// What keeps the server from starting.
pub fn serve(config: Config) -> Result<(), Problem> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("waxwing")
        .build()
        .map_err(Problem::internal)?;
    runtime.block_on(async {
        let data = config.data.display().to_string();
        let server = Server::start(config).await?;
        greet(&server, &data);
        told_to_stop().await;
        tracing::info!("stopping: requests under way may finish");
        tokio::select! {
            () = server.stop() => {}
            () = told_to_stop() => tracing::warn!("stopped at once"),
        }
        Ok(())
    })
}

/// Three lines: where it is, where the data is, and how to begin.
fn greet(server: &Server, data: &str) {
    let begin = match &server.owner_link {
        Some(link) => format!("Make the owner's account at {link} (the link works once)"),
        None => format!("Log in at {}/login", server.origin),
    };
    // A closed standard output is no reason not to serve.
    let _ = writeln!(
        std::io::stdout().lock(),
        "Waxwing serves {}\nThe data is in {data}\n{begin}",
        server.origin
    );
}

async fn told_to_stop() {
    #[cfg(unix)]
    {
        let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())
            .expect("a fresh process can listen to SIGTERM");
        tokio::select! {
            _ = signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = signal::ctrl_c().await;
    }
}
