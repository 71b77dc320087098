//! `fanfare proxy`: run until SIGTERM or SIGINT.

use std::process::ExitCode;

use super::lines::say;
use super::{ProxyArguments, Switch, runtime, stopped};
use crate::config::proxy::ProxySettings;
use crate::runtime::server::Server;

pub(super) fn run(arguments: ProxyArguments) -> anyhow::Result<ExitCode> {
    let given = ProxySettings {
        domains: arguments.domains,
        listens: arguments.listens,
        data: arguments.data,
        trust: arguments.trust,
        t1: arguments.t1,
        mailbox: arguments.mailbox.map(|mailbox| mailbox == Switch::On),
        ..ProxySettings::default()
    };
    let file = arguments.config.as_deref().map(ProxySettings::read).transpose()?;
    let mut settings = given.over(file.unwrap_or_default());
    let data = settings.data.take();
    // The handlers stand before the sockets, so that no early signal is lost.
    let runtime = runtime()?;
    let stop = runtime.spawn(stopped());
    // One turn of the runtime, in which the handlers are set.
    runtime.block_on(tokio::task::yield_now());
    let server = Server::start(settings.config(), data)?;
    for (transport, address) in server.locals() {
        say(&format!("listening {} {address}", transport.as_str().to_ascii_lowercase()));
    }
    runtime.block_on(stop)??;
    drop(server);
    Ok(ExitCode::SUCCESS)
}
