//! Ordinary MESSAGE, and OPTIONS for a user: proxied statefully, one response back (RFC 3261 §16, RFC 3428 §7; W14).

pub(super) mod session;

use std::collections::BTreeMap;

use super::core::{Core, Rejection};
use super::dispatch::branch::{BranchResult, Fork, TOO_LARGE, Verdict, rank};
use super::guard::shares::{Amount, Payer, Shares};
use super::identity;
use super::ingress::admission::may_send;
use super::own_route::{Ahead, OwnRoutes, PeersPart, pass_routes};
use super::routing::calls::Reaches;
use super::routing::router::{Target, TargetSet};
use super::transport::request_sender::{Consent, Fault, NextHop, Printed, User};
use crate::limits::{
    MAX_BREADTH, RELAY_BYTES_OPEN_MAX, RELAY_CHALLENGE_BYTES_MAX, RELAYS_OPEN_MAX, UNDER_WAY_PART,
};
use crate::machine::Flow;
use crate::sip::{Aor, Edit, NameAddr, Request, Response, Scheme, Uri};
use crate::time::Now;
use crate::transaction::ServerKey;

/// One branch of an ordinary request under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct RelayBranch {
    pub(super) relay: u64,
    pub(super) branch: u32,
}

/// An ordinary request under way.
#[derive(Debug)]
struct Relay {
    key: ServerKey,
    /// As it goes on: without what authenticates its sender to us.
    request: Request,
    sender: Aor,
    /// The identity that may be asserted for the sender.
    asserted: Option<String>,
    own: OwnRoutes,
    flow: Flow,
    fork: Fork,
    best: Option<Response>,
    /// The other 401s and 407s of the fork, whose challenges go back with the best one.
    challenges: Vec<Response>,
    /// The worst fault of any branch; a timeout does not count.
    fault: Option<Fault>,
    /// The loop check at the end of our Via's branch, by which we recognise the request if it comes round again.
    check: String,
    /// The Max-Breadth of each branch (RFC 5393 §5.3).
    breadth: u32,
    payer: Payer,
}

impl Relay {
    /// What it holds in memory: the request, a copy of it for each branch, and responses.
    fn amount(&self) -> Amount {
        let responses = self.best.iter().chain(&self.challenges).map(|response| response.bytes().len());
        let bytes = self.request.bytes().len().saturating_mul(1 + self.fork.len()) + responses.sum::<usize>();
        Amount { count: 1, bytes }
    }

    /// Keeps a response that may be the best one, or whose challenge goes back with the best one.
    fn keep(&mut self, response: &Response) {
        let is_better = self.best.as_ref().is_none_or(|best| rank(response.status()) < rank(best.status()));
        let other = if is_better { self.best.replace(response.clone()) } else { Some(response.clone()) };
        let Some(other) = other.filter(is_challenge) else { return };
        let head = |response: &Response| response.bytes().len() - response.body().len();
        let held: usize = self.challenges.iter().map(head).sum();
        if held + head(&other) <= RELAY_CHALLENGE_BYTES_MAX {
            self.challenges.push(other);
        }
    }
}

/// True for a response that asks for credentials.
fn is_challenge(response: &Response) -> bool {
    matches!(response.status(), 401 | 407)
}

/// All relays.
#[derive(Debug, Default)]
pub(super) struct Relays {
    all: BTreeMap<u64, Relay>,
    last: u64,
    /// What the relays hold until all responses have come, by sender.
    shares: Shares<Payer>,
}

impl Relays {
    /// Forwards a request to all its targets.
    pub(super) fn forward(
        &mut self,
        core: &mut Core,
        from: (ServerKey, Flow),
        (request, own): (&Request, &OwnRoutes),
        now: Now,
    ) -> Result<(), Rejection> {
        if self.all.len() >= RELAYS_OPEN_MAX {
            return Err(Rejection::busy());
        }
        let check = core.secret.loop_check(request);
        if request.fields().every("Via").any(|via| via.contains(&check)) {
            return Err(Rejection::new(482));
        }
        let sender = identity::sender(core, request, from.1);
        let targets = targets(core, (request, own), (&sender, from.1), now)?;
        let breadth = share(request.fields().max_breadth().unwrap_or(MAX_BREADTH), targets.len())?;
        let bytes = request.bytes().len().saturating_mul(1 + targets.len());
        let payer = payer(core, &sender, from.1);
        if !self.has_room(payer, Amount { count: 1, bytes }) {
            return Err(Rejection::busy());
        }
        self.last += 1;
        let (id, (key, flow)) = (self.last, from);
        let mut fork = Fork::new(false);
        for target in targets {
            if let Some(branch) = fork.add(&target, 0) {
                let (user, looks_up) = (User::Relay { relay: id, branch }, (Some(&sender), flow.remote.ip()));
                core.begin(user, looks_up, target.into_way(), core.timer_f(now));
            }
        }
        let asserted = identity::asserted(core, request, flow);
        let (request, own) = (identity::for_branches(core, request), own.clone());
        let relay = Relay {
            key,
            request,
            sender,
            asserted,
            own,
            flow,
            fork,
            best: None,
            challenges: Vec::new(),
            fault: None,
            check,
            breadth,
            payer,
        };
        self.shares.take(&payer, relay.amount());
        self.all.insert(id, relay);
        Ok(())
    }

    /// A flow is there: the request is printed for it and sent (RFC 3261 §16.6).
    pub(super) fn ready(&mut self, core: &mut Core, id: RelayBranch, flow: Flow, now: Now) {
        let RelayBranch { relay, branch } = id;
        let Some(this) = self.all.get_mut(&relay) else {
            return;
        };
        let Some(uri) = this.fork.uri(branch) else {
            return;
        };
        if core.router().is_blocked_on_way((uri, flow.remote), &this.sender, now)
            || !core.router().may_go(this.fork.is_by_recipient(branch), flow.remote)
            || !may_reach(core, this, (uri, flow), now)
        {
            return self.failed(core, id, Fault::NoRoute, now);
        }
        let ends = this.fork.deadline(branch, now.mono, core.config.timers.f());
        let Some(uri) = this.fork.uri(branch) else {
            return;
        };
        // An ordinary request is not stored: after a crash its sender retransmits it, so the branch may be random.
        let name = format!("z9hG4bK{}{}", core.random.token(24), this.check);
        let edit = edit(this, (uri, this.fork.routes(branch)), &core.sender.sockets().via(flow, &name));
        let may_assert = PeersPart::of(core, &this.request).may_assert(core, flow.remote, now);
        let asserted = this.asserted.as_deref();
        let bytes = identity::assert(core, edit, asserted, (this.flow, flow), may_assert).print();
        let printed = Printed { branch: &name, method: this.request.method().clone(), flow, bytes };
        core.sender.send(User::Relay { relay, branch }, printed, ends, now.mono);
    }

    /// A final response came: a 2xx goes back at once; of other responses, the best one in the end.
    pub(super) fn heard(
        &mut self,
        core: &mut Core,
        RelayBranch { relay, branch }: RelayBranch,
        response: &Response,
        now: Now,
    ) {
        let Some(this) = self.all.get_mut(&relay) else {
            return;
        };
        // RFC 4320 §4.1: a 408 is of no use upstream.
        if response.status() != 408 {
            self.shares.give(&this.payer, this.amount());
            this.keep(response);
            self.shares.take(&this.payer, this.amount());
        }
        match this.fork.judge(branch, response, 0) {
            Verdict::Delivered(_) => self.answer(core, relay, Some(response.clone()), now),
            Verdict::Merged => {
                this.fork.fail(branch, Fault::Timeout, 0);
                self.end_if_over(core, relay, now);
            }
            // Following a redirect is up to the sender.
            Verdict::Redirected(..) | Verdict::Over => self.end_if_over(core, relay, now),
        }
    }

    /// A branch failed without a response.
    pub(super) fn failed(&mut self, core: &mut Core, id: RelayBranch, fault: Fault, now: Now) {
        let RelayBranch { relay, branch } = id;
        let Some(this) = self.all.get_mut(&relay) else {
            return;
        };
        this.fault = Some(fault).filter(|fault| *fault != Fault::Timeout).or(this.fault);
        this.fork.fail(branch, fault, 0);
        self.end_if_over(core, relay, now);
    }

    /// True if one more fits and its sender still leaves a share for others.
    fn has_room(&self, payer: Payer, more: Amount) -> bool {
        let (all, max) = (self.shares.all(), Amount { count: RELAYS_OPEN_MAX, bytes: RELAY_BYTES_OPEN_MAX });
        all.count < max.count
            && all.bytes.saturating_add(more.bytes) <= max.bytes
            && (payer == Payer::Peers
                || self.shares.has_share(&payer, more, self.shares.left(more, max), UNDER_WAY_PART))
    }

    fn end_if_over(&mut self, core: &mut Core, relay: u64, now: Now) {
        let Some(this) = self.all.get_mut(&relay) else {
            return;
        };
        let over: Option<BranchResult> = this.fork.outcome();
        if over.is_some() {
            // It counts as held until the relay is gone.
            let best = this.best.clone();
            self.answer(core, relay, best, now);
        }
    }

    fn answer(&mut self, core: &mut Core, relay: u64, best: Option<Response>, now: Now) {
        let Some(this) = self.all.remove(&relay) else {
            return;
        };
        self.shares.give(&this.payer, this.amount());
        match best {
            // RFC 3261 §16.7 step 6: the 503 of one server is not passed on as ours.
            Some(response) if response.status() != 503 => {
                let others = if is_challenge(&response) { this.challenges.as_slice() } else { &[] };
                let bytes = restore(&this.request, &response, others);
                core.sender.respond(this.key, response.status(), bytes, now.mono);
            }
            Some(_) => core.refuse(this.key, &this.request, this.flow, &Rejection::new(500), now),
            None => {
                let refusal = match this.fault {
                    // RFC 4320 §4.2: silence is passed on as silence.
                    None | Some(Fault::Timeout) => return core.sender.abandon(this.key),
                    Some(Fault::TooLarge) => Rejection::because(513, TOO_LARGE),
                    Some(Fault::Transport | Fault::NoRoute) => Rejection::because(500, "No Route"),
                };
                core.refuse(this.key, &this.request, this.flow, &refusal, now);
            }
        }
    }
}

#[cfg(test)]
impl Relays {
    /// True if every count is back to zero.
    pub(super) fn holds_nothing(&self) -> bool {
        self.all.is_empty() && self.shares.is_empty()
    }

    /// Bytes held in memory.
    pub(super) const fn held(&self) -> usize {
        self.shares.all().bytes
    }
}

/// Who is charged for an ordinary request.
fn payer(core: &Core, sender: &Aor, flow: Flow) -> Payer {
    if core.config.trusts(flow) {
        return Payer::Peers;
    }
    core.payer(sender)
}

/// Splits a Max-Breadth among the branches; refused if one would get none.
fn share(breadth: u32, branches: usize) -> Result<u32, Rejection> {
    let branches = u32::try_from(branches).unwrap_or(u32::MAX).max(1);
    Some(breadth / branches).filter(|share| *share > 0).ok_or(Rejection::new(440))
}

/// Where a request goes: along the Routes left after ours, else by its Request-URI (RFC 3261 §16.4, §16.5).
fn targets(
    core: &Core,
    (request, own): (&Request, &OwnRoutes),
    (sender, flow): (&Aor, Flow),
    now: Now,
) -> Result<Vec<Target>, Rejection> {
    let ahead = Ahead::of(request, own);
    if ahead.is_blocked(core, sender, now) {
        return Err(Rejection::new(403));
    }
    if own.has_way() || own.is_recorded(now) {
        let mut target = ahead.target(core, now).ok_or(Rejection::new(480))?;
        // A stranger's request in a dialog goes where a party of it said to be; whoever is there may never have agreed.
        let is_stranger = core.domains.claimed(&request.fields().from().uri).is_none();
        let is_by_address = !matches!(target.way, NextHop::Flow(_) | NextHop::FlowAlone(_));
        if is_stranger && is_by_address && core.router().consent(flow) != Consent::NotNeeded {
            target.consent = Consent::Unknown;
        }
        return Ok(vec![target]);
    }
    // A message to several members has become a submission; only an alias for one is left here (W16).
    let members = core.aliases.members(request.uri(), &core.domains)?;
    let only = members.filter(|members| members.len() == 1).and_then(|mut members| members.pop());
    let uri = only.as_ref().unwrap_or_else(|| request.uri());
    if only.as_ref().is_some_and(|only| core.router().is_blocked(only, sender, now)) {
        return Err(Rejection::new(403));
    }
    match core.router().targets(uri, now) {
        TargetSet::Targets(targets) => Ok(targets),
        TargetSet::Nobody => Err(Rejection::new(480)),
        TargetSet::Unknown => Err(Rejection::new(404)),
        TargetSet::Unsupported => Err(Rejection::new(416)),
    }
}

/// Whether a request may go where it has led: a stranger's in a dialog reaches no device of other users of ours.
fn may_reach(core: &Core, this: &Relay, (uri, flow): (&Uri, Flow), now: Now) -> bool {
    let (request, own) = (&this.request, &this.own);
    if !own.is_recorded(now) || own.leads_over(flow) || may_send(core, request, this.flow) {
        return true;
    }
    Ahead::of(request, own).may_reach(core, (request, uri), Reaches::Party, flow.remote, now)
}

/// Edits the request for the next hop; the caller adds the identity fields. The sender's Via says where the request
/// really came from, so that its response, and whoever is behind the next hop, can tell.
fn edit<'a>(relay: &'a Relay, (uri, routes): (&Uri, &[String]), via: &str) -> Edit<'a> {
    let request = &relay.request;
    let fields = request.fields();
    let hops_left = fields.max_forwards().ok().flatten().map_or(70, |hops| hops.saturating_sub(1));
    let edit = Edit::request(request)
        .uri(&uri.to_sip())
        .came_from(relay.flow.remote)
        .push_front("Via", via)
        .set("Max-Forwards", hops_left)
        .set("Max-Breadth", relay.breadth);
    let mut edit = pass_routes(edit, request, &relay.own);
    for route in routes.iter().rev() {
        edit = edit.push_front("Route", route);
    }
    // W14: peers that do not know `im:` get `sip:`; the response goes back in the sender's spelling.
    for (name, address) in [("From", fields.from()), ("To", fields.to())] {
        if is_im(&address.uri) {
            edit = edit.set(name, NameAddr { uri: address.uri.to_sip(), ..address });
        }
    }
    edit
}

/// The response for upstream: our Via removed, From and To as in the request (RFC 3261 §16.7 step 9), and in a 401 or
/// 407 the challenges of the other branches (step 7).
fn restore(request: &Request, response: &Response, others: &[Response]) -> bytes::Bytes {
    let fields = request.fields();
    let mut edit = Edit::response(response).pop("Via");
    for other in others {
        for name in ["WWW-Authenticate", "Proxy-Authenticate"] {
            edit = edit.push_back_from(name, other);
        }
    }
    if let (true, Some(from)) = (is_im(&fields.from().uri), fields.first("From")) {
        edit = edit.set("From", from);
    }
    let to = fields.to();
    if let (true, Some(value)) = (is_im(&to.uri), fields.first("To")) {
        let answered = response.fields().to();
        let tag = answered
            .tag()
            .filter(|_| to.tag().is_none())
            .map_or_else(String::new, |tag| format!(";tag={tag}"));
        // In a bare address the tag would become a URI parameter; NameAddr writes the brackets.
        let value = if value.contains('<') {
            value.trim_end_matches([';', ' ', '\t']).to_owned()
        } else {
            to.to_string()
        };
        edit = edit.set("To", format_args!("{value}{tag}"));
    }
    edit.print()
}

fn is_im(uri: &Uri) -> bool {
    match uri.scheme() {
        Scheme::Im | Scheme::Pres => true,
        Scheme::Sip | Scheme::Sips | Scheme::Tel | Scheme::Other(_) => false,
    }
}
