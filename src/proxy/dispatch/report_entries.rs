//! What is reported about each address of a submission (W20), and what a leg says of the others (W15, W16).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::recipient::{Member, Own, Recipient};
use super::submission::{AddressEntry, Addressee, Stands};
use crate::sip::{ReportLine, ReportState, Sees};

/// One address of a submission, as it was spelled.
#[derive(Debug)]
pub(crate) struct ReportEntry {
    address: String,
    people: People,
}

/// The recipients that it stands for, by index.
#[derive(Debug)]
enum People {
    One(usize),
    Several(Vec<usize>),
}

impl ReportEntry {
    fn new(line: &AddressEntry, people: People) -> Self {
        Self { address: line.addressed.uri.as_str().to_owned(), people }
    }

    /// The report line: for a list, success only if all its members succeeded (W16).
    pub(crate) fn report(&self, recipients: &[Recipient]) -> ReportLine {
        let told = |index: &usize| recipients.get(*index).map(|recipient| recipient.line(&self.address));
        match &self.people {
            People::One(index) => told(index),
            People::Several(all) => all.iter().filter_map(told).reduce(together),
        }
        .unwrap_or_else(|| ReportLine {
            address: self.address.clone(),
            state: ReportState::Pending,
            status: None,
            reason: None,
            tries: None,
            after: None,
        })
    }
}

/// Combines two members into one line: the worse state with its status and reason (of two successes, the one that
/// confirms less), the sum of the transmissions, and the time of the last outcome.
fn together(one: ReportLine, other: ReportLine) -> ReportLine {
    let takes_other = match rank(&other.state).cmp(&rank(&one.state)) {
        Ordering::Greater => true,
        Ordering::Equal => other.state == ReportState::Success && other.status > one.status,
        Ordering::Less => false,
    };
    let tries = one.tries.zip(other.tries).map(|(one, other)| one.saturating_add(other));
    let after = one.after.max(other.after);
    let decides = if takes_other { other } else { one };
    if decides.state == ReportState::Pending {
        return decides;
    }
    ReportLine { tries, after, ..decides }
}

/// Orders states: while any member is under way, or waits, so is the list.
const fn rank(state: &ReportState) -> u8 {
    match state {
        ReportState::Pending => 3,
        ReportState::Deferred => 2,
        ReportState::Failure => 1,
        ReportState::Success | ReportState::Unknown(_) => 0,
    }
}

/// The lines of a message, and how each of its recipients is named in them.
pub(crate) fn assign(lines: &[AddressEntry], people: &[Addressee]) -> (Vec<ReportEntry>, Vec<Own>) {
    let is_plain = |(line, person): (&AddressEntry, &Addressee)| {
        line.stands == Stands::ForItself && line.places == [person.place]
    };
    if lines.len() == people.len() && lines.iter().zip(people).all(is_plain) {
        let told = (0..).zip(lines).map(|(index, line)| ReportEntry::new(line, People::One(index))).collect();
        return (told, (0..lines.len()).map(Own::Line).collect());
    }
    let numbers: BTreeMap<u32, usize> = people.iter().map(|person| person.place).zip(0..).collect();
    let mut own = vec![None; people.len()];
    let mut alone = vec![None; people.len()];
    let mut told = Vec::with_capacity(lines.len());
    for (number, line) in lines.iter().enumerate() {
        let mut found: Vec<usize> =
            line.places.iter().filter_map(|place| numbers.get(place).copied()).collect();
        let only = found.pop_if(|_| line.places.len() == 1);
        if let Some(index) = only {
            let table = if line.stands == Stands::ForItself { &mut own } else { &mut alone };
            if let Some(entry) = table.get_mut(index) {
                *entry = Some(number);
            }
        }
        let people = only.map_or(People::Several(found), People::One);
        told.push(ReportEntry::new(line, people));
    }
    let stand = |((person, own), alone): ((&Addressee, Option<usize>), Option<usize>)| {
        let is_named_so =
            |line: &usize| lines.get(*line).is_some_and(|line| line.addressed.bcc == person.addressed.bcc);
        match own.filter(is_named_so) {
            Some(line) => Own::Line(line),
            None => Own::Member(Box::new(Member {
                address: person.addressed.uri.to_sip(),
                line: own.or(alone),
                sees: if person.addressed.bcc { Sees::Nobody } else { Sees::Others },
            })),
        }
    };
    let own = people.iter().zip(own).zip(alone).map(stand).collect();
    (told, own)
}
