//! The real window as a screen reader has it (AT-SPI): what it says by itself in the main flow, and that all has a name.

use std::io::Write as _;
use std::process::{ChildStdin, Command};

use crate::common::Proxy;
use crate::program::{Program, fanfare};
use crate::screen::{Desktop, account, wait_for};

/// What has to say what it is for.
const CONTROLS: [&str; 8] = [
    "push button ",
    "toggle button ",
    "check box ",
    "radio button ",
    "entry ",
    "page tab ",
    "list item ",
    "image ",
];

/// Somebody who does not see the screen.
struct Listener {
    program: Program,
    keyboard: ChildStdin,
}

impl Listener {
    fn start(desktop: &Desktop) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/peers/screen_reader.py");
        let mut command = Command::new("/usr/bin/python3");
        command.arg(script);
        desktop.dress(&mut command);
        let (program, keyboard) = Program::start_conversing("python3-pyatspi", command);
        program.line_with("listening");
        Self { program, keyboard }
    }

    fn hears(&self, words: &str) -> String {
        self.program.line_with(words)
    }

    /// All that the window shows, as role and name.
    fn explores(&mut self) -> Vec<String> {
        writeln!(self.keyboard, "show").unwrap();
        self.program.line_with("shown all");
        self.program
            .lines()
            .iter()
            .filter_map(|line| line.strip_prefix("shown "))
            .map(str::to_owned)
            .collect()
    }
}

#[test]
fn a_screen_reader_says_who_got_it_and_what_came_and_every_control_has_a_name() {
    let proxy = Proxy::start();
    let desktop = Desktop::with_accessibility();
    let data = desktop.path("james");
    account(&data, "james", &proxy.udp());
    let bob = ["listen", "--as", "sip:bob@domain.com", "--proxy", &proxy.udp()];
    let bob = fanfare(&bob);
    bob.complaint_with("registered as");
    let mut listener = Listener::start(&desktop);
    let window = desktop.window(&data);
    desktop.activate(&window);
    listener.hears("focus frame Fanfare");

    desktop.keys(&["ctrl+n"]);
    listener.hears("focus entry To");
    desktop.types("bob@domain.com,");
    desktop.keys(&["Tab"]);
    listener.hears("focus entry Message");
    desktop.types("Lunch at noon?");
    desktop.keys(&["Return"]);
    listener.hears("said Message to 1 person, 1 delivered");

    let proxy_address = proxy.udp();
    let from_bob =
        ["send", "--from", "sip:bob@domain.com", "--proxy", &proxy_address, "--to", "sip:james@domain.com"];
    let args = [&from_bob[..], &["--text", "I am in"]].concat();
    fanfare(&args).end();
    listener.hears("said bob: I am in");

    desktop.keys(&["ctrl+n"]);
    desktop.types("bob@domain.com,nobody@domain.com,");
    desktop.keys(&["Tab"]);
    desktop.types("And you?");
    desktop.keys(&["Return"]);
    listener.hears("said 1 of 2 not delivered. nobody: ");

    let shown = listener.explores();
    assert!(shown.iter().any(|line| line == "frame Fanfare"), "the window is named by its title: {shown:?}");
    let is_nameless = |line: &&String| CONTROLS.contains(&line.as_str());
    let nameless: Vec<_> = shown.iter().filter(is_nameless).collect();
    assert!(nameless.is_empty(), "{nameless:?} in {shown:?}");
    wait_for("the list of who got it", || {
        listener
            .explores()
            .iter()
            .any(|line| line.starts_with("list item Message to 2 people, 1 delivered, 1 not delivered"))
    });
}
