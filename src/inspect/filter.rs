//! Which messages of a trace are shown.

use std::collections::BTreeSet;

use super::trace::{Direction, Read, Traced};
use crate::model::fold::holds_all;
use crate::sip::{Message, reason_phrase};

/// Which messages are shown; the default shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words that all have to be found in the method, status, addresses or Call-ID, in any case; `4xx` finds a class of
    /// statuses.
    pub words: String,
    /// Only this way.
    pub direction: Option<Direction>,
    /// Only these places of the trace.
    pub only: Option<BTreeSet<usize>>,
}

impl Filter {
    /// True if the message at this place of the trace is shown.
    #[must_use]
    pub fn shows(&self, place: usize, traced: &Traced) -> bool {
        let is_way = self.direction.is_none_or(|way| traced.wire.direction == Some(way));
        let is_among = self.only.as_ref().is_none_or(|only| only.contains(&place));
        is_way && is_among && (self.words.trim().is_empty() || holds(traced, &self.words))
    }
}

fn holds(traced: &Traced, words: &str) -> bool {
    let label = label(traced);
    let (from, to, call_id) = ends(traced);
    let places = [traced.wire.from.to_string(), traced.wire.to.to_string()];
    let class = match &traced.read {
        Read::Message(Message::Response(response)) => format!("{}xx", response.status() / 100),
        Read::Message(Message::Request(_)) | Read::KeepAlive | Read::Unreadable(_) => String::new(),
    };
    holds_all(&[&label, &class, &from, &to, &call_id, &places[0], &places[1]], words)
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
        })
    }

    #[test]
    fn words_find_method_status_class_person_and_place_and_a_way_and_places_narrow_it() {
        let request = traced("MESSAGE sip:ann@domain.com SIP/2.0", Direction::Sent);
        let refusal = traced("SIP/2.0 486 Busy", Direction::Received);
        let shown = |words: &str| {
            let filter = Filter { words: words.to_owned(), ..Filter::default() };
            (filter.shows(0, &request), filter.shows(1, &refusal))
        };
        assert_eq!(shown(" "), (true, true));
        assert_eq!(shown("message ANN"), (true, true));
        assert_eq!(shown("4xx"), (false, true));
        assert_eq!(shown("busy here"), (false, true));
        assert_eq!(shown("192.0.2.9:5060 a@b"), (true, true));
        assert_eq!(shown("ben"), (false, false));
        let sent = Filter { direction: Some(Direction::Sent), ..Filter::default() };
        assert!(sent.shows(0, &request) && !sent.shows(1, &refusal));
        let only = Filter { only: Some([1].into()), ..Filter::default() };
        assert!(!only.shows(0, &request) && only.shows(1, &refusal));
    }
}
