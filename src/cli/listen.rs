//! `fanfare listen`: register, print what comes, until SIGINT or SIGTERM.

use std::process::ExitCode;

use super::lines::{Line, Printer};
use super::{ListenArguments, parse, password, runtime, stopped};
use crate::client::command::{AgentCommand, Event, RegistrationState};
use crate::client::journal::ConversationId;
use crate::runtime::agent::Agent;
use crate::runtime::faults::Fault;

pub(super) fn run(arguments: &ListenArguments) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(listen(arguments))
}

async fn listen(arguments: &ListenArguments) -> anyhow::Result<ExitCode> {
    let sign_in = password::sign_in(&arguments.sign_in)?;
    let mut account = parse::account(&arguments.identity, sign_in, &arguments.server, parse::Registers::Yes);
    account.receipts = arguments.receipts;
    account.peer_to_peer = arguments.peer_to_peer;
    let mut agent = Agent::start(&account, arguments.data.as_deref()).await?;
    let printer = Printer::new(arguments.json);
    let (mut refused, mut shown) = (None, Vec::new());
    agent.command(AgentCommand::Connect, &mut |event| hear(event, printer, &mut refused, &mut shown));
    let stop = stopped();
    tokio::pin!(stop);
    loop {
        let mut on_event = |event| hear(event, printer, &mut refused, &mut shown);
        if agent.turn(&mut on_event, &mut stop).await?.is_some() {
            break;
        }
        // What is printed is taken to be read.
        for conversation in std::mem::take(&mut shown) {
            let mut on_event = |event| hear(event, printer, &mut refused, &mut shown);
            agent.command(AgentCommand::Seen { conversation }, &mut on_event);
        }
    }
    leave(&mut agent).await?;
    agent.finish(&mut |event| hear(event, printer, &mut refused, &mut shown)).await?;
    Ok(ExitCode::SUCCESS)
}

/// Printed and flushed here, before the 200 leaves.
fn hear(event: Event, printer: Printer, refused: &mut Option<String>, shown: &mut Vec<ConversationId>) {
    match event {
        Event::Received { conversation, from, also_to, content_type, text, files, verified, .. } => {
            printer.print(&Line::Message {
                from: &from.address,
                also_to: also_to.iter().map(|person| person.address.as_str()).collect(),
                content_type: &content_type,
                text: &text,
                files: files.iter().map(|file| file.name.as_str()).collect(),
                verified,
            });
            shown.push(conversation);
        }
        Event::Registration(state) => {
            let trouble = trouble(&state);
            if let Some(why) = trouble.as_deref().filter(|_| *refused != trouble) {
                tracing::warn!(why, "not registered");
                *refused = trouble;
            }
        }
        Event::Queued { .. }
        | Event::NotSent { .. }
        | Event::Accepted { .. }
        | Event::OneByOne { .. }
        | Event::Unreported { .. }
        | Event::Refused { .. }
        | Event::Delivery { .. }
        | Event::ReportedStranger { .. }
        | Event::Reported { .. }
        | Event::Composing { .. }
        | Event::Changed { .. }
        | Event::Disconnected => {}
    }
}

/// Why nobody reaches us.
fn trouble(state: &RegistrationState) -> Option<String> {
    match state {
        RegistrationState::Refused { status, reason, why: Some(why), .. } => {
            Some(format!("{status} {reason}: {why}"))
        }
        RegistrationState::Refused { status, reason, why: None, .. } => Some(format!("{status} {reason}")),
        RegistrationState::Offline { why: Some(why), .. } => Some(why.to_string()),
        RegistrationState::Offline { why: None, .. } => Some("no answer from the proxy".to_owned()),
        RegistrationState::Idle
        | RegistrationState::Connecting(_)
        | RegistrationState::Connected
        | RegistrationState::ByList
        | RegistrationState::NoFanOut => None,
    }
}

/// Takes the binding back; does not wait for a proxy that is gone.
async fn leave(agent: &mut Agent) -> Result<(), Fault> {
    let mut is_over = false;
    let mut on_event = |event| is_over |= event == Event::Disconnected;
    agent.command(AgentCommand::Disconnect, &mut on_event);
    let patience = tokio::time::sleep(std::time::Duration::from_secs(1));
    tokio::pin!(patience);
    while !is_over {
        let mut on_event = |event| is_over |= event == Event::Disconnected;
        if agent.turn(&mut on_event, &mut patience).await?.is_some() {
            break;
        }
    }
    Ok(())
}
