//! What people do, and what goes wrong, during the storm; the calm after it is in `quiescence.rs`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use fanfare::model::command::{AgentCommand, Draft};
use fanfare::model::journal::{MessageId, PersonRow};
use fanfare::proxy::MailboxConfig;
use fanfare::random::Random;
use fanfare::sip::{ReportMode, ReportOptions};

use crate::network::{Weather, pick};
use crate::tally::Tally;
use crate::topology::{self, ABROAD, HOME};
use crate::world::World;
use fanfare::simulation::HostId;
use fanfare::simulation::Mode;

/// Duration of the storm.
const STORM: Duration = Duration::from_secs(240);
/// Names of clients; a world has some of them, every second one abroad.
const NAMES: [&str; 5] = ["ann", "bob", "cy", "dana", "eli"];
/// A user with two devices.
const OWNER: &str = "gil";
/// Recipients other than clients: people who refuse, are slow or silent, and addresses that nobody has.
const OTHERS: [&str; 7] = [
    "sip:busy@domain.com",
    "im:slow@domain.com",
    "sip:mute@domain.com",
    "im:ghost@domain.com",
    "sip:nix@biloxi.example",
    "sip:zoe@desert.example",
    "sip:old@192.0.2.250",
];
/// An address in a domain that each proxy believes the other serves: the loop must end.
const ECHO: &str = "sip:echo@loop.example";
/// Values of Expires in seconds (W8); messages with less than 32 do not wait in the mailbox.
const EXPIRES: [Option<u32>; 7] = [None, Some(20), Some(60), Some(200), Some(1800), Some(1800), Some(1800)];
/// Most datagrams that a stranger sends in one burst.
const STRANGER_BURST: u64 = 30;
/// Messages per recipient in a mailbox that fills up quickly.
const SMALL_MAILBOX: usize = 3;

/// Ends later what an action started.
#[derive(Debug)]
enum Later {
    Boot(HostId),
    Connect(HostId),
    Unblock(IpAddr, IpAddr),
    DiskWorks(HostId),
    DisksFast,
}

/// See the top of this file.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) random: Random,
    pub(crate) proxies: [HostId; 2],
    /// Clients whose owners write messages.
    pub(crate) writers: Vec<HostId>,
    /// Devices of a user who only reads.
    pub(crate) devices: [HostId; 2],
    /// Most messages that may wait for one recipient.
    pub(crate) mailbox_max: usize,
    /// Clients request read receipts, and their owners read (W28); only in some worlds, so that the others stay the
    /// same.
    receipts: bool,
    later: BTreeMap<(Instant, u64), Later>,
    last_later: u64,
    messages: u32,
    /// The last unused address that was given out.
    last_address: u8,
}

/// Plays one seed to its end; returns the hash of everything that happened, and the counts.
pub(crate) fn play(seed: u64) -> (u64, Tally) {
    let mut world = World::new(seed);
    let mut workload = Workload::begin(&mut world, seed.is_multiple_of(5));
    workload.storm(&mut world);
    workload.calm(&mut world);
    let mut tally = world.tally.clone();
    tally.add(&world.network.tally);
    (world.trace.hash(), tally)
}

/// The address of a client's owner.
pub(crate) fn address_of(world: &World, id: HostId) -> String {
    world.host(id).profile().map_or_else(String::new, |profile| profile.address.to_string())
}

impl Workload {
    fn begin(world: &mut World, receipts: bool) -> Self {
        let mut random = Random::from_seed(world.random.bits());
        let mut mailbox = MailboxConfig::default();
        if random.below(5) == 0 {
            mailbox.per_user_max = SMALL_MAILBOX;
        }
        let proxies = [HOME, ABROAD].map(|realm| topology::proxy(world, realm, mailbox));
        let count = 3 + pick(&mut random, NAMES.len() - 2);
        let writers = NAMES.iter().zip(1..).take(count).map(|(name, number)| {
            let over = if random.below(3) == 0 { "tcp" } else { "udp" };
            let realm = if number % 2 == 0 { ABROAD } else { HOME };
            let id = topology::agent(world, name, &format!("192.0.2.{number}:5060"), over, realm);
            world.host_mut(id).set_expires(EXPIRES[pick(&mut random, EXPIRES.len())]);
            id
        });
        let writers: Vec<_> = writers.collect();
        let devices =
            [1, 2].map(|number| topology::device(world, OWNER, number, &format!("192.0.2.2{number}:5060")));
        for (name, number, answer) in [("busy", 31, "486"), ("slow", 32, "drop=3"), ("mute", 33, "silent")] {
            topology::person(world, name, &format!("192.0.2.{number}:5060"), answer);
        }
        if receipts {
            topology::person(world, "plain", "192.0.2.34:5060", "415");
        }
        for id in (0..world.hosts.len()).map(HostId) {
            if receipts {
                world.host_mut(id).set_receipts();
            }
            world.boot(id);
        }
        world.run_for(topology::WARM_UP);
        Self {
            random,
            proxies,
            writers,
            devices,
            mailbox_max: mailbox.per_user_max,
            receipts,
            later: BTreeMap::new(),
            last_later: 0,
            messages: 0,
            last_address: 110,
        }
    }

    fn storm(&mut self, world: &mut World) {
        let end = world.now().mono + STORM;
        while world.now().mono < end {
            let pause = Duration::from_millis(self.random.below(4000));
            self.wait(world, pause);
            self.act(world);
            if self.receipts {
                self.read(world);
            }
        }
    }

    /// Lets time pass, and ends whatever is to end in it.
    fn wait(&mut self, world: &mut World, duration: Duration) {
        let until = world.now().mono + duration;
        while let Some(((at, _), _)) = self.later.first_key_value().filter(|((at, _), _)| *at <= until) {
            world.run_for(at.saturating_duration_since(world.now().mono));
            if let Some((_, later)) = self.later.pop_first() {
                Self::end(world, &later);
            }
        }
        world.run_for(until.saturating_duration_since(world.now().mono));
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
        let at = world.now().mono + Duration::from_millis(self.random.below(secs_max * 1000));
        self.later.insert((at, self.last_later), later);
    }

    fn act(&mut self, world: &mut World) {
        match self.random.below(35) {
            0..=10 => self.send(world),
            11..=13 => self.resend(world),
            14 => self.withdraw(world),
            15..=16 => self.crash_a_proxy(world),
            17..=19 => self.crash_a_client(world),
            20..=21 => world.network.weather = Weather::drawn(&mut self.random),
            22..=23 => self.part(world),
            24..=25 => self.spoil_a_disk(world),
            26 => self.slow_down_disks(world),
            27 => world.cut_any(),
            28..=29 => self.leave_for_a_while(world),
            30 => self.step_a_clock(world),
            31..=33 => world.stranger_sends(1 + self.random.below(STRANGER_BURST)),
            _ => self.sleep(world),
        }
    }

    pub(crate) fn clients(&self) -> impl Iterator<Item = HostId> {
        self.writers.iter().chain(&self.devices).copied()
    }

    pub(crate) fn any_client(&mut self) -> HostId {
        let place = pick(&mut self.random, self.writers.len() + self.devices.len());
        self.clients().nth(place).unwrap()
    }

    pub(crate) fn any_writer(&mut self) -> HostId {
        self.writers[pick(&mut self.random, self.writers.len())]
    }

    pub(crate) fn any_proxy(&mut self) -> HostId {
        self.proxies[pick(&mut self.random, 2)]
    }

    fn any_host(&mut self) -> HostId {
        if self.random.below(3) == 0 { self.any_proxy() } else { self.any_client() }
    }

    fn send(&mut self, world: &mut World) {
        let sender = self.any_writer();
        self.messages += 1;
        world.tally.count("messages written");
        let mut filler = [0, 0, 0, 40, 1200, 3000][pick(&mut self.random, 6)];
        if self.random.below(20) == 0 {
            world.tally.count("messages too large for a datagram");
            filler = 70_000;
        }
        let text = format!("m{} {}", self.messages, "x".repeat(filler));
        let mode = [ReportMode::Each, ReportMode::Each, ReportMode::Final, ReportMode::None]
            [pick(&mut self.random, 4)];
        let mut to: Vec<String> = OTHERS.iter().map(|&address| address.to_owned()).collect();
        to.retain(|_| self.random.below(8) == 0);
        if self.random.below(16) == 0 {
            to.push(ECHO.to_owned());
        }
        if self.random.below(2) == 0 {
            to.insert(0, address_of(world, self.devices[0]));
        }
        for other in self.writers.clone() {
            if other != sender && self.random.below(2) == 0 {
                let scheme = ["im:", "sip:"][pick(&mut self.random, 2)];
                to.insert(0, address_of(world, other).replacen("im:", scheme, 1));
            }
        }
        if self.receipts && self.random.below(4) == 0 {
            to.push("sip:plain@domain.com".to_owned());
        }
        let hidden = self.random.below(5) == 0;
        let to: Vec<_> = to.iter().map(String::as_str).collect();
        world.command(sender, draft(&to, &text, hidden, mode));
    }

    fn any_message(&mut self, world: &World) -> Option<(HostId, MessageId)> {
        let writer = self.any_writer();
        let ids: Vec<_> = world.host(writer).agent_store()?.outgoing.keys().copied().collect();
        let id = *ids.get(pick(&mut self.random, ids.len().max(1)))?;
        Some((writer, id))
    }

    /// An owner reads a conversation.
    fn read(&mut self, world: &mut World) {
        let reader = self.any_client();
        let all: Vec<_> =
            world.host(reader).agent_store().into_iter().flat_map(|store| store.conversations()).collect();
        if let Some(conversation) = all.get(pick(&mut self.random, all.len().max(1))) {
            world.command(reader, AgentCommand::Seen { conversation: *conversation });
        }
    }

    fn resend(&mut self, world: &mut World) {
        if let Some((writer, message)) = self.any_message(world) {
            world.command(writer, AgentCommand::Resend { message, only: None });
        }
    }

    fn withdraw(&mut self, world: &mut World) {
        if let Some((writer, message)) = self.any_message(world) {
            world.command(writer, AgentCommand::Withdraw { message });
        }
    }

    fn crash(&mut self, world: &mut World, id: HostId) {
        world.crash(id);
        let secs = [1, 5, 45, 120][pick(&mut self.random, 4)];
        self.plan(world, secs, Later::Boot(id));
    }

    fn crash_a_proxy(&mut self, world: &mut World) {
        let id = self.any_proxy();
        self.crash(world, id);
    }

    /// Crashes a client; some come back at another address, or with another setting.
    fn crash_a_client(&mut self, world: &mut World) {
        let id = self.any_client();
        self.crash(world, id);
        if self.random.below(3) == 0 {
            world.host_mut(id).set_expires(EXPIRES[pick(&mut self.random, EXPIRES.len())]);
        }
        if self.random.below(3) == 0 && self.last_address < 190 {
            self.last_address += 1;
            let address = format!("192.0.2.{}:5060", self.last_address);
            world.host_mut(id).move_to(address.parse().unwrap());
            world.tally.count("moves to another address");
        }
    }

    /// Partitions a client and a proxy, or the two proxies; in one direction or both.
    fn part(&mut self, world: &mut World) {
        let proxy = self.any_proxy();
        let id = if self.random.below(4) == 0 { self.proxies[0] } else { self.any_client() };
        let (one, other) = (world.host(id).address.ip(), world.host(proxy).address.ip());
        if one == other {
            return;
        }
        world.tally.count("partitions");
        let ways = [vec![(one, other)], vec![(other, one)], vec![(one, other), (other, one)]];
        for (from, to) in ways[pick(&mut self.random, 3)].clone() {
            world.network.block(from, to);
            self.plan(world, 60, Later::Unblock(from, to));
        }
    }

    fn spoil_a_disk(&mut self, world: &mut World) {
        let id = self.any_host();
        world.set_disk(id, [Mode::Full, Mode::Failing][pick(&mut self.random, 2)]);
        self.plan(world, 20, Later::DiskWorks(id));
    }

    fn slow_down_disks(&mut self, world: &mut World) {
        world.fsync = (Duration::from_millis(50), Duration::from_millis(1500));
        world.tally.count("times with slow disks");
        self.plan(world, 20, Later::DisksFast);
    }

    fn leave_for_a_while(&mut self, world: &mut World) {
        let id = self.any_client();
        world.command(id, AgentCommand::Disconnect);
        world.tally.count("absences");
        let secs = [20, 150][pick(&mut self.random, 2)];
        self.plan(world, secs, Later::Connect(id));
    }

    /// Sets a clock up to an hour off, a proxy's up to half an hour: it decides when messages expire.
    fn step_a_clock(&mut self, world: &mut World) {
        let id = self.any_host();
        let hours = if self.proxies.contains(&id) { 2 } else { 1 };
        let step = i64::try_from(self.random.below(7_200_000)).unwrap() - 3_600_000;
        world.set_clock(id, step / hours);
    }

    /// A laptop's lid is closed: nothing runs, and timers fire late.
    fn sleep(&mut self, world: &mut World) {
        let id = self.any_host();
        let duration = Duration::from_millis(self.random.below(90_000));
        world.sleep(id, duration);
    }

    /// Drops the planned endings, because the calm repairs everything at once.
    pub(crate) fn forget_plans(&mut self) {
        self.later.clear();
    }
}

/// A message to these addresses.
pub(crate) fn draft(to: &[&str], text: &str, hidden: bool, mode: ReportMode) -> AgentCommand {
    let person = |address: &&str| PersonRow { address: (*address).to_owned(), name: String::new() };
    AgentCommand::Send(Draft {
        to: to.iter().map(person).collect(),
        text: text.to_owned(),
        files: Vec::new(),
        hidden,
        report: ReportOptions { mode, detail: true, id: None },
    })
}
