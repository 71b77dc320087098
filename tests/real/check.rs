//! `fanfare check`: scripts in virtual time, against the built-in proxy over real sockets, and against Kamailio.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::kamailio::Kamailio;
use crate::peers::installed;
use crate::program::{Ended, fanfare};

/// Ann has it, Ben is busy, and Cy hears the third transmission.
const SCRIPT: &str = r#"// Three people, two of whom have it.
Script(
    about: "two of three have it",
    t1: "50ms",
    people: [Person(name: "Ann"), Person(name: "Ben", does: "486"), Person(name: "Cy", does: "drop=2")],
    steps: [
        Send(to: ["Ann", "Ben", "Cy"], text: "Lunch at noon?"),
        WaitForOutcomes("10s"),
        Expect([
            Outcome(of: ["Ann", "Cy"], is: Delivered, status: 200),
            Outcome(of: "Ben", is: Failed, status: 486),
            Outcome(of: "Cy", transmissions_at_least: 3),
            Arrived(at: ["Ann", "Cy"]),
            Arrived(at: "Ben", times: 0),
            Window(line: "1 of 3 not delivered", resend_goes_to: "Ben"),
        ]),
    ],
)
"#;

/// What only a proxy that fans out does.
const FAN_OUT: &str = r#"// One MESSAGE for three people, over a bad path and a crash.
Script(
    about: "one MESSAGE, a bad path, a proxy that is killed",
    t1: "50ms",
    people: [Person(name: "Ann"), Person(name: "Ben", does: "486"), Person(name: "Cy", does: "offline")],
    lists: [List(name: "team", members: ["Ann", "Ben"])],
    steps: [
        Send(to: ["Ann", "Ben", "Cy"], text: "First."),
        WaitForOutcomes("10s"),
        Expect([
            Uplink(messages: 1, bytes_at_most: 1300, status: 202),
            Outcome(of: "Ann", is: Delivered),
            Outcome(of: "Cy", is: Failed, status: 480, transmissions: 0),
        ]),
        ComeBack("Cy"),
        Fault("202:drop=2"),
        Wait("500ms"),
        Send(to: ["Cy", "Ann"], text: "Second."),
        WaitForOutcomes("10s"),
        // The report overtakes the 202, for which the sender repeats the message.
        Wait("500ms"),
        Expect([
            Uplink(messages: 1, transmissions: 3, status: 202),
            Outcome(of: ["Cy", "Ann"], is: Delivered, transmissions: 1),
            Arrived(at: ["Cy", "Ann"]),
        ]),
        Fault("Proxy crash after 202"),
        Send(to: ["Cy", "Ann"], text: "Third."),
        WaitForOutcomes("20s"),
        Expect([
            Outcome(of: ["Cy", "Ann"], is: Delivered),
            Arrived(at: ["Cy", "Ann"]),
            Window(line: "Delivered to both"),
        ]),
        CrashSender,
        StartSender,
        Wait("500ms"),
        Send(to: "Ann", text: "Fourth."),
        WaitForOutcomes("10s"),
        Expect([Outcome(of: "Ann", is: Delivered), Arrived(at: "Ann")]),
        Fault("disk:full"),
        Send(to: "Ann", text: "Fifth."),
        Wait("500ms"),
        Expect([Uplink(status: 503), Arrived(at: "Ann", times: 0)]),
    ],
)
"#;

fn check(folder: &Path, scripts: &[(&str, &str)], more: &[&str]) -> Ended {
    let mut args = vec!["check".to_owned()];
    for (name, source) in scripts {
        let path = folder.join(name);
        fs::write(&path, source).unwrap();
        args.push(path.to_str().unwrap().to_owned());
    }
    args.extend(more.iter().map(|more| (*more).to_owned()));
    fanfare(&args.iter().map(String::as_str).collect::<Vec<_>>()).end()
}

#[test]
fn check_ends_with_0_where_all_passed_and_with_1_where_something_did_not() {
    let folder = TempDir::new().unwrap();
    let good = check(folder.path(), &[("good.ron", SCRIPT)], &["--virtual-time"]);
    assert_eq!(good.code(), 0, "{good:?}");
    assert!(
        good.out[0].starts_with("pass ") && good.out[0].ends_with("good.ron: two of three have it"),
        "{good:?}"
    );
    assert_eq!(good.out.last().unwrap(), "1 of 1 scripts passed");

    let wrong = SCRIPT.replace("status: 486", "status: 603");
    let scripts = [("good.ron", SCRIPT), ("bad.ron", wrong.as_str())];
    let xml = folder.path().join("out.xml");
    let bad = check(folder.path(), &scripts, &["--virtual-time", "--junit", xml.to_str().unwrap()]);
    assert_eq!(bad.code(), 1, "{bad:?}");
    assert_eq!(bad.out.last().unwrap(), "1 of 2 scripts passed");
    let said = bad.said();
    assert!(said.contains("Ben: Failed, status 603"), "{said}");
    assert!(said.contains("seen instead: Failed, status 486, sent once, known after "), "{said}");
    assert!(said.contains("|-- MESSAGE ----------->|"), "{said}");
    is_valid(&xml);
    let xml = fs::read_to_string(xml).unwrap();
    assert!(xml.contains("<testsuites tests=\"16\" failures=\"1\">"), "{xml}");
    assert!(
        xml.contains("<failure message=\"seen instead: Failed, status 486, sent once, known after "),
        "{xml}"
    );
}

/// By xmllint, and by the schema that CI servers go by.
fn is_valid(xml: &Path) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/peers/junit.xsd");
    let lint = Command::new(installed("xmllint", "libxml2-utils"))
        .args(["--noout", "--schema", schema.to_str().unwrap(), xml.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(lint.status.success(), "{lint:?}");
}

#[test]
fn check_ends_with_2_and_names_the_place_where_a_script_is_wrong() {
    let folder = TempDir::new().unwrap();
    let wrong = SCRIPT.replace("does: \"486\"", "dose: \"486\"");
    let ended = check(folder.path(), &[("wrong.ron", &wrong)], &["--virtual-time"]);
    assert_eq!(ended.code(), 2, "{ended:?}");
    ended.assert_no_panic();
    assert!(ended.out.is_empty() && ended.err.len() == 1, "{ended:?}");
    let said = ended.said();
    assert!(said.contains("wrong.ron:5:"), "{said}");
    assert!(said.contains("there is no field \"dose\" here"), "{said}");
    assert!(said.contains("did you mean does?"), "{said}");

    let none = fanfare(&["check", "/nowhere/none.ron", "--virtual-time"]).end();
    assert_eq!(none.code(), 2, "{none:?}");
    assert!(none.said().contains("cannot read /nowhere/none.ron"), "{none:?}");

    let schema = fanfare(&["check", "--schema"]).end();
    assert_eq!(schema.code(), 0, "{schema:?}");
    assert!(schema.said().contains("transmissions_at_most: 11"), "{schema:?}");
}

#[test]
fn check_plays_scripts_over_real_sockets_with_a_proxy_of_its_own() {
    let folder = TempDir::new().unwrap();
    let ended = check(folder.path(), &[("simple.ron", SCRIPT), ("fan_out.ron", FAN_OUT)], &[]);
    assert_eq!(ended.code(), 0, "{}", ended.said());
    let clock = SCRIPT.replace("t1: \"50ms\",", "t1: \"50ms\", faults: [\"clock:skew=-1h\"],");
    let ended = check(folder.path(), &[("clock.ron", &clock)], &[]);
    assert_eq!(ended.code(), 0, "{}", ended.said());
}

#[test]
fn check_plays_a_script_against_kamailio() {
    let (folder, kamailio) = (TempDir::new().unwrap(), Kamailio::start());
    let proxy = kamailio.udp();
    let elsewhere = ["--proxy", proxy.as_str(), "--account", "sip:james@domain.com"];
    let ended = check(folder.path(), &[("simple.ron", SCRIPT)], &elsewhere);
    assert_eq!(ended.code(), 0, "{}", ended.said());
    // It does not fan out, and says so by what is seen instead.
    let fan_out = SCRIPT.replace("Arrived(at: \"Ben\", times: 0)", "Uplink(messages: 1)");
    let ended = check(folder.path(), &[("fan_out.ron", &fan_out)], &elsewhere);
    assert_eq!(ended.code(), 1, "{}", ended.said());
    assert!(ended.said().contains("seen instead: 3 MESSAGEs, "), "{}", ended.said());
    let fault = SCRIPT.replace("t1: \"50ms\",", "faults: [\"path:loss=20%\"],");
    let ended = check(folder.path(), &[("fault.ron", &fault)], &elsewhere);
    assert_eq!(ended.code(), 2, "{}", ended.said());
    assert!(
        ended.said().contains("path:loss=20% is a fault of the built-in proxy, and this one is elsewhere"),
        "{}",
        ended.said()
    );
}
