//! The matrix: people and the last messages to them, what became of each, and figures for each person.

use std::collections::BTreeMap;
use std::time::Duration;

use super::contacts::address_key;
use super::delivery::{best, is_reached};
use super::document::csv;
use super::journal::{ConversationId, DeliveryState, MessageId, OpenRows};
use super::names::Names;
use crate::limits::{MATRIX_COLUMNS_MAX, MATRIX_LATEST_MAX};
use crate::time::{Timestamp, millis};

/// Where a message of the matrix is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatrixSource {
    /// A message of ours.
    Message(ConversationId, MessageId),
    /// A submission of a capture, by its place among them.
    Submission(usize),
}

/// One message, and what became of it for each of its recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatrixMessage {
    /// Where it is found.
    pub source: MatrixSource,
    /// When it was written.
    pub at: Timestamp,
    /// Each recipient.
    pub outcomes: Vec<MatrixOutcome>,
}

/// What became of a message for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatrixOutcome {
    /// The recipient's address as spelled.
    pub address: String,
    /// The recipient's name, or the address.
    pub name: String,
    /// The best over all attempts.
    pub cell: MatrixCell,
}

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixCell {
    /// The state.
    pub state: DeliveryState,
    /// SIP status, if reported.
    pub status: Option<u16>,
    /// From acceptance to outcome, if reported.
    pub took: Option<Duration>,
}

/// The matrix of some messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix {
    /// The last messages, oldest first: where each is found, and when it was written.
    pub columns: Vec<(MatrixSource, Timestamp)>,
    /// Everybody to whom one of all messages went, in the order of the first one.
    pub people: Vec<MatrixPerson>,
}

/// One person, over all messages that were counted and not only those that have a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatrixPerson {
    /// The address as spelled in the latest message.
    pub address: String,
    /// The name, or the address.
    pub name: String,
    /// A cell for each column; none where the message did not go to this person.
    pub cells: Vec<Option<MatrixCell>>,
    /// Messages to this person.
    pub messages: u32,
    /// Of these, how many arrived as far as anybody can tell.
    pub reached: u32,
    /// How many did not, for good.
    pub failed: u32,
    /// Of how many no report came.
    pub no_report: u32,
    /// How many are still on their way, or were withdrawn.
    pub open: u32,
    /// The time that half of those that arrived did not exceed, where it is known.
    pub median: Option<Duration>,
    /// The time that 95 of 100 did not exceed.
    pub p95: Option<Duration>,
    /// The latest messages to this person, oldest first.
    pub latest: Vec<MatrixCell>,
}

/// How people are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatrixOrder {
    /// The smallest share reached first; among equals the slowest.
    #[default]
    Worst,
    /// By name.
    Name,
}

impl MatrixPerson {
    /// How many of a thousand messages arrived.
    #[must_use]
    pub fn share_permille(&self) -> u32 {
        self.reached.saturating_mul(1000).checked_div(self.messages).unwrap_or(0)
    }

    fn count(&mut self, state: DeliveryState) {
        self.messages += 1;
        let counter = match state {
            DeliveryState::PassedOn | DeliveryState::Delivered | DeliveryState::Read => &mut self.reached,
            DeliveryState::Failed => &mut self.failed,
            DeliveryState::NoReport => &mut self.no_report,
            DeliveryState::Queued
            | DeliveryState::Sending
            | DeliveryState::Accepted
            | DeliveryState::Deferred
            | DeliveryState::Cancelled => &mut self.open,
        };
        *counter += 1;
    }
}

/// The nearest rank of sorted values.
fn rank(sorted: &[Duration], percent: usize) -> Option<Duration> {
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
}

impl Matrix {
    /// Of these messages, oldest first.
    #[must_use]
    pub fn of(messages: &[MatrixMessage], order: MatrixOrder) -> Self {
        let first = messages.len().saturating_sub(MATRIX_COLUMNS_MAX);
        let columns: Vec<_> =
            messages.iter().skip(first).map(|message| (message.source, message.at)).collect();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut people: Vec<(MatrixPerson, Vec<MatrixCell>)> = Vec::new();
        for (number, message) in messages.iter().enumerate() {
            for outcome in &message.outcomes {
                let place = *places.entry(address_key(&outcome.address)).or_insert(people.len());
                if place == people.len() {
                    let cells = vec![None; columns.len()];
                    people.push((MatrixPerson { cells, ..MatrixPerson::default() }, Vec::new()));
                }
                let Some((person, all)) = people.get_mut(place) else { continue };
                person.address.clone_from(&outcome.address);
                person.name.clone_from(&outcome.name);
                person.count(outcome.cell.state);
                all.push(outcome.cell);
                let cell = number.checked_sub(first).and_then(|column| person.cells.get_mut(column));
                if let Some(cell) = cell {
                    *cell = Some(outcome.cell);
                }
            }
        }
        let mut matrix = Self { columns, people: people.into_iter().map(figures).collect() };
        matrix.sort(order);
        matrix
    }

    /// Sorts the people.
    pub fn sort(&mut self, order: MatrixOrder) {
        self.people.sort_by(|one, other| match order {
            MatrixOrder::Worst => (one.share_permille(), other.p95, &one.name).cmp(&(
                other.share_permille(),
                one.p95,
                &other.name,
            )),
            MatrixOrder::Name => (&one.name, &one.address).cmp(&(&other.name, &other.address)),
        });
    }

    /// The figures and the cells as CSV; a cell is its state, its status and its milliseconds.
    #[must_use]
    pub fn csv(&self) -> String {
        let figures = [
            "address",
            "name",
            "messages",
            "reached",
            "failed",
            "no_report",
            "open",
            "share_percent",
            "median_ms",
            "p95_ms",
        ];
        let times: Vec<String> = self.columns.iter().map(|(_, at)| at.utc()).collect();
        let head: Vec<&str> = figures.into_iter().chain(times.iter().map(String::as_str)).collect();
        let mut text = csv(&head);
        for person in &self.people {
            let time = |took: Option<Duration>| took.map(|took| millis(took).to_string()).unwrap_or_default();
            let share = person.share_permille();
            let mut fields = vec![person.address.clone(), person.name.clone()];
            let counts = [person.messages, person.reached, person.failed, person.no_report, person.open];
            fields.extend(counts.map(|count| count.to_string()));
            fields.push(format!("{}.{}", share / 10, share % 10));
            fields.extend([time(person.median), time(person.p95)]);
            fields.extend(person.cells.iter().map(|cell| cell.as_ref().map(cell_text).unwrap_or_default()));
            text.push_str(&csv(&fields.iter().map(String::as_str).collect::<Vec<_>>()));
        }
        text
    }
}

/// `failed 486 12`.
fn cell_text(cell: &MatrixCell) -> String {
    let status = cell.status.map(|status| format!(" {status}")).unwrap_or_default();
    let took = cell.took.map(|took| format!(" {}", millis(took))).unwrap_or_default();
    format!("{}{status}{took}", cell.state.word())
}

fn figures((mut person, all): (MatrixPerson, Vec<MatrixCell>)) -> MatrixPerson {
    let mut times: Vec<Duration> =
        all.iter().filter(|cell| is_reached(cell.state)).filter_map(|cell| cell.took).collect();
    times.sort_unstable();
    (person.median, person.p95) = (rank(&times, 50), rank(&times, 95));
    person.latest = all.iter().skip(all.len().saturating_sub(MATRIX_LATEST_MAX)).copied().collect();
    person
}

/// A message of ours with what became of it.
#[must_use]
pub fn matrix_message(rows: &OpenRows, names: &Names) -> MatrixMessage {
    let outgoing = &rows.outgoing;
    let known = best(&rows.deliveries, outgoing.recipients.len());
    let outcomes = outgoing.recipients.iter().zip(known).map(|(row, known)| MatrixOutcome {
        address: row.address.clone(),
        name: names.person(row).name,
        cell: MatrixCell {
            state: known.map_or(DeliveryState::Queued, |row| row.state),
            status: known.and_then(|row| row.status),
            took: known.and_then(|row| row.after),
        },
    });
    MatrixMessage {
        source: MatrixSource::Message(outgoing.conversation, outgoing.id),
        at: outgoing.at,
        outcomes: outcomes.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeliveryState::{Accepted, Delivered, Failed, NoReport, PassedOn};

    fn outcome(name: &str, state: DeliveryState, took: Option<u64>) -> MatrixOutcome {
        let took = took.map(Duration::from_millis);
        let status = (state == Failed).then_some(486);
        MatrixOutcome {
            address: format!("sip:{name}@domain.com"),
            name: name.to_owned(),
            cell: MatrixCell { state, status, took },
        }
    }

    fn message(number: u64, outcomes: Vec<MatrixOutcome>) -> MatrixMessage {
        let source = MatrixSource::Message(ConversationId(1), MessageId(number));
        MatrixMessage { source, at: Timestamp::from_millis(number * 1000), outcomes }
    }

    #[test]
    fn all_messages_count_and_the_last_twenty_have_a_column() {
        let messages: Vec<_> = (1..=120)
            .map(|number| {
                let state = if number % 10 == 0 { Failed } else { Delivered };
                let ann = outcome("ann", state, (state == Delivered).then_some(number));
                let ben = outcome("ben", Delivered, Some(7));
                message(number, if number > 115 { vec![ann, ben] } else { vec![ann] })
            })
            .collect();
        let matrix = Matrix::of(&messages, MatrixOrder::Worst);
        assert_eq!(matrix.columns.len(), 20);
        assert_eq!(matrix.columns[0].0, MatrixSource::Message(ConversationId(1), MessageId(101)));
        let [ann, ben] = matrix.people.as_slice() else { panic!("{matrix:?}") };
        assert_eq!((ann.messages, ann.reached, ann.failed, ann.share_permille()), (120, 108, 12, 900));
        assert_eq!((ann.latest.len(), ann.latest[0].took), (50, Some(Duration::from_millis(71))));
        // The 54th and the 103rd of 108 times: every tenth number is missing.
        assert_eq!(ann.median, Some(Duration::from_millis(59)));
        assert_eq!(ann.p95, Some(Duration::from_millis(114)));
        assert_eq!(ann.cells.iter().filter(|cell| cell.is_some_and(|cell| cell.state == Failed)).count(), 2);
        assert_eq!(
            (ben.messages, ben.cells[14], ben.cells[15].map(|cell| cell.state)),
            (5, None, Some(Delivered))
        );
    }

    #[test]
    fn every_message_is_counted_once_whatever_its_state_and_one_person_has_one_row_however_spelled() {
        let mut upper = outcome("ann", PassedOn, None);
        upper.address = "SIP:ann@DOMAIN.com".to_owned();
        let messages = [
            message(1, vec![outcome("ann", NoReport, None)]),
            message(2, vec![outcome("ann", Accepted, None)]),
            message(3, vec![upper]),
        ];
        let matrix = Matrix::of(&messages, MatrixOrder::Worst);
        let [ann] = matrix.people.as_slice() else { panic!("{matrix:?}") };
        assert_eq!((ann.messages, ann.reached, ann.failed, ann.no_report, ann.open), (3, 1, 0, 1, 1));
        assert_eq!((ann.median, ann.p95, ann.share_permille()), (None, None, 333));
        assert_eq!(Matrix::of(&[], MatrixOrder::Worst), Matrix::default());
    }

    #[test]
    fn the_worst_come_first_and_among_equals_the_slowest() {
        let all = |number| {
            message(
                number,
                vec![
                    outcome("good", Delivered, Some(5)),
                    outcome("slow", Delivered, Some(900)),
                    outcome("unknown", Delivered, None),
                    outcome("bad", Failed, Some(1)),
                ],
            )
        };
        let mut matrix = Matrix::of(&[all(1), all(2)], MatrixOrder::Worst);
        let names =
            |matrix: &Matrix| matrix.people.iter().map(|person| person.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&matrix), ["bad", "slow", "good", "unknown"]);
        assert_eq!(matrix.people[0].median, None, "a quick refusal is no quick delivery");
        matrix.sort(MatrixOrder::Name);
        assert_eq!(names(&matrix), ["bad", "good", "slow", "unknown"]);
    }

    #[test]
    fn the_csv_has_the_figures_and_a_cell_for_each_column_and_no_formula() {
        let mut formula = outcome("ann", Delivered, Some(430));
        formula.name = "=1+1".to_owned();
        let messages = [message(1, vec![formula]), message(2, vec![outcome("ben", Failed, None)])];
        let csv = Matrix::of(&messages, MatrixOrder::Worst).csv();
        let expected = [
            "address,name,messages,reached,failed,no_report,open,share_percent,median_ms,p95_ms,1970-01-01T00:00:01.000Z,1970-01-01T00:00:02.000Z",
            "sip:ben@domain.com,ben,1,0,1,0,0,0.0,,,,failed 486",
            "sip:ann@domain.com,'=1+1,1,1,0,0,0,100.0,430,430,delivered 430,",
            "",
        ];
        assert_eq!(csv.split("\r\n").collect::<Vec<_>>(), expected);
    }
}
