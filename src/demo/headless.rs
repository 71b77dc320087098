//! The demo as text: what the window would show, line by line, live.

use std::process::ExitCode;
use std::time::Duration;

use super::{DemoError, DemoRun, FIRST_MESSAGE};
use crate::model::command::{AgentCommand, Draft, Event};
use crate::model::contacts::AddressBook;
use crate::model::journal::{DeliveryState, PersonRow};
use crate::model::names::Names;
use crate::model::reason::{Phrase, cause};
use crate::runtime::agent::Agent;
use crate::runtime::console::say;
use crate::sip::{ReportMode, ReportOptions};
use crate::time::latency;

/// Far longer than the demo's Timer F.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends the first message and prints until its last report is in.
pub(super) fn run(stage: &DemoRun) -> Result<ExitCode, DemoError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(show(stage))
}

async fn show(stage: &DemoRun) -> Result<ExitCode, DemoError> {
    let book = stage.book();
    let mut agent = Agent::start(&stage.account(), Some(&stage.folder())).await?;
    agent.machine_mut().set_names(Names::of(&book).into());
    let mut story = Story { total: book.contacts.len(), delivered: 0, failed: 0, is_over: false, book };
    story.open();
    agent.command(AgentCommand::Connect, &mut |event| story.tell(&event));
    let draft = story.draft();
    agent.command(AgentCommand::Send(draft), &mut |event| story.tell(&event));
    let patience = tokio::time::sleep(PATIENCE);
    tokio::pin!(patience);
    while !story.is_over {
        if agent.turn(&mut |event| story.tell(&event), &mut patience).await?.is_some() {
            return Err(DemoError::NoReport);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What was printed so far.
#[derive(Debug)]
struct Story {
    book: AddressBook,
    total: usize,
    delivered: usize,
    failed: usize,
    is_over: bool,
}

impl Story {
    fn draft(&self) -> Draft {
        let person = |contact: &crate::model::contacts::Contact| PersonRow {
            address: contact.address.clone(),
            name: contact.name.clone(),
        };
        let report = ReportOptions { mode: ReportMode::Each, detail: true, id: None };
        Draft {
            to: self.book.contacts.iter().map(person).collect(),
            text: FIRST_MESSAGE.to_owned(),
            files: Vec::new(),
            hidden: false,
            report,
        }
    }

    fn open(&self) {
        let names: Vec<_> = self.book.contacts.iter().map(|contact| contact.name.as_str()).collect();
        say(&format!("James writes once to {} people (simulated): {}", self.total, names.join(", ")));
        say(&format!("  \"{FIRST_MESSAGE}\""));
    }

    fn tell(&mut self, event: &Event) {
        match event {
            Event::Accepted { .. } => say("The proxy has it. One MESSAGE left this machine."),
            Event::Delivery { address, state, status, reason: phrase, after, .. } => {
                self.outcome(address, *state, *status, phrase, *after);
            }
            Event::Received { from, text, .. } => say(&format!("  {}: {text}", self.name(&from.address))),
            Event::Reported { .. } => {
                say(&format!("{} of {} delivered, {} not.", self.delivered, self.total, self.failed));
                self.is_over = true;
            }
            Event::Refused { status, reason, .. } => {
                say(&format!("The proxy refused it: {status} {reason}"));
                self.is_over = true;
            }
            Event::NotSent { why, .. } => {
                say(&format!("Not sent: {why}"));
                self.is_over = true;
            }
            Event::Registration(_)
            | Event::Queued { .. }
            | Event::OneByOne { .. }
            | Event::Unreported { .. }
            | Event::ReportedStranger { .. }
            | Event::StrangersRefused
            | Event::Window(_)
            | Event::Disconnected => {}
        }
    }

    fn outcome(
        &mut self,
        address: &str,
        state: DeliveryState,
        status: Option<u16>,
        phrase: &Phrase,
        after: Option<Duration>,
    ) {
        let name = self.name(address).to_owned();
        let after = after.map_or_else(String::new, |after| format!(" ({})", latency(after)));
        match state {
            DeliveryState::Delivered | DeliveryState::PassedOn => {
                self.delivered += 1;
                say(&format!("  ✓ {name}: delivered{after}"));
            }
            DeliveryState::Failed => {
                self.failed += 1;
                let words = cause(status, phrase).words();
                let code = status.map_or_else(String::new, |status| format!(" [{status} {phrase}]"));
                say(&format!("  ✗ {name}: not delivered: {words}{code}{after}"));
            }
            DeliveryState::Queued
            | DeliveryState::Read
            | DeliveryState::Sending
            | DeliveryState::Accepted
            | DeliveryState::NoReport
            | DeliveryState::Deferred
            | DeliveryState::Cancelled => {}
        }
    }

    fn name<'a>(&'a self, address: &'a str) -> &'a str {
        let known = self.book.contacts.iter().find(|contact| contact.address == address);
        known.map_or(address, |contact| contact.name.as_str())
    }
}
