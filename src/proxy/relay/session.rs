//! Session requests: INVITE, its ACK and CANCEL, and later requests of its dialog, forwarded statelessly and
//! record-routed (RFC 3261 §16.11, §16.6), so that our phones can call, and a MESSAGE within their dialog comes through
//! us (W29).
//!
//! **Invariant:** nothing of a session is stored. Where a response goes is in its Via, and that a request may pass is
//! in its Route; a keyed hash shows that we made both. A request that cannot be asked for credentials goes where
//! [`crate::proxy::routing::calls`] knows its call to be. A live connection is reused for what goes back to its other
//! end.

mod bounds;
mod places;
mod via;

use std::collections::BTreeMap;

use bytes::Bytes;

use self::places::{check_place, is_blocked_there, learn_from_answer, remember};
use self::via::{at_place, branch_of, came_by, invite_of, way_back, with_source};
use crate::limits::{SESSION_BYTES_WAITING_MAX, SESSION_REQUESTS_WAITING_MAX, SESSION_RESPONSES_PART};
use crate::machine::{DropReason, Flow};
use crate::proxy::core::{Core, Rejection};
use crate::proxy::identity;
use crate::proxy::ingress::admission::{check_required, may_send, relaying_denied};
use crate::proxy::ingress::auth::{self, Role};
use crate::proxy::ingress::inbound;
use crate::proxy::own_route::{Ahead, OwnRoutes, PeersPart, Side, check_routes, pass_routes, record_routes};
use crate::proxy::registrar::outbound::is_caller_by_flow;
use crate::proxy::routing::calls::{Passed, Reaches};
use crate::proxy::routing::router::{Target, TargetSet, is_routable};
use crate::proxy::transport::inner::Inner;
use crate::proxy::transport::request_sender::{Consent, NextHop, User};
use crate::proxy::transport::validation::Allowance;
use crate::sip::{Edit, Message, Method, Request, Response, SECONDARY_TO, Uri, parse};
use crate::time::Now;

/// What waits for a flow.
#[derive(Debug)]
enum Passing {
    Request { request: Box<Request>, own: Box<OwnRoutes>, passed: Box<Passed>, from: Flow },
    Response(Bytes),
}

/// Requests and responses on their way through.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
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
pub(crate) fn is_of_session(request: &Request, own: &OwnRoutes, now: Now) -> bool {
    match request.method() {
        Method::Invite | Method::Ack | Method::Bye | Method::Cancel => true,
        Method::Subscribe | Method::Notify | Method::Other(_) => own.is_recorded(now),
        Method::Message | Method::Register | Method::Options => false,
    }
}

impl Sessions {
    /// Passes a request on to one target, or refuses it; an ACK is never answered.
    pub(crate) fn request(
        &mut self,
        core: &mut Core,
        (request, own): (&Request, &OwnRoutes),
        flow: Flow,
        now: Now,
    ) {
        let judged = self.judge(core, (request, own), flow, now);
        match judged.and_then(|passed| bounds::count(core, (request, own), flow, now).map(|()| passed)) {
            Ok(mut passed) => {
                passed.target.consent = bounds::consent(core, request, flow, &passed.target);
                if *request.method() == Method::Invite {
                    remember(core, request, (flow, &passed), now);
                }
                bounds::expect_responses(core, request, (flow, &passed.branch), now);
                let way = passed.target.clone().into_way();
                let (request, own) = (Box::new(request.clone()), Box::new(own.clone()));
                let passing = Passing::Request { request, own, passed: Box::new(passed), from: flow };
                self.pass(core, passing, way, now);
            }
            Err(rejection) => core.refuse_at_once(request, flow, &rejection, now),
        }
    }

    /// Passes a response back to where its request came from; drops it if that request did not pass here.
    pub(crate) fn response(&mut self, core: &mut Core, response: &Response, flow: Flow, now: Now) {
        let top = response.fields().top_via();
        let Some((branch, _)) = top.branch().and_then(|branch| branch.rsplit_once('.')) else {
            return DropReason::StrayResponse.tell(flow);
        };
        let stripped = Edit::response(response).pop("Via").print();
        // The Via below ours is now the topmost.
        let Ok(Message::Response(below)) = parse(stripped.clone()) else {
            return DropReason::StrayResponse.tell(flow);
        };
        let via = below.fields().top_via();
        let Some((transport, caller)) = came_by(core, branch, (&via, below.fields())) else {
            return DropReason::StrayResponse.tell(flow);
        };
        let is_from_there = top.branch() == Some(at_place(core, branch, flow.remote).as_str());
        if is_from_there {
            core.sender.answered_from(flow, now.mono);
        }
        if !self.has_room(stripped.len(), 0) {
            return DropReason::NoRoom.tell(flow);
        }
        if !bounds::may_pass_back(core, (branch, caller, transport), (&via, stripped.len()), now) {
            return DropReason::TooManyResponses.tell(flow);
        }
        if *below.fields().cseq_method() == Method::Invite {
            let peer = Some(flow.remote.ip()).filter(|_| is_from_there);
            learn_from_answer(core, &via, below.fields(), peer, now);
        }
        match way_back(core, &via, transport) {
            Some(way) => self.pass(core, Passing::Response(stripped), (way, Consent::NotNeeded), now),
            None => DropReason::NoWayBack.tell(flow),
        }
    }

    /// A flow is there: sends what waited for it.
    pub(crate) fn ready(&mut self, core: &mut Core, number: u64, flow: Flow, now: Now) {
        let bytes = match self.take(number) {
            Some(Passing::Request { request, own, mut passed, from }) => {
                let what = (request.as_ref(), own.as_ref());
                if let Err(rejection) = check_place(core, what, &passed, (from, flow), now) {
                    return core.refuse_at_once(&request, from, &rejection, now);
                }
                let invite = invite_of(core, &request.fields().top_via(), request.fields());
                match bounds::allowance(core, (invite, request.method()), &passed, flow, now) {
                    Allowance::Full | Allowance::Few(1..) => {}
                    // A retransmission too many: the sender hears from the one it is for, or nothing.
                    Allowance::Few(0) => return DropReason::UnprovenAddress.tell(flow),
                    Allowance::Nothing => {
                        return core.refuse_at_once(&request, from, &Rejection::new(480), now);
                    }
                }
                let bytes = print(core, (&request, &own), &passed, (from, flow), now);
                if *request.method() == Method::Invite && !matches!(passed.target.way, NextHop::FlowAlone(_))
                {
                    // A name that was looked up may resolve differently next time.
                    passed.target.way = NextHop::Flow(flow);
                    core.calls.pass(invite, *passed, now.mono);
                }
                bytes
            }
            Some(Passing::Response(bytes)) => return core.pass_back(flow, bytes),
            None => return,
        };
        core.transmit(flow, bytes);
    }

    /// There is no way: the sender of a request gets a 500.
    pub(crate) fn failed(&mut self, core: &mut Core, number: u64) {
        let Some(Passing::Request { request, from, .. }) = self.take(number) else {
            return;
        };
        if *request.method() == Method::Ack {
            return DropReason::NoRoute.tell(from);
        }
        let bytes = core.print_refusal(&request, from, &Rejection::because(500, "No Route"));
        core.transmit(from, bytes);
    }

    fn take(&mut self, number: u64) -> Option<Passing> {
        let passing = self.waiting.remove(&number)?;
        self.bytes = self.bytes.saturating_sub(passing.bytes());
        Some(passing)
    }

    /// Whether so many bytes more may wait while one of `kept` parts stays free (0: none).
    fn has_room(&self, more: usize, kept: usize) -> bool {
        let less = |max: usize| max - max.checked_div(kept).unwrap_or_default();
        self.waiting.len() < less(SESSION_REQUESTS_WAITING_MAX)
            && self.bytes.saturating_add(more) <= less(SESSION_BYTES_WAITING_MAX)
    }

    /// Bytes of what waits for a connection or a lookup.
    #[cfg(test)]
    pub(crate) const fn held(&self) -> usize {
        self.bytes
    }

    /// Where a request goes, and under which branch (§16.6 step 8).
    fn judge(
        &self,
        core: &mut Core,
        (request, own): (&Request, &OwnRoutes),
        flow: Flow,
        now: Now,
    ) -> Result<Passed, Rejection> {
        identity::check_from(core, request, flow)?;
        check_form(core, request)?;
        // Requests that wait for a name must not shut out the answers to others.
        if !self.has_room(request.bytes().len(), SESSION_RESPONSES_PART) {
            return Err(Rejection::busy());
        }
        let (fields, from) = (request.fields(), flow.remote.ip());
        // Neither an ACK nor a CANCEL can be challenged (§22.1).
        if matches!(request.method(), Method::Ack | Method::Cancel) {
            let invite = invite_of(core, &fields.top_via(), fields);
            if let Some(passed) = core.calls.passed(invite, from, now.mono) {
                return Ok(passed.clone());
            }
        }
        let (target, reaches) = match request.method() {
            Method::Cancel => return Err(Rejection::new(481)),
            Method::Ack => acknowledged(core, (request, own), flow, now)?,
            Method::Message
            | Method::Register
            | Method::Notify
            | Method::Options
            | Method::Invite
            | Method::Bye
            | Method::Subscribe
            | Method::Other(_) => destination(core, (request, own), flow, now)?,
        };
        let via = with_source(fields.top_via(), flow);
        let branch = branch_of(core, (&via, flow.transport), (fields, bounds::caller(core, request, flow)));
        let passed = Passed { target, reaches, branch, from };
        // A binding may name the device of somebody else.
        let place = passed.target.place();
        if place.is_some_and(|place| is_blocked_there(core, request, &passed, (flow, place), now)) {
            return Err(Rejection::new(403));
        }
        Ok(passed)
    }

    fn pass(&mut self, core: &mut Core, passing: Passing, way: (NextHop, Consent), now: Now) {
        self.last += 1;
        self.bytes += passing.bytes();
        let (user, ends) = (User::Session(self.last), core.timer_f(now));
        match &passing {
            Passing::Request { request, from, .. } => {
                // Whoever an ACK or a CANCEL says that it is from, it proves nothing.
                let proves = !matches!(request.method(), Method::Ack | Method::Cancel);
                let sender = proves.then(|| identity::sender(core, request, *from));
                core.begin(user, (sender.as_ref(), from.remote.ip()), way, ends);
            }
            // It goes back to where its request came from.
            Passing::Response(_) => core.sender.begin(user, (way.0, way.1, Inner::Open), 0, ends),
        }
        self.waiting.insert(self.last, passing);
    }
}

/// Refuses what may pass nowhere, whatever it is for: its length, its hops, and what it requires.
fn check_form(core: &Core, request: &Request) -> Result<(), Rejection> {
    if request.bytes().len() > core.config.message_bytes_max {
        return Err(Rejection::new(413));
    }
    if request.fields().max_forwards()?.unwrap_or(70) == 0 {
        return Err(Rejection::new(483));
    }
    check_required(request, "Proxy-Require", &[SECONDARY_TO])?;
    check_routes(request)?;
    bounds::check_size(request)
}

/// Where a request goes, and whom it may reach; a sender who is a user of ours must authenticate.
fn destination(
    core: &mut Core,
    (request, own): (&Request, &OwnRoutes),
    flow: Flow,
    now: Now,
) -> Result<(Target, Reaches), Rejection> {
    let (ahead, is_recorded) = (Ahead::of(request, own), own.is_recorded(now));
    // Routes of others, behind ours or alone, are only for senders who may send to others.
    let is_ours = !own.has_way() && core.domains.serving(request.uri()).is_some();
    let is_known = || is_recorded && ahead.is_known(core, request, now);
    if !is_ours && !may_send(core, request, flow) && !is_known() {
        return Err(relaying_denied(core, request, flow));
    }
    let proved = auth::prove(core, request, flow, Role::Caller, now)?;
    // A call may be forwarded: the callee's From is then the old To, not its own name. It may send to the caller only.
    let answerer = proved.filter(|proved| proved.user != proved.claimed);
    if answerer.as_ref().is_some_and(|answerer| !is_recorded || !own.is_from_called(&answerer.user)) {
        return Err(auth::another_users(Role::Caller));
    }
    // The end of a call (BYE) always gets through.
    if !is_recorded || *request.method() != Method::Bye {
        inbound::admit(core, (request, own), flow, now)?;
    }
    // A block also holds within a dialog.
    let sender = identity::sender(core, request, flow);
    let claimed = answerer.as_ref().map(|answerer| &answerer.claimed);
    if [&sender].into_iter().chain(claimed).any(|name| ahead.is_blocked(core, name, now)) {
        return Err(Rejection::new(403));
    }
    let is_in_dialog = own.has_way() || is_recorded;
    let reaches = match answerer {
        Some(_) => Reaches::Caller,
        None if is_in_dialog && !may_send(core, request, flow) => Reaches::Party,
        None => Reaches::Anybody,
    };
    if !is_in_dialog {
        return Ok((only_target(core, request.uri(), now)?, reaches));
    }
    if !is_routable(request.uri()) {
        return Err(Rejection::new(416));
    }
    let target = ahead.target(core, now).ok_or(Rejection::new(480))?;
    if reaches == Reaches::Caller && !ahead.leads_to_caller(core, (request, &target), now) {
        return Err(auth::another_users(Role::Caller));
    }
    Ok((target, reaches))
}

/// §16.11: a stateless proxy sends to one target, the same one each time.
fn only_target(core: &Core, uri: &Uri, now: Now) -> Result<Target, Rejection> {
    match core.router().targets(uri, now) {
        TargetSet::Targets(targets) => targets.into_iter().next().ok_or_else(|| Rejection::new(480)),
        TargetSet::Nobody => Err(Rejection::new(480)),
        TargetSet::Unknown => Err(Rejection::new(404)),
        TargetSet::Unsupported => Err(Rejection::new(416)),
    }
}

/// Where the ACK of a 2xx goes: to a party of a known dialog, by its Contact if it comes from the calling computer, or
/// along the Route that we recorded. The ACK of a trusted peer goes where it says.
fn acknowledged(
    core: &Core,
    (request, own): (&Request, &OwnRoutes),
    flow: Flow,
    now: Now,
) -> Result<(Target, Reaches), Rejection> {
    let ahead = Ahead::of(request, own);
    let is_trusted = core.config.trusts(flow);
    let is_known = ahead.is_said_to(core, request, flow.remote.ip(), now)
        || (own.is_recorded(now) && ahead.is_known(core, request, now))
        || is_trusted;
    if !is_known || !is_routable(request.uri()) {
        return Err(Rejection::new(403));
    }
    // Whoever its From names, it proves nothing.
    let reaches = if is_trusted { Reaches::Anybody } else { Reaches::Party };
    Ok((ahead.target(core, now).ok_or(Rejection::new(480))?, reaches))
}

/// True if a callee is reached over this flow, not just at the address in its Contact.
/// Whoever is behind a proxy on its Path is not: many share that connection.
const fn is_by_flow(target: &Target) -> bool {
    match &target.way {
        NextHop::FlowAlone(_) => true,
        NextHop::Flow(flow) => flow.transport.is_reliable() && target.routes.is_empty(),
        NextHop::Hop(_) | NextHop::Route(..) | NextHop::Lookup { .. } => false,
    }
}

/// Prints the request for the next hop (§16.6), with the source address in the Via that it came with, so that the
/// response finds back (§18.2.1, RFC 3581 §4).
fn print(
    core: &Core,
    (request, own): (&Request, &OwnRoutes),
    passed: &Passed,
    (from, to): (Flow, Flow),
    now: Now,
) -> Bytes {
    let fields = request.fields();
    let hops_left = fields.max_forwards().ok().flatten().map_or(70, |hops| hops.saturating_sub(1));
    let edit = Edit::request(request)
        .uri(&passed.target.uri)
        .pop("Via")
        .push_front("Via", with_source(fields.top_via(), from))
        .push_front("Via", core.sender.sockets().via(to, &at_place(core, &passed.branch, to.remote)))
        .set("Max-Forwards", hops_left);
    let mut edit = pass_routes(edit, request, own);
    for route in passed.target.routes.iter().rev() {
        edit = edit.push_front("Route", route);
    }
    if *request.method() == Method::Invite && !own.is_recorded(now) {
        let caller = Side { flow: from, is_by_flow: is_caller_by_flow(request, from) };
        let callee = Side { flow: to, is_by_flow: is_by_flow(&passed.target) };
        for route in record_routes(core, request, (caller, callee), now) {
            edit = edit.push_front("Record-Route", route);
        }
    }
    let may_assert = PeersPart::of(core, request).may_assert(core, to.remote, now);
    let edit = identity::without_credentials(core, edit);
    let asserted = identity::asserted(core, request, from);
    identity::assert(core, edit, asserted.as_deref(), (from, to), may_assert).print()
}
