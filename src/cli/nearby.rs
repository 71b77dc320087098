//! `fanfare nearby`: the servers that others host in the local network; and the process of a server that the window hosts.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::output::say;
use super::parse;
use crate::hosting;

#[derive(Debug, Args)]
pub(super) struct NearbyArguments {
    /// How long to look.
    #[arg(long, value_name = "TIME", value_parser = parse::duration, default_value = "3s")]
    time: Duration,
}

#[derive(Debug, Args)]
pub(super) struct HostProxyArguments {
    /// Folder of its settings, its certificate and its store.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

/// Prints a line for each: its name, the domain of its addresses, and what to give as `--proxy`. Status 1 if there is none.
pub(super) fn run(arguments: &NearbyArguments) -> ExitCode {
    let board = hosting::search(Arc::new(|| {}));
    board.look(true);
    std::thread::sleep(arguments.time);
    let found = board.found();
    board.look(false);
    for server in &found {
        say(&format!("{}\t{}\t{}", server.name, server.domain, server.server));
    }
    ExitCode::from(u8::from(found.is_empty()))
}

pub(super) fn run_host(host: &HostProxyArguments) -> anyhow::Result<ExitCode> {
    Ok(hosting::run(&host.data)?)
}
