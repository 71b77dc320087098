//! What a path with faults lets through, in both directions.

use super::*;
use crate::injection::Injection;
use crate::limits::FAULT_DELAYED_MAX;
use crate::random::Random;
use crate::runtime::path_faults::{FaultyPath, PathFaults};
use crate::runtime::wire_tap::WireTap;

fn message(number: usize) -> Bytes {
    Bytes::from(format!(
        "MESSAGE sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:40000;branch=z9hG4bK{number}\r\n\
         From: <sip:ann@domain.com>;tag=t\r\nTo: <sip:bob@domain.com>\r\nCall-ID: c{number}\r\nCSeq: 1 MESSAGE\r\n\
         Max-Forwards: 70\r\nContent-Length: 2\r\n\r\nHi"
    ))
}

fn flow() -> Flow {
    Flow::udp(([127, 0, 0, 1], 5060).into(), ([127, 0, 0, 1], 40_000).into())
}

/// A path with this fault, on which these messages come.
fn path(fault: &str, coming: &[Bytes]) -> FaultyPath<Memory> {
    let (clock, faults) = (Clock::start(), PathFaults::new(Random::from_seed(1)));
    let Ok(Injection::Path { of, fault }) = fault.parse() else { panic!("{fault}") };
    faults.set(of, fault, clock.now().mono);
    let event = |bytes: &Bytes| NetEvent::Received { flow: flow(), bytes: bytes.clone() };
    let under = Memory { coming: coming.iter().map(event).collect(), ..Memory::default() };
    FaultyPath::new(under, clock, Some(faults))
}

fn arrived(path: &mut FaultyPath<Memory>) -> Vec<Bytes> {
    std::iter::from_fn(|| path.try_receive())
        .map(|event| {
            let NetEvent::Received { bytes, .. } = event else { panic!("only datagrams come") };
            bytes
        })
        .collect()
}

fn left(path: &FaultyPath<Memory>) -> Vec<Bytes> {
    path.under().sent.iter().map(|transmit| transmit.bytes.clone()).collect()
}

#[test]
fn what_is_dropped_neither_arrives_nor_leaves_and_the_rest_does() {
    let (one, two) = (message(1), message(2));
    let mut submissions = path("submission:drop=1", &[one.clone(), two.clone()]);
    assert_eq!(arrived(&mut submissions), std::slice::from_ref(&two));
    submissions.transmit(&Transmit::new(flow(), one.clone()));
    assert_eq!(left(&submissions), std::slice::from_ref(&one), "a leg is no submission");

    let mut legs = path("legs:drop=1", std::slice::from_ref(&one));
    assert_eq!(arrived(&mut legs), std::slice::from_ref(&one));
    for bytes in [&one, &two] {
        legs.transmit(&Transmit::new(flow(), bytes.clone()));
    }
    assert_eq!(left(&legs), [two]);
}

#[test]
fn what_is_doubled_and_delayed_arrives_and_leaves_in_its_time() {
    let one = message(1);
    let mut path = path("path:delay=20ms,dup=100%", std::slice::from_ref(&one));
    path.transmit(&Transmit::new(flow(), one.clone()));
    assert!(arrived(&mut path).is_empty() && left(&path).is_empty(), "nothing is due yet");
    let mut came = Vec::new();
    while came.len() < 2 || left(&path).len() < 2 {
        came.extend(arrived(&mut path));
    }
    assert_eq!((came, left(&path)), (vec![one.clone(), one.clone()], vec![one.clone(), one]));
}

#[test]
fn w31_what_is_delayed_has_an_end() {
    let mut path = path("path:delay=10m", &[]);
    for number in 0..FAULT_DELAYED_MAX + 3 {
        path.transmit(&Transmit::new(flow(), message(number)));
    }
    assert_eq!(path.delayed(), FAULT_DELAYED_MAX);
    assert!(left(&path).is_empty());
}

/// A connection to the proxy.
fn connection() -> Flow {
    let connection = Some(crate::machine::ConnectionId(7));
    Flow { transport: crate::sip::Transport::Tcp, connection, ..flow() }
}

/// A path with these faults, on whose connection these events come; what passes is shown.
fn connected(faults: &[&str], coming: Vec<NetEvent>) -> (FaultyPath<Memory>, PathFaults, WireTap) {
    let (clock, set, tap) = (Clock::start(), PathFaults::new(Random::from_seed(1)), WireTap::new());
    for fault in faults {
        let Ok(Injection::Path { of, fault }) = fault.parse() else { panic!("{fault}") };
        set.set(of, fault, clock.now().mono);
    }
    let under = Memory { coming: coming.into(), ..Memory::default() };
    (FaultyPath::new(under, clock, Some(set.clone())).watched(Some(tap.clone())), set, tap)
}

fn on_connection(number: usize) -> NetEvent {
    NetEvent::Received { flow: connection(), bytes: message(number) }
}

fn marks(tap: &WireTap) -> Vec<Option<String>> {
    tap.since(0).entries.iter().map(|entry| entry.mark.map(|mark| mark.to_string())).collect()
}

#[test]
fn a_connection_that_is_slow_keeps_its_order_to_its_end_and_loses_nothing() {
    let coming = (1..40).map(on_connection).chain([NetEvent::Disconnected { flow: connection() }]).collect();
    let (mut path, _, tap) = connected(&["connections:jitter=30ms", "path:loss=100%"], coming);
    for number in 1..40 {
        assert!(path.transmit(&Transmit::new(connection(), message(number))).is_none());
    }
    let mut came = Vec::new();
    while !matches!(came.last(), Some(NetEvent::Disconnected { .. })) || left(&path).len() < 39 {
        came.extend(path.try_receive());
    }
    let all: Vec<_> = (1..40).map(message).collect();
    let bytes = |event: &NetEvent| {
        let NetEvent::Received { bytes, .. } = event else { panic!("{event:?}") };
        bytes.clone()
    };
    assert_eq!(came[..39].iter().map(bytes).collect::<Vec<_>>(), all);
    assert_eq!(left(&path), all);
    assert_eq!(tap.since(0).entries.len(), 78, "each is shown once");
    assert!(marks(&tap).iter().flatten().all(|mark| mark.ends_with("late")), "{:?}", marks(&tap));
}

#[test]
fn a_connection_that_stalls_goes_on_when_the_fault_is_over() {
    let (mut path, _, tap) = connected(&["connections:stall,for=50ms"], vec![on_connection(1)]);
    path.transmit(&Transmit::new(connection(), message(2)));
    assert!(path.try_receive().is_none() && left(&path).is_empty(), "nothing passes");
    let mut came = Vec::new();
    while came.is_empty() || left(&path).is_empty() {
        came.extend(path.try_receive());
    }
    path.transmit(&Transmit::new(connection(), message(3)));
    assert_eq!(left(&path), [message(2), message(3)]);
    assert_eq!(marks(&tap).iter().filter(|mark| mark.is_none()).count(), 1, "the last is not late");
}

#[test]
fn a_connection_is_cut_by_what_passes_on_it_in_either_direction() {
    let is_end = |event: Option<NetEvent>| matches!(event, Some(NetEvent::Disconnected { flow }) if flow == connection());
    let (mut path, faults, tap) = connected(&["connections:cut"], vec![on_connection(1)]);
    assert!(is_end(path.try_receive()));
    assert!(is_end(path.transmit(&Transmit::new(connection(), message(2)))));
    assert_eq!(path.under().closed, [connection(), connection()]);
    assert!(left(&path).is_empty());
    assert_eq!(marks(&tap), [Some("connection cut".to_owned()), Some("connection cut".to_owned())]);
    // A datagram passes, and so does all once the fault is over.
    path.transmit(&Transmit::new(flow(), message(3)));
    faults.clear();
    path.transmit(&Transmit::new(connection(), message(4)));
    assert_eq!(left(&path), [message(3), message(4)]);
}

#[test]
fn w31_a_connection_on_which_too_much_is_under_way_is_cut() {
    let (mut path, _, _) = connected(&["connections:delay=10m"], Vec::new());
    for number in 0..FAULT_DELAYED_MAX {
        assert!(path.transmit(&Transmit::new(connection(), message(number))).is_none());
    }
    assert!(path.transmit(&Transmit::new(connection(), message(0))).is_some());
    assert_eq!((path.delayed(), &path.under().closed[..]), (FAULT_DELAYED_MAX, &[connection()][..]));
}

#[test]
fn what_a_fault_did_to_a_datagram_is_shown_in_both_directions() {
    let datagram = |number| NetEvent::Received { flow: flow(), bytes: message(number) };
    let (mut path, _, tap) =
        connected(&["submission:drop=1", "legs:dup=100%"], vec![datagram(1), datagram(2)]);
    assert_eq!(arrived(&mut path), [message(2)]);
    path.transmit(&Transmit::new(flow(), message(3)));
    assert_eq!(left(&path), [message(3), message(3)]);
    assert_eq!(marks(&tap), [Some("lost".to_owned()), None, Some("twice".to_owned())]);
}
