//! The command line as scripts rely on it: exit statuses, output lines, error sentences.

mod start;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Proxy, free_address, listener, objects};
use crate::program::{Ended, fanfare, fanfare_command, fanfare_reading};
use crate::socket::{Answering, Phone, refusing, submission};

fn send(proxy: &str, more: &[&str]) -> Ended {
    let mut args = vec!["send", "--from", "im:james@domain.com", "--proxy", proxy];
    args.extend(more);
    fanfare(&args).end()
}

fn answering(user: &str, proxy: &Proxy, status: &'static str) -> Answering {
    let phone = Phone::new();
    phone.register(user, proxy.address);
    Answering::new(phone, move |_, _| Some(status))
}

#[test]
fn send_ends_with_0_when_all_have_it_and_with_1_when_somebody_has_not() {
    let proxy = Proxy::start();
    let _ann = answering("ann", &proxy, "200 OK");
    let _bob = answering("bob", &proxy, "200 OK");
    let _eli = answering("eli", &proxy, "486 Busy Here");
    for report in ["final", "each"] {
        let to_both =
            ["--to", "im:ann@domain.com", "--to", "im:bob@domain.com", "--text", "Hi", "--report", report];
        let all = send(&proxy.udp(), &to_both);
        assert_eq!(all.code(), 0, "{all:?}");
        for address in ["im:ann@domain.com", "im:bob@domain.com"] {
            assert_eq!(all.out.iter().filter(|line| line.contains(address)).count(), 1, "{all:?}");
        }
        let to_eli =
            ["--to", "im:ann@domain.com", "--to", "im:eli@domain.com", "--text", "Hi", "--report", report];
        let some = send(&proxy.udp(), &to_eli);
        assert_eq!(some.code(), 1, "{some:?}");
        let of_eli: Vec<_> = some.out.iter().filter(|line| line.contains("im:eli@domain.com")).collect();
        assert!(of_eli.len() == 1 && of_eli[0].contains("486"), "{some:?}");
    }
    let unheard = send(&proxy.udp(), &["--to", "im:eli@domain.com", "--text", "Hi", "--report", "none"]);
    assert_eq!(unheard.code(), 0, "nothing more was asked for: {unheard:?}");
}

#[test]
fn send_ends_with_2_when_the_message_is_not_accepted() {
    let nobody = format!("udp:{}", free_address());
    let lost = send(&nobody, &["--to", "im:ann@domain.com", "--text", "Hi", "--timeout", "2s"]);
    assert_eq!(lost.code(), 2, "{lost:?}");
    lost.assert_no_panic();
    assert!(lost.said().contains(&format!("no answer from {nobody}")), "{lost:?}");

    for transport in ["tcp", "tls"] {
        let nobody = format!("{transport}:{}", free_address());
        let lost = send(&nobody, &["--to", "im:ann@domain.com", "--text", "Hi", "--timeout", "5s"]);
        assert_eq!(lost.code(), 2, "{lost:?}");
        lost.assert_no_panic();
        let why = format!("not sent: connection refused by {nobody}; check the server's address and port");
        assert!(lost.out[0].starts_with(&why), "{lost:?}");
        assert!(!lost.said().contains("408"), "nobody answered with that: {lost:?}");
    }
    let lost = send("tcp:nowhere.invalid", &["--to", "im:ann@domain.com", "--text", "Hi", "--timeout", "5s"]);
    assert_eq!(lost.code(), 2, "{lost:?}");
    assert!(lost.said().contains("nowhere.invalid"), "{lost:?}");

    let server = refusing("403 Not Here");
    let refused = send(&format!("udp:{}", server.address), &["--to", "im:ann@domain.com", "--text", "Hi"]);
    assert_eq!(refused.code(), 2, "{refused:?}");
    assert_eq!(refused.out, ["not accepted: 403 Not Here"]);

    // Where a sender from another domain may not submit, each person is tried; who is not there is a failure.
    let proxy = Proxy::start();
    let over = proxy.udp();
    let foreign =
        ["send", "--from", "im:james@elsewhere.example", "--proxy", &over, "--to", "im:ann@domain.com"];
    let failed = fanfare_reading(&foreign, "Hi").end();
    assert_eq!(failed.code(), 1, "{failed:?}");
    assert!(failed.said().contains("im:ann@domain.com failure: 480"), "{failed:?}");
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_wrong() {
    for (args, word) in [
        (
            vec!["send", "--to", "im:ann@domain.com", "--proxy", "udp:127.0.0.1:5060", "--text", "Hi"],
            "--from",
        ),
        (
            vec!["send", "--from", "im:james@domain.com", "--proxy", "udp:127.0.0.1:5060", "--text", "Hi"],
            "--to",
        ),
        (
            vec!["send", "--from", "nonsense here", "--proxy", "udp:127.0.0.1:5060", "--to", "im:a@b"],
            "not a valid address: \"nonsense here\" contains a space",
        ),
        (vec!["send", "--from", "im:james@domain.com", "--proxy", "5060", "--to", "im:a@b"], "5060"),
        (
            vec!["send", "--from", "im:james@domain.com", "--proxy", "udp:127.0.0.1:5060", "--to", "im:@"],
            "not a valid address: \"im:@\" has no domain after the @",
        ),
        (vec!["proxy", "--domain", "domain.com", "--listen", "carrier-pigeon"], "carrier-pigeon"),
        (vec!["proxy", "--domain", "domain.com", "--listen", "udp:127.0.0.1:0", "--t1", "soon"], "soon"),
        (
            vec!["proxy", "--domain", "domain.com", "--listen", "udp:127.0.0.1:0", "--trust", "everybody"],
            "everybody",
        ),
        (
            vec!["proxy", "--domain", "domain,com", "--listen", "udp:127.0.0.1:0"],
            "\"domain,com\" is not a valid domain: it contains a comma",
        ),
        (
            vec![
                "proxy",
                "--domain",
                "domain.com",
                "--listen",
                "udp:127.0.0.1:0",
                "--route",
                "a,b=udp:127.0.0.1:1",
            ],
            "\"a,b\" is not a valid domain: it contains a comma",
        ),
        (
            vec!["proxy", "--domain", "domain.com", "--listen", "udp:127.0.0.1:0", "--ban", "a,b"],
            "\"a,b\" is not an address",
        ),
        (vec!["dance"], "dance"),
    ] {
        let ended = fanfare_reading(&args, "Hi").end();
        assert_eq!(ended.code(), 2, "{args:?}: {ended:?}");
        ended.assert_no_panic();
        assert!(ended.err.join("\n").contains(word), "{args:?}: {ended:?}");
        assert!(ended.out.is_empty(), "{args:?}: {ended:?}");
    }
}

#[test]
fn help_and_version_end_with_0() {
    for args in [
        &["--help"][..],
        &["--version"],
        &["proxy", "--help"],
        &["proxy", "user", "--help"],
        &["proxy", "user", "add", "--help"],
        &["send", "--help"],
        &["listen", "--help"],
        &["demo", "--help"],
    ] {
        let ended = fanfare(args).end();
        assert_eq!(ended.code(), 0, "{ended:?}");
        assert!(!ended.out.is_empty(), "{ended:?}");
    }
    let help = fanfare(&["proxy", "--help"]).end().said();
    for words in
        ["--listen <TRANSPORT:ADDRESS:PORT>", "udp, tcp, tls, ws or wss", "command-line options override it"]
    {
        assert!(help.contains(words), "{words}: {help}");
    }
}

#[test]
fn send_takes_its_text_from_standard_input() {
    let proxy = Proxy::start();
    let bob = answering("bob", &proxy, "200 OK");
    let over = proxy.udp();
    let args = ["send", "--from", "im:james@domain.com", "--proxy", &over, "--to", "im:bob@domain.com"];
    let ended = fanfare_reading(&args, "two\nlines, gr\u{fc}n").end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    let seen = bob.seen();
    assert_eq!(seen[0].body(), "two\nlines, gr\u{fc}n");
    assert_eq!(seen[0].value("Content-Type"), "text/plain;charset=utf-8");
    assert_eq!(seen[0].value("Content-Length"), "16");
}

#[test]
fn json_is_one_object_a_line_with_the_promised_fields() {
    let proxy = Proxy::start();
    let bob = listener("bob", &proxy, &["--json"]);
    let _eli = answering("eli", &proxy, "486 Busy Here");
    let to =
        ["--to", "im:bob@domain.com", "--to", "im:eli@domain.com", "--text", "a\n\"b\" \u{1f600}", "--json"];
    let ended = send(&proxy.udp(), &to);
    assert_eq!(ended.code(), 1, "{ended:?}");
    let told = objects(&ended.out);
    let events: Vec<_> = told.iter().filter_map(|object| object["event"].as_str()).collect();
    assert_eq!(events.len(), told.len(), "{told:?}");
    assert_eq!(events[0], "accepted", "{told:?}");
    assert_eq!(told[0]["status"], 202, "{told:?}");
    assert!(told[0]["after_ms"].is_u64(), "{told:?}");
    let outcome_of = |address: &str| -> Value {
        let of: Vec<_> =
            told.iter().filter(|object| object["event"] == "outcome" && object["to"] == address).collect();
        assert_eq!(of.len(), 1, "{told:?}");
        of[0].clone()
    };
    assert_eq!(outcome_of("im:bob@domain.com")["state"], "success");
    let eli = outcome_of("im:eli@domain.com");
    assert_eq!(
        (&eli["state"], &eli["status"], &eli["reason"]),
        (&"failure".into(), &486.into(), &"Busy Here".into())
    );
    assert!(eli["after_ms"].is_u64(), "{told:?}");
    assert_eq!(events.iter().filter(|event| **event == "report").count(), 1, "{told:?}");

    let heard = objects(&[bob.line_with("\"message\"")]);
    assert_eq!(heard[0]["event"], "message");
    assert_eq!(heard[0]["from"], "sip:james@domain.com");
    assert_eq!(heard[0]["also_to"], serde_json::json!(["sip:eli@domain.com"]));
    assert_eq!(heard[0]["type"], "text/plain;charset=utf-8");
    assert_eq!(heard[0]["text"], "a\n\"b\" \u{1f600}");

    let server = refusing("403 Not Here");
    let refused =
        send(&format!("udp:{}", server.address), &["--to", "im:a@domain.com", "--text", "Hi", "--json"]);
    let refused = objects(&refused.out);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!((&refused[0]["event"], &refused[0]["status"]), (&"refused".into(), &403.into()));
    assert!(refused[0]["reason"].is_string(), "{refused:?}");
}

#[test]
fn send_gives_up_at_its_timeout_and_says_whose_outcome_is_not_known() {
    let proxy = Proxy::with_t1("500ms");
    let _bob = answering("bob", &proxy, "200 OK");
    let silent = Phone::new();
    silent.register("fay", proxy.address);
    let began = Instant::now();
    let to = [
        "--to",
        "im:bob@domain.com",
        "--to",
        "im:fay@domain.com",
        "--text",
        "Hi",
        "--timeout",
        "2s",
        "--json",
    ];
    let ended = send(&proxy.udp(), &[&to[..], &["--report", "each"]].concat());
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(ended.code(), 1, "{ended:?}");
    let told = objects(&ended.out);
    let of =
        |address: &str| told.iter().find(|object| object["event"] == "outcome" && object["to"] == address);
    assert_eq!(of("im:bob@domain.com").expect("Bob's outcome")["state"], "success", "{told:?}");
    assert_eq!(of("im:fay@domain.com").expect("Fay's outcome")["state"], "unknown", "{told:?}");
}

#[test]
fn listen_prints_each_message_once_and_takes_its_binding_back() {
    let proxy = Proxy::start();
    let bob = listener("bob", &proxy, &[]);
    assert_eq!(
        bob.complaint_with("registered"),
        format!("registered as im:bob@domain.com at {}", proxy.udp())
    );
    let to = ["--to", "im:bob@domain.com", "--text", "First."];
    assert_eq!(send(&proxy.udp(), &to).code(), 0);
    // Printed before its 200 left, so it is there when the report comes.
    assert_eq!(bob.lines().iter().filter(|line| line.contains("First.")).count(), 1, "{:?}", bob.lines());
    bob.signal("INT");
    let ended = bob.end();
    assert_eq!(ended.code(), 0, "{ended:?}");

    let james = Phone::new();
    james.send(
        proxy.address,
        &submission(james.address, &["im:bob@domain.com"], "Delivery-Report: final;detail\r\n", "?"),
    );
    let report = james.receive_the("NOTIFY");
    assert!(report.body().starts_with("im:bob@domain.com delivery failure;status=480"), "{}", report.text);
}

#[test]
fn the_headless_demo_shows_a_tick_and_a_cross_and_ends() {
    let ended = fanfare(&["demo", "--headless"]).end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    ended.assert_no_panic();
    let said = ended.said();
    assert!(said.contains("simulated"), "{said}");
    for name in ["Always Ann", "Offline Ben", "Slow Cy", "Wrong-Address Dana", "Busy Eli", "Silent Fay"] {
        assert!(said.contains(name), "{name}: {said}");
    }
}

#[test]
fn faults_of_the_demo_are_set_by_flags_and_show_in_the_outcome() {
    let faults =
        ["--fault", "ann:603", "--fault", "ben:200,dup", "--fault", "fay:486", "--fault", "notify:drop=1"];
    let ended = fanfare(&[&["demo", "--headless"], &faults[..]].concat()).end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    let said = ended.said();
    for (name, outcome) in [
        ("✗ Always Ann", "[603 "),
        ("✓ Offline Ben", "delivered"),
        ("✓ Slow Cy", "delivered"),
        ("✗ Silent Fay", "[486 Busy Here]"),
    ] {
        assert!(said.lines().any(|line| line.contains(name) && line.contains(outcome)), "{name}: {said}");
    }
    assert!(said.contains("2 of 6 delivered, 4 not."), "the report came when it was sent again: {said}");
}

#[test]
fn a_fault_that_the_demo_cannot_have_is_refused_with_the_reason() {
    for (fault, why) in [
        ("path:los=20%", "did you mean loss?"),
        ("bob:486", "nobody in the demo is called \"bob\"; there are ann, ben, cy, dana, eli, fay"),
        ("connections:loss=20%", "cannot happen on a connection, which repeats what is lost"),
        ("proxy:crsh", "did you mean crash?"),
    ] {
        let ended = fanfare(&["demo", "--headless", "--fault", fault]).end();
        assert_eq!(ended.code(), 2, "{ended:?}");
        ended.assert_no_panic();
        assert!(ended.said().contains(why) || ended.err.join("\n").contains(why), "{fault}: {ended:?}");
    }
}

#[test]
fn w11_the_proxy_of_the_demo_is_killed_after_its_202_and_keeps_its_promise() {
    let faults = ["--fault", "Proxy crash after 202", "--fault", "clock:skew=-1h", "--fault", "ben:200,dup"];
    let ended = fanfare(&[&["demo", "--headless"], &faults[..]].concat()).end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    ended.assert_no_panic();
    let said = ended.said();
    assert!(said.contains("3 of 6 delivered, 3 not."), "{said}");
    // Both proxies have the same wrong clock, so that no delivery took an hour.
    assert!(!said.contains(" h)"), "{said}");
}

#[test]
fn w11_a_demo_whose_disk_is_full_accepts_nothing_until_there_is_room_and_its_wire_is_told() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    let (mut ours, its) = UnixStream::pair().unwrap();
    let mut command = fanfare_command(&["demo-proxy", "--data", data, "--at", "127.0.0.1:0"]);
    let mut proxy = command.stdin(Stdio::from(OwnedFd::from(its))).spawn().unwrap();
    // It holds the proxy's end of the socket.
    drop(command);
    let mut told = BufReader::new(ours.try_clone().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    let address = line.trim_start_matches("listening ").trim().parse().unwrap();
    let james = Phone::new();
    let mut submit = |fault: &str| {
        writeln!(ours, "{fault}").unwrap();
        // It is read on a thread of its own.
        std::thread::sleep(Duration::from_millis(200));
        let text = submission(james.address, &["im:bob@demo.example"], "Delivery-Report: final\r\n", "?");
        james.send(address, &text.replace("domain.com", "demo.example"));
        james.receive().start().to_owned()
    };
    assert!(submit("disk:full").starts_with("SIP/2.0 503 "));
    assert!(submit("disk:usual").starts_with("SIP/2.0 202 "));
    ours.shutdown(Shutdown::Write).unwrap();
    let mut wire = Vec::new();
    told.read_to_end(&mut wire).unwrap();
    assert!(proxy.wait().unwrap().success(), "it ends with the demo");
    let wire = String::from_utf8_lossy(&wire);
    for passed in [" received UDP 127.0.0.1:", "SIP/2.0 503 ", "SIP/2.0 202 "] {
        assert!(wire.contains(passed), "{passed}: {wire}");
    }
}

#[test]
fn files_go_with_a_message_and_what_cannot_go_is_named() {
    let proxy = Proxy::start();
    let bob = listener("bob", &proxy, &["--json"]);
    let folder = TempDir::new().unwrap();
    let (cat, gone) = (folder.path().join("cat.png"), folder.path().join("gone.png"));
    std::fs::write(&cat, [b"\x89PNG\r\n", &[7; 3000][..]].concat()).unwrap();
    let (cat, gone) = (cat.to_str().unwrap(), gone.to_str().unwrap());
    let sent = send(&proxy.udp(), &["--to", "im:bob@domain.com", "--text", "Look!", "--file", cat]);
    assert_eq!(sent.code(), 0, "{sent:?}");
    let got: Value = serde_json::from_str(&bob.line_with("multipart/mixed")).unwrap();
    assert_eq!((&got["text"], &got["files"][0]), (&"Look!".into(), &"cat.png".into()));
    let sent = send(&proxy.udp(), &["--to", "im:bob@domain.com", "--file", cat]);
    assert_eq!(sent.code(), 0, "{sent:?}");
    bob.line_with("image/png;name=");
    let refused = send(&proxy.udp(), &["--to", "im:bob@domain.com", "--file", gone]);
    assert_ne!(refused.code(), 0);
    assert!(refused.said().contains("gone.png cannot be read: there is no such file"), "{refused:?}");
}
