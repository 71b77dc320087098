//! Stores of every released schema: migrated, killed during the migration, refused if newer.
//!
//! `src/store/old` holds a store of each schema as SQL, written by the program of its time. A new step needs one more,
//! which `FANFARE_KEEP_SCHEMA=1 cargo test --lib store::migrate` writes.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::types::Value;

use super::*;
use crate::store::testing::{client_story, make_private, opened, proxy_story, write_all};
use crate::store::{ClientSchema, ProxySchema, Store};

/// A test schema with two steps.
#[derive(Debug)]
struct Two;

impl Schema for Two {
    type Write = ();
    type Rows = ();
    type Streamed = ();
    const NAME: &'static str = "two";
    const APPLICATION_ID: i32 = 77;
    const MIGRATIONS: &'static [&'static str] =
        &["CREATE TABLE one (n INTEGER NOT NULL) STRICT;", "ALTER TABLE one ADD COLUMN m INTEGER;"];
    fn apply(_: &Connection, _: &()) -> rusqlite::Result<()> {
        Ok(())
    }
    fn load(_: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }
    fn reader(_: &Connection) -> &() {
        &()
    }
}

#[test]
fn every_step_is_taken_once() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(Two::MIGRATIONS[0]).unwrap();
    connection.pragma_update(None, "application_id", 77).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    migrate::<Two>(&mut connection).unwrap();
    assert_eq!(version::<Two>(&connection).unwrap(), 2);
    connection.execute("INSERT INTO one (n, m) VALUES (1, 2)", []).unwrap();
    migrate::<Two>(&mut connection).unwrap();
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate::<ProxySchema>(&mut connection).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let refusal = migrate::<ProxySchema>(&mut connection).unwrap_err();
    assert!(refusal.to_string().contains("newer"), "{refusal}");
    assert_eq!(number(&connection, "user_version").unwrap(), 99);
}

#[test]
fn a_database_of_somebody_else_is_refused() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE theirs (n INTEGER)").unwrap();
    assert!(migrate::<ProxySchema>(&mut connection).is_err());
    let mut connection = Connection::open_in_memory().unwrap();
    migrate::<ClientSchema>(&mut connection).unwrap();
    let refusal = migrate::<ProxySchema>(&mut connection).unwrap_err();
    assert!(refusal.to_string().contains("not a store of a proxy"), "{refusal}");
}

/// The tables of a file, each with its columns, indexes and checks, but for those that the index makes for itself.
fn tables(connection: &Connection) -> Vec<String> {
    let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND name NOT GLOB 'search_*' ORDER BY rowid";
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// The whole file as SQL, without the contents of the index.
fn dump<S: Schema>(connection: &Connection) -> String {
    let mut text = String::new();
    for sql in tables(connection) {
        text.push_str(&format!("{sql};\n"));
    }
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'search%' ORDER BY rowid";
    let mut statement = connection.prepare(sql).unwrap();
    let names: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for name in names {
        let mut rows = connection.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns: Vec<String> = rows.column_names().map(str::to_owned).collect();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> = (0..columns.len()).map(|at| literal(row.get(at).unwrap())).collect();
            text.push_str(&format!(
                "INSERT INTO {name} ({}) VALUES ({});\n",
                columns.join(", "),
                values.join(", ")
            ));
        }
    }
    let version = S::MIGRATIONS.len();
    text.push_str(&format!(
        "PRAGMA application_id = {};\nPRAGMA user_version = {version};\n",
        S::APPLICATION_ID
    ));
    text
}

fn literal(value: Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Blob(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{hex}'")
        }
    }
}

fn kept_as<S: Schema>(version: usize) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/store/old/{}_{version}.sql", S::NAME))
}

/// The store of that schema, as the program of its time wrote it.
fn old<S: Schema>(version: usize) -> String {
    let path = kept_as::<S>(version);
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; see the head of this file", path.display()))
}

/// All checks of a schema: of its old stores, and of newer ones. `alike` removes what differs at random between stores.
fn holds<S: Schema>(story: &[S::Write], alike: &str)
where
    S::Rows: Debug + PartialEq,
{
    let today = opened::<S>();
    write_all::<S>(&today, story);
    today.execute_batch(alike).unwrap();
    let newest = S::MIGRATIONS.len();
    if std::env::var_os("FANFARE_KEEP_SCHEMA").is_some() && !kept_as::<S>(newest).exists() {
        std::fs::write(kept_as::<S>(newest), dump::<S>(&today)).unwrap();
    }
    for version in 1..=newest {
        steps_are_as_they_were::<S>(version);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        Connection::open(&path).unwrap().execute_batch(&old::<S>(version)).unwrap();
        make_private(&path);
        drop(Store::<S>::open(&path).unwrap());
        Connection::open(&path).unwrap().execute_batch(alike).unwrap();
        let store = Store::<S>::open(&path).unwrap();
        assert_eq!(store.load().unwrap(), S::load(&today).unwrap(), "{} {version}", S::NAME);
        drop(store);
        let migrated = Connection::open(&path).unwrap();
        assert_eq!(tables(&migrated), tables(&today), "{} {version}", S::NAME);
        drop(migrated);
        newer_is_refused::<S>(&path);
    }
}

/// A released step is never edited.
fn steps_are_as_they_were<S: Schema>(version: usize) {
    let mut steps = Connection::open_in_memory().unwrap();
    let transaction = steps.transaction().unwrap();
    take_steps::<S>(&transaction, 0, version).unwrap();
    transaction.commit().unwrap();
    let kept = Connection::open_in_memory().unwrap();
    kept.execute_batch(&old::<S>(version)).unwrap();
    assert_eq!(tables(&steps), tables(&kept), "{} {version}", S::NAME);
}

fn newer_is_refused<S: Schema>(path: &Path) {
    let newer = S::MIGRATIONS.len() + 1;
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "user_version", i64::try_from(newer).unwrap()).unwrap();
    drop(connection);
    let before = std::fs::read(path).unwrap();
    let refusal = Store::<S>::open(path).unwrap_err().to_string();
    let known = S::MIGRATIONS.len();
    let said = format!(
        "it was written by a newer fanfare (schema {newer}, this one knows {known}); use that version"
    );
    assert!(refusal.ends_with(&said), "{refusal}");
    assert!(std::fs::read(path).unwrap() == before, "the file is as it was");
}

#[test]
fn a_proxys_store_of_every_older_schema_opens_with_all_that_is_in_it() {
    holds::<ProxySchema>(&proxy_story(), "");
}

#[test]
fn a_clients_store_of_every_older_schema_opens_with_all_that_is_in_it() {
    holds::<ClientSchema>(&client_story(), "UPDATE device SET bits = '00112233445566778899aabbccddeeff'");
}

/// Sentences that an older version stored as the reason, and what they are now.
#[test]
fn what_was_stored_as_a_sentence_is_a_code_afterwards() {
    let table = [
        ("failed", Some(408), "No answer from the server", Some("no-answer"), ""),
        ("failed", Some(408), "The connection to the server broke each time", Some("no-connection"), ""),
        ("failed", Some(408), "No answer came back", Some("no-final-answer"), ""),
        ("failed", None, "Their program could not deliver it", Some("their-program"), ""),
        (
            "failed",
            Some(420),
            "The server does not send one message to several people",
            Some("no-fan-out"),
            "",
        ),
        ("failed", None, "Too large for UDP, and the server takes no TCP connection", Some("too-large"), ""),
        ("failed", None, "Asks for TLS all the way, and this account does not use TLS", Some("no-tls"), ""),
        (
            "failed",
            Some(503),
            "Redirected, and nobody is reached at sip:ann@far.test",
            Some("not-reached"),
            "sip:ann@far.test",
        ),
        ("passed-on", None, "The server sends it on and does not tell who got it", Some("list-server"), ""),
        // Others may send our words.
        ("failed", Some(486), "No answer from the server", None, "No answer from the server"),
        ("failed", Some(408), "Request Timeout", None, "Request Timeout"),
        ("delivered", Some(200), "OK", None, "OK"),
    ];
    for (state, status, before, code, after) in table {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&old::<ClientSchema>(6)).unwrap();
        let change =
            "UPDATE delivery SET state = ?1, status = ?2, phrase = ?3 WHERE message = 4 AND recipient = 0";
        assert_eq!(connection.execute(change, rusqlite::params![state, status, before]).unwrap(), 1);
        migrate::<ClientSchema>(&mut connection).unwrap();
        let found: (Option<String>, String) = connection
            .query_row("SELECT local, phrase FROM delivery WHERE message = 4 AND recipient = 0", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!((found.0.as_deref(), found.1.as_str()), (code, after), "{before}");
    }
}

/// A test schema whose last step fails, or leaves a foreign key violated.
#[derive(Debug)]
struct Failing<const DANGLING: bool>;

impl<const DANGLING: bool> Schema for Failing<DANGLING> {
    type Write = ();
    type Rows = ();
    type Streamed = ();
    const NAME: &'static str = "failing";
    const APPLICATION_ID: i32 = 77;
    const MIGRATIONS: &'static [&'static str] = &[
        Two::MIGRATIONS[0],
        Two::MIGRATIONS[1],
        if DANGLING {
            "CREATE TABLE three (one INTEGER REFERENCES two (n)) STRICT; CREATE TABLE two (n INTEGER PRIMARY KEY);
             PRAGMA defer_foreign_keys = ON; INSERT INTO three (one) VALUES (7);"
        } else {
            "CREATE TABLE three (n INTEGER) STRICT; INSERT INTO four (n) VALUES (1);"
        },
    ];
    fn apply(_: &Connection, _: &()) -> rusqlite::Result<()> {
        Ok(())
    }
    fn load(_: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }
    fn reader(_: &Connection) -> &() {
        &()
    }
}

#[test]
fn a_step_that_fails_leaves_the_old_tables() {
    fn fails<S: Schema>(word: &str) {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "foreign_keys", "ON").unwrap();
        let transaction = connection.transaction().unwrap();
        take_steps::<S>(&transaction, 0, 1).unwrap();
        transaction.commit().unwrap();
        let before = tables(&connection);
        let refusal = migrate::<S>(&mut connection).unwrap_err().to_string();
        assert!(refusal.contains(word), "{refusal}");
        assert_eq!(version::<S>(&connection).unwrap(), 1);
        assert_eq!(tables(&connection), before);
    }
    fails::<Failing<false>>("four");
    fails::<Failing<true>>("rows name others that are not there");
}

/// A test schema whose steps take many writes.
#[derive(Debug)]
struct Long;

impl Schema for Long {
    type Write = ();
    type Rows = ();
    type Streamed = ();
    const NAME: &'static str = "long";
    const APPLICATION_ID: i32 = 78;
    const MIGRATIONS: &'static [&'static str] = &[
        "CREATE TABLE one (n INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
         WITH RECURSIVE few (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM few WHERE n < 60)
         INSERT INTO one (n, text) SELECT n, printf('%.200c', 'x') FROM few;",
        "ALTER TABLE one ADD COLUMN twice INTEGER; UPDATE one SET twice = 2 * n;",
        "CREATE TABLE two (n INTEGER PRIMARY KEY, twice INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
         INSERT INTO two (n, twice, text) SELECT n, twice, text FROM one; DROP TABLE one;",
    ];
    fn apply(_: &Connection, _: &()) -> rusqlite::Result<()> {
        Ok(())
    }
    fn load(_: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }
    fn reader(_: &Connection) -> &() {
        &()
    }
}

const CHILD: &str = "FANFARE_TEST_MIGRATE_CHILD";

#[test]
fn a_kill_in_the_middle_leaves_the_old_or_the_new() {
    if let Some(path) = std::env::var_os(CHILD) {
        drop(Store::<Long>::open(Path::new(&path)).unwrap());
        return;
    }
    let (mut old, mut new) = (0, 0);
    for call in ["pwrite64", "fsync"] {
        let folder = tempfile::tempdir().unwrap();
        first_of_three(&folder.path().join("first.db"));
        let kills = killed_at_each(call, folder.path());
        for nth in 1..=kills + 1 {
            let path = folder.path().join(format!("{nth}.db"));
            let left = left_after_kill(&path);
            assert!(nth <= kills || left == 3, "{call}: not killed, and left at {left}");
            *(if left == 1 { &mut old } else { &mut new }) += u32::from(nth <= kills);
            drop(Store::<Long>::open(&path).unwrap());
            assert_eq!(version::<Long>(&Connection::open(&path).unwrap()).unwrap(), 3);
        }
    }
    println!("{old} kills left the old tables, {new} the new ones");
    assert!(old > 0 && new > 0, "{old} old, {new} new");
}

fn first_of_three(path: &Path) {
    let mut connection = Connection::open(path).unwrap();
    let transaction = connection.transaction().unwrap();
    take_steps::<Long>(&transaction, 0, 1).unwrap();
    transaction.commit().unwrap();
}

/// Opens copies of the first store with a process that is killed: `1.db` at the first call of this kind, `2.db` at the
/// second, and so on until one completes. Returns how many were killed.
fn killed_at_each(call: &str, folder: &Path) -> u32 {
    // One shell for all: a process being started briefly holds its parent's locks, which other tests need.
    let script = "n=1
        while :; do
            cp \"$0/first.db\" \"$0/$n.db\"
            FANFARE_TEST_MIGRATE_CHILD=\"$0/$n.db\" strace -f -q -o \"$0/trace\" -e \"trace=$1\" \\
                -e \"inject=$1:signal=KILL:when=$n\" \"$2\" --exact \"$3\" --test-threads=1 >\"$0/said\" 2>&1
            status=$?
            [ $status = 137 ] || break
            n=$((n + 1))
        done
        echo $((n - 1)); cat \"$0/said\" >&2; exit $status";
    let this_test = "store::migrate::tests::a_kill_in_the_middle_leaves_the_old_or_the_new";
    let ended = Command::new("sh")
        .args(["-c", script])
        .args([
            folder.as_os_str(),
            call.as_ref(),
            std::env::current_exe().unwrap().as_ref(),
            this_test.as_ref(),
        ])
        .output()
        .unwrap();
    assert!(ended.status.success(), "strace is missing or may not trace here, or the test fails: {ended:?}");
    String::from_utf8(ended.stdout).unwrap().trim().parse().unwrap()
}

/// Checks that nothing was lost, and that the tables fit the steps taken; returns the number of steps.
fn left_after_kill(path: &Path) -> usize {
    let connection = Connection::open(path).unwrap();
    let damage: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(damage, "ok", "{}", path.display());
    let left = version::<Long>(&connection).unwrap();
    let sum = match left {
        1 => "SELECT sum(n) FROM one",
        3 => "SELECT sum(twice) / 2 FROM two",
        between => panic!("{} is left at {between}", path.display()),
    };
    let sum: u32 = connection.query_row(sum, [], |row| row.get(0)).unwrap();
    assert_eq!(sum, 1830, "{}", path.display());
    left
}
