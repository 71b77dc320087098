//! Logs: to standard error, as much as `FANFARE_LOG` asks for (default: warnings).

use tracing_subscriber::EnvFilter;

/// Starts logging. A filter that cannot be read is told and left out.
pub fn start() {
    let filter = EnvFilter::builder()
        .with_default_directive(tracing::level_filters::LevelFilter::WARN.into())
        .with_env_var("FANFARE_LOG")
        .from_env_lossy();
    // A second start (tests in one process) changes nothing.
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init().ok();
}
