//! `fanfare proxy`: run until SIGTERM or SIGINT.

use std::process::ExitCode;

use super::lines::say;
use super::{ProxyArguments, runtime, stopped};
use crate::proxy::ProxyConfig;
use crate::runtime::server::Server;
use crate::transaction::Timers;

pub(super) fn run(arguments: ProxyArguments) -> anyhow::Result<ExitCode> {
    let mut config = ProxyConfig::new(arguments.domains, arguments.listens);
    config.trust = arguments.trust;
    if let Some(t1) = arguments.t1 {
        config.timers = Timers::new(t1);
    }
    // The handlers stand before the sockets, so that no early signal is lost.
    let runtime = runtime()?;
    let stop = runtime.block_on(async { tokio::spawn(stopped()) });
    let server = Server::start(config, arguments.data)?;
    for (transport, address) in server.locals() {
        say(&format!("listening {} {address}", transport.as_str().to_ascii_lowercase()));
    }
    runtime.block_on(stop)??;
    drop(server);
    Ok(ExitCode::SUCCESS)
}
