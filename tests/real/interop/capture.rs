//! What Fanfare sends, checked with Wireshark's dissector: runs other tests again in a separate network, and captures
//! all traffic there.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::peers::installed;
use crate::program::{Ended, Program, WAIT};

/// A user other than root becomes root in new namespaces. The first argument is the capture file, the others are the
/// command.
const CAPTURED: &str = r#"
ip link set lo up
dumpcap -q -i lo -w "$0" & dumpcap=$!
until [ -s "$0" ]; do sleep 0.1; done
status=0
"$@" || status=$?
sleep 1
kill -INT "$dumpcap"
wait "$dumpcap"
exit "$status"
"#;

/// Tests that send nothing malformed on purpose.
const RUN: [&str; 5] = ["interop::clients::", "interop::edge::", "patent::", "peers::baresip", "peers::w22"];

/// What the dissector considers malformed, including expert notes of that kind.
const MALFORMED: &str = "_ws.malformed || _ws.expert.group == \"Malformed\"";

/// A datagram that the dissector did not recognize, except keep-alives.
const NO_SIP: &str = "udp && !sip && !icmp && udp.length > 12";

fn run(name: &str, command: Command) -> Ended {
    // Many tests run in it at once, beside all the others.
    let ended = Program::start(name, command, None).end_within(10 * WAIT);
    assert_eq!(ended.code(), 0, "{ended:?}");
    ended
}

/// The frames of a capture that match a filter, one per line.
fn frames(capture: &Path, filter: &str) -> Vec<String> {
    let mut command = Command::new(installed("tshark", "tshark"));
    command.args(["-n", "-d", "udp.port==1-65535,sip", "-d", "tcp.port==1-65535,sip", "-Y", filter, "-r"]);
    command.arg(capture);
    run("tshark", command).out
}

#[test]
fn w1_w22_a_dissector_finds_nothing_malformed_in_a_whole_run() {
    let folder = TempDir::new().unwrap();
    let capture = folder.path().join("run.pcapng");
    installed("dumpcap", "tshark");
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "sh", "-c", CAPTURED]);
    command.arg(&capture).arg(std::env::current_exe().unwrap()).args(RUN);
    let run = run("a captured run", command);
    assert!(run.said().contains("test result: ok. "), "{run:?}");
    for request in ["MESSAGE", "NOTIFY", "REGISTER", "OPTIONS"] {
        let sent = frames(&capture, &format!("sip.Method == \"{request}\""));
        assert!(sent.len() > 1, "{request}: {sent:#?}");
    }
    assert_eq!(frames(&capture, MALFORMED), Vec::<String>::new());
    assert_eq!(frames(&capture, NO_SIP), Vec::<String>::new());
}

#[test]
fn the_dissector_does_find_what_is_malformed() {
    let folder = TempDir::new().unwrap();
    let (text, capture) = (folder.path().join("bad.txt"), folder.path().join("bad.pcap"));
    let broken = "MESSAGE sip:ann@domain.com SIP/2.0\r\nContent-Length: ten\r\n\r\nCome here.";
    let bytes: String = broken.bytes().map(|byte| format!(" {byte:02x}")).collect();
    std::fs::write(&text, format!("000000{bytes}\n")).unwrap();
    let mut command = Command::new(installed("text2pcap", "tshark"));
    command.args(["-q", "-u", "5060,5060"]).arg(&text).arg(&capture);
    run("text2pcap", command);
    assert_eq!(frames(&capture, MALFORMED).len(), 1);
}
