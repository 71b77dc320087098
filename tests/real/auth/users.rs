//! Users who are added, changed and removed while the proxy runs, and the next owner of an address.

use super::*;

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
