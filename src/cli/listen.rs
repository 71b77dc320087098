//! `fanfare listen`: registers and prints incoming messages until SIGINT or SIGTERM.
//!
//! Messages go to standard output; the state of the registration goes to standard error, one sentence per change.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::answer;
use super::connecting::{offline, still_waiting};
use super::output::{OutputLine, Printer, UNPRINTED_STATUS, is_failing, note, tell, utc};
use super::save_files::{self, SavedFiles};
use super::trace::Trace;
use super::{ServerArguments, SignInArguments, parse, password, runtime, stopped};
use crate::model::command::{AgentCommand, ConnectStep, Event, RegistrationState};
use crate::model::contacts::{AddressBook, Contact};
use crate::model::journal::ConversationId;
use crate::model::names::Names;
use crate::random::Random;
use crate::runtime::agent::{Agent, OpenedAgent};
use crate::runtime::answering::{Answering, Told};
use crate::runtime::faults::Fault;
use crate::runtime::network::Network;
use crate::runtime::withholding::Withholding;
use crate::sip::Uri;

#[derive(Debug, Args)]
pub(super) struct ListenArguments {
    /// Address to register.
    #[arg(long = "as", value_name = "ADDRESS", value_parser = parse::own_address)]
    identity: Uri,
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    sign_in: SignInArguments,
    /// Send read receipts to those of the --contact addresses who ask for them (RFC 5438): what is printed counts as
    /// read.
    #[arg(long)]
    receipts: bool,
    /// Address of somebody you know; may be repeated. Only these are told that a message was delivered or read.
    #[arg(long = "contact", value_name = "ADDRESS", value_parser = parse::address)]
    contacts: Vec<Uri>,
    /// Accept messages that do not come from the proxy, too; nobody has verified who sent them.
    #[arg(long)]
    peer_to_peer: bool,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
    /// Print every SIP message that passes, without passwords, on standard error.
    #[arg(long)]
    trace: bool,
    #[command(flatten)]
    answers: answer::AnswerArguments,
    /// Folder for the files in messages: each is saved there under its own name; nothing is overwritten.
    #[arg(long, value_name = "DIR")]
    save_files: Option<PathBuf>,
    /// Folder for received messages (default: nothing is kept).
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(super) fn run(arguments: &ListenArguments) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(listen(arguments))
}

async fn listen(arguments: &ListenArguments) -> anyhow::Result<ExitCode> {
    let sign_in = password::sign_in(&arguments.sign_in)?;
    let mut account = parse::account(&arguments.identity, sign_in, &arguments.server, parse::Registers::Yes);
    account.receipts = arguments.receipts;
    account.peer_to_peer = arguments.peer_to_peer;
    let is_kept = arguments.data.is_some();
    let saving = |folder| SavedFiles::in_folder(folder, is_kept);
    let files = arguments.save_files.as_deref().map(saving).transpose()?;
    let trace = Trace::new(arguments.trace);
    let (told, rules) = (Told::default(), arguments.answers.rules());
    let tag = Random::from_os()?.token(16);
    // What is kept in a folder has arrived, whether or not it could be printed too.
    let has_failed: fn() -> bool = if is_kept { || false } else { has_lost };
    let layer = |net, clock| {
        Withholding::new(Answering::new(net, clock, (rules, told.clone()), tag, trace.tap()), has_failed)
    };
    let mut agent = OpenedAgent::open(&account, arguments.data.as_deref())?.start_behind(layer).await?;
    agent.machine_mut().set_names(Names::of(&contacts(&arguments.contacts)).into());
    let printer = Printer::new(arguments.json);
    let server = arguments.server.name(&arguments.identity);
    let mut listener = Listener::new(printer, arguments.identity.as_str(), server);
    listener.trace = trace;
    listener.files = files;
    agent.command(AgentCommand::Connect, &mut |event| listener.hear(event));
    let stop = stopped();
    tokio::pin!(stop);
    while !listener.is_turned_away && !has_lost() {
        let other = async {
            tokio::select! {
                stopped = &mut stop => Some(stopped),
                () = told.news() => None,
            }
        };
        let woken = agent.turn(&mut |event| listener.hear(event), other).await?;
        listener.trace.print();
        answer::print(printer, &told.take());
        if let Some(Some(stopped)) = woken {
            stopped?;
            break;
        }
        // What is printed counts as read.
        for conversation in std::mem::take(&mut listener.shown) {
            agent.command(AgentCommand::Seen { conversation }, &mut |event| listener.hear(event));
        }
    }
    leave(&mut agent, &mut listener).await?;
    agent.finish(&mut |event| listener.hear(event)).await?;
    listener.trace.print();
    answer::print(printer, &told.take());
    Ok(listener.status())
}

/// A message could not be printed, or a file of it be neither saved nor kept.
fn has_lost() -> bool {
    is_failing() || save_files::has_lost()
}

/// An address book without names.
fn contacts(addresses: &[Uri]) -> AddressBook {
    let mut book = AddressBook::default();
    for address in addresses {
        book.put(Contact { address: address.as_str().to_owned(), name: String::new(), simulated: false });
    }
    book
}

/// The state of `listen`.
#[derive(Debug)]
struct Listener {
    printer: Printer,
    trace: Trace,
    /// Saves files, if that is asked for.
    files: Option<SavedFiles>,
    /// Our address, and the server.
    place: String,
    server: String,
    /// The last step reached on the way to the server.
    step: ConnectStep,
    registered: Registered,
    /// The problem that was reported; none while we are registered.
    trouble: Option<String>,
    /// The server refuses us, and retrying would not help.
    is_turned_away: bool,
    shown: Vec<ConversationId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Registered {
    Never,
    Now,
    /// Was registered before, but is not now.
    Before,
}

impl Listener {
    fn new(printer: Printer, identity: &str, server: String) -> Self {
        Self {
            printer,
            trace: Trace::off(),
            files: None,
            place: format!("{identity} at {server}"),
            server,
            step: ConnectStep::Finding,
            registered: Registered::Never,
            trouble: None,
            is_turned_away: false,
            shown: Vec::new(),
        }
    }

    /// Handles an event. A message is printed and flushed here, before its 200 leaves. One that cannot be printed, or whose
    /// files can be neither saved nor kept, does not count as seen, and ends the command.
    fn hear(&mut self, event: Event) {
        // What led to an event stands above it.
        self.trace.print();
        match event {
            Event::Received {
                conversation,
                from,
                also_to,
                content_type,
                text,
                files,
                verified,
                at,
                call_id,
                body,
                ..
            } => {
                if has_lost() {
                    return;
                }
                let saved = self.files.as_mut().map(|to| to.save(&content_type, &body)).unwrap_or_default();
                if has_lost() {
                    return;
                }
                self.printer.print(&OutputLine::Message {
                    time: utc(at),
                    id: &call_id,
                    from: &from.address,
                    also_to: also_to.iter().map(|person| person.address.as_str()).collect(),
                    content_type: &content_type,
                    text: &text,
                    files: files.iter().map(|file| file.name.as_str()).collect(),
                    saved,
                    verified,
                });
                if !is_failing() {
                    self.shown.push(conversation);
                }
            }
            Event::Registration(state) => self.hear_registration(state),
            Event::StrangersRefused => {
                note(
                    "people who are not contacts have sent so much today that their further messages are refused",
                );
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
            | Event::Window(_)
            | Event::Disconnected => {}
        }
    }

    fn hear_registration(&mut self, state: RegistrationState) {
        match state {
            RegistrationState::Connected | RegistrationState::ByList | RegistrationState::NoFanOut => {
                if self.registered != Registered::Now || self.trouble.is_some() {
                    tell(&format!("registered as {}", self.place));
                }
                self.registered = Registered::Now;
                self.trouble = None;
            }
            RegistrationState::Refused { status, reason, why, retry_after, .. } => {
                self.is_turned_away = retry_after.is_none();
                let why = why.map_or_else(String::new, |why| format!(": {why}"));
                self.complain(&format!("{status} {reason}{why}"), retry_after);
            }
            RegistrationState::Offline { why, retry_after } => {
                let why = offline(&why, self.step, &self.server);
                self.complain(&why, Some(retry_after));
            }
            RegistrationState::Connecting(step) => {
                self.step = step;
                still_waiting(step, &self.server);
            }
            RegistrationState::Idle => {}
        }
    }

    /// Says why nobody can reach us, once for as long as the reason stays the same.
    fn complain(&mut self, why: &str, retry_after: Option<Duration>) {
        let what =
            if self.registered == Registered::Never { "not registered" } else { "no longer registered" };
        if self.registered == Registered::Now {
            self.registered = Registered::Before;
        }
        if self.trouble.as_deref() == Some(why) {
            return;
        }
        let again = retry_after
            .map_or_else(String::new, |wait| format!("; trying again in {} s", wait.as_secs_f64().ceil()));
        note(&format!("{what} as {}: {why}{again}", self.place));
        self.trouble = Some(why.to_owned());
    }

    /// Being told to end counts as success, unless we could never be reached.
    fn status(&self) -> ExitCode {
        match self.registered {
            _ if self.is_turned_away => ExitCode::from(2),
            _ if save_files::has_lost() => ExitCode::from(UNPRINTED_STATUS),
            Registered::Never => ExitCode::from(1),
            Registered::Now | Registered::Before => ExitCode::SUCCESS,
        }
    }
}

/// Removes the binding; does not wait for a proxy that is gone.
async fn leave<N: Network>(agent: &mut Agent<N>, listener: &mut Listener) -> Result<(), Fault> {
    let mut is_over = false;
    // A message that comes now is still accepted, so it is printed too.
    let mut on_event = |event: Event| {
        is_over |= event == Event::Disconnected;
        listener.hear(event);
    };
    agent.command(AgentCommand::Disconnect, &mut on_event);
    let patience = tokio::time::sleep(Duration::from_secs(1));
    tokio::pin!(patience);
    while !is_over {
        let mut on_event = |event: Event| {
            is_over |= event == Event::Disconnected;
            listener.hear(event);
        };
        if agent.turn(&mut on_event, &mut patience).await?.is_some() {
            break;
        }
    }
    Ok(())
}
