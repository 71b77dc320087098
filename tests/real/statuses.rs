//! Exit statuses that no other test checks; the table of all is in docs/operating.md.

use crate::common::{Proxy, free_address};
use crate::program::fanfare;
#[cfg(feature = "gui")]
use crate::program::{Program, fanfare_command};
use crate::socket::{Phone, answer_to};

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
    let folder = tempfile::TempDir::new().unwrap();
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
