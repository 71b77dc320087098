//! The hosts: a machine, its address and its disk; one interface for all three kinds.

use std::fmt::{self, Debug};
use std::net::SocketAddr;
use std::time::Instant;

use super::disk::{Disk, Mode};
use super::kind::{Arrival, Effect, Kind, Written};
use crate::client::UserAgent;
use crate::machine::{Input, Machine, Output, TimerReason};
use crate::model::account::Profile;
use crate::model::command::AgentCommand;
use crate::person::{PersonCommand, ScriptedPerson};
use crate::proxy::journal::DispatchId;
use crate::proxy::{Proxy, ProxyCommand};
use crate::random::Random;
use crate::store::OpenError;
use crate::store::memory::{ClientMemory, ProxyMemory};
use crate::time::Now;

/// How a disk treats a batch.
type Verdict = Result<(), &'static str>;

/// Index of a host in its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostId(pub usize);

/// A machine while it is running, and its disk.
pub struct Station<M: Kind> {
    /// What it is started with.
    pub setup: M::Setup,
    /// None while it does not run.
    pub machine: Option<M>,
    /// Its disk, which survives it.
    pub disk: Disk<M::Store>,
}

impl<M: Kind> Debug for Station<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Station").field("is_up", &self.machine.is_some()).finish_non_exhaustive()
    }
}

impl<M: Kind> Station<M> {
    /// A machine that does not run yet.
    pub fn new(setup: M::Setup) -> Self {
        Self { setup, machine: None, disk: Disk::default() }
    }

    fn poll(&mut self) -> Option<Effect> {
        Some(match self.machine.as_mut()?.poll_output()? {
            Output::Transmit(transmit) => Effect::Transmit(transmit),
            Output::Connect { id, hop, .. } => Effect::Connect(id, hop),
            Output::Resolve { id, uri, .. } => Effect::Resolve(id, uri),
            Output::Commit(batch) => {
                self.disk.commit(batch);
                Effect::Commit
            }
            Output::Event(event) => match M::wanted(&event) {
                Some(id) => Effect::Read(id),
                None => Effect::Told(M::told(event)),
            },
        })
    }

    fn read(&mut self, id: DispatchId, now: Now) {
        if let (Some(machine), Some(command)) = (&mut self.machine, M::read(id, &self.disk.store)) {
            machine.handle(Input::Command(command), now);
        }
    }

    fn write_next(&mut self, verdict: Verdict) -> Option<Written> {
        let outcome = self.disk.write_next(verdict)?;
        Some((outcome.batch, outcome.written.map(M::durable)))
    }
}

/// The three kinds.
#[derive(Debug)]
pub enum Body {
    /// A proxy.
    Proxy(Box<Station<Proxy>>),
    /// A client.
    Agent(Box<Station<UserAgent>>),
    /// A scripted person.
    Person(Box<Station<ScriptedPerson>>),
}

/// See the top of this file.
#[derive(Debug)]
pub struct Host {
    /// What it is called.
    pub name: String,
    /// Where it is reached.
    pub address: SocketAddr,
    /// Its machine.
    pub body: Body,
    /// The instance id in its REGISTER, if it is a device (RFC 5626).
    pub instance: Option<String>,
    /// Number of starts so far; events meant for an earlier start never arrive.
    pub start: u32,
    /// Number of connections in this start.
    pub connections: u64,
    /// When the last requested batch will be durable.
    pub disk_busy_until: Option<Instant>,
    /// How many milliseconds this host's calendar is ahead of the world's; negative if behind.
    pub wall_skew_ms: i64,
    /// Nothing runs on it before this time.
    pub asleep_until: Option<Instant>,
}

/// Does the same for each kind.
macro_rules! each {
    ($body:expr, $station:ident => $what:expr) => {
        match $body {
            Body::Proxy($station) => $what,
            Body::Agent($station) => $what,
            Body::Person($station) => $what,
        }
    };
}

fn up<M: Kind>(station: &mut Station<M>, random: Random, now: Now) -> Result<(), OpenError> {
    station.machine = Some(M::start(&station.setup, &station.disk.store, random, now)?);
    Ok(())
}

fn hand<M: Kind>(station: &mut Station<M>, arrival: Arrival, now: Now) {
    if let Some(machine) = &mut station.machine {
        machine.handle(arrival.for_machine(), now);
    }
}

impl Host {
    /// A host that does not run yet.
    pub fn new(name: &str, address: SocketAddr, body: Body) -> Self {
        Self {
            name: name.to_owned(),
            address,
            body,
            instance: None,
            start: 0,
            connections: 0,
            disk_busy_until: None,
            wall_skew_ms: 0,
            asleep_until: None,
        }
    }

    /// The user: a device is named after its user, as `gil-1`.
    pub fn user(&self) -> &str {
        self.name.split('-').next().unwrap_or_default()
    }

    /// True while its machine runs.
    pub fn is_up(&self) -> bool {
        each!(&self.body, station => station.machine.is_some())
    }

    /// Starts its machine with what its disk holds.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn boot(&mut self, random: Random, now: Now) -> Result<(), OpenError> {
        self.start += 1;
        self.connections = 0;
        self.disk_busy_until = None;
        each!(&mut self.body, station => up(station, random, now))
    }

    /// Ends its machine in the middle of whatever it does.
    pub fn crash(&mut self) {
        each!(&mut self.body, station => {
            station.machine = None;
            station.disk.crash();
        });
    }

    /// Hands its machine what the network or the disk has for it.
    pub fn handle(&mut self, arrival: Arrival, now: Now) {
        each!(&mut self.body, station => hand(station, arrival, now));
    }

    /// The disk answers what it holds about a message.
    pub fn read(&mut self, id: DispatchId, now: Now) {
        each!(&mut self.body, station => station.read(id, now));
    }

    /// Gives a client a command of its owner.
    pub fn command(&mut self, command: AgentCommand, now: Now) {
        if let Body::Agent(station) = &mut self.body
            && let Some(machine) = &mut station.machine
        {
            machine.handle(Input::Command(command), now);
        }
    }

    /// Gives a proxy a command of its owner.
    pub fn command_proxy(&mut self, command: ProxyCommand, now: Now) {
        if let Body::Proxy(station) = &mut self.body
            && let Some(machine) = &mut station.machine
        {
            machine.handle(Input::Command(command), now);
        }
    }

    /// Gives a person a command.
    pub fn command_person(&mut self, command: PersonCommand, now: Now) {
        if let Body::Person(station) = &mut self.body
            && let Some(machine) = &mut station.machine
        {
            machine.handle(Input::Command(command), now);
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Now) {
        each!(&mut self.body, station => station.machine.iter_mut().for_each(|it| it.handle_timeout(now)));
    }

    /// The next request of its machine.
    pub fn poll(&mut self) -> Option<Effect> {
        each!(&mut self.body, station => station.poll())
    }

    /// The time and reason of the next timer; if that passed during sleep, the time of waking.
    pub fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        let due = each!(&self.body, station => station.machine.as_ref().and_then(Machine::poll_timeout));
        due.map(|(at, why)| (self.asleep_until.map_or(at, |until| until.max(at)), why))
    }

    /// The client will start at another address next time.
    pub fn move_to(&mut self, address: SocketAddr) {
        self.address = address;
        if let Body::Agent(station) = &mut self.body {
            station.setup.locals.iter_mut().for_each(|(_, local)| *local = address);
        }
    }

    /// Applies the oldest batch to the tables, or refuses it.
    pub fn write_next(&mut self, verdict: Verdict) -> Option<Written> {
        each!(&mut self.body, station => station.write_next(verdict))
    }

    /// How its disk handles batches.
    pub fn disk(&self) -> Mode {
        each!(&self.body, station => station.disk.mode)
    }

    /// Sets how its disk handles batches.
    pub fn set_disk(&mut self, mode: Mode) {
        each!(&mut self.body, station => station.disk.mode = mode);
    }

    /// How many batches its disk has not applied yet.
    pub fn batches_waiting(&self) -> usize {
        each!(&self.body, station => station.disk.waiting())
    }

    /// From its next start on, the client writes with this `Expires` (W8).
    pub fn set_expires(&mut self, secs: Option<u32>) {
        if let Body::Agent(station) = &mut self.body {
            station.setup.profile.expires_secs = secs;
        }
    }

    /// From its next start on, the client requests receipts and sends them (W28).
    pub fn set_receipts(&mut self) {
        if let Body::Agent(station) = &mut self.body {
            station.setup.profile.receipts = true;
        }
    }

    /// A client's profile.
    pub fn profile(&self) -> Option<&Profile> {
        match &self.body {
            Body::Agent(station) => Some(&station.setup.profile),
            Body::Proxy(_) | Body::Person(_) => None,
        }
    }

    /// The tables of a client.
    pub fn agent_store(&self) -> Option<&ClientMemory> {
        match &self.body {
            Body::Agent(station) => Some(&station.disk.store),
            Body::Proxy(_) | Body::Person(_) => None,
        }
    }

    /// The tables of a proxy.
    pub fn proxy_store(&self) -> Option<&ProxyMemory> {
        match &self.body {
            Body::Proxy(station) => Some(&station.disk.store),
            Body::Agent(_) | Body::Person(_) => None,
        }
    }
}
