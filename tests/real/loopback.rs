//! What can happen to one recipient's leg, each case between real sockets.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::common::{Proxy, free_address, listener, objects, outcomes};
use crate::program::{fanfare, fanfare_reading};
use crate::socket::{Answering, Message, Phone, Wire, answer_to, call_id, register, submission};

/// A registered phone that gives this answer to each request.
fn answering(user: &str, proxy: &Proxy, status: &'static str) -> Answering {
    let phone = Phone::new();
    phone.register(user, proxy.address);
    Answering::new(phone, move |_, _| Some(status))
}

/// Submits, takes the 202, and waits for the report, which it answers.
fn submit(james: &Phone, proxy: &Proxy, request: &str) -> Message {
    james.send(proxy.address, request);
    let accepted = james.receive_the("SIP/2.0");
    assert_eq!(accepted.start(), "SIP/2.0 202 Accepted", "{}", accepted.text);
    report_of(james, request)
}

fn report_of(james: &Phone, request: &str) -> Message {
    loop {
        let report = james.receive_the("NOTIFY");
        james.answer(&report, "200 OK");
        if report.value("Call-ID") == call_id(request) {
            return report;
        }
    }
}

fn is(address: &str, state: &str) -> (String, String) {
    (address.to_owned(), state.to_owned())
}

#[test]
fn w16_each_of_two_bindings_gets_it_and_one_success_is_enough() {
    let proxy = Proxy::start();
    let (desk, mobile) = (answering("bob", &proxy, "486 Busy Here"), answering("bob", &proxy, "200 OK"));
    let (tablet, car) = (answering("ann", &proxy, "486 Busy Here"), answering("ann", &proxy, "480 Gone"));
    let james = Phone::new();
    let detail = "Delivery-Report: final;detail\r\n";
    let request =
        submission(james.address, &["im:bob@domain.com", "im:ann@domain.com"], detail, "Both of you?");
    let report = submit(&james, &proxy, &request);

    let told = outcomes(&report);
    assert_eq!(told.len(), 2, "{}", report.text);
    assert_eq!(told[0].0, "im:bob@domain.com");
    assert!(told[0].1.starts_with("success;status=200"), "{}", report.text);
    assert_eq!(told[1].0, "im:ann@domain.com");
    assert!(told[1].1.starts_with("failure;status=48"), "{}", report.text);
    for phone in [&desk, &mobile, &tablet, &car] {
        let seen = phone.seen();
        assert_eq!(seen.len(), 1, "{seen:#?}");
        assert_eq!(seen[0].body(), "Both of you?");
        assert!(
            seen[0].start().contains(&phone.address.to_string()),
            "the Request-URI is the binding: {seen:#?}"
        );
    }
    let of_bob = (desk.seen()[0].value("To").to_owned(), mobile.seen()[0].value("To").to_owned());
    assert_eq!(of_bob, ("<sip:bob@domain.com>".to_owned(), "<sip:bob@domain.com>".to_owned()));
}

#[test]
fn w18_a_redirect_is_followed() {
    let proxy = Proxy::start();
    let new_home = Answering::new(Phone::new(), |_, _| Some("200 OK"));
    let old_home = Phone::new();
    old_home.register("bob", proxy.address);
    let james = Phone::new();
    let detail = "Delivery-Report: final;detail\r\n";
    let request = submission(james.address, &["im:bob@domain.com"], detail, "Moved?");
    james.send(proxy.address, &request);
    let leg = old_home.receive_the("MESSAGE");
    let contact = format!("Contact: <sip:bob@{}>\r\n", new_home.address);
    old_home.send(leg.from, &answer_to(&leg, "302 Moved Temporarily", &contact));

    let report = report_of(&james, &request);
    assert!(report.body().starts_with("im:bob@domain.com delivery success;status=200"), "{}", report.text);
    let seen = new_home.seen();
    assert_eq!(seen.len(), 1, "{seen:#?}");
    assert_eq!(seen[0].start(), format!("MESSAGE sip:bob@{} SIP/2.0", new_home.address));
    assert_eq!(seen[0].body(), "Moved?");
}

#[test]
fn w18_a_redirect_in_a_circle_ends_as_a_failure() {
    let proxy = Proxy::start();
    let bob = Phone::new();
    bob.register("bob", proxy.address);
    let james = Phone::new();
    let request = submission(james.address, &["im:bob@domain.com"], "", "Round?");
    james.send(proxy.address, &request);
    let leg = bob.receive_the("MESSAGE");
    let contact = format!("Contact: <{}>\r\n", bob.uri("bob"));
    bob.send(leg.from, &answer_to(&leg, "302 Moved Temporarily", &contact));
    let report = report_of(&james, &request);
    assert_eq!(outcomes(&report), [is("im:bob@domain.com", "failure")]);
}

#[test]
fn w17_a_tcp_recipient_that_dies_in_mid_leg_fails_at_once() {
    let proxy = Proxy::with_t1("500ms");
    let home = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = home.local_addr().unwrap();
    let phone = Phone::new();
    let contact = format!("<sip:bob@{address};transport=tcp>");
    phone.send(proxy.address, &register("bob", &contact, phone.address));
    assert_eq!(phone.receive_the("SIP/2.0").start(), "SIP/2.0 200 OK");

    let james = Phone::new();
    let detail = "Delivery-Report: final;detail\r\n";
    let request = submission(james.address, &["im:bob@domain.com"], detail, "Still there?");
    let began = Instant::now();
    james.send(proxy.address, &request);
    let (stream, _) = home.accept().unwrap();
    drop(home);
    let mut wire = Wire::over(stream);
    let leg = wire.receive().expect("the leg");
    assert_eq!(leg.method(), "MESSAGE");
    assert_eq!(leg.body(), "Still there?");
    drop(wire);

    let report = report_of(&james, &request);
    assert!(report.body().starts_with("im:bob@domain.com delivery failure;status=503"), "{}", report.text);
    assert!(began.elapsed() < Duration::from_secs(10), "not only after Timer F, which is 32 s here");
}

#[test]
fn w24_a_report_finds_a_sender_that_moved() {
    let proxy = Proxy::start();
    let silent = Phone::new();
    silent.register("ann", proxy.address);
    let hang_up_after = |contact: &str| {
        let mut wire = Wire::to(proxy.address);
        let plain = submission(wire.address, &["im:ann@domain.com"], "", "Where will you tell me?");
        let own = format!("Contact: <sip:james@{}>", wire.address);
        let request =
            plain.replace("SIP/2.0/UDP", "SIP/2.0/TCP").replace(&own, &format!("Contact: <{contact}>"));
        wire.send(&request);
        assert_eq!(wire.receive().expect("an answer").start(), "SIP/2.0 202 Accepted");
        request
    };

    // The connection is gone but the Contact answers: the report goes there.
    let contact = Phone::new();
    let request = hang_up_after(&contact.uri("james"));
    let report = report_of(&contact, &request);
    assert_eq!(report.start(), format!("NOTIFY {} SIP/2.0", contact.uri("james")));
    assert_eq!(outcomes(&report), [is("im:ann@domain.com", "failure")]);

    // Connection and Contact are gone: the report goes to James's current binding.
    let request = hang_up_after(&format!("sip:james@{};transport=tcp", free_address()));
    let new_home = Phone::new();
    new_home.register("james", proxy.address);
    let report = report_of(&new_home, &request);
    assert_eq!(outcomes(&report), [is("im:ann@domain.com", "failure")]);
}

#[test]
fn w23_a_report_that_nobody_answers_comes_again_at_the_next_registration() {
    let proxy = Proxy::start();
    let james = Phone::new();
    let request = submission(james.address, &["im:nobody@domain.com"], "", "Anybody?");
    james.send(proxy.address, &request);
    // Timer F is 1.28 s here; all transmissions of the report stay unanswered.
    let mut last = james.receive_the("NOTIFY");
    while let Some(again) = james.receive_within(Duration::from_secs(2)) {
        assert_eq!(again.text, last.text);
        last = again;
    }
    let new_home = Phone::new();
    new_home.register("james", proxy.address);
    let report = report_of(&new_home, &request);
    assert_eq!(report.body(), last.body());
}

#[test]
fn w13_a_broken_secondary_to_is_refused_by_name_and_nobody_gets_anything() {
    let proxy = Proxy::start();
    let (ann, bob) = (answering("ann", &proxy, "200 OK"), answering("bob", &proxy, "200 OK"));
    let james = Phone::new();
    for broken in
        ["<im:bob@domain.com", "im:bob@", "<>", "<im:bob@domain.com>, ,;", "\"Bob <im:bob@domain.com>", ""]
    {
        let good =
            submission(james.address, &["im:ann@domain.com", "im:bob@domain.com"], "", "Nobody gets this.");
        let request = good.replace("Secondary-To: <im:bob@domain.com>", &format!("Secondary-To: {broken}"));
        james.send(proxy.address, &request);
        let refused = james.receive();
        assert!(refused.start().starts_with("SIP/2.0 400 "), "{broken}: {}", refused.text);
        let said = format!("{} {}", refused.start(), refused.values("Warning").join(" "));
        assert!(said.to_ascii_lowercase().contains("secondary-to"), "{broken}: {}", refused.text);
    }
    // A leg of the refused one would have come before those of this one.
    let request = submission(james.address, &["im:ann@domain.com", "im:bob@domain.com"], "", "You get this.");
    let report = submit(&james, &proxy, &request);
    assert_eq!(outcomes(&report), [is("im:ann@domain.com", "success"), is("im:bob@domain.com", "success")]);
    for phone in [&ann, &bob] {
        let bodies: Vec<String> = phone.seen().iter().map(|leg| leg.body().to_owned()).collect();
        assert_eq!(bodies, ["You get this."]);
    }
}

#[test]
fn w13_what_the_proxy_does_not_do_it_says() {
    let proxy = Proxy::start();
    let james = Phone::new();
    let good = submission(james.address, &["im:ann@domain.com", "im:bob@domain.com"], "", "x");
    for (from, to, status) in [
        ("Proxy-Require: secondary-to", "Proxy-Require: time-travel", "420"),
        ("Max-Forwards: 70", "Max-Forwards: 0", "483"),
        ("MESSAGE sip:ann@domain.com SIP", "MESSAGE mailto:ann@domain.com SIP", "416"),
        ("<im:james@domain.com>", "<im:james@elsewhere.example>", "403"),
    ] {
        let request = good.replace(from, to).replace("branch=z9hG4bK", &format!("branch=z9hG4bK{status}"));
        james.send(proxy.address, &request.replace("Call-ID: ", &format!("Call-ID: {status}")));
        let refused = james.receive();
        assert!(refused.start().starts_with(&format!("SIP/2.0 {status} ")), "{to}: {}", refused.text);
        if status == "420" {
            assert_eq!(refused.value("Unsupported"), "time-travel");
        }
    }
    for (method, status) in [("DANCE", "501"), ("OPTIONS", "200")] {
        let request = good
            .replace("MESSAGE sip:ann@domain.com", &format!("{method} sip:domain.com"))
            .replace("1 MESSAGE", &format!("1 {method}"))
            .replace("branch=z9hG4bK", &format!("branch=z9hG4bK{method}"));
        james.send(proxy.address, &request);
        let answer = james.receive();
        let refused = answer.start().starts_with("SIP/2.0 405 ") && method == "DANCE";
        assert!(
            refused || answer.start().starts_with(&format!("SIP/2.0 {status} ")),
            "{method}: {}",
            answer.text
        );
        if method == "OPTIONS" {
            assert_eq!(answer.value("Supported"), "secondary-to, recipient-list-message", "W6, W26");
        }
    }
}

#[test]
fn w12_the_same_submission_again_reaches_nobody_twice() {
    let proxy = Proxy::start();
    let bob = answering("bob", &proxy, "200 OK");
    let james = Phone::new();
    let request = submission(james.address, &["im:bob@domain.com"], "", "Once.");
    let report = submit(&james, &proxy, &request);
    assert_eq!(outcomes(&report), [is("im:bob@domain.com", "success")]);

    // From another address with another branch, as after the sender's restart: the same 202, and the report again.
    let again = Phone::new();
    let repeated = request
        .replace("branch=z9hG4bK", "branch=z9hG4bKagain")
        .replace(&format!("SIP/2.0/UDP {}", james.address), &format!("SIP/2.0/UDP {}", again.address));
    let report_again = submit(&again, &proxy, &repeated);
    assert_eq!(report_again.body(), report.body());
    assert_eq!(bob.seen().len(), 1, "{:#?}", bob.seen());

    // The same key with another body is the sender's error.
    let changed = repeated.replace("Once.", "Twice").replace("branch=z9hG4bK", "branch=z9hG4bKother");
    again.send(proxy.address, &changed);
    let refused = again.receive_the("SIP/2.0");
    assert!(refused.start().starts_with("SIP/2.0 400 "), "{}", refused.text);
}

#[test]
fn w9_each_tells_an_outcome_when_it_is_known_and_none_tells_nothing() {
    let proxy = Proxy::with_t1("50ms");
    let (ann, bob) = (Phone::new(), answering("bob", &proxy, "200 OK"));
    ann.register("ann", proxy.address);
    let james = Phone::new();
    let people = ["im:ann@domain.com", "im:bob@domain.com"];
    let request = submission(james.address, &people, "Delivery-Report: each;detail\r\n", "Each.");
    let first = submit(&james, &proxy, &request);
    assert!(first.value("Subscription-State").starts_with("active"), "{}", first.text);
    assert_eq!(outcomes(&first)[0], is("im:ann@domain.com", "pending"), "{}", first.text);
    assert!(outcomes(&first)[1].1.starts_with("success;status=200"), "{}", first.text);
    let last = report_of(&james, &request);
    assert!(last.value("Subscription-State").starts_with("terminated"), "{}", last.text);
    assert!(outcomes(&last)[0].1.starts_with("failure;status=408"), "{}", last.text);
    assert!(outcomes(&last)[0].1.contains(";tries=11"), "{}", last.text);

    let request = submission(james.address, &people[1..], "Delivery-Report: none\r\n", "None.");
    james.send(proxy.address, &request);
    assert_eq!(james.receive().start(), "SIP/2.0 202 Accepted");
    bob.wait("the second message", |seen| seen.iter().find(|leg| leg.body() == "None.").cloned());
    // A report on that message would have come before the one on this message, which still has to be delivered.
    let request = submission(james.address, &people[1..], "", "After.");
    let report = submit(&james, &proxy, &request);
    assert_eq!(outcomes(&report), [is("im:bob@domain.com", "success")]);
}

#[test]
fn w14_an_ordinary_message_is_proxied_and_the_recipients_own_answer_comes_back() {
    let proxy = Proxy::start();
    let bob = answering("bob", &proxy, "603 Decline");
    let james = Phone::new();
    let request = submission(james.address, &["im:bob@domain.com"], "", "Ordinary.")
        .replace("Proxy-Require: secondary-to\r\n", "");
    james.send(proxy.address, &request);
    let answer = james.receive_the("SIP/2.0");
    assert_eq!(answer.start(), "SIP/2.0 603 Decline");
    assert!(answer.value("From").starts_with("<im:james@domain.com>;tag="), "{}", answer.text);
    let leg = &bob.seen()[0];
    assert!(leg.value("From").starts_with("<sip:james@domain.com>;tag="), "{}", leg.text);
    assert_eq!(leg.value("Max-Forwards"), "69");
    assert_eq!(leg.value("Call-ID"), call_id(&request));
}

#[test]
fn w4_a_large_message_goes_over_tcp_and_arrives_whole() {
    let proxy = Proxy::start();
    let bob = listener("bob", &proxy, &["--json"]);
    let phone = answering("cy", &proxy, "200 OK");
    let text = "0123456789 åäö ".repeat(400);
    let sent = fanfare_reading(
        &[
            "send",
            "--from",
            "im:james@domain.com",
            "--proxy",
            &proxy.udp(),
            "--to",
            "im:bob@domain.com",
            "--to",
            "im:cy@domain.com",
            "--json",
        ],
        &text,
    );
    let ended = sent.end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    let line = bob.line_with("\"message\"");
    assert_eq!(objects(&[line])[0]["text"].as_str().map(str::trim_end), Some(text.trim_end()));
    // Cy accepts no TCP; after 2 s the proxy falls back to UDP.
    assert_eq!(phone.seen()[0].body().trim_end(), text.trim_end());
}

#[test]
fn w6_a_server_without_proof_is_asked_and_then_gets_a_message_for_each() {
    let stranger = Answering::new(Phone::new(), |_, _| Some("200 OK"));
    let over = format!("udp:{}", stranger.address);
    let ended = fanfare(&[
        "send",
        "--from",
        "im:james@domain.com",
        "--proxy",
        &over,
        "--to",
        "im:ann@domain.com",
        "--to",
        "im:bob@domain.com",
        "--text",
        "Only with proof.",
        "--timeout",
        "20s",
    ])
    .end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    ended.assert_no_panic();
    assert!(ended.said().contains("one by one"), "a plain sentence: {ended:?}");
    let seen = stranger.seen();
    assert_eq!(seen[0].method(), "OPTIONS", "it asked: {seen:#?}");
    let messages: Vec<_> = seen.iter().filter(|request| request.method() == "MESSAGE").collect();
    let mut people: Vec<_> = messages.iter().map(|message| message.value("To")).collect();
    people.sort_unstable();
    assert_eq!(people, ["<sip:ann@domain.com>", "<sip:bob@domain.com>"], "{seen:#?}");
    assert!(messages.iter().all(|message| message.values("Secondary-To").is_empty()), "{seen:#?}");
}
