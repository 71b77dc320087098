//! A burst to one address fits its reader's socket buffer, and nobody else waits for it (W17).

use std::collections::VecDeque;

use super::*;

/// A gateway with 500 people behind it.
const GATEWAY: &str = "192.0.2.50:5060";
const PEOPLE: usize = 500;
/// `net.core.rmem_default` of a stock Linux.
const BUFFER: usize = 212_992;

/// A socket whose owner reads one datagram per millisecond and answers it.
#[derive(Default)]
struct SlowReader {
    buffer: VecDeque<(String, usize)>,
    bytes: usize,
    lost: usize,
    read: usize,
}

impl SlowReader {
    /// Charges as Linux does: the payload with its headers, rounded up to a power of two, plus the buffer's own header.
    fn arrive(&mut self, text: String) {
        let cost = (text.len() + 64 + 320).next_power_of_two() + 256;
        if self.bytes + cost > BUFFER {
            self.lost += 1;
            return;
        }
        self.bytes += cost;
        self.buffer.push_back((text, cost));
    }

    fn read(&mut self) -> Option<String> {
        let (text, cost) = self.buffer.pop_front()?;
        self.bytes -= cost;
        self.read += 1;
        Some(text)
    }
}

fn behind_the_gateway(number: u32, recipients: usize, body: usize) -> String {
    // Hidden, so that no leg carries the names of all the others.
    let others: String =
        (1..recipients).map(|person| format!("Secondary-To: <sip:u{person}@{GATEWAY}>;copy=bcc\n")).collect();
    format!(
        "MESSAGE sip:u0@{GATEWAY} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKb{number}
From: <sip:james@domain.com>;tag=t{number}
To: <sip:u0@{GATEWAY}>;copy=bcc
{others}Contact: <sip:james@192.0.2.1:5060>
Delivery-Report: final;detail
Call-ID: burst{number}
CSeq: 1 MESSAGE
Content-Type: text/plain
Content-Length: {body}

{}",
        "x".repeat(body)
    )
}

fn submit(bench: &mut Bench, text: &str) {
    bench.receive(udp(JAMES), text);
    for (id, uri) in std::mem::take(&mut bench.resolves) {
        assert!(uri.contains("192.0.2.50"), "{uri}");
        let hop = Hop { transport: Transport::Udp, remote: address(GATEWAY) };
        bench.input(Input::Resolved { id, hops: vec![hop] });
    }
    let answer = bench.take_one(JAMES);
    assert_eq!(status(&answer), 202, "{answer}");
}

/// The report, which is too large for UDP if a stream can be opened: here none can.
fn report(bench: &mut Bench) -> String {
    for (id, _) in std::mem::take(&mut bench.connects) {
        bench.input(Input::ConnectFailed { id, fault: crate::machine::ConnectFault::Unreachable });
    }
    bench.take_one(JAMES)
}

#[test]
fn w17_500_legs_to_one_slow_reader_overflow_nothing_and_none_is_sent_twice() {
    let mut bench = Bench::new();
    submit(&mut bench, &behind_the_gateway(1, PEOPLE, 900));
    let mut reader = SlowReader::default();
    for _ in 0..2000 {
        for leg in bench.take(GATEWAY) {
            assert!((1190..1300).contains(&leg.len()), "{} bytes", leg.len());
            reader.arrive(leg);
        }
        if let Some(leg) = reader.read() {
            bench.answer(GATEWAY, &leg, "200 OK");
        }
        bench.advance_ms(1);
    }
    assert_eq!((reader.lost, reader.read), (0, PEOPLE));
    let report = report(&mut bench);
    assert_eq!(
        report.matches("delivery success;status=200;reason=\"OK\";tries=1;").count(),
        PEOPLE,
        "{report}"
    );
}

#[test]
fn w17_500_legs_to_one_silent_peer_have_11_transmissions_each() {
    let mut bench = Bench::new();
    submit(&mut bench, &behind_the_gateway(1, PEOPLE, 900));
    let at_once = bench.take(GATEWAY).len();
    assert!((40..100).contains(&at_once), "{at_once}");
    bench.advance_ms(34_000);
    let report = report(&mut bench);
    assert_eq!(report.matches("status=408;reason=\"Request Timeout\";tries=11;").count(), PEOPLE, "{report}");
}

#[test]
fn w17_a_small_message_leaves_at_once() {
    let mut bench = Bench::new();
    submit(&mut bench, &behind_the_gateway(1, 40, 10));
    let legs = bench.take_sent(GATEWAY);
    assert_eq!(legs.len(), 40);
    assert!(legs.iter().all(|leg| leg.after.is_zero()));
}

#[test]
fn w31_nobody_waits_behind_the_burst_of_another() {
    let mut bench = Bench::at_home();
    submit(&mut bench, &behind_the_gateway(1, PEOPLE, 900));
    let burst = bench.take(GATEWAY);
    // To other addresses: sent at once.
    bench.receive(udp(JAMES), SUBMISSION);
    assert_eq!((bench.take(ANN).len(), bench.take(BOB).len()), (1, 1));
    bench.take(JAMES);
    // To the same address: sent as soon as there is room, before the hundreds that wait.
    submit(&mut bench, &behind_the_gateway(2, 1, 10));
    for leg in &burst[..3] {
        bench.answer(GATEWAY, leg, "200 OK");
    }
    let next = bench.take(GATEWAY);
    assert!(next.iter().any(|leg| leg.ends_with("\r\n\r\nxxxxxxxxxx")), "{}", next.len());
}

/// A picture for `people` behind one edge, sent over the edge's connection.
fn picture_behind_the_edge(bench: &mut Bench, people: usize) {
    let picture = behind_the_gateway(1, people, 900 * 1024);
    bench.receive(tcp(JAMES, 1), &picture);
    for (id, uri) in std::mem::take(&mut bench.resolves) {
        assert!(uri.contains("192.0.2.50"), "{uri}");
        let hop = Hop { transport: Transport::Tcp, remote: address(GATEWAY) };
        bench.input(Input::Resolved { id, hops: vec![hop] });
    }
    for (id, hop) in std::mem::take(&mut bench.connects) {
        assert_eq!(hop.remote, address(GATEWAY));
        bench.input(Input::Connected { id, flow: tcp(GATEWAY, 7) });
    }
    assert_eq!(status(&bench.take_one(JAMES)), 202);
}

#[test]
fn w31_pictures_for_many_behind_one_connection_leave_as_it_answers() {
    let mut bench = Bench::new();
    picture_behind_the_edge(&mut bench, 20);
    let mut legs = VecDeque::from(bench.take(GATEWAY));
    assert_eq!(legs.len(), 3, "2 MiB are under way at once");
    let mut answered = 0;
    while let Some(leg) = legs.pop_front() {
        bench.answer_with(tcp(GATEWAY, 7), &leg, "200 OK", "");
        answered += 1;
        legs.extend(bench.take(GATEWAY));
        assert!(legs.len() <= 3);
    }
    assert_eq!(answered, 20);
    let report = report(&mut bench);
    assert_eq!(report.matches("delivery success;status=200;reason=\"OK\";tries=1;").count(), 20, "{report}");
}

#[test]
fn w18_a_leg_without_room_on_its_connection_fails_alone() {
    let mut bench = Bench::new();
    picture_behind_the_edge(&mut bench, 3);
    let legs = bench.take(GATEWAY);
    bench.not_sent(GATEWAY, SendFault::NoRoom);
    for leg in &legs[..2] {
        bench.answer_with(tcp(GATEWAY, 7), leg, "200 OK", "");
    }
    let report = report(&mut bench);
    assert_eq!(report.matches("delivery success;status=200;").count(), 2, "{report}");
    assert_eq!(report.matches("delivery failure;status=503;").count(), 1, "{report}");
}

#[test]
fn w17_what_waits_for_a_connection_that_breaks_goes_over_another_one_at_once() {
    let mut bench = Bench::new();
    picture_behind_the_edge(&mut bench, 5);
    assert_eq!(bench.take(GATEWAY).len(), 3);
    bench.input(Input::Disconnected { flow: tcp(GATEWAY, 7) });
    let report = report(&mut bench);
    assert_eq!(report.matches("delivery failure;status=503;").count(), 5, "{report}");
    assert_eq!(report.matches("tries=0;").count(), 2, "what waited was never sent: {report}");
}
