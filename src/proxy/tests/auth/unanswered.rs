//! What a user sends to an address that he named himself and that never answers (W31).

use super::*;
use crate::limits::UNANSWERED_LEGS_MAX;

const VICTIM: &str = "198.51.100.66:5060";
/// What Timer E sends of one request (W17).
const ELEVEN: usize = 11;
/// As many as may be named in a leg that still fits a datagram.
const MANY: usize = 16;

/// James writes to people at these addresses, with so much text.
fn to(people: &[String], number: u32, text: usize, more: &str) -> String {
    let (first, others) = people.split_first().unwrap();
    let others: String = others.iter().map(|other| format!("Secondary-To: <{other}>\n")).collect();
    format!(
        "MESSAGE {first} SIP/2.0\nVia: SIP/2.0/UDP jamesmob.domain.com;branch=z9hG4bKun{number};rport\nMax-Forwards: 70\n\
         From: <sip:james@domain.com>;tag=49583\nTo: <{first}>\n{others}Contact: <sip:james@{JAMES}>\n\
         Call-ID: un{number}\nCSeq: 1 MESSAGE\nProxy-Require: secondary-to\nDelivery-Report: none\n{more}\
         Content-Type: text/plain\nContent-Length: {text}\n\n{}",
        "a".repeat(text)
    )
}

fn people(count: usize, at: &str) -> Vec<String> {
    (0..count).map(|number| format!("sip:u{number}@{at}")).collect()
}

/// James has proved himself.
fn submit(bench: &mut Bench, text: &str) {
    let given = nonce_for(bench, text);
    let answer = ask(bench, JAMES, &james(&given, "00000001").with(text, "Proxy-Authorization"));
    assert_eq!(status(&answer), 202, "{answer}");
}

const WEEK: &str = "Expires: 604800\n";
const ROUND: Duration = Duration::from_secs(40);

#[test]
fn w31_many_recipients_at_one_silent_address_are_a_few_requests_there() {
    let mut bench = asking();
    submit(&mut bench, &to(&people(MANY, VICTIM), 1, 5, WEEK));
    bench.advance(ROUND);
    let first = bench.take(VICTIM).len();
    // The people of a later attempt are tried one after the other, if at all, and once each.
    bench.advance(Duration::from_secs(7 * 24 * 3600));
    let later = bench.take(VICTIM).len();
    assert!((ELEVEN..=ELEVEN * UNANSWERED_LEGS_MAX).contains(&first), "{first}");
    assert!(later > 100 && later < 400, "an hourly attempt: {later}");
}

#[test]
fn w31_others_at_an_address_wait_for_its_first_answer_and_no_longer() {
    for of_tries in [0, 3] {
        let mut bench = asking();
        submit(&mut bench, &to(&people(MANY, VICTIM), 1, 5, ""));
        for _ in 0..of_tries {
            bench.advance_ms(600);
        }
        let sent = bench.take(VICTIM);
        let at_first: std::collections::BTreeSet<_> =
            sent.iter().map(|text| field(text, "Via").unwrap()).collect();
        assert_eq!(at_first.len(), UNANSWERED_LEGS_MAX);
        bench.answer(VICTIM, &sent[0], "200 OK");
        bench.advance_ms(300);
        let mut all: std::collections::BTreeSet<String> =
            at_first.iter().map(|via| (*via).to_owned()).collect();
        all.extend(bench.take(VICTIM).iter().map(|text| field(text, "Via").unwrap().to_owned()));
        assert_eq!(all.len(), MANY, "as soon as it answers");
    }
}

#[test]
fn w31_a_few_at_one_address_and_many_at_different_ones_have_their_eleven() {
    let mut bench = asking();
    submit(&mut bench, &to(&people(UNANSWERED_LEGS_MAX, VICTIM), 1, 5, ""));
    let others: Vec<_> = (0..MANY).map(|number| format!("sip:u@198.51.100.{}:5060", 100 + number)).collect();
    submit(&mut bench, &to(&others, 2, 5, ""));
    bench.advance(ROUND);
    assert_eq!(bench.take(VICTIM).len(), ELEVEN * UNANSWERED_LEGS_MAX);
    for number in 0..MANY {
        assert_eq!(bench.take(&format!("198.51.100.{}:5060", 100 + number)).len(), ELEVEN, "{number}");
    }
}

#[test]
fn w31_ports_names_and_a_restart_make_no_difference() {
    let mut bench = asking();
    let ports: Vec<_> =
        (0..MANY).map(|number| format!("sip:u{number}@198.51.100.66:{}", 6000 + number)).collect();
    submit(&mut bench, &to(&ports, 1, 5, WEEK));
    bench.advance(ROUND);
    let at_victim = |bench: &mut Bench| {
        let all = std::mem::take(&mut bench.sent);
        all.iter().filter(|sent| sent.flow.remote.ip() == address(VICTIM).ip()).count()
    };
    assert_eq!(at_victim(&mut bench), ELEVEN * UNANSWERED_LEGS_MAX);
    bench.crash();
    bench.input(Input::Command(users(&["james", "ann", "bob"])));
    bench.advance(Duration::from_secs(59));
    assert_eq!(at_victim(&mut bench), 1, "the proxy tries again at its start");
    bench.advance(Duration::from_secs(35));
    assert_eq!(at_victim(&mut bench), 1, "a later attempt");

    let mut bench = asking();
    let names: Vec<_> = (0..MANY).map(|number| format!("sip:u@n{number}.test")).collect();
    submit(&mut bench, &to(&names, 1, 5, ""));
    while let Some((id, _)) = bench.resolves.pop() {
        let hops = vec![Hop { transport: Transport::Udp, remote: address(VICTIM) }];
        bench.input(Input::Resolved { id, hops });
    }
    bench.advance(ROUND);
    assert_eq!(bench.take(VICTIM).len(), ELEVEN * UNANSWERED_LEGS_MAX);
}
