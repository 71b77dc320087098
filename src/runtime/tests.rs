//! The loop when a part it depends on dies, and its shutdown.

use std::time::Instant;

use super::*;
use crate::machine::{BatchId, TimerReason};
use crate::store::Schema;
use crate::time::Now;

/// A store whose writer panics at a write of `true`.
struct Falling;

impl Schema for Falling {
    type Write = bool;
    type Rows = ();
    const NAME: &'static str = "test";
    const APPLICATION_ID: i32 = 7;
    const MIGRATIONS: &'static [&'static str] = &["CREATE TABLE only_one (id INTEGER PRIMARY KEY) STRICT"];

    fn apply(_connection: &rusqlite::Connection, falls: &bool) -> rusqlite::Result<()> {
        assert!(!falls, "a fault of ours, made for this test");
        Ok(())
    }

    fn load(_connection: &rusqlite::Connection) -> rusqlite::Result<()> {
        Ok(())
    }
}

/// A machine that writes what it is told, and one more write per flush for each of `later`.
#[derive(Default)]
struct Scribe {
    outputs: Vec<Output<(), bool>>,
    last: u64,
    later: u32,
    committed: u32,
    failed: u32,
}

enum Told {
    Write(bool),
    Flush,
}

impl Scribe {
    fn write(&mut self, falls: bool) {
        self.last += 1;
        self.outputs.push(Output::Commit(Batch { id: BatchId(self.last), writes: vec![falls] }));
    }
}

impl Machine for Scribe {
    type Command = Told;
    type Event = ();
    type Write = bool;

    #[expect(clippy::wildcard_enum_match_arm, reason = "of all inputs these are what it is about")]
    fn handle(&mut self, input: Input<Told>, _now: Now) {
        match input {
            Input::Command(Told::Write(falls)) => self.write(falls),
            Input::Command(Told::Flush) if self.later > 0 => {
                self.later -= 1;
                self.write(false);
            }
            Input::Committed(_) => self.committed += 1,
            Input::CommitFailed(_) => self.failed += 1,
            _ => {}
        }
    }

    fn handle_timeout(&mut self, _now: Now) {}

    fn poll_output(&mut self) -> Option<Output<(), bool>> {
        self.outputs.pop()
    }

    fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        None
    }
}

fn run<T>(test: impl AsyncFnOnce(Shell<bool>, Scribe) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let net = Net::bind(&[]).await.unwrap();
        let store = Store::<Falling>::in_memory().unwrap();
        let shell = Shell::with_store(net, Clock::start(), store).unwrap();
        test(shell, Scribe::default()).await
    })
}

#[test]
fn a_loop_whose_store_has_no_writer_any_more_is_over() {
    run(async |mut shell, mut scribe| {
        shell.give(&mut scribe, Input::Command(Told::Write(true)), &mut |()| ());
        let turned = shell.turn(&mut scribe, &mut |()| (), std::future::pending::<()>()).await;
        assert_eq!(turned, Err(Fault::StoreWriter));
        let finished = shell.finish(&mut scribe, &mut |()| (), || None).await;
        assert_eq!(finished, Err(Fault::StoreWriter));
    });
}

#[test]
fn a_loop_whose_sockets_are_not_read_any_more_is_over() {
    run(async |mut shell, mut scribe| {
        shell.net.fall();
        let turned = shell.turn(&mut scribe, &mut |()| (), std::future::pending::<()>()).await;
        assert_eq!(turned, Err(Fault::Network));
    });
}

#[test]
fn the_end_waits_for_all_that_is_written_and_for_what_follows_from_it() {
    run(async |mut shell, mut scribe| {
        shell.give(&mut scribe, Input::Command(Told::Write(false)), &mut |()| ());
        scribe.later = 3;
        shell.finish(&mut scribe, &mut |()| (), || Some(Told::Flush)).await.unwrap();
        assert_eq!((scribe.committed, scribe.failed, scribe.later), (4, 0, 0));
    });
}
