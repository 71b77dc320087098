//! What a path with faults lets through, in both directions.

use super::*;
use crate::injection::Injection;
use crate::limits::FAULT_DELAYED_MAX;
use crate::random::Random;
use crate::runtime::path_faults::{FaultyPath, PathFaults};

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
