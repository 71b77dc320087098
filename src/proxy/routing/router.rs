//! Where a URI leads: to the bindings of a user of ours, to another domain, to a numeric address, or nowhere
//! (RFC 3261 §16.5; W14, W16, W19).

mod owners;

use std::net::SocketAddr;

use super::domains::Domains;
use super::users::Users;
use crate::machine::{Flow, Hop};
use crate::proxy::config::{ProxyConfig, StaticRoute};
use crate::proxy::journal::{BindingRow, Reach};
use crate::proxy::location::{Binding, LocationService, Maker, place_of as place_of_binding, port_of};
use crate::proxy::transport::next_hop::user_pays;
use crate::proxy::transport::request_sender::{Consent, NextHop, RequestSender};
use crate::sip::{Aor, NameAddr, Scheme, Transport, Uri};
use crate::time::Now;

/// One target of a request.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The Request-URI.
    pub(crate) uri: Uri,
    /// The Routes to it, if its binding has a Path (RFC 3327).
    pub(crate) routes: Vec<String>,
    /// The next hop.
    pub(crate) way: NextHop,
    /// The device whose binding it is, if it named itself (RFC 5626).
    pub(crate) device: Option<String>,
    /// Whether the owner of the target has agreed to be sent to.
    pub(crate) consent: Consent,
    /// A recipient who is no trusted peer chose it, by a binding or a redirect ([`Router::may_go`]).
    pub(crate) is_by_recipient: bool,
}

impl Target {
    /// One without a binding, so that it has no Path and no device; nobody's consent is needed, and no recipient chose it.
    pub(crate) const fn at(uri: Uri, way: NextHop) -> Self {
        Self {
            uri,
            routes: Vec::new(),
            way,
            device: None,
            consent: Consent::NotNeeded,
            is_by_recipient: false,
        }
    }

    /// W32: a request for a `sips:` address does not leave TLS.
    pub(crate) fn may_carry(&self, address: &Uri) -> bool {
        !address.is_sips() || is_secure(&self.way)
    }

    /// Where it is sent, if that is an address: not a name, nor a flow that somebody registered for himself.
    pub(crate) const fn place(&self) -> Option<SocketAddr> {
        match &self.way {
            NextHop::FlowAlone(_) | NextHop::Lookup { .. } => None,
            NextHop::Flow(flow) => Some(flow.remote),
            NextHop::Hop(hop) | NextHop::Route(hop, _) => Some(hop.remote),
        }
    }

    /// What [`RequestSender::begin`] needs.
    pub(crate) fn into_way(self) -> (NextHop, Consent) {
        (self.way, self.consent)
    }
}

/// The targets of a request, or why there are none.
#[derive(Clone, Debug)]
pub(crate) enum TargetSet {
    /// These, all at once.
    Targets(Vec<Target>),
    /// A user of ours without any binding.
    Nobody,
    /// An address of ours that nobody has.
    Unknown,
    /// A scheme that we do not route.
    Unsupported,
}

/// Finds where people are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Router<'a> {
    pub(crate) config: &'a ProxyConfig,
    pub(crate) domains: &'a Domains,
    pub(crate) users: &'a Users,
    pub(crate) location: &'a LocationService,
    pub(crate) sender: &'a RequestSender,
}

impl Router<'_> {
    /// The targets of a request to `uri`.
    pub(crate) fn targets(&self, uri: &Uri, now: Now) -> TargetSet {
        if *uri.scheme() == Scheme::Tel {
            return self.by_gateway(uri);
        }
        if !is_routable(uri) {
            return TargetSet::Unsupported;
        }
        let Some(aor) = self.domains.aor(uri) else {
            let target = self.elsewhere(&uri.to_sip());
            let is_good = target.may_carry(uri);
            return if is_good { TargetSet::Targets(vec![target]) } else { TargetSet::Nobody };
        };
        if self.users.lack(&aor) {
            return TargetSet::Unknown;
        }
        let targets: Vec<_> = self.at_bindings(&aor, now).filter(|target| target.may_carry(uri)).collect();
        if targets.is_empty() { TargetSet::Nobody } else { TargetSet::Targets(targets) }
    }

    /// A telephone number goes unchanged to the gateway in the settings (RFC 3261 §19.1.6 leaves this open).
    fn by_gateway(&self, uri: &Uri) -> TargetSet {
        // A telephone gateway has no well-known domain: its certificate names its address.
        let target = |route: &StaticRoute| Target::at(uri.clone(), NextHop::Hop(route.hop));
        let route = self.domains.next_hop(uri);
        route.map_or(TargetSet::Unsupported, |route| TargetSet::Targets(vec![target(route)]))
    }

    /// The target of a URI that is nobody's binding (W19).
    pub(crate) fn elsewhere(&self, uri: &Uri) -> Target {
        let uri = uri.to_target();
        let way = self.way_outside(&uri);
        Target::at(uri, way)
    }

    /// The consent for a place that was named over this flow. If users authenticate, the other end has proved that it
    /// receives at its address, so it may speak for that address alone; trusted peers may speak for any.
    pub(crate) fn consent(&self, flow: Flow) -> Consent {
        let peer = flow.remote.ip();
        if self.users.asks() && !self.config.trusts(flow) { Consent::From(peer) } else { Consent::NotNeeded }
    }

    /// The consent for the place of a binding: for an address from which its user has registered, unless somebody else
    /// has registered from that very port of it, as behind one NAT.
    fn consent_of(&self, binding: &Binding, now: Now) -> Consent {
        let (given, row) = (self.consent(binding.row.flow), &binding.row);
        if given == Consent::NotNeeded || row.reach == Reach::Flow {
            return given;
        }
        if let Some(edge) = edge_of(row) {
            return self.consent_of_edge((row, &edge), given, now);
        }
        let place = place_of_binding(row);
        let is_his =
            |other: &Binding| place_of_binding(&other.row) == place && self.is_there(Maker::of(&other.row));
        if self.has_any_there(place, now) && !self.location.bindings(&row.aor, now.mono).any(is_his) {
            return Consent::Unknown;
        }
        let contact = row.contact.ip().filter(|_| self.is_received_at(row, now));
        contact.map_or(given, Consent::From)
    }

    /// The consent for the first proxy on the Path of a binding: as for a Contact there. An address from which somebody has
    /// registered himself is no proxy's, unless it has registered this binding.
    fn consent_of_edge(&self, (row, edge): (&BindingRow, &Uri), given: Consent, now: Now) -> Consent {
        let Some(place) =
            place_of(edge).map(|place| SocketAddr::new(place.ip().to_canonical(), place.port()))
        else {
            return given;
        };
        let from = SocketAddr::new(row.flow.remote.ip().to_canonical(), row.flow.remote.port());
        if from != place && self.has_any_there(place, now) { Consent::Unknown } else { given }
    }

    /// The consent for a place that had a binding before, but has none now.
    fn consent_of_former(&self, owner: Option<&Aor>) -> Consent {
        if self.users.asks() && owner.is_some() { Consent::Unknown } else { Consent::NotNeeded }
    }

    /// The consent for a place to which somebody redirects who received our request over this flow: for that address
    /// alone; trusted peers may speak for any.
    pub(crate) fn redirected(&self, flow: Flow) -> Consent {
        let peer = flow.remote.ip();
        if self.users.asks() && !self.config.names(peer) { Consent::From(peer) } else { Consent::NotNeeded }
    }

    fn way_outside(&self, uri: &Uri) -> NextHop {
        let by_settings = |route: &StaticRoute| NextHop::Route(route.hop, route.domain.as_str().into());
        self.domains.next_hop(uri).map_or_else(|| way_to(uri), by_settings)
    }

    /// The targets of a user's bindings, best first; of several flows of one device, the newest live one (RFC 5626
    /// §5.3).
    pub(crate) fn at_bindings(&self, aor: &Aor, now: Now) -> impl Iterator<Item = Target> {
        let others = move || self.location.bindings(aor, now.mono);
        let is_newest = move |binding: &&Binding| {
            binding.row.reg_id.is_none()
                || !others().any(|other| {
                    let is_twin = other.row.reg_id.is_some() && other.row.instance == binding.row.instance;
                    is_twin && other.since > binding.since && self.sender.is_usable(other.row.flow)
                })
        };
        others().filter(is_newest).filter_map(move |binding| self.target(binding, now))
    }

    /// The target of a binding: over the connection that it was registered on while that lives, else at its address, if
    /// it has one.
    pub(crate) fn target(&self, binding: &Binding, now: Now) -> Option<Target> {
        let (uri, flow) = (binding.row.contact.to_target(), binding.row.flow);
        let edge = edge_of(&binding.row);
        let next = edge.as_ref().unwrap_or(&uri);
        let wanted = next.transport();
        let fits = wanted.is_none_or(|wanted| wanted == flow.transport);
        let is_alive = self.sender.is_usable(flow);
        let way = match binding.row.reach {
            Reach::Flow => Some(NextHop::FlowAlone(flow)).filter(|_| is_alive),
            Reach::Contact
                if fits
                    && is_alive
                    && flow.transport != Transport::Udp
                    && leads_back(edge.as_ref(), flow) =>
            {
                Some(NextHop::Flow(flow))
            }
            Reach::Contact => Some(self.way_from(next, flow, fits)),
        };
        let consent = self.consent_of(binding, now);
        let way = way?.paid_by(|| user_pays(&binding.row.aor));
        let device = binding.row.instance.clone();
        let routes = binding.row.path.clone();
        let is_by_recipient = !self.config.names(flow.remote.ip());
        Some(Target { uri, routes, way, device, consent, is_by_recipient })
            .filter(|target| self.may_go_to(target))
    }

    /// Whether a request may go to a place that its target has led to. A recipient leads it to a trusted peer only if he
    /// is one: that peer takes what we send on our word, and from the sender whose identity we assert (RFC 3325 §5), who
    /// did not choose it. The recipient did, but is not who the request is from, so that nothing true can be asserted.
    pub(crate) fn may_go(&self, is_by_recipient: bool, place: SocketAddr) -> bool {
        !is_by_recipient || !self.config.names(place.ip())
    }

    /// The same for a target; where a name leads is known only later.
    pub(crate) fn may_go_to(&self, target: &Target) -> bool {
        target.place().is_none_or(|place| self.may_go(target.is_by_recipient, place))
    }

    /// The way back over the flow of a request; the only way, if its sender is registered by that flow alone.
    pub(crate) fn way_back(&self, flow: Flow, sender: Option<&Aor>, now: Now) -> NextHop {
        let mut bindings = sender.into_iter().flat_map(|aor| self.location.bindings(aor, now.mono));
        let is_alone = bindings.any(|binding| binding.row.reach == Reach::Flow && binding.row.flow == flow);
        if is_alone { NextHop::FlowAlone(flow) } else { NextHop::Flow(flow) }
    }

    /// The way to a recipient's `contact` once more: over its connection while it is still a binding. `None` if that
    /// would leave TLS.
    pub(crate) fn way_again(&self, recipient: &Uri, contact: &Uri, now: Now) -> Option<Target> {
        let target = self.way_to_contact(self.domains.aor(recipient).as_ref(), contact, now);
        target.filter(|target| !recipient.is_sips() || is_secure(&target.way))
    }

    /// The way to a contact, of a user of ours or not; does not check for TLS.
    pub(crate) fn way_to_contact(&self, owner: Option<&Aor>, contact: &Uri, now: Now) -> Option<Target> {
        let mut bindings = owner.into_iter().flat_map(|aor| self.location.bindings(aor, now.mono));
        match bindings.find(|binding| binding.row.contact.to_target() == *contact) {
            Some(binding) => self.target(binding, now),
            None => {
                let consent = self.consent_of_former(owner);
                Some(Target { consent, uri: contact.clone(), ..self.elsewhere(contact) })
            }
        }
    }

    /// Whether the user of a binding has registered from the address in its Contact: for this binding, or for another.
    pub(super) fn is_received_at(&self, row: &BindingRow, now: Now) -> bool {
        let Some(ip) = row.contact.ip().map(|ip| ip.to_canonical()) else { return true };
        let is_from = |other: &BindingRow| other.flow.remote.ip().to_canonical() == ip;
        is_from(row) || self.location.bindings(&row.aor, now.mono).any(|other| is_from(&other.row))
    }

    fn way_from(&self, uri: &Uri, flow: Flow, fits: bool) -> NextHop {
        let transport = uri.transport().unwrap_or(if fits { flow.transport } else { Transport::Udp });
        match uri.ip() {
            Some(ip) => {
                let remote = SocketAddr::new(ip, port_of(uri));
                let same_socket = transport == Transport::Udp
                    && flow.transport == Transport::Udp
                    && flow.local.is_ipv4() == remote.is_ipv4();
                if same_socket && self.sender.is_usable(flow) && !self.sender.sockets().is_own(remote) {
                    // From the socket that the binding was made on: firewalls in between let that through.
                    NextHop::Flow(Flow::udp(flow.local, remote))
                } else {
                    NextHop::Hop(Hop { transport, remote })
                }
            }
            // If the name cannot be resolved, the device is reached where it registered from.
            None => NextHop::Lookup { uri: uri.clone(), otherwise: fits.then_some(flow), payer: None },
        }
    }
}

/// The first proxy on the Path of a binding.
fn edge_of(row: &BindingRow) -> Option<Uri> {
    let first = NameAddr::parse(row.path.first()?).ok()?;
    Some(first.uri.to_target())
}

/// Whether the connection of a REGISTER leads to the first proxy on its Path, as far as its address tells.
fn leads_back(edge: Option<&Uri>, flow: Flow) -> bool {
    let ip = edge.and_then(Uri::ip);
    ip.is_none_or(|ip| ip.to_canonical() == flow.remote.ip().to_canonical())
}

/// The next hop for a URI that is nobody's binding (W19).
fn way_to(uri: &Uri) -> NextHop {
    match uri.ip() {
        Some(ip) => {
            let transport = uri.transport().unwrap_or(Transport::Udp);
            NextHop::Hop(Hop { transport, remote: SocketAddr::new(ip, port_of(uri)) })
        }
        None => NextHop::Lookup { uri: uri.clone(), otherwise: None, payer: None },
    }
}

/// The place that a numeric address stands for.
pub(crate) fn place_of(address: &Uri) -> Option<SocketAddr> {
    address.ip().map(|ip| SocketAddr::new(ip, port_of(address)))
}

/// True if the next hop is reached over TLS.
pub(crate) fn is_secure(way: &NextHop) -> bool {
    match way {
        NextHop::Flow(flow) | NextHop::FlowAlone(flow) => flow.transport.is_secure(),
        NextHop::Hop(hop) | NextHop::Route(hop, _) => hop.transport.is_secure(),
        NextHop::Lookup { uri, .. } => uri.is_sips(),
    }
}

/// True for the schemes of W3.
pub(crate) fn is_routable(uri: &Uri) -> bool {
    match uri.scheme() {
        Scheme::Sip | Scheme::Sips | Scheme::Im | Scheme::Pres => !uri.host().is_empty(),
        Scheme::Tel | Scheme::Other(_) => false,
    }
}
