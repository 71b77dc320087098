//! The Routes that we record in a dialog, how we recognise them, and where requests that come along them go (RFC 3261
//! §16.4, §16.6 steps 4 and 6; W29).
//!
//! One Record-Route is enough if both sides are reached in the same way. Otherwise each side gets one that says how it
//! reaches us (RFC 5658). A side that is reached only over its flow (a client behind a NAT, in a browser, or with a
//! connection of its own) has that flow in the user part of its Route (RFC 5626 §5.3). Nothing of a dialog is stored: a
//! keyed hash in the Route says for which dialog we made it, who called whom, and until when it is valid. The caller
//! chooses whom To names. Who was really called is named by the Request-URI of the INVITE; where that is somebody else,
//! the Route says so.

mod forwarded;
mod seal;
mod mark;

use std::cell::LazyCell;
use std::net::IpAddr;

pub(super) use self::forwarded::PeersPart;
use self::mark::{flow_of, hex, mark_of, unhex};
use self::seal::{SealedDialog, SealedParty};
use super::core::{Core, Rejection};
use super::routing::router::{Target, is_secure, place_of};
use super::transport::request_sender::NextHop;
use crate::limits::{ROUTES_MAX, SESSION_ROUTE_SECS};
use crate::machine::Flow;
use crate::sip::{Aor, Edit, Fields, Message, Request, Transport, Uri, parse};
use crate::time::Now;

/// The parameter with the dialog of a Route, its expiry, and the proof that we made it and its flow.
const DIALOG: &str = "d";

/// The unit of a Route's expiry: coarse, so that a retransmitted INVITE gets the same Route.
const HOUR_SECS: u64 = 3600;

/// How one side of a dialog is reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub(super) flow: Flow,
    /// Reached over that flow rather than at its Contact.
    pub(super) is_by_flow: bool,
}

/// Our own Routes at the top of a request, and the first Route after them.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnRoutes {
    /// How many are ours and are removed (§16.4).
    pub(super) count: usize,
    /// The content of the last one that was recorded in this very dialog.
    recorded: Option<Recorded>,
    /// Who was really called, according to those that lead to the caller.
    called: Vec<Aor>,
    /// The flow over which the side ahead is reached.
    flow: Option<Flow>,
    next: Option<Uri>,
}

/// The content of a Route that we recorded in the dialog of a request.
#[derive(Clone, Debug)]
struct Recorded {
    /// The hour in which it expires.
    ends: u64,
    /// The party to which it leads: the one really called, or the caller.
    party: Aor,
    /// The one who was really called, if it leads to the caller.
    called: Option<Aor>,
}

impl OwnRoutes {
    /// True if one of them was recorded in this very dialog and is still valid: its bearer may pass.
    pub(super) fn is_recorded(&self, now: Now) -> bool {
        self.recorded.as_ref().is_some_and(|recorded| now.wall.as_secs() / HOUR_SECS < recorded.ends)
    }

    /// True if one was recorded in this dialog, expired or not: that is enough for an authenticated sender.
    pub(super) const fn was_recorded(&self) -> bool {
        self.recorded.is_some()
    }

    /// The party to which a Route that was recorded in this dialog leads.
    pub(super) fn party(&self) -> Option<&Aor> {
        self.recorded.as_ref().map(|recorded| &recorded.party)
    }

    /// True if the Route names this flow, over which the side ahead is reached.
    pub(super) fn leads_over(&self, flow: Flow) -> bool {
        self.next.is_none() && self.flow == Some(flow)
    }

    /// True if a Route of others is left.
    pub(super) const fn has_way(&self) -> bool {
        self.next.is_some()
    }

    /// The next hop, if it is a strict router (§16.6 step 6).
    pub(super) fn strict(&self) -> Option<&Uri> {
        self.next.as_ref().filter(|next| !next.is_loose_router())
    }
}

/// Our Record-Routes of a dialog, in the order in which they are pushed on top: the one for the caller first.
pub(super) fn record_routes(
    core: &Core,
    request: &Request,
    (caller, callee): (Side, Side),
    now: Now,
) -> Vec<String> {
    let dialog = SealedDialog::of(core, request.fields());
    let sides = [caller, callee].map(|side| record_route(core, (request, &dialog), side, now));
    let [for_caller, for_callee] = &sides;
    if for_caller == for_callee { vec![for_caller.clone()] } else { sides.to_vec() }
}

fn record_route(
    core: &Core,
    (request, dialog): (&Request, &SealedDialog<'_>),
    Side { flow, is_by_flow }: Side,
    now: Now,
) -> String {
    let sockets = core.sender.sockets();
    // W32, RFC 5630 §3.1.3: a request to `sips:` needs a `sips:` way back.
    let scheme = if request.uri().is_sips() { "sips" } else { "sip" };
    let mark = is_by_flow.then(|| mark_of(flow));
    let ends = now.wall.as_secs().saturating_add(SESSION_ROUTE_SECS) / HOUR_SECS + 1;
    let (caller, callee) = (&dialog.sender, &dialog.recipient);
    let called = core.domains.person(request.uri());
    let named = if called == callee.person { String::new() } else { format!(".{}", hex(called.as_str())) };
    let seal = dialog.seal(core, (caller, callee), &called, (ends, mark.as_deref()));
    let user = mark.map(|mark| format!("{mark}@")).unwrap_or_default();
    let listens = |transport: Transport| sockets.local(transport, flow.remote).is_some();
    let over = [flow.transport, Transport::Udp].into_iter().find(|transport| listens(*transport));
    let over = over.unwrap_or(Transport::Tcp).uri_param();
    format!("<{scheme}:{user}{}{over};lr;{DIALOG}={ends:x}.{seal}{named}>", sockets.sent_by(flow))
}

/// The topmost Routes that name us: those by which a client finds us, and those that we recorded.
pub(super) fn own_routes(core: &Core, request: &Request) -> OwnRoutes {
    let mut own = OwnRoutes::default();
    if has_too_many_routes(request) {
        return own;
    }
    let dialog = LazyCell::new(|| SealedDialog::of(core, request.fields()));
    for route in request.fields().routes("Route").unwrap_or_default() {
        let recorded = if is_marked(&route.uri) { recorded(core, &dialog, &route.uri) } else { None };
        if recorded.is_none() && !core.domains.is_us(&route.uri) {
            own.next = Some(route.uri);
            break;
        }
        own.count += 1;
        own.flow = route.uri.user().filter(|_| recorded.is_some()).and_then(|mark| flow_of(core, mark));
        own.called.extend(recorded.as_ref().and_then(|recorded| recorded.called.clone()));
        // If a call passed here twice, the last Route leads to the party itself.
        own.recorded = recorded.or(own.recorded);
    }
    if own.recorded.as_ref().is_some_and(|recorded| is_for_another(core, request, &recorded.party)) {
        (own.recorded, own.flow) = (None, None);
        own.called.clear();
    }
    own
}

/// A Route that we recorded leads to a party of its dialog. If the Request-URI names another user of ours, the Route
/// does not count: otherwise one call would be a pass to everybody here.
fn is_for_another(core: &Core, request: &Request, party: &Aor) -> bool {
    core.domains.aor(request.uri()).is_some_and(|named| named != *party)
}

/// More Routes than any request needs: each is compared with ours, which costs time.
fn has_too_many_routes(request: &Request) -> bool {
    request.fields().tokens("Route").count() > ROUTES_MAX
}

/// Refuses more Routes than any request needs, or one that cannot be parsed.
pub(super) fn check_routes(request: &Request) -> Result<(), Rejection> {
    if has_too_many_routes(request) {
        return Err(Rejection::because(400, "Too Many Routes"));
    }
    request.fields().routes("Route")?;
    Ok(())
}

/// §16.4: a strict router before us has moved our recorded Route into the Request-URI, and the Request-URI to the end
/// of the Routes. Returns the request as it was before; `None` if nobody did that.
pub(super) fn restored(core: &Core, request: &Request) -> Option<Request> {
    let uri = request.uri();
    if !uri.is_loose_router() || has_too_many_routes(request) {
        return None;
    }
    let last = request.fields().routes("Route").ok()?.pop()?.uri;
    let is_proxy = |uri: &Uri| uri.user().is_none() && core.domains.serving(uri).is_some();
    let is_sealed =
        is_marked(uri) && recorded(core, &SealedDialog::of(core, request.fields()), uri).is_some();
    if !is_sealed && (!is_proxy(uri) || is_proxy(&last)) {
        return None;
    }
    let edit = Edit::request(request).uri(&last.to_target()).pop_back("Route");
    match parse(edit.push_front("Route", format_args!("<{uri}>")).print()) {
        Ok(Message::Request(request)) => Some(request),
        Ok(Message::Response(_)) | Err(_) => None,
    }
}

/// The Routes that a request keeps for the next hop: ours are removed; for a strict router, its URI goes into the
/// Request-URI and the Request-URI to the end of the Routes (§16.6 step 6).
pub(super) fn pass_routes<'a>(edit: Edit<'a>, request: &Request, own: &OwnRoutes) -> Edit<'a> {
    let edit = edit.pop_many("Route", own.count);
    match own.strict() {
        Some(_) => {
            edit.pop("Route").push_back("Route", format_args!("<{}>", request.uri().to_sip().to_target()))
        }
        None => edit,
    }
}

/// Where a request that came along our Route goes.
#[derive(Clone, Debug)]
pub(super) struct Ahead {
    uri: Uri,
    to: Uri,
    /// In a dialog, its other party.
    party: Option<Aor>,
    next: Option<Uri>,
    flow: Option<Flow>,
}

impl Ahead {
    pub(super) fn of(request: &Request, own: &OwnRoutes) -> Self {
        let next = own.next.as_ref().map(|next| next.to_sip().to_target());
        let uri = request.uri().to_sip().to_target();
        let party = own.recorded.as_ref().map(|recorded| recorded.party.clone());
        Self { uri, to: request.fields().to().uri, party, next, flow: own.flow }
    }

    /// Whether its recipient has blocked this sender: in a dialog the other party, else the owner of the Request-URI
    /// and of the place that a Route names. To does not count, since the sender chooses it.
    pub(super) fn is_blocked(&self, core: &Core, sender: &Aor, now: Now) -> bool {
        let (router, behind) = (core.router(), self.next.as_ref().and_then(place_of));
        self.party.as_ref().is_some_and(|party| core.users.block(party, sender))
            || router.is_blocked(&self.uri, sender, now)
            || behind.is_some_and(|place| router.is_blocked_at(place, sender, now))
    }

    /// The user of ours who is there: in a dialog its other party, else the one whom To names.
    fn owner(&self, core: &Core) -> Option<Aor> {
        match &self.party {
            Some(party) => Some(party.clone()).filter(|party| core.domains.serves(party)),
            None => core.domains.aor(&self.to),
        }
    }

    /// The target: along the Routes that are left; or over the flow that our Route names; or to the user of ours in the
    /// Request-URI; or by the binding with that Contact; or to that URI (§16.6 steps 6, 7). `None` if it leads nowhere,
    /// or would leave TLS (W32).
    pub(super) fn target(&self, core: &Core, now: Now) -> Option<Target> {
        let router = core.router();
        let target = match (&self.next, self.flow(core), core.domains.aor(&self.uri)) {
            (Some(next), ..) => router.elsewhere(next),
            (None, Some(flow), _) => Target::at(self.uri.clone(), NextHop::FlowAlone(flow)),
            (None, None, Some(aor)) => {
                let mut targets = router.at_bindings(&aor, now);
                return targets.find(|target| target.may_carry(&self.uri));
            }
            (None, None, None) => {
                let again = router.way_to_contact(self.owner(core).as_ref(), &self.uri, now)?;
                Some(again).filter(|again| !self.to.is_sips() || is_secure(&again.way))?
            }
        };
        let strict = self.next.as_ref().filter(|next| !next.is_loose_router());
        let uri = strict.unwrap_or(&self.uri).clone();
        Some(Target { uri, device: None, is_by_recipient: false, ..target })
            .filter(|target| target.may_carry(&self.uri))
    }

    /// Whether a party of the dialog is known to be at that place, so that anybody's request may go there. Requests to
    /// any other place need an authenticated sender.
    pub(super) fn is_known(&self, core: &Core, request: &Request, now: Now) -> bool {
        if self.next.is_none() && (self.flow(core).is_some() || core.domains.aor(&self.uri).is_some()) {
            return true;
        }
        let there = self.next.as_ref().unwrap_or(&self.uri);
        let (router, owner) = (core.router(), self.owner(core));
        // Who answers may claim to be at another user's place, but that user is no party of this dialog.
        if self.next.is_none() && router.owners(there, now).next().is_some() {
            return owner.is_some_and(|owner| router.is_owner(&owner, there, now));
        }
        self.is_party_at(core, request, there, now)
            || (self.next.is_none() && is_binding(core, owner.as_ref(), there, now))
    }

    /// Whether the other party, or a proxy before it, named that place when it answered this sender's INVITE.
    fn is_said(&self, core: &Core, request: &Request, now: Now) -> bool {
        let there = self.next.as_ref().unwrap_or(&self.uri);
        party_to(core, request.fields()).is_some_and(|party| is_known_at(core, party, there, now))
    }

    /// The same, if the call was made from the computer that this request comes from.
    pub(super) fn is_said_to(&self, core: &Core, request: &Request, from: IpAddr, now: Now) -> bool {
        let party = party_to(core, request.fields());
        let is_from_there = party.is_some_and(|party| core.calls.was_made_from(party, from, now.mono));
        // Only our Route can say which user of ours was called.
        let is_name = self.next.is_none() && core.domains.aor(&self.uri).is_some();
        is_from_there && !is_name && self.is_said(core, request, now)
    }

    /// Whether the other party named that place when it answered, or when it called.
    fn is_party_at(&self, core: &Core, request: &Request, there: &Uri, now: Now) -> bool {
        self.is_said(core, request, now) || self.is_caller_at(core, request, (there, true), now)
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
        party.is_some_and(|party| is_known_at(core, party, there, now))
    }

    fn flow(&self, core: &Core) -> Option<Flow> {
        self.flow.filter(|flow| core.sender.is_usable(*flow))
    }
}

/// Whether a party is known to be there. A trusted peer that had no part in the call is not reached by naming it.
fn is_known_at(core: &Core, party: u128, there: &Uri, now: Now) -> bool {
    let is_peer = place_of(there).is_some_and(|place| core.config.names(place.ip()));
    core.calls.knows(party, &there.place(), now.mono)
        && (!is_peer || core.calls.is_behind_peer(party, now.mono))
}

/// Whether that user of ours is registered there.
fn is_binding(core: &Core, owner: Option<&Aor>, there: &Uri, now: Now) -> bool {
    let place = there.place();
    let mut bindings = owner.into_iter().flat_map(|aor| core.location.bindings(aor, now.mono));
    bindings.any(|binding| binding.row.contact.place() == place)
}

/// The key of the party that called. What a stranger says about itself is kept apart, so that requests of other
/// strangers do not go there.
pub(super) fn caller(core: &Core, fields: &Fields, tag: &str, may_send: bool) -> u128 {
    core.secret.party(&[fields.call_id(), tag, if may_send { "" } else { "stranger" }])
}

/// The key of the party in To, in its dialog with the party in From.
pub(super) fn party_to(core: &Core, fields: &Fields) -> Option<u128> {
    let (from, to) = (fields.from(), fields.to());
    let people = [core.domains.person(&from.uri), core.domains.person(&to.uri)];
    let [sender, recipient] = people.each_ref().map(Aor::as_str);
    Some(core.secret.party(&[fields.call_id(), from.tag()?, sender, to.tag()?, recipient]))
}

/// Who was really called in the dialog of a response, according to the Route that we recorded.
pub(super) fn called(core: &Core, fields: &Fields) -> Option<Aor> {
    let routes = fields.routes("Record-Route").ok()?;
    let dialog = LazyCell::new(|| SealedDialog::of(core, fields));
    let mut marked = routes.iter().take(ROUTES_MAX).filter(|route| is_marked(&route.uri));
    marked.find_map(|route| recorded(core, &dialog, &route.uri)).map(|recorded| recorded.party)
}

/// True for a Route that may be one of those that we recorded. For any other the dialog need not be read.
fn is_marked(route: &Uri) -> bool {
    route.param(DIALOG).is_some()
}

/// The content of a Route, if we recorded it in this dialog.
fn recorded(core: &Core, dialog: &SealedDialog<'_>, route: &Uri) -> Option<Recorded> {
    let mut parts = route.param(DIALOG)?.splitn(3, '.');
    let (ends, seal) = (u64::from_str_radix(parts.next()?, 16).ok()?, parts.next()?);
    let named = match parts.next() {
        Some(named) => Some(Aor::parse(&unhex(named)?)?),
        None => None,
    };
    if !dialog.is_established() {
        return None;
    }
    let (sender, recipient) = (&dialog.sender, &dialog.recipient);
    let is_of = |caller: &SealedParty, callee: &SealedParty| {
        let called = named.as_ref().unwrap_or(&callee.person);
        dialog.seal(core, (caller, callee), called, (ends, route.user())) == seal
    };
    let (party, called) = if is_of(sender, recipient) {
        (named.unwrap_or_else(|| recipient.person.clone()), None)
    } else if is_of(recipient, sender) {
        (recipient.person.clone(), Some(named.unwrap_or_else(|| sender.person.clone())))
    } else {
        return None;
    };
    Some(Recorded { ends, party, called })
}
