//! The world: hosts, the network between them, and a clock that jumps to the next event.
//!
//! One step does one thing: an arrival, a batch that became durable, a timer. After each, all outputs of the machine
//! are carried out and checked. The same seed gives the same world, to the last byte.

mod faults;
mod effects;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fanfare::machine::{BatchId, ConnectId, Flow, Hop, RequestId, ResolveId, SendFault};
use fanfare::model::command::AgentCommand;
use fanfare::proxy::journal::DispatchId;
use fanfare::random::Random;
use fanfare::time::Now;

use crate::model::Model;
use fanfare::simulation::Side;
use fanfare::simulation::{Arrival, Body, Host, HostId, Planned, Timeline, Turn};

use crate::network::Network;
use crate::safety::{self, Scene};
use crate::stranger::Stranger;
use crate::tally::Tally;
use crate::trace::Trace;

/// Delay between a batch becoming durable and its machine learning of it.
const ANSWER_WAIT: Duration = Duration::from_millis(1);

/// A future event.
#[derive(Debug)]
enum Due {
    Datagram {
        from: SocketAddr,
        to: SocketAddr,
        bytes: Bytes,
    },
    Stream {
        side: Side,
        bytes: Bytes,
    },
    Dialed {
        id: ConnectId,
        hop: Hop,
    },
    /// A host learns that its own datagram did not leave.
    NotSent {
        flow: Flow,
        request: Option<RequestId>,
        fault: SendFault,
    },
    /// This end learns that its connection is closed.
    Lost {
        side: Side,
    },
    Resolved {
        id: ResolveId,
        hops: Vec<Hop>,
    },
    Durable,
    Answered(BatchId, bool),
    /// The disk has read what it holds about a message.
    Read(DispatchId),
}

/// A datagram or a message on a stream, as it left.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) at: Duration,
    pub(crate) flow: Flow,
    pub(crate) text: String,
}

/// See the top of this file.
pub(crate) struct World {
    pub(crate) seed: u64,
    time: Timeline<Due>,
    pub(crate) hosts: Vec<Host>,
    pub(crate) network: Network,
    stranger: Stranger,
    /// Where domain names resolve to.
    pub(crate) names: BTreeMap<String, Vec<Hop>>,
    pub(crate) random: Random,
    /// How long a batch takes to become durable, counted from its request or from the previous batch: a minimum, and a
    /// random extra.
    pub(crate) fsync: (Duration, Duration),
    pub(crate) model: Model,
    pub(crate) trace: Trace,
    /// Counts of what happened to it.
    pub(crate) tally: Tally,
    /// Everything that left, if a test wants it.
    pub(crate) wire: Option<Vec<Sent>>,
}

impl World {
    /// Disk delays in good times.
    pub(crate) const FAST_DISKS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(4));

    #[expect(clippy::disallowed_methods, reason = "a base for virtual time; only differences to it are seen")]
    pub(crate) fn new(seed: u64) -> Self {
        let time = Timeline::new(Instant::now());
        let mut random = Random::from_seed(seed);
        let network = Network::new(random.bits());
        let stranger = Stranger::new(Random::from_seed(random.bits()));
        Self {
            seed,
            time,
            hosts: Vec::new(),
            network,
            stranger,
            names: BTreeMap::new(),
            random,
            fsync: Self::FAST_DISKS,
            model: Model::default(),
            trace: Trace::new(),
            tally: Tally::default(),
            wire: None,
        }
    }

    /// Adds a host that is not running.
    pub(crate) fn add(&mut self, name: &str, address: &str, body: Body) -> HostId {
        self.hosts.push(Host::new(name, address.parse().unwrap(), body));
        HostId(self.hosts.len() - 1)
    }

    pub(crate) fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.0]
    }

    pub(crate) fn host_mut(&mut self, id: HostId) -> &mut Host {
        &mut self.hosts[id.0]
    }

    /// The current time.
    pub(crate) fn now(&self) -> Now {
        self.time.now()
    }

    /// Time since the world started.
    pub(crate) fn elapsed(&self) -> Duration {
        self.time.elapsed()
    }

    /// Starts a host with what its disk holds; a client connects, as its owner would make it.
    pub(crate) fn boot(&mut self, id: HostId) {
        if self.host(id).is_up() {
            return;
        }
        self.note(id, "starts");
        let (random, now) = (Random::from_seed(self.random.bits()), self.now_at(id));
        self.wake(id);
        self.model.starts(id, &self.hosts[id.0]);
        self.host_mut(id).boot(random, now).unwrap();
        self.settle(id);
        self.command(id, AgentCommand::Connect);
    }

    /// Until when a host sleeps, if it does.
    fn asleep_until(&self, id: HostId) -> Option<Instant> {
        self.host(id).asleep_until.filter(|until| *until > self.now().mono)
    }

    /// Gives a client a command of its owner.
    pub(crate) fn command(&mut self, id: HostId, command: AgentCommand) {
        if self.host(id).is_up() && self.asleep_until(id).is_none() {
            let now = self.now_at(id);
            self.note(id, &format!("is asked: {command:?}"));
            self.host_mut(id).command(command, now);
            self.settle(id);
        }
    }

    /// Runs everything that happens within `duration`.
    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.now().mono + duration;
        while let Some(at) = self.time.next_at(&self.hosts).filter(|at| *at <= end) {
            self.time.go_to(at);
            self.step();
        }
        self.time.go_to(end);
    }

    /// The time on a host's clocks.
    fn now_at(&self, id: HostId) -> Now {
        self.time.now_at(self.host(id))
    }

    fn step(&mut self) {
        match self.time.turn(&self.hosts) {
            Some(Turn::Timer(id)) => self.ring(id),
            Some(Turn::Event(planned)) => match self.waits_until(&planned) {
                Some(until) => self.time.postpone(until, planned),
                None => self.happen(planned.host(), planned.event),
            },
            None => {}
        }
    }

    /// Until when an event must wait because its host sleeps; datagrams do not wait.
    fn waits_until(&self, planned: &Planned<Due>) -> Option<Instant> {
        let id = match &planned.event {
            Due::Datagram { .. } => None,
            Due::Stream { side, .. } => self.network.links.far_end(*side).map(|end| end.host),
            Due::Lost { side: (link, end) } => {
                self.network.links.far_end((*link, 1 - end)).map(|end| end.host)
            }
            Due::NotSent { .. }
            | Due::Dialed { .. }
            | Due::Resolved { .. }
            | Due::Durable
            | Due::Answered(..)
            | Due::Read(_) => planned.host(),
        };
        id.and_then(|id| self.asleep_until(id))
    }

    /// A timer of a host is due.
    fn ring(&mut self, id: HostId) {
        let now = self.now_at(id);
        let (_, why) = self.host(id).poll_timeout().unwrap();
        self.note(id, &format!("timer: {why}"));
        self.host_mut(id).handle_timeout(now);
        if let Some((at, next)) = self.host(id).poll_timeout() {
            assert!(at > now.mono, "{} is busy: {why}, then {next}", self.host(id).name);
        }
        self.settle(id);
    }

    fn happen(&mut self, whom: Option<HostId>, due: Due) {
        match (due, whom) {
            (Due::Datagram { from, to, bytes }, _) => {
                let is_there = |host: &Host| host.address == to && host.is_up();
                let target = self.hosts.iter().position(is_there);
                if let Some(place) = target.filter(|place| self.asleep_until(HostId(*place)).is_none()) {
                    self.receive(HostId(place), Flow::udp(to, from), bytes);
                }
            }
            (Due::Stream { side, bytes }, _) => self.stream_arrives(side, bytes),
            (Due::Lost { side }, _) => {
                if let Some(end) = self.network.links.drop_end(side) {
                    self.give(end.host, Arrival::Disconnected { flow: end.flow });
                }
            }
            (Due::NotSent { flow, request, fault }, Some(host)) => {
                self.give(host, Arrival::NotSent { flow, request, fault });
            }
            (Due::Dialed { id, hop }, Some(host)) => self.dialed(host, id, hop),
            (Due::Resolved { id, hops }, Some(host)) => self.give(host, Arrival::Resolved { id, hops }),
            (Due::Durable, Some(host)) => self.durable(host),
            (Due::Read(dispatch), Some(host)) => {
                let now = self.now_at(host);
                self.note(host, &format!("has read message {}", dispatch.0));
                self.tally.count("messages read back");
                self.host_mut(host).read(dispatch, now);
                self.settle(host);
            }
            (Due::Answered(batch, true), Some(host)) => self.give(host, Arrival::Committed(batch)),
            (Due::Answered(batch, false), Some(host)) => self.give(host, Arrival::CommitFailed(batch)),
            (due, None) => unreachable!("nobody's: {due:?}"),
        }
    }

    fn receive(&mut self, id: HostId, flow: Flow, bytes: Bytes) {
        self.note(id, &format!("< {} {}", flow.remote, first_line(&bytes)));
        self.model.receives(id, &self.hosts[id.0], &bytes);
        self.give(id, Arrival::Received { flow, bytes });
    }

    fn stream_arrives(&mut self, side: Side, bytes: Bytes) {
        match self.network.links.far_end(side) {
            Some(end) => self.receive(end.host, end.flow, bytes),
            None => {
                let delay = self.network.delay();
                self.plan(delay, None, Due::Lost { side });
            }
        }
    }

    fn durable(&mut self, id: HostId) {
        let verdict = self.host(id).disk().judge(&mut self.random);
        let Some((batch, written)) = self.host_mut(id).write_next(verdict) else {
            return;
        };
        let is_durable = written.is_ok();
        match written {
            Ok(durable) => {
                self.note(id, &format!("batch {} is durable", batch.0));
                let scene = Scene { hosts: &self.hosts, id, wall: self.now_at(id).wall };
                let checked = safety::durable(&mut self.model, scene, &durable);
                self.hold(checked);
            }
            Err(why) => {
                self.note(id, &format!("batch {} is refused: {why}", batch.0));
                self.tally.count("batches refused");
            }
        }
        // Always the same delay, so that answers keep the order of the batches, as the writer thread's do.
        self.plan(ANSWER_WAIT, Some(id), Due::Answered(batch, is_durable));
    }

    fn give(&mut self, id: HostId, arrival: Arrival) {
        let now = self.now_at(id);
        self.host_mut(id).handle(arrival, now);
        self.settle(id);
    }

    fn plan(&mut self, delay: Duration, whom: Option<HostId>, due: Due) {
        let whom = whom.map(|id| (id, &self.hosts[id.0]));
        self.time.plan(delay, whom, due);
    }

    /// Adds a line to the trace.
    pub(crate) fn note(&mut self, id: HostId, what: &str) {
        let line = format!("{:>12.6} {:<6} {what}", self.elapsed().as_secs_f64(), self.host(id).name);
        self.trace.line(line);
    }

    /// Ends the run if a check fails.
    pub(crate) fn hold(&self, checked: Result<(), String>) {
        if let Err(why) = checked {
            panic!("{why}");
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "\nseed {} failed at {:.6} s; the last lines:",
                self.seed,
                self.elapsed().as_secs_f64()
            );
            self.trace.print();
        }
    }
}

/// What the trace shows of a message.
fn first_line(bytes: &Bytes) -> String {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    format!("{} ({} bytes)", String::from_utf8_lossy(line), bytes.len())
}
