//! `--trace`: what Wireshark makes of a capture, what `send` and `listen` print, and a capture on a disk that is full.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::common::{Proxy, free_address};
use crate::peers::installed;
use crate::program::{Program, WAIT, fanfare_command, fanfare_reading};
use crate::socket::{Answering, Phone, Wire, submission};

/// What the dissector finds in a capture that matches a filter: one line per packet, these fields separated by `|`.
fn dissected(capture: &Path, filter: &str, fields: &[&str]) -> Vec<String> {
    let mut command = Command::new(installed("tshark", "tshark"));
    command.args([
        "-n",
        "-d",
        "udp.port==1-65535,sip",
        "-Y",
        filter,
        "-T",
        "fields",
        "-E",
        "separator=|",
        "-r",
    ]);
    command.arg(capture);
    command.args(fields.iter().flat_map(|field| ["-e", field]));
    let ended = Program::start("tshark", command, None).end_within(3 * WAIT);
    assert_eq!(ended.code(), 0, "{ended:?}");
    ended.out
}

/// A submission over TCP, whose Via says so.
fn over_tcp(wire: &Wire, to: &str, text: &str) -> String {
    submission(wire.address, &[to], "", text).replace("SIP/2.0/UDP", "SIP/2.0/TCP")
}

#[test]
fn w1_w22_a_capture_of_the_proxy_is_read_by_a_dissector_message_by_message() {
    let folder = TempDir::new().unwrap();
    let capture = folder.path().join("trace.pcapng");
    let proxy = Proxy::start_with(&["--trace", capture.to_str().unwrap()]);
    let phone = Phone::new();
    phone.register("ann", proxy.address);
    let ann = Answering::new(phone, |_, _| Some("486 Busy Here"));
    let james = Phone::new();
    let request = submission(james.address, &["im:ann@domain.com"], "", "Come here.");
    assert_eq!(james.ask(proxy.address, &request).start(), "SIP/2.0 202 Accepted");
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    // Larger than any packet.
    let large = "0123456789".repeat(7000);
    let mut wire = Wire::to(proxy.address);
    wire.send(&over_tcp(&wire, "im:nobody@domain.com", &large));
    assert_eq!(wire.receive().unwrap().start(), "SIP/2.0 202 Accepted");
    proxy.program.signal("TERM");
    let ended = proxy.program.end();
    assert_eq!(ended.code(), 0, "{ended:?}");

    let port = |address: SocketAddr| address.port();
    let (own, james, ann) = (port(proxy.address), port(james.address), port(ann.address));
    let fields =
        ["udp.srcport", "udp.dstport", "sip.Method", "sip.Status-Code", "sip.CSeq.method", "frame.comment"];
    let seen = dissected(&capture, "udp", &fields);
    let call = "from im:james@domain.com, to im:ann@domain.com, Call-ID";
    let beginnings = [
        format!("{ann}|{own}|REGISTER||REGISTER|REGISTER over UDP, from sip:ann@domain.com"),
        format!("{own}|{ann}||200|REGISTER|200 to REGISTER over UDP"),
        format!("{james}|{own}|MESSAGE||MESSAGE|MESSAGE over UDP, {call}"),
        format!("{own}|{james}||202|MESSAGE|202 to MESSAGE over UDP, {call}"),
        format!(
            "{own}|{ann}|MESSAGE||MESSAGE|MESSAGE over UDP, from sip:james@domain.com, to sip:ann@domain.com"
        ),
        format!("{ann}|{own}||486|MESSAGE|486 to MESSAGE over UDP"),
        format!("{own}|{james}|NOTIFY||NOTIFY|NOTIFY over UDP, from sip:domain.com, to sip:james@domain.com"),
    ];
    for expected in &beginnings {
        assert!(seen.iter().any(|line| line.starts_with(expected)), "{expected} in {seen:#?}");
    }
    let whole = dissected(&capture, "exported_pdu", &["sip.Method", "sip.msg_body", "frame.comment"]);
    assert_eq!(whole.len(), 1, "{whole:?}");
    assert!(
        whole[0].starts_with("MESSAGE|") && whole[0].contains("MESSAGE over TCP, "),
        "{}",
        whole[0].len()
    );
    let accepted =
        dissected(&capture, "frame.comment contains \"202 to MESSAGE over TCP\"", &["sip.Status-Code"]);
    assert_eq!(accepted, ["202"]);
    let wrong = "_ws.malformed || _ws.expert.group == \"Malformed\" || (udp && !sip) || udp.checksum.status == \"Bad\"";
    assert_eq!(dissected(&capture, wrong, &["frame.number"]), [""; 0]);
    let mode = std::fs::metadata(&capture).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds what people write");
}

#[test]
fn w31_a_message_that_is_too_large_for_a_dissector_hides_none_of_those_after_it() {
    let folder = TempDir::new().unwrap();
    let capture = folder.path().join("trace.pcapng");
    let proxy = Proxy::start_with(&["--trace", capture.to_str().unwrap()]);
    let mut wire = Wire::to(proxy.address);
    let large = "0123456789".repeat(40_000);
    wire.send(&over_tcp(&wire, "im:nobody@domain.com", &large));
    assert_eq!(wire.receive().unwrap().start(), "SIP/2.0 202 Accepted");
    let james = Phone::new();
    let request = submission(james.address, &["im:ann@domain.com"], "", "After it.");
    assert_eq!(james.ask(proxy.address, &request).start(), "SIP/2.0 202 Accepted");
    proxy.program.signal("TERM");
    let ended = proxy.program.end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    let large = dissected(&capture, "frame.cap_len < frame.len", &["frame.cap_len", "sip.Method"]);
    assert_eq!(large, ["262144|MESSAGE"]);
    let after = dissected(&capture, "udp && sip.Method == \"MESSAGE\"", &["sip.msg_body"]);
    assert_eq!(after.len(), 1, "{after:?}");
    assert_eq!(dissected(&capture, "sip.Status-Code == 202", &["sip.CSeq.method"]), ["MESSAGE"; 2]);
}

#[test]
fn send_and_listen_print_what_passes_and_no_password_response() {
    let folder = TempDir::new().unwrap();
    let (data, address) = (folder.path().to_str().unwrap(), free_address());
    for name in ["james", "bob"] {
        let add = ["proxy", "user", "add", &format!("{name}@domain.com"), "--data", data];
        assert_eq!(fanfare_reading(&add, "a secret\n").end().code(), 0);
    }
    let over = format!("udp:{address}");
    let proxy = ["proxy", "--domain", "domain.com", "--listen", &over, "--data", data, "--auth", "on"];
    let proxy = Program::start("proxy", fanfare_command(&proxy), None);
    proxy.line_with("listening udp");
    let start = |args: &[&str]| {
        let mut command = fanfare_command(args);
        command.args(["--proxy", &over, "--trace"]).env("FANFARE_PASSWORD", "a secret");
        Program::start("fanfare", command, None)
    };
    let bob = start(&["listen", "--as", "im:bob@domain.com"]);
    bob.complaint_with("registered as im:bob@domain.com");
    let to = ["--from", "im:james@domain.com", "--to", "im:bob@domain.com", "--text", "Come \u{1b}[2J here."];
    let james = start(&[&["send"][..], &to].concat()).end();
    assert_eq!(james.code(), 0, "{james:?}");
    let shown = james.err.join("\n");
    for part in [
        "Z sent UDP 127.0.0.1:",
        &format!(" -> {address}, "),
        "\n    MESSAGE sip:bob@domain.com SIP/2.0\n",
        "\n    Proxy-Authorization: [removed]\n",
        "\n    SIP/2.0 202 Accepted\n",
        "\n    NOTIFY sip:james-removed@127.0.0.1:",
        "\n    Come ⟨U+001B⟩[2J here.\n",
        "im:bob@domain.com delivery success",
    ] {
        assert!(shown.contains(part), "{part:?} in {shown}");
    }
    assert!(james.out.iter().all(|line| !line.contains("SIP/2.0")), "results alone: {:?}", james.out);
    bob.signal("TERM");
    let bob = bob.end();
    let heard = bob.err.join("\n");
    for part in [
        "\n    Authorization: [removed]\n",
        "\n    MESSAGE sip:bob-removed@127.0.0.1:",
        "Z received UDP 127.0.0.1:",
    ] {
        assert!(heard.contains(part), "{part:?} in {heard}");
    }
    for secret in ["response=", "rspauth=", "cnonce="] {
        assert!(!shown.contains(secret) && !heard.contains(secret), "{secret} in {shown}{heard}");
    }
}

#[test]
fn w11_a_disk_that_is_full_ends_the_trace_and_the_proxy_goes_on() {
    let (folder, address) = (TempDir::new().unwrap(), free_address());
    let small = folder.path().to_str().unwrap();
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "--propagation", "private", "sh", "-c"]);
    command
        .args(["mount -t tmpfs -o size=64k none \"$0\" && exec \"$@\" --trace \"$0/trace.pcapng\"", small]);
    command.arg(env!("CARGO_BIN_EXE_fanfare")).args(["proxy", "--domain", "domain.com", "--listen"]);
    command.arg(format!("udp:{address}")).process_group(0);
    let proxy = Program::start("fanfare with a small disk for its trace", command, None);
    proxy.line_with("listening udp");
    let capture = format!("/proc/{}/root{small}/trace.pcapng", proxy.pid());
    let phone = Phone::new();
    phone.register("bob", address);
    let _bob = Answering::new(phone, |_, _| Some("200 OK"));
    let james = Phone::new();
    for _ in 0..60 {
        let text = "x".repeat(900);
        let request = submission(james.address, &["im:bob@domain.com"], "Delivery-Report: none\r\n", &text);
        assert_eq!(james.ask(address, &request).start(), "SIP/2.0 202 Accepted");
    }
    let told = proxy.complaint_with("ends here, the proxy goes on: ");
    assert!(told.contains("No space left on device"), "{told}");
    let request = submission(james.address, &["im:bob@domain.com"], "", "Still there?");
    assert_eq!(james.ask(address, &request).start(), "SIP/2.0 202 Accepted");
    james.answer(&james.receive_the("NOTIFY"), "200 OK");
    let read = dissected(Path::new(&capture), "sip.Method == \"MESSAGE\"", &["sip.Method"]);
    assert!(read.len() > 5, "what was written before is whole: {read:?}");
}

#[test]
fn what_is_no_capture_is_not_overwritten() {
    let (folder, address) = (TempDir::new().unwrap(), free_address());
    let file = folder.path().join("proxy.ron");
    std::fs::write(&file, "()").unwrap();
    let listen = format!("udp:{address}");
    let args = ["proxy", "--domain", "domain.com", "--listen", &listen, "--trace", file.to_str().unwrap()];
    let ended = Program::start("proxy", fanfare_command(&args), None).end();
    assert_eq!(ended.code(), 2);
    assert!(
        ended.said().contains("proxy.ron exists and is not a capture of Fanfare, so it is not overwritten"),
        "{ended:?}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "()");
}

#[test]
fn inspect_says_from_a_capture_of_ours_who_got_the_message_and_draws_it() {
    let folder = TempDir::new().unwrap();
    let capture = folder.path().join("trace.pcapng");
    let proxy = Proxy::start_with(&["--trace", capture.to_str().unwrap()]);
    let (first, second) = (Phone::new(), Phone::new());
    first.register("ann", proxy.address);
    second.register("ben", proxy.address);
    let _ann = Answering::new(first, |_, _| Some("486 Busy Here"));
    let _ben = Answering::new(second, |_, _| Some("200 OK"));
    let james = Phone::new();
    let to = ["im:ann@domain.com", "im:ben@domain.com"];
    let request = submission(james.address, &to, "", "Come here.");
    assert_eq!(james.ask(proxy.address, &request).start(), "SIP/2.0 202 Accepted");
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    proxy.program.signal("TERM");
    assert_eq!(proxy.program.end().code(), 0);

    let file = capture.to_str().unwrap();
    let json = Program::start("inspect", fanfare_command(&["inspect", file, "--json"]), None).end();
    assert_eq!((json.code(), json.out.len()), (0, 1), "{json:?}");
    let told: serde_json::Value = serde_json::from_str(&json.out[0]).unwrap();
    assert_eq!((&told["status"], &told["fan_out"], &told["reports"]), (&202.into(), &true.into(), &1.into()));
    let of = |index: usize, name: &str| told["recipients"][index][name].clone();
    assert_eq!((of(0, "to"), of(0, "state")), (to[0].into(), "failure".into()));
    assert_eq!((of(0, "transmissions"), of(0, "contradicted_by")), (1.into(), serde_json::Value::Null));
    assert_eq!(
        (of(1, "to"), of(1, "state"), of(1, "source")),
        (to[1].into(), "success".into(), "report".into())
    );

    let drawn = Program::start("inspect", fanfare_command(&["inspect", file, "--ladder"]), None).end();
    let text = drawn.out.join("\n");
    for part in [
        "-- MESSAGE ----",
        "<- 202 Accepted --",
        "<- 486 Busy Here --",
        "<- NOTIFY ---",
        "im:ben@domain.com success",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let none = ["inspect", file, "--call-id", "other"];
    assert_eq!(Program::start("inspect", fanfare_command(&none), None).end().code(), 1);
    let other = folder.path().join("notes.txt");
    std::fs::write(&other, "no capture").unwrap();
    let refused =
        Program::start("inspect", fanfare_command(&["inspect", other.to_str().unwrap()]), None).end();
    assert_eq!(refused.code(), 2, "{refused:?}");
    assert!(refused.err[0].ends_with("this is not a capture: neither pcapng nor pcap"), "{refused:?}");
}
