//! W6 against a server that knows nothing of it: nobody may be left out silently.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tempfile::TempDir;

use crate::baresip::Baresip;
use crate::common::{objects, wait_for_binding};
use crate::kamailio::Kamailio;
use crate::program::{Program, fanfare};
use crate::socket::{Answering, Message, Phone, Tap, Way, submission};

/// A phone registered at Kamailio that always says the same.
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
