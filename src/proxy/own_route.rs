//! The Routes that we record in a dialog, and how they are known again (RFC 3261 §16.6 step 4, §16.4; W29).
//!
//! One is enough where both sides are reached alike. Where they are not, each side gets one that says how we are reached
//! from there (RFC 5658); and a side that is reached over its flow alone, a client behind a NAT, in a browser, or with
//! a connection of its own, has that flow in the user part of its one (RFC 5626 §5.3). Nothing of a dialog is kept.

use std::net::{IpAddr, SocketAddr};

use super::carrier::Way;
use super::core::Core;
use super::router::Target;
use crate::machine::{ConnectionId, Flow};
use crate::sip::{Request, Transport, Uri};
use crate::time::Now;

/// The parameter that says whose dialog it is, and that the flow is of our own making.
const DIALOG: &str = "d";

/// How one side of a dialog is reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub(super) flow: Flow,
    /// Over that flow rather than at its Contact.
    pub(super) is_by_flow: bool,
}

/// What stands before the Routes of others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OwnRoutes {
    /// How many are ours and come off (§16.4).
    pub(super) count: usize,
    /// One of them was recorded in this very dialog: who has it may pass.
    pub(super) is_recorded: bool,
    /// The flow over which the side ahead is reached.
    pub(super) flow: Option<Flow>,
}

/// Our Record-Routes of a dialog, in the order in which each goes before the others: that for the caller first.
pub(super) fn record_routes(core: &Core, request: &Request, caller: Side, callee: Side) -> Vec<String> {
    let sides = [caller, callee].map(|side| record_route(core, request, side));
    let [for_caller, for_callee] = &sides;
    if for_caller == for_callee { vec![for_caller.clone()] } else { sides.to_vec() }
}

fn record_route(core: &Core, request: &Request, Side { flow, is_by_flow }: Side) -> String {
    let sockets = core.carrier.sockets();
    // W32, RFC 5630 §3.1.3: what is for sips: has a way back of that kind too.
    let scheme = if request.uri().is_sips() { "sips" } else { "sip" };
    let mark = is_by_flow.then(|| mark_of(flow));
    let seal = core.secret.dialog(request.fields().call_id(), mark.as_deref());
    let user = mark.map(|mark| format!("{mark}@")).unwrap_or_default();
    let listens = |transport: Transport| sockets.local(transport, flow.remote).is_some();
    let over = [flow.transport, Transport::Udp].into_iter().find(|transport| listens(*transport));
    let over = over.unwrap_or(Transport::Tcp).uri_param();
    format!("<{scheme}:{user}{}{over};lr;{DIALOG}={seal}>", sockets.sent_by(flow))
}

/// The topmost Routes that name us: one by which a client finds us, and those that we recorded.
pub(super) fn own_routes(core: &Core, request: &Request) -> OwnRoutes {
    let mut own = OwnRoutes::default();
    for route in request.fields().routes("Route").unwrap_or_default() {
        let is_recorded = is_recorded(core, request, &route.uri);
        if !is_recorded && core.domains.serving(&route.uri).is_none() {
            break;
        }
        own.count += 1;
        own.is_recorded |= is_recorded;
        own.flow = route.uri.user().filter(|_| is_recorded).and_then(|mark| flow_of(core, mark));
    }
    own
}

/// True where the topmost Routes are ours, recorded in this very dialog: who has them may pass.
pub(super) fn is_routed(core: &Core, request: &Request) -> bool {
    own_routes(core, request).is_recorded
}

/// Where what has come by our Route goes.
#[derive(Clone, Debug)]
pub(super) struct Ahead {
    uri: Uri,
    to: Uri,
    next: Option<Uri>,
    flow: Option<Flow>,
}

impl Ahead {
    pub(super) fn of(request: &Request, own: &OwnRoutes) -> Self {
        let fields = request.fields();
        let next = fields.routes("Route").unwrap_or_default().into_iter().nth(own.count);
        Self {
            uri: request.uri().to_sip().to_target(),
            to: fields.to().uri,
            next: next.map(|route| route.uri.to_sip()),
            flow: own.flow,
        }
    }

    /// Along the Route that is left, or over the flow that ours names, else by the binding of the Contact in the Request-URI,
    /// else to that (§16.6 steps 6, 7). None where nothing leads there, or it would leave TLS (W32).
    pub(super) fn target(&self, core: &Core, now: Now) -> Option<Target> {
        let router = core.router();
        let way = match (&self.next, self.flow.filter(|flow| core.carrier.is_usable(*flow))) {
            (Some(next), _) => router.elsewhere(next).way,
            (None, Some(flow)) => Way::FlowAlone(flow),
            (None, None) => router.way_again(&self.to, &self.uri, now)?,
        };
        Some(Target { uri: self.uri.clone(), way, device: None }).filter(|target| target.may_carry(&self.uri))
    }
}

fn is_recorded(core: &Core, request: &Request, route: &Uri) -> bool {
    let seal = core.secret.dialog(request.fields().call_id(), route.user());
    route.param(DIALOG) == Some(seal.as_str())
}

/// A flow as the user part of a URI: a stream by its number, which no other run of ours gives again.
fn mark_of(flow: Flow) -> String {
    match flow.connection {
        Some(connection) => format!("c{:x}", connection.0),
        None => format!("u{}-{}", place(flow.local), place(flow.remote)),
    }
}

fn place(address: SocketAddr) -> String {
    format!("{}_{}", address.ip(), address.port()).replace(':', "_")
}

/// The flow that a mark means, while it can be used.
fn flow_of(core: &Core, mark: &str) -> Option<Flow> {
    if let Some(number) = mark.strip_prefix('c') {
        return core.carrier.stream(ConnectionId(u64::from_str_radix(number, 16).ok()?));
    }
    let (local, remote) = mark.strip_prefix('u')?.split_once('-')?;
    let flow = Flow::udp(address(local)?, address(remote)?);
    core.carrier.is_usable(flow).then_some(flow)
}

fn address(place: &str) -> Option<SocketAddr> {
    let (ip, port) = place.rsplit_once('_')?;
    let ip: IpAddr = ip.replace('_', ":").parse().ok()?;
    Some(SocketAddr::new(ip, port.parse().ok()?))
}
