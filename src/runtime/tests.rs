//! The loop when a part it depends on dies, its shutdown, layers over the network, and what an observer sees.

mod answering;
mod path_faults;

use std::net::IpAddr;
use std::time::Instant;

use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::machine::{
    BatchId, ConnectId, Flow, Hop, LookupTerms, ResolveId, SendFault, TimerReason, Transmit,
};
use crate::sip::Uri;
use crate::store::{Schema, Store};
use crate::time::Now;

/// A store whose writer panics at a write of `true`.
struct Falling;

impl Journal for bool {
    type Reader = ();
}

impl Schema for Falling {
    type Write = bool;
    type Rows = ();
    type Streamed = ();
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

    fn reader(_connection: &rusqlite::Connection) -> &() {
        &()
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

/// A network in memory: what comes is given, what is sent is kept.
#[derive(Default)]
struct Memory {
    coming: std::collections::VecDeque<NetEvent>,
    sent: Vec<Transmit>,
    closed: Vec<Flow>,
    /// Nothing can be sent.
    is_down: bool,
}

impl Network for Memory {
    async fn receive(&mut self) -> Option<NetEvent> {
        self.coming.pop_front()
    }

    fn try_receive(&mut self) -> Option<NetEvent> {
        self.coming.pop_front()
    }

    fn waiting(&self) -> usize {
        self.coming.len()
    }

    fn transmit(&mut self, transmit: &Transmit) -> Option<NetEvent> {
        let Transmit { flow, request, .. } = *transmit;
        if self.is_down {
            return Some(NetEvent::NotSent { flow, request, fault: SendFault::Refused });
        }
        self.sent.push(transmit.clone());
        None
    }

    fn connect(&mut self, _id: ConnectId, _hop: Hop, _domain: Option<Arc<str>>) -> Option<NetEvent> {
        None
    }

    fn resolve(&mut self, _id: ResolveId, _uri: &Uri, _terms: LookupTerms) -> Option<NetEvent> {
        None
    }

    fn changed_interfaces(&mut self, _now: Instant) -> Option<Arc<[IpAddr]>> {
        None
    }

    fn close(&mut self, flow: Flow) {
        self.closed.push(flow);
    }
}

/// A layer that loses every second message, in both directions.
struct Lossy<N> {
    under: N,
    passed: usize,
}

impl<N> Lossy<N> {
    const fn loses(&mut self) -> bool {
        self.passed += 1;
        self.passed.is_multiple_of(2)
    }
}

impl<N: Network + Send> Network for Lossy<N> {
    async fn receive(&mut self) -> Option<NetEvent> {
        let mut event = self.under.receive().await;
        while self.loses() {
            event = self.under.receive().await;
        }
        event
    }

    fn try_receive(&mut self) -> Option<NetEvent> {
        let event = self.under.try_receive()?;
        if self.loses() { self.try_receive() } else { Some(event) }
    }

    fn waiting(&self) -> usize {
        self.under.waiting()
    }

    fn transmit(&mut self, transmit: &Transmit) -> Option<NetEvent> {
        if self.loses() { None } else { self.under.transmit(transmit) }
    }

    fn connect(&mut self, id: ConnectId, hop: Hop, domain: Option<Arc<str>>) -> Option<NetEvent> {
        self.under.connect(id, hop, domain)
    }

    fn resolve(&mut self, id: ResolveId, uri: &Uri, terms: LookupTerms) -> Option<NetEvent> {
        self.under.resolve(id, uri, terms)
    }

    fn changed_interfaces(&mut self, now: Instant) -> Option<Arc<[IpAddr]>> {
        self.under.changed_interfaces(now)
    }

    fn close(&mut self, flow: Flow) {
        self.under.close(flow);
    }
}

/// A machine that sends back what it receives.
#[derive(Default)]
struct Echo {
    outputs: std::collections::VecDeque<Output<(), bool>>,
}

impl Machine for Echo {
    type Command = ();
    type Event = ();
    type Write = bool;

    fn handle(&mut self, input: Input<()>, _now: Now) {
        if let Input::Received { flow, bytes } = input {
            self.outputs.push_back(Output::Transmit(Transmit::new(flow, bytes)));
        }
    }

    fn handle_timeout(&mut self, _now: Now) {}

    fn poll_output(&mut self) -> Option<Output<(), bool>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        None
    }
}

fn coming(texts: &[&'static str]) -> Memory {
    let flow = Flow::udp(([127, 0, 0, 1], 5060).into(), ([127, 0, 0, 1], 40_000).into());
    let event = |text: &&'static str| NetEvent::Received { flow, bytes: Bytes::from_static(text.as_bytes()) };
    Memory { coming: texts.iter().map(event).collect(), ..Memory::default() }
}

/// One turn of the loop around an echo.
fn echo<N: Network>(net: N, tap: Option<&WireTap>) -> Shell<bool, N> {
    let mut shell = Shell::without_store(net, Clock::start());
    if let Some(tap) = tap {
        shell.watch(Some(tap.clone()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let turn = async {
        shell.turn(&mut Echo::default(), &mut |()| (), std::future::pending::<()>()).await.unwrap();
    };
    runtime.block_on(turn);
    shell
}

fn texts<'a>(bytes: impl Iterator<Item = &'a Bytes>) -> Vec<&'a str> {
    bytes.map(|bytes| std::str::from_utf8(bytes).unwrap()).collect()
}

#[test]
fn a_layer_over_any_network_stands_between_it_and_the_machine() {
    let shell = echo(coming(&["1", "2", "3", "4"]), None);
    assert_eq!(texts(shell.net.sent.iter().map(|sent| &sent.bytes)), ["1", "2", "3", "4"]);
    let shell = echo(Lossy { under: coming(&["1", "2", "3", "4"]), passed: 0 }, None);
    assert_eq!(
        texts(shell.net.under.sent.iter().map(|sent| &sent.bytes)),
        ["1"],
        "2, 4 and the copy of 3 are lost"
    );
}

#[test]
fn an_observer_sees_what_goes_in_and_out_in_order_without_secrets_and_not_what_was_not_sent() {
    let tap = WireTap::new();
    let secret = "ACK sip:a SIP/2.0\r\nAuthorization: Digest 5ca1ab1e\r\n\r\n";
    let shell = echo(coming(&["one", secret]), Some(&tap));
    assert_eq!(shell.net.sent[1].bytes, secret, "what is sent is not changed");
    let seen = tap.since(0).entries;
    let ways: Vec<_> = seen.iter().map(|entry| entry.direction).collect();
    assert_eq!(ways, [Direction::Received, Direction::Received, Direction::Sent, Direction::Sent]);
    let safe = "ACK sip:a SIP/2.0\r\nAuthorization: [removed]\r\n\r\n";
    assert_eq!(texts(seen.iter().map(|entry| &entry.bytes)), ["one", safe, "one", safe]);

    let tap = WireTap::new();
    echo(Memory { is_down: true, ..coming(&["one"]) }, Some(&tap));
    assert_eq!(tap.since(0).entries.len(), 1, "received, and not sent");
}
