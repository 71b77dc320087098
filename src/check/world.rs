//! A script in virtual time: the proxy, the sender's client and the people, a network with the faults of the script, and a
//! clock that jumps to the next event. The same seed gives the same run, to the last byte.

mod effects;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::cast::{PROXY_AT, person_host, proxy_host, sender_host};
use super::read::CheckedScript;
use super::stage::{Seen, Stage, Unplayable, messages};
use crate::injection::{Conduct, Injection, PathLayer, ProxyAct, ProxyFault};
use crate::inspect::WireMessage;
use crate::machine::{BatchId, ConnectId, Flow, Hop, RequestId, ResolveId, SendFault};
use crate::model::command::AgentCommand;
use crate::person::PersonCommand;
use crate::proxy::ProxyCommand;
use crate::proxy::journal::DispatchId;
use crate::random::Random;
use crate::simulation::{Arrival, Host, HostId, Links, Mode, Side, Timeline, Turn};
use crate::time::{Clock, Now, Timestamp};

const PROXY: HostId = HostId(0);
const SENDER: HostId = HostId(1);
/// How long a message is under way without faults.
const TRAVEL: Duration = Duration::from_millis(1);
/// How long a batch takes to become durable, and to be read.
const DISK: Duration = Duration::from_millis(1);
/// How long a proxy that is told to stop may write.
const STOPPING: Duration = Duration::from_millis(20);
/// Everybody has registered after that time.
const WARM_UP: Duration = Duration::from_secs(1);

/// A future event.
#[derive(Debug)]
enum Due {
    Datagram { from: SocketAddr, to: SocketAddr, bytes: Bytes },
    Stream { side: Side, bytes: Bytes },
    Dialed { id: ConnectId, hop: Hop },
    NotSent { flow: Flow, request: Option<RequestId> },
    Lost { side: Side },
    Resolved { id: ResolveId, hops: Vec<Hop> },
    Durable,
    Answered(BatchId, bool),
    Read(DispatchId),
    Proxy(ProxyAct),
}

/// See the top of this file.
pub(super) struct World {
    time: Timeline<Due>,
    hosts: Vec<Host>,
    links: Links,
    path: PathLayer,
    random: Random,
    domain: String,
    /// The place of each person's host; None for who is not simulated.
    people: Vec<Option<HostId>>,
    /// What the script calls them, and the user parts of their addresses.
    names: Vec<(String, String)>,
    /// What happens to the proxy as soon as a 202 has left.
    after_202: Option<ProxyFault>,
    wire: Vec<WireMessage>,
    refused: Vec<String>,
    addresses: Vec<Option<SocketAddr>>,
}

impl World {
    /// Sets the stage: everybody is started and has registered.
    pub(super) fn new(checked: &CheckedScript, seed: u64) -> Result<Self, Unplayable> {
        let mut random = Random::from_seed(seed);
        let path = PathLayer::new(Random::from_seed(random.bits()));
        let mut world = Self {
            time: Timeline::new(Clock::start().now().mono),
            hosts: vec![proxy_host(checked)?, sender_host(checked)?],
            links: Links::default(),
            path,
            random,
            domain: checked.script.domain.clone(),
            people: Vec::new(),
            names: Vec::new(),
            after_202: None,
            wire: Vec::new(),
            refused: Vec::new(),
            addresses: Vec::new(),
        };
        for (number, person) in (10..).zip(&checked.people) {
            let user = person.address.user().unwrap_or_default().to_owned();
            world.names.push((person.name.clone(), user));
            let host = person.conduct.map(|conduct| person_host(person, conduct, number));
            world.addresses.push(host.as_ref().map(|host| host.address));
            world.people.push(host.map(|host| {
                world.hosts.push(host);
                HostId(world.hosts.len() - 1)
            }));
        }
        for place in 0..world.hosts.len() {
            world.boot(HostId(place));
        }
        world.run_for(WARM_UP);
        Ok(world)
    }

    fn boot(&mut self, id: HostId) {
        let random = Random::from_seed(self.random.bits());
        let now = self.now_at(id);
        let Some(host) = self.hosts.get_mut(id.0) else { return };
        if host.is_up() || host.boot(random, now).is_err() {
            return;
        }
        self.settle(id);
        self.give_command(id, AgentCommand::Connect);
    }

    fn give_command(&mut self, id: HostId, command: AgentCommand) {
        let now = self.now_at(id);
        if let Some(host) = self.hosts.get_mut(id.0) {
            host.command(command, now);
        }
        self.settle(id);
    }

    /// Stops a host in the middle of whatever it does; its system closes its connections.
    fn crash(&mut self, id: HostId) {
        let Some(host) = self.hosts.get_mut(id.0).filter(|host| host.is_up()) else { return };
        host.crash();
        for (link, side) in self.links.sides_of(id) {
            self.links.drop_end((link, side));
            self.plan(TRAVEL, None, Due::Lost { side: (link, 1 - side) });
        }
    }

    fn act(&mut self, act: ProxyAct) {
        match act {
            ProxyAct::Crash => self.crash(PROXY),
            ProxyAct::Start => self.boot(PROXY),
            ProxyAct::Stop => {
                let now = self.now_at(PROXY);
                if let Some(host) = self.hosts.get_mut(PROXY.0) {
                    host.command_proxy(ProxyCommand::Flush, now);
                }
                self.settle(PROXY);
                self.plan(STOPPING, None, Due::Proxy(ProxyAct::Crash));
            }
        }
    }

    /// The fault of the proxy happens now.
    fn befall(&mut self, fault: ProxyFault) {
        self.act(fault.act);
        if !fault.back.is_zero() {
            self.plan(fault.back, None, Due::Proxy(ProxyAct::Start));
        }
    }

    fn behave(&mut self, name: &str, conduct: Conduct) {
        let is_it = |(known, user): &(String, String)| {
            known.eq_ignore_ascii_case(name) || user.eq_ignore_ascii_case(name)
        };
        let place = self.names.iter().position(is_it);
        let Some(id) = place.and_then(|place| self.people.get(place).copied().flatten()) else { return };
        let now = self.now_at(id);
        if let Some(host) = self.hosts.get_mut(id.0) {
            host.command_person(PersonCommand::Behave(conduct), now);
        }
        self.settle(id);
    }

    /// The time on a host's clocks.
    fn now_at(&self, id: HostId) -> Now {
        self.hosts.get(id.0).map_or_else(|| self.time.now(), |host| self.time.now_at(host))
    }

    fn step(&mut self) {
        match self.time.turn(&self.hosts) {
            Some(Turn::Timer(id)) => {
                let now = self.now_at(id);
                if let Some(host) = self.hosts.get_mut(id.0) {
                    host.handle_timeout(now);
                }
                self.settle(id);
            }
            Some(Turn::Event(planned)) => self.happen(planned.host(), planned.event),
            None => {}
        }
    }

    fn happen(&mut self, whom: Option<HostId>, due: Due) {
        match (due, whom) {
            (Due::Datagram { from, to, bytes }, _) => {
                let is_there = |host: &Host| host.address == to && host.is_up();
                if let Some(place) = self.hosts.iter().position(is_there) {
                    self.give(HostId(place), Arrival::Received { flow: Flow::udp(to, from), bytes });
                }
            }
            (Due::Stream { side, bytes }, _) => match self.links.far_end(side) {
                Some(end) => self.give(end.host, Arrival::Received { flow: end.flow, bytes }),
                None => self.plan(TRAVEL, None, Due::Lost { side }),
            },
            (Due::Lost { side }, _) => {
                if let Some(end) = self.links.drop_end(side) {
                    self.give(end.host, Arrival::Disconnected { flow: end.flow });
                }
            }
            (Due::Proxy(act), _) => self.act(act),
            (Due::NotSent { flow, request }, Some(host)) => {
                self.give(host, Arrival::NotSent { flow, request, fault: SendFault::TooLarge });
            }
            (Due::Dialed { id, hop }, Some(host)) => self.dialed(host, id, hop),
            (Due::Resolved { id, hops }, Some(host)) => self.give(host, Arrival::Resolved { id, hops }),
            (Due::Durable, Some(host)) => self.durable(host),
            (Due::Read(dispatch), Some(host)) => {
                let now = self.now_at(host);
                if let Some(host) = self.hosts.get_mut(host.0) {
                    host.read(dispatch, now);
                }
                self.settle(host);
            }
            (Due::Answered(batch, true), Some(host)) => self.give(host, Arrival::Committed(batch)),
            (Due::Answered(batch, false), Some(host)) => self.give(host, Arrival::CommitFailed(batch)),
            (_, None) => {}
        }
    }

    fn give(&mut self, id: HostId, arrival: Arrival) {
        let now = self.now_at(id);
        if let Some(host) = self.hosts.get_mut(id.0) {
            host.handle(arrival, now);
        }
        self.settle(id);
    }

    fn plan(&mut self, delay: Duration, whom: Option<HostId>, due: Due) {
        let whom = whom.and_then(|id| Some((id, self.hosts.get(id.0)?)));
        self.time.plan(delay, whom, due);
    }
}

impl Stage for World {
    fn command(&mut self, command: AgentCommand) {
        self.give_command(SENDER, command);
    }

    fn inject(&mut self, fault: &Injection) -> Result<(), Unplayable> {
        match fault {
            Injection::Person { name, conduct } => self.behave(name, *conduct),
            Injection::Path { of, fault } => self.path.set(*of, *fault, self.time.now().mono),
            Injection::Proxy(fault) if fault.after_202 => self.after_202 = Some(*fault),
            Injection::Proxy(fault) => self.befall(*fault),
            Injection::Disk { is_full } => {
                let mode = if *is_full { Mode::Full } else { Mode::Works };
                self.hosts.iter_mut().take(1).for_each(|proxy| proxy.set_disk(mode));
            }
            Injection::Clock { ahead_ms } => {
                self.hosts.iter_mut().take(1).for_each(|proxy| proxy.wall_skew_ms = *ahead_ms);
            }
        }
        Ok(())
    }

    fn crash_sender(&mut self) {
        self.crash(SENDER);
    }

    fn start_sender(&mut self) {
        self.boot(SENDER);
    }

    fn run_for(&mut self, time: Duration) {
        let end = self.time.now().mono + time;
        while let Some(at) = self.time.next_at(&self.hosts).filter(|at| *at <= end) {
            self.time.go_to(at);
            self.step();
        }
        self.time.go_to(end);
    }

    fn now(&self) -> Timestamp {
        self.time.now().wall
    }

    fn seen(&self) -> Seen<'_> {
        let store = self.hosts.get(SENDER.0).and_then(Host::agent_store);
        Seen {
            wire: &self.wire,
            messages: store.map(messages).unwrap_or_default(),
            refused: &self.refused,
            people: &self.addresses,
            proxy: PROXY_AT,
        }
    }
}
