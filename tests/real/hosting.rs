//! **Host here**, in network namespaces of this test: one computer hosts a server, another one finds it by mDNS, and a message
//! between them gets its tick.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fanfare::hosting::Host;
use fanfare::model::hosting::{HostBoard, HostOrder, HostState, HostView};
use fanfare::runtime::wire_tap::WireTap;
use tempfile::TempDir;

use crate::common::objects;
use crate::peers::installed;
use crate::program::{Ended, Program, WAIT};

const NETWORK: &str = "set -e
mount -t tmpfs none /run
ip netns add office
ip netns add desk
ip link add one type veth peer name two
ip link set one netns office
ip link set two netns desk
ip -n desk addr add 10.9.0.2/24 dev two
for name in office desk; do ip -n $name link set lo up; done
ip -n office link set one up
ip -n desk link set two up
echo ready
exec sleep infinity
";

/// Two computers and a cable.
struct Network(Program);

impl Network {
    fn start() -> Self {
        installed("ip", "iproute2");
        let mut command = Command::new("unshare");
        command.args([
            "--map-root-user",
            "--net",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            NETWORK,
        ]);
        let network = Program::start("a network", command, None);
        network.line_with("ready");
        Self(network)
    }

    fn way_in(&self, host: &str) -> Vec<String> {
        let target = format!("--target={}", self.0.pid());
        [
            "nsenter",
            &target,
            "--user",
            "--preserve-credentials",
            "--net",
            "--mount",
            "ip",
            "netns",
            "exec",
            host,
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// Runs `fanfare ARGS` on one of its computers.
    fn fanfare(&self, host: &str, args: &[&str]) -> Program {
        let way = self.way_in(host);
        let mut command = Command::new(&way[0]);
        command.args(&way[1..]).arg(env!("CARGO_BIN_EXE_fanfare")).args(args);
        Program::start(&format!("fanfare in the {host}"), command, None)
    }

    /// The office gets its address.
    fn connect(&self) {
        let way = self.way_in("office");
        let arguments = ["ip", "addr", "add", "10.9.0.1/24", "dev", "one"];
        assert!(Command::new(&way[0]).args(&way[1..]).args(arguments).status().unwrap().success());
    }

    /// A program that is `fanfare` on that computer.
    fn program(&self, host: &str, folder: &Path) -> PathBuf {
        let path = folder.join(format!("fanfare-{host}"));
        let line = self.way_in(host).join(" ");
        fs::write(&path, format!("#!/bin/sh\nexec {line} {} \"$@\"\n", env!("CARGO_BIN_EXE_fanfare")))
            .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

fn until(what: &str, board: &HostBoard, is_so: impl Fn(&HostView) -> bool) -> HostView {
    let began = Instant::now();
    loop {
        let view = board.view();
        if is_so(&view) {
            return view;
        }
        assert!(began.elapsed() < WAIT, "{what}: {view:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn password(folder: &Path, name: &str, password: &str) -> String {
    let file = folder.join(name);
    fs::write(&file, format!("{password}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file.to_str().unwrap().to_owned()
}

/// In testing mode the window is shown the legs of its own messages.
fn only_what_passes_on_for_him_is_shown(
    board: &HostBoard,
    wire: &WireTap,
    james: &str,
    send: &dyn Fn() -> Ended,
) {
    assert!(wire.since(0).entries.is_empty(), "outside of testing mode nothing is told");
    board.ask(HostOrder::Watch(Some(james.to_owned())));
    let began = Instant::now();
    let shown = || -> Vec<String> {
        let starts =
            |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_owned();
        wire.since(0).entries.iter().map(|entry| starts(&entry.bytes)).collect()
    };
    while !shown().iter().any(|line| line == "SIP/2.0 200 OK") {
        assert!(began.elapsed() < WAIT, "{:?}", shown());
        assert_eq!(send().code(), 0);
    }
    let leg = |line: &String| line.starts_with("MESSAGE sip:ann-lee") || line == "SIP/2.0 200 OK";
    assert!(shown().iter().all(leg), "{:?}", shown());
    board.ask(HostOrder::Watch(None));
}

/// Whoever is blocked in the window is refused at the server, so that nothing waits there.
fn who_is_blocked_is_refused(board: &HostBoard, (user, sender): (&str, &str), send: &dyn Fn() -> Ended) {
    for is_blocked in [true, false] {
        let (user, sender) = (user.to_owned(), sender.to_owned());
        board.ask(HostOrder::Block { user, sender, is_blocked });
        let began = Instant::now();
        while (send().code() == 0) == is_blocked {
            assert!(began.elapsed() < WAIT, "blocked: {is_blocked}");
        }
    }
}

/// A tester lets the disk of the server be full, and kills it.
fn its_faults_happen_and_end(host: &Host, send: &dyn Fn() -> Ended) {
    let (faults, board) = (host.faults(), host.board());
    let until_sent = |code: i32| {
        let began = Instant::now();
        loop {
            let sent = send();
            if sent.code() == code {
                return sent;
            }
            assert!(began.elapsed() < WAIT, "{sent:?}");
        }
    };
    faults.set("disk:full").unwrap();
    let refused = until_sent(2);
    assert!(refused.said().contains("503"), "{refused:?}");
    faults.set("proxy:crash,back=500ms").unwrap();
    until("it is down", &board, |view| matches!(view.state, HostState::Failed(_)));
    assert_eq!(faults.on().len(), 2);
    until("it is back", &board, |view| view.state == HostState::Running);
    assert_eq!(faults.on().len(), 1, "of these, only the disk is still full");
    until_sent(2);
    faults.end_all().unwrap();
    until_sent(0);
}

#[test]
fn a_server_hosted_on_one_computer_is_found_on_another_and_carries_a_message_with_its_tick() {
    let network = Network::start();
    let folder = TempDir::new().unwrap();
    let kept = folder.path().join("hosted");
    let program = network.program("office", folder.path());
    let wire = WireTap::new();
    let host = Host::start(program.clone(), kept.clone(), wire.clone(), Arc::new(|| {})).unwrap();
    let board = host.board();
    board.ask(HostOrder::Start { name: "James's office".to_owned(), host: "James".to_owned() });
    // Without a network it waits for one.
    let view = until("it cannot start", &board, |view| matches!(view.state, HostState::Failed(_)));
    assert_eq!(view.state, HostState::Failed("This computer is in no private network.".to_owned()));
    network.connect();
    let view = until("it runs", &board, |view| view.own.is_some());
    assert_eq!((view.domain.as_str(), view.server.as_str()), ("james-s-office.local", "tls:10.9.0.1:5061"));
    let james = board.take_own().unwrap();
    assert_eq!((james.address.as_str(), board.take_own()), ("james@james-s-office.local", None));
    assert_eq!(james.sha256.len(), 95, "{}", james.sha256);
    let authority = kept.join("certificate.pem");
    let authority = authority.to_str().unwrap();
    let server = ["--proxy", james.server.as_str(), "--tls-ca", authority];
    let (to_james, his) =
        (format!("sip:{}", james.address), password(folder.path(), "james", &james.password));
    // His account is good at once: what he leaves for himself is accepted, and waits.
    let what = ["--to", &to_james, "--text", "A note.", "--password-file", &his];
    let note = network.fanfare("office", &[&["send", "--from", &to_james], &what[..], &server[..]].concat());
    let note = note.end();
    assert_eq!(note.code(), 1, "{note:?}");
    board.ask(HostOrder::Add("Ann Lee".to_owned()));
    let ann = until("Ann has an account", &board, |view| view.added.is_some()).added.unwrap();
    assert_eq!((james.name.as_str(), board.take_newcomers()), ("James", vec![ann.contact()]));
    assert_eq!((ann.name.as_str(), board.take_newcomers().len()), ("Ann Lee", 0));
    board.ask(HostOrder::Add("ann lee".to_owned()));
    let twice = until("she has one already", &board, |view| view.problem.is_some()).problem.unwrap();
    assert_eq!(twice, "There is an account for ann-lee@james-s-office.local already.");

    // The other computer finds it, over TLS.
    let found = network.fanfare("desk", &["nearby", "--time", "6s"]).end();
    assert_eq!(found.out, ["James's office\tjames-s-office.local\ttls:10.9.0.1:5061"], "{found:?}");

    // Nothing but the passwords that were handed out lets anybody in.
    let wrong = password(folder.path(), "wrong", "sesame");
    let to_ann = format!("sip:{}", ann.address);
    let refused = network
        .fanfare("desk", &[&["listen", "--as", &to_ann, "--password-file", &wrong], &server[..]].concat())
        .end();
    assert_eq!(refused.code(), 2, "{refused:?}");

    let hers = password(folder.path(), "ann", &ann.password);
    let listening = network.fanfare(
        "desk",
        &[&["listen", "--as", &to_ann, "--password-file", &hers, "--json"], &server[..]].concat(),
    );
    let send = || -> Ended {
        let what = ["--to", &to_ann, "--text", "Are you there?", "--json", "--password-file", &his];
        network.fanfare("office", &[&["send", "--from", &to_james], &what[..], &server[..]].concat()).end()
    };
    let began = Instant::now();
    let mut sent = send();
    while sent.code() != 0 {
        assert!(began.elapsed() < WAIT, "{sent:?} {:?}", listening.lines());
        sent = send();
    }
    assert!(objects(&sent.out).iter().any(|object| object["state"] == "success"), "{sent:?}");
    listening.line_with("Are you there?");

    who_is_blocked_is_refused(&board, (&ann.address, &james.address), &send);
    only_what_passes_on_for_him_is_shown(&board, &wire, &james.address, &send);
    its_faults_happen_and_end(&host, &send);

    // It stays stopped, and is the same when it is started again.
    board.ask(HostOrder::Stop);
    until("it is stopped", &board, |view| view.state == HostState::Off);
    let gone = network.fanfare("desk", &["nearby", "--time", "2s"]).end();
    assert_eq!((gone.code(), gone.out.len()), (1, 0), "{gone:?}");
    drop(host);
    let again = Host::start(program, kept, wire, Arc::new(|| {})).unwrap();
    let has_started = |view: &HostView| view.state == HostState::Running && view.people.len() == 2;
    let view = until("it starts by itself, with its people", &again.board(), has_started);
    assert_eq!(view.sha256, james.sha256);
}
