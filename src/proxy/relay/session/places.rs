//! What an INVITE and its answers say about where the parties of a call are (W29).

use std::net::IpAddr;

use super::via::invite_of;
use crate::limits::ROUTES_MAX;
use crate::machine::Flow;
use crate::proxy::core::Core;
use crate::proxy::identity;
use crate::proxy::ingress::admission::may_send;
use crate::proxy::own_route::caller;
use crate::proxy::routing::calls::Passed;
use crate::sip::{Aor, Contacts, Fields, Request, Uri};
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
        learn(core, fields, (party, flow.remote.ip()), is_his, now);
    }
}

/// Learns where a party of a call made from that computer is: at its Contact, or behind the proxies in Record-Route.
pub(super) fn learn(
    core: &mut Core,
    fields: &Fields,
    (party, caller): (u128, IpAddr),
    may_be_at: impl Fn(&Core, &Uri) -> bool,
    now: Now,
) {
    if fields.tokens("Record-Route").count() > ROUTES_MAX {
        return;
    }
    let contacts = match fields.contacts() {
        Ok(Contacts::List(contacts)) => contacts,
        Ok(Contacts::All) | Err(_) => Vec::new(),
    };
    let routes = fields.routes("Record-Route").unwrap_or_default();
    let others = routes.iter().filter(|route| core.domains.serving(&route.uri).is_none());
    let places: Vec<_> = contacts
        .iter()
        .take(1)
        .filter(|contact| may_be_at(core, &contact.uri))
        .chain(others)
        .map(|address| address.uri.place())
        .collect();
    core.calls.is_at(party, places.into_iter(), caller, now.mono);
}

/// False if the address belongs to another user of ours: a party may claim to be anywhere.
pub(super) fn is_of(core: &Core, party: Option<&Aor>, contact: &Uri, now: Now) -> bool {
    let router = core.router();
    let named = core.domains.aor(contact);
    let is_his = |owner: &Aor| Some(owner) == party;
    named.as_ref().is_none_or(is_his) && router.owners(contact, now).all(|binding| is_his(&binding.row.aor))
}
