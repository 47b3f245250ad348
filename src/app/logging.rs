//! Log lines: for people or as JSON, to standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{LogFormat, LogLevel};

/// Starts logging. `filter`, in the syntax of `RUST_LOG`, wins over `level`.
pub fn start(format: LogFormat, level: LogLevel, filter: Option<&str>) {
    // The HTML parser warns of what strangers write.
    let fallback = format!("warn,html5ever=error,waxwing={}", level.as_str());
    let filter = filter.map_or_else(|| EnvFilter::new(&fallback), EnvFilter::new);
    let is_terminal = std::io::stderr().is_terminal();
    let lines =
        fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).with_ansi(is_terminal);
    // Fails only when logging was started before, as tests do; then that stays.
    let _ = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}
