//! The Routes that we record in a dialog, how they are known again, and where what comes by them goes (RFC 3261 §16.4,
//! §16.6 steps 4 and 6; W29).
//!
//! One is enough where both sides are reached alike. Where they are not, each side gets one that says how we are reached
//! from there (RFC 5658); and a side that is reached over its flow alone, a client behind a NAT, in a browser, or with
//! a connection of its own, has that flow in the user part of its one (RFC 5626 §5.3). Nothing of a dialog is stored: a keyed hash
//! in the Route says for which dialog we made it, who called whom in it, and until when it counts.

use std::net::{IpAddr, SocketAddr};

use super::carrier::{Consent, Way};
use super::core::{Core, Rejection};
use super::router::Target;
use crate::limits::{ROUTES_MAX, SESSION_ROUTE_SECS};
use crate::machine::{ConnectionId, Flow};
use crate::sip::{Aor, Edit, Fields, Message, Request, Transport, Uri, parse};
use crate::time::Now;

/// The parameter that says whose dialog it is, until when it counts, and that the flow is of our own making.
const DIALOG: &str = "d";

/// In what the end of a Route is counted: coarse, so that a retransmitted INVITE gets the same Route.
const HOUR_SECS: u64 = 3600;

/// How one side of a dialog is reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub(super) flow: Flow,
    /// Over that flow rather than at its Contact.
    pub(super) is_by_flow: bool,
}

/// What stands before the Routes of others, and the first of those.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnRoutes {
    /// How many are ours and come off (§16.4).
    pub(super) count: usize,
    /// The hour in which one of them ends that was recorded in this very dialog.
    ends: Option<u64>,
    /// The flow over which the side ahead is reached.
    flow: Option<Flow>,
    next: Option<Uri>,
}

impl OwnRoutes {
    /// One of them was recorded in this very dialog, and still counts: who has it may pass.
    pub(super) fn is_recorded(&self, now: Now) -> bool {
        self.ends.is_some_and(|ends| now.wall.as_secs() / HOUR_SECS < ends)
    }

    /// The same, whenever that was: for somebody who has proved who he is, the end is none.
    pub(super) const fn was_recorded(&self) -> bool {
        self.ends.is_some()
    }

    /// A Route of others is left.
    pub(super) const fn has_way(&self) -> bool {
        self.next.is_some()
    }

    /// The next hop, where it is a strict router (§16.6 step 6).
    pub(super) fn strict(&self) -> Option<&Uri> {
        self.next.as_ref().filter(|next| !next.is_loose_router())
    }
}

/// Who called whom in a dialog, as its requests say.
struct Parties<'a> {
    call_id: &'a str,
    caller_tag: &'a str,
    caller: &'a Aor,
    callee: &'a Aor,
}

impl Parties<'_> {
    fn seal(&self, core: &Core, hour: u64, mark: Option<&str>) -> String {
        let (hour, mark) = (hour.to_string(), mark.map_or_else(String::new, |mark| format!("{mark}@")));
        let (caller, callee) = (self.caller.as_str(), self.callee.as_str());
        core.secret.dialog(&[self.call_id, self.caller_tag, caller, callee, &hour, &mark])
    }
}

/// Our Record-Routes of a dialog, in the order in which each goes before the others: that for the caller first.
pub(super) fn record_routes(
    core: &Core,
    request: &Request,
    (caller, callee): (Side, Side),
    now: Now,
) -> Vec<String> {
    let sides = [caller, callee].map(|side| record_route(core, request, side, now));
    let [for_caller, for_callee] = &sides;
    if for_caller == for_callee { vec![for_caller.clone()] } else { sides.to_vec() }
}

fn record_route(core: &Core, request: &Request, Side { flow, is_by_flow }: Side, now: Now) -> String {
    let (sockets, fields) = (core.carrier.sockets(), request.fields());
    // W32, RFC 5630 §3.1.3: what is for sips: has a way back of that kind too.
    let scheme = if request.uri().is_sips() { "sips" } else { "sip" };
    let mark = is_by_flow.then(|| mark_of(flow));
    let ends = now.wall.as_secs().saturating_add(SESSION_ROUTE_SECS) / HOUR_SECS + 1;
    let (from, to) = (fields.from(), fields.to());
    let (caller, callee) = (core.domains.person(&from.uri), core.domains.person(&to.uri));
    let caller_tag = from.tag().unwrap_or_default();
    let parties = Parties { call_id: fields.call_id(), caller_tag, caller: &caller, callee: &callee };
    let seal = parties.seal(core, ends, mark.as_deref());
    let user = mark.map(|mark| format!("{mark}@")).unwrap_or_default();
    let listens = |transport: Transport| sockets.local(transport, flow.remote).is_some();
    let over = [flow.transport, Transport::Udp].into_iter().find(|transport| listens(*transport));
    let over = over.unwrap_or(Transport::Tcp).uri_param();
    format!("<{scheme}:{user}{}{over};lr;{DIALOG}={ends:x}.{seal}>", sockets.sent_by(flow))
}

/// The topmost Routes that name us: one by which a client finds us, and those that we recorded.
pub(super) fn own_routes(core: &Core, request: &Request) -> OwnRoutes {
    let mut own = OwnRoutes::default();
    if has_too_many_routes(request) {
        return own;
    }
    for route in request.fields().routes("Route").unwrap_or_default() {
        let ends = recorded_until(core, request, &route.uri);
        if ends.is_none() && core.domains.serving(&route.uri).is_none() {
            own.next = Some(route.uri);
            break;
        }
        own.count += 1;
        own.flow = route.uri.user().filter(|_| ends.is_some()).and_then(|mark| flow_of(core, mark));
        own.ends = own.ends.or(ends);
    }
    if own.ends.is_some() && is_for_another(core, request) {
        (own.ends, own.flow) = (None, None);
    }
    own
}

/// A Route that we recorded leads to a party of its dialog. Where the Request-URI names another one of ours, it is a request as any other:
/// else one call would be a pass to everybody here.
fn is_for_another(core: &Core, request: &Request) -> bool {
    let named = core.domains.aor(request.uri());
    named.is_some_and(|named| core.domains.aor(&request.fields().to().uri) != Some(named))
}

/// More than any request has need of: each is compared with what is ours.
fn has_too_many_routes(request: &Request) -> bool {
    request.fields().tokens("Route").count() > ROUTES_MAX
}

/// More Routes than any request has need of, or one that does not read.
pub(super) fn check_routes(request: &Request) -> Result<(), Rejection> {
    if has_too_many_routes(request) {
        return Err(Rejection::because(400, "Too Many Routes"));
    }
    request.fields().routes("Route")?;
    Ok(())
}

/// True where the topmost Routes are ours, recorded in this very dialog: who has them may pass.
pub(super) fn is_routed(core: &Core, request: &Request, now: Now) -> bool {
    own_routes(core, request).is_recorded(now)
}

/// §16.4: a strict router before us has put the Route that we recorded into the Request-URI, and the Request-URI last into Route. The
/// request as it was before that; none where nobody did.
pub(super) fn restored(core: &Core, request: &Request) -> Option<Request> {
    let uri = request.uri();
    if !uri.is_loose_router() || has_too_many_routes(request) {
        return None;
    }
    let last = request.fields().routes("Route").ok()?.pop()?.uri;
    let is_proxy = |uri: &Uri| uri.user().is_none() && core.domains.serving(uri).is_some();
    let is_sealed = recorded_until(core, request, uri).is_some();
    if !is_sealed && (!is_proxy(uri) || is_proxy(&last)) {
        return None;
    }
    let edit = Edit::request(request).uri(&last.to_target()).pop_back("Route");
    match parse(edit.push_front("Route", format_args!("<{uri}>")).print()) {
        Ok(Message::Request(request)) => Some(request),
        Ok(Message::Response(_)) | Err(_) => None,
    }
}

/// The Routes that a request keeps for the next hop: ours come off, and a strict router finds itself in the Request-URI
/// and the Request-URI at the end (§16.6 step 6).
pub(super) fn pass_routes<'a>(edit: Edit<'a>, request: &Request, own: &OwnRoutes) -> Edit<'a> {
    let edit = edit.pop_many("Route", own.count);
    match own.strict() {
        Some(_) => {
            edit.pop("Route").push_back("Route", format_args!("<{}>", request.uri().to_sip().to_target()))
        }
        None => edit,
    }
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
        let next = own.next.as_ref().map(|next| next.to_sip().to_target());
        let uri = request.uri().to_sip().to_target();
        Self { uri, to: request.fields().to().uri, next, flow: own.flow }
    }

    /// Along the Route that is left, or over the flow that ours names, else to one of ours whom the Request-URI names or by the
    /// binding of the Contact in it, else to that (§16.6 steps 6, 7). None where nothing leads there, or it would leave
    /// TLS (W32).
    pub(super) fn target(&self, core: &Core, now: Now) -> Option<Target> {
        let router = core.router();
        let (way, consent) = match (&self.next, self.flow(core), core.domains.aor(&self.uri)) {
            (Some(next), ..) => router.elsewhere(next).into_way(),
            (None, Some(flow), _) => (Way::FlowAlone(flow), Consent::NotNeeded),
            (None, None, Some(aor)) => {
                let mut targets = router.at_bindings(&aor, now);
                return targets.find(|target| target.may_carry(&self.uri));
            }
            (None, None, None) => router.way_again(&self.to, &self.uri, now)?,
        };
        let strict = self.next.as_ref().filter(|next| !next.is_loose_router());
        let uri = strict.unwrap_or(&self.uri).clone();
        Some(Target { uri, way, device: None, consent }).filter(|target| target.may_carry(&self.uri))
    }

    /// Whether that is a place where a party of the dialog is known to be: it is sent there whoever asks. Anywhere else is for
    /// who has proved himself.
    pub(super) fn is_known(&self, core: &Core, request: &Request, now: Now) -> bool {
        if self.next.is_none() && (self.flow(core).is_some() || core.domains.aor(&self.uri).is_some()) {
            return true;
        }
        let there = self.next.as_ref().unwrap_or(&self.uri);
        self.is_party_at(core, request, there, now)
            || (self.next.is_none() && self.is_binding(core, there, now))
    }

    /// Whether the other party, or a proxy before it, has said so when it answered the INVITE of this sender.
    pub(super) fn is_said(&self, core: &Core, request: &Request, now: Now) -> bool {
        let there = self.next.as_ref().unwrap_or(&self.uri);
        let party = party_to(core, request.fields());
        party.is_some_and(|party| core.calls.knows(party, &there.place(), now.mono))
    }

    /// The same, or when it called.
    fn is_party_at(&self, core: &Core, request: &Request, there: &Uri, now: Now) -> bool {
        self.is_said(core, request, now) || self.is_caller_at(core, request, (there, true), now)
    }

    /// Whether that is where the caller said that he is, whoever he may be: a callee who has proved that he is a user
    /// answers there.
    pub(super) fn leads_to_caller(&self, core: &Core, request: &Request, now: Now) -> bool {
        let there = self.next.as_ref().unwrap_or(&self.uri);
        self.is_known(core, request, now) || self.is_caller_at(core, request, (there, false), now)
    }

    fn is_caller_at(
        &self,
        core: &Core,
        request: &Request,
        (there, may_send): (&Uri, bool),
        now: Now,
    ) -> bool {
        let (fields, to) = (request.fields(), request.fields().to());
        let party = to.tag().map(|tag| caller(core, fields, tag, may_send));
        party.is_some_and(|party| core.calls.knows(party, &there.place(), now.mono))
    }

    /// Whether somebody of ours in To is registered there.
    fn is_binding(&self, core: &Core, there: &Uri, now: Now) -> bool {
        let Some(aor) = core.domains.aor(&self.to) else { return false };
        let place = there.place();
        core.location.bindings(&aor, now.mono).any(|binding| binding.row.contact.place() == place)
    }

    fn flow(&self, core: &Core) -> Option<Flow> {
        self.flow.filter(|flow| core.carrier.is_usable(*flow))
    }
}

/// The number of the party that called. What a stranger says of himself is kept apart: requests of other strangers do not go
/// there.
pub(super) fn caller(core: &Core, fields: &Fields, tag: &str, may_send: bool) -> u128 {
    core.secret.party(&[fields.call_id(), tag, if may_send { "" } else { "stranger" }])
}

/// The number of the party in To, of the dialog with the one in From.
pub(super) fn party_to(core: &Core, fields: &Fields) -> Option<u128> {
    let (from, to) = (fields.from(), fields.to());
    let people = [core.domains.person(&from.uri), core.domains.person(&to.uri)];
    let [sender, recipient] = people.each_ref().map(Aor::as_str);
    Some(core.secret.party(&[fields.call_id(), from.tag()?, sender, to.tag()?, recipient]))
}

/// The hour in which a Route ends that we recorded in the dialog of this request.
fn recorded_until(core: &Core, request: &Request, route: &Uri) -> Option<u64> {
    let (ends, seal) = route.param(DIALOG)?.split_once('.')?;
    let ends = u64::from_str_radix(ends, 16).ok()?;
    let fields = request.fields();
    let (from, to) = (fields.from(), fields.to());
    // Without a tag of either it is in no dialog.
    let (from_tag, to_tag) = (from.tag()?, to.tag()?);
    let (sender, recipient) = (core.domains.person(&from.uri), core.domains.person(&to.uri));
    let is_of = |caller_tag, caller, callee| {
        let parties = Parties { call_id: fields.call_id(), caller_tag, caller, callee };
        parties.seal(core, ends, route.user()) == seal
    };
    let is_recorded = is_of(from_tag, &sender, &recipient) || is_of(to_tag, &recipient, &sender);
    is_recorded.then_some(ends)
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
