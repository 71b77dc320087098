//! What an INVITE and its answers say about where the parties of a call are (W29).

use std::net::{IpAddr, SocketAddr};

use super::via::invite_of;
use crate::limits::ROUTES_MAX;
use crate::machine::Flow;
use crate::proxy::core::{Core, Rejection};
use crate::proxy::identity;
use crate::proxy::ingress::admission::{may_send, relaying_denied};
use crate::proxy::ingress::auth::{self, Role};
use crate::proxy::own_route::{Ahead, OwnRoutes, called, caller, party_to};
use crate::proxy::routing::calls::{Passed, Reaches};
use crate::proxy::routing::router::place_of;
use crate::proxy::transport::request_sender::NextHop;
use crate::sip::{Aor, Fields, Request, Uri, Via};
use crate::time::Now;

/// Remembers an INVITE that passed: its CANCEL may follow, and requests to its sender.
pub(super) fn remember(core: &mut Core, request: &Request, (flow, passed): (Flow, &Passed), now: Now) {
    let fields = request.fields();
    let invite = invite_of(core, &fields.top_via(), fields);
    core.calls.pass(invite, passed.clone(), now.mono);
    let (from, may_send) = (fields.from(), may_send(core, request, flow));
    if let Some(tag) = from.tag() {
        let party = caller(core, fields, tag, may_send);
        let (sender, is_trusted) = (identity::sender(core, request, flow), core.config.trusts(flow));
        let is_his = |core: &Core, contact: &Uri| is_trusted || is_of(core, Some(&sender), contact, now);
        let from = flow.remote.ip();
        learn(core, fields, (party, (from, core.config.names(from))), is_his, now);
    }
}

/// Whether this request may go to that place, which is known only now: its owner may have blocked the sender, it is a
/// trusted peer to which a recipient leads, or the device of somebody who has no part in the dialog.
pub(super) fn check_place(
    core: &Core,
    (request, own): (&Request, &OwnRoutes),
    passed: &Passed,
    (from, to): (Flow, Flow),
    now: Now,
) -> Result<(), Rejection> {
    if is_blocked_there(core, request, passed, (from, to.remote), now) {
        return Err(Rejection::new(403));
    }
    if !core.router().may_go(passed.target.is_by_recipient, to.remote) {
        return Err(Rejection::new(480));
    }
    let is_name = matches!(passed.target.way, NextHop::Lookup { .. });
    let what = (request, &passed.target.uri);
    if !is_name || Ahead::of(request, own).may_reach(core, what, passed.reaches, to.remote, now) {
        return Ok(());
    }
    Err(match passed.reaches {
        Reaches::Caller => auth::another_users(Role::Caller),
        Reaches::Party | Reaches::Anybody => relaying_denied(core, request, from),
    })
}

/// Whether the owner of that place has blocked the sender, or the name under which he speaks.
pub(super) fn is_blocked_there(
    core: &Core,
    request: &Request,
    passed: &Passed,
    (from, place): (Flow, SocketAddr),
    now: Now,
) -> bool {
    let named = core.domains.person(&request.fields().from().uri);
    let named = Some(named).filter(|_| passed.reaches == Reaches::Caller);
    let mut senders = [Some(identity::sender(core, request, from)), named].into_iter().flatten();
    senders.any(|sender| core.router().is_blocked_on_way((&passed.target.uri, place), &sender, now))
}

/// What an answer to an INVITE tells of the call: that it goes on, and where the other party is. `peer` is where the
/// answer came from, if the INVITE was sent there.
pub(super) fn learn_from_answer(core: &mut Core, via: &Via, fields: &Fields, peer: Option<IpAddr>, now: Now) {
    let invite = invite_of(core, via, fields);
    core.calls.goes_on(invite, now.mono);
    let caller = via.params.get("received").and_then(|ip| ip.parse().ok());
    let (Some(party), Some(caller)) = (party_to(core, fields), caller) else { return };
    let called = called(core, fields);
    let is_his = |core: &Core, contact: &Uri| {
        core.calls.went_to(invite, now.mono).is_some_and(|went| went.place() == contact.place())
            || is_of(core, called.as_ref(), contact, now)
    };
    let mut parts = [core.calls.was_sent_to(invite, now.mono), peer].into_iter().flatten();
    let is_behind_peer = parts.any(|part| core.config.names(part));
    learn(core, fields, (party, (caller, is_behind_peer)), is_his, now);
}

/// Learns where a party of a call made from that computer is: at its Contact, or behind the proxies in Record-Route; and
/// whether a trusted peer had a part in it.
fn learn(
    core: &mut Core,
    fields: &Fields,
    (party, caller): (u128, (IpAddr, bool)),
    may_be_at: impl Fn(&Core, &Uri) -> bool,
    now: Now,
) {
    if fields.tokens("Record-Route").count() > ROUTES_MAX {
        return;
    }
    let routes = fields.routes("Record-Route").unwrap_or_default();
    let others = routes.iter().filter(|route| {
        core.domains.serving(&route.uri).is_none()
            && (is_peer(core, &route.uri) || may_be_at(core, &route.uri))
    });
    let contact = fields.first_contact();
    let places: Vec<_> = contact
        .iter()
        .filter(|contact| may_be_at(core, &contact.uri))
        .chain(others)
        .map(|address| address.uri.place())
        .collect();
    core.calls.is_at(party, places.into_iter(), caller, now.mono);
}

/// True for a trusted peer, which itself decides whom it reaches.
fn is_peer(core: &Core, uri: &Uri) -> bool {
    place_of(uri).is_some_and(|place| core.config.names(place.ip()))
}

/// False if the address belongs to another user of ours: a party may claim to be anywhere.
fn is_of(core: &Core, party: Option<&Aor>, contact: &Uri, now: Now) -> bool {
    let router = core.router();
    let named = core.domains.aor(contact);
    let is_his = |owner: &Aor| Some(owner) == party;
    named.as_ref().is_none_or(is_his) && router.owners(contact, now).all(|binding| is_his(&binding.row.aor))
}
