//! The hosts: a machine, its address and its disk; one interface for all three kinds.

use std::convert::Infallible;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::time::Instant;

use fanfare::client::{AgentConfig, UserAgent};
use fanfare::machine::{BatchId, ConnectId, Hop, Input, Machine, Output, ResolveId, TimerReason, Transmit};
use fanfare::model::account::Profile;
use fanfare::model::command::{AgentCommand, Event};
use fanfare::person::{Person, PersonEvent, Script};
use fanfare::proxy::journal::DispatchId;
use fanfare::proxy::{Proxy, ProxyCommand, ProxyConfig, ProxyEvent};
use fanfare::random::Random;
use fanfare::sip::Uri;
use fanfare::store::memory::{ClientMemory, ProxyMemory};
use fanfare::store::tables::Tables;
use fanfare::time::Now;

use crate::disk::{Disk, Mode, NoStore};

/// Index of a host in its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostId(pub(crate) usize);

/// A machine that a host can run.
pub(crate) trait Kind: Machine<Write: Debug> + Sized {
    type Setup;
    type Store: Tables<Write = Self::Write> + Default;

    fn start(setup: &Self::Setup, store: &Self::Store, random: Random, now: Now) -> Self;
    fn told(event: Self::Event) -> Told;
    /// The message that an event asks the store for, if any.
    fn wanted(event: &Self::Event) -> Option<DispatchId> {
        let _ = event;
        None
    }
    /// The store's answer to that, as a command.
    fn read(id: DispatchId, store: &Self::Store) -> Option<Self::Command> {
        let _ = (id, store);
        None
    }
    fn durable(writes: Vec<Self::Write>) -> Durable;
}

/// What the world gives to a machine.
pub(crate) type Arrival = Input<Infallible>;

/// What a machine told its owner.
#[derive(Debug)]
pub(crate) enum Told {
    Agent(Event),
    /// An event of the proxy or a person, as text for the trace.
    Other(String),
}

/// What a disk has stored.
#[derive(Debug)]
pub(crate) enum Durable {
    Proxy(Vec<fanfare::proxy::journal::Write>),
    Agent(Vec<fanfare::model::journal::Write>),
    Nothing,
}

/// How a disk treats a batch.
type Verdict = Result<(), &'static str>;

/// Which batch it was, and what it made durable, or why nothing.
pub(crate) type Written = (BatchId, Result<Durable, String>);

/// A machine's request to the world.
#[derive(Debug)]
pub(crate) enum Effect {
    Transmit(Transmit),
    Connect(ConnectId, Hop),
    Resolve(ResolveId, Uri),
    Commit,
    /// To read what its store holds about a message.
    Read(DispatchId),
    Told(Told),
}

impl Kind for Proxy {
    type Setup = ProxyConfig;
    type Store = ProxyMemory;

    fn start(setup: &ProxyConfig, store: &ProxyMemory, random: Random, now: Now) -> Self {
        let mut rows = store.recover().unwrap();
        store.each(&mut |stored| rows.add(stored)).unwrap();
        Self::new(setup.clone(), rows, random, now)
    }

    fn wanted(event: &ProxyEvent) -> Option<DispatchId> {
        if let ProxyEvent::Wanted { dispatch } = event { Some(*dispatch) } else { None }
    }

    fn read(id: DispatchId, store: &ProxyMemory) -> Option<ProxyCommand> {
        Some(ProxyCommand::Read(id, store.dispatches.get(&id).cloned().map(Box::new)))
    }

    fn told(event: ProxyEvent) -> Told {
        Told::Other(format!("{event:?}"))
    }

    fn durable(writes: Vec<Self::Write>) -> Durable {
        Durable::Proxy(writes)
    }
}

impl Kind for UserAgent {
    type Setup = AgentConfig;
    type Store = ClientMemory;

    fn start(setup: &AgentConfig, store: &ClientMemory, random: Random, now: Now) -> Self {
        Self::new(setup.clone(), store.recover().unwrap(), random, now)
    }

    fn told(event: Event) -> Told {
        Told::Agent(event)
    }

    fn durable(writes: Vec<Self::Write>) -> Durable {
        Durable::Agent(writes)
    }
}

impl Kind for Person {
    type Setup = (Script, SocketAddr, SocketAddr);
    type Store = NoStore;

    fn start((script, local, proxy): &Self::Setup, _: &NoStore, random: Random, now: Now) -> Self {
        Self::new(script.clone(), *local, *proxy, random, now)
    }

    fn told(event: PersonEvent) -> Told {
        Told::Other(format!("{event:?}"))
    }

    fn durable(_: Vec<Self::Write>) -> Durable {
        Durable::Nothing
    }
}

/// A machine while it is running, and its disk.
pub(crate) struct Station<M: Kind> {
    pub(crate) setup: M::Setup,
    pub(crate) machine: Option<M>,
    pub(crate) disk: Disk<M::Store>,
}

impl<M: Kind> Station<M> {
    pub(crate) fn new(setup: M::Setup) -> Self {
        Self { setup, machine: None, disk: Disk::new() }
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
pub(crate) enum Body {
    Proxy(Box<Station<Proxy>>),
    Agent(Box<Station<UserAgent>>),
    Person(Box<Station<Person>>),
}

/// See the top of this file.
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) body: Body,
    /// The instance id in its REGISTER, if it is a device (RFC 5626).
    pub(crate) instance: Option<String>,
    /// Number of starts so far; events meant for an earlier start never arrive.
    pub(crate) start: u32,
    pub(crate) connections: u64,
    /// When the last requested batch will be durable.
    pub(crate) disk_busy_until: Option<Instant>,
    /// How many milliseconds this host's calendar is ahead of the world's; negative if behind.
    pub(crate) wall_skew_ms: i64,
    /// Nothing runs on it before this time.
    pub(crate) asleep_until: Option<Instant>,
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

fn up<M: Kind>(station: &mut Station<M>, random: Random, now: Now) {
    station.machine = Some(M::start(&station.setup, &station.disk.store, random, now));
}

fn hand<M: Kind>(station: &mut Station<M>, arrival: Arrival, now: Now) {
    if let Some(machine) = &mut station.machine {
        machine.handle(arrival.for_machine(), now);
    }
}

impl Host {
    pub(crate) fn new(name: &str, address: SocketAddr, body: Body) -> Self {
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
    pub(crate) fn user(&self) -> &str {
        self.name.split('-').next().unwrap_or_default()
    }

    pub(crate) fn is_up(&self) -> bool {
        each!(&self.body, station => station.machine.is_some())
    }

    pub(crate) fn boot(&mut self, random: Random, now: Now) {
        self.start += 1;
        self.connections = 0;
        self.disk_busy_until = None;
        each!(&mut self.body, station => up(station, random, now));
    }

    pub(crate) fn crash(&mut self) {
        each!(&mut self.body, station => {
            station.machine = None;
            station.disk.crash();
        });
    }

    pub(crate) fn handle(&mut self, arrival: Arrival, now: Now) {
        each!(&mut self.body, station => hand(station, arrival, now));
    }

    /// The disk answers what it holds about a message.
    pub(crate) fn read(&mut self, id: DispatchId, now: Now) {
        each!(&mut self.body, station => station.read(id, now));
    }

    pub(crate) fn command(&mut self, command: AgentCommand, now: Now) {
        if let Body::Agent(station) = &mut self.body
            && let Some(machine) = &mut station.machine
        {
            machine.handle(Input::Command(command), now);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Now) {
        each!(&mut self.body, station => station.machine.iter_mut().for_each(|it| it.handle_timeout(now)));
    }

    pub(crate) fn poll(&mut self) -> Option<Effect> {
        each!(&mut self.body, station => station.poll())
    }

    /// The time and reason of the next timer; if that passed during sleep, the time of waking.
    pub(crate) fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        let due = each!(&self.body, station => station.machine.as_ref().and_then(Machine::poll_timeout));
        due.map(|(at, why)| (self.asleep_until.map_or(at, |until| until.max(at)), why))
    }

    /// The client will start at another address next time.
    pub(crate) fn move_to(&mut self, address: SocketAddr) {
        self.address = address;
        if let Body::Agent(station) = &mut self.body {
            station.setup.locals.iter_mut().for_each(|(_, local)| *local = address);
        }
    }

    /// Applies the oldest batch to the tables, or refuses it.
    pub(crate) fn write_next(&mut self, verdict: Verdict) -> Option<Written> {
        each!(&mut self.body, station => station.write_next(verdict))
    }

    pub(crate) fn disk(&self) -> Mode {
        each!(&self.body, station => station.disk.mode)
    }

    pub(crate) fn set_disk(&mut self, mode: Mode) {
        each!(&mut self.body, station => station.disk.mode = mode);
    }

    pub(crate) fn batches_waiting(&self) -> usize {
        each!(&self.body, station => station.disk.waiting())
    }

    /// From its next start on, the client writes with this `Expires` (W8).
    pub(crate) fn set_expires(&mut self, secs: Option<u32>) {
        if let Body::Agent(station) = &mut self.body {
            station.setup.profile.expires_secs = secs;
        }
    }

    /// From its next start on, the client requests receipts and sends them (W28).
    pub(crate) fn set_receipts(&mut self) {
        if let Body::Agent(station) = &mut self.body {
            station.setup.profile.receipts = true;
        }
    }

    /// A client's profile.
    pub(crate) fn profile(&self) -> Option<&Profile> {
        match &self.body {
            Body::Agent(station) => Some(&station.setup.profile),
            Body::Proxy(_) | Body::Person(_) => None,
        }
    }

    /// The tables of a client.
    pub(crate) fn agent_store(&self) -> Option<&ClientMemory> {
        match &self.body {
            Body::Agent(station) => Some(&station.disk.store),
            Body::Proxy(_) | Body::Person(_) => None,
        }
    }

    /// The tables of a proxy.
    pub(crate) fn proxy_store(&self) -> Option<&ProxyMemory> {
        match &self.body {
            Body::Proxy(station) => Some(&station.disk.store),
            Body::Agent(_) | Body::Person(_) => None,
        }
    }
}
