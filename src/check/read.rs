//! Reads a script, and says what is wrong with one: line, column, what was expected, and the nearest known word.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::lines::expectation_lines;
use super::script::{Expectation, Names, PersonEntry, Script, Step};
use crate::injection::{self, Conduct, Injection, nearest};
use crate::limits::{SCRIPT_BYTES_MAX, SCRIPT_PEOPLE_MAX, SCRIPT_STEPS_MAX, SCRIPT_TIME_MAX};
use crate::sip::Uri;
use crate::store::ron_file::{self, RonError};

/// What is wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// A sentence without a full stop.
    pub what: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

impl std::error::Error for ScriptError {}

/// A script whose names, addresses and faults were all found to be right.
#[derive(Clone, Debug)]
pub struct CheckedScript {
    /// As it was read.
    pub script: Script,
    /// The people, in the order of the script.
    pub people: Vec<CheckedPerson>,
    /// The faults from the start.
    pub faults: Vec<Injection>,
    /// The line on which each expectation begins, from 1, in order.
    pub lines: Vec<usize>,
}

/// Somebody who takes part.
#[derive(Clone, Debug)]
pub struct CheckedPerson {
    /// What the script calls him.
    pub name: String,
    /// His address.
    pub address: Uri,
    /// How he behaves at first; None for somebody who is not simulated.
    pub conduct: Option<Conduct>,
}

impl CheckedScript {
    /// The address of somebody, or of a list.
    #[must_use]
    pub fn address(&self, name: &str) -> Option<String> {
        let person = self.people.iter().find(|person| person.name == name);
        let list = || self.script.lists.iter().find(|list| list.name == name);
        person
            .map(|person| person.address.as_str().to_owned())
            .or_else(|| list().map(|list| own_address(&list.name, &self.script.domain)))
    }

    /// The person whom a fault names: by the script's name or by the user part of the address, in whatever case.
    #[must_use]
    pub fn person(&self, name: &str) -> Option<usize> {
        let is_it = |person: &CheckedPerson| {
            person.name.eq_ignore_ascii_case(name)
                || person.address.user().is_some_and(|user| user.eq_ignore_ascii_case(name))
        };
        self.people.iter().position(is_it)
    }

    /// The sender's address.
    #[must_use]
    pub fn sender(&self) -> String {
        own_address(&self.script.sender, &self.script.domain)
    }
}

fn own_address(name: &str, domain: &str) -> String {
    format!("sip:{}@{domain}", name.to_lowercase().replace(' ', "-"))
}

/// Reads a script.
///
/// # Errors
/// Where it is wrong, and what was expected.
pub fn read_script(source: &str) -> Result<CheckedScript, ScriptError> {
    Source(source).check(parsed(source)?)
}

/// The same for a proxy elsewhere: everybody without an address of his own is in this domain.
///
/// # Errors
/// Where it is wrong, and what was expected.
pub fn read_script_for(source: &str, domain: &str) -> Result<CheckedScript, ScriptError> {
    let script = parsed(source)?;
    Source(source).check(Script { domain: domain.to_owned(), ..script })
}

fn parsed(source: &str) -> Result<Script, ScriptError> {
    if source.len() > SCRIPT_BYTES_MAX {
        let what = format!("a script has at most {SCRIPT_BYTES_MAX} bytes");
        return Err(ScriptError { line: 1, column: 1, what });
    }
    ron_file::steps_from_bytes(source.as_bytes(), Path::new("")).map_err(|error| match error {
        RonError::Broken { line, column, what, .. } => ScriptError { line, column, what },
        other @ (RonError::Read { .. } | RonError::Exposed(_) | RonError::Write { .. }) => {
            ScriptError { line: 1, column: 1, what: other.to_string() }
        }
    })
}

/// The text, in which what is wrong is found again by how it is written.
struct Source<'a>(&'a str);

impl Source<'_> {
    /// What is wrong with a text in quotes, `at` bytes into it.
    fn wrong(&self, literal: &str, at: usize, what: String) -> ScriptError {
        let quoted = format!("\"{literal}\"");
        let is_code = |place: &usize| {
            let line = self.0.get(..*place).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
            !line.contains("//")
        };
        let place = self.0.match_indices(&quoted).map(|(place, _)| place).find(is_code);
        let before = place.and_then(|place| self.0.get(..place + 1 + at)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        ScriptError { line, column, what }
    }

    fn check(&self, script: Script) -> Result<CheckedScript, ScriptError> {
        self.bounds(&script)?;
        self.wait(script.t1.0)?;
        let domain = Uri::parse(&format!("sip:{}", script.domain));
        if domain.is_err() {
            let what = format!("{:?} is not a domain", script.domain);
            return Err(self.wrong(&script.domain, 0, what));
        }
        let mut people = Vec::new();
        for person in &script.people {
            people.push(self.person(person, &script.domain, &people)?);
        }
        let mut checked =
            CheckedScript { script, people, faults: Vec::new(), lines: expectation_lines(self.0) };
        let faults = checked.script.faults.clone();
        for fault in &faults {
            let read = self.fault(fault, &checked)?;
            checked.faults.extend(read);
        }
        for list in &checked.script.lists {
            self.names(&list.members, &checked, false)?;
        }
        let mut sent: Vec<&str> = Vec::new();
        for step in &checked.script.steps {
            self.step(step, &mut sent, &checked)?;
        }
        Ok(checked)
    }

    fn bounds(&self, script: &Script) -> Result<(), ScriptError> {
        let many = |count: usize, max: usize, what: &str| {
            let what = format!("there are {count} {what}; a script has at most {max}");
            if count > max { Err(ScriptError { line: 1, column: 1, what }) } else { Ok(()) }
        };
        many(script.people.len(), SCRIPT_PEOPLE_MAX, "people")?;
        many(script.steps.len(), SCRIPT_STEPS_MAX, "steps")?;
        if script.steps.iter().all(|step| !matches!(step, Step::Expect(_))) {
            let what =
                "nothing is expected; a step like Expect([Arrived(at: \"Ann\")]) is missing".to_owned();
            return Err(ScriptError { line: 1, column: 1, what });
        }
        Ok(())
    }

    fn wait(&self, time: Duration) -> Result<(), ScriptError> {
        if time <= SCRIPT_TIME_MAX {
            return Ok(());
        }
        let what = format!("a time in a script is at most {} h", SCRIPT_TIME_MAX.as_secs() / 3600);
        Err(ScriptError { line: 1, column: 1, what })
    }

    fn person(
        &self,
        entry: &PersonEntry,
        domain: &str,
        others: &[CheckedPerson],
    ) -> Result<CheckedPerson, ScriptError> {
        let name = &entry.name;
        let subject = name.to_lowercase();
        if Injection::is_subject(&subject) || name.is_empty() || name.contains([':', ',', '"', '@']) {
            let what = format!("{name:?} cannot be the name of a person: faults use it otherwise");
            return Err(self.wrong(name, 0, what));
        }
        if others.iter().any(|other| other.name.eq_ignore_ascii_case(name)) {
            return Err(self.wrong(name, 0, format!("there are two people of the name {name:?}")));
        }
        let text = entry.address.clone().unwrap_or_else(|| own_address(name, domain));
        let address = Uri::parse(&text).ok().filter(|uri| uri.user().is_some());
        let address = address.ok_or_else(|| {
            let what = format!("{text:?} is not an address; write it like sip:ann@domain.com");
            self.wrong(entry.address.as_deref().unwrap_or(name), 0, what)
        })?;
        let words = entry.does.as_deref().unwrap_or("usual");
        let conduct = match format!("ann:{words}").parse() {
            Ok(Injection::Person { conduct, .. }) => conduct,
            Ok(_) => Conduct::default(),
            Err(wrong) => {
                return Err(self.wrong(words, wrong.at.saturating_sub("ann:".len()), wrong.why));
            }
        };
        Ok(CheckedPerson { name: name.clone(), address, conduct: entry.simulated.then_some(conduct) })
    }

    fn fault(&self, text: &str, checked: &CheckedScript) -> Result<Vec<Injection>, ScriptError> {
        let faults = injection::read(text).map_err(|wrong| self.wrong(text, wrong.at, wrong.why))?;
        for fault in &faults {
            if let Injection::Person { name, .. } = fault {
                let who = checked.person(name);
                let is_played =
                    who.and_then(|place| checked.people.get(place)).is_some_and(|who| who.conduct.is_some());
                if !is_played {
                    return Err(self.wrong(text, 0, nobody(name, checked)));
                }
            }
        }
        Ok(faults)
    }

    fn names(&self, names: &Names, checked: &CheckedScript, with_lists: bool) -> Result<(), ScriptError> {
        for name in &names.0 {
            let is_list = checked.script.lists.iter().any(|list| list.name == *name);
            let is_known = checked.people.iter().any(|person| person.name == *name);
            if !(is_known || with_lists && is_list) {
                return Err(self.wrong(name, 0, nobody(name, checked)));
            }
        }
        Ok(())
    }

    fn step<'a>(
        &self,
        step: &'a Step,
        sent: &mut Vec<&'a str>,
        checked: &CheckedScript,
    ) -> Result<(), ScriptError> {
        match step {
            Step::Send { to, text, .. } => {
                self.names(to, checked, true)?;
                if to.0.is_empty() || text.is_empty() {
                    return Err(self.wrong(text, 0, "a message has a text and somebody to go to".to_owned()));
                }
                if sent.iter().any(|other| other.contains(text) || text.contains(other)) {
                    let what =
                        "the text of a message is in that of another one; they could not be told apart";
                    return Err(self.wrong(text, 0, what.to_owned()));
                }
                sent.push(text);
                Ok(())
            }
            Step::Resend { message } | Step::Withdraw { message } => self.message(*message, sent),
            Step::Wait(time) | Step::WaitForOutcomes(time) => self.wait(time.0),
            Step::GoOffline(name) | Step::ComeBack(name) => {
                self.names(&Names(vec![name.clone()]), checked, false)
            }
            Step::Fault(text) => self.fault(text, checked).map(drop),
            Step::Expect(expectations) => {
                expectations.iter().try_for_each(|one| self.expectation(one, sent, checked))
            }
            Step::CrashProxy | Step::StopProxy | Step::StartProxy | Step::CrashSender | Step::StartSender => {
                Ok(())
            }
        }
    }

    fn expectation(
        &self,
        one: &Expectation,
        sent: &[&str],
        checked: &CheckedScript,
    ) -> Result<(), ScriptError> {
        let (people, message) = match one {
            Expectation::Outcome(expected) => (Some(&expected.of), expected.message),
            Expectation::NoOutcome { of, within, message } => {
                self.wait(within.0)?;
                (Some(of), *message)
            }
            Expectation::Arrived { at, message, .. } => (Some(at), *message),
            Expectation::Window { resend_goes_to, message, .. } => (resend_goes_to.as_ref(), *message),
            Expectation::Uplink(expected) => (None, expected.message),
            Expectation::Reports { message, .. } => (None, *message),
        };
        let with_lists = !matches!(one, Expectation::Arrived { .. });
        people.map_or(Ok(()), |names| self.names(names, checked, with_lists))?;
        self.message(message, sent)
    }

    fn message(&self, message: Option<usize>, sent: &[&str]) -> Result<(), ScriptError> {
        let what = match message {
            None if !sent.is_empty() => return Ok(()),
            Some(number) if (1..=sent.len()).contains(&number) => return Ok(()),
            None => "a step speaks of a message before any Send".to_owned(),
            Some(number) => {
                format!("message: {number} is not sent before it is spoken of; messages count from 1")
            }
        };
        let place = message.and_then(|number| self.0.find(&format!("message: {number}")));
        let before = place.and_then(|place| self.0.get(..place)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Err(ScriptError { line, column, what })
    }
}

fn nobody(name: &str, checked: &CheckedScript) -> String {
    let known = checked.people.iter().map(|person| person.name.as_str());
    let near = nearest(name, known.clone());
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    let known: Vec<_> = known.collect();
    format!("{name:?} is none of the people whom the script plays, who are {}{near}", known.join(", "))
}
