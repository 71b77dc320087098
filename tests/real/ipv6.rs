//! IPv6 on the wire, mixed with IPv4, and sockets that listen on all addresses of both.

use std::fs;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::common::{free_address, objects, wait_for_binding};
use crate::peers::{Sipp, installed};
use crate::program::{Program, fanfare};
use crate::socket::{Answering, Phone};

/// A proxy on the loopback addresses of both families, on one port.
struct Both {
    _program: Program,
    v4: SocketAddr,
    v6: SocketAddr,
    _folder: TempDir,
}

impl Both {
    fn start() -> Self {
        let (folder, v4) = (TempDir::new().unwrap(), free_address());
        let v6 = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), v4.port());
        let listens = [v4, v6].map(|address| [format!("udp:{address}"), format!("tcp:{address}")]).concat();
        let mut args = vec!["proxy", "--domain", "domain.com", "--t1", "200ms"];
        args.extend(["--data", folder.path().to_str().unwrap()]);
        listens.iter().for_each(|listen| args.extend(["--listen", listen]));
        let program = fanfare(&args);
        program.line_with(&format!("listening tcp {v6}"));
        Self { _program: program, v4, v6, _folder: folder }
    }
}

#[test]
fn people_of_both_families_reach_each_other_over_udp_and_tcp() {
    let proxy = Both::start();
    let over = |transport: &str, address: SocketAddr| format!("{transport}:{address}");
    let listen = |user: &str, over: &str| {
        let program =
            fanfare(&["listen", "--as", &format!("sip:{user}@domain.com"), "--proxy", over, "--json"]);
        wait_for_binding(user, proxy.v4);
        program
    };
    let (ann, cy) = (listen("ann", &over("udp", proxy.v6)), listen("cy", &over("tcp", proxy.v6)));
    let bob = Phone::new();
    bob.register("bob", proxy.v4);
    let bob = Answering::new(bob, |_, _| Some("200 OK"));
    let mut sent = 0;
    for (transport, address) in [("udp", proxy.v6), ("tcp", proxy.v6), ("udp", proxy.v4)] {
        // The second is too large for a datagram, so the submission and its legs go over TCP (W4).
        for text in [format!("{transport} {address}"), format!("{transport} {address} {}", "x".repeat(2000))]
        {
            let over = over(transport, address);
            let mut args =
                vec!["send", "--from", "sip:james@domain.com", "--proxy", &over, "--text", &text, "--json"];
            for to in ["sip:ann@domain.com", "sip:bob@domain.com", "sip:cy@domain.com"] {
                args.extend(["--to", to]);
            }
            let ended = fanfare(&args).end();
            assert_eq!(ended.code(), 0, "{ended:?}");
            assert!(objects(&ended.out).iter().any(|line| line["event"] == "accepted"), "{ended:?}");
            ann.line_with(&text);
            cy.line_with(&text);
            sent += 1;
        }
    }
    let legs = bob.seen();
    assert_eq!(legs.len(), sent, "{legs:#?}");
    for leg in &legs {
        assert_eq!(leg.from, proxy.v4);
        let via = format!("SIP/2.0/UDP {};", proxy.v4);
        assert!(leg.value("Via").starts_with(&via), "by its own family: {}", leg.text);
    }
}

#[test]
fn sipp_over_ipv6_gets_legs_submits_and_takes_the_report() {
    let proxy = Both::start();
    let here = Ipv6Addr::LOCALHOST.into();
    let answering = Sipp::play_at(here, "200.xml", None, &[]);
    let busy = Sipp::play_at(here, "486.xml", None, &[]);
    let (first, second) = (format!("sipp@{}", answering.address), format!("sipp@{}", busy.address));
    let keys = [("first", first.as_str()), ("second", second.as_str())];
    let sender = Sipp::play_at(here, "sender.xml", Some(proxy.v6), &keys);
    sender.assert_as_written("sender.xml");
    answering.assert_as_written("200.xml");
    busy.assert_as_written("486.xml");
}

/// A host in a separate network namespace, and another one next to it.
const HOSTS: &str = r#"set -e
mount -t tmpfs none /run
ip netns add other
ip link add here type veth peer name there netns other
ip addr add 192.0.2.1/24 dev here
ip addr add 2001:db8::1/64 dev here nodad
ip -n other addr add 192.0.2.2/24 dev there
ip -n other addr add 2001:db8::2/64 dev there nodad
ip link set lo up
ip link set here up
ip -n other link set lo up
ip -n other link set there up
until ip -6 route get 2001:db8::2 | grep -q 'src 2001:db8::1'; do sleep 0.05; done
until ip -n other -6 route get 2001:db8::1 | grep -q 'src 2001:db8::2'; do sleep 0.05; done
echo ready
exec sleep infinity
"#;

struct Hosts(Program);

impl Hosts {
    fn start() -> Self {
        installed("ip", "iproute2");
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net", "--mount", "--propagation", "private", "sh", "-c", HOSTS]);
        let hosts = Program::start("two hosts", command, None);
        hosts.line_with("ready");
        Self(hosts)
    }

    fn command(&self, inside: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.0.pid()));
        command.args(["--user", "--preserve-credentials", "--net", "--mount"]).args(inside);
        command
    }

    /// Runs `fanfare ARGS` on the other host.
    fn fanfare(&self, args: &[&str]) -> Program {
        let mut command = self.command(&["ip", "netns", "exec", "other", env!("CARGO_BIN_EXE_fanfare")]);
        command.args(args);
        Program::start("fanfare on the other host", command, None)
    }

    /// Runs SIPp on this host; it logs its messages into the folder.
    fn sipp(
        &self,
        own: SocketAddr,
        scenario: &str,
        keys: &[(&str, &str)],
        remote: Option<&str>,
        log: &Path,
    ) -> Program {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/peers").join(scenario);
        let mut command = self.command(&[&installed("sipp", "sip-tester")]);
        command.current_dir(log).env("TERM", "dumb").args(["-nostdin", "-m", "1", "-trace_msg"]);
        command.args(["-message_file", log.join(scenario).to_str().unwrap()]);
        let ip = if own.is_ipv6() { format!("[{}]", own.ip()) } else { own.ip().to_string() };
        command.args(["-timeout", "25s", "-timeout_error", "-i", &ip, "-p", &own.port().to_string()]);
        command.arg("-sf").arg(file);
        for (key, value) in keys {
            command.args(["-key", key, value]);
        }
        command.args(remote);
        Program::start("sipp", command, None)
    }
}

#[test]
fn a_proxy_on_all_addresses_of_both_families_says_those_that_its_peers_can_reach() {
    let hosts = Hosts::start();
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("proxy");
    let listens = ["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060", "udp:[::]:5060", "tcp:[::]:5060"];
    let mut args = vec!["proxy", "--domain", "domain.com", "--data", data.to_str().unwrap(), "--t1", "200ms"];
    listens.iter().for_each(|listen| args.extend(["--listen", listen]));
    args.extend(["--trust", "udp:192.0.2.1", "--trust", "udp:2001:db8::1"]);
    let proxy = hosts.fanfare(&args);
    for listen in ["udp 0.0.0.0:5060", "tcp 0.0.0.0:5060", "udp [::]:5060", "tcp [::]:5060"] {
        proxy.line_with(&format!("listening {listen}"));
    }
    for (own, reached) in [("192.0.2.1", "192.0.2.2:5060"), ("[2001:db8::1]", "[2001:db8::2]:5060")] {
        let log = TempDir::new_in(folder.path()).unwrap();
        let at = |port: u16| -> SocketAddr { format!("{own}:{port}").parse().unwrap() };
        let recipient = hosts.sipp(at(5070), "200.xml", &[], None, log.path());
        let first = format!("sipp@{}", at(5070));
        let keys = [("first", first.as_str()), ("second", "nobody@domain.com")];
        let ended = hosts.sipp(at(5080), "sender.xml", &keys, Some(reached), log.path()).end();
        assert_eq!(ended.code(), 0, "{own}: {ended:?}");
        let ended = recipient.end();
        assert_eq!(ended.code(), 0, "{own}: {ended:?}");
        let said = |scenario: &str| fs::read_to_string(log.path().join(scenario)).unwrap();
        let leg = said("200.xml");
        assert!(leg.contains(&format!("\r\nVia: SIP/2.0/UDP {reached};")), "{leg}");
        let report = said("sender.xml");
        assert!(report.contains(&format!("\r\nContact: <sip:{reached}>\r\n")), "{report}");
    }
}
