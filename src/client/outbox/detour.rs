//! A MESSAGE for one person that a 3xx sent on (RFC 3261 §8.1.3.4): found, reached and sent there, straight from here.
//!
//! **Invariant:** whoever can make a 3xx of our request can choose where it goes. So it goes there without credentials, its
//! challenges are not answered, and nothing that comes from there is believed but the answer to this one request.

use std::collections::VecDeque;

use crate::client::agent::core::Core;
use crate::client::agent::redirect::{Keep, Redirects, Target};
use crate::limits::UDP_REQUEST_BYTES_MAX;
use crate::machine::{ConnectId, Flow, Hop, ResolveId};
use crate::sip::{Response, Transport, Uri};

/// Bytes of the head of such a message, by a wide guess: what is larger goes over a connection if it can.
const HEAD_BYTES: usize = 700;

/// Where one redirected message is.
#[derive(Debug)]
pub(super) struct Detour {
    redirects: Redirects,
    keep: Keep,
    /// Its Request-URI now.
    uri: Uri,
    target: Option<Target>,
    /// Places of the target that were not tried yet.
    hops: VecDeque<Hop>,
    way: DetourStage,
    /// To how many targets it was sent on: each time it is another request.
    targets: u32,
    /// It does not fit a datagram well.
    is_large: bool,
}

/// How far it is to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DetourStage {
    /// Nothing is tried.
    None,
    /// Its name is being looked up.
    Finding(ResolveId),
    /// A connection is being opened.
    Opening(ConnectId),
    /// It can leave.
    Ready(Flow),
}

impl Detour {
    /// Of a message of so many bytes to `uri`, which `core`'s server has sent on.
    pub(super) fn new(core: &Core, uri: Uri, body_bytes: usize) -> Self {
        Self {
            redirects: Redirects::of(uri.clone()),
            keep: Keep::of(&uri, core.line.is_secure()),
            uri,
            target: None,
            hops: VecDeque::new(),
            way: DetourStage::None,
            targets: 0,
            is_large: body_bytes + HEAD_BYTES > UDP_REQUEST_BYTES_MAX,
        }
    }

    /// Takes in a 3xx, of the server or of a target.
    pub(super) fn take(&mut self, response: &Response) {
        self.redirects.take(response, self.keep);
    }

    /// Sets out for the next target; false where there is none.
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

    /// The flow to the target, once it is there.
    pub(super) const fn flow(&self) -> Option<Flow> {
        match self.way {
            DetourStage::Ready(flow) => Some(flow),
            DetourStage::None | DetourStage::Finding(_) | DetourStage::Opening(_) => None,
        }
    }

    /// Its Request-URI now.
    pub(super) const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// To how many targets it was sent on.
    pub(super) const fn targets(&self) -> u32 {
        self.targets
    }

    /// Where it went, for people.
    pub(super) fn place(&self) -> &str {
        self.target.as_ref().map_or(self.uri.as_str(), |target| target.uri.as_str())
    }

    pub(super) fn awaits_name(&self, id: ResolveId) -> bool {
        self.way == DetourStage::Finding(id)
    }

    pub(super) fn awaits_connection(&self, id: ConnectId) -> bool {
        self.way == DetourStage::Opening(id)
    }

    /// It is known where the target is.
    pub(super) fn found(&mut self, core: &mut Core, hops: Vec<Hop>) {
        let keep = self.keep;
        self.hops =
            hops.into_iter().filter(|hop| keep == Keep::Nothing || hop.transport.is_secure()).collect();
        let datagram = self.hops.front().copied().filter(|hop| !hop.transport.is_reliable());
        if let Some(hop) = datagram.filter(|_| self.is_large) {
            // RFC 3261 §18.1.1.
            self.hops.push_front(Hop { transport: Transport::Tcp, ..hop });
        }
        self.next_hop(core);
    }

    /// The next place of this target; afterwards it can leave, waits for a connection, or there is none.
    pub(super) fn next_hop(&mut self, core: &mut Core) {
        self.way = DetourStage::None;
        while let Some(hop) = self.hops.pop_front() {
            match hop.transport {
                Transport::Udp => {
                    if let Some(flow) = core.line.datagram_flow(hop.remote) {
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

    /// True where this target cannot be reached.
    pub(super) fn is_stuck(&self) -> bool {
        self.way == DetourStage::None
    }

    /// The connection is there.
    pub(super) const fn connected(&mut self, flow: Flow) {
        self.way = DetourStage::Ready(flow);
    }
}
