//! What the process of the hosted server tells the window while testing mode is on: the messages that it passes on for the
//! person who hosts it, and the answers to them. Those of other people are nobody's business, and are not told.

use std::io::{self, BufWriter};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use crate::inspect::{Read, Traced};
use crate::runtime::wire_frames::Telling;
use crate::runtime::wire_tap::{Direction, WireEntry, WireTap};
use crate::sip::{Aor, Message, Method};
use crate::time::Skew;

/// What the proxy's wire is watched for.
pub(super) struct Watching {
    tap: WireTap,
    woken: Receiver<()>,
    whose: Whose,
}

/// Whose messages are told; none while testing mode is off.
#[derive(Clone)]
pub(super) struct Whose {
    owner: Arc<Mutex<Option<Aor>>>,
    tap: WireTap,
    wake: SyncSender<()>,
}

impl Watching {
    /// Nobody's, to begin with.
    pub(super) fn new() -> Self {
        let (wake, woken) = sync_channel(1);
        let waking = wake.clone();
        let tap = WireTap::waking(Arc::new(move || waking.try_send(()).unwrap_or_default()));
        tap.close();
        Self { whose: Whose { owner: Arc::default(), tap: tap.clone(), wake }, tap, woken }
    }

    /// Where the proxy records what passes.
    pub(super) fn tap(&self) -> WireTap {
        self.tap.clone()
    }

    /// Tells it over this socket from now on, on a thread of its own.
    pub(super) fn tell(self, socket: UnixStream, skew: Skew) -> io::Result<Whose> {
        let Self { tap, woken, whose } = self;
        let watched = whose.clone();
        std::thread::Builder::new().name("host-wire".to_owned()).spawn(move || {
            let mut telling = Telling::new(tap, skew, BufWriter::new(socket));
            // Without the window there is nobody to tell; this process ends soon.
            telling.tell_until(&woken, |entry| watched.is_told(entry), || false).unwrap_or_default();
        })?;
        Ok(whose)
    }
}

impl Whose {
    /// Tells the messages of this address from now on, or nobody's.
    pub(super) fn set(&self, owner: Option<Aor>) {
        if owner.is_some() {
            self.tap.reopen();
        } else {
            self.tap.close();
        }
        *self.owner.lock().unwrap_or_else(PoisonError::into_inner) = owner;
        self.wake.try_send(()).unwrap_or_default();
    }

    fn is_told(&self, entry: &WireEntry) -> bool {
        let owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner);
        owner.as_ref().is_some_and(|owner| is_passed_on_for(owner, entry))
    }
}

/// True for a MESSAGE that the proxy sends on for this person, and for an answer to one. What passes between the proxy and
/// the person's own computer is seen there.
fn is_passed_on_for(owner: &Aor, entry: &WireEntry) -> bool {
    let Read::Message(message) = Traced::of(entry.message()).read else { return false };
    let (fields, passes) = match &message {
        Message::Request(request) => (request.fields(), Direction::Sent),
        Message::Response(response) => (response.fields(), Direction::Received),
    };
    entry.direction == passes
        && *fields.cseq_method() == Method::Message
        && fields.from().uri.aor() == *owner
        && fields.to().uri.aor() != *owner
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::machine::Flow;
    use crate::runtime::wire_frames::read_frames;
    use crate::time::{Clock, Timestamp};

    fn record(tap: &WireTap, direction: Direction, text: &str) {
        let flow = Flow::udp(([192, 0, 2, 9], 5060).into(), ([192, 0, 2, 1], 5060).into());
        let bytes = Bytes::from(text.replace('\n', "\r\n"));
        tap.record(Timestamp::from_millis(5), direction, flow, &bytes);
    }

    fn text(start: &str, from: &str, to: &str, method: &str) -> String {
        format!(
            "{start}\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\nMax-Forwards: 70\nFrom: <sip:{from}@x.local>;tag=1\n\
             To: <sip:{to}@x.local>\nCall-ID: {from}-{to}\nCSeq: 1 {method}\nContent-Length: 0\n\n"
        )
    }

    #[test]
    fn what_passes_on_for_the_host_is_told_and_nothing_of_others() {
        let (own, its) = UnixStream::pair().unwrap();
        let watching = Watching::new();
        let tap = watching.tap();
        let whose = watching.tell(its, Clock::with_skew().1).unwrap();
        let ask = "MESSAGE sip:ann@192.0.2.1 SIP/2.0";
        record(&tap, Direction::Sent, &text(ask, "james", "ann", "MESSAGE"));
        assert!(tap.since(0).entries.is_empty(), "outside of testing mode nothing is kept");
        whose.set(Aor::parse("james@x.local"));
        // His submission and its 202 pass at his own computer.
        record(&tap, Direction::Received, &text(ask, "james", "ann", "MESSAGE"));
        record(&tap, Direction::Sent, &text("SIP/2.0 202 Accepted", "james", "ann", "MESSAGE"));
        for (from, to) in [("ben", "ann"), ("james", "james"), ("ann", "james"), ("james", "ann")] {
            record(&tap, Direction::Sent, &text(ask, from, to, "MESSAGE"));
            record(&tap, Direction::Received, &text("SIP/2.0 200 OK", from, to, "MESSAGE"));
        }
        record(&tap, Direction::Sent, &text("NOTIFY sip:ann@192.0.2.1 SIP/2.0", "james", "ann", "NOTIFY"));
        record(&tap, Direction::Sent, &text(ask, "james", "cy", "MESSAGE"));
        let (tell, told) = sync_channel(10);
        let read =
            move || read_frames(&mut io::BufReader::new(own), |entry| tell.send(entry).unwrap()).unwrap();
        std::thread::Builder::new().name("test-window".to_owned()).spawn(read).unwrap();
        let mut starts = Vec::new();
        for _ in 0..3 {
            let entry = told.recv().unwrap();
            let text = String::from_utf8_lossy(&entry.bytes).into_owned();
            let call = text.lines().find_map(|line| line.strip_prefix("Call-ID: ")).unwrap().to_owned();
            starts.push((entry.direction, call));
        }
        let call = "james-ann".to_owned();
        let expected = [
            (Direction::Sent, call.clone()),
            (Direction::Received, call),
            (Direction::Sent, "james-cy".to_owned()),
        ];
        assert_eq!(starts, expected);
        whose.set(None);
        record(&tap, Direction::Sent, &text(ask, "james", "ann", "MESSAGE"));
        assert!(tap.since(0).entries.is_empty());
    }
}
