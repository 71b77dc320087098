//! Cost of a start of the real proxy when it remembers many messages: time until it listens, and peak memory by then.
//!
//! Each store is first written as version 0.5 left it (schema 5, including bodies), so the first start has to migrate
//! it; the second shows the cost of every later one. `FANFARE_BIN` names another build of the program. Run: `cargo
//! bench --bench restart`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a part of the program")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;

#[path = "common/proxy.rs"]
#[expect(dead_code, reason = "each measurement needs a part of it")]
mod proxy;

use proxy::{now, resident_kib, start_proxy};

const STEPS: [&str; 5] = [
    include_str!("../src/store/proxy_1.sql"),
    include_str!("../src/store/proxy_2.sql"),
    include_str!("../src/store/proxy_3.sql"),
    include_str!("../src/store/proxy_4.sql"),
    include_str!("../src/store/proxy_5.sql"),
];
const CLOSED: &str = "
    WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ?1)
    INSERT INTO dispatch (id, key, to_tag, accepted_at, flow, recipients, request, lists)
    SELECT i, printf('james@domain.com tag s%d c%d@bare 1 MESSAGE', i, i), printf('%016x', i), unixepoch() * 1000,
        'UDP 127.0.0.1:5060 127.0.0.1:40000', '[0,1]', CAST(printf(
            'MESSAGE sip:ann@domain.com SIP/2.0' || char(13, 10) ||
            'Via: SIP/2.0/UDP 127.0.0.1:40000;branch=z9hG4bK%d' || char(13, 10) ||
            'Max-Forwards: 70' || char(13, 10) || 'From: <im:james@domain.com>;tag=s%d' || char(13, 10) ||
            'To: <im:ann@domain.com>' || char(13, 10) || 'Secondary-To: <im:bob@domain.com>' || char(13, 10) ||
            'Call-ID: c%d@bare' || char(13, 10) || 'CSeq: 1 MESSAGE' || char(13, 10) ||
            'Proxy-Require: secondary-to' || char(13, 10) || 'Content-Type: text/plain' || char(13, 10) ||
            'Content-Length: %d' || char(13, 10, 13, 10) || '%.*c', i, i, i, ?2, ?2, 'A') AS BLOB), '[]'
    FROM numbers";
const OUTCOMES: &str = "
    INSERT INTO outcome (dispatch, outcomes)
    SELECT id, '[[0,\"delivered\",200,\"OK\",1,5],[1,\"delivered\",200,\"OK\",1,5]]' FROM dispatch;
    INSERT INTO report (dispatch, cseq, answered, rounds, due_at, closed) SELECT id, 1, 0, 0, NULL, 1 FROM dispatch;
    INSERT INTO secret (only_one, key) VALUES (1, x'00112233445566778899aabbccddeeff');
    PRAGMA application_id = 0x46414e50;
    PRAGMA user_version = 5;";

fn main() {
    // `cargo test --benches` only checks that it runs.
    let is_trial = !std::env::args().any(|argument| argument == "--bench");
    let cases: &[(u32, u32)] = if is_trial {
        &[(50, 10)]
    } else {
        &[(100_000, 200), (500_000, 200), (1_000_000, 200), (2000, 900_000)]
    };
    println!(" messages  body bytes  store MB | first start  MB | all short after | later start  MB");
    for (messages, body) in cases {
        measure(*messages, *body);
    }
}

fn measure(messages: u32, body: u32) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.sqlite3");
    make(&path, messages, body);
    let megabytes = std::fs::metadata(&path).unwrap().len() / 1_000_000;
    let (first, first_mb, proxy) = start(&folder);
    let since = now();
    let is_short = wait_until_short(&path, messages);
    let short = since.elapsed().as_secs_f64();
    stop(proxy);
    let (later, later_mb, proxy) = start(&folder);
    stop(proxy);
    let short = if is_short { format!("{short:13.1} s") } else { "              -".to_owned() };
    println!(
        "{messages:9}  {body:10}  {megabytes:8} | {first:8.2} s {first_mb:5} | {short} | {later:8.2} s {later_mb:5}"
    );
}

fn make(path: &Path, messages: u32, body: u32) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF").unwrap();
    for step in STEPS {
        connection.execute_batch(step).unwrap();
    }
    connection.execute(CLOSED, (messages, body)).unwrap();
    connection.execute_batch(OUTCOMES).unwrap();
}

/// Seconds until it listens, and its peak memory by then, in megabytes.
fn start(folder: &tempfile::TempDir) -> (f64, u64, Child) {
    let before = now();
    let (proxy, _) = start_proxy(folder);
    let took = before.elapsed().as_secs_f64();
    let megabytes = resident_kib(proxy.id(), "VmHWM:") / 1000;
    (took, megabytes, proxy)
}

fn stop(mut proxy: Child) {
    let pid = proxy.id().to_string();
    Command::new("kill").arg(pid).stdin(Stdio::null()).status().unwrap();
    proxy.wait().unwrap();
}

/// Waits until the rows of finished messages are shortened; false for a program that keeps all rows whole.
fn wait_until_short(path: &Path, messages: u32) -> bool {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    loop {
        let count = connection.query_row("SELECT count(*) FROM remembered", [], |row| row.get::<_, u32>(0));
        match count {
            Ok(count) if count >= messages => return true,
            Ok(_) => std::thread::sleep(Duration::from_millis(100)),
            Err(_) => return false,
        }
    }
}
