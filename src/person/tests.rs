//! Tests a person with literal bytes.

use super::*;
use crate::time::Timestamp;

const LOCAL: &str = "127.0.0.1:5071";
const PROXY: &str = "127.0.0.1:5060";

#[expect(clippy::disallowed_methods, reason = "any base instant will do: the tests add to it")]
fn base() -> Now {
    Now { mono: Instant::now(), wall: Timestamp::from_millis(1_000_000) }
}

/// A person who behaves like this, in the words of the grammar.
fn person(words: &str, now: Now) -> ScriptedPerson {
    let script = Script {
        address: Uri::parse("sip:ann@domain.com").unwrap(),
        name: "Always Ann".to_owned(),
        conduct: conduct(words),
        replies: vec!["On my way.".to_owned()],
        replies_to: Uri::parse("im:james@domain.com").unwrap(),
    };
    ScriptedPerson::new(script, LOCAL.parse().unwrap(), PROXY.parse().unwrap(), Random::from_seed(1), now)
}

fn conduct(words: &str) -> Conduct {
    match format!("ann:{words}").parse() {
        Ok(crate::injection::Injection::Person { conduct, .. }) => conduct,
        other => panic!("{words}: {other:?}"),
    }
}

fn message(from: &str, branch: &str) -> Bytes {
    Bytes::from(format!(
        "MESSAGE sip:ann@127.0.0.1:5071 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch={branch}\r\n\
         From: <{from}>;tag=1\r\nTo: <sip:ann@domain.com>\r\nAlso-To: <sip:bob@domain.com>\r\nCall-ID: {from}\r\n\
         CSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nHi"
    ))
}

fn receive(person: &mut ScriptedPerson, bytes: Bytes, now: Now) -> Vec<String> {
    let flow = Flow::udp(LOCAL.parse().unwrap(), PROXY.parse().unwrap());
    person.handle(Input::Received { flow, bytes }, now);
    sent(person)
}

fn sent(person: &mut ScriptedPerson) -> Vec<String> {
    std::iter::from_fn(|| person.poll_output())
        .filter_map(|output| match output {
            Output::Transmit(transmit) => Some(String::from_utf8_lossy(&transmit.bytes).into_owned()),
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
    let mut person = person("usual", now);
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
    let table: [(&str, [&[&str]; 4]); 6] = [
        ("486", [&["SIP/2.0 486 "]; 4]),
        ("drop=3", [&[], &[], &[], &["SIP/2.0 200 "]]),
        ("silent", [&[]; 4]),
        ("404", [&["SIP/2.0 404 "]; 4]),
        ("junk", [&["\r\n\u{fffd}\u{fffd}\0 this"]; 4]),
        ("dup,drop=2,603", [&[], &[], &["SIP/2.0 603 "; 2], &["SIP/2.0 603 "; 2]]),
    ];
    for (words, expected) in table {
        let now = base();
        let mut person = person(words, now);
        for starts in expected {
            let answers = receive(&mut person, message("sip:eve@domain.com", "z9hG4bKx"), now);
            assert_eq!(answers.len(), starts.len(), "{words}: {answers:?}");
            for (answer, start) in answers.iter().zip(starts) {
                assert!(answer.starts_with(start), "{words}: {answer:?}");
            }
        }
    }
}

#[test]
fn a_message_is_the_same_whatever_its_branch() {
    let now = base();
    let mut person = person("drop=1", now);
    assert!(receive(&mut person, message("sip:eve@domain.com", "z9hG4bKx"), now).is_empty());
    assert_eq!(receive(&mut person, message("sip:eve@domain.com", "z9hG4bKy"), now).len(), 1);
}

#[test]
fn a_late_answer_comes_in_its_time_and_later_transmissions_get_it_at_once() {
    let now = base();
    let mut person = person("drop=1,late=3s,486", now);
    person.registration = Registration::None;
    let again = message("sip:eve@domain.com", "z9hG4bKx");
    let after = |millis: u64| now.plus(Duration::from_millis(millis));
    assert!(receive(&mut person, again.clone(), now).is_empty());
    assert!(receive(&mut person, again.clone(), after(500)).is_empty());
    assert!(receive(&mut person, again.clone(), after(1500)).is_empty());
    assert_eq!(person.poll_timeout(), Some((after(3500).mono, TimerReason::PersonReplies)));
    person.handle_timeout(after(3499));
    assert!(sent(&mut person).is_empty());
    person.handle_timeout(after(3500));
    let answers = sent(&mut person);
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers[0].starts_with("SIP/2.0 486 "));
    assert_eq!(receive(&mut person, again, after(3600)).len(), 1);
    assert_eq!(person.poll_timeout(), None);
}

#[test]
fn it_goes_offline_and_comes_back_when_it_is_asked() {
    let now = base();
    let mut person = person("usual", now);
    person.handle_timeout(now);
    sent(&mut person);
    let ask = |person: &mut ScriptedPerson, words: &str| {
        person.handle(Input::Command(PersonCommand::Behave(conduct(words))), now);
        sent(person)
    };
    let goodbye = ask(&mut person, "offline").remove(0);
    assert!(goodbye.starts_with("REGISTER ") && goodbye.contains("\r\nExpires: 0\r\n"), "{goodbye}");
    assert!(receive(&mut person, message("sip:eve@domain.com", "z9hG4bKx"), now).is_empty());
    assert!(ask(&mut person, "offline").is_empty(), "it has left already");
    let via = goodbye.lines().find(|line| line.starts_with("Via")).unwrap();
    let ok = format!(
        "SIP/2.0 200 OK\r\n{via}\r\nFrom: <sip:ann@domain.com>;tag=1\r\nTo: <sip:ann@domain.com>;tag=2\r\n\
         Call-ID: c\r\nCSeq: 2 REGISTER\r\nContent-Length: 0\r\n\r\n"
    );
    receive(&mut person, Bytes::from(ok), now);
    assert_eq!(person.poll_timeout(), None);
    ask(&mut person, "486");
    person.handle_timeout(now);
    assert!(sent(&mut person).remove(0).contains("\r\nExpires: 600\r\n"));
    let answers = receive(&mut person, message("sip:eve@domain.com", "z9hG4bKx"), now);
    assert!(answers[0].starts_with("SIP/2.0 486 "), "{answers:?}");
}

#[test]
fn it_replies_to_all_but_only_to_its_own_partner() {
    let now = base();
    let mut person = person("usual", now);
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
    let mut person = person("offline", now);
    person.handle_timeout(now);
    assert_eq!((person.poll_timeout(), sent(&mut person)), (None, vec![]));
}

#[test]
fn rubbish_is_no_matter() {
    let now = base();
    let mut person = person("usual", now);
    assert!(receive(&mut person, Bytes::from_static(b"\x00rubbish"), now).is_empty());
}
