//! Requests of sessions: INVITE, what belongs to it, and what follows it, forwarded without state and record-routed
//! (RFC 3261 §16.11, §16.6), so that phones of ours can talk and a MESSAGE of their dialog comes by (W29).
//!
//! **Invariant:** nothing of a session is kept. Where a response goes stands in its Via, and that a request may pass
//! stands in its Route; a keyed hash says that both are of our own making. A connection that lives is used again for what goes
//! back to its other end.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::admission::{check_required, may_send};
use super::auth::{self, Role};
use super::carrier::{User, Way};
use super::core::{Core, Rejection};
use super::identity;
use super::own_route::{Ahead, OwnRoutes, Side, is_routed, own_routes, record_routes};
use super::reach::is_caller_by_flow;
use super::router::{Target, TargetSet, is_routable};
use crate::limits::{SESSION_BYTES_WAITING_MAX, SESSION_REQUESTS_WAITING_MAX};
use crate::machine::{Flow, Hop};
use crate::sip::{
    Edit, Fields, Message, Method, Request, Response, SECONDARY_TO, Transport, Uri, Via, parse,
};
use crate::time::Now;

/// What waits for its flow.
#[derive(Debug)]
enum Passing {
    Request { request: Box<Request>, uri: Uri, from: Flow, is_by_flow: bool },
    Response(Bytes),
}

/// What is on its way through.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    waiting: BTreeMap<u64, Passing>,
    last: u64,
    /// Bytes of what waits.
    bytes: usize,
}

impl Passing {
    fn bytes(&self) -> usize {
        match self {
            Self::Request { request, .. } => request.bytes().len(),
            Self::Response(bytes) => bytes.len(),
        }
    }
}

/// True for a request that is passed on without a transaction.
pub(super) fn is_of_session(core: &Core, request: &Request) -> bool {
    match request.method() {
        Method::Invite | Method::Ack | Method::Bye | Method::Cancel => true,
        Method::Subscribe | Method::Notify | Method::Other(_) => is_routed(core, request),
        Method::Message | Method::Register | Method::Options => false,
    }
}

impl Sessions {
    /// Passes a request on to one place, or refuses it; an ACK is never answered.
    pub(super) fn request(&mut self, core: &mut Core, request: &Request, flow: Flow, now: Now) {
        match self.judge(core, request, flow, now) {
            Ok(Target { uri, way, .. }) => {
                let is_by_flow = is_by_flow(&way);
                let request = Box::new(request.clone());
                self.pass(core, Passing::Request { request, uri, from: flow, is_by_flow }, way, now);
            }
            Err(rejection) if *request.method() != Method::Ack => {
                let bytes = core.print_refusal(request, flow, &rejection);
                core.transmit(flow, bytes);
            }
            Err(_unanswered) => {}
        }
    }

    /// Passes a response back to where its request came from. One to a request that did not pass here is dropped.
    pub(super) fn response(&mut self, core: &mut Core, response: &Response, now: Now) {
        let branch = response.fields().top_via().branch().map(str::to_owned);
        let stripped = Edit::response(response).pop("Via").print();
        // The Via below ours is the topmost one now.
        let Ok(Message::Response(below)) = parse(stripped.clone()) else {
            return;
        };
        let via = below.fields().top_via();
        if branch.as_deref() != Some(branch_of(core, &via, below.fields()).as_str()) {
            return;
        }
        if self.has_no_room(stripped.len()) {
            return;
        }
        if let Some(way) = way_back(core, &via) {
            self.pass(core, Passing::Response(stripped), way, now);
        }
    }

    /// A flow is there: what waited for it leaves.
    pub(super) fn ready(&mut self, core: &mut Core, number: u64, flow: Flow) {
        let bytes = match self.take(number) {
            Some(Passing::Request { request, uri, from, is_by_flow }) => {
                print(core, &request, &uri, from, Side { flow, is_by_flow })
            }
            Some(Passing::Response(bytes)) => bytes,
            None => return,
        };
        core.transmit(flow, bytes);
    }

    /// There is no way: the sender of a request hears of it.
    pub(super) fn failed(&mut self, core: &mut Core, number: u64) {
        let Some(Passing::Request { request, from, .. }) = self.take(number) else {
            return;
        };
        if *request.method() != Method::Ack {
            let bytes = core.print_refusal(&request, from, &Rejection::because(500, "No Route"));
            core.transmit(from, bytes);
        }
    }

    fn take(&mut self, number: u64) -> Option<Passing> {
        let passing = self.waiting.remove(&number)?;
        self.bytes = self.bytes.saturating_sub(passing.bytes());
        Some(passing)
    }

    fn has_no_room(&self, more: usize) -> bool {
        self.waiting.len() >= SESSION_REQUESTS_WAITING_MAX
            || self.bytes.saturating_add(more) > SESSION_BYTES_WAITING_MAX
    }

    /// Bytes of what waits for a connection or a name.
    #[cfg(test)]
    pub(super) const fn held(&self) -> usize {
        self.bytes
    }

    fn judge(&self, core: &mut Core, request: &Request, flow: Flow, now: Now) -> Result<Target, Rejection> {
        if request.bytes().len() > core.config.message_bytes_max {
            return Err(Rejection::new(413));
        }
        if request.fields().max_forwards()?.unwrap_or(70) == 0 {
            return Err(Rejection::new(483));
        }
        check_required(request, "Proxy-Require", &[SECONDARY_TO])?;
        if self.has_no_room(request.bytes().len()) {
            return Err(Rejection::busy());
        }
        let own = own_routes(core, request);
        if own.is_recorded {
            return routed(core, request, &own, now);
        }
        // A Route of others behind ours, or without ours, is for who may send to others.
        let has_way = request.fields().routes("Route")?.len() > own.count;
        let is_ours = !has_way && core.domains.serving(request.uri()).is_some();
        if !is_ours && !may_send(core, request, flow) {
            return Err(Rejection::because(403, "Relaying Denied"));
        }
        // Neither an ACK nor a CANCEL can be asked for credentials (§22.1).
        if !matches!(request.method(), Method::Ack | Method::Cancel) {
            auth::check(core, request, flow, Role::Caller, now)?;
        }
        if has_way {
            return routed(core, request, &own, now);
        }
        let callee = core.domains.aor(request.uri());
        if callee.is_some_and(|callee| core.users.block(&callee, &identity::sender(core, request, flow))) {
            return Err(Rejection::new(403));
        }
        // §16.11: a proxy without state sends to one target, the same one each time.
        match core.router().targets(request.uri(), now) {
            TargetSet::Targets(targets) => targets.into_iter().next().ok_or_else(|| Rejection::new(480)),
            TargetSet::Nobody => Err(Rejection::new(480)),
            TargetSet::Unknown => Err(Rejection::new(404)),
            TargetSet::Unsupported => Err(Rejection::new(416)),
        }
    }

    fn pass(&mut self, core: &mut Core, passing: Passing, way: Way, now: Now) {
        self.last += 1;
        self.bytes += passing.bytes();
        self.waiting.insert(self.last, passing);
        let ends = core.timer_f(now);
        core.carrier.begin(User::Session(self.last), way, ends);
    }
}

/// Along the Route that is left after ours, else to the Request-URI (§16.4, §16.6 step 7).
fn routed(core: &Core, request: &Request, own: &OwnRoutes, now: Now) -> Result<Target, Rejection> {
    if !is_routable(request.uri()) {
        return Err(Rejection::new(416));
    }
    Ahead::of(request, own).target(core, now).ok_or(Rejection::new(480))
}

/// True where a callee is reached over this flow, and not only at the address that its Contact names.
const fn is_by_flow(way: &Way) -> bool {
    match way {
        Way::FlowAlone(_) => true,
        Way::Flow(flow) => flow.transport.is_reliable(),
        Way::Hop(_) | Way::Lookup { .. } => false,
    }
}

/// The request for the next hop (§16.6), with what the answer needs to find back in the Via that it came with
/// (§18.2.1, RFC 3581 §4).
fn print(core: &Core, request: &Request, uri: &Uri, from: Flow, callee: Side) -> Bytes {
    let fields = request.fields();
    let via = fields.top_via();
    let branch = branch_of(core, &via, fields);
    let hops_left = fields.max_forwards().ok().flatten().map_or(70, |hops| hops.saturating_sub(1));
    let sockets = core.carrier.sockets();
    let mut edit = Edit::request(request)
        .uri(uri)
        .pop("Via")
        .push_front("Via", with_source(via, from))
        .push_front("Via", sockets.via(callee.flow, &branch))
        .set("Max-Forwards", hops_left);
    let own = own_routes(core, request);
    for _ in 0..own.count {
        edit = edit.pop("Route");
    }
    if *request.method() == Method::Invite && !own.is_recorded {
        let caller = Side { flow: from, is_by_flow: is_caller_by_flow(request, from) };
        for route in record_routes(core, request, caller, callee) {
            edit = edit.push_front("Record-Route", route);
        }
    }
    identity::pass_on(core, edit, request, (from, callee.flow)).print()
}

/// §16.11: from what is the same in a retransmission, in a CANCEL and in the ACK of a failure, and in every response.
fn branch_of(core: &Core, via: &Via, fields: &Fields) -> String {
    let port = via.port.map(|port| port.to_string()).unwrap_or_default();
    let from = fields.from();
    let cseq = fields.cseq().to_string();
    let parts = [
        via.branch().unwrap_or_default(),
        &via.host,
        &port,
        fields.call_id(),
        from.tag().unwrap_or_default(),
        &cseq,
    ];
    core.secret.session_branch(&parts)
}

fn with_source(mut via: Via, from: Flow) -> Via {
    via.params
        .0
        .retain(|(name, _)| !["received", "rport"].iter().any(|ours| name.eq_ignore_ascii_case(ours)));
    via.params.0.push(("received".to_owned(), Some(from.remote.ip().to_string())));
    via.params.0.push(("rport".to_owned(), Some(from.remote.port().to_string())));
    via
}

/// The way of a response by the Via that we completed: over the connection of its request, and if that is gone over one to
/// where its client listens (§18.2.2); over datagrams to where it came from (RFC 3581 §4).
fn way_back(core: &Core, via: &Via) -> Option<Way> {
    let transport = Transport::parse(&via.transport)?;
    let ip: IpAddr = via.params.get("received")?.parse().ok()?;
    let remote = SocketAddr::new(ip, via.params.get("rport")?.parse().ok()?);
    let listens = SocketAddr::new(ip, via.port.unwrap_or_else(|| transport.default_port()));
    match (core.carrier.stream_to(Hop { transport, remote }), transport) {
        (Some(flow), _) => Some(Way::Flow(flow)),
        (None, Transport::Udp) => Some(Way::Hop(Hop { transport, remote })),
        (None, Transport::Tcp | Transport::Tls) => Some(Way::Hop(Hop { transport, remote: listens })),
        // Nobody connects to a browser (RFC 7118 §5.2).
        (None, Transport::Ws | Transport::Wss) => None,
    }
}
