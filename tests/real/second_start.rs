//! The real window under a display without a screen: a second start hands its link over, and nothing is sent.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::common::free_address;
use crate::program::{Ended, Program, fanfare_command};
use crate::screen::{Desktop, account, display, wait_for};

fn window(display: &str, args: &[&str]) -> Program {
    let mut command = fanfare_command(args);
    command.env("DISPLAY", display).env("LIBGL_ALWAYS_SOFTWARE", "1").env_remove("WAYLAND_DISPLAY");
    Program::start("fanfare", command, None)
}

/// Whether a window of this folder answers.
fn is_open(folder: &Path) -> bool {
    UnixStream::connect(folder.join("window.socket")).is_ok()
}

/// What is being written to somebody new, as it is kept.
fn draft(folder: &Path) -> Option<String> {
    let path = folder.join("messages.sqlite3");
    let store = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    store.query_row("SELECT text FROM draft", [], |row| row.get(0)).ok()
}

#[test]
fn fanfare_goes_on_without_its_window_and_shows_it_again_until_it_is_told_to_end() {
    let desktop = Desktop::start();
    let folder = TempDir::new().unwrap();
    account(folder.path(), "james", &format!("udp:{}", free_address()));
    std::fs::write(folder.path().join("settings.ron"), "(background: true)").unwrap();
    let data = folder.path().to_str().unwrap();
    let start = |args: &[&str]| desktop.start_program(&[&["--data", data], args].concat());
    let none = start(&["--quit"]).end();
    assert_eq!(
        (none.code(), none.said().as_str()),
        (2, "fanfare: no fanfare runs here that could be ended\n")
    );

    let fanfare = start(&["--hidden"]);
    wait_for("fanfare without a window", || is_open(folder.path()));
    assert_eq!(start(&["--hidden"]).end().code(), 0);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(desktop.window_of(&fanfare), None);
    for round in ["first", "second"] {
        assert_eq!(start(&[]).end().code(), 0);
        wait_for(&format!("the {round} window"), || desktop.window_of(&fanfare).is_some());
        // Its first frames take their time without a graphics card.
        std::thread::sleep(Duration::from_secs(2));
        desktop.says("xdotool", &["windowactivate", &desktop.window_of(&fanfare).unwrap()]).unwrap();
        desktop.keys(&["alt+F4"]);
        wait_for(&format!("the end of the {round} window"), || desktop.window_of(&fanfare).is_none());
        assert!(is_open(folder.path()), "it goes on");
    }
    assert_eq!(start(&["--quit"]).end().code(), 0);
    assert_eq!(fanfare.end().code(), 0);
    desktop.end();
}

#[test]
fn a_second_start_hands_its_link_to_the_window_that_is_open() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    let account = format!(
        "(address: \"sip:james@domain.com\", name: \"James\", proxy: \"udp:{}\", worked: true)",
        free_address()
    );
    std::fs::write(folder.path().join("account.ron"), account).unwrap();
    let (screen, display) = display();
    let first = window(&display, &["--data", data]);
    wait_for("the first window", || is_open(folder.path()));

    let done = |ended: Ended| assert_eq!((ended.code(), ended.said().as_str()), (0, ""), "{ended:?}");
    done(window(&display, &["--data", data, "im:zoe@example.org?body=Are%20you%20there%3F"]).end());
    wait_for("the link in the message field", || draft(folder.path()).as_deref() == Some("Are you there?"));
    done(window(&display, &["--data", data]).end());
    let sent = "SELECT count(*) FROM attempt";
    let store = Connection::open(folder.path().join("messages.sqlite3")).unwrap();
    assert_eq!(store.query_row(sent, [], |row| row.get::<_, u32>(0)).unwrap(), 0);

    first.signal("TERM");
    assert_eq!(first.end().code(), 0);
    // The socket of a window that was killed is no window: this one opens, with the draft.
    let killed = window(&display, &["--data", data]);
    wait_for("the second window", || is_open(folder.path()));
    killed.kill();
    assert!(folder.path().join("window.socket").exists(), "a killed window removes nothing");
    let next = window(&display, &["--data", data, "sip:cy@example.org"]);
    wait_for("the window after it", || is_open(folder.path()));
    next.signal("TERM");
    assert_eq!(next.end().code(), 0);
    assert_eq!(draft(folder.path()).as_deref(), Some("Are you there?"));
    screen.kill();
}
