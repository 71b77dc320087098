//! W6 against a server that does not know the extension: nobody may be left out silently.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::baresip::Baresip;
use crate::common::{objects, wait_for_binding};
use crate::kamailio::Kamailio;
use crate::program::{Program, fanfare};
use crate::socket::{Answering, Message, Phone, Tap, Way, answer_to, submission};

/// A phone registered at Kamailio that always gives the same answer.
fn answering(user: &str, kamailio: &Kamailio, status: &'static str) -> Answering {
    let phone = Phone::new();
    phone.register(user, kamailio.address);
    Answering::new(phone, move |_, _| Some(status))
}

fn send(over: &str, to: &[&str], text: &str, extra: &[&str]) -> Program {
    let mut args = vec!["send", "--from", "im:james@domain.com", "--proxy", over, "--text", text, "--json"];
    to.iter().for_each(|to| args.extend(["--to", to]));
    args.extend(extra);
    fanfare(&args)
}

#[test]
fn kamailio_ignores_what_a_submission_requires_and_leaves_out_all_but_the_first() {
    let kamailio = Kamailio::start();
    let (ann, bob) = (answering("ann", &kamailio, "200 OK"), answering("bob", &kamailio, "200 OK"));
    let james = Phone::new();
    let people = ["sip:ann@domain.com", "sip:bob@domain.com"];
    let submission = submission(james.address, &people, "", "Come here.").replace("im:james", "sip:james");
    let answer = james.ask(kamailio.address, &submission);
    assert_eq!(answer.start(), "SIP/2.0 200 OK", "{}", answer.text);
    assert_eq!((ann.seen().len(), bob.seen().len()), (1, 0), "the reason for W6");
}

#[test]
fn w6_through_stock_kamailio_everybody_gets_it_and_each_tick_is_right() {
    let kamailio = Kamailio::start();
    let (ann, eli) = (answering("ann", &kamailio, "200 OK"), answering("eli", &kamailio, "486 Busy Here"));
    let _bella = Baresip::register("bella", kamailio.address, "udp", "sip:james@domain.com");
    let cy = fanfare(&["listen", "--as", "im:cy@domain.com", "--proxy", &kamailio.udp(), "--json"]);
    wait_for_binding("cy", kamailio.address);

    let people = ["im:ann@domain.com", "im:bella@domain.com", "im:cy@domain.com", "im:eli@domain.com"];
    let nobody = "im:nobody@domain.com";
    let ended = send(&kamailio.udp(), &[&people[..], &[nobody]].concat(), "Come here.", &[]).end();
    assert_eq!(ended.code(), 1, "{ended:?}");
    let told = objects(&ended.out);
    assert_eq!(told.first(), Some(&json!({ "event": "one-by-one" })));
    assert_eq!(told.last(), Some(&json!({ "event": "report", "state": "complete" })));
    assert_eq!(told.len(), 7, "{told:#?}");
    for (to, state, status) in [
        (people[0], "success", 200),
        (people[1], "success", 200),
        (people[2], "success", 200),
        (people[3], "failure", 486),
        (nobody, "failure", 404),
    ] {
        let line = told.iter().find(|line| line["to"] == to).unwrap_or_else(|| panic!("{to}: {told:#?}"));
        assert_eq!((&line["state"], &line["status"]), (&json!(state), &json!(status)), "{line}");
    }
    let shown = objects(&[cy.line_with("Come here.")]).remove(0);
    assert_eq!(shown["from"], "sip:james@domain.com");
    assert_eq!(shown["also_to"].as_array().unwrap().len(), 4, "the group is known, and all can be answered");
    for phone in [&ann, &eli] {
        let seen = phone.seen();
        assert_eq!(seen.len(), 1, "{seen:#?}");
        for name in ["Secondary-To", "Proxy-Require", "Delivery-Report", "Contact"] {
            assert!(seen[0].values(name).is_empty(), "{}", seen[0].text);
        }
        assert!(seen[0].value("From").starts_with("<sip:james@domain.com>"), "{}", seen[0].text);
    }
}

#[test]
fn w6_killed_in_the_middle_it_goes_on_with_those_who_have_not_answered() {
    let kamailio = Kamailio::start();
    let tap = Tap::before(kamailio.address);
    let over = format!("udp:{}", tap.address);
    let ann = answering("ann", &kamailio, "200 OK");
    let answers = Arc::new(AtomicBool::new(false));
    let bob = Phone::new();
    bob.register("bob", kamailio.address);
    let may = Arc::clone(&answers);
    let bob = Answering::new(bob, move |_, _| may.load(Ordering::Relaxed).then_some("200 OK"));

    let folder = TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    let people = ["sip:ann@domain.com", "sip:bob@domain.com"];
    let sender = send(&over, &people, "first", &["--data", data]);
    sender.line_with("\"sip:ann@domain.com\"");
    bob.wait("the first", |seen| (!seen.is_empty()).then_some(()));
    sender.kill();
    let before = tap.saw(Way::ToProxy, "MESSAGE").len();

    answers.store(true, Ordering::Relaxed);
    let ended = send(&over, &people[..1], "second", &["--data", data]).end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    let after = tap.saw(Way::ToProxy, "MESSAGE").split_off(before);
    let firsts: Vec<_> = after.iter().filter(|message| message.body() == "first").collect();
    assert!(!firsts.is_empty(), "Bob is not forgotten: {after:#?}");
    assert!(firsts.iter().all(|message| message.value("To") == "<sip:bob@domain.com>"), "{firsts:#?}");
    let same = |message: &Message| message.identity() == firsts[0].identity();
    assert!(bob.seen().iter().any(same), "as the same request, so that he can tell a double");
    let texts: Vec<_> = ann.seen().iter().map(|message| message.body().to_owned()).collect();
    assert_eq!(texts, ["first", "second"], "who has answered gets nothing twice");
}

/// Plays a list server: answers OPTIONS with this offer until a MESSAGE comes, which it leaves to the caller.
fn next_message(server: &Phone, offer: &str) -> Message {
    loop {
        let request = server.receive();
        match request.method() {
            "OPTIONS" => server.send(request.from, &answer_to(&request, "200 OK", offer)),
            "MESSAGE" => return request,
            other => panic!("{other}: {}", request.text),
        }
    }
}

#[test]
fn w27_w10_killed_before_the_list_server_answers_it_sends_the_same_list_again() {
    let (server, folder) = (Phone::new(), TempDir::new().unwrap());
    let over = format!("udp:{}", server.address);
    let data = folder.path().to_str().unwrap();
    let people = ["sip:ann@domain.com", "sip:bob@domain.com"];
    let sender = send(&over, &people, "first", &["--data", data]);
    let first = next_message(&server, "Supported: recipient-list-message\r\n");
    assert_eq!(first.value("Require"), "recipient-list-message", "{}", first.text);
    sender.kill();

    // By now it offers nothing; but a message it may have accepted must not be sent to each recipient as well.
    let sender = send(&over, &people[..1], "second", &["--data", data]);
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let message = next_message(&server, "");
        // A retransmission from before the first sender was killed is still in the socket.
        if message.text == first.text {
            continue;
        }
        server.answer(&message, "202 Accepted");
        seen.push(message);
    }
    assert_eq!(sender.end().code(), 0);
    let again = seen.iter().find(|message| !message.values("Require").is_empty()).expect("the list");
    assert_eq!(again.identity(), first.identity());
    assert_eq!(again.body(), first.body());
    let second = seen.iter().find(|message| message.values("Require").is_empty()).unwrap();
    assert_eq!((second.value("To"), second.body()), ("<sip:ann@domain.com>", "second"));
    while let Some(late) = server.receive_within(Duration::from_millis(200)) {
        assert!(
            seen.iter().any(|message| message.text == late.text) || late.text == first.text,
            "{}",
            late.text
        );
    }
}
