//! The loop around a machine: it connects the machine to network, disk and clock.
//!
//! **Invariant:** a machine's outputs are carried out in order. An event that precedes a transmission reaches the owner
//! before those bytes leave; so a message is shown before its 200 is sent.

pub mod engine;

pub mod agent;
pub mod attachment;
pub mod saved_file;

pub mod handover;
pub mod server;

pub mod withholding;

pub mod answering;

pub mod path_faults;

mod held;

pub mod capture_identity;

pub mod capture;

pub mod wire_frames;

pub mod wire_tap;

mod redaction;

pub mod network;

mod outside_watch;

pub mod faults;

pub mod logs;

pub mod console;

use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc;

use self::faults::Fault;
use self::network::Network;
use self::wire_tap::{Direction, WireTap};
use crate::limits::{INPUTS_WAITING_MAX, STOP_WAIT};
use crate::machine::{Batch, Input, Machine, Output};
use crate::net::{Net, NetEvent};
use crate::store::tables::{Journal, Tables};
use crate::store::{self, OpenError, Outcome, Writer};
use crate::time::{Clock, Now};

/// Most inputs taken in one turn: enough to share the cost of a commit, few enough to keep the timers punctual.
const INPUTS_PER_TURN_MAX: usize = 256;
/// After this many inputs or outcomes the sockets are read, so that the system's receive buffers do not overflow.
const INPUTS_PER_BREATH: usize = 16;
/// How many groups of outcomes the writer thread may have waiting for the loop.
const OUTCOMES_WAITING_MAX: usize = 1024;
/// At shutdown, how often the sockets' tasks may run to deliver what has already arrived.
const ARRIVED_TURNS: usize = 8;
/// The machine's final writes may cause further writes; this bounds the number of rounds.
const LAST_WRITES_MAX: usize = 8;
/// Longest single wait: after the computer was asleep, overdue timers are noticed within this time.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Where a machine's batches are stored.
#[derive(Debug)]
enum Disk<W: Journal> {
    /// Nowhere: the machine keeps nothing.
    None,
    /// With a writer thread.
    Writer(Writer<W>),
}

/// The network, disk and clock of one machine.
#[derive(Debug)]
pub struct Shell<W: Journal, N = Net> {
    clock: Clock,
    net: N,
    /// Where the messages that pass are shown; none while nobody looks, and then it costs nothing.
    wire: Option<WireTap>,
    // Declared before the writer so that it is dropped first: dropping the writer waits for its thread.
    outcomes: mpsc::Receiver<Vec<Outcome>>,
    disk: Disk<W>,
    /// Batches whose outcome is still unknown.
    batches_open: usize,
}

impl<W: Journal, N: Network> Shell<W, N> {
    /// For a machine that keeps nothing.
    #[must_use]
    pub fn without_store(net: N, clock: Clock) -> Self {
        let (_, outcomes) = mpsc::channel(1);
        Self { clock, net, wire: None, outcomes, disk: Disk::None, batches_open: 0 }
    }

    /// For a machine with a store; starts the store's writer thread.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn with_store<T: Tables<Write = W> + Send + 'static>(
        net: N,
        clock: Clock,
        store: T,
    ) -> Result<Self, OpenError> {
        let (sender, outcomes) = mpsc::channel(OUTCOMES_WAITING_MAX);
        // If the loop is gone, nobody needs the outcomes.
        let writer = store::start(store, move |group| drop(sender.blocking_send(group)))?;
        Ok(Self { clock, net, wire: None, outcomes, disk: Disk::Writer(writer), batches_open: 0 })
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// The clock that it reads.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// Access to the network.
    #[must_use]
    pub const fn net(&self) -> &N {
        &self.net
    }

    /// Shows every message that passes from now on; with None, none any more.
    pub fn watch(&mut self, wire: Option<WireTap>) {
        self.wire = wire;
    }

    /// Access to the store, for its readers.
    #[must_use]
    pub const fn writer(&self) -> Option<&Writer<W>> {
        match &self.disk {
            Disk::None => None,
            Disk::Writer(writer) => Some(writer),
        }
    }

    /// Hands one input to the machine and carries out its outputs.
    pub fn give<M>(&mut self, machine: &mut M, input: Input<M::Command>, on_event: &mut impl FnMut(M::Event))
    where
        M: Machine<Write = W>,
    {
        machine.handle(input, self.clock.now());
        self.settle(machine, on_event);
    }

    /// Waits until the network, the disk or a timer has something for the machine, or `other` is ready, and does one
    /// turn. Returns `Some` with the result of `other` if that was ready.
    ///
    /// # Errors
    /// A thread or task that this loop depends on has ended: the loop is over.
    pub async fn turn<M, T>(
        &mut self,
        machine: &mut M,
        on_event: &mut impl FnMut(M::Event),
        other: impl Future<Output = T>,
    ) -> Result<Option<T>, Fault>
    where
        M: Machine<Write = W>,
    {
        self.settle(machine, on_event);
        let has_writer = matches!(self.disk, Disk::Writer(_));
        let wait = machine.poll_timeout().map_or(WAIT_MAX, |(at, _)| self.clock.until(at).min(WAIT_MAX));
        let mut given = None;
        tokio::select! {
            group = self.outcomes.recv(), if has_writer => {
                self.committed(machine, group.ok_or(Fault::StoreWriter)?, on_event).await;
            }
            event = self.net.receive() => self.received(machine, event.ok_or(Fault::Network)?).await,
            value = other => given = Some(value),
            () = tokio::time::sleep(wait) => {}
        }
        self.settle(machine, on_event);
        Ok(given)
    }

    /// Shuts down: takes in what has already arrived, lets the machine write what it knows, and waits for the disk's
    /// answer, for at most `limits::STOP_WAIT`. What arrives meanwhile is ignored, so that its sender sends it again.
    ///
    /// `flush` is the command that makes the machine write at once what it would have written a little later.
    ///
    /// # Errors
    /// The writer thread has ended: what the machine knows is lost.
    pub async fn finish<M>(
        &mut self,
        machine: &mut M,
        on_event: &mut impl FnMut(M::Event),
        flush: impl Fn() -> Option<M::Command>,
    ) -> Result<(), Fault>
    where
        M: Machine<Write = W>,
    {
        for _ in 0..ARRIVED_TURNS {
            tokio::task::yield_now().await;
            for _ in 0..INPUTS_WAITING_MAX {
                let Some(event) = self.net.try_receive() else { break };
                self.take(machine, event);
            }
            self.settle(machine, on_event);
        }
        let end = tokio::time::sleep(STOP_WAIT);
        tokio::pin!(end);
        for _ in 0..LAST_WRITES_MAX {
            if let Some(command) = flush() {
                self.give(machine, Input::Command(command), on_event);
            }
            if self.batches_open == 0 {
                return Ok(());
            }
            while self.batches_open > 0 {
                let group = tokio::select! {
                    group = self.outcomes.recv() => group.ok_or(Fault::StoreWriter)?,
                    () = &mut end => {
                        tracing::warn!("the disk does not answer; what became known just now is not kept");
                        return Ok(());
                    }
                };
                self.committed(machine, group, on_event).await;
                self.settle(machine, on_event);
            }
        }
        Ok(())
    }

    /// Handles groups of outcomes; one group may cause many thousands of transmissions.
    async fn committed<M: Machine<Write = W>>(
        &mut self,
        machine: &mut M,
        group: Vec<Outcome>,
        on_event: &mut impl FnMut(M::Event),
    ) {
        for (number, outcome) in (1..).zip(group) {
            self.batches_open = self.batches_open.saturating_sub(1);
            machine.handle(outcome_input(outcome), self.clock.now());
            if number % INPUTS_PER_BREATH == 0 {
                self.settle(machine, on_event);
                tokio::task::yield_now().await;
            }
        }
    }

    /// Handles this event and all that arrived with it: one turn of the machine, one batch for the disk.
    async fn received<M: Machine<Write = W>>(&mut self, machine: &mut M, first: NetEvent) {
        self.take(machine, first);
        for number in 1..INPUTS_PER_TURN_MAX {
            if number % INPUTS_PER_BREATH == 0 {
                tokio::task::yield_now().await;
            }
            let Some(event) = self.net.try_receive() else { break };
            self.take(machine, event);
        }
    }

    /// Hands an event of the network to the machine.
    fn take<M: Machine<Write = W>>(&self, machine: &mut M, event: NetEvent) {
        let now = self.clock.now();
        if let Some(wire) = &self.wire
            && let NetEvent::Received { flow, bytes } = &event
        {
            wire.record(now.wall, Direction::Received, *flow, bytes);
        }
        machine.handle(event.for_machine(), now);
    }

    /// Fires the timers that are due and carries out every output, and whatever follows from them at once.
    fn settle<M: Machine<Write = W>>(&mut self, machine: &mut M, on_event: &mut impl FnMut(M::Event)) {
        loop {
            let now = self.clock.now();
            if machine.poll_timeout().is_some_and(|(at, _)| at <= now.mono) {
                machine.handle_timeout(now);
            }
            let mut is_quiet = true;
            while let Some(output) = machine.poll_output() {
                // Who chose a name also chooses what it leads to, perhaps a service of this computer.
                if matches!(output, Output::Resolve { .. })
                    && let Some(addresses) = self.net.changed_interfaces(now.mono)
                {
                    machine.handle(Input::Interfaces(addresses), now);
                }
                if let Some(input) = self.carry_out(output, now, on_event) {
                    is_quiet = false;
                    machine.handle(input, now);
                }
            }
            if is_quiet {
                return;
            }
        }
    }

    /// Carries out one output; a result that is known at once is returned as an input.
    fn carry_out<C, E>(
        &mut self,
        output: Output<E, W>,
        now: Now,
        on_event: &mut impl FnMut(E),
    ) -> Option<Input<C>> {
        match output {
            Output::Transmit(transmit) => {
                let failed = self.net.transmit(&transmit);
                if let Some(wire) = &self.wire
                    && failed.is_none()
                {
                    wire.record(now.wall, Direction::Sent, transmit.flow, &transmit.bytes);
                }
                failed.map(NetEvent::for_machine)
            }
            Output::Connect { id, hop, domain } => {
                self.net.connect(id, hop, domain).map(NetEvent::for_machine)
            }
            Output::Resolve { id, uri, terms } => {
                self.net.resolve(id, &uri, terms).map(NetEvent::for_machine)
            }
            Output::Commit(batch) => self.commit(batch),
            Output::Event(event) => {
                on_event(event);
                None
            }
        }
    }

    fn commit<C>(&mut self, batch: Batch<W>) -> Option<Input<C>> {
        match &self.disk {
            Disk::Writer(writer) => match writer.commit(batch) {
                Ok(()) => {
                    self.batches_open += 1;
                    None
                }
                Err(refused) => Some(Input::CommitFailed(refused.id)),
            },
            Disk::None => Some(Input::Committed(batch.id)),
        }
    }
}

const fn outcome_input<C>(outcome: Outcome) -> Input<C> {
    match outcome {
        Outcome::Committed(id) => Input::Committed(id),
        Outcome::Failed(id) => Input::CommitFailed(id),
    }
}

#[cfg(test)]
mod tests;
