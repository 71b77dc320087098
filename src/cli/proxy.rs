//! `fanfare proxy`: run until SIGTERM or SIGINT, or until the proxy ends by itself, which is a failure.

use std::future::Future;
use std::process::ExitCode;

use super::lines::{complain, say};
use super::{ProxyArguments, Switch, runtime, stopped};
use crate::config::proxy::ProxySettings;
use crate::runtime::server::Server;

pub(super) fn run(arguments: ProxyArguments) -> anyhow::Result<ExitCode> {
    let given = ProxySettings {
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
        ..ProxySettings::default()
    };
    let file = arguments.config.as_deref().map(ProxySettings::read).transpose()?;
    let mut settings = given.over(file.unwrap_or_default());
    let data = settings.data.take();
    let net = settings.net();
    // The handlers stand before the sockets, so that no early signal is lost.
    let runtime = runtime()?;
    let stop = runtime.spawn(stopped());
    // One turn of the runtime, in which the handlers are set.
    runtime.block_on(tokio::task::yield_now());
    let mut server = Server::open(settings.config(), data, net)?;
    for (transport, address) in server.locals() {
        say(&format!("listening {} {address}", transport.as_str().to_ascii_lowercase()));
    }
    let stop = async { stop.await? };
    let end = runtime.block_on(until_over(stop, server.ended()))?;
    drop(server);
    Ok(exit(end))
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
            ExitCode::from(1)
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
        assert_eq!((end, exit(end)), (End::Failed, ExitCode::from(1)));
        let end = runtime.block_on(until_over(ready(Ok(())), pending())).unwrap();
        assert_eq!((end, exit(end)), (End::Stopped, ExitCode::SUCCESS));
    }
}
