//! `fanfare send --repeat N`: the same message many times, and a summary of what became of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;

use super::outcomes::{self, is_outcome, is_taken, word};
use super::output::{OutputLine, Printer, millis};
use super::percentiles::Percentiles;
use super::stopped;
use super::trace::Trace;
use crate::limits::{SEND_OUTCOMES_MAX, SEND_RATE_MAX, SEND_REPEAT_MAX};
use crate::model::command::{AgentCommand, Draft, Event, RegistrationState};
use crate::model::delivery::is_reached;
use crate::model::journal::{DeliveryState, MessageId};
use crate::runtime::agent::Agent;
use crate::sip::ReportMode;

/// How often a message is sent.
#[derive(Debug, Args)]
pub(super) struct RepeatArguments {
    /// Send the message this many times and print a summary of the outcomes.
    #[arg(long, value_name = "COUNT", value_parser = count)]
    repeat: Option<u32>,
    /// With --repeat: how many messages to send a second (default: each once the outcomes of the one before are known).
    #[arg(long, value_name = "NUMBER", requires = "repeat", value_parser = rate)]
    rate: Option<f64>,
}

impl RepeatArguments {
    /// True if there is more to do than to send one message.
    pub(super) const fn is_given(&self) -> bool {
        self.repeat.is_some()
    }
}

fn count(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(count @ 1..=SEND_REPEAT_MAX) => Ok(count),
        Ok(_) | Err(_) => Err(format!("{text:?} is not a number from 1 to {SEND_REPEAT_MAX}")),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=SEND_RATE_MAX).contains(&rate) => Ok(rate),
        Ok(_) | Err(_) => Err(format!("{text:?} is not a number from 0.001 to {SEND_RATE_MAX}")),
    }
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    pub(super) draft: &'a Draft,
    pub(super) mode: ReportMode,
    /// How long the outcomes of each message are waited for.
    pub(super) timeout: Duration,
    pub(super) printer: Printer,
}

/// Sends the message again and again; see [`RepeatArguments`].
pub(super) async fn send(
    arguments: &RepeatArguments,
    Run { draft, mode, timeout, printer }: Run<'_>,
    (agent, trace): (&mut Agent, &Trace),
) -> anyhow::Result<ExitCode> {
    let count = arguments.repeat.unwrap_or(1);
    let people = outcomes::people(draft.to.iter().map(|person| person.address.as_str()));
    let outcomes = usize::try_from(count)?.saturating_mul(people);
    anyhow::ensure!(
        outcomes <= SEND_OUTCOMES_MAX,
        "{count} messages to {people} recipients have {outcomes} outcomes, and at most {SEND_OUTCOMES_MAX} are counted"
    );
    let mut tally = Tally::new(printer, mode, people);
    let clock = agent.shell().clock();
    let start = clock.now().mono;
    let interval = arguments.rate.map(|rate| Duration::from_secs_f64(rate.recip()));
    let stop = stopped();
    tokio::pin!(stop);
    let hear = |tally: &mut Tally, event, now| {
        trace.print();
        tally.hear(event, now);
    };
    agent.command(AgentCommand::Connect, &mut |event| hear(&mut tally, event, clock.now().mono));
    loop {
        let now = clock.now().mono;
        tally.give_up(now, timeout);
        let is_all_sent = tally.begun >= count || tally.failed.is_some();
        if is_all_sent && tally.is_idle() {
            break;
        }
        let next = if is_all_sent { None } else { tally.next_begin(now, start, interval) };
        if next.is_some_and(|due| due <= now) {
            tally.begin(now);
            let command = AgentCommand::Send(draft.clone());
            agent.command(command, &mut |event| hear(&mut tally, event, clock.now().mono));
        }
        // What was due is followed by a turn of the network before the next, however far behind we are.
        let wait = next.into_iter().chain(tally.next_end(timeout)).min();
        let wait = wait.map_or(timeout, |at| clock.until(at));
        let other = async {
            tokio::select! {
                stopped = &mut stop => Some(stopped),
                () = tokio::time::sleep(wait) => None,
            }
        };
        let woken = agent.turn(&mut |event| hear(&mut tally, event, clock.now().mono), other).await?;
        trace.print();
        if let Some(Some(stopped)) = woken {
            stopped?;
            break;
        }
    }
    let took = clock.now().mono.saturating_duration_since(start);
    agent.finish(&mut |event| hear(&mut tally, event, clock.now().mono)).await?;
    trace.print();
    Ok(tally.finish(took))
}

/// What became of the messages so far.
#[derive(Debug)]
struct Tally {
    printer: Printer,
    mode: ReportMode,
    /// Recipients of each message.
    people: usize,
    /// How many messages were begun.
    begun: u32,
    /// When those were begun that have no number in the store yet, in order.
    unnumbered: VecDeque<(u32, Instant)>,
    open: BTreeMap<MessageId, Open>,
    counts: Counts,
    accepted_ms: Vec<u64>,
    outcome_ms: Vec<u64>,
    /// Why no message can leave at all.
    failed: Option<String>,
}

/// A message whose outcomes are not all known.
#[derive(Debug)]
struct Open {
    number: u32,
    begun: Instant,
    is_accepted: bool,
    known: BTreeSet<String>,
}

/// The numbers in the summary.
#[derive(Debug, Default)]
struct Counts {
    accepted: u32,
    refused: u32,
    outcomes: BTreeMap<&'static str, usize>,
    statuses: BTreeMap<u16, usize>,
}

impl Tally {
    fn new(printer: Printer, mode: ReportMode, people: usize) -> Self {
        Self {
            printer,
            mode,
            people,
            begun: 0,
            unnumbered: VecDeque::new(),
            open: BTreeMap::new(),
            counts: Counts::default(),
            accepted_ms: Vec::new(),
            outcome_ms: Vec::new(),
            failed: None,
        }
    }

    fn begin(&mut self, now: Instant) {
        self.begun += 1;
        self.unnumbered.push_back((self.begun, now));
    }

    /// True if nothing more is awaited of what was begun.
    fn is_idle(&self) -> bool {
        self.unnumbered.is_empty() && self.open.is_empty()
    }

    /// When the next message is to be sent; none as long as the outcomes of the one before are awaited.
    fn next_begin(&self, now: Instant, start: Instant, interval: Option<Duration>) -> Option<Instant> {
        match interval {
            Some(interval) => Some(start + interval * self.begun),
            None => self.is_idle().then_some(now),
        }
    }

    /// When the oldest message is given up.
    fn next_end(&self, timeout: Duration) -> Option<Instant> {
        let unnumbered = self.unnumbered.front().map(|(_, begun)| *begun);
        self.open.values().map(|open| open.begun).chain(unnumbered).min().map(|begun| begun + timeout)
    }

    /// Counts what is still unknown of messages that are older than this.
    fn give_up(&mut self, now: Instant, timeout: Duration) {
        let old = |(message, open): (&MessageId, &Open)| (open.begun + timeout <= now).then_some(*message);
        let old: Vec<_> = self.open.iter().filter_map(old).collect();
        for message in old {
            self.close(message);
        }
        while self.unnumbered.pop_front_if(|(_, begun)| *begun + timeout <= now).is_some() {
            *self.counts.outcomes.entry("unknown").or_default() += self.people;
        }
    }

    fn hear(&mut self, event: Event, now: Instant) {
        match event {
            Event::Queued { message, .. } => {
                if let Some((number, begun)) = self.unnumbered.pop_front() {
                    self.open
                        .insert(message, Open { number, begun, is_accepted: false, known: BTreeSet::new() });
                }
            }
            Event::NotSent { why, .. } => {
                if let Some((number, _)) = self.unnumbered.pop_front() {
                    self.refused(number, None, &why);
                }
            }
            Event::Accepted { message, after, .. } => {
                if self.accepted(message) {
                    self.accepted_ms.push(millis(after));
                }
            }
            Event::OneByOne { message, .. } => {
                self.accepted(message);
            }
            Event::Refused { message, status, reason, .. } => {
                if let Some(open) = self.open.remove(&message) {
                    self.refused(open.number, Some(status), &reason.to_string());
                }
            }
            Event::Delivery { message, address, state, status, reason, .. } => {
                self.outcome(message, (&address, state), (status, &reason.to_string()), now);
            }
            Event::Reported { message, .. } | Event::Unreported { message, .. } => self.close(message),
            Event::Registration(RegistrationState::Refused { status, reason, .. })
                if self.counts.accepted == 0 =>
            {
                self.fail(format!("{status} {reason}"));
            }
            Event::Registration(RegistrationState::Offline { why, .. }) if self.counts.accepted == 0 => {
                self.fail(why.words().unwrap_or_else(|| "the server does not answer".to_owned()));
            }
            Event::Registration(_)
            | Event::ReportedStranger { .. }
            | Event::Received { .. }
            | Event::StrangersRefused
            | Event::Window(_)
            | Event::Disconnected => {}
        }
    }

    /// The server has a message; false if it is not one of ours.
    fn accepted(&mut self, message: MessageId) -> bool {
        let Some(open) = self.open.get_mut(&message) else { return false };
        if !std::mem::replace(&mut open.is_accepted, true) {
            self.counts.accepted += 1;
        }
        if self.mode == ReportMode::None {
            self.open.remove(&message);
        }
        true
    }

    fn outcome(
        &mut self,
        message: MessageId,
        (address, state): (&str, DeliveryState),
        (status, reason): (Option<u16>, &str),
        now: Instant,
    ) {
        // Whoever reports on it has it, whether or not his 202 has come (W25).
        if is_taken(state) {
            self.accepted(message);
        }
        let Some(open) = self.open.get_mut(&message) else { return };
        if !is_outcome(state) || !open.known.insert(address.to_owned()) {
            return;
        }
        let took = millis(now.saturating_duration_since(open.begun));
        let (number, is_last) = (open.number, open.known.len() >= self.people);
        self.outcome_ms.push(took);
        *self.counts.outcomes.entry(word(state)).or_default() += 1;
        if let Some(status) = status {
            *self.counts.statuses.entry(status).or_default() += 1;
        }
        if self.printer.is_json() || !is_reached(state) {
            self.printer.print(&OutputLine::Outcome {
                message: Some(number),
                to: address,
                state: word(state),
                status,
                reason,
                after_ms: Some(took),
            });
        }
        if is_last {
            self.open.remove(&message);
        }
    }

    fn refused(&mut self, number: u32, status: Option<u16>, reason: &str) {
        self.counts.refused += 1;
        if let Some(status) = status {
            *self.counts.statuses.entry(status).or_default() += 1;
        }
        self.printer.print(&OutputLine::Refused { message: Some(number), status, reason });
    }

    /// Nothing more is heard of this message.
    fn close(&mut self, message: MessageId) {
        let Some(open) = self.open.remove(&message) else { return };
        let unknown = self.people.saturating_sub(open.known.len());
        if unknown > 0 {
            *self.counts.outcomes.entry("unknown").or_default() += unknown;
        }
    }

    /// No message can leave.
    fn fail(&mut self, why: String) {
        let begun = self.unnumbered.len() + self.open.len();
        self.counts.refused += u32::try_from(begun).unwrap_or(u32::MAX);
        self.unnumbered.clear();
        self.open.clear();
        self.failed = Some(why);
    }

    /// Prints the summary; the exit status is that of a single message in the same case.
    fn finish(mut self, took: Duration) -> ExitCode {
        let open: Vec<_> = self.open.keys().copied().collect();
        open.into_iter().for_each(|message| self.close(message));
        if let Some(reason) = &self.failed {
            self.printer.print(&OutputLine::Refused { message: None, status: None, reason });
        }
        let reached = self.counts.outcomes.get("success").copied().unwrap_or_default();
        let wanted = usize::try_from(self.begun).unwrap_or(usize::MAX).saturating_mul(self.people);
        let is_whole =
            reached == wanted || (self.mode == ReportMode::None && self.counts.accepted == self.begun);
        let (accepted, begun) = (self.counts.accepted, self.begun);
        self.printer.print(&OutputLine::Summary {
            messages: begun,
            accepted,
            refused: self.counts.refused,
            outcomes: &self.counts.outcomes,
            statuses: &self.counts.statuses,
            accepted_ms: Percentiles::of(&mut self.accepted_ms),
            outcome_ms: Percentiles::of(&mut self.outcome_ms),
            took_ms: millis(took),
        });
        match accepted {
            0 => ExitCode::from(2),
            _ if is_whole => ExitCode::SUCCESS,
            _ => ExitCode::from(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::journal::ConversationId;
    use crate::model::reason::Phrase;
    use crate::time::{Clock, Timestamp};

    #[test]
    fn how_often_and_how_fast_has_bounds_that_are_named() {
        assert_eq!((count("1"), count("100000")), (Ok(1), Ok(100_000)));
        for text in ["0", "100001", "-1", "many", ""] {
            assert_eq!(count(text), Err(format!("{text:?} is not a number from 1 to 100000")));
        }
        assert_eq!((rate("0.5"), rate("10000")), (Ok(0.5), Ok(10_000.0)));
        for text in ["0", "-1", "10001", "NaN", "inf", "fast"] {
            assert_eq!(rate(text), Err(format!("{text:?} is not a number from 0.001 to 10000")));
        }
    }

    fn delivery(message: u64, address: &str, state: DeliveryState, status: u16) -> Event {
        Event::Delivery {
            conversation: ConversationId(1),
            message: MessageId(message),
            attempt: 1,
            recipient: 0,
            address: address.to_owned(),
            state,
            status: Some(status),
            reason: Phrase::default(),
            after: None,
            at: Timestamp::from_millis(1),
        }
    }

    #[test]
    fn each_outcome_counts_once_and_what_is_not_heard_of_is_unknown() {
        let start = Clock::start().now().mono;
        let after = |millis| start + Duration::from_millis(millis);
        let mut tally = Tally::new(Printer::Json, ReportMode::Final, 2);
        for number in 1..=4 {
            tally.begin(start);
            tally.hear(Event::Queued { conversation: ConversationId(1), message: MessageId(number) }, start);
        }
        for number in [1, 2, 4] {
            let after = Duration::from_millis(number);
            tally.hear(Event::Accepted { message: MessageId(number), attempt: 1, status: 202, after }, start);
        }
        tally.hear(delivery(1, "a", DeliveryState::Delivered, 200), after(5));
        tally.hear(delivery(1, "a", DeliveryState::Delivered, 200), after(50));
        tally.hear(delivery(1, "b", DeliveryState::Failed, 486), after(9));
        assert_eq!(tally.open.len(), 3, "both outcomes of the first are known");
        tally.hear(delivery(2, "a", DeliveryState::Deferred, 480), after(7));
        tally.hear(Event::Reported { message: MessageId(2), attempt: 1 }, after(8));
        let refused =
            Event::Refused { message: MessageId(3), attempt: 1, status: 503, reason: Phrase::default() };
        tally.hear(refused, after(3));
        tally.hear(delivery(3, "a", DeliveryState::Failed, 503), after(3));
        tally.give_up(after(59_999), Duration::from_secs(60));
        assert!(!tally.is_idle());
        tally.give_up(after(60_000), Duration::from_secs(60));
        assert!(tally.is_idle());
        tally.begin(after(60_000));
        tally.fail("there is no way".to_owned());
        assert!(tally.is_idle());
        let outcomes: Vec<_> = tally.counts.outcomes.clone().into_iter().collect();
        assert_eq!(outcomes, [("deferred", 1), ("failure", 1), ("success", 1), ("unknown", 3)]);
        let statuses: Vec<_> = tally.counts.statuses.clone().into_iter().collect();
        assert_eq!(statuses, [(200, 1), (480, 1), (486, 1), (503, 1)]);
        assert_eq!((tally.counts.refused, tally.counts.accepted), (2, 3));
        assert_eq!((tally.accepted_ms, tally.outcome_ms), (vec![1, 2, 4], vec![5, 9, 7]));
    }
    #[test]
    fn w25_what_is_reported_before_the_202_or_without_it_counts() {
        let start = Clock::start().now().mono;
        let mut tally = Tally::new(Printer::Json, ReportMode::Final, 2);
        for number in 1..=2 {
            tally.begin(start);
            tally.hear(Event::Queued { conversation: ConversationId(1), message: MessageId(number) }, start);
            tally.hear(delivery(number, "a", DeliveryState::Failed, 404), start);
        }
        let late = Duration::from_millis(7);
        tally.hear(Event::Accepted { message: MessageId(1), attempt: 1, status: 202, after: late }, start);
        for number in 1..=2 {
            tally.hear(delivery(number, "b", DeliveryState::Failed, 486), start);
            tally.hear(Event::Reported { message: MessageId(number), attempt: 1 }, start);
        }
        assert!(tally.is_idle());
        assert_eq!(tally.counts.outcomes.clone().into_iter().collect::<Vec<_>>(), [("failure", 4)]);
        assert_eq!((tally.counts.accepted, tally.accepted_ms.clone()), (2, vec![7]));
        assert_eq!(tally.finish(Duration::ZERO), ExitCode::from(1));
    }
}
