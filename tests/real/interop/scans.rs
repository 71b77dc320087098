//! sipsak and the SIPVicious tools against our proxy: it answers valid requests, survives, and serves as before.

use std::process::Command;

use tempfile::TempDir;

use super::{assert_report, phone};
use crate::common::{Proxy, bindings_of, free_address};
use crate::peers::installed;
use crate::program::{Ended, Program};
use crate::socket::{Phone, submission};

/// Runs a tool until it ends.
fn run(tool: &str, package: &str, args: &[&str]) -> Ended {
    let scratch = TempDir::new().unwrap();
    let mut command = Command::new("env");
    // SIPVicious stores its sessions in the home folder.
    command.arg(format!("HOME={}", scratch.path().display()));
    command.arg(installed(tool, package)).args(args).current_dir(scratch.path());
    Program::start(tool, command, None).end()
}

fn assert_serves(proxy: &Proxy, user: &str) {
    let phone = phone(user, proxy.address);
    let james = Phone::new();
    let person = format!("im:{user}@domain.com");
    let sent = submission(james.address, &[&person], "", "Still here?");
    assert_eq!(james.ask(proxy.address, &sent).start(), "SIP/2.0 202 Accepted");
    assert_report(&james, &[(&person, "success")]);
    assert_eq!(phone.seen().len(), 1);
}

#[test]
fn sipsak_asks_and_floods_and_sends_what_is_broken_and_the_proxy_serves_on() {
    let proxy = Proxy::start();
    let _bob = phone("bob", proxy.address);
    // If -s has a port of five digits, sipsak drops the last one.
    let server = proxy.address.to_string();
    let options = run("sipsak", "sipsak", &["-v", "-p", &server, "-s", "sip:bob@domain.com"]);
    assert!(options.code() == 0 && options.said().contains("SIP/2.0 200 OK"), "{options:?}");
    // With several users (-b, -e), sipsak sends malformed REGISTERs.
    let user = ["-U", "-x", "60", "-C", "sip:carl@127.0.0.1:9", "-p", &server, "-s", "sip:carl@domain.com"];
    let user = run("sipsak", "sipsak", &user);
    assert_eq!(user.code(), 0, "{user:?}");
    assert_eq!(bindings_of("carl", proxy.address), ["<sip:carl@127.0.0.1:9"]);
    let flood = run("sipsak", "sipsak", &["-F", "-e", "2000", "-p", &server, "-s", "sip:bob@domain.com"]);
    assert!(flood.said().contains("flood end reached"), "{flood:?}");
    // sipsak replaces characters of an OPTIONS, one more in each round, until it gets no answer.
    run("sipsak", "sipsak", &["-R", "-t", "100", "-p", &server, "-s", "sip:bob@domain.com"]);
    assert_serves(&proxy, "ann");
}

#[test]
fn sipvicious_scans_the_proxy_and_it_serves_on() {
    let proxy = Proxy::start();
    let (port, own) = (proxy.address.port().to_string(), free_address().port().to_string());
    let place = ["-b", "127.0.0.1", "-P", &own, "-p", &port];
    let map = run("svmap", "sipvicious", &[&place[..], &["127.0.0.1"]].concat());
    assert!(map.said().contains(&proxy.address.to_string()), "it sees the proxy: {map:?}");
    for method in ["REGISTER", "OPTIONS", "INVITE"] {
        let scan = ["--force", "-m", method, "-e", "100-120", "127.0.0.1"];
        let scan = run("svwar", "sipvicious", &[&place[..], &scan].concat());
        assert!(!scan.said().contains("Traceback"), "{scan:?}");
    }
    assert_serves(&proxy, "ann");
}
