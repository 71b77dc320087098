//! Third-party programs as recipients and as sender: SIPp with scenarios, baresip unmodified.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::baresip::Baresip;
use crate::common::{Proxy, free_address, listener, objects, outcomes};
use crate::program::{Program, fanfare};
use crate::socket::{Answering, Phone, register, submission};

/// A peer program that must be installed; without it the test fails instead of being skipped.
pub(crate) fn installed(program: &str, package: &str) -> String {
    let places = ["/usr/bin", "/usr/local/bin", "/bin", "/usr/sbin"];
    let found = places.iter().map(|place| format!("{place}/{program}")).find(|path| Path::new(path).exists());
    found
        .unwrap_or_else(|| panic!("{program} is missing; script/test installs it: apt-get install {package}"))
}

/// SIPp, playing one scenario for one call; its exit status tells whether the call went as scripted.
pub(crate) struct Sipp {
    program: Program,
    pub(crate) address: SocketAddr,
    _scratch: TempDir,
}

impl Sipp {
    fn play(scenario: &str, remote: Option<SocketAddr>, keys: &[(&str, &str)]) -> Self {
        Self::play_at(Ipv4Addr::LOCALHOST.into(), scenario, remote, keys)
    }

    /// At a loopback address.
    pub(crate) fn play_at(
        ip: IpAddr,
        scenario: &str,
        remote: Option<SocketAddr>,
        keys: &[(&str, &str)],
    ) -> Self {
        Self::play_over("u1", ip, (scenario, keys), remote)
    }

    /// Over `u1` (one UDP socket) or `t1` (one TCP connection).
    fn play_over(
        transport: &str,
        ip: IpAddr,
        (scenario, keys): (&str, &[(&str, &str)]),
        remote: Option<SocketAddr>,
    ) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/peers").join(scenario);
        let address = SocketAddr::new(ip, free_address().port());
        let own = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
        let scratch = TempDir::new().unwrap();
        let mut command = Command::new(installed("sipp", "sip-tester"));
        // It writes files into its working folder; TERM is for the screen that it draws.
        command.current_dir(scratch.path()).env("TERM", "dumb").args(["-nostdin", "-m", "1"]);
        command.args(["-t", transport, "-timeout", "25s", "-timeout_error", "-i", &own, "-p"]);
        command.arg(address.port().to_string()).arg("-sf").arg(file);
        for (key, value) in keys {
            command.args(["-key", key, value]);
        }
        if let Some(remote) = remote {
            command.arg(remote.to_string());
        }
        Self { program: Program::start("sipp", command, None), address, _scratch: scratch }
    }

    fn answering(scenario: &str) -> Self {
        Self::play(scenario, None, &[])
    }

    /// The address contains its port, so no registration is needed.
    fn uri(&self) -> String {
        format!("sip:sipp@{}", self.address)
    }

    pub(crate) fn assert_as_written(self, scenario: &str) {
        let ended = self.program.end();
        assert_eq!(ended.code(), 0, "{scenario}: {ended:?}");
    }
}

#[test]
fn w18_sipp_answers_as_recipients_do_and_each_outcome_is_told() {
    // Slow enough for ten programs on a busy machine.
    let proxy = Proxy::with_t1("200ms");
    let moved = Answering::new(Phone::new(), |_, _| Some("200 OK"));
    let port = moved.address.port().to_string();
    let peers = [
        ("200.xml", Sipp::answering("200.xml"), "success;status=200"),
        ("202.xml", Sipp::answering("202.xml"), "success;status=202"),
        ("302.xml", Sipp::play("302.xml", None, &[("moved", &port)]), "success;status=200"),
        ("404.xml", Sipp::answering("404.xml"), "failure;status=404"),
        ("415.xml", Sipp::answering("415.xml"), "failure;status=415"),
        ("486.xml", Sipp::answering("486.xml"), "failure;status=486"),
        ("500.xml", Sipp::answering("500.xml"), "failure;status=500"),
        ("603.xml", Sipp::answering("603.xml"), "failure;status=603"),
        ("late.xml", Sipp::answering("late.xml"), "success;status=200"),
        (
            "silent.xml",
            Sipp::answering("silent.xml"),
            "failure;status=408;reason=\"Request Timeout\";tries=11",
        ),
    ];
    let people: Vec<String> = peers.iter().map(|(_, sipp, _)| sipp.uri()).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();

    let james = Phone::new();
    james.send(
        proxy.address,
        &submission(james.address, &people, "Delivery-Report: final;detail\r\n", "Come here."),
    );
    assert_eq!(james.receive_the("SIP/2.0").start(), "SIP/2.0 202 Accepted");
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    let told = outcomes(&report);
    assert_eq!(told.len(), peers.len(), "{}", report.text);
    for ((scenario, sipp, expected), (address, state)) in peers.into_iter().zip(&told) {
        assert_eq!(*address, sipp.uri(), "{scenario}");
        assert!(state.starts_with(expected), "{scenario}: {}", report.text);
        sipp.assert_as_written(scenario);
    }
    assert_eq!(moved.seen().len(), 1);
}

#[test]
fn sipp_as_a_gateway_gets_what_is_for_a_telephone_number() {
    let gateway = Sipp::play("gateway.xml", None, &[]);
    let route = format!("tel=udp:{}", gateway.address);
    for (args, state) in [(&["--route", &route][..], "success"), (&[], "failure")] {
        let proxy = Proxy::start_with(args);
        let bob = listener("bob", &proxy, &[]);
        let over = proxy.udp();
        let sent = fanfare(&[
            "send",
            "--from",
            "im:james@domain.com",
            "--proxy",
            &over,
            "--to",
            "tel:+49-30-123",
            "--to",
            "im:bob@domain.com",
            "--text",
            "Come here.",
            "--json",
        ]);
        let said = objects(&sent.end().out);
        bob.line_with("Come here.");
        let of = |to: &str| {
            said.iter().find(|line| line["to"] == to).unwrap_or_else(|| panic!("{said:?}"))["state"].clone()
        };
        assert_eq!((of("tel:+49-30-123"), of("im:bob@domain.com")), (state.into(), "success".into()));
    }
    gateway.assert_as_written("gateway.xml");
}

#[test]
fn w22_sipp_submits_and_takes_the_report_in_the_same_call() {
    let proxy = Proxy::start();
    let phone = Phone::new();
    phone.register("ann", proxy.address);
    let ann = Answering::new(phone, |_, _| Some("200 OK"));
    let keys = [("first", "ann@domain.com"), ("second", "nobody@domain.com")];
    Sipp::play("sender.xml", Some(proxy.address), &keys).assert_as_written("sender.xml");
    let seen = ann.seen();
    assert_eq!(seen.len(), 1, "{seen:#?}");
    assert_eq!(seen[0].value("Also-To"), "<sip:nobody@domain.com>");
}

#[test]
fn w29_sipp_calls_sipp_writes_within_the_call_and_hangs_up() {
    let proxy = Proxy::start();
    let phone = Phone::new();
    for transport in ["u1", "t1"] {
        let bob = Sipp::answering("call_uas.xml");
        let contact = format!("<{}>", bob.uri());
        let answer = phone.ask(proxy.address, &register(transport, &contact, phone.address));
        assert_eq!(answer.start(), "SIP/2.0 200 OK", "{}", answer.text);
        let scenario = ("call_uac.xml", &[("callee", transport)][..]);
        let caller = Sipp::play_over(transport, Ipv4Addr::LOCALHOST.into(), scenario, Some(proxy.address));
        caller.assert_as_written("call_uac.xml");
        bob.assert_as_written("call_uas.xml");
    }
}

#[test]
fn baresip_takes_text_and_says_what_it_does_not_take() {
    let proxy = Proxy::start();
    let _bella = Baresip::register("bella", proxy.address, "udp", "sip:james@domain.com");

    let over = proxy.udp();
    let args = ["send", "--from", "im:james@domain.com", "--proxy", &over, "--to", "im:bella@domain.com"];
    let ended = fanfare(&[&args[..], &["--text", "Gr\u{fc}\u{df}e", "--json"]].concat()).end();
    assert_eq!(ended.code(), 0, "{ended:?}");

    let james = Phone::new();
    let detail = "Delivery-Report: final;detail\r\n";
    let picture = submission(james.address, &["im:bella@domain.com"], detail, "not a picture")
        .replace("text/plain", "image/png");
    james.send(proxy.address, &picture);
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    assert!(report.body().starts_with("im:bella@domain.com delivery failure;status=415"), "{}", report.text);
}
