//! A MESSAGE for one person that a 3xx redirected (RFC 3261 §8.1.3.4): its target is looked up, connected to, and sent
//! the MESSAGE directly from here.
//!
//! **Invariant:** whoever can cause a 3xx to our request can choose where it goes. So it goes there without
//! credentials, challenges from there are not answered, and nothing from there is trusted except the answer to this one
//! request. It goes no nearer to this computer than our server is, whose services would take us for one of theirs, and in
//! datagrams only a few times.

use std::collections::VecDeque;

use crate::client::agent::core::Core;
use crate::client::agent::redirect::{Keep, Redirects, Target};
use crate::limits::{Nearness, UDP_REQUEST_BYTES_MAX};
use crate::machine::{ConnectId, Flow, Hop, ResolveId};
use crate::model::reason::LocalReason;
use crate::sip::{Response, Transport, Uri};
use crate::transaction::Failure;

/// A generous guess at the size of such a message's head: if the whole is then too large, it goes over a connection if
/// possible.
const HEAD_BYTES: usize = 700;

/// The state of one redirected message.
#[derive(Debug)]
pub(super) struct Detour {
    redirects: Redirects,
    keep: Keep,
    /// Its current Request-URI.
    uri: Uri,
    target: Option<Target>,
    /// Addresses of the target not tried yet.
    hops: VecDeque<Hop>,
    way: DetourStage,
    /// How many targets it was redirected to; for each it is a new request.
    targets: u32,
    /// It is too large for a datagram.
    is_large: bool,
    /// A target got it and did not answer.
    has_been_silent: bool,
}

/// How far the way to the target is prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DetourStage {
    /// No target is being tried.
    None,
    /// Its name is being looked up.
    Finding(ResolveId),
    /// A connection is being opened.
    Opening(ConnectId),
    /// It can leave.
    Ready(Flow),
}

impl Detour {
    /// For a message of this many bytes to `uri`, which our server has redirected.
    pub(super) fn new(core: &Core, uri: Uri, body_bytes: usize) -> Self {
        Self {
            redirects: Redirects::of(uri.clone()),
            keep: Keep::of(&uri, core.server.is_secure()),
            uri,
            target: None,
            hops: VecDeque::new(),
            way: DetourStage::None,
            targets: 0,
            is_large: body_bytes + HEAD_BYTES > UDP_REQUEST_BYTES_MAX,
            has_been_silent: false,
        }
    }

    /// Adds the targets of a 3xx from the server or from a target. What our server passes on may be anybody's, so it is
    /// where our server is that counts.
    pub(super) fn take(&mut self, core: &Core, response: &Response) {
        self.redirects.take(response, self.keep, core.server.nearness());
    }

    /// Whether there is another place to try if this one does not answer.
    pub(super) fn has_more(&self) -> bool {
        self.hops.iter().any(|hop| self.is_elsewhere(*hop)) || self.redirects.has_next()
    }

    fn is_elsewhere(&self, hop: Hop) -> bool {
        self.flow().is_none_or(|flow| flow.remote != hop.remote)
    }

    /// This place is not there, or did not answer: goes on to the next address of the target, after silence by no other way
    /// to the same place.
    pub(super) fn failed(&mut self, core: &mut Core, failure: Failure) {
        if failure == Failure::Timeout {
            self.has_been_silent = true;
            let hops = std::mem::take(&mut self.hops);
            self.hops = hops.into_iter().filter(|hop| self.is_elsewhere(*hop)).collect();
        }
        self.next_hop(core);
    }

    /// Why it ends if the last target is not reached: a target that was silent may have the message.
    pub(super) fn not_reached(&self) -> (Option<u16>, LocalReason) {
        if self.has_been_silent {
            return (Some(408), LocalReason::NoFinalAnswer);
        }
        (Some(503), LocalReason::NotReached(self.place().to_owned()))
    }

    /// Starts on the next target; false if there is none.
    pub(super) fn go_on(&mut self, core: &mut Core) -> bool {
        let Some(target) = self.redirects.next_target() else {
            return false;
        };
        self.targets += 1;
        if !target.is_proxy {
            self.uri = target.uri.clone();
        }
        self.way = DetourStage::Finding(core.resolve(target.uri.clone()));
        self.target = Some(target);
        true
    }

    /// The flow to the target, once it is known.
    pub(super) const fn flow(&self) -> Option<Flow> {
        match self.way {
            DetourStage::Ready(flow) => Some(flow),
            DetourStage::None | DetourStage::Finding(_) | DetourStage::Opening(_) => None,
        }
    }

    /// Its current Request-URI.
    pub(super) const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// How many targets it was redirected to.
    pub(super) const fn targets(&self) -> u32 {
        self.targets
    }

    /// The target's address, as shown to people.
    pub(super) fn place(&self) -> &str {
        self.target.as_ref().map_or(self.uri.as_str(), |target| target.uri.as_str())
    }

    pub(super) fn awaits_name(&self, id: ResolveId) -> bool {
        self.way == DetourStage::Finding(id)
    }

    pub(super) fn awaits_connection(&self, id: ConnectId) -> bool {
        self.way == DetourStage::Opening(id)
    }

    /// The target's look-up has ended.
    pub(super) fn found(&mut self, core: &mut Core, hops: Vec<Hop>) {
        let keep = self.keep;
        let server = self.target.as_ref().map_or(Nearness::Elsewhere, |target| target.named_from);
        let may_go = |hop: &Hop| {
            let is_kept = keep == Keep::Nothing || hop.transport.is_secure();
            is_kept && core.server.reach.nearness(*hop) >= server
        };
        self.hops = hops.into_iter().filter(may_go).collect();
        let datagram = self.hops.front().copied().filter(|hop| !hop.transport.is_reliable());
        if let Some(hop) = datagram.filter(|_| self.is_large) {
            // RFC 3261 §18.1.1.
            self.hops.push_front(Hop { transport: Transport::Tcp, ..hop });
        }
        self.next_hop(core);
    }

    /// Tries the target's next address; then the message can leave, waits for a connection, or has nowhere to go.
    pub(super) fn next_hop(&mut self, core: &mut Core) {
        self.way = DetourStage::None;
        while let Some(hop) = self.hops.pop_front() {
            match hop.transport {
                Transport::Udp => {
                    if let Some(flow) = core.server.datagram_flow(hop.remote) {
                        self.way = DetourStage::Ready(flow);
                        return;
                    }
                }
                Transport::Tcp | Transport::Tls => {
                    let host = self.target.as_ref().map(|target| target.uri.host().into());
                    self.way = DetourStage::Opening(core.connect(hop, host));
                    return;
                }
                Transport::Ws | Transport::Wss => {}
            }
        }
    }

    /// True if this target cannot be reached.
    pub(super) fn is_stuck(&self) -> bool {
        self.way == DetourStage::None
    }

    /// The connection is open.
    pub(super) const fn connected(&mut self, flow: Flow) {
        self.way = DetourStage::Ready(flow);
    }
}
