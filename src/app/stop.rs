//! Being told to stop by the system.

use tokio::signal;

/// Ctrl-C and SIGTERM.
#[cfg(unix)]
pub(super) struct StopSignals {
    interrupt: signal::unix::Signal,
    terminate: signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignals {
    pub(super) fn listen() -> std::io::Result<StopSignals> {
        use signal::unix::{SignalKind, signal};
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(StopSignals { interrupt, terminate })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(super) struct StopSignals;

#[cfg(not(unix))]
impl StopSignals {
    pub(super) fn listen() -> std::io::Result<StopSignals> {
        Ok(StopSignals)
    }

    pub(super) async fn next(&mut self) {
        let _ = signal::ctrl_c().await;
    }
}
