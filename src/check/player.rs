//! Walks through the steps of a script on a stage.

use std::time::Duration;

use super::expectation::judge;
use super::facts::{Facts, Person, ladders, trace};
use super::read::CheckedScript;
use super::result::{Check, Run};
use super::script::{Expectation, Names, Reporting, Step};
use super::stage::{Stage, Unplayable};
use crate::injection::{self, Conduct, Injection, ProxyAct, ProxyFault};
use crate::model::command::{AgentCommand, Draft};
use crate::model::journal::{MessageId, PersonRow};
use crate::sip::{ReportMode, ReportOptions};
use crate::time::Timestamp;

/// How often it is looked whether all outcomes are known.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Plays a script.
///
/// # Errors
/// The stage cannot do what a step wants.
pub(super) fn play(checked: &CheckedScript, stage: &mut impl Stage) -> Result<Run, Unplayable> {
    let mut player =
        Player { checked, began: stage.now(), sent: Vec::new(), expectations: 0, checks: Vec::new() };
    for fault in &checked.faults {
        stage.inject(fault)?;
    }
    for step in &checked.script.steps {
        player.step(step, stage)?;
    }
    let seen = stage.seen();
    let trace = trace(&seen);
    Ok(Run {
        about: checked.script.about.clone(),
        checks: player.checks,
        ladders: ladders(&trace, seen.proxy),
        took: stage.now().since(player.began),
    })
}

struct Player<'a> {
    checked: &'a CheckedScript,
    began: Timestamp,
    /// The texts of the messages, and when they were sent.
    sent: Vec<(&'a str, Timestamp)>,
    /// How many expectations were looked at.
    expectations: usize,
    checks: Vec<Check>,
}

impl<'a> Player<'a> {
    fn step(&mut self, step: &'a Step, stage: &mut impl Stage) -> Result<(), Unplayable> {
        match step {
            Step::Send { to, text, report, hidden } => {
                self.sent.push((text, stage.now()));
                stage.command(AgentCommand::Send(self.draft(to, text, *report, *hidden)));
            }
            Step::Resend { message } => {
                if let Some(message) = self.id(*message, stage) {
                    stage.command(AgentCommand::Resend { message, only: None });
                }
            }
            Step::Withdraw { message } => {
                if let Some(message) = self.id(*message, stage) {
                    stage.command(AgentCommand::Withdraw { message });
                }
            }
            Step::Wait(time) => stage.run_for(time.0),
            Step::WaitForOutcomes(most) => self.wait_for_outcomes(most.0, stage),
            Step::GoOffline(name) => stage.inject(&person(name, Conduct::Offline))?,
            Step::ComeBack(name) => stage.inject(&person(name, Conduct::default()))?,
            Step::Fault(text) => {
                // It was read before, to see whether it is right.
                for fault in injection::read(text).unwrap_or_default() {
                    stage.inject(&fault)?;
                }
            }
            Step::CrashProxy => stage.inject(&proxy(ProxyAct::Crash))?,
            Step::StopProxy => stage.inject(&proxy(ProxyAct::Stop))?,
            Step::StartProxy => stage.inject(&proxy(ProxyAct::Start))?,
            Step::CrashSender => stage.crash_sender(),
            Step::StartSender => stage.start_sender(),
            Step::Expect(expectations) => expectations.iter().for_each(|one| self.expect(one, stage)),
        }
        Ok(())
    }

    fn draft(&self, to: &Names, text: &str, report: Reporting, hidden: bool) -> Draft {
        let person = |name: &String| PersonRow {
            address: self.checked.address(name).unwrap_or_default(),
            name: String::new(),
        };
        let mode = match report {
            Reporting::Final => ReportMode::Final,
            Reporting::Each => ReportMode::Each,
            Reporting::None => ReportMode::None,
        };
        Draft {
            to: to.0.iter().map(person).collect(),
            text: text.to_owned(),
            files: Vec::new(),
            hidden,
            report: ReportOptions { mode, detail: true, id: None },
        }
    }

    /// The place of a message in the order in which they were sent.
    fn place(&self, message: Option<usize>) -> usize {
        message.unwrap_or(self.sent.len()).saturating_sub(1)
    }

    fn id(&self, message: Option<usize>, stage: &impl Stage) -> Option<MessageId> {
        stage.seen().messages.get(self.place(message)).map(|rows| rows.outgoing.id)
    }

    /// The people and the lists, and where they are.
    fn people(&self, places: &[Option<std::net::SocketAddr>]) -> Vec<Person<'a>> {
        let checked = self.checked;
        let people = checked.people.iter().zip(places).map(|(person, place)| Person {
            name: &person.name,
            address: person.address.as_str().to_owned(),
            place: *place,
        });
        let lists = checked.script.lists.iter().map(|list| Person {
            name: &list.name,
            address: checked.address(&list.name).unwrap_or_default(),
            place: None,
        });
        people.chain(lists).collect()
    }

    fn wait_for_outcomes(&self, most: Duration, stage: &mut impl Stage) {
        let end = stage.now().plus(most);
        // At least once, so that the client has taken what it was just told.
        while stage.now() < end {
            stage.run_for(LOOK_EVERY.min(end.since(stage.now())));
            if self.is_settled(stage) {
                return;
            }
        }
    }

    fn is_settled(&self, stage: &impl Stage) -> bool {
        let seen = stage.seen();
        seen.messages.len() + seen.refused.len() >= self.sent.len()
            && seen.messages.iter().all(|rows| {
                Facts::new((Some(rows), "", Timestamp::default()), (&[], seen.proxy), &[]).is_settled()
            })
    }

    fn expect(&mut self, one: &Expectation, stage: &mut impl Stage) {
        let line = self.checked.lines.get(self.expectations).copied().unwrap_or(1);
        self.expectations += 1;
        let message = match one {
            Expectation::Outcome(expected) => expected.message,
            Expectation::Uplink(expected) => expected.message,
            Expectation::NoOutcome { message, .. }
            | Expectation::Arrived { message, .. }
            | Expectation::Reports { message, .. }
            | Expectation::Window { message, .. } => *message,
        };
        let place = self.place(message);
        let Some((text, sent_at)) = self.sent.get(place).copied() else { return };
        if let Expectation::NoOutcome { within, .. } = one {
            stage.run_for(sent_at.plus(within.0).since(stage.now()));
        }
        let seen = stage.seen();
        let trace = trace(&seen);
        let people = self.people(seen.people);
        let facts = Facts::new((seen.messages.get(place), text, sent_at), (&trace, seen.proxy), &people);
        let at = stage.now().since(self.began);
        for (expected, instead) in judge(one, &facts) {
            let instead = match (instead, seen.refused.last()) {
                (Some(instead), Some(why)) => Some(format!("{instead} (a message was not taken: {why})")),
                (instead, _) => instead,
            };
            self.checks.push(Check { at, line, expected, instead });
        }
    }
}

fn person(name: &str, conduct: Conduct) -> Injection {
    Injection::Person { name: name.to_owned(), conduct }
}

const fn proxy(act: ProxyAct) -> Injection {
    Injection::Proxy(ProxyFault { act, after_202: false, back: Duration::ZERO })
}
