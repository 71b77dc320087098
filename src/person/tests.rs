//! Tests a person with literal bytes.

use super::*;
use crate::time::Timestamp;

const LOCAL: &str = "127.0.0.1:5071";
const PROXY: &str = "127.0.0.1:5060";

#[expect(clippy::disallowed_methods, reason = "any base instant will do: the tests add to it")]
fn base() -> Now {
    Now { mono: Instant::now(), wall: Timestamp::from_millis(1_000_000) }
}

fn person(answer: PersonAnswer, now: Now) -> Person {
    let script = Script {
        address: Uri::parse("sip:ann@domain.com").unwrap(),
        name: "Always Ann".to_owned(),
        answer,
        replies: vec!["On my way.".to_owned()],
        replies_to: Uri::parse("im:james@domain.com").unwrap(),
    };
    Person::new(script, LOCAL.parse().unwrap(), PROXY.parse().unwrap(), Random::from_seed(1), now)
}

fn message(from: &str, branch: &str) -> Bytes {
    Bytes::from(format!(
        "MESSAGE sip:ann@127.0.0.1:5071 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch={branch}\r\n\
         From: <{from}>;tag=1\r\nTo: <sip:ann@domain.com>\r\nAlso-To: <sip:bob@domain.com>\r\nCall-ID: c\r\n\
         CSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nHi"
    ))
}

fn receive(person: &mut Person, bytes: Bytes, now: Now) -> Vec<String> {
    let flow = Flow::udp(LOCAL.parse().unwrap(), PROXY.parse().unwrap());
    person.handle(Input::Received { flow, bytes }, now);
    sent(person)
}

fn sent(person: &mut Person) -> Vec<String> {
    std::iter::from_fn(|| person.poll_output())
        .filter_map(|output| match output {
            Output::Transmit(transmit) => Some(String::from_utf8(transmit.bytes.to_vec()).unwrap()),
            Output::Event(_) => None,
            Output::Connect { .. } | Output::Resolve { .. } | Output::Commit(_) => {
                panic!("it asks for no such thing")
            }
        })
        .collect()
}

#[test]
fn it_registers_and_repeats_until_it_is_answered() {
    let now = base();
    let mut person = person(PersonAnswer::Status(200), now);
    person.handle_timeout(now);
    let register = sent(&mut person).remove(0);
    assert!(register.starts_with("REGISTER sip:domain.com SIP/2.0\r\n"));
    assert!(register.contains("Contact: <sip:ann@127.0.0.1:5071>\r\n"));
    let later = now.plus(Duration::from_millis(600));
    person.handle_timeout(later);
    assert_eq!(sent(&mut person), std::slice::from_ref(&register));
    let via = register.lines().find(|line| line.starts_with("Via")).unwrap();
    let ok = format!(
        "SIP/2.0 200 OK\r\n{via}\r\nFrom: <sip:ann@domain.com>;tag=1\r\nTo: <sip:ann@domain.com>;tag=2\r\n\
         Call-ID: c\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"
    );
    receive(&mut person, Bytes::from(ok), later);
    assert_eq!(
        person.poll_timeout(),
        Some((later.mono + Duration::from_secs(300), TimerReason::PersonRegisters))
    );
}

#[test]
fn it_answers_as_its_script_says() {
    let table: [(PersonAnswer, [Option<&str>; 4]); 4] = [
        (PersonAnswer::Status(486), [Some("SIP/2.0 486 "); 4]),
        (PersonAnswer::After { unanswered: 3, status: 200 }, [None, None, None, Some("SIP/2.0 200 ")]),
        (PersonAnswer::Silence, [None; 4]),
        (PersonAnswer::Status(404), [Some("SIP/2.0 404 "); 4]),
    ];
    for (answer, expected) in table {
        let now = base();
        let mut person = person(answer, now);
        for start in expected {
            let answers = receive(&mut person, message("sip:eve@domain.com", "z9hG4bKx"), now);
            assert_eq!(answers.first().map(|text| text.get(..12).unwrap()), start, "{answer:?}");
        }
    }
}

#[test]
fn it_replies_to_all_but_only_to_its_own_partner() {
    let now = base();
    let mut person = person(PersonAnswer::Status(200), now);
    person.registration = Registration::None;
    receive(&mut person, message("sip:bob@domain.com", "z9hG4bKa"), now);
    assert_eq!(person.poll_timeout(), None);
    receive(&mut person, message("sip:james@domain.com", "z9hG4bKb"), now);
    receive(&mut person, message("sip:james@domain.com", "z9hG4bKb"), now);
    person.handle_timeout(now.plus(Duration::from_secs(5)));
    let replies = sent(&mut person);
    assert_eq!(replies.len(), 1, "a retransmission is not replied to again");
    assert!(replies[0].starts_with("MESSAGE sip:james@domain.com SIP/2.0\r\n"));
    assert!(replies[0].contains("Secondary-To: <sip:bob@domain.com>\r\n"));
    assert!(replies[0].ends_with("\r\n\r\nOn my way."));
}

#[test]
fn somebody_absent_does_nothing() {
    let now = base();
    let mut person = person(PersonAnswer::Absent, now);
    person.handle_timeout(now);
    assert_eq!((person.poll_timeout(), sent(&mut person)), (None, vec![]));
}

#[test]
fn rubbish_is_no_matter() {
    let now = base();
    let mut person = person(PersonAnswer::Status(200), now);
    assert!(receive(&mut person, Bytes::from_static(b"\x00rubbish"), now).is_empty());
}
