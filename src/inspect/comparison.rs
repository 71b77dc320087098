//! What our reader and rsip, an independent one, make of the same bytes, side by side.

use std::collections::BTreeMap;

use super::trace::{Read, Traced};
use crate::sip::second_reader::{self, Reading, Start};
use crate::sip::{Message, long_name};

/// Both readings of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The start line, the header fields and the length of the body.
    pub lines: Vec<ComparedLine>,
    /// Why our reader refuses it.
    pub our_error: Option<String>,
    /// Why rsip refuses it.
    pub their_error: Option<String>,
}

/// One header field, or another part of a message, in both readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedLine {
    /// The long name of the field, or the part.
    pub name: String,
    /// By our reader; None if it does not see such a field.
    pub ours: Option<String>,
    /// By rsip.
    pub theirs: Option<String>,
}

impl ComparedLine {
    /// True if the two do not say the same. How much space is between words does not count.
    #[must_use]
    pub fn differs(&self) -> bool {
        let words = |value: &Option<String>| {
            value.as_ref().map(|value| value.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        };
        words(&self.ours) != words(&self.theirs)
    }
}

impl Comparison {
    /// True if the two readers do not agree.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.our_error.is_some() != self.their_error.is_some() || self.lines.iter().any(ComparedLine::differs)
    }
}

/// Reads a message with both readers. What only one of them can read is shown as that one reads it.
#[must_use]
pub fn compare(traced: &Traced) -> Comparison {
    let (ours, our_error) = match &traced.read {
        Read::Message(message) => (parts(message), None),
        Read::KeepAlive => (Vec::new(), Some("a keep-alive, no message".to_owned())),
        Read::Unreadable(error) => (Vec::new(), Some(error.to_string())),
    };
    let (theirs, their_error) = match second_reader::read(&traced.wire.bytes) {
        Ok(reading) => (their_parts(&reading), None),
        Err(error) => (Vec::new(), Some(error)),
    };
    Comparison { lines: side_by_side(ours, theirs), our_error, their_error }
}

/// (name, value) of each part.
type Parts = Vec<(String, String)>;

fn parts(message: &Message) -> Parts {
    let (start, fields, body) = match message {
        Message::Request(request) => {
            let start = [
                ("Method", request.method().to_string()),
                ("Request-URI", request.uri().as_str().to_owned()),
            ];
            (start.to_vec(), request.fields(), request.body())
        }
        Message::Response(response) => {
            (vec![("Status", response.status().to_string())], response.fields(), response.body())
        }
    };
    let start = start.into_iter().map(|(name, value)| (name.to_owned(), value));
    let fields = fields.all().map(|(name, value)| (long_name(name).to_owned(), value.to_owned()));
    let body = ("Body".to_owned(), format!("{} bytes", body.len()));
    start.chain(fields).chain([body]).collect()
}

fn their_parts(reading: &Reading) -> Parts {
    let start = match &reading.start {
        Start::Request { method, uri } => vec![("Method", method.clone()), ("Request-URI", uri.clone())],
        Start::Response { status } => vec![("Status", status.to_string())],
    };
    let start = start.into_iter().map(|(name, value)| (name.to_owned(), value));
    let body = ("Body".to_owned(), format!("{} bytes", reading.body.len()));
    start.chain(reading.fields.iter().cloned()).chain([body]).collect()
}

/// Ours in order, each beside theirs of the same name and the same turn; then what only they have.
fn side_by_side(ours: Parts, theirs: Parts) -> Vec<ComparedLine> {
    let mut left: BTreeMap<(String, u32), (usize, String, String)> = BTreeMap::new();
    let mut turns = Turns::default();
    for (place, (name, value)) in theirs.into_iter().enumerate() {
        left.insert(turns.next(&name), (place, name, value));
    }
    let mut turns = Turns::default();
    let mut lines: Vec<_> = ours
        .into_iter()
        .map(|(name, value)| {
            let theirs = left.remove(&turns.next(&name)).map(|(_, _, value)| value);
            ComparedLine { name, ours: Some(value), theirs }
        })
        .collect();
    let mut rest: Vec<_> = left.into_values().collect();
    rest.sort_by_key(|(place, _, _)| *place);
    lines.extend(rest.into_iter().map(|(_, name, value)| ComparedLine {
        name,
        ours: None,
        theirs: Some(value),
    }));
    lines
}

/// Counts how often each name has occurred, in any case.
#[derive(Default)]
struct Turns(BTreeMap<String, u32>);

impl Turns {
    fn next(&mut self, name: &str) -> (String, u32) {
        let name = name.to_ascii_lowercase();
        let turn = self.0.entry(name.clone()).or_default();
        *turn += 1;
        (name, *turn)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::inspect::WireMessage;
    use crate::sip::Transport;
    use crate::time::Timestamp;

    fn compared(text: &str) -> Comparison {
        compare(&Traced::of(WireMessage {
            at: Timestamp::from_millis(1),
            direction: None,
            from: ([192, 0, 2, 1], 5060).into(),
            to: ([192, 0, 2, 9], 5060).into(),
            transport: Transport::Udp,
            bytes: Bytes::copy_from_slice(text.replace('\n', "\r\n").as_bytes()),
            mark: None,
        }))
    }

    const MESSAGE: &str = "MESSAGE sip:ann@domain.com SIP/2.0\nv: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK776\n\
        Max-Forwards: 70\nf: <sip:james@domain.com>;tag=1\nTo: <sip:ann@domain.com>\nSecondary-To:\n <sip:ben@domain.com>\n\
        Secondary-To: <sip:cy@domain.com>\nCall-ID: a@b\nCSeq: 1 MESSAGE\nContent-Length: 3\n\nHi!";

    #[test]
    fn both_readers_agree_on_a_message_with_compact_names_and_folded_lines() {
        let both = compared(MESSAGE);
        assert!(!both.differs(), "{both:#?}");
        let names: Vec<_> = both.lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "Method",
                "Request-URI",
                "Via",
                "Max-Forwards",
                "From",
                "To",
                "Secondary-To",
                "Secondary-To",
                "Call-ID",
                "CSeq",
                "Content-Length",
                "Body"
            ]
        );
        assert_eq!(both.lines[7].theirs.as_deref(), Some("<sip:cy@domain.com>"));
        assert_eq!(both.lines[11].ours.as_deref(), Some("3 bytes"));
    }

    #[test]
    fn where_they_do_not_agree_it_is_marked() {
        // rsip reads any method word in upper case.
        let both = compared(&MESSAGE.replace("MESSAGE", "Message"));
        let marked: Vec<_> = both.lines.iter().filter(|line| line.differs()).map(|line| &line.name).collect();
        assert!(both.differs() && marked.contains(&&"Method".to_owned()), "{both:#?}");
        // Ours refuses a CSeq that is no number; rsip looks at it only when asked.
        let both = compared(&MESSAGE.replace("CSeq: 1", "CSeq: one"));
        assert!(both.differs() && both.our_error.is_some() && both.their_error.is_none(), "{both:#?}");
    }
}
