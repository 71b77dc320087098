//! What a process that is killed leaves behind: the tests run the engine in a process of its own, and end that by SIGKILL.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use super::*;
use crate::runtime::agent::STORE_FILE;

const CHILD: &str = "FANFARE_TEST_KILLED";
/// Wednesday, 1 January 2070: it does not come while the test runs. A message waits no longer than a year, so the engine
/// makes it earlier.
const FAR: Timestamp = Timestamp::from_millis(3_155_760_000_000);

fn offline() -> Account {
    // Nobody answers at the discard port.
    Account {
        address: "sip:james@domain.com".to_owned(),
        proxy: "udp:127.0.0.1:9".to_owned(),
        ..Account::default()
    }
}

fn person() -> PersonRow {
    PersonRow { address: "sip:bob@domain.com".to_owned(), name: "Bob".to_owned() }
}

fn writing() -> DraftRow {
    DraftRow {
        place: DraftPlace::NewMessage,
        at: Timestamp::default(),
        text: "half a thou".to_owned(),
        people: vec![person()],
        hidden: false,
        files: vec![File { name: None, media_type: "image/png".to_owned(), bytes: vec![7; 9].into() }],
    }
}

/// Run by the test below in a process of its own; otherwise it does nothing.
#[test]
fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let james = started(&folder, Some(offline()));
    let report = ReportOptions { mode: ReportMode::Each, detail: true, id: None };
    let (to, text) = (vec![person()], "In time.".to_owned());
    let draft = Draft { to, text, files: Vec::new(), hidden: false, report };
    james.engine.send(Command::Agent(AgentCommand::SendLater { draft, due: FAR })).unwrap();
    james.engine.send(Command::Agent(AgentCommand::KeepDraft(writing()))).unwrap();
    loop {
        std::thread::park();
    }
}

/// Ends the process even if the test fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// How many rows the store holds of what is being written and of what waits.
fn rows(store: &Path) -> Option<i64> {
    let read_only = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let store = rusqlite::Connection::open_with_flags(store, read_only).ok()?;
    store.query_row("SELECT count(*) FROM draft", [], |row| row.get(0)).ok()
}

#[test]
fn what_was_being_written_and_what_waits_survive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "runtime::engine::tests::killed::writes_until_it_is_killed", "--nocapture"]);
    let child = child.env(CHILD, folder.path()).stdout(Stdio::null()).spawn().unwrap();
    let mut child = Killed(child);
    let store = folder.path().join("data").join(STORE_FILE);
    while rows(&store) != Some(2) {
        assert!(child.0.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(child);
    let james = started(folder.path(), Some(offline()));
    let kept = james
        .until_notice("told", |notice| if let Notice::Drafts(drafts) = notice { Some(drafts) } else { None });
    assert_eq!(kept, [DraftRow { at: kept[0].at, ..writing() }]);
    let later = james.until("what waits", |engine| engine.snapshot().later.first().cloned());
    assert_eq!((later.draft.text.as_str(), later.draft.to), ("In time.", vec![person()]));
}
