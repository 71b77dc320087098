//! Logs: to standard error, as much as `FANFARE_LOG` asks for (default: warnings).

use tracing_subscriber::EnvFilter;

use super::console::SafeLog;

/// Starts logging. A filter that cannot be read is told and left out.
pub fn start() {
    let filter = EnvFilter::builder()
        .with_default_directive(tracing::level_filters::LevelFilter::WARN.into())
        .with_env_var("FANFARE_LOG")
        .from_env_lossy();
    // A second start (tests in one process) changes nothing.
    // Without colors: what reads a log (fail2ban, a file) wants none, and no other escape may pass.
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(|| SafeLog(std::io::stderr()));
    log.with_env_filter(filter).try_init().ok();
}
