//! The writer over real files: groups, failures, locks, and the process killed in mid batch.

mod contract;

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::*;
use crate::model::journal::{ConversationId, ConversationRow, PersonRow, Write};

fn batch(id: u64) -> Batch<Write> {
    batch_of(id, "sip:ann@domain.com")
}

fn batch_of(id: u64, address: &str) -> Batch<Write> {
    let people = vec![PersonRow { address: address.to_owned(), name: String::new() }];
    let row = ConversationRow { id: ConversationId(id), people, hidden: false };
    Batch { id: BatchId(id), writes: vec![Write::Conversation(row)] }
}

/// A started writer, and its answers, one per group: the writer blocks until the previous answer is taken.
fn started(store: Store<ClientSchema>) -> (Writer<Write>, Receiver<Vec<Outcome>>) {
    let (answered, answers) = sync_channel(0);
    // At the end of a test nobody may be listening any more.
    let writer = store.start(move |outcomes| drop(answered.send(outcomes))).unwrap();
    (writer, answers)
}

/// A query holds the writer, so that everything that follows is queued, until this sender says to go on.
fn held(writer: &Writer<Write>) -> SyncSender<()> {
    let (asked, reached) = sync_channel(1);
    let (go_on, released) = sync_channel::<()>(1);
    writer.ask(move |_| {
        asked.send(()).unwrap();
        released.recv().unwrap();
    });
    reached.recv().unwrap();
    go_on
}

fn conversations(path: &Path) -> Vec<u64> {
    let rows = Store::<ClientSchema>::open(path).unwrap().load().unwrap();
    rows.conversations.iter().map(|head| head.row.id.0).collect()
}

fn committed(ids: std::ops::RangeInclusive<u64>) -> Vec<Outcome> {
    ids.map(|id| Outcome::Committed(BatchId(id))).collect()
}

#[test]
fn all_that_waits_is_written_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("client.db");
    let (writer, answers) = started(Store::open(&path).unwrap());
    writer.commit(batch(1)).unwrap();
    assert_eq!(answers.recv().unwrap(), committed(1..=1));
    let go_on = held(&writer);
    for id in 2..=100 {
        writer.commit(batch(id)).unwrap();
    }
    go_on.send(()).unwrap();
    assert_eq!(answers.recv().unwrap(), committed(2..=100));
    drop(writer);
    assert_eq!(conversations(&path), (1..=100).collect::<Vec<_>>());
}

#[test]
fn a_batch_that_fails_fails_alone_and_whole() {
    let (writer, answers) = started(Store::in_memory().unwrap());
    writer.commit(batch(1)).unwrap();
    answers.recv().unwrap();
    let go_on = held(&writer);
    let mut broken = batch(3);
    broken.writes.extend(batch(1).writes); // number 1 is taken
    for batch in [batch(2), broken, batch(4), Batch { id: BatchId(5), writes: vec![] }] {
        writer.commit(batch).unwrap();
    }
    go_on.send(()).unwrap();
    let outcomes = answers.recv().unwrap();
    let expected = [2, 3, 4, 5].map(|id| match id {
        3 => Outcome::Failed(BatchId(3)),
        _ => Outcome::Committed(BatchId(id)),
    });
    assert_eq!(outcomes, expected);
    let (answer, with_ann) = sync_channel(1);
    writer.ask(move |reader| answer.send(reader.conversations_with("sip:ann@domain.com").unwrap()).unwrap());
    assert_eq!(with_ann.recv().unwrap(), [1, 2, 4].map(ConversationId).into());
}

#[test]
fn a_full_disk_is_an_answer_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("client.db");
    let mut writer = GroupWriter::new(Store::<ClientSchema>::open(&path).unwrap(), Box::new(drop));
    // Exceeding the page limit gives SQLITE_FULL, just as a full disk does.
    let limit = |writer: &GroupWriter<Store<ClientSchema>>, pages: &str| {
        let connection = &writer.tables.file.connection;
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    };
    limit(&writer, "1"); // as many as there are now
    let long = "x".repeat(100_000);
    assert_eq!(writer.write(&[batch_of(1, &long)]), [Outcome::Failed(BatchId(1))]);
    limit(&writer, "1000000");
    assert_eq!(writer.write(&[batch_of(2, &long)]), [Outcome::Committed(BatchId(2))]);
    drop(writer);
    assert_eq!(conversations(&path), [2]);
}

#[test]
fn over_its_queue_the_writer_refuses_at_once() {
    let (writer, answers) = started(Store::in_memory().unwrap());
    let refused = (1..).find_map(|id| writer.commit(batch(id)).err()).unwrap();
    // Some may have been taken out of the queue, but no more than the limit wait in it.
    assert!(refused.id.0 > BATCHES_WAITING_MAX as u64 && refused.id.0 <= 3 * BATCHES_WAITING_MAX as u64);
    drop(answers);
}

#[test]
fn what_waits_is_written_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("client.db");
    let writer = Store::<ClientSchema>::open(&path).unwrap().start(drop).unwrap();
    for id in 1..=50 {
        writer.commit(batch(id)).unwrap();
    }
    drop(writer);
    assert_eq!(conversations(&path).len(), 50);
}

#[test]
fn a_store_is_used_by_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/client.db");
    let first = Store::<ClientSchema>::open(&path).unwrap();
    let refusal = Store::<ClientSchema>::open(&path).unwrap_err();
    assert!(matches!(refusal.kind, OpenErrorKind::InUse), "{refusal:?}");
    assert!(refusal.to_string().ends_with("client.db: another running fanfare uses it"), "{refusal}");
    drop(first);
    Store::<ClientSchema>::open(&path).unwrap();
}

#[test]
fn places_that_cannot_be_used_are_named_with_their_cause() {
    let folder = tempfile::tempdir().unwrap();
    let rubbish = folder.path().join("rubbish.db");
    std::fs::write(&rubbish, "no database at all, but long enough to be taken for one by its length")
        .unwrap();
    let refusal = Store::<ClientSchema>::open(&rubbish).unwrap_err().to_string();
    assert!(refusal.contains("rubbish.db") && refusal.contains("not a database"), "{refusal}");
    assert!(std::fs::read_to_string(&rubbish).unwrap().starts_with("no database"));

    let below_a_file = rubbish.join("client.db");
    let refusal = Store::<ClientSchema>::open(&below_a_file).unwrap_err();
    assert!(matches!(refusal.kind, OpenErrorKind::Folder(_)), "{refusal:?}");

    // A folder in place of the file is not writable, not even by root.
    let refusal = Store::<ClientSchema>::open(folder.path()).unwrap_err();
    assert!(matches!(refusal.kind, OpenErrorKind::Unwritable(_)), "{refusal:?}");
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_a_store() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/client.db");
    let writer = Store::<ClientSchema>::open(&path).unwrap().start(drop).unwrap();
    writer.commit(batch(1)).unwrap();
    for entry in std::fs::read_dir(folder.path().join("new")).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}

#[cfg(unix)]
#[test]
fn what_root_creates_in_the_folder_of_a_service_belongs_to_the_service() {
    use std::os::unix::fs::{MetadataExt, chown};
    let folder = tempfile::tempdir().unwrap();
    // Only root can give a folder away; for anybody else the files simply stay its own.
    if folder.path().metadata().unwrap().uid() == 0 {
        chown(folder.path(), Some(4321), Some(4321)).unwrap();
    }
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("link.db.lock")).unwrap();
    let of = |path: &Path| path.metadata().map(|found| (found.uid(), found.gid())).unwrap();
    let (owner, before) = (of(folder.path()), of(elsewhere.path()));

    let writer = Store::<ClientSchema>::open(&folder.path().join("client.db")).unwrap().start(drop).unwrap();
    writer.commit(batch(1)).unwrap();
    for name in ["client.db", "client.db.lock", "client.db-wal", "client.db-shm"] {
        assert_eq!(of(&folder.path().join(name)), owner, "{name}");
    }
    let _linked = Store::<ClientSchema>::open(&folder.path().join("link.db")).unwrap();
    assert_eq!(of(elsewhere.path()), before, "what a link leads to is not given away");
}

const CHILD: &str = "FANFARE_TEST_STORE_CHILD";

/// The child process: writes endlessly and prints the answers.
fn write_for_ever(path: &Path) -> ! {
    let (writer, answers) = started(Store::open(path).unwrap());
    let mut next = 1;
    loop {
        for _ in 0..7 {
            writer.commit(batch(next)).unwrap();
            next += 1;
        }
        for outcome in answers.recv().unwrap() {
            let Outcome::Committed(BatchId(id)) = outcome else { panic!("not committed") };
            println!("answered {id}");
        }
        std::io::stdout().flush().unwrap();
    }
}

#[test]
fn what_was_answered_survives_the_kill_of_the_process() {
    if let Some(path) = std::env::var_os(CHILD) {
        write_for_ever(Path::new(&path));
    }
    let folder = tempfile::tempdir().unwrap();
    for (round, lines) in [1, 9, 60, 200].into_iter().enumerate() {
        let path = folder.path().join(format!("{round}.db"));
        let this_test = "store::tests::what_was_answered_survives_the_kill_of_the_process";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this_test, "--nocapture", "--test-threads=1"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut answered = output.filter_map(|line| line.strip_prefix("answered ")?.parse::<u64>().ok());
        let last = answered.by_ref().take(lines).last().unwrap();
        child.kill().unwrap(); // SIGKILL
        // Also counts what it printed before it died.
        let last = answered.last().unwrap_or(last);
        child.wait().unwrap();
        let kept = conversations(&path);
        assert!(kept.len() as u64 >= last, "{last} answered, {} kept", kept.len());
        assert_eq!(kept, (1..=kept.len() as u64).collect::<Vec<_>>());
    }
}

/// Does something to the files of an open store, then checks the outcome, with or without a way to undo it.
fn taken_away(act: fn(&Path), undo: fn(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let path = data.join("client.db");
    let (writer, answers) = started(Store::open(&path).unwrap());
    writer.commit(batch(1)).unwrap();
    assert_eq!(answers.recv().unwrap(), committed(1..=1));
    act(&path);
    for id in 2..=3 {
        writer.commit(batch(id)).unwrap();
        assert_eq!(answers.recv().unwrap(), [Outcome::Failed(BatchId(id))]);
    }
    undo(&path);
    writer.commit(batch(4)).unwrap();
    let after = answers.recv().unwrap();
    drop(writer);
    if after == committed(4..=4) {
        assert_eq!(conversations(&path), [1, 4], "what was told to have failed is not there");
    } else {
        assert_eq!(after, [Outcome::Failed(BatchId(4))]);
    }
}

fn aside(path: &Path) -> PathBuf {
    path.parent().unwrap().with_extension("aside")
}

#[test]
fn w13_a_folder_that_is_gone_is_a_disk_that_fails() {
    taken_away(|path| std::fs::remove_dir_all(path.parent().unwrap()).unwrap(), |_| ());
}

#[test]
fn w13_a_folder_that_comes_back_is_a_disk_that_works_again() {
    taken_away(
        |path| std::fs::rename(path.parent().unwrap(), aside(path)).unwrap(),
        |path| std::fs::rename(aside(path), path.parent().unwrap()).unwrap(),
    );
}

#[test]
fn w13_a_database_that_was_removed_or_replaced_is_a_disk_that_fails() {
    taken_away(|path| std::fs::remove_file(path).unwrap(), |_| ());
    taken_away(
        |path| {
            let copy = path.with_extension("copy");
            std::fs::copy(path, &copy).unwrap();
            std::fs::rename(copy, path).unwrap();
        },
        |_| (),
    );
    // Without its write-ahead log a database loses its latest commits.
    taken_away(|path| std::fs::remove_file(path.with_extension("db-wal")).unwrap(), |_| ());
}

/// The permission bits of a file.
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_store_that_others_may_use_is_refused_with_the_command_that_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let of_client = folder.path().join("client.db");
    let of_proxy = folder.path().join("proxy.db");
    // A file that somebody else left there empty, as wide as it can be.
    for path in [&of_client, &of_proxy] {
        std::fs::write(path, "").unwrap();
        set_mode(path, 0o666);
    }
    drop(Store::<ClientSchema>::open(&of_client).unwrap());
    drop(Store::<ProxySchema>::open(&of_proxy).unwrap());
    assert_eq!((mode(&of_client), mode(&of_proxy)), (0o600, 0o600));

    for (bits, of_client_is_taken, what) in [
        (0o644, true, "read"),
        (0o640, true, "read"),
        (0o620, false, "read or change"),
        (0o666, false, "read or change"),
    ] {
        set_mode(&of_client, bits);
        set_mode(&of_proxy, bits);
        assert_eq!(Store::<ClientSchema>::open(&of_client).is_ok(), of_client_is_taken, "{bits:o}");
        let refusal = Store::<ProxySchema>::open(&of_proxy).unwrap_err().to_string();
        let path = of_proxy.display();
        let said = format!(
            "cannot use the store {path}: others may {what} it (mode 0{bits:o}); make it private with: chmod 600 {path}"
        );
        assert_eq!(refusal, said);
        assert_eq!(users::Users::open(&of_proxy).unwrap_err().to_string(), said);
    }
    set_mode(&of_proxy, 0o600);
    let store = Store::<ProxySchema>::open(&of_proxy).unwrap();
    for ending in ["-wal", "-shm"] {
        assert_eq!(mode(&folder.path().join(format!("proxy.db{ending}"))), 0o600, "{ending}");
    }
    drop(store);
    set_mode(&of_client, 0o600);
    drop(Store::<ClientSchema>::open(&of_client).unwrap());
}
