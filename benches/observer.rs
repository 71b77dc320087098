//! What it costs to watch the wire, and that it costs nothing where nobody does: 256 messages through the loop around a
//! machine that sends each of them back.
//!
//! Run: `cargo bench --bench observer`. Where nobody looks, each message costs one branch on an `Option` more than without
//! an observer; nothing is copied, no clock is read.

#![expect(clippy::unwrap_used, reason = "a measurement, not a part of the program")]

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fanfare::machine::{
    ConnectId, Flow, Hop, Input, LookupTerms, Machine, Output, ResolveId, TimerReason, Transmit,
};
use fanfare::net::NetEvent;
use fanfare::runtime::Shell;
use fanfare::runtime::network::Network;
use fanfare::runtime::wire_tap::WireTap;
use fanfare::sip::Uri;
use fanfare::time::{Clock, Now};

/// The loop takes so many in one turn.
const MESSAGES: usize = 256;
const MESSAGE: &[u8] = b"MESSAGE sip:bob-abcdefghij234567@192.0.2.7:5060 SIP/2.0\r\n\
    Via: SIP/2.0/UDP domain.com;branch=z9hG4bKb1\r\nMax-Forwards: 69\r\n\
    From: <sip:james@domain.com>;tag=leg-tag\r\nTo: <sip:bob@domain.com>\r\nAlso-To: <sip:ann@domain.com>\r\n\
    Call-ID: of-this-leg@domain.com\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n\
    Come here.";

/// A network in memory.
#[derive(Default)]
struct Memory {
    coming: VecDeque<NetEvent>,
    sent: usize,
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

    fn transmit(&mut self, _transmit: &Transmit) -> Option<NetEvent> {
        self.sent += 1;
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

    fn close(&mut self, _flow: Flow) {}
}

/// A machine that sends back what it receives.
#[derive(Default)]
struct Echo {
    outputs: VecDeque<Output<(), ()>>,
}

impl Machine for Echo {
    type Command = ();
    type Event = ();
    type Write = ();

    fn handle(&mut self, input: Input<()>, _now: Now) {
        if let Input::Received { flow, bytes } = input {
            self.outputs.push_back(Output::Transmit(Transmit::new(flow, bytes)));
        }
    }

    fn handle_timeout(&mut self, _now: Now) {}

    fn poll_output(&mut self) -> Option<Output<(), ()>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        None
    }
}

fn full(tap: Option<&WireTap>) -> Shell<(), Memory> {
    let flow = Flow::udp(([127, 0, 0, 1], 5060).into(), ([127, 0, 0, 1], 40_000).into());
    let event = || NetEvent::Received { flow, bytes: Bytes::from_static(MESSAGE) };
    let net = Memory { coming: std::iter::repeat_with(event).take(MESSAGES).collect(), sent: 0 };
    let mut shell = Shell::without_store(net, Clock::start());
    if let Some(tap) = tap {
        shell.watch(Some(tap.clone()));
    }
    shell
}

fn observer(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut group = criterion.benchmark_group("loop");
    group.throughput(Throughput::Elements(u64::try_from(MESSAGES).unwrap()));
    for (name, tap) in [("nobody looks", None), ("watched", Some(WireTap::new()))] {
        group.bench_function(name, |bencher| {
            let turn = |mut shell: Shell<(), Memory>| {
                let mut echo = Echo::default();
                let mut on_event = |()| ();
                let turned = shell.turn(&mut echo, &mut on_event, std::future::pending::<()>());
                runtime.block_on(turned).unwrap();
                assert_eq!(shell.net().sent, MESSAGES);
                shell
            };
            bencher.iter_batched(|| full(tap.as_ref()), turn, BatchSize::SmallInput);
        });
    }
    group.finish();
}

criterion_group!(benches, observer);
criterion_main!(benches);
