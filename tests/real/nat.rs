//! RFC 5626, RFC 3581: clients behind a real NAT (the kernel's), in network namespaces of this test.
//!
//! Three hosts: `home` with a private address, a router that masquerades it under a random port, and `world`. Nothing
//! in `world` can send to `home` except over what `home` has opened.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;

use crate::common::objects;
use crate::peers::installed;
use crate::program::{Program, WAIT, fanfare_reading};

const ROUTER: &str = r#"set -e
mount -t tmpfs none /run
ip netns add home
ip netns add world
ip link add inside type veth peer name home netns home
ip link add outside type veth peer name world netns world
ip addr add 10.9.0.1/24 dev inside
ip addr add 192.0.2.1/24 dev outside
ip -n home addr add 10.9.0.2/24 dev home
ip -n world addr add 192.0.2.2/24 dev world
for device in lo inside outside; do ip link set $device up; done
for name in home world; do ip -n $name link set lo up; ip -n $name link set $name up; done
ip -n home route add default via 10.9.0.1
echo 1 >/proc/sys/net/ipv4/ip_forward
nft -f - <<RULES
table ip nat {
  chain out { type nat hook postrouting priority 100; oifname "outside" masquerade random; }
}
RULES
echo ready
exec sleep infinity
"#;

/// The router with the hosts on both sides; they are removed when it ends.
struct Network(Program);

impl Network {
    fn start() -> Self {
        for program in ["nft", "ip"] {
            installed(program, if program == "nft" { "nftables" } else { "iproute2" });
        }
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net", "--mount", "--propagation", "private", "sh", "-c", ROUTER]);
        let router = Program::start("a router", command, None);
        router.line_with("ready");
        Self(router)
    }

    /// Runs `fanfare ARGS` on one of its hosts.
    fn fanfare(&self, host: &str, args: &[&str]) -> Program {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.0.pid()));
        command.args(["--user", "--preserve-credentials", "--net", "--mount", "ip", "netns", "exec", host]);
        command.arg(env!("CARGO_BIN_EXE_fanfare")).args(args);
        Program::start(&format!("fanfare in {host}"), command, None)
    }
}

fn password(folder: &Path, name: &str) -> String {
    let file = folder.join(name);
    fs::write(&file, format!("{name}{name}\n")).unwrap();
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn w24_through_a_nat_legs_and_reports_come_over_the_flows_of_their_clients() {
    let network = Network::start();
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("proxy");
    let data = data.to_str().unwrap();
    for name in ["james", "ann", "bob"] {
        let add = ["proxy", "user", "add", &format!("{name}@domain.com"), "--data", data];
        assert_eq!(fanfare_reading(&add, &format!("{name}{name}\n")).end().code(), 0);
    }
    let listens = ["--listen", "udp:192.0.2.2:5060", "--listen", "tcp:192.0.2.2:5060"];
    let proxy = network.fanfare(
        "world",
        &[&["proxy", "--domain", "domain.com", "--data", data, "--t1", "50ms"], &listens[..]].concat(),
    );
    proxy.line_with("listening tcp");
    let listen = |host, name: &str, over: &str| {
        let (file, own) = (password(folder.path(), name), format!("sip:{name}@domain.com"));
        let args = ["listen", "--as", &own, "--proxy", over, "--password-file", &file, "--json"];
        network.fanfare(host, &args)
    };
    let ann = listen("home", "ann", "udp:192.0.2.2:5060");
    let bob = listen("home", "bob", "tcp:192.0.2.2:5060");
    let james = password(folder.path(), "james");
    let send = |host, over: &str, text: &str| {
        let args = ["send", "--from", "sip:james@domain.com", "--proxy", over, "--password-file", &james];
        let what = ["--to", "sip:ann@domain.com", "--to", "sip:bob@domain.com", "--text", text, "--json"];
        network.fanfare(host, &[&args[..], &what[..]].concat()).end()
    };
    // Both get it once both have registered.
    let until = Instant::now() + WAIT;
    while send("world", "udp:192.0.2.2:5060", "Are you there?").code() != 0 {
        assert!(Instant::now() < until, "ann {:?}, bob {:?}", ann.lines(), bob.lines());
    }
    for host in ["world", "home"] {
        for over in ["udp:192.0.2.2:5060", "tcp:192.0.2.2:5060"] {
            let text = format!("from {host} over {over}");
            let sent = send(host, over, &text);
            assert_eq!(sent.code(), 0, "{sent:?}");
            assert!(objects(&sent.out).iter().any(|object| object["event"] == "accepted"), "{sent:?}");
            ann.line_with(&text);
            bob.line_with(&text);
        }
    }
    // W4: no TCP connection can reach Ann through the NAT; she is reachable over UDP alone.
    for host in ["world", "home"] {
        let text = format!("{} from {host}", "x".repeat(2000));
        let sent = send(host, "udp:192.0.2.2:5060", &text);
        assert_eq!(sent.code(), 0, "{sent:?}");
        ann.line_with(&text);
        bob.line_with(&text);
    }
}
