//! What a peer with `--answer` lets through to its machine, and what is sent in its name.

use super::*;
use crate::injection::Sent;
use crate::limits::{ANSWERS_LATE_MAX, ANSWERS_REMEMBERED_MAX};
use crate::runtime::answering::{Answering, Rule, Told as Answers};
use crate::sip::Aor;

fn message(number: usize, from: &str) -> String {
    format!(
        "MESSAGE sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:40000;branch=z9hG4bK{number}\r\n\
         From: <sip:{from}>;tag=t\r\nTo: <sip:bob@domain.com>\r\nCall-ID: c{number}\r\nCSeq: 1 MESSAGE\r\n\
         Max-Forwards: 70\r\nContent-Length: 2\r\n\r\nHi"
    )
}

/// An echo behind this answer, after these messages: what it saw and sent back, what was sent for it, and what was told.
fn behind(rules: &[(Option<&str>, &str)], texts: &[String]) -> (Vec<String>, Vec<Sent>) {
    let flow = Flow::udp(([127, 0, 0, 1], 5060).into(), ([127, 0, 0, 1], 40_000).into());
    let event = |text: &String| NetEvent::Received { flow, bytes: Bytes::from(text.clone()) };
    // The last one passes and ends the turn.
    let last = "OPTIONS last".to_owned();
    let coming = texts.iter().chain([&last]).map(event).collect();
    let rules = rules
        .iter()
        .map(|(from, answer)| Rule { from: from.and_then(Aor::parse), answer: answer.parse().unwrap() });
    let told = Answers::default();
    let under = Memory { coming, ..Memory::default() };
    let net = Answering::new(under, Clock::start(), (rules.collect(), told.clone()), "own".to_owned(), None);
    let shell = echo(net, None);
    let sent = shell.net().under().sent.iter();
    let sent =
        sent.map(|sent| String::from_utf8_lossy(&sent.bytes).into_owned()).filter(|text| *text != last);
    (sent.collect(), told.take().into_iter().map(|answered| answered.sent).collect())
}

#[test]
fn the_first_transmissions_are_lost_and_the_next_reaches_the_machine() {
    let one = message(1, "ann@domain.com");
    let (sent, told) = behind(&[(None, "drop=2")], &[one.clone(), one.clone(), one.clone(), one.clone()]);
    assert_eq!(sent, [one.clone(), one.clone()]);
    assert_eq!(told, [Sent::Nothing; 2]);
    let (sent, told) = behind(&[(None, "silent")], &[one.clone(), one.clone(), one]);
    assert_eq!((sent.len(), told), (0, vec![Sent::Nothing; 3]));
}

#[test]
fn a_status_is_sent_for_the_machine_each_time_and_twice_if_doubled() {
    let one = message(1, "ann@domain.com");
    let (sent, told) = behind(&[(None, "486")], &[one.clone(), one.clone()]);
    assert_eq!(told, [Sent::Status(486); 2]);
    assert_eq!(sent.len(), 2);
    let expected = "SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP 127.0.0.1:40000;branch=z9hG4bK1\r\n";
    assert!(sent[0].starts_with(expected) && sent[0] == sent[1], "{sent:#?}");
    assert!(sent[0].contains("To: <sip:bob@domain.com>;tag=own\r\n"), "{}", sent[0]);
    let (sent, _) = behind(&[(None, "603,dup")], std::slice::from_ref(&one));
    assert_eq!(sent.len(), 2);
    let (sent, told) = behind(&[(None, "junk")], &[one]);
    assert!(!sent[0].starts_with("SIP/2.0 ") && sent[0].contains("this is not SIP"), "{sent:?}");
    assert_eq!(told, [Sent::Junk]);
}

#[test]
fn the_first_rule_that_fits_the_sender_counts_and_all_else_passes() {
    let [ann, eve, ben] = ["ann@domain.com", "eve@Else.org", "ben@third.net"].map(|from| message(1, from));
    let rules = [(Some("ann@domain.com"), "486"), (Some("else.org"), "silent")];
    let register = ann.replace("MESSAGE", "REGISTER");
    let texts = [register.clone(), "MESSAGE junk".to_owned(), ann, eve, ben.clone()];
    let (sent, told) = behind(&rules, &texts);
    assert_eq!(told, [Sent::Status(486), Sent::Nothing]);
    let [answer, first, second, third] = sent.try_into().unwrap();
    assert!(answer.starts_with("SIP/2.0 486 "), "{answer}");
    assert_eq!([first, second, third], [register, "MESSAGE junk".to_owned(), ben]);
}

#[test]
fn a_late_message_reaches_the_machine_once_and_its_repetitions_meanwhile_are_lost() {
    let one = message(1, "ann@domain.com");
    let flow = Flow::udp(([127, 0, 0, 1], 5060).into(), ([127, 0, 0, 1], 40_000).into());
    let event = |text: &String| NetEvent::Received { flow, bytes: Bytes::from(text.clone()) };
    let rule = Rule { from: None, answer: "late=20ms".parse().unwrap() };
    let clock = Clock::start();
    let under = Memory { coming: [&one, &one].map(event).into(), ..Memory::default() };
    let mut net = Answering::new(under, clock, (vec![rule], Answers::default()), String::new(), None);
    assert!(net.try_receive().is_none(), "nothing is due yet");
    let begun = clock.now().mono;
    let due = loop {
        if let Some(event) = net.try_receive() {
            break event;
        }
    };
    assert!(matches!(due, NetEvent::Received { bytes, .. } if bytes == one));
    assert!(clock.now().mono >= begun, "{begun:?}");
    assert!(net.try_receive().is_none(), "once");
}

#[test]
fn w31_what_is_remembered_and_held_back_has_an_end() {
    let texts: Vec<_> =
        (0..ANSWERS_REMEMBERED_MAX + 3).map(|number| message(number, "ann@domain.com")).collect();
    let flow = Flow::udp(([127, 0, 0, 1], 5060).into(), ([127, 0, 0, 1], 40_000).into());
    let event = |text: &String| NetEvent::Received { flow, bytes: Bytes::from(text.clone()) };
    let told = Answers::default();
    let rule = Rule { from: None, answer: "late=10m".parse().unwrap() };
    let under = Memory { coming: texts.iter().map(event).collect(), ..Memory::default() };
    let mut net = Answering::new(under, Clock::start(), (vec![rule], told.clone()), String::new(), None);
    assert!(net.try_receive().is_none());
    assert_eq!(net.held(), (ANSWERS_REMEMBERED_MAX, ANSWERS_LATE_MAX));
    assert_eq!(told.take().len(), ANSWERS_REMEMBERED_MAX);
}
