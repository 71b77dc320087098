//! `fanfare proxy`: run until SIGTERM or SIGINT, with the settings read again at SIGHUP, or until the proxy ends by itself, which is a failure.

use std::convert::Infallible;
use std::future::Future;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::lines::{complain, say};
use super::{ProxyArguments, Switch, runtime, stopped};
use crate::config::proxy::ProxySettings;
use crate::runtime::faults::FAULT_STATUS;
use crate::runtime::logs;
use crate::runtime::server::{Reloader, Server};

pub(super) fn run(arguments: ProxyArguments) -> anyhow::Result<ExitCode> {
    let file = arguments.config.clone();
    let given = given(arguments);
    let settings = read(&given, file.as_deref())?;
    let (data, net) = (settings.data.clone(), settings.net());
    let runtime = runtime()?;
    // The handlers stand before the sockets, so that no early signal is lost.
    let stop = runtime.spawn(stopped());
    // One turn of the runtime, in which the handlers are set.
    runtime.block_on(tokio::task::yield_now());
    let hangups = {
        let _within = runtime.enter();
        signal(SignalKind::hangup())?
    };
    let mut server = Server::open(settings.clone().config(), data, net)?;
    for (transport, address) in server.locals() {
        say(&format!("listening {} {address}", transport.as_str().to_ascii_lowercase()));
    }
    if settings.data.is_none() {
        tracing::warn!(
            "without --data nothing is kept: what was accepted, who is registered and what waits are gone when this proxy ends"
        );
    }
    let stop = async { stop.await? };
    let reloader = server.reloader().context("the proxy ended while it was starting")?;
    let end = runtime.block_on(async {
        tokio::select! {
            end = until_over(stop, server.ended()) => end,
            never = reload_at(hangups, &reloader, (&given, file.as_deref()), settings) => match never {},
        }
    })?;
    drop(server);
    Ok(exit(end))
}

/// The settings of the command line over those of the file; how much is logged holds from now on.
fn read(given: &ProxySettings, file: Option<&Path>) -> anyhow::Result<ProxySettings> {
    let file = file.map(ProxySettings::read).transpose()?;
    let settings = given.clone().over(file.unwrap_or_default());
    logs::set_level(settings.log.as_deref()).map_err(|why| anyhow::anyhow!("log: {why}"))?;
    Ok(settings)
}

/// Reads the settings again at each SIGHUP.
async fn reload_at(
    mut hangups: Signal,
    reloader: &Reloader,
    (given, file): (&ProxySettings, Option<&Path>),
    running: ProxySettings,
) -> Infallible {
    while hangups.recv().await.is_some() {
        match read(given, file) {
            Ok(newer) => {
                tell_what_stays(&running.needs_restart(&newer));
                reloader.reload(newer.config()).await;
            }
            Err(error) => tracing::warn!("SIGHUP: everything stays as it was: {error:#}"),
        }
    }
    std::future::pending().await
}

fn tell_what_stays(fields: &[&str]) {
    if !fields.is_empty() {
        let fields = fields.join(", ");
        tracing::warn!("SIGHUP: these are changed and need a restart, so they stay as they were: {fields}");
    }
}

/// What the command line says.
fn given(arguments: ProxyArguments) -> ProxySettings {
    ProxySettings {
        domains: arguments.domains,
        listens: arguments.listens,
        data: arguments.data,
        trust: arguments.trust,
        routes: arguments.routes,
        auth: arguments.auth.map(Into::into),
        t1: arguments.t1,
        mailbox: arguments.mailbox.map(|mailbox| mailbox == Switch::On),
        dns: arguments.dns,
        tls_cert: arguments.tls_cert,
        tls_key: arguments.tls_key,
        tls_ca: arguments.tls_ca,
        web_origins: arguments.web_origins,
        inbound: arguments.inbound,
        inbound_known: arguments.known,
        bans: arguments.bans,
        ..ProxySettings::default()
    }
}

/// Why the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It was told to.
    Stopped,
    /// The proxy's thread is gone.
    Failed,
}

async fn until_over(
    stop: impl Future<Output = anyhow::Result<()>>,
    ended: impl Future<Output = ()>,
) -> anyhow::Result<End> {
    tokio::select! {
        stopped = stop => stopped.map(|()| End::Stopped),
        () = ended => Ok(End::Failed),
    }
}

fn exit(end: End) -> ExitCode {
    match end {
        End::Stopped => ExitCode::SUCCESS,
        End::Failed => {
            complain(&anyhow::anyhow!(
                "the proxy ended by itself, and nothing is served; what it accepted is kept in its --data folder: \
                 start it again"
            ));
            ExitCode::from(FAULT_STATUS)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    #[test]
    fn a_proxy_that_ends_by_itself_ends_the_command_as_a_failure() {
        let runtime = runtime().unwrap();
        let end = runtime.block_on(until_over(pending(), ready(()))).unwrap();
        assert_eq!((end, exit(end)), (End::Failed, ExitCode::from(70)));
        let end = runtime.block_on(until_over(ready(Ok(())), pending())).unwrap();
        assert_eq!((end, exit(end)), (End::Stopped, ExitCode::SUCCESS));
    }
}
