//! `fanfare demo`, and the proxy that it starts in a process of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::parse;
use crate::demo;
use crate::injection::Injection;

#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// Run the demo in the terminal, without a window.
    #[arg(long)]
    pub(super) headless: bool,
    /// A fault (ben:486, path:loss=20%, Tunnel …; see docs/testing.md) that is on from the beginning; may be repeated.
    #[arg(long = "fault", value_name = "FAULT", value_parser = parse::fault)]
    faults: Vec<String>,
    /// Save a picture of the window (PNG) once the first reports are in, then exit.
    #[arg(long, value_name = "FILE")]
    screenshot: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct DemoProxyArguments {
    /// Folder of its store.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where it listens.
    #[arg(long, value_name = "ADDRESS")]
    at: SocketAddr,
    /// A fault that is on from the beginning; may be repeated.
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Injection>,
}

pub(super) fn run(demo: &DemoArguments) -> anyhow::Result<ExitCode> {
    if demo.headless {
        return Ok(demo::run_headless(&std::env::current_exe()?, &demo.faults)?);
    }
    open_window(demo)
}

#[cfg(feature = "gui")]
fn open_window(demo: &DemoArguments) -> anyhow::Result<ExitCode> {
    super::window::run_demo(demo.screenshot.clone(), &demo.faults)
}

#[cfg(not(feature = "gui"))]
fn open_window(_demo: &DemoArguments) -> anyhow::Result<ExitCode> {
    anyhow::bail!("this build has no window; run the demo in the terminal with: fanfare demo --headless")
}

pub(super) fn run_proxy(proxy: &DemoProxyArguments) -> anyhow::Result<ExitCode> {
    Ok(demo::run_proxy(&proxy.data, proxy.at, &proxy.faults)?)
}
