//! Faults of hosts and their connections.

use std::time::Duration;

use super::{Due, World};
use crate::stranger::Spoofed;
use fanfare::simulation::Mode;
use fanfare::simulation::{Body, HostId};

impl World {
    /// Stops a host in the middle of whatever it does.
    pub(crate) fn crash(&mut self, id: HostId) {
        if !self.host(id).is_up() {
            return;
        }
        self.note(id, "crashes");
        self.tally.count(match self.host(id).body {
            Body::Proxy(_) => "crashes of a proxy",
            Body::Agent(_) => "crashes of a client",
            Body::Person(_) => "crashes of a person",
        });
        self.host_mut(id).crash();
        for (link, side) in self.network.links.sides_of(id) {
            self.network.links.drop_end((link, side));
            // If only the process is killed, its kernel closes the connections; in a power cut nobody does.
            if self.random.below(10) < 7 {
                let delay = self.network.delay();
                self.plan(delay, None, Due::Lost { side: (link, 1 - side) });
            }
        }
    }

    /// From now on a disk accepts batches, or refuses them.
    pub(crate) fn set_disk(&mut self, id: HostId, mode: Mode) {
        self.note(id, &format!("has a disk that is {mode:?}"));
        match mode {
            Mode::Works => {}
            Mode::Full => self.tally.count("disks full"),
            Mode::Failing => self.tally.count("disks failing"),
        }
        self.host_mut(id).set_disk(mode);
    }

    /// Nothing runs on a host for a while; streams wait, datagrams are lost.
    pub(crate) fn sleep(&mut self, id: HostId, duration: Duration) {
        if self.host(id).is_up() {
            self.note(id, &format!("sleeps for {duration:?}"));
            self.tally.count("sleeps");
            self.host_mut(id).asleep_until = Some(self.now().mono + duration);
        }
    }

    pub(crate) fn wake(&mut self, id: HostId) {
        self.host_mut(id).asleep_until = None;
    }

    /// A stranger sends a burst of datagrams with spoofed senders.
    pub(crate) fn stranger_sends(&mut self, count: u64) {
        let hosts: Vec<_> =
            self.hosts.iter().map(|host| (host.address, host.proxy_store().is_some())).collect();
        for _ in 0..count {
            let Some(Spoofed { from, to, bytes, kind }) = self.stranger.sends(&hosts) else { return };
            self.tally.count(kind);
            self.trace.line(format!("a stranger as {from} to {to}: {} bytes", bytes.len()));
            self.trace.bytes(&bytes);
            let delay = self.network.delay();
            self.plan(delay, None, Due::Datagram { from, to, bytes });
        }
    }

    /// Breaks a random connection.
    pub(crate) fn cut_any(&mut self) {
        if let Some(link) = self.network.cut_any() {
            for side in 0..2 {
                let delay = self.network.delay();
                self.plan(delay, None, Due::Lost { side: (link, side) });
            }
        }
    }

    /// Closes connections whose peer is gone, as `net` does with those that are idle for long.
    pub(crate) fn close_half_open(&mut self) {
        for side in self.network.links.half_open() {
            let delay = self.network.delay();
            self.plan(delay, None, Due::Lost { side });
        }
    }

    /// Sets a host's calendar this many milliseconds ahead of the world's, or behind it.
    pub(crate) fn set_clock(&mut self, id: HostId, skew_ms: i64) {
        self.note(id, &format!("is {skew_ms} ms ahead of its time"));
        self.tally.count("clock steps");
        self.model.stepped.insert(id);
        self.host_mut(id).wall_skew_ms = skew_ms;
    }
}
