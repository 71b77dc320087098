//! `fanfare proxy`: runs until SIGTERM or SIGINT, or until the proxy ends by itself, which is a failure; SIGHUP makes
//! it read the settings again.

use std::convert::Infallible;
use std::future::Future;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output::{complain, complain_of_stdout, say, sentence};
use super::{ProxyArguments, Switch, runtime, stopped};
use crate::config::changes::{Change, Takes};
use crate::config::proxy::ProxySettings;
use crate::net::names_of_others;
use crate::proxy::Auth;
use crate::runtime::capture::Capture;
use crate::runtime::faults::FAULT_STATUS;
use crate::runtime::logs::{self, ALWAYS, Level};
use crate::runtime::server::{Reloader, Server, store_in};
use crate::runtime::wire_tap::WireTap;
use crate::store::users::Users;

pub(super) fn run(arguments: ProxyArguments) -> anyhow::Result<ExitCode> {
    let file = arguments.config.clone();
    let trace = arguments.trace.clone();
    let given = given(arguments);
    let (settings, _) = read(&given, file.as_deref())?;
    let (data, net) = (settings.data.clone(), settings.net());
    let runtime = runtime()?;
    // The signal handlers are set before the sockets are opened, so that no early signal is lost.
    let stop = runtime.spawn(stopped());
    // One turn of the runtime, which sets the handlers.
    runtime.block_on(tokio::task::yield_now());
    let hangups = {
        let _within = runtime.enter();
        signal(SignalKind::hangup())?
    };
    let wire = trace.is_some().then(WireTap::new);
    let mut server = Server::open(settings.clone().config(), data, net, wire.clone())?;
    // Dropped after the server, whose last answers are in it too.
    let capture = trace.zip(wire).map(|(path, wire)| Capture::start(&path, wire)).transpose()?;
    for (transport, address) in server.locals() {
        say(&format!("listening {} {address}", transport.as_str().to_ascii_lowercase()));
    }
    complain_of_stdout();
    if settings.data.is_none() {
        tracing::warn!(
            "without --data nothing is kept: accepted messages, registrations and the mailbox are lost when this proxy ends"
        );
    }
    let stop = async { stop.await? };
    warn_of_names(&settings);
    warn_of_nobody(&settings)?;
    let reloader = server.reloader().context("the proxy ended while it was starting")?;
    let end = runtime.block_on(async {
        tokio::select! {
            end = until_over(stop, server.ended()) => end,
            never = reload_at(hangups, &reloader, (&given, file.as_deref()), settings) => match never {},
        }
    })?;
    drop(server);
    drop(capture);
    Ok(exit(end))
}

/// Merges the command line over the settings file, and applies the log level at once.
fn read(given: &ProxySettings, file: Option<&Path>) -> anyhow::Result<(ProxySettings, Level)> {
    let file = file.map(ProxySettings::read).transpose()?;
    let settings = given.clone().over(file.unwrap_or_default());
    let level = logs::set_level(settings.log.as_ref()).map_err(|why| anyhow::anyhow!("log: {why}"))?;
    Ok((settings, level))
}

/// Reads the settings again at each SIGHUP.
async fn reload_at(
    mut hangups: Signal,
    reloader: &Reloader,
    (given, file): (&ProxySettings, Option<&Path>),
    mut running: ProxySettings,
) -> Infallible {
    while hangups.recv().await.is_some() {
        match read(given, file) {
            Ok((newer, level)) => {
                let changes = running.changes(&newer);
                running = running.reloaded(newer);
                let certificates = reloader.reload(running.clone().config()).await;
                reloaded(file.is_some(), &changes, level).iter().for_each(|line| tell(line));
                if let Some(Err(error)) = certificates {
                    insist(&format!("SIGHUP: the old certificates stay in use: {}", sentence(&error.into())));
                } else if running.tls_cert.is_some() || running.tls_ca.is_some() {
                    tell("SIGHUP: the certificates were read again");
                    warn_of_names(&running);
                }
            }
            Err(error) => {
                let why = sentence(&error);
                insist(&format!("SIGHUP: nothing was reloaded, the old settings stay in use: {why}"));
            }
        }
    }
    std::future::pending().await
}

/// Warns of a certificate that names none of the domains.
fn warn_of_names(settings: &ProxySettings) {
    let identity = settings.net().tls.identity;
    let names = identity.as_ref().and_then(|identity| names_of_others(identity, &settings.domains));
    let Some((identity, names)) = identity.zip(names) else { return };
    let names = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
    tracing::warn!(
        "the certificate {} is for {names} and for none of the domains served here ({}); clients and other servers will \
         refuse it",
        identity.chain.display(),
        settings.domains.join(", ")
    );
}

/// Warns if users have to sign in and there are none. Behind a trusted server nobody may be meant to.
fn warn_of_nobody(settings: &ProxySettings) -> anyhow::Result<()> {
    let is_asked = settings.asks() != Auth::Off && settings.trust.is_empty();
    let Some(data) = settings.data.as_deref().filter(|_| is_asked) else { return Ok(()) };
    if Users::open(&store_in(data))?.is_empty()? {
        let domain = settings.domains.first().map_or("DOMAIN", String::as_str);
        tracing::warn!(
            "nobody can sign in, because there are no users yet: fanfare proxy user add NAME@{domain} --data {}",
            data.display()
        );
    }
    Ok(())
}

/// Logged at the default level: the operator asked for this and wants to see it.
fn tell(line: &str) {
    tracing::warn!("{line}");
}

/// Logged whatever the filter is: the operator has just asked, and would take silence for success.
fn insist(line: &str) {
    tracing::error!(target: ALWAYS, "{line}");
}

/// The log lines after a reload: one for what applies now, one for what needs a restart.
fn reloaded(has_file: bool, changes: &[Change], level: Level) -> Vec<String> {
    if !has_file {
        return vec![
            "SIGHUP: there is no --config file to read, so the settings stay as they are".to_owned(),
        ];
    }
    let of = |takes| -> Vec<String> {
        changes.iter().filter(|change| change.takes == takes).map(|change| told(change, level)).collect()
    };
    let (now, later) = (of(Takes::AtOnce), of(Takes::Restart));
    let mut lines = vec![if now.is_empty() {
        "SIGHUP: the settings were read again; nothing changes".to_owned()
    } else {
        format!("SIGHUP: the settings were read again; changed: {}", now.join("; "))
    }];
    if !later.is_empty() {
        lines.push(format!("SIGHUP: these changes need a restart: {}", later.join("; ")));
    }
    lines
}

fn told(change: &Change, level: Level) -> String {
    if change.field == "log" && level == Level::Overruled {
        return format!("{change} (without effect, since {} is set)", logs::VARIABLE);
    }
    change.to_string()
}

/// The settings given on the command line.
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
    /// A signal told it to.
    Stopped,
    /// The proxy's thread has ended.
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
                "the proxy has stopped because of an internal error; what it accepted is kept in its --data folder: \
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
    fn a_reload_tells_what_changed_what_needs_a_restart_and_what_has_no_effect() {
        let change = |field, takes| Change { field, old: "a".to_owned(), new: "b".to_owned(), takes };
        let changes =
            [change("log", Takes::AtOnce), change("trust", Takes::AtOnce), change("t1", Takes::Restart)];
        assert_eq!(
            reloaded(true, &changes, Level::Set),
            [
                "SIGHUP: the settings were read again; changed: log: a -> b; trust: a -> b",
                "SIGHUP: these changes need a restart: t1: a -> b",
            ]
        );
        assert_eq!(
            reloaded(true, &changes[..1], Level::Overruled),
            [
                "SIGHUP: the settings were read again; changed: log: a -> b (without effect, since FANFARE_LOG is set)"
            ]
        );
        assert_eq!(
            reloaded(true, &[], Level::Set),
            ["SIGHUP: the settings were read again; nothing changes"]
        );
        assert_eq!(
            reloaded(false, &[], Level::Set),
            ["SIGHUP: there is no --config file to read, so the settings stay as they are"]
        );
    }

    #[test]
    fn a_proxy_that_ends_by_itself_ends_the_command_as_a_failure() {
        let runtime = runtime().unwrap();
        let end = runtime.block_on(until_over(pending(), ready(()))).unwrap();
        assert_eq!((end, exit(end)), (End::Failed, ExitCode::from(70)));
        let end = runtime.block_on(until_over(ready(Ok(())), pending())).unwrap();
        assert_eq!((end, exit(end)), (End::Stopped, ExitCode::SUCCESS));
    }
}
