//! Users who are added, changed and removed while the proxy runs, the next owner of an address, and who signed in with a
//! former password.

use super::*;
use crate::socket::Wire;
use crate::stream::register_on;

/// Bob is removed and somebody else gets his address, while the proxy runs or is stopped.
fn the_next_owner(runs: bool) {
    let Asking { mut program, address, folder } = Asking::start();
    let over = format!("udp:{address}");
    let args = ["send", "--from", "sip:james@domain.com", "--proxy", &over, "--to", "sip:bob@domain.com"];
    let waits = ["--expires", "1h", "--timeout", "2s", "--text", "For the former Bob."];
    let ended = signed_in(&[&args[..], &waits].concat(), "jamesjames").end();
    assert!(ended.said().contains("bob@domain.com deferred"), "{ended:?}");
    if !runs {
        program.signal("TERM");
        assert_eq!(program.end().code(), 0);
        program = Program::start("nothing", Command::new("true"), None);
    }
    let refused = user(folder.path(), &["remove", "bob@domain.com"], "");
    assert_eq!(refused.code(), 1, "{refused:?}");
    assert!(
        refused.err[0].contains("1 message waits for bob@domain.com; to remove the user anyway, add --purge"),
        "{refused:?}"
    );
    let removed = user(folder.path(), &["remove", "bob@domain.com", "--purge"], "");
    assert_eq!(removed.code(), 0, "{removed:?}");
    assert_eq!(removed.out, ["bob@domain.com was removed, with 1 waiting message"], "{removed:?}");
    assert_eq!(user(folder.path(), &["add", "bob@domain.com"], "bobbob\n").code(), 0);
    if runs {
        // Longer than the proxy takes to notice.
        std::thread::sleep(Duration::from_millis(1500));
    } else {
        program = run(address, folder.path(), "on");
    }
    let bob = Phone::new();
    sign_in(&bob, "bob", address);
    let got = bob.receive_within(Duration::from_millis(1500));
    assert!(got.is_none(), "running {runs}: {got:?}");
    program.signal("TERM");
    program.end();
}

#[test]
fn w30_the_next_owner_of_an_address_gets_nothing_of_the_former_one() {
    the_next_owner(true);
    the_next_owner(false);
}

#[test]
fn w30_users_are_changed_while_the_proxy_runs() {
    let proxy = Asking::start();
    let folder = proxy.folder.path();
    let list = |expected: &[&str]| {
        let listed = user(folder, &["list"], "");
        assert_eq!(listed.out, expected, "{listed:?}");
    };
    list(&["ann@domain.com", "bob@domain.com", "james@domain.com"]);
    for (args, input, code, says) in [
        (&["add", "ann@domain.com"][..], "x\n", 1, "ann@domain.com is a user already"),
        (&["passwd", "eve@domain.com"], "x\n", 1, "eve@domain.com is not a user of this proxy"),
        (
            &["add", "eve@domain.com"],
            "\n",
            1,
            "the first line of standard input is empty, and should be the password",
        ),
        (&["add", "domain.com"], "x\n", 2, "not a valid address: \"domain.com\" names no user"),
        (&["add", "eve@domain.com"], "eveeve\n", 0, ""),
        (&["passwd", "bob@domain.com"], "new\n", 0, ""),
        (&["block", "ann@domain.com", "james@domain.com"], "", 0, ""),
    ] {
        let ended = user(folder, args, input);
        assert_eq!(ended.code(), code, "{args:?}: {ended:?}");
        assert!(ended.said().contains(says), "{args:?}: {ended:?}");
    }
    list(&[
        "ann@domain.com has blocked james@domain.com",
        "bob@domain.com",
        "eve@domain.com",
        "james@domain.com",
    ]);

    // The proxy notices within a second; nothing tells us when, so we keep asking.
    let bob = Phone::new();
    let request = register("bob", &format!("<{}>", bob.uri("bob")), bob.address);
    let status = |password: &str| {
        let asked = bob.ask(proxy.address, &request.replacen("z9hG4bK", &format!("z9hG4bK{}", unique()), 1));
        let nonce = nonce(&asked, "WWW-Authenticate", "SHA-256");
        let said = with_digest(&request, "Authorization", ("bob", password), &nonce, 1);
        let said = said.replacen("Call-ID: reg", &format!("Call-ID: reg{}", unique()), 1);
        bob.ask(proxy.address, &said).start().to_owned()
    };
    let began = Instant::now();
    while status("new") != "SIP/2.0 200 OK" {
        assert!(began.elapsed() < WAIT, "the new password does not count");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(status("bobbob"), "SIP/2.0 401 Unauthorized");

    let ann = Phone::new();
    sign_in(&ann, "ann", proxy.address);
    let blocked = send(&proxy, "jamesjames", &["--to", "im:ann@domain.com", "--to", "im:bob@domain.com"]);
    let told = objects(&blocked.out);
    let anns = told.iter().find(|line| line["to"] == "im:ann@domain.com").unwrap();
    assert_eq!((&anns["state"], &anns["status"]), (&"failure".into(), &403.into()), "{blocked:?}");
    assert_eq!(user(folder, &["unblock", "ann@domain.com", "james@domain.com"], "").code(), 0);
    assert_eq!(user(folder, &["remove", "james@domain.com"], "").code(), 0);
    let began = Instant::now();
    while send(&proxy, "jamesjames", &["--to", "im:ann@domain.com"]).code() != 2 {
        assert!(began.elapsed() < WAIT, "who was taken out still writes");
    }
    list(&["ann@domain.com", "bob@domain.com", "eve@domain.com"]);
}

/// Bob's laptop, registered by its connection alone (RFC 5626).
fn by_flow(proxy: SocketAddr) -> Wire {
    let mut laptop = Wire::to(proxy);
    let contact = "<sip:bob@behind.invalid;transport=tcp>;+sip.instance=\"<urn:uuid:7>\";reg-id=1";
    let request = register_on("TCP", "bob", contact, "Supported: outbound\r\n");
    laptop.send(&request);
    let nonce = nonce(&laptop.receive().unwrap(), "WWW-Authenticate", "SHA-256");
    laptop.send(&with_digest(&request, "Authorization", ("bob", "bobbob"), &nonce, 1));
    assert_eq!(laptop.receive().unwrap().start(), "SIP/2.0 200 OK");
    laptop
}

/// What a laptop has got so far: everything before the answer to a question asked now.
fn got(laptop: &mut Wire) -> Vec<Message> {
    let number = unique();
    laptop.send(&format!(
        "OPTIONS sip:domain.com SIP/2.0\r\nVia: SIP/2.0/TCP behind.invalid;branch=z9hG4bK{number}\r\nMax-Forwards: 70\r\n\
         From: <sip:x@elsewhere.com>;tag=1\r\nTo: <sip:domain.com>\r\nCall-ID: {number}\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    ));
    let mut got = Vec::new();
    loop {
        let message = laptop.receive().expect("the connection lives");
        if message.start() == "SIP/2.0 200 OK" {
            return got;
        }
        got.push(message);
    }
}

/// The outcome for Bob of a message with this text: its status.
fn outcome_for_bob(proxy: SocketAddr, text: &str) -> u64 {
    let over = format!("udp:{proxy}");
    let to = ["--to", "sip:bob@domain.com", "--text", text];
    let args = [&["send", "--from", "sip:james@domain.com", "--proxy", &over, "--json"], &to[..]].concat();
    let ended = signed_in(&args, "jamesjames").end();
    let told = objects(&ended.out);
    let bobs = told.iter().rfind(|line| line["to"] == "sip:bob@domain.com");
    bobs.and_then(|line| line["status"].as_u64()).unwrap_or_else(|| panic!("{ended:?}"))
}

fn has(messages: &[Message], text: &str) -> bool {
    messages.iter().any(|message| message.method() == "MESSAGE" && message.body().contains(text))
}

#[test]
fn w30_a_new_password_signs_out_the_devices_that_have_the_old_one() {
    let Asking { program, address, folder } = Asking::start();
    let phone = Phone::new();
    sign_in(&phone, "bob", address);
    let phone = Answering::new(phone, |_, _| Some("200 OK"));
    let mut laptop = by_flow(address);
    assert_eq!(outcome_for_bob(address, "Before."), 200);
    assert!(has(&got(&mut laptop), "Before.") && has(&phone.seen(), "Before."));

    let renewed = user(folder.path(), &["passwd", "bob@domain.com"], "another\n");
    assert_eq!(renewed.code(), 0, "{renewed:?}");
    assert_eq!(renewed.out, ["bob@domain.com has a new password; ended: 2 registrations"]);
    // The proxy notices within a second; nothing tells us when, so we keep asking.
    let began = Instant::now();
    while outcome_for_bob(address, "Meanwhile.") != 480 {
        assert!(began.elapsed() < WAIT, "the old registrations still count");
    }
    assert_eq!(outcome_for_bob(address, "After."), 480);
    assert!(!has(&got(&mut laptop), "After."), "its connection is still open");
    assert!(!has(&phone.seen(), "After."));

    let again = Phone::new();
    let request = register("bob", &format!("<{}>", again.uri("bob")), again.address);
    let nonce = nonce(&again.ask(address, &request), "WWW-Authenticate", "SHA-256");
    let sign_in_with = |password: &str, nc: u32| {
        let request = with_digest(&request, "Authorization", ("bob", password), &nonce, nc);
        again.ask(address, &request).start().to_owned()
    };
    assert_eq!(sign_in_with("bobbob", 1), "SIP/2.0 401 Unauthorized");
    assert_eq!(sign_in_with("another", 2), "SIP/2.0 200 OK");
    let again = Answering::new(again, |_, _| Some("200 OK"));
    assert_eq!(outcome_for_bob(address, "Back."), 200);
    assert!(has(&again.seen(), "Back.") && !has(&phone.seen(), "Back.") && !has(&got(&mut laptop), "Back."));
    drop(program);
}

#[test]
fn w30_a_password_that_is_changed_while_the_proxy_is_stopped_signs_out_too() {
    let Asking { program, address, folder } = Asking::start();
    let (phone, ann) = (Phone::new(), Phone::new());
    sign_in(&phone, "bob", address);
    sign_in(&ann, "ann", address);
    let phone = Answering::new(phone, |_, _| Some("200 OK"));
    program.signal("TERM");
    assert_eq!(program.end().code(), 0);
    let renewed = user(folder.path(), &["passwd", "bob@domain.com"], "another\n");
    assert_eq!(renewed.out, ["bob@domain.com has a new password; ended: 1 registration"], "{renewed:?}");
    let _program = run(address, folder.path(), "on");
    assert_eq!(outcome_for_bob(address, "After."), 480);
    assert!(phone.seen().is_empty());
    // The registration of somebody else is as it was.
    let ann = Answering::new(ann, |_, _| Some("200 OK"));
    let told = send_over(&format!("udp:{address}"), "jamesjames", &["--to", "sip:ann@domain.com"]);
    assert_eq!(told.code(), 0, "{told:?}");
    assert_eq!(ann.seen().len(), 1);
}
