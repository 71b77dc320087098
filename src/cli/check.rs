//! `fanfare check`: plays scripts and prints whether what was expected came true.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::output::say;
use super::{ServerArguments, SignInArguments, parse, password};
use crate::check::{
    CheckedScript, Run, SCHEMA, Target, junit, play_in_real_time, play_in_virtual_time, read_script,
    read_script_for,
};
use crate::runtime::console;
use crate::sip::Uri;

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// Scripts to play, one after the other (RON files).
    #[arg(value_name = "FILE", required_unless_present = "schema")]
    files: Vec<PathBuf>,
    /// Let time pass as fast as the machine can: half a minute of silence takes milliseconds.
    #[arg(long)]
    virtual_time: bool,
    /// Seed for everything that is random; the same seed gives the same run.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "virtual_time")]
    seed: u64,
    /// Write the results as JUnit XML.
    #[arg(long, value_name = "OUT.xml")]
    junit: Option<PathBuf>,
    /// Draw who sent what to whom, even if everything passed.
    #[arg(long)]
    ladder: bool,
    /// Address of the sender at the proxy of --proxy; the people of the script are in its domain (default: a proxy is started
    /// for the script).
    #[arg(long, value_name = "ADDRESS", value_parser = parse::own_address, conflicts_with = "virtual_time")]
    account: Option<Uri>,
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    sign_in: SignInArguments,
    /// Print the format of a script, with every field, and play nothing.
    #[arg(long)]
    schema: bool,
}

/// Runs the command. Exit status 1 if an expectation was not met; an error, which is status 2, if a script is wrong.
///
/// # Errors
/// A script cannot be read or is wrong: with its file, line and column.
pub(super) fn run(arguments: &CheckArguments) -> anyhow::Result<ExitCode> {
    if arguments.schema {
        console::put(SCHEMA);
        return Ok(ExitCode::SUCCESS);
    }
    anyhow::ensure!(
        arguments.account.is_some() || arguments.server.proxy.is_empty(),
        "--proxy needs --account, the address of the sender there"
    );
    // All are read first: a wrong one is found before half an hour is played.
    let domain = arguments.account.as_ref().map(Uri::host);
    let scripts =
        arguments.files.iter().map(|path| read(path, domain)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut runs = Vec::new();
    for (name, script) in scripts {
        let run = play(arguments, &script).with_context(|| name.clone())?;
        say(&run.text(&name, arguments.ladder));
        runs.push((name, run));
    }
    if let Some(path) = &arguments.junit {
        let text = junit(&runs)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let failed = runs.iter().filter(|(_, run)| !run.has_passed()).count();
    say(&format!("{} of {} scripts passed", runs.len() - failed, runs.len()));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(path: &Path, domain: Option<&str>) -> anyhow::Result<(String, CheckedScript)> {
    let name = path.display().to_string();
    let source = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let read = match domain {
        Some(domain) => read_script_for(&source, domain),
        None => read_script(&source),
    };
    Ok((name.clone(), read.map_err(|error| anyhow::anyhow!("{name}:{error}"))?))
}

fn play(arguments: &CheckArguments, script: &CheckedScript) -> anyhow::Result<Run> {
    if arguments.virtual_time {
        return Ok(play_in_virtual_time(script, arguments.seed)?);
    }
    let target = match &arguments.account {
        None => Target::BuiltIn,
        Some(account) => {
            let sign_in = password::sign_in(&arguments.sign_in)?;
            let registers = parse::Registers::Yes;
            Target::Elsewhere(Box::new(parse::account(account, sign_in, &arguments.server, registers)))
        }
    };
    Ok(play_in_real_time(script, target)?)
}
