//! The calm after the storm: everything works, and everything that was started must end. Then everybody writes to
//! everybody, and some are away while others write to them.

use std::time::Duration;

use fanfare::model::command::AgentCommand;
use fanfare::sip::ReportMode;

use crate::liveness;
use crate::network::{Weather, pick};
use crate::workload::{Workload, address_of, draft};
use crate::world::World;
use fanfare::simulation::HostId;
use fanfare::simulation::Mode;

/// How long the last one stays away: by then every waiting message has expired, or is delivered at the return.
const LATE: Duration = Duration::from_secs(20 * 60);
/// When everything must have ended: a message may live half an hour, its proxy's clock may be off by as much in either
/// direction, and the last delivery attempt abroad comes up to an hour later.
const CALM: Duration = Duration::from_secs(3 * 3600);
/// How long delivery takes in the calm.
const ROLL_CALL: Duration = Duration::from_secs(60);
/// How long somebody is away in the calm: less than the interval until a foreign proxy tries again (`visit_wait`), so
/// that no attempt fails and lets others pass (W18).
const AWAY: Duration = Duration::from_secs(40);
/// How long until everything is delivered after a return: two such attempts.
const COME_HOME: Duration = Duration::from_secs(7 * 60);
/// Messages that each one writes to somebody who is away.
const MESSAGES_AWAY: u32 = 3;
/// How long one round of a report takes at most: the transmissions to two places (RFC 3261 §17.1.2.2, Timer F).
const ROUND_SECS: u32 = 70;
/// Within this many seconds there must be a moment without anything to do.
const REST_SECS: u32 = 300;

impl Workload {
    pub(crate) fn calm(&mut self, world: &mut World) {
        self.end_storm(world);
        world.run_for(CALM);
        Self::let_work_end(world);
        world.hold(liveness::settled(world));
        if self.mailbox_max > 100 {
            world.hold(liveness::devices_served(world));
        }
        self.roll_call(world);
        world.run_for(ROLL_CALL);
        Self::let_work_end(world);
        world.hold(liveness::settled(world).and_then(|()| liveness::reached(world, "roll call")));
        self.come_home(world);
        Self::rest(world);
    }

    fn end_storm(&mut self, world: &mut World) {
        world.network.weather = Weather::calm();
        world.network.unblock_all();
        world.fsync = World::FAST_DISKS;
        self.forget_plans();
        let late = Some(self.any_client()).filter(|_| self.random.below(2) == 0);
        late.into_iter().for_each(|late| world.crash(late));
        for id in (0..world.hosts.len()).map(HostId) {
            world.wake(id);
            world.set_disk(id, Mode::Works);
            if Some(id) != late {
                world.boot(id);
            }
        }
        for id in self.clients() {
            world.command(id, AgentCommand::Connect);
        }
        world.run_for(LATE);
        world.close_half_open();
        world.model.all_there_at = Some(world.now().wall);
        late.into_iter().for_each(|late| world.boot(late));
    }

    /// Everybody writes to everybody.
    fn roll_call(&self, world: &mut World) {
        for sender in &self.writers {
            let others = self.writers.iter().chain(&self.devices[..1]).filter(|other| *other != sender);
            let to: Vec<_> = others.map(|other| address_of(world, *other)).collect();
            let text = format!("roll call of {}", world.host(*sender).name);
            let to: Vec<_> = to.iter().map(String::as_str).collect();
            world.command(*sender, draft(&to, &text, false, ReportMode::Each));
        }
    }

    /// Somebody, and one of the owner's devices, are away while the others write; a proxy may restart meanwhile.
    fn come_home(&mut self, world: &mut World) {
        let (away, device) = (self.any_writer(), self.devices[pick(&mut self.random, 2)]);
        for id in [away, device] {
            world.command(id, AgentCommand::Disconnect);
        }
        world.run_for(Duration::from_secs(5));
        let to = [address_of(world, away), address_of(world, device)];
        let to: Vec<_> = to.iter().map(String::as_str).collect();
        for number in 1..=MESSAGES_AWAY {
            for sender in self.writers.iter().filter(|sender| **sender != away) {
                let text = format!("while away: {number} of {}", world.host(*sender).name);
                world.command(*sender, draft(&to, &text, false, ReportMode::Each));
            }
            world.run_for(Duration::from_secs(2));
        }
        if self.random.below(2) == 0 {
            let proxy = self.any_proxy();
            world.crash(proxy);
            world.run_for(Duration::from_secs(1));
            world.boot(proxy);
        }
        world.run_for(AWAY);
        for id in [away, device] {
            world.command(id, AgentCommand::Connect);
        }
        world.run_for(COME_HOME);
        Self::let_work_end(world);
        world.hold(liveness::settled(world));
        if self.mailbox_max > 100 {
            world.hold(liveness::came_home(world, away).and_then(|()| liveness::came_home(world, device)));
        }
    }

    /// Waits for what may be under way at the very instant of a check: the refresh of a registration that a disk has to
    /// take, and a round of a report that is sent again for a day.
    fn let_work_end(world: &mut World) {
        let mut tries = 0..ROUND_SECS;
        while liveness::sends_reports(world) && tries.next().is_some() {
            world.run_for(Duration::from_secs(1));
        }
        let mut tries = 0..100;
        while world.hosts.iter().any(|host| host.batches_waiting() > 0) && tries.next().is_some() {
            world.run_for(Duration::from_millis(1));
        }
    }

    /// Soon there is a moment with nothing left to do; registrations are refreshed at different times.
    fn rest(world: &mut World) {
        let mut seconds = 0..REST_SECS;
        while liveness::idle(world).is_err() && seconds.next().is_some() {
            world.run_for(Duration::from_secs(1));
        }
        world.hold(liveness::idle(world));
    }
}
