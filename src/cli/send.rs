//! `fanfare send`: sends one message and prints a line per recipient as each outcome becomes known.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::connecting::{offline, still_waiting};
use super::outcomes::{self, is_outcome, is_taken, word};
use super::output::{OutputLine, Printer, millis};
use super::repeat::{self, RepeatArguments};
use super::trace::Trace;
use super::{Report, ServerArguments, SignInArguments, parse, password, runtime, stopped};
use crate::model::command::{AgentCommand, ConnectStep, Draft, Event, RegistrationState};
use crate::model::contacts::address_key;
use crate::model::delivery::is_reached;
use crate::model::journal::{AttemptStage, DeliveryState, MessageId, PersonRow};
use crate::model::outage::Outage;
use crate::runtime::agent::Agent;
use crate::runtime::attachment;
use crate::sip::{File, ReportMode, ReportOptions, Uri};

/// What `fanfare send` is given.
#[derive(Debug, Args)]
pub(super) struct SendArguments {
    /// Address of the sender.
    #[arg(long, value_name = "ADDRESS", value_parser = parse::own_address)]
    from: Uri,
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    sign_in: SignInArguments,
    /// Address of a recipient; may be repeated.
    #[arg(long, value_name = "ADDRESS", value_parser = parse::address, required = true)]
    to: Vec<Uri>,
    /// Text of the message (default: read from standard input, unless there is a --file).
    #[arg(long)]
    text: Option<String>,
    /// File to attach; may be repeated.
    #[arg(long, value_name = "PATH")]
    file: Vec<PathBuf>,
    /// Delivery report to ask for.
    #[arg(long, value_enum, value_name = "final|each|none", default_value_t = Report::Final)]
    report: Report,
    /// How long the message may wait in the proxy's mailbox for absent recipients (default: it does not wait).
    #[arg(long, value_name = "TIME", value_parser = parse::expires)]
    expires: Option<u32>,
    #[command(flatten)]
    repeat: RepeatArguments,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
    /// Print every SIP message that passes, without passwords, on standard error.
    #[arg(long)]
    trace: bool,
    /// How long to wait for outcomes.
    #[arg(long, value_name = "TIME", value_parser = parse::duration, default_value = "60s")]
    timeout: Duration,
    /// With --expires: wait for the outcomes of absent recipients too, who get the message when they are back.
    #[arg(long, conflicts_with = "repeat")]
    wait: bool,
    /// Folder for messages that could not be sent yet (default: nothing is kept).
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(super) fn run(mut arguments: SendArguments) -> anyhow::Result<ExitCode> {
    let text = match arguments.text.take() {
        Some(text) => text,
        None if arguments.file.is_empty() => read_text()?,
        None => String::new(),
    };
    let files = arguments.file.iter().map(|path| attachment::read(path)).collect::<Result<_, _>>()?;
    runtime()?.block_on(send(&arguments, text, files))
}

fn read_text() -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).context("cannot read the text from standard input")?;
    String::from_utf8(bytes).context("the text on standard input is not UTF-8")
}

async fn send(arguments: &SendArguments, text: String, files: Vec<File>) -> anyhow::Result<ExitCode> {
    let sign_in = password::sign_in(&arguments.sign_in)?;
    let mut account = parse::account(&arguments.from, sign_in, &arguments.server, parse::Registers::No);
    account.expires_secs = arguments.expires;
    let mut agent = Agent::start(&account, arguments.data.as_deref()).await?;
    let mode = ReportMode::from(arguments.report);
    let server = arguments.server.name(&arguments.from);
    let people = outcomes::people(arguments.to.iter().map(Uri::as_str));
    let mut progress = Progress::new(Printer::new(arguments.json), mode, people, server);
    progress.waits_for_absent = arguments.wait;
    progress.trace = Trace::new(arguments.trace);
    agent.watch(progress.trace.tap());
    let to =
        arguments.to.iter().map(|uri| PersonRow { address: uri.as_str().to_owned(), name: String::new() });
    let report = ReportOptions { mode, detail: true, id: None };
    let draft = Draft { to: to.collect(), text, files, hidden: false, report };
    if arguments.repeat.is_given() {
        let (printer, timeout) = (Printer::new(arguments.json), arguments.timeout);
        let run = repeat::Run { draft: &draft, mode, timeout, printer };
        return repeat::send(&arguments.repeat, run, (&mut agent, &progress.trace)).await;
    }
    // SIGINT and SIGTERM end the wait; outcomes still unknown are reported as such.
    let (patience, stop) = (tokio::time::sleep(arguments.timeout), stopped());
    let over = async {
        tokio::select! {
            () = patience => Ok(()),
            stopped = stop => stopped,
        }
    };
    tokio::pin!(over);
    agent.command(AgentCommand::Connect, &mut |event| progress.hear(event));
    agent.command(AgentCommand::Send(draft), &mut |event| progress.hear(event));
    while progress.ending().is_none() {
        let over = agent.turn(&mut |event| progress.hear(event), &mut over).await?;
        progress.trace.print();
        if let Some(over) = over {
            over?;
            break;
        }
    }
    agent.finish(&mut |event| progress.hear(event)).await?;
    progress.trace.print();
    let stage = progress.message.and_then(|message| agent.machine().stage(message)).cloned();
    let fate = Fate::of(stage.as_ref(), arguments.data.is_some());
    Ok(progress.finish(fate, &arguments.to.iter().map(Uri::as_str).collect::<Vec<_>>()))
}

/// What happens to a message that the proxy has not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It never left or was refused, and is not retried.
    Dropped,
    /// It may have arrived nevertheless.
    Unknown,
    /// It is stored, and is sent by the next command on the folder.
    Kept,
}

impl Fate {
    const fn of(stage: Option<&AttemptStage>, is_kept: bool) -> Self {
        match stage {
            Some(AttemptStage::Queued | AttemptStage::Sent) if is_kept => Self::Kept,
            Some(AttemptStage::Sent) => Self::Unknown,
            Some(AttemptStage::Queued | AttemptStage::Accepted { .. } | AttemptStage::Closed) | None => {
                Self::Dropped
            }
        }
    }
}

/// How `send` ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ending {
    /// No further reports are awaited.
    Complete,
    /// Every outcome is known, but for those who are absent: the message waits for them in the mailbox.
    Deferred,
    /// Nobody gets it now: the reason, with a SIP status if there is one.
    Refused { status: Option<u16>, reason: String },
}

/// What is known so far.
#[derive(Debug)]
struct Progress {
    printer: Printer,
    trace: Trace,
    mode: ReportMode,
    /// Number of recipients.
    people: usize,
    /// Absent recipients are waited for.
    waits_for_absent: bool,
    /// The server's name, as shown to the user.
    server: String,
    /// The last step reached on the way to the server.
    step: ConnectStep,
    /// Our message, once stored: messages left in the store by a crash are sent too, but not reported here.
    message: Option<MessageId>,
    ending: Option<Ending>,
    /// The proxy has accepted it or reports on it, or it is sent one by one.
    is_accepted: bool,
    /// Recipients whose outcome is known, by [`address_key`].
    known: BTreeSet<String>,
    /// Recipients who do not have it, or not yet.
    missed: BTreeSet<String>,
    /// Those of them who are absent.
    absent: BTreeSet<String>,
}

impl Progress {
    const fn new(printer: Printer, mode: ReportMode, people: usize, server: String) -> Self {
        Self {
            printer,
            trace: Trace::off(),
            mode,
            people,
            waits_for_absent: false,
            server,
            step: ConnectStep::Finding,
            message: None,
            ending: None,
            is_accepted: false,
            known: BTreeSet::new(),
            missed: BTreeSet::new(),
            absent: BTreeSet::new(),
        }
    }

    const fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    fn hear(&mut self, event: Event) {
        self.trace.print();
        if about(&event).is_some_and(|message| Some(message) != self.message) {
            return;
        }
        match event {
            Event::Queued { message, .. } => self.message = Some(message),
            Event::Accepted { status, after, .. } => {
                self.is_accepted = true;
                self.printer.print(&OutputLine::Accepted { status, after_ms: millis(after) });
                if self.mode == ReportMode::None {
                    self.ending = Some(Ending::Complete);
                }
            }
            Event::Refused { status, reason, .. } => self.refuse(Some(status), &reason.to_string()),
            Event::NotSent { why, .. } => self.refuse(None, &why),
            Event::Registration(RegistrationState::Offline { why, .. }) if !self.is_accepted => {
                self.refuse(None, &offline(&why, self.step, &self.server));
            }
            Event::Registration(RegistrationState::Connecting(step)) => {
                self.step = step;
                still_waiting(step, &self.server);
            }
            Event::Registration(RegistrationState::Refused { status, reason, why, .. })
                if !self.is_accepted =>
            {
                let words = why.map_or_else(|| reason.clone(), |why| format!("{reason}: {why}"));
                self.refuse(Some(status), &words);
            }
            Event::OneByOne { .. } => {
                self.is_accepted = true;
                if self.people > 1 {
                    self.printer.print(&OutputLine::OneByOne);
                }
            }
            Event::Delivery { address, state, status, reason, after, .. } => {
                self.outcome(
                    &address,
                    state,
                    &OutputLine::Outcome {
                        message: None,
                        to: &address,
                        state: word(state),
                        status,
                        reason: &reason.to_string(),
                        after_ms: after.map(millis),
                    },
                );
            }
            Event::Unreported { .. } => self.end("none"),
            Event::Reported { .. } => self.end("complete"),
            Event::ReportedStranger { address, state, .. } => warn_of_stranger(&address, &state),
            Event::Registration(_)
            | Event::Received { .. }
            | Event::StrangersRefused
            | Event::Window(_)
            | Event::Disconnected => {}
        }
    }

    /// Nothing more is expected: there is no report, or it is complete.
    fn end(&mut self, state: &'static str) {
        self.printer.print(&OutputLine::Report { state });
        self.ending = Some(Ending::Complete);
    }

    fn outcome(&mut self, address: &str, state: DeliveryState, line: &OutputLine<'_>) {
        // What follows from a refusal of the whole message is told once, by its own line.
        if !self.is_accepted && self.ending.is_some() {
            return;
        }
        self.is_accepted |= is_taken(state);
        if !is_outcome(state) {
            return;
        }
        let person = address_key(address);
        put(&mut self.missed, &person, !is_reached(state));
        put(&mut self.absent, &person, state == DeliveryState::Deferred);
        self.known.insert(person);
        self.printer.print(line);
        let is_all = self.known.len() >= self.people && !self.absent.is_empty();
        if is_all && !self.waits_for_absent && self.ending.is_none() {
            self.ending = Some(Ending::Deferred);
        }
    }

    fn refuse(&mut self, status: Option<u16>, reason: &str) {
        if self.ending.is_none() {
            self.ending = Some(Ending::Refused { status, reason: reason.to_owned() });
        }
    }

    /// Says why nobody gets it, and whether it will be retried.
    fn tell_refused(&self, fate: Fate, status: Option<u16>, reason: &str) -> ExitCode {
        self.printer.print(&match fate {
            Fate::Dropped => OutputLine::Refused { message: None, status, reason },
            Fate::Unknown => OutputLine::Unconfirmed { status, reason, retried: false },
            Fate::Kept => OutputLine::Unconfirmed { status, reason, retried: true },
        });
        ExitCode::from(2)
    }

    /// The exit status; after a timeout also says whose outcome is still unknown.
    fn finish(self, fate: Fate, recipients: &[&str]) -> ExitCode {
        match &self.ending {
            Some(Ending::Refused { status, reason }) => return self.tell_refused(fate, *status, reason),
            None if !self.is_accepted => {
                let why = format!("{} in time", offline(&Outage::NoAnswer, self.step, &self.server));
                return self.tell_refused(fate, None, &why);
            }
            Some(Ending::Complete | Ending::Deferred) | None => {}
        }
        if self.mode == ReportMode::None {
            return ExitCode::SUCCESS;
        }
        let mut known = self.known.clone();
        let unknown: Vec<_> =
            recipients.iter().filter(|address| known.insert(address_key(address))).collect();
        // A report may be complete and not name everybody.
        for to in &unknown {
            self.printer.print(&OutputLine::Outcome {
                message: None,
                to,
                state: "unknown",
                status: None,
                reason: "",
                after_ms: None,
            });
        }
        let is_whole = self.ending == Some(Ending::Complete);
        if !is_whole {
            self.printer.print(&OutputLine::Report {
                state: if unknown.is_empty() { "deferred" } else { "missing" },
            });
        }
        let is_reached = is_whole && unknown.is_empty() && self.missed.is_empty();
        if is_reached { ExitCode::SUCCESS } else { ExitCode::from(1) }
    }
}

/// Makes a person one of these, or none of them.
fn put(people: &mut BTreeSet<String>, person: &str, is_one: bool) {
    if is_one {
        people.insert(person.to_owned());
    } else {
        people.remove(person);
    }
}

/// The message that an event is about.
const fn about(event: &Event) -> Option<MessageId> {
    match event {
        Event::Accepted { message, .. }
        | Event::OneByOne { message, .. }
        | Event::Unreported { message, .. }
        | Event::Refused { message, .. }
        | Event::Delivery { message, .. }
        | Event::ReportedStranger { message, .. }
        | Event::Reported { message, .. } => Some(*message),
        // The first one queued is ours: this machine is given nothing else to send.
        Event::Queued { .. }
        | Event::NotSent { .. }
        | Event::Registration(_)
        | Event::Received { .. }
        | Event::StrangersRefused
        | Event::Window(_)
        | Event::Disconnected => None,
    }
}

/// A report about somebody to whom the message was not sent is no outcome.
fn warn_of_stranger(address: &str, state: &str) {
    tracing::warn!(address, state, "the report names an address that this message was not sent to");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::journal::ConversationId;
    use crate::model::reason::Phrase;
    use crate::time::Timestamp;

    const ANN: &str = "im:ann@domain.com";
    const JOE: &str = "im:joe@domain.com";

    fn delivery(address: &str, state: DeliveryState) -> Event {
        Event::Delivery {
            conversation: ConversationId(1),
            message: MessageId(1),
            attempt: 1,
            recipient: 0,
            address: address.to_owned(),
            state,
            status: None,
            reason: Phrase::default(),
            after: None,
            at: Timestamp::from_millis(1),
        }
    }

    fn reported() -> Event {
        Event::Reported { message: MessageId(1), attempt: 1 }
    }

    fn accepted() -> Event {
        Event::Accepted { message: MessageId(1), attempt: 1, status: 202, after: Duration::ZERO }
    }

    fn refused() -> Event {
        Event::Refused { message: MessageId(1), attempt: 1, status: 503, reason: Phrase::default() }
    }

    /// What `send` to Ann and Joe knows after these events, and its exit status.
    fn told(events: Vec<Event>) -> (Vec<String>, Option<Ending>, ExitCode) {
        let people = outcomes::people([ANN, JOE]);
        let mut progress = Progress::new(Printer::Json, ReportMode::Final, people, "the server".to_owned());
        progress.hear(Event::Queued { conversation: ConversationId(1), message: MessageId(1) });
        events.into_iter().for_each(|event| progress.hear(event));
        let known = progress.known.iter().cloned().collect();
        let ending = progress.ending.clone();
        (known, ending, progress.finish(Fate::Dropped, &[ANN, JOE]))
    }

    #[test]
    fn w25_a_report_that_overtakes_the_202_or_comes_without_it_counts() {
        use DeliveryState::{Accepted, Delivered, Failed};
        let fails = || vec![delivery(ANN, Failed), delivery(JOE, Failed), reported()];
        let late = [fails(), vec![accepted()]].concat();
        for events in [fails(), late] {
            let (known, ending, status) = told(events);
            assert_eq!((known.len(), ending, status), (2, Some(Ending::Complete), ExitCode::from(1)));
        }
        // What an interim report said before the 202 is not lost.
        let interim = vec![delivery(JOE, Failed), delivery(ANN, Accepted), accepted()];
        let (known, _, status) = told([interim, vec![delivery(ANN, Delivered), reported()]].concat());
        assert_eq!((known.len(), status), (2, ExitCode::from(1)));
        let (_, _, status) = told(vec![delivery(ANN, Delivered), delivery(JOE, Delivered), reported()]);
        assert_eq!(status, ExitCode::SUCCESS);
        // Nor is what it said when the account then loses its server.
        let gone = Event::Registration(RegistrationState::Offline {
            why: Outage::NoAnswer,
            retry_after: Duration::from_secs(2),
        });
        let (_, ending, status) = told(vec![delivery(JOE, Failed), gone]);
        assert_eq!((ending, status), (None, ExitCode::from(1)));
    }

    #[test]
    fn whoever_a_complete_report_leaves_out_was_not_reached() {
        let (known, ending, status) =
            told(vec![accepted(), delivery(ANN, DeliveryState::Delivered), reported()]);
        assert_eq!((known.len(), ending, status), (1, Some(Ending::Complete), ExitCode::from(1)));
    }

    #[test]
    fn what_follows_from_a_refusal_is_told_once() {
        let failed = [ANN, JOE].map(|address| delivery(address, DeliveryState::Failed));
        let (known, ending, status) = told([vec![refused()], failed.to_vec()].concat());
        assert!(known.is_empty(), "{known:?}");
        assert!(matches!(ending, Some(Ending::Refused { status: Some(503), .. })), "{ending:?}");
        assert_eq!(status, ExitCode::from(2));
    }

    #[test]
    fn a_person_named_twice_is_one() {
        assert_eq!(outcomes::people([ANN, "sip:ann@DOMAIN.com", JOE]), 2);
    }
}
