//! Which messages of a trace are shown.

use super::trace::{Direction, Read, Traced};
use crate::model::fold::fold;
use crate::sip::{Message, reason_phrase};

/// Which messages are shown; the default shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words that all have to be found, folded.
    words: Vec<String>,
    /// Only this way.
    direction: Option<Direction>,
    /// Only from or to this address.
    person: Option<String>,
}

/// What a filter looks at in a message: made once, so that 10,000 messages are filtered while one types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findable {
    /// Method, status, addresses and Call-ID, folded, with line ends between them.
    text: String,
    direction: Option<Direction>,
    /// From and To.
    people: [String; 2],
}

impl Filter {
    /// Words that all have to be found in the method, status, addresses or Call-ID, in any case; `4xx` finds a class of
    /// statuses. Also only one way, and only one person.
    #[must_use]
    pub fn of(words: &str, direction: Option<Direction>, person: Option<&str>) -> Self {
        let words = words.split_whitespace().map(fold).collect();
        Self { words, direction, person: person.map(str::to_owned) }
    }

    /// True if a message is shown.
    #[must_use]
    pub fn shows(&self, message: &Findable) -> bool {
        let is_way = self.direction.is_none_or(|way| message.direction == Some(way));
        let is_person = self.person.as_ref().is_none_or(|person| message.people.contains(person));
        is_way && is_person && self.words.iter().all(|word| message.text.contains(word))
    }
}

impl Findable {
    /// Of a message.
    #[must_use]
    pub fn of(traced: &Traced) -> Self {
        let (from, to, call_id) = ends(traced);
        let class = match &traced.read {
            Read::Message(Message::Response(response)) => format!("{}xx", response.status() / 100),
            Read::Message(Message::Request(_)) | Read::KeepAlive | Read::Unreadable(_) => String::new(),
        };
        let (here, there) = (traced.wire.from, traced.wire.to);
        let text = fold(&format!("{}\n{class}\n{from}\n{to}\n{call_id}\n{here}\n{there}", label(traced)));
        Self { text, direction: traced.wire.direction, people: [from, to] }
    }

    /// Who wrote it, and to whom; empty if it is no message.
    #[must_use]
    pub const fn people(&self) -> &[String; 2] {
        &self.people
    }
}

/// What a message is, in a few words: `MESSAGE`, `202 Accepted to MESSAGE`, `keep-alive`, `not readable`.
#[must_use]
pub fn label(traced: &Traced) -> String {
    match &traced.read {
        Read::Message(Message::Request(request)) => request.method().to_string(),
        Read::Message(Message::Response(response)) => {
            let (status, method) = (response.status(), response.fields().cseq_method());
            format!("{status} {} to {method}", reason_phrase(status))
        }
        Read::KeepAlive => "keep-alive".to_owned(),
        Read::Unreadable(_) => "not readable".to_owned(),
    }
}

/// From, To and Call-ID of a message; empty if there are none.
#[must_use]
pub fn ends(traced: &Traced) -> (String, String, String) {
    traced.fields().map_or_else(Default::default, |fields| {
        let (from, to) = (fields.from().uri, fields.to().uri);
        (from.as_str().to_owned(), to.as_str().to_owned(), fields.call_id().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::inspect::WireMessage;
    use crate::sip::Transport;
    use crate::time::Timestamp;

    fn traced(start: &str, direction: Direction) -> Traced {
        let text = format!(
            "{start}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK776\r\nMax-Forwards: 70\r\n\
             From: <sip:james@domain.com>;tag=1\r\nTo: <sip:ann@domain.com>\r\nCall-ID: a@b\r\nCSeq: 1 MESSAGE\r\n\
             Content-Length: 0\r\n\r\n"
        );
        Traced::of(WireMessage {
            at: Timestamp::from_millis(1),
            direction: Some(direction),
            from: ([192, 0, 2, 1], 5060).into(),
            to: ([192, 0, 2, 9], 5060).into(),
            transport: Transport::Udp,
            bytes: Bytes::from(text),
            mark: None,
        })
    }

    #[test]
    fn words_find_method_status_class_person_and_place_and_a_way_and_a_person_narrow_it() {
        let request = traced("MESSAGE sip:ann@domain.com SIP/2.0", Direction::Sent);
        let refusal = traced("SIP/2.0 486 Busy", Direction::Received);
        let (request, refusal) = (Findable::of(&request), Findable::of(&refusal));
        let both = |filter: Filter| (filter.shows(&request), filter.shows(&refusal));
        let shown = |words: &str| both(Filter::of(words, None, None));
        assert_eq!(shown(" "), (true, true));
        assert_eq!(shown("message ANN"), (true, true));
        assert_eq!(shown("4xx"), (false, true));
        assert_eq!(shown("busy here"), (false, true));
        assert_eq!(shown("192.0.2.9:5060 a@b"), (true, true));
        assert_eq!(shown("ben"), (false, false));
        assert_eq!(both(Filter::of("", Some(Direction::Sent), None)), (true, false));
        assert_eq!(both(Filter::of("", None, Some("sip:ann@domain.com"))), (true, true));
        assert_eq!(both(Filter::of("486", None, Some("sip:james@domain.com"))), (false, true));
        assert_eq!(
            both(Filter::of("", None, Some("sip:ann"))),
            (false, false),
            "a person, not a part of one"
        );
    }
}
