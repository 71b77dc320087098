//! Carries out the faults of the path: says of each message what arrives of it, and when.

use std::time::{Duration, Instant};

use bytes::{BufMut as _, Bytes, BytesMut};

use super::path::{Passing, PathFault, Tampering};
use crate::random::Random;
use crate::sip::{Message, Method, parse};

/// How much later a datagram arrives that the next ones overtake.
const OVERTAKEN: Duration = Duration::from_millis(300);
/// How long after a forged report the right one arrives.
const AFTER_FORGED: Duration = Duration::from_millis(1);

/// The faults of the path between a proxy and everybody else.
#[derive(Debug)]
pub struct PathLayer {
    faults: Vec<Set>,
    random: Random,
}

/// A fault that is set.
#[derive(Debug)]
struct Set {
    of: Passing,
    fault: PathFault,
    since: Instant,
    /// Datagrams that it was for, while some are dropped first.
    counted: u32,
}

/// What arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// How much later than without faults.
    pub after: Duration,
    /// The bytes.
    pub bytes: Bytes,
}

/// What becomes of a message on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConnection {
    /// It arrives so much later than without faults, and not before those that were sent before it.
    Arrives(Duration),
    /// It is lost, and the connection is closed.
    Cut,
}

impl PathLayer {
    /// Without faults; `random` decides what is lost.
    #[must_use]
    pub const fn new(random: Random) -> Self {
        Self { faults: Vec::new(), random }
    }

    /// Sets a fault from now on, in place of the one before it for the same datagrams.
    pub fn set(&mut self, of: Passing, fault: PathFault, now: Instant) {
        self.faults.retain(|set| set.of != of);
        if fault != PathFault::default() {
            self.faults.push(Set { of, fault, since: now, counted: 0 });
        }
        self.faults.sort_by_key(|set| set.of);
    }

    /// Ends all faults.
    pub fn clear(&mut self) {
        self.faults.clear();
    }

    /// True if the fault of these messages has ended by itself, and does not begin again.
    #[must_use]
    pub fn is_over(&self, of: Passing, now: Instant) -> bool {
        let is_over = |set: &Set| {
            set.fault.every.is_zero() && !set.fault.is_on(now.saturating_duration_since(set.since))
        };
        self.faults.iter().find(|set| set.of == of).is_some_and(is_over)
    }

    /// True if no fault is set.
    #[must_use]
    pub const fn is_clear(&self) -> bool {
        self.faults.is_empty()
    }

    /// What arrives of a datagram; nothing if it is lost.
    pub fn fate(&mut self, bytes: &Bytes, is_from_proxy: bool, now: Instant) -> Vec<Arrival> {
        let mut arrivals = vec![Arrival { after: Duration::ZERO, bytes: bytes.clone() }];
        if self.faults.is_empty() {
            return arrivals;
        }
        let kind = kind(bytes, is_from_proxy);
        for set in &mut self.faults {
            let is_for_it = set.of == Passing::Everything || Some(set.of) == kind;
            if is_for_it && set.fault.is_on(now.saturating_duration_since(set.since)) {
                set.befall(&mut arrivals, &mut self.random);
            }
        }
        arrivals
    }

    /// What becomes of the next message on a connection, in either direction.
    pub fn on_connection(&mut self, now: Instant) -> OnConnection {
        let mut after = Duration::ZERO;
        for set in self.faults.iter().filter(|set| set.of == Passing::Connections) {
            let since = now.saturating_duration_since(set.since);
            if !set.fault.is_on(since) {
                continue;
            }
            if set.fault.cuts {
                return OnConnection::Cut;
            }
            if set.fault.stalls {
                after += set.fault.left(since);
            }
            after += set.fault.delay + jitter(set.fault.jitter, &mut self.random);
        }
        OnConnection::Arrives(after)
    }
}

impl Set {
    fn befall(&mut self, arrivals: &mut Vec<Arrival>, random: &mut Random) {
        let fault = self.fault;
        if self.counted < fault.dropped {
            self.counted += 1;
            return arrivals.clear();
        }
        if happens(fault.loss, random) {
            return arrivals.clear();
        }
        if happens(fault.doubled, random) {
            arrivals.extend(arrivals.clone());
        }
        for arrival in arrivals.iter_mut() {
            arrival.after += fault.delay + jitter(fault.jitter, random);
            if happens(fault.reordered, random) {
                arrival.after += OVERTAKEN;
            }
        }
        match fault.tampering {
            None => {}
            Some(Tampering::Truncated) => {
                arrivals.iter_mut().for_each(|arrival| arrival.bytes = truncated(&arrival.bytes));
            }
            Some(Tampering::Forged) => {
                let forged: Vec<_> = arrivals
                    .iter()
                    .filter_map(|arrival| Some(Arrival { bytes: forged(&arrival.bytes)?, ..*arrival }))
                    .collect();
                arrivals.iter_mut().for_each(|arrival| arrival.after += AFTER_FORGED);
                arrivals.extend(forged);
            }
        }
    }
}

fn happens(percent: u8, random: &mut Random) -> bool {
    percent > 0 && random.below(100) < u64::from(percent)
}

/// A time up to this one, at random.
fn jitter(most: Duration, random: &mut Random) -> Duration {
    if most.is_zero() {
        return most;
    }
    let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random.below(most.saturating_add(1)))
}

/// What a datagram is, as far as faults ask for it.
fn kind(bytes: &Bytes, is_from_proxy: bool) -> Option<Passing> {
    match parse(bytes.clone()).ok()? {
        Message::Request(request) => match (request.method(), is_from_proxy) {
            (Method::Message, false) => Some(Passing::Submission),
            (Method::Message, true) => Some(Passing::Leg),
            (Method::Notify, true) => Some(Passing::Notify),
            _ => None,
        },
        Message::Response(response) => {
            let is_it = is_from_proxy
                && response.status() == 202
                && *response.fields().cseq_method() == Method::Message;
            is_it.then_some(Passing::Accepted)
        }
    }
}

/// Where the body begins.
fn body_start(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, b"\r\n\r\n").map(|end| end + 4)
}

/// The same without half of its body.
fn truncated(bytes: &Bytes) -> Bytes {
    let start = body_start(bytes).unwrap_or(bytes.len());
    bytes.slice(..start + (bytes.len() - start) / 2)
}

/// What somebody sends who has seen a report, but does not know the tag of its dialog.
fn forged(bytes: &Bytes) -> Option<Bytes> {
    let (head, body) = bytes.split_at_checked(body_start(bytes)?)?;
    let (head, body) = (std::str::from_utf8(head).ok()?, std::str::from_utf8(body).ok()?);
    let mut forged = BytesMut::new();
    for line in head.split_inclusive("\r\n") {
        let line = match line.split_once(";tag=") {
            Some((to, _)) if line.starts_with("To:") => format!("{to};tag=forged\r\n"),
            Some(_) | None => line.replace("branch=z9hG4bK", "branch=z9hG4bKforged"),
        };
        forged.put(line.as_bytes());
    }
    // As long as the right word, so that Content-Length stays right.
    forged.put(body.replace(" delivery failure", " delivery success").as_bytes());
    Some(forged.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Clock;

    const REPORT: &str = "NOTIFY sip:james@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKn1\r\n\
        Max-Forwards: 70\r\nFrom: <sip:domain.com>;tag=p1\r\nTo: <sip:james@domain.com>;tag=49583\r\n\
        Call-ID: c\r\nCSeq: 1 NOTIFY\r\nEvent: delivery-report\r\n\
        Subscription-State: terminated;reason=noresource\r\nContent-Type: application/delivery-report\r\n\
        Content-Length: 36\r\n\r\nim:ann@domain.com delivery failure\r\n";

    fn message(text: &str) -> Bytes {
        Bytes::from(format!(
            "MESSAGE sip:ann@domain.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKm1\r\n\
             Max-Forwards: 70\r\nFrom: <sip:james@domain.com>;tag=1\r\nTo: <sip:ann@domain.com>\r\n\
             Call-ID: {text}\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
        ))
    }

    fn accepted() -> Bytes {
        Bytes::from_static(
            b"SIP/2.0 202 Accepted\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKm1\r\nFrom: <sip:a@b>;tag=1\r\n\
              To: <sip:c@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
        )
    }

    fn layer(faults: &[&str]) -> (PathLayer, Instant) {
        let (mut layer, now) = (PathLayer::new(Random::from_seed(1)), Clock::start().now().mono);
        for fault in faults {
            let Ok(crate::injection::Injection::Path { of, fault }) = fault.parse() else {
                panic!("{fault} is no fault of the path")
            };
            layer.set(of, fault, now);
        }
        (layer, now)
    }

    #[test]
    fn a_fault_is_for_its_kind_of_message_alone() {
        let report = Bytes::from_static(REPORT.as_bytes());
        let all = [
            (message("up"), false, "submission"),
            (message("down"), true, "legs"),
            (accepted(), true, "202"),
            (report, true, "notify"),
        ];
        for (_, _, name) in &all {
            let (mut layer, now) = layer(&[&format!("{name}:drop=1")]);
            for (bytes, is_from_proxy, other) in &all {
                let arrived = layer.fate(bytes, *is_from_proxy, now).len();
                assert_eq!(arrived, usize::from(name != other), "{name}, {other}");
                assert_eq!(layer.fate(bytes, *is_from_proxy, now).len(), 1, "the second {other}");
            }
        }
        // The answer of a recipient is none of the proxy's.
        let (mut layer, now) = layer(&["202:loss=100%"]);
        assert_eq!(layer.fate(&accepted(), false, now).len(), 1);
    }

    #[test]
    fn shares_are_what_they_say_and_the_seed_decides() {
        let (mut one, now) = layer(&["path:loss=20%,dup=10%"]);
        let (mut other, _) = layer(&["path:loss=20%,dup=10%"]);
        let count = |layer: &mut PathLayer| -> Vec<usize> {
            (0..10_000).map(|_| layer.fate(&message("m"), false, now).len()).collect()
        };
        let arrived = count(&mut one);
        let of = |copies: usize| arrived.iter().filter(|arrived| **arrived == copies).count();
        assert!((1900..2100).contains(&of(0)), "{} lost", of(0));
        assert!((720..880).contains(&of(2)), "{} twice", of(2));
        assert_eq!(arrived, count(&mut other));
    }

    #[test]
    fn delays_add_up_and_faults_end_and_begin_again() {
        let (mut layer, now) = layer(&["path:delay=200ms", "legs:delay=50ms,reorder=100%"]);
        assert_eq!(layer.fate(&message("m"), false, now)[0].after, Duration::from_millis(200));
        assert_eq!(layer.fate(&message("m"), true, now)[0].after, Duration::from_millis(550));
        layer.set(Passing::Leg, PathFault::default(), now);
        assert_eq!(layer.fate(&message("m"), true, now)[0].after, Duration::from_millis(200));
        layer.clear();
        assert!(layer.is_clear());

        let (mut layer, now) = self::layer(&["path:loss=100%,for=3s,every=10s"]);
        let mut arrives =
            |millis: u64| !layer.fate(&message("m"), false, now + Duration::from_millis(millis)).is_empty();
        assert_eq!(
            [0, 2999, 3000, 9999, 10_000, 12_999, 13_000].map(&mut arrives),
            [false, false, true, true, false, false, true]
        );
        let (mut layer, now) = self::layer(&["path:jitter=100ms"]);
        let mut later = || layer.fate(&message("m"), false, now)[0].after;
        let times: Vec<_> = (0..100).map(|_| later()).collect();
        assert!(times.iter().all(|after| *after <= Duration::from_millis(100)));
        assert!(times.iter().any(|after| *after > Duration::from_millis(60)));
        assert!(times.iter().any(|after| *after < Duration::from_millis(40)));
    }

    #[test]
    fn a_connection_is_slow_stands_still_until_the_fault_is_over_or_is_closed() {
        let (mut layer, now) = layer(&["connections:delay=200ms,jitter=100ms"]);
        assert_eq!(layer.fate(&message("m"), true, now)[0].after, Duration::ZERO, "it is no datagram's");
        for _ in 0..100 {
            let OnConnection::Arrives(after) = layer.on_connection(now) else { panic!("it is not cut") };
            assert!((200..=300).contains(&after.as_millis()), "{after:?}");
        }
        let (mut layer, now) = self::layer(&["connections:stall,for=3s,every=10s", "path:loss=100%"]);
        let mut after = |millis| layer.on_connection(now + Duration::from_millis(millis));
        let arrives = |millis| OnConnection::Arrives(Duration::from_millis(millis));
        assert_eq!([0, 2999, 3000, 12_000].map(&mut after), [3000, 1, 0, 1000].map(arrives));
        let (mut layer, now) = self::layer(&["connections:cut,for=1s"]);
        assert_eq!(layer.on_connection(now), OnConnection::Cut);
        assert_eq!(layer.on_connection(now + Duration::from_secs(1)), arrives(0));
    }

    #[test]
    fn a_report_is_cut_or_another_one_comes_before_it() {
        let report = Bytes::from_static(REPORT.as_bytes());
        let (mut layer, now) = layer(&["notify:truncate"]);
        let arrivals = layer.fate(&report, true, now);
        assert!(arrivals[0].bytes.ends_with(b"\r\n\r\nim:ann@domain.com "), "{:?}", arrivals[0].bytes);

        let (mut layer, now) = self::layer(&["notify:forge"]);
        let mut arrivals = layer.fate(&report, true, now);
        arrivals.sort_by_key(|arrival| arrival.after);
        assert_eq!(arrivals[1].bytes, report);
        let forged = REPORT
            .replace("branch=z9hG4bKn1", "branch=z9hG4bKforgedn1")
            .replace("tag=49583", "tag=forged")
            .replace("delivery failure", "delivery success");
        assert_eq!(arrivals[0].bytes, forged);
        assert_eq!(arrivals.len(), 2);
    }
}
