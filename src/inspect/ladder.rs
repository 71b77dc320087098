//! The ladder of one submission: who sent what to whom, in order, with each retransmission counted at the first.

use std::collections::BTreeMap;
use std::time::Duration;

use super::submissions::{Part, Submission};
use super::trace::{Read, Traced};
use crate::injection::Mark;
use crate::sip::{Message, Uri, reason_phrase};

/// The ladder of one submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// The sender, the proxy, each recipient, and whoever else got a leg.
    pub parties: Vec<Party>,
    /// In the order of time.
    pub rows: Vec<Row>,
    /// Legs were seen: the trace is from the proxy, or from between it and the recipients.
    pub shows_legs: bool,
}

/// Somebody in a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The address; none for the proxy.
    pub address: Option<Uri>,
    /// The first network address that was seen.
    pub place: Option<String>,
}

/// One message of a ladder, with its retransmissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When it passed first, counted from the submission.
    pub at: Duration,
    /// When it passed last.
    pub last: Duration,
    /// Who sent it: a place in [`Ladder::parties`].
    pub from: usize,
    /// Who got it.
    pub to: usize,
    /// The method, or the status with its usual name.
    pub label: String,
    /// The status, of a response.
    pub status: Option<u16>,
    /// Their places in the trace: the first one and its retransmissions.
    pub messages: Vec<usize>,
    /// What a fault did to each of them.
    pub marks: Vec<Option<Mark>>,
}

impl Row {
    /// What faults did to these messages: `lost`, `2 of 3 lost`; None if nothing.
    #[must_use]
    pub fn befell(&self) -> Option<String> {
        let first = self.marks.iter().flatten().next()?;
        let lost = self.marks.iter().flatten().filter(|mark| mark.is_lost()).count();
        let count = self.marks.len();
        Some(if count > 1 && lost > 0 { format!("{lost} of {count} lost") } else { first.to_string() })
    }

    /// True if none of these messages arrived.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.marks.iter().all(|mark| mark.is_some_and(Mark::is_lost))
    }
}

/// What a message and its retransmissions have in common.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Sameness {
    from: usize,
    to: usize,
    branch: Option<String>,
    cseq: u32,
    label: String,
}

const SENDER: usize = 0;
const PROXY: usize = 1;
const FIRST_RECIPIENT: usize = 2;

/// Draws the ladder of a submission, from the messages at these places of its trace.
#[must_use]
pub fn ladder<'a>(submission: &Submission, trace: impl Fn(usize) -> Option<&'a Traced>) -> Ladder {
    let named = submission.recipients.iter().map(|recipient| &recipient.address);
    let others = submission.others.iter().map(|leg| &leg.to);
    let addresses = [Some(&submission.from), None].into_iter().chain(named.chain(others).map(Some));
    let parties = addresses.map(|address| Party { address: address.cloned(), place: None }).collect();
    let mut drawn = Ladder { parties, rows: Vec::new(), shows_legs: false };
    let mut seen: BTreeMap<Sameness, usize> = BTreeMap::new();
    for (index, part) in &submission.messages {
        let Some(traced) = trace(*index) else { continue };
        let Some((label, status)) = label(traced) else { continue };
        let (from, to) = ends(*part, submission.recipients.len(), status.is_some());
        drawn.shows_legs |= from >= FIRST_RECIPIENT || to >= FIRST_RECIPIENT;
        drawn.note(from, traced.wire.from);
        drawn.note(to, traced.wire.to);
        let at = traced.wire.at.since(submission.at);
        let branch = traced.fields().and_then(|fields| fields.top_via().branch().map(str::to_owned));
        let cseq = traced.fields().map_or(0, |fields| fields.cseq());
        let sameness = Sameness { from, to, branch, cseq, label: label.clone() };
        if let Some(row) = seen.get(&sameness).and_then(|row| drawn.rows.get_mut(*row)) {
            row.messages.push(*index);
            row.marks.push(traced.wire.mark);
            row.last = at;
            continue;
        }
        seen.insert(sameness, drawn.rows.len());
        let (messages, marks) = (vec![*index], vec![traced.wire.mark]);
        drawn.rows.push(Row { at, last: at, from, to, label, status, messages, marks });
    }
    drawn
}

impl Party {
    /// The address as written, or `proxy`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.address.as_ref().map_or("proxy", Uri::as_str)
    }
}

impl Ladder {
    fn note(&mut self, party: usize, place: std::net::SocketAddr) {
        if let Some(party) = self.parties.get_mut(party) {
            party.place.get_or_insert_with(|| place.to_string());
        }
    }
}

/// The two ends of a message: requests of the uplink and answers of everything else go to the proxy.
const fn ends(part: Part, recipients: usize, is_response: bool) -> (usize, usize) {
    let (asks, answers) = match part {
        Part::Uplink => (SENDER, PROXY),
        Part::Leg(recipient) => (PROXY, FIRST_RECIPIENT + recipient),
        Part::Other(number) => (PROXY, FIRST_RECIPIENT + recipients + number),
        Part::Report => (PROXY, SENDER),
    };
    if is_response { (answers, asks) } else { (asks, answers) }
}

fn label(traced: &Traced) -> Option<(String, Option<u16>)> {
    match &traced.read {
        Read::Message(Message::Request(request)) => Some((request.method().to_string(), None)),
        Read::Message(Message::Response(response)) => {
            let status = response.status();
            Some((format!("{status} {}", reason_phrase(status)), Some(status)))
        }
        Read::KeepAlive | Read::Unreadable(_) => None,
    }
}
