//! Exit statuses that no other test checks; the table of all is in docs/operating.md.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tempfile::TempDir;

use crate::common::{Proxy, address_of, free_address, message_to, register_listener};
#[cfg(feature = "gui")]
use crate::program::fanfare_command;
use crate::program::{Program, fanfare};
use crate::receipts::CPIM;
use crate::socket::{Phone, answer_to, unique};

/// Shell redirections with which standard output cannot be written to; the status of a command that would else succeed, and
/// what it says.
const FULL: (&str, i32, &[&str]) =
    ("exec >/dev/full;", 74, &["fanfare: standard output cannot be written: No space left on device"]);
const CLOSED: (&str, i32, &[&str]) = ("mkfifo \"$F\"; exec 3<>\"$F\"; exec >\"$F\"; exec 3<&-;", 141, &[]);

/// Starts `fanfare ARGS` behind a redirection.
fn redirected(redirect: &str, folder: &TempDir, args: &[&str]) -> Program {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{redirect} exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_fanfare")]).args(args);
    command.env("F", folder.path().join("pipe"));
    Program::start("fanfare", command, None)
}

#[test]
fn a_command_whose_results_cannot_be_printed_ends_with_a_status_of_its_own() {
    let proxy = Proxy::start();
    let over = proxy.udp();
    let send = ["send", "--from", "im:james@domain.com", "--proxy", &over, "--to", "im:bob@domain.com"];
    let accepted = [&send[..], &["--text", "Hi", "--report", "none"]].concat();
    let missed = [&send[..], &["--text", "Hi"]].concat();
    for (redirect, status, told) in [FULL, CLOSED] {
        let commands: [(&[&str], i32); 4] =
            [(&accepted, status), (&missed, 1), (&["--help"], status), (&["--version"], status)];
        for (args, status) in commands {
            let folder = TempDir::new().unwrap();
            let ended = redirected(redirect, &folder, args).end();
            assert_eq!(ended.code(), status, "{args:?}: {ended:?}");
            assert_eq!(ended.err, told, "{args:?}");
        }
    }
}

#[test]
fn a_proxy_goes_on_without_its_standard_output() {
    for (redirect, _, told) in [FULL, CLOSED] {
        let folder = TempDir::new().unwrap();
        let address = free_address();
        let listen = format!("udp:{address}");
        let args = ["proxy", "--domain", "domain.com", "--auth", "off", "--listen", &listen];
        let proxy = redirected(redirect, &folder, &args);
        proxy.complaint_with("without --data nothing is kept");
        Phone::new().register("bob", address);
        proxy.signal("TERM");
        let ended = proxy.end();
        assert_eq!(ended.code(), 0, "{ended:?}");
        assert!(told.iter().all(|line| ended.err.iter().any(|said| said == line)), "{ended:?}");
    }
}

#[test]
fn w28_listen_that_cannot_print_says_neither_that_it_came_nor_that_it_was_seen_and_ends() {
    for (redirect, status, told) in [FULL, CLOSED] {
        let folder = TempDir::new().unwrap();
        let server = Phone::new();
        let over = format!("udp:{}", server.address);
        let args = [
            "listen",
            "--as",
            "im:bob@domain.com",
            "--proxy",
            &over,
            "--receipts",
            "--contact",
            "im:james@domain.com",
        ];
        let listening = redirected(redirect, &folder, &args);
        let bob = register_listener(&server);
        let message = message_to(&bob, &server, 1, CPIM)
            .replace("text/plain\r\nContent-Length", "message/cpim\r\nContent-Length");
        server.send(address_of(&bob), &message);
        let mut answers = Vec::new();
        loop {
            let came = server.receive();
            match came.method() {
                "REGISTER" => {
                    server.answer(&came, "200 OK");
                    break;
                }
                "OPTIONS" => server.answer(&came, "200 OK"),
                "MESSAGE" => panic!("it tells of what nobody has seen: {}", came.text),
                _ => answers.push(came.start().to_owned()),
            }
        }
        assert_eq!(answers, ["SIP/2.0 503 Service Unavailable"], "{redirect}");
        let ended = listening.end();
        assert_eq!(ended.code(), status, "{ended:?}");
        let place = format!("registered as im:bob@domain.com at {over}");
        assert_eq!(ended.err, [&[place.as_str()][..], told].concat(), "{ended:?}");
    }
}

#[test]
fn w25_send_counts_what_is_reported_before_the_202_or_without_it() {
    for extra in [&["--json"][..], &["--json", "--repeat", "1"]] {
        let server = Phone::new();
        let over = format!("udp:{}", server.address);
        let args = [
            "send",
            "--from",
            "im:james@domain.com",
            "--proxy",
            &over,
            "--to",
            "im:ann@domain.com",
            "--text",
            "Hi",
        ];
        let sending = fanfare(&[&args[..], extra].concat());
        let asked = server.receive_the("OPTIONS");
        server.send(asked.from, &answer_to(&asked, "200 OK", "Supported: secondary-to\r\n"));
        let message = server.receive_the("MESSAGE");
        let contact = message.value("Contact").trim_start_matches('<').split('>').next().unwrap();
        let body = "im:ann@domain.com delivery failure;status=404\r\n";
        let report = format!(
            "NOTIFY {contact} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK{}\r\nMax-Forwards: 70\r\n\
             From: <sip:domain.com>;tag=s1\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 1 NOTIFY\r\nEvent: delivery-report\r\n\
             Subscription-State: terminated;reason=noresource\r\nContent-Type: application/delivery-report\r\n\
             Content-Length: {}\r\n\r\n{body}",
            server.address,
            unique(),
            message.value("From"),
            message.value("Call-ID"),
            body.len()
        );
        server.send(message.from, &report);
        let ended = sending.end();
        assert_eq!(ended.code(), 1, "{ended:?}");
        let failure = r#""to":"im:ann@domain.com","state":"failure","status":404"#;
        assert!(ended.out.iter().any(|line| line.contains(failure)), "{ended:?}");
    }
}

#[test]
fn w30_a_store_that_others_may_use_is_refused_or_told_of_with_the_command_that_mends_it() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    let listen = format!("udp:{}", free_address());
    let proxy = ["proxy", "--domain", "domain.com", "--auth", "off", "--listen", &listen, "--data", data];
    let over = format!("udp:{}", free_address());
    let client = ["listen", "--as", "im:bob@domain.com", "--proxy", &over, "--data", data];
    let set = |name: &str, mode| {
        let file = folder.path().join(name);
        std::fs::OpenOptions::new().append(true).create(true).open(&file).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let mode = |name: &str| folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
    // Empty files of any mode are made private.
    set("proxy.sqlite3", 0o666);
    set("messages.sqlite3", 0o666);
    let program = fanfare(&proxy);
    program.line_with("listening udp");
    assert_eq!(["proxy.sqlite3", "proxy.sqlite3-wal", "proxy.sqlite3-shm"].map(mode), [0o600; 3]);
    program.signal("TERM");
    assert_eq!(program.end().code(), 0);
    let program = fanfare(&client);
    program.complaint_with("still trying");
    program.signal("TERM");
    program.end();
    assert_eq!(mode("messages.sqlite3"), 0o600);

    let refused: [(&str, &[&str], u32, &str); 3] = [
        ("proxy.sqlite3", &proxy, 0o644, "read"),
        ("proxy.sqlite3", &proxy, 0o666, "read or change"),
        ("messages.sqlite3", &client, 0o620, "read or change"),
    ];
    for (name, args, bits, what) in refused {
        set(name, bits);
        let refused = fanfare(args).end();
        assert_eq!(refused.code(), 2, "{refused:?}");
        let words = format!(
            "fanfare: cannot use the store {data}/{name}: others may {what} it (mode 0{bits:o}); make it private with: \
             chmod 600 {data}/{name}"
        );
        assert_eq!(refused.err, [words], "{refused:?}");
    }
    set("messages.sqlite3", 0o644);
    let program = fanfare(&client);
    program.complaint_with(&format!(
        "others may read it (mode 0644); make it private with: chmod 600 {data}/messages.sqlite3"
    ));
}

#[test]
fn send_ends_with_1_when_somebody_is_absent_and_the_message_waits() {
    let proxy = Proxy::start();
    let over = proxy.udp();
    let args = ["send", "--from", "im:james@domain.com", "--proxy", &over, "--to", "im:ann@domain.com"];
    // The time-out is longer than a test waits for a program.
    let ended = fanfare(&[&args[..], &["--text", "Later.", "--expires", "1h"]].concat()).end();
    assert_eq!(ended.code(), 1, "{ended:?}");
    assert!(ended.out.iter().any(|line| line.starts_with("im:ann@domain.com deferred")), "{ended:?}");
    let last = "report deferred: the message waits in the mailbox for those who are absent";
    assert_eq!(ended.out.last().unwrap(), last, "{ended:?}");
}

#[test]
fn listen_that_never_registered_ends_with_1_and_has_said_why() {
    let over = format!("tcp:{}", free_address());
    let listening = fanfare(&["listen", "--as", "im:bob@domain.com", "--proxy", &over]);
    let told = listening.complaint_with("not registered");
    assert!(told.starts_with(&format!("fanfare: not registered as im:bob@domain.com at {over}: ")), "{told}");
    assert!(told.contains("; trying again in "), "{told}");
    listening.signal("TERM");
    let ended = listening.end();
    assert_eq!(ended.code(), 1, "{ended:?}");
}

#[test]
fn listen_says_when_its_server_is_gone_and_when_it_is_back() {
    let proxy = Proxy::start();
    let over = format!("tcp:{}", proxy.address);
    let listening = fanfare(&["listen", "--as", "im:bob@domain.com", "--proxy", &over]);
    let registered = format!("registered as im:bob@domain.com at {over}");
    assert_eq!(listening.complaint_with("registered"), registered);
    let _proxy = proxy.kill_and_start_again();
    listening.complaint_with("fanfare: no longer registered as im:bob@domain.com at ");
    crate::common::wait_for_binding("bob", _proxy.address);
    listening.signal("INT");
    let ended = listening.end();
    assert_eq!(ended.code(), 0, "{ended:?}");
}

#[test]
fn listen_goes_on_trying_where_a_refusal_may_pass() {
    let server = Phone::new();
    let over = format!("udp:{}", server.address);
    let listening = fanfare(&["listen", "--as", "im:bob@domain.com", "--proxy", &over]);
    let register = server.receive_the("REGISTER");
    server.send(register.from, &answer_to(&register, "403 Not Yet", ""));
    let told = listening.complaint_with("not registered");
    assert!(told.contains(": 403 Not Yet; trying again in "), "{told}");
    listening.signal("TERM");
    assert_eq!(listening.end().code(), 1);
}

#[cfg(feature = "gui")]
#[test]
fn a_window_that_cannot_be_opened_ends_with_2() {
    let folder = TempDir::new().unwrap();
    let mut command = fanfare_command(&["--data", folder.path().to_str().unwrap()]);
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    let ended = Program::start("fanfare", command, None).end();
    assert_eq!(ended.code(), 2, "{ended:?}");
    ended.assert_no_panic();
    let told = ended.err.last().unwrap();
    assert!(told.starts_with("fanfare: cannot open a window: ") && !told.contains(".rs"), "{ended:?}");
    let instead = "; in a terminal, use fanfare demo --headless, fanfare send and fanfare listen";
    assert!(told.ends_with(instead), "{ended:?}");
}
