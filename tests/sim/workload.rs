//! What people do and what befalls them: a storm, then calm.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use fanfare::client::command::{AgentCommand, Draft};
use fanfare::client::journal::{MessageId, PersonRow};
use fanfare::person::Answer;
use fanfare::random::Random;
use fanfare::sip::{ReportMode, ReportWish};

use crate::cast;
use crate::disk::Mode;
use crate::host::HostId;
use crate::network::{Weather, pick};
use crate::settled;
use crate::world::World;

/// How long the storm lasts.
const STORM: Duration = Duration::from_secs(240);
/// How long after it everything has an end: the longest wait is that for a sender's next registration (W23).
const CALM: Duration = Duration::from_secs(20 * 60);
/// How long a message takes in the calm.
const ROLL_CALL: Duration = Duration::from_secs(60);
/// Within so many seconds there is a moment without anything to do.
const REST_SECS: u32 = 300;
/// Names of clients; a world has some of them.
const NAMES: [&str; 6] = ["ann", "bob", "cy", "dana", "eli", "fay"];
/// Whom a message goes to besides clients: people who refuse, are slow or silent, and addresses without anybody.
const OTHERS: [&str; 6] = [
    "sip:busy@domain.com",
    "im:slow@domain.com",
    "sip:mute@domain.com",
    "im:ghost@domain.com",
    "sip:zoe@desert.example",
    "sip:old@192.0.2.250",
];

/// What ends later what an act began.
#[derive(Debug)]
enum Later {
    Boot(HostId),
    Connect(HostId),
    Unblock(IpAddr, IpAddr),
    DiskWorks(HostId),
    DisksFast,
}

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct Workload {
    random: Random,
    proxy: HostId,
    agents: Vec<HostId>,
    later: BTreeMap<(Instant, u64), Later>,
    last_later: u64,
    messages: u32,
    /// Addresses that nobody has had.
    last_address: u8,
}

/// Plays one seed to its end: the hash of everything that happened.
pub(crate) fn play(seed: u64) -> u64 {
    let mut world = World::new(seed);
    let mut workload = Workload::begin(&mut world);
    workload.storm(&mut world);
    workload.calm(&mut world);
    world.trace.hash()
}

impl Workload {
    fn begin(world: &mut World) -> Self {
        let mut random = Random::from_seed(world.random.bits());
        let proxy = cast::proxy(world);
        let count = 3 + pick(&mut random, NAMES.len() - 2);
        let agents = NAMES.iter().zip(1..).take(count).map(|(name, number)| {
            let over = if random.below(3) == 0 { "tcp" } else { "udp" };
            cast::agent(world, name, &format!("192.0.2.{number}:5060"), over)
        });
        let agents: Vec<_> = agents.collect();
        let slow = Answer::After { unanswered: 3, status: 200 };
        for (name, number, answer) in
            [("busy", 31, Answer::Status(486)), ("slow", 32, slow), ("mute", 33, Answer::Silence)]
        {
            cast::person(world, name, &format!("192.0.2.{number}:5060"), answer);
        }
        for id in (0..world.hosts.len()).map(HostId) {
            world.boot(id);
        }
        world.run_for(cast::WARM_UP);
        Self { random, proxy, agents, later: BTreeMap::new(), last_later: 0, messages: 0, last_address: 100 }
    }

    fn storm(&mut self, world: &mut World) {
        let end = world.now.mono + STORM;
        while world.now.mono < end {
            let pause = Duration::from_millis(self.random.below(4000));
            self.wait(world, pause);
            self.act(world);
        }
    }

    /// Lets time pass, and ends what is to end in it.
    fn wait(&mut self, world: &mut World, duration: Duration) {
        let until = world.now.mono + duration;
        while let Some(((at, _), _)) = self.later.first_key_value().filter(|((at, _), _)| *at <= until) {
            world.run_for(at.saturating_duration_since(world.now.mono));
            if let Some((_, later)) = self.later.pop_first() {
                Self::end(world, &later);
            }
        }
        world.run_for(until.saturating_duration_since(world.now.mono));
    }

    fn end(world: &mut World, later: &Later) {
        match later {
            Later::Boot(id) => world.boot(*id),
            Later::Connect(id) => world.command(*id, AgentCommand::Connect),
            Later::Unblock(from, to) => world.network.unblock(*from, *to),
            Later::DiskWorks(id) => world.set_disk(*id, Mode::Works),
            Later::DisksFast => world.fsync = World::FAST_DISKS,
        }
    }

    fn plan(&mut self, world: &World, secs_max: u64, later: Later) {
        self.last_later += 1;
        let at = world.now.mono + Duration::from_millis(self.random.below(secs_max * 1000));
        self.later.insert((at, self.last_later), later);
    }

    fn act(&mut self, world: &mut World) {
        match self.random.below(30) {
            0..=10 => self.send(world),
            11..=13 => self.resend(world),
            14 => self.withdraw(world),
            15..=16 => self.crash(world, self.proxy),
            17..=19 => self.crash_any(world),
            20..=21 => world.network.weather = Weather::drawn(&mut self.random),
            22..=23 => self.part(world),
            24 => self.fill_a_disk(world),
            25 => self.slow_down_disks(world),
            26 => world.cut_any(),
            27 => self.leave_for_a_while(world),
            28 => self.step_a_clock(world),
            _ => self.sleep(world),
        }
    }

    fn any_agent(&mut self) -> HostId {
        self.agents[pick(&mut self.random, self.agents.len())]
    }

    fn any_host(&mut self) -> HostId {
        if self.random.below(3) == 0 { self.proxy } else { self.any_agent() }
    }

    fn send(&mut self, world: &mut World) {
        let sender = self.any_agent();
        self.messages += 1;
        let filler = [0, 0, 0, 40, 1200, 3000][pick(&mut self.random, 6)];
        let text = format!("m{} {}", self.messages, "x".repeat(filler));
        let mode = [ReportMode::Each, ReportMode::Each, ReportMode::Final, ReportMode::None]
            [pick(&mut self.random, 4)];
        let mut to: Vec<String> = OTHERS.iter().map(|&address| address.to_owned()).collect();
        to.retain(|_| self.random.below(8) == 0);
        for agent in self.agents.clone() {
            if agent != sender && self.random.below(2) == 0 {
                let scheme = ["im", "sip"][pick(&mut self.random, 2)];
                to.insert(0, format!("{scheme}:{}@domain.com", world.host(agent).name));
            }
        }
        let hidden = self.random.below(5) == 0;
        let to: Vec<_> = to.iter().map(String::as_str).collect();
        world.command(sender, draft(&to, &text, hidden, mode));
    }

    fn any_message(&mut self, world: &World) -> Option<(HostId, MessageId)> {
        let agent = self.any_agent();
        let ids: Vec<_> = world.host(agent).agent_store()?.outgoing.keys().copied().collect();
        let id = *ids.get(pick(&mut self.random, ids.len().max(1)))?;
        Some((agent, id))
    }

    fn resend(&mut self, world: &mut World) {
        if let Some((agent, message)) = self.any_message(world) {
            world.command(agent, AgentCommand::Resend { message, only: None });
        }
    }

    fn withdraw(&mut self, world: &mut World) {
        if let Some((agent, message)) = self.any_message(world) {
            world.command(agent, AgentCommand::Withdraw { message });
        }
    }

    fn crash(&mut self, world: &mut World, id: HostId) {
        world.crash(id);
        let secs = [1, 5, 45][pick(&mut self.random, 3)];
        self.plan(world, secs, Later::Boot(id));
    }

    /// Some come back at another address.
    fn crash_any(&mut self, world: &mut World) {
        let id = self.any_agent();
        self.crash(world, id);
        if self.random.below(3) == 0 && self.last_address < 180 {
            self.last_address += 1;
            let address = format!("192.0.2.{}:5060", self.last_address);
            world.host_mut(id).move_to(address.parse().unwrap());
        }
    }

    fn part(&mut self, world: &mut World) {
        let id = self.any_agent();
        let (one, other) = (world.host(id).address.ip(), world.host(self.proxy).address.ip());
        let ways = [vec![(one, other)], vec![(other, one)], vec![(one, other), (other, one)]];
        for (from, to) in ways[pick(&mut self.random, 3)].clone() {
            world.network.block(from, to);
            self.plan(world, 60, Later::Unblock(from, to));
        }
    }

    fn fill_a_disk(&mut self, world: &mut World) {
        let id = self.any_host();
        world.set_disk(id, Mode::Full);
        self.plan(world, 20, Later::DiskWorks(id));
    }

    fn slow_down_disks(&mut self, world: &mut World) {
        world.fsync = (Duration::from_millis(50), Duration::from_millis(1500));
        self.plan(world, 20, Later::DisksFast);
    }

    fn leave_for_a_while(&mut self, world: &mut World) {
        let id = self.any_agent();
        world.command(id, AgentCommand::Disconnect);
        self.plan(world, 20, Later::Connect(id));
    }

    /// By up to an hour, to either side.
    fn step_a_clock(&mut self, world: &mut World) {
        let id = self.any_host();
        let step = i64::try_from(self.random.below(7_200_000)).unwrap() - 3_600_000;
        world.host_mut(id).wall_skew_ms = step;
    }

    /// The lid is closed: nothing runs, timers are late.
    fn sleep(&mut self, world: &mut World) {
        let id = self.any_host();
        let duration = Duration::from_millis(self.random.below(90_000));
        world.sleep(id, duration);
    }

    /// Everything works, and everything that was begun comes to its end.
    fn calm(&mut self, world: &mut World) {
        world.network.weather = Weather::calm();
        world.network.unblock_all();
        world.fsync = World::FAST_DISKS;
        self.later.clear();
        for id in (0..world.hosts.len()).map(HostId) {
            world.wake(id);
            world.set_disk(id, Mode::Works);
            world.boot(id);
        }
        for id in self.agents.clone() {
            world.command(id, AgentCommand::Connect);
        }
        world.run_for(CALM);
        world.hold(settled::settled(world));
        self.roll_call(world);
        world.run_for(ROLL_CALL);
        world.hold(settled::settled(world).and_then(|()| settled::reached(world, "roll call")));
        Self::rest(world);
    }

    /// At some time soon there is nothing left to do; registrations are refreshed at different times.
    fn rest(world: &mut World) {
        let mut seconds = 0..REST_SECS;
        while settled::idle(world).is_err() && seconds.next().is_some() {
            world.run_for(Duration::from_secs(1));
        }
        world.hold(settled::idle(world));
    }

    /// Everybody writes to everybody.
    fn roll_call(&self, world: &mut World) {
        for sender in &self.agents {
            let others = self.agents.iter().filter(|other| *other != sender);
            let to: Vec<_> =
                others.map(|other| format!("im:{}@domain.com", world.host(*other).name)).collect();
            let text = format!("roll call of {}", world.host(*sender).name);
            let to: Vec<_> = to.iter().map(String::as_str).collect();
            world.command(*sender, draft(&to, &text, false, ReportMode::Each));
        }
    }
}

/// A message to these addresses.
pub(crate) fn draft(to: &[&str], text: &str, hidden: bool, mode: ReportMode) -> AgentCommand {
    let person = |address: &&str| PersonRow { address: (*address).to_owned(), name: String::new() };
    AgentCommand::Send(Draft {
        to: to.iter().map(person).collect(),
        text: text.to_owned(),
        hidden,
        report: ReportWish { mode, detail: true, id: None },
    })
}
